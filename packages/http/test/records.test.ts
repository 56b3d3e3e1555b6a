/**
 * Operations on single records, on each transport over real sockets.
 */
import type { Server } from "node:http"
import { brotliCompressSync, deflateSync, gunzipSync, gzipSync } from "node:zlib"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import {
  type ApifyClient,
  deleteRecord,
  downloadRecords,
  FetchTransport,
  type GetRecordError,
  getRecord,
  getRecordValue,
  HttpClientTransport,
  headRecord,
  listKeysPage,
  type PutRecordError,
  putRecord,
  storeOfLastRun,
  streamRecord
} from "../src/index.js"
import { redirectTarget } from "../src/internal/recordTarget.js"
import { layerRespond, RecordedRequests } from "../src/testing.js"
import { clientOn, listening, transports, unhurried, urlOf } from "./realSockets.js"
import { attributesOf, recordSpans } from "./spans.js"
import { refuse, type Seen, storeServer } from "./storeServer.js"

const STORE = "janedoe~my-store"
const PATH = `/v2/key-value-stores/${STORE}/records/`
const TOKEN = "apify_api_Canary0123456789"
/** One that looks like no token: it is hidden only by those who know it. */
const PLAIN_TOKEN = "correcthorse"
const SIGNATURE = "1GArP4xikKeJ6DlWpegz6"

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const type = fc.constantFrom(
  ...["application/octet-stream", "text/html", "application/gzip", "text/plain; charset=iso-8859-1", "image/png"]
)

/** Bytes of any kind: text, what is no UTF-8, files that are compressed. */
const content = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.string().map(bytesOf),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => new Uint8Array(gzipSync(bytes))),
  fc.integer({ min: 60_000, max: 300_000 }).map((size) => Uint8Array.from({ length: size }, (_, place) => place % 251))
)

const tagOf = <A, E extends { readonly _tag: string }>(effect: Effect.Effect<A, E, ApifyClient.ApifyClient>) =>
  Effect.map(Effect.flip(effect), ({ _tag }) => _tag)

const streamed = (key: string) =>
  streamRecord(STORE, key).pipe(
    Effect.flatMap(({ bytes }) => Stream.runCollect(bytes)),
    Effect.map((chunks) => Buffer.concat([...chunks])),
    Effect.scoped
  )

const headersOf = (seen: Seen | undefined): Seen["headers"] => seen?.headers ?? {}

