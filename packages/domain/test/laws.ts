/**
 * What holds of every schema whose values travel as JSON, as properties to check of any of them.
 */
import { assert } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type { Json } from "../src/index.js"

/** What is left of an encoded value when it has been written down and read again. */
const throughText = (encoded: unknown): unknown => JSON.parse(JSON.stringify(encoded))

const show = (json: unknown): string => JSON.stringify(json)

const expectRight = <A>(result: Either.Either<A, ParseResult.ParseError>, when: string): A =>
  Either.getOrThrowWith(result, (error) => new Error(`${when}: ${error.message}`))

const roundTrip = <A, I>(schema: Schema.Schema<A, I>, value: A): void => {
  const encode = Schema.encodeEither(schema)
  const encoded = throughText(expectRight(encode(value), "a valid value does not encode"))
  const decoded = expectRight(Schema.decodeUnknownEither(schema)(encoded), `${show(encoded)} does not decode`)
  const isSame = Schema.equivalence(schema)(decoded, value)
  assert.isTrue(isSame, `${show(encoded)} decodes to another value, ${fc.stringify(decoded)}`)
  const again = throughText(expectRight(encode(decoded), "a decoded value does not encode"))
  assert.deepStrictEqual(again, encoded, "the decoded value encodes to other JSON")
}

/** The schema's generator makes nothing but values of the schema. */
export const generatesItsOwnValues = <A, I>(schema: Schema.Schema<A, I>): fc.IProperty<[A]> => {
  const is = Schema.is(Schema.typeSchema(schema))
  return fc.property(Arbitrary.make(schema), (value) => {
    assert.isTrue(is(value), "the generated value is none of the schema's")
  })
}

/** Decode after encode is the identity, with real JSON text in between. */
export const roundTrips = <A, I>(schema: Schema.Schema<A, I>): fc.IProperty<[A]> =>
  fc.property(Arbitrary.make(schema), (value) => roundTrip(schema, value))

/**
 * Any JSON at all decodes to a value, which is one of the schema's and round-trips, or else to an error that can be
 * shown. Nothing is thrown.
 */
export const decodesAnyJson = <A, I>(schema: Schema.Schema<A, I>): fc.IProperty<[Json]> => {
  const decode = Schema.decodeUnknownEither(schema)
  const is = Schema.is(Schema.typeSchema(schema))
  return fc.property(fc.oneof(anyJson, nearlyValid(schema)), (json) => {
    fc.pre(!isBeyondEffect(schema, json))
    Either.match(decode(json), {
      onLeft: (error) => {
        assert.isTrue(ParseResult.isParseError(error))
        assert.isNotEmpty(error.message)
        assert.isNotEmpty(ParseResult.ArrayFormatter.formatErrorSync(error))
      },
      onRight: (value) => {
        assert.isTrue(is(value), `${fc.stringify(value)} was decoded, and is none of the schema's values`)
        roundTrip(schema, value)
      }
    })
  })
}

/**
 * Effect 3.22 finds the member of a union by `String` of the tag, which throws where the tag is `{"toString":null}`.
 */
const isBeyondEffect = <A, I>(schema: Schema.Schema<A, I>, json: Json): boolean =>
  SchemaAST.isUnion(schema.ast) && show(json).includes('"toString"')

/** Values that are equivalent are the same in JSON, but for the case of names. */
export const differsInJson = <A, I>(schema: Schema.Schema<A, I>): fc.IProperty<[A, A]> => {
  const isSame = Schema.equivalence(schema)
  const encode = Schema.encodeSync(schema)
  return fc.property(Arbitrary.make(schema), Arbitrary.make(schema), (one, other) => {
    if (!isSame(one, other)) return
    const [json, otherJson] = [show(encode(one)).toLowerCase(), show(encode(other)).toLowerCase()]
    assert.strictEqual(json, otherJson, "equivalent values encode to other JSON")
  })
}

/** A law by its words, and its assertion. */
export type Law = readonly [name: string, check: <A, I>(schema: Schema.Schema<A, I>) => void]

/** Every law. */
export const laws: ReadonlyArray<Law> = [
  ["generates its own values", (schema) => fc.assert(generatesItsOwnValues(schema))],
  ["round-trips through JSON", (schema) => fc.assert(roundTrips(schema))],
  ["tells values apart whose JSON differs", (schema) => fc.assert(differsInJson(schema))],
  ["decodes any JSON to a value or a ParseError", (schema) => fc.assert(decodesAnyJson(schema))]
]

/** JSON of every kind, and what the schemas here are most likely to trip over. */
export const anyJson: fc.Arbitrary<Json> = fc.oneof(
  fc.json().map((text): Json => JSON.parse(text)),
  fc.constantFrom<Json>(null, "", 0, -0, -1, 0.5, 2 ** 53, 1e308, "__proto__", "\u0000", "\ud800", [], {}),
  fc.constantFrom<Json>(
    JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{}}}'),
    JSON.parse('{"toString":null,"valueOf":1,"toJSON":{},"then":true,"length":-1}')
  )
)

/** JSON that the schema encoded, with one part of it dropped, set to null or replaced. */
export const nearlyValid = <A, I>(schema: Schema.Schema<A, I>): fc.Arbitrary<Json> =>
  Arbitrary.make(schema)
    .map((value): Json => JSON.parse(JSON.stringify(Schema.encodeSync(schema)(value))))
    .chain((json) =>
      fc
        .tuple(
          fc.constantFrom(...pathsOf(json)),
          fc.oneof(
            fc.constant({ _tag: "Drop" } as const),
            fc.record({
              _tag: fc.constant("Replace" as const),
              by: fc.oneof(fc.constant(null), anyJson)
            })
          )
        )
        .map(([path, change]) => changed(json, path, change))
    )

type Change = { readonly _tag: "Drop" } | { readonly _tag: "Replace"; readonly by: Json }

const pathsOf = (json: Json): ReadonlyArray<ReadonlyArray<string>> =>
  typeof json === "object" && json !== null
    ? [[], ...Object.entries(json).flatMap(([key, part]) => pathsOf(part).map((path) => [key, ...path]))]
    : [[]]

const changed = (json: Json, [key, ...rest]: ReadonlyArray<string>, change: Change): Json => {
  if (key === undefined) return change._tag === "Replace" ? change.by : null
  if (typeof json !== "object" || json === null) return json
  const isDropped = rest.length === 0 && change._tag === "Drop"
  const entries = Object.entries(json).flatMap(([name, part]): ReadonlyArray<[string, Json]> => {
    if (name !== key) return [[name, part]]
    return isDropped ? [] : [[name, changed(part, rest, change)]]
  })
  return Array.isArray(json) ? entries.map(([, part]) => part) : Object.fromEntries(entries)
}
