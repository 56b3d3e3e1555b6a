/**
 * Clients that keep to Apify's rate limits together: laws on the memory store in simulated time, and processes that share a Redis.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as RateLimiter from "@effect/experimental/RateLimiter"
import * as RateLimiterRedis from "@effect/experimental/RateLimiter/Redis"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Emulator } from "@effect-apify/emulator"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { bundle } from "../../../vitest.bundle.js"
import { scale, soaks } from "../../../vitest.scale.js"
import { type ApifyClient, getStore, type RateClass } from "../src/index.js"
import { awaitPermit, RateLimiter as LocalLimiter } from "../src/internal/rateLimiter.js"
import { Pacing, type Slot } from "../src/Pacing.js"
import * as SharedPacing from "../src/SharedPacing.js"
import { layerRespond } from "../src/testing.js"
import { minimalBody } from "./arbitraries.js"
import { pacedCall, Sent, STORE, sendAll, withStall } from "./fullRate.js"
import { eventLoopTurn } from "./realSockets.js"
import { hasRedis, redisAt, redisSocket } from "./redis.js"
import { inSimulatedTime, SimulatedClock } from "./simulatedTime.js"

const TOKEN = "CanaryToken0123456789"

const ALLOWED: Readonly<Record<RateClass, number>> = { resource: 60, record: 200 }

/** A limiter whose permits are in memory. */
const limiterInMemory = Effect.provide(
  RateLimiter.RateLimiter,
  Layer.provide(RateLimiter.layer, RateLimiter.layerStoreMemory)
)

/** The same limiter, which notes the keys that it is asked for. */
const noting = (limiter: RateLimiter.RateLimiter, keys: Array<string>): RateLimiter.RateLimiter => ({
  ...limiter,
  consume: (options) => {
    keys.push(options.key)
    return limiter.consume(options)
  }
})

const pacingBy = (limiter: RateLimiter.RateLimiter): Layer.Layer<Pacing> =>
  Layer.provide(SharedPacing.layer, Layer.succeed(RateLimiter.RateLimiter, limiter))

/** A client that notes when it sends, and that is responded to at once. */
const clientOf = (pacing: Layer.Layer<Pacing>, times: Array<number>, options: ApifyClient.Options = {}) =>
  Layer.provide(
    layerRespond(
      () =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          times.push(now)
          return new Response(minimalBody, { headers: { "content-type": "application/json" } })
        }),
      { token: Redacted.make(TOKEN), callTimeout: "1 hour", ...options }
    ),
    pacing
  )

/** A client that is built in real time: hashing a token takes some. */
const builtClient = (...of: Parameters<typeof clientOf>) => Layer.build(clientOf(...of))

/** The most that lie within a second. */
const mostInSecond = (times: ReadonlyArray<number>): number => {
  let [most, start] = [0, 0]
  times.forEach((time, end) => {
    while (time - Number(times[start]) >= 1000) start += 1
    most = Math.max(most, end - start + 1)
  })
  return most
}

const rates: ReadonlyArray<RateClass> = ["resource", "record"]

/** What a client has of its own to pace its calls. */
const localLimiter = (pacing: Layer.Layer<Pacing>) =>
  Effect.gen(function* () {
    const service = Option.getOrThrow(yield* Pacing)
    const slots = yield* service.slotsOf({ baseUrl: "https://api.apify.com", token: Option.none() })
    return new LocalLimiter((store, rate, clock, notify) => {
      const fiber = Effect.runFork(Effect.withClock(slots.next(store, rate), clock))
      fiber.addObserver(notify)
      return () => fiber.unsafeInterruptAsFork(FiberId.none)
    })
  }).pipe(Effect.provide(pacing))

/** Waits as a call does: whichever way it ends, it leaves the queue. */
const permitted = (
  limiter: LocalLimiter,
  rate: RateClass,
  deadline = Number.POSITIVE_INFINITY
): Effect.Effect<boolean> =>
  Effect.clockWith((clock) => {
    let leave = (): void => {}
    const permit = Effect.async<boolean>((resume) => {
      const now = clock.unsafeCurrentTimeMillis()
      if (now < deadline && limiter.take(STORE, rate, now, true)) return resume(Effect.succeed(true))
      leave = awaitPermit(limiter, STORE, rate, clock, deadline, resume, true)
    })
    return Effect.onExit(permit, () => Effect.sync(() => leave()))
  })

