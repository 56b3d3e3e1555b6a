/**
 * Records of a seed.
 */
import { gzipSync } from "node:zlib"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Emulator, type SeedJson } from "../src/index.js"
import { AT, get, OWNER, put, storeOf } from "./records.js"
import { request, storePath } from "./request.js"
import { scratch } from "./scratch.js"

const STORE = "SeededStore000000"
const COUNTED = "CountedStore00000"

type Records = NonNullable<NonNullable<SeedJson["stores"]>[number]["records"]>

const times = { createdAt: AT, modifiedAt: AT, accessedAt: AT }

const withRecords = (records: Records): SeedJson => ({
  users: [{ username: "owner", tokens: [{ token: OWNER }] }],
  stores: [
    { owner: "owner", store: { id: STORE, ...times }, records },
    { owner: "owner", store: { id: COUNTED, ...times, stats: { storageBytes: 7 } }, records }
  ]
})

const gzipped = gzipSync("zipped")

const records: Records = [
  { key: "text", text: "žluť" },
  { key: "page", text: "<p>", contentType: "text/html" },
  { key: "json", json: { a: [null, 1] } },
  { key: "null", json: null },
  { key: "bytes", base64: "AAH/" },
  { key: "zipped", base64: gzipped.toString("base64"), contentType: "text/plain", contentEncoding: "gzip" }
]

layer(Emulator.layer({ seed: withRecords(records) }))("a record of a seed", (it) => {
  const cases = [
    ["text", "text/plain; charset=utf-8", Buffer.from("žluť")],
    ["page", "text/html", Buffer.from("<p>")],
    ["json", "application/json; charset=utf-8", Buffer.from('{"a":[null,1]}')],
    ["null", "application/json; charset=utf-8", Buffer.from("null")],
    ["bytes", "application/octet-stream", Buffer.from([0, 1, 255])],
    ["zipped", "text/plain", Buffer.from("zipped")]
  ] as const
  for (const [key, contentType, content] of cases) {
    it.effect(`is served as it is written: ${key}`, () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        const { status, headers, bytes } = yield* get(url, STORE, key)
        assert.deepStrictEqual([status, headers["content-type"]], [200, contentType])
        assert.isTrue(bytes.equals(content))
      })
    )
  }

  it.effect("counts for the size of its store alone, unless the seed says how large that is", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const { items } = JSON.parse((yield* request(url, `${storePath(COUNTED)}/keys`, { token: OWNER })).text).data
      const size = items.reduce((sum: number, item: { readonly size: number }) => sum + item.size, 0)
      const { stats, ...store } = yield* storeOf(url, STORE)
      assert.strictEqual(stats.storageBytes, size)
      assert.notProperty(stats, "writeCount")
      assert.strictEqual(store.modifiedAt, AT)
      assert.strictEqual((yield* storeOf(url, COUNTED)).stats.storageBytes, 7)
    })
  )
})

describe("the records of a seed", () => {
  it.scopedLive("are written over those in the database, and others stay", () =>
    Effect.gen(function* () {
      const database = `${yield* scratch}/apify.db`
      const serving = <A, E>(records: Records, use: (url: string) => Effect.Effect<A, E>) =>
        Effect.flatMap(Emulator, ({ url }) => use(url)).pipe(
          Effect.provide(Emulator.layer({ seed: withRecords(records), database }))
        )
      yield* serving([{ key: "a", text: "1" }], (url) =>
        Effect.all([put(url, STORE, "a", "changed"), put(url, STORE, "b", "other")])
      )
      yield* serving([{ key: "a", text: "2" }], (url) =>
        Effect.gen(function* () {
          assert.strictEqual((yield* get(url, STORE, "a")).text, "2")
          assert.strictEqual((yield* get(url, STORE, "b")).text, "other")
          assert.strictEqual((yield* storeOf(url, STORE)).stats.storageBytes, 6)
        })
      )
    })
  )

  const invalid: ReadonlyArray<readonly [what: string, record: Records[number], problem: string]> = [
    ["without a body", { key: "a" }, "has not exactly one of text, json and base64"],
    ["with two bodies", { key: "a", text: "1", json: 1 }, "has not exactly one of text, json and base64"],
    ["with an encoding of text", { key: "a", text: "1", contentEncoding: "gzip" }, "has a contentEncoding without"],
    ["with a key that is none", { key: "a b", text: "1" }, "key"],
    ["with a content type that is none", { key: "a", text: "1", contentType: "text" }, "contentType"],
    ["with bytes that are no base64", { key: "a", base64: "%" }, "base64"]
  ]
  for (const [what, record, problem] of invalid) {
    it.scoped(`${what} are refused`, () =>
      Effect.gen(function* () {
        const start = Effect.provide(Emulator, Emulator.layer({ seed: withRecords([record]) }))
        const error = yield* Effect.flip(start)
        assert.include(error.message, "stores[0].records[0]")
        assert.include(error.message, problem)
      })
    )
  }

  it.scoped("are refused where two have the same key", () =>
    Effect.gen(function* () {
      const seed = withRecords([
        { key: "a", text: "1" },
        { key: "a", text: "2" }
      ])
      const error = yield* Effect.flip(Effect.provide(Emulator, Emulator.layer({ seed })))
      assert.include(error.message, "stores[0].records[1].key is the key of another record of this store")
    })
  )
})
