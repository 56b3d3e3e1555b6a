/**
 * Plays a case against the server, and says what came of it.
 */
import { GetStoreError, type Store } from "@effect-apify/domain"
import {
  deafOrigin,
  FaultServer,
  type Origin,
  type Report,
  refusingOrigin,
  type Sockets
} from "@effect-apify/fault-server"
import { getStore } from "@effect-apify/http"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { type Case, type Outcome, patient } from "./cases.js"
import { makeCountedClock } from "./countedClock.js"
import { BUSY_NAME, UNKNOWN_NAME } from "./names.js"
import { keepExit, leaks, nothingShown, TOKEN, watched } from "./secrets.js"
import type { Transport } from "./transports.js"

/** What a call leaves behind. */
export interface Left {
  readonly sockets: Option.Option<Sockets>
  readonly timers: number
}

/** What came of a call. */
export interface Observed {
  readonly exit: Exit.Exit<Store, GetStoreError>
  readonly elapsedMillis: number
  readonly report: Report
  /** Once the call was over, while its client lived on. */
  readonly meanwhile: Left
  /** Once the client was gone as well. */
  readonly sockets: Option.Option<Sockets>
  readonly leaks: ReadonlyArray<string>
}

/** Where a case is asked for: its base URL, and the server's origin where there is one. */
export const placeOf = (
  played: Case
): Effect.Effect<readonly [url: string, origin: Option.Option<Origin>], never, FaultServer | Scope.Scope> =>
  Effect.gen(function* () {
    const server = yield* FaultServer
    const greeting = played.greeting === undefined ? {} : { greeting: played.greeting }
    const listening = (options: Parameters<typeof server.listen>[0]) =>
      Effect.map(server.listen(options), (origin) => [origin.url, Option.some(origin)] as const)
    const without = (url: string) => [url, Option.none<Origin>()] as const
    switch (played.at) {
      case "http":
        return yield* listening({})
      case "https":
        // A greeting stands in for TLS itself.
        return played.greeting === undefined
          ? yield* listening({ certificate: "valid" })
          : yield* Effect.map(
              server.listen(greeting),
              (origin) => [origin.url.replace("http://127.0.0.1", "https://localhost"), Option.some(origin)] as const
            )
      case "self-signed":
        return yield* listening({ certificate: "selfSigned" })
      case "expired":
        return yield* listening({ certificate: "expired" })
      case "other host":
        return yield* listening({ certificate: "otherHost" })
      case "refusing":
        return without(yield* refusingOrigin)
      case "deaf":
        return without(yield* deafOrigin)
      case "unknown name":
        return without(`https://${UNKNOWN_NAME}`)
      case "busy name server":
        return without(`https://${BUSY_NAME}`)
    }
  })

/** Waits until an origin's sockets are as they should be, or gives up and tells how they are. */
export const settled = (origin: Origin, isSettled: (sockets: Sockets) => boolean): Effect.Effect<Sockets> =>
  origin.sockets.pipe(
    Effect.repeat({
      until: isSettled,
      schedule: Schedule.intersect(Schedule.spaced("10 millis"), Schedule.recurs(300))
    }),
    Effect.zipRight(origin.sockets)
  )

/** The name by which the server knows a case's store: of its own for each case and transport. */
export const storeFor = (played: Case, who: string, index: number): string => `~row-${played.row}-${who}-${index}`

export const play = (played: Case, transport: Transport, index: number): Effect.Effect<Observed, never, FaultServer> =>
  Effect.gen(function* () {
    const server = yield* FaultServer
    const [baseUrl, origin] = yield* placeOf(played)
    const store = storeFor(played, transport.name, index)
    yield* server.plan(store, played.plan)
    const clientOf = baseUrl.startsWith("https") ? transport.trusting(server.authority) : transport.client
    const client = clientOf({ token: Redacted.make(TOKEN), baseUrl, ...patient, ...played.options })
    const kept = nothingShown()
    const clock = makeCountedClock()
    const [elapsed, exit, meanwhile] = yield* Effect.gen(function* () {
      const [elapsed, exit] = yield* getStore(store).pipe(
        keepExit(kept),
        Effect.exit,
        Effect.timed,
        Effect.withClock(clock)
      )
      // While the client lives: when it goes, undici's agent takes every connection along, whoever had forgotten it.
      const sockets = yield* Effect.transposeMapOption(origin, (origin) =>
        settled(origin, leavesNothingBusy(played, transport))
      )
      return [elapsed, exit, { sockets, timers: clock.timers() }] as const
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

const encode = Schema.encodeSync(GetStoreError)

/** What an exit came to, as data. */
export const outcomeOf = (exit: Exit.Exit<unknown, GetStoreError>): unknown =>
  Exit.match(exit, {
    onSuccess: () => "store",
    onFailure: (cause) => (cause._tag === "Fail" ? encode(cause.error) : "a defect or an interruption")
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
  return [fields.get("_tag"), detail instanceof RegExp ? detail.source : detail]
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
