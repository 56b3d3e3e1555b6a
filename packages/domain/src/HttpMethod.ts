/**
 * HTTP methods.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

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
