/**
 * A call in a region that cannot be interrupted still ends by its time, and still lets its connections go.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Fault, FaultServer } from "@effect-apify/fault-server"
import { getStore } from "@effect-apify/http"
import * as Effect from "effect/Effect"
import { patient } from "./cases.js"
import { withClient } from "./connection.js"
import { transports } from "./transports.js"

const hanging = [
  ["in the headers", Fault.fault("silence", Fault.hang)],
  ["in the body", Fault.cut("half a body", { body: "{}".padEnd(500) }, 300, Fault.hang)]
] as const

layer(FaultServer.layer, { excludeTestServices: true })("a call that cannot be interrupted", (it) => {
  for (const transport of transports) {
    describe(`on ${transport.name}`, () => {
      for (const [where, fault] of hanging) {
        it.effect(`leaves no connection of the attempts that ran out of time ${where}`, () =>
          // That nothing is left is asserted there, while the client still lives.
          withClient(transport, { ...patient, attemptTimeout: "300 millis" }, () =>
            Effect.gen(function* () {
              const server = yield* FaultServer
              const store = `~uninterruptible-${transport.name}-${where.replaceAll(" ", "-")}`
              yield* server.plan(store, Fault.forever(fault))
              const error = yield* Effect.uninterruptible(Effect.flip(getStore(store)))
              assert.deepInclude(error, { _tag: "TimeoutError", phase: "attempt", attempts: 3 })
            })
          )
        )
      }
    })
  }
})
