/**
 * Operations on single records, for what works on many of them: they always keep to the rate for one store.
 */
import type { StoreRef } from "@effect-apify/domain/StoreRef"
import * as Effect from "effect/Effect"
import { ApifyClient } from "../ApifyClient.js"
import type { CallOptions } from "../CallOptions.js"
import type { PutRecordOptions, RecordContent } from "../RecordContent.js"
import {
  DeleteRecord,
  type DeleteRecordError,
  GetRecord,
  type GetRecordError,
  type PutRecordError,
  put
} from "../Records.js"
import type { StoredRecord } from "../StoredRecord.js"
import { recordTargetOf } from "./recordTarget.js"

/** How many calls to make at once, where nobody says. */
export const CONCURRENCY = 16

export const getPaced = (
  ref: StoreRef | string,
  key: string,
  options: CallOptions
): Effect.Effect<StoredRecord, GetRecordError, ApifyClient> =>
  Effect.flatMap(ApifyClient, (client) =>
    Effect.flatten(client.run(new GetRecord(recordTargetOf(ref, key), undefined, true), options))
  )

export const putPaced = <A, I, R>(
  ref: StoreRef | string,
  key: string,
  content: RecordContent<A, I, never, R>,
  options: PutRecordOptions
): Effect.Effect<void, PutRecordError, ApifyClient | R> => put(ref, key, content, options, true)

export const deletePaced = (
  ref: StoreRef | string,
  key: string,
  options: CallOptions
): Effect.Effect<void, DeleteRecordError, ApifyClient> =>
  Effect.flatMap(ApifyClient, (client) => client.run(new DeleteRecord(recordTargetOf(ref, key), true), options))
