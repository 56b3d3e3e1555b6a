/**
 * JSON values from outside, limited in depth and free of keys that could change a prototype.
 *
 * @since 0.1.0
 */

import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/**
 * Any JSON value.
 *
 * @since 0.1.0
 * @category models
 */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | JsonObject

/**
 * A JSON object.
 *
 * @since 0.1.0
 * @category models
 */
export interface JsonObject {
  readonly [key: string]: Json
}

/**
 * How many levels deep a JSON value may nest: more than any document needs, and far fewer than overflow the stack.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_JSON_DEPTH = 256

/** Keys that could change an object's prototype. */
const isUnsafeKey = (key: string): boolean => key === "__proto__" || key === "constructor"

const isJson = (value: unknown, depth = 0): value is Json => {
  if (depth > MAX_JSON_DEPTH) return false
  switch (typeof value) {
    case "string":
    case "boolean":
      return true
    case "number":
      return Number.isFinite(value)
    case "object":
      if (value === null) return true
      return Array.isArray(value)
        ? value.every((item) => isJson(item, depth + 1))
        : Object.entries(value).every(([key, item]) => !isUnsafeKey(key) && isJson(item, depth + 1))
    default:
      return false
  }
}

const isJsonObject = (value: unknown): value is JsonObject => Predicate.isRecord(value) && isJson(value)

const withoutUnsafeKeys = (value: unknown, depth = 0): unknown => {
  if (typeof value !== "object" || value === null || depth > MAX_JSON_DEPTH) return value
  return Array.isArray(value)
    ? value.map((item) => withoutUnsafeKeys(item, depth + 1))
    : Object.fromEntries(
        Object.entries(value)
          .filter(([key]) => !isUnsafeKey(key))
          .map(([key, item]) => [key, withoutUnsafeKeys(item, depth + 1)])
      )
}

const description = `a JSON object, at most ${MAX_JSON_DEPTH} levels deep`

const JsonObjectFromSelf = Schema.declare(isJsonObject, {
  identifier: "JsonObjectFromSelf",
  description,
  arbitrary: () => (fc) =>
    fc.dictionary(
      fc.string().filter((key) => !isUnsafeKey(key)),
      fc.jsonValue().filter((value) => isJson(value)),
      { maxKeys: 5 }
    ),
  equivalence: () => (a, b) => JSON.stringify(a) === JSON.stringify(b)
})

/**
 * A JSON object. Decoding drops keys that could change a prototype (`__proto__`, `constructor`) at any depth, and refuses
 * objects that nest deeper than `MAX_JSON_DEPTH`.
 *
 * @example
 * ```ts
 * import { JsonObject } from "@effect-apify/domain"
 * import * as Schema from "effect/Schema"
 *
 * Schema.decodeUnknownSync(JsonObject)(JSON.parse('{"title":"Pages","__proto__":{}}')) // { title: "Pages" }
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const JsonObject = Schema.transformOrFail(Schema.Unknown, JsonObjectFromSelf, {
  strict: true,
  decode: (input, _, ast) => {
    const value = withoutUnsafeKeys(input)
    return isJsonObject(value) ? ParseResult.succeed(value) : ParseResult.fail(new ParseResult.Type(ast, input))
  },
  encode: (object) => ParseResult.succeed(object)
}).annotations({ identifier: "JsonObject", description })

/**
 * A field that may be absent or `null`, and what `None` is encoded to. `Schema.optionalWith` makes the same, but takes 1.3 kB of
 * a bundle for all that it can make.
 *
 * @internal
 */
export const optionalOr = <A, I>(schema: Schema.Schema<A, I>, none: Option.Option<null>) =>
  Schema.optionalToRequired(Schema.NullishOr(schema), Schema.OptionFromSelf(Schema.typeSchema(schema)), {
    decode: Option.filter(Predicate.isNotNullable),
    encode: Option.orElse(() => none)
  }).pipe(Schema.withConstructorDefault(() => Option.none()))

/**
 * A field that may be absent or `null`; encoding `None` leaves it out.
 *
 * @internal
 */
export const optional = <A, I>(schema: Schema.Schema<A, I>) => optionalOr(schema, Option.none())
