/**
 * Time limits that cost next to nothing as long as they are not reached (docs/decisions/0005).
 *
 * All limits of one clock share a fiber, which sleeps until the first of them is due, and exists only while there are limits.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import { constVoid } from "effect/Function"
import { Bag } from "./bag.js"

/** Whole milliseconds of a clock that never jumps. */
export const monotonicMillis = (clock: Clock.Clock): number => Number(clock.unsafeCurrentTimeNanos() / 1_000_000n)

class Limit {
  place = 0

  constructor(
    /** In milliseconds of the clock. */
    readonly due: number,
    readonly run: () => void
  ) {}
}

interface Sleeper {
  readonly until: number
  wake: () => void
}

class Alarm {
  private readonly limits = new Bag<Limit>()
  private sleeper: Sleeper | undefined

  constructor(private readonly clock: Clock.Clock) {}

  set(due: number, run: () => void): () => void {
    const limit = new Limit(due, run)
    this.limits.add(limit)
    if (this.sleeper === undefined || limit.due < this.sleeper.until) this.sleepUntil(limit.due)
    return () => {
      this.limits.remove(limit)
      if (this.limits.all.length === 0) this.wake()
    }
  }

  private wake(): void {
    this.sleeper?.wake()
    this.sleeper = undefined
  }

  private sleepUntil(until: number): void {
    this.wake()
    const sleeper: Sleeper = { until, wake: constVoid }
    // Before it sleeps: a clock may be done with that at once.
    this.sleeper = sleeper
    const wait = Duration.millis(Math.max(0, until - monotonicMillis(this.clock)))
    const fiber = Effect.runFork(
      Effect.zipRight(
        this.clock.sleep(wait),
        Effect.sync(() => this.runDue())
      )
    )
    sleeper.wake = () => fiber.unsafeInterruptAsFork(FiberId.none)
  }

  private runDue(): void {
    this.sleeper = undefined
    const now = monotonicMillis(this.clock)
    const due = this.limits.all.filter((limit) => limit.due <= now)
    for (const limit of due) this.limits.remove(limit)
    // Before any of them runs: one that throws keeps no other from its time.
    if (this.limits.all.length > 0) {
      this.sleepUntil(this.limits.all.reduce((first, { due }) => Math.min(first, due), Number.POSITIVE_INFINITY))
    }
    for (const { run } of due) run()
  }
}

const alarms = new WeakMap<Clock.Clock, Alarm>()

const alarmOf = (clock: Clock.Clock): Alarm => {
  const known = alarms.get(clock)
  if (known !== undefined) return known
  const alarm = new Alarm(clock)
  alarms.set(clock, alarm)
  return alarm
}

/** Runs a function after some milliseconds of a clock. What this returns cancels it. */
export const setAlarm = (clock: Clock.Clock, millis: number, run: () => void): (() => void) =>
  alarmOf(clock).set(monotonicMillis(clock) + millis, run)

/**
 * A limit that is moved or stopped for each chunk of a body. That sets an alarm only where it moves to an earlier time: an alarm
 * that goes off too early is set again for what is left.
 */
export class MovingLimit {
  private due = Number.POSITIVE_INFINITY
  private run = constVoid
  private alarmAt = Number.POSITIVE_INFINITY
  private cancelAlarm = constVoid

  constructor(private readonly clock: Clock.Clock) {}

  /** Calls a function after some milliseconds, and not what was to be called before. */
  set(millis: number, run: () => void): void {
    this.due = monotonicMillis(this.clock) + millis
    this.run = run
    if (this.due < this.alarmAt) this.setAlarm()
  }

  private setAlarm(): void {
    this.cancelAlarm()
    this.alarmAt = this.due
    this.cancelAlarm = alarmOf(this.clock).set(this.due, () => {
      this.alarmAt = Number.POSITIVE_INFINITY
      if (this.due <= monotonicMillis(this.clock)) this.run()
      else if (this.due < Number.POSITIVE_INFINITY) this.setAlarm()
    })
  }

  /** Stops it until it is set again. */
  stop(): void {
    this.due = Number.POSITIVE_INFINITY
  }

  /** Stops it for good. */
  end(): void {
    this.stop()
    this.cancelAlarm()
  }
}
