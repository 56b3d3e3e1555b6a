/**
 * JSON objects from outside: what could harm is dropped or refused.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { JsonObject, MAX_JSON_DEPTH, Store, StoreBody } from "../src/index.js"

const decode = Schema.decodeUnknownEither(JsonObject)
const read = (text: string): JsonObject => Schema.decodeUnknownSync(JsonObject)(JSON.parse(text))

/** `{"a":{"a":…1…}}`, so many objects deep. */
const nested = (levels: number): string => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`

describe("a JSON object", () => {
  it.each(["{}", '{"a":null}', '{"a":[1,"b",{"c":[[]]}],"":true}', '{"toString":1,"hasOwnProperty":{}}'])(
    "%s is read as it is",
    (text) => {
      assert.strictEqual(JSON.stringify(read(text)), text)
    }
  )

  it.each([["null"], ["[]"], ['"{}"'], ["1"], ["true"]])("is not %s", (text) => {
    assert.isTrue(Either.isLeft(decode(JSON.parse(text))))
  })

  it("holds nothing that JSON has no word for", () => {
    for (const value of [undefined, Number.NaN, Number.POSITIVE_INFINITY, 1n, Symbol("a"), () => 1]) {
      assert.isTrue(Either.isLeft(decode({ a: value })))
      assert.isTrue(Either.isLeft(decode({ a: [{ b: value }] })))
    }
  })
})

describe("keys that reach a prototype", () => {
  it.each([
    ['{"__proto__":{"polluted":true},"a":1}', '{"a":1}'],
    ['{"constructor":{"prototype":{"polluted":true}},"a":1}', '{"a":1}'],
    ['{"a":{"__proto__":{"polluted":true},"b":[{"constructor":1,"c":2}]}}', '{"a":{"b":[{"c":2}]}}'],
    ['{"__proto__":null}', "{}"],
    ['{"\\u005f_proto__":{"polluted":true}}', "{}"]
  ])("%s is read as %s", (text, expected) => {
    assert.strictEqual(JSON.stringify(read(text)), expected)
  })

  it.prop("are dropped at any depth, and change no prototype", [poisoned()], ([text]) => {
    const object = read(text)
    assert.notMatch(JSON.stringify(object), /polluted|"(__proto__|constructor)":/)
    assert.strictEqual(Object.getPrototypeOf(object), Object.prototype)
    assert.notProperty({}, "polluted")
    assert.notProperty(Object, "polluted")
  })

  it.each(['{"__proto__":1}', '{"a":[{"constructor":1}]}'])("are in no value of the schema: %s", (text) => {
    assert.isFalse(Schema.is(JsonObject)(JSON.parse(text)))
  })

  it("give a store no field that it does not have", () => {
    const fields = '"createdAt":"2019-12-12T07:34:14Z","modifiedAt":"2019-12-12T07:34:14Z"'
    const store = `{"id":"x",${fields},"accessedAt":"2019-12-12T07:34:14Z","__proto__":{"title":"polluted"}}`
    const decoded = Schema.decodeUnknownSync(Store)(JSON.parse(store))
    assert.notInclude(JSON.stringify(decoded), "polluted")
    assert.strictEqual(Object.getPrototypeOf(decoded), Store.prototype)
    const inherited = `{${fields},"__proto__":{"id":"x","accessedAt":"2019-12-12T07:34:14Z"}}`
    assert.isTrue(Either.isLeft(Schema.decodeUnknownEither(Store)(JSON.parse(inherited))))
  })
})

describe("nesting", () => {
  it("may be as deep as the limit, and no deeper", () => {
    assert.isTrue(Either.isRight(decode(JSON.parse(nested(MAX_JSON_DEPTH)))))
    assert.isTrue(Either.isLeft(decode(JSON.parse(nested(MAX_JSON_DEPTH + 1)))))
  })

  it("of arrays counts as that of objects", () => {
    const lists = (levels: number): string => `{"a":${"[".repeat(levels)}${"]".repeat(levels)}}`
    assert.isTrue(Either.isRight(decode(JSON.parse(lists(MAX_JSON_DEPTH)))))
    assert.isTrue(Either.isLeft(decode(JSON.parse(lists(MAX_JSON_DEPTH + 1)))))
    assert.isTrue(Either.isLeft(decode(JSON.parse(lists(100_000)))))
  })

  it("100,000 deep is refused, and the stack holds", () => {
    assert.isTrue(Either.isLeft(decode(JSON.parse(nested(100_000)))))
  })

  it.each([...Object.keys(Store.fields), "unknown"])("100,000 deep in a store's %s does not overflow", (field) => {
    const text = `{"data":{"id":"x","createdAt":"2019-12-12T07:34:14Z","modifiedAt":"2019-12-12T07:34:14Z",
      "accessedAt":"2019-12-12T07:34:14Z","${field}":${nested(100_000)}}}`
    const result = Schema.decodeUnknownEither(StoreBody)(JSON.parse(text), { errors: "all" })
    assert.strictEqual(Either.isRight(result), field === "unknown" || field === "stats")
  })

  it("without end is refused", () => {
    const circle: Record<string, unknown> = {}
    circle.a = [circle]
    assert.isTrue(Either.isLeft(decode(circle)))
  })
})

/** The text of an object with keys among its own, somewhere, that reach a prototype. */
function poisoned(): fc.Arbitrary<string> {
  const key = fc.oneof(fc.constantFrom("__proto__", "constructor"), fc.stringMatching(/^[a-z]{0,3}$/))
  const { object } = fc.letrec<{ object: string; value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      fc.constantFrom("null", "1", '{"prototype":{}}'),
      tie("object"),
      fc.array(tie("value"), { maxLength: 3 }).map((values) => `[${values.join()}]`)
    ),
    object: fc
      .array(fc.tuple(key, tie("value")), { maxLength: 4 })
      .map((entries) => `{${entries.map(([name, value]) => `"${name}":${value}`).join()}}`)
  }))
  return object.map((text) => text.replace(/^\{/, '{"__proto__":{"polluted":true},"x":0,').replace(/,\}$/, "}"))
}