describe.each(transports)("with $name", ({ name, transport }) => {
  const clientOf = (server: Server, options: ApifyClient.Options = {}) =>
    clientOn(transport, { baseUrl: urlOf(server), retry: { baseDelay: 1, maxDelay: 1 }, ...unhurried, ...options })

  describe("a record", () => {
    it.scopedLive.prop(
      "comes back as it was put, whatever it is and however it was sent",
      [content, type, fc.constantFrom("bytes", "stream", "gzip", "gzip stream")],
      ([bytes, contentType, kind]) =>
        Effect.gen(function* () {
          const { records, server } = yield* storeServer()
          const half = Math.floor(bytes.length / 2)
          const stream = Stream.make(bytes.subarray(0, half), bytes.subarray(half))
          const gzip = kind.startsWith("gzip")
          yield* Effect.gen(function* () {
            yield* putRecord(STORE, "key", kind.endsWith("stream") ? stream : bytes, { contentType, gzip })
            const record = yield* getRecord(STORE, "key")
            assert.isTrue(Buffer.from(record.bytes).equals(bytes))
            assert.deepStrictEqual(record.contentType, Option.some(contentType))
            assert.isTrue((yield* streamed("key")).equals(bytes))
          }).pipe(Effect.provide(clientOf(server)))
          const stored = records.get("key")
          assert.strictEqual(stored?.encoding, gzip ? "gzip" : undefined)
          assert.isTrue(gzip ? gunzipSync(stored?.bytes ?? "").equals(bytes) : stored?.bytes.equals(bytes))
        }),
      { fastCheck: { numRuns: 15 } }
    )

    it.scopedLive("is asked for as an attachment, of any type and not compressed", () =>
      Effect.gen(function* () {
        const { seen, server } = yield* storeServer()
        yield* Effect.provide(Effect.flip(getRecord(STORE, "weird-key!'()")), clientOf(server))
        assert.strictEqual(seen[0]?.url, `${PATH}weird-key!'()?attachment=true`)
        assert.deepInclude(headersOf(seen[0]), { accept: "application/json, */*", "accept-encoding": "identity" })
      })
    )

    it.scopedLive("may be text, a value, or bytes that are encoded already", () =>
      Effect.gen(function* () {
        const { records, server } = yield* storeServer()
        const Value = Schema.Struct({ at: Schema.Date })
        const value = { at: new Date(0) }
        const brotli = new Uint8Array(brotliCompressSync("text"))
        yield* Effect.gen(function* () {
          yield* putRecord(STORE, "text", "Žluťoučký kůň")
          yield* putRecord(STORE, "value", { schema: Value, value })
          yield* putRecord(STORE, "encoded", brotli, { contentEncoding: "br", contentType: "text/plain" })
          assert.deepStrictEqual(yield* (yield* getRecord(STORE, "text")).text, "Žluťoučký kůň")
          assert.deepStrictEqual(yield* getRecordValue(STORE, "value", Value), value)
        }).pipe(Effect.provide(clientOf(server)))
        assert.deepStrictEqual(
          [...records].map(([key, { bytes, encoding, type }]) => [key, type, encoding, bytes.toString("latin1")]),
          [
            ["text", "text/plain; charset=utf-8", undefined, Buffer.from("Žluťoučký kůň").toString("latin1")],
            ["value", "application/json; charset=utf-8", undefined, '{"at":"1970-01-01T00:00:00.000Z"}'],
            ["encoded", "text/plain", "br", Buffer.from(brotli).toString("latin1")]
          ]
        )
      })
    )

    it.scopedLive("that is empty, one that is null, and one that does not exist are three different results", () =>
      Effect.gen(function* () {
        const { server } = yield* storeServer()
        yield* Effect.gen(function* () {
          yield* putRecord(STORE, "empty", "")
          yield* putRecord(STORE, "null", { schema: Schema.Null, value: null })
          assert.lengthOf((yield* getRecord(STORE, "empty")).bytes, 0)
          assert.strictEqual(yield* (yield* getRecord(STORE, "empty")).text, "")
          assert.strictEqual(yield* tagOf(getRecordValue(STORE, "empty", Schema.Null)), "MalformedRecordError")
          assert.isNull(yield* getRecordValue(STORE, "null", Schema.Null))
          assert.strictEqual(yield* tagOf(getRecordValue(STORE, "missing", Schema.Null)), "RecordNotFoundError")
          assert.strictEqual(yield* tagOf(Effect.scoped(streamRecord(STORE, "missing"))), "RecordNotFoundError")
        }).pipe(Effect.provide(clientOf(server)))
      })
    )

    it.scopedLive("that does not exist is told from a store that does not exist", () =>
      Effect.gen(function* () {
        const { server } = yield* storeServer()
        yield* Effect.gen(function* () {
          const missing = yield* Effect.flip(getRecord(STORE, "missing"))
          assert.deepInclude(missing, { _tag: "RecordNotFoundError", ref: STORE, key: "missing", status: 404 })
          const elsewhere = yield* Effect.flip(getRecord("janedoe~other", "missing"))
          assert.deepInclude(elsewhere, { _tag: "StoreNotFoundError", ref: "janedoe~other", status: 404 })
          assert.strictEqual(yield* tagOf(putRecord("janedoe~other", "key", "")), "StoreNotFoundError")
          assert.strictEqual(yield* tagOf(deleteRecord("janedoe~other", "key")), "StoreNotFoundError")
        }).pipe(Effect.provide(clientOf(server)))
      })
    )

    it.scopedLive.each([["page-not-found"], ["planned"]])(
      "is not missing because of a 404 of the type %s, which is about something else",
      ([type]) =>
        Effect.gen(function* () {
          const server = yield* listening((_, response) => refuse(response, 404, `${type}`, "Record was not found"))
          const tags = Effect.all([tagOf(getRecord(STORE, "key")), tagOf(deleteRecord(STORE, "key"))])
          assert.deepStrictEqual(yield* Effect.provide(tags, clientOf(server)), [
            "UnexpectedResponseError",
            "UnexpectedResponseError"
          ])
        })
    )

    it.scopedLive.each([
      ["Record was not found", "RecordNotFoundError"],
      ["Record was not found: there is no file INPUT.json", "RecordNotFoundError"],
      ["Record was not found in any store", "StoreNotFoundError"]
    ])("is missing, or its store is, by the message: %s", ([message, tag]) =>
      Effect.gen(function* () {
        const server = yield* listening((_, response) => refuse(response, 404, "record-not-found", `${message}`))
        assert.strictEqual(yield* Effect.provide(tagOf(getRecord(STORE, "key")), clientOf(server)), tag)
      })
    )

    it.scopedLive("has a head without its bytes, or none", () =>
      Effect.gen(function* () {
        const { records, seen, server } = yield* storeServer()
        records.set("key", { type: "text/plain", encoding: undefined, bytes: Buffer.from("text") })
        yield* Effect.gen(function* () {
          assert.deepStrictEqual(
            Option.map(yield* headRecord(STORE, "key"), ({ contentEncoding, contentType, key }) => [
              key,
              Option.getOrNull(contentType),
              Option.getOrNull(contentEncoding)
            ]),
            Option.some(["key", "text/plain", null])
          )
          assert.deepStrictEqual(yield* headRecord(STORE, "missing"), Option.none())
          assert.deepStrictEqual(
            seen.map(({ method }) => method),
            ["HEAD", "HEAD"]
          )
        }).pipe(Effect.provide(clientOf(server)))
      })
    )

    it.scopedLive("is not taken for missing where a page says so", () =>
      Effect.gen(function* () {
        const server = yield* listening((_, response) =>
          response.writeHead(404, { "content-type": "text/html; charset=utf-8" }).end()
        )
        const error = yield* Effect.flip(headRecord(STORE, "key")).pipe(Effect.provide(clientOf(server)))
        assert.strictEqual(error._tag, "UnexpectedResponseError")
      })
    )

    it.scopedLive("that is larger than maxBodyBytes is not read, and the error names streamRecord", () =>
      Effect.gen(function* () {
        const bytes = Buffer.alloc(200_000, "x")
        const server = yield* listening((request, response) => {
          if (request.url?.includes("declared")) response.setHeader("content-length", bytes.length)
          response.flushHeaders()
          response.end(bytes)
        })
        yield* Effect.gen(function* () {
          for (const key of ["declared", "chunked"]) {
            const error = yield* Effect.flip(getRecord(STORE, key, { maxBodyBytes: bytes.length - 1 }))
            assert.deepInclude(error, { _tag: "RecordTooLargeError", direction: "Download", attempts: 1, key })
            assert.deepInclude(error, { limit: Option.some(bytes.length - 1) })
            assert.include(error.message, "streamRecord")
            const record = yield* getRecord(STORE, key, { maxBodyBytes: bytes.length })
            assert.lengthOf(record.bytes, bytes.length)
          }
        }).pipe(Effect.provide(clientOf(server)))
      })
    )

    it.scopedLive("of more than the usual limit is read, unless the client has one of its own", () =>
      Effect.gen(function* () {
        const bytes = Buffer.alloc(2 * 1024 * 1024, "x")
        const server = yield* listening((_, response) => response.end(bytes))
        const read = getRecord(STORE, "key")
        assert.lengthOf((yield* Effect.provide(read, clientOf(server))).bytes, bytes.length)
        const limited = clientOf(server, { maxBodyBytes: 1024 * 1024 })
        assert.strictEqual(yield* Effect.provide(tagOf(read), limited), "RecordTooLargeError")
      })
    )

    it.scopedLive.each([200, 202, 204])("that was put has the status 201, and not %i", (status) =>
      Effect.gen(function* () {
        const { server } = yield* storeServer((_, response) => {
          response.writeHead(status, { "content-type": "application/json" })
          response.end(status === 204 ? undefined : "{}")
          return true
        })
        assert.strictEqual(
          yield* Effect.provide(tagOf(putRecord(STORE, "key", "text")), clientOf(server)),
          "UnexpectedResponseError"
        )
      })
    )

    it.scopedLive.each([202, 203, 204, 206])("that is read has the status 200, and not %i", (status) =>
      Effect.gen(function* () {
        const server = yield* listening((_, response) => {
          response.writeHead(status, { "content-type": "text/plain" })
          response.end(status === 204 ? undefined : "part")
        })
        yield* Effect.gen(function* () {
          assert.strictEqual(yield* tagOf(getRecord(STORE, "key")), "UnexpectedResponseError")
          assert.strictEqual(yield* tagOf(Effect.scoped(streamRecord(STORE, "key"))), "UnexpectedResponseError")
        }).pipe(Effect.provide(clientOf(server)))
      })
    )

    it.scopedLive.each([
      [400, "record-too-large", "RecordTooLargeError"],
      [413, "request-too-large", "RecordTooLargeError"],
      [400, "schema-validation-failed", "RecordRejectedError"],
      [400, "invalid-content-type-header", "BadRequestError"],
      [403, "content-encoding-forbidden-for-html", "ForbiddenError"],
      [415, "unsupported-content-encoding", "UnexpectedResponseError"]
    ] as const)("that the server refuses to store with %i %s is a %s", ([status, type, tag]) =>
      Effect.gen(function* () {
        const { seen, server } = yield* storeServer((_, response) => {
          refuse(response, status, type, "Refused")
          return true
        })
        const error = yield* Effect.provide(Effect.flip(putRecord(STORE, "key", "text")), clientOf(server))
        assert.strictEqual(error._tag, tag)
        assert.include(error.message, "Refused")
        assert.lengthOf(seen, 1)
      })
    )

    it.scopedLive("whose response was lost when it was put is put again, and is there once", () =>
      Effect.gen(function* () {
        const { records, seen, server } = yield* storeServer((seen, response, count) => {
          if (count > 1) return false
          records.set("key", { type: "text/plain", encoding: undefined, bytes: seen.body })
          response.socket?.destroy()
          return true
        })
        yield* Effect.provide(putRecord(STORE, "key", "text"), clientOf(server))
        assert.lengthOf(seen, 2)
        assert.deepStrictEqual(
          [...records].map(([key, { bytes }]) => [key, `${bytes}`]),
          [["key", "text"]]
        )
      })
    )

    it.scopedLive("whose response was lost when it was deleted counts as deleted", () =>
      Effect.gen(function* () {
        const { seen, server } = yield* storeServer((_, response, count) => {
          if (count === 1) response.socket?.destroy()
          else refuse(response, 404, "record-not-found", "Record was not found")
          return true
        })
        yield* Effect.provide(deleteRecord(STORE, "key"), clientOf(server))
        assert.lengthOf(seen, 2)
      })
    )

    it.scopedLive("is deleted, whether or not it is there", () =>
      Effect.gen(function* () {
        const { records, server } = yield* storeServer()
        yield* Effect.gen(function* () {
          yield* putRecord(STORE, "key", "text")
          yield* deleteRecord(STORE, "key")
          yield* deleteRecord(STORE, "key")
        }).pipe(Effect.provide(clientOf(server)))
        assert.strictEqual(records.size, 0)
      })
    )

    it.scopedLive("whose stream fails is not stored, and the call fails as the stream does", () =>
      Effect.gen(function* () {
        const { records, server } = yield* storeServer()
        const broken = Stream.concat(Stream.make(bytesOf("start")), Stream.fail({ _tag: "Broken" as const }))
        yield* Effect.gen(function* () {
          for (const gzip of [false, true]) {
            const exit = yield* Effect.exit(putRecord(STORE, "key", broken, { gzip, replayable: true }))
            assert.deepStrictEqual(Exit.isFailure(exit) && Cause.squash(exit.cause), { _tag: "Broken" })
          }
        }).pipe(Effect.provide(clientOf(server)))
        assert.strictEqual(records.size, 0)
      })
    )

    it.scopedLive("from a stream is put again only where it may be run again", () =>
      Effect.gen(function* () {
        const { records, server } = yield* storeServer((_, response) => {
          response.statusCode = failures-- > 0 ? 503 : 201
          if (response.statusCode === 503) response.end()
          return response.statusCode === 503
        })
        let failures = 1
        const stream = Stream.make(bytesOf("one "), bytesOf("two"))
        yield* Effect.gen(function* () {
          assert.strictEqual(yield* tagOf(putRecord(STORE, "key", stream)), "ServerError")
          failures = 1
          yield* putRecord(STORE, "key", stream, { replayable: true })
        }).pipe(Effect.provide(clientOf(server)))
        assert.strictEqual(`${records.get("key")?.bytes}`, "one two")
      })
    )

    it.scopedLive("from a stream of another length than was declared is not stored", () =>
      Effect.gen(function* () {
        const { records, server } = yield* storeServer()
        yield* Effect.gen(function* () {
          for (const length of [3, 100]) {
            const error = yield* Effect.flip(putRecord(STORE, "key", Stream.make(bytesOf("text")), { length }))
            assert.deepInclude(error, { _tag: "TransportError", reason: "request" })
            assert.include(
              error.message,
              `declared length of ${length}. Check the base URL, the transport's options, and any body`
            )
          }
          yield* putRecord(STORE, "key", Stream.make(bytesOf("text")), { length: 4 })
          yield* putRecord(STORE, "compressed", Stream.make(bytesOf("text")), { length: 4, gzip: true })
        }).pipe(Effect.provide(clientOf(server)))
        assert.strictEqual(`${records.get("key")?.bytes}`, "text")
      })
    )
  })

  describe("a record whose response has a content encoding", () => {
    const text = "text ".repeat(100)

    /** What a transport can tell of a body in chunks: whether it was decoded, or not. */
    const knows = name === "FetchTransport" || name === "UndiciTransport"

    const decoded = [
      ["gzip", gzipSync(text)],
      ["x-gzip", gzipSync(text)],
      ["GZIP", gzipSync(text)],
      ["deflate", deflateSync(text)]
    ] as const

    const reads: ReadonlyArray<Effect.Effect<unknown, GetRecordError, ApifyClient.ApifyClient>> = [
      getRecord(STORE, "declared"),
      getRecord(STORE, "chunked"),
      streamed("declared")
    ]

    const respondWith = (encoding: string, body: Uint8Array) =>
      listening((request, response) => {
        response.setHeader("content-encoding", encoding)
        response.setHeader("content-type", "text/plain")
        if (request.url?.includes("declared")) response.setHeader("content-length", body.length)
        else response.flushHeaders()
        response.end(body)
      })

    it.scopedLive.each(decoded)("of %s is decoded once", ([encoding, body]) =>
      Effect.gen(function* () {
        const server = yield* respondWith(encoding, body)
        yield* Effect.gen(function* () {
          assert.strictEqual(yield* (yield* getRecord(STORE, "declared")).text, text)
          if (knows) {
            assert.strictEqual(yield* (yield* getRecord(STORE, "chunked")).text, text)
            assert.strictEqual(`${yield* streamed("declared")}`, text)
            assert.deepStrictEqual((yield* Effect.scoped(streamRecord(STORE, "declared"))).size, Option.none())
            assert.strictEqual(`${yield* streamed("chunked")}`, text)
          } else {
            assert.strictEqual(yield* tagOf(getRecord(STORE, "chunked")), "MalformedRecordError")
            assert.strictEqual(yield* tagOf(streamed("chunked")), "MalformedRecordError")
          }
        }).pipe(Effect.provide(clientOf(server)))
      })
    )

    it.scopedLive("is decoded once only, and the file within it is not", () =>
      Effect.gen(function* () {
        const file = gzipSync(text)
        const server = yield* respondWith("gzip", gzipSync(file))
        const record = yield* Effect.provide(getRecord(STORE, "declared"), clientOf(server))
        assert.isTrue(file.equals(record.bytes))
      })
    )

    it.scopedLive.each([
      ["gzip, gzip", gzipSync(gzipSync(text))],
      ["rot13", Buffer.from(text)],
      ["compress", Buffer.from(text)]
    ] as const)("of %s is refused", ([encoding, body]) =>
      Effect.gen(function* () {
        const server = yield* respondWith(encoding, body)
        yield* Effect.gen(function* () {
          for (const read of reads) {
            assert.deepInclude(yield* Effect.flip(read), {
              _tag: "MalformedRecordError",
              kind: "Encoding",
              attempts: 1
            })
          }
        }).pipe(Effect.provide(clientOf(server)))
      })
    )

    it.scopedLive("that the body does not have is refused", () =>
      Effect.gen(function* () {
        const server = yield* respondWith("gzip", Buffer.from(text))
        yield* Effect.gen(function* () {
          for (const read of reads) {
            assert.include(["MalformedRecordError", "UnexpectedResponseError"], yield* tagOf(read))
          }
        }).pipe(Effect.provide(clientOf(server)))
      })
    )

    it.scopedLive("is not guessed: a compressed file without one is the file", () =>
      Effect.gen(function* () {
        const file = gzipSync(text)
        const server = yield* listening((_, response) => {
          response.flushHeaders()
          response.end(file)
        })
        yield* Effect.gen(function* () {
          assert.isTrue(file.equals((yield* getRecord(STORE, "chunked")).bytes))
          assert.isTrue(file.equals(yield* streamed("chunked")))
        }).pipe(Effect.provide(clientOf(server)))
      })
    )

    it.scopedLive("expands to maxBodyBytes at most", () =>
      Effect.gen(function* () {
        const server = yield* respondWith("gzip", gzipSync(Buffer.alloc(1_000_000)))
        const read = getRecord(STORE, "declared", { maxBodyBytes: 100_000 })
        assert.strictEqual(yield* Effect.provide(tagOf(read), clientOf(server)), "RecordTooLargeError")
      })
    )
  })

  describe("a redirect to another server", () => {
    const redirecting = (status: number) =>
      Effect.gen(function* () {
        const storage: Array<Seen> = []
        const other = yield* storeServer((seen, response) => {
          storage.push(seen)
          if (seen.url.startsWith("/refused")) {
            response.writeHead(Number(/\d+/.exec(seen.url)?.[0]), { "content-type": "application/xml" })
            response.end("<Error>Expired</Error>")
          } else if (seen.url.startsWith("/lost")) response.destroy()
          else if (seen.url.startsWith("/again")) {
            response.writeHead(302, { location: `http://127.0.0.2:${new URL(urlOf(other.server)).port}/file` })
            response.end()
          } else response.end("stored elsewhere")
          return true
        })
        const home = yield* storeServer((seen, response) => {
          const target = /again|lost|refused-.*?(?=\?|$)/.exec(seen.url)?.[0] ?? "file"
          response.writeHead(status, {
            location: `${urlOf(other.server)}/${target}?X-Signature=secret`,
            "set-cookie": "session=secret"
          })
          response.end("moved")
          return true
        })
        return { storage, home, other }
      })

    it.scopedLive.each([301, 302, 303, 307, 308])("by %i is followed to a record, without the token", (status) =>
      Effect.gen(function* () {
        const { home, storage } = yield* redirecting(status)
        yield* Effect.gen(function* () {
          assert.strictEqual(yield* (yield* getRecord(STORE, "key")).text, "stored elsewhere")
          assert.strictEqual(`${yield* streamed("key")}`, "stored elsewhere")
          assert.isTrue(Option.isSome(yield* headRecord(STORE, "key")))
        }).pipe(Effect.provide(clientOf(home.server, { token: Redacted.make(TOKEN) })))
        assert.deepStrictEqual(
          storage.map(({ method, url }) => [method, url]),
          ["GET", "GET", "HEAD"].map((method) => [method, "/file?X-Signature=secret"])
        )
        for (const { headers } of storage) {
          assert.notProperty(headers, "authorization")
          assert.notProperty(headers, "cookie")
        }
        for (const { headers } of home.seen) assert.strictEqual(headers.authorization, `Bearer ${TOKEN}`)
      })
    )

    it.scopedLive("is followed once, and no further", () =>
      Effect.gen(function* () {
        const { home, storage } = yield* redirecting(302)
        const error = yield* Effect.provide(Effect.flip(getRecord(STORE, "again")), clientOf(home.server))
        assert.deepInclude(error, { _tag: "UnexpectedResponseError", status: 302, attempts: 1 })
        assert.lengthOf(storage, 1)
      })
    )

    it.scopedLive.each([401, 402, 403])("whose server refuses with %i says so, and nothing of the token", (status) =>
      Effect.gen(function* () {
        const { home, other } = yield* redirecting(302)
        const key = `refused-${status}`
        const errors = yield* Effect.all([
          Effect.flip(getRecord(STORE, key)),
          Effect.flip(Effect.scoped(streamRecord(STORE, key)))
        ]).pipe(Effect.provide(clientOf(home.server, { token: Redacted.make(TOKEN) })))
        const { host } = new URL(urlOf(other.server))
        for (const error of errors) {
          assert.deepInclude(error, {
            _tag: "UnexpectedResponseError",
            status,
            url: `http://${host}/${key}`,
            attempts: 1
          })
          assert.match(error.message, new RegExp(`^${host} responded with ${status}: .*Expired.* redirected `))
          assert.notMatch(error.message, /token|share|secret/)
        }
      })
    )

    it.scopedLive("whose URL repeats the token is shown without it", () =>
      Effect.gen(function* () {
        const { home, storage } = yield* redirecting(302)
        const error = yield* Effect.provide(
          Effect.flip(getRecord(STORE, `refused-404.${PLAIN_TOKEN}`)),
          clientOf(home.server, { token: Redacted.make(PLAIN_TOKEN) })
        )
        assert.include(storage[0]?.url, PLAIN_TOKEN)
        assert.notInclude(JSON.stringify([error, error.message]), PLAIN_TOKEN)
      })
    )

    it.scopedLive("whose connection breaks is a reset of that server's, and the record is asked for again", () =>
      Effect.gen(function* () {
        const { home, other, storage } = yield* redirecting(302)
        const error = yield* Effect.provide(
          Effect.flip(getRecord(STORE, "lost")),
          clientOf(home.server, { retry: { retries: 1, baseDelay: 1 } })
        )
        assert.deepInclude(error, {
          _tag: "TransportError",
          reason: "reset",
          url: `${urlOf(other.server)}/lost`,
          attempts: 2
        })
        assert.lengthOf(home.seen, 2)
        assert.lengthOf(storage, 2)
      })
    )

    it.scopedLive("is not followed where a record is put or deleted", () =>
      Effect.gen(function* () {
        const { home, storage } = yield* redirecting(307)
        yield* Effect.gen(function* () {
          assert.strictEqual(yield* tagOf(putRecord(STORE, "key", "text")), "UnexpectedResponseError")
          assert.strictEqual(yield* tagOf(deleteRecord(STORE, "key")), "UnexpectedResponseError")
        }).pipe(Effect.provide(clientOf(home.server)))
        assert.isEmpty(storage)
      })
    )
  })

  describe("a signature", () => {
    it.scopedLive("takes the place of the token in its own request alone", () =>
      Effect.gen(function* () {
        const { seen, server } = yield* storeServer()
        yield* Effect.gen(function* () {
          yield* putRecord(STORE, "key", "text")
          yield* getRecord(STORE, "key", { signature: Redacted.make(SIGNATURE) })
          yield* getRecord(STORE, "key")
        }).pipe(Effect.provide(clientOf(server, { token: Redacted.make(TOKEN) })))
        assert.deepStrictEqual(
          seen.map(({ headers }) => headers.authorization),
          [`Bearer ${TOKEN}`, undefined, `Bearer ${TOKEN}`]
        )
      })
    )

    it.scopedLive("takes the place of the token, and is shown nowhere", () =>
      Effect.gen(function* () {
        const { seen, server } = yield* storeServer((seen, response) => {
          refuse(response, 403, "insufficient-permissions", `Refused: ${seen.url}, ${SIGNATURE}, ${PLAIN_TOKEN}`)
          return true
        })
        const { recorder, spans } = yield* recordSpans
        const signature = Redacted.make(SIGNATURE)
        const errors = yield* Effect.all([
          Effect.flip(getRecord(STORE, "key", { signature })),
          Effect.flip(Effect.scoped(streamRecord(STORE, "key", { signature }))),
          Effect.flip(headRecord(STORE, "key", { signature }))
        ]).pipe(Effect.withTracer(recorder), Effect.provide(clientOf(server, { token: Redacted.make(PLAIN_TOKEN) })))
        assert.deepStrictEqual(
          seen.map(({ headers, url }) => [url, headers.authorization]),
          [
            [`${PATH}key?signature=${SIGNATURE}&attachment=true`, undefined],
            [`${PATH}key?signature=${SIGNATURE}&attachment=true`, undefined],
            [`${PATH}key?signature=${SIGNATURE}`, undefined]
          ]
        )
        const shown = JSON.stringify([errors.map((error) => [error, error.message]), spans.map(attributesOf)])
        assert.notInclude(shown, SIGNATURE)
        assert.notInclude(shown, PLAIN_TOKEN)
        for (const error of errors) {
          assert.deepInclude(error, { _tag: "ForbiddenError", isAnonymous: true })
          assert.include(error.message, "The link's signature")
          assert.notInclude(error.message, "APIFY_TOKEN")
        }
      })
    )
  })
})

