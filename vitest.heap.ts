/**
 * The memory that is in use, without what only waits to be collected.
 */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as Effect from "effect/Effect"

setFlagsFromString("--expose-gc")

export const collectGarbage: () => void = runInNewContext("gc")

/** In bytes, buffers outside V8's heap included. */
export const bytesInUse = (): number => {
  collectGarbage()
  collectGarbage()
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

/** `bytesInUse`, as an effect. */
export const heap: Effect.Effect<number> = Effect.sync(bytesInUse)
