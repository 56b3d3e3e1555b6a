/**
 * Listings from key to key, by an operation of the test's own.
 */
import { assert, describe, it } from "@effect/vitest"
import { cursorPage } from "@effect-apify/domain"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { DecodeContext, OperationResponse } from "../src/index.js"
import { CursorPages, nextKeyProblem } from "../src/internal/cursorPages.js"
import { decodeItems, type PageLimits, type PageOperation } from "../src/internal/pages.js"
import { paginate } from "../src/internal/paginate.js"
import { decodeJson, errorOf, malformed } from "../src/internal/response.js"
import { layerRespond, RecordedRequests, type Respond } from "../src/testing.js"

const KeyPage = cursorPage(Schema.String)

const decodePage = ParseResult.decodeUnknownEither(Schema.Struct({ data: cursorPage(Schema.Unknown) }))

/** Gets a page of keys. */
class ListKeys implements PageOperation<string, typeof KeyPage.Type> {
  readonly name = "listKeys"
  readonly store = Option.none()
  readonly rate = "resource"
  readonly isPaced = false
  readonly isIdempotent = true
  readonly received: Array<string> = []

  constructor(
    private readonly after: Option.Option<string>,
    private readonly limit: number
  ) {}

  get request() {
    const query = { limit: String(this.limit), exclusiveStartKey: Option.getOrUndefined(this.after) }
    return Either.right({ method: "GET", path: "/v2/keys", query } as const)
  }

  decode(response: OperationResponse, context: DecodeContext) {
    if (response.status !== 200) return Either.left(errorOf(response, context))
    return Either.flatMap(decodeJson(response, context, decodePage), ({ data }) =>
      Option.match(nextKeyProblem(this.after, data), {
        onSome: (problem) => Either.left(malformed(response, context, [problem])),
        onNone: () =>
          Either.map(decodeItems(data.items, decodeKey, this.received, response, context), (items) => ({
            ...data,
            items
          }))
      })
    )
  }
}

const decodeKey = (item: unknown) =>
  typeof item === "string" ? Either.right(item) : Either.left([{ path: ["key"], problem: "is not a string" }])

const listKeys = ({ limit, pageSize = 3 }: Partial<PageLimits> = {}) =>
  paginate(
    () => new CursorPages((after, limit) => new ListKeys(after, limit), Option.none<string>(), { limit, pageSize })
  )

const keysOf = (limits?: Partial<PageLimits>) => Effect.map(Stream.runCollect(listKeys(limits)), (keys) => [...keys])

const givenAndEnd = Effect.gen(function* () {
  const given: Array<string> = []
  const error = yield* Effect.flip(Stream.runForEach(listKeys(), (key) => Effect.sync(() => given.push(key))))
  return { given, error }
})

const pageWith = (fields: object): Response =>
  Response.json({ data: { limit: 3, count: 0, isTruncated: false, exclusiveStartKey: null, items: [], ...fields } })

/** Serves keys in their order, no more than `most` at once. */
const serving =
  (keys: ReadonlyArray<string>, most = 1000): Respond =>
  ({ url }) =>
    Effect.sync(() => {
      const { searchParams } = new URL(url)
      const rest = keys.filter((key) => key > (searchParams.get("exclusiveStartKey") ?? ""))
      const items = rest.slice(0, Math.min(Number(searchParams.get("limit")), most))
      const isTruncated = items.length < rest.length
      return pageWith({ items, isTruncated, nextExclusiveStartKey: isTruncated ? items.at(-1) : null })
    })

/** Responds with pages in turn, the last of them for ever. */
const inTurn = (...pages: ReadonlyArray<object>) => {
  let requests = 0
  return layerRespond(() => Effect.sync(() => pageWith(pages[Math.min(requests++, pages.length - 1)] ?? {})))
}

const requestCount = Effect.gen(function* () {
  return (yield* (yield* RecordedRequests).all).length
})

