/**
 * Header values, read as RFC 9110 defines them: white space, lists, quotes, and the same line twice.
 */
import * as Headers from "@effect/platform/Headers"
import { assert, describe, it } from "@effect/vitest"
import { assertEquals } from "@effect/vitest/utils"
import * as Duration from "effect/Duration"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import { character } from "../../../vitest.text.js"
import { parseRetryAfter } from "../src/index.js"
import { contentEncodings, contentLength, contentType, rateLimit, retryAfter } from "../src/internal/headerValue.js"

const space = fc.stringMatching(/^[ \t]{0,4}$/)

/** The lines of a header as one value, with white space that means nothing. */
const joined = (lines: ReadonlyArray<string>) =>
  fc
    .tuple(...lines.map((line) => fc.tuple(space, space).map(([before, after]) => `${before}${line}${after}`)))
    .map((lines) => lines.join(","))

/** One line, or the same line several times. */
const repeated = (line: string) => fc.integer({ min: 1, max: 3 }).chain((times) => joined(Array(times).fill(line)))

const differing = (item: fc.Arbitrary<string>) =>
  fc.uniqueArray(item, { minLength: 2, maxLength: 4 }).chain((lines) => joined(lines))

const anyValue = fc.oneof(
  fc.string({ unit: character, maxLength: 60 }),
  fc
    .array(fc.constantFrom("a/b", "charset", "=", '"', "\\", ";", ",", " ", "\t", "1", "0", "gzip", "GMT"), {
      maxLength: 12
    })
    .map((parts) => parts.join(""))
)

describe("Content-Type", () => {
  const typeOf = (value: string) =>
    Option.getOrNull(
      Option.map(contentType({ "content-type": value }), ({ charset, type }) => [type, Option.getOrNull(charset)])
    )

  const token = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}$/)
  const type = fc.tuple(token, token).map((names) => names.join("/"))
  const otherName = token.filter((name) => name.toLowerCase() !== "charset")
  const quoted = fc.string({ unit: "grapheme-ascii", maxLength: 12 })
  const quote = (text: string) => `"${text.replace(/["\\]/g, "\\$&")}"`
  const otherParameter = fc.tuple(otherName, fc.oneof(token, quoted.map(quote))).map((pair) => pair.join("="))
  const spelling = fc.constantFrom("charset", "Charset", "CHARSET")

  it.prop(
    "is a type and a charset, among other parameters",
    [
      type,
      fc.array(otherParameter, { maxLength: 3 }),
      fc.oneof(token, quoted),
      spelling,
      fc.array(otherParameter),
      space
    ],
    ([type, before, charset, spelling, after, space]) => {
      const isToken = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(charset)
      const written = [`${spelling}=${quote(charset)}`, ...(isToken ? [`${spelling}=${charset}`] : [])]
      for (const parameter of written) {
        const value = [type, ...before, parameter, ...after].join(`${space};${space}`)
        assert.deepStrictEqual(typeOf(value), [type.toLowerCase(), charset.toLowerCase()], value)
        assert.deepStrictEqual(typeOf(`${value}, ${value}`), [type.toLowerCase(), charset.toLowerCase()], value)
      }
    }
  )

  it.prop("has no charset where none is named", [type, fc.array(otherParameter)], ([type, parameters]) => {
    assert.deepStrictEqual(typeOf([type, ...parameters].join(";")), [type.toLowerCase(), null])
  })

  it.prop("is none where two types differ", [differing(type)], ([value]) => {
    assert.isNull(typeOf(value))
  })

  it.each<readonly [value: string, type: string | null, charset: string | null]>([
    ["application/json", "application/json", null],
    ["Application/JSON; Charset=UTF-8", "application/json", "utf-8"],
    ["application/json;charset=utf-8", "application/json", "utf-8"],
    ['application/json ;\tcharset="utf-8" ;', "application/json", "utf-8"],
    ["application/json; charset = utf-8", "application/json", "utf-8"],
    ["application/json; charset=utf-16; charset=utf-8", "application/json", "utf-16"],
    ['application/json; a="; charset=utf-16"; charset=utf-8', "application/json", "utf-8"],
    ['application/json; a="\\"; charset=utf-16"; charset=utf-8', "application/json", "utf-8"],
    ['application/json; charset="utf-8', "application/json", "utf-8"],
    ['application/json; a="x, y"', "application/json", null],
    ["application/json; charset", "application/json", null],
    ["application/json; charset=", "application/json", null],
    ["application/json;;", "application/json", null],
    ["application/problem+json", "application/problem+json", null],
    ["", null, null],
    ["json", null, null],
    ["application/", null, null],
    ["/json", null, null],
    ["application/json charset=utf-8", null, null],
    ["application / json", null, null],
    ["application/json, text/html", null, null],
    ["application/json\u00a0", null, null]
  ])("is read in %j", (value, type, charset) => {
    assert.deepStrictEqual(typeOf(value), type === null ? null : [type, charset])
  })

  it("is none where there is none", () => {
    assert.isTrue(Option.isNone(contentType({})))
  })
})

