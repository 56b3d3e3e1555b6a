/**
 * Get many stores, a limited number at a time, with progress on the terminal and a summary at the end.
 *
 *     npx pnpm@12 tsx examples/manyStores.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { getStores } from "@effect-apify/http"
import * as UndiciTransport from "@effect-apify/http/UndiciTransport"
import * as Arr from "effect/Array"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { localApify } from "./local.js"
import { showProgress } from "./progress.js"
import { formatBytes } from "./storeSummary.js"

/** How many stores to get at once. */
const CONCURRENCY = 16

const names = Arr.makeBy(300, (index) => `crawl-${index + 1}`)

const stores = names.map((name, index) => ({
  owner: "janedoe",
  store: {
    id: String(index).padStart(17, "0"),
    name,
    createdAt: "2019-12-12T07:34:14.202Z",
    modifiedAt: "2019-12-13T08:36:13.202Z",
    accessedAt: "2019-12-14T08:36:13.202Z",
    stats: { storageBytes: index * 1_000 }
  }
}))

/** One of them does not exist. The others are not affected. */
const refs = Arr.map([...names, "crawl-gone"], (name) => `~${name}`)

const results = getStores(refs, { concurrency: CONCURRENCY, unordered: true })

const program = Effect.gen(function* () {
  const [failures, found] = yield* results.pipe(
    Stream.zipWithIndex,
    Stream.tap(([_, index]) => showProgress(process.stderr, index + 1, refs.length)),
    Stream.map(([{ result }]) => result),
    Stream.runCollect,
    Effect.map(Arr.separate)
  )
  const sizes = Arr.filterMap(found, ({ stats }) => Option.flatMap(stats, ({ storageBytes }) => storageBytes))
  yield* Console.log(`${found.length} stores, ${formatBytes(sizes.reduce((sum, size) => sum + size, 0))} in all`)
  yield* Effect.forEach(failures, ({ message }) => Console.log(`Failed: ${message}`))
})

program.pipe(Effect.provide(Layer.provide(localApify({ stores }), UndiciTransport.layer)), NodeRuntime.runMain)
