/**
 * The paths of stores in Apify's API.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { collections, formatRef, formatUnknown, parseRef, type Ref } from "./internal/refText.js"
import { quote } from "./Redaction.js"
import type { RunOrigin, RunStatus } from "./RunId.js"
import { InvalidStoreRefError } from "./StoreErrors.js"
import type { StoreRef } from "./StoreRef.js"

/**
 * The path of a store in Apify's API. Below it are `/keys`, `/records` and `/records/:key`.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoreLocation {
  /** The reference as text, as `formatStoreRef` writes it. */
  readonly text: string
  /** The path, beginning with `/v2`. */
  readonly path: string
  /** The query parameters of every request about the store. */
  readonly query: { readonly status?: RunStatus; readonly origin?: RunOrigin }
}

const noQuery = {}

const locationOf = (ref: Ref): StoreLocation => {
  const text = formatRef(ref)
  switch (ref._tag) {
    case "StoreOfRun":
      return { text, path: `/v2/${text}/key-value-store`, query: noQuery }
    case "StoreOfLastRun": {
      const { _tag, of, id, ...query } = ref
      return { text, path: `/v2/${collections[of]}/${id}/runs/last/key-value-store`, query }
    }
    default:
      return { text, path: `/v2/key-value-stores/${text}`, query: noQuery }
  }
}

/**
 * The path for requests about a store. It always names a store: a `StoreRef` from JSON or untyped code is checked like
 * text. The characters of a reference are unreserved in URLs, so the path needs no percent-encoding and cannot lead
 * anywhere else.
 *
 * @example
 * ```ts
 * import { ownStore, StoreName, storeLocation } from "@effect-apify/domain"
 *
 * storeLocation(ownStore(StoreName.make("my-store"))) // Either.right({ path: "/v2/key-value-stores/~my-store", … })
 * storeLocation("../users/me") // Either.left(InvalidStoreRefError: …)
 * ```
 *
 * @since 0.1.0
 * @category encoding
 */
export const storeLocation = (ref: StoreRef | string): Either.Either<StoreLocation, InvalidStoreRefError> => {
  const text = typeof ref === "string" ? ref : formatUnknown(ref)
  return text === undefined
    ? Either.left(new InvalidStoreRefError({ ref: "The value", problem: "it is neither text nor a StoreRef" }))
    : Either.mapBoth(parseRef(text), {
        onLeft: (problem) => new InvalidStoreRefError({ ref: quote(text), problem }),
        onRight: locationOf
      })
}
