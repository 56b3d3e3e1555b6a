/**
 * Records by the client on the emulator, which share nothing but domain: each is the other's witness.
 */
import { gzipSync } from "node:zlib"
import { assert, describe, layer } from "@effect/vitest"
import { DEMO_SECOND_TOKEN, DEMO_TOKEN, demoSeed, Emulator } from "@effect-apify/emulator"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  ApifyClient,
  deleteRecord,
  downloadRecords,
  getRecord,
  getRecordValue,
  getStore,
  headRecord,
  keysPublicUrl,
  listKeys,
  listRecords,
  publicUrls,
  putRecord,
  streamRecord
} from "../src/index.js"
import { transports } from "./realSockets.js"

const STORE = "WkzbQMuFYuamGv3YF"

const KEYS = ["binary", "empty", "encoded", "page.html", "value", "weird-key!'()"]

const tagOf = <A, E extends { readonly _tag: string }>(effect: Effect.Effect<A, E, ApifyClient.ApifyClient>) =>
  Effect.map(Effect.flip(effect), ({ _tag }) => _tag)

/** The signature in a link. */
const signatureIn = (href: string) => Redacted.make(new URL(href).searchParams.get("signature") ?? "")

describe.each(transports)("by $name", ({ transport }) => {
  const clientWith = (token: string | undefined) =>
    Layer.unwrapEffect(
      Effect.map(Emulator, ({ url }) =>
        ApifyClient.layer({ baseUrl: url, token: token === undefined ? undefined : Redacted.make(token) })
      )
    ).pipe(Layer.provide(transport))

  layer(Emulator.layer({ seed: demoSeed }), { excludeTestServices: true })("on the emulator", (it) => {
    it.effect("records are put, read, listed, linked to and deleted", () =>
      Effect.gen(function* () {
        const Value = Schema.Struct({ at: Schema.Date })
        const html = "<html><script>1</script></html>"
        const binary = Uint8Array.from({ length: 3_000_000 }, (_, place) => place % 251)
        yield* putRecord(STORE, "value", { schema: Value, value: { at: new Date(0) } }, { gzip: true })
        yield* putRecord(STORE, "page.html", html, { contentType: "text/html; charset=utf-8" })
        yield* putRecord(STORE, "empty", "")
        yield* putRecord(STORE, "encoded", new Uint8Array(gzipSync("text")), {
          contentEncoding: "gzip",
          contentType: "text/plain"
        })
        yield* putRecord(STORE, "binary", Stream.fromIterable([binary.subarray(0, 7), binary.subarray(7)]))
        yield* putRecord(STORE, "weird-key!'()", "weird")

        assert.deepStrictEqual(yield* getRecordValue(STORE, "value", Value), { at: new Date(0) })
        assert.strictEqual(yield* (yield* getRecord(STORE, "page.html")).text, html)
        assert.lengthOf((yield* getRecord(STORE, "empty")).bytes, 0)
        assert.strictEqual(yield* (yield* getRecord(STORE, "encoded")).text, "text")
        const streamed = yield* Effect.scoped(
          Effect.flatMap(streamRecord(STORE, "binary"), ({ bytes }) => Stream.runCollect(bytes))
        )
        assert.isTrue(Buffer.concat([...streamed]).equals(binary))
        assert.isTrue(Option.isSome(yield* headRecord(STORE, "value")))
        assert.isTrue(Option.isNone(yield* headRecord(STORE, "missing")))
        assert.strictEqual(yield* tagOf(getRecord(STORE, "missing")), "RecordNotFoundError")
        assert.strictEqual(yield* tagOf(getRecord("aaaaaaaaaaaaaaaaa", "missing")), "StoreNotFoundError")

        const keys = yield* Stream.runCollect(listKeys(STORE, { pageSize: 2 }))
        assert.deepStrictEqual(
          [...keys].map(({ key }) => String(key)),
          KEYS
        )
        const records = yield* Stream.runCollect(listRecords(STORE))
        assert.deepStrictEqual(
          [...records].map(({ key }) => String(key)),
          KEYS
        )
        const archive = Buffer.concat([...(yield* Stream.runCollect(downloadRecords(STORE, { prefix: "page" })))])
        assert.strictEqual(archive.subarray(0, 2).toString(), "PK")
        assert.include(archive.toString("latin1"), "page.html")

        const urls = yield* Effect.flatMap(getStore(STORE), publicUrls)
        const link = Redacted.value((yield* urls.record("weird-key!'()")).url.href)
        const keysLink = Redacted.value((yield* keysPublicUrl(STORE, { expiresIn: "1 hour" })).url.href)
        const reached = yield* Effect.promise(async () => [
          await (await fetch(link)).text(),
          (await fetch(keysLink)).status,
          (await fetch(link.replace(/.$/, "-"))).status
        ])
        assert.deepStrictEqual(reached, ["weird", 200, 403])

        yield* Effect.gen(function* () {
          assert.strictEqual(yield* tagOf(getRecord(STORE, "weird-key!'()")), "ForbiddenError")
          const signature = signatureIn(link)
          assert.strictEqual(yield* (yield* getRecord(STORE, "weird-key!'()", { signature })).text, "weird")
          const listed = yield* Stream.runCount(listKeys(STORE, { signature: signatureIn(keysLink) }))
          assert.strictEqual(listed, KEYS.length)
          assert.strictEqual(yield* tagOf(putRecord(STORE, "key", "text")), "ForbiddenError")
        }).pipe(Effect.provide(clientWith(DEMO_SECOND_TOKEN)))

        yield* Effect.forEach(KEYS, (key) => deleteRecord(STORE, key))
        yield* deleteRecord(STORE, "missing")
        assert.strictEqual(yield* Stream.runCount(listKeys(STORE)), 0)
      }).pipe(Effect.provide(clientWith(DEMO_TOKEN)))
    )
  })
})
