/**
 * Apify's error responses, word for word, for servers that stand in for it.
 *
 * @since 0.1.0
 */
import { ApiError } from "./ApiError.js"

/**
 * An error response: the status, and the error in the body.
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
 * 400: the reference ends with the `~`.
 *
 * Source: read in an official client.
 *
 * @since 0.1.0
 * @category refusals
 */
export const emptyNameRefusal: Refusal = refusal(400, "invalid-request", "Resource name parameter cannot be empty")

/**
 * 401: a token is required, and the request has none.
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
 * 401: the token is unknown.
 *
 * Source: live responses.
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
 * What a request without a token gets on a store that it may not read.
 *
 * Source: not documented. Apify may respond with 403 `insufficient-permissions` instead.
 *
 * @since 0.1.0
 * @category refusals
 */
export const anonymousRefusal: Refusal = tokenNotProvidedRefusal

/**
 * 403: the token's owner has no right to the store.
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
 * 404: the store does not exist.
 *
 * Source: live responses.
 *
 * @since 0.1.0
 * @category refusals
 */
export const storeNotFoundRefusal: Refusal = refusal(404, "record-not-found", "Key-value Store was not found")

/**
 * 404: the path does not exist. This says nothing about a store.
 *
 * Source: the type is read in an official client; the wording is ours.
 *
 * @since 0.1.0
 * @category refusals
 */
export const pageNotFoundRefusal: Refusal = refusal(404, "page-not-found", "There is no API end-point at this URL")

/**
 * 405: the path does not support the method. The message lists the methods that it supports.
 *
 * Source: documented.
 *
 * @since 0.1.0
 * @category refusals
 */
export const methodRefusal = (methods: ReadonlyArray<string>): Refusal =>
  refusal(
    405,
    "method-not-allowed",
    `This API end-point can only be accessed using the following HTTP methods: ${["OPTIONS", ...methods].join(",")}`
  )

/**
 * 405 as Get store's page shows it. The live route takes PUT and DELETE as well.
 *
 * Source: documented.
 *
 * @since 0.1.0
 * @category refusals
 */
export const methodNotAllowedRefusal: Refusal = methodRefusal(["GET"])

/**
 * 500: the server failed.
 *
 * Source: the type is documented; the wording is ours.
 *
 * @since 0.1.0
 * @category refusals
 */
export const internalServerErrorRefusal: Refusal = refusal(500, "internal-server-error", "Internal server error")
