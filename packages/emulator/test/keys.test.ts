/**
 * Lists of keys over real sockets: their order, their pages, what selects them, and their links.
 */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import { Emulator } from "../src/index.js"
import { unknowns } from "../src/Unknowns.js"
import {
  AT,
  CLOSED,
  COLLECTIONS,
  OPEN_BY_ID,
  OPEN_BY_NAME,
  OWNER,
  put,
  recordPath,
  schema,
  seed,
  WITHOUT_SECRET
} from "./records.js"
import { type RequestOptions, request, storePath } from "./request.js"

interface Page {
  readonly items: ReadonlyArray<{ readonly key: string; readonly size: number; readonly recordPublicUrl: string }>
  readonly count: number
  readonly limit: number
  readonly exclusiveStartKey: string | null
  readonly isTruncated: boolean
  readonly nextExclusiveStartKey: string | null
}

const keysOf = (url: string, store: string, query = "", options: RequestOptions = { token: OWNER }) =>
  request(url, `${storePath(store)}/keys${query}`, options)

const pageOf = (url: string, store: string, query = "", options?: RequestOptions): Effect.Effect<Page, Error> =>
  Effect.map(keysOf(url, store, query, options), ({ status, text }) => {
    assert.strictEqual(status, 200)
    return JSON.parse(text).data
  })