it.scopedLive("NodeHttpClient.layer puts records and reads them, although it has no ArrayBuffers", () =>
  Effect.gen(function* () {
    const { server } = yield* storeServer()
    const transport = Layer.provide(HttpClientTransport.layer, NodeHttpClient.layer)
    yield* Effect.gen(function* () {
      yield* putRecord(STORE, "key", "text")
      assert.strictEqual(yield* (yield* getRecord(STORE, "key")).text, "text")
      assert.strictEqual(`${yield* streamed("key")}`, "text")
    }).pipe(Effect.provide(clientOn(transport, { ...unhurried, baseUrl: urlOf(server) })))
  })
)

describe.each(transports)("a signature with $name", ({ transport }) => {
  it.scopedLive("is in no log where the connection breaks", () =>
    Effect.gen(function* () {
      const { server } = yield* storeServer((_, response) => {
        response.writeHead(200, { "content-type": "text/plain" })
        response.write("start", () => response.destroy())
        return true
      })
      const logged: Array<string> = []
      const options = { signature: Redacted.make(SIGNATURE), retry: { retries: 0 } }
      yield* Effect.all([
        Effect.flip(getRecord(STORE, "key", options)),
        Effect.scoped(streamRecord(STORE, "key", options)).pipe(
          Effect.flatMap(({ bytes }) => Stream.runDrain(bytes)),
          Effect.flip
        )
      ]).pipe(
        Effect.provide(clientOn(transport, { ...unhurried, baseUrl: urlOf(server) })),
        Effect.provide(
          Logger.replace(
            Logger.defaultLogger,
            Logger.map(Logger.stringLogger, (line) => logged.push(line))
          )
        ),
        Logger.withMinimumLogLevel(LogLevel.All)
      )
      assert.notInclude(logged.join(), SIGNATURE)
    })
  )
})

