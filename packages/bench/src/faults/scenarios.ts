/**
 * The rows that take many calls, or a refusal, as any client can be put to them: ours, and the official one.
 */
import { Fault, FaultServer, type Origin } from "@effect-apify/fault-server"
import type { CallOptions } from "@effect-apify/http"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { beyond, closed, closingReused, okOf, patient, refusal } from "../../../http/test/faults/cases.js"
import { baseUrls, hostileRefs, legalRefs, tokens } from "../../../http/test/faults/local.js"
import type { Operation } from "../../../http/test/faults/operations.js"
import { nameOf, outcomeOf } from "../../../http/test/faults/play.js"
import { keepExit, leaks, nothingShown, TOKEN, watched } from "../../../http/test/faults/secrets.js"
import type { Transport } from "../../../http/test/faults/transports.js"

export interface Settings {
  readonly token: string
  readonly baseUrl: string
  readonly limits: CallOptions
  /** How long a call may take before it counts as one that does not end. */
  readonly bound: Duration.Duration
}

/** A call, and its outcome in a few words. */
export type Call = (ref: string) => Effect.Effect<string>

/** A client with the settings given, or in a few words how it refuses them. */
export type MakeClient = (settings: Settings) => Effect.Effect<Call, string, Scope.Scope>

/** Our operation on a transport. */
export const oursOn =
  (operation: Operation, transport: Transport): MakeClient =>
  ({ baseUrl, limits, token }) => {
    const kept = nothingShown()
    const shown = <A, E, R>(effect: Effect.Effect<A, E, R>) => effect.pipe(keepExit(kept), watched(kept))
    const checked = (outcome: string) =>
      Effect.map(leaks(kept), (leaks) => {
        kept.exits.length = 0
        kept.spans.length = 0
        kept.texts.length = 0
        return leaks.length === 0 ? outcome : `${outcome}, secrets shown`
      })
    return Layer.build(transport.client({ token: Redacted.make(token), baseUrl, ...limits })).pipe(
      shown,
      Effect.map(
        (context): Call =>
          (ref) =>
            operation.call(ref).pipe(
              shown,
              Effect.exit,
              Effect.map((exit) => nameOf(outcomeOf(operation, exit))),
              Effect.flatMap(checked),
              Effect.provide(context)
            )
      ),
      Effect.catchAll(() => Effect.flatMap(checked("ConfigError"), Effect.fail))
    )
  }

export interface Scenario {
  readonly row: number
  readonly name: string
  readonly plan: string
  /** The outcome of our client. */
  readonly outcome: RegExp
  readonly play: (make: MakeClient) => Effect.Effect<string, never, FaultServer | Scope.Scope>
}

