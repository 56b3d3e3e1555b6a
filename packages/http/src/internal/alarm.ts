/**
 * Time limits that cost next to nothing while nobody runs out of time.
 *
 * `Effect.timeout` forks two fibers and sets a timer for each call. Here all time limits by one clock share the fiber that
 * sleeps until the first of them is due, and is there only while there are any.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"

/** A class, for it lives as long as a call: docs/decisions/0011. */
class Limit {
  constructor(
    /** By the clock, in milliseconds. */
    readonly due: number,
    readonly ring: () => void,
    /** Where it stands among the others. */
    public place: number
  ) {}
}

interface Sleeper {
  readonly until: number
  wake: () => void
}

interface Alarm {
  /** Rings after a time, unless taken back by what this returns. */
  readonly set: (millis: number, ring: () => void) => () => void
}

/** Whole milliseconds by a clock that never jumps. */
export const monotonicMillis = (clock: Clock.Clock): number => Number(clock.unsafeCurrentTimeNanos() / 1_000_000n)

/**
 * Limits in no order. Not a `Set`: one that is added to and taken from all the time leaves a chain of dead tables behind,
 * which keeps what was in them alive until the next full garbage collection.
 */
const makeLimits = () => {
  const limits: Array<Limit> = []
  return {
    all: limits,
    add: (due: number, ring: () => void): Limit => {
      const limit = new Limit(due, ring, limits.length)
      limits.push(limit)
      return limit
    },
    /** The last one takes its place. */
    remove: (limit: Limit): void => {
      if (limits[limit.place] !== limit) return
      const last = limits.pop()
      if (last === undefined || last === limit) return
      last.place = limit.place
      limits[last.place] = last
    }
  }
}

const makeAlarm = (clock: Clock.Clock): Alarm => {
  const limits = makeLimits()
  let sleeper: Option.Option<Sleeper> = Option.none()

  const wake = (): void => {
    if (Option.isSome(sleeper)) sleeper.value.wake()
    sleeper = Option.none()
  }

  const sleepUntil = (until: number): void => {
    wake()
    const next: Sleeper = { until, wake: () => {} }
    // Before it sleeps: a clock may be done with that at once.
    sleeper = Option.some(next)
    const wait = Duration.millis(Math.max(0, until - monotonicMillis(clock)))
    const fiber = Effect.runFork(Effect.zipRight(clock.sleep(wait), Effect.sync(ringDue)))
    next.wake = () => fiber.unsafeInterruptAsFork(FiberId.none)
  }

  const ringDue = (): void => {
    sleeper = Option.none()
    const now = monotonicMillis(clock)
    const due = limits.all.filter(({ due }) => due <= now)
    for (const limit of due) limits.remove(limit)
    // Before any rings: one that throws keeps no other from its time.
    if (limits.all.length > 0) {
      sleepUntil(limits.all.reduce((first, { due }) => Math.min(first, due), Number.POSITIVE_INFINITY))
    }
    for (const { ring } of due) ring()
  }

  return {
    set: (millis, ring) => {
      const limit = limits.add(monotonicMillis(clock) + millis, ring)
      if (Option.isNone(sleeper) || limit.due < sleeper.value.until) sleepUntil(limit.due)
      return () => {
        limits.remove(limit)
        if (limits.all.length === 0) wake()
      }
    }
  }
}

const alarms = new WeakMap<Clock.Clock, Alarm>()

const alarmOf = (clock: Clock.Clock): Alarm => {
  const known = alarms.get(clock)
  if (known !== undefined) return known
  const alarm = makeAlarm(clock)
  alarms.set(clock, alarm)
  return alarm
}

/** Rings once a time has passed by a clock, unless taken back by what this returns. */
export const setAlarm = (clock: Clock.Clock, time: Duration.Duration, ring: () => void): (() => void) =>
  alarmOf(clock).set(Duration.toMillis(time), ring)
