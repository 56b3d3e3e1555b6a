/**
 * Listing, making, changing and deleting stores, over real sockets.
 */
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib"
import { assert, describe, it, layer } from "@effect/vitest"
import { StoreName } from "@effect-apify/domain/StoreName"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { scale } from "../../../vitest.scale.js"
import { Emulator, type SeedJson } from "../src/index.js"
import { checkStoreSchema } from "../src/StoreSchema.js"
import { unknowns } from "../src/Unknowns.js"
import { errorBody, type RequestOptions, type Response, request, storePath } from "./request.js"
import { closed, connected, statusesOf } from "./sockets.js"

const STORES = "/v2/key-value-stores"

const JANE = "jane"
const JOHN = "john"
const JANE_READS = "jane-reads"

const at = (day: number): string => `2026-01-${String(day).padStart(2, "0")}T12:00:00.000Z`

const storeOf = (id: string, day: number, fields: Readonly<Record<string, unknown>> = {}) => ({
  id,
  createdAt: at(day),
  modifiedAt: at(day),
  accessedAt: at(day),
  ...fields
})

/** Three named stores of Jane's, one unnamed, three of John's: one that Jane may read, one that is his alone, and one that Jane may write to. */
const seed: SeedJson = {
  users: [
    { username: "janedoe", id: "JaneDoe0000000000", tokens: [{ token: JANE }, { token: JANE_READS, scope: "READ" }] },
    { username: "johndoe", id: "JohnDoe0000000000", tokens: [{ token: JOHN }] }
  ],
  stores: [
    { owner: "janedoe", store: storeOf("JaneThird00000000", 3, { name: "third", urlSigningSecretKey: "canary" }) },
    { owner: "janedoe", store: storeOf("JaneFirst00000000", 1, { name: "First", stats: { storageBytes: 1 } }) },
    // Of the same age: the ID decides.
    { owner: "janedoe", store: storeOf("JaneSecondB000000", 2, { name: "second-b" }) },
    { owner: "janedoe", store: storeOf("JaneSecondA000000", 2) },
    {
      owner: "johndoe",
      grants: [{ user: "janedoe", access: "READ" }],
      store: storeOf("JohnShared0000000", 4, { name: "shared", urlSigningSecretKey: "canary" })
    },
    { owner: "johndoe", store: storeOf("JohnAlone00000000", 5, { name: "alone" }) },
    { owner: "johndoe", grants: [{ user: "janedoe", access: "WRITE" }], store: storeOf("JohnWritable00000", 6) }
  ]
}

const Page = Schema.Struct({
  data: Schema.Struct({
    total: Schema.Number,
    offset: Schema.Number,
    limit: Schema.Number,
    desc: Schema.Boolean,
    count: Schema.Number,
    unnamed: Schema.Boolean,
    items: Schema.Array(Schema.Record({ key: Schema.String, value: Schema.Unknown }))
  })
})

const decodePage = Schema.decodeUnknownSync(Schema.parseJson(Page), { onExcessProperty: "error" })

const Body = Schema.Struct({ data: Schema.Record({ key: Schema.String, value: Schema.Unknown }) })
const decodeStore = Schema.decodeUnknownSync(Schema.parseJson(Body))
const dataOf = (response: Response) => decodeStore(response.text).data

const send = (path: string, options: RequestOptions = {}) =>
  Effect.flatMap(Emulator, ({ url }) => request(url, path, { token: JANE, ...options }))

const create = (query = "", options: RequestOptions = {}) => send(`${STORES}${query}`, { method: "POST", ...options })

const update = (segment: string, change: unknown, options: RequestOptions = {}) =>
  send(storePath(segment), { method: "PUT", body: JSON.stringify(change), ...options })

const assertRefused = ({ status, text }: Response, expected: number, type: string, message?: string) => {
  assert.deepStrictEqual([status, JSON.parse(text).error?.type], [expected, type])
  if (message !== undefined) assert.strictEqual(text, errorBody(type, message))
}

const INVALID_NAME =
  "Invalid value provided in store: name can only contain letters 'a' through 'z', the digits '0' through '9', and the hyphen ('-') but only in the middle of the string (e.g. 'my-value-1')"

const NO_TOKEN = "Authentication token was not provided"
const NO_RIGHTS =
  "Insufficient permissions for the key-value store. Make sure you're passing a correct API token and that it has the required permissions."
const MISSING = "Key-value Store was not found"

// ---- List --------------------------------------------------------------------------------------------------------------

