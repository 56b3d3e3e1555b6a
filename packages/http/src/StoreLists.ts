/**
 * Operations that list stores.
 *
 * @since 0.1.0
 */
import type { CallError } from "@effect-apify/domain/CallError"
import { decodeStoreBody } from "@effect-apify/domain/decodeStoreBody"
import { offsetPage, type StorePage } from "@effect-apify/domain/Page"
import { problemsOf } from "@effect-apify/domain/Problem"
import type { Store } from "@effect-apify/domain/Store"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import { ApifyClient } from "./ApifyClient.js"
import type { CallOptions } from "./CallOptions.js"
import { OffsetPages } from "./internal/offsetPages.js"
import { decodeItems, type PageOperation } from "./internal/pages.js"
import { paginate } from "./internal/paginate.js"
import { decodeJson, errorOf } from "./internal/response.js"
import { checkObject, checkWhole } from "./internal/settings.js"
import { storesPath } from "./internal/storeOperation.js"
import type { DecodeContext, OperationRequest, OperationResponse } from "./Operation.js"

/** Few enough that a page stays far below the default `maxBodyBytes`, unless many stores have large schemas. */
const DEFAULT_PAGE_SIZE = 250

/**
 * Which stores to list, and in which order.
 *
 * @since 0.1.0
 * @category options
 */
export interface StoreFilter {
  /** Whether to list the newest stores first. Default: false, the oldest first. */
  readonly desc?: boolean | undefined
  /** Whether to list unnamed stores too. Default: false, only named stores. */
  readonly unnamed?: boolean | undefined
  /** Only stores that the token's owner owns, or only those that others share with them. Default: both. */
  readonly ownership?: "ownedByMe" | "sharedWithMe" | undefined
}

/**
 * Which page of stores to list.
 *
 * @since 0.1.0
 * @category options
 */
export interface ListStoresPageOptions extends StoreFilter, CallOptions {
  /** How many stores to skip. Default: 0. */
  readonly offset?: number | undefined
  /** The most stores that the page may have, at least 1. Apify's maximum is 1,000. Default: 250. */
  readonly limit?: number | undefined
}

/**
 * Lists one page of stores.
 *
 * `GET /v2/key-value-stores`
 *
 * @param options which stores, and the limits of this call which override the client's. An `offset` or a `limit` that is not a
 * whole number is a defect.
 *
 * @example
 * ```ts
 * import { listStoresPage } from "@effect-apify/http"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const { items, total } = yield* listStoresPage({ limit: 10, desc: true })
 *   yield* Effect.log(`The ${items.length} newest of ${total} stores`)
 * })
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const listStoresPage = (options: ListStoresPageOptions = {}): Effect.Effect<StorePage, CallError, ApifyClient> =>
  Effect.flatMap(ApifyClient, (client) => {
    checkObject("options", options, OPTIONS_EXAMPLE)
    const { limit = DEFAULT_PAGE_SIZE, offset = 0 } = options
    checkWhole("offset", offset, 0)
    checkWhole("limit", limit, 1)
    return client.run(new ListStores(options, offset, limit), options)
  })

const OPTIONS_EXAMPLE = "{ ownership: 'ownedByMe' }"

/**
 * Which stores to list, and how. The limits of a call apply to each page.
 *
 * @since 0.1.0
 * @category options
 */
export interface ListStoresOptions extends StoreFilter, CallOptions {
  /** How many stores to skip. Default: 0. */
  readonly offset?: number | undefined
  /** How many stores to list in all. Default: all. */
  readonly limit?: number | undefined
  /** How many stores to request at once, at least 1. Apify's maximum is 1,000. Default: 250. */
  readonly pageSize?: number | undefined
}