/** With a clock whose timers are late, by so many milliseconds in turn. */
const withLateTimers =
  (lateness: ReadonlyArray<number>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.clockWith((clock) => {
      let timers = 0
      return Effect.withClock(effect, {
        [Clock.ClockTypeId]: Clock.ClockTypeId,
        unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis(),
        unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos(),
        currentTimeMillis: clock.currentTimeMillis,
        currentTimeNanos: clock.currentTimeNanos,
        sleep: (duration) => {
          timers += 1
          return clock.sleep(Duration.sum(duration, Duration.millis(lateness[timers % lateness.length] ?? 0)))
        }
      })
    })

describe("clients that share a limiter", () => {
  const calls = fc.array(
    fc.record({
      client: fc.nat({ max: 2 }),
      start: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 2000 })),
      timeLimit: fc.oneof(fc.constant(3_600_000), fc.integer({ min: 1, max: 1500 })),
      interruptedAfter: fc.oneof(fc.constant(3_600_000), fc.integer({ min: 0, max: 1500 }))
    }),
    { minLength: 1, maxLength: 120, size: "max" }
  )
  const lateness = fc.oneof(
    fc.constant([0]),
    fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 20 })
  )

  it.effect.prop(
    "never send more than Apify allows in any second, whoever gives up and however late timers are; then nothing is left",
    [fc.constantFrom(...rates), calls, lateness],
    ([rate, calls, lateness]) =>
      Effect.gen(function* () {
        const times: Array<number> = []
        const pacing = pacingBy(yield* limiterInMemory)
        const limiters = yield* Effect.replicateEffect(localLimiter(pacing), 3)
        const { timersLeft } = yield* inSimulatedTime(
          Effect.forEach(
            calls,
            ({ client, interruptedAfter, start, timeLimit }) =>
              Effect.sleep(start).pipe(
                Effect.zipRight(
                  permitted(limiters[client] ?? assert.fail("There is no such client"), rate, start + timeLimit)
                ),
                Effect.tap((isPermitted) =>
                  Effect.map(Clock.currentTimeMillis, (now) => (isPermitted ? times.push(now) : 0))
                ),
                withLateTimers(lateness),
                Effect.timeoutOption(start + interruptedAfter)
              ),
            { concurrency: "unbounded", discard: true }
          )
        )
        assert.isAtMost(mostInSecond(times), ALLOWED[rate])
        assert.strictEqual(timersLeft, 0)
        // Vitest is to hear of a test that takes long.
        yield* eventLoopTurn
      }),
    { fastCheck: { numRuns: scale({ test: 5, soak: 300 }) } }
  )

  /** When each of three clients sends in so many seconds, if there is always enough to send. */
  const atFullRate = (rate: RateClass, seconds: number, lateness: ReadonlyArray<number>) =>
    Effect.gen(function* () {
      const times: ReadonlyArray<Array<number>> = [[], [], []]
      const pacing = pacingBy(yield* limiterInMemory)
      yield* inSimulatedTime(
        Effect.forEach(
          times,
          (own) =>
            Effect.flatMap(localLimiter(pacing), (limiter) =>
              Effect.replicateEffect(
                Effect.forever(
                  Effect.zipRight(
                    permitted(limiter, rate),
                    Effect.map(Clock.currentTimeMillis, (now) => own.push(now))
                  )
                ),
                4,
                { concurrency: "unbounded" }
              )
            ).pipe(withLateTimers(lateness)),
          { concurrency: "unbounded", discard: true }
        ).pipe(Effect.timeoutOption(seconds * 1000))
      )
      return times
    })

  const inOrder = (times: ReadonlyArray<ReadonlyArray<number>>) => times.flat().sort((one, other) => one - other)

  it.effect.prop(
    "never send more than Apify allows, at full rate, with some timers that are late",
    [
      fc.constantFrom(...rates),
      fc.array(
        fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 200 }) }),
        { minLength: 1, maxLength: 100, size: "max" }
      )
    ],
    ([rate, lateness]) =>
      Effect.map(atFullRate(rate, 3, lateness), (times) => {
        assert.isAtMost(mostInSecond(inOrder(times)), ALLOWED[rate])
      }),
    { fastCheck: { numRuns: scale({ test: 5, soak: 100 }) } }
  )

  it.effect.each(rates)("use at least 0.9 of what Apify allows while there is enough to send: %s", (rate) =>
    Effect.gen(function* () {
      const SECONDS = 2
      const times = yield* atFullRate(rate, SECONDS, [0])
      const all = inOrder(times)
      assert.isAtLeast(all.length, 0.9 * ALLOWED[rate] * SECONDS)
      assert.isAtMost(mostInSecond(all), ALLOWED[rate])
      for (const own of times) assert.isAtLeast(own.length, all.length / 4)
    })
  )

  it.effect("end their calls by their deadlines, and interrupted ones leave nothing behind", () =>
    Effect.gen(function* () {
      const times: Array<number> = []
      const limiter = yield* limiterInMemory
      const keys: Array<string> = []
      yield* Effect.provide(pacedCall("resource"), clientOf(pacingBy(noting(limiter, keys)), []))
      const own = yield* builtClient(pacingBy(limiter), times)
      const { timersLeft, value } = yield* inSimulatedTime(
        Effect.gen(function* () {
          // Others have taken all slots of the next seconds.
          for (let slot = 0; slot < 300; slot += 1) {
            yield* limiter.consume({ key: keys[0] ?? "", limit: 1, window: "18 millis", onExceeded: "delay" })
          }
          yield* Effect.gen(function* () {
            const waiting = yield* Effect.fork(
              Effect.replicateEffect(pacedCall("resource"), 5, { concurrency: "unbounded" })
            )
            const refused = yield* pacedCall("resource", STORE, { callTimeout: "3 seconds", retry: { retries: 0 } })
            assert.strictEqual(refused, "TimeoutError")
            yield* Effect.sleep(100)
            yield* Fiber.interrupt(waiting)
          }).pipe(Effect.provide(own))
          return yield* Clock.currentTimeMillis
        })
      )
      assert.isAtMost(value, 3100)
      assert.isEmpty(times)
      assert.strictEqual(timersLeft, 0)
    }).pipe(Effect.scoped)
  )

  it.effect("ask for paced calls alone", () =>
    Effect.gen(function* () {
      const keys: Array<string> = []
      const limiter = yield* limiterInMemory
      const counted = noting(limiter, keys)
      yield* Effect.gen(function* () {
        yield* getStore(STORE)
        assert.isEmpty(keys)
        yield* pacedCall("resource")
        assert.lengthOf(keys, 1)
      }).pipe(Effect.provide(clientOf(pacingBy(counted), [])))
    })
  )

  it.live("are those with the same base URL and token, for each store and class by itself; no key shows a token", () =>
    Effect.gen(function* () {
      const limiter = yield* limiterInMemory
      const keyOf = (options: ApifyClient.Options, rate: RateClass, store: string) =>
        Effect.gen(function* () {
          const keys: Array<string> = []
          const counted = noting(limiter, keys)
          yield* Effect.provide(pacedCall(rate, store), clientOf(pacingBy(counted), [], options))
          assert.lengthOf(keys, 1)
          return keys[0] ?? ""
        })
      const variants: ReadonlyArray<Parameters<typeof keyOf>> = [
        [{}, "resource", "~a"],
        [{}, "record", "~a"],
        [{}, "resource", "~b"],
        [{ token: Redacted.make("other") }, "resource", "~a"],
        [{ token: undefined }, "resource", "~a"],
        [{ baseUrl: "https://other.example" }, "resource", "~a"]
      ]
      const keys = yield* Effect.forEach(variants, (variant) => keyOf(...variant))
      assert.strictEqual(new Set(keys).size, variants.length)
      assert.notInclude(keys.join(), TOKEN)
      assert.strictEqual(yield* keyOf({}, "resource", "~A"), keys[0])
    })
  )
})

