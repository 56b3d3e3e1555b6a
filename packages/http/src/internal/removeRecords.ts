/**
 * Deletes many records, at the rate for one store.
 */
import type { StoreRef } from "@effect-apify/domain/StoreRef"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Stream from "effect/Stream"
import { ApifyClient } from "../ApifyClient.js"
import type { CallOptions } from "../CallOptions.js"
import { DeleteRecord, type DeleteRecordError } from "../Records.js"
import { mapConcurrently } from "./concurrently.js"
import { recordTargetOf } from "./recordTarget.js"

/** Deletes the records that are there under the keys. The first error ends it. */
export const removeRecords = <E, R>(
  ref: StoreRef | string,
  keys: Stream.Stream<string, E, R>,
  options: CallOptions
): Effect.Effect<void, E | DeleteRecordError, ApifyClient | R> =>
  mapConcurrently(keys, { unordered: true }, (key) => Effect.either(removeRecord(ref, key, options))).pipe(
    Stream.runForEach(identity)
  )

/** Deletes one of many records. */
export const removeRecord = (
  ref: StoreRef | string,
  key: string,
  options: CallOptions
): Effect.Effect<void, DeleteRecordError, ApifyClient> =>
  Effect.flatMap(ApifyClient, (client) => client.run(new DeleteRecord(recordTargetOf(ref, key), true), options))
