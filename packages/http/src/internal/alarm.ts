/**
 * Time limits that cost next to nothing while nobody runs out of time.
 *
 * `Effect.timeout` forks a fiber and sets a timer for each call. Here all time limits by one clock share a fiber, which
 * sleeps until the first of them is due and is there only while there are any.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"

interface Limit {
  /** By the clock, in milliseconds. */
  readonly due: number
  readonly ring: () => void
}

interface Alarm {
  /** Rings after a time, unless taken back by what this returns. */
  readonly set: (millis: number, ring: () => void) => () => void
}

/** Whole milliseconds by a clock that never jumps. */
export const monotonicMillis = (clock: Clock.Clock): number => Number(clock.unsafeCurrentTimeNanos() / 1_000_000n)

const makeAlarm = (clock: Clock.Clock): Alarm => {
  const limits = new Set<Limit>()
  let sleeper: Option.Option<{ readonly until: number; readonly fiber: Fiber.RuntimeFiber<void> }> = Option.none()

  const stop = (): void => {
    if (Option.isSome(sleeper)) sleeper.value.fiber.unsafeInterruptAsFork(FiberId.none)
    sleeper = Option.none()
  }

  const sleepUntil = (until: number): void => {
    stop()
    const wait = Duration.millis(Math.max(0, until - monotonicMillis(clock)))
    const fiber = Effect.runFork(Effect.zipRight(clock.sleep(wait), Effect.sync(ringDue)))
    sleeper = Option.some({ until, fiber })
  }

  const ringDue = (): void => {
    sleeper = Option.none()
    const now = monotonicMillis(clock)
    let next = Number.POSITIVE_INFINITY
    for (const limit of limits) {
      if (limit.due <= now) {
        limits.delete(limit)
        limit.ring()
      } else {
        next = Math.min(next, limit.due)
      }
    }
    if (limits.size > 0) sleepUntil(next)
  }

  return {
    set: (millis, ring) => {
      const limit = { due: monotonicMillis(clock) + millis, ring }
      limits.add(limit)
      if (Option.isNone(sleeper) || limit.due < sleeper.value.until) sleepUntil(limit.due)
      return () => {
        limits.delete(limit)
        if (limits.size === 0) stop()
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

/**
 * What an effect comes to within a time, or none. When the time runs out the effect is interrupted and not waited for, so
 * that nothing that it does can hold up the caller; when the caller is interrupted, it is waited for.
 */
export const within = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  clock: Clock.Clock,
  time: Duration.Duration
): Effect.Effect<Option.Option<A>, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    // Forked as its exit: a fiber that fails is logged with its cause, and the cause of a transport may hold a token.
    Effect.flatMap(Effect.forkDaemon(Effect.exit(restore(effect))), (fiber) =>
      Effect.async<Option.Option<A>, E>((resume) => {
        const takeBack = alarmOf(clock).set(Duration.toMillis(time), () => {
          fiber.unsafeInterruptAsFork(FiberId.none)
          resume(Effect.succeedNone)
        })
        fiber.addObserver((exit) => {
          takeBack()
          resume(Exit.map(Exit.flatten(exit), Option.some))
        })
      }).pipe(
        restore,
        Effect.onInterrupt(() => Fiber.interrupt(fiber))
      )
    )
  )
