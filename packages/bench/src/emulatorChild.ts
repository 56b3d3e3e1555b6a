/**
 * A process that runs the emulator with its demo and reports its URL, and then at each message the CPU that it has used, in
 * microseconds.
 */
import { Emulator } from "@effect-apify/emulator"
import * as Effect from "effect/Effect"
import { report } from "./parent.js"

await Effect.gen(function* () {
  const { url } = yield* Emulator
  process.on("message", () => {
    const { system, user } = process.cpuUsage()
    return report(system + user)
  })
  yield* Effect.promise(() => report(url))
  return yield* Effect.never
}).pipe(Effect.provide(Emulator.layer()), Effect.runPromise)
