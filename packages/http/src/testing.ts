/**
 * Clients for unit tests. They need no network; everything but the transport is the real client.
 *
 * @since 0.1.0
 */

import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type { OwnerSetting, Right } from "@effect-apify/domain/AccessPolicy"
import type { Store } from "@effect-apify/domain/Store"
import * as Cause from "effect/Cause"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import * as ApifyClient from "./ApifyClient.js"
import type { CallOptions } from "./CallOptions.js"
import * as HttpClientTransport from "./HttpClientTransport.js"
import type { SeedRecord, SeedRecordContent, SeedRun, SeedStore } from "./internal/memory.js"
import { makeMemoryApi } from "./internal/memoryApi.js"
import { checkArray, checkObject, isObject } from "./internal/settings.js"

export type { OwnerSetting, Right, SeedRecord, SeedRecordContent, SeedRun, SeedStore }

/**
 * The requests that a test client has sent, in order.
 *
 * @example
 * ```ts
 * import { listStoresPage } from "@effect-apify/http"
 * import { layerStores, RecordedRequests } from "@effect-apify/http/testing"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   yield* listStoresPage({ limit: 10 })
 *   const [request] = yield* (yield* RecordedRequests).all
 *   return request?.url
 * }).pipe(Effect.provide(layerStores({ caller: "janedoe" })))
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class RecordedRequests extends Context.Tag("@effect-apify/http/testing/RecordedRequests")<
  RecordedRequests,
  { readonly all: Effect.Effect<ReadonlyArray<HttpClientRequest.HttpClientRequest>> }
>() {}

/**
 * Responds to a request with a web `Response`, or fails as a transport does. If it throws or dies, the call ends with a
 * `TransportError` that has the reason `request`, and is not retried.
 *
 * @since 0.1.0
 * @category models
 */
export type Respond = (
  request: HttpClientRequest.HttpClientRequest
) => Effect.Effect<Response, HttpClientError.HttpClientError>

/**
 * A client that gets its responses from a function, and records its requests.
 *
 * @example
 * ```ts
 * import { getStore } from "@effect-apify/http"
 * import { layerRespond, RecordedRequests } from "@effect-apify/http/testing"
 * import * as Effect from "effect/Effect"
 *
 * const broken = layerRespond(() => Effect.succeed(new Response("busy", { status: 503 })), { retry: { retries: 0 } })
 *
 * const program = Effect.gen(function* () {
 *   const error = yield* Effect.flip(getStore("janedoe~my-store")) // ServerError
 *   const requests = yield* (yield* RecordedRequests).all // one
 * }).pipe(Effect.provide(broken))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerRespond = (
  respond: Respond,
  options: ApifyClient.Options & HttpClientTransport.Options = {}
): Layer.Layer<ApifyClient.ApifyClient | RecordedRequests, ConfigError> =>
  Layer.unwrapEffect(
    Effect.map(Ref.make<ReadonlyArray<HttpClientRequest.HttpClientRequest>>([]), (requests) => {
      if (typeof respond !== "function") throw new Cause.IllegalArgumentException(EXPECTED)
      checkObject("options", options, "{ retry: { retries: 0 } }")
      const { transformClient, ...others } = options
      const transport = HttpClient.make((request) =>
        Ref.update(requests, (sent) => [...sent, request]).pipe(
          Effect.zipRight(responseOf(respond, request)),
          Effect.tap((response) => (response.ok ? takeBody(request) : Effect.void)),
          Effect.map((response) => HttpClientResponse.fromWeb(request, response))
        )
      )
      return Layer.merge(
        ApifyClient.layer(others).pipe(
          Layer.provide(HttpClientTransport.layerWith({ transformClient })),
          Layer.provide(Layer.succeed(HttpClient.HttpClient, transport))
        ),
        Layer.succeed(RecordedRequests, { all: Ref.get(requests) })
      )
    })
  )

const EXPECTED = "respond must be a function that returns an Effect of a Response"

/** A function without types may return anything, such as a promise. */
const responseOf = (respond: Respond, request: HttpClientRequest.HttpClientRequest): ReturnType<Respond> =>
  Effect.suspend(() => {
    const response = respond(request)
    const wrong = () => new TypeError(EXPECTED)
    return Effect.isEffect(response) ? Effect.filterOrDie(response, isObject, wrong) : Effect.dieSync(wrong)
  }).pipe(Effect.catchAllDefect((defect) => Effect.die(mistakeOf(defect))))

