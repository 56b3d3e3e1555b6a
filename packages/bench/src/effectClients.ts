/**
 * Effect's own client with nothing added, and `getStore` with all its defaults on. A worker is a fiber that requests in a
 * loop, as a fiber of `Effect.forEach` or of a stream does; in an open loop each request has a fiber of its own.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import { ApifyClient, FetchTransport, getStore, HttpClientTransport, type Transport } from "@effect-apify/http"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Tracer from "effect/Tracer"
import type { Client } from "./load.js"
import { STORE_ID, TOKEN } from "./page.js"

type HttpClientLayer = Layer.Layer<HttpClient.HttpClient>
type TransportLayer = Layer.Layer<Transport.Transport, unknown>

const onFetch = async (): Promise<HttpClientLayer> => (await import("@effect/platform/FetchHttpClient")).layer

const onUndici = async (): Promise<HttpClientLayer> =>
  (await import("@effect/platform-node/NodeHttpClient")).layerUndici

const effectClient = <A, E, R>(get: Effect.Effect<A, E, R>, layer: Layer.Layer<R, unknown>): Client => {
  const runtime = ManagedRuntime.make(layer)
  return {
    get: () => runtime.runPromise(get),
    work: (meter) =>
      Effect.gen(function* () {
        while (!meter.isOver) {
          const since = performance.now()
          yield* get
          meter.record(since)
        }
      }).pipe(runtime.runPromise)
  }
}

const bare =
  (httpClient: () => Promise<HttpClientLayer>) =>
  async (baseUrl: string): Promise<Client> =>
    effectClient(
      Effect.flatMap(HttpClient.HttpClient, (http) =>
        http.get(`${baseUrl}/v2/key-value-stores/${STORE_ID}`, {
          headers: { accept: "application/json", authorization: `Bearer ${TOKEN}` }
        })
      ).pipe(Effect.flatMap((response) => response.json)),
      await httpClient()
    )

/** Effect's own tracer, installed as one's own would be: where none is installed, calls have no spans. */
const traced = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.tracer, ({ context, span }) => Effect.withTracer(effect, Tracer.make({ context, span })))

const ours =
  (transport: () => Promise<TransportLayer>, get = getStore(STORE_ID)) =>
  async (baseUrl: string): Promise<Client> =>
    effectClient(get, Layer.provide(ApifyClient.layer({ baseUrl, token: Redacted.make(TOKEN) }), await transport()))

const byHttpClient = (httpClient: () => Promise<HttpClientLayer>) => async (): Promise<TransportLayer> =>
  Layer.provide(HttpClientTransport.layer, await httpClient())

const byUndici = async (): Promise<TransportLayer> => (await import("@effect-apify/http/UndiciTransport")).layer

export const httpClientOnFetch = bare(onFetch)
export const httpClientOnUndici = bare(onUndici)
export const getStoreOnHttpClientFetch = ours(byHttpClient(onFetch))
export const getStoreOnHttpClientUndici = ours(byHttpClient(onUndici))
export const getStoreOnFetchTransport = ours(async () => FetchTransport.layer)
export const getStoreOnUndiciTransport = ours(byUndici)
export const getStoreTraced = ours(byUndici, traced(getStore(STORE_ID)))
