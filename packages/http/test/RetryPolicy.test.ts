/**
 * The numbers of the policy, and of the limits around it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Random from "effect/Random"
import { defaultLimits, RetryPolicy } from "../src/index.js"

describe("the defaults", () => {
  it("are those that are documented", () => {
    const { attemptTimeout, callTimeout, maxBodyBytes, retry } = defaultLimits
    assert.strictEqual(Duration.toMillis(attemptTimeout), 5000)
    assert.strictEqual(Duration.toMillis(callTimeout), 60_000)
    assert.strictEqual(maxBodyBytes, 1_048_576)
    assert.strictEqual(retry.retries, 8)
    assert.strictEqual(Duration.toMillis(retry.baseDelay), 500)
    assert.strictEqual(Duration.toMillis(retry.maxDelay), 20_000)
  })

  it("of RetryPolicy.none differ in that it never tries again", () => {
    assert.deepStrictEqual(RetryPolicy.none, { ...RetryPolicy.defaultPolicy, retries: 0 })
  })
})

describe("the wait after a failure", () => {
  const wait = (policy: RetryPolicy.RetryPolicy, failures: number, seed: number) =>
    Effect.map(Effect.withRandom(RetryPolicy.delay(policy, failures), Random.make(seed)), Duration.toMillis)

  it.effect.prop(
    "is whole milliseconds within [D, 2D] and no more than the most",
    [
      fc.integer({ min: 0, max: 60_000 }),
      fc.integer({ min: 0, max: 600_000 }),
      fc.integer({ min: 1, max: 1000 }),
      fc.integer()
    ],
    ([baseDelay, maxDelay, failures, seed]) =>
      Effect.gen(function* () {
        const millis = yield* wait({ ...RetryPolicy.defaultPolicy, baseDelay, maxDelay }, failures, seed)
        const doubled = baseDelay * 2 ** (failures - 1)
        assert.isTrue(Number.isSafeInteger(millis))
        assert.isAtLeast(millis, Math.min(doubled, maxDelay))
        assert.isAtMost(millis, Math.min(2 * doubled, maxDelay))
      })
  )

  it.effect.prop(
    "is a whole number of milliseconds, at most 24 days, whatever the delays and however many failures",
    [
      fc.constantFrom<Duration.DurationInput>(0, 1n, 1, "1 days", Duration.infinity),
      fc.constantFrom<Duration.DurationInput>(0, 1n, 1, "1 days", Duration.infinity),
      fc.oneof(fc.maxSafeNat(), fc.constantFrom(-1, 0, 1.5, 2000, Number.NaN, Number.MAX_VALUE)),
      fc.integer()
    ],
    ([baseDelay, maxDelay, failures, seed]) =>
      Effect.gen(function* () {
        const millis = yield* wait({ ...RetryPolicy.defaultPolicy, baseDelay, maxDelay }, failures, seed)
        assert.isTrue(Number.isSafeInteger(millis), `${millis}`)
        assert.isAtLeast(millis, 0)
        assert.isAtMost(millis, Duration.toMillis("24 days"))
      })
  )

  it.effect.each([
    [1, 500, 1000],
    [2, 1000, 2000],
    [3, 2000, 4000],
    [6, 16_000, 20_000],
    [7, 20_000, 20_000],
    [5000, 20_000, 20_000]
  ] as const)("after failure %i is from %i to %i ms by default", ([failures, shortest, longest]) =>
    Effect.gen(function* () {
      for (const seed of [1, 2, 3, 4, 5]) {
        const millis = yield* wait(RetryPolicy.defaultPolicy, failures, seed)
        assert.isTrue(shortest <= millis && millis <= longest, `${millis}`)
      }
    })
  )
})