/** An assertion that fails, for instance. By its code it is no failure of a network, which would be retried. */
const mistakeOf = (defect: unknown): TypeError =>
  Object.assign(new TypeError(defect instanceof Error ? defect.message : String(defect)), {
    code: "ERR_INVALID_RESPONSE"
  })

/** A server that succeeds has read the whole body, whether its function looks at it or not. */
const takeBody = ({ body }: HttpClientRequest.HttpClientRequest): Effect.Effect<void> =>
  body._tag === "Stream" ? Effect.ignore(Stream.runDrain(body.stream)) : Effect.void

/**
 * The stores that a test client begins with, and who the caller is.
 *
 * @since 0.1.0
 * @category options
 */
export interface StoresOptions extends CallOptions {
  /** Default: none. */
  readonly stores?: ReadonlyArray<Store | SeedStore> | undefined
  /** The username of the caller. Default: none, as without a token. */
  readonly caller?: string | undefined
  /** The rights that the caller was granted to other users' stores, by the ID of the store. */
  readonly rights?: { readonly [storeId: string]: Right } | undefined
  /** The account setting of every owner. Default: `RESTRICTED`. */
  readonly ownerSetting?: OwnerSetting | undefined
  /** The caller's runs, in the order in which they were started. Default: none. */
  readonly runs?: ReadonlyArray<SeedRun> | undefined
}

/**
 * A client of stores and records in memory. It supports all operations, with Apify's access policy and error responses. Changes
 * last until the layer is built again. An invalid name or ID of a store, a run or the caller is a defect, and so is
 * an invalid key.
 *
 * It has no rate limits and no limit on the size of a record. It does not check the JSON schemas of collections, and does not
 * decompress brotli.
 *
 * @example
 * ```ts
 * import { getRecordValue, putRecord } from "@effect-apify/http"
 * import { layerStores } from "@effect-apify/http/testing"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * const Input = Schema.Struct({ urls: Schema.Array(Schema.String) })
 *
 * const program = Effect.gen(function* () {
 *   const { urls } = yield* getRecordValue("~my-store", "INPUT", Input)
 *   yield* putRecord("~my-store", "OUTPUT", `${urls.length} URLs`)
 * }).pipe(
 *   Effect.provide(
 *     layerStores({
 *       caller: "janedoe",
 *       stores: [{ name: "my-store", records: { INPUT: { urls: ["https://apify.com"] } } }]
 *     })
 *   )
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerStores = (
  options: StoresOptions
): Layer.Layer<ApifyClient.ApifyClient | RecordedRequests, ConfigError> =>
  Layer.unwrapEffect(
    Effect.suspend(() => {
      checkObject("options", options, "{ caller: 'janedoe' }")
      const { caller, ownerSetting, rights, runs = [], stores = [], ...others } = options
      checkArray("stores", stores, "[{ name: 'my-store' }]")
      checkArray("runs", runs, "[{ id: 'HG7ML7M8z78YcAPEB' }]")
      const token = caller === undefined ? undefined : Redacted.make("apify_api_test")
      return Effect.map(makeMemoryApi({ caller, ownerSetting, rights, runs, stores }), (respond) =>
        layerRespond(respond, { ...others, token })
      )
    })
  ).pipe(Layer.map((context) => Context.add(context, ApifyClient.ApifyClient, unpaced(context))))

/** Lists do not keep to Apify's rate limits: under `TestClock` they would wait for ever. */
const unpaced = (context: Context.Context<ApifyClient.ApifyClient>): ApifyClient.Service => {
  const client = Context.get(context, ApifyClient.ApifyClient)
  return {
    ...client,
    run: (operation, options) =>
      client.run(
        { ...operation, isPaced: false, decode: (response, context) => operation.decode(response, context) },
        options
      )
  }
}
