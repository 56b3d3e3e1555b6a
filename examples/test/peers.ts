/**
 * A use of each part of the client. `scripts/checkPeers.ts` compiles and runs it with the lowest and the highest versions of the peers,
 * against an emulator in a process of its own, at `APIFY_API_BASE_URL`.
 */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict"
import * as Persistence from "@effect/experimental/Persistence"
import * as RateLimiter from "@effect/experimental/RateLimiter"
import * as RateLimiterRedis from "@effect/experimental/RateLimiter/Redis"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as FileSystem from "@effect/platform/FileSystem"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Path from "@effect/platform/Path"
import * as Socket from "@effect/platform/Socket"
import { formatStoreRef, parseStoreRef, Store, StoreBody } from "@effect-apify/domain"
import {
  Apify,
  ApifyClient,
  deleteRecord,
  deleteStore,
  FetchTransport,
  getOrCreateStore,
  getRecord,
  getRecordValue,
  getStore,
  getStores,
  HttpClientTransport,
  listKeys,
  Metrics,
  putRecord,
  RetryPolicy,
  recordPublicUrl,
  storeById,
  streamRecord
} from "@effect-apify/http"
import * as Actor from "@effect-apify/http/Actor"
import * as FolderTransport from "@effect-apify/http/FolderTransport"
import * as ApifyKeyValueStore from "@effect-apify/http/KeyValueStore"
import * as ApifyPersistence from "@effect-apify/http/Persistence"
import * as SharedPacing from "@effect-apify/http/SharedPacing"
import { layerRespond, layerStores, RecordedRequests } from "@effect-apify/http/testing"
import * as UndiciTransport from "@effect-apify/http/UndiciTransport"
import * as Arbitrary from "effect/Arbitrary"
import * as Chunk from "effect/Chunk"
import * as ConfigProvider from "effect/ConfigProvider"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Tracer from "effect/Tracer"

const STORE = "WkzbQMuFYuamGv3YF"
const NAMED = "janedoe~d7b9MDYsbtX5L7XAj"

const byHttpClient = Layer.provide(HttpClientTransport.layer, FetchHttpClient.layer)
const clients = {
  HttpClientTransport: Layer.provide(ApifyClient.layerConfig, byHttpClient),
  FetchTransport: Layer.provide(ApifyClient.layerConfig, FetchTransport.layer),
  UndiciTransport: Layer.provide(ApifyClient.layerConfig, UndiciTransport.layer)
}

const tagOf = <A, E extends { readonly _tag: string }, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<string, A, R> => Effect.map(Effect.flip(effect), ({ _tag }) => _tag)

/** A server that is busy once, and then has no such store. */
const busyOnce = () => {
  let requests = 0
  return layerRespond(
    () =>
      Effect.sync(() => {
        requests++
        return requests === 1
          ? new Response("busy", { status: 503, headers: { "retry-after": "0" } })
          : Response.json(
              { error: { type: "record-not-found", message: "Key-value Store was not found" } },
              { status: 404 }
            )
      }),
    { retry: { baseDelay: "1 millis" } }
  )
}