describe("a slot", () => {
  it("is used from its beginning until its end, by as many requests as it is for", () => {
    let asked = 0
    const limiter = new LocalLimiter((_store, _rate, _clock, notify) => {
      asked += 1
      notify(Exit.succeed({ delay: Duration.millis(10), lasts: Duration.millis(60), requests: 2 }))
      return () => {}
    })
    const reserve = (now: number) => {
      const permit = limiter.reserve(STORE, "resource", now, true)
      permit.claimSlot(now, new SimulatedClock(now))
      return permit
    }
    const first = reserve(0)
    assert.isFalse(first.take(9))
    assert.isTrue(first.take(10))
    assert.isTrue(reserve(10).take(27))
    assert.strictEqual(asked, 1)
    const third = reserve(30)
    assert.strictEqual(asked, 2)
    assert.isFalse(third.take(100))
    assert.isTrue(third.take(99))
  })

  it.effect.each(rates)("ends before one that uses it late could meet those of a second later: %s", (rate) =>
    Effect.gen(function* () {
      const service = Option.getOrThrow(yield* Effect.provide(Pacing, pacingBy(yield* limiterInMemory)))
      const slots = yield* service.slotsOf({ baseUrl: "https://api.apify.com", token: Option.none() })
      const first = yield* slots.next(STORE, rate)
      const others = yield* Effect.replicateEffect(slots.next(STORE, rate), ALLOWED[rate] / first.requests)
      const last = Duration.toMillis(others.at(-1)?.delay ?? Duration.zero)
      assert.isAbove(last - Duration.toMillis(first.lasts), 1000)
    })
  )

  it("is not asked for long before a 429 allows a request", () => {
    let asked = 0
    const limiter = new LocalLimiter(() => {
      asked += 1
      return () => {}
    })
    limiter.limited(STORE, "resource", 0, 0, Option.none())
    const permit = limiter.reserve(STORE, "resource", 0, true)
    permit.claimSlot(982, new SimulatedClock(982))
    assert.strictEqual(asked, 0)
    permit.claimSlot(983, new SimulatedClock(983))
    assert.strictEqual(asked, 1)
  })

  it("is no longer asked for once nobody waits", () => {
    let stopped = 0
    const limiter = new LocalLimiter(() => () => {
      stopped += 1
    })
    const [one, other] = [0, 1].map(() => limiter.reserve(STORE, "resource", 0, true))
    one?.claimSlot(0, new SimulatedClock(0))
    one?.release()
    assert.strictEqual(stopped, 0)
    other?.release()
    assert.strictEqual(stopped, 1)
    assert.isTrue(limiter.take(STORE, "resource", 0))
  })
})