const keys = fc
  .uniqueArray(fc.stringMatching(/^[a-zA-Z0-9!_.'()-]{1,5}$/), { maxLength: 30 })
  .map((keys) => keys.sort((one, other) => (one < other ? -1 : 1)))

describe("a listing from key to key", () => {
  it.effect.prop(
    "gives each key once, in order, whatever the sizes of the pages",
    [keys, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.option(fc.integer({ min: 1, max: 40 }))],
    ([keys, pageSize, most, limit]) =>
      Effect.gen(function* () {
        const wanted = limit ?? undefined
        assert.deepStrictEqual(yield* keysOf({ pageSize, limit: wanted }), keys.slice(0, wanted))
      }).pipe(Effect.provide(layerRespond(serving(keys, most))))
  )

  it.effect.prop(
    "row 94: gives no key twice, and every key that stays, whatever else is added and deleted meanwhile",
    [keys, fc.array(keys, { minLength: 1 }), fc.integer({ min: 1, max: 5 })],
    ([staying, visiting, pageSize]) =>
      Effect.gen(function* () {
        let requests = 0
        const changing: Respond = (...request) => {
          const now = new Set([...staying, ...(visiting[requests++ % visiting.length] ?? [])])
          return serving([...now].sort((one, other) => (one < other ? -1 : 1)))(...request)
        }
        const listed = yield* Effect.provide(keysOf({ pageSize }), layerRespond(changing))
        assert.strictEqual(new Set(listed).size, listed.length)
        assert.includeMembers(listed, staying)
      })
  )

  it.effect.each(["b", "a", "Z"])("row 88: ends with an error where the next key is %j after b", (next) =>
    Effect.gen(function* () {
      const { error, given } = yield* givenAndEnd
      assert.deepStrictEqual(given, ["a", "b"])
      assert.deepInclude(error, {
        _tag: "MalformedResponseError",
        problems: [
          {
            path: ["data", "nextExclusiveStartKey"],
            problem: "does not come after the key that the page was to begin after"
          }
        ]
      })
      assert.strictEqual(yield* requestCount, 2)
    }).pipe(
      Effect.provide(
        inTurn(
          { items: ["a", "b"], isTruncated: true, nextExclusiveStartKey: "b" },
          { items: ["b", "c"], isTruncated: true, nextExclusiveStartKey: next }
        )
      )
    )
  )

  it.effect.each([{}, { nextExclusiveStartKey: null }, { nextExclusiveStartKey: "" }])(
    "row 89: ends where the next key is %j, although more keys are said to follow",
    (next) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* keysOf(), ["a", "b"])
        assert.strictEqual(yield* requestCount, 1)
      }).pipe(Effect.provide(inTurn({ items: ["a", "b"], isTruncated: true, ...next })))
  )

  it.effect("row 90: fails where more keys are said to follow a page without any", () =>
    Effect.gen(function* () {
      const { error, given } = yield* givenAndEnd
      assert.deepStrictEqual(given, [])
      assert.deepInclude(error, {
        _tag: "MalformedResponseError",
        problems: [{ path: ["data", "items"], problem: "is empty, although more items follow" }]
      })
    }).pipe(Effect.provide(inTurn({ isTruncated: true, nextExclusiveStartKey: "b" })))
  )

  it.effect("row 91: gives the keys before one that is not valid, and then the error that names its place", () =>
    Effect.gen(function* () {
      const { error, given } = yield* givenAndEnd
      assert.deepStrictEqual(given, ["a", "b"])
      assert.deepInclude(error, { problems: [{ path: ["data", "items", 1, "key"], problem: "is not a string" }] })
    }).pipe(
      Effect.provide(inTurn({ items: ["a"], isTruncated: true, nextExclusiveStartKey: "a" }, { items: ["b", 3, "c"] }))
    )
  )

  it.effect("row 96: left early, asks for no further page", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* Stream.runCount(Stream.take(listKeys({ pageSize: 2 }), 2)), 2)
      assert.strictEqual(yield* requestCount, 1)
    }).pipe(Effect.provide(layerRespond(serving(["a", "b", "c"]))))
  )

  it.effect("asks for no page beyond its limit, and gives no more where the server does", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* keysOf({ limit: 2 }), ["a", "b"])
      assert.strictEqual(yield* requestCount, 1)
    }).pipe(Effect.provide(inTurn({ items: ["a", "b", "c"], isTruncated: true, nextExclusiveStartKey: "c" })))
  )
})
