/**
 * Crawlee keeps its values in the emulator, as it does in Apify.
 */
import { Configuration, KeyValueStore } from "@crawlee/core"
import { assert, describe } from "@effect/vitest"
import type { ApifyClient } from "apify-client"
import { clientOfSmallPages, newStore, officialLayer, uniqueName, withClients } from "./officialClients.js"

/** Configurations remember the stores that were opened. */
const newConfig = (options: ConstructorParameters<typeof Configuration>[0] = {}) =>
  new Configuration({ purgeOnStart: false, persistStorage: false, ...options })

const open = (storageClient: ApifyClient, idOrName: string) =>
  KeyValueStore.open(idOrName, { config: newConfig(), storageClient })

officialLayer("Crawlee", (it) => {
  describe("KeyValueStore.open", () => {
    it.effect("makes a store by its name, and opens it after that", () =>
      withClients(async ({ jane }) => {
        const name = uniqueName("opened")
        const { id } = await open(jane, name)
        assert.strictEqual((await open(jane, name)).id, id)
        assert.strictEqual((await open(jane, id)).name, name)
      })
    )

    it.effect("opens the default store without a name", () =>
      withClients(async ({ jane }) => {
        const { id } = await newStore(jane)
        const config = newConfig({ defaultKeyValueStoreId: id })
        assert.strictEqual((await KeyValueStore.open(null, { config, storageClient: jane })).id, id)
      })
    )
  })

  describe("a store", () => {
    it.effect("keeps a value, until it is set to null", () =>
      withClients(async ({ jane }) => {
        const store = await open(jane, (await newStore(jane)).id)
        await store.setValue("a", { b: [1, null] })
        assert.deepStrictEqual(await store.getValue("a"), { b: [1, null] })
        assert.isTrue(await store.recordExists("a"))
        await store.setValue("a", null)
        assert.isNull(await store.getValue("a"))
        assert.isFalse(await store.recordExists("a"))
      })
    )

    it.effect("keeps text and bytes with their content type, within a time", () =>
      withClients(async ({ jane }) => {
        const store = await open(jane, (await newStore(jane)).id)
        const options = { timeoutSecs: 30, doNotRetryTimeouts: true }
        await store.setValue("text", "Hello", { contentType: "text/plain", ...options })
        await store.setValue("bytes", Buffer.from([0, 255]), { contentType: "image/png", ...options })
        assert.strictEqual(await store.getValue("text"), "Hello")
        assert.deepStrictEqual(await store.getValue("bytes"), Buffer.from([0, 255]))
      })
    )

    it.effect("has each key with its place and size, from page to page", () =>
      withClients(async ({ jane, url }) => {
        const { id, client } = await newStore(jane)
        for (const key of ["e", "d", "c", "b", "a"]) await client.setRecord({ key, value: key })
        const seen: Array<unknown> = []
        await (await open(clientOfSmallPages(url), id)).forEachKey(async (key, index, { size }) => {
          seen.push([key, index, size])
        })
        assert.deepStrictEqual(seen, [
          ["a", 0, 1],
          ["b", 1, 1],
          ["c", 2, 1],
          ["d", 3, 1],
          ["e", 4, 1]
        ])
      })
    )

    it.effect("saves by itself what is asked for as saved", () =>
      withClients(async ({ jane }) => {
        const { id, client } = await newStore(jane)
        const config = newConfig()
        const store = await KeyValueStore.open(id, { config, storageClient: jane })
        const state = await store.getAutoSavedValue("state", { count: 0 })
        state.count = 3
        const events = config.getEventManager()
        events.emit("persistState", { isMigrating: false })
        await events.waitForAllListenersToComplete()
        assert.deepStrictEqual((await client.getRecord("state"))?.value, { count: 3 })
      })
    )

    it.effect("is gone once it is dropped", () =>
      withClients(async ({ jane }) => {
        const store = await open(jane, uniqueName("dropped"))
        await store.drop()
        assert.isUndefined(await jane.keyValueStore(store.id).get())
      })
    )
  })

  it.effect("reads and writes the default store of the configuration that it runs with", () =>
    withClients(async ({ jane }) => {
      const { id, client } = await newStore(jane)
      const config = newConfig({ defaultKeyValueStoreId: id, storageClient: jane })
      await client.setRecord({ key: "INPUT", value: { url: "https://example.com" } })
      await Configuration.storage.run(config, async () => {
        assert.deepStrictEqual(await KeyValueStore.getInput(), { url: "https://example.com" })
        await KeyValueStore.setValue("OUTPUT", "done", { contentType: "text/plain" })
        assert.strictEqual(await KeyValueStore.getValue("OUTPUT"), "done")
        assert.isTrue(await KeyValueStore.recordExists("OUTPUT"))
      })
    })
  )
})