describe("clients whose limiter is out of reach", () => {
  const broken = (consume: RateLimiter.RateLimiter["consume"]): RateLimiter.RateLimiter => ({
    [RateLimiter.TypeId]: RateLimiter.TypeId,
    consume
  })
  const storeError = new RateLimiter.RateLimitStoreError({ message: "redis://:Canary0123@localhost is closed" })

  it.effect.each([
    ["fails", Effect.fail(storeError), 0],
    ["dies", Effect.die(new Error("a bug")), 0],
    ["does not respond", Effect.never, 1000]
  ] as const)("pace their calls by themselves, with one warning, where it %s", ([_, consumed, after]) =>
    Effect.gen(function* () {
      const times: Array<number> = []
      const warnings: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        warnings.push(`${logLevel.label} ${message}`)
      })
      let asked = 0
      const limiter = broken(() =>
        Effect.suspend(() => {
          asked += 1
          return consumed
        })
      )
      const client = yield* Effect.provide(
        builtClient(pacingBy(limiter), times),
        Logger.replace(Logger.defaultLogger, logger)
      )
      const { timersLeft } = yield* inSimulatedTime(
        Effect.provide(Effect.replicateEffect(pacedCall("resource"), 12, { concurrency: "unbounded" }), client)
      )
      assert.deepStrictEqual(
        times,
        Array.from({ length: 12 }, (_, index) => after + 17 * index)
      )
      assert.strictEqual(asked, 1)
      assert.lengthOf(warnings, 1)
      assert.match(warnings[0] ?? "", /^WARN The shared rate limiter is out of reach/)
      assert.notInclude(warnings[0], "Canary")
      assert.strictEqual(timersLeft, 0)
    }).pipe(Effect.scoped)
  )

  it.effect("ask it again after ten seconds, and for each call once it is back", () =>
    Effect.gen(function* () {
      const asked: Array<number> = []
      const memory = yield* limiterInMemory
      const limiter = broken((options) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          asked.push(now)
          return now < 5000 ? Effect.fail(storeError) : memory.consume(options)
        })
      )
      const client = yield* Effect.provide(builtClient(pacingBy(limiter), []), Logger.remove(Logger.defaultLogger))
      yield* inSimulatedTime(
        Effect.provide(Effect.replicateEffect(Effect.delay(pacedCall("resource"), "1 second"), 14), client)
      )
      assert.deepStrictEqual(asked, [1000, 11_000, 12_000, 13_000, 14_000])
    }).pipe(Effect.scoped)
  )

  it.effect("are warned once for each outage", () =>
    Effect.gen(function* () {
      let warnings = 0
      const logger = Logger.make(() => {
        warnings += 1
      })
      const memory = yield* limiterInMemory
      const limiter = broken((options) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          now < 15_000 || now > 25_000 ? Effect.fail(storeError) : memory.consume(options)
        )
      )
      const client = yield* Effect.provide(
        builtClient(pacingBy(limiter), []),
        Logger.replace(Logger.defaultLogger, logger)
      )
      yield* inSimulatedTime(
        Effect.provide(Effect.replicateEffect(Effect.delay(pacedCall("resource"), "1 second"), 50), client)
      )
      assert.strictEqual(warnings, 2)
    }).pipe(Effect.scoped)
  )
})

