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

/**
 * A refusal as Apify words it: the status, and the error in the body.
 *
 * @since 0.1.0
 * @category models
 */
export interface Refusal {
  readonly status: number
  readonly error: ApiError
}

const refusal = (status: number, type: string, message: string): Refusal => ({
  status,
  error: new ApiError({ type, message })
})

/**
 * 400: the reference stops at the `~`.
 *
 * Source: read in an official client.
 *
 * @since 0.1.0
 * @category refusals
 */
export const emptyNameRefusal: Refusal = refusal(400, "invalid-request", "Resource name parameter cannot be empty")

/**
 * 401: the store wants a token and none was sent.
 *
 * Source: asserted by official tests against the live service.
 *
 * @since 0.1.0
 * @category refusals
 */
export const tokenNotProvidedRefusal: Refusal = refusal(
  401,
  "token-not-provided",
  "Authentication token was not provided"
)

/**
 * 401: a token was sent that nobody has.
 *
 * Source: live answers.
 *
 * @since 0.1.0
 * @category refusals
 */
export const unknownTokenRefusal: Refusal = refusal(
  401,
  "user-or-token-not-found",
  "User was not found or authentication token is not valid"
)

/**
 * 403: the token's owner has no rights to the store.
 *
 * Source: asserted by official tests against the live service.
 *
 * @since 0.1.0
 * @category refusals
 */
export const insufficientPermissionsRefusal: Refusal = refusal(
  403,
  "insufficient-permissions",
  "Insufficient permissions for the key-value store. Make sure you're passing a correct API token and that it has the required permissions."
)

/**
 * 404: there is no such store.
 *
 * Source: live answers.
 *
 * @since 0.1.0
 * @category refusals
 */
export const storeNotFoundRefusal: Refusal = refusal(404, "record-not-found", "Key-value Store was not found")

/**
 * 404: there is no such path, which says nothing of a store.
 *
 * Source: the type is read in an official client; the wording is ours.
 *
 * @since 0.1.0
 * @category refusals
 */
export const pageNotFoundRefusal: Refusal = refusal(404, "page-not-found", "There is no API end-point at this URL")

/**
 * 405: the path exists, for other methods.
 *
 * Source: documented. The live route takes PUT and DELETE as well.
 *
 * @since 0.1.0
 * @category refusals
 */
export const methodNotAllowedRefusal: Refusal = refusal(
  405,
  "method-not-allowed",
  "This API end-point can only be accessed using the following HTTP methods: OPTIONS,GET"
)

/**
 * 500: the server broke.
 *
 * Source: the type is documented; the wording is ours.
 *
 * @since 0.1.0
 * @category refusals
 */
export const internalServerErrorRefusal: Refusal = refusal(500, "internal-server-error", "Internal server error")
