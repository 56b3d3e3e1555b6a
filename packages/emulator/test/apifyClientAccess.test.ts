/**
 * Apify's own client in the hands of several callers: what each may do, and what signed links open.
 */
import { assert, describe } from "@effect/vitest"
import { ApifyApiError, ApifyClient } from "apify-client"
import {
  collect,
  collectBytes,
  GRANTED_STORE,
  newStore,
  officialLayer,
  refusal,
  uniqueName,
  withClients
} from "./officialClients.js"

const NO_RIGHTS = [403, "insufficient-permissions"] as const
const NO_TOKEN = [401, "token-not-provided"] as const

const signatureOf = (url: string): string => new URL(url).searchParams.get("signature") ?? assert.fail(url)

const statusOf = async (url: string): Promise<number> => (await fetch(url)).status

const keysAt = async (url: string): Promise<ReadonlyArray<string>> => {
  const body: { data: { items: ReadonlyArray<{ key: string }> } } = await (await fetch(url)).json()
  return body.data.items.map(({ key }) => key)
}

officialLayer("apify-client, access", (it) => {
  describe("a restricted store of another user's", () => {
    it.effect("cannot be read", () =>
      withClients(async ({ jane, john }) => {
        const { id } = await newStore(jane)
        await jane.keyValueStore(id).setRecord({ key: "a", value: 1 })
        const client = john.keyValueStore(id)
        assert.deepStrictEqual(await refusal(client.get()), NO_RIGHTS)
        assert.deepStrictEqual(await refusal(client.listKeys()), NO_RIGHTS)
        assert.deepStrictEqual(await refusal(client.getRecord("a")), NO_RIGHTS)
        assert.deepStrictEqual(await refusal(client.getRecord("a", { buffer: true })), NO_RIGHTS)
        assert.deepStrictEqual(await refusal(client.getRecord("missing")), NO_RIGHTS)
      })
    )

    it.effect("does not tell whether a record exists, with a refusal that has no body", () =>
      withClients(async ({ jane, john }) => {
        const { id } = await newStore(jane)
        assert.deepStrictEqual(await refusal(john.keyValueStore(id).recordExists("a")), [403, undefined])
      })
    )

    it.effect("cannot be changed", () =>
      withClients(async ({ jane, john }) => {
        const { id, client: own } = await newStore(jane)
        await own.setRecord({ key: "a", value: 1 })
        const client = john.keyValueStore(id)
        assert.deepStrictEqual(await refusal(client.setRecord({ key: "a", value: 2 })), NO_RIGHTS)
        assert.deepStrictEqual(await refusal(client.deleteRecord("a")), NO_RIGHTS)
        assert.deepStrictEqual(await refusal(client.update({ name: "johns" })), NO_RIGHTS)
        assert.deepStrictEqual(await refusal(client.delete()), NO_RIGHTS)
        assert.strictEqual((await own.getRecord("a"))?.value, 1)
      })
    )

    it.effect("is refused in the words that the official tests look for", () =>
      withClients(async ({ jane, john }) => {
        const { id } = await newStore(jane)
        const error = await john
          .keyValueStore(id)
          .listKeys()
          .then(
            () => undefined,
            (failure: unknown) => failure
          )
        assert.instanceOf(error, ApifyApiError)
        assert.include(error.message, "Insufficient permissions for the key-value store.")
        assert.strictEqual(error.httpMethod, "get")
        assert.strictEqual(error.path, `/v2/key-value-stores/${id}/keys`)
      })
    )
  })

  describe("a restricted store without a token", () => {
    it.effect("cannot be read", () =>
      withClients(async ({ jane, nobody }) => {
        const client = nobody.keyValueStore((await newStore(jane)).id)
        assert.deepStrictEqual(await refusal(client.get()), NO_RIGHTS)
        assert.deepStrictEqual(await refusal(client.listKeys()), NO_RIGHTS)
        assert.deepStrictEqual(await refusal(client.getRecord("a")), NO_RIGHTS)
      })
    )

    it.effect("cannot be changed", () =>
      withClients(async ({ jane, nobody }) => {
        const client = nobody.keyValueStore((await newStore(jane)).id)
        assert.deepStrictEqual(await refusal(client.setRecord({ key: "a", value: 2 })), NO_TOKEN)
        assert.deepStrictEqual(await refusal(client.deleteRecord("a")), NO_TOKEN)
        assert.deepStrictEqual(await refusal(client.update({ name: "nobodys" })), NO_TOKEN)
        assert.deepStrictEqual(await refusal(client.delete()), NO_TOKEN)
      })
    )
  })

  describe("a store that is opened", () => {
    it.effect("can be read by anyone with its id, and changed by none of them", () =>
      withClients(async ({ jane, john, nobody }) => {
        const { id, client: own } = await newStore(jane)
        await own.setRecord({ key: "a", value: 1 })
        const { generalAccess } = await own.update({ generalAccess: "ANYONE_WITH_ID_CAN_READ" })
        assert.strictEqual(generalAccess, "ANYONE_WITH_ID_CAN_READ")
        for (const [caller, noWriting] of [
          [john, NO_RIGHTS],
          [nobody, NO_TOKEN]
        ] as const) {
          const client = caller.keyValueStore(id)
          assert.strictEqual((await client.get())?.id, id)
          assert.notExists((await client.get())?.urlSigningSecretKey)
          assert.strictEqual((await client.getRecord("a"))?.value, 1)
          assert.isTrue(await client.recordExists("a"))
          assert.strictEqual((await client.listKeys()).count, 1)
          assert.deepStrictEqual(await refusal(client.setRecord({ key: "a", value: 2 })), noWriting)
        }
      })
    )

    it.effect("is closed to a token that nobody has", () =>
      withClients(async ({ jane, url }) => {
        const { id, client } = await newStore(jane)
        await client.update({ generalAccess: "ANYONE_WITH_ID_CAN_READ" })
        const stranger = new ApifyClient({ baseUrl: url, maxRetries: 0, token: "unknown" })
        assert.deepStrictEqual(await refusal(stranger.keyValueStore(id).getRecord("a")), [
          401,
          "user-or-token-not-found"
        ])
      })
    )

    it.effect("by its name too can be read by that name", () =>
      withClients(async ({ jane, nobody }) => {
        const name = uniqueName("open")
        const { id } = await jane.keyValueStores().getOrCreate(name)
        const byName = nobody.keyValueStore(`jane/${name}`)
        await jane.keyValueStore(id).update({ generalAccess: "ANYONE_WITH_ID_CAN_READ" })
        assert.deepStrictEqual(await refusal(byName.get()), NO_RIGHTS)
        await jane.keyValueStore(id).update({ generalAccess: "ANYONE_WITH_NAME_CAN_READ" })
        assert.strictEqual((await byName.get())?.id, id)
      })
    )

    it.effect("can be closed again", () =>
      withClients(async ({ jane, nobody }) => {
        const { id, client } = await newStore(jane)
        for (const generalAccess of ["RESTRICTED", "FOLLOW_USER_SETTING", null] as const) {
          await client.update({ generalAccess: "ANYONE_WITH_ID_CAN_READ" })
          assert.strictEqual((await nobody.keyValueStore(id).listKeys()).count, 0)
          await client.update({ generalAccess })
          assert.deepStrictEqual(await refusal(nobody.keyValueStore(id).listKeys()), NO_RIGHTS, String(generalAccess))
        }
      })
    )
  })

  describe("a store that somebody may read", () => {
    it.effect("is read by them, and not changed", () =>
      withClients(async ({ jane, john }) => {
        await jane.keyValueStore(GRANTED_STORE).setRecord({ key: "a", value: 1 })
        const client = john.keyValueStore("jane/granted")
        assert.strictEqual((await client.getRecord("a"))?.value, 1)
        assert.deepStrictEqual(await refusal(client.setRecord({ key: "a", value: 2 })), NO_RIGHTS)
        assert.deepStrictEqual(await refusal(client.delete()), NO_RIGHTS)
      })
    )

    it.effect("gives them no links that open it to others", () =>
      withClients(async ({ jane, john }) => {
        await jane.keyValueStore(GRANTED_STORE).setRecord({ key: "a", value: 1 })
        const url = await john.keyValueStore(GRANTED_STORE).getRecordPublicUrl("a")
        assert.isNull(new URL(url).searchParams.get("signature"))
        assert.strictEqual(await statusOf(url), 403)
      })
    )
  })

  describe("getRecordPublicUrl", () => {
    it.effect("opens the record to anyone", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await client.setRecord({ key: "weird-key!'()", value: { hello: "world" } })
        const response = await fetch(await client.getRecordPublicUrl("weird-key!'()"))
        assert.strictEqual(response.status, 200)
        assert.deepStrictEqual(await response.json(), { hello: "world" })
      })
    )

    it.effect("opens no other record, and not the store", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await client.setRecord({ key: "a", value: 1 })
        await client.setRecord({ key: "b", value: 2 })
        const url = await client.getRecordPublicUrl("a")
        assert.strictEqual(await statusOf(url.replace("/records/a", "/records/b")), 403)
        assert.strictEqual(await statusOf(url.replace("/records/a", "/keys")), 403)
        assert.strictEqual(await statusOf(url.replace("/records/a", "")), 403)
      })
    )

    it.effect("is the URL that the list of keys has", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await client.setRecord({ key: "a", value: 1 })
        assert.strictEqual((await client.listKeys()).items[0]?.recordPublicUrl, await client.getRecordPublicUrl("a"))
      })
    )
  })

  describe("createKeysPublicUrl", () => {
    it.effect("opens the list of keys to anyone, for ever", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await client.setRecord({ key: "a", value: 1 })
        assert.deepStrictEqual(await keysAt(await client.createKeysPublicUrl()), ["a"])
      })
    )

    it.effect("opens it for a time", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await client.setRecord({ key: "a", value: 1 })
        assert.deepStrictEqual(await keysAt(await client.createKeysPublicUrl({ expiresInSecs: 300 })), ["a"])
      })
    )

    it.effect("opens nothing once the time is over", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        assert.strictEqual(await statusOf(await client.createKeysPublicUrl({ expiresInSecs: -1 })), 403)
      })
    )

    it.effect("says which keys", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        for (const key of ["a", "image-1", "image-2", "image-3", "z"]) await client.setRecord({ key, value: 1 })
        const images = await client.createKeysPublicUrl({ prefix: "image-", exclusiveStartKey: "image-1" })
        assert.deepStrictEqual(await keysAt(images), ["image-2", "image-3"])
        assert.deepStrictEqual(await keysAt(await client.createKeysPublicUrl({ limit: 1 })), ["a"])
      })
    )

    it.effect("says which collection", () =>
      withClients(async ({ jane }) => {
        const schema = {
          actorKeyValueStoreSchemaVersion: 1,
          title: "Posts",
          collections: { posts: { title: "Posts", keyPrefix: "post-" } }
        }
        const { id } = await jane.keyValueStores().getOrCreate(uniqueName("posts"), { schema })
        const client = jane.keyValueStore(id)
        for (const key of ["a", "post-1", "z"]) await client.setRecord({ key, value: 1 })
        assert.deepStrictEqual(await keysAt(await client.createKeysPublicUrl({ collection: "posts" })), ["post-1"])
      })
    )

    it.effect("opens no record, and not the store", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await client.setRecord({ key: "a", value: 1 })
        const url = await client.createKeysPublicUrl()
        assert.strictEqual(await statusOf(url.replace("/keys?", "/records/a?")), 403)
        assert.strictEqual(await statusOf(url.replace("/keys?", "?")), 403)
      })
    )

    it.effect("opens no other store", () =>
      withClients(async ({ jane }) => {
        const [first, second] = [await newStore(jane), await newStore(jane)]
        const url = await first.client.createKeysPublicUrl()
        assert.strictEqual(await statusOf(url.replace(first.id, second.id)), 403)
      })
    )
  })

  describe("a signature in the hands of another user", () => {
    it.effect("lists the keys", () =>
      withClients(async ({ jane, john, nobody }) => {
        const { id, client } = await newStore(jane)
        await client.setRecord({ key: "a", value: 1 })
        const signature = signatureOf(await client.createKeysPublicUrl())
        for (const caller of [john, nobody]) {
          const keys = await collect(caller.keyValueStore(id).listKeys({ signature }))
          assert.deepStrictEqual(
            keys.map(({ key }) => key),
            ["a"]
          )
        }
      })
    )

    it.effect("gets its record in every form", () =>
      withClients(async ({ jane, john, nobody }) => {
        const { id, client } = await newStore(jane)
        await client.setRecord({ key: "a", value: { b: 1 } })
        const signature = signatureOf(await client.getRecordPublicUrl("a"))
        for (const caller of [john, nobody]) {
          const other = caller.keyValueStore(id)
          assert.deepStrictEqual((await other.getRecord("a", { signature }))?.value, { b: 1 })
          const bytes = (await other.getRecord("a", { signature, buffer: true }))?.value
          assert.strictEqual(bytes?.toString(), '{\n  "b": 1\n}')
          const stream = (await other.getRecord("a", { signature, stream: true }))?.value ?? assert.fail()
          assert.strictEqual((await collectBytes(stream)).toString(), '{\n  "b": 1\n}')
        }
      })
    )

    it.effect("gets nothing if it is not the right one", () =>
      withClients(async ({ jane, john }) => {
        const { id, client } = await newStore(jane)
        await client.setRecord({ key: "a", value: 1 })
        const ofKeys = signatureOf(await client.createKeysPublicUrl())
        const ofRecord = signatureOf(await client.getRecordPublicUrl("a"))
        const other = john.keyValueStore(id)
        assert.deepStrictEqual(await refusal(other.getRecord("a", { signature: ofKeys })), NO_RIGHTS)
        assert.deepStrictEqual(await refusal(other.getRecord("a", { signature: `${ofRecord}x` })), NO_RIGHTS)
        assert.deepStrictEqual(await refusal(other.listKeys({ signature: ofRecord })), NO_RIGHTS)
      })
    )
  })
})