layer(Emulator.layer({ seed }))("a list of stores", (it) => {
  const list = (query = "", options: RequestOptions = {}) =>
    Effect.map(send(`${STORES}${query}`, options), ({ status, text }) => {
      assert.strictEqual(status, 200)
      return decodePage(text).data
    })
  const idsOf = (query: string, options: RequestOptions = {}) =>
    Effect.map(list(query, options), ({ items }) => items.map(({ id }) => id))

  const THIRD = "JaneThird00000000"
  const FIRST = "JaneFirst00000000"
  const SECOND_A = "JaneSecondA000000"
  const SECOND_B = "JaneSecondB000000"
  const SHARED = "JohnShared0000000"
  const WRITABLE = "JohnWritable00000"

  const pages: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
    ["is of the named ones that the caller may reach, the oldest first", "", [FIRST, SECOND_B, THIRD, SHARED]],
    ["has the newest first with desc", "?desc=1", [SHARED, THIRD, SECOND_B, FIRST]],
    [
      "has the unnamed ones too, by their IDs if they are of one age",
      "?unnamed=1",
      [FIRST, SECOND_A, SECOND_B, THIRD, SHARED, WRITABLE]
    ],
    [
      "is turned around with desc, IDs included",
      "?unnamed=true&desc=true",
      [WRITABLE, SHARED, THIRD, SECOND_B, SECOND_A, FIRST]
    ],
    ["is of the caller's own with ownedByMe", "?ownership=ownedByMe", [FIRST, SECOND_B, THIRD]],
    ["is of those of others with sharedWithMe", "?ownership=sharedWithMe", [SHARED]],
    ["begins at the offset", "?offset=1", [SECOND_B, THIRD, SHARED]],
    ["ends at the limit", "?limit=2", [FIRST, SECOND_B]],
    ["is a page between offset and limit", "?offset=1&limit=2", [SECOND_B, THIRD]],
    ["is empty beyond the last", "?offset=4", []],
    ["is empty far beyond the last", "?offset=9007199254740993", []],
    ["has no limit with a limit of 0, as one client asks", "?limit=0&offset=0", [FIRST, SECOND_B, THIRD, SHARED]],
    ["is the same for what the other client sends", "?desc=0&unnamed=0", [FIRST, SECOND_B, THIRD, SHARED]]
  ]
  for (const [name, query, expected] of pages) {
    it.effect(name, () => Effect.map(idsOf(query), (ids) => assert.deepStrictEqual<unknown>(ids, expected)))
  }

  it.effect("says what was asked, and how many there are in all", () =>
    Effect.gen(function* () {
      const { items, ...page } = yield* list("?offset=1&limit=2&desc=1&unnamed=1")
      assert.deepStrictEqual(page, { total: 6, offset: 1, limit: 2, desc: true, count: 2, unnamed: true })
      assert.lengthOf(items, 2)
    })
  )
  it.effect("has at most 1000 stores, which a greater limit is lowered to", () =>
    Effect.gen(function* () {
      for (const query of ["", "?limit=0", "?limit=1001", `?limit=${"9".repeat(400)}`]) {
        assert.strictEqual((yield* list(query)).limit, 1000)
      }
    })
  )
  it.effect("has each store as Get store has it for the caller, with its key only for those who may write", () =>
    Effect.gen(function* () {
      const { items } = yield* list()
      for (const item of items) {
        const store = dataOf(yield* send(storePath(String(item.id))))
        const { accessedAt: _, keysPublicUrl: keys, recordsPublicUrl: records, ...others } = store
        assert.deepInclude(item, others)
        assert.strictEqual(String(item.keysPublicUrl).includes("signature="), String(keys).includes("signature="))
        assert.strictEqual(String(item.recordsPublicUrl).includes("signature="), String(records).includes("signature="))
      }
      assert.deepStrictEqual(
        items.map(({ urlSigningSecretKey }) => urlSigningSecretKey),
        [null, null, "canary", null]
      )
      const read = yield* list("", { token: JANE_READS })
      assert.notInclude(JSON.stringify(read.items), "canary")
    })
  )
  it.effect("needs a token", () =>
    Effect.gen(function* () {
      assertRefused(yield* send(STORES, { token: undefined }), 401, "token-not-provided", NO_TOKEN)
      assertRefused(yield* send(STORES, { token: "unknown" }), 401, "user-or-token-not-found")
    })
  )
  it.effect("takes no other ownership, and no other numbers", () =>
    Effect.gen(function* () {
      const { error: ownership } = unknowns.BAD_OWNERSHIP_REFUSAL
      for (const value of ["", "ownedbyme", "all", "ownedByMe,sharedWithMe"]) {
        const response = yield* send(`${STORES}?ownership=${value}`)
        assertRefused(response, 400, "invalid-value", ownership.message)
      }
      for (const name of ["limit", "offset"]) {
        for (const value of ["-1", "1.5", "abc", ""]) {
          const { error } = unknowns.BAD_NUMBER_REFUSAL(name)
          assertRefused(yield* send(`${STORES}?${name}=${value}`), 400, "invalid-value", error.message)
        }
      }
    })
  )
  it.effect("takes GET, HEAD and POST", () =>
    Effect.gen(function* () {
      const response = yield* send(STORES, { method: "DELETE" })
      assertRefused(
        response,
        405,
        "method-not-allowed",
        "This API end-point can only be accessed using the following HTTP methods: OPTIONS,GET,POST"
      )
      assert.strictEqual(response.headers.allow, "GET, HEAD, POST, OPTIONS")
    })
  )
  it.effect("moves no date", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse(at(20)))
      const before = yield* list()
      assert.deepStrictEqual(
        (yield* list()).items.map(({ accessedAt }) => accessedAt),
        before.items.map(({ accessedAt }) => accessedAt)
      )
      assert.strictEqual(before.items.at(-1)?.modifiedAt, at(4))
    })
  )
})

