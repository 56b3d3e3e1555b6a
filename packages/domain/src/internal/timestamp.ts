/**
 * Parsing of ISO 8601 date-times.
 */
import * as DateTime from "effect/DateTime"

/** The first and the last millisecond of the years that ISO 8601 writes with four digits. */
export const MIN_MILLIS = Date.parse("0000-01-01T00:00:00.000Z")
export const MAX_MILLIS = Date.parse("9999-12-31T23:59:59.999Z")

const iso8601 = /^\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/

/** Whether the day exists in its month: `Date` turns 30 February into 1 or 2 March. */
const isOnCalendar = (text: string): boolean => {
  const day = Number(text.slice(8, 10))
  return day <= 28 || new Date(text.slice(0, 10)).getUTCDate() === day
}

/** `Date` misreads long fractions: V8 reads .00099999999999999999 as .999. */
const inMilliseconds = (text: string): string => text.replace(/(\.\d{3})\d+/, "$1")

/** The time that a text gives, or `undefined` for a text that is not a date-time, does not exist, or has no zone. */
export const parseTimestamp = (text: string): DateTime.Utc | undefined => {
  if (!iso8601.test(text) || !isOnCalendar(text)) return undefined
  const date = new Date(inMilliseconds(text))
  const millis = date.getTime()
  return millis >= MIN_MILLIS && millis <= MAX_MILLIS ? DateTime.unsafeFromDate(date) : undefined
}