describe("Content-Encoding", () => {
  const encodingsOf = (value: string) => contentEncodings({ "content-encoding": value })
  const encoding = fc.constantFrom("gzip", "deflate", "br", "zstd", "compress", "unheard-of")

  it.prop("is a list in its order", [fc.array(encoding), fc.func(fc.boolean())], ([encodings, isUpper]) => {
    const written = encodings.map((name, index) => (isUpper(index) ? name.toUpperCase() : name))
    assert.deepStrictEqual(encodingsOf(written.join(", ")), encodings)
    assert.deepStrictEqual(encodingsOf(` ${written.join(",")}\t`), encodings)
  })

  it.each<readonly [value: string, encodings: ReadonlyArray<string>]>([
    ["", []],
    [" ", []],
    ["identity", []],
    ["Identity, GZIP", ["gzip"]],
    ["x-gzip", ["gzip"]],
    ["X-Compress", ["compress"]],
    [", gzip,, br ,", ["gzip", "br"]],
    ["gzip, gzip", ["gzip", "gzip"]]
  ])("is read in %j", (value, encodings) => {
    assert.deepStrictEqual(encodingsOf(value), encodings)
  })

  it("is empty where there is none", () => {
    assert.deepStrictEqual(contentEncodings({}), [])
  })
})

describe("a number", () => {
  const lengthOf = (value: string) => Option.getOrNull(contentLength({ "content-length": value }))
  const limitOf = (value: string) => Option.getOrNull(rateLimit({ "x-ratelimit-limit": value }))

  const number = fc.nat(999_999_999)
  const several = number.chain((number) => fc.tuple(fc.constant(number), repeated(String(number))))

  it.prop("of Content-Length is read, once or more often", [several], ([[number, value]]) => {
    assert.strictEqual(lengthOf(value), number)
  })

  it.prop("of X-RateLimit-Limit is read, once or more often", [several], ([[number, value]]) => {
    assert.strictEqual(limitOf(value), number === 0 ? null : number)
  })

  it.prop("that differs from line to line is none", [differing(number.map(String))], ([value]) => {
    assert.isNull(lengthOf(value))
    assert.isNull(limitOf(value))
  })

  it.prop("is whole and not negative, whatever was sent", [anyValue], ([value]) => {
    const isWhole = (number: number | null) => number === null || (Number.isInteger(number) && number >= 0)
    assert.isTrue(isWhole(lengthOf(value)))
    assert.isTrue(isWhole(limitOf(value)))
  })

  it.each([
    ["5, 5", 5],
    ["5,5", 5],
    ["5, 05", 5],
    ["0", 0],
    ["5, 6", null],
    ["-5", null],
    ["+5", null],
    ["5.0", null],
    ["5e3", null],
    ["0x5", null],
    ["5 5", null],
    ["٥", null],
    ["", null],
    [",", null]
  ])("of Content-Length is read in %j", (value, length) => {
    assert.strictEqual(lengthOf(value), length)
  })

  it("of Content-Length that no number can hold is greater than any", () => {
    assert.strictEqual(lengthOf("9".repeat(400)), Number.POSITIVE_INFINITY)
    assert.isAbove(lengthOf("9".repeat(20)) ?? 0, Number.MAX_SAFE_INTEGER)
    assert.isNull(lengthOf("9007199254740993, 9007199254740992"))
  })

  it.each([
    ["60, 60", 60],
    ["0", null],
    ["60, 200", null],
    ["60;w=1", null],
    ["1234567890", null]
  ])("of X-RateLimit-Limit is read in %j", (value, limit) => {
    assert.strictEqual(limitOf(value), limit)
  })

  it("is none where there is none", () => {
    assert.isTrue(Option.isNone(contentLength({})))
    assert.isTrue(Option.isNone(rateLimit({})))
  })
})

