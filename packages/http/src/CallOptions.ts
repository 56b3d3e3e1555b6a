/**
 * How much time, how many attempts and how much memory a call may take.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as RetryPolicy from "./RetryPolicy.js"

/**
 * The limits of a call: for every call where a client is built, or for one call as an option of its operation. What is left
 * out, or is `undefined`, keeps its default: the operation's own, as those on records have one, or else the one named here.
 *
 * Invalid limits are a `ConfigError` of the client's layer. For one call they are a defect that names the option.
 *
 * @since 0.1.0
 * @category options
 */
export interface CallOptions {
  /**
   * The time for one attempt: connecting, headers and body together. From 1 millisecond to 24 days, never infinite, and
   * rounded up to whole milliseconds. Default: 5 seconds.
   */
  readonly attemptTimeout?: Duration.DurationInput | undefined
  /**
   * The time for the whole call, attempts and waits together. From 1 millisecond to 24 days, never infinite, and rounded up
   * to whole milliseconds. Default: 60 seconds.
   */
  readonly callTimeout?: Duration.DurationInput | undefined
  /** Whether and when to retry. What is left out keeps its default. `RetryPolicy.none` never retries. */
  readonly retry?: Partial<RetryPolicy.RetryPolicy> | undefined
  /**
   * The largest body that is read, in bytes after decompression: a whole number from 1 up, never infinite. Default: 1 MiB.
   */
  readonly maxBodyBytes?: number | undefined
}

/**
 * The limits of a call, all of them set.
 *
 * @since 0.1.0
 * @category options
 */
export interface CallLimits {
  readonly attemptTimeout: Duration.Duration
  readonly callTimeout: Duration.Duration
  readonly retry: RetryPolicy.RetryPolicy
  readonly maxBodyBytes: number
}

/**
 * The default limits. A store's description takes about 1 kB.
 *
 * @example
 * ```ts
 * import { defaultLimits, getStore } from "@effect-apify/http"
 * import * as Duration from "effect/Duration"
 *
 * const patient = getStore("~my-store", { attemptTimeout: Duration.times(defaultLimits.attemptTimeout, 2) })
 * ```
 *
 * @since 0.1.0
 * @category options
 */
export const defaultLimits: CallLimits = {
  attemptTimeout: Duration.seconds(5),
  callTimeout: Duration.seconds(60),
  retry: RetryPolicy.defaultPolicy,
  maxBodyBytes: 1024 * 1024
}
