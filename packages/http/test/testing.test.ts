/**
 * The clients for unit tests, apart from what stores in memory have in common with the emulator (sameBehaviour.test.ts).
 */
import { brotliCompressSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { PublicUrl, Store, StoreId } from "@effect-apify/domain"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  ApifyClient,
  getOrCreateStore,
  getRecord,
  getRecordValue,
  getStore,
  listKeys,
  listKeysPage,
  listRecords,
  putRecord
} from "../src/index.js"
import { layerRespond, layerStores, RecordedRequests } from "../src/testing.js"
import { store as anyStore, minimalBody } from "./arbitraries.js"

const ID = "WkzbQMuFYuamGv3YF"

const isSameStore = Schema.equivalence(Store)

const link = new PublicUrl("https://api.apify.com/keys")

const mine = layerStores({ caller: "janedoe", stores: [{ name: "my-store", records: { INPUT: { count: 1 } } }] })

describe("a client of stores in memory", () => {
  it.effect.prop("gives any store that has links as it is", [anyStore], ([store]) =>
    Effect.gen(function* () {
      const known = new Store({
        ...store,
        id: StoreId.make(ID),
        username: Option.some("janedoe"),
        generalAccess: Option.some("RESTRICTED"),
        keysPublicUrl: Option.orElseSome(store.keysPublicUrl, () => link)
      })
      const read = yield* Effect.provide(getStore(ID), layerStores({ stores: [known], caller: "janedoe" }))
      assert.isTrue(isSameStore(read, known))
    })
  )

  it.effect("makes of a name and a record a store of the caller's", () =>
    Effect.gen(function* () {
      const store = yield* getStore("janedoe~my-store")
      assert.match(store.id, /^[a-zA-Z0-9]{17}$/)
      assert.strictEqual((yield* getStore(store.id)).id, store.id)
      const count = yield* getRecordValue(store.id, "INPUT", Schema.Struct({ count: Schema.Number }))
      assert.deepStrictEqual(count, { count: 1 })
    }).pipe(Effect.provide(mine))
  )

  it.effect("knows no stores unless they are given", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(getStore("~my-store")))._tag, "StoreNotFoundError")
      assert.isTrue((yield* getOrCreateStore({ name: "my-store" })).isNew)
    }).pipe(Effect.provide(layerStores({ caller: "janedoe" })))
  )

  it.effect("begins anew each time that it is built", () =>
    Effect.gen(function* () {
      const change = Effect.gen(function* () {
        yield* putRecord("~my-store", "OUTPUT", "")
        yield* getOrCreateStore({ name: "other" })
      })
      yield* Effect.provide(change, mine)
      const { items, isNew } = yield* Effect.all({
        items: Effect.map(listKeysPage("~my-store"), ({ items }) => items.map(({ key }) => `${key}`)),
        isNew: Effect.map(getOrCreateStore({ name: "other" }), ({ isNew }) => isNew)
      }).pipe(Effect.provide(mine))
      assert.deepStrictEqual([items, isNew], [["INPUT"], true])
    })
  )

  it.effect("records requests about stores and records", () =>
    Effect.gen(function* () {
      yield* putRecord("~my-store", "OUTPUT", "text")
      yield* getRecord("~my-store", "OUTPUT")
      assert.deepStrictEqual(
        (yield* (yield* RecordedRequests).all).map(({ method, url }) => `${method} ${new URL(url).pathname}`),
        ["PUT", "GET"].map((method) => `${method} /v2/key-value-stores/~my-store/records/OUTPUT`)
      )
    }).pipe(Effect.provide(mine))
  )

  it.effect.each([
    [{ createdAt: "yesterday" }, "createdAt"],
    [{ records: { "my key": "" } }, "at position 3"]
  ] as const)("is a defect where it is to begin with what there cannot be: %o", ([store, problem]) =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(Effect.provide(getStore(ID), layerStores({ stores: [store] })))
      assert.isTrue(Exit.isFailure(exit) && exit.cause._tag === "Die")
      assert.include(String(exit), problem)
    })
  )

  it.effect("lists without waiting, whatever clock there is", () =>
    Effect.gen(function* () {
      yield* Effect.forEach(["a", "b", "c"], (key) => putRecord("~my-store", key, key))
      const keys = yield* Stream.runCollect(listKeys("~my-store", { pageSize: 1 }))
      const records = yield* Stream.runCollect(listRecords("~my-store"))
      assert.deepStrictEqual([keys.length, records.length], [4, 4])
    }).pipe(Effect.provide(mine))
  )

  it.effect("does not decompress brotli, and says so", () =>
    Effect.gen(function* () {
      yield* putRecord("~my-store", "page", brotliCompressSync("squeezed"), { contentEncoding: "br" })
      const error = yield* Effect.flip(getRecord("~my-store", "page"))
      assert.strictEqual(error._tag, "MalformedRecordError")
      assert.include(error.message, "br")
    }).pipe(Effect.provide(mine))
  )

  it.effect.each([
    ["GET", "/v2/datasets", 404, "page-not-found"],
    ["GET", "/v2/key-value-stores/~my-store/other", 404, "page-not-found"],
    ["PUT", "/v2/key-value-stores/~my-store/keys", 405, "method-not-allowed"]
  ] as const)("has no %s %s", ([method, path, status, type]) =>
    Effect.gen(function* () {
      const client = yield* ApifyClient.ApifyClient
      const response = yield* client.run({
        name: "other",
        isIdempotent: true,
        isPaced: false,
        rate: "resource",
        store: Option.none(),
        request: Either.right({ method, path }),
        decode: ({ body, status }) => Either.right({ status, body: new TextDecoder().decode(body) })
      })
      assert.strictEqual(response.status, status)
      assert.include(response.body, type)
    }).pipe(Effect.provide(mine))
  )
})

