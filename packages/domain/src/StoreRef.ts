/**
 * References to stores: by ID, by owner and name, or by name alone in the token's own account.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { quote } from "./Redaction.js"
import { InvalidStoreRefError } from "./StoreErrors.js"
import { GeneratedStoreId, idPattern, StoreId } from "./StoreId.js"
import { StoreName } from "./StoreName.js"
import { Username } from "./Username.js"

const SentStoreId = StoreId.pipe(Schema.pattern(idPattern)).annotations({
  identifier: "SentStoreId",
  description: "17 letters and digits",
  arbitrary: () => (fc) => fc.stringMatching(idPattern).map((id) => StoreId.make(id))
})

/**
 * A store referred to by its ID: `WkzbQMuFYuamGv3YF` in a path.
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoreById = Schema.TaggedStruct("StoreById", { id: SentStoreId })

/**
 * The type of `StoreById`.
 *
 * @since 0.1.0
 * @category models
 */
export type StoreById = typeof StoreById.Type

/**
 * A user's store, referred to by its owner (username or user ID) and its name: `janedoe~my-store` in a path.
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoreByName = Schema.TaggedStruct("StoreByName", { owner: Username, name: StoreName })

/**
 * The type of `StoreByName`.
 *
 * @since 0.1.0
 * @category models
 */
export type StoreByName = typeof StoreByName.Type

/**
 * A store of the token's own account, referred to by its name: `~my-store` in a path.
 *
 * @since 0.1.0
 * @category schemas
 */
export const OwnStore = Schema.TaggedStruct("OwnStore", { name: StoreName })

/**
 * The type of `OwnStore`.
 *
 * @since 0.1.0
 * @category models
 */
export type OwnStore = typeof OwnStore.Type

/**
 * A reference to a store: `StoreById`, `StoreByName` or `OwnStore`.
 *
 * `Schema.equivalence(StoreRef)` compares two references: it ignores case in names and usernames, but not in IDs.
 *
 * @example
 * ```ts
 * import { StoreId, StoreName, type StoreRef, Username } from "@effect-apify/domain"
 *
 * const refs: ReadonlyArray<StoreRef> = [
 *   { _tag: "StoreById", id: StoreId.make("WkzbQMuFYuamGv3YF") },
 *   { _tag: "StoreByName", owner: Username.make("janedoe"), name: StoreName.make("my-store") },
 *   { _tag: "OwnStore", name: StoreName.make("my-store") }
 * ]
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoreRef = Schema.Union(StoreById, StoreByName, OwnStore).annotations({ identifier: "StoreRef" })

/**
 * The type of `StoreRef`.
 *
 * @since 0.1.0
 * @category models
 */
export type StoreRef = typeof StoreRef.Type

/**
 * Refers to a store by its ID, such as the `id` of a store that was just fetched. An ID that is not 17 letters and
 * digits is refused when it is used.
 *
 * @example
 * ```ts
 * import { storeById, StoreId } from "@effect-apify/domain"
 *
 * storeById(StoreId.make("WkzbQMuFYuamGv3YF")) // WkzbQMuFYuamGv3YF
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const storeById = (id: StoreId): StoreById => ({ _tag: "StoreById", id })

/**
 * Refers to a user's store by name.
 *
 * @example
 * ```ts
 * import { storeByName, StoreName, Username } from "@effect-apify/domain"
 *
 * storeByName(Username.make("janedoe"), StoreName.make("my-store")) // janedoe~my-store
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const storeByName = (owner: Username, name: StoreName): StoreByName => ({ _tag: "StoreByName", owner, name })

/**
 * Refers to a store of the token's own account by name.
 *
 * @example
 * ```ts
 * import { ownStore, StoreName } from "@effect-apify/domain"
 *
 * ownStore(StoreName.make("my-store")) // ~my-store
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const ownStore = (name: StoreName): OwnStore => ({ _tag: "OwnStore", name })

const segmentOf = (ref: StoreRef): string => {
  switch (ref._tag) {
    case "StoreById":
      return ref.id
    case "StoreByName":
      return `${ref.owner}~${ref.name}`
    case "OwnStore":
      return `~${ref.name}`
  }
}

const isId = Schema.is(GeneratedStoreId)
const isOwner = Schema.is(Username)
const isName = Schema.is(StoreName)

/** The reference that a path segment is, or what is wrong with the segment. */
const parseSegment = (segment: string): Either.Either<StoreRef, string> => {
  const tilde = segment.indexOf("~")
  if (tilde === -1) {
    if (isId(segment)) return Either.right({ _tag: "StoreById", id: segment })
    return Either.left(
      isName(segment)
        ? `an ID is 17 letters and digits; for a store's name write ${quote(`~${segment}`)} or ${quote(`username~${segment}`)}`
        : segment === ""
          ? "it is empty"
          : "an ID is 17 letters and digits, and nothing else"
    )
  }
  const owner = segment.slice(0, tilde)
  const name = segment.slice(tilde + 1)
  if (owner !== "" && !isOwner(owner)) {
    return Either.left(
      "the part before the ~ is not a username: 3 to 30 letters, digits, underscores, dots and hyphens"
    )
  }
  if (!isName(name)) {
    return Either.left(
      "the part after the ~ is not a store name: 1 to 63 letters, digits and hyphens, with no hyphen at either end"
    )
  }
  return Either.right(isOwner(owner) ? { _tag: "StoreByName", owner, name } : { _tag: "OwnStore", name })
}

