/**
 * Gets a number of stores, 64 at a time, and reports what memory that took, in megabytes: at each tenth of the way what is
 * alive after a full garbage collection (it needs `--expose-gc`), and the process's peak.
 */
import { ApifyClient, getStores } from "@effect-apify/http"
import * as UndiciTransport from "@effect-apify/http/UndiciTransport"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { TOKEN } from "./page.js"
import { report } from "./parent.js"

const CONCURRENCY = 64

const [baseUrl = "", count = ""] = process.argv.slice(2)
const total = Number(count)

function* refs(): Generator<string> {
  // By name: a store that is requested by ID must have that ID, and the server has one store.
  for (let index = 0; index < total; index++) yield `janedoe~store-${index}`
}

const megabytes = (bytes: number): number => bytes / 1024 / 1024

const alive: Array<number> = []
let stores = 0
const since = performance.now()
const cpu = process.cpuUsage()

await getStores(refs(), { concurrency: CONCURRENCY, unordered: true }).pipe(
  Stream.runForEach(({ result }) =>
    Effect.sync(() => {
      if (Either.isRight(result)) stores++
      if (stores % (total / 10) === 0) {
        globalThis.gc?.()
        const { external, heapUsed } = process.memoryUsage()
        alive.push(megabytes(heapUsed + external))
      }
    })
  ),
  Effect.provide(Layer.provide(ApifyClient.layer({ baseUrl, token: Redacted.make(TOKEN) }), UndiciTransport.layer)),
  Effect.runPromise
)

if (stores !== total) throw new Error(`${total - stores} of ${total} stores failed`)
const { system, user } = process.cpuUsage(cpu)
await report({
  stores,
  seconds: (performance.now() - since) / 1_000,
  cpu: (user + system) / stores,
  alive,
  peak: process.resourceUsage().maxRSS / 1024
})
process.exit()
