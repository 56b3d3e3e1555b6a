/**
 * Code that uses `getStore`, for the examples of unit tests.
 */
import { type ApifyClient, type GetStoreError, getStore, type Store } from "@effect-apify/http"
import * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** The stores that nobody has accessed for `time`. A store that does not exist is left out. */
export const findUnused = (
  refs: ReadonlyArray<string>,
  time: Duration.DurationInput
): Effect.Effect<ReadonlyArray<Store>, GetStoreError, ApifyClient.ApifyClient> =>
  Effect.gen(function* () {
    const since = DateTime.subtractDuration(yield* DateTime.now, time)
    const stores = yield* Effect.forEach(
      refs,
      (ref) =>
        getStore(ref).pipe(
          Effect.asSome,
          Effect.catchTag("StoreNotFoundError", () => Effect.succeedNone)
        ),
      { concurrency: 4 }
    )
    return Arr.getSomes(stores).filter(({ accessedAt }) => DateTime.lessThan(accessedAt, since))
  })
