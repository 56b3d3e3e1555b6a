import { basename } from "node:path"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { ApifyClient, FetchTransport, getStore, HttpClientTransport, type Transport } from "@effect-apify/http"
import * as UndiciTransport from "@effect-apify/http/UndiciTransport"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { bundledModules, gzipSize, modulesOf, programs } from "../src/bundles.js"
import { STORE_ID } from "../src/page.js"
import { listen, serveStore } from "../src/server.js"

/** What bundles may take, in bytes: a little more than when they were recorded. A bare client of Effect's takes 81 kB. */
const bundles = [
  ["FetchTransport", programs["getStore, FetchTransport"], 94_750],
  ["HttpClientTransport on FetchHttpClient", programs["getStore, HttpClient fetch"], 114_600]
] as const

/**
 * Modules of ours, and all of them: Effect's, and fast-check's, which Effect's `Schema` imports. Each costs about half a
 * millisecond of a cold start. Of ours there are as many as recorded, of all some more, for what Effect may add.
 */
const modules = [
  [["@effect-apify/http"], 83, 600],
  [["@effect-apify/http/ApifyClient", "@effect-apify/http/FetchTransport", "@effect-apify/http/Stores"], 51, 580],
  [["@effect-apify/http/ApifyClient", "@effect-apify/http/UndiciTransport", "@effect-apify/http/Stores"], 50, 690]
] as const

const CALLS = 50

/** The fiber of all time limits: a call on its own needs one, calls that overlap share it nearly all the time. */
const SOME_ALARMS = 0.1

describe("what getStore costs", () => {
  it.each(bundles)("takes a bundle no larger than recorded with %s", async (_, program, maxBytes) => {
    expect(await gzipSize(program)).toBeLessThanOrEqual(maxBytes)
  })

  it.each(["@effect-apify/http", "@effect-apify/http/Stores"])(
    "bundles only what it needs, with functions of %s",
    async (specifier) => {
      const source = `import { getStore } from "${specifier}"\nconsole.log(getStore("WkzbQMuFYuamGv3YF"))`
      const bundled = (await bundledModules({ platform: "browser", source })).map((path) => basename(path))
      expect(bundled).toContain("Stores.ts")
      for (const unused of ["Apify.ts", "Streams.ts", "StoreRef.ts", "memory.ts", "recordFiles.ts"])
        expect(bundled).not.toContain(unused)
    }
  )

  it("bundles no stores in a folder with an Actor that does not use one", async () => {
    const source = `import { getInput, layer } from "@effect-apify/http/Actor"\nconsole.log(getInput, layer)`
    const bundled = (await bundledModules({ platform: "browser", source })).map((path) => basename(path))
    expect(bundled).toContain("Actor.ts")
    expect(bundled).not.toContain("recordFiles.ts")
  })

  it.each(modules)("loads no more modules to import %s than recorded", async (specifiers, maxOurs, maxAll) => {
    const all = await modulesOf(...specifiers)
    expect(all.filter((path) => !path.includes("node_modules")).length).toBeLessThanOrEqual(maxOurs)
    expect(all.length).toBeLessThanOrEqual(maxAll)
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

  type TransportLayer = Layer.Layer<Transport.Transport, unknown>

  const by = (httpClient: Layer.Layer<HttpClient.HttpClient>): TransportLayer =>
    Layer.provide(HttpClientTransport.layer, httpClient)

  const run = <A>(transport: TransportLayer, effect: Effect.Effect<A, unknown, ApifyClient.ApifyClient>) =>
    Effect.runPromise(Effect.provide(effect, Layer.provide(ApifyClient.layer({ baseUrl }), transport)))

  describe.each([
    ["FetchTransport", FetchTransport.layer, 0],
    ["UndiciTransport", UndiciTransport.layer, 0],
    // One for the exchange, so that a time limit can leave it behind, and one of the `HttpClient`'s own.
    ["HttpClientTransport on fetch", by(FetchHttpClient.layer), 2],
    ["HttpClientTransport on undici", by(NodeHttpClient.layerUndici), 2]
  ])("with %s", (_, transport, maxFibers) => {
    it("sends one request for each call", async () => {
      const before = requests
      await run(transport, Effect.repeatN(getStore(STORE_ID), CALLS - 1))
      expect(requests - before).toBe(CALLS)
    })

    it.each([
      ["one after the other", 1, 1],
      ["32 at a time", 32, 0]
    ] as const)("forks no more fibers for each of its calls than recorded, %s", async (_, concurrency, alarms) => {
      // Fibers are numbered as they begin, whoever begins them.
      const begun = Effect.sync(() => FiberId.unsafeMake().id)
      const worker = Effect.repeatN(getStore(STORE_ID), CALLS - 1)
      const fibers = await run(
        transport,
        Effect.gen(function* () {
          yield* getStore(STORE_ID)
          const before = yield* begun
          yield* Effect.all(
            Array.from({ length: concurrency }, () => worker),
            { concurrency, discard: true }
          )
          return (yield* begun) - before - 1
        })
      )
      const workers = concurrency === 1 ? 0 : concurrency
      const calls = CALLS * concurrency
      expect((fibers - workers) / calls).toBeLessThanOrEqual(maxFibers + alarms + SOME_ALARMS)
    })
  })
})
