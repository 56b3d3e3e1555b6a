/**
 * Programs without types may give anything. What cannot work ends with words that name it, before anything is sent: it is no
 * `TypeError` of ours, and nothing else is done in its place.
 */

import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpBody from "@effect/platform/HttpBody"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Socket from "@effect/platform/Socket"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Actor from "../src/Actor.js"
import * as FolderTransport from "../src/FolderTransport.js"
import {
  type ApifyClient,
  downloadRecords,
  FetchTransport,
  getOrCreateStore,
  getRecord,
  getRecords,
  getRecordValue,
  getStore,
  getStores,
  HttpClientTransport,
  headRecord,
  keysPublicUrl,
  listKeys,
  listKeysPage,
  listRecords,
  listStores,
  listStoresPage,
  parseRetryAfter,
  publicUrls,
  putRecord,
  streamRecord,
  updateStore
} from "../src/index.js"
import { entryKey, entryPrefix } from "../src/internal/entryKey.js"
import { KeyList, layer as keyValueStoreLayer } from "../src/KeyValueStore.js"
import { layerRespond, layerStores, RecordedRequests } from "../src/testing.js"
import * as UndiciTransport from "../src/UndiciTransport.js"

const STORE = "~my-store"

const client = layerStores({ caller: "janedoe", stores: [{ name: "my-store", records: { key: { a: 1 } } }] })

const anything = [5, null, true, [1], () => {}, Symbol("s"), 1n]
const noObject = [...anything, "text"]
const noItems = [...anything, {}].filter((value) => !Array.isArray(value))

