/**
 * Time that passes only when nothing else can happen: it goes straight to the next timer. `TestClock` looks at every
 * fiber several times before each step, 10 ms in all, which is too slow for thousands of retries.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/** How something ended in simulated time. */
export interface Simulated<A> {
  readonly value: A
  /** Timers that were still set. */
  readonly timersLeft: number
}

/** Runs an effect from the time `start` on, in milliseconds since 1970; one that waits for nothing dies. */
export const inSimulatedTime = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  start = 0
): Effect.Effect<Simulated<A>, E, R> =>
  Effect.gen(function* () {
    const time = new SimulatedClock(start)
    const fiber = yield* Effect.fork(Effect.withClock(effect, time))
    while (true) {
      yield* othersSettle
      if (fiber.unsafePoll() !== null) break
      if (!time.advance()) yield* Effect.dieMessage("It waits, and for no timer")
    }
    return { value: yield* Fiber.join(fiber), timersLeft: time.timers }
  })

/** How many of these times, in milliseconds, the second has that has the most. */
export const mostInASecond = (times: ReadonlyArray<number>): number =>
  Math.max(0, ...times.map((start) => times.filter((time) => time >= start && time < start + 1000).length))

/** Two rounds of the event loop: promises and the fibers that they wake have settled. */
export const othersSettle: Effect.Effect<void> = Effect.repeatN(
  Effect.async<void>((resume) => {
    setImmediate(() => resume(Effect.void))
  }),
  1
)

/** A clock that stands still until it is advanced. */
export class SimulatedClock implements Clock.Clock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  private readonly sleepers = new Set<{ readonly until: number; readonly wake: () => void }>()
  /** How far the wall clock is off. */
  private offset = 0

  constructor(private now: number) {}

  get timers(): number {
    return this.sleepers.size
  }

  /** To the next timer, if there is one. */
  advance(): boolean {
    const [next] = [...this.sleepers].sort((one, other) => one.until - other.until)
    if (next === undefined) return false
    this.sleepers.delete(next)
    this.now = next.until
    next.wake()
    return true
  }

  /** Moves the wall clock alone, as someone who sets it does. */
  jump(millis: number): void {
    this.offset += millis
  }

  unsafeCurrentTimeMillis(): number {
    return this.now + this.offset
  }
  unsafeCurrentTimeNanos(): bigint {
    return BigInt(this.now) * 1_000_000n
  }
  readonly currentTimeMillis = Effect.sync(() => this.unsafeCurrentTimeMillis())
  readonly currentTimeNanos = Effect.sync(() => this.unsafeCurrentTimeNanos())

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.async<void>((resume) => {
      const sleeper = { until: this.now + Duration.toMillis(duration), wake: () => resume(Effect.void) }
      this.sleepers.add(sleeper)
      return Effect.sync(() => this.sleepers.delete(sleeper))
    })
  }
}
