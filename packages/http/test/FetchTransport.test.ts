/**
 * What is `FetchTransport`'s own: how it uses the `fetch` that it is given, and what becomes of bodies. The fault tests run on it
 * as on every transport.
 */
import { gzipSync } from "node:zlib"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import type { ConfigError } from "effect/ConfigError"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { ApifyClient, FetchTransport, getRecord, getStore, HttpClientTransport, type Transport } from "../src/index.js"
import { minimalBody } from "./arbitraries.js"
import { put } from "./put.js"
import { eventLoopTurn } from "./realSockets.js"

const clientWith = (options: FetchTransport.Options) =>
  Layer.provide(ApifyClient.layer(), FetchTransport.layerWith(options))

type Fetch = typeof globalThis.fetch

const responding =
  (respond: (init: RequestInit) => Response | Promise<Response>): Fetch =>
  async (_, init = {}) =>
    respond(init)

const storeResponse = () => new Response(minimalBody, { headers: { "content-type": "application/json" } })

const jsonHeaders = (others: Record<string, string> = {}) =>
  new Headers({ "content-type": "application/json", ...others })

/** The transports that send by a `fetch` of the caller's. */
const transportsOn: ReadonlyArray<
  readonly [name: string, transport: (fetch: Fetch) => Layer.Layer<Transport.Transport, ConfigError>]
> = [
  ["FetchTransport", (fetch) => FetchTransport.layerWith({ fetch })],
  [
    "HttpClientTransport",
    (fetch) =>
      HttpClientTransport.layer.pipe(
        Layer.provide(FetchHttpClient.layer),
        Layer.provide(Layer.succeed(FetchHttpClient.Fetch, fetch))
      )
  ]
]

