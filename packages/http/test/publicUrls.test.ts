/**
 * Public links: signed as the official clients sign them, and made without requests once the store is known.
 */

import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import {
  type ApifyClient,
  keysPublicUrl,
  type PublicLink,
  publicUrls,
  recordPublicUrl,
  Store,
  StoreId
} from "../src/index.js"
import { layerRespond, RecordedRequests } from "../src/testing.js"

const ID = "WkzbQMuFYuamGv3YF"
const then = DateTime.unsafeMake("2019-12-12T07:34:14.202Z")

const storeWith = (secret: Option.Option<string>): Store =>
  new Store({
    id: StoreId.make(ID),
    createdAt: then,
    modifiedAt: then,
    accessedAt: then,
    urlSigningSecretKey: Option.map(secret, (secret) => Redacted.make(secret))
  })

const encode = Schema.encodeSync(Store)

/** A client whose every request gets the store. */
const clientOf = (secret: Option.Option<string>, options: ApifyClient.Options = {}) =>
  layerRespond(() => Effect.succeed(Response.json({ data: encode(storeWith(secret)) })), options)

const hrefOf = ({ url }: PublicLink): string => Redacted.value(url.href)

const SECRET = "urlSigningSecretKey"

const urlsOf = (secret: string) => publicUrls(storeWith(Option.some(secret)))

describe("a link to a record", () => {
  it.effect.each([
    [SECRET, "OUTPUT", "1GArP4xikKeJ6DlWpegz6"],
    [SECRET, "report.pdf", "1LTFjl5D9VCQaUjNgP9W"],
    [SECRET, "weird-key!'()", "1oviumdqqDgRF0LBrmYQX"],
    [SECRET, "a", "19guYxmndMhhuPWDipyFd"],
    [SECRET, "A".repeat(256), "1nwXp5l1z8wRmmgxX6g1F"],
    [SECRET, "k5900", "nLhiYBQbfwc1Pf83w2"],
    ["klíč-🔑", "OUTPUT", "Ib2U7t8PNgqLevmJCLhv"],
    ["string", "OUTPUT", "1n1uijGMiRh4mqw5yiM0j"],
    ["secret_key", "test_message", "RpSDhXyBbIwDgmsJ0NnS"]
  ] as const)("signed with %s for %s has the official clients' signature", ([secret, key, signature]) =>
    Effect.gen(function* () {
      const link = yield* (yield* urlsOf(secret)).record(key)
      assert.isTrue(link.isSigned)
      assert.strictEqual(
        hrefOf(link),
        `https://api.apify.com/v2/key-value-stores/${ID}/records/${key}?signature=${signature}`
      )
    }).pipe(Effect.provide(clientOf(Option.none())))
  )

  it.effect("of a store whose ID is of another form leads to no other place", () =>
    Effect.gen(function* () {
      const { record } = yield* publicUrls(new Store({ ...storeWith(Option.none()), id: StoreId.make("a/../b?c#d") }))
      const path = "/v2/key-value-stores/a%2F..%2Fb%3Fc%23d/records/OUTPUT"
      assert.strictEqual(hrefOf(yield* record("OUTPUT")), `https://api.apify.com${path}`)
    }).pipe(Effect.provide(clientOf(Option.none())))
  )

  it.effect("for a key that is none is not made", () =>
    Effect.gen(function* () {
      const { record } = yield* urlsOf(SECRET)
      assert.strictEqual((yield* Effect.flip(record("a/b")))._tag, "InvalidRecordKeyError")
      assert.strictEqual((yield* Effect.flip(recordPublicUrl(ID, "..")))._tag, "InvalidRecordKeyError")
      assert.isEmpty(yield* (yield* RecordedRequests).all)
    }).pipe(Effect.provide(clientOf(Option.none())))
  )
})

