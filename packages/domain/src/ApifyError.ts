/**
 * What all errors of these packages have in common, and guards that replace lists of tags.
 *
 * @since 0.1.0
 */
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/**
 * Marks every error of these packages.
 *
 * @since 0.1.0
 * @category symbols
 */
export const ApifyErrorTypeId: unique symbol = Symbol.for("@effect-apify/domain/ApifyError")

/**
 * The type of `ApifyErrorTypeId`.
 *
 * @since 0.1.0
 * @category symbols
 */
export type ApifyErrorTypeId = typeof ApifyErrorTypeId

/**
 * Whether another attempt may help: never, once (the cause is likely to last, but may be gone), or as often as the
 * retry policy allows.
 *
 * @since 0.1.0
 * @category models
 */
export type Retryable = "Never" | "Once" | "ByPolicy"

/**
 * Why an error that may be temporary was not retried any further.
 *
 * - `retries`: the retry policy's attempts were used up, or its predicate refused the error.
 * - `deadline`: the wait before the next attempt would have passed the call's deadline.
 * - `budget`: too many of this client's recent calls failed, so it sends no retries for the moment.
 * - `unsafe`: the server may have carried out the request, which must not be carried out twice. What it creates may
 *   already exist.
 *
 * @since 0.1.0
 * @category schemas
 */
export const GaveUp = Schema.Literal("retries", "deadline", "budget", "unsafe").annotations({ identifier: "GaveUp" })

/**
 * The type of `GaveUp`.
 *
 * @since 0.1.0
 * @category models
 */
export type GaveUp = typeof GaveUp.Type

/**
 * What all errors of these packages have in common.
 *
 * @since 0.1.0
 * @category models
 */
export interface ApifyError extends Error {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId
  readonly _tag: string
  readonly retryable: Retryable
}

/** The errors among `E` that are a `T`. Of `any` it is `T`, or nothing would be left where the error is none. */
type Among<E, T> = 0 extends 1 & E ? T : E extends T ? E : E & T

/**
 * Whether a value is an error of these packages. A copy of one that has crossed a process or worker boundary is not.
 * In a union it tells the errors of these packages from the others.
 *
 * @example
 * ```ts
 * import { isApifyError } from "@effect-apify/domain"
 *
 * declare const error: unknown
 * if (isApifyError(error)) console.error(`${error._tag}: ${error.message}`)
 * ```
 *
 * @since 0.1.0
 * @category guards
 */
export const isApifyError = <E>(error: E | ApifyError): error is Among<E, ApifyError> =>
  Predicate.isError(error) &&
  Predicate.hasProperty(error, ApifyErrorTypeId) &&
  Predicate.hasProperty(error, "_tag") &&
  Predicate.isString(error._tag)

/**
 * Whether an error may be temporary: the client retries it, and a later call may succeed. A `TimeoutError` of a whole
 * call is not, because no time is left for another attempt.
 *
 * @example
 * ```ts
 * import { isRetryable } from "@effect-apify/domain"
 * import * as Effect from "effect/Effect"
 *
 * declare const program: Effect.Effect<string, Error>
 * Effect.retry(program, { while: isRetryable, times: 2 })
 * ```
 *
 * @since 0.1.0
 * @category guards
 */
export const isRetryable = (error: unknown): boolean => isApifyError(error) && error.retryable !== "Never"

interface NotFound extends ApifyError {
  readonly _tag: `${string}NotFoundError`
}

/**
 * Whether Apify responded that the requested resource does not exist. In a union it tells these errors from the others, so that
 * `Effect.catchIf` leaves only the others.
 *
 * @example
 * ```ts
 * import { isNotFound } from "@effect-apify/domain"
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 *
 * declare const program: Effect.Effect<Option.Option<string>, Error>
 * Effect.catchIf(program, isNotFound, () => Effect.succeedNone)
 * ```
 *
 * @since 0.1.0
 * @category guards
 */
export const isNotFound = <E>(error: E | NotFound): error is Among<E, NotFound> =>
  isApifyError(error) && error._tag.endsWith("NotFoundError")
