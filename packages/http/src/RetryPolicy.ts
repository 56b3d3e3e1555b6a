/**
 * Whether to try again, and when.
 *
 * @since 0.1.0
 */
import type { CallError } from "@effect-apify/domain/CallError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"

/**
 * How often to try again, and how long to wait before: a time picked uniformly from [D, 2D], where D is `baseDelay`
 * doubled with each failure, and never more than `maxDelay`. What the server asks for in `Retry-After` is a floor under
 * the wait. Errors that another attempt cannot help are not retried, whatever the policy.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetryPolicy {
  /** Attempts after the first one. */
  readonly retries: number
  readonly baseDelay: Duration.DurationInput
  readonly maxDelay: Duration.DurationInput
  /** Whether to retry an error that could be. Every one, unless told. */
  readonly while: (error: CallError) => boolean
}

/**
 * 8 retries, after 0.5 to 1 s, 1 to 2 s, 2 to 4 s … 20 s.
 *
 * Source: Apify's documentation advises a random wait in [D, 2D] from D = 500 ms on, doubling; its client retries 8 times.
 *
 * @since 0.1.0
 * @category policies
 */
export const defaultPolicy: RetryPolicy = {
  retries: 8,
  baseDelay: Duration.millis(500),
  maxDelay: Duration.seconds(20),
  while: () => true
}

/**
 * Never tries again.
 *
 * @example
 * ```ts
 * import { getStore, RetryPolicy } from "@effect-apify/http"
 *
 * const once = getStore("janedoe~my-store", { retry: RetryPolicy.none })
 * ```
 *
 * @since 0.1.0
 * @category policies
 */
export const none: RetryPolicy = { ...defaultPolicy, retries: 0 }

/**
 * The wait after the `failures`-th failure in a row, counted from 1, before any `Retry-After` is looked at.
 *
 * @since 0.1.0
 * @category delays
 */
export const delay = (policy: RetryPolicy, failures: number): Effect.Effect<Duration.Duration> => {
  const most = Duration.toMillis(policy.maxDelay)
  const shortest = Math.min(Duration.toMillis(policy.baseDelay) * 2 ** (failures - 1), most)
  const longest = Math.min(2 * shortest, most)
  // Whole milliseconds: test clocks cannot stand still within one.
  return Effect.map(Random.nextRange(shortest, longest), (millis) => Duration.millis(Math.round(millis)))
}

/**
 * How long the server asked to wait, where it did.
 *
 * @since 0.1.0
 * @category delays
 */
export const retryAfterOf = (error: CallError): Option.Option<Duration.Duration> =>
  error._tag === "RateLimitedError" || error._tag === "ServerError" ? error.retryAfter : Option.none()
