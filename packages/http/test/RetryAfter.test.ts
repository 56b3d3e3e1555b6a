/**
 * `Retry-After`, read as RFC 9110 defines it and no other way.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import { character } from "../../../vitest.text.js"
import { parseRetryAfter } from "../src/index.js"

const now = Date.UTC(2026, 8, 30, 12, 0, 0)

/** The wait in milliseconds, `null` where the value is ignored. */
const millisOf = (value: string, at = now): number | null =>
  Option.getOrNull(Option.map(parseRetryAfter(value, at), Duration.toMillis))

describe("Retry-After is read", () => {
  it.each([
    ["0", 0],
    ["2", 2000],
    ["007", 7000],
    ["9999999999", 9_999_999_999_000],
    ["Wed, 30 Sep 2026 12:00:05 GMT", 5000],
    ["Wednesday, 30-Sep-26 12:00:05 GMT", 5000],
    ["Wed Sep 30 12:00:05 2026", 5000],
    ["Thu Oct  1 12:00:00 2026", 86_400_000],
    ["Wed, 30 Sep 2026 12:00:60 GMT", 60_000],
    ["Thu, 31 Dec 2026 23:59:60 GMT", Date.UTC(2027, 0, 1) - now],
    ["Wed, 30 Sep 2026 11:59:59 GMT", 0],
    ["Sunday, 06-Nov-94 08:49:37 GMT", 0],
    ["Friday, 30-Sep-77 12:00:05 GMT", 0],
    ["Sun Nov  6 08:49:37 1994", 0]
  ])("in %j, as %i ms", (value, millis) => {
    assert.strictEqual(millisOf(value), millis)
  })

  it("counts a part of a millisecond as a whole one", () => {
    assert.strictEqual(millisOf("Wed, 30 Sep 2026 12:00:05 GMT", now + 0.5), 5000)
  })
})

describe("Retry-After is ignored", () => {
  it.each([
    "",
    " ",
    " 2",
    "2 ",
    "\t2",
    "2\n",
    "-1",
    "+1",
    "1e9",
    "0x10",
    "2.5",
    "2, 3",
    "12345678901",
    "٢",
    "2s",
    "soon",
    "Infinity",
    "NaN",
    "2026-09-30T12:00:05Z",
    "wed, 30 sep 2026 12:00:05 GMT",
    "Wed, 30 sep 2026 12:00:05 GMT",
    "Wed, 30 Sep 2026 12:00:05",
    "Wed, 30 Sep 2026 12:00:05 UTC",
    "Wed, 30 Sep 2026 12:00:05 gmt",
    "Wed, 30 Sep 2026 12:00:05 +0000",
    "Wed, 30 Sep 26 12:00:05 GMT",
    "Wedday, 30-Sep-26 12:00:05 GMT",
    "Wed,30 Sep 2026 12:00:05 GMT",
    "Wed, 30 Sep 2026 24:00:05 GMT",
    "Wed, 30 Sep 2026 12:60:05 GMT",
    "Wed, 30 Sep 2026 12:00:61 GMT",
    "Mon, 30 Feb 2026 12:00:05 GMT",
    "Sun, 29 Feb 2026 12:00:05 GMT",
    "Mon, 30 Feb 2026 12:00:60 GMT",
    "Mon, 00 Feb 2026 12:00:05 GMT",
    "Mon, 00 Feb 2026 12:00:60 GMT",
    "Wed, 30 Sep 2026 12:00:05 GMT, 3",
    " Wed, 30 Sep 2026 12:00:05 GMT"
  ])("in %j", (value) => {
    assert.isNull(millisOf(value))
  })

  it("where it is 10 kB long", () => {
    assert.isNull(millisOf("9".repeat(10_240)))
    assert.isNull(millisOf(`${"Wed, ".repeat(2048)}30 Sep 2026 12:00:05 GMT`))
  })
})

const instant = (from: number, to: number) =>
  fc.integer({ min: from / 1000, max: to / 1000 }).map((seconds) => new Date(seconds * 1000))

const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

/** "Wed, 30 Sep 2026 12:00:05 GMT" taken apart, with the day in full. */
const partsOf = (date: Date) => {
  const [, day = "", month = "", year = "", time = ""] = date.toUTCString().split(" ")
  return { weekday: weekdays[date.getUTCDay()] ?? "", day, month, year, time }
}

describe("any second from now on is read back", () => {
  const century = instant(now, Date.UTC(2126, 0, 1))
  const readsBack = (value: string, date: Date) => assert.strictEqual(millisOf(value), date.getTime() - now, value)

  it.prop("as an IMF-fixdate", [instant(now, Date.UTC(9999, 11, 31))], ([date]) => readsBack(date.toUTCString(), date))

  it.prop("in the form of asctime", [century], ([date]) => {
    const { day, month, time, weekday, year } = partsOf(date)
    readsBack(`${weekday.slice(0, 3)} ${month} ${day.replace(/^0/, " ")} ${time} ${year}`, date)
  })

  it.prop("in the form of RFC 850, within its half century", [instant(now, Date.UTC(2076, 11, 31))], ([date]) => {
    const { day, month, time, weekday, year } = partsOf(date)
    readsBack(`${weekday}, ${day}-${month}-${year.slice(2)} ${time} GMT`, date)
  })

  it.prop("in seconds", [fc.nat(999_999_999)], ([seconds]) => {
    assert.strictEqual(millisOf(String(seconds)), seconds * 1000)
  })
})

it.prop("a date in the past means no wait", [instant(0, now)], ([date]) => {
  assert.strictEqual(millisOf(date.toUTCString()), 0)
})

it.prop(
  "any text at all is a wait of whole milliseconds, or ignored",
  [
    fc.oneof(
      fc.string({ unit: character }),
      fc.stringMatching(/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/),
      fc.stringMatching(/^(Mon|Sunday),? (Feb|Sep) [ \d]\d \d{2}:\d{2}:\d{2} \d{2,4}$/)
    ),
    fc.date({ noInvalidDate: true })
  ],
  ([value, at]) => {
    const millis = millisOf(value, at.getTime()) ?? 0
    assert.isTrue(Number.isSafeInteger(millis))
    assert.isAtLeast(millis, 0)
  }
)