// ---- Get or create -----------------------------------------------------------------------------------------------------

layer(Emulator.layer({ seed }))("getting or creating a store", (it) => {
  it.effect("without a name makes a new one, which says where it is", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      yield* TestClock.setTime(Date.parse(at(10)))
      const response = yield* create()
      const store = dataOf(response)
      assert.strictEqual(response.status, 201)
      assert.match(String(store.id), /^[a-zA-Z0-9]{17}$/)
      assert.match(String(store.urlSigningSecretKey), /^[a-zA-Z0-9]{17}$/)
      assert.strictEqual(response.headers.location, `${url}${STORES}/${store.id}`)
      const { urlSigningSecretKey: _, keysPublicUrl: __, recordsPublicUrl: ___, ...others } = store
      assert.deepStrictEqual(others, {
        id: store.id,
        userId: "JaneDoe0000000000",
        username: "janedoe",
        createdAt: at(10),
        modifiedAt: at(10),
        accessedAt: at(10),
        actId: null,
        actRunId: null,
        consoleUrl: `https://console.apify.com/storage/key-value-stores/${store.id}`,
        generalAccess: "FOLLOW_USER_SETTING",
        stats: {}
      })
      const { keysPublicUrl, recordsPublicUrl, ...again } = dataOf(yield* send(storePath(String(store.id))))
      assert.deepStrictEqual(again, { ...others, urlSigningSecretKey: store.urlSigningSecretKey })
      assert.deepStrictEqual([keysPublicUrl, recordsPublicUrl], [store.keysPublicUrl, store.recordsPublicUrl])
      assert.notStrictEqual(dataOf(yield* create()).id, store.id)
    })
  )

  it.effect("links to its keys and records with one signature, for 14 days, for those who may write", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      yield* TestClock.setTime(Date.parse(at(10)))
      const { id, keysPublicUrl, recordsPublicUrl } = dataOf(yield* create())
      const keys = new URL(String(keysPublicUrl))
      const signature = keys.searchParams.get("signature") ?? ""
      assert.strictEqual(`${keys.origin}${keys.pathname}`, `${url}${STORES}/${id}/keys`)
      assert.strictEqual(recordsPublicUrl, `${url}${STORES}/${id}/records?signature=${signature}`)
      const [version, expiresAt, hmac] = Buffer.from(signature, "base64url").toString().split(".")
      assert.deepStrictEqual(
        [version, Number(expiresAt)],
        ["0", Date.parse(at(10)) + unknowns.KEYS_PUBLIC_URL_VALIDITY]
      )
      assert.match(hmac ?? "", /^[0-9a-zA-Z]{1,21}$/)
      const read = dataOf(yield* send(storePath(String(id)), { token: JANE_READS }))
      assert.deepStrictEqual([read.keysPublicUrl, read.urlSigningSecretKey], [`${url}${STORES}/${id}/keys`, null])
      const open = dataOf(yield* update(String(id), { generalAccess: "ANYONE_WITH_ID_CAN_READ" }))
      assert.strictEqual(open.recordsPublicUrl, `${url}${STORES}/${id}/records`)
    })
  )

  it.effect("with the name of one gets that, whatever the case of the name, and leaves it as it is", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse(at(10)))
      const schema = { actorKeyValueStoreSchemaVersion: 1, title: "A", collections: {} }
      for (const name of ["First", "first", "FIRST"]) {
        const response = yield* create(`?name=${name}`, { body: JSON.stringify({ schema }) })
        assert.strictEqual(response.status, 200)
        assert.isUndefined(response.headers.location)
        assert.deepInclude(dataOf(response), {
          id: "JaneFirst00000000",
          name: "First",
          modifiedAt: at(1),
          accessedAt: at(1)
        })
        assert.notProperty(dataOf(response), "schema")
      }
    })
  )

  it.effect("with a new name makes it, once, even for callers at the same time", () =>
    Effect.gen(function* () {
      const responses = yield* Effect.all(
        Array.from({ length: 20 }, (_, index) => create(`?name=${index % 2 === 0 ? "Race" : "race"}`)),
        { concurrency: "unbounded" }
      )
      assert.lengthOf(
        responses.filter(({ status }) => status === 201),
        1
      )
      assert.strictEqual(new Set(responses.map((response) => dataOf(response).id)).size, 1)
      const named = yield* send(storePath("~RACE"))
      assert.strictEqual(dataOf(named).id, responses.map((response) => dataOf(response).id)[0])
    })
  )

  it.effect("is in each account by itself", () =>
    Effect.gen(function* () {
      const [jane, john] = [yield* create("?name=mine"), yield* create("?name=mine", { token: JOHN })]
      assert.deepStrictEqual([jane.status, john.status], [201, 201])
      assert.notStrictEqual(dataOf(jane).id, dataOf(john).id)
    })
  )

  it.effect("takes any name that a store can have", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(Arbitrary.make(StoreName), async (name) => {
            const response = await Effect.runPromise(
              request(url, `${STORES}?name=${name}`, { method: "POST", token: JANE })
            )
            assert.include([200, 201], response.status)
            assert.strictEqual(String(dataOf(response).name).toLowerCase(), name.toLowerCase())
          }),
          { numRuns: 20 }
        )
      )
    })
  )

  describe("refuses the name", () => {
    for (const name of ["-a", "a-", "a b", "a_b", "ž", "a".repeat(64), "a/b", "a~b", "a%00"]) {
      it.effect(JSON.stringify(name), () =>
        Effect.map(create(`?name=${encodeURIComponent(name)}`), (response) =>
          assertRefused(response, 400, "invalid-value", INVALID_NAME)
        )
      )
    }
    it.effect("that is empty, in the words of Apify", () =>
      Effect.map(create("?name="), (response) => {
        assertRefused(response, 400, "invalid-value")
        assert.include(response.text, "name must be a string")
      })
    )
  })

  describe("takes the body", () => {
    const bodies: ReadonlyArray<readonly [string, RequestOptions]> = [
      ["that is none", {}],
      ["of no bytes that is said to be a form", { headers: { "content-type": "application/x-www-form-urlencoded" } }],
      ["{}", { body: "{}", headers: { "content-type": "application/json" } }],
      ["without a type", { body: "{}" }],
      ["with a schema of null", { body: '{"schema":null}' }],
      ["with a name and unknown fields, which are ignored", { body: '{"name":"-","x":{"y":[1]}}' }]
    ]
    for (const [name, options] of bodies) {
      it.effect(name, () =>
        Effect.map(create("", options), (response) => {
          assert.strictEqual(response.status, 201)
          assert.notProperty(dataOf(response), "name")
          assert.notProperty(dataOf(response), "schema")
        })
      )
    }
    it.effect("with a schema, and shows it from then on", () =>
      Effect.gen(function* () {
        const schema = {
          actorKeyValueStoreSchemaVersion: 1,
          title: "Pages",
          extra: [1, { a: null }],
          collections: {
            pages: { title: "Pages", contentTypes: ["text/html", "text/plain"], keyPrefix: "page-" },
            output: { contentTypes: ["application/json"], key: "OUTPUT", jsonSchema: { type: "object" } }
          }
        }
        const store = dataOf(yield* create("", { body: JSON.stringify({ schema }) }))
        assert.deepStrictEqual(store.schema, schema)
        assert.deepStrictEqual(dataOf(yield* send(storePath(String(store.id)))).schema, schema)
      })
    )
  })

  it.effect("refuses a schema that is none, and makes nothing", () =>
    Effect.gen(function* () {
      for (const schema of ["{}", "[]", "1", '"a"', '{"title":"a"}']) {
        const response = yield* create("?name=of-a-bad-schema", { body: `{"schema":${schema}}` })
        assertRefused(response, 400, "store-schema-invalid")
      }
      assertRefused(yield* send(storePath("~of-a-bad-schema")), 404, "record-not-found", MISSING)
    })
  )

  it.effect("needs a token, and one that may create", () =>
    Effect.gen(function* () {
      assertRefused(yield* create("", { token: undefined }), 401, "token-not-provided", NO_TOKEN)
      assertRefused(yield* create("", { token: JANE_READS }), 403, "insufficient-permissions", NO_RIGHTS)
      assertRefused(yield* create("?name=new", { token: JANE_READS }), 403, "insufficient-permissions", NO_RIGHTS)
      assert.strictEqual((yield* create("?name=first", { token: JANE_READS })).status, 200)
    })
  )
})