/**
 * The codec between a `StoreRef` and the path segment that names it. Every character that it lets through is unreserved
 * in a URL, so the segment needs no percent-encoding and can reach no other path.
 *
 * @example
 * ```ts
 * import { StoreRefFromString } from "@effect-apify/domain"
 * import * as Schema from "effect/Schema"
 *
 * Schema.decodeSync(StoreRefFromString)("janedoe~my-store")
 * // { _tag: "StoreByName", owner: "janedoe", name: "my-store" }
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoreRefFromString = Schema.transformOrFail(Schema.String, Schema.typeSchema(StoreRef), {
  strict: true,
  decode: (segment, _, ast) =>
    Either.mapLeft(parseSegment(segment), (problem) => new ParseResult.Type(ast, segment, problem)),
  encode: (ref) => ParseResult.succeed(segmentOf(ref))
}).annotations({ identifier: "StoreRefFromString" })

/**
 * A reference as a person writes it: the path segment that names the store.
 *
 * @example
 * ```ts
 * import { formatStoreRef, ownStore, StoreName } from "@effect-apify/domain"
 *
 * formatStoreRef(ownStore(StoreName.make("my-store"))) // "~my-store"
 * ```
 *
 * @since 0.1.0
 * @category encoding
 */
export const formatStoreRef: (ref: StoreRef) => string = segmentOf

/**
 * Parses a reference as a person writes it, or says what is wrong with it.
 *
 * @example
 * ```ts
 * import { parseStoreRef } from "@effect-apify/domain"
 *
 * parseStoreRef("janedoe~my-store") // Either.right({ _tag: "StoreByName", … })
 * parseStoreRef("my-store") // Either.left(InvalidStoreRefError: … write "~my-store" or "username~my-store" …)
 * ```
 *
 * @since 0.1.0
 * @category decoding
 */
export const parseStoreRef = (input: string): Either.Either<StoreRef, InvalidStoreRefError> =>
  Either.mapLeft(parseSegment(input), (problem) => new InvalidStoreRefError({ ref: quote(input), problem }))

/**
 * The path segment to send for a reference. Whatever the reference was made from, only a segment that names a store is
 * returned: a reference from JSON or from untyped code is checked like text.
 *
 * @example
 * ```ts
 * import { ownStore, StoreName, storeSegment } from "@effect-apify/domain"
 *
 * storeSegment(ownStore(StoreName.make("my-store"))) // Either.right("~my-store")
 * storeSegment("../users/me") // Either.left(InvalidStoreRefError: …)
 * ```
 *
 * @since 0.1.0
 * @category encoding
 */
export const storeSegment = (ref: StoreRef | string): Either.Either<string, InvalidStoreRefError> => {
  const segment = typeof ref === "string" ? ref : segmentOfUnknown(ref)
  if (segment === undefined) {
    return Either.left(new InvalidStoreRefError({ ref: "The value", problem: "it is neither text nor a StoreRef" }))
  }
  return Either.map(parseStoreRef(segment), () => segment)
}

/**
 * The types say that it is a `StoreRef`; callers without types may pass anything. Each form gives a segment of its own
 * form: an ID with a `~` would name another store.
 */
const segmentOfUnknown = (ref: unknown): string | undefined => {
  if (!Predicate.isRecord(ref)) return undefined
  const { _tag, id, name, owner } = ref
  switch (_tag) {
    case "StoreById":
      return Predicate.isString(id) && !id.includes("~") ? id : undefined
    case "StoreByName":
      return Predicate.isString(owner) && owner !== "" && Predicate.isString(name) ? `${owner}~${name}` : undefined
    case "OwnStore":
      return Predicate.isString(name) ? `~${name}` : undefined
    default:
      return undefined
  }
}
