/**
 * Limits that move.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { MovingLimit } from "../src/internal/alarm.js"
import { othersSettle, SimulatedClock } from "./simulatedTime.js"

const sleepers = Effect.map(TestClock.sleeps(), (sleeps) => [...sleeps].length)

/** A limit, and what it called. */
const watched = Effect.map(Effect.clock, (clock) => {
  const called: Array<string> = []
  const limit = new MovingLimit(clock)
  return { called, limit, set: (millis: number, name: string) => limit.set(millis, () => called.push(name)) }
})

describe("a limit that moves", () => {
  it.effect("calls what was set last, when that is due", () =>
    Effect.gen(function* () {
      const { called, set } = yield* watched
      set(100, "first")
      yield* TestClock.adjust(60)
      set(100, "second")
      yield* TestClock.adjust(99)
      assert.deepStrictEqual(called, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(called, ["second"])
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual(called, ["second"])
    })
  )

  it.effect("calls sooner what is set for sooner", () =>
    Effect.gen(function* () {
      const { called, set } = yield* watched
      set(100, "late")
      set(10, "soon")
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(called, ["soon"])
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual(called, ["soon"])
    })
  )

  it.effect("calls nothing while it is stopped, and counts anew once it is set again", () =>
    Effect.gen(function* () {
      const { called, limit, set } = yield* watched
      set(100, "stopped")
      limit.stop()
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual(called, [])
      assert.strictEqual(yield* sleepers, 0)
      set(100, "again")
      yield* TestClock.adjust(99)
      assert.deepStrictEqual(called, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(called, ["again"])
    })
  )

  it.effect("leaves no timer once it has ended", () =>
    Effect.gen(function* () {
      const clock = new SimulatedClock(0)
      const limit = new MovingLimit(clock)
      limit.set(100, () => assert.fail("It had ended"))
      yield* othersSettle
      assert.strictEqual(clock.timers, 1)
      limit.end()
      yield* othersSettle
      assert.strictEqual(clock.timers, 0)
    })
  )

  it.effect("sets no timer when it moves to later", () =>
    Effect.gen(function* () {
      const { set } = yield* watched
      for (let chunk = 0; chunk < 10; chunk++) {
        set(100, "moved")
        yield* TestClock.adjust(1)
      }
      const [due] = yield* TestClock.sleeps()
      assert.strictEqual(due, 100)
      assert.strictEqual(yield* sleepers, 1)
    })
  )
})
