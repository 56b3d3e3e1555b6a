/**
 * How a store is named in a request's path: by its id, by its owner and name, or by name alone in the token's own
 * account.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { InvalidStoreRefError } from "./GetStoreError.js"
import { quote } from "./quote.js"
import { GeneratedStoreId } from "./StoreId.js"
import { StoreName } from "./StoreName.js"
import { Username } from "./Username.js"

/**
 * A store named by its id: `WkzbQMuFYuamGv3YF` in a path.
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoreById = Schema.TaggedStruct("StoreById", { id: GeneratedStoreId })

/**
 * @since 0.1.0
 * @category models
 */
export type StoreById = typeof StoreById.Type

/**
 * A user's store named by the owner (username or user id) and its name: `janedoe~my-store` in a path.
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoreByName = Schema.TaggedStruct("StoreByName", { owner: Username, name: StoreName })

/**
 * @since 0.1.0
 * @category models
 */
export type StoreByName = typeof StoreByName.Type

/**
 * A store of the account that the token belongs to, named by its name: `~my-store` in a path.
 *
 * @since 0.1.0
 * @category schemas
 */
export const OwnStore = Schema.TaggedStruct("OwnStore", { name: StoreName })

/**
 * @since 0.1.0
 * @category models
 */
export type OwnStore = typeof OwnStore.Type

/**
 * How a store is named: `StoreById`, `StoreByName` or `OwnStore`.
 *
 * `Schema.equivalence(StoreRef)` tells whether two references name the same store: names and usernames without case,
 * ids with it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoreRef = Schema.Union(StoreById, StoreByName, OwnStore).annotations({ identifier: "StoreRef" })

/**
 * @since 0.1.0
 * @category models
 */
export type StoreRef = typeof StoreRef.Type

/**
 * Names a store by its id.
 *
 * @example
 * ```ts
 * import { GeneratedStoreId, storeById } from "@effect-apify/domain"
 *
 * storeById(GeneratedStoreId.make("WkzbQMuFYuamGv3YF")) // WkzbQMuFYuamGv3YF
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const storeById = (id: GeneratedStoreId): StoreById => StoreById.make({ id })

/**
 * Names a user's store.
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
export const storeByName = (owner: Username, name: StoreName): StoreByName => StoreByName.make({ owner, name })

/**
 * Names a store of the token's own account.
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
export const ownStore = (name: StoreName): OwnStore => OwnStore.make({ name })

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

/** The reference that a segment is, or what is wrong with it. */
const parseSegment = (segment: string): Either.Either<StoreRef, string> => {
  const tilde = segment.indexOf("~")
  if (tilde === -1) {
    if (isId(segment)) return Either.right({ _tag: "StoreById", id: segment })
    return Either.left(
      isName(segment)
        ? `an id is 17 letters and digits; for a store's name write ${quote(`~${segment}`)} or ${quote(`username~${segment}`)}`
        : segment === ""
          ? "it is empty"
          : "an id is 17 letters and digits, and nothing else"
    )
  }
  const owner = segment.slice(0, tilde)
  const name = segment.slice(tilde + 1)
  if (owner !== "" && !isOwner(owner)) {
    return Either.left(
      "what stands before the ~ is not a username: 3 to 30 letters, digits, underscores, dots and hyphens"
    )
  }
  if (!isName(name)) {
    return Either.left(
      "what stands after the ~ is not a store's name: 1 to 63 letters, digits and hyphens, with no hyphen at either end"
    )
  }
  return Either.right(isOwner(owner) ? { _tag: "StoreByName", owner, name } : { _tag: "OwnStore", name })
}

/**
 * The codec between a `StoreRef` and the one path segment that names it. Every character it lets through is unreserved
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
 * The path segment that names a store.
 *
 * @since 0.1.0
 * @category encoding
 */
export const formatStoreRef: (ref: StoreRef) => string = segmentOf

/**
 * Reads a reference as a person writes it, and says what is wrong with one that isn't.
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
