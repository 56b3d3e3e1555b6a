import { readdirSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { DEMO_TOKEN, Emulator } from "@effect-apify/emulator"
import * as Effect from "effect/Effect"
import { troubles } from "../troubles.js"
import { run } from "./run.js"

const STORE = "WkzbQMuFYuamGv3YF"

describe("getStore", () => {
  it.live("tells of the store, and shows no key", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* run("getStore")
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(stdout.split("\n"), [
        "d7b9MDYsbtX5L7XAj, last changed on 2019-12-13",
        "Read 9 times",
        "Signing key: <redacted>",
        ""
      ])
    })
  )

  it.live("asks where the environment says", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const { code, stderr, stdout } = yield* run("getStore", [], { APIFY_API_BASE_URL: url, APIFY_TOKEN: DEMO_TOKEN })
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.include(stdout, "Read 9 times")
    }).pipe(Effect.provide(Emulator.layer()))
  )
})

describe("handleErrors", () => {
  it.live("reacts to each error in its own way", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run("handleErrors")
      assert.deepStrictEqual([code, stderr], [0, ""])
      const reactions = Object.fromEntries([...stdout.matchAll(/^(\w+Error)\n {2}([^:\n]*)/gm)].map((m) => m.slice(1)))
      assert.deepStrictEqual(reactions, {
        InvalidStoreRefError: "ask the user",
        BadRequestError: "ask the user",
        UnauthorizedError: "ask the user",
        PaymentRequiredError: "ask the user",
        ForbiddenError: "ask the user",
        StoreNotFoundError: "carry on without",
        MethodNotAllowedError: "call an operator",
        RateLimitedError: "try again in 30s",
        ServerError: "try again in 1m",
        UnexpectedResponseError: "call an operator",
        MalformedResponseError: "call an operator",
        TransportError: "try again in 1m",
        TimeoutError: "try again in 1m"
      })
      assert.hasAllKeys(reactions, Object.keys(troubles))
      assert.notInclude(stdout, "undefined")
    })
  )
})

describe("ownTransport", () => {
  it.live("gets the store through each transport", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run("ownTransport")
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.deepStrictEqual(stdout.split("\n"), [
        `${STORE} through fetch`,
        `${STORE} through undici`,
        `${STORE} through undici with its own agent`,
        `  GET /v2/key-value-stores/${STORE} for team search`,
        `${STORE} through fetch with a header and a log`,
        ""
      ])
    })
  )
})

describe("ownRetryPolicy", () => {
  it.live("retries as each policy says", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run("ownRetryPolicy")
      assert.deepStrictEqual([code, stderr], [0, ""])
      const parts = stdout.trim().split("\n\n")
      assert.deepStrictEqual(
        parts.map((part) => [(part.match(/trying again|schedule got/g) ?? []).length, part.includes(`got ${STORE}`)]),
        [
          [2, true],
          [3, false],
          [0, false],
          [0, false],
          [2, true]
        ]
      )
    })
  )
})

describe("manyStores", () => {
  it.live("gets them all, tells how far it is, and sums up", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run("manyStores")
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(stderr.split("\n"), [
        "76 of 301 stores",
        "152 of 301 stores",
        "228 of 301 stores",
        "301 of 301 stores",
        ""
      ])
      assert.match(stdout, /^300 stores, 44\.9 MB in all\nFailed: .* no store ~crawl-gone: .*\n$/)
    })
  )
})

describe("trace", () => {
  it.live("shows the call, and in it an attempt that failed and one that did not", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run("trace")
      assert.deepStrictEqual([code, stderr], [0, ""])
      const spans = [...stdout.matchAll(/^\+[\d.]+ ms +(\S.*) \([\d.]+ ms\)$/gm)].map(([_, name]) => name)
      assert.deepStrictEqual(spans, ["a program of yours", "ApifyClient.getStore", "GET", "GET"])
      assert.match(stdout, /status_code = 503[\s\S]*resend_count = 1[\s\S]*status_code = 200/)
      assert.notInclude(stdout, DEMO_TOKEN)
    })
  )
})

describe("the examples", () => {
  const folder = `${import.meta.dirname}/..`
  const modules = readdirSync(folder).filter((file) => file.endsWith(".ts"))

  it("are all run here", () => {
    const parts = ["busyTransport.ts", "local.ts", "progress.ts", "storeSummary.ts", "troubles.ts"]
    const tested = ["start.ts", "unitTest.ts"]
    const run = ["getStore.ts", "handleErrors.ts", "manyStores.ts", "ownRetryPolicy.ts", "ownTransport.ts", "trace.ts"]
    assert.sameMembers(modules, [...parts, ...tested, ...run])
  })
})