describe("a Pacing of one's own whose slots", () => {
  const slot: Slot = { delay: Duration.zero, lasts: Duration.seconds(1), requests: 1 }

  /** It ends like this for calls of the store, as often as that, and gives slots then. */
  const failing = (ended: () => Effect.Effect<Slot>, times = Number.POSITIVE_INFINITY): Layer.Layer<Pacing> => {
    let failures = 0
    const next = (store: string): Effect.Effect<Slot> => {
      if (store !== STORE.toLowerCase() || failures === times) return Effect.succeed(slot)
      failures += 1
      return ended()
    }
    return Layer.succeed(Pacing, Option.some({ slotsOf: () => Effect.succeed({ next }) }))
  }

  const bug = new Error("a bug")

  const endings: ReadonlyArray<readonly [string, () => Effect.Effect<Slot>, string]> = [
    ["die", () => Effect.die(bug), "a bug"],
    ["die after a while", () => Effect.delay(Effect.die(bug), "1 second"), "a bug"],
    [
      "throw",
      () => {
        throw bug
      },
      "a bug"
    ],
    ["are interrupted", () => Effect.interrupt, "interrupted"],
    ["are none", () => Effect.succeed(JSON.parse("null")), "null"],
    ["are for no request", () => Effect.succeed({ ...slot, requests: 0 }), "A slot must"],
    ["last for no time", () => Effect.succeed({ ...slot, lasts: Duration.zero }), "A slot must"],
    ["never begin", () => Effect.succeed({ ...slot, delay: Duration.infinity }), "A slot must"]
  ]

  it.effect.each(endings)("%s ends the calls that wait for them, and no others", ([, ended, words]) =>
    Effect.gen(function* () {
      const times: Array<number> = []
      const client = yield* builtClient(failing(ended), times)
      const calls = ["~one", STORE, "~two", STORE, "~three"].map((store) => Effect.exit(pacedCall("resource", store)))
      const { timersLeft, value } = yield* inSimulatedTime(
        Effect.provide(Effect.all(calls, { concurrency: "unbounded" }), client)
      )
      assert.deepStrictEqual(value.map(Exit.isSuccess), [true, false, true, false, true])
      for (const exit of value.filter(Exit.isFailure)) assert.include(Cause.pretty(exit.cause), words)
      assert.lengthOf(times, 3)
      assert.strictEqual(timersLeft, 0)
    }).pipe(Effect.scoped)
  )

  it.effect.each(endings)("%s are requested again for the next call", ([, ended]) =>
    Effect.gen(function* () {
      const times: Array<number> = []
      const client = yield* builtClient(failing(ended, 2), times)
      const call = Effect.exit(pacedCall("resource"))
      const { timersLeft, value } = yield* inSimulatedTime(
        Effect.provide(Effect.zip(Effect.replicateEffect(call, 3, { concurrency: "unbounded" }), call), client)
      )
      assert.deepStrictEqual(value.flat().map(Exit.isSuccess), [false, false, true, true])
      assert.lengthOf(times, 2)
      assert.strictEqual(timersLeft, 0)
    }).pipe(Effect.scoped)
  )

  it.effect("take for ever are given up once no call waits, even for a client built where nothing is interrupted", () =>
    Effect.gen(function* () {
      const requested = yield* Deferred.make<void>()
      const givenUp = yield* Deferred.make<void>()
      const endless = Deferred.succeed(requested, undefined).pipe(
        Effect.zipRight(Effect.never),
        Effect.onInterrupt(() => Deferred.succeed(givenUp, undefined))
      )
      const client = yield* Effect.uninterruptible(
        builtClient(
          failing(() => endless),
          []
        )
      )
      const call = yield* Effect.fork(Effect.provide(pacedCall("resource"), client))
      yield* Deferred.await(requested)
      yield* Fiber.interrupt(call)
      yield* Deferred.await(givenUp)
    }).pipe(Effect.scoped)
  )

  it.effect("fail for a call that is interrupted meanwhile are requested again for the one behind it", () =>
    Effect.gen(function* () {
      const times: Array<number> = []
      const client = yield* builtClient(
        failing(() => Effect.delay(Effect.die(bug), "1 second"), 1),
        times
      )
      const { value } = yield* inSimulatedTime(
        Effect.gen(function* () {
          const first = yield* Effect.fork(pacedCall("resource"))
          yield* Effect.yieldNow()
          const second = yield* Effect.fork(pacedCall("resource"))
          yield* Effect.sleep("500 millis")
          yield* Fiber.interrupt(first)
          return yield* Fiber.await(second)
        }).pipe(Effect.provide(client))
      )
      assert.isTrue(Exit.isSuccess(value))
      assert.deepStrictEqual(times, [1000])
    }).pipe(Effect.scoped)
  )
})

