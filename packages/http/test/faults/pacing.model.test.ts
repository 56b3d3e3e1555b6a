/**
 * The pacing against a model of it, in time that the test moves.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Scheduler from "effect/Scheduler"
import * as TestClock from "effect/TestClock"
import { makePacing, type Pacing, QUIET_MILLIS, WINDOW_MILLIS } from "../../src/internal/pacing.js"

const STORE = "~store"

/** Longer than any line of these tests takes, at the lowest rate. */
const ENOUGH_MILLIS = 3_600_000

/** What a server has said. Once it has been quiet for long, nothing is claimed any more. */
interface Model {
  now: number
  refused: Option.Option<{ readonly at: number; readonly limit: number }>
  /** Whether a 429 came after that quiet: then it is not known which one counted. */
  isLost: boolean
}

interface Real {
  readonly pacing: Pacing
  readonly run: <A>(effect: Effect.Effect<A>) => Promise<A>
  readonly waiting: Array<{ readonly most: number; readonly fiber: Fiber.RuntimeFiber<boolean> }>
  /** When turns came. */
  readonly turns: Array<number>
}

type Command = FastCheck.AsyncCommand<Model, Real>

const command = (name: string, run: (model: Model, real: Real) => Effect.Effect<void>): Command => ({
  check: () => true,
  run: (model, real) => real.run(run(model, real)),
  toString: () => name
})

const wait = (most: number): Command =>
  command(`wait for at most ${most} ms`, (_, real) =>
    Effect.gen(function* () {
      const turn = Effect.gen(function* () {
        const came = yield* real.pacing.turn(STORE, Duration.millis(most))
        if (came) real.turns.push(yield* TestClock.currentTimeMillis)
        return came
      })
      real.waiting.push({ most, fiber: yield* Effect.forkDaemon(turn) })
      yield* TestClock.adjust(0)
    })
  )

const interrupt = (index: number): Command =>
  command(`interrupt one`, (_, { waiting }) => {
    const one = waiting[index % Math.max(1, waiting.length)]
    return one === undefined ? Effect.void : Effect.asVoid(Fiber.interrupt(one.fiber))
  })

const refuse = (limit: number): Command =>
  command(`429 with the limit ${limit}`, (model, { pacing }) =>
    Effect.sync(() => {
      pacing.slowDown(STORE, model.now, model.now, Option.some(limit))
      const since = Option.map(model.refused, ({ at }) => model.now - at)
      if (Option.exists(since, (since) => since > QUIET_MILLIS)) model.isLost = true
      if (Option.isNone(since) || since.value >= WINDOW_MILLIS) model.refused = Option.some({ at: model.now, limit })
    })
  )

const pass = (millis: number): Command =>
  command(`${millis} ms pass`, (model, { turns }) =>
    Effect.gen(function* () {
      yield* TestClock.adjust(millis)
      model.now += millis
      if (model.isLost || Option.isNone(model.refused)) return
      const { at, limit } = model.refused.value
      const held = turns.filter((turn) => turn > at && turn <= at + QUIET_MILLIS)
      held.forEach((turn, index) => {
        const earliest = index === 0 ? at + WINDOW_MILLIS : Number(held[index - 1]) + 1000 / limit
        assert.isAtLeast(turn, Math.floor(earliest))
      })
    })
  )

const commands = FastCheck.commands(
  [
    FastCheck.integer({ min: 1, max: 60_000 }).map(wait),
    FastCheck.constant(wait(ENOUGH_MILLIS)),
    FastCheck.constant(wait(ENOUGH_MILLIS)),
    FastCheck.nat().map(interrupt),
    FastCheck.integer({ min: 1, max: 100 }).map(refuse),
    FastCheck.integer({ min: 1, max: 3000 }).map(pass)
  ],
  { maxCommands: 25 }
)

/** Lets others go on once, before the operation of that number. */
class PausingOnce implements Scheduler.Scheduler {
  private operations = 0

  constructor(private readonly point: number) {}

  get hasPaused(): boolean {
    return this.operations >= this.point
  }

  shouldYield(): number | false {
    this.operations += 1
    return this.operations === this.point ? 0 : false
  }

  scheduleTask: Scheduler.Scheduler["scheduleTask"] = (task, priority, fiber) =>
    Scheduler.defaultScheduler.scheduleTask(task, priority, fiber)
}

describe("the pacing", () => {
  it.effect("holds what waits to the rate, and gives everyone who stays a turn", () =>
    Effect.flatMap(Effect.runtime(), (runtime) =>
      Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(commands, async (commands) => {
            const run = Runtime.runPromise(runtime)
            const now = await run(TestClock.currentTimeMillis)
            const real: Real = { pacing: makePacing(), run, waiting: [], turns: [] }
            await FastCheck.asyncModelRun(
              () => ({ model: { now, refused: Option.none(), isLost: false }, real }),
              commands
            )
            await run(TestClock.adjust("2 hours"))
            for (const { fiber, most } of real.waiting) {
              const exit = Option.getOrThrow(await run(Fiber.poll(fiber)))
              if (most === ENOUGH_MILLIS && !Exit.isInterrupted(exit)) assert.isTrue(Exit.isSuccess(exit) && exit.value)
            }
          }),
          { numRuns: 60 }
        )
      )
    )
  )

  it.effect("after many have left the line, the next turn comes as soon as for the first", () =>
    Effect.gen(function* () {
      const pacing = makePacing()
      pacing.slowDown(STORE, 0, 0, Option.some(1))
      const fibers = yield* Effect.forEach(Array.from({ length: 1000 }), () =>
        Effect.fork(pacing.turn(STORE, Duration.hours(1)))
      )
      yield* TestClock.adjust(0)
      yield* Fiber.interruptAll(fibers)
      const last = yield* Effect.fork(pacing.turn(STORE, Duration.seconds(2)))
      yield* TestClock.adjust(WINDOW_MILLIS)
      assert.isTrue(yield* Fiber.join(last))
    })
  )

  it.effect("whoever leaves the line, at whatever point, leaves no place taken", () =>
    Effect.forEach(
      Array.from({ length: 80 }, (_, index) => index + 1),
      (point) =>
        Effect.gen(function* () {
          const pacing = makePacing()
          const start = yield* TestClock.currentTimeMillis
          pacing.slowDown(STORE, start, start, Option.some(1))
          const pausing = new PausingOnce(point)
          const leaving = yield* Effect.fork(Effect.withScheduler(pacing.turn(STORE, Duration.hours(1)), pausing))
          yield* Effect.repeat(Effect.yieldNow(), { until: () => pausing.hasPaused, times: 10 })
          yield* Fiber.interrupt(leaving)
          // Time enough for the first turn, but not for the second.
          const next = yield* Effect.fork(pacing.turn(STORE, Duration.millis(WINDOW_MILLIS + 500)))
          yield* TestClock.adjust(WINDOW_MILLIS)
          assert.isTrue(yield* Fiber.join(next), `interrupted at operation ${point}`)
        }),
      { discard: true }
    )
  )

  it.effect("those who have no time for the line do not lengthen it", () =>
    Effect.gen(function* () {
      const pacing = makePacing()
      pacing.slowDown(STORE, 0, 0, Option.some(1))
      for (let call = 0; call < 1000; call += 1) assert.isFalse(yield* pacing.turn(STORE, Duration.millis(500)))
      const last = yield* Effect.fork(pacing.turn(STORE, Duration.seconds(2)))
      yield* TestClock.adjust(WINDOW_MILLIS)
      assert.isTrue(yield* Fiber.join(last))
    })
  )
})
