/**
 * Uploads in the database: large bodies, in chunks that are written as they arrive.
 *
 * Until its record is written, and again when its record has gone, an upload is listed in `discarded`: so whatever ends it,
 * its chunks are found and removed.
 *
 * @since 0.1.0
 */
import { randomUUID } from "node:crypto"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as SqlSchema from "@effect/sql/SqlSchema"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ParseError } from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import { yieldToEventLoop } from "./internal/eventLoop.js"
import { type Database, onlyRow, Row, rowsOf, selectRow } from "./Row.js"

/**
 * How large a chunk is, and the largest body that stands in its record's row, in bytes.
 *
 * @since 0.1.0
 * @category constants
 */
export const CHUNK_BYTES = 1_048_576

/** How often each upload is being written or read in this process. Its chunks stay for as long. */
const held = new Map<string, number>()

const hold = (uploadId: string): Effect.Effect<void, never, Database | Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      held.set(uploadId, (held.get(uploadId) ?? 0) + 1)
    }),
    () => {
      const others = (held.get(uploadId) ?? 0) - 1
      if (others > 0) held.set(uploadId, others)
      else held.delete(uploadId)
      return others > 0 ? Effect.void : removeDiscarded
    }
  )

/** How many chunks are removed before the event loop runs. */
const REMOVED_AT_ONCE = 16

const selectUpload = selectRow({ uploadId: "upload_id" })

const findDiscarded = SqlSchema.findAll({
  Request: Schema.Void,
  Result: Row(Schema.Struct({ uploadId: Schema.String })),
  execute: () => Effect.flatMap(SqlClient.SqlClient, (sql) => rowsOf(sql`SELECT ${selectUpload(sql)} FROM discarded`))
})

const selectCount = selectRow({ count: "count(*)" })

const countRow = SqlSchema.single({
  Request: Schema.String,
  Result: Row(Schema.Struct({ count: Schema.Number })),
  execute: (uploadId) =>
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      rowsOf(sql`SELECT ${selectCount(sql)} FROM chunks WHERE upload_id = ${uploadId}`)
    )
})

const countChunks = (uploadId: string): Effect.Effect<number, SqlError | ParseError, Database> =>
  Effect.map(onlyRow(countRow(uploadId)), ({ count }) => count)

const removeUpload = Effect.fnUntraced(function* (uploadId: string) {
  const sql = yield* SqlClient.SqlClient
  const count = yield* countChunks(uploadId)
  for (let end = count; end > 0; end -= REMOVED_AT_ONCE) {
    // Another process may have written its record meanwhile.
    yield* rowsOf(sql`
      DELETE FROM chunks
      WHERE upload_id = ${uploadId} AND number >= ${end - REMOVED_AT_ONCE}
        AND EXISTS (SELECT 1 FROM discarded WHERE upload_id = ${uploadId})`)
    yield* yieldToEventLoop
  }
  // Or more of its chunks.
  yield* rowsOf(sql`
    DELETE FROM discarded
    WHERE upload_id = ${uploadId} AND NOT EXISTS (SELECT 1 FROM chunks WHERE upload_id = ${uploadId})`)
})

/**
 * Removes the chunks of uploads that are over and belong to no record: of those that were broken off, and of records that
 * were replaced or deleted, once nobody reads them any more. What cannot be removed now is removed later.
 *
 * @since 0.1.0
 * @category statements
 */
export const removeDiscarded: Effect.Effect<void, never, Database> = Effect.gen(function* () {
  for (const { row } of yield* findDiscarded(undefined)) {
    if (!held.has(row.uploadId)) yield* removeUpload(row.uploadId)
  }
}).pipe(Effect.ignore)

/**
 * A body that was received: its bytes, or the upload that has them in chunks.
 *
 * @since 0.1.0
 * @category models
 */
export type ReceivedBody =
  | { readonly _tag: "Bytes"; readonly size: number; readonly bytes: Uint8Array }
  | { readonly _tag: "Upload"; readonly size: number; readonly id: string; readonly chunks: number }

/** What has arrived of a body. At most one chunk of it is in memory. */
class Incoming {
  size = 0
  chunks = 0
  readonly id = randomUUID()
  private first: Uint8Array = new Uint8Array()
  private chunk: Buffer | undefined
  private filled = 0

  /** Takes what fits into the chunk, and returns how much that is. */
  take(piece: Uint8Array): number {
    if (this.filled === 0 && this.chunk === undefined && piece.length <= CHUNK_BYTES) {
      this.first = piece
      this.filled = piece.length
      return piece.length
    }
    if (this.chunk === undefined) {
      this.chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
      this.chunk.set(this.first)
    }
    const taken = Math.min(piece.length, CHUNK_BYTES - this.filled)
    this.chunk.set(piece.subarray(0, taken), this.filled)
    this.filled += taken
    return taken
  }

  get isFull(): boolean {
    return this.filled === CHUNK_BYTES
  }

  get bytes(): Uint8Array {
    return this.chunk === undefined ? this.first : this.chunk.subarray(0, this.filled)
  }