const nothingIsSent = layerRespond(() => Effect.dieMessage("A request was sent"))

describe("a redirect to another server", () => {
  const SECRET = "Canary0123456789"

  it.scopedLive.each([
    [
      "an HttpClient that adds headers",
      Layer.provide(
        HttpClientTransport.layerWith({
          transformClient: HttpClient.mapRequest(HttpClientRequest.setHeader("x-secret", SECRET))
        }),
        FetchHttpClient.layer
      )
    ],
    [
      "an HttpClient whose fetch adds headers",
      HttpClientTransport.layer.pipe(
        Layer.provide(FetchHttpClient.layer),
        Layer.provide(Layer.succeed(FetchHttpClient.RequestInit, { headers: { "x-secret": SECRET } }))
      )
    ],
    ["a fetch that adds headers", FetchTransport.layerWith({ init: { headers: { "x-secret": SECRET } } })]
  ] as const)("is followed by %s without them", ([, transport]) =>
    Effect.gen(function* () {
      const storage = yield* storeServer((_, response) => {
        response.end("stored elsewhere")
        return true
      })
      const home = yield* storeServer((_, response) => {
        response.writeHead(302, { location: urlOf(storage.server) })
        response.end()
        return true
      })
      const client = clientOn(transport, { ...unhurried, baseUrl: urlOf(home.server) })
      yield* Effect.provide(getRecord(STORE, "key"), client)
      assert.strictEqual(home.seen[0]?.headers["x-secret"], SECRET)
      assert.lengthOf(storage.seen, 1)
      assert.notInclude(JSON.stringify(storage.seen), SECRET)
    })
  )

  it.effect("takes its time of the attempt that met it, and not of the call", () =>
    Effect.gen(function* () {
      const call = yield* Effect.fork(Effect.flip(getRecord(STORE, "key")))
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude(yield* call, { _tag: "TimeoutError", phase: "attempt", limit: Duration.seconds(5) })
    }).pipe(
      Effect.provide(
        layerRespond(
          ({ url }) =>
            url.startsWith("https://storage.example/")
              ? Effect.never
              : Effect.delay(
                  Effect.sync(() => Response.redirect("https://storage.example/file", 302)),
                  "4 seconds"
                ),
          { attemptTimeout: "5 seconds", callTimeout: "8 seconds", retry: { retries: 0 } }
        )
      )
    )
  )

  it.each([
    ["to the same server", "https://api.apify.com/elsewhere", undefined],
    ["to a path", "/elsewhere", undefined],
    ["without a scheme", "//storage.example/file", "https://storage.example/file"],
    ["to another port", "https://api.apify.com:8443/file", "https://api.apify.com:8443/file"],
    ["to plain HTTP", "http://storage.example/file", undefined],
    ["with a user", "https://user@storage.example/file", undefined],
    ["with a password", "https://:secret@storage.example/file", undefined],
    ["to a file", "file:///etc/passwd", undefined],
    ["to a script", "javascript:alert(1)", undefined],
    ["to nonsense", "https://[", undefined]
  ])("%s leads to the right place, or nowhere", (_, location, target) => {
    const head = { status: 302, headers: Headers.fromInput({ location }) }
    assert.strictEqual(redirectTarget(head, "https://api.apify.com")?.href, target)
  })
})

