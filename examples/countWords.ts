/**
 * Code that reads and writes records, for the examples of unit tests.
 */
import {
  type ApifyClient,
  type ListRecordsError,
  listRecords,
  type PutRecordError,
  putRecord
} from "@effect-apify/http"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

/** What is written. */
export const Output = Schema.Struct({ words: Schema.Number })

/** Counts the words in all pages of a store, and writes their number to its `OUTPUT`. */
export const countWords = (
  ref: string
): Effect.Effect<void, ListRecordsError | PutRecordError, ApifyClient.ApifyClient> =>
  listRecords(ref, { prefix: "page-" }).pipe(
    Stream.mapEffect(({ text }) => text),
    Stream.runFold(0, (words, text) => words + text.trim().split(/\s+/).length),
    Effect.flatMap((words) => putRecord(ref, "OUTPUT", { schema: Output, value: { words } }))
  )
