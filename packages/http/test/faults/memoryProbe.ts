/**
 * Runs in a process of its own: `memoryProbe.ts <transport> <base URL> <stores…>`. Asks for each store many times and
 * prints by how many bytes the process grew at most, beyond what it had grown to before.
 */
import { ApifyClient, getStore } from "@effect-apify/http"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { patient } from "./cases.js"
import { transports } from "./transports.js"

const [name, baseUrl = "", warmUp = "", ...stores] = process.argv.slice(2)
const transport = transports.find((one) => one.name === name)

const resident = Effect.sync(() => process.memoryUsage().rss)

/** The most memory that an effect needs at any time. */
const peak = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    let most = yield* resident
    const watching = yield* Effect.forkDaemon(
      Effect.repeat(
        Effect.map(resident, (bytes) => {
          most = Math.max(most, bytes)
        }),
        Schedule.spaced("1 millis")
      )
    )
    yield* effect
    yield* Fiber.interrupt(watching)
    return Math.max(most, yield* resident)
  })

const refused = (store: string) => Effect.flip(getStore(store))

const program = Effect.gen(function* () {
  // What V8 and the transport need for bodies of the cap's size is no growth.
  const before = yield* peak(Effect.repeatN(refused(warmUp), 60))
  const after = yield* peak(Effect.forEach(stores, refused))
  process.stdout.write(`${Math.max(0, after - before)}\n`)
})

if (transport !== undefined) {
  const client = ApifyClient.layer({ ...patient, baseUrl, retry: { retries: 0 } })
  await Effect.runPromise(Effect.provide(program, Layer.provide(client, transport.layer)))
}
