/**
 * The Apify SDK takes the emulator for the platform.
 */
import { spawn } from "node:child_process"
import { assert, describe } from "@effect/vitest"
import { Actor, Configuration, type ConfigurationOptions, KeyValueStore, log } from "apify"
import {
  type Clients,
  collectBytes,
  first,
  JANE,
  newStore,
  officialLayer,
  refusal,
  uniqueName,
  withClients
} from "./officialClients.js"

log.setLevel(log.LEVELS.OFF)

const optionsFor = (url: string): ConfigurationOptions => ({
  apiBaseUrl: url,
  apiPublicBaseUrl: url,
  token: JANE,
  purgeOnStart: false
})

/** An Actor that runs elsewhere with all its storages at the emulator, and the client of its default store. */
const newActor = async ({ url, jane }: Clients) => {
  const { client, id } = await newStore(jane)
  const actor = new Actor({ ...optionsFor(url), defaultKeyValueStoreId: id })
  actor.config.useStorageClient(actor.apifyClient)
  return { actor, client, id }
}

/** The exit code and the output of a program that runs as the platform runs an Actor. */
const runAtHome = (program: string, env: Record<string, string>) =>
  new Promise<{ readonly code: number | null; readonly output: string }>((resolve, reject) => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: import.meta.dirname,
      env: { PATH: process.env.PATH, APIFY_IS_AT_HOME: "1", ...env }
    })
    const chunks: Array<Buffer> = []
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk))
    child.on("error", reject)
    child.on("close", (code) => resolve({ code, output: Buffer.concat(chunks).toString() }))
  })

