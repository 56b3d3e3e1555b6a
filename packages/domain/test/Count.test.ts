/**
 * Whole numbers and time spans that travel as JSON: what is one, and that none is rounded.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Count, Milliseconds } from "../src/index.js"

describe("a count", () => {
  it.each([0, 1, 9, 2 ** 31, 2 ** 32, 2 ** 53 - 1])("may be %d", (count) => {
    assert.deepStrictEqual(Schema.decodeUnknownEither(Count)(count), Either.right(count))
  })

  it.each(["-1", "0.5", "1e-7", "9007199254740992", "9007199254740993", "1e21", "1e400", '"9"', "true", "[]", "{}"])(
    "is refused, not rounded, where the JSON says %s",
    (json) => {
      assert.isTrue(Either.isLeft(Schema.decodeUnknownEither(Count)(JSON.parse(json))))
    }
  )

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("is not %d", (number) => {
    assert.isFalse(Schema.is(Count)(number))
  })
})

describe("milliseconds", () => {
  it.each([0, 1, 250, 2 ** 53 - 1])("may be %d", (millis) => {
    assert.strictEqual(Duration.toMillis(Schema.decodeSync(Milliseconds)(millis)), millis)
  })

  it("are whole and finite", () => {
    const is = Schema.is(Milliseconds)
    for (const duration of [Duration.infinity, Duration.micros(1500n), Duration.millis(0.5)]) {
      assert.isFalse(is(duration))
    }
    for (const millis of [-1, 0.5, 2 ** 53]) assert.throws(() => Schema.decodeSync(Milliseconds)(millis))
  })
})
