/**
 * The `Retry-After` header.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { parseHttpDate } from "./internal/httpDate.js"

/**
 * Reads a value of `Retry-After` as RFC 9110 defines it: whole seconds, or a date in one of its three forms. A date in the past
 * means no wait. Any other value is ignored.
 *
 * @param value the header's value
 * @param now the time that a date is counted from, in milliseconds since 1970: the response's `Date` where it has one, or else
 * the time by the wall clock
 *
 * @example
 * ```ts
 * import { parseRetryAfter } from "@effect-apify/http"
 *
 * parseRetryAfter("2", 0) // Option.some(Duration.seconds(2))
 * parseRetryAfter("2.5", 0) // Option.none()
 * ```
 *
 * @since 0.1.0
 * @category decoding
 */
export const parseRetryAfter = (value: string, now: number): Option.Option<Duration.Duration> => {
  if (seconds.test(value)) return Option.some(Duration.seconds(Number(value)))
  return Option.map(parseHttpDate(value, now), (date) => Duration.millis(Math.ceil(Math.max(0, date - now))))
}

/** Ten digits are three centuries. More are nonsense. */
const seconds = /^\d{1,10}$/
