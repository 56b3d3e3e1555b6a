/**
 * Unit tests of ../findUnused.ts with test layers and a test clock.
 */
import { assert, describe, it } from "@effect/vitest"
import { RetryPolicy, Store, StoreId } from "@effect-apify/http"
import { layerRespond, layerStores, RecordedRequests } from "@effect-apify/http/testing"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { findUnused } from "../findUnused.js"
import { runSource } from "./run.js"

const storeOf = (owner: string, name: string, id: string, accessed: string) =>
  new Store({
    id: StoreId.make(id),
    name: Option.some(name),
    username: Option.some(owner),
    createdAt: DateTime.unsafeMake("2024-01-01"),
    modifiedAt: DateTime.unsafeMake("2024-01-01"),
    accessedAt: DateTime.unsafeMake(accessed)
  })

/** A client of janedoe's. */
const client = layerStores({
  stores: [
    storeOf("janedoe", "old", "aaaaaaaaaaaaaaaaa", "2025-01-01"),
    storeOf("janedoe", "fresh", "bbbbbbbbbbbbbbbbb", "2025-05-31"),
    storeOf("someone", "theirs", "ccccccccccccccccc", "2025-01-01")
  ],
  caller: "janedoe"
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

describe("the program", () => {
  it.live("prints what was found", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* runSource("unitTest")
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.deepStrictEqual(stdout.split("\n"), [
        "Unused for 90 days: old (3 requests)",
        "If Apify is down: ServerError",
        ""
      ])
    })
  )
})
