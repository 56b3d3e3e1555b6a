/**
 * The backing of `@effect/experimental/Persistence` on an Apify store. It needs the package `@effect/experimental`.
 *
 * @since 0.1.0
 */
import * as Persistence from "@effect/experimental/Persistence"
import type { InvalidStoreRefError } from "@effect-apify/domain/StoreErrors"
import { storeLocation } from "@effect-apify/domain/StoreLocation"
import type { StoreRef } from "@effect-apify/domain/StoreRef"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { ApifyClient, type Service as Client } from "./ApifyClient.js"
import type { CallOptions } from "./CallOptions.js"
import { CONCURRENCY } from "./internal/concurrently.js"
import { entryKey, entryPrefix } from "./internal/entryKey.js"
import { removeRecord, removeRecords } from "./internal/removeRecords.js"
import { listKeys } from "./Keys.js"
import { pacedRecord } from "./RecordStreams.js"
import { type DeleteRecordError, deleteRecord, type GetRecordError, getRecord, put, putRecord } from "./Records.js"
import type { StoredRecord } from "./StoredRecord.js"

/**
 * Provides `BackingPersistence` on an Apify store, which has to exist: what `Persistence.layerResult` and `Chat.layerPersisted`
 * of `@effect/ai` build on.
 *
 * Each entry is a record of JSON, `[value, expires]`, where `expires` is a time in milliseconds since 1970 or `null`. An entry
 * that has expired reads as `None`, and its record is deleted. The key of a record is the escaped ID of the persistence's store,
 * a `'`, and the escaped key of the entry, or `)` and the SHA-256 hash of the key where that would be longer than 256 characters.
 * `clear` deletes what belongs to that ID, and nothing else.
 *
 * `getMany`, `setMany` and `clear` work on 16 records at once, and at most 200 a second. They are not atomic.
 *
 * A call that fails is a `PersistenceError` with the reason `BackingError` and the call's error as its `cause`, and so is a record
 * that is no such entry.
 *
 * @param ref a `StoreRef`, or its text
 * @param options the limits of each call, which override the client's
 *
 * @example
 * ```ts
 * import * as Persistence from "@effect/experimental/Persistence"
 * import { ApifyClient, FetchTransport } from "@effect-apify/http"
 * import * as ApifyPersistence from "@effect-apify/http/Persistence"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Option from "effect/Option"
 *
 * const program = Effect.gen(function* () {
 *   const backing = yield* Persistence.BackingPersistence
 *   const tokens = yield* backing.make("tokens")
 *   yield* tokens.set("user:1", { scope: "read" }, Option.none())
 * }).pipe(Effect.scoped)
 *
 * const client = Layer.provide(ApifyClient.layerConfig, FetchTransport.layer)
 *
 * program.pipe(Effect.provide(Layer.provide(ApifyPersistence.layer("~my-store"), client)))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  ref: StoreRef | string,
  options: CallOptions = {}
): Layer.Layer<Persistence.BackingPersistence, InvalidStoreRefError, ApifyClient> =>
  Layer.effect(
    Persistence.BackingPersistence,
    Effect.gen(function* () {
      const client = yield* ApifyClient
      yield* storeLocation(ref)
      return Persistence.BackingPersistence.of({
        [Persistence.BackingPersistenceTypeId]: Persistence.BackingPersistenceTypeId,
        make: (storeId) => Effect.map(entryPrefix(storeId), (prefix) => makeStore(client, ref, prefix, options))
      })
    })
  )

/**
 * Provides `ResultPersistence` on an Apify store: what `PersistedCache` and `RequestResolver.persisted` need.
 *
 * @param ref a `StoreRef`, or its text
 * @param options the limits of each call, which override the client's
 *
 * @example
 * ```ts
 * import * as PersistedCache from "@effect/experimental/PersistedCache"
 * import { ApifyClient, FetchTransport } from "@effect-apify/http"
 * import * as ApifyPersistence from "@effect-apify/http/Persistence"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as PrimaryKey from "effect/PrimaryKey"
 * import * as Schema from "effect/Schema"
 *
 * class Title extends Schema.TaggedRequest<Title>()("Title", {
 *   success: Schema.String,
 *   failure: Schema.String,
 *   payload: { url: Schema.String }
 * }) {
 *   [PrimaryKey.symbol]() {
 *     return this.url
 *   }
 * }
 *
 * const program = Effect.gen(function* () {
 *   const titles = yield* PersistedCache.make({
 *     storeId: "titles",
 *     lookup: ({ url }: Title) => Effect.succeed(`The title of ${url}`),
 *     timeToLive: () => "1 day"
 *   })
 *   return yield* titles.get(new Title({ url: "https://apify.com" }))
 * }).pipe(Effect.scoped)
 *
 * const client = Layer.provide(ApifyClient.layerConfig, FetchTransport.layer)
 *
 * program.pipe(Effect.provide(Layer.provide(ApifyPersistence.layerResult("~my-store"), client)))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerResult = (
  ref: StoreRef | string,
  options?: CallOptions
): Layer.Layer<Persistence.ResultPersistence, InvalidStoreRefError, ApifyClient> =>
  Layer.provide(Persistence.layerResult, layer(ref, options))

const Entry = Schema.Tuple(Schema.Unknown, Schema.NullOr(Schema.Number))

const makeStore = (
  client: Client,
  ref: StoreRef | string,
  prefix: string,
  options: CallOptions
): Persistence.BackingPersistenceStore => {
  const call = <A, E>(
    method: string,
    effect: Effect.Effect<A, E, ApifyClient>
  ): Effect.Effect<A, Persistence.PersistenceError> =>
    effect.pipe(
      Effect.mapError((error) => Persistence.PersistenceBackingError.make(method, error)),
      Effect.provideService(ApifyClient, client)
    )

  const callFor = <A, E>(
    method: string,
    key: string,
    effect: (recordKey: string) => Effect.Effect<A, E, ApifyClient>
  ): Effect.Effect<A, Persistence.PersistenceError> => call(method, Effect.flatMap(entryKey(prefix, key), effect))

  const read = (
    record: Effect.Effect<StoredRecord, GetRecordError, ApifyClient>,
    remove: Effect.Effect<void, DeleteRecordError, ApifyClient>
  ) =>
    Effect.gen(function* () {
      const [value, expires] = yield* (yield* record).json(Entry)
      if (expires === null || expires > (yield* Clock.currentTimeMillis)) return Option.some(value)
      // It has expired, whether it can be deleted or not. Not in the background: whoever is told that there is no entry
      // sets it next, and a delete that is still on its way would take the new one.
      yield* Effect.ignore(remove)
      return Option.none()
    }).pipe(Effect.catchTag("RecordNotFoundError", () => Effect.succeedNone))

  const entryOf = (value: unknown, timeToLive: Option.Option<Duration.Duration>) =>
    Effect.clockWith((clock) =>
      Effect.succeed({ schema: Entry, value: [value, Persistence.unsafeTtlToExpires(clock, timeToLive)] } as const)
    )

  return {
    get: (key) =>
      callFor("get", key, (recordKey) =>
        read(getRecord(ref, recordKey, options), deleteRecord(ref, recordKey, options))
      ),
    getMany: (keys) =>
      Effect.forEach(
        keys,
        (key) =>
          callFor("getMany", key, (recordKey) =>
            read(pacedRecord(ref, recordKey, options), removeRecord(ref, recordKey, options))
          ),
        { concurrency: CONCURRENCY }
      ),
    set: (key, value, timeToLive) =>
      callFor("set", key, (recordKey) =>
        Effect.flatMap(entryOf(value, timeToLive), (entry) => putRecord(ref, recordKey, entry, options))
      ),
    setMany: (entries) =>
      Effect.forEach(
        // Of several entries with one key the last, as they are put at the same time.
        new Map(entries.map((entry) => [entry[0], entry])).values(),
        ([key, value, timeToLive]) =>
          callFor("setMany", key, (recordKey) =>
            Effect.flatMap(entryOf(value, timeToLive), (entry) => put(ref, recordKey, entry, options, true))
          ),
        { concurrency: CONCURRENCY, discard: true }
      ),
    remove: (key) => callFor("remove", key, (recordKey) => deleteRecord(ref, recordKey, options)),
    clear: call(
      "clear",
      removeRecords(
        ref,
        // A page of keys may well be larger than an entry.
        Stream.map(listKeys(ref, { ...options, maxBodyBytes: undefined, prefix }), ({ key }) => key),
        options
      )
    )
  }
}