const child = `${import.meta.dirname}/pacedChild.ts`

/** What the clients of a run have sent together. */
const together = (all: ReadonlyArray<Sent>) => ({
  served: all.reduce((sum, { served }) => sum + served, 0),
  limited: all.reduce((sum, { limited }) => sum + limited, 0),
  failed: all.reduce((sum, { failed }) => sum + failed, 0),
  alone: all.filter(({ isAlone }) => isAlone).length,
  stalled: Math.max(...all.map(({ stalled }) => stalled))
})

/** How many requests a millisecond all clients get slots for. */
const SLOTS: Readonly<Record<RateClass, number>> = { resource: 1 / 18, record: 5 / 27 }

/** Slots that each client, and the limiter, may have left of the time before. */
const SLOTS_AT_ONCE = 20

if (hasRedis) {
  describe("a client whose Redis is killed", () => {
    it.live("goes on by itself, with a warning", () =>
      Effect.gen(function* () {
        const warnings: Array<string> = []
        const logger = Logger.make(({ message }) => {
          warnings.push(`${message}`)
        })
        const times: Array<number> = []
        const socket = yield* redisSocket
        const killed = yield* Scope.make()
        yield* Scope.extend(redisAt(socket), killed)
        const outer = yield* Effect.scope
        yield* Effect.gen(function* () {
          const store = RateLimiterRedis.layerStore({ path: socket, retryStrategy: () => 500 })
          const limiter = Layer.provide(RateLimiter.layer, store)
          const client = yield* builtClient(Layer.provide(SharedPacing.layer, limiter), times)
          const send = Effect.provide(Effect.replicateEffect(pacedCall("resource"), 5, { concurrency: 5 }), client)
          yield* send
          yield* Scope.close(killed, Exit.void)
          yield* send
          yield* send
          assert.lengthOf(times, 15)
          assert.isNotEmpty(warnings)
          // Effect's store says goodbye to a Redis when its scope ends, and waits for one that is away.
          yield* Scope.extend(redisAt(socket), outer)
        }).pipe(Effect.scoped, Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
      }).pipe(Effect.scoped)
    )
  })
}

describe(
  hasRedis ? "three processes that share a Redis" : "three clients on the memory store, as there is no redis-server",
  () => {
    const folder = mkdtempSync(`${tmpdir()}/paced-`)
    beforeAll(() => (hasRedis ? bundle(folder, child) : undefined))
    afterAll(() => rmSync(folder, { recursive: true }))

    const process = (args: ReadonlyArray<string>) =>
      Effect.acquireRelease(
        Effect.async<ReturnType<typeof spawnChild>>((resume) => {
          const started = spawnChild(args)
          started.stdout.setEncoding("utf8").once("data", () => resume(Effect.succeed(started)))
        }),
        (started) => Effect.sync(() => started.kill("SIGKILL"))
      )
    const spawnChild = (args: ReadonlyArray<string>) =>
      spawn(globalThis.process.execPath, [`${folder}/pacedChild.mjs`, ...args], { stdio: ["pipe", "pipe", "inherit"] })
    const outcome = (started: ReturnType<typeof spawnChild>) =>
      Effect.async<string>((resume) => {
        let text = ""
        started.stdout.on("data", (more: string) => {
          text += more
        })
        started.once("close", () => resume(Effect.succeed(text)))
        started.stdin.write("go\n")
      }).pipe(Effect.flatMap(Schema.decode(Sent)))

    const measured = <E, R>(sending: Effect.Effect<ReadonlyArray<Sent>, E, R>) =>
      Effect.map(withStall(Effect.timed(sending)), ([[time, all], stalled]) => {
        const sent = together(all)
        const least = Math.min(...all.map(({ limited, served }) => served + limited))
        return { ...sent, least, millis: Duration.toMillis(time), stalled: Math.max(stalled, sent.stalled) }
      })

    /** What the clients have sent together, and in what time. */
    const run = (rate: RateClass, duration: Duration.Duration, rateLimits: boolean) =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        if (!hasRedis) {
          const pacing = pacingBy(yield* limiterInMemory)
          return yield* measured(
            Effect.replicateEffect(sendAll(rate, url, pacing, duration), 3, { concurrency: "unbounded" })
          )
        }
        const socket = yield* redisSocket
        yield* redisAt(socket)
        const args = [rate, url, socket, String(Duration.toMillis(duration))]
        const children = yield* Effect.replicateEffect(process(args), 3, { concurrency: "unbounded" })
        return yield* measured(Effect.forEach(children, outcome, { concurrency: "unbounded" }))
      }).pipe(Effect.scoped, Effect.provide(Emulator.layer({ rateLimits })))

    it.live.each(rates)("get no more slots together than one client: %s", (rate) =>
      Effect.gen(function* () {
        // The server refuses nothing, so that only their slots hold the clients back.
        const sent = yield* run(rate, Duration.seconds(scale({ test: 1, soak: 10 })), false)
        assert.deepInclude(sent, { failed: 0, limited: 0 })
        assert.isAbove(sent.least, 0)
        // However slow the machine is. Whether a slot that is used late meets others at a server depends on it. A client that the
        // limiter is too slow for paces itself.
        const slots = SLOTS[rate] + (sent.alone * ALLOWED[rate]) / 1000
        assert.isAtMost(sent.served, sent.millis * slots + SLOTS_AT_ONCE)
        if (!soaks) return
        const { failed, least, limited, millis, served, stalled } = yield* run(rate, Duration.minutes(1), true)
        assert.strictEqual(failed, 0)
        assert.isAbove(least, 0)
        // What a machine that never stands still gets is 0.92 without a 429. No test can tell whether it did.
        const used = (served * 1000) / (millis * ALLOWED[rate])
        yield* Effect.logInfo(
          `${rate}: ${used.toFixed(3)} of the allowed rate, and ${limited} 429s. The longest stall: ${stalled.toFixed()} ms`
        )
      })
    )
  }
)