describe("a link to the keys", () => {
  it.effect.each([
    [SECRET, undefined, 0, "MC4wLkNGYVdmMzFiNDdGT3I0NVBlT1lU"],
    [SECRET, "3600 seconds", 1893456000000, "MC4xODkzNDU5NjAwMDAwLkRuRFlETGRSc3BRaDZ2UXVXNUVu"],
    [SECRET, "1 second", 1893455999000, "MC4xODkzNDU2MDAwMDAwLjFFaGpYTzlrWmg4UlJLajBTcjlDZQ"],
    [SECRET, "5 minutes", 1893455640000, "MC4xODkzNDU1OTQwMDAwLjFJa2Zkd1pqbWM3dXB1YmpXZjRwQw"],
    ["string", undefined, 0, "MC4wLjFiS3MzcWxtRTg3ZGdjVndxQ1RzNw"]
  ] as const)(
    "signed with %s to expire in %s has the official clients' signature",
    ([secret, expiresIn, now, signature]) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(now)
        const link = yield* (yield* urlsOf(secret)).keys({ expiresIn })
        assert.strictEqual(hrefOf(link), `https://api.apify.com/v2/key-value-stores/${ID}/keys?signature=${signature}`)
      }).pipe(Effect.provide(clientOf(Option.none())))
  )

  it.effect.each([0, -1, 1.5, Number.NaN])("is not made with a limit of %d", (limit) =>
    Effect.gen(function* () {
      const { keys } = yield* urlsOf(SECRET)
      assert.match(Cause.pretty(Exit.causeOption(yield* Effect.exit(keys({ limit }))).pipe(Option.getOrThrow)), /limit/)
    }).pipe(Effect.provide(clientOf(Option.none())))
  )

  it.effect("has its filters after the signature", () =>
    Effect.gen(function* () {
      const link = yield* keysPublicUrl(ID, { limit: 10, prefix: "a b", exclusiveStartKey: "č", collection: "posts" })
      assert.strictEqual(
        hrefOf(link),
        `https://api.apify.com/v2/key-value-stores/${ID}/keys?signature=MC4wLkNGYVdmMzFiNDdGT3I0NVBlT1lU&limit=10&prefix=a%20b&exclusiveStartKey=%C4%8D&collection=posts`
      )
    }).pipe(Effect.provide(clientOf(Option.some(SECRET))))
  )

  it.effect.each([
    0,
    -1,
    0.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Duration.infinity,
    Duration.zero,
    "-1 seconds",
    "1 nanos",
    2 ** 53
  ] as const)("that would expire in %s is not made", (expiresIn) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(keysPublicUrl(ID, { expiresIn }))
      assert.strictEqual(error._tag, "InvalidExpiryError")
      assert.isEmpty(yield* (yield* RecordedRequests).all)
    }).pipe(Effect.provide(clientOf(Option.some(SECRET))))
  )
})

describe("links", () => {
  it.effect("to one store are made with one request", () =>
    Effect.gen(function* () {
      const { record } = yield* urlsOf(SECRET)
      const links = yield* Effect.forEach(Array.from({ length: 1000 }), (_, n) => record(`key-${n}`))
      assert.strictEqual(new Set(links.map(hrefOf)).size, 1000)
      assert.isEmpty(yield* (yield* RecordedRequests).all)
      yield* recordPublicUrl("~my-store", "key")
      assert.lengthOf(yield* (yield* RecordedRequests).all, 1)
    }).pipe(Effect.provide(clientOf(Option.some(SECRET))))
  )

  it.effect.each([
    ["no signing key", Option.none()],
    ["an empty one", Option.some("")]
  ] as const)("to a store with %s are not signed, and say so", ([, secret]) =>
    Effect.gen(function* () {
      const urls = yield* publicUrls(storeWith(secret))
      const links = yield* Effect.all([urls.record("key"), urls.keys({ expiresIn: "1 hour", limit: 1 })])
      assert.deepStrictEqual(
        links.map((link) => [link.isSigned, hrefOf(link)]),
        [
          [false, `https://api.apify.com/v2/key-value-stores/${ID}/records/key`],
          [false, `https://api.apify.com/v2/key-value-stores/${ID}/keys?limit=1`]
        ]
      )
    }).pipe(Effect.provide(clientOf(Option.none())))
  )

  it.effect("begin with the public base URL, and requests with the other", () =>
    Effect.gen(function* () {
      const link = yield* recordPublicUrl(ID, "key")
      assert.include(hrefOf(link), `https://public.example/api/v2/key-value-stores/${ID}/records/key?`)
      const [request] = yield* (yield* RecordedRequests).all
      assert.strictEqual(request?.url, `https://internal.example/v2/key-value-stores/${ID}`)
    }).pipe(
      Effect.provide(
        clientOf(Option.some(SECRET), {
          baseUrl: "https://internal.example",
          publicBaseUrl: "https://public.example/api/"
        })
      )
    )
  )

  it.effect("hide their signatures when they are printed", () =>
    Effect.gen(function* () {
      const link = yield* recordPublicUrl(ID, "OUTPUT")
      for (const shown of [String(link.url), JSON.stringify(link), inspect(link)]) {
        assert.notInclude(shown, "1GArP4xikKeJ6DlWpegz6")
        assert.include(shown, "signature=<redacted>")
      }
      assert.notInclude(inspect(yield* urlsOf(SECRET), { depth: 10, showHidden: true }), SECRET)
    }).pipe(Effect.provide(clientOf(Option.some(SECRET))))
  )
})
