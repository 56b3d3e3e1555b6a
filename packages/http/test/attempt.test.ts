/**
 * An attempt on a transport that is driven by hand: what comes at an unusual time.
 */
import { gzipSync } from "node:zlib"
import * as Headers from "@effect/platform/Headers"
import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { constVoid } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import {
  ApifyClient,
  bodyFromStream,
  type DecodeContext,
  getRecord,
  getStore,
  type OperationRequest,
  putRecord,
  RetryPolicy,
  runStream,
  Store,
  streamRecord,
  Transport
} from "../src/index.js"
import { errorOf } from "../src/internal/response.js"
import { minimalBody } from "./arbitraries.js"
import { othersSettle, SimulatedClock } from "./simulatedTime.js"

/** What the client does to it. */
class Exchange implements Transport.Exchange {
  aborts = 0
  isPaused = false

  abort(): void {
    this.aborts += 1
  }

  get stop(): Effect.Effect<void> {
    return Effect.sync(() => this.abort())
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }
}

type Open = (receiver: Transport.Receiver, exchange: Exchange) => void

const clientOn = (prepare: Transport.TransportService["prepare"], options: ApifyClient.Options = {}) =>
  Layer.provide(
    ApifyClient.layer({ attemptTimeout: "5 seconds", callTimeout: "1 minute", retry: RetryPolicy.none, ...options }),
    Layer.succeed(Transport.Transport, { prepare, propagates: Effect.succeed(false) })
  )

const opening =
  (open: Open) =>
  (receiver: Transport.Receiver): Exchange => {
    const exchange = new Exchange()
    open(receiver, exchange)
    return exchange
  }

const clientOf = (open: Open, options?: ApifyClient.Options) => clientOn(Effect.succeed(opening(open)), options)

const ok: Transport.ResponseHead = { status: 200, headers: Headers.fromInput({ "content-type": "application/json" }) }
const created: Transport.ResponseHead = { status: 201, headers: Headers.empty }

describe("an attempt whose transport has the response at once", () => {
  it.effect("ends with it, and leaves no timer", () =>
    Effect.gen(function* () {
      const exchanges: Array<Exchange> = []
      const store = yield* Effect.provide(
        getStore("~my-store"),
        clientOf((receiver, exchange) => {
          exchanges.push(exchange)
          receiver.onHead(ok)
          receiver.onChunk(new TextEncoder().encode(minimalBody))
          receiver.onEnd()
        })
      )
      assert.instanceOf(store, Store)
      assert.isTrue(Chunk.isEmpty(yield* TestClock.sleeps()))
      assert.deepStrictEqual(
        exchanges.map(({ aborts }) => aborts),
        [0]
      )
    })
  )

  it.effect("holds it back where the reader is slow", () =>
    Effect.gen(function* () {
      const opened = yield* Deferred.make<Exchange>()
      const client = clientOf((receiver, exchange) => {
        Deferred.unsafeDone(opened, Effect.succeed(exchange))
        receiver.onHead(ok)
        receiver.onChunk(new Uint8Array(1024 * 1024))
      })
      const { bytes } = yield* Effect.provide(streamRecord("~my-store", "key"), client)
      const exchange = yield* Deferred.await(opened)
      assert.isTrue(exchange.isPaused)
      yield* Stream.runHead(bytes)
      assert.isFalse(exchange.isPaused)
    }).pipe(Effect.scoped)
  )
})

it.effect("a call whose client is closed while its transport prepares sends nothing", () =>
  Effect.gen(function* () {
    const isPreparing = yield* Deferred.make<void>()
    const isReady = yield* Deferred.make<void>()
    const scope = yield* Scope.make()
    const prepare = Deferred.succeed(isPreparing, undefined).pipe(
      Effect.zipRight(Deferred.await(isReady)),
      Effect.as(opening(() => assert.fail("A request was sent")))
    )
    const client = yield* Layer.buildWithScope(clientOn(prepare), scope)
    const call = yield* Effect.fork(Effect.flip(Effect.provide(getStore("~my-store"), client)))
    yield* Deferred.await(isPreparing)
    yield* Scope.close(scope, Exit.void)
    yield* Deferred.succeed(isReady, undefined)
    assert.deepInclude(yield* Fiber.join(call), { _tag: "TransportError", reason: "closed" })
  })
)

