/**
 * The `KeyValueStore` of `@effect/platform` on an Apify store.
 *
 * @since 0.1.0
 */

import type { PlatformError } from "@effect/platform/Error"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import type { InvalidRecordKeyError, MalformedRecordError } from "@effect-apify/domain/RecordErrors"
import type { ValidRecordKey } from "@effect-apify/domain/RecordKey"
import type { InvalidStoreRefError } from "@effect-apify/domain/StoreErrors"
import { storeLocation } from "@effect-apify/domain/StoreLocation"
import type { StoreRef } from "@effect-apify/domain/StoreRef"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import { ApifyClient, type Service as Client } from "./ApifyClient.js"
import type { CallOptions } from "./CallOptions.js"
import { KeyLocks } from "./internal/keyLocks.js"
import { OwnKeys } from "./internal/ownKeys.js"
import { badArgument, type CallFailure, systemError } from "./internal/platformError.js"
import { removeRecords } from "./internal/removeRecords.js"
import { checkObject, checkText } from "./internal/settings.js"
import { listKeys, listKeysPage } from "./Keys.js"
import { deleteRecord, getRecord, headRecord, putRecord } from "./Records.js"
import type { StoredRecord } from "./StoredRecord.js"

/**
 * How a `KeyValueStore` uses an Apify store. The limits apply to each call.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options extends CallOptions {
  /**
   * What the keys of all its records begin with. It is put before each key, and `clear`, `size`, `isEmpty` and the list of keys
   * keep to it. Default: none, so that all records of the store are its own.
   */
  readonly prefix?: string | undefined
  /**
   * Which keys are allowed. `strict`: those that Apify allows, 1 to 256 of the characters `a-z A-Z 0-9 ! - _ . ' ( )`.
   * `escaped`: any text; `escapeRecordKey` makes the record's key of it. In both, a key that is too long is a `BadArgument`,
   * and so is one with other characters if keys are strict. Default: `strict`.
   */
  readonly keys?: "strict" | "escaped" | undefined
  /**
   * The content type of what is set under a key. Default, or where it returns `undefined`: `text/plain; charset=utf-8` for text,
   * and `application/octet-stream` for bytes.
   */
  readonly contentType?: ((key: string) => string | undefined) | undefined
}

/**
 * Which keys of a `KeyValueStore` to list.
 *
 * @since 0.1.0
 * @category options
 */
export interface ListOptions {
  /** Only keys that begin with this, after the prefix of the layer. */
  readonly prefix?: string | undefined
}

/**
 * A key of a `KeyValueStore`, without the prefix, and the size of its value in bytes.
 *
 * @since 0.1.0
 * @category models
 */
export interface ListedKey {
  readonly key: string
  readonly size: number
}

/**
 * The keys of a `KeyValueStore`, whose interface has no list of them. `layer` provides both.
 *
 * @example
 * ```ts
 * import { KeyList } from "@effect-apify/http/KeyValueStore"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * const total = Effect.flatMap(KeyList, ({ list }) =>
 *   Stream.runFold(list({ prefix: "image-" }), 0, (total, { size }) => total + size)
 * )
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class KeyList extends Context.Tag("@effect-apify/http/KeyValueStore/KeyList")<
  KeyList,
  {
    /**
     * Lists the keys in the order of the records' keys, page by page, at most 60 pages of 1000 a second.
     */
    readonly list: (options?: ListOptions) => Stream.Stream<ListedKey, PlatformError>
  }
>() {}

