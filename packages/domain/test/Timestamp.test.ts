/**
 * Points in time: what is read as one, what is refused, and how one is written.
 */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { Timestamp } from "../src/index.js"

const decode = Schema.decodeUnknownEither(Timestamp)
const read = (text: string): string => DateTime.formatIso(Schema.decodeSync(Timestamp)(text))

describe("a timestamp", () => {
  it.each([
    ["2019-12-12T07:34:14.202Z", "2019-12-12T07:34:14.202Z"],
    ["2019-12-12T07:34:14Z", "2019-12-12T07:34:14.000Z"],
    ["2019-12-12T07:34:14.2Z", "2019-12-12T07:34:14.200Z"],
    ["2019-12-12T07:34:14.202999Z", "2019-12-12T07:34:14.202Z"],
    ["2019-12-12T07:34:14.202000000000000001Z", "2019-12-12T07:34:14.202Z"],
    ["2019-12-12T09:34:14.202+02:00", "2019-12-12T07:34:14.202Z"],
    ["2019-12-11T21:04:14.202-10:30", "2019-12-12T07:34:14.202Z"],
    ["2019-12-12T07:34:14.202-00:00", "2019-12-12T07:34:14.202Z"],
    ["2020-02-29T00:00:00Z", "2020-02-29T00:00:00.000Z"],
    ["2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"],
    ["1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"],
    ["0000-01-01T00:00:00.000Z", "0000-01-01T00:00:00.000Z"],
    ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"]
  ])("%s is %s", (text, instant) => {
    assert.strictEqual(read(text), instant)
  })

  it.prop("is read to the millisecond", [anyDate()], ([date]) => {
    assert.strictEqual(read(date.toISOString()), date.toISOString())
  })

  it.each([
    ["2019-12-12T07:34:14.00099999999999999999Z", "2019-12-12T07:34:14.000Z"],
    ["2019-12-12T07:34:14.99999999999999999999Z", "2019-12-12T07:34:14.999Z"],
    ["1969-12-31T23:59:59.99999999999999999999Z", "1969-12-31T23:59:59.999Z"],
    [`2019-12-12T07:34:14.202${"9".repeat(10_000)}+02:00`, "2019-12-12T05:34:14.202Z"]
  ])("%s is %s: further digits never round it up", (text, instant) => {
    assert.strictEqual(read(text), instant)
  })

  it.prop(
    "is the same millisecond, however many digits follow",
    [anyDate(), fc.stringMatching(/^\d{0,40}$/), fc.constantFrom("Z", "+00:00", "-00:00")],
    ([date, digits, zone]) => {
      assert.strictEqual(read(date.toISOString().replace("Z", `${digits}${zone}`)), date.toISOString())
    }
  )

  it.prop("may have fewer than three digits", [anyDate(), fc.integer({ min: 0, max: 3 })], ([date, digits]) => {
    const [seconds, fraction = ""] = date.toISOString().slice(0, -1).split(".")
    const kept = fraction.slice(0, digits)
    assert.strictEqual(read(`${seconds}${kept === "" ? "" : `.${kept}`}Z`), `${seconds}.${kept.padEnd(3, "0")}Z`)
  })

  it.prop("is the same instant in any zone", [anyDate(), fc.integer({ min: -719, max: 719 })], ([date, minutes]) => {
    const local = new Date(date.getTime() + minutes * 60_000).toISOString().slice(0, -1)
    fc.pre(/^\d{4}-/.test(local))
    const twoDigits = (count: number) => String(Math.floor(count)).padStart(2, "0")
    const zone = `${minutes < 0 ? "-" : "+"}${twoDigits(Math.abs(minutes) / 60)}:${twoDigits(Math.abs(minutes) % 60)}`
    assert.strictEqual(read(`${local}${zone}`), date.toISOString())
  })

  it.prop("is written with Z and milliseconds", [Timestamp], ([time]) => {
    assert.match(Schema.encodeSync(Timestamp)(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })
})

describe("a time of another year than 0 to 9999", () => {
  it.each(["-000001-12-31T23:59:59.999Z", "+010000-01-01T00:00:00.000Z"])("is not written: %s", (text) => {
    assert.isTrue(Either.isLeft(Schema.encodeEither(Timestamp)(DateTime.unsafeMake(Date.parse(text)))))
  })
})

describe("what is refused", () => {
  it.each([
    ["no zone", "2019-12-12T07:34:14.202"],
    ["no zone, a date alone", "2019-12-12"],
    ["a name for a zone", "2019-12-12T07:34:14.202 GMT"],
    ["a zone without a colon", "2019-12-12T07:34:14.202+0200"],
    ["a zone of 24 hours", "2019-12-12T07:34:14.202+24:00"],
    ["a zone of 99 hours", "2019-12-12T07:34:14.202+99:00"],
    ["a zone of 60 minutes", "2019-12-12T07:34:14.202+01:60"],
    ["two zones", "2019-12-12T07:34:14.202Z+02:00"],
    ["30 February", "2019-02-30T00:00:00.000Z"],
    ["29 February in a year that is no leap year", "2019-02-29T00:00:00.000Z"],
    ["29 February 1900", "1900-02-29T00:00:00.000Z"],
    ["31 April", "2019-04-31T00:00:00.000Z"],
    ["month 13", "2019-13-01T00:00:00.000Z"],
    ["month 0", "2019-00-01T00:00:00.000Z"],
    ["day 0", "2019-01-00T00:00:00.000Z"],
    ["hour 24", "2019-12-12T24:00:00.000Z"],
    ["hour 25", "2019-12-12T25:00:00.000Z"],
    ["minute 60", "2019-12-12T07:60:14.202Z"],
    ["second 60", "2016-12-31T23:59:60.000Z"],
    ["year 10000", "10000-01-01T00:00:00.000Z"],
    ["year 10000 with a sign", "+010000-01-01T00:00:00.000Z"],
    ["year 10000 by its zone", "9999-12-31T23:59:59.999-01:00"],
    ["a year before 0", "-000001-12-31T23:59:59.999Z"],
    ["a year before 0 by its zone", "0000-01-01T00:00:00.000+01:00"],
    ["a year of two digits", "19-12-12T07:34:14.202Z"],
    ["no fraction after the point", "2019-12-12T07:34:14.Z"],
    ["a comma for the point", "2019-12-12T07:34:14,202Z"],
    ["a space for the T", "2019-12-12 07:34:14.202Z"],
    ["small letters", "2019-12-12t07:34:14.202z"],
    ["a space before", " 2019-12-12T07:34:14.202Z"],
    ["a line break after", "2019-12-12T07:34:14.202Z\n"],
    ["words", "yesterday"],
    ["words of JavaScript", "Invalid Date"],
    ["milliseconds as text", "1576136054202"],
    ["nothing", ""],
    ["milliseconds", 1576136054202],
    ["null", null]
  ])("%s: %j", (_, input) => {
    assert.isTrue(Either.isLeft(decode(input)))
  })
})

/** Dates of the years 0 to 9999. */
function anyDate(): fc.Arbitrary<Date> {
  return fc.date({
    min: new Date("0000-01-01T00:00:00.000Z"),
    max: new Date("9999-12-31T23:59:59.999Z"),
    noInvalidDate: true
  })
}
