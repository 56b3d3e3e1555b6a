/**
 * Clients for unit tests: no network, and every other part of the real client at work.
 *
 * @since 0.1.0
 */

import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { decideAccess, effectiveLevel, type OwnerSetting, type Requester } from "@effect-apify/domain/AccessPolicy"
import { Store, StoreBody } from "@effect-apify/domain/Store"
import type { PublicUrl } from "@effect-apify/domain/PublicUrl"
import {
  insufficientPermissionsRefusal,
  type Refusal,
  storeNotFoundRefusal,
  tokenNotProvidedRefusal
} from "@effect-apify/domain/Refusal"
import { parseStoreRef, type StoreRef } from "@effect-apify/domain/StoreRef"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { ApifyClient, type Options } from "./ApifyClient.js"
import type { CallOptions } from "./CallOptions.js"

/**
 * The requests that a test client was asked to send, in order.
 *
 * @since 0.1.0
 * @category tags
 */
export class RecordedRequests extends Context.Tag("@effect-apify/http/testing/RecordedRequests")<
  RecordedRequests,
  { readonly all: Effect.Effect<ReadonlyArray<HttpClientRequest.HttpClientRequest>> }
>() {}

/**
 * Answers a request, as a web `Response`; or fails as a transport does.
 *
 * @since 0.1.0
 * @category models
 */
export type Respond = (
  request: HttpClientRequest.HttpClientRequest
) => Effect.Effect<Response, HttpClientError.HttpClientError>

/**
 * A client whose every request is answered by a function, and recorded.
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
  options: Options = {}
): Layer.Layer<ApifyClient | RecordedRequests, ConfigError> =>
  Layer.unwrapEffect(
    Effect.map(Ref.make<ReadonlyArray<HttpClientRequest.HttpClientRequest>>([]), (requests) => {
      const transport = HttpClient.make((request) =>
        Ref.update(requests, (sent) => [...sent, request]).pipe(
          Effect.zipRight(respond(request)),
          Effect.map((response) => HttpClientResponse.fromWeb(request, response))
        )
      )
      return Layer.merge(
        Layer.provide(ApifyClient.layer(options), Layer.succeed(HttpClient.HttpClient, transport)),
        Layer.succeed(RecordedRequests, { all: Ref.get(requests) })
      )
    })
  )

/**
 * The stores that a test client knows, and who asks for them.
 *
 * @since 0.1.0
 * @category options
 */
export interface StoresOptions extends CallOptions {
  readonly stores: ReadonlyArray<Store>
  /** The username of the one who asks. Nobody, without a token, unless told. */
  readonly caller?: string | undefined
  /** The rights that the caller was given to others' stores, by the store's id. */
  readonly rights?: { readonly [storeId: string]: "Reader" | "Writer" } | undefined
  /** The account setting of every owner. `RESTRICTED` unless told. */
  readonly ownerSetting?: OwnerSetting | undefined
}

/**
 * A client answered from stores held in memory. It applies Apify's access policy and refuses in Apify's words.
 *
 * @example
 * ```ts
 * import { Store, StoreId } from "@effect-apify/domain"
 * import { getStore } from "@effect-apify/http"
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
export const layerStores = (options: StoresOptions): Layer.Layer<ApifyClient | RecordedRequests, ConfigError> =>
  layerRespond(
    (request) =>
      Either.match(answerFor(new URL(request.url).pathname.split("/").at(-1) ?? "", options), {
        onLeft: ({ error, status }) => Effect.succeed(Response.json({ error }, { status })),
        onRight: (store) => Effect.map(Effect.orDie(encodeBody({ data: store })), (body) => Response.json(body))
      }),
    { ...options, token: options.caller === undefined ? undefined : Redacted.make("apify_api_test") }
  )

const encodeBody = Schema.encode(StoreBody)

const answerFor = (segment: string, options: StoresOptions): Either.Either<Store, Refusal> =>
  Either.gen(function* () {
    const ref = yield* Either.mapLeft(parseStoreRef(segment), () => storeNotFoundRefusal)
    if (ref._tag === "OwnStore" && options.caller === undefined) return yield* Either.left(tokenNotProvidedRefusal)
    const store = yield* Either.fromNullable(
      options.stores.find((store) => isNamed(store, ref, options.caller)),
      () => storeNotFoundRefusal
    )
    const decision = decideAccess({
      requester: requesterOf(store, options),
      reference: ref._tag,
      generalAccess: store.generalAccess,
      ownerSetting: options.ownerSetting ?? "RESTRICTED"
    })
    if (decision._tag === "AccessDenied") {
      return yield* Either.left(
        decision.reason === "TokenNotProvided" ? tokenNotProvidedRefusal : insufficientPermissionsRefusal
      )
    }
    const isRestricted = effectiveLevel(store.generalAccess, options.ownerSetting ?? "RESTRICTED") === "RESTRICTED"
    const link = (url: PublicUrl) => (decision.seesSigningKey && isRestricted ? url : url.withoutSignature())
    return new Store({
      ...store,
      keysPublicUrl: Option.map(store.keysPublicUrl, link),
      recordsPublicUrl: Option.map(store.recordsPublicUrl, link),
      urlSigningSecretKey: decision.seesSigningKey ? store.urlSigningSecretKey : Option.none()
    })
  })

const isSame = (one: string, other: string | undefined): boolean => one.toLowerCase() === other?.toLowerCase()

const isNamed = (store: Store, ref: StoreRef, caller: string | undefined): boolean => {
  if (ref._tag === "StoreById") return store.id === ref.id
  const owner = ref._tag === "StoreByName" ? ref.owner : caller
  const isOwner = (name: string) => isSame(name, owner)
  return (
    Option.exists(store.name, (name) => isSame(name, ref.name)) &&
    (Option.exists(store.username, isOwner) || (ref._tag === "StoreByName" && Option.exists(store.userId, isOwner)))
  )
}

const requesterOf = (store: Store, { caller, rights }: StoresOptions): Requester => {
  if (caller === undefined) return "Nobody"
  if (Option.exists(store.username, (owner) => isSame(owner, caller))) return "Owner"
  return rights?.[store.id] ?? "OtherUser"
}
