/**
 * Unit tests of ../findUnused.ts and ../countWords.ts with test layers and a test clock.
 */
import { assert, describe, it } from "@effect/vitest"
import { getRecordValue, RetryPolicy } from "@effect-apify/http"
import { layerRespond, layerStores, RecordedRequests } from "@effect-apify/http/testing"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { countWords, Output } from "../countWords.js"
import { findUnused } from "../findUnused.js"
import { runSource } from "./run.js"

/** A client of janedoe's. */
const client = layerStores({
  caller: "janedoe",
  stores: [
    { id: "aaaaaaaaaaaaaaaaa", name: "old", accessedAt: "2025-01-01T00:00:00.000Z" },
    { name: "fresh", accessedAt: "2025-05-31T00:00:00.000Z" },
    { name: "theirs", username: "someone" },
    { name: "pages", records: { "page-1": "one two", "page-2": "three", INPUT: { language: "en" } } }
  ]
})

const setToday = TestClock.setTime(Date.parse("2025-06-01"))

describe("findUnused", () => {
  it.effect("returns the stores that nobody has accessed for that long", () =>
    Effect.gen(function* () {
      yield* setToday
      const unused = yield* findUnused(["~old", "~fresh"], "90 days")
      assert.deepStrictEqual(
        unused.map(({ id }) => id),
        ["aaaaaaaaaaaaaaaaa"]
      )
    }).pipe(Effect.provide(client))
  )

  it.effect("leaves out a store that does not exist", () =>
    Effect.gen(function* () {
      yield* setToday
      assert.deepStrictEqual(yield* findUnused(["~gone"], "90 days"), [])
      const requests = yield* (yield* RecordedRequests).all
      assert.deepStrictEqual(
        requests.map(({ url }) => new URL(url).pathname),
        ["/v2/key-value-stores/~gone"]
      )
    }).pipe(Effect.provide(client))
  )

  it.effect("fails for a store that the caller may not read", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(findUnused(["~old", "someone~theirs"], "90 days"))
      assert.strictEqual(error._tag, "ForbiddenError")
    }).pipe(Effect.provide(client))
  )

  it.effect("fails if Apify is down", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(findUnused(["~old"], "90 days"))
      assert.strictEqual(error._tag, "ServerError")
    }).pipe(
      Effect.provide(
        layerRespond(() => Effect.succeed(new Response("down", { status: 503 })), { retry: RetryPolicy.none })
      )
    )
  )
})

describe("countWords", () => {
  it.effect("writes the number of words in all pages", () =>
    Effect.gen(function* () {
      yield* countWords("~pages")
      assert.deepStrictEqual(yield* getRecordValue("~pages", "OUTPUT", Output), { words: 3 })
    }).pipe(Effect.provide(client))
  )

  it.effect("fails for pages that it may not read", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(countWords("someone~theirs"))
      assert.strictEqual(error._tag, "ForbiddenError")
    }).pipe(Effect.provide(client))
  )
})

describe("the program", () => {
  it.live("prints what was found", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* runSource("unitTest")
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.deepStrictEqual(stdout.split("\n"), [
        "Unused for 90 days: old (3 requests)",
        "Words: 3",
        "If Apify is down: ServerError",
        ""
      ])
    })
  )
})
