/**
 * Running an effect for each item of a source, several at a time: laws over sources, delays and readers.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { mapConcurrently } from "../src/internal/concurrently.js"
import { inSimulatedTime } from "./simulatedTime.js"

/** Counts what is done with a source and its items. */
class Watch {
  taken = 0
  started = 0
  ended = 0
  finished = 0
  mostAtOnce = 0
  mostAhead = 0
  isClosed = false

  items(delays: Iterable<number>): Generator<number> {
    return watched(this, delays)
  }

  /** Takes as many milliseconds as the item says. */
  readonly work = (delay: number): Effect.Effect<number> =>
    Effect.suspend(() => {
      this.started += 1
      this.mostAtOnce = Math.max(this.mostAtOnce, this.started - this.ended)
      return Effect.sleep(delay)
    }).pipe(
      Effect.map(() => {
        this.finished += 1
        return delay
      }),
      Effect.ensuring(
        Effect.sync(() => {
          this.ended += 1
        })
      )
    )
}

function* watched(watch: Watch, delays: Iterable<number>): Generator<number> {
  try {
    for (const delay of delays) {
      watch.taken += 1
      watch.mostAhead = Math.max(watch.mostAhead, watch.taken - watch.finished)
      yield delay
    }
  } finally {
    watch.isClosed = true
  }
}

const delays = fc.array(fc.nat(20), { maxLength: 30 })
const concurrency = fc.integer({ min: 1, max: 6 })
const source = fc.constantFrom<Array<Kind>>("iterable", "stream", "stream in chunks", "failing stream")
const readerDelay = fc.constantFrom(0, 0, 7)

type Kind = "iterable" | "stream" | "stream in chunks" | "failing stream"

const sourceOf = (kind: Kind, items: Generator<number>): Iterable<number> | Stream.Stream<number, string> => {
  switch (kind) {
    case "iterable":
      return items
    case "stream":
      return Stream.fromIteratorSucceed(items, 1)
    case "stream in chunks":
      return Stream.fromIteratorSucceed(items, 4)
    case "failing stream":
      return Stream.concat(Stream.fromIteratorSucceed(items, 3), Stream.fail("no more"))
  }
}

const isStream = (source: Iterable<number> | Stream.Stream<number, string>): source is Stream.Stream<number, string> =>
  Stream.StreamTypeId in source

const mapped = (
  source: Iterable<number> | Stream.Stream<number, string>,
  options: { readonly concurrency: number; readonly unordered: boolean },
  watch: Watch
): Stream.Stream<number, string> =>
  isStream(source) ? mapConcurrently(source, options, watch.work) : mapConcurrently(source, options, watch.work)

describe("the results for many items", () => {
  it.effect.prop(
    "are one for each, in order where that matters, with no more at once than allowed, and end as the source does",
    [delays, concurrency, fc.boolean(), source, readerDelay],
    ([delays, concurrency, unordered, kind, readerDelay]) =>
      Effect.gen(function* () {
        const watch = new Watch()
        const results: Array<number> = []
        const stream = mapped(sourceOf(kind, watch.items(delays)), { concurrency, unordered }, watch)
        const { timersLeft, value: exit } = yield* inSimulatedTime(
          Effect.exit(
            Stream.runForEach(stream, (result) => {
              results.push(result)
              return Effect.sleep(readerDelay)
            })
          )
        )
        const inOrder = unordered ? [...results].sort((one, other) => one - other) : results
        assert.deepStrictEqual(inOrder, unordered ? [...delays].sort((one, other) => one - other) : delays)
        assert.deepStrictEqual(exit, kind === "failing stream" ? Exit.fail("no more") : Exit.void)
        assert.isAtMost(watch.mostAtOnce, concurrency)
        assert.strictEqual(watch.ended, watch.started)
        assert.isTrue(watch.isClosed || delays.length === 0)
        assert.strictEqual(timersLeft, 0)
        // What is worked on, and what a chunk of the source holds.
        const chunk = { iterable: concurrency, stream: 1, "stream in chunks": 4, "failing stream": 3 }[kind]
        assert.isAtMost(watch.mostAhead, concurrency + chunk - 1)
      })
  )

  it.effect.prop(
    "may be left early: nothing is worked on then, and a generator is closed",
    [fc.nat(10), concurrency, fc.boolean(), fc.nat(5)],
    ([wanted, concurrency, unordered, delay]) =>
      Effect.gen(function* () {
        const watch = new Watch()
        const endless = Stream.take(
          mapConcurrently(watch.items(endlessly(delay)), { concurrency, unordered }, watch.work),
          wanted
        )
        const { timersLeft, value: count } = yield* inSimulatedTime(Stream.runCount(endless))
        assert.strictEqual(count, wanted)
        assert.strictEqual(watch.ended, watch.started)
        // A generator that never ran has nothing to close.
        assert.strictEqual(watch.isClosed, watch.taken > 0)
        // Delivered, in the mailbox, worked on, and in the chunk.
        assert.isAtMost(watch.taken, wanted + 4 * concurrency)
        assert.strictEqual(timersLeft, 0)
      })
  )

  it.effect("may be interrupted: nothing is worked on then, and a generator is closed", () =>
    Effect.gen(function* () {
      const watch = new Watch()
      const stream = mapConcurrently(watch.items(endlessly(1000)), { concurrency: 3, unordered: false }, watch.work)
      const all = yield* Effect.fork(Stream.runDrain(stream))
      yield* TestClock.adjust("1500 millis")
      assert.strictEqual(watch.started - watch.ended, 3)
      yield* Fiber.interrupt(all)
      assert.strictEqual(watch.started - watch.ended, 0)
      assert.isTrue(watch.isClosed)
    })
  )
})

function* endlessly(delay: number): Generator<number> {
  for (;;) yield delay
}
