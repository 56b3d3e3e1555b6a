/**
 * A call that is interrupted stops where it is, and nothing more is sent.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import * as TestClock from "effect/TestClock"
import { getStore } from "../src/index.js"
import { layerRespond, RecordedRequests, type Respond } from "../src/testing.js"
import { neverResponds, perform, responding, type Step } from "./plannedServer.js"
import { othersSettle, SimulatedClock } from "./simulatedTime.js"

describe("a call interrupted", () => {
  it.effect.each<readonly [when: string, step: Step]>([
    ["while the server is silent", neverResponds],
    ["while the body stalls", { _tag: "StallBody" }],
    ["while it waits to try again", responding(503, { "retry-after": "30" })],
    ["while it waits for its slot after a 429", responding(429, { "x-ratelimit-limit": "1" })]
  ])("%s sends nothing more", ([, step]) =>
    Effect.gen(function* () {
      const aborted = yield* Ref.make(0)
      const server = layerRespond(
        (request) => Effect.onInterrupt(perform(step, request), () => Ref.update(aborted, (count) => count + 1)),
        { retry: { baseDelay: 1 } }
      )
      yield* Effect.gen(function* () {
        const fiber = yield* Effect.fork(getStore("janedoe~my-store"))
        yield* TestClock.adjust("500 millis")
        const exit = yield* Fiber.interrupt(fiber)
        assert.isTrue(Exit.isInterrupted(exit))
        yield* TestClock.adjust("10 minutes")
        assert.lengthOf(yield* (yield* RecordedRequests).all, 1)
        assert.strictEqual(yield* Ref.get(aborted), step._tag === "NeverRespond" ? 1 : 0)
        assert.isTrue(Chunk.isEmpty(yield* TestClock.sleeps()))
      }).pipe(Effect.provide(server))
    })
  )

  it.effect.each<readonly [when: string, respond: Respond]>([
    ["while the server is silent", () => Effect.never],
    ["while the body stalls", (request) => perform({ _tag: "StallBody" }, request)],
    ["while it waits to try again", () => Effect.sync(() => new Response("", { status: 503 }))],
    ["while it waits for its slot after a 429", () => Effect.sync(() => new Response("", { status: 429 }))]
  ])("%s leaves no timer", ([, respond]) => {
    const clock = new SimulatedClock(0)
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(getStore("janedoe~my-store"))
      yield* othersSettle
      assert.strictEqual(clock.timers, 1)
      yield* Fiber.interrupt(fiber)
      yield* othersSettle
      assert.strictEqual(clock.timers, 0)
    }).pipe(Effect.provide(layerRespond(respond)), Effect.withClock(clock))
  })
})
