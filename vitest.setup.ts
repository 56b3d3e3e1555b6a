/**
 * Gives every property test the run's seed and number of cases, and every file the same surroundings: files share processes.
 */
import { effect, flakyTest, it, layer, live, prop, scoped, scopedLive } from "@effect/vitest"
import * as fc from "effect/FastCheck"

fc.configureGlobal({
  seed: Number(process.env.FC_SEED),
  numRuns: Number(process.env.FC_NUM_RUNS)
})

// `layer` leaves its own `it.effect` behind.
Object.assign(it, { effect, scoped, live, scopedLive, flakyTest, layer, prop })

// Node's `fetch` chooses its agent before any file loads undici, which would put its own in place.
await fetch("data:,")