describe("FetchTransport", () => {
  it.effect("uses the platform's fetch as it is at the time, unless it was given another", () =>
    Effect.gen(function* () {
      const used: Array<string> = []
      const named = (name: string) =>
        responding(() => {
          used.push(name)
          return storeResponse()
        })
      const platforms = globalThis.fetch
      yield* Effect.acquireUseRelease(
        Effect.sync(() => {
          globalThis.fetch = named("platform")
        }),
        () =>
          Effect.zipRight(
            Effect.provide(getStore("~my-store"), clientWith({})),
            Effect.provide(getStore("~my-store"), clientWith({ fetch: named("given") }))
          ),
        () =>
          Effect.sync(() => {
            globalThis.fetch = platforms
          })
      )
      assert.deepStrictEqual(used, ["platform", "given"])
    })
  )

  it.effect("does not take it for decoded what a fetch of the caller's returns", () =>
    Effect.gen(function* () {
      const headers = { "content-encoding": "gzip" }
      const fetch = responding(() => new Response(gzipSync("text"), { headers }))
      const error = yield* Effect.provide(Effect.flip(getRecord("~my-store", "key")), clientWith({ fetch }))
      assert.deepInclude(error, { _tag: "MalformedRecordError", kind: "Encoding" })
    })
  )

  it.effect("keeps the options that it is given, except for those that protect the token", () =>
    Effect.gen(function* () {
      const inits: Array<RequestInit> = []
      const fetch = responding((init) => {
        inits.push(init)
        return storeResponse()
      })
      const init: RequestInit = { redirect: "follow", keepalive: true, headers: { "x-team": "search" } }
      yield* Effect.provide(getStore("~my-store"), clientWith({ fetch, init }))
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
            ApifyClient.layerConfig.pipe(
              Layer.provide(FetchTransport.layer),
              Layer.provide(Layer.setConfigProvider(config))
            )
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
        getStore("~my-store", { retry: { retries: 0 } }).pipe(Effect.provide(clientWith({ fetch: throwing })))
      )
      assert.strictEqual(error._tag, "TransportError")
    })
  )

  it.effect("aborts a fetch that is out of time, and waits for it no longer", () =>
    Effect.gen(function* () {
      const signals: Array<AbortSignal | null | undefined> = []
      const silent = responding(({ signal }) => {
        signals.push(signal)
        return new Promise(() => {})
      })
      const call = yield* getStore("~my-store", { attemptTimeout: "1 second", retry: { retries: 0 } }).pipe(
        Effect.provide(clientWith({ fetch: silent })),
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
    ["that arrives once it is out of time", 2_000, {}]
  ] as const)("reads no further in a body %s, though the fetch does not heed its signal", ([, delay, headers]) =>
    Effect.gen(function* () {
      const cancelled = yield* Deferred.make<void>()
      const late = responding(async () => {
        const body = new ReadableStream({ cancel: () => Deferred.unsafeDone(cancelled, Effect.void) })
        await Effect.runPromise(Effect.withClock(Effect.sleep(delay), clock))
        return new Response(body, { headers })
      })
      const clock = yield* Effect.clock
      const call = yield* getStore("~my-store", { attemptTimeout: "1 second", retry: { retries: 0 } }).pipe(
        Effect.provide(clientWith({ fetch: late })),
        Effect.flip,
        Effect.fork
      )
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(call))._tag, "TimeoutError")
      yield* TestClock.adjust("1 second")
      yield* Deferred.await(cancelled)
    })
  )

  it.effect.each(transportsOn)("aborts a fetch whose body it cannot read: %s", ([, transport]) =>
    Effect.gen(function* () {
      const signals: Array<AbortSignal | null | undefined> = []
      const garbage = responding(({ signal }) => {
        signals.push(signal)
        return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(null) }))
      })
      const error = yield* Effect.flip(
        getStore("~my-store", { retry: { retries: 0 } }).pipe(
          Effect.provide(Layer.provide(ApifyClient.layer(), transport(garbage)))
        )
      )
      yield* eventLoopTurn
      assert.strictEqual(error._tag === "TransportError" && error.reason, "request")
      assert.deepStrictEqual(
        signals.map((signal) => signal?.aborted),
        [true]
      )
    })
  )

  it.effect("reads a response that has arrayBuffer() and no stream", () =>
    Effect.gen(function* () {
      const buffered: Fetch = async () =>
        Object.assign(Object.create(null), {
          status: 200,
          headers: new Headers({ "content-type": "application/json" }),
          arrayBuffer: async () => new TextEncoder().encode(minimalBody).buffer
        })
      const store = yield* Effect.provide(getStore("~my-store"), clientWith({ fetch: buffered }))
      assert.strictEqual(store.id, "WkzbQMuFYuamGv3YF")
    })
  )

  it.effect.each<readonly [what: string, returned: unknown]>([
    ["a response without a body that can be read", { status: 200, headers: {}, text: async () => minimalBody }],
    ["nothing", undefined],
    ["a text", minimalBody]
  ])("refuses a fetch that returns %s, at once and with the reason", ([, returned]) =>
    Effect.gen(function* () {
      let calls = 0
      const strange: Fetch = async () => {
        calls += 1
        return JSON.parse(JSON.stringify({ returned })).returned
      }
      const error = yield* Effect.flip(Effect.provide(getStore("~my-store"), clientWith({ fetch: strange })))
      if (error._tag !== "TransportError") return assert.fail(`${error}`)
      assert.strictEqual(error.reason, "request")
      assert.strictEqual(error.retryable, "Never")
      assert.strictEqual(error.attempts, 1)
      assert.strictEqual(calls, 1)
      assert.match(error.message, /fetch returned/)
    })
  )

  describe.each(transportsOn)("on %s, what a fetch of the caller's returns", (_, transport) => {
    const refusal = (response: object) =>
      Effect.gen(function* () {
        let calls = 0
        const strange: Fetch = async () => {
          calls += 1
          return Object.assign(Object.create(null), { headers: jsonHeaders(), ...response })
        }
        const client = Layer.provide(ApifyClient.layer(), transport(strange))
        const error = yield* Effect.flip(Effect.provide(getStore("~my-store"), client))
        if (error._tag !== "TransportError") return assert.fail(`${error}`)
        assert.strictEqual(error.reason, "request")
        assert.strictEqual(error.retryable, "Never")
        assert.strictEqual(calls, 1)
        return error.message
      })

    it.effect.each([
      [Number.NaN, "NaN"],
      [200.5, "200.5"],
      [-1, "-1"],
      [1000, "1000"],
      ["200", "type string"],
      [null, "type object"]
    ])("with the status %o is refused", ([status, shown]) =>
      Effect.gen(function* () {
        const message = yield* refusal({ status, body: null, arrayBuffer: async () => new ArrayBuffer(0) })
        assert.include(message, `${shown}, not an integer from 0 to 999`)
      })
    )

    it.effect.each([[undefined], [20], ["text"], [{}]])("is refused where arrayBuffer() resolves to %o", ([buffer]) =>
      Effect.gen(function* () {
        for (const headers of [jsonHeaders(), jsonHeaders({ "content-length": "20" })]) {
          const message = yield* refusal({ status: 200, headers, arrayBuffer: async () => buffer })
          assert.include(message, "not an ArrayBuffer")
        }
      })
    )

    it.effect("is refused where it has neither a stream nor arrayBuffer()", () =>
      Effect.gen(function* () {
        assert.include(yield* refusal({ status: 200 }), "arrayBuffer")
      })
    )

    it.effect("is read where it has arrayBuffer() and no stream", () =>
      Effect.gen(function* () {
        const buffered: Fetch = async () =>
          Object.assign(Object.create(null), {
            status: 200,
            headers: jsonHeaders(),
            arrayBuffer: async () => new TextEncoder().encode(minimalBody).buffer
          })
        const client = Layer.provide(ApifyClient.layer(), transport(buffered))
        assert.strictEqual((yield* Effect.provide(getStore("~my-store"), client)).id, "WkzbQMuFYuamGv3YF")
      })
    )

    it.effect("is empty where it is an empty Response", () =>
      Effect.gen(function* () {
        const empty: Fetch = async () => new Response(null, { headers: jsonHeaders() })
        const client = Layer.provide(ApifyClient.layer(), transport(empty))
        const call = getStore("~my-store", { retry: { retries: 0 } })
        const error = yield* Effect.flip(Effect.provide(call, client))
        assert.include(error.message, "is empty")
      })
    )
  })

  it.effect("refuses headers that HTTP does not allow, before anything is sent", () =>
    Effect.gen(function* () {
      const layer = clientWith({ init: { headers: { "x-team": "a\nb" } } })
      const error = yield* Effect.flip(Effect.scoped(Layer.build(layer)))
      assert.include(String(error), "init.headers")
    })
  )

  it.effect("stops at the cap of a body that declares no length", () =>
    Effect.gen(function* () {
      let cancelled = false
      const endless = responding(
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
        getStore("~my-store", { maxBodyBytes: 10_000 }).pipe(Effect.provide(clientWith({ fetch: endless })))
      )
      assert.strictEqual(error._tag, "UnexpectedResponseError")
      assert.isTrue(cancelled)
    })
  )

  it.effect("lets no upload look complete that a response has ended early", () =>
    Effect.gen(function* () {
      const first = yield* Deferred.make<void>()
      const rest = yield* Deferred.make<unknown>()
      let signal: AbortSignal | null | undefined
      const early: Fetch = async (_, init = {}) => {
        signal = init.signal
        const body = new Response(init.body).body?.getReader()
        await body?.read()
        body?.read().then(
          () => Deferred.unsafeDone(rest, Effect.succeed("the end")),
          (error) => Deferred.unsafeDone(rest, Effect.succeed(error))
        )
        await Effect.runPromise(Deferred.await(first))
        return new Response("refused", { status: 413 })
      }
      const stream = Stream.concat(
        Stream.make(new Uint8Array(10)),
        Stream.fromEffect(Effect.zipRight(Deferred.succeed(first, undefined), Effect.never))
      )
      const status = yield* Effect.flatMap(ApifyClient.ApifyClient, (client) => client.run(put(stream))).pipe(
        Effect.provide(clientWith({ fetch: early }))
      )
      assert.strictEqual(status, 413)
      assert.isTrue(signal?.aborted)
      assert.instanceOf(yield* Deferred.await(rest), Error)
    })
  )
})
