/**
 * One call: attempts within their time, waits between them, and an end by the deadline.
 */

import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { describeFailure, type GetStoreError, TimeoutError, TransportError } from "@effect-apify/domain"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as FiberId from "effect/FiberId"
import * as FiberRefs from "effect/FiberRefs"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import type { CallLimits } from "../CallOptions.js"
import type { Answer, Asked, Circumstances, Operation } from "../Operation.js"
import { monotonicMillis, startWithin } from "./alarm.js"
import { readAnswer } from "./answer.js"
import type { Budget } from "./budget.js"
import type { Pacing } from "./pacing.js"
import { unexpected } from "./refuse.js"
import { callTimeout, decide, type History, isHealthy, isReused } from "./retry.js"
import type { Settings } from "./settings.js"
import { countAttempt, countCall, countRetry, type Telemetry, withAttemptSpan, withCallSpan } from "./telemetry.js"
import { classify, isUndecodable } from "./transportError.js"

/** What all calls of a client share. */
export interface Client {
  /** Aborts the request when its scope closes. */
  readonly http: HttpClient.HttpClient.With<HttpClientError.HttpClientError, Scope.Scope>
  /** What every request has. */
  readonly headers: Headers.Headers
  readonly settings: Settings
  readonly redact: (text: string) => string
  readonly budget: Budget
  readonly pacing: Pacing
}

/** One call under way. A class, as all that lives as long as a call should be: docs/decisions/0011. */
class Call<A> {
  readonly clock: Clock.Clock
  /** Whole milliseconds by a clock that never jumps. */
  readonly start: number
  /**
   * Ends the exchange that is under way, and waits for its end; set as an exchange begins, and nothing once it is over. The
   * call's own end runs it where the call is interrupted. (A canceler of `Effect.async` would come too late for an
   * interruption between the two.)
   */
  stop: Effect.Effect<void> = Effect.void

  constructor(
    readonly client: Client,
    readonly operation: Operation<A>,
    readonly limits: CallLimits,
    /** What transports are told besides the request. */
    readonly services: Context.Context<never>,
    readonly telemetry: Telemetry,
    /** The caller's. */
    readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  ) {
    this.clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
    this.start = monotonicMillis(this.clock)
  }
}

const elapsedMillis = <A>({ clock, start }: Call<A>): number => monotonicMillis(clock) - start

const remainingIn = <A>(call: Call<A>): Duration.Duration =>
  Duration.millis(Duration.toMillis(call.limits.callTimeout) - elapsedMillis(call))

const urlOf = <A>({ client, operation }: Call<A>): string => client.settings.baseUrl + operation.request.url

const askedIn = <A>(call: Call<A>, attempts: number): Asked => ({
  method: "GET",
  url: urlOf(call),
  ref: call.operation.ref,
  attempts,
  elapsed: Duration.millis(elapsedMillis(call))
})

const circumstancesOf = <A>(call: Call<A>, attempts: number): Circumstances => ({
  asked: askedIn(call, attempts),
  now: call.clock.unsafeCurrentTimeMillis(),
  tokenSource: call.client.settings.tokenSource,
  redact: call.client.redact
})

/** Names are compared without case; ids that differ in case alone share a pace, which does no harm. */
const storeOf = <A>(call: Call<A>): string => call.operation.ref.toLowerCase()

/** Runs an operation to its end: its result, or what its last attempt failed with. */
export const run = <A>(
  client: Client,
  operation: Operation<A>,
  limits: CallLimits,
  services: Context.Context<never>
): Effect.Effect<A, GetStoreError> =>
  withCallSpan(operation.name, operation.ref, (telemetry, fiber) => {
    const call = new Call(client, operation, limits, services, telemetry, fiber)
    return Effect.onExit(attemptsFrom(call, beginning), (exit) => {
      countCall(telemetry, elapsedMillis(call), exit)
      return Exit.isInterrupted(exit) ? call.stop : Effect.void
    })
  })

/**
 * Goes on after a failure. `Effect.catchAll` leaves more behind (docs/decisions/0011), and lets through what a failure and a
 * defect beside it hold, which may be a transport's secrets.
 */
const recover = <A, E, E2, R>(
  effect: Effect.Effect<A, E, R>,
  next: (error: E) => Effect.Effect<A, E2>
): Effect.Effect<A, E2, R> =>
  Effect.matchCauseEffect(effect, {
    onFailure: (cause) => Either.match(Cause.failureOrCause(cause), { onLeft: next, onRight: Effect.failCause }),
    onSuccess: Effect.succeed
  })

