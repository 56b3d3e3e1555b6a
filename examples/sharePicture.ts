/**
 * Save a picture, and share it by a link that needs no token.
 *
 *     npx pnpm@12 tsx examples/sharePicture.ts
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { FetchTransport, getOrCreateStore, publicUrls, putRecord, storeById } from "@effect-apify/http"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { apify } from "./local.js"

const picture = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64"
)

const program = Effect.gen(function* () {
  const { store } = yield* getOrCreateStore({ name: "pictures" })
  yield* putRecord(storeById(store.id), "pixel.png", picture, { contentType: "image/png" })

  // Made without a request. Whoever has it can read this record, and no other.
  const { url } = yield* (yield* publicUrls(store)).record("pixel.png")
  yield* Console.log(`Logged: ${url}\nShared: ${Redacted.value(url.href)}`)

  const response = yield* HttpClient.get(Redacted.value(url.href))
  const bytes = yield* response.arrayBuffer
  yield* Console.log(`Anyone gets ${bytes.byteLength} bytes of ${response.headers["content-type"]}`)
})

program.pipe(Effect.provide([Layer.provide(apify, FetchTransport.layer), FetchHttpClient.layer]), NodeRuntime.runMain)
