/**
 * Points in time as Apify writes them.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

/** The first and the last millisecond of the years that ISO 8601 writes with four digits. */
const MIN_MILLIS = Date.parse("0000-01-01T00:00:00.000Z")
const MAX_MILLIS = Date.parse("9999-12-31T23:59:59.999Z")

const iso8601 = /^\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/

/** Whether the day exists in its month: `Date` turns 30 February into 1 or 2 March. */
const isOnCalendar = (text: string): boolean => {
  const day = Number(text.slice(8, 10))
  return day <= 28 || new Date(text.slice(0, 10)).getUTCDate() === day
}

/** The length of `2019-12-12T07:34:14.202Z`; a longer fraction makes a longer text. */
const MILLISECONDS_LENGTH = 24

/** `Date` misreads long fractions: V8 reads .00099999999999999999 as .999. */
const inMilliseconds = (text: string): string =>
  text.length <= MILLISECONDS_LENGTH ? text : text.replace(/(\.\d{3})\d+/, "$1")

/**
 * The time that a text gives, or `undefined` for a text that is not a date-time, does not exist, or has no zone.
 *
 * @internal
 */
export const parseTimestamp = (text: string): DateTime.Utc | undefined => {
  if (!iso8601.test(text) || !isOnCalendar(text)) return undefined
  const date = new Date(inMilliseconds(text))
  const millis = date.getTime()
  return millis >= MIN_MILLIS && millis <= MAX_MILLIS ? DateTime.unsafeFromDate(date) : undefined
}

const description = "an ISO 8601 date and time with a time zone"

const TimestampFromSelf = Schema.DateTimeUtcFromSelf.pipe(
  Schema.filter(({ epochMillis }) => epochMillis >= MIN_MILLIS && epochMillis <= MAX_MILLIS)
).annotations({
  identifier: "TimestampFromSelf",
  description: "a DateTime.Utc of the years 0 to 9999",
  arbitrary: () => (fc) =>
    fc.integer({ min: MIN_MILLIS, max: MAX_MILLIS }).map((millis) => DateTime.unsafeFromDate(new Date(millis))),
  equivalence: () => DateTime.Equivalence
})

/**
 * A point in time: ISO 8601 with a time zone on the wire (`2019-12-12T07:34:14.202Z`), a `DateTime.Utc` in a program,
 * to the millisecond. A date that does not exist, has no zone, or lies outside the years 0 to 9999 is refused.
 *
 * @example
 * ```ts
 * import { Timestamp } from "@effect-apify/domain"
 * import * as Schema from "effect/Schema"
 *
 * Schema.decodeSync(Timestamp)("2019-12-12T07:34:14.202Z")
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const Timestamp = Schema.transformOrFail(Schema.String.annotations({ description }), TimestampFromSelf, {
  strict: true,
  decode: (input, _, ast) => {
    const time = parseTimestamp(input)
    return time === undefined ? ParseResult.fail(new ParseResult.Type(ast, input)) : ParseResult.succeed(time)
  },
  encode: (time) => ParseResult.succeed(DateTime.formatIso(time))
}).annotations({ identifier: "Timestamp", description })