// ---- Bodies ------------------------------------------------------------------------------------------------------------

layer(Emulator.layer({ seed }))("a JSON body", (it) => {
  const CHANGE = { title: "Příliš žluťoučký" }
  const bytes = Buffer.from(JSON.stringify(CHANGE))
  const ID = "JaneFirst00000000"
  const put = (body: Uint8Array | string, headers: Record<string, string> = {}) =>
    send(storePath(ID), { method: "PUT", body, headers })

  const encodings: ReadonlyArray<readonly [string, Uint8Array]> = [
    ["gzip", gzipSync(bytes)],
    ["br", brotliCompressSync(bytes)],
    ["deflate", deflateSync(bytes)],
    ["DEFLATE", deflateRawSync(bytes)],
    ["identity", bytes],
    [" GZip ", gzipSync(bytes)]
  ]
  for (const [encoding, body] of encodings) {
    it.effect(`may be encoded: ${JSON.stringify(encoding)}`, () =>
      Effect.gen(function* () {
        yield* update(ID, { title: "before" })
        const response = yield* put(body, { "content-encoding": encoding })
        assert.deepStrictEqual([response.status, dataOf(response).title], [200, CHANGE.title])
      })
    )
  }
  for (const encoding of ["bla", "gzip, br", "compress", "x"]) {
    it.effect(`may not be encoded: ${JSON.stringify(encoding)}`, () =>
      Effect.map(put(bytes, { "content-encoding": encoding }), (response) =>
        assertRefused(response, 415, "unsupported-content-encoding", `Content-Encoding "${encoding}" is not supported.`)
      )
    )
  }
  it.effect("must be what its encoding says, to its end", () =>
    Effect.gen(function* () {
      for (const encoding of ["gzip", "br", "deflate"]) {
        assertRefused(yield* put("nothing of the kind", { "content-encoding": encoding }), 400, "invalid-request")
      }
      const cut = gzipSync(bytes).subarray(0, 30)
      assertRefused(yield* put(cut, { "content-encoding": "gzip" }), 400, "invalid-request")
    })
  )

  for (const body of ["", "[]", "null", "1", '"a"', "{", "{'name':1}", "title=a", Uint8Array.of(0x22, 0xff, 0x22)]) {
    it.effect(`must be an object: ${JSON.stringify(body)}`, () =>
      Effect.map(put(body), (response) =>
        assertRefused(response, 400, "invalid-request", "POST data must be a JSON object")
      )
    )
  }

  const tooLarge = (actual: number) =>
    `The POST payload is too large (limit: 9437184 bytes, actual length: ${actual} bytes).`
  /** A change of just so many bytes. */
  const ofSize = (size: number) => `{"x":"${"a".repeat(size - 8)}"}`

  it.effect("may have 9437184 bytes, and not one more", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* put(ofSize(unknowns.MAXIMUM_JSON_BYTES))).status, 200)
      const size = unknowns.MAXIMUM_JSON_BYTES + 1
      assertRefused(
        yield* put(ofSize(size), { "content-length": String(size) }),
        413,
        "request-too-large",
        tooLarge(size)
      )
      const chunked = yield* put(ofSize(size), { "transfer-encoding": "chunked" })
      assertRefused(chunked, 413, "request-too-large", tooLarge(size))
    })
  )
  it.effect("is counted as it is decoded", () =>
    Effect.gen(function* () {
      const response = (size: number) => put(gzipSync(ofSize(size)), { "content-encoding": "gzip" })
      assert.strictEqual((yield* response(unknowns.MAXIMUM_JSON_BYTES)).status, 200)
      for (const size of [unknowns.MAXIMUM_JSON_BYTES + 1, scale({ test: 30_000_000, soak: 300_000_000 })]) {
        assertRefused(yield* response(size), 413, "request-too-large", tooLarge(unknowns.MAXIMUM_JSON_BYTES + 1))
      }
    })
  )
  it.effect("may still be on its way when it is refused: the client sees why once it has sent it", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const chunk = Buffer.alloc(1_000_000)
      const headers = `Host: x\r\nConnection: close\r\nAuthorization: Bearer unknown\r\nContent-Length: ${20 * chunk.length}`
      const socket = yield* connected(url, `PUT ${storePath(ID)} HTTP/1.1\r\n${headers}\r\n\r\n`)
      for (let sent = 0; sent < 20; sent += 1) {
        yield* Effect.async<void>((resume) => {
          socket.write(chunk, () => resume(Effect.void))
        })
      }
      const received: Array<string> = []
      socket.on("data", (data: Buffer) => received.push(data.toString()))
      yield* closed(socket)
      assert.deepStrictEqual(statusesOf(received.join("")), [401])
    })
  )
  it.effect("is read after the rights to the store are known", () =>
    Effect.gen(function* () {
      const broken = { body: "[", headers: { "content-encoding": "bla" } }
      assertRefused(yield* update(ID, {}, { ...broken, token: JOHN }), 403, "insufficient-permissions")
      assertRefused(yield* update("missing", {}, broken), 404, "record-not-found")
      assertRefused(yield* create("", { ...broken, token: undefined }), 401, "token-not-provided")
    })
  )
})

