/**
 * What the end of a client does to the calls under way, and to later ones: on each transport, over real sockets.
 */
import { assert, describe, it, vi } from "@effect/vitest"
import { isCallError } from "@effect-apify/domain"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ApifyClient, type CallError, getStore, RetryPolicy, runStream, type StreamOperation } from "../src/index.js"
import { Bag } from "../src/internal/bag.js"
import { errorOf } from "../src/internal/response.js"
import { layerRespond } from "../src/testing.js"
import { put } from "./put.js"
import { clientOn, eventLoopTurn, listening, transports, urlOf, watching } from "./realSockets.js"
import { recordSpans } from "./spans.js"

const download: StreamOperation<Stream.Stream<Uint8Array, CallError>> = {
  name: "download",
  store: Option.none(),
  isIdempotent: true,
  isPaced: false,
  rate: "record",
  request: Either.right({ method: "GET", path: "/v2/download" }),
  decodeHead: (_, body) => Either.right(Stream.repeatEffectChunkOption(body)),
  decodeError: errorOf
}

const isClosedError = <A, E>(exit: Exit.Exit<A, E>, attempts: number): void => {
  const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : exit.value
  assert.isTrue(isCallError(error), String(error))
  if (isCallError(error)) assert.deepInclude(error, { _tag: "TransportError", reason: "closed", attempts })
}

/** A clock that stands still, and knows its sleepers. */
class StoppedClock implements Clock.Clock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  private readonly sleeping = new Set<{ readonly duration: Duration.Duration }>()

  unsafeCurrentTimeMillis = () => 0
  unsafeCurrentTimeNanos = () => 0n
  readonly currentTimeMillis = Effect.succeed(0)
  readonly currentTimeNanos = Effect.succeed(0n)

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    const sleeper = { duration }
    return Effect.acquireUseRelease(
      Effect.sync(() => this.sleeping.add(sleeper)),
      () => Effect.never,
      () => Effect.sync(() => this.sleeping.delete(sleeper))
    )
  }

  /** Waits until no timer is left. */
  readonly none = Effect.repeat(eventLoopTurn, { until: () => this.sleeping.size === 0 })

  /** Waits for a timer. */
  readonly someFor = (duration: Duration.DurationInput) =>
    Effect.repeat(eventLoopTurn, {
      until: () => [...this.sleeping].some((sleeper) => Duration.greaterThanOrEqualTo(sleeper.duration, duration))
    })
}

it.effect("a call that has ended is nothing that the end of its client would close", () =>
  Effect.gen(function* () {
    const adding = yield* Effect.acquireRelease(
      Effect.sync(() => vi.spyOn(Bag.prototype, "add")),
      (spy) => Effect.sync(() => spy.mockRestore())
    )
    const call = Effect.ignore(getStore("~my-store", { retry: RetryPolicy.none }))
    yield* Effect.provide(
      Effect.repeatN(call, 9),
      layerRespond(() => Effect.succeed(new Response(null, { status: 404 })))
    )
    const open = adding.mock.contexts.flatMap((bag, index) =>
      bag instanceof Bag && "close" in (adding.mock.calls[index]?.[0] ?? {}) ? [bag] : []
    )
    assert.lengthOf(open, 10)
    for (const { all } of open) assert.lengthOf(all, 0)
  }).pipe(Effect.scoped)
)

