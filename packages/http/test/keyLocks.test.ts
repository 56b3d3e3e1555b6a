import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { KeyLocks, SharedLock } from "../src/internal/keyLocks.js"

/** Says when it begins and ends, and gives way in between. */
const step = (log: Array<string>, name: string) =>
  Effect.gen(function* () {
    log.push(`${name} begins`)
    yield* Effect.yieldNow()
    log.push(`${name} ends`)
  })

const both = (effects: ReadonlyArray<Effect.Effect<void>>) =>
  Effect.all(effects, { concurrency: "unbounded", discard: true })

describe("a lock of a key", () => {
  it.effect("lets one effect run at a time, in the order of the calls", () =>
    Effect.gen(function* () {
      const locks = new KeyLocks()
      const log: Array<string> = []
      yield* both([locks.withLock("a")(step(log, "one")), locks.withLock("a")(step(log, "two"))])
      assert.deepStrictEqual(log, ["one begins", "one ends", "two begins", "two ends"])
    })
  )

  it.effect("does not hold up other keys", () =>
    Effect.gen(function* () {
      const locks = new KeyLocks()
      const log: Array<string> = []
      yield* both([locks.withLock("a")(step(log, "one")), locks.withLock("b")(step(log, "two"))])
      assert.deepStrictEqual(log, ["one begins", "two begins", "one ends", "two ends"])
    })
  )

  it.effect("is forgotten once nobody holds it or waits for it, however they ended", () =>
    Effect.gen(function* () {
      const locks = new KeyLocks()
      const begun = yield* Deferred.make<void>()
      const holder = yield* Effect.fork(
        locks.withLock("a")(Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never))
      )
      yield* Deferred.await(begun)
      const waiting = yield* Effect.fork(locks.withLock("a")(Effect.void))
      const failing = yield* Effect.fork(Effect.exit(locks.withLock("a")(Effect.fail("no"))))
      yield* Effect.yieldNow()
      assert.strictEqual(locks.size, 1)
      yield* Fiber.interrupt(waiting)
      assert.strictEqual(locks.size, 1)
      yield* Fiber.interrupt(holder)
      yield* failing
      assert.strictEqual(locks.size, 0)
      yield* locks.withLock("a")(Effect.void)
    })
  )
})

describe("a lock that is shared", () => {
  it.effect("is held by many at a time, or by one alone, in the order of the calls", () =>
    Effect.gen(function* () {
      const lock = new SharedLock()
      const log: Array<string> = []
      yield* both([
        lock.shared(step(log, "one")),
        lock.shared(step(log, "two")),
        lock.alone(step(log, "alone")),
        lock.shared(step(log, "three"))
      ])
      assert.deepStrictEqual(log.slice(0, 2), ["one begins", "two begins"])
      assert.deepStrictEqual(log.slice(4), ["alone begins", "alone ends", "three begins", "three ends"])
    })
  )

  it.effect("is free again, however those ended that held it or waited for it", () =>
    Effect.gen(function* () {
      const lock = new SharedLock()
      const begun = yield* Deferred.make<void>()
      const holding = yield* Effect.fork(lock.shared(Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never)))
      yield* Deferred.await(begun)
      const waiting = yield* Effect.fork(lock.alone(Effect.void))
      const behind = yield* Effect.fork(lock.shared(Effect.void))
      yield* Effect.yieldNow().pipe(Effect.repeatN(10))
      yield* Fiber.interrupt(waiting)
      yield* Fiber.join(behind)
      yield* Fiber.interrupt(holding)
      yield* Effect.exit(lock.alone(Effect.die("as planned")))
      yield* lock.alone(Effect.void)
      yield* lock.shared(Effect.void)
    })
  )
})
