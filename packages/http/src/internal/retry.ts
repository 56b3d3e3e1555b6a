/**
 * The one place that decides whether and when to try again, and how a failure is met.
 */
import { type GetStoreError, TimeoutError } from "@effect-apify/domain/GetStoreError"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { CallLimits } from "../CallOptions.js"
import type { Asked } from "../Operation.js"
import * as RetryPolicy from "../RetryPolicy.js"

/** What a call has gone through. */
export interface History {
  /** Requests sent. */
  readonly attempts: number
  /** Whether an error that is retried once was. */
  readonly retriedOnce: boolean
  /** Whether a connection that the server had closed was retried. */
  readonly retriedReused: boolean
  /** What the last attempt failed with. */
  readonly lastError: Option.Option<GetStoreError>
}

export type Verdict =
  | { readonly _tag: "Retry"; readonly wait: Duration.Duration }
  | { readonly _tag: "Stop"; readonly error: GetStoreError }

const stop = (error: GetStoreError): Verdict => ({ _tag: "Stop", error })

const isWorthRetrying = (error: GetStoreError, { retry }: CallLimits, { attempts, retriedOnce }: History): boolean => {
  if (error.retryable === "Never" || (error.retryable === "Once" && retriedOnce)) return false
  return attempts <= retry.retries && retry.while(error)
}

/** Whether the server works all the same: it answered, and not that it is broken or busy. */
export const isHealthy = (error: GetStoreError): boolean =>
  "status" in error && error.status < 500 && error.status !== 408 && error.status !== 429

/** Whether the connection failed that had carried an earlier answer. */
export const isReused = (error: GetStoreError): boolean => error._tag === "TransportError" && error.reused

/**
 * Decides what follows an error.
 *
 * - What cannot help, or was tried often enough, ends the call with that error.
 * - A wait that the server asks for and that the call has no time for ends it with that error now.
 * - Any other wait that would pass the deadline ends it with a `TimeoutError`, now rather than then.
 * - A connection that the server closed while it lay idle says nothing about the server: once in a call, the request goes
 *   out again at once and free of charge.
 * - A retry is charged to the budget, but for a 429, which pacing answers to.
 */
export const decide = (
  error: GetStoreError,
  asked: Asked,
  limits: CallLimits,
  history: History,
  budget: Budget
): Effect.Effect<Verdict> =>
  isWorthRetrying(error, limits, history)
    ? Effect.map(RetryPolicy.delay(limits.retry, history.attempts), (backoff) => {
        if (isReused(error) && !history.retriedReused) return { _tag: "Retry", wait: Duration.zero }
        const remaining = Duration.subtract(limits.callTimeout, asked.elapsed)
        const floor = Option.getOrElse(RetryPolicy.retryAfterOf(error), () => Duration.zero)
        if (Duration.greaterThanOrEqualTo(floor, remaining)) return stop(error)
        const wait = Duration.max(backoff, floor)
        if (Duration.greaterThanOrEqualTo(wait, remaining)) return stop(callTimeout(asked, limits, Option.some(error)))
        if (error._tag !== "RateLimitedError" && !budget.take()) return stop(error)
        return { _tag: "Retry", wait }
      })
    : Effect.succeed(stop(error))

/** The whole call's time ran out. */
export const callTimeout = (
  asked: Asked,
  { callTimeout }: CallLimits,
  lastError: Option.Option<GetStoreError>
): TimeoutError =>
  new TimeoutError({
    ...asked,
    phase: "call",
    limit: callTimeout,
    lastFailure: Option.map(lastError, ({ message }) => message)
  })

/**
 * Goes on after a failure. `Effect.catchAll` leaves more behind (docs/decisions/0011), and lets through what a failure and a
 * defect beside it hold, which may be a transport's secrets.
 */
export const recover = <A, E, E2, R>(
  effect: Effect.Effect<A, E, R>,
  next: (error: E) => Effect.Effect<A, E2>
): Effect.Effect<A, E2, R> =>
  Effect.matchCauseEffect(effect, {
    onFailure: (cause) => Either.match(Cause.failureOrCause(cause), { onLeft: next, onRight: Effect.failCause }),
    onSuccess: Effect.succeed
  })

// All calls of a client share a budget of retries, so that clients do not keep a broken server down. A retry takes a token, an
// answer of a server that works brings part of one back: a store, or a refusal such as a 404. While there is none nothing comes
// back: a total outage costs the server `CAPACITY` requests more than there are calls, which is 1 % once a thousand calls were
// made. While most calls are answered the bucket stays full, and every retry is granted.

/** Enough for one lone call to try all of its default retries. */
export const CAPACITY = 10

/** Answers that bring a retry back: up to a tenth of the calls may fail for good before retries run short. */
export const ANSWERS_PER_RETRY = 10

export interface Budget {
  /** Takes a token for a retry, where there is one. */
  readonly take: () => boolean
  /** The server works: it answered. */
  readonly refund: () => void
}

/** A full budget. */
export const makeBudget = (): Budget => {
  // Counted in the parts that an answer brings back, so that ten of them make a whole.
  let parts = CAPACITY * ANSWERS_PER_RETRY
  return {
    take: () => {
      if (parts < ANSWERS_PER_RETRY) return false
      parts -= ANSWERS_PER_RETRY
      return true
    },
    refund: () => {
      parts = Math.min(CAPACITY * ANSWERS_PER_RETRY, parts + 1)
    }
  }
}
