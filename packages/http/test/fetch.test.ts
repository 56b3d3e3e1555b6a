/**
 * What is `FetchClient`'s own: how it uses the `fetch` that it is given, and what becomes of bodies. The fault tests run on it
 * as on every transport.
 */
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as FetchClient from "../src/fetch.js"
import { getStore } from "../src/index.js"
import { concat, readUpTo } from "../src/internal/body.js"
import { minimalBody } from "./arbitraries.js"

type Fetch = typeof globalThis.fetch

const answering =
  (answer: (init: RequestInit) => Response | Promise<Response>): Fetch =>
  async (_, init = {}) =>
    answer(init)

const storeResponse = () => new Response(minimalBody, { headers: { "content-type": "application/json" } })

describe("FetchClient", () => {
  it.effect("uses the platform's fetch as it is at the time, unless it was given another", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const named = (name: string) =>
        answering(() => {
          asked.push(name)
          return storeResponse()
        })
      const platforms = globalThis.fetch
      yield* Effect.acquireUseRelease(
        Effect.sync(() => {
          globalThis.fetch = named("platform")
        }),
        () =>
          Effect.zipRight(
            Effect.provide(getStore("~my-store"), FetchClient.layer()),
            Effect.provide(getStore("~my-store"), FetchClient.layer({ fetch: named("given") }))
          ),
        () =>
          Effect.sync(() => {
            globalThis.fetch = platforms
          })
      )
      assert.deepStrictEqual(asked, ["platform", "given"])
    })
  )

  it.effect.each([
    ["layer", FetchClient.layer],
    ["layerConfigWith", FetchClient.layerConfigWith]
  ] as const)("%s keeps the options that it was told, but for what could lead the token astray", ([, layer]) =>
    Effect.gen(function* () {
      const inits: Array<RequestInit> = []
      const fetch = answering((init) => {
        inits.push(init)
        return storeResponse()
      })
      const init: RequestInit = { redirect: "follow", keepalive: true, headers: { "x-team": "search" } }
      yield* Effect.provide(getStore("~my-store"), layer({ fetch, init }))
      const [sent] = inits
      assert.deepInclude(sent, {
        method: "GET",
        redirect: "manual",
        cache: "no-store",
        credentials: "omit",
        keepalive: true
      })
      assert.deepInclude(sent?.headers, { "x-team": "search", accept: "application/json" })
    })
  )

  it.effect("reads its settings from the environment", () =>
    Effect.gen(function* () {
      const urls: Array<string> = []
      const recorded: Fetch = async (url) => {
        urls.push(String(url))
        return storeResponse()
      }
      const platforms = globalThis.fetch
      const config = ConfigProvider.fromMap(new Map([["APIFY_API_BASE_URL", "https://apify.example"]]))
      yield* Effect.acquireUseRelease(
        Effect.sync(() => {
          globalThis.fetch = recorded
        }),
        () =>
          Effect.provide(
            getStore("~my-store"),
            Layer.provide(FetchClient.layerConfig, Layer.setConfigProvider(config))
          ),
        () =>
          Effect.sync(() => {
            globalThis.fetch = platforms
          })
      )
      assert.deepStrictEqual(urls, ["https://apify.example/v2/key-value-stores/~my-store"])
    })
  )

  it.effect("takes a fetch that throws for one that fails", () =>
    Effect.gen(function* () {
      const throwing: Fetch = () => {
        throw new TypeError("no fetch here")
      }
      const error = yield* Effect.flip(
        getStore("~my-store", { retry: { retries: 0 } }).pipe(Effect.provide(FetchClient.layer({ fetch: throwing })))
      )
      assert.strictEqual(error._tag, "TransportError")
    })
  )

  it.effect("aborts a fetch that is out of time, and waits for it no longer", () =>
    Effect.gen(function* () {
      const signals: Array<AbortSignal | null | undefined> = []
      const silent = answering(({ signal }) => {
        signals.push(signal)
        return new Promise(() => {})
      })
      const call = yield* getStore("~my-store", { attemptTimeout: "1 second", retry: { retries: 0 } }).pipe(
        Effect.provide(FetchClient.layer({ fetch: silent })),
        Effect.flip,
        Effect.fork
      )
      yield* TestClock.adjust("999 millis")
      assert.deepStrictEqual(
        signals.map((signal) => signal?.aborted),
        [false]
      )
      yield* TestClock.adjust("1 milli")
      assert.strictEqual((yield* Fiber.join(call))._tag, "TimeoutError")
      assert.deepStrictEqual(
        signals.map((signal) => signal?.aborted),
        [true]
      )
    })
  )

  it.effect.each([
    ["once it is out of time", 0, {}],
    ["of a declared length once it is out of time", 0, { "content-length": "1000" }],
    ["that comes when it is out of time", 2_000, {}]
  ] as const)("reads no further in a body %s, though the fetch does not heed its signal", ([, delay, headers]) =>
    Effect.gen(function* () {
      const cancelled = yield* Deferred.make<void>()
      const answered = answering(async () => {
        const body = new ReadableStream({ cancel: () => Deferred.unsafeDone(cancelled, Effect.void) })
        await Effect.runPromise(Effect.withClock(Effect.sleep(delay), clock))
        return new Response(body, { headers })
      })
      const clock = yield* Effect.clock
      const call = yield* getStore("~my-store", { attemptTimeout: "1 second", retry: { retries: 0 } }).pipe(
        Effect.provide(FetchClient.layer({ fetch: answered })),
        Effect.flip,
        Effect.fork
      )
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(call))._tag, "TimeoutError")
      yield* TestClock.adjust("1 second")
      yield* Deferred.await(cancelled)
    })
  )

  it.effect("aborts a fetch whose body it cannot read", () =>
    Effect.gen(function* () {
      const signals: Array<AbortSignal | null | undefined> = []
      const garbage = answering(({ signal }) => {
        signals.push(signal)
        return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(null) }))
      })
      const error = yield* Effect.flip(
        getStore("~my-store", { retry: { retries: 0 } }).pipe(Effect.provide(FetchClient.layer({ fetch: garbage })))
      )
      assert.strictEqual(error._tag === "TransportError" && error.reason, "reset")
      assert.deepStrictEqual(
        signals.map((signal) => signal?.aborted),
        [true]
      )
    })
  )

  it.effect("refuses headers that HTTP does not allow, before anything is sent", () =>
    Effect.gen(function* () {
      const layer = FetchClient.layer({ init: { headers: { "x-team": "a\nb" } } })
      const error = yield* Effect.flip(Effect.scoped(Layer.build(layer)))
      assert.include(String(error), "init.headers")
    })
  )

  it.effect("stops at the cap of a body that declares no length", () =>
    Effect.gen(function* () {
      let cancelled = false
      const endless = answering(
        () =>
          new Response(
            new ReadableStream({
              pull: (controller) => controller.enqueue(new Uint8Array(1_000)),
              cancel: () => {
                cancelled = true
              }
            })
          )
      )
      const error = yield* Effect.flip(
        getStore("~my-store", { maxBodyBytes: 10_000 }).pipe(Effect.provide(FetchClient.layer({ fetch: endless })))
      )
      assert.strictEqual(error._tag, "UnexpectedResponseError")
      assert.isTrue(cancelled)
    })
  )
})

describe("a body", () => {
  const chunks = FastCheck.array(FastCheck.uint8Array({ maxLength: 20 }), { maxLength: 20 })

  it.effect.prop(
    "is read to its end, or to the chunk with which it exceeds the cap",
    [chunks, FastCheck.nat(200)],
    ([chunks, cap]) =>
      Effect.gen(function* () {
        const stream = new ReadableStream<Uint8Array>({
          start: (controller) => {
            for (const chunk of chunks) controller.enqueue(chunk)
            controller.close()
          }
        })
        const read = yield* Effect.promise(() => readUpTo(cap, stream))
        const whole = chunks.flatMap((chunk) => [...chunk])
        assert.deepStrictEqual([...read], whole.slice(0, read.length))
        assert.deepStrictEqual(read.length <= cap, whole.length <= cap)
        if (whole.length <= cap) assert.strictEqual(read.length, whole.length)
      })
  )

  it.prop("is its chunks, one after the other", [chunks], ([chunks]) => {
    assert.deepStrictEqual(
      [...concat(chunks)],
      chunks.flatMap((chunk) => [...chunk])
    )
  })
})
