/**
 * Refusals of the emulator alone, beyond those of domain.
 *
 * @since 0.1.0
 */
import { ApiError } from "@effect-apify/domain/ApiError"
import type { Refusal } from "@effect-apify/domain/Refusal"
import { MAXIMUM_JSON_BYTES } from "./Unknowns.js"

const refusal = (status: number, type: string, message: string): Refusal => ({
  status,
  error: new ApiError({ type, message })
})

/**
 * 400: the body broke off, or is not what its encoding says.
 *
 * @since 0.1.0
 * @category refusals
 */
export const unreadableBodyRefusal: Refusal = refusal(400, "invalid-request", "The request body could not be read")

/**
 * 400: the path has an escape that is none.
 *
 * @since 0.1.0
 * @category refusals
 */
export const invalidEscapeRefusal: Refusal = refusal(400, "invalid-request", "The URL has an invalid percent-encoding")

/**
 * 400: the body is not a JSON object.
 *
 * Source: documented.
 *
 * @since 0.1.0
 * @category refusals
 */
export const notAnObjectRefusal: Refusal = refusal(400, "invalid-request", "POST data must be a JSON object")

/**
 * 400: the name is none that a store can have.
 *
 * Source: live responses.
 *
 * @since 0.1.0
 * @category refusals
 */
export const invalidNameRefusal: Refusal = refusal(
  400,
  "invalid-value",
  "Invalid value provided in store: name can only contain letters 'a' through 'z', the digits '0' through '9', and the hyphen ('-') but only in the middle of the string (e.g. 'my-value-1')"
)

/**
 * 400: the last run is to have a status that no run has.
 *
 * Source: read in the platform's code.
 *
 * @since 0.1.0
 * @category refusals
 */
export const invalidStatusRefusal: Refusal = refusal(400, "invalid-request", "Status parameter has an invalid value")

/**
 * 400: the last run is to have an origin that no run has.
 *
 * Source: read in the platform's code.
 *
 * @since 0.1.0
 * @category refusals
 */
export const invalidOriginRefusal: Refusal = refusal(400, "invalid-request", "Origin parameter has an invalid value")

/**
 * 404: there is no such run, or none that the caller may see.
 *
 * Source: read in the platform's code.
 *
 * @since 0.1.0
 * @category refusals
 */
export const runNotFoundRefusal: Refusal = refusal(404, "record-not-found", "Actor run was not found")

/**
 * 404: there is no such Actor, or none of which the caller has runs.
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
 * 413: the body is too large. How large is not always known: what is compressed is not decompressed to its end.
 *
 * Source: live responses.
 *
 * @since 0.1.0
 * @category refusals
 */
export const payloadTooLargeRefusal = (actual?: number): Refusal =>
  refusal(
    413,
    "request-too-large",
    `The POST payload is too large (limit: ${MAXIMUM_JSON_BYTES} bytes, actual length: ${actual ?? `over ${MAXIMUM_JSON_BYTES}`} bytes).`
  )

/**
 * 415: the body has an encoding that is not supported.
 *
 * Source: documented.
 *
 * @since 0.1.0
 * @category refusals
 */
export const unsupportedEncodingRefusal = (encoding: string): Refusal =>
  refusal(415, "unsupported-content-encoding", `Content-Encoding "${encoding}" is not supported.`)

/**
 * 429: too many requests in a second.
 *
 * Source: live responses.
 *
 * @since 0.1.0
 * @category refusals
 */
export const rateLimitRefusal = (limit: number): Refusal =>
  refusal(429, "rate-limit-exceeded", `You have exceeded the rate limit of ${limit} requests per second`)
