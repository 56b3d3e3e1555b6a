/**
 * The client against the emulator, which share nothing but the schemas of domain: each is the other's witness.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { DEMO_TOKEN, demoSeed, Emulator } from "@effect-apify/emulator"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { ApifyClient, FetchTransport, getStore, HttpClientTransport } from "../src/index.js"
import * as UndiciTransport from "../src/UndiciTransport.js"

const ID = "WkzbQMuFYuamGv3YF"

describe.each([
  { name: "HttpClient on fetch", transport: Layer.provide(HttpClientTransport.layer, FetchHttpClient.layer) },
  { name: "FetchTransport", transport: FetchTransport.layer },
  { name: "HttpClient on undici", transport: Layer.provide(HttpClientTransport.layer, NodeHttpClient.layerUndici) },
  { name: "UndiciTransport", transport: UndiciTransport.layer }
])("getStore by $name", ({ transport }) => {
  const clientWith = (token: string | undefined) =>
    Layer.unwrapEffect(
      Effect.map(Emulator, ({ url }) =>
        ApifyClient.layer({ baseUrl: url, token: token === undefined ? undefined : Redacted.make(token) })
      )
    ).pipe(Layer.provide(transport))

  const tagFor = (ref: string, token?: string) =>
    getStore(ref).pipe(
      Effect.match({ onFailure: ({ _tag }) => _tag, onSuccess: ({ id }) => id }),
      Effect.provide(clientWith(token))
    )

  it.layer(Emulator.layer({ seed: demoSeed }))("gets from the emulator", (it) => {
    it.effect("the same store by its id, by its owner and name, and by its name alone", () =>
      Effect.gen(function* () {
        for (const ref of [ID, "janedoe~d7b9MDYsbtX5L7XAj", "JaneDoe~D7B9MDYSBTX5L7XAJ", "~d7b9MDYsbtX5L7XAj"]) {
          const store = yield* Effect.provide(getStore(ref), clientWith(DEMO_TOKEN))
          assert.strictEqual(store.id, ID)
          assert.strictEqual(Option.getOrNull(Option.map(store.urlSigningSecretKey, Redacted.value)), "string")
        }
      })
    )

    it.effect("the error that Apify would give", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* tagFor("~nothing", DEMO_TOKEN), "StoreNotFoundError")
        assert.strictEqual(yield* tagFor("aaaaaaaaaaaaaaaaa", DEMO_TOKEN), "StoreNotFoundError")
        assert.strictEqual(yield* tagFor(ID), "ForbiddenError")
        assert.strictEqual(yield* tagFor(ID, "apify_api_wrong"), "UnauthorizedError")
      })
    )
  })
})
