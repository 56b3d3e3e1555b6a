/**
 * Apify's own client over stores: making, listing, changing and deleting them.
 */
import { assert, describe } from "@effect/vitest"
import { collect, newStore, officialLayer, refusal, uniqueName, withClients } from "./officialClients.js"

const MISSING = "AAAAAAAAAAAAAAAAA"

officialLayer("apify-client, stores", (it) => {
  describe("getOrCreate", () => {
    it.effect("makes a store with a name, an owner, dates and a key for links", () =>
      withClients(async ({ jane }) => {
        const name = uniqueName("made")
        const store = await jane.keyValueStores().getOrCreate(name)
        assert.strictEqual(store.name, name)
        assert.match(store.id, /^[a-zA-Z0-9]{17}$/)
        assert.strictEqual(store.username, "jane")
        assert.instanceOf(store.createdAt, Date)
        assert.deepStrictEqual([store.modifiedAt, store.accessedAt], [store.createdAt, store.createdAt])
        assert.isString(store.urlSigningSecretKey)
        assert.isNotEmpty(store.urlSigningSecretKey)
      })
    )

    it.effect("gives the store that has the name", () =>
      withClients(async ({ jane }) => {
        const name = uniqueName("again")
        const { id } = await jane.keyValueStores().getOrCreate(name)
        assert.strictEqual((await jane.keyValueStores().getOrCreate(name)).id, id)
      })
    )

    it.effect("gives the store that has the name in another case, in the name's first spelling", () =>
      withClients(async ({ jane }) => {
        const name = uniqueName("Cased")
        const { id } = await jane.keyValueStores().getOrCreate(name)
        const again = await jane.keyValueStores().getOrCreate(name.toUpperCase())
        assert.deepInclude(again, { id, name })
      })
    )

    it.effect("makes another store each time without a name", () =>
      withClients(async ({ jane }) => {
        const [first, second] = [await jane.keyValueStores().getOrCreate(), await jane.keyValueStores().getOrCreate()]
        assert.notStrictEqual(first.id, second.id)
        assert.notExists(first.name)
      })
    )

    it.effect("makes a store of its own for each user", () =>
      withClients(async ({ jane, john }) => {
        const name = uniqueName("of-each")
        const ofJane = await jane.keyValueStores().getOrCreate(name)
        const ofJohn = await john.keyValueStores().getOrCreate(name)
        assert.notStrictEqual(ofJane.id, ofJohn.id)
      })
    )

    it.effect("takes a schema, and keeps the records to it", () =>
      withClients(async ({ jane }) => {
        const schema = {
          actorKeyValueStoreSchemaVersion: 1,
          title: "Posts",
          collections: { posts: { title: "Posts", keyPrefix: "post-", contentTypes: ["application/json"] } }
        }
        const store = await jane.keyValueStores().getOrCreate(uniqueName("schema"), { schema })
        assert.deepInclude<object>(store, { schema })
        const client = jane.keyValueStore(store.id)
        await client.setRecord({ key: "post-1", value: { text: "Hello" } })
        await client.setRecord({ key: "other", value: "Hello" })
        assert.deepStrictEqual(await refusal(client.setRecord({ key: "post-2", value: "Hello" })), [
          400,
          "schema-validation-failed"
        ])
        const { items } = await client.listKeys({ collection: "posts" })
        assert.deepStrictEqual(
          items.map(({ key }) => key),
          ["post-1"]
        )
      })
    )

    it.effect("refuses a schema that is none", () =>
      withClients(async ({ jane }) => {
        const call = jane.keyValueStores().getOrCreate(uniqueName("schema"), { schema: { collections: 1 } })
        assert.deepStrictEqual(await refusal(call), [400, "store-schema-invalid"])
      })
    )

    it.effect("refuses a name with other characters", () =>
      withClients(async ({ jane }) => {
        for (const name of ["a b", "-a", "a-", "a_b", "á", "a".repeat(64)]) {
          assert.deepStrictEqual(await refusal(jane.keyValueStores().getOrCreate(name)), [400, "invalid-value"], name)
        }
      })
    )

    it.effect("refuses to make a store without a token", () =>
      withClients(async ({ nobody }) =>
        assert.deepStrictEqual(await refusal(nobody.keyValueStores().getOrCreate("nobodys")), [
          401,
          "token-not-provided"
        ])
      )
    )
  })

  describe("list", () => {
    it.effect("has the user's named stores, and no other's", () =>
      withClients(async ({ jane, john }) => {
        const { id } = await jane.keyValueStores().getOrCreate(uniqueName("listed"))
        const unnamed = await newStore(jane)
        const ids = (await jane.keyValueStores().list()).items.map((store) => store.id)
        assert.include(ids, id)
        assert.notInclude(ids, unnamed.id)
        assert.notInclude(
          (await john.keyValueStores().list()).items.map((store) => store.id),
          id
        )
      })
    )

    it.effect("has the stores without a name too where they are asked for", () =>
      withClients(async ({ jane }) => {
        const named = await jane.keyValueStores().getOrCreate(uniqueName("listed"))
        const unnamed = await newStore(jane)
        const page = await jane.keyValueStores().list({ unnamed: true })
        const ids = page.items.map(({ id }) => id)
        assert.includeMembers(ids, [named.id, unnamed.id])
        assert.isTrue(page.unnamed)
      })
    )

    it.effect("says where the page stands, with dates for dates", () =>
      withClients(async ({ jane }) => {
        await jane.keyValueStores().getOrCreate(uniqueName("listed"))
        await jane.keyValueStores().getOrCreate(uniqueName("listed"))
        const page = await jane.keyValueStores().list({ offset: 1, limit: 1 })
        assert.deepInclude(page, { offset: 1, limit: 1, count: 1, desc: false, unnamed: false })
        assert.isAtLeast(page.total, 2)
        assert.strictEqual(page.items.length, 1)
        assert.instanceOf(page.items[0]?.createdAt, Date)
      })
    )

    it.effect("takes a limit of 0 for none", () =>
      withClients(async ({ jane }) => {
        const page = await jane.keyValueStores().list({ offset: 0, limit: 0 })
        assert.strictEqual(page.items.length, page.total)
      })
    )

    it.effect("begins with the newest store where that is asked for", () =>
      withClients(async ({ jane }) => {
        const up = await jane.keyValueStores().list()
        const down = await jane.keyValueStores().list({ desc: true })
        assert.deepStrictEqual(
          down.items.map(({ id }) => id),
          up.items.map(({ id }) => id).reverse()
        )
      })
    )

    it.effect("tells the user's own stores from those that others share", () =>
      withClients(async ({ john }) => {
        const own = await john.keyValueStores().getOrCreate(uniqueName("own"))
        const mine = await john.keyValueStores().list({ ownership: "ownedByMe" })
        const shared = await john.keyValueStores().list({ ownership: "sharedWithMe" })
        assert.include(
          mine.items.map(({ id }) => id),
          own.id
        )
        assert.deepStrictEqual(
          shared.items.map(({ name }) => name),
          ["granted"]
        )
      })
    )

    it.effect("goes from page to page", () =>
      withClients(async ({ john }) => {
        const made: Array<string> = []
        for (let i = 0; i < 5; i++) made.push((await john.keyValueStores().getOrCreate(uniqueName("paged"))).id)
        // The client asks for what the first page lacks.
        const stores = await collect(john.keyValueStores().list({ limit: 1_000, ownership: "ownedByMe" }))
        assert.includeMembers(
          stores.map(({ id }) => id),
          made
        )
        const two = await collect(john.keyValueStores().list({ limit: 2, offset: 1, ownership: "ownedByMe" }))
        assert.deepStrictEqual(
          two.map(({ id }) => id),
          stores.slice(1, 3).map(({ id }) => id)
        )
      })
    )

    it.effect("is refused without a token", () =>
      withClients(async ({ nobody }) =>
        assert.deepStrictEqual(await refusal(nobody.keyValueStores().list()), [401, "token-not-provided"])
      )
    )
  })

  describe("get", () => {
    it.effect("finds a store by its id, by its owner and name, and by the name alone", () =>
      withClients(async ({ jane }) => {
        const name = uniqueName("found")
        const { id } = await jane.keyValueStores().getOrCreate(name)
        for (const idOrName of [id, `jane/${name}`, `jane~${name}`, `~${name}`]) {
          assert.strictEqual((await jane.keyValueStore(idOrName).get())?.id, id, idOrName)
        }
      })
    )

    it.effect("gives undefined for a store that is missing", () =>
      withClients(async ({ jane }) => {
        assert.isUndefined(await jane.keyValueStore(MISSING).get())
        assert.isUndefined(await jane.keyValueStore("jane/missing").get())
      })
    )

    it.effect("tells what has happened to the store", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await client.setRecord({ key: "a", value: "12345" })
        await client.setRecord({ key: "b", value: "123" })
        await client.getRecord("a")
        await client.listKeys()
        await client.deleteRecord("b")
        assert.deepInclude((await client.get())?.stats, {
          writeCount: 2,
          readCount: 1,
          listCount: 1,
          deleteCount: 1,
          storageBytes: 5
        })
      })
    )
  })

  describe("update", () => {
    it.effect("gives another name, and lets go of the old one", () =>
      withClients(async ({ jane }) => {
        const [before, after] = [uniqueName("before"), uniqueName("after")]
        const { id } = await jane.keyValueStores().getOrCreate(before)
        assert.deepInclude(await jane.keyValueStore(id).update({ name: after }), { id, name: after })
        assert.strictEqual((await jane.keyValueStore(`jane/${after}`).get())?.id, id)
        assert.isUndefined(await jane.keyValueStore(`jane/${before}`).get())
        assert.notStrictEqual((await jane.keyValueStores().getOrCreate(before)).id, id)
      })
    )

    it.effect("takes the name away", () =>
      withClients(async ({ jane }) => {
        const name = uniqueName("taken-away")
        const { id } = await jane.keyValueStores().getOrCreate(name)
        assert.notExists((await jane.keyValueStore(id).update({ name: null })).name)
        assert.isUndefined(await jane.keyValueStore(`jane/${name}`).get())
      })
    )

    it.effect("gives a title, and leaves the name alone", () =>
      withClients(async ({ jane }) => {
        const name = uniqueName("titled")
        const { id } = await jane.keyValueStores().getOrCreate(name)
        await jane.keyValueStore(id).update({ title: "A title" })
        assert.deepInclude(await jane.keyValueStore(id).get(), { name, title: "A title" })
      })
    )

    it.effect("refuses the name of another store of the user's, whatever the case", () =>
      withClients(async ({ jane }) => {
        const [name, other] = [uniqueName("first"), uniqueName("second")]
        await jane.keyValueStores().getOrCreate(name)
        const { id } = await jane.keyValueStores().getOrCreate(other)
        for (const taken of [name, name.toUpperCase()]) {
          const call = jane.keyValueStore(id).update({ name: taken })
          assert.deepStrictEqual(await refusal(call), [400, "name-not-unique"])
        }
        assert.strictEqual((await jane.keyValueStore(id).get())?.name, other)
      })
    )

    it.effect("refuses a name with other characters", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        assert.deepStrictEqual(await refusal(client.update({ name: "a b" })), [400, "invalid-value"])
      })
    )

    it.effect("fails for a store that is missing", () =>
      withClients(async ({ jane }) =>
        assert.deepStrictEqual(await refusal(jane.keyValueStore(MISSING).update({ title: "A title" })), [
          404,
          "record-not-found"
        ])
      )
    )
  })

  describe("delete", () => {
    it.effect("takes the store away with its records", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await client.setRecord({ key: "a", value: "a" })
        await client.delete()
        assert.isUndefined(await client.get())
        assert.isUndefined(await client.getRecord("a"))
      })
    )

    it.effect("does nothing to a store that is missing", () =>
      withClients(({ jane }) => jane.keyValueStore(MISSING).delete())
    )

    it.effect("frees the name", () =>
      withClients(async ({ jane }) => {
        const name = uniqueName("freed")
        const { id } = await jane.keyValueStores().getOrCreate(name)
        await jane.keyValueStore(id).setRecord({ key: "a", value: "a" })
        await jane.keyValueStore(id).delete()
        const again = await jane.keyValueStores().getOrCreate(name)
        assert.notStrictEqual(again.id, id)
        assert.strictEqual((await jane.keyValueStore(again.id).listKeys()).count, 0)
      })
    )
  })
})