it.effect.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 1.5])(
  "a stream of %d bytes is a defect, and nothing is sent",
  (length) =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(
        putRecord(STORE, "key", Stream.make(bytesOf("a")), { length, retry: { retries: 0 } })
      )
      assert.include(
        Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "",
        "length must be a whole number of at least 0"
      )
    }).pipe(Effect.provide(nothingIsSent))
)

describe("a signature", () => {
  it.effect("that is plain text is refused, and nothing is sent", () =>
    Effect.gen(function* () {
      const options = JSON.parse('{ "signature": "1GArP4xikKeJ6DlWpegz6" }')
      const exit = yield* Effect.exit(getRecord(STORE, "key", options))
      assert.include(
        Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "",
        "signature must be a Redacted string: use Redacted.make"
      )
    }).pipe(Effect.provide(nothingIsSent))
  )

  it.effect("is not shown although the server repeats it, whatever it looks like", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(getRecord(STORE, "key", { signature: Redacted.make("plain words") }))
      assert.include(error.message, "you sent <redacted> to us")
    }).pipe(
      Effect.provide(
        layerRespond(() =>
          Effect.succeed(
            Response.json({ error: { type: "planned", message: "you sent plain words to us" } }, { status: 400 })
          )
        )
      )
    )
  )
})

describe("a store of a run", () => {
  it.effect("has records as any store has, and its query goes with every request", () =>
    Effect.gen(function* () {
      const last = storeOfLastRun({ actor: "janedoe~crawler", status: "SUCCEEDED" })
      yield* putRecord("actor-runs/WkzbQMuFYuamGv3YF", "key", "text")
      yield* putRecord(last, "key", "text")
      yield* Effect.flip(getRecord(last, "key"))
      yield* Effect.flip(listKeysPage(last))
      yield* Effect.flip(Stream.runDrain(downloadRecords(last)))
      assert.deepStrictEqual(
        (yield* (yield* RecordedRequests).all).map(({ method, url }) => [method, url.replace(/^.*\/v2/, "")]),
        [
          ["PUT", "/actor-runs/WkzbQMuFYuamGv3YF/key-value-store/records/key"],
          ["PUT", `${LAST}/records/key?status=SUCCEEDED`],
          ["GET", `${LAST}/records/key?status=SUCCEEDED&attachment=true`],
          ["GET", `${LAST}/keys?status=SUCCEEDED&limit=1000`],
          ["GET", `${LAST}/records?status=SUCCEEDED`]
        ]
      )
    }).pipe(Effect.provide(layerRespond(() => Effect.succeed(new Response("{}", { status: 201 })))))
  )
})

const LAST = "/actors/janedoe~crawler/runs/last/key-value-store"

describe("a key or a reference that is none", () => {
  it.effect.each(["", ".", "..", "a/b", "%2e", "a b", "a\0", "ключ", "\ud800", "a".repeat(257), "a?b", "a#b"])(
    "%j is refused, and nothing is sent",
    (key) =>
      Effect.gen(function* () {
        const calls: ReadonlyArray<Effect.Effect<unknown, GetRecordError | PutRecordError, ApifyClient.ApifyClient>> = [
          getRecord(STORE, key),
          headRecord(STORE, key),
          putRecord(STORE, key, "text"),
          deleteRecord(STORE, key),
          Effect.scoped(streamRecord(STORE, key))
        ]
        for (const call of calls) assert.strictEqual(yield* tagOf(call), "InvalidRecordKeyError")
        assert.isTrue(Either.isLeft(yield* Effect.either(getRecord("../users/me", "key"))))
      }).pipe(Effect.provide(nothingIsSent))
  )
})
