/**
 * The last check of a request: whatever an operation says, only what can be read in one way is sent.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import { ApifyClient, type Operation, type OperationRequest } from "../src/index.js"
import { requestProblem } from "../src/internal/requestProblem.js"
import { layerRespond, RecordedRequests } from "../src/testing.js"

const operationOf = (request: Partial<OperationRequest>): Operation<number> => ({
  name: "written by hand",
  store: Option.none(),
  request: Either.right({ method: "GET", path: "/v2/users/me", ...request }),
  isIdempotent: true,
  rate: "resource",
  isPaced: false,
  decode: ({ status }) => Either.right(status)
})

const run = (request: Partial<OperationRequest>) =>
  Effect.flatMap(ApifyClient.ApifyClient, (client) => client.run(operationOf(request)))

const responding = layerRespond(() => Effect.succeed(new Response("{}")))

const hostile = [
  "/v2/../users/me",
  "/v2/..",
  "/v2/.",
  "/v2/./users",
  "/v2/%2e%2e/users/me",
  "/v2/%2E./users/me",
  "/v2/.%2e",
  "/v2/a%2f..%2fusers",
  "/v2/a%5c..%5cusers",
  "/v2\\..\\users\\me",
  "/v2//users/me",
  "//evil.example/v2",
  "@evil.example/v2",
  ".evil.example/v2",
  ":8080/v2",
  "",
  "v2/users/me",
  "/v2/users/me\r\nX-Evil: 1",
  "/v2/users/me ",
  "/v2/us ers",
  "/v2/us%20ers",
  "/v2/us\ters",
  "/v2/us%00ers",
  "/v2/us%0d%0aers",
  "/v2/u?token=a",
  "/v2/u#f",
  "/v2/%zz",
  "/v2/%",
  "/v2/%ff",
  "/v2/ключ",
  "/v2/\ud800"
]

describe("the path of an operation", () => {
  it.effect.each(hostile)("%j is refused, and nothing is sent", (path) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(run({ path }))
      assert.deepInclude(error, { _tag: "TransportError", reason: "request", attempts: 0, retryable: "Never" })
      assert.notInclude(error.message, "users/me")
      assert.isEmpty(yield* (yield* RecordedRequests).all)
    }).pipe(Effect.provide(responding))
  )

  it.effect.each([
    "/v2/users/me",
    "/v2/key-value-stores/janedoe~my-store/records/weird-key!'()",
    "/v2/key-value-stores/janedoe%2Fmy-store",
    "/v2/a..b/...",
    "/v2/%D0%BA"
  ])("%s is sent as it is", (path) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* run({ path }), 200)
      const [request] = yield* (yield* RecordedRequests).all
      assert.strictEqual(request?.url, `https://api.apify.com${path}`)
    }).pipe(Effect.provide(responding))
  )

  it.prop(
    "is read by a URL parser as it is written, if it is not refused",
    [
      fc.array(fc.constantFrom("/", "..", ".", "%2e", "%2f", "%5c", "\\", "a", "~", "%", "?", "#", " ", "\t", "é", "@"))
    ],
    ([parts]) => {
      const path = `/${parts.join("")}`
      if (requestProblem({ method: "GET", path }) !== undefined) return
      assert.strictEqual(new URL(`https://api.test${path}`).href, `https://api.test${path}`)
      assert.notMatch(decodeURIComponent(path), /\/\.{0,2}(\/|$)|\\|\s/)
    },
    { fastCheck: { numRuns: 2000 } }
  )
})

describe("the headers of an operation", () => {
  it.effect.each([
    [{ "x-a": "b\r\nx-evil: 1" }],
    [{ "x-a": "b\u0000" }],
    [{ "x-a": " b" }],
    [{ "x-a": "č" }],
    [{ "x a": "b" }],
    [{ "x-a\r\nx-evil": "b" }],
    [{ "": "b" }]
  ])("%j are refused, and nothing is sent", ([headers]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(run({ ...(headers === undefined ? {} : { headers }) }))
      assert.deepInclude(error, { _tag: "TransportError", reason: "request", attempts: 0 })
      assert.isEmpty(yield* (yield* RecordedRequests).all)
    }).pipe(Effect.provide(responding))
  )
})

describe("the query of an operation", () => {
  it.effect.prop("arrives as it was given", [fc.dictionary(fc.string(), fc.string(), { maxKeys: 4 })], ([query]) =>
    Effect.gen(function* () {
      yield* run({ query })
      const [request] = yield* (yield* RecordedRequests).all
      assert.deepStrictEqual([...new URL(request?.url ?? "").searchParams].sort(), Object.entries(query).sort())
    }).pipe(Effect.provide(responding))
  )

  it.effect("may hold half a character, which is replaced", () =>
    Effect.gen(function* () {
      yield* run({ query: { prefix: "a\ud800" } })
      const [request] = yield* (yield* RecordedRequests).all
      assert.include(request?.url, "?prefix=a%EF%BF%BD")
    }).pipe(Effect.provide(responding))
  )
})
