/**
 * The `Retry-After` header.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const month = `(?<month>${months.join("|")})`
const time = "(?<hour>\\d{2}):(?<minute>\\d{2}):(?<second>\\d{2})"
const day = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
const fullDay = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"

/** The three forms of an HTTP date, as RFC 9110, section 5.6.7, gives them. */
const dateForms: ReadonlyArray<RegExp> = [
  new RegExp(`^${day}, (?<day>\\d{2}) ${month} (?<year>\\d{4}) ${time} GMT$`),
  new RegExp(`^${fullDay}, (?<day>\\d{2})-${month}-(?<year>\\d{2}) ${time} GMT$`),
  new RegExp(`^${day} ${month} (?<day>[ \\d]\\d) ${time} (?<year>\\d{4})$`)
]

/** A year of two digits that seems to be more than 50 years ahead is the most recent one in the past that ends so. */
const fullYear = (digits: string, now: number): number => {
  if (digits.length === 4) return Number(digits)
  const thisYear = new Date(now).getUTCFullYear()
  const year = thisYear - (thisYear % 100) + Number(digits)
  return year > thisYear + 50 ? year - 100 : year
}

const parseDate = (value: string, now: number): number | undefined => {
  for (const form of dateForms) {
    const parts = form.exec(value)?.groups
    if (parts === undefined) continue
    const { day = "", hour = "", minute = "", month = "", second = "", year = "" } = parts
    const date = new Date(0)
    date.setUTCFullYear(fullYear(year, now), months.indexOf(month), Number(day))
    // 30 February rolls over to March: such a date is none. A leap second, which rolls over after this, is one.
    const exists = date.getUTCDate() === Number(day)
    date.setUTCHours(Number(hour), Number(minute), Number(second))
    return exists && Number(hour) < 24 && Number(minute) < 60 && Number(second) <= 60 ? date.getTime() : undefined
  }
  return undefined
}

// Ten digits are three centuries: what is longer is nonsense, and is not looked at.
const seconds = /^\d{1,10}$/
const LONGEST_DATE = "Wednesday, 30-Sep-26 12:00:00 GMT".length

/**
 * Reads `Retry-After` as RFC 9110 defines it: whole seconds, or a date in one of its three forms, of which one in the
 * past means no wait. Whatever is not exactly that is ignored.
 *
 * @param value the header's value
 * @param now the time by the wall clock, in milliseconds since 1970
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
  if (value.length > LONGEST_DATE) return Option.none()
  const date = parseDate(value, now)
  return date === undefined ? Option.none() : Option.some(Duration.millis(Math.ceil(Math.max(0, date - now))))
}
