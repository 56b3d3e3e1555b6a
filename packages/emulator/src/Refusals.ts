/**
 * Refusals of the emulator alone, beyond those of domain.
 *
 * @since 0.1.0
 */
import { ApiError } from "@effect-apify/domain/ApiError"
import type { Refusal } from "@effect-apify/domain/Refusal"

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
