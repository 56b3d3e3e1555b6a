/**
 * Apify's own client takes the emulator for Apify.
 */
import { assert, layer } from "@effect/vitest"
import { ApifyApiError, ApifyClient } from "apify-client"
import * as Effect from "effect/Effect"
import { DEMO_SECOND_TOKEN, DEMO_TOKEN, Emulator } from "../src/index.js"

const ID = "WkzbQMuFYuamGv3YF"
const NAME = "janedoe/d7b9MDYsbtX5L7XAj"

const SCHEMA = { actorKeyValueStoreSchemaVersion: 1, title: "Mine", collections: {} }

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

  it.effect("makes, lists, changes and deletes stores", () =>
    Effect.gen(function* () {
      const client = yield* clientWith(DEMO_SECOND_TOKEN)
      yield* Effect.promise(async () => {
        const stores = client.keyValueStores()
        const unnamed = await stores.getOrCreate()
        const named = await stores.getOrCreate("my-store", { schema: { ...SCHEMA } })
        assert.isUndefined(unnamed.name)
        const expected = { name: "my-store", username: "johndoe", schema: SCHEMA }
        assert.deepInclude(named, expected)
        assert.instanceOf(named.createdAt, Date)
        assert.strictEqual((await stores.getOrCreate("MY-STORE")).id, named.id)

        const list = await stores.list()
        assert.deepInclude({ ...list }, { total: 1, count: 1, offset: 0, limit: 1000, desc: false })
        assert.deepStrictEqual(
          (await stores.list({ unnamed: true, desc: false, limit: 1, offset: 1 })).items.map(({ id }) => id),
          [unnamed.id, named.id].slice(1)
        )
        const found: Array<string> = []
        for await (const { id } of stores.list({ unnamed: true })) found.push(id)
        assert.sameMembers(found, [unnamed.id, named.id])

        const store = client.keyValueStore(named.id)
        const updated = await store.update({ name: "renamed", title: "A title", generalAccess: "RESTRICTED" })
        assert.deepInclude(updated, { id: named.id, name: "renamed", title: "A title", generalAccess: "RESTRICTED" })
        await store.delete()
        await store.delete()
        assert.isUndefined(await store.get())
      })
    })
  )

  it.effect("fails as it does at Apify where a name is taken, or is none", () =>
    Effect.gen(function* () {
      const client = yield* clientWith(DEMO_SECOND_TOKEN)
      const failing = (run: () => Promise<unknown>) =>
        Effect.map(Effect.flip(Effect.tryPromise(run)), ({ cause }) => {
          assert.instanceOf(cause, ApifyApiError)
          return cause
        })
      const { id } = yield* Effect.promise(() => client.keyValueStores().getOrCreate("one"))
      yield* Effect.promise(() => client.keyValueStores().getOrCreate("two"))
      const taken = yield* failing(() => client.keyValueStore(id).update({ name: "Two" }))
      assert.deepInclude(taken, { statusCode: 400, type: "name-not-unique" })
      const invalid = yield* failing(() => client.keyValueStores().getOrCreate("-"))
      assert.deepInclude(invalid, { statusCode: 400, type: "invalid-value" })
    })
  )
})

layer(Emulator.layer({ seed: `${import.meta.dirname}/../seed.example.json` }))("apify-client, for runs,", (it) => {
  it.effect("gets their stores", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const client = new ApifyClient({ baseUrl: url, maxRetries: 0, token: "apify_api_jane" })
      yield* Effect.promise(async () => {
        const runs = [
          client.run("JanesFirstRun0001"),
          client.actor("JanesActor0000001").lastRun(),
          client.actor("janedoe/my-actor").lastRun({ status: "FAILED" }),
          client.actor("johndoe/scraper").lastRun({ origin: "SCHEDULER" }),
          client.task("my-task").lastRun(),
          client.actor("johndoe/scraper").lastRun({ status: "FAILED" })
        ]
        const stores = await Promise.all(runs.map((run) => run.keyValueStore().get()))
        assert.deepStrictEqual(
          stores.map((store) => store?.name),
          ["open-by-id", "open-by-id", "open-by-id", "restricted", "restricted", undefined]
        )
      })
    })
  )
})
