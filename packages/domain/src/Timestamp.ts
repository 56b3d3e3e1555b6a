/**
 * Points in time as Apify writes them.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

// The years that ISO 8601 writes with four digits.
const MIN_MILLIS = Date.parse("0000-01-01T00:00:00.000Z")
const MAX_MILLIS = Date.parse("9999-12-31T23:59:59.999Z")

const iso8601 = /^(?<date>\d{4}-\d{2}-(?<day>\d{2}))T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/

// Date.parse rolls 30 February over to March.
const isRolledOver = (date: string, day: number): boolean => day > 28 && new Date(date).getUTCDate() !== day

const parse = (input: string): number | undefined => {
  const match = iso8601.exec(input)?.groups
  if (match === undefined || isRolledOver(match.date ?? "", Number(match.day))) return undefined
  const millis = Date.parse(input)
  return millis >= MIN_MILLIS && millis <= MAX_MILLIS ? millis : undefined
}

const description = "an ISO 8601 date and time with a time zone"

const TimestampFromSelf = Schema.DateTimeUtcFromSelf.pipe(
  Schema.filter(({ epochMillis }) => epochMillis >= MIN_MILLIS && epochMillis <= MAX_MILLIS)
).annotations({
  identifier: "TimestampFromSelf",
  description: "a DateTime.Utc of the years 0 to 9999",
  arbitrary: () => (fc) =>
    fc.integer({ min: MIN_MILLIS, max: MAX_MILLIS }).map((millis) => DateTime.unsafeMake(millis)),
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
    const millis = parse(input)
    return millis === undefined
      ? ParseResult.fail(new ParseResult.Type(ast, input))
      : ParseResult.succeed(DateTime.unsafeMake(millis))
  },
  encode: (time) => ParseResult.succeed(DateTime.formatIso(time))
}).annotations({ identifier: "Timestamp", description })