type Needs = ApifyClient.ApifyClient | RecordedRequests
type Untyped = (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown, Needs>

/** An operation, as untyped code calls it. */
const untyped =
  (operation: (...args: never) => unknown): Untyped =>
  (...args) =>
    Reflect.apply(operation, undefined, args)

const untypedStream =
  (operation: (...args: never) => unknown): Untyped =>
  (...args) => {
    const stream: Stream.Stream<unknown, unknown, Needs> = Reflect.apply(operation, undefined, args)
    return Stream.runDrain(stream)
  }

const untypedLayer =
  (operation: (...args: never) => unknown): Untyped =>
  (...args) => {
    const layer: Layer.Layer<unknown, unknown, Needs> = Reflect.apply(operation, undefined, args)
    return Effect.scoped(Layer.build(layer))
  }

/** The words that it ends with. */
const refusal = <A, R>(effect: Effect.Effect<A, unknown, R>) =>
  Effect.map(Effect.exit(effect), (exit) => {
    const failure = Exit.isFailure(exit) ? Cause.squash(exit.cause) : assert.fail("It has not failed")
    assert.notInstanceOf(failure, TypeError)
    return String(failure)
  })

const readAll = (body: HttpBody.HttpBody) =>
  body._tag === "Stream" ? Effect.ignore(Stream.runDrain(body.stream)) : Effect.void

const sent = Effect.flatMap(RecordedRequests, ({ all }) => Effect.map(all, ({ length }) => length))

/** What is called, with each value in the place that is meant. */
type Case = readonly [name: string, call: (value: unknown) => Effect.Effect<unknown, unknown, Needs>, words: string]

const linksOf = Effect.flatMap(getStore(STORE), publicUrls)

const options: ReadonlyArray<Case> = [
  ["getStore", (value) => untyped(getStore)(STORE, value), "options"],
  ["getStores", (value) => untypedStream(getStores)([STORE], value), "options"],
  ["listStores", untypedStream(listStores), "options"],
  ["listStoresPage", untyped(listStoresPage), "options"],
  ["getOrCreateStore", untyped(getOrCreateStore), "options"],
  ["getOrCreateStore, schema", (schema) => untyped(getOrCreateStore)({ name: "a", schema }), "schema"],
  ["updateStore", (value) => untyped(updateStore)(STORE, { title: "a" }, value), "options"],
  ["listKeys", (value) => untypedStream(listKeys)(STORE, value), "options"],
  ["listKeysPage", (value) => untyped(listKeysPage)(STORE, value), "options"],
  ["getRecord", (value) => untyped(getRecord)(STORE, "key", value), "options"],
  ["headRecord", (value) => untyped(headRecord)(STORE, "key", value), "options"],
  ["streamRecord", (value) => Effect.scoped(untyped(streamRecord)(STORE, "key", value)), "options"],
  ["getRecords", (value) => untypedStream(getRecords)(STORE, ["key"], value), "options"],
  ["listRecords", (value) => untypedStream(listRecords)(STORE, value), "options"],
  ["downloadRecords", (value) => untypedStream(downloadRecords)(STORE, value), "options"],
  ["putRecord", (value) => untyped(putRecord)(STORE, "key", "text", value), "options"],
  ["keysPublicUrl", (value) => untyped(keysPublicUrl)(STORE, value), "options"],
  ["KeyValueStore.layer", (value) => untypedLayer(keyValueStoreLayer)(STORE, value), "options"]
]

const values: ReadonlyArray<Case> = [
  ["listKeys, prefix", (prefix) => untypedStream(listKeys)(STORE, { prefix }), "parameter prefix"],
  ["listKeysPage, collection", (collection) => untyped(listKeysPage)(STORE, { collection }), "parameter collection"],
  ["listRecords, prefix", (prefix) => untypedStream(listRecords)(STORE, { prefix }), "parameter prefix"],
  ["downloadRecords, prefix", (prefix) => untypedStream(downloadRecords)(STORE, { prefix }), "parameter prefix"],
  ["listStores, ownership", (ownership) => untypedStream(listStores)({ ownership }), "parameter ownership"],
  ["putRecord, contentType", (contentType) => untyped(putRecord)(STORE, "key", "a", { contentType }), "content-type"],
  [
    "putRecord, contentEncoding",
    (contentEncoding) => untyped(putRecord)(STORE, "key", "a", { contentEncoding }),
    "content-encoding"
  ],
  ["KeyValueStore.layer, keys", (keys) => untypedLayer(keyValueStoreLayer)(STORE, { keys }), "'strict' or 'escaped'"],
  ["KeyValueStore.layer, prefix", (prefix) => untypedLayer(keyValueStoreLayer)(STORE, { prefix }), "prefix"],
  ["Persistence, ID of a store", untyped(entryPrefix), "storeId"],
  ["Persistence, key", (key) => untyped(entryKey)("prefix", key), "key of an entry"]
]

const items: ReadonlyArray<Case> = [
  ["getRecords", (keys) => untypedStream(getRecords)(STORE, keys), "keys must be an Iterable or a Stream"],
  ["getStores", untypedStream(getStores), "refs must be an Iterable or a Stream"]
]

describe("is refused with words that name it, and nothing is sent:", () => {
  it.effect.each([
    ...options.map((each) => [...each, noObject] as const),
    ...values.map((each) => [...each, anything] as const),
    ...items.map((each) => [...each, noItems] as const)
  ])("%s", ([_, call, words, all]) =>
    Effect.gen(function* () {
      for (const value of all) assert.include(yield* refusal(call(value)), words)
      assert.strictEqual(yield* sent, 0)
    }).pipe(Effect.provide(client))
  )

  it.effect("the length of a stream that is put", () =>
    Effect.gen(function* () {
      for (const length of [...noObject, {}, Number.NaN, -1, 0.5].filter((length) => length !== 5)) {
        for (const gzip of [false, true]) {
          const put = untyped(putRecord)(STORE, "key", Stream.make(new Uint8Array(5)), { length, gzip })
          assert.include(yield* refusal(put), "length must be a whole number")
        }
      }
      assert.strictEqual(yield* sent, 0)
    }).pipe(Effect.provide(client))
  )

  it.effect("a schema or changes that JSON does not have", () =>
    Effect.gen(function* () {
      const round: Record<string, unknown> = {}
      round.round = round
      const schemaOf = untyped(getOrCreateStore)({ name: "a", schema: round })
      for (const call of [schemaOf, untyped(updateStore)(STORE, { title: 1n })]) {
        assert.include(yield* refusal(call), "must be JSON")
      }
      assert.strictEqual(yield* sent, 0)
    }).pipe(Effect.provide(client))
  )
})

it("a header that a response does not have is no wait", () => {
  for (const value of [null, undefined]) {
    assert.deepStrictEqual(Reflect.apply(parseRetryAfter, undefined, [value, 0]), Option.none())
  }
})

it.effect("what is no store has no links", () =>
  Effect.gen(function* () {
    for (const value of [...noObject, undefined, {}, { id: "a" }, STORE]) {
      assert.include(yield* refusal(untyped(publicUrls)(value)), "recordPublicUrl or keysPublicUrl")
    }
  }).pipe(Effect.provide(client))
)

it.effect("options of a link that are none, or are not text, are not left out", () =>
  Effect.gen(function* () {
    const { keys } = yield* linksOf
    for (const value of noObject) assert.include(yield* refusal(untyped(keys)(value)), "options")
    for (const prefix of anything) assert.include(yield* refusal(untyped(keys)({ prefix })), "prefix must be text")
    const { url } = yield* keys(Object.assign({ limit: 1 }, { expires: "1 hour" }))
    assert.notInclude(String(url), "expires")
  }).pipe(Effect.provide(client))
)

it.effect("what is no schema decodes nothing", () =>
  Effect.gen(function* () {
    for (const value of [...noObject, undefined, {}]) {
      assert.include(yield* refusal(untyped(getRecordValue)(STORE, "key", value)), "schema must be a Schema")
    }
    assert.deepStrictEqual(yield* getRecordValue(STORE, "key", Schema.Unknown), { a: 1 })
  }).pipe(Effect.provide(client))
)

it.effect("state needs options and a schema", () =>
  Effect.gen(function* () {
    const state = untyped(Actor.persistedState)
    for (const value of [...noObject, undefined])
      assert.include(yield* refusal(state(value)), "options must be an object")
    for (const schema of [...noObject, undefined, {}]) {
      assert.include(yield* refusal(state({ key: "STATE", schema, initial: 1 })), "schema must be a Schema")
    }
  }).pipe(Effect.provide(client))
)

it.effect("a stream is sent again only where that was said to be right", () =>
  Effect.gen(function* () {
    let runs = 0
    const stream = Stream.suspend(() => Stream.make(Uint8Array.of(++runs)))
    assert.include(yield* refusal(untyped(putRecord)(STORE, "key", stream, { replayable: "no" })), "ServerError")
    assert.strictEqual(runs, 1)
  }).pipe(
    Effect.provide(
      layerRespond(({ body }) => Effect.as(readAll(body), new Response("", { status: 503 })), {
        retry: { retries: 1, maxDelay: 0 }
      })
    )
  )
)

it.effect("what is not text is no key of a KeyValueStore, and no start of one", () =>
  Effect.gen(function* () {
    for (const keys of ["strict", "escaped"] as const) {
      const layer = keyValueStoreLayer(STORE, { keys, prefix: "a" })
      for (const value of [...anything, {}, undefined]) {
        const get = Effect.flatMap(KeyValueStore.KeyValueStore, (store) => untyped(store.get)(value))
        assert.include(yield* refusal(Effect.provide(get, layer)), "BadArgument")
      }
      for (const prefix of anything) {
        const list = Effect.flatMap(KeyList, ({ list }) => untypedStream(list)({ prefix }))
        assert.include(yield* refusal(Effect.provide(list, layer)), "BadArgument")
      }
      for (const value of noObject) {
        const list = Effect.flatMap(KeyList, ({ list }) => untypedStream(list)(value))
        assert.include(yield* refusal(Effect.provide(list, layer)), "options must be an object")
      }
    }
    assert.strictEqual(yield* sent, 0)
  }).pipe(Effect.provide(client))
)

it.effect("a function of a test that gives no Effect of a Response ends the call at once", () =>
  Effect.gen(function* () {
    for (const given of [
      5,
      null,
      undefined,
      "text",
      {},
      Promise.resolve(new Response()),
      Effect.void,
      Effect.succeed(5)
    ]) {
      const respond: (...args: never) => unknown = () => given
      const layer: typeof client = Reflect.apply(layerRespond, undefined, [respond])
      const words = yield* refusal(Effect.provide(getStore(STORE), layer))
      assert.include(words, "respond must be a function that returns an Effect of a Response")
    }
  })
)

it.effect("a function of a test that fails with anything ends the attempt", () =>
  Effect.gen(function* () {
    for (const given of ["text", 5, null, undefined, {}, new Error("x")]) {
      const respond: (...args: never) => unknown = () => Effect.fail(given)
      const layer: typeof client = Reflect.apply(layerRespond, undefined, [respond, { retry: { retries: 0 } }])
      assert.strictEqual((yield* Effect.flip(Effect.provide(getStore(STORE), layer)))._tag, "TransportError")
    }
  })
)

describe("a layer is not built with", () => {
  it.effect("no text as the folder of stores", () =>
    Effect.gen(function* () {
      const build = untypedLayer(FolderTransport.layerWith)
      for (const value of [...noObject, undefined]) {
        assert.include(yield* refusal(Effect.provide(build(value), NodeContext.layer)), "options must be an object")
      }
      for (const folder of [...anything, undefined]) {
        assert.include(yield* refusal(Effect.provide(build({ folder }), NodeContext.layer)), "folder must be text")
      }
    }).pipe(Effect.provide(client))
  )

  it.effect("no stores of a test", () =>
    Effect.gen(function* () {
      const build = untypedLayer(layerStores)
      for (const value of [...noObject, undefined]) {
        assert.include(yield* refusal(build(value)), "options must be an object")
      }
      for (const name of ["stores", "runs"]) {
        for (const value of [5, null, "text", {}]) {
          assert.include(yield* refusal(build({ [name]: value })), `${name} must be an array`)
        }
      }
      for (const value of noObject) {
        assert.include(yield* refusal(build({ stores: [value] })), "a store must be an object")
        assert.include(yield* refusal(build({ stores: [{ records: value }] })), "records must be an object")
      }
      const misnamed = [
        { caller: "j" },
        { runs: [{ id: "HG7ML7M8z78YcAPE", store: "~my-store" }] },
        { stores: [{ name: "my_store" }] },
        { stores: [{ id: "my-store" }] },
        { stores: [{ records: { "a b": "text" } }] }
      ]
      for (const options of misnamed) {
        const words = yield* refusal(build(options))
        assert.match(words, /"j"|"HG7ML7M8z78YcAPE"|"my_store"|"my-store"|"a b"/)
      }
      for (const value of [undefined, () => 5, Symbol("INPUT"), 1n, { pages: Number.NaN }]) {
        const words = yield* refusal(build({ stores: [{ records: { INPUT: value } }] }))
        assert.include(words, "The record INPUT must be text, bytes or JSON")
      }
    }).pipe(Effect.provide(client))
  )

  it.effect("no function that responds in a test, and no options", () =>
    Effect.gen(function* () {
      const build = untypedLayer(layerRespond)
      const respond = () => Effect.succeed(new Response())
      for (const value of [5, null, undefined, "text", {}, [1]]) {
        assert.include(yield* refusal(build(value)), "respond must be a function")
      }
      for (const value of noObject) {
        assert.include(yield* refusal(build(respond, value)), "options must be an object")
      }
    }).pipe(Effect.provide(client))
  )

  it.effect("no function that changes an HttpClient", () =>
    Effect.gen(function* () {
      const build = (value: unknown) =>
        Effect.provide(untypedLayer(HttpClientTransport.layerWith)(value), FetchHttpClient.layer)
      for (const value of [...noObject, undefined]) {
        assert.include(yield* refusal(build(value)), "options must be an object")
      }
      for (const transformClient of [5, null, true, "text", [1]]) {
        assert.include(yield* refusal(build({ transformClient })), "transformClient must be a function")
      }
    }).pipe(Effect.provide(client))
  )

  it.effect("no name in place of a run's store, which would be a new one each time", () =>
    Effect.gen(function* () {
      const build = untypedLayer(Actor.layerWith)
      for (const value of [...noObject, undefined]) {
        assert.include(
          yield* refusal(Effect.provide(build(value), Socket.layerWebSocketConstructorGlobal)),
          "options must be an object"
        )
      }
      for (const localStore of [...anything, undefined]) {
        assert.include(
          yield* refusal(Effect.provide(build({ localStore }), Socket.layerWebSocketConstructorGlobal)),
          "InvalidStoreNameError"
        )
      }
      assert.strictEqual(yield* sent, 0)
    }).pipe(Effect.provide(client))
  )

  it.effect.each([
    ["FetchTransport", FetchTransport.layerWith, [...noObject, fetch]],
    ["UndiciTransport", UndiciTransport.layerWith, [...noObject, { dispatch: () => true }]]
  ] as const)("options that are none: %s", ([_, layerWith, all]) =>
    Effect.gen(function* () {
      for (const value of all) assert.include(yield* refusal(untypedLayer(layerWith)(value)), "Invalid data at options")
    }).pipe(Effect.provide(client))
  )

  it.effect.each([
    ["fetch", FetchTransport.layerWith],
    ["init", FetchTransport.layerWith],
    ["agent", UndiciTransport.layerWith]
  ] as const)("%s of another kind", ([name, layerWith]) =>
    Effect.gen(function* () {
      for (const value of [5, null, true, "text", [1]]) {
        assert.include(yield* refusal(untypedLayer(layerWith)({ [name]: value })), `Invalid data at ${name}`)
      }
    }).pipe(Effect.provide(client))
  )
})