const beginning: History = { attempts: 0, retriedOnce: false, retriedReused: false, lastError: Option.none() }

/** An attempt, and after a failure those that may still help. */
const attemptsFrom = <A>(call: Call<A>, history: History): Effect.Effect<A, GetStoreError> =>
  recover(inTurn(call, history), (error) => afterFailure(call, history, error))

/** An attempt, held back where its store has to be paced; or the call's end, where there is no time for that. */
const inTurn = <A>(call: Call<A>, history: History): Effect.Effect<A, GetStoreError> => {
  const { limits } = call
  const { pacing } = call.client
  const store = storeOf(call)
  if (history.attempts === 0 && !pacing.holds(store)) return attempt(call, history)
  return Effect.flatMap(pacing.turn(store, remainingIn(call)), (came) =>
    came ? attempt(call, history) : Effect.fail(callTimeout(askedIn(call, history.attempts), limits, history.lastError))
  )
}

/** Tries again, after a wait, or ends the call. */
const afterFailure = <A>(call: Call<A>, history: History, error: GetStoreError): Effect.Effect<A, GetStoreError> =>
  Effect.gen(function* () {
    const { client, limits, operation, telemetry } = call
    const attempts = history.attempts + 1
    if (isHealthy(error)) client.budget.refund()
    const verdict = yield* decide(error, askedIn(call, attempts), limits, { ...history, attempts }, client.budget)
    if (verdict._tag === "Stop") return yield* Effect.fail(verdict.error)
    countRetry(telemetry, error)
    yield* Effect.logDebug(
      `${operation.name} ${operation.ref}: ${describeFailure(error)}, trying again in ${Duration.format(verdict.wait)}`
    )
    yield* Effect.sleep(verdict.wait)
    return yield* attemptsFrom(call, {
      attempts,
      retriedOnce: history.retriedOnce || error.retryable === "Once",
      retriedReused: history.retriedReused || isReused(error),
      lastError: Option.some(error)
    })
  })

/**
 * One request and what its answer means, within its time and in a span of its own. For the caller it is one asynchronous
 * step, however many the transport takes: they are made by a fiber that can be left behind.
 */
const attempt = <A>(call: Call<A>, history: History): Effect.Effect<A, GetStoreError> =>
  withAttemptSpan(call.telemetry, requestOf(call), history.attempts, (request, span) =>
    Effect.flatMap(Scope.make(), (scope) =>
      Effect.async<A, GetStoreError>((resume) => {
        const { client, clock, limits, telemetry } = call
        const runtime = runtimeOf(call, scope, span)
        const sentAt = monotonicMillis(clock)
        const time = Duration.min(limits.attemptTimeout, remainingIn(call))
        countAttempt(telemetry)
        let isOver = false
        const stop = startWithin(
          exchange(client, request, limits.maxBodyBytes, span),
          runtime,
          clock,
          time,
          (exit) => {
            isOver = true
            call.stop = Effect.void
            if (!isWhole(exit)) Runtime.runFork(runtime)(Scope.close(scope, Exit.void))
            // In the caller's fiber, and once: what an operation throws is the call's defect.
            resume(
              Effect.suspend(() =>
                Option.match(exit, {
                  onNone: () => Effect.fail(attemptTimeout(call, history, time)),
                  onSome: (exit) => outcomeOf(call, history, sentAt, exit)
                })
              )
            )
          },
          leaveSpansToUs
        )
        if (!isOver) call.stop = Effect.zipRight(stop, Scope.close(scope, Exit.void))
      })
    )
  )

const requestOf = <A>(call: Call<A>): HttpClientRequest.HttpClientRequest =>
  call.operation.request.pipe(HttpClientRequest.setUrl(urlOf(call)), HttpClientRequest.setHeaders(call.client.headers))

/** What an exchange runs in: all that the caller's fiber has, and what is told to transports. */
const runtimeOf = <A>(
  { fiber, services }: Call<A>,
  scope: Scope.Scope,
  span: Option.Option<Tracer.Span>
): Runtime.Runtime<Scope.Scope> => {
  const context = Context.mergeAll(fiber.currentContext, services, Context.make(Scope.Scope, scope))
  return Runtime.make({
    context: Option.isNone(span) ? context : Context.add(context, Tracer.ParentSpan, span.value),
    runtimeFlags: Runtime.defaultRuntimeFlags,
    fiberRefs: fiber.getFiberRefs()
  })
}

