/**
 * The version of the package, where it stands in the code.
 */
import { readFileSync } from "node:fs"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { getStore } from "../src/index.js"
import { layerRespond, RecordedRequests } from "../src/testing.js"

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))

it.effect("is the version that User-Agent names", () =>
  Effect.gen(function* () {
    yield* Effect.ignore(getStore("~my-store"))
    const [request] = yield* (yield* RecordedRequests).all
    assert.strictEqual(request?.headers["user-agent"], `effect-apify/${version}`)
  }).pipe(Effect.provide(layerRespond(() => Effect.succeed(new Response(null, { status: 403 })))))
)
