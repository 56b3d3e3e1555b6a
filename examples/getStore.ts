/**
 * Get a store.
 *
 *     npx tsx examples/getStore.ts
 *
 * It asks a local Apify that it starts for the purpose. With APIFY_TOKEN or APIFY_API_BASE_URL set it asks there instead.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { getStore } from "@effect-apify/http"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { apify, EXAMPLE_STORE } from "./local.js"

const program = Effect.gen(function* () {
  const store = yield* getStore(EXAMPLE_STORE)

  // What Apify may leave out is an Option, a date is a DateTime.
  const name = Option.getOrElse(store.name, () => "a store without a name")
  const reads = Option.flatMap(store.stats, ({ readCount }) => readCount)
  yield* Console.log(`${name}, last changed on ${DateTime.formatIsoDateUtc(store.modifiedAt)}`)
  yield* Console.log(`Read ${Option.getOrElse(reads, () => "an unknown number of")} times`)

  // The signing key is Redacted: a store can be logged as a whole.
  yield* Console.log(`Signing key: ${Option.getOrElse(store.urlSigningSecretKey, () => "none")}`)
})

// In a program of yours: ApifyClient.layerConfig in place of apify.
program.pipe(Effect.provide(Layer.provide(apify, NodeHttpClient.layerUndici)), NodeRuntime.runMain)