officialLayer("Apify SDK", (it) => {
  describe("the default store", () => {
    it.effect("gives the Actor its input", () =>
      withClients(async (clients) => {
        const { actor, client } = await newActor(clients)
        await client.setRecord({ key: "INPUT", value: { url: "https://example.com" } })
        assert.deepStrictEqual(await actor.getInput(), { url: "https://example.com" })
        assert.deepStrictEqual(await actor.getInputOrThrow(), { url: "https://example.com" })
      })
    )

    it.effect("has no input where none was put", () =>
      withClients(async (clients) => {
        const { actor } = await newActor(clients)
        assert.isNull(await actor.getInput())
        const failure = await actor.getInputOrThrow().then(
          () => undefined,
          (error: unknown) => error
        )
        assert.instanceOf(failure, Error)
      })
    )

    it.effect("keeps what setValue is given, for getValue", () =>
      withClients(async (clients) => {
        const { actor, client } = await newActor(clients)
        await actor.setValue("OUTPUT", { items: [1, 2] })
        assert.deepStrictEqual(await actor.getValue("OUTPUT"), { items: [1, 2] })
        assert.strictEqual((await client.getRecord("OUTPUT"))?.contentType, "application/json; charset=utf-8")
        assert.isNull(await actor.getValue("missing"))
      })
    )

    it.effect("keeps text and bytes with their content type", () =>
      withClients(async (clients) => {
        const { actor } = await newActor(clients)
        await actor.setValue("page", "<p>Hello</p>", { contentType: "text/html" })
        await actor.setValue("image", Buffer.from([0x89, 0x50, 0xff]), { contentType: "image/png" })
        assert.strictEqual(await actor.getValue("page"), "<p>Hello</p>")
        assert.deepStrictEqual(await actor.getValue("image"), Buffer.from([0x89, 0x50, 0xff]))
      })
    )

    it.effect("loses what setValue sets to null", () =>
      withClients(async (clients) => {
        const { actor, client } = await newActor(clients)
        await actor.setValue("gone", 1)
        await actor.setValue("gone", null)
        assert.isFalse(await client.recordExists("gone"))
        await actor.setValue("never-there", null)
      })
    )

    it.effect("is opened without a name", () =>
      withClients(async (clients) => {
        const { actor, id } = await newActor(clients)
        assert.strictEqual((await actor.openKeyValueStore()).id, id)
      })
    )
  })

  describe("openKeyValueStore", () => {
    it.effect("opens a store by its id", () =>
      withClients(async (clients) => {
        const { actor } = await newActor(clients)
        const { id } = await newStore(clients.jane)
        assert.strictEqual((await actor.openKeyValueStore(id)).id, id)
        assert.strictEqual((await actor.openKeyValueStore({ id })).id, id)
      })
    )

    it.effect("makes a store by its name, and opens it after that", () =>
      withClients(async (clients) => {
        const { actor } = await newActor(clients)
        const { actor: other } = await newActor(clients)
        const name = uniqueName("opened")
        const store = await actor.openKeyValueStore(name)
        assert.strictEqual(store.name, name)
        assert.strictEqual((await other.openKeyValueStore({ name })).id, store.id)
        assert.strictEqual((await clients.jane.keyValueStore(`jane/${name}`).get())?.id, store.id)
      })
    )

    it.effect("opens a store at Apify from an Actor whose storages are elsewhere", () =>
      withClients(async ({ url, jane }) => {
        const { id } = await newStore(jane)
        const actor = new Actor(optionsFor(url))
        assert.strictEqual((await actor.openKeyValueStore(id, { forceCloud: true })).id, id)
      })
    )

    it.effect("fails for a store of another user's", () =>
      withClients(async (clients) => {
        const { actor } = await newActor(clients)
        const { id } = await newStore(clients.john)
        assert.deepStrictEqual(await refusal(actor.openKeyValueStore(id)), [403, "insufficient-permissions"])
      })
    )
  })

  describe("a store", () => {
    it.effect("tells a record that is there from one that is not", () =>
      withClients(async (clients) => {
        const { actor } = await newActor(clients)
        const store = await actor.openKeyValueStore()
        await store.setValue("there", 1)
        assert.isTrue(await store.recordExists("there"))
        assert.isFalse(await store.recordExists("missing"))
      })
    )

    it.effect("gives a default for a record that is not there", () =>
      withClients(async (clients) => {
        const { actor } = await newActor(clients)
        const store = await actor.openKeyValueStore()
        assert.strictEqual(await store.getValue("missing", "a default"), "a default")
      })
    )

    it.effect("has each key with its place and size, in order", () =>
      withClients(async (clients) => {
        const { actor } = await newActor(clients)
        const store = await actor.openKeyValueStore()
        for (const key of ["b", "a", "c"]) await store.setValue(key, key, { contentType: "text/plain" })
        const seen: Array<unknown> = []
        await store.forEachKey(async (key, index, { size }) => {
          seen.push([key, index, size])
        })
        assert.deepStrictEqual(seen, [
          ["a", 0, 1],
          ["b", 1, 1],
          ["c", 2, 1]
        ])
      })
    )

    it.effect("has the keys after one, and those with a prefix", () =>
      withClients(async (clients) => {
        const { actor } = await newActor(clients)
        const store = await actor.openKeyValueStore()
        for (const key of ["a", "image-1", "image-2", "image-3", "z"]) await store.setValue(key, 1)
        const seen: Array<string> = []
        await store.forEachKey(
          async (key) => {
            seen.push(key)
          },
          { prefix: "image-", exclusiveStartKey: "image-1" }
        )
        assert.deepStrictEqual(seen, ["image-2", "image-3"])
      })
    )

    it.effect("gives a link that opens the record to anyone", () =>
      withClients(async (clients) => {
        const { actor } = await newActor(clients)
        const store = await actor.openKeyValueStore()
        await store.setValue("weird-key!'()", { hello: "world" })
        const response = await fetch(store.getPublicUrl("weird-key!'()"))
        assert.deepStrictEqual(await response.json(), { hello: "world" })
      })
    )

    it.effect("is gone once it is dropped", () =>
      withClients(async (clients) => {
        const { actor } = await newActor(clients)
        const store = await actor.openKeyValueStore(uniqueName("dropped"))
        await store.drop()
        assert.isUndefined(await clients.jane.keyValueStore(store.id).get())
      })
    )
  })

  it.effect("opens a store by KeyValueStore.open, with a client as its storage", () =>
    withClients(async ({ url, jane }) => {
      const { id, client } = await newStore(jane)
      const store = await KeyValueStore.open(id, { config: new Configuration(optionsFor(url)), storageClient: jane })
      await store.setValue("a", { b: 1 })
      assert.deepStrictEqual((await client.getRecord("a"))?.value, { b: 1 })
    })
  )

  it.effect("makes clients that reach the emulator", () =>
    withClients(async (clients) => {
      const { actor, id, client } = await newActor(clients)
      await client.setRecord({ key: "a", value: "streamed" })
      const record = await actor.newClient().keyValueStore(id).getRecord("a", { stream: true })
      assert.strictEqual((await collectBytes(record?.value ?? assert.fail())).toString(), "streamed")
    })
  )

  it.effect("runs an Actor that knows the platform by its environment alone", () =>
    withClients(async ({ url, jane }) => {
      const images = await newStore(jane)
      const client = jane.run(first.id).keyValueStore()
      await client.setRecord({ key: "INPUT", value: { greeting: "Hello" } })
      const { code, output } = await runAtHome(
        `import { Actor } from "apify"
         await Actor.init()
         const { greeting } = await Actor.getInputOrThrow()
         await Actor.setValue("OUTPUT", { answer: greeting + ", world" })
         const store = await Actor.openKeyValueStore()
         await Actor.setValue("LINK", store.getPublicUrl("OUTPUT"))
         const images = await Actor.openKeyValueStore({ alias: "images" })
         await images.setValue("logo", "<svg/>", { contentType: "image/svg+xml" })
         await Actor.exit()`,
        {
          ACTOR_DEFAULT_KEY_VALUE_STORE_ID: first.store,
          ACTOR_RUN_ID: first.id,
          ACTOR_STORAGES_JSON: JSON.stringify({ keyValueStores: { images: images.id } }),
          APIFY_ACTOR_PRICING_INFO: "{}",
          APIFY_API_BASE_URL: url,
          APIFY_API_PUBLIC_BASE_URL: url,
          APIFY_CHARGED_ACTOR_EVENT_COUNTS: "{}",
          APIFY_TOKEN: JANE
        }
      )
      assert.strictEqual(code, 0, output)
      assert.deepStrictEqual((await client.getRecord("OUTPUT"))?.value, { answer: "Hello, world" })
      const link = String((await client.getRecord("LINK"))?.value)
      assert.deepStrictEqual(await (await fetch(link)).json(), { answer: "Hello, world" })
      assert.strictEqual((await images.client.getRecord("logo"))?.contentType, "image/svg+xml")
    })
  )
})
