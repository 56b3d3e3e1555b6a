/**
 * Records over real sockets: bodies, headers, encodings, keys, and every refusal.
 */
import { randomBytes } from "node:crypto"
import * as Http from "node:http"
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from "node:zlib"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Logger from "effect/Logger"
import { admits } from "../src/ContentEncoding.js"
import { Emulator } from "../src/index.js"
import { unknowns } from "../src/Unknowns.js"
import { CHUNK_BYTES } from "../src/Uploads.js"
import { CLOSED, get, OPEN_BY_ID, OWNER, put, recordPath, seed } from "./records.js"
import { errorBody, type Response, storePath } from "./request.js"
import { exchange, statusesOf } from "./sockets.js"

const insufficient =
  "Insufficient permissions for the key-value store. Make sure you're passing a correct API token and that it has the required permissions."

const refusals = {
  key: [400, errorBody("invalid-record-key", "Record key contains invalid character")],
  contentType: [400, errorBody("invalid-content-type-header", "The Content-Type header is not a media type")],
  noToken: [401, errorBody("token-not-provided", "Authentication token was not provided")],
  unknownToken: [401, errorBody("user-or-token-not-found", "User was not found or authentication token is not valid")],
  noRights: [403, errorBody("insufficient-permissions", insufficient)],
  html: [
    403,
    errorBody(
      "content-encoding-forbidden-for-html",
      "HTML can only have the Content-Encoding br, gzip, deflate or identity"
    )
  ],
  serviceWorker: [
    403,
    errorBody("service-worker-registration-not-allowed", "A record cannot be registered as a service worker")
  ],
  noStore: [404, errorBody("record-not-found", "Key-value Store was not found")],
  noRecord: [404, errorBody("record-not-found", "Record was not found")],
  encoding: [415, errorBody("unsupported-content-encoding", 'Content-Encoding "bla" is not supported.')],
  undecodable: [
    500,
    errorBody("internal-server-error", "The record could not be decoded: it is not what its Content-Encoding says")
  ]
} as const

const assertRefused = (response: Response, refusal: keyof typeof refusals) => {
  assert.deepStrictEqual([response.status, response.text], [...refusals[refusal]])
  assert.strictEqual(response.headers["content-type"], "application/json; charset=utf-8")
}

/** No chunk of them is like another. */
const bytesOf = (length: number): Buffer => {
  const bytes = Buffer.alloc(length)
  for (let index = 0; index < length; index += 1) bytes[index] = (index * 7919) >> 3
  return bytes
}

const emulator = Emulator.layer({ seed })

