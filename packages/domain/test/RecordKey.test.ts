/**
 * Keys of records: what may be sent, what a refusal names, and keys made of any text.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import { character } from "../../../vitest.text.js"
import { escapeRecordKey, parseRecordKey, quote, unescapeRecordKey, ValidRecordKey } from "../src/index.js"

const LEGAL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!-_.'()"

const problemOf = (key: string): string =>
  Either.match(parseRecordKey(key), { onLeft: ({ problem }) => problem, onRight: () => assert.fail("it is valid") })

const anyText = fc.oneof(
  fc.string({ unit: character }),
  fc.string({ unit: fc.constantFrom("\ud800", ".", "!", "(", "a") })
)

/** As untyped code calls it. */
const untyped = <A>(f: (text: string) => A, value: unknown): A => Reflect.apply(f, undefined, [value])

const noText = [undefined, null, 5, true, {}, [], ["a"], Symbol("a"), 1n, () => "a"]

it("no other value than text is or has a key", () => {
  for (const value of noText) {
    for (const toKey of [parseRecordKey, escapeRecordKey]) {
      const problem = Either.match(untyped(toKey, value), { onLeft: ({ problem }) => problem, onRight: () => "" })
      assert.strictEqual(problem, "it is not text")
    }
    assert.isTrue(Option.isNone(untyped(unescapeRecordKey, value)))
  }
})

describe("a key", () => {
  it.each(["a", "OUTPUT", "weird-key!'()", "...", ".a", "A".repeat(256), LEGAL])("may be %j", (key) => {
    assert.deepStrictEqual(parseRecordKey(key), Either.right(ValidRecordKey.make(key)))
  })

  it.each([
    ["", "it is empty"],
    [".", "in a URL it means another path"],
    ["..", "in a URL it means another path"],
    ["a".repeat(257), "it has 257 characters, and at most 256 are allowed"],
    ["a/b", 'the character "/" (U+002F) at position 2 is not allowed'],
    ["%2e", 'the character "%" (U+0025) at position 1 is not allowed'],
    ["a\0", "(U+0000) at position 2 is not allowed"],
    ["my key", 'the character " " (U+0020) at position 3 is not allowed'],
    ["ключ", 'the character "к" (U+043A) at position 1 is not allowed'],
    ["a😀b\n", 'the character "😀" (U+1F600) at position 2 is not allowed'],
    ["ab\ud800", "(U+D800) at position 3 is not allowed"]
  ])("is not %j, and the error says why", (key, problem) => {
    assert.include(problemOf(key), problem)
  })

  it("has no other ASCII character", () => {
    for (let code = 0; code < 128; code++) {
      const character = String.fromCharCode(code)
      assert.strictEqual(Either.isRight(parseRecordKey(`a${character}`)), LEGAL.includes(character), character)
    }
  })

  it.prop("is one path segment to a URL parser, as it stands", [ValidRecordKey], ([key]) => {
    const url = `https://api.apify.com/v2/key-value-stores/x/records/${key}`
    assert.strictEqual(new URL(url).href, url)
  })

  it("is text", () => {
    for (const value of [undefined, null, 1, ["OUTPUT"], { toString: () => "OUTPUT" }]) {
      assert.isTrue(Either.isLeft(Reflect.apply(parseRecordKey, undefined, [value])))
    }
  })
})

describe("an error", () => {
  it.prop("shows what was given, quoted and cut", [anyText], ([text]) => {
    const tooLong = text + "/".repeat(86)
    const results = [
      [`${text}/`, parseRecordKey(`${text}/`)],
      [tooLong, escapeRecordKey(tooLong)]
    ] as const
    for (const [given, result] of results) {
      assert.strictEqual(Either.isLeft(result) ? result.left.key : "", quote(given))
    }
  })

  it("of a text that is too long once escaped says how long it would be", () => {
    const problem = Either.match(escapeRecordKey("/".repeat(86)), { onLeft: ({ problem }) => problem, onRight: String })
    assert.strictEqual(problem, "once escaped it has 258 characters, and at most 256 are allowed")
  })
})

describe("an escaped key", () => {
  it.each([
    ["", "!"],
    [".", "!2e"],
    ["..", "!2e."],
    [".a", "!2ea"],
    ["a.b_c-d", "a.b_c-d"],
    ["https://apify.com/", "https!3a!2f!2fapify.com!2f"],
    ["it's!", "it!27s!21"],
    ["ключ", "(043a(043b(044e(0447"],
    ["\ud800", "(d800"]
  ])("of %j is %j", (text, key) => {
    assert.deepStrictEqual(escapeRecordKey(text), Either.right(ValidRecordKey.make(key)))
  })

  it.prop("is valid, and read back as the same text", [anyText], ([text]) => {
    const key = escapeRecordKey(text)
    if (Either.isLeft(key)) {
      // No unit takes more than five characters.
      assert.isAbove(text.length, 51)
      return
    }
    assert.isTrue(Either.isRight(parseRecordKey(key.right)))
    assert.deepStrictEqual(unescapeRecordKey(key.right), Option.some(text))
  })

  it.prop("of a prefix is a prefix of it", [anyText, anyText], ([prefix, rest]) => {
    fc.pre(prefix !== "")
    const keys = Either.all([escapeRecordKey(prefix), escapeRecordKey(prefix + rest)])
    if (Either.isRight(keys)) assert.isTrue(keys.right[1].startsWith(keys.right[0]))
  })

  it.prop("is the only one of its text", [ValidRecordKey], ([key]) => {
    Option.match(unescapeRecordKey(key), {
      onNone: () => undefined,
      onSome: (text) => assert.deepStrictEqual(escapeRecordKey(text), Either.right(key))
    })
  })

  it.each(["a!b", "!61", "(0061", "!2E", "a/b", "", "!!", "."])("is none of %j", (key) => {
    assert.deepStrictEqual(unescapeRecordKey(key), Option.none())
  })

  it("is refused where it would be too long", () => {
    assert.isTrue(Either.isRight(escapeRecordKey("/".repeat(85))))
    assert.isTrue(Either.isLeft(escapeRecordKey("/".repeat(86))))
  })
})