// ---- Update ------------------------------------------------------------------------------------------------------------

layer(Emulator.layer({ seed }))("updating a store", (it) => {
  const ID = "JaneThird00000000"

  it.effect("changes what is sent and nothing else, and says when", () =>
    Effect.gen(function* () {
      const before = dataOf(yield* send(storePath(ID)))
      yield* TestClock.setTime(Date.parse(at(11)))
      const response = yield* update(ID, {
        name: "renamed",
        title: "A title",
        generalAccess: "ANYONE_WITH_NAME_CAN_READ"
      })
      assert.strictEqual(response.status, 200)
      const { keysPublicUrl: _, recordsPublicUrl: __, ...others } = before
      const changed = {
        name: "renamed",
        title: "A title",
        generalAccess: "ANYONE_WITH_NAME_CAN_READ",
        modifiedAt: at(11),
        accessedAt: at(11)
      }
      assert.deepInclude(dataOf(response), { ...others, ...changed })
      yield* TestClock.setTime(Date.parse(at(12)))
      const next = dataOf(yield* update(ID, {}))
      assert.deepInclude(next, { ...others, ...changed, modifiedAt: at(12), accessedAt: at(12) })
      assert.strictEqual((yield* send(storePath("janedoe~RENAMED"), { token: undefined })).status, 200)
      assertRefused(yield* send(storePath("~third")), 404, "record-not-found", MISSING)
    })
  )
  it.effect("takes the name and the title away with null, and access back to the account's setting", () =>
    Effect.gen(function* () {
      yield* update(ID, { name: "renamed", title: "A title", generalAccess: "RESTRICTED" })
      const store = dataOf(yield* update("~renamed", { name: null, title: null, generalAccess: null }))
      assert.notProperty(store, "name")
      assert.notProperty(store, "title")
      assert.strictEqual(store.generalAccess, "FOLLOW_USER_SETTING")
      yield* update(ID, { name: "third" })
    })
  )
  it.effect("may give the name that the store has, in another spelling", () =>
    Effect.gen(function* () {
      yield* update(ID, { name: "third" })
      assert.strictEqual(dataOf(yield* update(ID, { name: "THIRD" })).name, "THIRD")
    })
  )
  it.effect("may not give a name that another of the owner's stores has, whatever the case", () =>
    Effect.gen(function* () {
      for (const name of ["First", "FIRST"]) assertRefused(yield* update(ID, { name }), 400, "name-not-unique")
      assert.strictEqual((yield* update(ID, { name: "alone" })).status, 200)
    })
  )
  it.effect("changes nothing at all if one of its fields is refused", () =>
    Effect.gen(function* () {
      const before = dataOf(yield* send(storePath(ID)))
      yield* TestClock.adjust("1 day")
      assertRefused(yield* update(ID, { title: "new", name: "First" }), 400, "name-not-unique")
      assertRefused(yield* update(ID, { title: "new", generalAccess: "NO" }), 400, "invalid-value")
      const { title, name, modifiedAt } = dataOf(yield* send(storePath(ID)))
      assert.deepStrictEqual([title, name, modifiedAt], [before.title, before.name, before.modifiedAt])
    })
  )
  it.effect("keeps what another update changed while its body was on its way", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      yield* update(ID, { name: "before", title: "before" })
      const body = '{"title": "slow"}'
      const headers = `Host: x\r\nConnection: close\r\nAuthorization: Bearer ${JANE}\r\nContent-Length: ${body.length}`
      const expects = "Expect: 100-continue\r\n"
      const slow = yield* connected(url, `PUT ${storePath(ID)} HTTP/1.1\r\n${expects}${headers}\r\n\r\n{`)
      // The server says that it goes on, and handles the request until it needs more of the body.
      yield* Effect.promise(() => once(slow, "data"))
      yield* update(ID, { name: "meanwhile", title: "meanwhile" })
      slow.write(body.slice(1))
      yield* closed(slow)
      const { name, title } = dataOf(yield* send(storePath(ID)))
      assert.deepStrictEqual([name, title], ["meanwhile", "slow"])
    })
  )
  it.effect("ignores fields that are not known", () =>
    Effect.gen(function* () {
      const response = yield* update(ID, { id: "x", userId: "x", createdAt: 1, anything: { a: 1 }, constructor: 1 })
      assert.deepStrictEqual([response.status, dataOf(response).id], [200, ID])
    })
  )
  describe("refuses", () => {
    const bad: ReadonlyArray<readonly [unknown, string]> = [
      [{ name: "-a" }, INVALID_NAME],
      [{ name: "" }, "Invalid value provided in store: name must be a string of 1 to 63 characters"],
      [{ name: 1 }, "Invalid value provided in store: name must be a string of 1 to 63 characters"],
      [{ title: 1 }, "Invalid value provided in store: title must be a string"],
      [
        { generalAccess: "restricted" },
        "Invalid value provided in store: generalAccess must be one of RESTRICTED, ANYONE_WITH_ID_CAN_READ, ANYONE_WITH_NAME_CAN_READ, FOLLOW_USER_SETTING"
      ]
    ]
    for (const [change, message] of bad) {
      it.effect(JSON.stringify(change), () =>
        Effect.map(update(ID, change), (response) => assertRefused(response, 400, "invalid-value", message))
      )
    }
  })
  it.effect("needs the right to write", () =>
    Effect.gen(function* () {
      assertRefused(yield* update(ID, {}, { token: undefined }), 401, "token-not-provided", NO_TOKEN)
      assertRefused(yield* update(ID, {}, { token: JANE_READS }), 403, "insufficient-permissions", NO_RIGHTS)
      assertRefused(yield* update(ID, {}, { token: JOHN }), 403, "insufficient-permissions", NO_RIGHTS)
      assertRefused(yield* update("JohnShared0000000", {}), 403, "insufficient-permissions", NO_RIGHTS)
      yield* update("JohnShared0000000", { generalAccess: "ANYONE_WITH_ID_CAN_READ" }, { token: JOHN })
      assertRefused(yield* update("JohnShared0000000", {}), 403, "insufficient-permissions", NO_RIGHTS)
      assertRefused(yield* update("missing", {}), 404, "record-not-found", MISSING)
    })
  )
  it.effect("changes who may read the store for everybody who may write to it", () =>
    Effect.gen(function* () {
      const change = { generalAccess: "ANYONE_WITH_ID_CAN_READ" }
      assert.strictEqual((yield* update("JohnWritable00000", change)).status, 200)
      assert.strictEqual((yield* send(storePath("JohnWritable00000"), { token: undefined })).status, 200)
    })
  )
  it.effect("can be asked for with ?method=", () =>
    Effect.gen(function* () {
      const response = yield* send(storePath(`${ID}?method=pUt`), { method: "POST", body: '{"title":"by POST"}' })
      assert.strictEqual(dataOf(response).title, "by POST")
    })
  )
})

