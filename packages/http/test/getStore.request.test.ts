/**
 * The request that a reference makes, before and after the client puts its base URL to it.
 */
import { assert, describe, it } from "@effect/vitest"
import { formatStoreRef, storeLocation } from "@effect-apify/domain"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import { character } from "../../../vitest.text.js"
import { getStore } from "../src/index.js"
import { GetStore } from "../src/Stores.js"
import { layerRespond, RecordedRequests } from "../src/testing.js"
import { minimalBody, storeRef } from "./arbitraries.js"

describe("the request for any reference", () => {
  it.prop("is a GET of the store's path and nothing else", [storeRef], ([ref]) => {
    const { request } = new GetStore(ref, false)
    const { path, query } = Either.getOrThrow(storeLocation(ref))
    assert.deepStrictEqual(request, Either.right({ method: "GET", path, query }))
  })

  it.effect.prop(
    "goes to the base URL, its path kept, and the path of the store",
    [
      storeRef,
      fc.constantFrom("https://api.apify.com", "https://proxy.example/apify", "http://127.0.0.1:8080/a/b.c"),
      fc.constantFrom("", "/")
    ],
    ([ref, baseUrl, slash]) =>
      Effect.gen(function* () {
        const [request] = yield* requestsOf(formatStoreRef(ref), `${baseUrl}${slash}`)
        const { path, query } = Either.getOrThrow(storeLocation(ref))
        const url = new URL(request?.url ?? "")
        assert.strictEqual(url.href, request?.url)
        assert.strictEqual(url.origin + url.pathname, `${baseUrl}${path}`)
        assert.deepStrictEqual(Object.fromEntries(url.searchParams), query)
      })
  )
})

describe("a text that is no reference", () => {
  it.effect.prop(
    "fails with InvalidStoreRefError, and nothing is sent",
    [fc.oneof(fc.string({ unit: character }), fc.stringMatching(/^[a-z~./%\\?#@]{0,20}$/))],
    ([text]) =>
      Effect.gen(function* () {
        const result = yield* Effect.either(getStore(text))
        const sent = yield* (yield* RecordedRequests).all
        if (result._tag === "Left") assert.strictEqual(result.left._tag, "InvalidStoreRefError")
        assert.deepStrictEqual(
          sent.map(({ url }) => url),
          result._tag === "Left" ? [] : [`https://api.apify.com/v2/key-value-stores/${text}`]
        )
      }).pipe(Effect.provide(storeServer()))
  )

  it.effect.each(["", "..", "../users/me", "%2e%2e", "my-store", "a~b/../c", "x?y", "x#y", "janedoe~\r\n"])(
    "such as %j is refused",
    (text) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(getStore(text))
        assert.strictEqual(error._tag, "InvalidStoreRefError")
        assert.isEmpty(yield* (yield* RecordedRequests).all)
      }).pipe(Effect.provide(storeServer()))
  )
})

/** Responds with the store that was requested. */
const storeServer = (baseUrl?: string) =>
  layerRespond(
    ({ url }) =>
      Effect.sync(() => {
        const segment = url.slice(url.lastIndexOf("/") + 1)
        const body = segment.includes("~") ? minimalBody : minimalBody.replace("WkzbQMuFYuamGv3YF", segment)
        return new Response(body, { headers: { "content-type": "application/json" } })
      }),
    { baseUrl }
  )

const requestsOf = (ref: string, baseUrl: string) =>
  Effect.gen(function* () {
    yield* getStore(ref)
    return yield* (yield* RecordedRequests).all
  }).pipe(Effect.provide(storeServer(baseUrl)))