layer(emulator)("a record", (it) => {
  const mediaTypes = fc.constantFrom(
    "text/plain; charset=utf-8",
    "text/html",
    "application/json",
    "application/octet-stream",
    "image/svg+xml",
    'text/x; a="b;c"',
    "application/gzip"
  )

  it.effect("comes back as it was put, whatever is in it", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(fc.uint8Array({ maxLength: 3_000 }), mediaTypes, (body, type) =>
            Effect.gen(function* () {
              const stored = yield* put(url, CLOSED, "any", body, { headers: { "content-type": type } })
              assert.strictEqual(stored.status, 201)
              const { status, headers, bytes } = yield* get(url, CLOSED, "any")
              assert.strictEqual(status, 200)
              assert.isTrue(bytes.equals(body))
              assert.strictEqual(headers["content-type"], type)
              assert.strictEqual(headers["content-length"], String(body.length))
              assert.isUndefined(headers["content-encoding"])
            }).pipe(Effect.runPromise)
          )
        )
      )
    })
  )

  for (const size of [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 5 * CHUNK_BYTES + 17]) {
    it.effect(`of ${size} bytes comes back whole`, () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        const body = bytesOf(size)
        assert.strictEqual((yield* put(url, CLOSED, `size-${size}`, body)).status, 201)
        const { headers, bytes } = yield* get(url, CLOSED, `size-${size}`)
        assert.isTrue(bytes.equals(body))
        assert.strictEqual(headers["content-length"], String(size))
      })
    )
  }

  it.effect("is stored with 201, its address and an empty object, by PUT and by POST, and again over it", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      for (const [method, body] of [
        ["PUT", "1"],
        ["POST", "2"],
        ["PUT", "3"]
      ] as const) {
        const { status, headers, text } = yield* put(url, CLOSED, "a'(b)", body, { method })
        assert.deepStrictEqual([status, text], [201, "{}"])
        assert.strictEqual(headers["content-type"], "application/json; charset=utf-8")
        assert.strictEqual(headers.location, `${url}${recordPath(CLOSED, "a'(b)")}`)
        assert.strictEqual(headers["x-ratelimit-limit"], "200")
        assert.strictEqual((yield* get(url, CLOSED, "a'(b)")).text, body)
      }
    })
  )

  it.effect("is stored by a name of its store, with an address that has the ID", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const { headers } = yield* put(url, "~closed", "named", "1")
      assert.strictEqual(headers.location, `${url}${recordPath(CLOSED, "named")}`)
      assert.strictEqual((yield* get(url, "owner~closed", "named")).text, "1")
    })
  )

  it.effect("that is sent in chunks, without a length, is stored", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const headers = { "transfer-encoding": "chunked" }
      for (const body of [bytesOf(10), bytesOf(2 * CHUNK_BYTES + 3)]) {
        yield* put(url, CLOSED, "chunked", body, { headers })
        assert.isTrue((yield* get(url, CLOSED, "chunked")).bytes.equals(body))
      }
    })
  )

  it.effect("keeps its content type to the letter, and gets one if it has none", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      for (const type of ["application/json;charset=UTF-8", "Text/X-Y ; a=b", 'text/plain; a="\\"; b"', "a/b;"]) {
        yield* put(url, CLOSED, "typed", "1", { headers: { "content-type": type } })
        assert.strictEqual((yield* get(url, CLOSED, "typed")).headers["content-type"], type)
      }
      yield* put(url, CLOSED, "typed", "1")
      assert.strictEqual((yield* get(url, CLOSED, "typed")).headers["content-type"], "application/octet-stream")
    })
  )

  for (const type of ["text", "text/", "/plain", "text/plain charset=utf-8", "text/pl ain", "a/b; c", "a/b/c"]) {
    it.effect(`with the content type ${type} is refused`, () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        assertRefused(yield* put(url, CLOSED, "untyped", "1", { headers: { "content-type": type } }), "contentType")
        assertRefused(yield* get(url, CLOSED, "untyped"), "noRecord")
      })
    )
  }

  it.effect("that is HTML is served as it was put", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const html = "<!DOCTYPE html><html><head></head><body>x</body></html>"
      yield* put(url, CLOSED, "page", html, { headers: { "content-type": "text/html" } })
      for (const query of ["", "?attachment=1"])
        assert.strictEqual((yield* get(url, CLOSED, `page${query}`)).text, html)
    })
  )

  it.effect("is an attachment if it is asked for as one, and has no headers about caching", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      yield* put(url, CLOSED, "file", "1")
      const disposition = (query: string) =>
        Effect.map(get(url, CLOSED, `file${query}`), ({ headers }) => headers["content-disposition"])
      for (const value of ["1", "true"]) {
        assert.strictEqual(yield* disposition(`?attachment=${value}`), "attachment")
      }
      for (const query of ["", "?attachment=0", "?attachment=false", "?attachment=", "?disableRedirect=1"]) {
        assert.isUndefined(yield* disposition(query))
      }
      const { headers } = yield* get(url, CLOSED, "file")
      for (const name of ["etag", "last-modified", "cache-control", "accept-ranges"]) assert.notProperty(headers, name)
    })
  )

  it.effect("is not given to a service worker", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      yield* put(url, CLOSED, "worker", "1", { headers: { "content-type": "text/javascript" } })
      assertRefused(yield* get(url, CLOSED, "worker", { headers: { "service-worker": "script" } }), "serviceWorker")
    })
  )

  it.effect("is deleted with 204, there or not", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      yield* put(url, CLOSED, "deleted", bytesOf(2 * CHUNK_BYTES))
      for (const _ of [1, 2]) {
        const { status, text } = yield* get(url, CLOSED, "deleted", { method: "DELETE" })
        assert.deepStrictEqual([status, text], [204, ""])
        assertRefused(yield* get(url, CLOSED, "deleted"), "noRecord")
      }
    })
  )

  it.effect("has a head with its headers and the length of what is stored", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const body = gzipSync("a".repeat(1_000))
      yield* put(url, CLOSED, "head", body, { headers: { "content-type": "text/x", "content-encoding": "gzip" } })
      for (const [accepted, encoding] of [
        ["gzip", "gzip"],
        ["br", undefined]
      ] as const) {
        const options = { method: "HEAD", headers: { "accept-encoding": accepted } }
        const { status, headers, text } = yield* get(url, CLOSED, "head?attachment=1", options)
        assert.deepStrictEqual([status, text], [200, ""])
        assert.strictEqual(headers["content-type"], "text/x")
        assert.strictEqual(headers["content-length"], String(body.length))
        assert.strictEqual(headers["content-encoding"], encoding)
        assert.strictEqual(headers["content-disposition"], "attachment")
        assert.strictEqual(headers["x-ratelimit-limit"], "200")
      }
      const missing = yield* get(url, CLOSED, "no-head", { method: "HEAD" })
      assert.deepStrictEqual([missing.status, missing.text], [404, ""])
      const byGet = yield* get(url, CLOSED, "head?method=head")
      assert.deepStrictEqual([byGet.status, byGet.text], [200, ""])
    })
  )
})