// ---- Delete, and dates -------------------------------------------------------------------------------------------------

layer(Emulator.layer({ seed }))("deleting a store", (it) => {
  const remove = (segment: string, options: RequestOptions = {}) =>
    send(storePath(segment), { method: "DELETE", ...options })

  it.effect("leaves nothing of it, and its name is free at once", () =>
    Effect.gen(function* () {
      const { id } = dataOf(yield* create("?name=short-lived"))
      const response = yield* remove("~Short-Lived")
      assert.deepStrictEqual([response.status, response.text], [204, ""])
      assertRefused(yield* send(storePath(String(id))), 404, "record-not-found", MISSING)
      assertRefused(yield* remove(String(id)), 404, "record-not-found", MISSING)
      const again = yield* create("?name=short-lived")
      assert.strictEqual(again.status, 201)
      assert.notStrictEqual(dataOf(again).id, id)
    })
  )
  it.effect("with grants takes these with it", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* remove("JohnShared0000000", { token: JOHN })).status, 204)
      assert.notInclude((yield* send(STORES)).text, "JohnShared0000000")
    })
  )
  it.effect("needs the right to write", () =>
    Effect.gen(function* () {
      const ID = "JaneFirst00000000"
      assertRefused(yield* remove(ID, { token: undefined }), 401, "token-not-provided", NO_TOKEN)
      assertRefused(yield* remove(ID, { token: JANE_READS }), 403, "insufficient-permissions", NO_RIGHTS)
      assertRefused(yield* remove(ID, { token: JOHN }), 403, "insufficient-permissions", NO_RIGHTS)
      assert.strictEqual((yield* send(storePath(ID))).status, 200)
    })
  )
})

