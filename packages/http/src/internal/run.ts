/**
 * One call: attempts within their time, waits between them, and an end by the deadline.
 */

import type * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { type GetStoreError, TimeoutError, TransportError } from "@effect-apify/domain"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { CallLimits } from "../CallOptions.js"
import type { Asked, Circumstances, Operation } from "../Operation.js"
import { readAnswer } from "./answer.js"
import type { Budget } from "./budget.js"
import type { Pacing } from "./pacing.js"
import { unexpected } from "./refuse.js"
import { callTimeout, decide, type History, isReused } from "./retry.js"
import type { Settings } from "./settings.js"
import { countAttempt, countRetry, withAttemptSpan, withCallTelemetry } from "./telemetry.js"
import { classify, isUndecodable } from "./transportError.js"

/** What all calls of a client share. */
export interface Client {
  /** Ends the request with its scope, follows no redirects, and leaves tracing to us. */
  readonly http: HttpClient.HttpClient.With<HttpClientError.HttpClientError, Scope.Scope>
  readonly settings: Settings
  readonly redact: (text: string) => string
  readonly budget: Budget
  readonly pacing: Pacing
}

/** One call under way. Its times are whole milliseconds by a clock that never jumps. */
interface Call<A> {
  readonly client: Client
  readonly operation: Operation<A>
  readonly limits: CallLimits
  readonly url: URL
  readonly clock: Clock.Clock
  readonly start: number
}

const monotonic = (clock: Clock.Clock): number => Number(clock.unsafeCurrentTimeNanos() / 1_000_000n)

const askedIn = <A>(call: Call<A>, attempts: number): Asked => ({
  method: "GET",
  url: call.url.href,
  ref: call.operation.ref,
  attempts,
  elapsed: Duration.millis(monotonic(call.clock) - call.start)
})

const circumstancesOf = <A>(call: Call<A>, asked: Asked): Circumstances => ({
  asked,
  now: call.clock.unsafeCurrentTimeMillis(),
  tokenSource: call.client.settings.tokenSource,
  redact: call.client.redact
})

const remainingIn = <A>(call: Call<A>): Duration.Duration =>
  Duration.millis(call.start + Duration.toMillis(call.limits.callTimeout) - monotonic(call.clock))

/** Runs an operation to its end: its result, or what its last attempt failed with. */
export const run = <A>(client: Client, operation: Operation<A>, limits: CallLimits): Effect.Effect<A, GetStoreError> =>
  Effect.clockWith((clock) => {
    const url = new URL(client.settings.baseUrl + operation.request.url)
    return runCall({ client, operation, limits, url, clock, start: monotonic(clock) })
  }).pipe(withCallTelemetry(operation.name, operation.ref))

const runCall = <A>(call: Call<A>): Effect.Effect<A, GetStoreError> =>
  Effect.gen(function* () {
    const { client, limits, operation } = call
    let history: History = { attempts: 0, retriedOnce: false, retriedReused: false, lastError: Option.none() }
    while (true) {
      yield* waitForSlot(call, history)
      const attempts = history.attempts + 1
      yield* countAttempt(operation.name)
      const result = yield* Effect.either(attempt(call, attempts))
      if (Either.isRight(result)) {
        client.budget.refund()
        return result.right
      }
      const error = result.left
      const verdict = yield* decide(error, askedIn(call, attempts), limits, { ...history, attempts }, client.budget)
      if (verdict._tag === "Stop") return yield* Effect.fail(verdict.error)
      yield* countRetry(operation.name, error)
      yield* Effect.logDebug(`${error.message} Trying again in ${Duration.format(verdict.wait)}.`)
      yield* Effect.sleep(verdict.wait)
      history = {
        attempts,
        retriedOnce: history.retriedOnce || error.retryable === "Once",
        retriedReused: history.retriedReused || isReused(error),
        lastError: Option.some(error)
      }
    }
  })

/** Holds the call back where its store has to be paced, or ends it where there is no time for that. */
const waitForSlot = <A>(call: Call<A>, history: History): Effect.Effect<void, GetStoreError> =>
  Effect.suspend(() => {
    const wait = Duration.millis(call.client.pacing.reserve(storeOf(call), monotonic(call.clock)))
    if (Duration.lessThan(wait, remainingIn(call))) return Duration.isZero(wait) ? Effect.void : Effect.sleep(wait)
    return Effect.fail(callTimeout(askedIn(call, history.attempts), call.limits, history.lastError))
  })

/** Names are compared without case; ids that differ in case alone share a pace, which does no harm. */
const storeOf = <A>(call: Call<A>): string => call.operation.ref.toLowerCase()

/** One request and its answer, within its time and in a span of its own. */
const attempt = <A>(call: Call<A>, attempts: number): Effect.Effect<A, GetStoreError> =>
  Effect.suspend(() => {
    const { client, limits, operation, url } = call
    const sentAt = monotonic(call.clock)
    const time = Duration.min(limits.attemptTimeout, remainingIn(call))
    const request = HttpClientRequest.setUrl(operation.request, url)
    return withAttemptSpan(request, url, attempts - 1, (request, span) =>
      client.http.execute(request).pipe(
        Effect.catchIf(isRefusedByTransport, ({ response }) => Effect.succeed(response)),
        Effect.tap((response) => span.attribute("http.response.status_code", response.status)),
        Effect.flatMap((response) => readAnswer(response, limits.maxBodyBytes)),
        Effect.either,
        Effect.scoped,
        Effect.timeoutOption(time),
        Effect.flatMap(
          Option.match({
            onNone: () => Either.left(attemptTimeout(call, askedIn(call, attempts), time)),
            onSome: (received) => {
              const circumstances = circumstancesOf(call, askedIn(call, attempts))
              return Either.isRight(received)
                ? operation.interpret(received.right, circumstances)
                : Either.left(unanswered(received.left, circumstances))
            }
          })
        )
      )
    ).pipe(
      Effect.tapErrorTag("RateLimitedError", ({ limit }) =>
        Effect.sync(() => client.pacing.slowDown(storeOf(call), sentAt, monotonic(call.clock), limit))
      )
    )
  })

/** A client that the caller has made to fail by status has an answer all the same. */
const isRefusedByTransport = (
  error: HttpClientError.HttpClientError
): error is HttpClientError.ResponseError & { readonly response: HttpClientResponse.HttpClientResponse } =>
  error._tag === "ResponseError" && error.reason === "StatusCode"

const attemptTimeout = <A>(call: Call<A>, asked: Asked, time: Duration.Duration): TimeoutError =>
  Duration.lessThan(time, call.limits.attemptTimeout)
    ? callTimeout(asked, call.limits, Option.none())
    : new TimeoutError({ ...asked, phase: "attempt", limit: time })

/** The error of an attempt that brought no answer, or only part of one. */
const unanswered = (error: HttpClientError.HttpClientError, circumstances: Circumstances): GetStoreError => {
  const { code, reason, reused } = classify(error.cause)
  if (error._tag === "RequestError") return new TransportError({ ...circumstances.asked, reason, code, reused })
  // Within a body, whatever is wrong with the connection or its framing has cut the answer off.
  return isUndecodable(error.cause)
    ? unexpected(
        { status: error.response.status, headers: error.response.headers, body: new Uint8Array(), truncated: false },
        circumstances,
        "Its body is not encoded as its headers say"
      )
    : new TransportError({ ...circumstances.asked, reason: "reset", code })
}