const checks: Readonly<Record<string, Effect.Effect<void, unknown>>> = {
  ...Object.fromEntries(
    Object.entries(clients).map(([name, client]) => [
      `gets a store by id and by name: ${name}`,
      Effect.gen(function* () {
        const store = yield* getStore(STORE)
        strictEqual(store.id, STORE)
        strictEqual((yield* getStore(NAMED)).id, STORE)
        strictEqual(DateTime.formatIso(store.createdAt), "2019-12-12T07:34:14.202Z")
      }).pipe(Effect.provide(client))
    ])
  ),
  ...Object.fromEntries(
    Object.entries(clients).map(([name, client]) => [
      `writes, reads, lists and links to records: ${name}`,
      Effect.gen(function* () {
        const { store } = yield* getOrCreateStore({ name: `peers-${name}` })
        const ref = storeById(store.id)
        const Value = Schema.Struct({ pages: Schema.Int })
        yield* putRecord(ref, "OUTPUT", { schema: Value, value: { pages: 3 } })
        yield* putRecord(ref, "stream", Stream.make(new Uint8Array(3), new Uint8Array(4)), { gzip: true })
        deepStrictEqual(yield* getRecordValue(ref, "OUTPUT", Value), { pages: 3 })
        strictEqual((yield* getRecord(ref, "stream")).bytes.length, 7)
        const { bytes } = yield* streamRecord(ref, "stream")
        strictEqual(yield* Stream.runFold(bytes, 0, (sum, chunk) => sum + chunk.length), 7)
        const keys = yield* Stream.runCollect(listKeys(ref))
        deepStrictEqual(
          Chunk.toReadonlyArray(keys).map(({ key }) => key),
          ["OUTPUT", "stream"]
        )
        strictEqual((yield* recordPublicUrl(ref, "OUTPUT")).isSigned, true)
        yield* deleteRecord(ref, "stream")
        strictEqual(yield* tagOf(getRecord(ref, "stream")), "RecordNotFoundError")
        strictEqual(yield* tagOf(getRecord(ref, "a/b")), "InvalidRecordKeyError")
        yield* deleteStore(ref)
      }).pipe(Effect.scoped, Effect.provide(client))
    ])
  ),
  ...Object.fromEntries(
    Object.entries(clients).map(([name, client]) => [
      `fails with typed errors: ${name}`,
      Effect.gen(function* () {
        strictEqual(yield* tagOf(getStore("~missing")), "StoreNotFoundError")
        strictEqual(yield* tagOf(getStore("../users/me")), "InvalidStoreRefError")
        strictEqual(yield* tagOf(getStore(STORE, { maxBodyBytes: 10 })), "UnexpectedResponseError")
      }).pipe(Effect.provide(client))
    ])
  ),
  "keeps state between runs of an Actor": Effect.gen(function* () {
    const run = Effect.gen(function* () {
      const runs = yield* Actor.persistedState({ key: "RUNS", schema: Schema.Int, initial: 0 })
      yield* SubscriptionRef.update(runs, (runs) => runs + 1)
      return yield* runs
    }).pipe(
      Effect.scoped,
      Effect.provide(
        Layer.provide(Actor.layerWith({ localStore: "peers-actor" }), Socket.layerWebSocketConstructorGlobal)
      )
    )
    deepStrictEqual(yield* Effect.all([run, run]), [1, 2])
    yield* deleteStore("~peers-actor")
  }).pipe(Effect.provide(clients.FetchTransport)),
  "keeps stores in a folder": Effect.gen(function* () {
    strictEqual((yield* getOrCreateStore({ name: "default" })).isNew, false)
    strictEqual(yield* tagOf(getRecord("~default", "INPUT")), "RecordNotFoundError")
  }).pipe(
    Effect.provide(
      ApifyClient.layer().pipe(
        Layer.provide(FolderTransport.layerWith({ folder: "storage" })),
        Layer.provide([
          Path.layer,
          FileSystem.layerNoop({
            access: () => Effect.void,
            makeDirectory: () => Effect.void,
            // The folder of a store, without notes and without records.
            readDirectory: (path) => Effect.succeed(path.endsWith("key_value_stores") ? ["default"] : []),
            readFileString: () => Effect.succeed("")
          })
        ])
      )
    )
  ),
  "shares the pace of its calls": Effect.gen(function* () {
    const results = yield* Stream.runCollect(getStores([STORE, NAMED]))
    ok(Chunk.every(results, ({ result }) => Either.isRight(result)))
  }).pipe(
    Effect.provide(
      Layer.provide(ApifyClient.layerConfig, [
        FetchTransport.layer,
        Layer.provide(SharedPacing.layer, Layer.provide(RateLimiter.layer, RateLimiter.layerStoreMemory))
      ])
    )
  ),
  "can share it by a Redis": Effect.sync(() => ok(Layer.isLayer(RateLimiterRedis.layerStore({})))),
  "refuses a token that the emulator does not know": Effect.gen(function* () {
    strictEqual(yield* tagOf(getStore(STORE)), "UnauthorizedError")
  }).pipe(
    Effect.provide(
      Layer.provide(
        clients.HttpClientTransport,
        Layer.setConfigProvider(
          ConfigProvider.orElse(ConfigProvider.fromMap(new Map([["APIFY_TOKEN", "apify_api_unknown"]])), () =>
            ConfigProvider.fromEnv()
          )
        )
      )
    )
  ),
  "streams stores in the order of the references": Effect.gen(function* () {
    const results = yield* Stream.runCollect(getStores([STORE, "~missing", NAMED], { concurrency: 3 }))
    const tags = Chunk.toReadonlyArray(results).map(({ result }) =>
      Either.match(result, { onLeft: (e) => e._tag, onRight: ({ id }) => id })
    )
    deepStrictEqual(tags, [STORE, "StoreNotFoundError", STORE])
  }).pipe(Effect.provide(clients.HttpClientTransport)),
  "retries, and counts its attempts": Effect.gen(function* () {
    const attempts = Metric.value(Metrics.attempts.pipe(Metric.tagged("operation", "getStore")))
    const { count } = yield* attempts
    strictEqual(yield* tagOf(getStore(STORE)), "StoreNotFoundError")
    strictEqual((yield* (yield* RecordedRequests).all).length, 2)
    strictEqual((yield* attempts).count, count + 2)
  }).pipe(Effect.provide(busyOnce())),
  "does not retry where its policy says so": Effect.gen(function* () {
    strictEqual(yield* tagOf(getStore(STORE, { retry: RetryPolicy.none })), "ServerError")
  }).pipe(Effect.provide(busyOnce())),
  "ends by the limit of an attempt": Effect.gen(function* () {
    strictEqual(yield* tagOf(getStore(STORE, { attemptTimeout: "10 millis", retry: RetryPolicy.none })), "TimeoutError")
  }).pipe(Effect.provide(layerRespond(() => Effect.never))),
  "stops when interrupted": Effect.gen(function* () {
    ok(Either.isLeft(yield* Effect.either(Effect.timeout(getStore(STORE), "10 millis"))))
  }).pipe(Effect.provide(layerRespond(() => Effect.never))),
  "makes a span for the call and for each attempt": Effect.gen(function* () {
    const names: Array<string> = []
    const tracer = yield* Effect.tracer
    const recording = Tracer.make({
      context: tracer.context,
      span: (...args) => {
        names.push(args[0])
        return tracer.span(...args)
      }
    })
    yield* Effect.withTracer(Effect.ignore(getStore(STORE)), recording)
    strictEqual(names.length, 3)
  }).pipe(Effect.provide(busyOnce())),
  "keeps stores in memory for tests": Effect.gen(function* () {
    const stored = yield* Effect.provide(getStore(STORE), clients.HttpClientTransport)
    const store = yield* Effect.provide(getStore(NAMED), layerStores({ stores: [stored], caller: "janedoe" }))
    ok(store instanceof Store)
    strictEqual(store.id, STORE)
  }),
  "keeps values in a KeyValueStore": Effect.gen(function* () {
    const { store } = yield* getOrCreateStore()
    yield* Effect.gen(function* () {
      const values = yield* KeyValueStore.KeyValueStore
      yield* values.set("user:1", "Jane")
      yield* values.modify("user:1", (name) => `${name} Doe`)
      deepStrictEqual(yield* values.get("user:1"), Option.some("Jane Doe"))
      const keys = yield* Effect.flatMap(ApifyKeyValueStore.KeyList, ({ list }) => Stream.runCollect(list()))
      deepStrictEqual(Chunk.toReadonlyArray(keys), [{ key: "user:1", size: 8 }])
      yield* values.clear
      strictEqual(yield* values.size, 0)
    }).pipe(Effect.provide(ApifyKeyValueStore.layer(store.id, { prefix: "a/", keys: "escaped" })))
    yield* deleteStore(store.id)
  }).pipe(Effect.provide(clients.FetchTransport)),
  "persists entries": Effect.gen(function* () {
    const { store } = yield* getOrCreateStore()
    yield* Effect.gen(function* () {
      const entries = yield* Effect.flatMap(Persistence.BackingPersistence, ({ make }) => make("entries"))
      yield* entries.setMany([["a", { count: 1 }, Option.none()]])
      deepStrictEqual(yield* entries.getMany(["a", "b"]), [Option.some({ count: 1 }), Option.none()])
      yield* entries.clear
      deepStrictEqual(yield* entries.get("a"), Option.none())
    }).pipe(Effect.scoped, Effect.provide(ApifyPersistence.layer(store.id)))
    yield* deleteStore(store.id)
  }).pipe(Effect.provide(clients.FetchTransport)),
  "has all operations in one service, which can be mocked": Effect.gen(function* () {
    const get = Effect.flatMap(Apify.Apify, (apify) => apify.getStore(STORE))
    const store = yield* Effect.provide(get, Layer.provide(Apify.layer, clients.FetchTransport))
    const mock = Layer.mock(Apify.Apify, { getStore: () => Effect.succeed(store) })
    strictEqual((yield* Effect.provide(get, mock)).id, STORE)
  }),
  "refuses settings that cannot work": Effect.gen(function* () {
    const client = ApifyClient.layer({ token: Redacted.make("a\nb") })
    ok(Either.isLeft(yield* Effect.either(Layer.build(Layer.provide(client, FetchTransport.layer)))))
  }).pipe(Effect.scoped),
  "round-trips generated stores": Effect.sync(() => {
    const encode = Schema.encodeSync(StoreBody)
    const decode = Schema.decodeUnknownSync(StoreBody)
    fc.assert(
      fc.property(Arbitrary.make(StoreBody), (body) => deepStrictEqual(encode(decode(encode(body))), encode(body))),
      { numRuns: 50 }
    )
  }),
  "reads references": Effect.gen(function* () {
    strictEqual(formatStoreRef(yield* parseStoreRef(NAMED)), NAMED)
    strictEqual(yield* tagOf(parseStoreRef("a/b")), "InvalidStoreRefError")
  })
}

const main = Effect.forEach(Object.entries(checks), ([name, check]) =>
  Effect.timed(check).pipe(
    Effect.tapErrorCause(() => Effect.sync(() => console.error(`✗ ${name}`))),
    Effect.map(([time]) => console.log(`✓ ${name} (${Duration.format(time)})`))
  )
)

await Effect.runPromise(main)