// ---- Encodings ---------------------------------------------------------------------------------------------------------

layer(emulator)("a record with an encoding", (it) => {
  const small = Buffer.from("some text, some text, some text")
  // More than a chunk when it is encoded.
  const large = randomBytes(3 * CHUNK_BYTES)
  const fast = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }
  const kinds = [
    ["gzip", "gzip", gzipSync],
    ["br", "br", (body: Buffer) => brotliCompressSync(body, fast)],
    ["deflate", "deflate", deflateSync],
    ["deflate", "deflate without a wrapper", deflateRawSync]
  ] as const

  for (const [encoding, name, encode] of kinds) {
    for (const [size, content] of [
      ["small", small],
      ["large", large],
      // Small as it is stored, and large without its encoding.
      ["inflated", Buffer.alloc(3 * CHUNK_BYTES, 1)]
    ] as const) {
      it.effect(`comes back as it was put where it is admitted, and decoded elsewhere: ${name}, ${size}`, () =>
        Effect.gen(function* () {
          const { url } = yield* Emulator
          const body = encode(content)
          const key = `${encoding}-${size}`
          yield* put(url, CLOSED, key, body, { headers: { "content-encoding": encoding.toUpperCase() } })
          const admitted = yield* get(url, CLOSED, key, { headers: { "accept-encoding": `identity, ${encoding}` } })
          assert.strictEqual(admitted.headers["content-encoding"], encoding)
          assert.strictEqual(admitted.headers["content-length"], String(body.length))
          assert.isTrue(admitted.bytes.equals(body))
          for (const headers of [{}, { "accept-encoding": "identity" }]) {
            const decoded = yield* get(url, CLOSED, key, { headers })
            assert.notProperty(decoded.headers, "content-encoding")
            assert.isTrue(decoded.bytes.equals(content))
            assert.strictEqual(decoded.headers.vary, "Accept-Encoding")
          }
        })
      )
    }
  }

  it.effect("that is no encoding at all is stored without one", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      yield* put(url, CLOSED, "identity", "1", { headers: { "content-encoding": "Identity" } })
      const { headers } = yield* get(url, CLOSED, "identity", { headers: { "accept-encoding": "*" } })
      assert.notProperty(headers, "content-encoding")
    })
  )

  it.effect("and no bytes has none when it is decoded", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      yield* put(url, CLOSED, "nothing", "", { headers: { "content-encoding": "gzip" } })
      assert.deepStrictEqual((yield* get(url, CLOSED, "nothing")).bytes.length, 0)
    })
  )

  it.effect("that is not supported is refused, and so is HTML with one", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const withType = (type: string) =>
        put(url, CLOSED, "bla", "1", { headers: { "content-type": type, "content-encoding": "bla" } })
      assertRefused(yield* withType("text/plain"), "encoding")
      assertRefused(yield* withType("text/html; charset=utf-8"), "html")
      const html = { "content-type": "text/html", "content-encoding": "br" }
      assert.strictEqual((yield* put(url, CLOSED, "bla", brotliCompressSync("x"), { headers: html })).status, 201)
    })
  )

  it.effect("that is not what it says comes back as it was put, and a 500 where it had to be decoded", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      for (const encoding of ["gzip", "br", "deflate"]) {
        yield* put(url, CLOSED, "wrong", "xxxx no encoding", { headers: { "content-encoding": encoding } })
        const admitted = yield* get(url, CLOSED, "wrong", { headers: { "accept-encoding": encoding } })
        assert.strictEqual(admitted.text, "xxxx no encoding")
        assertRefused(yield* get(url, CLOSED, "wrong"), "undecodable")
      }
    })
  )

  it.effect("that a large record breaks off in cuts the connection: what arrived does not look whole", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const body = gzipSync(large)
      yield* put(url, CLOSED, "broken", body.subarray(0, -10), { headers: { "content-encoding": "gzip" } })
      const error = yield* Effect.flip(get(url, CLOSED, "broken"))
      assert.include(error.message, "aborted")
    })
  )
})

