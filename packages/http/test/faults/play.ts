/**
 * Plays a case against the server, and reports the outcome.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import {
  deafOrigin,
  FaultServer,
  type Origin,
  type Report,
  refusingOrigin,
  type Sockets
} from "@effect-apify/fault-server"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { type Case, type Outcome, patient } from "./cases.js"
import { makeDrivenTime } from "./drivenTime.js"
import { BUSY_NAME, UNKNOWN_NAME } from "./names.js"
import type { Operation } from "./operations.js"
import { keepExit, leaks, nothingShown, TOKEN, watched } from "./secrets.js"
import type { Transport } from "./transports.js"

/** What a call leaves behind. */
export interface Left {
  readonly sockets: Option.Option<Sockets>
  readonly timers: number
}

/** What was observed of a call. */
export interface Observed {
  readonly exit: Exit.Exit<unknown, unknown>
  /** By the clock of the call. */
  readonly elapsedMillis: number
  readonly report: Report
  /** Once the call was over, while its client lived on. */
  readonly meanwhile: Left
  /** Once the client was gone as well. */
  readonly sockets: Option.Option<Sockets>
  readonly leaks: ReadonlyArray<string>
}

/** Where a case sends its request: its base URL, the server's origin where there is one, and how many attempts only time ends. */
export interface Place {
  readonly url: string
  readonly origin: Option.Option<Origin>
  readonly waits: Effect.Effect<number>
}

const at = (origin: Origin, url = origin.url): Place => ({ url, origin: Option.some(origin), waits: origin.waits })
const beyond = (url: string): Place => ({ url, origin: Option.none(), waits: Effect.succeed(0) })

/** The sockets that this process makes from now on. */
export const socketsMade: Effect.Effect<Effect.Effect<number>, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const counter = {
        made: 0,
        count: () => {
          counter.made += 1
        }
      }
      subscribe("net.client.socket", counter.count)
      return counter
    }),
    ({ count }) => Effect.sync(() => unsubscribe("net.client.socket", count))
  ),
  (counter) => Effect.sync(() => counter.made)
)

export const placeOf = ({ at: where, greeting }: Case): Effect.Effect<Place, never, FaultServer | Scope.Scope> =>
  Effect.gen(function* () {
    const server = yield* FaultServer
    switch (where) {
      case "http":
        return at(yield* server.listen())
      case "https": {
        if (greeting === undefined) return at(yield* server.listen({ certificate: "valid" }))
        // It stands in for TLS itself.
        const origin = yield* server.listen({ greeting })
        return at(origin, origin.url.replace("http://127.0.0.1", "https://localhost"))
      }
      case "self-signed":
        return at(yield* server.listen({ certificate: "selfSigned" }))
      case "expired":
        return at(yield* server.listen({ certificate: "expired" }))
      case "other host":
        return at(yield* server.listen({ certificate: "otherHost" }))
      case "refusing":
        return beyond(refusingOrigin)
      case "deaf": {
        const url = yield* deafOrigin
        return { ...beyond(url), waits: yield* socketsMade }
      }
      case "unknown name":
        return beyond(`https://${UNKNOWN_NAME}`)
      case "busy name server":
        return beyond(`https://${BUSY_NAME}`)
    }
  })

/** Waits until an origin's sockets are as they should be, and returns how they are. */
export const settled = (origin: Origin, isSettled: (sockets: Sockets) => boolean): Effect.Effect<Sockets> =>
  Effect.repeat(origin.sockets, { until: isSettled, schedule: Schedule.spaced("4 millis") }).pipe(
    Effect.zipRight(origin.sockets)
  )

/** The store of a case: of its own for each case and client. */
export const storeFor = (played: Case, who: string, index: number): string =>
  `~row-${played.row}-${index}-${who.replaceAll(" ", "-")}`