describe("an attempt whose response", () => {
  const secret = Redacted.make("correcthorse")

  it.effect("fails by a mistake of the transport ends the call with that", () =>
    Effect.gen(function* () {
      const client = clientOf((receiver) => {
        receiver.onHead(ok)
        receiver.onError(new TypeError("receiver.onData is not a function"))
      })
      const error = yield* Effect.provide(Effect.flip(getStore("~my-store")), client)
      assert.deepInclude(error, { _tag: "TransportError", reason: "request", permanent: true })
    })
  )

  it.effect("is an error that was compressed unasked says what Apify says, of a record too", () =>
    Effect.gen(function* () {
      const client = clientOf((receiver) => {
        receiver.onHead({ ...ok, status: 403 })
        receiver.onChunk(gzipSync('{"error":{"type":"forbidden","message":"Not for you"}}'))
        receiver.onEnd()
      })
      const error = yield* Effect.provide(Effect.flip(getRecord("~my-store", "key")), client)
      assert.deepInclude(error, { _tag: "ForbiddenError", apifyMessage: Option.some("Not for you") })
    })
  )

  it.effect.each([
    ["no signature", undefined, true],
    ["a signature", secret, false]
  ] as const)(
    "refuses a request that was sent elsewhere with %s, and without the token, says whether a token was withheld",
    ([, signature, tokenWithheld]) =>
      Effect.gen(function* () {
        const client = clientOf(
          (receiver) => {
            receiver.onHead({ ...ok, status: 401, isAnonymous: true })
            receiver.onEnd()
          },
          { token: secret }
        )
        const error = yield* Effect.provide(Effect.flip(getRecord("~my-store", "key", { signature })), client)
        assert.deepInclude(error, { _tag: "UnauthorizedError", tokenWithheld })
      })
  )

  it.effect("is that of another server tells an operation that the token was withheld from it", () =>
    Effect.gen(function* () {
      const shared = {
        name: "redirected",
        store: Option.none(),
        isIdempotent: true,
        isPaced: false,
        rate: "record",
        request: Either.right<OperationRequest>({ method: "GET", path: "/v2/redirected" }),
        redirectTarget: () => new URL("https://storage.example/file")
      } as const
      const client = clientOf(
        (receiver) => {
          if (receiver.onHead({ ...ok, status: receiver.request.isRedirected === true ? 200 : 302 }) === "chunks")
            receiver.onEnd()
        },
        { token: secret }
      )
      const contexts = yield* Effect.all([
        Effect.flatMap(ApifyClient.ApifyClient, (client) =>
          client.run<DecodeContext, never>({ ...shared, decode: (_, context) => Either.right(context) })
        ),
        runStream<DecodeContext, never>({
          ...shared,
          decodeHead: (_, __, context) => Either.right(context),
          decodeError: errorOf
        })
      ]).pipe(Effect.provide(client), Effect.scoped)
      for (const context of contexts) {
        assert.deepInclude(context, { isRedirected: true, isTokenWithheld: true, tokenSource: Option.none() })
      }
    })
  )
})

it.effect("a client that is closed leaves a download alone that was over before", () =>
  Effect.gen(function* () {
    const opened = yield* Deferred.make<Exchange>()
    const scope = yield* Scope.make()
    const client = yield* Layer.buildWithScope(
      clientOf((receiver, exchange) => {
        Deferred.unsafeDone(opened, Effect.succeed(exchange))
        receiver.onHead(ok)
      }),
      scope
    )
    yield* Effect.scoped(Effect.provide(streamRecord("~my-store", "key"), client))
    const exchange = yield* Deferred.await(opened)
    assert.strictEqual(exchange.aborts, 1)
    yield* Scope.close(scope, Exit.void)
    assert.strictEqual(exchange.aborts, 1)
  })
)

