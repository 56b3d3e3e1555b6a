/**
 * Code of yours that uses `getStore`, to be tested without a network: the test is in test/unitTest.test.ts.
 *
 *     npx vitest run --config vitest.workspace.ts --project examples unitTest
 */
import type { GetStoreError, Store } from "@effect-apify/domain"
import { type ApifyClient, getStore } from "@effect-apify/http"
import * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** Those of the stores that nobody has accessed for `time`. A store that no longer exists is passed over. */
export const findUnused = (
  refs: ReadonlyArray<string>,
  time: Duration.DurationInput
): Effect.Effect<ReadonlyArray<Store>, GetStoreError, ApifyClient> =>
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
