/**
 * What is refused before anything is sent, and what every reference and every status comes to.
 */

import { assert, layer } from "@effect/vitest"
import { parseStoreRef } from "@effect-apify/domain"
import { Fault, FaultServer } from "@effect-apify/fault-server"
import { ApifyClient, getStore, getStoreRequest } from "@effect-apify/http"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { patient, refusal } from "./cases.js"
import { withClient } from "./connection.js"
import { keepExit, leaks, nothingShown, SIGNING_KEY, TOKEN, watched } from "./secrets.js"
import { printedTable, type TableRow } from "./table.js"
import { type Transport, transports } from "./transports.js"

const intoTable = printedTable()

const PATH = "/v2/key-value-stores/"

/** References that reach elsewhere in one client or another. */
const hostileRefs = [
  "",
  ".",
  "..",
  "%2e%2e",
  "%2E%2e",
  "..%2f",
  "a/../b",
  "../users/me",
  "..\\users",
  "\\",
  "?x",
  `~name?token=${TOKEN}`,
  "#f",
  "~name#f",
  "~name\r\nX: y",
  "~na\0me",
  "@",
  "user@host",
  "user:pass@host~x",
  "//evil.test",
  "https://evil.test",
  "~",
  "user~",
  "~..",
  "..~name",
  ".~name",
  "~name/",
  "~name ",
  " ~name",
  "~näme",
  "～name",
  "~name~name",
  "%7Ename",
  "~\ud800",
  "a".repeat(10_000),
  `~${"a".repeat(64)}`,
  "name"
]

const legalRefs = [
  "WkzbQMuFYuamGv3YF",
  "user~name",
  "~name",
  "a.b-c_9~n-4-M-e",
  "BPWDBd7Z9c746JAnF~name",
  `~${"a".repeat(63)}`
]

const tokens = [
  "",
  ...["\r\nX: y", "\n", "ö", " ", " b", "\u0000", "\ud800"].map((illegal) => `${TOKEN}${illegal}`),
  ` ${TOKEN}`
]

const baseUrls = [
  "http://api.apify.com",
  `https://user:${SIGNING_KEY}@api.apify.com`,
  `https://${SIGNING_KEY}@api.apify.com`,
  `https://api.apify.com?token=${TOKEN}`,
  `https://api.apify.com#${TOKEN}`,
  "javascript:alert(1)",
  "file:///etc/passwd",
  "http://localhost.",
  "http://127.1",
  "http://0x7f.1",
  "http://2130706433",
  "http://0177.0.0.1",
  "http://127.0.0.1.evil.test",
  "http://localhost.evil.test",
  "http://localhost@evil.test",
  "http:\\\\localhost",
  "http:/localhost",
  "//localhost",
  "https://",
  "",
  " https://x.test",
  "https://api.apify.com/../v2",
  "https://api.apify.com\r\n",
  "http://[::ffff:127.0.0.1]",
  "http://0.0.0.0",
  "https://api.apify.com:99999",
  "ftp://localhost",
  "http://loc\u0430lhost"
]

/** Pieces that matter to URL parsers, among anything. */
const fuzzedRef = FastCheck.oneof(
  FastCheck.string({ unit: "binary", maxLength: 40 }),
  FastCheck.array(
    FastCheck.oneof(
      FastCheck.constantFrom(
        "..",
        ".",
        "/",
        "\\",
        "~",
        "%2e",
        "%2f",
        "%5c",
        "%",
        "?",
        "#",
        "@",
        ":",
        "\r\n",
        "\t",
        "\0",
        "//"
      ),
      FastCheck.string({ unit: FastCheck.constantFrom(..."abcXYZ019-_.~"), maxLength: 20 })
    ),
    { maxLength: 8 }
  ).map((parts) => parts.join(""))
)

/** A few thousand, and as many as asked for: `FC_NUM_RUNS=1000000`. */
const manyRuns = { numRuns: Math.max(5000, FastCheck.readConfigureGlobal().numRuns ?? 0) }

const lineOf = (row: number, { name }: Transport, cases: number, outcomes: string, requests: number): TableRow => ({
  row,
  transport: name,
  cases,
  outcomes,
  requests: String(requests),
  deviates: ""
})

const tagOf = (status: number, { name }: Transport): string => {
  // The standard of fetch makes it fail: a proxy is the browser's affair, and not the page's.
  if (status === 407 && name === "fetch") return "TransportError"
  const tags = new Map([
    [400, "BadRequestError"],
    [401, "UnauthorizedError"],
    [402, "PaymentRequiredError"],
    [403, "ForbiddenError"],
    [405, "MethodNotAllowedError"],
    [429, "RateLimitedError"],
    [501, "UnexpectedResponseError"],
    [505, "UnexpectedResponseError"],
    [511, "UnexpectedResponseError"],
    [200, "MalformedStoreError"]
  ])
  // What is below 200 announces an answer, and none comes.
  if (status < 200) return "TransportError"
  return tags.get(status) ?? (status >= 500 ? "ServerError" : "UnexpectedResponseError")
}

