/**
 * What Apify's documentation leaves open, each as one constant: what the emulator does until it is known.
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
 * What a number in the query gets that is negative, fractional or no number at all.
 *
 * @since 0.1.0
 * @category constants
 */
export const BAD_NUMBER_REFUSAL = (name: string): Refusal =>
  refusal(400, "invalid-value", `Invalid value provided: ${name} must be a whole number that is not negative`)

/**
 * Most stores on one page; a limit above it is lowered to it, and the answer says so.
 *
 * @since 0.1.0
 * @category constants
 */
export const STORES_LIMIT_ABOVE_MAXIMUM = 1000
