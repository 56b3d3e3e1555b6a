/**
 * The budget against a model of it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { ANSWERS_PER_RETRY, type Budget, CAPACITY, makeBudget } from "../../src/internal/retry.js"

/** What has happened since the budget was last full: nothing else decides. */
interface Model {
  missing: number
}

const take: FastCheck.Command<Model, Budget> = {
  check: () => true,
  run: (model, budget) => {
    const isGranted = model.missing + ANSWERS_PER_RETRY <= CAPACITY * ANSWERS_PER_RETRY
    assert.strictEqual(budget.take(), isGranted)
    if (isGranted) model.missing += ANSWERS_PER_RETRY
  },
  toString: () => "a retry"
}

const refund: FastCheck.Command<Model, Budget> = {
  check: () => true,
  run: (model, budget) => {
    budget.refund()
    model.missing = Math.max(0, model.missing - 1)
  },
  toString: () => "a success"
}

describe("the budget", () => {
  it("grants what its model grants", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.commands([FastCheck.constant(take), FastCheck.constant(take), FastCheck.constant(refund)], {
          maxCommands: 300
        }),
        (commands) => FastCheck.modelRun(() => ({ model: { missing: 0 }, real: makeBudget() }), commands)
      )
    )
  })

  it("keeps the retries of random outages within its capacity and a tenth of the successes", () => {
    const outages = FastCheck.array(
      FastCheck.record({ calls: FastCheck.nat(400), failing: FastCheck.double({ min: 0, max: 1, noNaN: true }) }),
      { maxLength: 12 }
    )
    FastCheck.assert(
      FastCheck.property(
        outages,
        FastCheck.infiniteStream(FastCheck.double({ min: 0, max: 1, noNaN: true })),
        (outages, chance) => {
          const budget = makeBudget()
          const fails = (share: number): boolean => Number(chance.next().value) < share
          let retries = 0
          let successes = 0
          for (const { calls, failing } of outages) {
            for (let call = 0; call < calls; call += 1) {
              let tries = 0
              while (fails(failing) && tries < 8 && budget.take()) {
                tries += 1
                retries += 1
              }
              if (!fails(failing)) {
                successes += 1
                budget.refund()
              }
            }
          }
          assert.isAtMost(retries, CAPACITY + successes / ANSWERS_PER_RETRY)
        }
      ),
      { numRuns: 50 }
    )
  })

  it("grants every retry of a healthy server's rare failures", () => {
    const budget = makeBudget()
    for (let call = 0; call < 10_000; call += 1) {
      if (call % 20 === 0) assert.isTrue(budget.take())
      budget.refund()
    }
  })
})
