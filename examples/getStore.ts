/**
 * Get a store.
 *
 *     npx pnpm@12 tsx examples/getStore.ts
 *
 * It uses a local Apify that it starts itself. Set APIFY_TOKEN or APIFY_API_BASE_URL to use another one.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { FetchTransport, getStore } from "@effect-apify/http"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { apify, EXAMPLE_STORE } from "./local.js"

const program = Effect.gen(function* () {
  const store = yield* getStore(EXAMPLE_STORE)

  // Fields that Apify may leave out are Options; dates are DateTimes.
  const name = Option.getOrElse(store.name, () => "An unnamed store")
  const reads = Option.flatMap(store.stats, ({ readCount }) => readCount)
  yield* Console.log(`${name}, last changed on ${DateTime.formatIsoDateUtc(store.modifiedAt)}`)
  yield* Console.log(`Read ${Option.getOrElse(reads, () => "an unknown number of")} times`)

  // The signing key is Redacted, so a whole store can be logged.
  yield* Console.log(`Signing key: ${Option.getOrElse(store.urlSigningSecretKey, () => "none")}`)
})

// In your program: ApifyClient.layerConfig in place of apify.
program.pipe(Effect.provide(Layer.provide(apify, FetchTransport.layer)), NodeRuntime.runMain)
