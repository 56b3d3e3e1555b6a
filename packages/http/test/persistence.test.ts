/**
 * The backing of Effect's persistence on an Apify store, and what works on top of it.
 */
import { createHash } from "node:crypto"
import * as Chat from "@effect/ai/Chat"
import * as LanguageModel from "@effect/ai/LanguageModel"
import * as PersistedCache from "@effect/experimental/PersistedCache"
import * as Persistence from "@effect/experimental/Persistence"
import { persisted } from "@effect/experimental/RequestResolver"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PrimaryKey from "effect/PrimaryKey"
import * as RequestResolver from "effect/RequestResolver"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { character } from "../../../vitest.text.js"
import { type ApifyClient, getRecord, getRecordValue, listKeys, putRecord, type StoreId } from "../src/index.js"
import * as ApifyPersistence from "../src/Persistence.js"
import { layerRespond, RecordedRequests } from "../src/testing.js"
import { emulated, newStore } from "./emulated.js"
import { inSimulatedTime, mostInASecond, SimulatedClock } from "./simulatedTime.js"

const NEVER = Option.none()
const DAY = Option.some(Duration.days(1))

/** Any text may be a key: empty, of other scripts, half a surrogate pair, too long to be escaped. */
const key = fc.oneof(
  fc.string({ unit: character, maxLength: 10 }),
  fc.constantFrom("", "\uD800", "\uDC00", "!", "'", ")", ".", "..", "a'b"),
  fc.integer({ min: 60, max: 300 }).chain((length) => fc.constantFrom("a", "/", "к").map((text) => text.repeat(length)))
)

const storeLaws = <E>(name: string, backing: Layer.Layer<Persistence.BackingPersistence, E>): void => {
  describe(`the persistence on ${name}`, () => {
    layer(backing, { excludeTestServices: true })((it) => {
      it.scoped.prop(
        "keeps the entries of each store apart, whatever its ID and their keys",
        [
          fc.uniqueArray(key, { minLength: 2, maxLength: 2 }),
          fc.uniqueArray(key, { minLength: 1, maxLength: 3 }),
          fc.json()
        ],
        ([ids, keys, json]) =>
          Effect.gen(function* () {
            const [one, other] = yield* Effect.forEach(ids, (id) =>
              Effect.flatMap(Persistence.BackingPersistence, ({ make }) => make(id))
            )
            if (one === undefined || other === undefined) return assert.fail("There are two stores")
            const value: unknown = JSON.parse(json)
            yield* one.setMany(keys.map((key, place) => [key, [place, value], NEVER]))
            for (const key of keys) yield* other.set(key, "other", DAY)
            assert.deepStrictEqual(
              yield* one.getMany([...keys]),
              keys.map((_, place) => Option.some([place, value]))
            )
            for (const [place, key] of keys.entries()) {
              assert.deepStrictEqual(yield* one.get(key), Option.some([place, value]))
              yield* one.remove(key)
              assert.deepStrictEqual(yield* one.get(key), Option.none())
              assert.deepStrictEqual(yield* other.get(key), Option.some("other"))
            }
            yield* one.set("last", 1, NEVER)
            yield* other.clear
            assert.deepStrictEqual(yield* other.getMany([...keys]), keys.map(Option.none))
            assert.deepStrictEqual(yield* one.get("last"), Option.some(1))
            yield* one.clear
          })
      )
    })
  })
}

const onNewStore = <A, E>(make: (ref: StoreId) => Layer.Layer<A, E, ApifyClient.ApifyClient>) =>
  Layer.unwrapEffect(Effect.map(newStore, make)).pipe(Layer.provide(emulated))

class Title extends Schema.TaggedRequest<Title>()("Title", {
  success: Schema.Struct({ title: Schema.String, seen: Schema.Date }),
  failure: Schema.TaggedStruct("NoTitle", { url: Schema.String }),
  payload: { url: Schema.String }
}) {
  [PrimaryKey.symbol]() {
    return this.url
  }
}

