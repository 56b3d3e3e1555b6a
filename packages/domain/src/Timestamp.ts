/**
 * Points in time as Apify writes them.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { MAX_MILLIS, MIN_MILLIS, parseTimestamp } from "./internal/timestamp.js"

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
