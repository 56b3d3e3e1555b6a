/**
 * What Apify says when it refuses.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The error in an answer of Apify's. `type` is one of some 380 strings, and more come: it is kept open.
 *
 * @since 0.1.0
 * @category schemas
 */
export class ApiError extends Schema.Class<ApiError>("ApiError")({
  type: Schema.String,
  message: Schema.String
}) {}

/**
 * The body of an answer that refuses.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ApiErrorBody = Schema.Struct({ error: ApiError }).annotations({ identifier: "ApiErrorBody" })

/**
 * The types of a 404 that say that the store is missing. Any other 404 is about something else: a path that does not
 * exist, or a server that is not Apify.
 *
 * @since 0.1.0
 * @category constants
 */
export const MISSING_STORE_TYPES: ReadonlySet<string> = new Set(["record-not-found", "record-or-token-not-found"])
