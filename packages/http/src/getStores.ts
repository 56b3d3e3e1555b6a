/**
 * Get store for many stores at once.
 *
 * @since 0.1.0
 */
import type { GetStoreError } from "@effect-apify/domain/GetStoreError"
import type { KeyValueStore } from "@effect-apify/domain/KeyValueStore"
import { formatStoreRef, parseStoreRef, type StoreRef } from "@effect-apify/domain/StoreRef"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import type { ApifyClient } from "./ApifyClient.js"
import type { CallOptions } from "./CallOptions.js"
import { getStore } from "./getStore.js"
import { monotonicMillis } from "./internal/alarm.js"

/**
 * What came of asking for one store.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoreResult {
  /** The reference as it was given. */
  readonly ref: StoreRef | string
  readonly result: Either.Either<KeyValueStore, GetStoreError>
}

/**
 * How to ask for many stores; the limits are those of each call.
 *
 * @since 0.1.0
 * @category options
 */
export interface GetStoresOptions extends CallOptions {
  /** How many stores are asked for at once, at the most. 16 unless told. */
  readonly concurrency?: number | undefined
  /** Whether results come as the answers do. In the order of the references unless told. */
  readonly unordered?: boolean | undefined
}

/** Between two requests for one store: 60 a second at the most. Source: Apify's documentation. */
const GAP_MILLIS = Math.ceil(1000 / 60)

/** Forgets what can no longer matter about once a second, so that memory does not grow with the number of stores. */
const SWEEP_MILLIS = 1000

/** Spaces the requests for each store evenly, so that they never come faster than the server's rate. */
const makeSpacing = (): ((store: string, now: number) => number) => {
  const next = new Map<string, number>()
  let sweptAt = 0
  return (store, now) => {
    if (now - sweptAt >= SWEEP_MILLIS) {
      sweptAt = now
      for (const [store, time] of next) if (time <= now) next.delete(store)
    }
    const slot = Math.max(now, next.get(store) ?? now)
    next.set(store, slot + GAP_MILLIS)
    return slot - now
  }
}

/** Two references to one store have the same key: names are compared without case, ids with it. */
const keyOf = (ref: StoreRef): string => (ref._tag === "StoreById" ? ref.id : formatStoreRef(ref).toLowerCase())

/**
 * Gets many stores, each of them or its error. References that name the same store while it is being asked for share one
 * request, and calls for one store begin no more often than 60 times a second, which is what Apify allows. Each stream
 * counts for itself, and knows a store by the reference: by its id and by its name it is two.
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
  { concurrency = 16, unordered = false, ...options }: GetStoresOptions = {}
): Stream.Stream<StoreResult, E, ApifyClient | R> =>
  Stream.suspend(() => {
    const inFlight = new Map<string, Deferred.Deferred<KeyValueStore, GetStoreError>>()
    const waitFor = makeSpacing()

    const ask = (ref: StoreRef): Effect.Effect<KeyValueStore, GetStoreError, ApifyClient> =>
      Effect.clockWith((clock) => {
        const wait = waitFor(keyOf(ref), monotonicMillis(clock))
        return wait === 0 ? getStore(ref, options) : Effect.delay(getStore(ref, options), Duration.millis(wait))
      })

    const share = (ref: StoreRef): Effect.Effect<KeyValueStore, GetStoreError, ApifyClient> =>
      Effect.suspend(() => {
        const key = keyOf(ref)
        const asked = inFlight.get(key)
        if (asked !== undefined) return Deferred.await(asked)
        return Effect.flatMap(Deferred.make<KeyValueStore, GetStoreError>(), (answer) => {
          inFlight.set(key, answer)
          return Effect.onExit(ask(ref), (exit) => {
            inFlight.delete(key)
            return Deferred.done(answer, exit)
          })
        })
      })

    const resultOf = (ref: StoreRef | string): Effect.Effect<StoreResult, never, ApifyClient> =>
      Effect.flatMap(Predicate.isString(ref) ? parseStoreRef(ref) : Either.right(ref), share).pipe(
        Effect.either,
        Effect.map((result) => ({ ref, result }))
      )

    return Stream.mapEffect(isStream(refs) ? refs : Stream.fromIterable(refs), resultOf, { concurrency, unordered })
  })

const isStream = <A, E, R>(refs: Iterable<A> | Stream.Stream<A, E, R>): refs is Stream.Stream<A, E, R> =>
  Predicate.hasProperty(refs, Stream.StreamTypeId)
