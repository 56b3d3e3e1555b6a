/**
 * The schema of a store: its title, and the collections of its records.
 *
 * @since 0.1.0
 */
import { type JsonObject, JsonObject as JsonObjectSchema } from "@effect-apify/domain/Json"
import { formatProblem, problemsOf } from "@effect-apify/domain/Problem"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { compileJsonSchema } from "./JsonSchema.js"

const Distinct = Schema.NonEmptyArray(Schema.NonEmptyString)
  .pipe(Schema.filter((types) => new Set(types).size === types.length))
  .annotations({ identifier: "Distinct", description: "a list of different content types" })

const NotEmpty = Schema.NonEmptyString.annotations({ identifier: "NotEmpty", description: "a non-empty string" })

const DraftSchema = JsonObjectSchema.pipe(
  Schema.filter((jsonSchema) => Option.isSome(compileJsonSchema(jsonSchema)), {
    identifier: "DraftSchema",
    description: "a JSON schema of draft 07"
  })
)

const isJsonOnly = (contentTypes: ReadonlyArray<string> | undefined): boolean =>
  contentTypes?.length === 1 && contentTypes[0] === "application/json"

/**
 * The records of a store whose key is `key`, or starts with `keyPrefix`.
 *
 * Source: Apify's documentation of key-value store schemas.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Collection = Schema.Struct({
  title: Schema.optional(Schema.String),
  description: Schema.optional(Schema.String),
  /** The content types that its records may have; any, if it is left out. */
  contentTypes: Schema.optional(Distinct),
  key: Schema.optional(NotEmpty),
  keyPrefix: Schema.optional(NotEmpty),
  /** A JSON schema, draft 07. */
  jsonSchema: Schema.optional(DraftSchema)
}).pipe(
  Schema.filter(({ key, keyPrefix, jsonSchema, contentTypes }) => {
    if ((key === undefined) === (keyPrefix === undefined)) return "has not exactly one of key and keyPrefix"
    if (jsonSchema !== undefined && !isJsonOnly(contentTypes)) {
      return "has a jsonSchema without application/json as its only content type"
    }
    return undefined
  }),
  Schema.annotations({ identifier: "Collection" })
)

/**
 * The schema of a store. Fields that it does not know are left alone.
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoreSchema = Schema.Struct({
  actorKeyValueStoreSchemaVersion: Schema.Literal(1),
  title: Schema.String,
  description: Schema.optional(Schema.String),
  collections: Schema.Record({ key: Schema.String, value: Collection })
}).annotations({ identifier: "StoreSchema" })

/**
 * The decoded `StoreSchema`.
 *
 * @since 0.1.0
 * @category models
 */
export type StoreSchema = typeof StoreSchema.Type

const decodeObject = ParseResult.decodeUnknownEither(JsonObjectSchema)
const decodeSchema = ParseResult.decodeUnknownEither(StoreSchema, { errors: "all" })

/**
 * Checks a schema, and says what is wrong with it. It is returned as it was sent, without keys that could change a
 * prototype.
 *
 * @since 0.1.0
 * @category decoding
 */
export const checkStoreSchema = (input: unknown): Either.Either<JsonObject, string> =>
  decodeObject(input).pipe(
    Either.flatMap((object) => Either.map(decodeSchema(object), () => object)),
    Either.mapLeft((issue) => problemsOf(issue).map(formatProblem).join("; "))
  )
