/**
 * Listings of the keys of a store.
 *
 * @since 0.1.0
 */
import type { CallError } from "@effect-apify/domain/CallError"
import type { RecordInfoPage } from "@effect-apify/domain/Page"
import type { RecordInfo } from "@effect-apify/domain/RecordInfo"
import type { InvalidStoreRefError, StoreNotFoundError } from "@effect-apify/domain/StoreErrors"
import { type StoreLocation, storeLocation } from "@effect-apify/domain/StoreLocation"
import type { StoreRef } from "@effect-apify/domain/StoreRef"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"
import { ApifyClient } from "./ApifyClient.js"
import type { CallOptions } from "./CallOptions.js"
import { CursorPages, nextKeyProblem } from "./internal/cursorPages.js"
import { decodeKeysBody, decodeRecordInfo } from "./internal/decodeKeys.js"
import { decodeItems, type PageOperation } from "./internal/pages.js"
import { paginate } from "./internal/paginate.js"
import * as Limits from "./internal/recordLimits.js"
import { decodeJson, malformed } from "./internal/response.js"
import { checkObject, checkWhole } from "./internal/settings.js"
import { referenceOf, storeErrorOf } from "./internal/storeOperation.js"
import type { DecodeContext, OperationRequest, OperationResponse } from "./Operation.js"

/**
 * Which keys to list.
 *
 * @since 0.1.0
 * @category options
 */
export interface KeysOptions extends CallOptions {
  /** Only keys that begin with this. */
  readonly prefix?: string | undefined
  /** Only keys of this collection of the store's schema. */
  readonly collection?: string | undefined
  /** Only keys after this one, which need not exist. Keys are sorted by their bytes. */
  readonly exclusiveStartKey?: string | undefined
  /** The signature of a link to the keys. It is sent in place of the token. */
  readonly signature?: Redacted.Redacted | undefined
}

/**
 * How to get one page of keys.
 *
 * @since 0.1.0
 * @category options
 */
export interface KeysPageOptions extends KeysOptions {
  /** The most keys that the page may have, at least 1. Default: 1000, which is also Apify's maximum. */
  readonly limit?: number | undefined
}

/**
 * How to list keys.
 *
 * @since 0.1.0
 * @category options
 */
export interface ListKeysOptions extends KeysOptions {
  /** The most keys to list. Default: all. */
  readonly limit?: number | undefined
  /** How many keys to request at once: 1 or more. Default: 1000, which is also Apify's maximum. */
  readonly pageSize?: number | undefined
}

/**
 * What `listKeys` can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type ListKeysError = CallError | InvalidStoreRefError | StoreNotFoundError

/**
 * Lists the keys of a store's records and their sizes, in the order of the keys' bytes. A page is requested when its keys are
 * needed, at most 60 times a second for a store.
 *
 * If an item is invalid, the items before it are emitted, and the error names its position in the page. If a page does not lead
 * to a next one, the listing fails with a `MalformedResponseError`.
 *
 * `GET /v2/key-value-stores/:storeId/keys`
 *
 * @param ref a `StoreRef`, or its text
 *
 * @example
 * ```ts
 * import { listKeys } from "@effect-apify/http"
 * import * as Console from "effect/Console"
 * import * as Stream from "effect/Stream"
 *
 * const program = listKeys("janedoe~my-store", { prefix: "image-" }).pipe(
 *   Stream.runForEach(({ key, size }) => Console.log(`${key}: ${size} bytes`))
 * )
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const listKeys = (
  ref: StoreRef | string,
  options: ListKeysOptions = {}
): Stream.Stream<RecordInfo, ListKeysError, ApifyClient> =>
  paginate(() => {
    checkObject("options", options, OPTIONS_EXAMPLE)
    const { exclusiveStartKey, limit, pageSize = MAX_PAGE } = options
    checkWhole("limit", limit, 0)
    checkWhole("pageSize", pageSize, 1)
    const location = storeLocation(ref)
    return new CursorPages(
      (after, limit) => new ListKeys(location, options, after, limit, true),
      Option.fromNullable(exclusiveStartKey),
      { limit, pageSize }
    )
  }, options)

const MAX_PAGE = 1000

const OPTIONS_EXAMPLE = "{ prefix: 'image-' }"

/**
 * Gets one page of the keys of a store.
 *
 * @example
 * ```ts
 * import { listKeysPage } from "@effect-apify/http"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const { items, nextExclusiveStartKey } = yield* listKeysPage("janedoe~my-store", { limit: 10 })
 *   return { keys: items.map(({ key }) => key), nextExclusiveStartKey }
 * })
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const listKeysPage = (
  ref: StoreRef | string,
  options: KeysPageOptions = {}
): Effect.Effect<RecordInfoPage, ListKeysError, ApifyClient> =>
  Effect.flatMap(ApifyClient, (client) => {
    checkObject("options", options, OPTIONS_EXAMPLE)
    const { exclusiveStartKey, limit = MAX_PAGE } = options
    checkWhole("limit", limit, 1)
    const after = Option.fromNullable(exclusiveStartKey)
    return client.run(new ListKeys(storeLocation(ref), options, after, limit, false), options)
  })

type ListFailure = InvalidStoreRefError | StoreNotFoundError

/** A class, because it lives as long as a call (docs/decisions/0011). */
class ListKeys implements PageOperation<RecordInfo, RecordInfoPage, ListFailure> {
  readonly name = "listKeys"
  readonly isIdempotent = true
  readonly rate = "resource"
  readonly defaults = Limits.KEYS
  readonly store: Option.Option<string>
  readonly request: Either.Either<OperationRequest, ListFailure>
  received: ReadonlyArray<RecordInfo> = []

  constructor(
    location: Either.Either<StoreLocation, InvalidStoreRefError>,
    options: KeysOptions,
    private readonly after: Option.Option<string>,
    limit: number,
    readonly isPaced: boolean
  ) {
    this.store = referenceOf(location)
    this.request = Either.map(location, (location) => new KeysRequest(location, options, after, limit))
  }

  decode(response: OperationResponse, context: DecodeContext): Either.Either<RecordInfoPage, CallError | ListFailure> {
    if (response.status !== 200) return Either.left(storeErrorOf(response, context))
    const received: Array<RecordInfo> = []
    const decoded = decodeJson(response, context, decodeKeysBody).pipe(
      Either.flatMap((page) =>
        Either.map(decodeItems(page.items, decodeRecordInfo, received, response, context), (items) => page.with(items))
      ),
      Either.flatMap((page) =>
        Option.match(nextKeyProblem(this.after, page), {
          onNone: () => Either.right(page),
          onSome: (problem) => Either.left(malformed(response, context, [problem]))
        })
      )
    )
    // Not where it is of no use: an operation that was moved to V8's old space would keep the page alive there.
    if (Either.isLeft(decoded)) {
      // Nor what was given before: a page may repeat one.
      const after = Option.getOrElse(this.after, () => "")
      this.received = received.filter(({ key }) => key > after)
    }
    return decoded
  }
}

/** A class, because it lives as long as a call (docs/decisions/0011). */
class KeysRequest implements OperationRequest {
  readonly method = "GET"
  readonly path: string
  readonly query: OperationRequest["query"]
  readonly signature: Redacted.Redacted | undefined

  constructor(
    location: StoreLocation,
    { collection, prefix, signature }: KeysOptions,
    after: Option.Option<string>,
    limit: number
  ) {
    this.path = `${location.path}/keys`
    this.query = {
      ...location.query,
      limit: String(limit),
      exclusiveStartKey: Option.getOrUndefined(after),
      prefix,
      collection
    }
    this.signature = signature
  }
}
