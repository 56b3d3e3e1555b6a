/**
 * Apify's own client takes the emulator for Apify.
 */
import { assert, layer } from "@effect/vitest"
import { ApifyApiError, ApifyClient } from "apify-client"
import * as Effect from "effect/Effect"
import { DEMO_TOKEN, Emulator } from "../src/index.js"

const ID = "WkzbQMuFYuamGv3YF"
const NAME = "janedoe/d7b9MDYsbtX5L7XAj"

layer(Emulator.layer())("apify-client", (it) => {
  const clientWith = (token?: string) =>
    Effect.map(
      Emulator,
      ({ url }) => new ApifyClient({ baseUrl: url, maxRetries: 0, ...(token === undefined ? {} : { token }) })
    )

  it.effect("gets the same store by its id and by its name", () =>
    Effect.gen(function* () {
      const client = yield* clientWith(DEMO_TOKEN)
      const [byId, byName] = yield* Effect.promise(() =>
        Promise.all([client.keyValueStore(ID).get(), client.keyValueStore(NAME).get()])
      )
      assert.deepStrictEqual(byId, byName)
      assert.strictEqual(byId?.id, ID)
      assert.deepStrictEqual(byId?.createdAt, new Date("2019-12-12T07:34:14.202Z"))
      assert.strictEqual(byId?.stats?.readCount, 9)
    })
  )

  it.effect("gets undefined for a store that is missing", () =>
    Effect.gen(function* () {
      const client = yield* clientWith(DEMO_TOKEN)
      assert.isUndefined(yield* Effect.promise(() => client.keyValueStore("janedoe/missing").get()))
      assert.isUndefined(yield* Effect.promise(() => client.keyValueStore("AAAAAAAAAAAAAAAAA").get()))
    })
  )

  it.effect("fails as it does at Apify where a token is missing or unknown", () =>
    Effect.gen(function* () {
      for (const [token, statusCode, type] of [
        [undefined, 403, "insufficient-permissions"],
        ["unknown", 401, "user-or-token-not-found"]
      ] as const) {
        const client = yield* clientWith(token)
        const error = yield* Effect.flip(Effect.tryPromise(() => client.keyValueStore(ID).get()))
        assert.instanceOf(error.cause, ApifyApiError)
        assert.deepInclude(error.cause, { statusCode, type })
      }
    })
  )
})