describe("Retry-After", () => {
  const now = Date.UTC(2026, 8, 30, 12, 0, 0)
  const millisOf = (headers: { readonly [name: string]: string }, at = now) =>
    Option.getOrNull(Option.map(retryAfter(headers, at), Duration.toMillis))
  const instant = fc
    .integer({ min: Date.UTC(1970, 0, 1) / 1000, max: Date.UTC(2200, 0, 1) / 1000 })
    .map((seconds) => seconds * 1000)
  const textOf = (at: number) => new Date(at).toUTCString()
  const wait = fc.integer({ min: -100_000, max: 100_000 }).map((seconds) => seconds * 1000)

  it.prop(
    "in a date is counted from the response's own Date, whatever the clock says",
    [instant, wait, instant],
    ([date, wait, now]) => {
      const headers = { date: textOf(date), "retry-after": textOf(date + wait) }
      if (date + wait < 0) return
      assert.strictEqual(millisOf(headers, now), Math.max(0, wait))
      assert.strictEqual(millisOf({ ...headers, date: `${textOf(date)}, ${textOf(date)}` }, now), Math.max(0, wait))
    }
  )

  it.prop("in seconds is counted from no date", [fc.nat(999_999_999), instant, instant], ([seconds, date, now]) => {
    assert.strictEqual(millisOf({ date: textOf(date), "retry-after": String(seconds) }, now), seconds * 1000)
  })

  it.prop(
    "is read as its value alone where there is no valid Date",
    [fc.oneof(anyValue, instant.map(textOf)), fc.option(anyValue, { nil: undefined }), instant],
    ([value, date, now]) => {
      const headers = { "retry-after": value, ...(date === undefined ? {} : { date }) }
      const trimmed = value.replace(/^[ \t]+|[ \t]+$/g, "")
      assertEquals(retryAfter(headers, now), parseRetryAfter(trimmed, now))
    }
  )

  it.each<readonly [value: string, millis: number | null]>([
    [" 2", 2000],
    ["2\t", 2000],
    [" Wed, 30 Sep 2026 12:00:05 GMT ", 5000],
    ["2, 2", null],
    ["2, 3", null],
    ["Wed, 30 Sep 2026 12:00:05 GMT, Wed, 30 Sep 2026 12:00:05 GMT", null],
    ["2\u00a0", null],
    ["2\n", null],
    ["", null]
  ])("is read in %j", (value, millis) => {
    assert.strictEqual(millisOf({ "retry-after": value }), millis)
  })

  it("is none where there is none", () => {
    assert.isNull(millisOf({}))
    assert.isNull(millisOf({ date: textOf(now) }))
  })
})

it("headers that undici gives as arrays are read", () => {
  const headers = Headers.fromInput({ "Content-Length": ["5", "5"], "Content-Type": ["text/plain", "text/plain"] })
  assert.strictEqual(Option.getOrNull(contentLength(headers)), 5)
  assert.strictEqual(Option.getOrThrow(contentType(headers)).type, "text/plain")
})

it.prop(
  "10 kB of anything are no Retry-After, and do no harm elsewhere",
  [fc.constantFrom(" ", "\t", ",", ";", '"', "\\", "=", "a=", '\\"', "9")],
  ([text]) => {
    const value = text.repeat(10_240)
    const headers = {
      "content-type": `a/b;${value}`,
      "content-encoding": value,
      "content-length": value,
      "retry-after": value
    }
    contentType(headers)
    contentEncodings(headers)
    contentLength(headers)
    rateLimit({ "x-ratelimit-limit": value })
    assert.isTrue(Option.isNone(retryAfter({ ...headers, date: value }, 0)))
  }
)
