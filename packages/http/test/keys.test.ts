/**
 * Listings of keys, page by page.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { type ListKeysError, type ListKeysOptions, listKeys, listKeysPage } from "../src/index.js"
import { layerRespond, RecordedRequests } from "../src/testing.js"
import { inSimulatedTime } from "./simulatedTime.js"

const STORE = "janedoe~my-store"

interface Page {
  readonly items: ReadonlyArray<unknown>
  readonly next?: string | null | undefined
  readonly isTruncated?: boolean
}

const item = (key: string) => ({ key, size: key.length, recordPublicUrl: `https://api.apify.com/${key}?signature=abc` })

const bodyOf = ({ isTruncated = false, items, next }: Page): Response =>
  Response.json({
    data: { items, count: items.length, limit: 1000, isTruncated, exclusiveStartKey: null, nextExclusiveStartKey: next }
  })

const parametersOf = (url: string): Readonly<Record<string, string>> => Object.fromEntries(new URL(url).searchParams)

/** A server with these keys, which gives `most` a page. */
const serving = (keys: ReadonlyArray<string>, most = 1000) =>
  layerRespond((request) =>
    Effect.sync(() => {
      const parameters = Object.fromEntries(request.urlParams)
      const { exclusiveStartKey = "", limit, prefix = "" } = { ...parameters, ...parametersOf(request.url) }
      const left = [...keys].sort().filter((key) => key > exclusiveStartKey && key.startsWith(prefix))
      const page = left.slice(0, Math.min(most, Number(limit)))
      const isTruncated = page.length < left.length
      return bodyOf({ items: page.map(item), isTruncated, next: isTruncated ? (page.at(-1) ?? null) : null })
    })
  )

/** A server that gives these pages in order. */
const paging = (...pages: ReadonlyArray<Page | Response>) =>
  Effect.map(Ref.make(pages), (left) =>
    layerRespond(
      () =>
        Ref.modify(left, ([page = { items: [] }, ...rest]) => [
          page instanceof Response ? page.clone() : bodyOf(page),
          rest
        ]),
      { retry: { baseDelay: 0, maxDelay: 0 } }
    )
  )

const keysOf = (options?: ListKeysOptions) => Stream.map(listKeys(STORE, options), ({ key }) => key)

/** Listings are paced, so that time has to pass. */
const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.map(inSimulatedTime(effect), ({ value }) => value)

/** What a listing gives, and what it ends with. */
const listed = (options?: ListKeysOptions) =>
  inTime(
    Effect.gen(function* () {
      const given = yield* Ref.make<ReadonlyArray<string>>([])
      const result = yield* Effect.either(
        Stream.runForEach(keysOf(options), (key) => Ref.update(given, (given) => [...given, key]))
      )
      return { given: yield* Ref.get(given), error: Either.getLeft(result) }
    })
  )

const requested = Effect.gen(function* () {
  return (yield* (yield* RecordedRequests).all).map(({ url }) => parametersOf(url))
})

