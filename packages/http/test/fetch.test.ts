/**
 * What is `layerFetch`'s own: how it uses the `fetch` that it is given, and what becomes of bodies. The fault tests run on it
 * as on every transport.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { layerFetch } from "../src/fetch.js"
import { ApifyClient, getStore, type Options } from "../src/index.js"
import { concat, readUpTo } from "../src/internal/body.js"
import { minimalBody } from "./arbitraries.js"

type Fetch = typeof globalThis.fetch

const answering =
  (answer: (init: RequestInit) => Response | Promise<Response>): Fetch =>
  async (_, init = {}) =>
    answer(init)

const storeResponse = () => new Response(minimalBody, { headers: { "content-type": "application/json" } })

const clientOn = (fetch: Fetch, options: Options = {}) =>
  ApifyClient.layer(options).pipe(Layer.provide(layerFetch), Layer.provide(Layer.succeed(FetchHttpClient.Fetch, fetch)))

describe("layerFetch", () => {
  it.effect("uses the fetch that its layer was given, and rather the one that a call is given", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const named = (name: string) =>
        answering(() => {
          asked.push(name)
          return storeResponse()
        })
      yield* getStore("~my-store").pipe(
        Effect.zipRight(getStore("~my-store").pipe(Effect.provideService(FetchHttpClient.Fetch, named("call")))),
        Effect.provide(clientOn(named("layer")))
      )
      assert.deepStrictEqual(asked, ["layer", "call"])
    })
  )

  it.effect("keeps the options that it was told, but for what could lead the token astray", () =>
    Effect.gen(function* () {
      const inits: Array<RequestInit> = []
      const recorded = answering((init) => {
        inits.push(init)
        return storeResponse()
      })
      const options: RequestInit = { redirect: "follow", keepalive: true, headers: { "x-team": "search" } }
      yield* getStore("~my-store").pipe(
        Effect.provide(clientOn(recorded).pipe(Layer.provide(Layer.succeed(FetchHttpClient.RequestInit, options))))
      )
      const [init] = inits
      assert.deepInclude(init, { redirect: "manual", cache: "no-store", credentials: "omit", keepalive: true })
      assert.deepInclude(init?.headers, { "x-team": "search", accept: "application/json" })
    })
  )

  it.effect("takes a fetch that throws for one that fails", () =>
    Effect.gen(function* () {
      const throwing: Fetch = () => {
        throw new TypeError("no fetch here")
      }
      const error = yield* Effect.flip(
        getStore("~my-store", { retry: { retries: 0 } }).pipe(Effect.provide(clientOn(throwing)))
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
        Effect.provide(clientOn(silent)),
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
    ["once it is out of time", 0],
    ["that comes when it is out of time", 2_000]
  ] as const)("reads no further in a body %s, though the fetch does not heed its signal", ([, delay]) =>
    Effect.gen(function* () {
      const cancelled = yield* Deferred.make<void>()
      const answered = answering(async () => {
        const body = new ReadableStream({ cancel: () => Deferred.unsafeDone(cancelled, Effect.void) })
        await Effect.runPromise(Effect.withClock(Effect.sleep(delay), clock))
        return new Response(body)
      })
      const clock = yield* Effect.clock
      const call = yield* getStore("~my-store", { attemptTimeout: "1 second", retry: { retries: 0 } }).pipe(
        Effect.provide(clientOn(answered)),
        Effect.flip,
        Effect.fork
      )
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(call))._tag, "TimeoutError")
      yield* TestClock.adjust("1 second")
      yield* Deferred.await(cancelled)
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
        getStore("~my-store", { maxBodyBytes: 10_000 }).pipe(Effect.provide(clientOn(endless)))
      )
      assert.strictEqual(error._tag, "UnexpectedResponseError")
      assert.isTrue(cancelled)
    })
  )

  it.effect("refuses a body that it cannot send", () =>
    Effect.gen(function* () {
      const request = HttpClientRequest.post("http://localhost/", {
        body: HttpBody.stream(Stream.make(new Uint8Array(1)))
      })
      const error = yield* Effect.flip(
        Effect.provide(HttpClient.execute(request), layerFetch).pipe(
          Effect.provideService(FetchHttpClient.Fetch, answering(storeResponse))
        )
      )
      assert.strictEqual(error._tag === "RequestError" && error.reason, "Encode")
    })
  )

  it.effect("gives an answer in every way that others read it", () =>
    Effect.gen(function* () {
      const get = (body: string, type = "text/plain") =>
        HttpClient.get("http://localhost/").pipe(
          Effect.provide(layerFetch),
          Effect.provideService(
            FetchHttpClient.Fetch,
            answering(() => new Response(body, { headers: { "content-type": type, "set-cookie": "a=b" } }))
          )
        )
      const response = yield* get('{"a":1}')
      assert.strictEqual(yield* response.text, '{"a":1}')
      assert.deepStrictEqual(yield* response.json, { a: 1 })
      assert.strictEqual(new TextDecoder().decode(yield* response.arrayBuffer), '{"a":1}')
      assert.strictEqual(yield* Stream.mkString(Stream.decodeText(response.stream)), '{"a":1}')
      assert.property(response.cookies.cookies, "a")
      const form = yield* get("a=1&b=2", "application/x-www-form-urlencoded")
      assert.deepStrictEqual(yield* form.urlParamsBody, [
        ["a", "1"],
        ["b", "2"]
      ])
      assert.strictEqual((yield* form.formData).get("b"), "2")
      const error = yield* Effect.flip((yield* get("{")).json)
      assert.strictEqual(error._tag === "ResponseError" && error.reason, "Decode")
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