/**
 * Lists stores, page by page. A page is requested when its stores are needed.
 *
 * `GET /v2/key-value-stores`
 *
 * Apify's pages begin at a place in the list, and the list may change meanwhile. So each page begins with the last store of the
 * page before. If it does not, stores were deleted and others moved to places that were already read: these places are read
 * again. So every store that exists throughout the listing is listed once, as long as, between two requests, fewer stores are
 * added than a page has, and fewer than 5,000 are deleted. With pages of one store nothing is read again, and a deletion may
 * hide a store. A store that is created, named or deleted meanwhile may or may not be listed.
 *
 * If a store in a page is invalid, the stores before it are emitted, and then the stream fails with a `MalformedResponseError`
 * that names its position. A page of stores with large schemas may be larger than `maxBodyBytes`: choose a smaller `pageSize`
 * then.
 *
 * @param options which stores, and the limits of each call which override the client's. An `offset`, `limit` or `pageSize` that
 * is not a whole number is a defect.
 *
 * @example
 * ```ts
 * import { listStores } from "@effect-apify/http"
 * import * as Console from "effect/Console"
 * import * as Option from "effect/Option"
 * import * as Stream from "effect/Stream"
 *
 * const program = listStores({ ownership: "ownedByMe" }).pipe(
 *   Stream.runForEach(({ id, name }) => Console.log(id, Option.getOrElse(name, () => "unnamed")))
 * )
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const listStores = (options: ListStoresOptions = {}): Stream.Stream<Store, CallError, ApifyClient> =>
  paginate(() => {
    checkObject("options", options, OPTIONS_EXAMPLE)
    const { limit, offset = 0, pageSize = DEFAULT_PAGE_SIZE } = options
    checkWhole("offset", offset, 0)
    checkWhole("limit", limit, 0)
    checkWhole("pageSize", pageSize, 1)
    return new OffsetPages(
      (offset, limit) => new ListStores(options, offset, limit),
      ({ id }) => id,
      offset,
      { limit, pageSize }
    )
  }, options)

/** A class, because it lives as long as a call (docs/decisions/0011). */
class ListStores implements PageOperation<Store, StorePage> {
  readonly name = "listStores"
  readonly rate = "resource"
  readonly isPaced = false
  readonly isIdempotent = true
  readonly store = Option.none()
  readonly received: Array<Store> = []
  readonly request: Either.Either<OperationRequest>

  constructor(filter: StoreFilter, offset: number, limit: number) {
    this.request = Either.right(new ListRequest(filter, offset, limit))
  }

  decode(response: OperationResponse, context: DecodeContext): Either.Either<StorePage, CallError> {
    if (response.status !== 200) return Either.left(errorOf(response, context))
    return Either.flatMap(decodeJson(response, context, decodePage), ({ data }) =>
      Either.map(decodeItems(data.items, decodeItem, this.received, response, context), (items) => ({ ...data, items }))
    )
  }
}

/** A class, because it lives as long as a call (docs/decisions/0011). */
class ListRequest implements OperationRequest {
  readonly method = "GET"
  readonly path = storesPath
  readonly query: NonNullable<OperationRequest["query"]>

  constructor({ desc, ownership, unnamed }: StoreFilter, offset: number, limit: number) {
    this.query = {
      offset: String(offset),
      limit: String(limit),
      desc: desc === true ? "true" : undefined,
      unnamed: unnamed === true ? "true" : undefined,
      ownership
    }
  }
}

const makePageDecoder = () =>
  ParseResult.decodeUnknownEither(Schema.Struct({ data: offsetPage(Schema.Unknown) }), { errors: "all" })

// Compiled when first needed, to keep the import cheap.
let pageDecoder: ReturnType<typeof makePageDecoder> | undefined

/** Decodes the body of a page, and leaves its items as they are. */
const decodePage: ReturnType<typeof makePageDecoder> = (json) => {
  pageDecoder ??= makePageDecoder()
  return pageDecoder(json)
}

const decodeItem = (item: unknown) =>
  Either.mapLeft(decodeStoreBody({ data: item }), (issue) =>
    // The place within the page stands for "data".
    problemsOf(issue).map(({ path, problem }) => ({ path: path.slice(1), problem }))
  )
