import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { GeneratedStoreId, type GetStoreError, getStores, Store, StoreId, type StoreResult } from "../src/index.js"
import { layerRespond, layerStores, RecordedRequests } from "../src/testing.js"
import { inSimulatedTime, mostInASecond } from "./simulatedTime.js"

const then = DateTime.unsafeMake("2019-12-12T07:34:14.202Z")

const storeWith = (id: string): Store =>
  new Store({
    id: StoreId.make(id),
    name: Option.some(`store-${id}`),
    username: Option.some("janedoe"),
    createdAt: then,
    modifiedAt: then,
    accessedAt: then
  })

const idOf = (n: number): string => GeneratedStoreId.make(String(n).padStart(17, "a"))

const encode = Schema.encodeSync(Store)

const responseTo = (url: string): Response => Response.json({ data: encode(storeWith(url.split("/").at(-1) ?? "")) })

const outcome = ({ ref, result }: StoreResult): readonly [unknown, string] => [
  ref,
  Either.match(result, { onLeft: (error: GetStoreError) => error._tag, onRight: ({ id }) => id })
]

describe("getStores", () => {
  it.effect("that runs twice at once shares nothing between its clients, nor an interruption", () =>
    Effect.gen(function* () {
      const stores = Stream.runCollect(getStores(["~mine"]))
      const isSent = yield* Deferred.make<void>()
      const stuck = layerRespond(() => Effect.zipRight(Deferred.succeed(isSent, undefined), Effect.never))
      const first = yield* Effect.fork(Effect.provide(stores, stuck))
      yield* Deferred.await(isSent)
      const second = yield* Effect.fork(
        Effect.provide(
          stores,
          layerRespond(() => Effect.succeed(responseTo("/second")))
        )
      )
      yield* Effect.repeatN(Effect.yieldNow(), 100)
      yield* Fiber.interrupt(first)
      assert.deepStrictEqual([...(yield* Fiber.join(second))].map(outcome), [["~mine", "second"]])
    })
  )

  it.effect.prop(
    "gives each reference its store or its error, in the order of the references",
    [fc.array(fc.nat({ max: 9 }), { maxLength: 30 }), fc.integer({ min: 1, max: 8 })],
    ([numbers, concurrency]) =>
      Effect.gen(function* () {
        const known = [0, 1, 2, 3, 4].map((n) => storeWith(idOf(n)))
        const results = yield* getStores(numbers.map(idOf), { concurrency }).pipe(
          Stream.runCollect,
          Effect.provide(layerStores({ stores: known, caller: "janedoe" })),
          Effect.fork,
          Effect.tap(() => TestClock.adjust("10 seconds")),
          Effect.flatMap(Fiber.join)
        )
        assert.deepStrictEqual(
          [...results].map(outcome),
          numbers.map((n): readonly [unknown, string] => [idOf(n), n < 5 ? idOf(n) : "StoreNotFoundError"])
        )
      }),
    { fastCheck: { numRuns: 50 } }
  )

  it.effect("takes a stream of references, and gives an invalid one its error", () =>
    Effect.gen(function* () {
      const results = yield* Stream.runCollect(getStores(Stream.make(idOf(1), "../users/me")))
      assert.deepStrictEqual([...results].map(outcome), [
        [idOf(1), idOf(1)],
        ["../users/me", "InvalidStoreRefError"]
      ])
      assert.lengthOf(yield* (yield* RecordedRequests).all, 1)
    }).pipe(Effect.provide(layerRespond(({ url }) => Effect.succeed(responseTo(url)))))
  )

  it.effect("gives results in the order of the responses if unordered, else in the order of the references", () =>
    Effect.gen(function* () {
      const respond = layerRespond(({ url }) =>
        Effect.delay(
          Effect.sync(() => responseTo(url)),
          url.endsWith("1") ? "2 seconds" : "1 second"
        )
      )
      const run = (unordered: boolean) =>
        Stream.runCollect(getStores([idOf(1), idOf(2)], { unordered })).pipe(
          Effect.provide(respond),
          Effect.fork,
          Effect.tap(() => TestClock.adjust("5 seconds")),
          Effect.flatMap(Fiber.join),
          Effect.map((results) => [...results].map(({ ref }) => ref))
        )
      assert.deepStrictEqual(yield* run(true), [idOf(2), idOf(1)])
      assert.deepStrictEqual(yield* run(false), [idOf(1), idOf(2)])
    })
  )

  it.effect("finishes what it has taken, and then fails as the references do", () =>
    Effect.gen(function* () {
      const given: Array<unknown> = []
      const refs = Stream.concat(Stream.make(idOf(1), idOf(2)), Stream.fail("no more"))
      const error = yield* getStores(refs).pipe(
        Stream.runForEach(({ ref }) => Effect.sync(() => given.push(ref))),
        Effect.flip
      )
      assert.strictEqual(error, "no more")
      assert.deepStrictEqual(given, [idOf(1), idOf(2)])
    }).pipe(Effect.provide(layerRespond(({ url }) => Effect.succeed(responseTo(url)))))
  )

  it.effect("reads no more references than it needs, and stops once its reader does", () =>
    Effect.gen(function* () {
      let taken = 0
      function* endless(): Generator<string> {
        for (;;) yield idOf(taken++)
      }
      assert.strictEqual(yield* Stream.runCount(Stream.take(getStores(endless(), { concurrency: 4 }), 3)), 3)
      assert.isAtMost(taken, 20)
    }).pipe(Effect.provide(layerRespond(({ url }) => Effect.succeed(responseTo(url)))))
  )

  it.effect("stops its calls when it is interrupted", () => {
    let stopped = 0
    const silent = layerRespond(() =>
      Effect.onInterrupt(Effect.never, () =>
        Effect.sync(() => {
          stopped += 1
        })
      )
    )
    return Effect.gen(function* () {
      const all = yield* Effect.fork(Stream.runDrain(getStores([1, 2, 3].map(idOf), { concurrency: 2 })))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(all)
      assert.strictEqual(stopped, 2)
    }).pipe(Effect.provide(silent))
  })

  it.effect.each([0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])(
    "calls a concurrency of %s a defect",
    (concurrency) =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(Stream.runDrain(getStores([idOf(1)], { concurrency })))
        assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
      }).pipe(Effect.provide(layerRespond(({ url }) => Effect.succeed(responseTo(url)))))
  )

  it.effect("sends no more requests at once than its concurrency", () => {
    let now = 0
    let most = 0
    const respond = layerRespond(({ url }) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          now += 1
          most = Math.max(most, now)
        }),
        () =>
          Effect.delay(
            Effect.sync(() => responseTo(url)),
            "100 millis"
          ),
        () =>
          Effect.sync(() => {
            now -= 1
          })
      )
    )
    return Effect.gen(function* () {
      const refs = Array.from({ length: 100 }, (_, n) => idOf(n))
      const all = Stream.runCount(getStores(refs, { concurrency: 7, unordered: true }))
      const { value } = yield* inSimulatedTime(Effect.provide(all, respond))
      assert.strictEqual(value, 100)
      assert.strictEqual(most, 7)
    })
  })

  it.effect("sends one request for a store that several references name, while its response is pending", () =>
    Effect.gen(function* () {
      const go = yield* Deferred.make<void>()
      const layer = layerRespond(({ url }) => Effect.as(Deferred.await(go), responseTo(url)))
      const requests = yield* Effect.gen(function* () {
        const all = yield* Effect.fork(
          Stream.runCollect(getStores(["janedoe~Mine", "JaneDoe~mine", "JANEDOE~MINE"], { concurrency: 3 }))
        )
        yield* TestClock.adjust("1 second")
        yield* Deferred.succeed(go, undefined)
        assert.lengthOf(
          [...(yield* Fiber.join(all))].filter(({ result }) => Either.isRight(result)),
          3
        )
        return yield* (yield* RecordedRequests).all
      }).pipe(Effect.provide(layer))
      assert.lengthOf(requests, 1)
    })
  )

  it.effect("treats a single string as one reference", () =>
    Effect.gen(function* () {
      const results = yield* Stream.runCollect(getStores(idOf(1)))
      assert.deepStrictEqual([...results].map(outcome), [[idOf(1), idOf(1)]])
    }).pipe(Effect.provide(layerRespond(({ url }) => Effect.succeed(responseTo(url)))))
  )

  it.effect("requests one store at most 60 times a second, over several streams and with retries", () => {
    const sentAt: Array<number> = []
    const respond = layerRespond(
      ({ url }) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          sentAt.push(now)
          return sentAt.length % 2 === 0 ? responseTo(url) : new Response("busy", { status: 503 })
        }),
      { retry: { baseDelay: 1, maxDelay: 1 } }
    )
    return Effect.gen(function* () {
      const refs = Array.from({ length: 60 }, () => idOf(1))
      const stream = Stream.runCount(getStores(refs, { concurrency: 1 }))
      const { value } = yield* inSimulatedTime(Effect.all([stream, stream, stream], { concurrency: 3 }))
      assert.deepStrictEqual(value, [60, 60, 60])
      assert.isAbove(sentAt.length, 100)
      assert.isAtMost(mostInASecond(sentAt), 60)
    }).pipe(Effect.provide(respond))
  })

  it.effect("requests one store at most 60 times a second", () => {
    const sentAt: Array<number> = []
    const respond = layerRespond(({ url }) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        sentAt.push(now)
        return responseTo(url)
      })
    )
    return Effect.gen(function* () {
      const refs = Array.from({ length: 150 }, () => idOf(1))
      const { value } = yield* inSimulatedTime(Stream.runCount(getStores(refs, { concurrency: 1 })))
      assert.strictEqual(value, 150)
      assert.isAtMost(mostInASecond(sentAt), 60)
    }).pipe(Effect.provide(respond))
  })
})
