/**
 * Unit test code that uses `getStore`, without a network or waiting: findUnused.ts, with test layers and a test clock.
 *
 *     npx pnpm@12 tsx examples/unitTest.ts
 *
 * This is a plain program. test/unitTest.test.ts has tests of the same code for `@effect/vitest`.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { RetryPolicy, Store, StoreId } from "@effect-apify/http"
import { layerRespond, layerStores, RecordedRequests } from "@effect-apify/http/testing"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import { findUnused } from "./findUnused.js"

const storeOf = (name: string, id: string, accessed: string) =>
  new Store({
    id: StoreId.make(id),
    name: Option.some(name),
    username: Option.some("janedoe"),
    createdAt: DateTime.unsafeMake("2024-01-01"),
    modifiedAt: DateTime.unsafeMake("2024-01-01"),
    accessedAt: DateTime.unsafeMake(accessed)
  })

const stores = [storeOf("old", "aaaaaaaaaaaaaaaaa", "2025-01-01"), storeOf("fresh", "bbbbbbbbbbbbbbbbb", "2025-05-31")]

/** Stores in memory, with Apify's access rights and errors. */
const withStores = Effect.gen(function* () {
  const unused = yield* findUnused(["~old", "~fresh", "~gone"], "90 days")
  const requests = yield* (yield* RecordedRequests).all
  const names = unused.map(({ id, name }) => Option.getOrElse(name, () => id))
  yield* Console.log(`Unused for 90 days: ${names.join(", ")} (${requests.length} requests)`)
}).pipe(Effect.provide(layerStores({ stores, caller: "janedoe" })))

/** A server that responds as you like. */
const withBrokenServer = Effect.gen(function* () {
  const error = yield* Effect.flip(findUnused(["~old"], "90 days"))
  yield* Console.log(`If Apify is down: ${error._tag}`)
}).pipe(
  Effect.provide(layerRespond(() => Effect.succeed(new Response("down", { status: 503 })), { retry: RetryPolicy.none }))
)

TestClock.setTime(Date.parse("2025-06-01")).pipe(
  Effect.zipRight(withStores),
  Effect.zipRight(withBrokenServer),
  Effect.provide(TestContext.TestContext),
  NodeRuntime.runMain
)
