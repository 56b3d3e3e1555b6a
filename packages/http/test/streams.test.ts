/**
 * Requests with a body and responses that are read as a stream, on each transport, by two operations of the test's own.
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { assertEquals } from "@effect/vitest/utils"
import { isCallError, ServerError, TransportError } from "@effect-apify/domain"
import { refusingOrigin } from "@effect-apify/fault-server"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { collectGarbage } from "../../../vitest.heap.js"
import { scale } from "../../../vitest.scale.js"
import {
  ApifyClient,
  bodyFromStream,
  type CallError,
  type CallOptions,
  type Operation,
  type RequestBody,
  runStream,
  type StreamOperation
} from "../src/index.js"
import { errorOf } from "../src/internal/response.js"
import { clientOn, eventLoopTurn, listening, transports, unhurried, urlOf, watching } from "./realSockets.js"

/** Puts a body, and returns what the server responds. */
const putOf = <E = never>(
  body: RequestBody<E> | undefined,
  { isIdempotent = true }: { readonly isIdempotent?: boolean } = {}
): Operation<string, E> => ({
  name: "put",
  store: Option.none(),
  isIdempotent,
  isPaced: false,
  rate: "record",
  request: Either.right({ method: "PUT", path: "/v2/put", ...(body === undefined ? {} : { body }) }),
  decode: (response, context) =>
    response.status === 200
      ? Either.right(new TextDecoder().decode(response.body))
      : Either.left(errorOf(response, context))
})

const put = <E = never>(
  body: RequestBody<E> | undefined,
  options?: CallOptions & { readonly isIdempotent?: boolean }
): Effect.Effect<string, E | CallError, ApifyClient.ApifyClient> =>
  Effect.flatMap(ApifyClient.ApifyClient, (client) => client.run(putOf(body, options), options))

/** Reads a response as a stream. */
const downloadOf = <E = never>(
  more: { readonly method?: "GET" | "HEAD" | "PUT"; readonly body?: RequestBody<E> } = {}
): StreamOperation<Stream.Stream<Uint8Array, CallError>, E> => ({
  name: "download",
  store: Option.none(),
  isIdempotent: true,
  isPaced: false,
  rate: "record",
  request: Either.right({ method: "GET", path: "/v2/download", ...more }),
  decodeHead: ({ headers }, body, { call }) =>
    headers["content-type"] === "text/html"
      ? Either.left(new TransportError({ ...call, reason: "protocol" }))
      : Either.right(Stream.repeatEffectChunkOption(body)),
  decodeError: errorOf
})

const download = <E = never>(more?: Parameters<typeof downloadOf<E>>[0], options?: CallOptions) =>
  runStream(downloadOf(more), options)

const textOf = (chunks: Iterable<Uint8Array>): string => Buffer.concat([...chunks]).toString()

const streamed = <E>(
  stream: Stream.Stream<Uint8Array, E>,
  more: { readonly length?: number; readonly isReplayable?: boolean } = {}
): RequestBody<E> => bodyFromStream({ open: Stream.toPull(stream), isReplayable: false, ...more })

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Chunks, and how many of them were taken. */
class Source {
  taken = 0
  isReleased = false

  constructor(private readonly chunks: number) {}

  /** Chunks of 64 KiB. */
  get stream(): Stream.Stream<Uint8Array> {
    return Stream.ensuring(
      Stream.repeatEffectOption(
        Effect.suspend(() => {
          if (this.taken === this.chunks) return Effect.fail(Option.none())
          this.taken += 1
          return Effect.succeed(new Uint8Array(65_536))
        })
      ),
      Effect.sync(() => {
        this.isReleased = true
      })
    )
  }
}

/** Far more than what fits into the buffers of two sockets, which are some megabytes each. */
const ENDLESS = 4000
const BUFFERED = 1000

/** The event loop has gone round, and there was something to do for nobody. */
const nothingMoves = (count: () => number): Effect.Effect<void> =>
  Effect.gen(function* () {
    let before = -1
    let unchanged = 0
    while (unchanged < 100) {
      unchanged = count() === before ? unchanged + 1 : 0
      before = count()
      yield* eventLoopTurn
    }
  })

