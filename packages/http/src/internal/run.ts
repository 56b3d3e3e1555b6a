/**
 * One call: attempts within their time, waits between them, and an end by the deadline.
 */

import * as Headers from "@effect/platform/Headers"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { describeFailure, type GetStoreError, TimeoutError, TransportError } from "@effect-apify/domain/GetStoreError"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import type { CallLimits } from "../CallOptions.js"
import type { Answer, Asked, Circumstances, Operation } from "../Operation.js"
import { monotonicMillis, setAlarm } from "./alarm.js"
import type { Pacing } from "./pacing.js"
import { unexpected } from "./refuse.js"
import { type Budget, callTimeout, decide, type History, isHealthy, isReused, recover } from "./retry.js"
import type { Settings } from "./settings.js"
import { countAttempt, countCall, countRetry, type Telemetry, withAttemptSpan, withCallSpan } from "./telemetry.js"
import { type Exchange, LEADS_ASTRAY, type Sending, type Transport, type Unanswered } from "./transport.js"
import { classify, isUndecodable } from "./transportError.js"

/** What all calls of a client share. */
export interface Client {
  readonly transport: Transport
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
   * Ends the attempt that is under way, and waits for its end; nothing once it is over. The call's own end runs it where the
   * call is interrupted. (A canceler of `Effect.async` would come too late for an interruption between the two.)
   */
  stop: Effect.Effect<void> = Effect.void

  constructor(
    readonly client: Client,
    readonly operation: Operation<A>,
    readonly limits: CallLimits,
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
export const run = <A>(client: Client, operation: Operation<A>, limits: CallLimits): Effect.Effect<A, GetStoreError> =>
  withCallSpan(operation.name, operation.ref, (telemetry, fiber) => {
    const call = new Call(client, operation, limits, telemetry, fiber)
    return Effect.onExit(attemptsFrom(call, beginning), (exit) => {
      countCall(telemetry, elapsedMillis(call), exit)
      return Exit.isInterrupted(exit) ? call.stop : Effect.void
    })
  })

const beginning: History = { attempts: 0, retriedOnce: false, retriedReused: false, lastError: Option.none() }

/** An attempt, and after a failure those that may still help. */
const attemptsFrom = <A>(call: Call<A>, history: History): Effect.Effect<A, GetStoreError> =>
  recover(call.operation.isSpaced === true ? spaced(call, history) : inTurn(call, history), (error) =>
    afterFailure(call, history, error)
  )

/** An attempt at the next time that the documented rate leaves for its store; or the call's end, where there is no time for that. */
const spaced = <A>(call: Call<A>, history: History): Effect.Effect<A, GetStoreError> =>
  Effect.suspend(() => {
    const wait = call.client.pacing.slot(storeOf(call), monotonicMillis(call.clock))
    if (wait === 0) return inTurn(call, history)
    return wait < Duration.toMillis(remainingIn(call))
      ? Effect.delay(
          Effect.suspend(() => inTurn(call, history)),
          wait
        )
      : Effect.fail(callTimeout(askedIn(call, history.attempts), call.limits, history.lastError))
  })

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
 * step, however many the transport takes.
 */
const attempt = <A>(call: Call<A>, history: History): Effect.Effect<A, GetStoreError> => {
  const { prepare, propagates } = call.client.transport
  return withAttemptSpan(call.telemetry, requestOf(call), history.attempts, propagates, (request, span) =>
    Effect.flatMap(prepare, (send) =>
      Effect.async((resume) => new Attempt(call, history, request, span, resume).begin(send))
    )
  )
}

const requestOf = <A>(call: Call<A>): HttpClientRequest.HttpClientRequest =>
  call.operation.request.pipe(HttpClientRequest.setUrl(urlOf(call)), HttpClientRequest.setHeaders(call.client.headers))

/**
 * An attempt under way. It ends with whichever comes first: its exchange, which tells of it (`onEnd`); its time, which rings and
 * abandons the exchange; or the call's interruption, which stops it (`call.stop`). What comes later finds it over.
 */
class Attempt<A> implements Sending {
  private readonly sentAt: number
  private readonly time: Duration.Duration
  private isOver = false
  /** Of the answer, once it has begun. */
  private status: number | undefined
  private takeBackAlarm = (): void => {}

  constructor(
    private readonly call: Call<A>,
    private readonly history: History,
    readonly request: HttpClientRequest.HttpClientRequest,
    readonly span: Option.Option<Tracer.Span>,
    private readonly resume: (outcome: Effect.Effect<A, GetStoreError>) => void
  ) {
    this.sentAt = monotonicMillis(call.clock)
    this.time = Duration.min(call.limits.attemptTimeout, remainingIn(call))
  }

  get fiber(): Fiber.RuntimeFiber<unknown, unknown> {
    return this.call.fiber
  }

  get maxBodyBytes(): number {
    return this.call.limits.maxBodyBytes
  }

  begin(send: (sending: Sending) => Exchange): void {
    const { call, history, time } = this
    countAttempt(call.telemetry)
    const exchange = send(this)
    // A transport, and then a clock, may be done with that at once.
    if (this.isOver) return
    this.takeBackAlarm = setAlarm(call.clock, time, () => {
      this.end(() => Effect.fail(attemptTimeout(call, history, time)))
      exchange.abandon()
    })
    if (this.isOver) return
    call.stop = Effect.suspend(() => {
      this.isOver = true
      this.takeBackAlarm()
      return exchange.stop
    })
  }

  onStatus(status: number): void {
    this.status = status
  }

  onEnd(exit: Exit.Exit<Answer, Unanswered>): void {
    this.end(() => outcomeOf(this.call, this.history, this.sentAt, exit))
  }

  private end(outcome: () => Effect.Effect<A, GetStoreError>): void {
    if (this.isOver) return
    this.isOver = true
    this.takeBackAlarm()
    this.call.stop = Effect.void
    // In the caller's fiber, and once: what an operation or a tracer throws is the call's defect.
    this.resume(
      Effect.suspend(() => {
        const { span, status } = this
        if (status !== undefined && Option.isSome(span)) span.value.attribute("http.response.status_code", status)
        return outcome()
      })
    )
  }
}

/** What an exchange comes to. */
const outcomeOf = <A>(
  call: Call<A>,
  history: History,
  sentAt: number,
  exit: Exit.Exit<Answer, Unanswered>
): Effect.Effect<A, GetStoreError> => {
  const circumstances = circumstancesOf(call, history.attempts + 1)
  if (Exit.isFailure(exit)) {
    return Either.match(Cause.failureOrCause(exit.cause), {
      onLeft: (unanswered) => Effect.fail(errorOf(unanswered, circumstances)),
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

/** The error of an attempt that brought no answer, or only part of one. */
const errorOf = (unanswered: Unanswered, circumstances: Circumstances): GetStoreError => {
  const { begun, cause } = unanswered
  if (cause === LEADS_ASTRAY) return unexpected(noAnswer, circumstances, LEADS_ASTRAY)
  const { code: thrown, reason, reused } = classify(unanswered)
  // A code is the transport's own word, and should be no secret: should it look like one, it is dropped.
  const code = Option.filter(thrown, (code) => circumstances.redact(code) === code)
  if (begun === undefined) return new TransportError({ ...circumstances.asked, reason, code, reused })
  // Within a body, whatever is wrong with the connection or its framing has cut the answer off.
  return isUndecodable(cause)
    ? unexpected({ ...noAnswer, ...begun }, circumstances, "Its body is not encoded as its headers say")
    : new TransportError({ ...circumstances.asked, reason: "reset", code })
}
