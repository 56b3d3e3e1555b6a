/**
 * Choose the transport: `getStore` runs on whichever `HttpClient` its layer is given.
 *
 *     npx tsx examples/ownTransport.ts
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Undici from "@effect/platform-node/Undici"
import { getStore } from "@effect-apify/http"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { EXAMPLE_STORE, localApify } from "./local.js"

/** The platform's own `fetch`: Node, browsers, Deno, Bun, workers. */
const withFetch = FetchHttpClient.layer

/** Undici, Node's HTTP client, with a pool of connections that ends with the layer. */
const withUndici = NodeHttpClient.layerUndici

/** Undici with settings of yours. `new Undici.ProxyAgent("http://proxy:3128")` goes in the same place. */
const withOwnAgent = NodeHttpClient.layerUndiciWithoutDispatcher.pipe(
  Layer.provide(
    Layer.scoped(
      NodeHttpClient.Dispatcher,
      Effect.acquireRelease(
        Effect.sync(() => new Undici.Agent({ connections: 4, keepAliveTimeout: 10_000 })),
        (agent) => Effect.promise(() => agent.close())
      )
    )
  )
)

/** Any transport with something around it: here a header for a gateway, and a line for each request. */
const withHeaderAndLog = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(HttpClient.HttpClient, (client) =>
    client.pipe(
      HttpClient.mapRequest(HttpClientRequest.setHeader("x-team", "search")),
      // Not the whole request: its Authorization header holds the token.
      HttpClient.tapRequest(({ headers, method, url }) =>
        Console.log(`  ${method} ${new URL(url).pathname} for team ${headers["x-team"]}`)
      )
    )
  )
).pipe(Layer.provide(FetchHttpClient.layer))

const transports = {
  fetch: withFetch,
  undici: withUndici,
  "undici with its own agent": withOwnAgent,
  "fetch with a header and a log": withHeaderAndLog
}

const program = Effect.forEach(Object.entries(transports), ([name, transport]) =>
  getStore(EXAMPLE_STORE).pipe(
    Effect.tap((store) => Console.log(`${store.id} through ${name}`)),
    Effect.provide(Layer.provide(localApify(), transport))
  )
)

NodeRuntime.runMain(program)
