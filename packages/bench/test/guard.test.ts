import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { ApifyClient, type ClientOptions, getStore } from "@effect-apify/http"
import * as FetchClient from "@effect-apify/http/fetch"
import * as NodeClient from "@effect-apify/http/node"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { gzipSize, modulesOf, programs } from "../src/bundles.js"
import { STORE_ID } from "../src/page.js"
import { listen, serveStore } from "../src/server.js"

/** What bundles may take, in bytes: a little more than when they were recorded. A bare client of Effect's takes 81 kB. */
const bundles = [
  ["FetchClient", programs["getStore, FetchClient"], 82_000],
  ["ApifyClient on FetchHttpClient", programs["getStore, fetch"], 101_000]
] as const

/**
 * Modules of ours, of Effect's and of fast-check's, which Effect's `Schema` imports. Each costs about a millisecond of a
 * cold start. There were 544 when it was recorded, 239 of them fast-check; the rest is for what Effect may add.
 */
const MAX_MODULES = 560

const CALLS = 50

describe("what getStore costs", () => {
  it.each(bundles)("takes a bundle no larger than recorded with %s", async (_, program, maxBytes) => {
    expect(await gzipSize(program)).toBeLessThanOrEqual(maxBytes)
  })

  it("loads no more modules at import than recorded", async () => {
    expect((await modulesOf("@effect-apify/http")).length).toBeLessThanOrEqual(MAX_MODULES)
  })

  let requests = 0
  let baseUrl = ""
  const server = serveStore(() => {
    requests++
  })
  beforeAll(async () => {
    baseUrl = await listen(server)
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  type MakeClient = (options: ClientOptions) => Layer.Layer<ApifyClient, unknown>

  const on =
    (transport: Layer.Layer<HttpClient.HttpClient>): MakeClient =>
    (options) =>
      Layer.provide(ApifyClient.layer(options), transport)

  const run = <A>(client: MakeClient, effect: Effect.Effect<A, unknown, ApifyClient>) =>
    Effect.runPromise(Effect.provide(effect, client({ baseUrl })))

  describe.each([
    // A client of ours forks none for a call. What watches the time limits of all calls is one: calls that overlap share it, a
    // lone call pays for it alone.
    ["FetchClient", FetchClient.layer, 1],
    ["NodeClient", NodeClient.layer, 1],
    // One for the attempt, so that a time limit can leave it behind, and one that is the transport's own.
    ["ApifyClient on fetch", on(FetchHttpClient.layer), 3],
    ["ApifyClient on undici", on(NodeHttpClient.layerUndici), 3]
  ])("with %s", (_, client, maxFibers) => {
    it("sends one request for each call", async () => {
      const before = requests
      await run(client, Effect.repeatN(getStore(STORE_ID), CALLS - 1))
      expect(requests - before).toBe(CALLS)
    })

    it("forks no more fibers for each call than recorded", async () => {
      // Fibers are numbered as they begin, whoever begins them.
      const begun = Effect.sync(() => FiberId.unsafeMake().id)
      const fibers = await run(
        client,
        Effect.gen(function* () {
          yield* getStore(STORE_ID)
          const before = yield* begun
          yield* Effect.repeatN(getStore(STORE_ID), CALLS - 1)
          return (yield* begun) - before - 1
        })
      )
      expect(fibers / CALLS).toBeLessThanOrEqual(maxFibers)
    })
  })
})
