/**
 * Read a public record in a browser, without a token.
 *
 *     npx pnpm@12 emulator --port 4010 --seed packages/emulator/seed.example.json
 *     npx pnpm@12 esbuild examples/browser.ts --bundle --format=esm --outdir=examples --servedir=examples
 *
 * Then open http://127.0.0.1:8000/browser.html?store=JaneOpenById00001&api=http://127.0.0.1:4010. Without `api` it asks Apify.
 */
import { ApifyClient, FetchTransport, getRecordValue } from "@effect-apify/http"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

const Output = Schema.Struct({ pages: Schema.Int })

const query = new URLSearchParams(location.search)
const baseUrl = query.get("api") ?? "https://api.apify.com"

const program = getRecordValue(query.get("store") ?? "", "OUTPUT", Output).pipe(
  Effect.map(({ pages }) => `${pages} pages`),
  Effect.catchTags({
    RecordNotFoundError: () => Effect.succeed("It has no output"),
    ForbiddenError: () => Effect.succeed("It is not public")
  }),
  // Each message says what to do.
  Effect.catchAll(({ message }) => Effect.succeed(message)),
  Effect.provide(Layer.provide(ApifyClient.layer({ baseUrl }), FetchTransport.layer))
)

Effect.runPromise(program).then((text) => document.querySelector("output")?.replaceChildren(text))
