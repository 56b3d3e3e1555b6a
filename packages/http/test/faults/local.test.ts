/**
 * What is refused before anything is sent, and the outcome of every reference and every status.
 */

import { assert, layer } from "@effect/vitest"
import { Fault, FaultServer } from "@effect-apify/fault-server"
import { type ApifyClient, getStore, storeLocation } from "@effect-apify/http"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { sampled, scale } from "../../../../vitest.scale.js"
import { character } from "../../../../vitest.text.js"
import { othersSettle } from "../simulatedTime.js"
import { MALFORMED, patient, refusal } from "./cases.js"
import { withClient } from "./connection.js"
import { baseUrls, hostileRefs, legalRefs, tokens } from "./local.js"
import { keepExit, leaks, nothingShown, TOKEN, watched } from "./secrets.js"
import { type Transport, transports } from "./transports.js"

const PATH = "/v2/key-value-stores/"

const LETTERS = "abcXYZ019"

const text = (alphabet: string, maxLength: number) =>
  fc.array(fc.constantFrom(...alphabet), { minLength: 1, maxLength }).map((parts) => parts.join(""))

/** What matters to URL parsers. */
const hostilePart = fc.constantFrom(
  ...[
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
    "//",
    " ",
    "é",
    "\ud800"
  ]
)

/** A reference of one of the three forms, but for lengths and where hyphens stand. */
const nearlyLegal = fc.oneof(
  fc.tuple(text(`${LETTERS}_.-`, 20), text(`${LETTERS}-`, 20)).map(([owner, name]) => `${owner}~${name}`),
  text(`${LETTERS}-`, 20).map((name) => `~${name}`),
  fc.array(fc.constantFrom(...LETTERS), { minLength: 16, maxLength: 18 }).map((id) => id.join(""))
)

/** About a third is legal; of what is not, most is but one part away from it. */
const fuzzedRef = fc.oneof(
  { arbitrary: nearlyLegal, weight: 5 },
  {
    arbitrary: fc
      .tuple(nearlyLegal, hostilePart, fc.nat(20))
      .map(([ref, part, at]) => ref.slice(0, at) + part + ref.slice(at)),
    weight: 3
  },
  {
    arbitrary: fc.array(fc.oneof(hostilePart, text(LETTERS, 5)), { maxLength: 6 }).map((parts) => parts.join("")),
    weight: 2
  },
  { arbitrary: fc.string({ unit: character, maxLength: 20 }), weight: 1 }
)

const REFS = scale({ test: 10_000, soak: 1_000_000 })

/** The test runner wants to be heard now and then. */
const REFS_AT_ONCE = 10_000

const tagOf = (status: number, { name }: Transport): string => {
  // The standard of fetch makes it fail: a proxy is the browser's affair, and not the page's.
  if (status === 407 && (name === "HttpClient on fetch" || name === "FetchTransport")) return "TransportError"
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
    [200, MALFORMED]
  ])
  // A status below 200 announces a response, and none follows.
  if (status < 200) return "TransportError"
  return tags.get(status) ?? (status >= 500 ? "ServerError" : "UnexpectedResponseError")
}

layer(FaultServer.layer, { excludeTestServices: true })((it) => {
  it.effect(`row 54: of ${REFS} fuzzed references none reaches another path`, () =>
    Effect.gen(function* () {
      let legal = 0
      const reachesItself = fc.property(fuzzedRef, (input) => {
        const location = storeLocation(input)
        if (Either.isLeft(location)) return
        legal += 1
        const url = location.right.path
        const { href } = new URL(url, "https://api.test")
        // Assertions by hand: a million of chai's take longer than all the rest.
        if (url !== PATH + input || href !== `https://api.test${url}`) assert.fail(`${input} reaches ${href}`)
      })
      const seed = fc.readConfigureGlobal().seed ?? 0
      for (let part = 0; part * REFS_AT_ONCE < REFS; part += 1) {
        fc.assert(reachesItself, { numRuns: REFS_AT_ONCE, seed: seed + part })
        yield* othersSettle
      }
      assert.isAbove(legal, REFS / 5, "too few are legal to judge")
    })
  )

  for (const transport of transports) {
    it.effect(`row 54 on ${transport.name}: what is no reference is refused, and nothing is sent`, () =>
      withClient(transport, patient, ({ kept, origin }) =>
        Effect.gen(function* () {
          for (const ref of hostileRefs) {
            const error = yield* Effect.flip(keepExit(kept)(getStore(ref)))
            assert.strictEqual(error._tag, "InvalidStoreRefError", JSON.stringify(ref))
          }
          assert.strictEqual((yield* origin.sockets).ever, 0)
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
        })
      )
    )

    it.scoped(`rows 56 and 57 on ${transport.name}: settings that would send the token elsewhere build no client`, () =>
      Effect.gen(function* () {
        const origin = yield* (yield* FaultServer).listen()
        const kept = nothingShown()
        const refused = (options: ApifyClient.Options) =>
          Layer.build(transport.client(options)).pipe(keepExit(kept), watched(kept), Effect.flip)
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
      })
    )

    for (const [index, hundred] of [100, 200, 300, 400, 500].entries()) {
      if (!sampled(transports, index).includes(transport)) continue
      it.effect(
        `every status from ${hundred} to ${hundred + 99} on ${transport.name} lands in exactly one outcome`,
        () =>
          withClient(transport, { ...patient, retry: { retries: 0 } }, () =>
            Effect.forEach(
              Array.from({ length: 100 }, (_, index) => hundred + index),
              (status) =>
                Effect.gen(function* () {
                  const store = `~status-${status}`
                  // What is below 200 has no body, not even one of no length.
                  const bytes = status < 200 ? `HTTP/1.1 ${status} Planned\r\n\r\n` : Fault.responseBytes({ status })
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
