/**
 * Effect's own client with nothing added, and `getStore` with all its defaults on. A worker is a fiber that asks in a loop,
 * as a fiber of `Effect.forEach` or of a stream does; in an open loop each request is a fiber of its own.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import { ApifyClient, type ClientOptions, getStore } from "@effect-apify/http"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Tracer from "effect/Tracer"
import type { Client } from "./load.js"
import { STORE_ID } from "./page.js"
import { TOKEN } from "./promiseClients.js"

type Transport = Layer.Layer<HttpClient.HttpClient>

const fetchTransport = async (): Promise<Transport> => (await import("@effect/platform/FetchHttpClient")).layer

const undiciTransport = async (): Promise<Transport> =>
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
  (transport: () => Promise<Transport>) =>
  async (baseUrl: string): Promise<Client> =>
    effectClient(
      Effect.flatMap(HttpClient.HttpClient, (http) =>
        http.get(`${baseUrl}/v2/key-value-stores/${STORE_ID}`, {
          headers: { accept: "application/json", authorization: `Bearer ${TOKEN}` }
        })
      ).pipe(Effect.flatMap((response) => response.json)),
      await transport()
    )

/** Effect's own tracer, installed as one's own would be: where none is installed, calls have no spans. */
const traced = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.tracer, ({ context, span }) => Effect.withTracer(effect, Tracer.make({ context, span })))

type MakeClient = (options: ClientOptions) => Layer.Layer<ApifyClient, unknown>

const ours =
  (client: () => Promise<MakeClient>, get = getStore(STORE_ID)) =>
  async (baseUrl: string): Promise<Client> =>
    effectClient(get, (await client())({ baseUrl, token: Redacted.make(TOKEN) }))

const on = (transport: () => Promise<Transport>) => async (): Promise<MakeClient> => {
  const layer = await transport()
  return (options) => Layer.provide(ApifyClient.layer(options), layer)
}

export const httpClientOnFetch = bare(fetchTransport)
export const httpClientOnUndici = bare(undiciTransport)
export const getStoreOnFetch = ours(on(fetchTransport))
export const getStoreOnUndici = ours(on(undiciTransport))
export const getStoreWithFetchClient = ours(async () => (await import("@effect-apify/http/fetch")).layer)
const nodeClient = async (): Promise<MakeClient> => (await import("@effect-apify/http/node")).layer

export const getStoreWithNodeClient = ours(nodeClient)
export const getStoreTraced = ours(nodeClient, traced(getStore(STORE_ID)))
