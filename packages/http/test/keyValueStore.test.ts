/**
 * Effect's `KeyValueStore` on an Apify store: the laws of all of them, and what this one adds.
 */
import { inspect } from "node:util"
import type { PlatformError } from "@effect/platform/Error"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { deleteRecord, getOrCreateStore, getRecord, listKeys, putRecord, type StoreId } from "../src/index.js"
import * as ApifyKeyValueStore from "../src/KeyValueStore.js"
import { layerRespond, RecordedRequests } from "../src/testing.js"
import { emulated, newStore } from "./emulated.js"
import { inSimulatedTime, mostInASecond } from "./simulatedTime.js"

const { KeyList } = ApifyKeyValueStore

const keysIn = (ref: StoreId) =>
  Effect.map(Stream.runCollect(listKeys(ref)), (keys) => Array.from(keys, ({ key }) => key))

const listed = (options?: ApifyKeyValueStore.ListOptions) =>
  Effect.map(
    Effect.flatMap(KeyList, ({ list }) => Stream.runCollect(list(options))),
    Chunk.toReadonlyArray
  )

describe("the KeyValueStore on Apify", () => {
  const REF = "janedoe~my-store"

  const ok = () => Effect.succeed(Response.json({ data: { items: [], count: 0, limit: 1, isTruncated: false } }))

  const requestsOf = <A, E>(
    use: (store: KeyValueStore.KeyValueStore) => Effect.Effect<A, E>,
    respond: (request: HttpClientRequest.HttpClientRequest) => Effect.Effect<Response>
  ) =>
    Effect.gen(function* () {
      yield* use(yield* KeyValueStore.KeyValueStore)
      const requests = yield* (yield* RecordedRequests).all
      return requests.map(({ method, url, urlParams }) => `${method} ${url}${urlParams.length > 0 ? "?" : ""}`)
    }).pipe(Effect.provide(ApifyKeyValueStore.layer(REF)), Effect.provide(layerRespond(respond)))

  it.effect("says by one HEAD request whether it has a key", () =>
    Effect.gen(function* () {
      const requests = yield* requestsOf(
        ({ has }) => has("a"),
        () => Effect.succeed(new Response(null))
      )
      assert.deepStrictEqual(requests, [`HEAD https://api.apify.com/v2/key-value-stores/${REF}/records/a`])
    })
  )

  it.effect("says by a page of one key whether it is empty", () =>
    Effect.gen(function* () {
      const requests = yield* requestsOf(({ isEmpty }) => isEmpty, ok)
      assert.deepStrictEqual(requests, [`GET https://api.apify.com/v2/key-value-stores/${REF}/keys?limit=1`])
    })
  )

  it.effect("clears at the rate for one store", () =>
    Effect.gen(function* () {
      const items = Array.from({ length: 400 }, (_, place) => ({ key: `key-${1000 + place}`, size: 1 }))
      const page = { items, count: 400, limit: 1000, isTruncated: false, nextExclusiveStartKey: null }
      const times: Array<number> = []
      const respond = ({ method }: HttpClientRequest.HttpClientRequest) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          if (method !== "DELETE") return Response.json({ data: page })
          times.push(now)
          return new Response(null, { status: 204 })
        })
      yield* Effect.flatMap(KeyValueStore.KeyValueStore, ({ clear }) => clear).pipe(
        Effect.provide(ApifyKeyValueStore.layer(REF)),
        Effect.provide(layerRespond(respond)),
        inSimulatedTime
      )
      assert.lengthOf(times, 400)
      assert.isAtMost(mostInASecond(times), 200)
      assert.isAtMost(Math.max(...times), 2100)
    })
  )

  it.effect("counts keys whose pages are larger than a value may be", () =>
    Effect.gen(function* () {
      const items = [{ key: "a", size: 1 }]
      const data = { items, count: 1, limit: 1000, isTruncated: false, nextExclusiveStartKey: null }
      const client = layerRespond(() => Effect.succeed(Response.json({ data })))
      yield* Effect.flatMap(KeyValueStore.KeyValueStore, ({ isEmpty, size }) => Effect.all([size, isEmpty])).pipe(
        Effect.map((found) => assert.deepStrictEqual(found, [1, false])),
        Effect.provide(ApifyKeyValueStore.layer(REF, { maxBodyBytes: 1 })),
        Effect.provide(client)
      )
    })
  )

  it.effect("counts and clears all pages of its prefix, while they change, and nothing else", () =>
    Effect.gen(function* () {
      const own = Array.from({ length: 1100 }, (_, place) => `own-${1000 + place}`)
      const others = ["other", "own", "own_1"]
      const keys = new Set([...others, ...own])
      const respond = ({ method, url }: HttpClientRequest.HttpClientRequest) =>
        Effect.sync(() => {
          const { pathname, searchParams } = new URL(url)
          if (method === "DELETE") {
            keys.delete(pathname.slice(pathname.lastIndexOf("/") + 1))
            return new Response(null, { status: 204 })
          }
          const prefix = searchParams.get("prefix") ?? ""
          const after = searchParams.get("exclusiveStartKey") ?? ""
          const found = [...keys].filter((key) => key.startsWith(prefix) && key > after).sort()
          const items = found.slice(0, Number(searchParams.get("limit") ?? 1000)).map((key) => ({ key, size: 1 }))
          const isTruncated = items.length < found.length
          const nextExclusiveStartKey = isTruncated ? items.at(-1)?.key : null
          const page = { items, count: items.length, limit: 1000, isTruncated, nextExclusiveStartKey }
          return Response.json({ data: page })
        })
      const { value } = yield* Effect.flatMap(KeyValueStore.KeyValueStore, (store) =>
        Effect.all([store.size, store.clear, store.size, store.isEmpty])
      ).pipe(
        Effect.provide(ApifyKeyValueStore.layer(REF, { prefix: "own-" })),
        Effect.provide(layerRespond(respond)),
        inSimulatedTime
      )
      assert.deepStrictEqual(value, [1100, undefined, 0, true])
      assert.deepStrictEqual([...keys], others)
    })
  )

  const tooLong = "a".repeat(257)

  it.effect.each([
    ["user:1", `"user:1" is not a record key: the character ":" (U+003A) at position 5 is not allowed`],
    ["a/b", `the character "/" (U+002F) at position 2 is not allowed`],
    ["", "it is empty"],
    [".", "in a URL it means another path"],
    ["..", "in a URL it means another path"],
    [tooLong, "it has 257 characters, and at most 256 are allowed"]
  ] as const)("refuses the strict key %j and says why, without a request", ([key, problem]) =>
    Effect.gen(function* () {
      const store = yield* KeyValueStore.KeyValueStore
      const calls: ReadonlyArray<[string, Effect.Effect<unknown, PlatformError>]> = [
        ["get", store.get(key)],
        ["getUint8Array", store.getUint8Array(key)],
        ["set", store.set(key, "")],
        ["remove", store.remove(key)],
        ["has", store.has(key)]
      ]
      for (const [method, call] of calls) {
        const error = yield* Effect.flip(call)
        assert.deepInclude(error, { _tag: "BadArgument", module: "KeyValueStore", method })
        assert.include(error.message, problem)
        assert.include(error.message, 'keys: "escaped"')
      }
      assert.deepStrictEqual(yield* (yield* RecordedRequests).all, [])
    }).pipe(Effect.provide(ApifyKeyValueStore.layer(REF)), Effect.provide(layerRespond(ok)))
  )

  it.effect("refuses an escaped key that is too long, and a strict prefix to list", () =>
    Effect.gen(function* () {
      const { get } = yield* Effect.provide(
        KeyValueStore.KeyValueStore,
        ApifyKeyValueStore.layer(REF, { keys: "escaped" })
      )
      const error = yield* Effect.flip(get("/".repeat(86)))
      assert.strictEqual(error._tag, "BadArgument")
      assert.include(error.message, "escaped it has 258 characters, and at most 256 are allowed")
      const listing = yield* Effect.flip(Effect.provide(listed({ prefix: "a b" }), ApifyKeyValueStore.layer(REF)))
      assert.deepInclude(listing, { _tag: "BadArgument", method: "list" })
      assert.deepStrictEqual(yield* (yield* RecordedRequests).all, [])
    }).pipe(Effect.provide(layerRespond(ok)))
  )

  it.effect("cannot be made of a reference or a prefix that cannot be sent", () =>
    Effect.gen(function* () {
      const make = (ref: string, options?: ApifyKeyValueStore.Options) =>
        Effect.flip(Effect.scoped(Layer.build(ApifyKeyValueStore.layer(ref, options))))
      assert.strictEqual((yield* make("../users"))._tag, "InvalidStoreRefError")
      assert.strictEqual((yield* make(REF, { prefix: "a/" }))._tag, "InvalidRecordKeyError")
      assert.strictEqual((yield* make(REF, { prefix: "/".repeat(86), keys: "escaped" }))._tag, "InvalidRecordKeyError")
    }).pipe(Effect.provide(layerRespond(ok)))
  )

  const refusal =
    (status: number, type: string, message = "Refused") =>
    () =>
      Effect.succeed(Response.json({ error: { type, message } }, { status }))

  it.effect.each([
    ["PermissionDenied", "UnauthorizedError", refusal(401, "user-or-token-not-found")],
    ["PermissionDenied", "PaymentRequiredError", refusal(402, "x")],
    ["PermissionDenied", "ForbiddenError", refusal(403, "insufficient-permissions")],
    ["NotFound", "StoreNotFoundError", refusal(404, "record-not-found", "Key-value Store was not found")],
    ["Busy", "RateLimitedError", refusal(429, "rate-limit-exceeded")],
    ["Unknown", "BadRequestError", refusal(400, "x")],
    ["Unknown", "ServerError", refusal(500, "x")],
    ["Unknown", "MethodNotAllowedError", refusal(405, "method-not-allowed")],
    ["Unknown", "UnexpectedResponseError", refusal(418, "x")],
    [
      "Unknown",
      "TransportError",
      (request: HttpClientRequest.HttpClientRequest) =>
        Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport" }))
    ],
    ["InvalidData", "MalformedResponseError", () => Effect.succeed(Response.json({ data: { items: 1 } }))],
    ["TimedOut", "TimeoutError", () => Effect.never]
  ] as const)("fails as a SystemError, %s for a %s, with that error as its cause", ([reason, tag, respond]) =>
    Effect.gen(function* () {
      const token = "apify_api_Canary0123456789"
      const client = layerRespond(respond, { token: Redacted.make(token), retry: { retries: 0 } })
      const store = Layer.provide(ApifyKeyValueStore.layer(REF), client)
      const fiber = yield* Effect.fork(
        Effect.flatMap(KeyValueStore.KeyValueStore, ({ size }) => Effect.flip(size)).pipe(Effect.provide(store))
      )
      yield* TestClock.adjust("1 hour")
      const error = yield* fiber
      assert.deepInclude(error, { _tag: "SystemError", module: "KeyValueStore", method: "size", reason })
      assert.deepInclude(error.cause, { _tag: tag })
      assert.include(error.message, error.cause instanceof Error ? error.cause.message : "a cause")
      for (const printed of [error.message, inspect(error, { depth: 10 }), JSON.stringify(error)]) {
        assert.notInclude(printed, token)
      }
    })
  )

  it.effect.each([
    ["InvalidData", "MalformedRecordError", "get", () => Effect.succeed(new Response(Uint8Array.of(0xe9)))],
    ["Unknown", "RecordTooLargeError", "get", () => Effect.succeed(new Response("a".repeat(1001)))],
    ["Unknown", "RecordTooLargeError", "set", refusal(413, "record-too-large")],
    ["Unknown", "RecordRejectedError", "set", refusal(400, "schema-validation-failed")],
    ["NotFound", "StoreNotFoundError", "set", refusal(404, "record-not-found", "Key-value Store was not found")]
  ] as const)("fails as a SystemError, %s for a %s of %s", ([reason, tag, method, respond]) =>
    Effect.gen(function* () {
      const store = yield* KeyValueStore.KeyValueStore
      const error = yield* Effect.flip<unknown, PlatformError, never>(
        method === "get" ? store.get("a") : store.set("a", "1")
      )
      assert.deepInclude(error, { _tag: "SystemError", module: "KeyValueStore", method, reason, pathOrDescriptor: "a" })
      assert.deepInclude(error.cause, { _tag: tag })
    }).pipe(
      Effect.provide(ApifyKeyValueStore.layer(REF, { maxBodyBytes: 1000 })),
      Effect.provide(layerRespond(respond))
    )
  )

  layer(emulated, { excludeTestServices: true })((it) => {
    it.effect("keeps to its prefix", () =>
      Effect.gen(function* () {
        const ref = yield* newStore
        yield* putRecord(ref, "b", "outside")
        yield* Effect.gen(function* () {
          const store = yield* KeyValueStore.KeyValueStore
          assert.isTrue(yield* store.isEmpty)
          yield* store.set("b", "inside")
          yield* store.set("c", "inside")
          assert.deepStrictEqual([yield* store.size, yield* store.isEmpty], [2, false])
          assert.deepStrictEqual(yield* store.get("b"), Option.some("inside"))
          assert.deepStrictEqual(yield* keysIn(ref), ["a-b", "a-c", "b"])
          yield* store.clear
          assert.deepStrictEqual(yield* keysIn(ref), ["b"])
        }).pipe(Effect.provide(ApifyKeyValueStore.layer(ref, { prefix: "a-" })))
      })
    )

    it.effect("lists keys without the prefix, with the sizes of their values", () =>
      Effect.gen(function* () {
        const ref = yield* newStore
        yield* putRecord(ref, "b", "outside")
        yield* Effect.gen(function* () {
          const store = yield* KeyValueStore.KeyValueStore
          yield* store.set("user/1", "Jane")
          yield* store.set("user/2", new Uint8Array(1000))
          yield* store.set("", "nobody")
          assert.deepStrictEqual(yield* listed(), [
            { key: "", size: 6 },
            { key: "user/1", size: 4 },
            { key: "user/2", size: 1000 }
          ])
          assert.deepStrictEqual(yield* listed({ prefix: "user/2" }), [{ key: "user/2", size: 1000 }])
          assert.deepStrictEqual(yield* listed({ prefix: "nobody" }), [])
        }).pipe(Effect.provide(ApifyKeyValueStore.layer(ref, { prefix: "a/", keys: "escaped" })))
      })
    )

    it.effect("lists keys that begin with a dot", () =>
      Effect.gen(function* () {
        const ref = yield* newStore
        for (const keys of ["strict", "escaped"] as const) {
          yield* Effect.gen(function* () {
            const store = yield* KeyValueStore.KeyValueStore
            yield* store.clear
            yield* store.set(".env", "1")
            yield* store.set("env", "1")
            assert.deepStrictEqual(yield* listed({ prefix: "." }), [{ key: ".env", size: 1 }])
          }).pipe(Effect.provide(ApifyKeyValueStore.layer(ref, { keys })))
        }
      })
    )

    it.effect("leaves alone what no escaped key stands for", () =>
      Effect.gen(function* () {
        const ref = yield* newStore
        // Not how an "a" and a "b" are written, and sorted before all letters.
        yield* putRecord(ref, "!61", "foreign")
        yield* putRecord(ref, "!62", "foreign")
        yield* Effect.gen(function* () {
          const store = yield* KeyValueStore.KeyValueStore
          assert.deepStrictEqual([yield* store.size, yield* store.isEmpty], [0, true])
          yield* store.set("b", "own")
          assert.deepStrictEqual([yield* store.size, yield* store.isEmpty], [1, false])
          yield* store.clear
          assert.deepStrictEqual(yield* keysIn(ref), ["!61", "!62"])
        }).pipe(Effect.provide(ApifyKeyValueStore.layer(ref, { keys: "escaped" })))
      })
    )

    it.effect("sets the content types that are usual, or those of the option", () =>
      Effect.gen(function* () {
        const ref = yield* newStore
        const typeOf = (key: string) =>
          Effect.map(getRecord(ref, key), ({ contentType }) => Option.getOrUndefined(contentType))
        yield* Effect.gen(function* () {
          const store = yield* KeyValueStore.KeyValueStore
          yield* store.set("text", "1")
          yield* store.set("bytes", new Uint8Array(1))
          yield* store.set("page.html", "<p>")
          assert.strictEqual(yield* typeOf("text"), "text/plain; charset=utf-8")
          assert.strictEqual(yield* typeOf("bytes"), "application/octet-stream")
          assert.strictEqual(yield* typeOf("page.html"), "text/html")
        }).pipe(
          Effect.provide(
            ApifyKeyValueStore.layer(ref, { contentType: (key) => (key.endsWith(".html") ? "text/html" : undefined) })
          )
        )
      })
    )

    it.effect("reads text in the charset of the record, and none that is not in it", () =>
      Effect.gen(function* () {
        const ref = yield* newStore
        yield* putRecord(ref, "latin", Uint8Array.of(0xe9), { contentType: "text/plain; charset=iso-8859-1" })
        yield* putRecord(ref, "bytes", Uint8Array.of(0xe9))
        yield* Effect.gen(function* () {
          const store = yield* KeyValueStore.KeyValueStore
          assert.deepStrictEqual(yield* store.get("latin"), Option.some("é"))
          const error = yield* Effect.flip(store.get("bytes"))
          assert.deepInclude(error, { _tag: "SystemError", reason: "InvalidData", pathOrDescriptor: "bytes" })
        }).pipe(Effect.provide(ApifyKeyValueStore.layer(ref)))
      })
    )

    it.effect("loses no update of calls at the same time, of text, bytes or values", () =>
      Effect.gen(function* () {
        const ref = yield* newStore
        const Counter = Schema.Struct({ count: Schema.Number })
        yield* Effect.gen(function* () {
          const store = yield* KeyValueStore.KeyValueStore
          // Of another layer, but the same process and the same records.
          const other = yield* Effect.provide(
            KeyValueStore.KeyValueStore,
            ApifyKeyValueStore.layer(ref, { prefix: "te" })
          )
          const values = store.forSchema(Counter)
          yield* store.set("text", "")
          yield* store.set("bytes", new Uint8Array(0))
          yield* values.set("value", { count: 0 })
          const step = Effect.all(
            [
              store.modify("text", (text) => `${text}.`),
              other.modify("xt", (text) => `${text}.`),
              store.modifyUint8Array("bytes", (bytes) => new Uint8Array(bytes.length + 1)),
              values.modify("value", ({ count }) => ({ count: count + 1 }))
            ],
            { concurrency: "unbounded", discard: true }
          )
          yield* Effect.all(
            Array.from({ length: 10 }, () => step),
            { concurrency: "unbounded", discard: true }
          )
          assert.deepStrictEqual(yield* store.get("text"), Option.some(".".repeat(20)))
          assert.deepStrictEqual(
            Option.map(yield* store.getUint8Array("bytes"), ({ length }) => length),
            Option.some(10)
          )
          assert.deepStrictEqual(yield* values.get("value"), Option.some({ count: 10 }))
        }).pipe(Effect.provide(ApifyKeyValueStore.layer(ref)))
      })
    )

    it.effect("loses no update of layers that name the store with other capitals", () =>
      Effect.gen(function* () {
        yield* getOrCreateStore({ name: "capitals" })
        const stores = yield* Effect.forEach(["~capitals", "~Capitals"], (ref) =>
          Effect.provide(KeyValueStore.KeyValueStore, ApifyKeyValueStore.layer(ref))
        )
        yield* Effect.forEach(stores, ({ set }) => set("a", ""))
        yield* Effect.forEach([...stores, ...stores], ({ modify }) => modify("a", (text) => `${text}.`), {
          concurrency: "unbounded"
        })
        for (const { get } of stores) assert.deepStrictEqual(yield* get("a"), Option.some("...."))
      })
    )

    it.effect("does not bring back what was removed or set while it was modified", () =>
      Effect.gen(function* () {
        const ref = yield* newStore
        yield* Effect.gen(function* () {
          const store = yield* KeyValueStore.KeyValueStore
          const values = store.forSchema(Schema.Number)
          yield* Effect.forEach(["removed", "set"], (key) => store.set(key, "1"))
          yield* Effect.forEach(["value-removed", "value-set"], (key) => values.set(key, 1))
          yield* Effect.all(
            [
              store.modify("removed", (text) => `${text}1`),
              store.remove("removed"),
              store.modify("set", (text) => `${text}1`),
              store.set("set", "2"),
              values.modify("value-removed", (value) => value + 10),
              values.remove("value-removed"),
              values.modify("value-set", (value) => value + 10),
              values.set("value-set", 2)
            ],
            { concurrency: "unbounded" }
          )
          assert.isFalse(yield* store.has("removed"))
          assert.deepStrictEqual(yield* store.get("set"), Option.some("2"))
          assert.isFalse(yield* values.has("value-removed"))
          assert.deepStrictEqual(yield* values.get("value-set"), Option.some(2))
        }).pipe(Effect.provide(ApifyKeyValueStore.layer(ref)))
      })
    )

    it.effect("fails with NotFound for a store that does not exist, except for has", () =>
      Effect.gen(function* () {
        const store = yield* KeyValueStore.KeyValueStore
        for (const call of [
          store.get("a"),
          store.set("a", ""),
          store.remove("a"),
          store.size,
          store.clear,
          store.isEmpty
        ]) {
          assert.deepInclude(yield* Effect.flip(call), { _tag: "SystemError", reason: "NotFound" })
        }
        assert.isFalse(yield* store.has("a"))
      }).pipe(Effect.provide(ApifyKeyValueStore.layer("~nothing")))
    )

    it.effect("removes what is not there", () =>
      Effect.gen(function* () {
        const ref = yield* newStore
        yield* deleteRecord(ref, "a")
        yield* Effect.flatMap(KeyValueStore.KeyValueStore, ({ remove }) => remove("a")).pipe(
          Effect.provide(ApifyKeyValueStore.layer(ref))
        )
      })
    )
  })
})