const key = fc.stringMatching(/^[a-zA-Z0-9!\-_'()]{1,6}$/)

describe("listKeys", () => {
  it.effect.prop(
    "gives every key once and in order, whatever the pages are",
    [fc.uniqueArray(key, { maxLength: 40 }), fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 50 })],
    ([keys, most, pageSize]) =>
      Effect.gen(function* () {
        const given = yield* Effect.provide(inTime(Stream.runCollect(keysOf({ pageSize }))), serving(keys, most))
        assert.deepStrictEqual([...given].map(String), [...keys].sort())
      })
  )

  it.effect.prop(
    "gives as many as the limit, and requests no more than that",
    [fc.uniqueArray(key, { maxLength: 30 }), fc.nat(40), fc.integer({ min: 1, max: 10 })],
    ([keys, limit, pageSize]) =>
      Effect.gen(function* () {
        const { given } = yield* listed({ limit, pageSize })
        assert.deepStrictEqual(given, [...keys].sort().slice(0, limit))
        const total = (yield* requested).reduce((total, { limit }) => total + Number(limit), 0)
        assert.isAtMost(total, Math.max(limit, 0))
      }).pipe(Effect.provide(serving(keys)))
  )

  it.effect("sends its filters with every page, and the token or the signature", () =>
    Effect.gen(function* () {
      yield* listed({
        prefix: "a",
        collection: "posts",
        exclusiveStartKey: "a",
        pageSize: 1,
        signature: Redacted.make("sign")
      })
      assert.deepStrictEqual(yield* requested, [
        { signature: "sign", limit: "1", exclusiveStartKey: "a", prefix: "a", collection: "posts" },
        { signature: "sign", limit: "1", exclusiveStartKey: "a1", prefix: "a", collection: "posts" }
      ])
    }).pipe(Effect.provide(serving(["a", "a1", "a2"])))
  )

  it.effect.each([
    ["null", null],
    ["missing", undefined],
    ["empty", ""]
  ] as const)("ends where the next key is %s", ([, next]) =>
    Effect.gen(function* () {
      const client = yield* paging({ items: [item("a")], isTruncated: true, next: "a" }, { items: [item("b")], next })
      const { error, given } = yield* Effect.provide(listed(), client)
      assert.deepStrictEqual([given, error], [["a", "b"], Option.none()])
    })
  )

  it.effect("ends at a page without items that says that it is the last", () =>
    Effect.gen(function* () {
      const client = yield* paging({ items: [], next: "z" }, { items: [item("zz")], next: null })
      const { error, given } = yield* Effect.provide(listed(), client)
      assert.deepStrictEqual([given, error], [[], Option.none()])
    })
  )

  it.effect.each([
    ["equals", "b"],
    ["sorts before", "a"]
  ])("ends with an error where the next key %s the last one", ([, next]) =>
    Effect.gen(function* () {
      const client = yield* paging(
        { items: [item("a"), item("b")], isTruncated: true, next: "b" },
        { items: [item("c")], isTruncated: true, next: `${next}` }
      )
      const { error, given } = yield* Effect.provide(listed(), client)
      assert.deepStrictEqual(given, ["a", "b", "c"])
      assert.deepStrictEqual(problemPaths(error), [["data", "nextExclusiveStartKey"]])
    })
  )

  it.effect("gives nothing of a page that repeats, before its error", () =>
    Effect.gen(function* () {
      const page = { items: [item("a"), item("b")], isTruncated: true, next: "b" }
      const { error, given } = yield* Effect.provide(listed(), yield* paging(page, page))
      assert.deepStrictEqual(given, ["a", "b"])
      assert.deepStrictEqual(problemPaths(error), [["data", "nextExclusiveStartKey"]])
    })
  )

  it.effect("ends with an error where a page has no items, although more are to follow", () =>
    Effect.gen(function* () {
      const client = yield* paging({ items: [], isTruncated: true, next: "z" })
      const { error, given } = yield* Effect.provide(listed(), client)
      assert.deepStrictEqual([given, problemPaths(error)], [[], [["data", "items"]]])
    })
  )

  it.effect.each([
    ["no object", null, []],
    ["an empty key", { key: "", size: 1 }, ["key"]],
    ["a negative size", { key: "b", size: -1 }, ["size"]],
    ["a link that is no text", { key: "b", size: 1, recordPublicUrl: 1 }, ["recordPublicUrl"]]
  ] as const)("gives the items before one that is %s, and an error that names its place", ([, bad, path]) =>
    Effect.gen(function* () {
      const client = yield* paging({ items: [item("a"), bad, item("c")], isTruncated: true, next: "c" })
      const { error, given } = yield* Effect.provide(listed(), client)
      assert.deepStrictEqual(given, ["a"])
      assert.deepStrictEqual(problemPaths(error), [["data", "items", 1, ...path]])
    })
  )

  it.effect("requests a page again that failed, and gives no item twice", () =>
    Effect.gen(function* () {
      const client = yield* paging(
        { items: [item("a")], isTruncated: true, next: "a" },
        new Response("busy", { status: 503 }),
        { items: [item("b")], next: null }
      )
      const { error, given } = yield* Effect.provide(listed(), client)
      assert.deepStrictEqual([given, error], [["a", "b"], Option.none()])
    })
  )

  it.effect("requests no page that nobody needs", () =>
    Effect.gen(function* () {
      const keys = yield* Stream.runCollect(Stream.take(keysOf({ pageSize: 2 }), 2))
      assert.deepStrictEqual(Chunk.toReadonlyArray(keys).map(String), ["a", "b"])
      assert.lengthOf(yield* requested, 1)
    }).pipe(Effect.provide(serving(["a", "b", "c"])))
  )

  it.effect("requests at most 60 pages of a store a second", () =>
    Effect.gen(function* () {
      const keys = Array.from({ length: 150 }, (_, n) => `key-${String(n).padStart(3, "0")}`)
      const listing = yield* Effect.fork(Stream.runCount(keysOf({ pageSize: 1 })).pipe(Effect.provide(serving(keys))))
      yield* TestClock.adjust("1 second")
      assert.isNull(listing.unsafePoll())
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(listing), 150)
    })
  )

  it.effect("says that the store does not exist, or that its reference is none", () =>
    Effect.gen(function* () {
      const client = yield* paging(
        Response.json(
          { error: { type: "record-not-found", message: "Key-value Store was not found" } },
          { status: 404 }
        )
      )
      const missing = yield* Effect.provide(Effect.flip(Stream.runDrain(listKeys(STORE))), client)
      assert.strictEqual(missing._tag, "StoreNotFoundError")
      const invalid = yield* Effect.provide(Effect.flip(Stream.runDrain(listKeys("../users"))), client)
      assert.strictEqual(invalid._tag, "InvalidStoreRefError")
    })
  )

  it.effect.each([{ limit: -1 }, { limit: 0.5 }, { limit: Number.NaN }, { pageSize: 0 }, { pageSize: 1.5 }])(
    "calls %j a defect",
    (options) =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(Stream.runDrain(listKeys(STORE, options)))
        assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
        assert.isEmpty(yield* requested)
      }).pipe(Effect.provide(serving([])))
  )
})