/** A server that reads no request until the test lets it: without reading it does not see that its client is gone. */
const deafServer = (onRequest: (request: IncomingMessage, response: ServerResponse) => void = () => {}) =>
  Effect.gen(function* () {
    let isComplete = false
    let listen = (): void => {}
    const watched = yield* watching((request, response) => {
      request.pause()
      request.on("end", () => {
        isComplete = true
      })
      listen = () => request.resume()
      onRequest(request, response)
    })
    return {
      server: watched.server,
      /** Waits until the socket is closed, and says whether the request arrived whole. */
      freed: Effect.suspend(() => {
        listen()
        return Effect.map(Deferred.await(watched.freed), () => isComplete)
      })
    }
  })

/** What is left of bytes after garbage was collected, which frees some of them a little later. */
const heldBytes = Effect.repeatN(Effect.zipRight(Effect.sync(collectGarbage), eventLoopTurn), 2).pipe(
  Effect.map(() => process.memoryUsage().arrayBuffers)
)

/** A request as the server has read it. */
interface Seen {
  readonly method: string | undefined
  readonly headers: IncomingMessage["headers"]
  readonly body: Buffer
  readonly isComplete: boolean
}

/** Reads requests whole, and then responds. */
const recording = (
  respond: (seen: Seen, response: ServerResponse) => void
): { seen: Array<Seen>; on: RequestListener } => {
  const seen: Array<Seen> = []
  return {
    seen,
    on: (request, response) => {
      const chunks: Array<Buffer> = []
      const record = (isComplete: boolean): Seen => {
        const entry = { method: request.method, headers: request.headers, body: Buffer.concat(chunks), isComplete }
        seen.push(entry)
        return entry
      }
      request.on("data", (chunk) => chunks.push(chunk))
      request.on("end", () => respond(record(true), response))
      request.on("error", () => record(false))
    }
  }
}

const failureOf = <A, E>(exit: Exit.Exit<A, E>): Cause.Cause<E> =>
  Exit.isFailure(exit) ? exit.cause : assert.fail(`It succeeded: ${exit.value}`)

/** The error of a call, which must be one that every operation shares. */
const callErrorOf = <A, E>(exit: Exit.Exit<A, E>): CallError =>
  Option.match(Cause.failureOption(failureOf(exit)), {
    onNone: () => assert.fail(Cause.pretty(failureOf(exit))),
    onSome: (error) => (isCallError(error) ? error : assert.fail(String(error)))
  })

const sizes = fc.array(fc.oneof(fc.nat(10), fc.integer({ min: 60_000, max: 140_000 })), { maxLength: 6 })

/** Chunks of these sizes, whose bytes give their places. */
const chunksOf = (sizes: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  let place = 0
  return sizes.map((size) => Uint8Array.from({ length: size }, () => place++ % 251))
}

/** The limits of tests whose time is driven. */
const driven = { attemptTimeout: "5 seconds", callTimeout: "1 minute" } as const