layer(Emulator.layer({ seed }))("getting a store", (it) => {
  it.effect("moves its accessedAt, seen from the next request on, for those who may read it", () =>
    Effect.gen(function* () {
      const get = (token: string) => send(storePath("JaneFirst00000000"), { token })
      yield* TestClock.setTime(Date.parse(at(21)))
      yield* get(JOHN)
      assert.deepInclude(dataOf(yield* get(JANE)), { accessedAt: at(1), modifiedAt: at(1) })
      yield* TestClock.setTime(Date.parse(at(22)))
      assert.deepInclude(dataOf(yield* get(JANE)), { accessedAt: at(21), modifiedAt: at(1) })
      // Written down by then, and seen all the same.
      yield* TestClock.adjust("1 hour")
      assert.deepInclude(dataOf(yield* get(JANE_READS)), { accessedAt: at(22), modifiedAt: at(1) })
    })
  )
})

it.scoped(
  "an accessedAt is in the file when the emulator stops, as are stores that were made, changed and deleted",
  () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(`${tmpdir()}/emulator-`)),
        (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
      )
      const database = `${folder}/apify.db`
      yield* TestClock.setTime(Date.parse(at(21)))
      const made = yield* Effect.gen(function* () {
        yield* send(storePath("JaneFirst00000000"))
        yield* update("JaneThird00000000", { title: "A title" })
        yield* send(storePath("JaneSecondB000000"), { method: "DELETE" })
        return dataOf(yield* create("?name=made"))
      }).pipe(Effect.provide(Emulator.layer({ database, seed })))
      yield* Effect.gen(function* () {
        assert.strictEqual(dataOf(yield* send(storePath("JaneFirst00000000"))).accessedAt, at(21))
        assert.strictEqual(dataOf(yield* send(storePath("JaneThird00000000"))).title, "A title")
        assertRefused(yield* send(storePath("JaneSecondB000000")), 404, "record-not-found", MISSING)
        assert.deepInclude(dataOf(yield* send(storePath("~made"))), {
          id: made.id,
          urlSigningSecretKey: made.urlSigningSecretKey
        })
      }).pipe(Effect.provide(Emulator.layer({ database })))
    })
)

