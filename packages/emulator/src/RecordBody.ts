/**
 * Bodies of records, as their readers get them.
 *
 * @since 0.1.0
 */
import { Readable } from "node:stream"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ParseError } from "effect/ParseResult"
import type * as Runtime from "effect/Runtime"
import * as Stream from "effect/Stream"
import { type ContentEncoding, type DecodingError, decodeBytes, decodeStream } from "./ContentEncoding.js"
import { bodyOf, type StoredRecord } from "./RecordRows.js"
import type { Database } from "./Row.js"
import { CHUNK_BYTES } from "./Uploads.js"

// ---- Sending -----------------------------------------------------------------------------------------------------------

/**
 * What a response that is read later runs in. Requests are handled without being interrupted, and readers may leave.
 *
 * @since 0.1.0
 * @category streaming
 */
export const readersRuntime: Effect.Effect<Runtime.Runtime<Database>, never, Database> = Effect.interruptible(
  Effect.runtime<Database>()
)

/**
 * A body that is logged once if it cannot be read to its end.
 *
 * @since 0.1.0
 * @category streaming
 */
export const logged = <E, R>(body: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Uint8Array, E, R> =>
  Stream.tapErrorCause(body, (cause) => Effect.logError("A record could not be read to its end", cause))

/** Begins to read when it is read from: the response to a HEAD never is. */
const lazily = async function* (
  body: Stream.Stream<Uint8Array, unknown, Database>,
  runtime: Runtime.Runtime<Database>
): AsyncGenerator<Uint8Array> {
  yield* Stream.toAsyncIterableRuntime(body, runtime)
}

/**
 * A body as Node sends it. If it fails, the connection is cut: Effect's own responses would end as if they were whole.
 *
 * @since 0.1.0
 * @category streaming
 */
export const readableOf = (
  body: Stream.Stream<Uint8Array, unknown, Database>
): Effect.Effect<Readable, never, Database> =>
  Effect.map(readersRuntime, (runtime) => Readable.from(lazily(logged(body), runtime)))

// ---- Decoding ----------------------------------------------------------------------------------------------------------

type BodyError = DecodingError | SqlError | ParseError

/**
 * The body of a record without its encoding: in memory, unless it is large. A body that is not what its encoding says
 * fails at once if its beginning shows that, and where it is read otherwise.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodedOf: (
  record: StoredRecord,
  encoding: ContentEncoding
) => Effect.Effect<Uint8Array | Stream.Stream<Uint8Array, BodyError, Database>, BodyError, Database> =
  Effect.fnUntraced(function* (record, encoding) {
    const small = record.bytes === null ? Option.none() : yield* decodeBytes(record.bytes, encoding, CHUNK_BYTES)
    if (Option.isSome(small)) return small.value
    const large = decodeStream(bodyOf(record), encoding)
    yield* Stream.runHead(large)
    return large
  })
