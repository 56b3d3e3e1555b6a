/**
 * Yields to the event loop during long work.
 */
import * as Effect from "effect/Effect"

/**
 * Lets the event loop handle what is waiting, such as signals. `Effect.yieldNow` lets other fibers run, and mostly not
 * the event loop.
 */
export const yieldToEventLoop: Effect.Effect<void> = Effect.async((resume) => {
  const immediate = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(immediate))
})

/** As `Effect.forEach`, yielding to the event loop after every `batch` elements. */
export const forEachYielding = <A, B, E, R>(
  elements: ReadonlyArray<A>,
  batch: number,
  f: (element: A, index: number) => Effect.Effect<B, E, R>
): Effect.Effect<ReadonlyArray<B>, E, R> =>
  Effect.forEach(elements, (element, index) =>
    index % batch === batch - 1 ? Effect.zipLeft(f(element, index), yieldToEventLoop) : f(element, index)
  )
