/**
 * Gives every property test the run's seed and number of cases.
 */
import * as fc from "effect/FastCheck"

fc.configureGlobal({
  seed: Number(process.env.FC_SEED),
  numRuns: Number(process.env.FC_NUM_RUNS)
})
