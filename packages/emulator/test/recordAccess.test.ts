/**
 * Who may read and write records, by rights, by the level of the store, and by signed links.
 */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { Emulator } from "../src/index.js"
import { signRecord, signStorage } from "../src/Signatures.js"
import {
  CLOSED,
  callers,
  get,
  OPEN_BY_ID,
  OPEN_BY_NAME,
  put,
  recordPath,
  SECRET,
  seed,
  WITHOUT_SECRET
} from "./records.js"
import { request, storePath } from "./request.js"

const emulator = Emulator.layer({ seed })

const stores = [
  { id: CLOSED, name: "owner~closed", opensById: false, opensByName: false },
  { id: OPEN_BY_ID, name: undefined, opensById: true, opensByName: false },
  { id: OPEN_BY_NAME, name: "owner~by-name", opensById: true, opensByName: true }
]

const reading = [
  ["GET", "/records/there"],
  ["HEAD", "/records/there"],
  ["GET", "/keys"],
  ["GET", "/records"]
] as const

const writing = [
  ["PUT", "/records/written", 201],
  ["POST", "/records/written", 201],
  ["DELETE", "/records/written", 204]
] as const

layer(emulator)("rights", (it) => {
  for (const { id, name, opensById, opensByName } of stores) {
    for (const { who, token, right } of callers) {
      for (const [segment, isOpen] of [
        [id, opensById],
        [name, opensByName]
      ] as const) {
        if (segment === undefined) continue
        it.effect(`to ${segment}, by ${who}`, () =>
          Effect.gen(function* () {
            const { url } = yield* Emulator
            yield* put(url, id, "there", "1")
            const statusOf = (method: string, path: string) =>
              Effect.map(request(url, `${storePath(segment)}${path}`, { method, token }), ({ status }) => status)
            for (const [method, path] of reading) {
              const expected = right !== "NONE" || isOpen ? 200 : 403
              assert.strictEqual(yield* statusOf(method, path), expected, `${method} ${path}`)
            }
            for (const [method, path, success] of writing) {
              const expected = right === "WRITE" ? success : token === undefined ? 401 : 403
              assert.strictEqual(yield* statusOf(method, path), expected, `${method} ${path}`)
            }
          })
        )
      }
    }
  }
})

describe("a signature", () => {
  const secret = Redacted.make(SECRET)

  layer(emulator)((it) => {
    const statusOf = (url: string, path: string, method = "GET", token?: string) =>
      Effect.map(request(url, `${storePath(CLOSED)}${path}`, { method, token }), ({ status }) => status)

    it.effect("of a record opens it and its head, to anybody, by ID and by name, and nothing else", () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        yield* put(url, CLOSED, "there", "1")
        yield* put(url, CLOSED, "elsewhere", "1")
        const query = `?signature=${signRecord(secret, "there")}`
        for (const method of ["GET", "HEAD"]) {
          assert.strictEqual(yield* statusOf(url, `/records/there${query}`, method), 200)
          assert.strictEqual(yield* statusOf(url, `/records/there${query}`, method, "other"), 200)
          assert.strictEqual(yield* statusOf(url, `/records/elsewhere${query}`, method), 403)
        }
        const byName = yield* request(url, `${storePath("owner~closed")}/records/there${query}`)
        assert.strictEqual(byName.status, 200)
        for (const path of ["/keys", "/records", ""]) assert.strictEqual(yield* statusOf(url, path + query), 403)
        for (const method of ["PUT", "POST", "DELETE"]) {
          assert.strictEqual(yield* statusOf(url, `/records/there${query}`, method), 401)
          assert.strictEqual(yield* statusOf(url, `/records/there${query}`, method, "reader"), 403)
        }
      })
    )

    it.effect("of a record tells a missing one from a forbidden one", () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        assert.strictEqual(yield* statusOf(url, `/records/none?signature=${signRecord(secret, "none")}`), 404)
        assert.strictEqual(yield* statusOf(url, "/records/none"), 403)
      })
    )

    it.effect("of a store opens its keys and its zip until it expires, and no record", () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        yield* put(url, CLOSED, "there", "1")
        yield* TestClock.setTime(5_000)
        for (const expiresAt of [0, 5_000, 4_999]) {
          const signature = signStorage(secret, CLOSED, expiresAt)
          const opens = expiresAt === 4_999 ? 403 : 200
          for (const padded of [signature, signature.padEnd(Math.ceil(signature.length / 4) * 4, "=")]) {
            const query = `?signature=${encodeURIComponent(padded)}`
            for (const path of ["/keys", "/records"]) assert.strictEqual(yield* statusOf(url, path + query), opens)
            for (const path of ["/records/there", ""]) assert.strictEqual(yield* statusOf(url, path + query), 403)
          }
        }
      })
    )

    it.effect("that is wrong is as good as none", () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        yield* put(url, CLOSED, "there", "1")
        yield* put(url, OPEN_BY_ID, "there", "1")
        for (const signature of ["", "wrong", signRecord(Redacted.make("other"), "there"), "a".repeat(1_000)]) {
          const query = `?signature=${signature}`
          assert.strictEqual(yield* statusOf(url, `/records/there${query}`), 403)
          assert.strictEqual(yield* statusOf(url, `/records/there${query}`, "GET", "reader"), 200)
          assert.strictEqual(yield* statusOf(url, `/keys${query}`), 403)
          assert.strictEqual((yield* request(url, recordPath(OPEN_BY_ID, `there${query}`))).status, 200)
        }
      })
    )

    it.effect("opens nothing of a store without a signing key", () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        yield* put(url, WITHOUT_SECRET, "there", "1")
        const signature = signRecord(Redacted.make(""), "there")
        const response = yield* get(url, WITHOUT_SECRET, `there?signature=${signature}`, { token: undefined })
        assert.strictEqual(response.status, 403)
      })
    )
  })
})