  clear(): void {
    this.chunk ??= Buffer.allocUnsafeSlow(CHUNK_BYTES)
    this.filled = 0
  }
}

const writeChunk = Effect.fnUntraced(function* (incoming: Incoming) {
  const sql = yield* SqlClient.SqlClient
  if (incoming.chunks === 0) yield* hold(incoming.id)
  // With every chunk: another process may have removed those before it.
  yield* sql.withTransaction(
    Effect.zipRight(
      rowsOf(sql`INSERT INTO discarded (upload_id) VALUES (${incoming.id}) ON CONFLICT DO NOTHING`),
      rowsOf(sql`
        INSERT INTO chunks (upload_id, number, bytes) VALUES (${incoming.id}, ${incoming.chunks}, ${incoming.bytes})`)
    )
  )
  incoming.chunks += 1
  incoming.clear()
  yield* yieldToEventLoop
})

const addPiece = Effect.fnUntraced(function* (incoming: Incoming, piece: Uint8Array) {
  let rest = piece
  while (rest.length > 0) {
    // A full chunk is written when more follows: a body of one chunk is no upload.
    if (incoming.isFull) yield* writeChunk(incoming)
    rest = rest.subarray(incoming.take(rest))
  }
})

/**
 * Receives a body, and writes it to the database as it arrives unless it is small. `None` if it has more than `maximum`
 * bytes; the rest is read all the same, so that the client gets to read a response. The chunks of an upload that does not
 * become a record's before the scope ends are removed.
 *
 * @since 0.1.0
 * @category statements
 */
export const receiveBody: <E, R>(
  nextChunk: Effect.Effect<Option.Option<Uint8Array>, E, R>,
  maximum: number
) => Effect.Effect<Option.Option<ReceivedBody>, E | SqlError, R | Database | Scope> = Effect.fnUntraced(
  function* (nextChunk, maximum) {
    const incoming = new Incoming()
    for (let next = yield* nextChunk; Option.isSome(next); next = yield* nextChunk) {
      incoming.size += next.value.length
      if (incoming.size <= maximum) yield* addPiece(incoming, next.value)
    }
    const { id, size, bytes } = incoming
    if (size > maximum) return Option.none()
    if (incoming.chunks === 0) return Option.some<ReceivedBody>({ _tag: "Bytes", size, bytes })
    yield* writeChunk(incoming)
    return Option.some<ReceivedBody>({ _tag: "Upload", size, id, chunks: incoming.chunks })
  }
)

/**
 * Makes an upload a record's, in the transaction that writes the record: its chunks stay until the record has gone.
 *
 * @since 0.1.0
 * @category statements
 */
export const claimUpload: (
  upload: Extract<ReceivedBody, { readonly _tag: "Upload" }>
) => Effect.Effect<void, SqlError | ParseError, Database> = Effect.fnUntraced(function* ({ id, chunks }) {
  const sql = yield* SqlClient.SqlClient
  if ((yield* countChunks(id)) !== chunks) return yield* Effect.dieMessage("Chunks of an upload are missing")
  yield* rowsOf(sql`DELETE FROM discarded WHERE upload_id = ${id}`)
})

const findChunk = SqlSchema.single({
  Request: Schema.Struct({ uploadId: Schema.String, number: Schema.Number }),
  Result: Schema.Struct({ bytes: Schema.Uint8ArrayFromSelf }),
  execute: ({ uploadId, number }) =>
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      rowsOf(sql`SELECT bytes FROM chunks WHERE upload_id = ${uploadId} AND number = ${number}`)
    )
})

/**
 * The body that an upload has. Its chunks stay for as long as it is read.
 *
 * @since 0.1.0
 * @category statements
 */
export const uploadedBytes = (
  uploadId: string,
  size: number
): Stream.Stream<Uint8Array, SqlError | ParseError, Database> =>
  Stream.unwrapScoped(
    Effect.as(
      hold(uploadId),
      Stream.unfoldEffect({ number: 0, read: 0 }, ({ number, read }) =>
        read >= size
          ? Effect.succeedNone
          : findChunk({ uploadId, number }).pipe(
              // Another process may have removed it. The reader must not take what there is for the whole.
              Effect.catchTag("NoSuchElementException", () => Effect.dieMessage("A chunk of a record is missing")),
              Effect.zipLeft(yieldToEventLoop),
              Effect.map(({ bytes }) =>
                Option.some([bytes, { number: number + 1, read: read + bytes.length }] as const)
              )
            )
      )
    )
  )

/**
 * A body that is in memory.
 *
 * @since 0.1.0
 * @category statements
 */
export const streamOf = (bytes: Uint8Array): Stream.Stream<Uint8Array> =>
  bytes.length === 0 ? Stream.empty : Stream.make(bytes)

/**
 * A body that was received, from its beginning.
 *
 * @since 0.1.0
 * @category statements
 */
export const receivedBytes = (body: ReceivedBody): Stream.Stream<Uint8Array, SqlError | ParseError, Database> =>
  body._tag === "Bytes" ? streamOf(body.bytes) : uploadedBytes(body.id, body.size)