const seen = new Date("2026-01-02T03:04:05.678Z")
const urls = ["https://apify.com/?a=1", `https://apify.com/${"long/".repeat(100)}`]

/** Gives titles to all but a page that has none, and counts how often it is asked. */
const titles = () => {
  const asked: Array<string> = []
  const find = ({ url }: Title) =>
    Effect.suspend(() => {
      asked.push(url)
      return url.endsWith("none")
        ? Effect.fail({ _tag: "NoTitle", url } as const)
        : Effect.succeed({ title: `Title of ${url}`, seen })
    })
  return { asked, find }
}

describe("the persistence on Apify", () => {
  const REF = "janedoe~my-store"

  const refused = () =>
    Effect.succeed(Response.json({ error: { type: "insufficient-permissions", message: "No" } }, { status: 403 }))

  it.scopedLive("fails with what the call failed with as the cause", () =>
    Effect.gen(function* () {
      const store = yield* Effect.flatMap(Persistence.BackingPersistence, ({ make }) => make("a"))
      const calls: ReadonlyArray<[string, Effect.Effect<unknown, Persistence.PersistenceError>]> = [
        ["get", store.get("a")],
        ["getMany", store.getMany(["a"])],
        ["set", store.set("a", 1, NEVER)],
        ["setMany", store.setMany([["a", 1, NEVER]])],
        ["remove", store.remove("a")],
        ["clear", store.clear]
      ]
      for (const [method, call] of calls) {
        const error = yield* Effect.flip(call)
        assert.strictEqual(error.reason, "BackingError")
        assert.deepInclude(error, { _tag: "PersistenceError", method })
        assert.deepInclude("cause" in error ? error.cause : undefined, { _tag: "ForbiddenError" })
      }
    }).pipe(Effect.provide(ApifyPersistence.layer(REF)), Effect.provide(layerRespond(refused)))
  )

  it.scoped("fails for a value that is not JSON, without a request", () =>
    Effect.gen(function* () {
      const store = yield* Effect.flatMap(Persistence.BackingPersistence, ({ make }) => make("a"))
      const error = yield* Effect.flip(store.set("a", 1n, NEVER))
      assert.deepInclude("cause" in error ? error.cause : undefined, { _tag: "MalformedRecordError", kind: "Json" })
      assert.deepStrictEqual(yield* (yield* RecordedRequests).all, [])
    }).pipe(Effect.provide(ApifyPersistence.layer(REF)), Effect.provide(layerRespond(refused)))
  )

  it.effect("cannot be made of a reference that cannot be sent", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.scoped(Layer.build(ApifyPersistence.layer("../users"))))
      assert.strictEqual(error._tag, "InvalidStoreRefError")
    }).pipe(Effect.provide(layerRespond(refused)))
  )

  it.scoped("reads an entry until it expires, and deletes it then", () =>
    Effect.gen(function* () {
      const expires = 60_000
      const respond = ({ method }: HttpClientRequest.HttpClientRequest) =>
        Effect.sync(() => (method === "GET" ? Response.json(["value", expires]) : new Response(null, { status: 204 })))
      yield* Effect.gen(function* () {
        const store = yield* Effect.flatMap(Persistence.BackingPersistence, ({ make }) => make("a"))
        yield* TestClock.setTime(expires - 1)
        assert.deepStrictEqual(yield* store.get("a"), Option.some("value"))
        yield* TestClock.setTime(expires)
        assert.deepStrictEqual(yield* store.get("a"), Option.none())
        const requests = yield* (yield* RecordedRequests).all
        assert.deepStrictEqual(
          requests.map(({ method }) => method),
          ["GET", "GET", "DELETE"]
        )
      }).pipe(Effect.provide(ApifyPersistence.layer(REF)), Effect.provide(layerRespond(respond)))
    })
  )

  it.scoped("reads an entry that has expired as none, although it cannot be deleted", () =>
    Effect.gen(function* () {
      const respond = ({ method }: HttpClientRequest.HttpClientRequest) =>
        method === "GET" ? Effect.succeed(Response.json(["value", 0])) : refused()
      yield* Effect.gen(function* () {
        const store = yield* Effect.flatMap(Persistence.BackingPersistence, ({ make }) => make("a"))
        assert.deepStrictEqual(yield* store.get("a"), Option.none())
      }).pipe(Effect.provide(ApifyPersistence.layer(REF)), Effect.provide(layerRespond(respond)))
    })
  )

  /** Times in milliseconds, of which a second has 200 at most, and nearly as many if nothing else has to be waited for. */
  const assertPaced = (times: ReadonlyArray<number>) => {
    assert.isAtMost(mostInASecond(times), 200)
    assert.isAtMost(Math.max(...times) - Math.min(...times), (times.length / 195) * 1000)
  }

  it.scoped.each(["getMany", "setMany"] as const)("keeps %s to the rate for one store", (method) =>
    Effect.gen(function* () {
      const times: Array<number> = []
      const respond = ({ method }: HttpClientRequest.HttpClientRequest) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          times.push(now)
          return method === "GET" ? Response.json([1, null]) : new Response("{}", { status: 201 })
        })
      const keys = Array.from({ length: 400 }, (_, place) => `${place}`)
      const many = Effect.flatMap(
        Persistence.BackingPersistence,
        Effect.fnUntraced(function* ({ make }) {
          const store = yield* make("a")
          if (method === "getMany") yield* store.getMany(keys)
          else yield* store.setMany(keys.map((key) => [key, 1, NEVER] as const))
        })
      )
      yield* inSimulatedTime(
        many.pipe(Effect.provide(ApifyPersistence.layer(REF)), Effect.provide(layerRespond(respond)))
      )
      assert.lengthOf(times, 400)
      assertPaced(times)
    })
  )

  it.scoped("keeps getMany to the rate for one store where entries have expired, and deletes them all", () =>
    Effect.gen(function* () {
      const times: Array<number> = []
      const deleted: Array<string> = []
      const respond = ({ method, url }: HttpClientRequest.HttpClientRequest) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          times.push(now)
          if (method === "GET") return Response.json([1, 0])
          deleted.push(url)
          return new Response(null, { status: 204 })
        })
      const keys = Array.from({ length: 400 }, (_, place) => `${place}`)
      const { value } = yield* Effect.flatMap(Persistence.BackingPersistence, ({ make }) => make("a")).pipe(
        Effect.flatMap((store) => store.getMany(keys)),
        Effect.provide(ApifyPersistence.layer(REF)),
        Effect.provide(layerRespond(respond)),
        inSimulatedTime
      )
      assert.deepStrictEqual(value, keys.map(Option.none))
      assert.strictEqual(new Set(deleted).size, 400)
      assertPaced(times)
    })
  )

  it.scoped("keeps the last of several entries of one key, however long each takes", () =>
    Effect.gen(function* () {
      const stored = new Map<string, string>()
      const respond = ({ body, method, url }: HttpClientRequest.HttpClientRequest) => {
        if (method === "GET") return Effect.sync(() => new Response(stored.get(url), { status: 200 }))
        const text = body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : body._tag
        return Effect.sync(() => {
          stored.set(url, text)
          return new Response("{}", { status: 201 })
        }).pipe(Effect.delay(text === "[1,null]" ? "2 seconds" : "1 second"))
      }
      yield* Effect.gen(function* () {
        const store = yield* Effect.flatMap(Persistence.BackingPersistence, ({ make }) => make("a"))
        const fiber = yield* Effect.fork(
          store.setMany([
            ["b", 1, NEVER],
            ["c", 3, NEVER],
            ["b", 2, NEVER]
          ])
        )
        yield* TestClock.adjust("10 seconds")
        yield* fiber
        assert.deepStrictEqual([...stored.values()].sort(), ["[2,null]", "[3,null]"])
      }).pipe(Effect.provide(ApifyPersistence.layer(REF)), Effect.provide(layerRespond(respond)))
    })
  )

  layer(emulated, { excludeTestServices: true })((it) => {
    it.scoped("keeps an entry as a record of JSON, with the time when it expires", () =>
      Effect.gen(function* () {
        const ref = yield* newStore
        const { make } = yield* Effect.provide(Persistence.BackingPersistence, ApifyPersistence.layer(ref))
        const store = yield* make("titles")
        yield* store.set("a/b", { title: "A" }, NEVER)
        yield* store.setMany([["c", "C", NEVER]])
        const now = Date.UTC(2026, 0, 1)
        yield* Effect.withClock(store.set("d", "D", DAY), new SimulatedClock(now))

        const never = yield* getRecord(ref, "titles'a!2fb")
        assert.deepStrictEqual(never.text, Either.right('[{"title":"A"},null]'))
        assert.deepStrictEqual(never.contentType, Option.some("application/json; charset=utf-8"))
        assert.deepStrictEqual((yield* getRecord(ref, "titles'c")).text, Either.right('["C",null]'))
        const [, expires] = yield* getRecordValue(ref, "titles'd", Schema.Tuple(Schema.String, Schema.Number))
        assert.strictEqual(expires, now + 86_400_000)
      })
    )

    it.scoped("hashes keys and IDs that would be too long, and those alone", () =>
      Effect.gen(function* () {
        const ref = yield* newStore
        const { make } = yield* Effect.provide(Persistence.BackingPersistence, ApifyPersistence.layer(ref))
        const short = yield* make("s")
        const long = yield* make("/".repeat(100))
        yield* short.set("a".repeat(254), 1, NEVER)
        yield* short.set("a".repeat(255), 2, NEVER)
        yield* long.set("b", 3, NEVER)
        const hash = (text: string) => createHash("sha256").update(JSON.stringify(text)).digest("hex")
        assert.sameMembers(
          Array.from(yield* Stream.runCollect(listKeys(ref)), ({ key }): string => key),
          [`s'${"a".repeat(254)}`, `s')${hash("a".repeat(255))}`, `)${hash("/".repeat(100))}'b`]
        )
      })
    )

    it.scoped.each(["no JSON", "{}", '["value"]', '["value","soon"]'])(
      "fails for a record that is no entry: %s",
      (text) =>
        Effect.gen(function* () {
          const ref = yield* newStore
          const { make } = yield* Effect.provide(Persistence.BackingPersistence, ApifyPersistence.layer(ref))
          const store = yield* make("a")
          yield* putRecord(ref, "a'b", text)
          const error = yield* Effect.flip(store.get("b"))
          assert.strictEqual(error.reason, "BackingError")
          assert.deepInclude("cause" in error ? error.cause : undefined, { _tag: "MalformedRecordError" })
        })
    )

    it.scoped("clears the entries of one store alone", () =>
      Effect.gen(function* () {
        const ref = yield* newStore
        const { make } = yield* Effect.provide(Persistence.BackingPersistence, ApifyPersistence.layer(ref))
        yield* putRecord(ref, "ab", "of somebody else")
        const store = yield* make("a")
        const other = yield* make("ab")
        yield* store.set("b", 1, NEVER)
        yield* other.set("b", 2, NEVER)
        yield* store.clear
        assert.deepStrictEqual(
          Array.from(yield* Stream.runCollect(listKeys(ref)), ({ key }): string => key),
          ["ab", "ab'b"]
        )
      })
    )

    it.scoped("clears entries whose keys are listed in pages that are larger than an entry may be", () =>
      Effect.gen(function* () {
        const ref = yield* newStore
        const layer = ApifyPersistence.layer(ref, { maxBodyBytes: 100 })
        const store = yield* Effect.flatMap(Effect.provide(Persistence.BackingPersistence, layer), ({ make }) =>
          make("a")
        )
        yield* store.set("b", 1, NEVER)
        yield* store.clear
        assert.deepStrictEqual(yield* store.get("b"), Option.none())
      })
    )

    it.effect("keeps what a PersistedCache has looked up, failures too, until it is invalidated", () =>
      Effect.gen(function* () {
        const ref = yield* newStore
        const { asked, find } = titles()
        /** As in a process of its own, which has nothing in memory. */
        const inProcess = <A, E>(use: (cache: PersistedCache.PersistedCache<Title>) => Effect.Effect<A, E>) =>
          PersistedCache.make({ storeId: "titles", lookup: find, timeToLive: () => "1 day" }).pipe(
            Effect.flatMap(use),
            Effect.scoped,
            Effect.provide(ApifyPersistence.layerResult(ref))
          )
        const requests = [...urls, "none"].map((url) => new Title({ url }))
        const all = inProcess(({ get }) => Effect.forEach(requests, (request) => Effect.exit(get(request))))
        const first = yield* all
        assert.deepStrictEqual(yield* all, first)
        assert.deepStrictEqual(first, [
          ...urls.map((url) => Exit.succeed({ title: `Title of ${url}`, seen })),
          Exit.fail({ _tag: "NoTitle" as const, url: "none" })
        ])
        assert.deepStrictEqual(asked, [...urls, "none"])

        yield* inProcess(({ invalidate }) => invalidate(new Title({ url: "none" })))
        yield* all
        assert.deepStrictEqual(asked, [...urls, "none", "none"])
      })
    )

    it.effect("keeps the results of a RequestResolver", () =>
      Effect.gen(function* () {
        const ref = yield* newStore
        const { asked, find } = titles()
        const resolver = RequestResolver.fromEffect(find)
        const inProcess = (urls: ReadonlyArray<string>) =>
          persisted(resolver, { storeId: "titles", timeToLive: () => Duration.infinity }).pipe(
            Effect.flatMap((resolver) =>
              Effect.forEach(urls, (url) => Effect.exit(Effect.request(new Title({ url }), resolver)), {
                batching: true
              })
            ),
            Effect.scoped,
            Effect.provide(ApifyPersistence.layerResult(ref))
          )
        const expected = urls.map((url) => Exit.succeed({ title: `Title of ${url}`, seen }))
        assert.deepStrictEqual(yield* inProcess(urls), expected)
        assert.deepStrictEqual(yield* inProcess([...urls, "none"]), [
          ...expected,
          Exit.fail({ _tag: "NoTitle" as const, url: "none" })
        ])
        assert.deepStrictEqual(asked, [...urls, "none"])
      })
    )

    it.effect("keeps chats of @effect/ai", () =>
      Effect.gen(function* () {
        const ref = yield* newStore
        const model = Layer.effect(
          LanguageModel.LanguageModel,
          LanguageModel.make({
            generateText: ({ prompt }) =>
              Effect.succeed([{ type: "text", text: `${prompt.content.length} messages so far` }]),
            streamText: () => Stream.empty
          })
        )
        const inProcess = <A, E>(
          use: (chats: Chat.Persistence.Service) => Effect.Effect<A, E, LanguageModel.LanguageModel>
        ) =>
          Effect.flatMap(Chat.Persistence, use).pipe(
            Effect.provide(Layer.provide(Chat.layerPersisted({ storeId: "chats" }), ApifyPersistence.layer(ref))),
            Effect.provide(model)
          )
        const say = (prompt: string) =>
          inProcess(({ getOrCreate }) =>
            Effect.flatMap(getOrCreate("Jane's chat"), ({ generateText }) => generateText({ prompt }))
          )
        assert.strictEqual((yield* say("Hello")).text, "1 messages so far")
        assert.strictEqual((yield* say("And now?")).text, "3 messages so far")
        const missing = yield* Effect.flip(inProcess(({ get }) => get("John's chat")))
        assert.strictEqual(missing._tag, "ChatNotFoundError")
      })
    )
  })
})

storeLaws("memory", Persistence.layerMemory)
storeLaws(
  "Apify",
  onNewStore((ref) => ApifyPersistence.layer(ref))
)
