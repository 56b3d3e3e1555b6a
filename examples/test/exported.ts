/**
 * What a library may export, without a type annotation: the compiler must be able to name every type by what the packages export.
 *
 * `scripts/checkDeclarations.ts` compiles it in a project that depends on http and emulator, and not on domain.
 */
import * as Persistence from "@effect/experimental/Persistence"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { DEMO_TOKEN, demoSeed, Emulator } from "@effect-apify/emulator"
import {
  Apify,
  ApifyClient,
  defaultLimits,
  FetchTransport,
  getStore,
  getStores,
  HttpClientTransport,
  isNotFound,
  Metrics,
  parseStoreRef,
  RetryPolicy
} from "@effect-apify/http"
import * as ApifyKeyValueStore from "@effect-apify/http/KeyValueStore"
import * as ApifyPersistence from "@effect-apify/http/Persistence"
import { layerRespond, layerStores, RecordedRequests } from "@effect-apify/http/testing"
import * as UndiciTransport from "@effect-apify/http/UndiciTransport"
import * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Match from "effect/Match"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"

// An effect of a store, of its parts, and of its errors.
export const store = getStore("janedoe~my-store")
export const storeOf = (ref: string) => getStore(ref, { callTimeout: "10 seconds", retry: { retries: 2 } })
export const parts = Effect.map(
  store,
  ({ generalAccess, id, keysPublicUrl, name, stats, urlSigningSecretKey, username }) => ({
    generalAccess,
    id,
    keysPublicUrl,
    name,
    stats,
    urlSigningSecretKey,
    username
  })
)
export const error = Effect.flip(store)
export const either = Effect.either(store)
export const exit = Effect.exit(store)
export const together = Effect.all({ one: storeOf("~one"), two: Effect.option(storeOf("~two")) })
export const again = Effect.retry(store, {
  schedule: Schedule.recurs(2),
  while: (error) => error.retryable !== "Never"
})

// Error handlers.
export const found = Effect.catchTag(store, "StoreNotFoundError", ({ ref }) => Effect.succeed(ref))
export const rest = Effect.catchTags(store, {
  StoreNotFoundError: () => Effect.succeedNone,
  RateLimitedError: ({ retryAfter }) => Effect.succeed(retryAfter),
  UnauthorizedError: (error) => Effect.fail({ source: error.tokenSource, error })
})
export const onError = (error: Effect.Effect.Error<typeof store>) =>
  Option.liftPredicate(error, ({ _tag }) => _tag === "TimeoutError")
export const advice = Match.type<Effect.Effect.Error<typeof store>>().pipe(
  Match.tag("TransportError", (error) => error),
  Match.tag("MalformedResponseError", ({ problems }) => problems),
  Match.orElse((error) => error)
)

export const missing = Effect.catchIf(store, isNotFound, (error) => Effect.succeed(error))
export const ref = parseStoreRef("janedoe~my-store")

// A stream of stores.
export const stores = getStores(["~one", "~two"], { concurrency: 2 })
export const onlyStores = Stream.filterMap(stores, ({ result }) => Either.getRight(result))
export const partitioned = Effect.map(Stream.runCollect(stores), (results) =>
  Arr.partitionMap(Arr.fromIterable(results), ({ result }) => result)
)

// Functions that take a store, or what names one.
export const describe = (store: Effect.Effect.Success<typeof import("./exported.js").store>) => store
export const idOf = ({ id }: Stream.Stream.Success<typeof onlyStores>) => id
export const getEach = (refs: ReadonlyArray<Parameters<typeof getStore>[0]>) =>
  Effect.forEach(refs, (ref) => getStore(ref))

// Layers, and services that hold operations.
export const onFetch = Layer.provide(HttpClientTransport.layer, FetchHttpClient.layer)
export const client = Layer.provide(ApifyClient.layerConfig, onFetch)
export const configured = ApifyClient.layer({ token: Redacted.make("token"), retry: RetryPolicy.none })
export const transports = [FetchTransport.layer, UndiciTransport.layerWith({ agent: { connections: 4 } })]
export const makeLayer = (respond: Parameters<typeof layerRespond>[0]) =>
  layerRespond(respond, { attemptTimeout: "1 second" })
export const inMemory = layerStores({ stores: [], caller: "janedoe" })
export const requests = Effect.flatMap(RecordedRequests, ({ all }) => all)
export class Stores extends Context.Tag("Stores")<
  Stores,
  { readonly get: typeof getStore; readonly many: typeof getStores }
>() {
  static readonly layer = Layer.succeed(Stores, { get: getStore, many: getStores })
}
export class StoreNames extends Effect.Service<StoreNames>()("StoreNames", {
  effect: Effect.map(ApifyClient.ApifyClient, (client) => ({
    client,
    nameOf: (ref: string) =>
      getStore(ref).pipe(
        Effect.map(({ name }) => name),
        Effect.provideService(ApifyClient.ApifyClient, client)
      )
  })),
  dependencies: [Layer.provide(ApifyClient.layerConfig, FetchTransport.layer)]
}) {}

// The operations as one service, and Effect's own interfaces.
export const apify = Layer.provide(Apify.layer, client)
export const summary = Effect.map(Apify.Apify, ({ getRecord, headRecord, listKeys, putRecord }) => ({
  getRecord,
  headRecord,
  listKeys,
  putRecord
}))
export const mocked = Layer.mock(Apify.Apify, { headRecord: () => Effect.succeedNone })
export const keyValues = ApifyKeyValueStore.layer("~my-store", { prefix: "a-", keys: "escaped" })
export const keyList = Effect.map(ApifyKeyValueStore.KeyList, ({ list }) => list({ prefix: "b" }))
export const backing = ApifyPersistence.layer("~my-store")
export const results = Layer.provide(Persistence.layerResult, backing)

// Settings and metrics.
export const limits = defaultLimits
export const policy = {
  ...RetryPolicy.defaultPolicy,
  while: (error: Effect.Effect.Error<typeof store>) => error._tag !== "ServerError"
}
export const calls = Metric.value(Metrics.calls)

// The emulator.
export const emulator = Emulator.layer({ seed: demoSeed })
export const url = Effect.map(Emulator, ({ url }) => ({ url, token: Redacted.make(DEMO_TOKEN) }))
export const started = Effect.scoped(Layer.build(emulator))
