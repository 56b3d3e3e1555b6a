/**
 * The laws of `laws.ts`, of every schema that the package exports, and that they can fail.
 */
import { readdirSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { decodesAnyJson, differsInJson, generatesItsOwnValues, laws, roundTrips } from "./laws.js"

const isCodec = (value: unknown): value is Schema.Schema<unknown, unknown> => Schema.isSchema(value)

const SOURCES = `${import.meta.dirname}/../src`

/** All that can be imported: the index, and each module by itself. Those in `internal` cannot. */
const modules: ReadonlyArray<object> = await Promise.all(
  readdirSync(SOURCES)
    .filter((file) => file.endsWith(".ts"))
    .map((file) => import(`${SOURCES}/${file}`))
)

/** What they export, once: the index exports again what the others do. */
const exported = modules
  .flatMap((module) => Object.entries(module))
  .filter(([name, value], index, all) => all.findIndex((other) => other[0] === name && other[1] === value) === index)

const codecs = exported.flatMap(([name, value]) => (isCodec(value) ? [{ name, codec: value }] : []))

/** Its schema is `PublicUrlFromString`. */
const isPlainClass = (name: string): boolean => name === "PublicUrl"

describe("the walk over the exports", () => {
  it("finds the schemas", () => {
    assert.isAtLeast(codecs.length, 42)
    assert.includeMembers(
      codecs.map(({ name }) => name),
      [
        "ApiErrorBody",
        "CallError",
        "GaveUp",
        "GeneralAccess",
        "JsonObject",
        "Problem",
        "Requester",
        "Right",
        "Store"
      ].concat(
        ["StoreBody", "Milliseconds", "PublicUrlFromString", "StoreId", "StoreRef", "StoreRefFromString"],
        ["StoreStats", "TimeoutError", "Timestamp", "UnknownAccessLevel", "Username"]
      )
    )
  })

  it("takes every export with the name of a type for a schema", () => {
    const named = exported.flatMap(([name, value]) =>
      /^[A-Z][a-z]/.test(name) && typeof value !== "symbol" && !isPlainClass(name) ? [name] : []
    )
    assert.sameMembers(
      codecs.map(({ name }) => name),
      named
    )
  })
})

describe.each(codecs)("$name", ({ codec }) => {
  it.each(laws)("%s", (_, check) => {
    check(codec)
  })
})

describe("the one exception to the laws", () => {
  // Effect's bug: when this fails it is mended there, and the exception in laws.ts can go.
  const unions = codecs.filter(({ name }) => ["StoreRef", "CallError", "StoreError", "RecordError"].includes(name))

  it.each(unions)("is a tag of $name that can't be made a text, which throws in Effect 3.22", ({ codec }) => {
    const json = JSON.parse('{"_tag":{"toString":null}}')
    assert.throws(() => Schema.decodeUnknownEither(codec)(json), /Cannot convert object to primitive value/)
  })
})

describe("the laws hold of a good schema", () => {
  it.each(laws)("%s", (_, check) => {
    check(Schema.Struct({ id: Schema.NonEmptyString, tags: Schema.Array(Schema.Int) }))
  })
})

/** What fast-check reports of a property that fails. */
const counterexample = <Values>(property: fc.IProperty<Values>): string =>
  // As many runs as it takes, however few the laws get.
  fc.defaultReportMessage(fc.check(property, { numRuns: 5000 })) ?? "none: the law holds"

describe("the laws fail for a broken schema", () => {
  const Even = Schema.declare((value: unknown): value is number => typeof value === "number" && value % 2 === 0, {
    arbitrary: () => (fc) => fc.integer()
  })

  const lossy = Schema.transform(Schema.Struct({ word: Schema.String }), Schema.Struct({ word: Schema.String }), {
    strict: true,
    decode: (value) => value,
    encode: ({ word }) => ({ word: word.slice(0, 3) })
  })

  const growing = Schema.transform(Schema.String, Schema.String.annotations({ equivalence: () => () => true }), {
    strict: true,
    decode: (word) => word,
    encode: (word) => `${word}!`
  })

  const oneWay = Schema.transformOrFail(Schema.String, Schema.String, {
    strict: true,
    decode: ParseResult.succeed,
    encode: (word, _, ast) => ParseResult.fail(new ParseResult.Forbidden(ast, word))
  })

  const throwing = Schema.transform(Schema.String, Schema.String, {
    strict: true,
    decode: (text) => new URL(text, "https://api.apify.com:99999").href,
    encode: (text) => text
  })

  const throwingAtNull = Schema.transform(Schema.Struct({ words: Schema.NullOr(Schema.String) }), Schema.Int, {
    strict: true,
    decode: ({ words }) => String(words).concat(words === null ? assert.fail("words is null") : "").length,
    encode: (length) => ({ words: "x".repeat(Math.abs(length % 10)) })
  })

  const unspeakable = Schema.Number.annotations({ arbitrary: () => (fc) => fc.constantFrom(0, Number.NaN) })

  it.each([
    ["a generator that breaks its filter", () => counterexample(generatesItsOwnValues(Even)), /none of the schema's/],
    ["an encoding that loses something", () => counterexample(roundTrips(lossy)), /"word".* decodes to another value/],
    ["an encoding that is not JSON", () => counterexample(roundTrips(Schema.BigIntFromSelf)), /BigInt/],
    ["a value that JSON has no word for", () => counterexample(roundTrips(unspeakable)), /null does not decode/],
    ["an equivalence that is too lax", () => counterexample(roundTrips(growing)), /encodes to other JSON/],
    ["an equivalence of all values", () => counterexample(differsInJson(growing)), /equivalent values encode/],
    ["a value that does not encode", () => counterexample(roundTrips(oneWay)), /a valid value does not encode/],
    ["a decoding that throws", () => counterexample(decodesAnyJson(throwing)), /Invalid (base )?URL/],
    ["a decoding that throws at null", () => counterexample(decodesAnyJson(throwingAtNull)), /words is null/]
  ])("%s", (_, report, says) => {
    assert.match(report(), says)
  })
})