describe("listKeysPage", () => {
  it.effect("gives a page, and where the next one begins", () =>
    Effect.gen(function* () {
      const { isTruncated, items, nextExclusiveStartKey } = yield* listKeysPage(STORE, { limit: 2 })
      assert.deepStrictEqual(
        items.map(({ key, size }) => [String(key), size]),
        [
          ["a", 1],
          ["bb", 2]
        ]
      )
      assert.deepStrictEqual([isTruncated, nextExclusiveStartKey], [true, Option.some("bb")])
      assert.deepStrictEqual(yield* requested, [{ limit: "2" }])
    }).pipe(Effect.provide(serving(["a", "bb", "c"])))
  )

  it.effect("fails where any item is not valid", () =>
    Effect.gen(function* () {
      const client = yield* paging({ items: [item("a"), 1] })
      const error = yield* Effect.provide(Effect.flip(listKeysPage(STORE)), client)
      assert.deepStrictEqual(problemPaths(Option.some(error)), [["data", "items", 1]])
    })
  )

  it.effect("hides the signatures of links", () =>
    Effect.gen(function* () {
      const page = yield* listKeysPage(STORE)
      assert.notInclude(JSON.stringify(page), "abc")
    }).pipe(Effect.provide(serving(["a"])))
  )
})

const problemPaths = (error: Option.Option<ListKeysError>) =>
  Option.match(error, {
    onNone: () => assert.fail("It has not failed"),
    onSome: (error) =>
      error._tag === "MalformedResponseError" ? error.problems.map(({ path }) => path) : assert.fail(error.message)
  })
