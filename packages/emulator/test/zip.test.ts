/**
 * The zip of all records over real sockets.
 */
import { randomBytes } from "node:crypto"
import * as Http from "node:http"
import { brotliCompressSync, gzipSync } from "node:zlib"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { strFromU8, unzipSync } from "fflate"
import { databaseLayer } from "../src/Database.js"
import { Emulator } from "../src/index.js"
import { CHUNK_BYTES } from "../src/Uploads.js"
import { zip } from "../src/Zip.js"
import { CLOSED, COLLECTIONS, OPEN_BY_ID, OPEN_BY_NAME, OWNER, put, seed, storeOf, WITHOUT_SECRET } from "./records.js"
import { request, storePath } from "./request.js"
import { scratch } from "./scratch.js"

const zipOf = (url: string, store: string, query = "") =>
  Effect.map(request(url, `${storePath(store)}/records${query}`, { token: OWNER }), ({ status, headers, bytes }) => {
    assert.strictEqual(status, 200)
    let entries = 0
    const filter = (): boolean => {
      entries += 1
      return true
    }
    const files = Object.entries(unzipSync(bytes, { filter }))
    assert.lengthOf(files, entries, "a file is in it twice")
    return { headers, files }
  })

const textsOf = (url: string, store: string, query = "") =>
  Effect.map(zipOf(url, store, query), ({ files }) => files.map(([name, bytes]) => [name, strFromU8(bytes)]))

layer(Emulator.layer({ seed }))("the zip", (it) => {
  it.effect("of an empty store has no entries", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const { headers, files } = yield* zipOf(url, OPEN_BY_NAME)
      assert.deepStrictEqual(files, [])
      assert.strictEqual(headers["content-type"], "application/zip")
      assert.strictEqual(headers["x-ratelimit-limit"], "60")
    })
  )

  it.effect("is a file of the name of its store, or of its ID", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      for (const [store, name] of [
        [CLOSED, "closed"],
        [OPEN_BY_ID, OPEN_BY_ID]
      ] as const) {
        const { headers } = yield* zipOf(url, store)
        assert.strictEqual(headers["content-disposition"], `attachment; filename="${name}.zip"`)
      }
    })
  )

  it.effect("has every record by its key, in the order of keys, without its encoding", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const large = "large ".repeat(CHUNK_BYTES)
      yield* put(url, CLOSED, "z", "last")
      yield* put(url, CLOSED, "gzip", gzipSync("zipped"), { headers: { "content-encoding": "gzip" } })
      yield* put(url, CLOSED, "large", brotliCompressSync(large), { headers: { "content-encoding": "br" } })
      yield* put(url, CLOSED, "more", large)
      yield* put(url, CLOSED, "empty", "")
      yield* put(url, CLOSED, "..", "dots")
      yield* put(url, CLOSED, "a'(b)!", "odd")
      assert.deepStrictEqual(yield* textsOf(url, CLOSED), [
        ["..", "dots"],
        ["a'(b)!", "odd"],
        ["empty", ""],
        ["gzip", "zipped"],
        ["large", large],
        ["more", large],
        ["z", "last"]
      ])
    })
  )

  it.effect("has a record that is not what its encoding says as it was put", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      yield* put(url, OPEN_BY_ID, "wrong", "no gzip", { headers: { "content-encoding": "gzip" } })
      assert.deepStrictEqual(yield* textsOf(url, OPEN_BY_ID), [["wrong", "no gzip"]])
    })
  )

  it.effect("has the keys with a prefix, and of a collection", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const png = { headers: { "content-type": "image/png" } }
      for (const key of ["image-1", "image-2", "other"]) yield* put(url, COLLECTIONS, key, key, png)
      assert.deepStrictEqual(yield* textsOf(url, COLLECTIONS, "?prefix=o"), [["other", "other"]])
      assert.deepStrictEqual(yield* textsOf(url, COLLECTIONS, "?collection=images&prefix=image-2"), [
        ["image-2", "image-2"]
      ])
    })
  )

  it.effect("has all of many records", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const keys: Array<string> = []
      // About as many as are looked up at once, and twice as many.
      for (const count of [99, 100, 201]) {
        const more = Array.from({ length: count - keys.length }, (_, index) => `key-${keys.length + index + 1_000}`)
        yield* Effect.forEach(more, (key) => put(url, WITHOUT_SECRET, key, key), { concurrency: 20 })
        keys.push(...more)
        assert.deepStrictEqual(
          yield* textsOf(url, WITHOUT_SECRET),
          keys.map((key) => [key, key])
        )
      }
    })
  )

  it.effect("counts as a list of keys", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const before = yield* storeOf(url, OPEN_BY_NAME)
      yield* zipOf(url, OPEN_BY_NAME)
      const after = yield* storeOf(url, OPEN_BY_NAME)
      assert.strictEqual(after.stats.listCount, (before.stats?.listCount ?? 0) + 1)
      assert.strictEqual(after.stats.readCount, before.stats?.readCount)
    })
  )

  it.effect("has a head without a body, and cannot be put", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const head = yield* request(url, `${storePath(CLOSED)}/records`, { token: OWNER, method: "HEAD" })
      assert.deepStrictEqual([head.status, head.text], [200, ""])
      for (const method of ["PUT", "POST", "DELETE"]) {
        const { status, text } = yield* request(url, `${storePath(CLOSED)}/records`, { token: OWNER, method })
        assert.strictEqual(status, 405)
        assert.include(text, "HTTP methods: OPTIONS,GET")
      }
    })
  )
})

