/**
 * Whatever goes wrong, and wherever a server or a transport repeats a secret: no error shows it.
 */
import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { StoreBody } from "@effect-apify/domain"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { ApifyClient, type DecodeContext, type Operation } from "../src/index.js"
import { layerRespond } from "../src/testing.js"
import { callOf, fail, responding, type Step } from "./plannedServer.js"

/** Every way that a value is likely to be printed. */
const printed = (value: unknown): string =>
  [
    String(value),
    value instanceof Error ? `${value.message} ${value.stack}` : "",
    inspect(value, { depth: 10, showHidden: true, getters: true }),
    JSON.stringify(value),
    Cause.pretty(Cause.fail(value)),
    inspect(Cause.die(value), { depth: 10 })
  ].join("\n")

/** Of visible ASCII, and long enough that it stands nowhere by chance. */
const secretToken = fc.oneof(
  fc.stringMatching(/^apify_api_[a-zA-Z0-9]{20,40}$/),
  fc.stringMatching(/^Canary[!-~]{10,40}$/)
)

const secretKey = fc.stringMatching(/^KeyCanary[a-zA-Z0-9]{10,40}$/)

/** A place to put a text. */
const wrapping = fc.constantFrom<Array<(text: string) => string>>(
  (text) => text,
  (text) => `Bad token: ${text}.`,
  (text) => `${"x".repeat(150)}${text}`,
  (text) => `<p>${text}</p>`,
  (text) => JSON.stringify({ error: { type: "said", message: text } }),
  (text) => JSON.stringify({ error: { type: text, message: "Said" } }),
  (text) => JSON.stringify({ unknown: [text] }),
  (text) => JSON.stringify({ data: { id: text, createdAt: text, stats: text, schema: text } })
)

const status = fc.constantFrom(200, 201, 302, 400, 401, 402, 403, 404, 405, 408, 410, 429, 500, 501, 503, 511)

const contentType = fc.constantFrom("application/json", "text/html", "text/plain")

/** A server, or a transport, that sends secrets back in every place that errors are made of. */
const echoOf = (token: string, key: string) =>
  fc.oneof(
    fc
      .record({ status, contentType, wrap: wrapping, inQuery: fc.boolean() })
      .map(({ contentType, inQuery, status, wrap }) =>
        responding(
          status,
          {
            "content-type": contentType,
            location: inQuery ? `https://evil.example/?token=${encodeURIComponent(token)}` : `/${token}`,
            "x-ratelimit-limit": token,
            "retry-after": token
          },
          wrap(`${token} urlSigningSecretKey: ${key}, signature=${key}`)
        )
      ),
    fc.constantFrom("ECONNREFUSED", "EPROTO", "HPE_INVALID_METHOD", "").map((code) => fail(code, token)),
    fc.constantFrom<Step[]>(
      responding(200, { "content-type": token }, "{}"),
      responding(200, { "content-type": `application/json; charset=${token}` }, "{}")
    )
  )

const given = fc
  .tuple(secretToken, secretKey)
  .chain(([token, key]) => fc.record({ token: fc.constant(token), key: fc.constant(key), step: echoOf(token, key) }))

describe("an error", () => {
  it.effect.prop("shows neither token nor signing key, wherever they were sent back", [given], ([given]) =>
    Effect.gen(function* () {
      const { key, step, token } = given
      const { result } = yield* callOf([step], {
        token: Redacted.make(token),
        retry: { retries: 1 },
        callTimeout: "20 seconds"
      })
      const error = Either.match(result, { onLeft: (error) => error, onRight: () => assert.fail("A store was read") })
      const shown = printed(error)
      for (const secret of [token, key]) {
        assert.notInclude(shown, secret)
        assert.notInclude(shown, encodeURIComponent(secret))
      }
    })
  )

  /** One that looks like no token: it is hidden only by those who know it. */
  const PLAIN = "correcthorse"

  it.effect.each<readonly [place: string, step: Step]>([
    ["the type of Apify's error", responding(400, {}, `{"error":{"type":"${PLAIN}","message":"Said"}}`)],
    ["its message", responding(400, {}, `{"error":{"type":"said","message":"No ${PLAIN}"}}`)],
    ["a page", responding(500, { "content-type": "text/html" }, `<p>No ${PLAIN}</p>`)],
    ["the path of a redirect", responding(302, { location: `https://other.example/${PLAIN}` })],
    ["the content type", responding(200, { "content-type": `text/${PLAIN}` }, "{}")],
    ["the content encoding", responding(200, { "content-encoding": PLAIN }, "{}")],
    ["what the transport says", fail("ECONNRESET", `No ${PLAIN}`)]
  ])("does not show a token that looks like none where it is sent back in %s", ([, step]) =>
    Effect.gen(function* () {
      const { result } = yield* callOf([step], { token: Redacted.make(PLAIN), retry: { retries: 0 } })
      assert.notInclude(printed(Either.merge(result)), PLAIN)
    })
  )

  it.effect("keeps nothing of what a transport threw but its code", () =>
    Effect.gen(function* () {
      const { result } = yield* callOf([fail("EPROTO", "apify_api_Canary")])
      const shown = printed(Either.merge(result))
      assert.include(shown, "EPROTO")
      assert.notInclude(shown, "Canary")
    })
  )
})

describe("a store", () => {
  it.effect.prop("shows neither its signing key nor the signatures of its links", [secretKey], ([key]) =>
    Effect.gen(function* () {
      const body = JSON.stringify({
        data: {
          id: "WkzbQMuFYuamGv3YF",
          createdAt: "2019-12-12T07:34:14.202Z",
          modifiedAt: "2019-12-13T08:36:13.202Z",
          accessedAt: "2019-12-14T08:36:13.202Z",
          urlSigningSecretKey: key,
          keysPublicUrl: `https://api.apify.com/v2/key-value-stores/x/keys?signature=${key}`,
          recordsPublicUrl: `https://api.apify.com/v2/key-value-stores/x/records?limit=1&signature=${key}`
        }
      })
      const { result } = yield* callOf([responding(200, {}, body)])
      const store = Either.getOrThrow(result)
      assert.notInclude(printed(store), key)
      const wire = JSON.stringify(yield* Schema.encode(StoreBody)({ data: store }))
      assert.lengthOf(wire.split(key), 4)
    })
  )
})

describe("what an operation decodes with", () => {
  it.effect("shows no token, and is all there in a copy", () =>
    Effect.gen(function* () {
      const read: Operation<DecodeContext> = {
        name: "read",
        store: Option.none(),
        request: Either.right({ method: "GET", path: "/v2/key-value-stores" }),
        isIdempotent: true,
        rate: "resource",
        isPaced: false,
        decode: (_, context) => Either.right(context)
      }
      const context = yield* Effect.flatMap(ApifyClient.ApifyClient, ({ run }) => run(read))
      assert.notInclude(printed(context), "Canary")
      assert.deepInclude({ ...context }.call, { operation: "read", attempts: 1 })
    }).pipe(
      Effect.provide(
        layerRespond(() => Effect.succeed(new Response("{}")), { token: Redacted.make("apify_api_Canary0123456789") })
      )
    )
  )
})