describe("a record that cannot be decoded is logged once,", () => {
  /** What is logged while a record that breaks off, or is wrong from its beginning, is read. */
  const loggedFor = (body: Uint8Array) =>
    Effect.gen(function* () {
      const logged: Array<unknown> = []
      const logger = Logger.make(({ message }) => logged.push(message))
      const received = yield* Effect.gen(function* () {
        const { url } = yield* Emulator
        yield* put(url, CLOSED, "broken", body, { headers: { "content-encoding": "gzip" } })
        return yield* Effect.either(get(url, CLOSED, "broken"))
      }).pipe(Effect.provide(emulator), Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
      return { received: Either.map(received, ({ status }) => status), count: logged.length }
    })

  for (const [size, body] of [
    ["small", Buffer.from("no gzip")],
    ["large", randomBytes(3 * CHUNK_BYTES)]
  ] as const) {
    it.effect(`and refused: ${size}`, () =>
      Effect.map(loggedFor(body), (got) => assert.deepStrictEqual(got, { received: Either.right(500), count: 1 }))
    )
  }
  it.effect("and cut where that shows later", () =>
    Effect.map(loggedFor(gzipSync(randomBytes(3 * CHUNK_BYTES)).subarray(0, -10)), ({ received, count }) => {
      assert.isTrue(Either.isLeft(received))
      assert.strictEqual(count, 1)
    })
  )
})

describe("a body that ends early", () => {
  const PARTS: ReadonlyArray<readonly [name: string, rest: string]> = [
    ["than its length", "Content-Length: 10\r\n\r\nabc"],
    ["in a chunk", "Transfer-Encoding: chunked\r\n\r\n5\r\nabc"],
    ["between chunks", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"]
  ]
  layer(emulator)((it) => {
    for (const [name, rest] of PARTS) {
      for (const target of [recordPath(CLOSED, "early"), storePath(CLOSED)]) {
        it.effect(`${name} is refused, and nothing is stored: PUT ${target}`, () =>
          Effect.gen(function* () {
            const { url } = yield* Emulator
            const head = `PUT ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${OWNER}\r\n${rest}`
            const response = yield* exchange(url, head, { ends: true })
            assert.deepStrictEqual(statusesOf(response), [400])
            assert.include(response.toLowerCase(), "x-ratelimit-limit: ")
            const body = errorBody("request-aborted-prematurely", "The request body ended before it was complete")
            assert.isTrue(response.endsWith(body))
            assert.strictEqual((yield* get(url, CLOSED, "early")).status, 404)
          })
        )
      }
    }
    it.effect("of a request that is refused anyway gets that refusal", () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        const head = `PUT ${recordPath(CLOSED, "a")} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc`
        assert.deepStrictEqual(statusesOf(yield* exchange(url, head, { ends: true })), [401])
      })
    )
  })
})