describe("a zip", () => {
  it.effect("that is given up closes its list of files and the file that it reads", () =>
    Effect.gen(function* () {
      const closed: Array<string> = []
      const closing = <A, E, R>(name: string, stream: Stream.Stream<A, E, R>) =>
        Stream.ensuring(
          stream,
          Effect.sync(() => closed.push(name))
        )
      const content = closing("file", Stream.forever(Stream.make(Uint8Array.of(1))))
      const entries = closing("list", Stream.forever(Stream.make({ name: "key", lastModified: new Date(0), content })))
      const chunks = zip(entries, yield* Effect.runtime<never>())
      yield* Effect.promise(async () => {
        for await (const chunk of chunks) if (chunk.length === 1) break
      })
      assert.sameMembers(closed, ["file", "list"])
    })
  )

  it.scopedLive(
    "has a large record that shows only at its end that it is not what its encoding says, and those after it",
    () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        const broken = gzipSync(randomBytes(3 * CHUNK_BYTES).toString("base64")).subarray(0, -10)
        yield* put(url, CLOSED, "broken", broken, { headers: { "content-encoding": "gzip" } })
        yield* put(url, CLOSED, "next", "whole")
        const [[name, bytes = new Uint8Array()] = [], next] = (yield* zipOf(url, CLOSED)).files
        assert.strictEqual(name, "broken")
        assert.isTrue(broken.equals(Buffer.from(bytes)))
        assert.deepStrictEqual(next?.[0], "next")
      }).pipe(Effect.provide(Emulator.layer({ seed })))
  )

  it.scopedLive("with a large record that cannot be read to its end is cut: what arrived does not look whole", () =>
    Effect.gen(function* () {
      const database = `${yield* scratch}/apify.db`
      const { url } = Context.get(yield* Layer.build(Emulator.layer({ seed, database })), Emulator)
      yield* put(url, CLOSED, "broken", randomBytes(3 * CHUNK_BYTES))
      yield* Effect.flatMap(SqlClient.SqlClient, (sql) => sql`DELETE FROM chunks WHERE number = 1`).pipe(
        Effect.provide(databaseLayer(database))
      )
      const error = yield* Effect.flip(zipOf(url, CLOSED))
      assert.include(error.message, "aborted")
    })
  )

  it.scopedLive("that is given up does not hold up others", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      yield* put(url, CLOSED, "large", Buffer.alloc(24 * CHUNK_BYTES))
      for (let round = 0; round < 10; round++) {
        yield* Effect.async<void>((resume) => {
          const { hostname, port } = new URL(url)
          const headers = { authorization: `Bearer ${OWNER}` }
          Http.get({ hostname, port, path: `${storePath(CLOSED)}/records`, headers }, (response) => {
            response.once("data", () => {
              response.destroy()
              resume(Effect.void)
            })
          }).on("error", () => {})
        })
      }
      assert.strictEqual((yield* put(url, CLOSED, "large", "small")).status, 201)
      assert.deepStrictEqual(yield* textsOf(url, CLOSED), [["large", "small"]])
    }).pipe(Effect.provide(Emulator.layer({ seed })))
  )
})