layer(FaultServer.layer, { excludeTestServices: true })("before anything is sent", (it) => {
  it("row 54: no fuzzed reference reaches another path", () => {
    let legal = 0
    FastCheck.assert(
      FastCheck.property(fuzzedRef, (input) => {
        const ref = parseStoreRef(input)
        if (Either.isLeft(ref)) return
        legal += 1
        const url = new URL(`https://api.test${getStoreRequest(ref.right).url}`)
        assert.strictEqual(url.href, `https://api.test${PATH}${input}`)
        assert.strictEqual(url.pathname.slice(PATH.length), input)
      }),
      manyRuns
    )
    assert.isAbove(legal, 0)
  })

  for (const transport of transports) {
    it.effect(`row 54 on ${transport.name}: what is no reference is refused, and nothing is sent`, () =>
      withClient(transport, patient, (origin, kept) =>
        Effect.gen(function* () {
          for (const ref of hostileRefs) {
            const error = yield* Effect.flip(keepExit(kept)(getStore(ref)))
            assert.strictEqual(error._tag, "InvalidStoreRefError", JSON.stringify(ref))
          }
          assert.strictEqual((yield* origin.sockets).ever, 0)
          intoTable(lineOf(54, transport, hostileRefs.length, "InvalidStoreRefError", 0))
        })
      )
    )

    it.effect(`row 55 on ${transport.name}: a reference is one segment of the path, as it is written`, () =>
      withClient(transport, patient, () =>
        Effect.gen(function* () {
          const server = yield* FaultServer
          for (const ref of legalRefs) {
            yield* server.plan(ref, Fault.times(1, refusal(404, "record-not-found")))
            assert.strictEqual((yield* Effect.flip(getStore(ref)))._tag, "StoreNotFoundError")
            assert.deepStrictEqual(
              (yield* server.report(ref)).requests.map(({ path }) => path),
              [`${PATH}${ref}`]
            )
          }
          intoTable(lineOf(55, transport, legalRefs.length, "StoreNotFoundError", 1))
        })
      )
    )

    it.scoped(`rows 56 and 57 on ${transport.name}: settings that lead a token astray build no client`, () =>
      Effect.gen(function* () {
        const origin = yield* (yield* FaultServer).listen()
        const kept = nothingShown()
        const refused = (options: Parameters<typeof ApifyClient.layer>[0]) =>
          Layer.build(Layer.provide(ApifyClient.layer(options), transport.layer)).pipe(
            keepExit(kept),
            watched(kept),
            Effect.flip
          )
        for (const token of tokens) {
          const error = yield* refused({ token: Redacted.make(token), baseUrl: origin.url })
          assert.strictEqual(error._op, "InvalidData", JSON.stringify(token))
        }
        for (const baseUrl of baseUrls) {
          const error = yield* refused({ token: Redacted.make(TOKEN), baseUrl })
          assert.strictEqual(error._op, "InvalidData", baseUrl)
        }
        assert.strictEqual((yield* origin.sockets).ever, 0)
        assert.deepStrictEqual(yield* leaks(kept), [], "secrets shown")
        intoTable(lineOf(56, transport, tokens.length, "ConfigError", 0))
        intoTable(lineOf(57, transport, baseUrls.length, "ConfigError", 0))
      })
    )

    for (const hundred of [100, 200, 300, 400, 500]) {
      it.effect(
        `every status from ${hundred} to ${hundred + 99} on ${transport.name} lands in exactly one outcome`,
        () =>
          withClient(transport, { ...patient, retry: { retries: 0 } }, () =>
            Effect.forEach(
              Array.from({ length: 100 }, (_, index) => hundred + index),
              (status) =>
                Effect.gen(function* () {
                  const store = `~status-${status}-${transport.name}`
                  // What is below 200 has no body, not even one of no length.
                  const bytes = status < 200 ? `HTTP/1.1 ${status} Planned\r\n\r\n` : Fault.answerBytes({ status })
                  // For ever, because fetch itself sends once more what a 421 says was misdirected.
                  yield* (yield* FaultServer).plan(
                    store,
                    Fault.forever(Fault.fault(`${status}`, Fault.send(bytes), Fault.close))
                  )
                  const error = yield* Effect.flip(getStore(store))
                  assert.strictEqual(error._tag, tagOf(status, transport), `${status}`)
                }),
              { concurrency: 8, discard: true }
            )
          )
      )
    }
  }
})
