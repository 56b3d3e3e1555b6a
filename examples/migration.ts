/**
 * Stop, and go on after a migration.
 *
 *     npx pnpm@12 tsx examples/migration.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { FetchTransport } from "@effect-apify/http"
import * as Actor from "@effect-apify/http/Actor"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { apify } from "./local.js"

/** Saved every minute, when the platform says that the run migrates, and when the scope ends, as it does at a SIGTERM. */
const nextPage = Actor.persistedState({ key: "NEXT-PAGE", schema: Schema.Int, initial: 1 })

const crawl = (stopAt: number) =>
  Effect.gen(function* () {
    const page = yield* nextPage
    while ((yield* page) <= 6) {
      if ((yield* page) === stopAt) return yield* Effect.interrupt // As a SIGTERM does.
      yield* Console.log(`Page ${yield* page}`)
      yield* SubscriptionRef.update(page, (page) => page + 1)
    }
    yield* Actor.setOutput(Schema.Struct({ pages: Schema.Int }), { pages: (yield* page) - 1 })
  }).pipe(Effect.scoped)

const program = crawl(4).pipe(
  Effect.onInterrupt(() => Console.log("The run moves to another server, and starts again")),
  Effect.exit,
  Effect.zipRight(crawl(Number.POSITIVE_INFINITY)),
  Effect.zipRight(Console.log("Done"))
)

const run = Layer.provide(Actor.layerWith({ localStore: "crawler" }), NodeSocket.layerWebSocketConstructor)
const client = Layer.provide(apify, FetchTransport.layer)
program.pipe(Effect.provide(Layer.provideMerge(run, client)), NodeRuntime.runMain)
