/**
 * Apify's error responses, word for word, for servers that stand in for it.
 *
 * @since 0.1.0
 */
import { ApiError } from "./ApiError.js"
import { MISSING_RECORD_MESSAGE } from "./RecordErrors.js"

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
 * 400: the reference ends with `~`.
 *
 * Source: an official client.
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
 * The response to a request without a token for a store that it may not read.
 *
 * Source: not documented. The message suits such callers too, and a similar endpoint responds with it. 401
 * `token-not-provided` is the other candidate.
 *
 * @since 0.1.0
 * @category refusals
 */
export const anonymousRefusal: Refusal = insufficientPermissionsRefusal

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
 * 404: the store has no such record.
 *
 * Source: an official client.
 *
 * @since 0.1.0
 * @category refusals
 */
export const recordNotFoundRefusal: Refusal = refusal(404, "record-not-found", MISSING_RECORD_MESSAGE)

/**
 * 404: the caller has no such run.
 *
 * Source: an official client.
 *
 * @since 0.1.0
 * @category refusals
 */
export const runNotFoundRefusal: Refusal = refusal(404, "record-not-found", "Actor run was not found")

/**
 * 404: there is no such Actor, or the caller may not see it.
 *
 * Source: live responses.
 *
 * @since 0.1.0
 * @category refusals
 */
export const actorNotFoundRefusal: Refusal = refusal(
  404,
  "record-or-token-not-found",
  "Actor was not found or access denied"
)

/**
 * 404: there is no such task, or the caller may not see it.
 *
 * Source: not documented. The wording is that for an Actor.
 *
 * @since 0.1.0
 * @category refusals
 */
export const taskNotFoundRefusal: Refusal = refusal(
  404,
  "record-or-token-not-found",
  "Actor task was not found or access denied"
)

/**
 * 400: the key is not a valid record key.
 *
 * Source: documented.
 *
 * @since 0.1.0
 * @category refusals
 */
export const invalidRecordKeyRefusal: Refusal = refusal(
  400,
  "invalid-record-key",
  "Record key contains invalid character"
)

/**
 * 400: a value that the endpoint does not accept. The message says which.
 *
 * Source: documented.
 *
 * @since 0.1.0
 * @category refusals
 */
export const invalidValueRefusal = (problem: string): Refusal =>
  refusal(400, "invalid-value", `Invalid value provided: ${problem}`)

/**
 * 400: the name is not a valid store name.
 *
 * Source: live responses.
 *
 * @since 0.1.0
 * @category refusals
 */
export const invalidStoreNameRefusal: Refusal = refusal(
  400,
  "invalid-value",
  "Invalid value provided in store: name can only contain letters 'a' through 'z', the digits '0' through '9', and the hyphen ('-') but only in the middle of the string (e.g. 'my-value-1')"
)

/**
 * 400: the owner has another store with the name.
 *
 * Source: the type and the status are from Apify's own source; the wording is ours.
 *
 * @since 0.1.0
 * @category refusals
 */
export const nameTakenRefusal: Refusal = refusal(
  400,
  "name-not-unique",
  "A key-value store with this name already exists"
)

/**
 * 413: the JSON body is too large.
 *
 * Source: live responses.
 *
 * @since 0.1.0
 * @category refusals
 */
export const requestTooLargeRefusal = (limit: number, actual: number): Refusal =>
  refusal(
    413,
    "request-too-large",
    `The POST payload is too large (limit: ${limit} bytes, actual length: ${actual} bytes).`
  )

/**
 * 415: the server does not know the content encoding.
 *
 * Source: documented.
 *
 * @since 0.1.0
 * @category refusals
 */
export const unsupportedEncodingRefusal = (encoding: string): Refusal =>
  refusal(415, "unsupported-content-encoding", `Content-Encoding "${encoding}" is not supported.`)

/**
 * 429: too many requests for this store.
 *
 * Source: live responses.
 *
 * @since 0.1.0
 * @category refusals
 */
export const rateLimitRefusal = (limit: number): Refusal =>
  refusal(429, "rate-limit-exceeded", `You have exceeded the rate limit of ${limit} requests per second`)

/**
 * 404: the path does not exist. This says nothing about a store.
 *
 * Source: the type is from an official client; the wording is ours.
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
 * 405 as in the documentation of Get store. The live route also accepts PUT and DELETE.
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
