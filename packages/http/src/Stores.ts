/**
 * Operations on stores.
 *
 * @since 0.1.0
 */
import type { CallError } from "@effect-apify/domain/CallError"
import type { Store } from "@effect-apify/domain/Store"
import type { InvalidStoreRefError, StoreNotFoundError } from "@effect-apify/domain/StoreErrors"
import { storeLocation } from "@effect-apify/domain/StoreLocation"
import type { StoreRef } from "@effect-apify/domain/StoreRef"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import { ApifyClient } from "./ApifyClient.js"
import type { CallOptions } from "./CallOptions.js"
import { checkItems, mapConcurrently } from "./internal/concurrently.js"
import { checkObject } from "./internal/settings.js"
import { decodeStore, isByName, referenceOf, StoreRequest, storeErrorOf } from "./internal/storeOperation.js"
import type { DecodeContext, Operation, OperationRequest, OperationResponse } from "./Operation.js"

/**
 * What `getStore` can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type GetStoreError = CallError | InvalidStoreRefError | StoreNotFoundError

/**
 * Gets a store.
 *
 * `GET /v2/key-value-stores/:storeId`
 *
 * @param ref a `StoreRef`, or its text: an ID, `username~store-name`, `~store-name` in the token's own account, or
 * `actor-runs/<id>` for the default store of a run
 * @param options the limits of this call, which override the client's
 *
 * @example
 * ```ts
 * import { ApifyClient, FetchTransport, getStore } from "@effect-apify/http"
 * import * as DateTime from "effect/DateTime"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const program = Effect.gen(function* () {
 *   const store = yield* getStore("janedoe~my-store")
 *   yield* Effect.log(`${store.id} was last changed at ${DateTime.formatIso(store.modifiedAt)}`)
 * })
 *
 * program.pipe(
 *   Effect.provide(Layer.provide(ApifyClient.layerConfig, FetchTransport.layer)),
 *   Effect.runPromise
 * )
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const getStore = (
  ref: StoreRef | string,
  options?: CallOptions
): Effect.Effect<Store, GetStoreError, ApifyClient> =>
  Effect.flatMap(ApifyClient, (client) => client.run(new GetStore(ref, false), options))

type StoreFailure = InvalidStoreRefError | StoreNotFoundError

/**
 * Get store as an operation. A class, because it lives as long as a call (docs/decisions/0011).
 *
 * @internal
 */
export class GetStore implements Operation<Store, StoreFailure> {
  readonly name = "getStore"
  readonly isIdempotent = true
  readonly rate = "resource"
  readonly store: Option.Option<string>
  readonly request: Either.Either<OperationRequest, StoreFailure>

  constructor(
    ref: StoreRef | string,
    readonly isPaced: boolean
  ) {
    const location = storeLocation(ref)
    this.store = referenceOf(location)
    this.request = Either.map(location, (location) => new StoreRequest("GET", location))
  }

  decode(response: OperationResponse, context: DecodeContext): Either.Either<Store, CallError | StoreFailure> {
    return response.status === 200
      ? decodeStore(response, context, this.store)
      : Either.left(storeErrorOf(response, context))
  }
}

/**
 * The outcome for one store.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoreResult {
  /** The reference as it was given. */
  readonly ref: StoreRef | string
  readonly result: Either.Either<Store, GetStoreError>
}

/**
 * How to get many stores. The limits apply to each call.
 *
 * @since 0.1.0
 * @category options
 */
export interface GetStoresOptions extends CallOptions {
  /** How many stores to get at once, at least 1. Default: 16. */
  readonly concurrency?: number | undefined
  /** Whether to emit results as soon as they are ready, and not in the order of the references. Default: false. */
  readonly unordered?: boolean | undefined
}

/**
 * Gets many stores, or an error for each that fails.
 *
 * References that name the same store while it is being requested share one request and its outcome. Requests for one
 * store, retries included, keep to Apify's 60 a second over all such streams of a client. A store is known by its
 * reference: its ID and its name count as two stores.
 *
 * If a stream of references fails, the stores that were requested by then are emitted first. A `concurrency` that is not a
 * whole number of at least 1 is a defect.
 *
 * @example
 * ```ts
 * import { getStores } from "@effect-apify/http"
 * import * as Console from "effect/Console"
 * import * as Either from "effect/Either"
 * import * as Stream from "effect/Stream"
 *
 * const program = getStores(["~one", "~two", "~three"], { concurrency: 2 }).pipe(
 *   Stream.runForEach(({ ref, result }) =>
 *     Either.match(result, {
 *       onLeft: (error) => Console.error(error.message),
 *       onRight: (store) => Console.log(ref, store.id)
 *     })
 *   )
 * )
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const getStores = <E = never, R = never>(
  refs: Iterable<StoreRef | string> | Stream.Stream<StoreRef | string, E, R>,
  options: GetStoresOptions = {}
): Stream.Stream<StoreResult, E, ApifyClient | R> =>
  Stream.suspend(() => {
    checkItems("refs", refs)
    checkObject("options", options, "{ concurrency: 16 }")
    const get = makeShared(options)
    // A lone string is a reference, although its characters could be iterated.
    return mapConcurrently(Predicate.isString(refs) ? [refs] : refs, options, (ref) =>
      Effect.map(Effect.either(get(ref)), (result) => ({ ref, result }))
    )
  })

/** Gets stores, for one run of a stream. Calls for the same store at the same time share one request. */
const makeShared = (options: CallOptions) => {
  const underWay = new Map<string, Deferred.Deferred<Store, GetStoreError>>()

  return (ref: StoreRef | string): Effect.Effect<Store, GetStoreError, ApifyClient> =>
    Effect.suspend(() => {
      const operation = new GetStore(ref, true)
      const key = Option.map(operation.store, keyOf)
      if (Option.isNone(key)) return Effect.flatMap(ApifyClient, (client) => client.run(operation, options))
      const shared = underWay.get(key.value)
      if (shared !== undefined) return Deferred.await(shared)
      const result = Deferred.unsafeMake<Store, GetStoreError>(FiberId.none)
      underWay.set(key.value, result)
      return Effect.onExit(
        Effect.flatMap(ApifyClient, (client) => client.run(operation, options)),
        (exit) => {
          underWay.delete(key.value)
          return Deferred.done(result, exit)
        }
      )
    })
}

/** Names are compared without case, IDs with it. */
const keyOf = (text: string): string => (isByName(text) ? text.toLowerCase() : text)