/** "30 × success, 2 × TransportError reset" */
const tally = (outcomes: ReadonlyArray<string>): string => {
  const counts = new Map<string, number>()
  for (const outcome of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  return [...counts].map(([outcome, count]) => (count === 1 ? outcome : `${count} × ${outcome}`)).join(", ")
}

interface Called {
  readonly origin: Origin
  readonly server: FaultServer["Type"]
  readonly call: Call
}

/** Calls of one client to an origin of its own, their outcomes, and the requests that the server has read. */
const calling =
  (
    { bound = Duration.seconds(10), limits = patient }: Partial<Pick<Settings, "bound" | "limits">>,
    calls: (called: Called) => Effect.Effect<ReadonlyArray<string>>
  ) =>
  (make: MakeClient) =>
    Effect.gen(function* () {
      const server = yield* FaultServer
      const origin = yield* server.listen()
      yield* server.forget
      const outcomes = yield* make({ token: TOKEN, baseUrl: origin.url, limits, bound }).pipe(
        Effect.flatMap((call) => calls({ origin, server, call })),
        Effect.catchAll((refusal) => Effect.succeed([refusal]))
      )
      return `${tally(outcomes)} (${(yield* server.requests).length})`
    })

const STORE = "~scenario"

const planned =
  (plan: Fault.Plan, calls: (called: Called) => Effect.Effect<ReadonlyArray<string>>) => (called: Called) =>
    Effect.zipRight(called.server.plan(STORE, plan), calls(called))

const many =
  (count: number, options: { readonly concurrency: number | "unbounded" }) =>
  ({ call }: Called) =>
    Effect.forEach(Array.from({ length: count }), () => call(STORE), options)

/** A connection is free for the next call a moment after its response. */
const oneByOne =
  (count: number) =>
  ({ call }: Called) =>
    Effect.forEach(Array.from({ length: count }), () => Effect.zipLeft(call(STORE), Effect.sleep("20 millis")))

const patientWait = { ...patient, retry: { retries: 2, baseDelay: "1 hour", maxDelay: "1 hour" } } as const

/** Each setting with a client of its own, which gets a store if the setting is not refused. */
const eachSetting =
  (ok: Fault.Fault, settings: (origin: Origin) => ReadonlyArray<Partial<Settings>>) => (make: MakeClient) =>
    Effect.gen(function* () {
      const server = yield* FaultServer
      const origin = yield* server.listen()
      yield* server.forget
      yield* server.plan(STORE, Fault.forever(ok))
      const outcomes = yield* Effect.forEach(settings(origin), (changed) =>
        Effect.scoped(
          Effect.merge(
            Effect.flatMap(
              make({
                token: TOKEN,
                baseUrl: origin.url,
                limits: { ...patient, retry: { retries: 0 } },
                bound: Duration.seconds(2),
                ...changed
              }),
              (call) => call(STORE)
            )
          )
        )
      )
      return `${tally(outcomes)} (${(yield* server.requests).length})`
    })

/** Moves the wall clock while calls run. */
const jumping = (millis: number, calls: Effect.Effect<ReadonlyArray<string>>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(calls)
    yield* Effect.sleep("100 millis")
    const now = Date.now
    return yield* Effect.acquireUseRelease(
      Effect.sync(() => {
        Date.now = () => now() + millis
      }),
      () => Fiber.join(fiber),
      () =>
        Effect.sync(() => {
          Date.now = now
        })
    )
  })

const POOL = 16

