/**
 * One call: attempts within their time, waits between them, and an end by the deadline.
 */

import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as FileSystem from "@effect/platform/FileSystem"
import type * as Headers from "@effect/platform/Headers"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import { describeFailure, type GetStoreError, TimeoutError, TransportError } from "@effect-apify/domain"
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { CallLimits } from "../CallOptions.js"
import type { Answer, Asked, Circumstances, Operation } from "../Operation.js"
import { monotonicMillis, within } from "./alarm.js"
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
  /** Aborts the request when its scope closes, and leaves tracing to us. */
  readonly http: HttpClient.HttpClient.With<HttpClientError.HttpClientError, Scope.Scope>
  /** What every request has: the token among it. */
  readonly headers: Headers.Headers
  /** What `fetch` is told with every request. */
  readonly fetchInit: RequestInit
  readonly settings: Settings
  readonly redact: (text: string) => string
  readonly budget: Budget
  readonly pacing: Pacing
}

/** One call under way. */
interface Call<A> {
  readonly client: Client
  readonly operation: Operation<A>
  readonly limits: CallLimits
  readonly request: HttpClientRequest.HttpClientRequest
  readonly clock: Clock.Clock
  /** Whole milliseconds by a clock that never jumps. */
  readonly start: number
}

const askedIn = <A>(call: Call<A>, attempts: number): Asked => ({
  method: "GET",
  url: call.request.url,
  ref: call.operation.ref,
  attempts,
  elapsed: Duration.millis(monotonicMillis(call.clock) - call.start)
})

const circumstancesOf = <A>(call: Call<A>, asked: Asked): Circumstances => ({
  asked,
  now: call.clock.unsafeCurrentTimeMillis(),
  tokenSource: call.client.settings.tokenSource,
  redact: call.client.redact
})

const remainingIn = <A>(call: Call<A>): Duration.Duration =>
  Duration.millis(call.start + Duration.toMillis(call.limits.callTimeout) - monotonicMillis(call.clock))

/** Runs an operation to its end: its result, or what its last attempt failed with. */
export const run = <A>(client: Client, operation: Operation<A>, limits: CallLimits): Effect.Effect<A, GetStoreError> =>
  Effect.clockWith((clock) => {
    const request = operation.request.pipe(
      HttpClientRequest.setUrl(client.settings.baseUrl + operation.request.url),
      HttpClientRequest.setHeaders(client.headers)
    )
    const call = { client, operation, limits, request, clock, start: monotonicMillis(clock) }
    return withCallTelemetry(operation.name, operation.ref, clock, runCall(call))
  })

const runCall = <A>(call: Call<A>): Effect.Effect<A, GetStoreError> =>
  Effect.gen(function* () {
    const { client, limits, operation } = call
    let history: History = { attempts: 0, retriedOnce: false, retriedReused: false, lastError: Option.none() }
    while (true) {
      yield* waitForTurn(call, history)
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
      yield* Effect.logDebug(
        `${operation.name} ${operation.ref}: ${describeFailure(error)}, trying again in ${Duration.format(verdict.wait)}`
      )
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
const waitForTurn = <A>(call: Call<A>, history: History): Effect.Effect<void, GetStoreError> =>
  Effect.flatMap(call.client.pacing.turn(storeOf(call), remainingIn(call)), (came) =>
    came ? Effect.void : Effect.fail(callTimeout(askedIn(call, history.attempts), call.limits, history.lastError))
  )

/** Names are compared without case; ids that differ in case alone share a pace, which does no harm. */
const storeOf = <A>(call: Call<A>): string => call.operation.ref.toLowerCase()

/** One request and what its answer means, within its time and in a span of its own. */
const attempt = <A>(call: Call<A>, attempts: number): Effect.Effect<A, GetStoreError> =>
  Effect.suspend(() => {
    const { client, limits, operation } = call
    const sentAt = monotonicMillis(call.clock)
    const time = Duration.min(limits.attemptTimeout, remainingIn(call))
    const interpret = (answer: Option.Option<Answer>): Either.Either<A, GetStoreError> => {
      const asked = askedIn(call, attempts)
      return Option.isSome(answer)
        ? operation.interpret(answer.value, circumstancesOf(call, asked))
        : Either.left(attemptTimeout(call, asked, time))
    }
    return withAttemptSpan(call.request, attempts - 1, (request, onStatus) =>
      within(exchange(client, request, limits.maxBodyBytes, onStatus), call.clock, time).pipe(
        Effect.matchEffect({
          onSuccess: interpret,
          onFailure: (error) => Either.left(unanswered(error, circumstancesOf(call, askedIn(call, attempts))))
        })
      )
    ).pipe(
      Effect.tapErrorTag("RateLimitedError", ({ limit }) =>
        Effect.sync(() => client.pacing.slowDown(storeOf(call), sentAt, monotonicMillis(call.clock), limit))
      )
    )
  })

/**
 * Sends a request and reads its answer. Whatever is left of the exchange when that fails, is interrupted, or stops at the
 * cap is aborted; a body that was read to its end leaves nothing.
 */
const exchange = (
  client: Client,
  request: HttpClientRequest.HttpClientRequest,
  maxBodyBytes: number,
  onStatus: (status: number) => void
): Effect.Effect<Answer, HttpClientError.HttpClientError> =>
  Effect.flatMap(Scope.make(), (scope) =>
    client.http.execute(request).pipe(
      // A client that the caller has made to fail by status has an answer all the same.
      Effect.catchIf(isStatusError, ({ response }) => Effect.succeed(response)),
      Effect.flatMap((response) => {
        onStatus(response.status)
        return readAnswer(response, maxBodyBytes)
      }),
      Effect.onExit((exit) => (isWhole(exit) ? Effect.void : Scope.close(scope, exit))),
      Effect.provide(
        Context.make(Scope.Scope, scope).pipe(
          Context.add(FetchHttpClient.RequestInit, client.fetchInit),
          Context.add(HttpIncomingMessage.MaxBodySize, Option.some(FileSystem.Size(Math.trunc(maxBodyBytes) || 0)))
        )
      )
    )
  )

const isWhole = (exit: Exit.Exit<Answer, unknown>): boolean => Exit.isSuccess(exit) && !exit.value.truncated

const isStatusError = (error: HttpClientError.HttpClientError): error is HttpClientError.ResponseError =>
  error._tag === "ResponseError" && error.reason === "StatusCode"

const attemptTimeout = <A>(call: Call<A>, asked: Asked, time: Duration.Duration): TimeoutError =>
  Duration.lessThan(time, call.limits.attemptTimeout)
    ? callTimeout(asked, call.limits, Option.none())
    : new TimeoutError({ ...asked, phase: "attempt", limit: time })

/** The error of an attempt that brought no answer, or only part of one. */
const unanswered = (error: HttpClientError.HttpClientError, circumstances: Circumstances): GetStoreError => {
  const { code: thrown, reason, reused } = classify(error)
  // A code is the transport's own word, and should be no secret: should it look like one, it is dropped.
  const code = Option.filter(thrown, (code) => circumstances.redact(code) === code)
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