describe.each(transports)("with $name", ({ name, transport }) => {
  const clientOf = (server: Server, options: ApifyClient.Options = {}) =>
    clientOn(transport, { baseUrl: urlOf(server), retry: { baseDelay: 1, maxDelay: 1 }, ...unhurried, ...options })

  describe("an upload", () => {
    it.scopedLive.prop(
      "reaches the server as it is, however it is cut",
      [sizes, fc.constantFrom("bytes", "stream", "stream with its length")],
      ([sizes, kind]) =>
        Effect.gen(function* () {
          const { on, seen } = recording((_, response) => response.end("stored"))
          const server = yield* listening(on)
          const chunks = chunksOf(sizes)
          const whole = Buffer.concat(chunks)
          const declared = kind === "stream" ? {} : { length: whole.length }
          const body: RequestBody =
            kind === "bytes" ? { _tag: "Bytes", bytes: whole } : streamed(Stream.fromIterable(chunks), declared)
          assert.strictEqual(yield* Effect.provide(put(body), clientOf(server)), "stored")
          assert.lengthOf(seen, 1)
          assert.isTrue(seen[0]?.body.equals(whole))
          assert.notProperty(seen[0]?.headers, "content-type")
          // The FetchHttpClient of @effect/platform takes off the length of a stream.
          const isDeclared = kind === "bytes" || (kind !== "stream" && name !== "HttpClient on fetch")
          const length = seen[0]?.headers["content-length"]
          if (whole.length > 0) assert.strictEqual(length, isDeclared ? String(whole.length) : undefined)
        }),
      { fastCheck: { numRuns: scale({ test: 10, soak: 100 }) } }
    )

    it.scopedLive("may have no body", () =>
      Effect.gen(function* () {
        const { on, seen } = recording((_, response) => response.end("stored"))
        const server = yield* listening(on)
        yield* Effect.zipRight(put(undefined), put({ _tag: "Empty" })).pipe(Effect.provide(clientOf(server)))
        assert.deepStrictEqual(
          seen.map(({ body, headers }) => [body.length, headers["content-length"]]),
          [
            [0, "0"],
            [0, "0"]
          ]
        )
      })
    )

    const aServerError = new ServerError({
      operation: "another",
      method: "GET",
      url: "https://api.apify.com/v2/other",
      store: Option.none(),
      attempts: 1,
      elapsed: Duration.zero,
      status: 503,
      apifyType: Option.none(),
      apifyMessage: Option.none(),
      snippet: Option.none(),
      retryAfter: Option.none()
    })

    it.scopedLive.each<readonly [how: string, cause: Cause.Cause<unknown>]>([
      ["fails with an error of its own", Cause.fail("my error")],
      ["fails with an error that would be retried", Cause.fail(aServerError)],
      ["dies", Cause.die(new Error("a bug"))],
      ["is interrupted", Cause.interrupt(Fiber.id(Fiber.void))]
    ])("whose stream %s ends its call with that, and is aborted", ([, cause]) =>
      Effect.gen(function* () {
        const received = yield* Deferred.make<void>()
        let ended = 0
        const { freed, server } = yield* watching((request) => {
          request.once("data", () => Deferred.unsafeDone(received, Effect.void))
          request.on("end", () => ended++)
        })
        let isReleased = false
        const stream = Stream.make(bytesOf("first")).pipe(
          Stream.concat(Stream.fromEffect(Effect.zipRight(Deferred.await(received), Effect.failCause(cause)))),
          Stream.ensuring(
            Effect.sync(() => {
              isReleased = true
            })
          )
        )
        yield* Effect.gen(function* () {
          const exit = yield* Effect.exit(put(streamed(stream, { isReplayable: true })))
          assert.isTrue(isReleased)
          assert.deepStrictEqual(Cause.squash(failureOf(exit)), Cause.squash(cause))
          assertEquals(Cause.failures(failureOf(exit)), Cause.failures(cause))
          yield* Deferred.await(freed)
          assert.strictEqual(ended, 0)
        }).pipe(Effect.provide(clientOf(server)))
      })
    )

    it.scopedLive.each([
      ["more", 3],
      ["fewer", 1000]
    ] as const)("with %s bytes than its declared length ends before the server has all of it", ([, length]) =>
      Effect.gen(function* () {
        const { on, seen } = recording((_, response) => response.end("stored"))
        let requests = 0
        const server = yield* listening((request, response) => {
          requests += 1
          on(request, response)
        })
        const body = streamed(Stream.make(bytesOf("ab"), bytesOf("cd")), { length, isReplayable: true })
        const error = callErrorOf(yield* Effect.exit(Effect.provide(put(body), clientOf(server))))
        assert.deepInclude(error, { _tag: "TransportError", permanent: true, attempts: 1 })
        assert.include(error.message, `declared length of ${length}`)
        assert.isAtMost(requests, 1)
        assert.isEmpty(seen.filter(({ isComplete }) => isComplete))
      })
    )

    it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])("takes no length of %d", (length) => {
      assert.throws(() => streamed(Stream.empty, { length }), "length must be a whole number of at least 0")
    })

    it.scopedLive.each([
      [401, "UnauthorizedError"],
      [413, "UnexpectedResponseError"],
      [415, "UnexpectedResponseError"]
    ] as const)("to which the server responds early with %i ends with the error of the status", ([status, tag]) =>
      Effect.gen(function* () {
        const { freed, server } = yield* deafServer((_, response) => {
          response.writeHead(status, { "content-type": "application/json" })
          response.end('{"error":{"type":"refused","message":"Refused"}}')
        })
        const source = new Source(ENDLESS)
        yield* Effect.gen(function* () {
          const error = callErrorOf(yield* Effect.exit(put(streamed(source.stream))))
          assert.deepInclude(error, { _tag: tag, status, attempts: 1 })
          assert.isTrue(source.isReleased)
          assert.isBelow(source.taken, BUFFERED)
          assert.isFalse(yield* freed)
        }).pipe(Effect.provide(clientOf(server)))
      })
    )

    it.scoped("that the server does not read is held back, and is out of time after the time of an attempt", () =>
      Effect.gen(function* () {
        const { freed, server } = yield* deafServer()
        const source = new Source(ENDLESS)
        yield* Effect.gen(function* () {
          const call = yield* Effect.fork(Effect.exit(put(streamed(source.stream), { attemptTimeout: "3 seconds" })))
          yield* nothingMoves(() => source.taken)
          assert.isAtLeast(source.taken, 1)
          assert.isBelow(source.taken, BUFFERED)
          assert.isFalse(source.isReleased)
          yield* TestClock.adjust("3 seconds")
          const error = callErrorOf(yield* Fiber.join(call))
          assert.deepInclude(error, { _tag: "TimeoutError", phase: "attempt", attempts: 1 })
          assert.isTrue(source.isReleased)
          assert.isFalse(yield* freed)
        }).pipe(Effect.provide(clientOf(server, driven)))
      })
    )

    /** Waits a minute before its second chunk. */
    const slow = (isWaiting: Deferred.Deferred<void>) =>
      Stream.concat(
        Stream.make(bytesOf("first ")),
        Stream.fromEffect(
          Deferred.succeed(isWaiting, undefined).pipe(
            Effect.zipRight(Effect.sleep("1 minute")),
            Effect.as(bytesOf("second"))
          )
        )
      )

    it.scoped("whose stream is slow is not out of time while the server waits for it", () =>
      Effect.gen(function* () {
        const { on } = recording(({ body }, response) => response.end(body))
        const server = yield* listening(on)
        const isWaiting = yield* Deferred.make<void>()
        const call = yield* put(streamed(slow(isWaiting)), { callTimeout: "1 hour" }).pipe(
          Effect.provide(clientOf(server, driven)),
          Effect.fork
        )
        yield* Deferred.await(isWaiting)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* Fiber.join(call), "first second")
      })
    )

    it.scoped("whose stream is slow ends by the deadline of its call", () =>
      Effect.gen(function* () {
        const { on, seen } = recording(() => {})
        const { freed, server } = yield* watching(on)
        const isWaiting = yield* Deferred.make<void>()
        yield* Effect.gen(function* () {
          const call = yield* Effect.fork(
            Effect.exit(put(streamed(slow(isWaiting), { isReplayable: true }), { callTimeout: "30 seconds" }))
          )
          yield* Deferred.await(isWaiting)
          yield* TestClock.adjust("30 seconds")
          const error = callErrorOf(yield* Fiber.join(call))
          assert.deepInclude(error, { _tag: "TimeoutError", phase: "call", attempts: 1 })
          yield* Deferred.await(freed)
          assert.isEmpty(seen.filter(({ isComplete }) => isComplete))
        }).pipe(Effect.provide(clientOf(server, driven)))
      })
    )

    it.scoped("to which the server does not respond is out of time after the time of an attempt", () =>
      Effect.gen(function* () {
        const received = yield* Deferred.make<void>()
        const { on } = recording(() => Deferred.unsafeDone(received, Effect.void))
        const server = yield* listening(on)
        const call = yield* put(streamed(Stream.make(bytesOf("all")))).pipe(
          Effect.provide(clientOf(server, driven)),
          Effect.exit,
          Effect.fork
        )
        yield* Deferred.await(received)
        yield* TestClock.adjust("5 seconds")
        assert.deepInclude(callErrorOf(yield* Fiber.join(call)), {
          _tag: "TimeoutError",
          phase: "attempt",
          attempts: 1
        })
      })
    )

    it.scopedLive("of which the server says that it succeeded before it has the whole is no success", () =>
      Effect.gen(function* () {
        const server = yield* listening((request, response) => {
          request.once("data", () => response.writeHead(200).end("stored"))
        })
        const source = new Source(ENDLESS)
        const error = callErrorOf(yield* Effect.exit(Effect.provide(put(streamed(source.stream)), clientOf(server))))
        assert.deepInclude(error, { _tag: "UnexpectedResponseError", status: 200, attempts: 1 })
        assert.include(error.message, "before it had received the whole body")
        assert.isTrue(source.isReleased)
      })
    )

    it.scoped("of a declared length is whole once its bytes are sent, although its stream goes on", () =>
      Effect.gen(function* () {
        const server = yield* listening((request, response) => {
          request.once("data", () => response.end("stored"))
        })
        const stream = Stream.concat(Stream.make(new Uint8Array(10)), Stream.never)
        const status = yield* Effect.provide(put(streamed(stream, { length: 10 })), clientOf(server))
        assert.strictEqual(status, "stored")
      })
    )

    it.scopedLive.each([
      ["not sent again", false, 1],
      ["sent again whole, if its stream may be run again", true, 3]
    ] as const)("that the server refuses for now is %s", ([, isReplayable, attempts]) =>
      Effect.gen(function* () {
        const { on, seen } = recording((_, response) => {
          response.statusCode = seen.length < 3 ? 503 : 200
          response.end("stored")
        })
        const server = yield* listening(on)
        const chunks = chunksOf([3, 100_000])
        const call = put(streamed(Stream.fromIterable(chunks), { isReplayable }))
        const exit = yield* Effect.exit(Effect.provide(call, clientOf(server)))
        if (isReplayable) assert.deepStrictEqual(exit, Exit.succeed("stored"))
        else assert.deepInclude(callErrorOf(exit), { _tag: "ServerError", attempts: 1 })
        assert.lengthOf(seen, attempts)
        for (const { body } of seen) assert.isTrue(body.equals(Buffer.concat(chunks)))
      })
    )

    it.scopedLive.each([
      ["1 attempt where its stream may be run once", false, 1],
      ["tried again where its stream may be run again", true, 3]
    ] as const)("that the server cuts off is a reset, and %s", ([, isReplayable, attempts]) =>
      Effect.gen(function* () {
        let requests = 0
        const server = yield* listening((request) => {
          requests += 1
          request.once("data", () => request.socket.destroy())
        })
        const source = new Source(ENDLESS)
        const error = callErrorOf(
          yield* put(streamed(source.stream, { isReplayable })).pipe(
            Effect.provide(clientOf(server, { retry: { retries: 2, baseDelay: 1 } })),
            Effect.exit
          )
        )
        assert.deepInclude(error, { _tag: "TransportError", reason: "reset", reused: false, attempts })
        assert.strictEqual(requests, attempts)
        assert.isTrue(source.isReleased)
      })
    )

    it.scopedLive("that no server takes is tried again as long as nothing of its stream was read", () =>
      Effect.gen(function* () {
        const source = new Source(1)
        const client = clientOn(transport, {
          ...unhurried,
          baseUrl: refusingOrigin,
          retry: { retries: 2, baseDelay: 1 }
        })
        const call = put(streamed(source.stream), { isIdempotent: false })
        const error = callErrorOf(yield* Effect.exit(Effect.provide(call, client)))
        // The FetchHttpClient of @effect/platform reads a chunk before there is a connection.
        const [taken, attempts] = name === "HttpClient on fetch" ? [1, 1] : [0, 3]
        assert.deepInclude(error, { _tag: "TransportError", reason: "connect", attempts })
        assert.strictEqual(source.taken, taken)
      })
    )

    it.scopedLive("to which the server responds with a redirect is not sent there", () =>
      Effect.gen(function* () {
        const { on, seen } = recording((_, response) => response.writeHead(307, { location: "/v2/other" }).end())
        const server = yield* listening(on)
        const body = streamed(Stream.make(bytesOf("all")), { isReplayable: true })
        const error = callErrorOf(yield* Effect.exit(Effect.provide(put(body), clientOf(server))))
        assert.deepInclude(error, { _tag: "UnexpectedResponseError", attempts: 1 })
        assert.include(error.message, "Redirects are not followed")
        assert.lengthOf(seen, 1)
      })
    )

    it.scopedLive("is not kept in memory once it is sent", () =>
      Effect.gen(function* () {
        const measured = yield* Deferred.make<number>()
        const server = yield* listening((request, response) => {
          request.resume()
          request.on("end", () => {
            Effect.runFork(
              Effect.flatMap(heldBytes, (bytes) => {
                response.end()
                return Deferred.succeed(measured, bytes)
              })
            )
          })
        })
        const before = yield* heldBytes
        const source = new Source(300)
        yield* Effect.provide(put(streamed(source.stream)), clientOf(server))
        // A few chunks may be kept at its end, but not all.
        assert.isBelow((yield* Deferred.await(measured)) - before, (source.taken * 65_536) / 2)
      })
    )

    it.scopedLive("that is interrupted stops its stream, and frees its socket", () =>
      Effect.gen(function* () {
        const { freed, server } = yield* deafServer()
        const source = new Source(ENDLESS)
        yield* Effect.gen(function* () {
          const call = yield* Effect.fork(put(streamed(source.stream)))
          yield* nothingMoves(() => source.taken)
          assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(call)))
          assert.isTrue(source.isReleased)
          assert.isFalse(yield* freed)
        }).pipe(Effect.provide(clientOf(server)))
      })
    )

    it.scopedLive("that is interrupted while its stream has nothing to give ends all the same", () =>
      Effect.gen(function* () {
        const isWaiting = yield* Deferred.make<void>()
        const received = yield* Deferred.make<void>()
        let isComplete = false
        const { freed, server } = yield* watching((request) => {
          request.once("data", () => Deferred.unsafeDone(received, Effect.void))
          request.on("end", () => {
            isComplete = true
          })
          request.resume()
        })
        const stream = Stream.concat(
          Stream.make(bytesOf("first")),
          Stream.fromEffect(Effect.zipRight(Deferred.succeed(isWaiting, undefined), Effect.never))
        )
        yield* Effect.gen(function* () {
          const call = yield* Effect.fork(put(streamed(stream)))
          yield* Deferred.await(isWaiting)
          yield* Deferred.await(received)
          assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(call)))
          yield* Deferred.await(freed)
          assert.isFalse(isComplete)
        }).pipe(Effect.provide(clientOf(server)))
      })
    )
  })

  describe("an operation that is not idempotent", () => {
    it.scopedLive("is not sent again once the server may have carried it out", () =>
      Effect.gen(function* () {
        const { on, seen } = recording((_, response) => response.destroy())
        const server = yield* listening(on)
        const call = put({ _tag: "Bytes", bytes: new Uint8Array(1000) }, { isIdempotent: false })
        const error = callErrorOf(yield* Effect.exit(Effect.provide(call, clientOf(server))))
        assert.deepInclude(error, { _tag: "TransportError", reason: "reset", reused: false, attempts: 1 })
        assert.lengthOf(seen, 1)
      })
    )

    it.scopedLive("is sent again where no server took it", () =>
      Effect.gen(function* () {
        const client = clientOn(transport, {
          ...unhurried,
          baseUrl: refusingOrigin,
          retry: { retries: 2, baseDelay: 1 }
        })
        const call = put({ _tag: "Bytes", bytes: bytesOf("once") }, { isIdempotent: false })
        const error = callErrorOf(yield* Effect.exit(Effect.provide(call, client)))
        assert.deepInclude(error, { _tag: "TransportError", reason: "connect", attempts: 3 })
      })
    )
  })

  describe("a download", () => {
    it.scopedLive.prop(
      "gives the bytes as they are, however they are cut",
      [sizes, fc.boolean()],
      ([sizes, isDeclared]) =>
        Effect.gen(function* () {
          const chunks = chunksOf(sizes)
          const whole = Buffer.concat(chunks)
          const server = yield* listening((_, response) => {
            response.writeHead(200, isDeclared ? { "content-length": String(whole.length) } : {})
            for (const chunk of chunks) response.write(chunk)
            response.end()
          })
          const read = Effect.flatMap(download(), Stream.runCollect)
          assert.isTrue(Buffer.concat([...(yield* Effect.provide(read, clientOf(server)))]).equals(whole))
        }),
      { fastCheck: { numRuns: scale({ test: 10, soak: 100 }) } }
    )

    it.scopedLive.each([
      [200, "HEAD", { "content-length": "900" }],
      [204, "GET", {}],
      [200, "GET", { "content-length": "0" }]
    ] as const)("of a response with the status %i to a %s with %j is empty", ([status, method, headers]) =>
      Effect.gen(function* () {
        const server = yield* listening((_, response) => response.writeHead(status, headers).end())
        const read = Effect.flatMap(download({ method }), Stream.runCollect)
        assert.strictEqual(textOf(yield* Effect.provide(read, clientOf(server))), "")
      })
    )

    it.scoped("holds the server back while its reader is slow, however long that takes", () =>
      Effect.gen(function* () {
        let written = 0
        const server = yield* listening((_, response) => {
          const chunk = new Uint8Array(65_536)
          const write = (): void => {
            while (written < 1.5 * BUFFERED) {
              written += 1
              if (!response.write(chunk)) {
                response.once("drain", write)
                return
              }
            }
            response.end()
          }
          write()
        })
        const goOn = yield* Deferred.make<void>()
        let read = 0
        const reading = yield* download().pipe(
          Effect.flatMap(
            Stream.runForEach((chunk) => {
              read += chunk.length
              return Deferred.await(goOn)
            })
          ),
          Effect.provide(clientOf(server, driven)),
          Effect.fork
        )
        yield* nothingMoves(() => written)
        assert.isAtLeast(read, 1)
        assert.isBelow(written, BUFFERED)
        yield* TestClock.adjust("1 hour")
        assert.isBelow(written, BUFFERED)
        yield* Deferred.succeed(goOn, undefined)
        yield* Fiber.join(reading)
        assert.strictEqual(read, 1.5 * BUFFERED * 65_536)
      })
    )

    /** A server that sends a start, and the rest when the test says so; and a reader that says when it has the start. */
    const begun = (headers: Record<string, string> = {}) =>
      Effect.gen(function* () {
        const hasStart = yield* Deferred.make<void>()
        let response: ServerResponse | undefined
        const watched = yield* watching((_, begun) => {
          response = begun
          begun.writeHead(200, headers)
          begun.write("start")
        })
        const chunks: Array<Uint8Array> = []
        const read = <E>(body: Stream.Stream<Uint8Array, E>): Effect.Effect<void, E> =>
          Stream.runForEach(body, (chunk) => {
            chunks.push(chunk)
            return Deferred.succeed(hasStart, undefined)
          })
        return { ...watched, hasStart: Deferred.await(hasStart), chunks, read, cut: () => response?.socket?.destroy() }
      })

    it.scoped("that stalls is out of time after the time of an attempt, and frees its socket", () =>
      Effect.gen(function* () {
        const { chunks, freed, hasStart, read, server } = yield* begun()
        yield* Effect.gen(function* () {
          const reading = yield* Effect.fork(Effect.exit(Effect.flatMap(download(), read)))
          yield* hasStart
          yield* TestClock.adjust("4999 millis")
          assert.isNull(yield* Fiber.poll(reading).pipe(Effect.map(Option.getOrNull)))
          yield* TestClock.adjust("1 milli")
          const error = callErrorOf(yield* Fiber.join(reading))
          assert.deepInclude(error, { _tag: "TimeoutError", phase: "attempt" })
          assert.strictEqual(textOf(chunks), "start")
          yield* Deferred.await(freed)
        }).pipe(Effect.provide(clientOf(server, driven)))
      })
    )

    it.scopedLive.each([
      ["of a declared length", { "content-length": "1000" }],
      ["in chunks", {}]
    ] as const)("%s that is cut off gives what was received, and then a reset", ([, headers]) =>
      Effect.gen(function* () {
        const { chunks, cut, hasStart, read, server } = yield* begun(headers)
        const reading = yield* download().pipe(
          Effect.flatMap(read),
          Effect.exit,
          Effect.provide(clientOf(server)),
          Effect.fork
        )
        yield* hasStart
        cut()
        assert.deepInclude(callErrorOf(yield* Fiber.join(reading)), { _tag: "TransportError", reason: "reset" })
        assert.strictEqual(textOf(chunks), "start")
      })
    )

    it.scopedLive("whose scope is closed frees its socket, and has no end that looks whole", () =>
      Effect.gen(function* () {
        const { freed, hasStart, read, server } = yield* begun()
        yield* Effect.gen(function* () {
          const scope = yield* Scope.make()
          const body = yield* Scope.extend(download(), scope)
          const reading = yield* Effect.fork(Effect.exit(read(body)))
          yield* hasStart
          yield* Scope.close(scope, Exit.void)
          assert.deepInclude(callErrorOf(yield* Fiber.join(reading)), { _tag: "TransportError", reason: "closed" })
          const late = callErrorOf(yield* Effect.exit(Stream.runDrain(body)))
          assert.deepInclude(late, { reason: "closed" })
          assert.include(String(late), "Keep their scopes open until all is read")
          yield* Deferred.await(freed)
        }).pipe(Effect.provide(clientOf(server)))
      })
    )

    it.scopedLive("that is not read to its end frees its socket", () =>
      Effect.gen(function* () {
        const { freed, server } = yield* begun()
        yield* Effect.gen(function* () {
          const chunks = yield* Stream.runCollect(Stream.take(Stream.unwrapScoped(download()), 1))
          assert.strictEqual(textOf(chunks), "start")
          yield* Deferred.await(freed)
        }).pipe(Effect.provide(clientOf(server)))
      })
    )

    it.scopedLive("that is interrupted frees its socket", () =>
      Effect.gen(function* () {
        const { freed, hasStart, read, server } = yield* begun()
        yield* Effect.gen(function* () {
          const reading = yield* Effect.fork(Effect.scoped(Effect.flatMap(download(), read)))
          yield* hasStart
          assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(reading)))
          yield* Deferred.await(freed)
        }).pipe(Effect.provide(clientOf(server)))
      })
    )

    it.scopedLive("that the operation refuses by its head frees its socket, although its scope is open", () =>
      Effect.gen(function* () {
        const { freed, server } = yield* begun({ "content-type": "text/html" })
        yield* Effect.gen(function* () {
          assert.deepInclude(callErrorOf(yield* Effect.exit(download())), { reason: "protocol", attempts: 1 })
          yield* Deferred.await(freed)
        }).pipe(Effect.provide(clientOf(server)))
      })
    )

    it.scopedLive("of an error status is collected and decoded, and tried again", () =>
      Effect.gen(function* () {
        const statuses = [503, 404]
        const server = yield* listening((_, response) => {
          response.writeHead(statuses.shift() ?? 200, { "content-type": "application/json" })
          response.write('{"error":{"type":"planned",')
          setImmediate(() => response.end('"message":"As planned"}}'))
        })
        const error = callErrorOf(yield* Effect.exit(Effect.provide(download(), clientOf(server))))
        if (error._tag !== "UnexpectedResponseError") return assert.fail(`${error}`)
        assert.deepInclude(error, { status: 404, attempts: 2 })
        assert.strictEqual(Option.getOrNull(error.apifyMessage), "As planned")
      })
    )

    it.scopedLive("may follow an upload", () =>
      Effect.gen(function* () {
        const { on } = recording(({ body }, response) => response.end(body))
        const server = yield* listening(on)
        const chunks = chunksOf([1, 100_000, 100_000])
        const body = streamed(Stream.fromIterable(chunks))
        const echoed = Effect.flatMap(download({ method: "PUT", body }), Stream.runCollect)
        const received = Buffer.concat([...(yield* Effect.provide(echoed, clientOf(server)))])
        assert.isTrue(received.equals(Buffer.concat(chunks)))
      })
    )

    it.scopedLive.each<readonly [string, Effect.Effect<Uint8Array, string>, string]>([
      ["failed", Effect.fail("my error"), "The stream of the request's body failed"],
      ["proved too long", Effect.succeed(bytesOf("more")), "more bytes than its declared length of 5"]
    ])("that began before its upload %s ends with an error", ([, end, problem]) =>
      Effect.gen(function* () {
        const { freed, hasStart, read, server } = yield* begun()
        yield* Effect.gen(function* () {
          const stream = Stream.concat(Stream.make(bytesOf("first")), Stream.fromEffect(Effect.zipRight(hasStart, end)))
          const body = yield* download({ method: "PUT", body: streamed(stream, { length: 5 }) })
          const error = callErrorOf(yield* Effect.exit(read(body)))
          assert.include(error.message, problem)
          yield* Deferred.await(freed)
        }).pipe(Effect.provide(clientOf(server)))
      })
    )
  })
})
