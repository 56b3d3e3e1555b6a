/**
 * An Actor that is to be killed: `actorChild <interval in milliseconds> [<folder>]`. It counts without end, and writes each number
 * that its state has had, from the one that it has loaded on. Its state is where the variables say, or in the folder.
 */
import { writeSync } from "node:fs"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Actor from "../src/Actor.js"
import * as FolderTransport from "../src/FolderTransport.js"
import { ApifyClient, FetchTransport } from "../src/index.js"
import { unhurried } from "./unhurried.js"

const interval = Number(process.argv[2])
const folder = process.argv[3]

const write = (count: number): void => {
  writeSync(1, `${count}\n`)
}

const transport =
  folder === undefined ? FetchTransport.layer : Layer.provide(FolderTransport.layerWith({ folder }), NodeContext.layer)

const run = Actor.layerWith({ localStore: "default" }).pipe(
  Layer.provide(NodeSocket.layerWebSocketConstructor),
  Layer.provideMerge(Layer.provide(ApifyClient.layerConfig, transport))
)

const program = Effect.gen(function* () {
  const state = yield* Actor.persistedState({ ...unhurried, key: "STATE", schema: Schema.Int, initial: 0, interval })
  write(yield* state)
  const next = SubscriptionRef.updateAndGet(state, (count) => count + 1)
  yield* Effect.forever(Effect.zipRight(Effect.uninterruptible(Effect.map(next, write)), Effect.sleep("1 millis")))
}).pipe(Effect.scoped, Effect.provide(run))

NodeRuntime.runMain(program)
