/**
 * Rate limits, where they are wanted.
 */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { databaseLayer, IN_MEMORY } from "../src/Database.js"
import { DEMO_SECOND_TOKEN, DEMO_TOKEN, Emulator } from "../src/index.js"
import { RateLimits } from "../src/RateLimits.js"
import { errorBody, type RequestOptions, request, storePath } from "./request.js"

const STORES = "/v2/key-value-stores"
const DEMO = storePath("WkzbQMuFYuamGv3YF")

const send = (path: string, options: RequestOptions = {}) =>
  Effect.flatMap(Emulator, ({ url }) => request(url, path, { token: DEMO_TOKEN, ...options }))

/** How many of so many requests are not refused. */
const served = (count: number, path: string, options: RequestOptions = {}) =>
  Effect.map(
    Effect.all(
      Array.from({ length: count }, () => send(path, options)),
      { concurrency: 8 }
    ),
    (responses) => responses.filter(({ status }) => status !== 429).length
  )

layer(Emulator.layer({ rateLimits: true }))("with rate limits", (it) => {
  it.effect("a store takes 60 requests a second, and its list as many", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* served(70, DEMO), 60)
      const { status, headers, text } = yield* send(DEMO)
      assert.strictEqual(status, 429)
      assert.strictEqual(
        text,
        errorBody("rate-limit-exceeded", "You have exceeded the rate limit of 60 requests per second")
      )
      assert.strictEqual(headers["x-ratelimit-limit"], "60")
      assert.strictEqual((yield* send(DEMO, { method: "HEAD" })).status, 429)
      assert.strictEqual((yield* send(DEMO, { method: "PUT", body: "{}" })).status, 429)
      assert.strictEqual((yield* send(storePath("missing"))).status, 404)
      assert.strictEqual(yield* served(61, STORES), 60)
      assert.strictEqual((yield* send(STORES, { token: DEMO_SECOND_TOKEN })).status, 200)
    })
  )
  it.effect("a store that has several names has one count", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("10 seconds")
      const made = yield* send(`${STORES}?name=counted`, { method: "POST" })
      const { id } = JSON.parse(made.text).data
      const names = [id, "~counted", "janedoe~COUNTED", "JaneDoe%2Fcounted"].map(storePath)
      const counts = yield* Effect.forEach(names, (path) => served(20, path))
      assert.deepStrictEqual(counts, [20, 20, 20, 0])
    })
  )
  it.effect("a second later it takes as many again", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* served(61, DEMO), 60)
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(yield* served(1, DEMO), 0)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* served(61, DEMO), 60)
    })
  )
  it.effect("what has no route, no method or no valid token does not count", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* served(100, DEMO, { method: "OPTIONS" }), 100)
      assert.strictEqual(yield* served(100, DEMO, { method: "POST" }), 100)
      assert.strictEqual(yield* served(100, DEMO, { token: "unknown" }), 100)
      assert.strictEqual(yield* served(60, DEMO), 60)
    })
  )
})

layer(Emulator.layer())("without rate limits", (it) => {
  it.effect("a store takes any number", () => Effect.map(served(200, DEMO), (count) => assert.strictEqual(count, 200)))
})

describe("rate limits", () => {
  const route = (rateLimit: number) => ({ rateLimit })
  const caller = (userId: string) => Option.some({ userId, scope: "WRITE" as const, canCreate: true, hash: "" })
  const none = Option.none()
  const named = (store: string) => new Map([["store", store]])
  const account = new Map<string, string>()
  const address = (address: string) => Option.some(address)
  /** How many requests are taken before the first that is not. */
  const taken = (limits: RateLimits, ...[route, store, caller, from = none]: Request) =>
    Effect.gen(function* () {
      let count = 0
      while (count < 1_000 && (yield* Effect.isSuccess(limits.take(route, store, caller, from)))) count += 1
      return count
    })
  type Take = Parameters<RateLimits["take"]>
  type Request = readonly [route: Take[0], store: Take[1], caller: Take[2], from?: Take[3]]

  layer(databaseLayer(IN_MEMORY))((it) => {
    it.effect("are for each store and limit by themselves", () =>
      Effect.gen(function* () {
        const limits = new RateLimits()
        assert.strictEqual(yield* taken(limits, route(60), named("a"), none), 60)
        assert.strictEqual(yield* taken(limits, route(200), named("a"), none), 200)
        assert.strictEqual(yield* taken(limits, route(60), named("A"), none), 60)
        assert.strictEqual(yield* taken(limits, route(60), named("a"), caller("b")), 0)
      })
    )
    it.effect("take the name of a store that is not there without its case, and one without an owner by account", () =>
      Effect.gen(function* () {
        const limits = new RateLimits()
        assert.strictEqual(yield* taken(limits, route(60), named("jane~a"), none), 60)
        assert.strictEqual(yield* taken(limits, route(60), named("Jane~A"), none), 0)
        assert.strictEqual(yield* taken(limits, route(60), named("jane/a"), none), 0)
        assert.strictEqual(yield* taken(limits, route(60), named("~a"), caller("b")), 60)
        assert.strictEqual(yield* taken(limits, route(60), named("~A"), caller("b")), 0)
        assert.strictEqual(yield* taken(limits, route(60), named("~a"), caller("c")), 60)
      })
    )
    it.effect("are for each user where no store is named, and for each address without a token", () =>
      Effect.gen(function* () {
        const limits = new RateLimits()
        assert.strictEqual(yield* taken(limits, route(60), account, caller("b"), address("::1")), 60)
        assert.strictEqual(yield* taken(limits, route(60), account, caller("b"), address("::2")), 0)
        assert.strictEqual(yield* taken(limits, route(60), account, caller("c"), address("::1")), 60)
        assert.strictEqual(yield* taken(limits, route(60), account, none, address("::1")), 60)
        assert.strictEqual(yield* taken(limits, route(60), account, none, address("::2")), 60)
        assert.strictEqual(yield* taken(limits, route(60), named("~a"), none, address("::2")), 0)
      })
    )
    it.effect("are in force for more stores than are remembered", () =>
      Effect.gen(function* () {
        const limits = new RateLimits()
        assert.strictEqual(yield* taken(limits, route(60), named("first"), none), 60)
        for (let store = 0; store < 10_100; store += 1) yield* limits.take(route(60), named(`${store}`), none, none)
        assert.strictEqual(yield* taken(limits, route(60), named("first"), none), 0)
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* taken(limits, route(60), named("first"), none), 60)
      })
    )
  })
})