describe.each(transports)("the end of a client with $name", ({ transport }) => {
  /** A client, and what closes it. */
  const closable = (baseUrl: string) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context: Context.Context<ApifyClient.ApifyClient> = yield* Layer.buildWithScope(
        clientOn(transport, { baseUrl }),
        scope
      )
      return { context, close: Scope.close(scope, Exit.void) }
    })

  it.scopedLive("ends an attempt at once, and every call that follows before it sends anything", () => {
    const timers = new StoppedClock()
    return Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      let requests = 0
      const { freed, server } = yield* watching(() => {
        requests += 1
        Deferred.unsafeDone(reached, Effect.void)
      })
      const { close, context } = yield* closable(urlOf(server))
      const call = yield* Effect.fork(Effect.exit(Effect.provide(getStore("~my-store"), context)))
      yield* Deferred.await(reached)
      yield* close
      isClosedError(yield* Fiber.join(call), 1)
      yield* Deferred.await(freed)
      const { recorder, spans } = yield* recordSpans
      const late = getStore("~my-store").pipe(Effect.provide(context), Effect.withTracer(recorder))
      isClosedError(yield* Effect.exit(late), 0)
      assert.lengthOf(spans, 1, "an attempt was begun")
      assert.strictEqual(requests, 1)
      yield* timers.none
    }).pipe(Effect.withClock(timers))
  })

  it.scopedLive("ends a wait for the next attempt at once", () => {
    const timers = new StoppedClock()
    return Effect.gen(function* () {
      let requests = 0
      const server = yield* listening((_, response) => {
        requests += 1
        response.writeHead(503, { "retry-after": "30" }).end()
      })
      const { close, context } = yield* closable(urlOf(server))
      const call = yield* Effect.fork(Effect.exit(Effect.provide(getStore("~my-store"), context)))
      // An attempt has 5.
      yield* timers.someFor("30 seconds")
      yield* close
      isClosedError(yield* Fiber.join(call), 1)
      assert.strictEqual(requests, 1)
      yield* timers.none
    }).pipe(Effect.withClock(timers))
  })

  it.scopedLive("ends a call that is between an attempt and the wait for the next", () => {
    const timers = new StoppedClock()
    return Effect.gen(function* () {
      let requests = 0
      const server = yield* listening((_, response) => {
        requests += 1
        response.writeHead(503).end()
      })
      const { close, context } = yield* closable(urlOf(server))
      const closing = () => {
        Effect.runFork(close)
        return true
      }
      const call = getStore("~my-store", { retry: { baseDelay: "10 seconds", while: closing } })
      // An attempt has 5.
      const waiting = Effect.zipRight(timers.someFor("10 seconds"), Effect.dieMessage("It waits for the next attempt"))
      isClosedError(yield* Effect.raceFirst(Effect.exit(Effect.provide(call, context)), waiting), 1)
      assert.strictEqual(requests, 1)
      yield* timers.none
    }).pipe(Effect.withClock(timers))
  })

  it.scopedLive("ends a wait for the rate limit at once", () => {
    const timers = new StoppedClock()
    return Effect.gen(function* () {
      let requests = 0
      const server = yield* listening((_, response) => {
        requests += 1
        response.writeHead(429).end()
      })
      const { close, context } = yield* closable(urlOf(server))
      const limited = yield* Effect.exit(Effect.provide(getStore("~my-store", { retry: RetryPolicy.none }), context))
      assert.isTrue(Exit.isFailure(limited))
      yield* timers.none
      const call = yield* Effect.fork(Effect.exit(Effect.provide(getStore("~my-store"), context)))
      yield* timers.someFor("1 second")
      yield* close
      isClosedError(yield* Fiber.join(call), 0)
      assert.strictEqual(requests, 1)
      yield* timers.none
    }).pipe(Effect.withClock(timers))
  })

  it.scopedLive.each([
    ["", false],
    [" of a caller that cannot be interrupted", true]
  ] as const)("ends an upload%s at once, and stops its stream", ([, isUninterruptible]) => {
    const timers = new StoppedClock()
    return Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      let isComplete = false
      const { freed, server } = yield* watching((request) => {
        request.once("data", () => Deferred.unsafeDone(reached, Effect.void))
        request.on("end", () => {
          isComplete = true
        })
      })
      const { close, context } = yield* closable(urlOf(server))
      const isWaiting = yield* Deferred.make<void>()
      let isReleased = false
      const stream = Stream.make(new Uint8Array(10)).pipe(
        Stream.concat(Stream.fromEffect(Effect.zipRight(Deferred.succeed(isWaiting, undefined), Effect.never))),
        Stream.ensuring(
          Effect.sync(() => {
            isReleased = true
          })
        )
      )
      const call = yield* Effect.flatMap(ApifyClient.ApifyClient, (client) => client.run(put(stream))).pipe(
        Effect.provide(context),
        isUninterruptible ? Effect.uninterruptible : identity,
        Effect.exit,
        Effect.fork
      )
      yield* Deferred.await(isWaiting)
      yield* Deferred.await(reached)
      yield* close
      isClosedError(yield* Fiber.join(call), 1)
      assert.isTrue(isReleased)
      yield* Deferred.await(freed)
      assert.isFalse(isComplete)
      yield* timers.none
    }).pipe(Effect.withClock(timers))
  })

  it.scopedLive("ends a download that is read at once, and one that is not read yet when it is", () => {
    const timers = new StoppedClock()
    return Effect.gen(function* () {
      const { freed, server } = yield* watching((_, response) => {
        response.writeHead(200).write("start")
      })
      const { close, context } = yield* closable(urlOf(server))
      const stream = yield* runStream(download).pipe(Effect.provide(context))
      const unread = yield* runStream(download).pipe(Effect.provide(context))
      const hasStart = yield* Deferred.make<void>()
      const reading = yield* stream.pipe(
        Stream.runForEach(() => Deferred.succeed(hasStart, undefined)),
        Effect.exit,
        Effect.fork
      )
      yield* Deferred.await(hasStart)
      yield* close
      isClosedError(yield* Fiber.join(reading), 1)
      isClosedError(yield* Effect.exit(Stream.runDrain(unread)), 1)
      yield* Deferred.await(freed)
      yield* timers.none
    }).pipe(Effect.withClock(timers))
  })
})
