/**
 * Records as streams, on each transport over real sockets, and many records at once.
 */
import { randomBytes } from "node:crypto"
import type { Server } from "node:http"
import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import {
  type ApifyClient,
  downloadRecords,
  getRecord,
  getRecords,
  listKeys,
  listRecords,
  putRecord,
  streamRecord
} from "../src/index.js"
import { layerRespond, RecordedRequests } from "../src/testing.js"
import { clientOn, listening, transports, unhurried, urlOf, watching } from "./realSockets.js"
import { inSimulatedTime, mostInASecond } from "./simulatedTime.js"
import { refuse, storeServer } from "./storeServer.js"

const STORE = "janedoe~my-store"

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const tagOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "_tag" in error ? error._tag : error

const failureOf = <A, E>(exit: Exit.Exit<A, E>): unknown =>
  Exit.isFailure(exit) ? Cause.squash(exit.cause) : assert.fail("It has not failed")

/** Programs without types may give anything. */
const isAnything = (_: unknown): _ is Uint8Array => true

describe.each(transports)("with $name", ({ name, transport }) => {
  const clientOf = (server: Server, options: ApifyClient.Options = {}) =>
    clientOn(transport, { baseUrl: urlOf(server), retry: { baseDelay: 1, maxDelay: 1 }, ...unhurried, ...options })

  /** A server that begins a body of 1000 bytes, and does no more until its test says so. */
  const begun = (headers: { readonly [name: string]: string | number } = { "content-length": 1000 }) =>
    Effect.gen(function* () {
      let cut = (): void => {}
      const hasStart = yield* Deferred.make<void>()
      const watched = yield* watching((request, response) => {
        response.writeHead(200, {
          "content-type": request.url?.endsWith("true") ? "text/plain" : "application/zip",
          ...headers
        })
        response.write("start")
        cut = () => request.socket.destroy()
      })
      const read = (chunks: Array<Uint8Array>) =>
        Stream.runForEach((chunk: Uint8Array) =>
          Effect.zipRight(
            Effect.sync(() => chunks.push(chunk)),
            Deferred.succeed(hasStart, undefined)
          )
        )
      return { ...watched, hasStart, read, cut: () => cut() }
    })

  const bytes = Stream.unwrapScoped(Effect.map(streamRecord(STORE, "key"), ({ bytes }) => bytes))

  describe.each([
    ["a record", bytes],
    ["an archive", downloadRecords(STORE)]
  ] as const)("%s that is streamed", (_, stream) => {
    it.scopedLive.each([
      ["of a declared length", { "content-length": 1000 }],
      ["in chunks", {}]
    ] as const)("%s and cut off gives what was received, and then a reset", ([, headers]) =>
      Effect.gen(function* () {
        const { cut, hasStart, read, server } = yield* begun(headers)
        const chunks: Array<Uint8Array> = []
        const reading = yield* read(chunks)(stream).pipe(Effect.provide(clientOf(server)), Effect.exit, Effect.fork)
        yield* Deferred.await(hasStart)
        cut()
        assert.deepInclude(failureOf(yield* Fiber.join(reading)), { _tag: "TransportError", reason: "reset" })
        assert.strictEqual(Buffer.concat(chunks).toString(), "start")
      })
    )

    it.scoped("and stalls is out of time after a minute, and frees its socket", () =>
      Effect.gen(function* () {
        const { freed, hasStart, read, server } = yield* begun()
        const client = clientOn(transport, { baseUrl: urlOf(server) })
        const reading = yield* read([])(stream).pipe(Effect.provide(client), Effect.exit, Effect.fork)
        yield* Deferred.await(hasStart)
        yield* TestClock.adjust("59 seconds")
        assert.isNull(reading.unsafePoll())
        yield* TestClock.adjust("1 second")
        assert.deepInclude(failureOf(yield* Fiber.join(reading)), { _tag: "TimeoutError", phase: "attempt" })
        yield* Deferred.await(freed)
      })
    )

    it.scopedLive("and is not read to its end frees its socket", () =>
      Effect.gen(function* () {
        const { freed, server } = yield* begun()
        yield* Effect.zipRight(Stream.runDrain(Stream.take(stream, 1)), Deferred.await(freed)).pipe(
          Effect.provide(clientOf(server))
        )
      })
    )

    it.scopedLive("and interrupted in the middle frees its socket", () =>
      Effect.gen(function* () {
        const { freed, hasStart, read, server } = yield* begun()
        yield* Effect.gen(function* () {
          const reading = yield* Effect.fork(read([])(stream))
          yield* Deferred.await(hasStart)
          assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(reading)))
          yield* Deferred.await(freed)
        }).pipe(Effect.provide(clientOf(server)))
      })
    )

    it.scopedLive.each([
      ["fewer", 3],
      ["more", 1000]
    ] as const)("whose response declares %s bytes than it has is no whole one", ([, length]) =>
      Effect.gen(function* () {
        const server = yield* listening((request) => {
          const type = request.url?.endsWith("true") ? "text/plain" : "application/zip"
          request.socket.end(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\nwhole`)
        })
        const exit = yield* Effect.provide(Effect.exit(Stream.runCollect(stream)), clientOf(server))
        // What is beyond the length belongs to no response.
        if (Exit.isSuccess(exit)) assert.strictEqual(`${Buffer.concat([...exit.value])}`, "whole".slice(0, length))
        else assert.deepInclude(failureOf(exit), { _tag: "TransportError", reason: "reset" })
        if (length > 5) assert.isTrue(Exit.isFailure(exit))
      })
    )

    it.scopedLive("is tried again until it begins", () =>
      Effect.gen(function* () {
        let requests = 0
        const server = yield* listening((request, response) => {
          requests += 1
          response.writeHead(requests < 3 ? 503 : 200, {
            "content-type": request.url?.endsWith("true") ? "text/plain" : "application/zip"
          })
          response.end("whole")
        })
        const chunks = yield* Effect.provide(Stream.runCollect(stream), clientOf(server))
        assert.strictEqual(Buffer.concat([...chunks]).toString(), "whole")
        assert.strictEqual(requests, 3)
      })
    )

    it.scopedLive("of a store that does not exist says so", () =>
      Effect.gen(function* () {
        const server = yield* listening((_, response) =>
          refuse(response, 404, "record-not-found", "Key-value Store was not found")
        )
        const exit = yield* Effect.provide(Effect.exit(Stream.runDrain(stream)), clientOf(server))
        assert.deepInclude(failureOf(exit), { _tag: "StoreNotFoundError", ref: STORE })
      })
    )
  })

  it.scopedLive("a streamed record whose bytes are read again is a defect, and not an empty record", () =>
    Effect.gen(function* () {
      const { bytes } = yield* streamRecord(STORE, "key")
      yield* Stream.runDrain(bytes)
      const exit = yield* Effect.exit(Stream.runDrain(bytes))
      assert.include(String(exit), "can be read only once")
    }).pipe(Effect.provide(layerRespond(() => Effect.succeed(new Response("bytes")))))
  )

  it.scopedLive.each([[false], [true]] as const)("a stream that gives no bytes is a defect (gzip: %j)", ([gzip]) =>
    Effect.gen(function* () {
      const server = yield* listening((request, response) => {
        request.resume().on("end", () => response.writeHead(201).end("{}"))
      })
      for (const chunk of ["text", [1, 2], 5, null, new Uint16Array(1)]) {
        const content = Stream.filter(Stream.fromIterable<unknown>([chunk]), isAnything)
        const exit = yield* putRecord(STORE, "key", content, { gzip }).pipe(
          Effect.provide(clientOf(server)),
          Effect.exit
        )
        assert.include(String(exit), "must emit Uint8Arrays")
      }
    })
  )

  it.scopedLive("a streamed record has its type, and its length where it was declared", () =>
    Effect.gen(function* () {
      const { server } = yield* begun()
      const { contentType, key, size } = yield* Effect.provide(
        Effect.scoped(streamRecord(STORE, "key")),
        clientOf(server)
      )
      assert.deepStrictEqual([String(key), contentType, size], ["key", Option.some("text/plain"), Option.some(1000)])
    })
  )

  it.scopedLive("an archive is requested with its filters, and is no JSON", () =>
    Effect.gen(function* () {
      const urls: Array<string | undefined> = []
      const server = yield* listening((request, response) => {
        urls.push(request.url)
        response.setHeader("content-type", "application/json")
        response.end("{}")
      })
      const options = { prefix: "a b", collection: "posts", signature: Redacted.make("sign") }
      const exit = yield* Effect.exit(Stream.runDrain(downloadRecords(STORE, options))).pipe(
        Effect.provide(clientOf(server))
      )
      assert.deepInclude(failureOf(exit), { _tag: "UnexpectedResponseError", status: 200 })
      assert.deepStrictEqual(urls, [
        `/v2/key-value-stores/${STORE}/records?signature=sign&prefix=a%20b&collection=posts`
      ])
    })
  )

  const encoded = gzipSync(randomBytes(100_000))
  const reads: ReadonlyArray<Effect.Effect<unknown, unknown, ApifyClient.ApifyClient>> = [
    Stream.runDrain(bytes),
    getRecord(STORE, "key")
  ]

  it.scopedLive.each([
    ["of a declared length", { "content-length": encoded.length }],
    ["in chunks", {}]
  ] as const)("a record in gzip, %s, whose connection is cut is an error", ([, headers]) =>
    Effect.gen(function* () {
      const server = yield* listening((_, response) => {
        response.writeHead(200, { "content-encoding": "gzip", ...headers })
        response.write(encoded.subarray(0, -10), () => response.destroy())
      })
      for (const read of reads) {
        const exit = yield* Effect.provide(Effect.exit(read), clientOf(server, { retry: { retries: 0 } }))
        assert.include(["TransportError", "MalformedRecordError"], tagOf(failureOf(exit)))
      }
    })
  )

  it.scopedLive("a record in gzip that ends early is an error, where the client decodes it", () =>
    Effect.gen(function* () {
      const early = encoded.subarray(0, -1000)
      const server = yield* listening((_, response) => {
        response.writeHead(200, { "content-encoding": "gzip", "content-length": early.length })
        response.end(early)
      })
      for (const read of reads) {
        const exit = yield* Effect.provide(Effect.exit(read), clientOf(server))
        // Node's fetch decodes by itself, and takes what there is for the whole.
        if (name.endsWith("undici") || name === "UndiciTransport") {
          assert.deepInclude(failureOf(exit), { _tag: "MalformedRecordError", kind: "Encoding" })
        }
        if (name === "FetchTransport") assert.isTrue(Exit.isSuccess(exit))
      }
    })
  )

  it.scopedLive.each(["bytes", "a stream", "a stream that is compressed"] as const)(
    "an upload of %s that is interrupted in the middle stores nothing, and frees its socket and its source",
    (kind) =>
      Effect.gen(function* () {
        const received = yield* Deferred.make<void>()
        let isComplete = false
        let resume = (): void => {}
        const { freed, server } = yield* watching((request) => {
          request.on("error", () => {})
          request.on("end", () => {
            isComplete = true
          })
          request.once("data", () => Deferred.unsafeDone(received, Effect.void))
          // Bytes are more than the sockets hold. Without reading the server does not see that its client is gone.
          request.once("data", () => request.pause())
          resume = () => request.resume()
        })
        let isReleased = kind === "bytes"
        const endless = Stream.ensuring(
          Stream.repeatEffect(Effect.sync(() => new Uint8Array(randomBytes(65_536)))),
          Effect.sync(() => {
            isReleased = true
          })
        )
        yield* Effect.gen(function* () {
          const put =
            kind === "bytes"
              ? putRecord(STORE, "key", new Uint8Array(50_000_000))
              : putRecord(STORE, "key", endless, { gzip: kind !== "a stream" })
          const putting = yield* Effect.fork(put)
          yield* Deferred.await(received)
          assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(putting)))
          assert.isTrue(isReleased)
          resume()
          yield* Deferred.await(freed)
          assert.isFalse(isComplete)
        }).pipe(Effect.provide(clientOf(server)))
      })
  )

  it.scopedLive.each([[false], [true]])("a stream that is put and read leaves no log (gzip: %j)", ([gzip]) =>
    Effect.gen(function* () {
      const { server } = yield* storeServer()
      const logged: Array<string> = []
      const logger = Logger.map(Logger.stringLogger, (line) => logged.push(line))
      yield* Effect.gen(function* () {
        yield* putRecord(STORE, "key", Stream.make(new Uint8Array(10)), { gzip })
        yield* getRecord(STORE, "key")
      }).pipe(
        Effect.provide(clientOf(server)),
        Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
        Logger.withMinimumLogLevel(LogLevel.All)
      )
      assert.isEmpty(logged)
    })
  )

  it.scopedLive.each([
    [401, "UnauthorizedError"],
    [413, "RecordTooLargeError"],
    [415, "UnexpectedResponseError"]
  ] as const)(
    "an upload that the server refuses early with %i ends with that, and its source is released",
    ([status, tag]) =>
      Effect.gen(function* () {
        const { freed, server } = yield* watching((request, response) => {
          request.once("data", () => {
            request.pause()
            refuse(response, status, "refused", "Refused")
          })
          // Without reading it does not see that its client is gone.
          response.once("finish", () => request.resume())
        })
        let isReleased = false
        const endless = Stream.ensuring(
          Stream.forever(Stream.make(new Uint8Array(65_536))),
          Effect.sync(() => {
            isReleased = true
          })
        )
        yield* Effect.gen(function* () {
          const error = yield* Effect.flip(putRecord(STORE, "key", endless))
          assert.deepInclude(error, { _tag: tag, attempts: 1 })
          assert.isTrue(isReleased)
          yield* Deferred.await(freed)
        }).pipe(Effect.provide(clientOf(server)))
      })
  )

  it.scoped("an upload goes on for as long as it moves, and ends by the time of the call where one was set", () =>
    Effect.gen(function* () {
      const server = yield* listening((request) => request.resume())
      const upload = (options?: { readonly callTimeout: "1 day" }) =>
        putRecord(
          STORE,
          "key",
          Stream.forever(Stream.fromEffect(Effect.delay(Effect.succeed(bytesOf("drip")), "1 hour"))),
          options
        ).pipe(Effect.provide(clientOn(transport, { baseUrl: urlOf(server) })), Effect.exit, Effect.fork)
      const [endless, limited] = yield* Effect.all([upload(), upload({ callTimeout: "1 day" })])
      yield* TestClock.adjust("2 days")
      assert.deepInclude(failureOf(yield* Fiber.join(limited)), { _tag: "TimeoutError", phase: "call" })
      assert.isNull(endless.unsafePoll())
      yield* Fiber.interrupt(endless)
    })
  )
})

const keyOf = (n: number): string => `key-${String(n).padStart(3, "0")}`

/** A store of `count` records, of which some have vanished by the time they are read. */
const storeOf = (count: number, vanished: ReadonlySet<number> = new Set(), after: (n: number) => number = () => 0) =>
  layerRespond(
    (request) => {
      const url = new URL(request.url)
      if (url.pathname.endsWith("/keys")) {
        const start = url.searchParams.get("exclusiveStartKey") ?? ""
        const left = Array.from({ length: count }, (_, n) => keyOf(n)).filter((key) => key > start)
        const items = left.slice(0, Number(url.searchParams.get("limit")))
        const isTruncated = items.length < left.length
        return Effect.succeed(
          Response.json({
            data: {
              items: items.map((key) => ({ key, size: 1 })),
              count: items.length,
              limit: 1000,
              isTruncated,
              nextExclusiveStartKey: isTruncated ? items.at(-1) : null
            }
          })
        )
      }
      const key = url.pathname.split("/").at(-1) ?? ""
      const n = Number(key.slice(4))
      const response = vanished.has(n)
        ? Response.json({ error: { type: "record-not-found", message: "Record was not found" } }, { status: 404 })
        : n >= 900
          ? Response.json({ error: { type: "insufficient-permissions", message: "Refused" } }, { status: 403 })
          : new Response(key)
      return Effect.delay(Effect.succeed(response), after(n))
    },
    { token: Redacted.make("apify_api_Canary0123456789") }
  )

/** What a store lists that has the keys that Apify takes, and that no URL can hold. */
const dottedKeys = (): Response => {
  const items = ["-", ".", "..", "a"].map((key) => ({ key, size: 4 }))
  return Response.json({ data: { items, count: 4, limit: 1000, isTruncated: false, nextExclusiveStartKey: null } })
}

/** Records are paced, so that time has to pass. */
const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.map(inSimulatedTime(effect), ({ value }) => value)

describe("listRecords", () => {
  it.effect.prop(
    "gives every record in the order of the keys, without those that vanished",
    [
      fc.nat(30),
      fc.uniqueArray(fc.nat(30)),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 10 }),
      fc.array(fc.nat(500), { minLength: 1 })
    ],
    ([count, vanished, concurrency, pageSize, delays]) =>
      Effect.gen(function* () {
        const { value } = yield* inSimulatedTime(
          Stream.runCollect(listRecords(STORE, { concurrency, pageSize })).pipe(
            Effect.provide(storeOf(count, new Set(vanished), (n) => delays[n % delays.length] ?? 0))
          )
        )
        const kept = Array.from({ length: count }, (_, n) => n).filter((n) => !vanished.includes(n))
        assert.deepStrictEqual(
          [...value].map(({ bytes, key }) => [String(key), Buffer.from(bytes).toString()]),
          kept.map((n) => [keyOf(n), keyOf(n)])
        )
      })
  )

  it.effect("ends with the error of a record, after the records before it", () =>
    Effect.gen(function* () {
      const given: Array<string> = []
      const records = listRecords(STORE, { exclusiveStartKey: keyOf(897), concurrency: 8 })
      const error = yield* inTime(
        Effect.flip(Stream.runForEach(records, ({ key }) => Effect.sync(() => given.push(key))))
      )
      assert.deepStrictEqual(given, [keyOf(898), keyOf(899)])
      assert.strictEqual(error._tag, "ForbiddenError")
    }).pipe(Effect.provide(storeOf(950)))
  )

  it.effect("ends with a key that cannot be sent, after the records before it; getRecords goes on", () =>
    Effect.gen(function* () {
      const given: Array<string> = []
      const error = yield* inTime(
        Effect.flip(Stream.runForEach(listRecords(STORE), ({ key }) => Effect.sync(() => given.push(key))))
      )
      assert.deepStrictEqual([given, error._tag === "InvalidRecordKeyError" ? error.key : error._tag], [["-"], '"."'])
      const keys = Stream.map(listKeys(STORE), ({ key }) => key)
      const all = yield* inTime(Stream.runCollect(getRecords(STORE, keys)))
      assert.deepStrictEqual(
        [...all].map(({ key, result }) => [key, Either.isRight(result)]),
        [
          ["-", true],
          [".", false],
          ["..", false],
          ["a", true]
        ]
      )
      for (const { url } of yield* (yield* RecordedRequests).all) assert.match(url, /\/(keys|records\/[-a])\?/)
    }).pipe(
      Effect.provide(
        layerRespond(({ url }) => Effect.succeed(/\/keys\?/.test(url) ? dottedKeys() : new Response("text")))
      )
    )
  )

  it.effect("keeps to 200 records a second, and to its concurrency", () =>
    Effect.gen(function* () {
      const sentAt: Array<number> = []
      const store = storeOf(500)
      const { value } = yield* inSimulatedTime(
        Effect.gen(function* () {
          yield* Stream.runForEach(listRecords(STORE, { concurrency: 4 }), () =>
            Effect.map(Clock.currentTimeMillis, (now) => sentAt.push(now))
          )
          return yield* (yield* RecordedRequests).all
        }).pipe(Effect.provide(store))
      )
      assert.lengthOf(value, 501)
      assert.isAtMost(mostInASecond(sentAt), 204)
    })
  )

  it.effect("takes pages of any size where its records may have few bytes", () =>
    Effect.gen(function* () {
      const records = yield* inTime(Stream.runCollect(listRecords(STORE, { maxBodyBytes: keyOf(0).length })))
      assert.lengthOf(records, 20)
    }).pipe(Effect.provide(storeOf(20)))
  )

  it.effect("that is left early sends no more", () =>
    Effect.gen(function* () {
      yield* inTime(Stream.runDrain(Stream.take(listRecords(STORE, { concurrency: 2, pageSize: 10 }), 2)))
      const requests = yield* (yield* RecordedRequests).all
      assert.isAtMost(requests.length, 8)
    }).pipe(Effect.provide(storeOf(100)))
  )
})

describe("getRecords", () => {
  it.effect("gives each key its record or its error, in the order of the keys", () =>
    Effect.gen(function* () {
      const keys = [keyOf(2), keyOf(1), "a/b", keyOf(900), keyOf(1)]
      const results = yield* inTime(Stream.runCollect(getRecords(STORE, keys, { concurrency: 3 })))
      assert.deepStrictEqual(
        [...results].map(({ key, result }) => [
          key,
          Either.match(result, { onLeft: ({ _tag }) => _tag, onRight: ({ key }) => String(key) })
        ]),
        [
          [keyOf(2), keyOf(2)],
          [keyOf(1), "RecordNotFoundError"],
          ["a/b", "InvalidRecordKeyError"],
          [keyOf(900), "ForbiddenError"],
          [keyOf(1), "RecordNotFoundError"]
        ]
      )
    }).pipe(Effect.provide(storeOf(3, new Set([1]))))
  )

  it.effect("takes a stream of keys, and fails as it does after what was requested", () =>
    Effect.gen(function* () {
      const given: Array<string> = []
      const keys = Stream.concat(Stream.make(keyOf(1), keyOf(2)), Stream.fail("no more"))
      const error = yield* getRecords(STORE, keys).pipe(
        Stream.runForEach(({ key }) => Effect.sync(() => given.push(key))),
        Effect.flip,
        inTime
      )
      assert.deepStrictEqual([error, given], ["no more", [keyOf(1), keyOf(2)]])
    }).pipe(Effect.provide(storeOf(3)))
  )

  it.effect("treats a single string as one key", () =>
    Effect.gen(function* () {
      const results = yield* inTime(Stream.runCollect(getRecords(STORE, keyOf(1))))
      assert.deepStrictEqual(
        [...results].map(({ key }) => key),
        [keyOf(1)]
      )
    }).pipe(Effect.provide(storeOf(3)))
  )
})

describe("the time of an operation on records", () => {
  const silent = layerRespond(() => Effect.never, { retry: { retries: 0 } })
  const hurried = layerRespond(() => Effect.never, { retry: { retries: 0 }, attemptTimeout: "2 seconds" })

  const endsAfter = <A, E>(effect: Effect.Effect<A, E, ApifyClient.ApifyClient>, layer = silent) =>
    Effect.map(
      inSimulatedTime(Effect.zipRight(Effect.provide(Effect.exit(effect), layer), Clock.currentTimeMillis)),
      ({ value }) => value / 1000
    )

  it.effect("is its own, unless the client or the call sets another", () =>
    Effect.gen(function* () {
      const read = getRecord(STORE, "key")
      assert.strictEqual(yield* endsAfter(read), 60)
      assert.strictEqual(yield* endsAfter(read, hurried), 2)
      assert.strictEqual(yield* endsAfter(getRecord(STORE, "key", { attemptTimeout: "3 seconds" }), hurried), 3)
      assert.strictEqual(yield* endsAfter(putRecord(STORE, "key", "text")), 360)
      assert.strictEqual(yield* endsAfter(Effect.scoped(streamRecord(STORE, "key"))), 60)
    })
  )
})
