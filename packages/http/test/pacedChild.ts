/**
 * A process that shares its pace with others by a Redis: `pacedChild <class> <url> <socket> <milliseconds>`. It writes that it is
 * ready, begins when it is told to, and writes what it has sent.
 */
import { once } from "node:events"
import * as RateLimiter from "@effect/experimental/RateLimiter"
import * as RateLimiterRedis from "@effect/experimental/RateLimiter/Redis"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SharedPacing from "../src/SharedPacing.js"
import { Sent, sendAll } from "./fullRate.js"

const [, , rate = "", url = "", path = "", millis = ""] = process.argv

const program = Effect.gen(function* () {
  const context = yield* Layer.build(
    SharedPacing.layer.pipe(Layer.provide(RateLimiter.layer), Layer.provide(RateLimiterRedis.layerStore({ path })))
  )
  process.stdout.write("ready\n")
  yield* Effect.promise(() => once(process.stdin, "data"))
  process.stdin.destroy()
  const pacing = Layer.succeedContext(context)
  const sent = yield* sendAll(rate === "record" ? "record" : "resource", url, pacing, Duration.millis(Number(millis)))
  process.stdout.write(yield* Schema.encode(Sent)(sent))
})

await Effect.runPromise(Effect.scoped(program))