describe("an upload", () => {
  const chunk = Uint8Array.of(1)

  const chunksOf = ({ request: { body } }: Transport.Receiver) =>
    body._tag === "Stream" ? body.chunks[Symbol.asyncIterator]() : assert.fail(body._tag)

  /** Puts a stream that goes on after its first chunk when it is told to, and gives what the transport has of it. */
  const uploading = Effect.gen(function* () {
    const opened = yield* Deferred.make<Transport.Receiver>()
    const goOn = yield* Deferred.make<void>()
    const stream = Stream.concat(Stream.make(chunk), Stream.fromEffect(Effect.as(Deferred.await(goOn), chunk)))
    const call = yield* putRecord("~my-store", "key", stream, {
      attemptTimeout: "5 seconds",
      callTimeout: "1 minute"
    }).pipe(
      Effect.provide(clientOf((receiver) => Deferred.unsafeDone(opened, Effect.succeed(receiver)))),
      Effect.flip,
      Effect.fork
    )
    const receiver = yield* Deferred.await(opened)
    const chunks = chunksOf(receiver)
    const read = Effect.promise(() => chunks.next())
    /** Whether it is out of time at a time, and not before. */
    const endsAfter = (seconds: number) =>
      Effect.gen(function* () {
        yield* TestClock.adjust(seconds * 1000 - 1)
        assert.isTrue(Option.isNone(yield* Fiber.poll(call)))
        yield* TestClock.adjust(1)
        assert.deepInclude(yield* Fiber.join(call), { _tag: "TimeoutError", phase: "attempt" })
      })
    return { receiver, read, goOn: Deferred.succeed(goOn, undefined), endsAfter }
  })

  it.effect("whose response has begun is not given time because its stream is read", () =>
    Effect.gen(function* () {
      const { endsAfter, read, receiver } = yield* uploading
      yield* read
      receiver.onHead(created)
      yield* Effect.fork(read)
      yield* endsAfter(5)
    })
  )

  it.effect("whose response begins while its stream is read has the time of an attempt from then on", () =>
    Effect.gen(function* () {
      const { endsAfter, read, receiver } = yield* uploading
      yield* read
      yield* Effect.fork(read)
      yield* TestClock.adjust("20 seconds")
      receiver.onHead(created)
      yield* endsAfter(5)
    })
  )

  it.effect("is given no more time because its response begins", () =>
    Effect.gen(function* () {
      const { endsAfter, read, receiver } = yield* uploading
      yield* read
      yield* TestClock.adjust("3 seconds")
      receiver.onHead(created)
      yield* endsAfter(2)
    })
  )

  it.effect("whose response has begun is not given time because a chunk is sent", () =>
    Effect.gen(function* () {
      const { endsAfter, goOn, read, receiver } = yield* uploading
      yield* read
      receiver.onHead(created)
      yield* TestClock.adjust("3 seconds")
      yield* goOn
      yield* read
      yield* endsAfter(2)
    })
  )

  it.effect.each([
    ["before it is whole ends its exchange", Stream.concat(Stream.make(chunk), Stream.never), 1],
    ["once it is whole leaves its exchange alone", Stream.make(chunk), 0]
  ] as const)("to which the server responds %s", ([, stream, aborts]) =>
    Effect.gen(function* () {
      const opened = yield* Deferred.make<readonly [Transport.Receiver, Exchange]>()
      const call = yield* Effect.fork(
        Effect.flip(putRecord("~my-store", "key", stream)).pipe(
          Effect.provide(clientOf((...pair) => Deferred.unsafeDone(opened, Effect.succeed(pair))))
        )
      )
      const [receiver, exchange] = yield* Deferred.await(opened)
      const chunks = chunksOf(receiver)
      yield* Effect.promise(() => chunks.next())
      yield* Effect.fork(Effect.promise(() => chunks.next()))
      yield* othersSettle
      receiver.onHead({ ...created, status: 400 })
      receiver.onEnd()
      assert.deepInclude(yield* Fiber.join(call), { _tag: "BadRequestError" })
      assert.strictEqual(exchange.aborts, aborts)
    })
  )

  it.effect("whose response is a stream is stopped with the scope of that", () =>
    Effect.gen(function* () {
      let isReleased = false
      const upload = Stream.ensuring(
        Stream.concat(Stream.make(chunk), Stream.never),
        Effect.sync(() => {
          isReleased = true
        })
      )
      const client = clientOf((receiver) => {
        chunksOf(receiver).next().catch(constVoid)
        setImmediate(() => receiver.onHead(ok))
      })
      yield* runStream<void, never>({
        name: "convert",
        store: Option.none(),
        isIdempotent: true,
        isPaced: false,
        rate: "record",
        request: Either.right({
          method: "PUT",
          path: "/v2/convert",
          body: bodyFromStream({ open: Stream.toPull(upload), isReplayable: false })
        }),
        decodeHead: () => Either.void,
        decodeError: errorOf
      }).pipe(Effect.provide(client), Effect.scoped)
      assert.isTrue(isReleased)
    })
  )

  it.effect("gives the transport no chunk without bytes, which would be HTTP's last", () =>
    Effect.gen(function* () {
      const chunks = yield* Deferred.make<ReadonlyArray<Uint8Array>>()
      const client = clientOf((receiver) => {
        const read = async (): Promise<void> => {
          const all: Array<Uint8Array> = []
          const iterator = chunksOf(receiver)
          for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) all.push(next.value)
          Deferred.unsafeDone(chunks, Effect.succeed(all))
          receiver.onHead(created)
          receiver.onEnd()
        }
        read().catch(constVoid)
      })
      const empty = new Uint8Array()
      yield* Effect.provide(putRecord("~my-store", "key", Stream.make(empty, chunk, empty, chunk, empty)), client)
      assert.deepStrictEqual(yield* Deferred.await(chunks), [chunk, chunk])
    })
  )

  it.effect("whose stream fails has no end that looks whole to the transport", () =>
    Effect.gen(function* () {
      const end = yield* Deferred.make<boolean>()
      const client = clientOf((receiver) => {
        const chunks = chunksOf(receiver)
        const read = chunks.next().then(() => chunks.next())
        read.then(
          () => Deferred.unsafeDone(end, Effect.succeed(true)),
          () => Deferred.unsafeDone(end, Effect.succeed(false))
        )
      })
      const stream = Stream.concat(Stream.make(chunk), Stream.fail("my error"))
      const call = putRecord("~my-store", "key", stream).pipe(Effect.provide(client), Effect.flip)
      assert.strictEqual(yield* call, "my error")
      assert.isFalse(yield* Deferred.await(end))
    })
  )

  it.effect("whose call is interrupted interrupts what its stream waits for", () =>
    Effect.gen(function* () {
      const isWaiting = yield* Deferred.make<void>()
      let isInterrupted = false
      const waiting = Effect.zipRight(Deferred.succeed(isWaiting, undefined), Effect.never).pipe(
        Effect.onInterrupt(() =>
          Effect.sync(() => {
            isInterrupted = true
          })
        )
      )
      const client = clientOf((receiver) => {
        chunksOf(receiver).next().catch(constVoid)
      })
      const call = yield* Effect.fork(Effect.provide(putRecord("~my-store", "key", Stream.fromEffect(waiting)), client))
      yield* Deferred.await(isWaiting)
      yield* Fiber.interrupt(call)
      assert.isTrue(isInterrupted)
    })
  )

  it.effect("that is over at once starts no timer, although the transport reads its stream", () => {
    const clock = new SimulatedClock(0)
    const client = clientOf((receiver) => {
      receiver.onError(new Error("broken"))
      chunksOf(receiver).next().catch(constVoid)
    })
    return Effect.gen(function* () {
      yield* Effect.flip(putRecord("~my-store", "key", Stream.make(chunk)))
      yield* othersSettle
      assert.strictEqual(clock.timers, 0)
    }).pipe(Effect.provide(client), Effect.withClock(clock))
  })
})
