/**
 * Dates as HTTP writes them.
 */
import * as Option from "effect/Option"

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const month = `(?<month>${months.join("|")})`
const time = "(?<hour>\\d{2}):(?<minute>\\d{2}):(?<second>\\d{2})"
const day = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
const fullDay = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"

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

/**
 * Reads a date in one of its three forms, in milliseconds since 1970.
 *
 * @param now the time by the wall clock, for the century of a year of two digits
 */
export const parseHttpDate = (value: string, now: number): Option.Option<number> => {
  for (const form of dateForms) {
    const parts = form.exec(value)?.groups
    if (parts === undefined) continue
    const { day = "", hour = "", minute = "", month = "", second = "", year = "" } = parts
    const date = new Date(0)
    date.setUTCFullYear(fullYear(year, now), months.indexOf(month), Number(day))
    // 30 February rolls over to March, and is refused. A leap second rolls over after this check, and is accepted.
    const exists = date.getUTCDate() === Number(day)
    date.setUTCHours(Number(hour), Number(minute), Number(second))
    const isValid = exists && Number(hour) < 24 && Number(minute) < 60 && Number(second) <= 60
    return isValid ? Option.some(date.getTime()) : Option.none()
  }
  return Option.none()
}
