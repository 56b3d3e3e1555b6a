/**
 * Time for calls over real sockets, by which no call is slower on a slower machine: it stands still while the network is at work.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Tracer from "effect/Tracer"
import { othersSettle, SimulatedClock } from "../simulatedTime.js"

/** Half a second past a whole one, as dates in headers are not. */
const START = Date.UTC(2026, 0, 1, 0, 0, 0, 500)

/** What a connection needs to become free after a response, or bytes to arrive. No outcome hangs on it. */
export const aMoment: Effect.Effect<void> = Effect.withClock(Effect.sleep("5 millis"), Clock.make())

/** Waits until something has happened. */
export const until = <E, R>(happened: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  Effect.asVoid(Effect.repeat(happened, { until: (happened) => happened, schedule: Schedule.spaced("1 millis") }))

export interface DrivenTime {
  /** For the client, and for the server that it calls. */
  readonly clock: SimulatedClock
  /** How many milliseconds have passed. */
  readonly elapsed: () => number
  /** Whether calls have begun, and all of them wait for time to pass. */
  readonly isAwaited: () => boolean
  /**
   * Runs calls by this clock to their end. Time passes between attempts, and while one is under way only if `serverWaits` has
   * grown since it began: how many attempts the server has brought to where only time ends them. What is read as a stream is
   * under way until it ends; where its response is to begin before the server waits, time passes once it has.
   */
  readonly drive: <A, E, R>(
    calls: Effect.Effect<A, E, R>,
    serverWaits?: Effect.Effect<number>,
    stream?: { readonly isToBegin: boolean }
  ) => Effect.Effect<A, E, R>
  /** Runs calls by this clock, which stands still. */
  readonly stopped: <A, E, R>(calls: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

export const makeDrivenTime = (): DrivenTime => {
  const clock = new SimulatedClock(START)
  let begun = 0
  let ended = 0
  /** Whether the last attempt that ended was a success. */
  let hasSucceeded = false
  let onBegin = (): void => {}

  /** An attempt has a span of the kind "client". */
  const countAttempts = <A, E, R>(calls: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Effect.tracer, (tracer) => {
      const counting = Tracer.make({
        span: (name, parent, context, links, startTime, kind, options) => {
          const span = tracer.span(name, parent, context, links, startTime, kind, options)
          if (kind !== "client") return span
          begun += 1
          onBegin()
          const end = span.end.bind(span)
          return Object.assign(span, {
            end: (...ending: Parameters<typeof end>) => {
              ended += 1
              hasSucceeded = Exit.isSuccess(ending[1])
              end(...ending)
            }
          })
        },
        context: tracer.context
      })
      return calls.pipe(Effect.withTracer(counting), Effect.withTracerEnabled(true))
    })

  const stopped = <A, E, R>(calls: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    countAttempts(Effect.withClock(calls, clock))

  return {
    clock,
    elapsed: () => Number(clock.unsafeCurrentTimeNanos() / 1_000_000n) - START,
    isAwaited: () => begun === ended && clock.timers > 0,
    stopped,
    drive: (calls, serverWaits = Effect.succeed(0), stream) =>
      Effect.gen(function* () {
        let waitsBefore = 0
        onBegin = () => {
          waitsBefore = Effect.runSync(serverWaits)
        }
        const fiber = yield* Effect.fork(stopped(calls))
        while (true) {
          yield* othersSettle
          if (fiber.unsafePoll() !== null) return yield* Fiber.join(fiber)
          const isBetween = begun === ended && !(stream !== undefined && hasSucceeded)
          const isToBegin = stream?.isToBegin === true && begun !== ended
          const passes = isBetween || (!isToBegin && (yield* serverWaits) > waitsBefore)
          if (!passes || !clock.advance()) yield* Effect.sleep("1 millis")
        }
      })
  }
}
