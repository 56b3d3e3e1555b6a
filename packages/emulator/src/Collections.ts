/**
 * The schema of a store: its collections, and what they demand of the records that belong to them.
 *
 * @since 0.1.0
 */
import type { ValidateFunction } from "ajv"
import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { compileJsonSchema } from "./JsonSchema.js"
import { mediaTypeOf } from "./MediaType.js"
import { StoreSchema } from "./StoreSchema.js"

const decodeStoreSchema = Schema.decodeUnknownOption(StoreSchema)

/** How many schemas are kept decoded. A store's schema is an object of its own each time that the store is read. */
const KEPT = 100

const known = new Map<string, StoreSchema["collections"]>()

/**
 * The collections of a store by their IDs. A schema that is none has no collections: a seed may have any.
 *
 * @since 0.1.0
 * @category decoding
 */
export const collectionsOf = (schema: Option.Option<unknown>): StoreSchema["collections"] => {
  if (Option.isNone(schema) || schema.value === null) return {}
  const text = JSON.stringify(schema.value)
  const kept = known.get(text)
  if (kept !== undefined) return kept
  const collections = Option.match(decodeStoreSchema(schema.value), {
    onNone: () => ({}),
    onSome: ({ collections }) => collections
  })
  if (known.size >= KEPT) known.clear()
  known.set(text, collections)
  return collections
}

// ---- Records -----------------------------------------------------------------------------------------------------------

/**
 * What a record must be to be stored: everything that the collections of its key demand.
 *
 * @since 0.1.0
 * @category models
 */
export interface Demands {
  /** Whether one of them does not list the content type. */
  readonly excludesType: boolean
  readonly jsonSchemas: ReadonlyArray<object>
}

/**
 * What the collections of a key demand of a record with a content type. A key in no collection is free.
 *
 * @since 0.1.0
 * @category validation
 */
export const demandsOn = (collections: StoreSchema["collections"], key: string, contentType: string): Demands => {
  const containing = Object.values(collections).filter(
    (collection) =>
      collection.key === key || (collection.keyPrefix !== undefined && key.startsWith(collection.keyPrefix))
  )
  const mediaType = mediaTypeOf(contentType)
  return {
    excludesType: containing.some(
      ({ contentTypes }) => contentTypes !== undefined && !contentTypes.some((type) => mediaTypeOf(type) === mediaType)
    ),
    jsonSchemas: containing.flatMap(({ jsonSchema }) => (jsonSchema === undefined ? [] : [jsonSchema]))
  }
}

const validators = new WeakMap<object, Option.Option<ValidateFunction>>()

const validatorOf = (jsonSchema: object): Option.Option<ValidateFunction> => {
  const known = validators.get(jsonSchema)
  if (known !== undefined) return known
  const validator = compileJsonSchema(jsonSchema)
  validators.set(jsonSchema, validator)
  return validator
}

/**
 * Checks a JSON text against JSON schemas of draft 07. A problem says where it is, and not what is there.
 *
 * @since 0.1.0
 * @category validation
 */
export const validateJson = (text: string, jsonSchemas: ReadonlyArray<object>): Either.Either<void, string> => {
  const json = Option.liftThrowable((): unknown => JSON.parse(text))()
  if (Option.isNone(json)) return Either.left("the body is not JSON")
  for (const validate of Arr.filterMap(jsonSchemas, validatorOf)) {
    // A schema may refer to itself, and its validator calls itself as deep as the JSON or the schema is.
    const isValid = Option.liftThrowable(() => validate(json.value))()
    if (Option.isNone(isValid)) return Either.left("the body is too deep to be checked")
    if (isValid.value) continue
    const [error] = validate.errors ?? []
    return Either.left(`${error?.instancePath || "the body"} ${error?.message ?? "is not valid"}`)
  }
  return Either.void
}