/**
 * Provides the `KeyValueStore` of `@effect/platform` on an Apify store, which has to exist, and the list of its keys.
 *
 * - `get` and `getUint8Array` read records of up to `maxBodyBytes` (default: 16 MiB). `get` reads text in the charset of the
 *   record, and leaves out a byte order mark.
 * - `has` is a HEAD request, `isEmpty` a page of one key. `size` lists all keys. `clear` lists and deletes them, at most 200 a
 *   second, and is not atomic.
 * - `modify` reads and writes. Within this process it runs alone among what changes the same key, as long as the store is named
 *   by the same reference, and so do `set` and `remove`. Beyond the process it is not atomic: Apify has no conditional writes, so
 *   of two machines that modify a key at the same time one may lose its update.
 * - With `keys: "escaped"`, records whose keys are not escaped texts are not listed, counted or cleared.
 *
 * A key that cannot be sent is a `BadArgument`. A call that fails is a `SystemError` with the call's error as its `cause`, and its
 * `reason` is `PermissionDenied` for 401, 402 and 403, `Busy` for 429, `TimedOut`, `InvalidData` for a response or a record that is
 * malformed, `NotFound` for a store that does not exist, and `Unknown` for anything else. `has` is false as well if the store
 * does not exist.
 *
 * @param ref a `StoreRef`, or its text
 *
 * @example
 * ```ts
 * import * as KeyValueStore from "@effect/platform/KeyValueStore"
 * import { ApifyClient, FetchTransport } from "@effect-apify/http"
 * import * as ApifyKeyValueStore from "@effect-apify/http/KeyValueStore"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const program = Effect.gen(function* () {
 *   const store = yield* KeyValueStore.KeyValueStore
 *   yield* store.set("user:1", "Jane")
 *   yield* store.modify("user:1", (name) => `${name} Doe`)
 * })
 *
 * program.pipe(
 *   Effect.provide(ApifyKeyValueStore.layer("~my-store", { prefix: "app-", keys: "escaped" })),
 *   Effect.provide(Layer.provide(ApifyClient.layerConfig, FetchTransport.layer))
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  ref: StoreRef | string,
  options: Options = {}
): Layer.Layer<KeyValueStore.KeyValueStore | KeyList, InvalidStoreRefError | InvalidRecordKeyError, ApifyClient> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const client = yield* ApifyClient
      const { text } = yield* storeLocation(ref)
      checkObject("options", options, "{ prefix: 'app-' }")
      const { contentType, keys = "strict", prefix = "", ...limits } = options
      checkText("prefix", prefix)
      if (keys !== "strict" && keys !== "escaped") {
        throw new Cause.IllegalArgumentException("keys must be 'strict' or 'escaped'")
      }
      if (contentType !== undefined && !Predicate.isFunction(contentType)) {
        throw new Cause.IllegalArgumentException("contentType must be a function that gets a key")
      }
      const own = new OwnKeys(prefix, keys === "escaped")
      const recordPrefix = yield* own.recordPrefix("")
      const { list, ...store } = make(client, ref, own, recordPrefix, contentType, limits)
      return Context.make(
        KeyValueStore.KeyValueStore,
        // Names of stores are compared without case.
        locked(
          KeyValueStore.make(store),
          (key) => `${text.toLowerCase()}/${Either.getOrElse(own.recordKey(key), () => "")}`
        )
      ).pipe(Context.add(KeyList, { list }))
    })
  )

const make = (
  client: Client,
  ref: StoreRef | string,
  own: OwnKeys,
  recordPrefix: string | undefined,
  contentType: Options["contentType"],
  options: CallOptions
) => {
  const call = <A>(
    method: string,
    effect: Effect.Effect<A, CallFailure, ApifyClient>,
    key?: string
  ): Effect.Effect<A, PlatformError> =>
    effect.pipe(Effect.mapError(systemError(method, key)), Effect.provideService(ApifyClient, client))

  const callFor = <A>(
    method: string,
    key: string,
    effect: (recordKey: ValidRecordKey) => Effect.Effect<A, CallFailure, ApifyClient>
  ): Effect.Effect<A, PlatformError> =>
    Effect.suspend(() =>
      Either.match(own.recordKey(key), {
        onLeft: (error) => Effect.fail(badArgument(method, own.areEscaped)(error)),
        onRight: (recordKey) => call(method, effect(recordKey), key)
      })
    )

  const read = <A>(
    method: string,
    key: string,
    decode: (record: StoredRecord) => Either.Either<A, MalformedRecordError>
  ): Effect.Effect<Option.Option<A>, PlatformError> =>
    callFor(method, key, (recordKey) =>
      getRecord(ref, recordKey, options).pipe(
        Effect.flatMap((record) => Effect.asSome(decode(record))),
        Effect.catchTag("RecordNotFoundError", () => Effect.succeedNone)
      )
    )

  /** The records that are its own. */
  const listed = (prefix: string | undefined, exclusiveStartKey?: string) =>
    Stream.filterMap(
      // A page of keys may well be larger than a record.
      listKeys(ref, { ...options, maxBodyBytes: undefined, prefix, exclusiveStartKey }),
      ({ key: recordKey, size }) => Option.map(own.key(recordKey), (key) => ({ key, recordKey, size }))
    )

  return {
    get: (key: string) => read("get", key, ({ text }) => text),
    getUint8Array: (key: string) => read("getUint8Array", key, ({ bytes }) => Either.right(bytes)),
    set: (key: string, value: string | Uint8Array) =>
      callFor("set", key, (recordKey) =>
        putRecord(ref, recordKey, value, { ...options, contentType: contentType?.(key) })
      ),
    remove: (key: string) => callFor("remove", key, (recordKey) => deleteRecord(ref, recordKey, options)),
    has: (key: string) =>
      callFor("has", key, (recordKey) => Effect.map(headRecord(ref, recordKey, options), Option.isSome)),
    clear: call(
      "clear",
      removeRecords(
        ref,
        Stream.map(listed(recordPrefix), ({ recordKey }) => recordKey),
        options
      )
    ),
    size: call("size", Stream.runCount(listed(recordPrefix))),
    isEmpty: call(
      "isEmpty",
      Effect.flatMap(
        listKeysPage(ref, { ...options, maxBodyBytes: undefined, prefix: recordPrefix, limit: 1 }),
        ({ items, nextExclusiveStartKey }) => {
          if (items.some(({ key }) => Option.isSome(own.key(key)))) return Effect.succeed(false)
          // The first record is not one of its own.
          return Option.match(nextExclusiveStartKey, {
            onNone: () => Effect.succeed(true),
            onSome: (after) => Effect.map(Stream.runHead(listed(recordPrefix, after)), Option.isNone)
          })
        }
      )
    ),
    list: (options: ListOptions = {}): Stream.Stream<ListedKey, PlatformError> =>
      Stream.suspend(() => {
        checkObject("options", options, "{ prefix: 'image-' }")
        const { prefix = "" } = options
        return Either.match(own.recordPrefix(prefix), {
          onLeft: (error) => Stream.fail(badArgument("list", own.areEscaped)(error)),
          onRight: (prefix) =>
            listed(prefix).pipe(
              Stream.map(({ key, size }) => ({ key, size })),
              Stream.mapError(systemError("list")),
              Stream.provideService(ApifyClient, client)
            )
        })
      })
  }
}

const locks = /* @__PURE__ */ new KeyLocks()

/** What changes a key runs alone. Schemas' stores modify by `get` and `set`, so they have a lock of their own. */
const locked = (
  unlocked: KeyValueStore.KeyValueStore,
  nameOf: (key: string) => string
): KeyValueStore.KeyValueStore => {
  const lock = (key: string) => locks.withLock(nameOf(key))
  return {
    ...unlocked,
    set: (key, value) => lock(key)(unlocked.set(key, value)),
    remove: (key) => lock(key)(unlocked.remove(key)),
    modify: (key, f) => lock(key)(unlocked.modify(key, f)),
    modifyUint8Array: (key, f) => lock(key)(unlocked.modifyUint8Array(key, f)),
    forSchema: (schema) => {
      const store = unlocked.forSchema(schema)
      return {
        ...store,
        set: (key, value) => lock(key)(store.set(key, value)),
        remove: (key) => lock(key)(store.remove(key)),
        modify: (key, f) => lock(key)(store.modify(key, f))
      }
    }
  }
}
