/**
 * Get store: `GET /v2/key-value-stores/:storeId`.
 *
 * The operation is two halves that need no network, the request that a reference makes and what an answer means;
 * `ApifyClient` joins them.
 *
 * @since 0.1.0
 */

import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { decodeStoreBody } from "@effect-apify/domain/decodeStoreBody"
import { type GetStoreError, MalformedResponseError } from "@effect-apify/domain/GetStoreError"
import type { Store } from "@effect-apify/domain/Store"
import { formatStoreRef, parseStoreRef, type StoreRef } from "@effect-apify/domain/StoreRef"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { ApifyClient } from "./ApifyClient.js"
import type { CallOptions } from "./CallOptions.js"
import { ClientTag } from "./internal/client.js"
import { jsonText, malformed, problemsOf } from "./internal/refuse.js"
import type { Answer, Circumstances, Operation } from "./Operation.js"

/**
 * The request for a store, without base URL and token.
 *
 * @since 0.1.0
 * @category requests
 */
export const getStoreRequest = (ref: StoreRef): HttpClientRequest.HttpClientRequest =>
  HttpClientRequest.get(`/v2/key-value-stores/${formatStoreRef(ref)}`)

const parseJson = (text: string): Either.Either<unknown, unknown> => Either.try(() => JSON.parse(text))

/**
 * What an answer means: a store, or one of the errors.
 *
 * @since 0.1.0
 * @category responses
 */
export const interpretGetStore = (
  answer: Answer,
  circumstances: Circumstances
): Either.Either<Store, GetStoreError> =>
  jsonText(answer, circumstances).pipe(
    Either.flatMap((text) => Either.mapLeft(parseJson(text), () => malformed(circumstances, "is not JSON"))),
    Either.flatMap((json) =>
      Either.mapLeft(
        decodeStoreBody(json),
        (issue) =>
          new MalformedResponseError({
            ...circumstances.asked,
            status: answer.status,
            kind: "Shape",
            problems: problemsOf(issue)
          })
      )
    )
  )

/** A class, for it lives as long as a call: docs/decisions/0011. */
class GetStore implements Operation<Store> {
  readonly name = "getStore"
  readonly ref: string
  readonly request: HttpClientRequest.HttpClientRequest
  readonly interpret = interpretGetStore

  constructor(
    ref: StoreRef,
    readonly isSpaced: boolean
  ) {
    this.ref = formatStoreRef(ref)
    this.request = getStoreRequest(ref)
  }
}

/**
 * Gets a store: everything that Apify tells of it, or one of the errors of `GetStoreError`.
 *
 * @param ref a `StoreRef`, or as a person writes it: an id, `username~store-name`, or `~store-name` in the token's own
 * account
 * @param options the limits of this call, where they differ from the client's
 *
 * @example
 * ```ts
 * import { ApifyClient, getStore } from "@effect-apify/http"
 * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const program = Effect.gen(function* () {
 *   const store = yield* getStore("janedoe~my-store")
 *   yield* Effect.log(`${store.id} was last changed at ${store.modifiedAt}`)
 * })
 *
 * program.pipe(
 *   Effect.provide(Layer.provide(ApifyClient.layerConfig, FetchHttpClient.layer)),
 *   Effect.runPromise
 * )
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const getStore = (
  ref: StoreRef | string,
  options?: CallOptions
): Effect.Effect<Store, GetStoreError, ApifyClient> =>
  Either.match(typeof ref === "string" ? parseStoreRef(ref) : Either.right(ref), {
    onLeft: Effect.fail,
    onRight: (ref) => Effect.flatMap(ClientTag, (client) => client.run(new GetStore(ref, false), options))
  })

/**
 * As `getStore`, but its requests keep to Apify's rate for one store, as those of `getStores`.
 *
 * @internal
 */
export const getStoreSpaced = (
  ref: StoreRef,
  options: CallOptions
): Effect.Effect<Store, GetStoreError, ApifyClient> =>
  Effect.flatMap(ClientTag, (client) => client.run(new GetStore(ref, true), options))
