/**
 * Walk many keys by their prefix, at the pace that Apify allows, with progress on the terminal.
 *
 *     npx pnpm@12 tsx examples/walkKeys.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { listKeys } from "@effect-apify/http"
import * as UndiciTransport from "@effect-apify/http/UndiciTransport"
import * as Arr from "effect/Array"
import * as Chunk from "effect/Chunk"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { demoStoresWith, EXAMPLE_STORE, localApify } from "./local.js"
import { clearProgress, showCount } from "./progress.js"
import { formatBytes } from "./storeSummary.js"

const records = Arr.makeBy(3_000, (index) => ({
  key: `${index % 2 ? "page" : "image"}-${index}`,
  text: "<p>Hello</p>"
}))

/** A page of 1000 keys is requested when it is needed, and 60 a second at most. */
const pages = listKeys(EXAMPLE_STORE, { prefix: "image-" }).pipe(Stream.chunks)

const program = pages.pipe(
  Stream.runFoldEffect({ keys: 0, bytes: 0 }, (seen, page) => {
    const keys = seen.keys + page.length
    const bytes = Chunk.reduce(page, seen.bytes, (sum, { size }) => sum + size)
    return Effect.as(showCount(process.stderr, keys, "keys"), { keys, bytes })
  }),
  Effect.ensuring(clearProgress(process.stderr)),
  Effect.flatMap(({ bytes, keys }) => Console.log(`${keys} images, ${formatBytes(bytes)} in all`))
)

const apify = localApify({ stores: demoStoresWith(records) })
program.pipe(Effect.provide(Layer.provide(apify, UndiciTransport.layer)), NodeRuntime.runMain)
