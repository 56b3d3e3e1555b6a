/**
 * Read the output of a run, by a schema.
 *
 *     npx pnpm@12 tsx examples/readOutput.ts
 *
 * With APIFY_TOKEN set, give the ID of one of your runs.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { FetchTransport, getRecordValue } from "@effect-apify/http"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { apify, EXAMPLE_RUN } from "./local.js"

const Output = Schema.Struct({
  finishedAt: Schema.DateTimeUtc,
  pages: Schema.Int,
  failed: Schema.Array(Schema.String)
})

const run = process.argv[2] ?? EXAMPLE_RUN

const program = Effect.gen(function* () {
  const { failed, finishedAt, pages } = yield* getRecordValue(`actor-runs/${run}`, "OUTPUT", Output)
  yield* Console.log(`${pages} pages, finished on ${DateTime.formatIsoDateUtc(finishedAt)}`)
  yield* Effect.forEach(failed, (page) => Console.log(`Failed: ${page}`))
}).pipe(
  Effect.catchTags({
    RecordNotFoundError: () => Console.log("The run has no output"),
    // It says what is wrong, and where, without the values.
    MalformedRecordError: ({ message }) => Console.log(message)
  })
)

program.pipe(Effect.provide(Layer.provide(apify, FetchTransport.layer)), NodeRuntime.runMain)
