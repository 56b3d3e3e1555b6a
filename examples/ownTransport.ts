/**
 * Choose the transport: a client sends its requests with the `Transport` that its layer is provided with.
 *
 *     npx pnpm@12 tsx examples/ownTransport.ts
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { FetchTransport, getStore, HttpClientTransport } from "@effect-apify/http"
import * as UndiciTransport from "@effect-apify/http/UndiciTransport"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { EXAMPLE_STORE, localApify } from "./local.js"

/** Node, browsers, Deno, Bun, edge workers. */
const withFetch = FetchTransport.layer

/** Node alone. It closes its connections when the layer's scope closes. */
const withUndici = UndiciTransport.layer

/** undici with options. A dispatcher of your own, such as a `ProxyAgent`, goes in `dispatcher`. */
const withOwnAgent = UndiciTransport.layerWith({ agent: { connections: 4, keepAliveTimeout: 10_000 } })

/** Any `HttpClient` of `@effect/platform`. */
const withHttpClient = Layer.provide(HttpClientTransport.layer, NodeHttpClient.layerUndici)

/** An `HttpClient` that adds a header for a gateway, and logs each request. */
const withHeaderAndLog = HttpClientTransport.layerWith({
  transformClient: (client) =>
    client.pipe(
      HttpClient.mapRequest(HttpClientRequest.setHeader("x-team", "search")),
      // Not the whole request: its Authorization header holds the token.
      HttpClient.tapRequest(({ headers, method, url }) =>
        Console.log(`  ${method} ${new URL(url).pathname} for team ${headers["x-team"]}`)
      )
    )
}).pipe(Layer.provide(FetchHttpClient.layer))

const transports = {
  fetch: withFetch,
  undici: withUndici,
  "undici with options": withOwnAgent,
  "an HttpClient": withHttpClient,
  "an HttpClient with a header and a log": withHeaderAndLog
}

const program = Effect.forEach(Object.entries(transports), ([name, transport]) =>
  getStore(EXAMPLE_STORE).pipe(
    Effect.tap((store) => Console.log(`${store.id} by ${name}`)),
    Effect.provide(Layer.provide(localApify(), transport))
  )
)

NodeRuntime.runMain(program)