const isBeyond = (path: string): boolean => !/^\/v2\/key-value-stores\/[^/?#]+$/.test(path)

export const scenariosOf = (operation: Operation): ReadonlyArray<Scenario> => {
  const ok = okOf(operation)
  return [
    {
      row: 8,
      name: "30 calls, each on a connection that is closed while idle",
      plan: closingReused(operation).name,
      outcome: /^30 × success \(\d+\)$/,
      play: calling({}, planned(Fault.forever(closingReused(operation)), oneByOne(30)))
    },
    {
      row: 8,
      name: "the new connection is closed as well",
      plan: "ok, then close always",
      outcome: /^success, TransportError reset \(\d\)$/,
      play: calling({}, planned(Fault.sequence(ok, Fault.forever(closed)), oneByOne(2)))
    },
    {
      row: 15,
      name: "bytes after the response, then another call",
      plan: `${beyond(operation).name}, then ok`,
      outcome: /^2 × success \(2\)$/,
      play: calling({}, planned(Fault.sequence(beyond(operation), Fault.forever(ok)), oneByOne(2)))
    },
    {
      row: 20,
      name: "the wait before a retry is an hour, the call's time 30 s",
      plan: "503 always",
      outcome: /^ServerError \(1\)$/,
      play: calling({ limits: patientWait }, planned(Fault.forever(refusal(503)), oneByOne(1)))
    },
    {
      row: 53,
      name: `1,000 large error responses, ${POOL} at once`,
      plan: "404 with 1 MiB always",
      outcome: /^1000 × UnexpectedResponseError, never over 16 connections \(1000\)$/,
      play: calling(
        { limits: { ...patient, retry: { retries: 0 } } },
        planned(
          Fault.forever(Fault.status(404, [["Content-Type", "text/plain"]], new Uint8Array(1024 * 1024).fill(0x20))),
          (called) =>
            Effect.gen(function* () {
              let most = 0
              const watching = yield* Effect.fork(
                Effect.repeat(
                  Effect.map(called.origin.sockets, ({ open }) => {
                    most = Math.max(most, open)
                  }),
                  Schedule.spaced("2 millis")
                )
              )
              const outcomes = yield* many(1000, { concurrency: POOL })(called)
              yield* Fiber.interrupt(watching)
              return [...outcomes, most <= POOL ? `never over ${POOL} connections` : `${most} connections`]
            })
        )
      )
    },
    {
      row: 54,
      name: `${hostileRefs.length} references that are none`,
      plan: "500 always",
      outcome: /^\d+ × InvalidStoreRefError \(0\)$/,
      play: calling({ limits: { ...patient, retry: { retries: 0 } }, bound: Duration.seconds(2) }, ({ call, server }) =>
        Effect.gen(function* () {
          yield* server.plan("", Fault.forever(refusal(404)))
          const outcomes = yield* Effect.forEach(hostileRefs, call)
          const misdirected = (yield* server.requests).filter(({ path }) => isBeyond(path)).length
          return misdirected === 0 ? outcomes : [...outcomes, `${misdirected} beyond /v2/key-value-stores/:id`]
        })
      )
    },
    {
      row: 55,
      name: `${legalRefs.length} references, every legal character in them`,
      plan: "ok",
      outcome: /^6 × success, each in the path as it is written \(6\)$/,
      play: calling({}, ({ call, server }) =>
        Effect.gen(function* () {
          yield* Effect.forEach(legalRefs, (ref) => server.plan(ref, Fault.times(1, ok)))
          const outcomes = yield* Effect.forEach(legalRefs, call)
          const paths = (yield* server.requests).map(({ path }) => path)
          const isWritten = legalRefs.every((ref) => paths.includes(`/v2/key-value-stores/${ref}`))
          return [...outcomes, isWritten ? "each in the path as it is written" : "not as they are written"]
        })
      )
    },
    {
      row: 56,
      name: `${tokens.length} tokens that are none`,
      plan: "ok always",
      outcome: /^\d+ × ConfigError \(0\)$/,
      play: eachSetting(ok, () => tokens.map((token) => ({ token })))
    },
    {
      row: 57,
      name: `${baseUrls.length} base URLs that would send the token elsewhere, and four of this machine`,
      plan: "ok always",
      outcome: /^\d+ × ConfigError \(0\)$/,
      play: eachSetting(ok, ({ url }) => {
        const port = new URL(url).port
        const spelled = ["localhost.", "127.1", "0x7f.1", "2130706433"].map((host) => `http://${host}:${port}`)
        return [...baseUrls, ...spelled].map((baseUrl) => ({ baseUrl }))
      })
    },
    {
      row: 58,
      name: "the wall clock jumps an hour ahead, and an hour back, during a wait of 300 ms",
      plan: "503, then ok, twice",
      outcome: /^2 × success \(4\)$/,
      play: calling(
        { limits: { ...patient, retry: { retries: 1, baseDelay: "300 millis" } } },
        planned(Fault.sequence(refusal(503), ok, refusal(503), ok), (called) =>
          Effect.map(
            Effect.forEach([3_600_000, -3_600_000], (millis) => jumping(millis, oneByOne(1)(called))),
            (outcomes) => outcomes.flat()
          )
        )
      )
    },
    {
      row: 60,
      name: "an outage: 1,000 calls, 20 at once",
      plan: "503 always",
      outcome: /^1000 × ServerError \(10\d\d\)$/,
      play: calling({}, planned(Fault.forever(refusal(503)), many(1000, { concurrency: 20 })))
    },
    {
      row: 60,
      name: "500 calls at once, with 30 s for an attempt, against 60 a second",
      plan: "60 a second, beyond that 429",
      outcome: /^500 × success \(\d{3}\)$/,
      play: calling(
        { limits: { attemptTimeout: "30 seconds" }, bound: Duration.seconds(60) },
        planned(
          Fault.forever(Fault.rateLimited(60, [["X-RateLimit-Limit", "60"]], ok)),
          many(500, { concurrency: "unbounded" })
        )
      )
    }
  ]
}

/** The rows that no other client can be put to, and why; the tests that hold ours to them. */
export const incomparable: ReadonlyArray<{
  readonly row: number
  readonly name: string
  readonly ours: string
  readonly reason: string
}> = [
  {
    row: 51,
    name: "interrupted: before it starts, in the queue, while connecting, in the headers, in the body, in the wait",
    ours: "ends at once, nothing left but a connection that was being opened: `behaviour.test.ts`",
    reason: "not comparable: takes no signal, and cannot be interrupted"
  },
  {
    row: 52,
    name: "10,000 calls interrupted, and 10,000 failed",
    ours: "sockets and heap flat: `endurance.test.ts`",
    reason: "not comparable: takes no signal, and cannot be interrupted"
  }
]
