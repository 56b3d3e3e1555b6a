/**
 * Holds a client's requests for a store to the server's rate, once the server has said 429.
 *
 * Until then nothing is held. From then on the requests for that store stand in a line, and one leaves it at a time, at
 * the rate that the server named; a further 429 to a request that left in its turn shows that the rate is lower still, for
 * all that wait. With quiet the rate rises again, and a store that nobody waits for is let go. A request that is
 * interrupted leaves the line, and takes nobody's turn.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import { monotonicMillis, setAlarm } from "./alarm.js"

/** Requests a second for one store, where the server does not say. Source: Apify's documentation. */
const DOCUMENTED_RATE = 60

/** The window of the server's rate: the first turn comes when what has been sent no longer counts. */
export const WINDOW_MILLIS = 1000

/** How much slower to go when the rate proves too high, and how much faster again after quiet. */
const BACKOFF = 0.75

/** One request in ten seconds: slower than that the retries give up first. */
const LOWEST_RATE = 0.1

/** How long without a 429 until the rate rises, or the store is let go. */
export const QUIET_MILLIS = 10_000

/** The pace of one store. Times are milliseconds by a clock that never jumps. */
interface Pace {
  readonly line: Effect.Semaphore
  waiting: number
  /** Requests a second, as the server named them. */
  named: number
  /** Requests a second now. */
  rate: number
  /** When the rate last changed. */
  since: number
  /** When the next request may be sent. */
  next: number
}

export interface Pacing {
  /** How many milliseconds until a request for the store may go out that keeps to the documented rate with all others that do. */
  readonly slot: (store: string, now: number) => number
  /** Whether requests for the store stand in a line. */
  readonly holds: (store: string) => boolean
  /** Waits for a turn to send a request for the store, or tells at once, or when it has waited `most`, that none comes. */
  readonly turn: (store: string, most: Duration.Duration) => Effect.Effect<boolean>
  /** The server answered 429 to a request that was sent at `sentAt`, and may have named its limit. */
  readonly slowDown: (store: string, sentAt: number, now: number, limit: Option.Option<number>) => void
}

/** Holds nothing yet. */
export const makePacing = (): Pacing => {
  const paces = new Map<string, Pace>()
  return {
    slot: makeSpacing(),
    holds: (store) => paces.has(store),
    turn: (store, most) =>
      Effect.suspend(() => {
        const pace = paces.get(store)
        return pace === undefined
          ? Effect.succeed(Duration.toMillis(most) > 0)
          : turnAt(pace, most, () => paces.delete(store))
      }),
    slowDown: (store, sentAt, now, limit) => {
      const pace = paces.get(store)
      const named = Option.getOrElse(
        Option.filter(limit, (limit) => limit > 0),
        () => DOCUMENTED_RATE
      )
      if (pace === undefined) {
        for (const [other, pace] of paces) if (isQuiet(pace, now)) paces.delete(other)
        const line = Effect.unsafeMakeSemaphore(1)
        paces.set(store, { line, waiting: 0, named, rate: named, since: now, next: now + WINDOW_MILLIS })
      } else if (sentAt >= pace.since + WINDOW_MILLIS) {
        // It was sent in its turn, and was too much all the same.
        pace.named = named
        pace.rate = Math.max(LOWEST_RATE, Math.min(named, pace.rate * BACKOFF))
        pace.since = now
        pace.next = now + WINDOW_MILLIS
      }
    }
  }
}

const gapOf = ({ rate }: Pace): number => 1000 / rate

/** Whether nobody waits any more, and none needs to. */
const isQuiet = ({ next, since, waiting }: Pace, now: number): boolean =>
  waiting === 0 && now >= next && now - since > QUIET_MILLIS

const turnAt = (pace: Pace, most: Duration.Duration, letGo: () => void): Effect.Effect<boolean> =>
  Effect.clockWith((clock) => {
    const now = monotonicMillis(clock)
    if (isQuiet(pace, now)) {
      letGo()
      return Effect.succeed(true)
    }
    const wait = pace.next - now + pace.waiting * gapOf(pace)
    if (wait >= Duration.toMillis(most)) return Effect.succeed(false)
    return inLine(pace, (resume, runtime) =>
      startWithin(pace.line.withPermits(1)(untilNext(pace, clock)), runtime, clock, most, resume)
    )
  })

/** Starts an effect in a fiber of its own, and tells whether it is over within a time. Gives what stops it. */
const startWithin = (
  effect: Effect.Effect<void>,
  runtime: Runtime.Runtime<never>,
  clock: Clock.Clock,
  time: Duration.Duration,
  tell: (isOver: boolean) => void
): Effect.Effect<void> => {
  let isOver = false
  let takeBack = (): void => {}
  const told = Effect.map(effect, () => {
    isOver = true
    takeBack()
    tell(true)
  })
  // Interruptible even where the caller is not: nobody but the alarm and the caller interrupts it.
  const fiber = Runtime.runFork(Runtime.enableRuntimeFlag(runtime, RuntimeFlags.Interruption))(told)
  if (isOver) return Effect.void
  takeBack = setAlarm(clock, time, () => {
    fiber.unsafeInterruptAsFork(FiberId.none)
    tell(false)
  })
  return Effect.zipRight(Effect.sync(takeBack), Fiber.interrupt(fiber))
}

/** Takes a place in the line while something is under way that can be stopped, and leaves it whichever way that ends. */
const inLine = (
  pace: Pace,
  start: (resume: (came: boolean) => void, runtime: Runtime.Runtime<never>) => Effect.Effect<void>
): Effect.Effect<boolean> =>
  Effect.suspend(() => {
    let stop: Effect.Effect<void> = Effect.void
    return Effect.acquireUseRelease(
      Effect.sync(() => {
        pace.waiting += 1
      }),
      () =>
        Effect.flatMap(Effect.runtime<never>(), (runtime) =>
          Effect.async<boolean>((resume) => {
            stop = start((came) => resume(Effect.succeed(came)), runtime)
          })
        ),
      () =>
        Effect.suspend(() => {
          pace.waiting -= 1
          return stop
        })
    )
  })

/** Waits at the head of the line until the next request may be sent, and takes that turn. */
const untilNext = (pace: Pace, clock: Clock.Clock): Effect.Effect<void> =>
  Effect.suspend(() => {
    const now = monotonicMillis(clock)
    // A 429 may put the turn off meanwhile. Clocks count in whole milliseconds.
    if (now < pace.next) {
      return Effect.zipRight(Effect.sleep(Math.ceil(pace.next - now)), untilNext(pace, clock))
    }
    if (now - pace.since > QUIET_MILLIS) {
      pace.rate = Math.min(pace.named, pace.rate / BACKOFF)
      pace.since = now
    }
    pace.next = now + gapOf(pace)
    return Effect.void
  })

/** Between two requests for one store that keep to the documented rate. */
const GAP_MILLIS = Math.ceil(1000 / DOCUMENTED_RATE)

/** Forgets what can no longer matter about once a second, so that memory does not grow with the number of stores. */
const SWEEP_MILLIS = 1000

/** Spaces the requests for each store evenly, so that they never come faster than the server's rate. */
const makeSpacing = (): ((store: string, now: number) => number) => {
  const next = new Map<string, number>()
  let sweptAt = 0
  return (store, now) => {
    if (now - sweptAt >= SWEEP_MILLIS) {
      sweptAt = now
      for (const [store, time] of next) if (time <= now) next.delete(store)
    }
    const slot = Math.max(now, next.get(store) ?? now)
    next.set(store, slot + GAP_MILLIS)
    return slot - now
  }
}
