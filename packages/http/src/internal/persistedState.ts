/**
 * State that is kept in a record: when it is saved, and what if it cannot be.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Queue from "effect/Queue"
import * as Ref from "effect/Ref"
import type { ActorEvent } from "../ActorEvent.js"

/** The events that may be the last that a program learns, or that ask for it. */
const SAVE_EVENTS: ReadonlySet<string> = new Set(["migrating", "aborting", "persistState"])

/** Waits for the next event that is a reason to save. */
export const nextSaveEvent = (events: Queue.Dequeue<ActorEvent>): Effect.Effect<ActorEvent> =>
  Effect.repeat(events.take, { until: ({ name }) => SAVE_EVENTS.has(name) })

/** A save, and what became of the last one. */
interface Saving<E, R> {
  readonly save: Effect.Effect<void, E, R>
  readonly lastFailure: Effect.Effect<Option.Option<E>>
}

/**
 * Saves one at a time, and not what is saved already. A save that has begun is not interrupted: if a server went on with one
 * that was, it could take the place of a later one.
 *
 * @param text what is compared; `None` for what has none, of which `put` says why
 */
export const makeSaving = <A, E, R, R2>(
  value: Effect.Effect<A>,
  text: (value: A) => Effect.Effect<Option.Option<string>, never, R>,
  put: (value: A) => Effect.Effect<void, E, R2>
): Effect.Effect<Saving<E, R | R2>, never, R> =>
  Effect.gen(function* () {
    let saved = yield* Effect.flatMap(value, text)
    const failure = yield* Ref.make(Option.none<E>())
    const lock = yield* Effect.makeSemaphore(1)
    const save = Effect.gen(function* () {
      const current = yield* value
      const next = yield* text(current)
      if (Option.isSome(next) && Option.contains(saved, next.value)) return
      yield* put(current)
      saved = next
    }).pipe(
      Effect.zipRight(Ref.set(failure, Option.none())),
      Effect.tapError((error) => Ref.set(failure, Option.some(error))),
      Effect.uninterruptible,
      lock.withPermits(1)
    )
    return { save, lastFailure: Ref.get(failure) }
  })
