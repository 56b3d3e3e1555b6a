/**
 * Whether to retry, and when.
 *
 * @since 0.1.0
 */
import type { CallError } from "@effect-apify/domain/CallError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"

/**
 * The longest time limit, and the longest wait, that a client takes. JavaScript's timers count milliseconds in 31 bits. Effect's
 * clock never ends a longer sleep, so that a longer time limit would be none, and a longer wait would be endless.
 *
 * @internal
 */
export const LONGEST_TIME: Duration.Duration = Duration.days(24)

/**
 * How often to retry, and how long to wait before each retry: a time picked uniformly from [D, 2D], where D is `baseDelay`
 * doubled with each failure, and never more than `maxDelay`. If the server sends `Retry-After`, the client waits at least as
 * long. Errors that a retry cannot fix are not retried, whatever the policy.
 *
 * An invalid policy is a `ConfigError` of the client's layer. For one call it is a defect that names the option.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetryPolicy {
  /** Attempts after the first one: a whole number from 0 up. Default: 8. */
  readonly retries: number
  /** D of the first retry: from 0 to 24 days, never infinite. Default: 500 milliseconds. */
  readonly baseDelay: Duration.DurationInput
  /**
   * The longest wait: from 0 to 24 days, never infinite. If it is less than `baseDelay`, every wait is `maxDelay`. Default: 20
   * seconds.
   */
  readonly maxDelay: Duration.DurationInput
  /** Which of the retryable errors to retry. Default: all. */
  readonly while: (error: CallError) => boolean
}

/**
 * 8 retries, after 0.5 to 1 s, 1 to 2 s, 2 to 4 s … 20 s.
 *
 * Source: Apify's documentation advises a random wait in [D, 2D] from D = 500 ms on, doubling; its client retries 8 times.
 *
 * @example
 * ```ts
 * import { ApifyClient, RetryPolicy } from "@effect-apify/http"
 *
 * const client = ApifyClient.layer({ retry: { retries: RetryPolicy.defaultPolicy.retries * 2 } })
 * ```
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
 * Never retries.
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
 * The wait after the `failures`-th failure in a row, counted from 1, before any `Retry-After` is considered: whole
 * milliseconds, never more than 24 days.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "@effect-apify/http"
 *
 * const third = RetryPolicy.delay(RetryPolicy.defaultPolicy, 3) // from 2 to 4 seconds
 * ```
 *
 * @since 0.1.0
 * @category delays
 */
export const delay = (policy: RetryPolicy, failures: number): Effect.Effect<Duration.Duration> => {
  const most = millisOf(policy.maxDelay)
  const shortest = Math.min(millisOf(policy.baseDelay) * doubled(failures), most)
  const longest = Math.min(2 * shortest, most)
  // Whole milliseconds: test clocks cannot stand still within one.
  return Effect.map(Random.nextRange(shortest, longest), (millis) => Duration.millis(Math.round(millis)))
}

/**
 * How long the server asked to wait, if it did.
 *
 * @example
 * ```ts
 * import { getStore, RetryPolicy } from "@effect-apify/http"
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 *
 * const now = getStore("janedoe~my-store", {
 *   // Not for a server that says how long it wants to be left alone.
 *   retry: { while: (error) => Option.isNone(RetryPolicy.retryAfterOf(error)) }
 * }).pipe(Effect.catchTag("RateLimitedError", () => Effect.succeedNone))
 * ```
 *
 * @since 0.1.0
 * @category delays
 */
export const retryAfterOf = (error: CallError): Option.Option<Duration.Duration> =>
  error._tag === "RateLimitedError" || error._tag === "ServerError" ? error.retryAfter : Option.none()

const LONGEST_MILLIS = Duration.toMillis(LONGEST_TIME)

const millisOf = (delay: Duration.DurationInput): number => Math.min(Duration.toMillis(delay), LONGEST_MILLIS)

/** 64 doublings of a nanosecond are centuries. More would end in Infinity, and 0 times that is no number. */
const doubled = (failures: number): number => (failures > 1 ? 2 ** Math.min(failures - 1, 64) : 1)