describe("an Accept-Encoding", () => {
  const cases: ReadonlyArray<readonly [header: string | undefined, admitted: ReadonlyArray<string>]> = [
    [undefined, []],
    ["", []],
    ["gzip", ["gzip"]],
    ["GZIP , bR", ["gzip", "br"]],
    ["x-gzip", ["gzip"]],
    ["*", ["gzip", "br", "deflate"]],
    ["*;q=0", []],
    ["br;q=0, *", ["gzip", "deflate"]],
    ["gzip;q=0.5, deflate; q=1.0", ["gzip", "deflate"]],
    ["gzip;q=0.000", []],
    ["identity;q=0", []],
    ["gzip;q=x", []]
  ]
  for (const [header, admitted] of cases) {
    it(`of ${JSON.stringify(header)} admits ${admitted.join(", ") || "nothing"}`, () => {
      assert.deepStrictEqual(
        (["gzip", "br", "deflate"] as const).filter((encoding) => admits(header, encoding)),
        admitted
      )
    })
  }
})

// ---- Keys --------------------------------------------------------------------------------------------------------------

layer(emulator)("a key", (it) => {
  const key = fc.stringMatching(/^[a-zA-Z0-9!\-_.'()]{1,256}$/)

  it.effect("of any legal characters names a record, encoded or not", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(key, fc.string(), (key, body) =>
            Effect.gen(function* () {
              yield* put(url, CLOSED, key, body)
              const encoded = Array.from(key, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, "0")}`).join("")
              assert.strictEqual((yield* get(url, CLOSED, encoded)).text, body)
            }).pipe(Effect.runPromise)
          )
        )
      )
    })
  )

  it.effect("of one or two dots names a record of its own", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      for (const key of [".", ".."]) {
        assert.strictEqual((yield* put(url, CLOSED, key, key)).status, 201)
        assert.strictEqual((yield* get(url, CLOSED, key)).text, key)
        assert.strictEqual((yield* get(url, CLOSED, key.replaceAll(".", "%2e"))).text, key)
        assert.strictEqual((yield* get(url, CLOSED, key, { method: "DELETE" })).status, 204)
      }
      assert.strictEqual((yield* get(url, CLOSED, "still-there")).status, 404)
    })
  )

  it.effect("differs by case", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      yield* put(url, CLOSED, "case", "small")
      yield* put(url, CLOSED, "CASE", "large")
      assert.strictEqual((yield* get(url, CLOSED, "case")).text, "small")
    })
  )

  for (const segment of ["a%20b", "a%2Fb", "%C3%A9", "a%00", "a%2527b", "a+b", "a~b", "a*b", "a".repeat(257)]) {
    it.effect(`of ${segment.slice(0, 20)} is refused by every operation`, () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        for (const method of ["GET", "PUT", "POST", "DELETE"]) {
          assertRefused(yield* get(url, CLOSED, segment, { method }), "key")
        }
        assert.strictEqual((yield* get(url, CLOSED, segment, { method: "HEAD" })).status, 400)
      })
    )
  }

  it.effect("that is missing is no page, and other methods are refused with the list of those that there are", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      assert.strictEqual((yield* get(url, CLOSED, "")).status, 404)
      const { status, text } = yield* get(url, CLOSED, "key", { method: "PATCH" })
      assert.strictEqual(status, 405)
      assert.include(text, "HTTP methods: OPTIONS,GET,HEAD,PUT,POST,DELETE")
    })
  )
})

// ---- The order of checks -----------------------------------------------------------------------------------------------

layer(emulator)("what is wrong is refused in Apify's order:", (it) => {
  const NO_STORE = "NoSuchStore000000"
  const wrongBody = { headers: { "content-type": "wrong", "content-encoding": "bla" } }

  it.effect("an unknown token, before the key", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      assertRefused(yield* get(url, OPEN_BY_ID, "a%20b", { token: "unknown" }), "unknownToken")
    })
  )
  it.effect("the key, before the store", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      for (const method of ["GET", "PUT", "DELETE"]) {
        assertRefused(yield* get(url, NO_STORE, "a%20b", { method }), "key")
      }
    })
  )
  it.effect("the store, before the rights", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      for (const method of ["GET", "PUT", "DELETE"]) {
        assertRefused(yield* get(url, NO_STORE, "a", { method, token: undefined }), "noStore")
      }
    })
  )
  it.effect("the rights, before the headers and the body", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      assertRefused(yield* put(url, CLOSED, "a", "1", { token: undefined, ...wrongBody }), "noToken")
      assertRefused(yield* put(url, CLOSED, "a", "1", { token: "other", ...wrongBody }), "noRights")
      const serviceWorker = { token: "other", headers: { "service-worker": "script" } }
      assertRefused(yield* get(url, CLOSED, "a", serviceWorker), "noRights")
    })
  )
  it.effect("the content type, before the encoding", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      assertRefused(yield* put(url, CLOSED, "a", "1", wrongBody), "contentType")
    })
  )
  it.effect("a service worker, before the record", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      assertRefused(yield* get(url, CLOSED, "none", { headers: { "service-worker": "script" } }), "serviceWorker")
    })
  )
})

// ---- Sizes -------------------------------------------------------------------------------------------------------------

describe("a record over the limit", () => {
  const LIMIT = 2 * CHUNK_BYTES
  const refusal = errorBody("record-too-large", `The record is too large (limit: ${LIMIT} bytes)`)

  layer(Emulator.layer({ seed, maximumRecordBytes: LIMIT }))((it) => {
    for (const headers of [{}, { "transfer-encoding": "chunked" }]) {
      const how = "transfer-encoding" in headers ? "without a length" : "with its length"
      it.effect(`is refused when it is sent ${how}, and the record stays what it was`, () =>
        Effect.gen(function* () {
          const { url } = yield* Emulator
          assert.strictEqual((yield* put(url, CLOSED, "full", bytesOf(LIMIT), { headers })).status, 201)
          const { status, text } = yield* put(url, CLOSED, "full", bytesOf(LIMIT + 1), { headers })
          assert.deepStrictEqual([status, text], [400, refusal])
          assert.isTrue((yield* get(url, CLOSED, "full")).bytes.equals(bytesOf(LIMIT)))
        })
      )
    }

    it.effect("is refused before its body arrives when its length says so", () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        const status = yield* Effect.async<number | undefined>((resume) => {
          const { hostname, port } = new URL(url)
          const outgoing = Http.request({
            hostname,
            port,
            path: recordPath(CLOSED, "announced"),
            method: "PUT",
            headers: { authorization: `Bearer ${OWNER}`, "content-length": String(LIMIT + 1) }
          })
          outgoing.on("response", ({ statusCode }) => {
            outgoing.destroy()
            resume(Effect.succeed(statusCode))
          })
          outgoing.on("error", () => {})
          outgoing.flushHeaders()
        })
        assert.strictEqual(status, 400)
      })
    )
  })

  it("is one of more than 200 MiB, where nobody says otherwise", () => {
    assert.strictEqual(unknowns.MAXIMUM_RECORD_BYTES, 200 * 1024 * 1024)
  })
})
