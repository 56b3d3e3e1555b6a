/**
 * The operations as methods of one service, for programs that do not want to require the client, or that mock operations in
 * tests. It is not part of the bundle of a program that uses only the functions.
 *
 * @since 0.1.0
 */
import type { CallError } from "@effect-apify/domain/CallError"
import type { RecordInfoPage, StorePage } from "@effect-apify/domain/Page"
import type { RecordInfo } from "@effect-apify/domain/RecordInfo"
import type { Store } from "@effect-apify/domain/Store"
import type { StoreRef } from "@effect-apify/domain/StoreRef"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ApifyClient, type Service as Client } from "./ApifyClient.js"
import type { CallOptions } from "./CallOptions.js"
import * as Keys from "./Keys.js"
import * as PublicUrls from "./PublicUrls.js"
import type { PutRecordOptions, RecordContent } from "./RecordContent.js"
import * as RecordStreams from "./RecordStreams.js"
import * as Records from "./Records.js"
import * as StoreChanges from "./StoreChanges.js"
import type { StoredRecord } from "./StoredRecord.js"
import * as StoreLists from "./StoreLists.js"
import * as Stores from "./Stores.js"

/**
 * All operations. Each does the same as the function of that name, with the service's client.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly getStore: (ref: StoreRef | string, options?: CallOptions) => Effect.Effect<Store, Stores.GetStoreError>
  readonly getStores: <E = never, R = never>(
    refs: Iterable<StoreRef | string> | Stream.Stream<StoreRef | string, E, R>,
    options?: Stores.GetStoresOptions
  ) => Stream.Stream<Stores.StoreResult, E, Exclude<R, ApifyClient>>
  readonly listStores: (options?: StoreLists.ListStoresOptions) => Stream.Stream<Store, CallError>
  readonly listStoresPage: (options?: StoreLists.ListStoresPageOptions) => Effect.Effect<StorePage, CallError>
  readonly getOrCreateStore: (
    options?: StoreChanges.GetOrCreateStoreOptions
  ) => Effect.Effect<StoreChanges.GetOrCreateStoreResult, StoreChanges.GetOrCreateStoreError>
  readonly updateStore: (
    ref: StoreRef | string,
    changes: StoreChanges.StoreChanges,
    options?: CallOptions
  ) => Effect.Effect<Store, StoreChanges.UpdateStoreError>
  readonly deleteStore: (
    ref: StoreRef | string,
    options?: CallOptions
  ) => Effect.Effect<void, StoreChanges.DeleteStoreError>
  readonly listKeys: (
    ref: StoreRef | string,
    options?: Keys.ListKeysOptions
  ) => Stream.Stream<RecordInfo, Keys.ListKeysError>
  readonly listKeysPage: (
    ref: StoreRef | string,
    options?: Keys.KeysPageOptions
  ) => Effect.Effect<RecordInfoPage, Keys.ListKeysError>
  readonly getRecord: (
    ref: StoreRef | string,
    key: string,
    options?: Records.ReadRecordOptions
  ) => Effect.Effect<StoredRecord, Records.GetRecordError>
  readonly getRecordValue: <A, I, R>(
    ref: StoreRef | string,
    key: string,
    schema: Schema.Schema<A, I, R>,
    options?: Records.ReadRecordOptions
  ) => Effect.Effect<A, Records.GetRecordError, Exclude<R, ApifyClient>>
  readonly getRecords: <E = never, R = never>(
    ref: StoreRef | string,
    keys: Iterable<string> | Stream.Stream<string, E, R>,
    options?: RecordStreams.GetRecordsOptions
  ) => Stream.Stream<RecordStreams.RecordResult, E, Exclude<R, ApifyClient>>
  readonly listRecords: (
    ref: StoreRef | string,
    options?: RecordStreams.ListRecordsOptions
  ) => Stream.Stream<StoredRecord, RecordStreams.ListRecordsError>
  readonly headRecord: (
    ref: StoreRef | string,
    key: string,
    options?: Records.ReadRecordOptions
  ) => Effect.Effect<Option.Option<Records.RecordHead>, Records.HeadRecordError>
  readonly streamRecord: (
    ref: StoreRef | string,
    key: string,
    options?: Records.ReadRecordOptions
  ) => Effect.Effect<RecordStreams.StreamedRecord, RecordStreams.StreamRecordError, Scope.Scope>
  readonly downloadRecords: (
    ref: StoreRef | string,
    options?: RecordStreams.DownloadRecordsOptions
  ) => Stream.Stream<Uint8Array, RecordStreams.DownloadRecordsError>
  readonly putRecord: <A = never, I = never, E = never, R = never>(
    ref: StoreRef | string,
    key: string,
    content: RecordContent<A, I, E, R>,
    options?: PutRecordOptions
  ) => Effect.Effect<void, Records.PutRecordError | E, Exclude<R, ApifyClient>>
  readonly deleteRecord: (
    ref: StoreRef | string,
    key: string,
    options?: CallOptions
  ) => Effect.Effect<void, Records.DeleteRecordError>
  readonly publicUrls: (store: Store) => Effect.Effect<PublicUrls.PublicUrls>
  readonly recordPublicUrl: (
    ref: StoreRef | string,
    key: string,
    options?: CallOptions
  ) => Effect.Effect<PublicUrls.PublicLink, PublicUrls.RecordPublicUrlError>
  readonly keysPublicUrl: (
    ref: StoreRef | string,
    options?: PublicUrls.KeysLinkOptions & CallOptions
  ) => Effect.Effect<PublicUrls.PublicLink, PublicUrls.KeysPublicUrlError>
}

/**
 * The operations of Apify's key-value stores.
 *
 * @example
 * ```ts
 * import { Apify } from "@effect-apify/http"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const exists = Effect.gen(function* () {
 *   const apify = yield* Apify.Apify
 *   return (yield* apify.headRecord("~my-store", "OUTPUT"))._tag === "Some"
 * })
 *
 * // In a test: what is not given is a defect that names it.
 * const mock = Layer.mock(Apify.Apify, { headRecord: () => Effect.succeedNone })
 * const test = Effect.provide(exists, mock)
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class Apify extends Context.Tag("@effect-apify/http/Apify")<Apify, Service>() {}

/**
 * The operations on a client.
 *
 * @example
 * ```ts
 * import { Apify, ApifyClient, FetchTransport } from "@effect-apify/http"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const program = Effect.flatMap(Apify.Apify, ({ putRecord }) => putRecord("~my-store", "OUTPUT", "Done"))
 *
 * program.pipe(
 *   Effect.provide(Apify.layer),
 *   Effect.provide(Layer.provide(ApifyClient.layerConfig, FetchTransport.layer))
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Apify, never, ApifyClient> = /* @__PURE__ */ Layer.suspend(() =>
  Layer.effect(Apify, Effect.map(ApifyClient, make))
)

