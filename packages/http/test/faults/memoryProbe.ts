/**
 * Runs in a process of its own: `memoryProbe.ts <transport> <base URL> <stores…>`. Gets each store, the first of them
 * often beforehand, and prints the outcome of each call and by how many bytes the memory in use grew at most.
 */
import { getStore } from "@effect-apify/http"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import { heap } from "../../../../vitest.heap.js"
import { patient } from "./cases.js"
import { transports } from "./transports.js"

const [name, baseUrl = "", warmUp = "", ...stores] = process.argv.slice(2)
const transport = transports.find((one) => one.name === name)

/** The result of an effect, and the most memory that was in use meanwhile. Garbage is collected before each look. */
const peak = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    let most = 0
    const watching = yield* Effect.forkDaemon(
      Effect.repeat(
        Effect.map(heap, (bytes) => {
          most = Math.max(most, bytes)
        }),
        Schedule.spaced("1 millis")
      )
    )
    const result = yield* effect
    yield* Fiber.interrupt(watching)
    return [result, most] as const
  })

const tagOf = (store: string) => Effect.map(Effect.flip(getStore(store)), ({ _tag }) => _tag)

const program = Effect.gen(function* () {
  // The code and the transport reach their final size.
  yield* Effect.repeatN(tagOf(warmUp), 20)
  const before = yield* Effect.delay(heap, "100 millis")
  const [tags, most] = yield* peak(Effect.forEach(stores, tagOf))
  process.stdout.write(JSON.stringify({ tags, grown: most - before }))
})

if (transport !== undefined) {
  const client = transport.client({ ...patient, baseUrl, retry: { retries: 0 } })
  await Effect.runPromise(Effect.provide(program, client))
}
