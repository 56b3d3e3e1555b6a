/**
 * Unit test code that uses stores and records, without a network or waiting: findUnused.ts and countWords.ts, with test
 * layers and a test clock.
 *
 *     npx pnpm@12 tsx examples/unitTest.ts
 *
 * This is a plain program. test/unitTest.test.ts has tests of the same code for `@effect/vitest`.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { getRecordValue, RetryPolicy } from "@effect-apify/http"
import { layerRespond, layerStores, RecordedRequests } from "@effect-apify/http/testing"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import { countWords, Output } from "./countWords.js"
import { findUnused } from "./findUnused.js"

const janedoe = layerStores({
  caller: "janedoe",
  stores: [
    { name: "old", accessedAt: "2025-01-01T00:00:00.000Z" },
    { name: "fresh", accessedAt: "2025-05-31T00:00:00.000Z" },
    { name: "pages", records: { "page-1": "one two", "page-2": "three", INPUT: { language: "en" } } }
  ]
})

/** Stores in memory, with Apify's access rights and errors. */
const withStores = Effect.gen(function* () {
  const unused = yield* findUnused(["~old", "~fresh", "~gone"], "90 days")
  const requests = yield* (yield* RecordedRequests).all
  const names = unused.map(({ id, name }) => Option.getOrElse(name, () => id))
  yield* Console.log(`Unused for 90 days: ${names.join(", ")} (${requests.length} requests)`)
}).pipe(Effect.provide(janedoe))

/** Records in memory. What the code writes can be read. */
const withRecords = Effect.gen(function* () {
  yield* countWords("~pages")
  const { words } = yield* getRecordValue("~pages", "OUTPUT", Output)
  yield* Console.log(`Words: ${words}`)
}).pipe(Effect.provide(janedoe))

/** A server that responds as you like. */
const withBrokenServer = Effect.gen(function* () {
  const error = yield* Effect.flip(findUnused(["~old"], "90 days"))
  yield* Console.log(`If Apify is down: ${error._tag}`)
}).pipe(
  Effect.provide(layerRespond(() => Effect.succeed(new Response("down", { status: 503 })), { retry: RetryPolicy.none }))
)

TestClock.setTime(Date.parse("2025-06-01")).pipe(
  Effect.zipRight(withStores),
  Effect.zipRight(withRecords),
  Effect.zipRight(withBrokenServer),
  Effect.provide(TestContext.TestContext),
  NodeRuntime.runMain
)
