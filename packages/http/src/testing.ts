/**
 * Clients for unit tests: they need no network, and all other parts are those of the real client.
 *
 * @since 0.1.0
 */

import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { type OwnerSetting, type Requester, type Right, requesterOf, viewFor } from "@effect-apify/domain/AccessPolicy"
import {
  methodRefusal,
  pageNotFoundRefusal,
  type Refusal,
  storeNotFoundRefusal,
  tokenNotProvidedRefusal
} from "@effect-apify/domain/Refusal"
import { type Store, StoreBody } from "@effect-apify/domain/Store"
import {
  type OwnStore,
  parseStoreRef,
  type StoreById,
  type StoreByName,
  type StoreRef
} from "@effect-apify/domain/StoreRef"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as ApifyClient from "./ApifyClient.js"
import type { CallOptions } from "./CallOptions.js"
import * as HttpClientTransport from "./HttpClientTransport.js"

export type { OwnerSetting, Right }

/**
 * The requests that a test client has sent, in order.
 *
 * @since 0.1.0
 * @category tags
 */
export class RecordedRequests extends Context.Tag("@effect-apify/http/testing/RecordedRequests")<
  RecordedRequests,
  { readonly all: Effect.Effect<ReadonlyArray<HttpClientRequest.HttpClientRequest>> }
>() {}

/**
 * Responds to a request with a web `Response`, or fails as a transport does.
 *
 * @since 0.1.0
 * @category models
 */
export type Respond = (
  request: HttpClientRequest.HttpClientRequest
) => Effect.Effect<Response, HttpClientError.HttpClientError>

/**
 * A client that records its requests, and gets its responses from a function.
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
  { transformClient, ...options }: ApifyClient.Options & HttpClientTransport.Options = {}
): Layer.Layer<ApifyClient.ApifyClient | RecordedRequests, ConfigError> =>
  Layer.unwrapEffect(
    Effect.map(Ref.make<ReadonlyArray<HttpClientRequest.HttpClientRequest>>([]), (requests) => {
      const transport = HttpClient.make((request) =>
        Ref.update(requests, (sent) => [...sent, request]).pipe(
          Effect.zipRight(respond(request)),
          Effect.map((response) => HttpClientResponse.fromWeb(request, response))
        )
      )
      return Layer.merge(
        ApifyClient.layer(options).pipe(
          Layer.provide(HttpClientTransport.layerWith({ transformClient })),
          Layer.provide(Layer.succeed(HttpClient.HttpClient, transport))
        ),
        Layer.succeed(RecordedRequests, { all: Ref.get(requests) })
      )
    })
  )

/**
 * The stores that a test client knows, and who the caller is.
 *
 * @since 0.1.0
 * @category options
 */
export interface StoresOptions extends CallOptions {
  readonly stores: ReadonlyArray<Store>
  /** The username of the caller. Default: none, as without a token. */
  readonly caller?: string | undefined
  /** The rights that the caller was granted to other users' stores, by the ID of the store. */
  readonly rights?: { readonly [storeId: string]: Right } | undefined
  /** The account setting of every owner. Default: `RESTRICTED`. */
  readonly ownerSetting?: OwnerSetting | undefined
}

/**
 * A client of stores in memory, with Apify's access policy and error responses.
 *
 * @example
 * ```ts
 * import { getStore, Store, StoreId } from "@effect-apify/http"
 * import { layerStores } from "@effect-apify/http/testing"
 * import * as DateTime from "effect/DateTime"
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 *
 * const then = DateTime.unsafeMake("2019-12-12T07:34:14.202Z")
 * const mine = new Store({
 *   id: StoreId.make("WkzbQMuFYuamGv3YF"),
 *   name: Option.some("my-store"),
 *   username: Option.some("janedoe"),
 *   createdAt: then,
 *   modifiedAt: then,
 *   accessedAt: then
 * })
 *
 * const program = getStore("~my-store").pipe(Effect.provide(layerStores({ stores: [mine], caller: "janedoe" })))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerStores = (
  options: StoresOptions
): Layer.Layer<ApifyClient.ApifyClient | RecordedRequests, ConfigError> =>
  layerRespond(
    (request) =>
      Either.match(responseFor(request, options), {
        onLeft: ({ error, status }) => Effect.succeed(Response.json({ error }, { status })),
        onRight: (store) => Effect.map(Effect.orDie(encodeBody({ data: store })), (body) => Response.json(body))
      }),
    { ...options, token: options.caller === undefined ? undefined : Redacted.make("apify_api_test") }
  )

const encodeBody = Schema.encode(StoreBody)

const storePath = /^\/v2\/key-value-stores\/([^/]+)$/

const responseFor = (
  { method, url }: HttpClientRequest.HttpClientRequest,
  options: StoresOptions
): Either.Either<Store, Refusal> =>
  Either.gen(function* () {
    const { caller, ownerSetting = "RESTRICTED", stores } = options
    const segment = storePath.exec(new URL(url).pathname)?.[1]
    if (segment === undefined) return yield* Either.left(pageNotFoundRefusal)
    if (method !== "GET") return yield* Either.left(methodRefusal(["GET"]))
    const ref = yield* Either.filterOrLeft(
      Either.mapLeft(parseStoreRef(segment), () => storeNotFoundRefusal),
      isPlain,
      () => storeNotFoundRefusal
    )
    if (ref._tag === "OwnStore" && caller === undefined) return yield* Either.left(tokenNotProvidedRefusal)
    const store = yield* Either.fromNullable(
      stores.find((store) => isNamed(store, ref, caller)),
      () => storeNotFoundRefusal
    )
    return yield* viewFor(store, { requester: requesterFor(store, options), reference: ref._tag, ownerSetting })
  })

const isSame = (one: string, other: string | undefined): boolean => one.toLowerCase() === other?.toLowerCase()

type PlainRef = StoreById | StoreByName | OwnStore

const isPlain = (ref: StoreRef): ref is PlainRef => ref._tag !== "StoreOfRun" && ref._tag !== "StoreOfLastRun"

const isNamed = (store: Store, ref: PlainRef, caller: string | undefined): boolean => {
  if (ref._tag === "StoreById") return store.id === ref.id
  const owner = ref._tag === "StoreByName" ? ref.owner : caller
  const isOwner = (name: string) => isSame(name, owner)
  return (
    Option.exists(store.name, (name) => isSame(name, ref.name)) &&
    (Option.exists(store.username, isOwner) || (ref._tag === "StoreByName" && Option.exists(store.userId, isOwner)))
  )
}

const requesterFor = (store: Store, { caller, rights }: StoresOptions): Requester =>
  caller === undefined
    ? "ANONYMOUS"
    : requesterOf({
        scope: "WRITE",
        isOwner: Option.exists(store.username, (owner) => isSame(owner, caller)),
        granted: Option.fromNullable(rights?.[store.id])
      })
