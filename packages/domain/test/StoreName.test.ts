/**
 * Names of stores: what is one, and what a refusal says of one that is not.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { character } from "../../../vitest.text.js"
import { parseStoreName, quote, StoreName } from "../src/index.js"

const refused = (name: string) =>
  Either.match(parseStoreName(name), { onLeft: (error) => error, onRight: () => assert.fail("it is a name") })

describe("a name", () => {
  it.prop("is read as it is", [StoreName], ([name]) => {
    assert.deepStrictEqual(parseStoreName(name), Either.right(name))
  })

  it.prop(
    "is refused if the schema refuses it, and is shown quoted and cut",
    [fc.string({ unit: character })],
    ([text]) => {
      if (!Schema.is(StoreName)(text)) assert.strictEqual(refused(text).storeName, quote(text))
    }
  )

  it.each([
    ["", "it is empty"],
    ["-a", "it begins with a hyphen"],
    ["a-", "it ends with a hyphen"],
    ["a_b", 'the character "_" (U+005F) at position 2 is not allowed'],
    ["a".repeat(64), "it has 64 characters, and at most 63 are allowed"]
  ])("is not %j, and the error says why", (name, problem) => {
    const error = refused(name)
    assert.strictEqual(error.problem, problem)
    assert.include(error.message, `${quote(name)} is not a store name: ${problem}.`)
  })

  it.each([undefined, null, 5, true, {}, ["a"], Symbol("a"), 1n])("is text: %o is none", (value) => {
    const parsed: ReturnType<typeof parseStoreName> = Reflect.apply(parseStoreName, undefined, [value])
    assert.strictEqual(Either.isLeft(parsed) ? parsed.left.problem : "", "it is not text")
  })
})
