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
/** A transport of ours. */
export type TransportLayer = Layer.Layer<Transport.Transport, unknown>

const onFetch = async (): Promise<HttpClientLayer> => (await import("@effect/platform/FetchHttpClient")).layer

const onUndici = async (): Promise<HttpClientLayer> =>
  (await import("@effect/platform-node/NodeHttpClient")).layerUndici

/** A client that runs an effect, once or in a loop. */
export const effectClient = <A, E, R>(get: Effect.Effect<A, E, R>, layer: Layer.Layer<R, unknown>): Client => {
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

/** Effect's own tracer, installed as another would be: where none is installed, calls have no spans. */
const tracer = Layer.unwrapEffect(
  Effect.map(Effect.tracer, ({ context, span }) => Layer.setTracer(Tracer.make({ context, span })))
)

/** A client of ours, with all its defaults. */
export const clientLayer = (
  baseUrl: string,
  transport: TransportLayer
): Layer.Layer<ApifyClient.ApifyClient, unknown> =>
  Layer.provide(ApifyClient.layer({ baseUrl, token: Redacted.make(TOKEN) }), transport)

const ours =
  (transport: () => Promise<TransportLayer>, extra: Layer.Layer<never> = Layer.empty) =>
  async (baseUrl: string): Promise<Client> =>
    effectClient(getStore(STORE_ID), Layer.merge(clientLayer(baseUrl, await transport()), extra))

const byHttpClient = (httpClient: () => Promise<HttpClientLayer>) => async (): Promise<TransportLayer> =>
  Layer.provide(HttpClientTransport.layer, await httpClient())

export const byUndici = async (): Promise<TransportLayer> => (await import("@effect-apify/http/UndiciTransport")).layer

export const httpClientOnFetch = bare(onFetch)
export const httpClientOnUndici = bare(onUndici)
export const getStoreOnHttpClientFetch = ours(byHttpClient(onFetch))
export const getStoreOnHttpClientUndici = ours(byHttpClient(onUndici))
export const getStoreOnFetchTransport = ours(async () => FetchTransport.layer)
export const getStoreOnUndiciTransport = ours(byUndici)
export const getStoreTraced = ours(byUndici, tracer)
