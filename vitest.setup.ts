/**
 * Gives every property test the run's seed and number of cases, and every file the same surroundings: files share processes.
 */
import { setImmediate as eventLoopTurn } from "node:timers/promises"
import { effect, flakyTest, it, layer, live, prop, scoped, scopedLive } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import { afterEach, chai } from "vitest"

fc.configureGlobal({
  seed: Number(process.env.FC_SEED),
  numRuns: Number(process.env.FC_NUM_RUNS)
})

// Vitest takes a process for hung when its event loop stands still for a minute, and tests that wait for nothing let it stand still.
afterEach(() => eventLoopTurn())

// Chai compares what can be iterated and has not the same number of fields by its elements, and those of two options look alike.
chai.config.deepEqual = (actual, expected) =>
  chai.util.eql(actual, expected, {
    comparator: (one, other) =>
      Option.isOption(one) && Option.isOption(other) && one._tag !== other._tag ? false : null
  })

// `layer` leaves its own `it.effect` behind.
Object.assign(it, { effect, scoped, live, scopedLive, flakyTest, layer, prop })

// Node's `fetch` chooses its agent before any file loads undici, which would put its own in place.
await fetch("data:,")
