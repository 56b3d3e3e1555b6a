/**
 * Write records, read them, list their keys.
 *
 *     npx pnpm@12 tsx examples/records.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import {
  deleteRecord,
  FetchTransport,
  getOrCreateStore,
  getRecord,
  getRecordValue,
  listKeys,
  putRecord,
  storeById
} from "@effect-apify/http"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { apify } from "./local.js"

const Output = Schema.Struct({ pages: Schema.Int, finishedAt: Schema.DateTimeUtc })

const program = Effect.gen(function* () {
  const { isNew, store } = yield* getOrCreateStore({ name: "records-example" })
  yield* Console.log(isNew ? "A new store" : "The store of an earlier run")
  const ref = storeById(store.id)

  // A value with its schema, text, and a stream of bytes.
  const output = Schema.decodeSync(Output)({ pages: 3, finishedAt: "2026-01-01T12:00:00Z" })
  yield* putRecord(ref, "OUTPUT", { schema: Output, value: output })
  yield* putRecord(ref, "page-1.html", "<!DOCTYPE html>", { contentType: "text/html; charset=utf-8" })
  yield* putRecord(ref, "page-2.bin", Stream.make(new Uint8Array(1024), new Uint8Array(1024)))

  const { pages } = yield* getRecordValue(ref, "OUTPUT", Output)
  const page = yield* getRecord(ref, "page-1.html")
  yield* Console.log(`${pages} pages; the first is ${yield* page.text}`)

  yield* Stream.runForEach(listKeys(ref, { prefix: "page-" }), ({ key, size }) => Console.log(`${key}: ${size} bytes`))

  yield* deleteRecord(ref, "page-2.bin")
  const missing = yield* getRecord(ref, "page-2.bin").pipe(
    Effect.as("It is still there"),
    Effect.catchTag("RecordNotFoundError", ({ key }) => Effect.succeed(`${key} is gone`))
  )
  yield* Console.log(missing)
})

// In your program: ApifyClient.layerConfig in place of apify.
program.pipe(Effect.provide(Layer.provide(apify, FetchTransport.layer)), NodeRuntime.runMain)