const make = (client: Client): Service => {
  const effect = Effect.provideService(ApifyClient, client)
  const stream = Stream.provideService(ApifyClient, client)
  return {
    getStore: (ref, options) => effect(Stores.getStore(ref, options)),
    getStores: (refs, options) => stream(Stores.getStores(refs, options)),
    listStores: (options) => stream(StoreLists.listStores(options)),
    listStoresPage: (options) => effect(StoreLists.listStoresPage(options)),
    getOrCreateStore: (options) => effect(StoreChanges.getOrCreateStore(options)),
    updateStore: (ref, changes, options) => effect(StoreChanges.updateStore(ref, changes, options)),
    deleteStore: (ref, options) => effect(StoreChanges.deleteStore(ref, options)),
    listKeys: (ref, options) => stream(Keys.listKeys(ref, options)),
    listKeysPage: (ref, options) => effect(Keys.listKeysPage(ref, options)),
    getRecord: (ref, key, options) => effect(Records.getRecord(ref, key, options)),
    getRecordValue: (ref, key, schema, options) => effect(Records.getRecordValue(ref, key, schema, options)),
    getRecords: (ref, keys, options) => stream(RecordStreams.getRecords(ref, keys, options)),
    listRecords: (ref, options) => stream(RecordStreams.listRecords(ref, options)),
    headRecord: (ref, key, options) => effect(Records.headRecord(ref, key, options)),
    streamRecord: (ref, key, options) => effect(RecordStreams.streamRecord(ref, key, options)),
    downloadRecords: (ref, options) => stream(RecordStreams.downloadRecords(ref, options)),
    putRecord: (ref, key, content, options) => effect(Records.putRecord(ref, key, content, options)),
    deleteRecord: (ref, key, options) => effect(Records.deleteRecord(ref, key, options)),
    publicUrls: (store) => effect(PublicUrls.publicUrls(store)),
    recordPublicUrl: (ref, key, options) => effect(PublicUrls.recordPublicUrl(ref, key, options)),
    keysPublicUrl: (ref, options) => effect(PublicUrls.keysPublicUrl(ref, options))
  }
}