const key = fc.stringMatching(/^[a-cA-C0-1!\-_.'()]{1,4}$/)

/** An emulator of its own for each set of keys would take too long: each set has a store. */
const manyStores = Array.from({ length: 600 }, (_, index) => `Store${String(index).padStart(12, "0")}`)

layer(
  Emulator.layer({
    seed: {
      ...seed,
      stores: [
        ...(seed.stores ?? []),
        ...manyStores.map((id) => ({
          owner: "owner",
          store: { id, createdAt: AT, modifiedAt: AT, accessedAt: AT, schema }
        }))
      ]
    }
  })
)("a list of keys", (it) => {
  let used = 0

  it.effect("has every key once, by its bytes, page by page, from any key on, with any prefix", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const queries = fc.record({
        limit: fc.integer({ min: 1, max: 6 }),
        start: fc.option(fc.oneof(key, fc.string())),
        prefix: fc.option(fc.oneof(key, fc.string({ maxLength: 2 })))
      })
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(fc.uniqueArray(key, { maxLength: 15 }), queries, (keys, { limit, start, prefix }) =>
            Effect.gen(function* () {
              const store = manyStores[used++ % manyStores.length] ?? ""
              for (const old of (yield* pageOf(url, store)).items) {
                yield* request(url, recordPath(store, old.key), { method: "DELETE", token: OWNER })
              }
              yield* Effect.forEach(keys, (key) => put(url, store, key, key), { concurrency: 5 })
              const expected = keys
                .filter(
                  (key) =>
                    key.startsWith(prefix ?? "") && Buffer.compare(Buffer.from(key), Buffer.from(start ?? "")) > 0
                )
                .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
              const got: Array<string> = []
              let next = start === "" ? null : start
              while (true) {
                const query = new URLSearchParams({ limit: String(limit), prefix: prefix ?? "" })
                if (next !== null) query.set("exclusiveStartKey", next)
                const page = yield* pageOf(url, store, `?${query}`)
                assert.strictEqual(page.exclusiveStartKey, query.get("exclusiveStartKey"))
                assert.strictEqual(page.limit, limit)
                assert.strictEqual(page.count, page.items.length)
                assert.isAtMost(page.count, limit)
                got.push(...page.items.map(({ key }) => key))
                assert.strictEqual(page.nextExclusiveStartKey, page.isTruncated ? got.at(-1) : null)
                if (!page.isTruncated) break
                next = page.nextExclusiveStartKey
              }
              assert.deepStrictEqual(got, expected)
            }).pipe(Effect.runPromise)
          )
        )
      )
    })
  )

  it.effect("of an empty store is empty, and says so in every field", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      assert.deepStrictEqual(yield* pageOf(url, "OpenByIdStore0000"), {
        items: [],
        count: 0,
        limit: 1_000,
        exclusiveStartKey: null,
        isTruncated: false,
        nextExclusiveStartKey: null
      })
    })
  )

  it.effect("is in the order of bytes, and not of any language", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const ordered = ["!", "'", "(", ")", "-", ".", "0", "9", "A", "Z", "_", "a", "z"]
      for (const key of [...ordered].reverse()) yield* put(url, OPEN_BY_NAME, key, "1")
      const { items } = yield* pageOf(url, OPEN_BY_NAME)
      assert.deepStrictEqual(
        items.map(({ key }) => key),
        ordered
      )
    })
  )

  it.effect("has sizes as they are stored", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      yield* put(url, WITHOUT_SECRET, "encoded", "12345", { headers: { "content-encoding": "gzip" } })
      yield* put(url, WITHOUT_SECRET, "empty", "")
      const { items } = yield* pageOf(url, WITHOUT_SECRET)
      assert.deepStrictEqual(
        items.map(({ key, size }) => [key, size]),
        [
          ["empty", 0],
          ["encoded", 5]
        ]
      )
    })
  )

  it.effect("has at most a thousand keys, and says how many there may be", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const limitOf = (query: string) => Effect.map(pageOf(url, CLOSED, query), ({ limit }) => limit)
      for (const query of ["", "?limit=0", "?limit=1000", "?limit=1001", "?limit=99999999999999999999"]) {
        assert.strictEqual(yield* limitOf(query), 1_000)
      }
      assert.strictEqual(yield* limitOf("?limit=7"), 7)
    })
  )

  for (const limit of ["-1", "1.5", "x", "1e3", "", " 1"]) {
    it.effect(`with the limit ${JSON.stringify(limit)} is refused`, () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        const { status, text } = yield* keysOf(url, CLOSED, `?limit=${encodeURIComponent(limit)}`)
        const { error } = unknowns.BAD_NUMBER_REFUSAL("limit")
        assert.deepStrictEqual([status, JSON.parse(text)], [400, { error: { ...error } }])
      })
    )
  }

  it.effect("has links that open the records of a restricted store, for those who may write to it", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      yield* put(url, CLOSED, "a'(b)!", "opened")
      for (const token of [OWNER, "writer"]) {
        const { items } = yield* pageOf(url, CLOSED, "", { token })
        const link = items[0]?.recordPublicUrl ?? ""
        assert.isTrue(link.startsWith(`${url}${recordPath(CLOSED, "a'(b)!")}?signature=`))
        const { text } = yield* request(url, link.slice(url.length))
        assert.strictEqual(text, "opened")
      }
    })
  )

  it.effect("has links without a signature for everybody else, and where none is needed or possible", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const unsigned = [
        [CLOSED, "reader"],
        [CLOSED, "owner-read"],
        [CLOSED, "writer-read"],
        [OPEN_BY_ID, OWNER],
        [OPEN_BY_ID, undefined],
        [WITHOUT_SECRET, OWNER]
      ] as const
      for (const [store, token] of unsigned) {
        yield* put(url, store, "key", "1")
        const { items } = yield* pageOf(url, store, "?prefix=key", { token })
        assert.deepStrictEqual(
          items.map(({ recordPublicUrl }) => recordPublicUrl),
          [`${url}${recordPath(store, "key")}`]
        )
      }
    })
  )

  it.effect("of a collection has the keys that belong to it", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const png = { headers: { "content-type": "image/png" } }
      for (const key of ["image-1", "image-2", "imag", "image_3"]) yield* put(url, COLLECTIONS, key, "1", png)
      for (const key of ["OUTPUT", "OUTPUT-1", "OUTPU"]) yield* put(url, COLLECTIONS, key, "1")
      const keys = (query: string) =>
        Effect.map(pageOf(url, COLLECTIONS, query), ({ items }) => items.map(({ key }) => key))
      assert.deepStrictEqual(yield* keys("?collection=images"), ["image-1", "image-2"])
      assert.deepStrictEqual(yield* keys("?collection=images&prefix=image-2"), ["image-2"])
      assert.deepStrictEqual(yield* keys("?collection=images&prefix=O"), [])
      assert.deepStrictEqual(yield* keys("?collection=images&prefix=i"), ["image-1", "image-2"])
      assert.deepStrictEqual(yield* keys("?collection=images&exclusiveStartKey=image-1"), ["image-2"])
      assert.deepStrictEqual(yield* keys("?collection=output"), ["OUTPUT"])
      assert.deepStrictEqual(yield* keys("?collection=posts"), [])
    })
  )

  it.effect("of a collection that the schema does not have, or of a store without a schema, is refused", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const expected = [400, { error: { ...unknowns.UNKNOWN_COLLECTION_REFUSAL.error } }]
      for (const [store, collection] of [
        [COLLECTIONS, "none"],
        [COLLECTIONS, "toString"],
        [COLLECTIONS, ""],
        [CLOSED, "images"]
      ] as const) {
        for (const path of ["/keys", "/records"]) {
          const query = `?collection=${collection}`
          const { status, text } = yield* request(url, `${storePath(store)}${path}${query}`, { token: OWNER })
          assert.deepStrictEqual([status, JSON.parse(text)], expected)
        }
      }
    })
  )

  it.effect("is refused for its rights before its parameters, and for its store before its rights", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const wrong = "?limit=x&collection=none"
      assert.strictEqual((yield* keysOf(url, CLOSED, wrong, {})).status, 403)
      assert.strictEqual((yield* keysOf(url, "NoSuchStore000000", wrong, {})).status, 404)
      assert.strictEqual((yield* keysOf(url, "NoSuchStore000000", wrong, { token: "unknown" })).status, 401)
    })
  )
})
