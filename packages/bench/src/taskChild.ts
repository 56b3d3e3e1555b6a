/**
 * A process that does one task with one client, by a number of workers. It warms up at its start, and then does the task as
 * often as each message says, and reports what that took, or how memory grew. Run by hand, it takes the number of the warm-up in
 * place of a message:
 *
 *     node --cpu-prof packages/bench/dist/taskChild.js UndiciTransport '{"do":"list","size":100000}' 1 http://127.0.0.1:1234 3
 */
import { recordContenders } from "./contenders.js"
import { countRequests, warmUp } from "./load.js"
import { report } from "./parent.js"
import type { Task, TaskMessage } from "./tasks.js"

const [name = "", json = "", inFlight = "", baseUrl = "", times = ""] = process.argv.slice(2)

const make = await recordContenders[name]?.()
if (make === undefined) throw new Error(`There is no contender ${JSON.stringify(name)}`)
const task: Task = JSON.parse(json)
const client = await make(baseUrl, task)

const done = await client.get()
if (done !== task.size) throw new Error(`${name} did ${done} of ${json}`)
await warmUp({ inFlight: Number(inFlight) }, client, Number(times))

const megabytes = (bytes: number): number => bytes / 1024 / 1024

const SAMPLE_MILLIS = 10

/** By how many megabytes the process is larger at its peak than before, when all garbage had been collected. */
const growth = async (times: number): Promise<number> => {
  globalThis.gc?.()
  const before = process.memoryUsage.rss()
  let most = before
  const sample = (): void => {
    most = Math.max(most, process.memoryUsage.rss())
  }
  const samples = setInterval(sample, SAMPLE_MILLIS)
  await countRequests(Number(inFlight), client, times)
  clearInterval(samples)
  sample()
  return megabytes(most - before)
}

process.on("message", async ({ measure, times }: TaskMessage) =>
  report(await (measure === "growth" ? growth(times) : countRequests(Number(inFlight), client, times)))
)

if (process.send === undefined) {
  await report(await countRequests(Number(inFlight), client, Number(times)))
  process.exit()
}
await report("ready")
