/**
 * Deletes many records, at the rate for one store.
 */
import type { StoreRef } from "@effect-apify/domain/StoreRef"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Stream from "effect/Stream"
import { ApifyClient } from "../ApifyClient.js"
import type { CallOptions } from "../CallOptions.js"
import { CONCURRENCY } from "../RecordStreams.js"
import { DeleteRecord, type DeleteRecordError } from "../Records.js"
import { mapConcurrently } from "./concurrently.js"
import { recordTargetOf } from "./recordTarget.js"

/** Deletes the records that are there under the keys. The first error ends it. */
export const removeRecords = <E, R>(
  ref: StoreRef | string,
  keys: Stream.Stream<string, E, R>,
  options: CallOptions
): Effect.Effect<void, E | DeleteRecordError, ApifyClient | R> =>
  mapConcurrently(keys, { concurrency: CONCURRENCY, unordered: true }, (key) =>
    Effect.flatMap(ApifyClient, (client) =>
      Effect.either(client.run(new DeleteRecord(recordTargetOf(ref, key), true), options))
    )
  ).pipe(Stream.runForEach(identity))