export const play = (
  operation: Operation,
  played: Case,
  transport: Transport,
  index: number
): Effect.Effect<Observed, never, FaultServer> =>
  Effect.gen(function* () {
    const server = yield* FaultServer
    const time = makeDrivenTime()
    const { origin, url, waits } = yield* Effect.withClock(placeOf(played), time.clock)
    const store = storeFor(played, transport.name, index)
    yield* server.plan(store, played.plan)
    const client = transport.client(
      { token: Redacted.make(TOKEN), baseUrl: url, ...patient, ...played.options },
      url.startsWith("https") ? { authority: server.authority } : played.at === "deaf" ? {} : undefined
    )
    const kept = nothingShown()
    const [elapsed, exit, meanwhile] = yield* Effect.gen(function* () {
      const [elapsed, exit] = yield* time.drive(
        operation.call(store).pipe(keepExit(kept), Effect.exit, Effect.timed),
        played.runsOutOfTime === true ? waits : undefined,
        operation.isStreamed ? { isToBegin: played.stopsWithin === true } : undefined
      )
      // While the client lives: once its scope ends, undici's agent closes every connection, forgotten ones too.
      const sockets = yield* Effect.transposeMapOption(origin, (origin) =>
        settled(origin, leavesNothingBusy(played, transport))
      )
      return [elapsed, exit, { sockets, timers: time.clock.timers }] as const
    }).pipe(watched(kept), Effect.provide(client), Effect.orDie)
    const sockets = yield* Effect.transposeMapOption(origin, (origin) =>
      settled(origin, leavesNothingOpen(played, transport))
    )
    return {
      exit,
      elapsedMillis: Duration.toMillis(elapsed),
      meanwhile,
      report: yield* server.report(store),
      sockets,
      leaks: yield* leaks(kept)
    }
  }).pipe(Effect.scoped)

/** The outcome of an exit, as data. */
export const outcomeOf = ({ encodeError }: Operation, exit: Exit.Exit<unknown, unknown>): unknown =>
  Exit.match(exit, {
    onSuccess: () => "success",
    onFailure: (cause) => (cause._tag === "Fail" ? encodeError(cause.error) : "a defect or an interruption")
  })

/** Whether what was found has all that was expected: of objects the fields named, of lists every item, of strings a pattern where one is given. */
export const fits = (expected: unknown, found: unknown): boolean => {
  if (expected instanceof RegExp) return typeof found === "string" && expected.test(found)
  if (typeof expected !== "object" || expected === null) return Object.is(expected, found)
  if (typeof found !== "object" || found === null) return false
  // Lists have what is expected and nothing else.
  if (Array.isArray(expected) && Array.isArray(found) && expected.length !== found.length) return false
  const fields = new Map<string, unknown>(Object.entries(found))
  return Object.entries(expected).every(([field, value]) => fits(value, fields.get(field)))
}

/** An outcome in a few words. */
export const nameOf = (outcome: unknown): string => {
  if (typeof outcome !== "object" || outcome === null) return String(outcome)
  const fields = new Map<string, unknown>(Object.entries(outcome))
  const detail = fields.get("reason") ?? fields.get("phase") ?? fields.get("kind")
  return [
    fields.get("_tag"),
    detail instanceof RegExp ? detail.source.replaceAll(/[$()^]/g, "").replaceAll("|", " or ") : detail
  ]
    .filter((part) => part !== undefined)
    .join(" ")
}

/** What a transport must give. */
export const expectedOf = (
  { deviations, outcome, requests }: Case,
  { name }: Transport
): { readonly outcome: Outcome; readonly requests: number } => ({
  outcome: deviations?.[name]?.outcome ?? outcome,
  requests: deviations?.[name]?.requests ?? requests
})

const leavesSockets = ({ deviations }: Case, { name }: Transport): boolean => deviations?.[name]?.leavesSockets === true

/** Whether nothing is under way once a call is over. */
export const leavesNothingBusy =
  (played: Case, transport: Transport) =>
  ({ busy }: Sockets): boolean =>
    busy === 0 || leavesSockets(played, transport)

/** Whether nothing is open once the client is gone, or nothing busy where connections outlive it. */
export const leavesNothingOpen =
  (played: Case, transport: Transport) =>
  ({ busy, open }: Sockets): boolean =>
    (transport.keepsConnections ? busy : open) === 0 || leavesSockets(played, transport)

/** "row 1: connection refused: retried, then TransportError connect" */
export const titleOf = (played: Case, transport: Transport): string => {
  const { outcome, requests } = expectedOf(played, transport)
  const attempts = typeof outcome === "object" && typeof outcome.attempts === "number" ? outcome.attempts : requests
  return `row ${played.row}: ${played.name}: ${attempts > 1 ? "retried, then " : ""}${nameOf(outcome)}`
}
