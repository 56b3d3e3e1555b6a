/**
 * The body of Apify's error responses.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The error in an Apify response. `type` is one of some 380 strings, and their number grows, so any string is accepted.
 *
 * @since 0.1.0
 * @category schemas
 */
export class ApiError extends Schema.Class<ApiError>("ApiError")({
  type: Schema.String,
  message: Schema.String
}) {}

/**
 * The body of an error response.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ApiErrorBody = Schema.Struct({ error: ApiError }).annotations({ identifier: "ApiErrorBody" })
