/**
 * The test of ../unitTest.ts: no network, no waiting, and a clock that stands where it is put.
 */
import { assert, describe, it } from "@effect/vitest"
import { Store, StoreId } from "@effect-apify/domain"
import { RetryPolicy } from "@effect-apify/http"
import { layerRespond, layerStores, RecordedRequests } from "@effect-apify/http/testing"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { findUnused } from "../unitTest.js"

const storeOf = (owner: string, name: string, id: string, accessed: string) =>
  new Store({
    id: StoreId.make(id),
    name: Option.some(name),
    username: Option.some(owner),
    createdAt: DateTime.unsafeMake("2024-01-01"),
    modifiedAt: DateTime.unsafeMake("2024-01-01"),
    accessedAt: DateTime.unsafeMake(accessed)
  })

/** What janedoe can ask for. */
const apify = layerStores({
  stores: [
    storeOf("janedoe", "old", "aaaaaaaaaaaaaaaaa", "2025-01-01"),
    storeOf("janedoe", "fresh", "bbbbbbbbbbbbbbbbb", "2025-05-31"),
    storeOf("someone", "theirs", "ccccccccccccccccc", "2025-01-01")
  ],
  caller: "janedoe"
})

const today = TestClock.setTime(Date.parse("2025-06-01"))

describe("findUnused", () => {
  it.effect("finds the stores that nobody has accessed for that long", () =>
    Effect.gen(function* () {
      yield* today
      const unused = yield* findUnused(["~old", "~fresh"], "90 days")
      assert.deepStrictEqual(
        unused.map(({ id }) => id),
        ["aaaaaaaaaaaaaaaaa"]
      )
    }).pipe(Effect.provide(apify))
  )

  it.effect("passes over a store that no longer exists, having asked for it", () =>
    Effect.gen(function* () {
      yield* today
      assert.deepStrictEqual(yield* findUnused(["~gone"], "90 days"), [])
      const requests = yield* (yield* RecordedRequests).all
      assert.deepStrictEqual(
        requests.map(({ url }) => new URL(url).pathname),
        ["/v2/key-value-stores/~gone"]
      )
    }).pipe(Effect.provide(apify))
  )

  it.effect("fails for a store that is not shared", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(findUnused(["~old", "someone~theirs"], "90 days"))
      assert.strictEqual(error._tag, "ForbiddenError")
    }).pipe(Effect.provide(apify))
  )

  it.effect("fails when Apify is down", () =>
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
