/**
 * How much time, how many tries and how much memory a call may take.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as RetryPolicy from "./RetryPolicy.js"

/**
 * The limits of a call: given to `ApifyClient.layer` for every call, or to an operation for one.
 *
 * @since 0.1.0
 * @category options
 */
export interface CallOptions {
  /** The time for one attempt: connecting, headers and body together. 5 seconds unless told. */
  readonly attemptTimeout?: Duration.DurationInput | undefined
  /** The time for the whole call, attempts and waits together. 60 seconds unless told. */
  readonly callTimeout?: Duration.DurationInput | undefined
  /** Whether and when to try again; what is left out stays as it is. `RetryPolicy.none` never does. */
  readonly retry?: Partial<RetryPolicy.RetryPolicy> | undefined
  /** How many decoded bytes of a body are read before the answer is refused. 1 MiB unless told. */
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
 * The limits that hold unless told otherwise. A store's description takes about 1 kB.
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

/**
 * The limits with some of them changed.
 *
 * @since 0.1.0
 * @category options
 */
export const withOptions = (limits: CallLimits, options: CallOptions): CallLimits => ({
  attemptTimeout: options.attemptTimeout === undefined ? limits.attemptTimeout : wholeMillis(options.attemptTimeout),
  callTimeout: options.callTimeout === undefined ? limits.callTimeout : wholeMillis(options.callTimeout),
  retry: {
    retries: options.retry?.retries ?? limits.retry.retries,
    baseDelay: options.retry?.baseDelay ?? limits.retry.baseDelay,
    maxDelay: options.retry?.maxDelay ?? limits.retry.maxDelay,
    while: options.retry?.while ?? limits.retry.while
  },
  maxBodyBytes: options.maxBodyBytes ?? limits.maxBodyBytes
})

/** Timers count in milliseconds, and so do errors. */
const wholeMillis = (time: Duration.DurationInput): Duration.Duration =>
  Duration.millis(Math.ceil(Duration.toMillis(time)))
