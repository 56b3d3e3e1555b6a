/**
 * What operations on records change of a store: its statistics and dates.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { Emulator, type SeedJson } from "../src/index.js"
import { AT, CLOSED, get, OPEN_BY_ID, OPEN_BY_NAME, OWNER, put, seed, storeOf, WITHOUT_SECRET } from "./records.js"
import { request, storePath } from "./request.js"
import { scratch } from "./scratch.js"

const timeAt = (millis: number): string => DateTime.formatIso(DateTime.unsafeMake(millis))

describe("the statistics and dates of a store", () => {
  layer(Emulator.layer({ seed }))((it) => {
    it.effect("are absent until something is counted", () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        const store = yield* storeOf(url, OPEN_BY_NAME)
        assert.notProperty(store, "stats")
        assert.strictEqual(store.modifiedAt, AT)
      })
    )

    it.effect("move with every operation", () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        const keys = request(url, `${storePath(CLOSED)}/keys`, { token: OWNER })
        let modifiedAt = AT
        const counts: Record<string, number> = {}
        const steps = [
          ["writeCount", 201, put(url, CLOSED, "a", "12345"), 5],
          ["writeCount", 201, put(url, CLOSED, "b", "1"), 6],
          ["readCount", 200, get(url, CLOSED, "a"), 6],
          ["listCount", 200, keys, 6],
          ["writeCount", 201, put(url, CLOSED, "a", "12", { method: "POST" }), 3],
          [undefined, 200, get(url, CLOSED, "a", { method: "HEAD" }), 3],
          [undefined, 404, get(url, CLOSED, "missing"), 3],
          ["deleteCount", 204, get(url, CLOSED, "a", { method: "DELETE" }), 1],
          // It was not there: the store is not modified.
          ["deleteCount", 204, get(url, CLOSED, "a", { method: "DELETE" }), 1],
          ["deleteCount", 204, get(url, CLOSED, "b", { method: "DELETE" }), 0]
        ] as const
        for (const [index, [count, expected, operation, storageBytes]] of steps.entries()) {
          const now = Date.parse(AT) + (index + 1) * 1_000
          yield* TestClock.setTime(now)
          assert.strictEqual((yield* operation).status, expected)
          if (count !== undefined) counts[count] = (counts[count] ?? 0) + 1
          if (count === "writeCount" || (count === "deleteCount" && index !== 8)) modifiedAt = timeAt(now)
          const { stats, ...store } = yield* storeOf(url, CLOSED)
          assert.deepStrictEqual(stats, { ...counts, storageBytes }, `step ${index}`)
          assert.strictEqual(store.createdAt, AT)
          assert.strictEqual(store.modifiedAt, modifiedAt, `step ${index}`)
          if (count !== undefined) assert.strictEqual(store.accessedAt, timeAt(now))
        }
      })
    )

    it.effect("do not move with what is refused", () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        const before = yield* storeOf(url, OPEN_BY_ID)
        yield* put(url, OPEN_BY_ID, "a", "1", { headers: { "content-type": "wrong" } })
        yield* put(url, OPEN_BY_ID, "a", "1", { token: "reader" })
        yield* request(url, `${storePath(OPEN_BY_ID)}/keys?limit=x`)
        const after = yield* storeOf(url, OPEN_BY_ID)
        assert.deepStrictEqual([after.stats, after.modifiedAt], [before.stats, before.modifiedAt])
      })
    )

    it.effect("count every one of many requests at once", () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        const indices = Array.from({ length: 50 }, (_, index) => index)
        yield* Effect.forEach(indices, (index) => put(url, WITHOUT_SECRET, `key-${index % 5}`, "12"), {
          concurrency: 20
        })
        yield* Effect.forEach(indices, (index) => get(url, WITHOUT_SECRET, `key-${index % 5}`), { concurrency: 20 })
        const { stats } = yield* storeOf(url, WITHOUT_SECRET)
        assert.deepStrictEqual(stats, { writeCount: 50, readCount: 50, storageBytes: 10 })
      })
    )
  })

  it.scopedLive("are kept by the database's file", () =>
    Effect.gen(function* () {
      const database = `${yield* scratch}/apify.db`
      const serving = <A, E>(seed: SeedJson, use: (url: string) => Effect.Effect<A, E>) =>
        Effect.flatMap(Emulator, ({ url }) => use(url)).pipe(Effect.provide(Emulator.layer({ seed, database })))
      yield* serving(seed, (url) =>
        Effect.gen(function* () {
          yield* put(url, CLOSED, "a", "12345")
          yield* get(url, CLOSED, "a")
          yield* get(url, CLOSED, "a")
          yield* request(url, `${storePath(CLOSED)}/keys`, { token: OWNER })
        })
      )
      const { stats, ...store } = yield* serving({ users: [] }, (url) => storeOf(url, CLOSED))
      assert.deepStrictEqual(stats, { writeCount: 1, readCount: 2, listCount: 1, storageBytes: 5 })
      assert.notStrictEqual(store.accessedAt, AT)
    })
  )
})
