/**
 * An emulator that is to be killed: `loadingChild <database> <seed file> <by> <step>`.
 *
 * Its steps are the beginnings and ends of its statements and transactions, counted from 0, which is before it opens
 * anything. At `<step>` it kills itself (by "itself"), or writes to its parent, which kills it as it goes
 * on (by "parent"). Once it serves, it writes how many steps there were.
 */
import { writeSync } from "node:fs"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"
import { Emulator } from "../src/index.js"

const [, , database = "", seed = "", by = "", at = ""] = process.argv

let steps = 0
const step = (): void => {
  if (String(steps) === at) {
    if (by === "itself") process.kill(process.pid, "SIGKILL")
    else writeSync(1, "now\n")
  }
  steps += 1
}

const tracer = Tracer.make({
  span: (name, parent, context, links, startTime, kind) => {
    step()
    let status: Tracer.SpanStatus = { _tag: "Started", startTime }
    return {
      _tag: "Span",
      name,
      spanId: String(steps),
      traceId: "",
      parent,
      context,
      get status() {
        return status
      },
      attributes: new Map(),
      links,
      sampled: false,
      kind,
      end: (endTime, exit) => {
        status = { _tag: "Ended", startTime, endTime, exit }
        step()
      },
      attribute: () => {},
      event: () => {},
      addLinks: () => {}
    }
  },
  context: (run) => run()
})

step()
const program = Effect.gen(function* () {
  yield* Emulator
  writeSync(1, `ready ${steps}\n`)
  return yield* Effect.never
}).pipe(Effect.provide(Emulator.layer({ database, seed })), Effect.provide(Layer.setTracer(tracer)))

NodeRuntime.runMain(program)