describe("a client whose responses a function makes", () => {
  it.effect("has taken the whole of a stream where it succeeds, and its error where that fails", () =>
    Effect.gen(function* () {
      let taken = 0
      const stream = Stream.tap(Stream.make(Uint8Array.of(1), Uint8Array.of(2)), () => Effect.sync(() => (taken += 1)))
      yield* putRecord(ID, "key", stream)
      assert.strictEqual(taken, 2)
      assert.strictEqual(
        yield* Effect.flip(putRecord(ID, "key", Stream.concat(stream, Stream.fail("broken")))),
        "broken"
      )
    }).pipe(Effect.provide(layerRespond(() => Effect.succeed(new Response("{}", { status: 201 })))))
  )

  it.live.each([
    [
      "throws",
      () => {
        throw new Error("expected GET to equal PUT")
      },
      "expected GET to equal PUT"
    ],
    [
      "throws what a network could say",
      () => {
        throw new Error("expected 'connection reset by peer' to equal ''")
      },
      "connection reset by peer"
    ],
    ["dies", () => Effect.die(new TypeError("fetch failed")), "fetch failed"]
  ] as const)("that %s ends the call at once, and is quoted", ([, respond, words]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(getStore("~my-store"))
      assert.deepInclude(error, { _tag: "TransportError", reason: "request", attempts: 1 })
      assert.include(error.message, words)
    }).pipe(Effect.provide(layerRespond(respond, { retry: { retries: 1, baseDelay: 0 } })))
  )

  it.effect("records its requests in order", () =>
    Effect.gen(function* () {
      const requests = yield* RecordedRequests
      assert.isEmpty(yield* requests.all)
      yield* getStore("janedoe~first")
      yield* getStore("janedoe~second")
      assert.deepStrictEqual(
        (yield* requests.all).map(({ url }) => new URL(url).pathname),
        ["/v2/key-value-stores/janedoe~first", "/v2/key-value-stores/janedoe~second"]
      )
    }).pipe(
      Effect.provide(
        layerRespond(() =>
          Effect.sync(() => new Response(minimalBody, { headers: { "content-type": "application/json" } }))
        )
      )
    )
  )

  it.effect("records anew each time that it is built", () =>
    Effect.gen(function* () {
      const client = layerRespond(() => Effect.sync(() => new Response(null, { status: 403 })))
      const count = Effect.gen(function* () {
        yield* Effect.flip(getStore("~my-store"))
        return (yield* (yield* RecordedRequests).all).length
      })
      assert.strictEqual(yield* Effect.provide(count, client), 1)
      assert.strictEqual(yield* Effect.provide(count, client), 1)
    })
  )
})