const always = (): boolean => true

/** No spans of `HttpClient`'s own, which record every header that a server sends, and a server may send a token back. */
const leaveSpansToUs = {
  updateRefs: (refs: FiberRefs.FiberRefs, fiberId: FiberId.Runtime): FiberRefs.FiberRefs =>
    FiberRefs.updateAs(refs, { fiberId, fiberRef: HttpClient.currentTracerDisabledWhen, value: always })
}

/** Sends a request and reads its answer. */
const exchange = (
  client: Client,
  request: HttpClientRequest.HttpClientRequest,
  maxBodyBytes: number,
  span: Option.Option<Tracer.Span>
): Effect.Effect<Answer, HttpClientError.HttpClientError, Scope.Scope> => {
  // A client that the caller has made to fail by status has an answer all the same.
  const answered = recover(client.http.execute(request), (error) =>
    isStatusError(error) ? Effect.succeed(error.response) : Effect.fail(error)
  )
  return Effect.flatMap(answered, (response) => {
    if (Option.isSome(span)) span.value.attribute("http.response.status_code", response.status)
    return readAnswer(response, maxBodyBytes)
  })
}

/** Whether nothing is left of an exchange: what failed, ran out of time, was interrupted or stopped at the cap is aborted. */
const isWhole = (exit: Option.Option<Exit.Exit<Answer, unknown>>): boolean =>
  Option.isSome(exit) && Exit.isSuccess(exit.value) && !exit.value.value.truncated

const isStatusError = (error: HttpClientError.HttpClientError): error is HttpClientError.ResponseError =>
  error._tag === "ResponseError" && error.reason === "StatusCode"

/** What an exchange comes to. */
const outcomeOf = <A>(
  call: Call<A>,
  history: History,
  sentAt: number,
  exit: Exit.Exit<Answer, HttpClientError.HttpClientError>
): Effect.Effect<A, GetStoreError> => {
  const circumstances = circumstancesOf(call, history.attempts + 1)
  if (Exit.isFailure(exit)) {
    return Either.match(Cause.failureOrCause(exit.cause), {
      onLeft: (error) => Effect.fail(unanswered(error, circumstances)),
      onRight: Effect.failCause
    })
  }
  const { budget, pacing } = call.client
  const result = call.operation.interpret(exit.value, circumstances)
  if (Either.isRight(result)) budget.refund()
  else if (result.left._tag === "RateLimitedError") {
    pacing.slowDown(storeOf(call), sentAt, monotonicMillis(call.clock), result.left.limit)
  }
  return result
}

const noAnswer: Answer = { status: 0, headers: Headers.empty, body: new Uint8Array(), truncated: false }

const attemptTimeout = <A>(call: Call<A>, history: History, time: Duration.Duration): TimeoutError => {
  const asked = askedIn(call, history.attempts + 1)
  return Duration.lessThan(time, call.limits.attemptTimeout)
    ? callTimeout(asked, call.limits, history.lastError)
    : new TimeoutError({ ...asked, phase: "attempt", limit: time })
}

/** Describes a request that was not sent, because it would have carried the token elsewhere. */
export const LEADS_ASTRAY = "A redirect leads elsewhere, and the token does not go there"

/** The error of an attempt that brought no answer, or only part of one. */
const unanswered = (error: HttpClientError.HttpClientError, circumstances: Circumstances): GetStoreError => {
  if (error.description === LEADS_ASTRAY) return unexpected(noAnswer, circumstances, LEADS_ASTRAY)
  const { code: thrown, reason, reused } = classify(error)
  // A code is the transport's own word, and should be no secret: should it look like one, it is dropped.
  const code = Option.filter(thrown, (code) => circumstances.redact(code) === code)
  if (error._tag === "RequestError") return new TransportError({ ...circumstances.asked, reason, code, reused })
  // Within a body, whatever is wrong with the connection or its framing has cut the answer off.
  return isUndecodable(error.cause)
    ? unexpected(
        { ...noAnswer, status: error.response.status, headers: error.response.headers },
        circumstances,
        "Its body is not encoded as its headers say"
      )
    : new TransportError({ ...circumstances.asked, reason: "reset", code })
}
