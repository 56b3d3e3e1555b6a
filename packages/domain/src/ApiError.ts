/**
 * The body of Apify's error responses.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The error in an Apify response. Apify has some 380 types and adds more, so `type` may be any string.
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
