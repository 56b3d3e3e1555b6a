/**
 * A server that does as planned, and one call to it in simulated time.
 */
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { type ApifyClient, type CallOptions, type GetStoreError, getStore, type Store } from "../src/index.js"
import { layerRespond, type Respond } from "../src/testing.js"
import { minimalBody } from "./arbitraries.js"
import { inSimulatedTime } from "./simulatedTime.js"

interface Planned {
  readonly _tag: "Respond"
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: string
  /** In milliseconds. */
  readonly after: number
}

/** What the server does with one request. */
export type Step =
  | Planned
  | { readonly _tag: "Fail"; readonly code: string; readonly message: string; readonly bytesWritten?: number }
  | { readonly _tag: "NeverRespond" }
  | { readonly _tag: "StallBody" }
  | { readonly _tag: "DripBody" }

/** Steps in order; the last one is for every request that is left. */
export type Plan = readonly [Step, ...ReadonlyArray<Step>]

export const responding = (
  status: number,
  headers: { readonly [name: string]: string } = {},
  body = '{"error":{"type":"planned","message":"As planned"}}'
): Planned => ({ _tag: "Respond", status, headers: { "content-type": "application/json", ...headers }, body, after: 0 })

export const fail = (code: string, message = "It broke"): Step => ({ _tag: "Fail", code, message })

/** A connection that had served an earlier request, and that the server closed while it was idle. */
export const closedWhileIdle: Step = {
  _tag: "Fail",
  code: "UND_ERR_SOCKET",
  message: "other side closed",
  bytesWritten: 1_000_000
}

export const neverResponds: Step = { _tag: "NeverRespond" }

export const theStore = responding(200, {}, minimalBody)

/** An error as transports make them. */
const transportFailure = (
  request: HttpClientRequest.HttpClientRequest,
  { bytesWritten, code, message }: Extract<Step, { readonly _tag: "Fail" }>
) =>
  new HttpClientError.RequestError({
    request,
    reason: "Transport",
    cause: new TypeError("fetch failed", {
      cause: Object.assign(new Error(message), { code, socket: { bytesWritten } })
    })
  })

const begun = new TextEncoder().encode('{"data":')

/** Carries out one step. */
export const perform = (step: Step, request: HttpClientRequest.HttpClientRequest): ReturnType<Respond> => {
  const json = { headers: { "content-type": "application/json" } }
  switch (step._tag) {
    case "Respond":
      return Effect.delay(
        Effect.sync(() => new Response(step.body, { status: step.status, headers: step.headers })),
        step.after
      )
    case "Fail":
      return Effect.fail(transportFailure(request, step))
    case "NeverRespond":
      return Effect.never
    case "StallBody":
      return bodyOf(Stream.concat(Stream.make(begun), Stream.never), json)
    case "DripBody":
      return bodyOf(Stream.schedule(Stream.forever(Stream.make(begun)), Schedule.spaced("1 second")), json)
  }
}

const bodyOf = (body: Stream.Stream<Uint8Array>, init: ResponseInit): Effect.Effect<Response> =>
  Effect.map(Stream.toReadableStreamEffect(body), (body) => new Response(body, init))

/** How a call went. Times are milliseconds since it began. */
export interface Outcome {
  readonly result: Either.Either<Store, GetStoreError>
  readonly sentAt: ReadonlyArray<number>
  /** From each request to the next. */
  readonly gaps: ReadonlyArray<number>
  readonly endedAt: number
  readonly timersLeft: number
}

/** One call of a new client, with the chance that `seed` makes. */
export const callOf = (
  plan: Plan,
  options: ApifyClient.Options = {},
  { callOptions, seed = 0, start = 0 }: { callOptions?: CallOptions; seed?: number; start?: number } = {}
): Effect.Effect<Outcome> =>
  Effect.gen(function* () {
    const times = yield* Ref.make<ReadonlyArray<number>>([])
    const respond: Respond = (request) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const earlier = yield* Ref.getAndUpdate(times, (times) => [...times, now - start])
        return yield* perform(plan[Math.min(earlier.length, plan.length - 1)] ?? plan[0], request)
      })
    const call = Effect.gen(function* () {
      const result = yield* Effect.either(getStore("janedoe~my-store", callOptions))
      return { result, endedAt: (yield* Clock.currentTimeMillis) - start }
    }).pipe(Effect.provide(layerRespond(respond, options)), Effect.orDie, Effect.withRandom(Random.make(seed)))
    const { timersLeft, value } = yield* inSimulatedTime(call, start)
    const sentAt = yield* Ref.get(times)
    return { ...value, timersLeft, sentAt, gaps: sentAt.slice(1).map((at, index) => at - (sentAt[index] ?? 0)) }
  })
