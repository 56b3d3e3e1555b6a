/**
 * An Actor that is to be killed: `actorChild <interval in milliseconds>`. It counts without end, and writes each number that
 * its state has had, from the one that it has loaded on.
 */
import { writeSync } from "node:fs"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Actor from "../src/Actor.js"
import { ApifyClient, FetchTransport } from "../src/index.js"
import { unhurried } from "./unhurried.js"

const interval = Number(process.argv[2])

const write = (count: number): void => {
  writeSync(1, `${count}\n`)
}

const program = Effect.gen(function* () {
  const state = yield* Actor.persistedState({ ...unhurried, key: "STATE", schema: Schema.Int, initial: 0, interval })
  write(yield* state)
  const next = SubscriptionRef.updateAndGet(state, (count) => count + 1)
  yield* Effect.forever(Effect.zipRight(Effect.uninterruptible(Effect.map(next, write)), Effect.sleep("1 millis")))
}).pipe(
  Effect.scoped,
  Effect.provide(
    Layer.merge(
      Layer.provide(ApifyClient.layerConfig, FetchTransport.layer),
      Layer.provide(Actor.layer, NodeSocket.layerWebSocketConstructor)
    )
  )
)

NodeRuntime.runMain(program)
