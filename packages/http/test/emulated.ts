/**
 * A client of an emulator of its own, over real sockets.
 */
import { DEMO_TOKEN, Emulator } from "@effect-apify/emulator"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { getOrCreateStore } from "../src/index.js"
import * as UndiciTransport from "../src/UndiciTransport.js"
import { clientOn, unhurried } from "./realSockets.js"

export const emulated = Layer.unwrapEffect(
  Effect.map(Emulator, ({ url }) =>
    clientOn(UndiciTransport.layer, { baseUrl: url, token: Redacted.make(DEMO_TOKEN), ...unhurried })
  )
).pipe(Layer.provide(Emulator.layer()))

/** The ID of a new store. */
export const newStore = Effect.map(getOrCreateStore(), ({ store }) => store.id)
