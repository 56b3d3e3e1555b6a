/**
 * Apify's own client over records and keys.
 */
import { randomBytes } from "node:crypto"
import { assert, describe } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import {
  clientOfSmallPages,
  collect,
  collectBytes,
  JANE,
  newStore,
  officialLayer,
  refusal,
  setBytes,
  streamOf,
  withClients
} from "./officialClients.js"

const MISSING = "AAAAAAAAAAAAAAAAA"
const JSON_TYPE = "application/json; charset=utf-8"

const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0xff, 0x00])

officialLayer("apify-client, records", (it) => {
  describe("setRecord and getRecord", () => {
    const values = [
      ["an object", { name: "Jane", nested: { list: [1, null, "ž"] } }],
      ["an array", [1, "two", { three: 3 }]],
      ["an empty object", {}],
      ["a number", 1.5],
      ["zero", 0],
      ["false", false],
      ["null", null]
    ] as const

    for (const [what, value] of values) {
      it.effect(`bring ${what} back as JSON`, () =>
        withClients(async ({ jane }) => {
          const { client } = await newStore(jane)
          await client.setRecord({ key: "value", value: structuredClone(value) })
          assert.deepStrictEqual(await client.getRecord("value"), {
            key: "value",
            value: structuredClone(value),
            contentType: JSON_TYPE
          })
        })
      )
    }

    it.effect.prop(
      "bring any JSON back",
      [fc.jsonValue({ noUnicodeString: false })],
      ([value]) =>
        withClients(async ({ jane }) => {
          const client = jane.keyValueStore("jane~any-json")
          await jane.keyValueStores().getOrCreate("any-json")
          const json: unknown = JSON.parse(JSON.stringify(value))
          await client.setRecord({ key: "value", value: JSON.stringify(value), contentType: "application/json" })
          assert.deepStrictEqual<unknown>((await client.getRecord("value"))?.value, json)
        }),
      { fastCheck: { numRuns: 25 } }
    )

    it.effect("bring text back", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await client.setRecord({ key: "text", value: "Žluťoučký kůň\r\n\0" })
        assert.deepStrictEqual(await client.getRecord("text"), {
          key: "text",
          value: "Žluťoučký kůň\r\n\0",
          contentType: "text/plain; charset=utf-8"
        })
      })
    )

    it.effect("bring HTML back unchanged, with the content type as it was given", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        const value = "<html><head></head><body>Hello</body></html>"
        const contentType = "text/html;charset=UTF-8; x=y"
        await client.setRecord({ key: "page", value, contentType })
        assert.deepStrictEqual(await client.getRecord("page"), { key: "page", value, contentType })
      })
    )

    it.effect("bring bytes back", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await setBytes(client, { key: "bytes", value: png })
        assert.deepStrictEqual<unknown>(await client.getRecord("bytes"), {
          key: "bytes",
          value: png,
          contentType: "application/octet-stream"
        })
      })
    )

    it.effect.prop(
      "bring any bytes back",
      [fc.uint8Array({ maxLength: 4_000 })],
      ([bytes]) =>
        withClients(async ({ jane }) => {
          const client = jane.keyValueStore("jane~any-bytes")
          await jane.keyValueStores().getOrCreate("any-bytes")
          await setBytes(client, { key: "value", value: Buffer.from(bytes), contentType: "image/png" })
          const record = await client.getRecord("value", { buffer: true })
          assert.deepStrictEqual(record?.value, Buffer.from(bytes))
        }),
      { fastCheck: { numRuns: 25 } }
    )

    it.effect("bring a stream back", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await setBytes(client, { key: "stream", value: streamOf(png, png), contentType: "image/png" })
        assert.deepStrictEqual<unknown>(await client.getRecord("stream"), {
          key: "stream",
          value: Buffer.concat([png, png]),
          contentType: "image/png"
        })
      })
    )

    it.effect("bring 5 MiB of a stream back", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        const chunks = Array.from({ length: 80 }, () => randomBytes(65_536))
        await setBytes(client, { key: "large", value: streamOf(...chunks) })
        const record = await client.getRecord("large", { stream: true })
        assert.isDefined(record)
        assert.isTrue((await collectBytes(record.value)).equals(Buffer.concat(chunks)))
      })
    )

    it.effect("tell an empty text from none", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await client.setRecord({ key: "empty", value: "" })
        assert.deepStrictEqual<unknown>(await client.getRecord("empty"), {
          key: "empty",
          value: undefined,
          contentType: "text/plain; charset=utf-8"
        })
        assert.isTrue(await client.recordExists("empty"))
      })
    )

    it.effect("tell no bytes from no record", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await setBytes(client, { key: "empty", value: Buffer.alloc(0) })
        const record = await client.getRecord("empty", { buffer: true })
        assert.deepStrictEqual(record, {
          key: "empty",
          value: Buffer.alloc(0),
          contentType: "application/octet-stream"
        })
      })
    )

    it.effect("bring back what the client compressed on the way", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        const value = "a text that is long enough ".repeat(100)
        await client.setRecord({ key: "long", value })
        assert.strictEqual((await client.getRecord("long"))?.value, value)
        const [item] = (await client.listKeys()).items
        assert.isBelow(item?.size ?? 0, 1_024)
      })
    )

    it.effect("keep what was compressed as it came, for callers who accept that", () =>
      withClients(async ({ jane, url }) => {
        const { client, id } = await newStore(jane)
        const value = "a text that is long enough ".repeat(100)
        await client.setRecord({ key: "long", value })
        const authorization = `Bearer ${JANE}`
        const record = `${url}/v2/key-value-stores/${id}/records/long`
        const encoded = await fetch(record, { headers: { authorization, "accept-encoding": "br" } })
        assert.strictEqual(encoded.headers.get("content-encoding"), "br")
        assert.strictEqual(await encoded.text(), value)
        const decoded = await fetch(record, { headers: { authorization, "accept-encoding": "identity" } })
        assert.isNull(decoded.headers.get("content-encoding"))
        assert.strictEqual(await decoded.text(), value)
      })
    )

    it.effect("put the new record, type and all, in the place of the old", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await client.setRecord({ key: "twice", value: "a much longer text" })
        await client.setRecord({ key: "twice", value: { short: true } })
        assert.deepStrictEqual(await client.getRecord("twice"), {
          key: "twice",
          value: { short: true },
          contentType: JSON_TYPE
        })
        assert.strictEqual((await client.listKeys()).count, 1)
      })
    )

    it.effect("take a key of every character, and of 256 of them", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        for (const key of ["weird-key!'()", "a.b_c-D9", "A".repeat(256)]) {
          await client.setRecord({ key, value: key })
          assert.strictEqual((await client.getRecord(key))?.value, key)
        }
      })
    )

    it.effect("take the limits of the time that a put may take", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await client.setRecord({ key: "timed", value: 1 }, { timeoutSecs: 30, doNotRetryTimeouts: true })
        assert.strictEqual((await client.getRecord("timed"))?.value, 1)
      })
    )
  })

  describe("setRecord", () => {
    it.effect("is refused for a key with other characters, or more of them", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        for (const key of ["a b", "ž", "a%2Fb", "a@b", "A".repeat(257)]) {
          assert.deepStrictEqual(await refusal(client.setRecord({ key, value: 1 })), [400, "invalid-record-key"], key)
        }
        assert.strictEqual((await client.listKeys()).count, 0)
      })
    )

    it.effect("is refused for a content type that is none", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        const call = client.setRecord({ key: "a", value: "a", contentType: "not a type" })
        assert.deepStrictEqual(await refusal(call), [400, "invalid-content-type-header"])
      })
    )

    it.effect("fails for a store that is missing", () =>
      withClients(async ({ jane }) =>
        assert.deepStrictEqual(await refusal(jane.keyValueStore(MISSING).setRecord({ key: "a", value: 1 })), [
          404,
          "record-not-found"
        ])
      )
    )
  })

  describe("getRecord", () => {
    it.effect("gives the bytes of any record where a buffer is asked for", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await client.setRecord({ key: "json", value: { a: 1 } })
        const record = await client.getRecord("json", { buffer: true })
        assert.deepStrictEqual(record, {
          key: "json",
          value: Buffer.from('{\n  "a": 1\n}'),
          contentType: JSON_TYPE
        })
      })
    )

    it.effect("gives a stream where one is asked for", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await client.setRecord({ key: "json", value: { a: 1 } })
        const record = await client.getRecord("json", { stream: true })
        assert.isDefined(record)
        assert.strictEqual(record.contentType, JSON_TYPE)
        assert.strictEqual((await collectBytes(record.value)).toString(), '{\n  "a": 1\n}')
      })
    )

    it.effect("takes the option of old that keeps redirects away", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await client.setRecord({ key: "json", value: { a: 1 } })
        const options = { buffer: true, disableRedirect: true } as const
        assert.strictEqual((await client.getRecord("json", options))?.value.toString(), '{\n  "a": 1\n}')
      })
    )

    it.effect("gives undefined for a key that is missing, in every form", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        assert.isUndefined(await client.getRecord("missing"))
        assert.isUndefined(await client.getRecord("missing", { buffer: true }))
      })
    )

    it.effect("gives undefined for a store that is missing", () =>
      withClients(async ({ jane }) => assert.isUndefined(await jane.keyValueStore(MISSING).getRecord("a")))
    )

    it.effect("is refused for a key with other characters", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        assert.deepStrictEqual(await refusal(client.getRecord("a b")), [400, "invalid-record-key"])
      })
    )

    it.effect("is asked for a download, and answered as one", () =>
      withClients(async ({ jane, url }) => {
        const { client, id } = await newStore(jane)
        await client.setRecord({ key: "page", value: "<p>Hello</p>", contentType: "text/html" })
        const response = await fetch(`${url}/v2/key-value-stores/${id}/records/page?attachment=true`, {
          headers: { authorization: `Bearer ${JANE}` }
        })
        assert.match(response.headers.get("content-disposition") ?? "", /^attachment/)
        assert.strictEqual(await response.text(), "<p>Hello</p>")
      })
    )
  })

  describe("recordExists", () => {
    it.effect("tells a record that is there from one that is not", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await client.setRecord({ key: "there", value: 1 })
        assert.isTrue(await client.recordExists("there"))
        assert.isFalse(await client.recordExists("missing"))
      })
    )

    it.effect("is false for a store that is missing", () =>
      withClients(async ({ jane }) => assert.isFalse(await jane.keyValueStore(MISSING).recordExists("a")))
    )
  })

  describe("deleteRecord", () => {
    it.effect("takes the record away, and no other", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await client.setRecord({ key: "a", value: 1 })
        await client.setRecord({ key: "b", value: 2 })
        await client.deleteRecord("a")
        assert.isUndefined(await client.getRecord("a"))
        assert.strictEqual((await client.getRecord("b"))?.value, 2)
      })
    )

    it.effect("does nothing to a key that is missing", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        await client.deleteRecord("missing")
      })
    )

    it.effect("fails for a store that is missing", () =>
      withClients(async ({ jane }) =>
        assert.deepStrictEqual(await refusal(jane.keyValueStore(MISSING).deleteRecord("a")), [404, "record-not-found"])
      )
    )
  })

  describe("listKeys", () => {
    it.effect("has the keys in the order of their bytes, with their sizes and URLs", () =>
      withClients(async ({ jane, url }) => {
        const { client, id } = await newStore(jane)
        for (const key of ["b", "a", "B", "_", "1", "!", "a.b"]) await client.setRecord({ key, value: key })
        const { items, ...page } = await client.listKeys()
        assert.deepStrictEqual<unknown>(page, {
          count: 7,
          limit: 1_000,
          exclusiveStartKey: null,
          isTruncated: false,
          nextExclusiveStartKey: null
        })
        assert.deepStrictEqual(
          items.map(({ key, size }) => [key, size]),
          [
            ["!", 1],
            ["1", 1],
            ["B", 1],
            ["_", 1],
            ["a", 1],
            ["a.b", 3],
            ["b", 1]
          ]
        )
        const { recordPublicUrl } = items[4] ?? assert.fail()
        assert.isTrue(recordPublicUrl.startsWith(`${url}/v2/key-value-stores/${id}/records/a`))
      })
    )

    it.effect("has none in an empty store", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        assert.deepInclude(await client.listKeys(), { items: [], count: 0, isTruncated: false })
        assert.deepStrictEqual(await collect(client.listKeys()), [])
      })
    )

    it.effect("begins after a key, which need not be there, and ends at the limit", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        for (const key of ["a", "b", "c", "d"]) await client.setRecord({ key, value: 1 })
        const page = await client.listKeys({ exclusiveStartKey: "aa", limit: 2 })
        assert.deepInclude(page, {
          count: 2,
          limit: 2,
          exclusiveStartKey: "aa",
          isTruncated: true,
          nextExclusiveStartKey: "c"
        })
        assert.deepStrictEqual(
          page.items.map(({ key }) => key),
          ["b", "c"]
        )
      })
    )

    it.effect("has those with a prefix", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        for (const key of ["a", "image-", "image-1", "image.2", "imagf"]) await client.setRecord({ key, value: 1 })
        assert.deepStrictEqual(
          (await client.listKeys({ prefix: "image-" })).items.map(({ key }) => key),
          ["image-", "image-1"]
        )
      })
    )

    it.effect("goes from page to page to the last key, or to the limit", () =>
      withClients(async ({ jane, url }) => {
        const { client, id } = await newStore(jane)
        for (const key of ["a", "b", "c", "d", "e", "f"]) await client.setRecord({ key, value: 1 })
        const paged = clientOfSmallPages(url).keyValueStore(id)
        const keysOf = async (items: AsyncIterable<{ readonly key: string }>) =>
          (await collect(items)).map(({ key }) => key)
        assert.deepStrictEqual(await keysOf(paged.listKeys()), ["a", "b", "c", "d", "e", "f"])
        assert.deepStrictEqual(await keysOf(paged.listKeys({ exclusiveStartKey: "a" })), ["b", "c", "d", "e", "f"])
        assert.deepStrictEqual(await keysOf(paged.listKeys({ limit: 4 })), ["a", "b", "c", "d"])
      })
    )

    it.effect("is refused for a collection that the store has not", () =>
      withClients(async ({ jane }) => {
        const { client } = await newStore(jane)
        assert.deepStrictEqual(await refusal(client.listKeys({ collection: "posts" })), [400, "invalid-value"])
      })
    )

    it.effect("fails for a store that is missing", () =>
      withClients(async ({ jane }) =>
        assert.deepStrictEqual(await refusal(jane.keyValueStore(MISSING).listKeys()), [404, "record-not-found"])
      )
    )
  })
})
