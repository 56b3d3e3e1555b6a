/**
 * The clock of this machine, which knows how many timers are set by it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

export interface CountedClock extends Clock.Clock {
  /** How many wait for their time now. */
  readonly timers: () => number
}

export const makeCountedClock = (): CountedClock => {
  const clock = Clock.make()
  let timers = 0
  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis(),
    unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos(),
    currentTimeMillis: clock.currentTimeMillis,
    currentTimeNanos: clock.currentTimeNanos,
    sleep: (duration) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          timers += 1
        }),
        () => clock.sleep(duration),
        () =>
          Effect.sync(() => {
            timers -= 1
          })
      ),
    timers: () => timers
  }
}
