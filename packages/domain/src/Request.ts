/**
 * The parts of a call that errors carry.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * Why an error that may pass was not retried any further.
 *
 * - `retries`: the retry policy's attempts were used up, or its predicate refused the error.
 * - `deadline`: the wait before the next attempt would have passed the call's deadline.
 * - `budget`: too many of this client's recent calls failed, so it sends no retries for the moment.
 *
 * @since 0.1.0
 * @category schemas
 */
export const GaveUp = Schema.Literal("retries", "deadline", "budget").annotations({ identifier: "GaveUp" })

/**
 * The type of `GaveUp`.
 *
 * @since 0.1.0
 * @category models
 */
export type GaveUp = typeof GaveUp.Type

/**
 * The HTTP methods that operations use.
 *
 * @since 0.1.0
 * @category schemas
 */
export const HttpMethod = Schema.Literal("GET", "HEAD", "POST", "PUT", "DELETE").annotations({
  identifier: "HttpMethod"
})

/**
 * The type of `HttpMethod`.
 *
 * @since 0.1.0
 * @category models
 */
export type HttpMethod = typeof HttpMethod.Type