// ---- Schemas -----------------------------------------------------------------------------------------------------------

describe("the schema of a store", () => {
  const schemaWith = (collection: unknown) => ({
    actorKeyValueStoreSchemaVersion: 1,
    title: "A",
    collections: { a: collection }
  })
  const json = ["application/json"]
  const good: ReadonlyArray<unknown> = [
    { key: "a" },
    { keyPrefix: "a", description: "a", title: "a", contentTypes: ["a/b", "a/c"], anything: 1 },
    { key: "a", contentTypes: json, jsonSchema: {} }
  ]
  for (const collection of good) {
    it(`may have ${JSON.stringify(collection)}`, () => {
      const schema = schemaWith(collection)
      assert.deepStrictEqual<unknown>(checkStoreSchema(schema), Either.right(schema))
    })
  }
  const bad: ReadonlyArray<readonly [unknown, string]> = [
    [null, "it is not a JSON object, at most 256 levels deep"],
    [{ actorKeyValueStoreSchemaVersion: 2, title: "a", collections: {} }, "actorKeyValueStoreSchemaVersion is not 1"],
    [{ actorKeyValueStoreSchemaVersion: 1, collections: {} }, "title is missing"],
    [{ actorKeyValueStoreSchemaVersion: 1, title: "a" }, "collections is missing"],
    [schemaWith({}), "collections.a has not exactly one of key and keyPrefix"],
    [schemaWith({ key: "a", keyPrefix: "b" }), "collections.a has not exactly one of key and keyPrefix"],
    [schemaWith({ key: "" }), "collections.a.key is not a non-empty string"],
    [
      schemaWith({ key: "a", contentTypes: ["a/b", "a/b"] }),
      "collections.a.contentTypes is not a list of different content types"
    ],
    [
      schemaWith({ key: "a", jsonSchema: {} }),
      "collections.a has a jsonSchema without application/json as its only content type"
    ],
    [
      schemaWith({ key: "a", contentTypes: [...json, "text/plain"], jsonSchema: {} }),
      "collections.a has a jsonSchema without application/json as its only content type"
    ]
  ]
  for (const [schema, problem] of bad) {
    it(`may not be ${JSON.stringify(schema)}`, () => {
      const checked = checkStoreSchema(schema)
      assert.strictEqual(checked._tag === "Left" ? checked.left : "", problem)
    })
  }
})
