/**
 * Remember between runs what was seen.
 *
 *     npx pnpm@12 tsx examples/rememberSeen.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { FetchTransport, getOrCreateStore, getRecordValue, putRecord, storeById } from "@effect-apify/http"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { apify } from "./local.js"

/** In JSON an array. */
const Seen = Schema.ReadonlySet(Schema.String)

const readNews = (articles: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    // A store with a name outlives the run, whose own store does not.
    const { store } = yield* getOrCreateStore({ name: "news-reader" })
    const ref = storeById(store.id)
    const seen = yield* getRecordValue(ref, "SEEN", Seen).pipe(
      Effect.catchTag("RecordNotFoundError", () => Effect.succeed<typeof Seen.Type>(new Set()))
    )
    const news = articles.filter((article) => !seen.has(article))
    yield* Console.log(`${news.length} new: ${news.join(", ")}`)
    yield* putRecord(ref, "SEEN", { schema: Seen, value: new Set([...seen, ...news]) })
  })

// Two runs, the second of which sees one article again.
const program = Effect.zipRight(readNews(["rain", "elections"]), readNews(["elections", "football"]))

program.pipe(Effect.provide(Layer.provide(apify, FetchTransport.layer)), NodeRuntime.runMain)
