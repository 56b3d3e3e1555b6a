/**
 * The one test configuration. In the mode `soak` the tests do in full what is long.
 */
import { randomInt } from "node:crypto"
import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"
import { BaseSequencer, type Reporter, type TestSpecification } from "vitest/node"

const workers = availableParallelism() + 1

const seed = process.env.FC_SEED ?? String(randomInt(2 ** 31))

/** Says how to run the same cases again, and closes with a line that a machine can read. */
const reporter = (numRuns: string): Reporter => ({
  onTestRunStart: () => console.log(`Property tests: FC_SEED=${seed} FC_NUM_RUNS=${numRuns}`),
  onTestRunEnd: (modules) => {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const count = (state: string) => tests.filter((test) => test.result().state === state).length
    console.log(`\nProperty tests: FC_SEED=${seed} FC_NUM_RUNS=${numRuns}`)
    console.log(`${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`)
  }
})

/** What takes longest begins first, so that no core waits at the end. The others follow as Vitest would have them. */
class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const isLong = ({ moduleId }: TestSpecification) =>
      /faults\/|killed|Laws|main\.test|examples\.test|start\.test|persistence/.test(moduleId)
    const sorted = await super.sort(files)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

export default defineConfig(({ mode }) => {
  const soaks = mode === "soak"
  const numRuns = process.env.FC_NUM_RUNS ?? (soaks ? "500" : "30")

  return {
    test: {
      reporters: ["default", reporter(numRuns)],
      // Files share processes, and the modules in them: to load these anew for each would take as long as half of the tests.
      // In `soak` none has to do with what another has left in memory.
      isolate: soaks,
      // One more than there are cores, because some tests wait. Their least number is the same: tinypool ends any worker
      // beyond it as soon as it is idle, even one that has just been given its next file.
      maxWorkers: workers,
      minWorkers: workers,
      sequence: { sequencer: LongestFirst },
      // One project for all packages: those of several would run one after the other, each in processes of its own.
      projects: [
        {
          test: {
            root: import.meta.dirname,
            name: "tests",
            include: ["packages/*/test/**/*.test.ts", "examples/test/**/*.test.ts"],
            setupFiles: [`${import.meta.dirname}/vitest.setup.ts`],
            env: { FC_SEED: seed, FC_NUM_RUNS: numRuns, SOAK: String(soaks) },
            // Only what hangs reaches it, on however busy a machine.
            testTimeout: 300_000,
            hookTimeout: 300_000
          }
        }
      ]
    }
  }
})
