/**
 * Records in the database: one row for each record. A small body is in its record's row, and a large one in chunks.
 *
 * The chunks of an upload are written as they arrive. Until its record is written, and again when its record has gone,
 * an upload is listed in `discarded`: so whatever ends it, its chunks are found and removed.
 *
 * @since 0.1.0
 */
import { randomUUID } from "node:crypto"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as SqlSchema from "@effect/sql/SqlSchema"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ParseError } from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import { ContentEncoding } from "./ContentEncoding.js"
import { yieldToEventLoop } from "./internal/eventLoop.js"
import { array, type Database, object, Row, RowWithBytes, rowsOf, selectRow } from "./Row.js"
import { contentOf, type SeedRecord } from "./SeedRecord.js"

/**
 * How large a chunk is, and the largest body that stands in its record's row, in bytes.
 *
 * @since 0.1.0
 * @category constants
 */
export const CHUNK_BYTES = 1_048_576

// ---- Uploads -----------------------------------------------------------------------------------------------------------

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

/** A count has one row. */
const countChunks = (uploadId: string): Effect.Effect<number, SqlError | ParseError, Database> =>
  Effect.map(Effect.catchTag(countRow(uploadId), "NoSuchElementException", Effect.die), ({ row }) => row.count)

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

const findChunk = SqlSchema.single({
  Request: Schema.Struct({ uploadId: Schema.String, number: Schema.Number }),
  Result: Schema.Struct({ bytes: Schema.Uint8ArrayFromSelf }),
  execute: ({ uploadId, number }) =>
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      rowsOf(sql`SELECT bytes FROM chunks WHERE upload_id = ${uploadId} AND number = ${number}`)
    )
})

const chunksOf = (uploadId: string, size: number): Stream.Stream<Uint8Array, SqlError | ParseError, Database> =>
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

const streamOf = (bytes: Uint8Array): Stream.Stream<Uint8Array> =>
  bytes.length === 0 ? Stream.empty : Stream.make(bytes)

/**
 * A body that was received, from its beginning.
 *
 * @since 0.1.0
 * @category statements
 */
export const receivedBytes = (body: ReceivedBody): Stream.Stream<Uint8Array, SqlError | ParseError, Database> =>
  body._tag === "Bytes" ? streamOf(body.bytes) : chunksOf(body.id, body.size)

// ---- Reading -----------------------------------------------------------------------------------------------------------

/**
 * A record without its body.
 *
 * @since 0.1.0
 * @category schemas
 */
export const RecordHead = Schema.Struct({
  key: Schema.String,
  /** Of the body as it is stored, in bytes. */
  size: Schema.Number,
  contentType: Schema.String,
  contentEncoding: Schema.OptionFromNullOr(ContentEncoding),
  modifiedAt: Schema.DateTimeUtc,
  uploadId: Schema.OptionFromNullOr(Schema.String)
}).annotations({ identifier: "RecordHead" })

/**
 * A record. `bytes` is its body if that is in its row.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoredRecord {
  readonly row: typeof RecordHead.Type
  readonly bytes: Uint8Array | null
}

const selectRecord = selectRow({
  key: "key",
  size: "size",
  contentType: "content_type",
  contentEncoding: "content_encoding",
  modifiedAt: "modified_at",
  uploadId: "upload_id"
})

const RecordName = Schema.Struct({ storeId: Schema.String, key: Schema.String })
type RecordName = typeof RecordName.Type

/**
 * Finds a record.
 *
 * @since 0.1.0
 * @category statements
 */
export const findRecord: (
  name: RecordName
) => Effect.Effect<Option.Option<StoredRecord>, SqlError | ParseError, Database> = SqlSchema.findOne({
  Request: RecordName,
  Result: RowWithBytes(RecordHead),
  execute: ({ storeId, key }) =>
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      rowsOf(sql`
        SELECT ${selectRecord(sql)}, body AS bytes
        FROM records
        WHERE store_id = ${storeId} AND key = ${key}`)
    )
})

/**
 * The body of a record as it is stored. It stays whole for its reader when the record is replaced or deleted meanwhile.
 *
 * @since 0.1.0
 * @category statements
 */
export const bodyOf = ({ row, bytes }: StoredRecord): Stream.Stream<Uint8Array, SqlError | ParseError, Database> =>
  Option.match(row.uploadId, {
    onNone: () => (bytes === null ? Stream.empty : streamOf(bytes)),
    onSome: (uploadId) => chunksOf(uploadId, row.size)
  })

/**
 * Keys from `from` on and before `to`, by their bytes.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyRange {
  readonly from: string
  readonly to: string
}

/**
 * One item of a list of keys.
 *
 * @since 0.1.0
 * @category schemas
 */
export const KeyItem = Schema.Struct({ key: Schema.String, size: Schema.Number }).annotations({ identifier: "KeyItem" })

const selectItems = selectRow({ items: array(object({ key: "key", size: "size" })) })

/** All keys in one row: a row for each would take twice as long to read. */
const findItems = SqlSchema.single({
  Request: Schema.Struct({
    storeId: Schema.String,
    from: Schema.String,
    to: Schema.String,
    limit: Schema.Number
  }),
  Result: Row(Schema.Struct({ items: Schema.NullOr(Schema.Array(KeyItem)) })),
  execute: ({ storeId, from, to, limit }) =>
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      rowsOf(sql`
        SELECT ${selectItems(sql)}
        FROM (
          SELECT key, size
          FROM records
          WHERE store_id = ${storeId} AND key >= ${from} AND key < ${to}
          ORDER BY key
          LIMIT ${limit}) AS page`)
    )
})

/**
 * The first keys of a range, in the order of their bytes.
 *
 * @since 0.1.0
 * @category statements
 */
export const listKeys = (
  storeId: string,
  range: KeyRange,
  limit: number
): Effect.Effect<ReadonlyArray<typeof KeyItem.Type>, SqlError | ParseError, Database> =>
  findItems({ storeId, ...range, limit }).pipe(
    // An aggregate has one row.
    Effect.catchTag("NoSuchElementException", Effect.die),
    Effect.map(({ row }) => row.items ?? [])
  )

// ---- Writing -----------------------------------------------------------------------------------------------------------

const selectPrevious = selectRow({ size: "records.size", uploadId: "records.upload_id" })

/** The record of a name as it is before a change; `None` if there is no such store. */
const findPrevious = SqlSchema.findOne({
  Request: RecordName,
  Result: Row(
    Schema.Struct({
      size: Schema.OptionFromNullOr(Schema.Number),
      uploadId: Schema.OptionFromNullOr(Schema.String)
    })
  ),
  execute: ({ storeId, key }) =>
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      rowsOf(sql`
        SELECT ${selectPrevious(sql)}
        FROM stores
        LEFT JOIN records ON records.store_id = stores.id AND records.key = ${key}
        WHERE stores.id = ${storeId}`)
    )
})

/** A store's statistics may say less than what its records take: a seed can say anything. */
const storageBytes = (sql: SqlClient.SqlClient, added: number) => sql`
  CASE WHEN coalesce(storage_bytes, 0) + ${added} > 0 THEN coalesce(storage_bytes, 0) + ${added} ELSE 0 END`

/**
 * A record to be written.
 *
 * @since 0.1.0
 * @category models
 */
export interface NewRecord extends RecordName {
  readonly contentType: string
  readonly contentEncoding: Option.Option<string>
  readonly body: ReceivedBody
}

const insertRecord = Effect.fnUntraced(function* ({ storeId, key, body, ...head }: NewRecord, at: string) {
  const sql = yield* SqlClient.SqlClient
  const isUpload = body._tag === "Upload"
  const encoding = Option.getOrNull(head.contentEncoding)
  yield* rowsOf(sql`
    INSERT INTO records (store_id, key, size, content_type, content_encoding, modified_at, upload_id, body)
    VALUES (${storeId}, ${key}, ${body.size}, ${head.contentType}, ${encoding}, ${at},
      ${isUpload ? body.id : null}, ${isUpload ? null : body.bytes})
    ON CONFLICT (store_id, key) DO UPDATE SET
      size = excluded.size,
      content_type = excluded.content_type,
      content_encoding = excluded.content_encoding,
      modified_at = excluded.modified_at,
      upload_id = excluded.upload_id,
      body = excluded.body`)
  if (!isUpload) return
  if ((yield* countChunks(body.id)) !== body.chunks) return yield* Effect.dieMessage("Chunks of an upload are missing")
  yield* rowsOf(sql`DELETE FROM discarded WHERE upload_id = ${body.id}`)
})

/**
 * Writes a record, over the one with its key if there is one, and counts it. Readers see the one or the other, whole.
 * `false` if there is no such store.
 *
 * @since 0.1.0
 * @category statements
 */
export const saveRecord: (record: NewRecord) => Effect.Effect<boolean, SqlError | ParseError, Database> =
  Effect.fnUntraced(function* (record) {
    const sql = yield* SqlClient.SqlClient
    const at = DateTime.formatIso(yield* DateTime.now)
    const previous = yield* sql.withTransaction(
      Effect.gen(function* () {
        const previous = yield* findPrevious(record)
        if (Option.isNone(previous)) return previous
        yield* insertRecord(record, at)
        const added = record.body.size - Option.getOrElse(previous.value.row.size, () => 0)
        yield* rowsOf(sql`
          UPDATE stores SET
            modified_at = ${at},
            accessed_at = ${at},
            has_stats = 1,
            write_count = coalesce(write_count, 0) + 1,
            storage_bytes = ${storageBytes(sql, added)}
          WHERE id = ${record.storeId}`)
        return previous
      })
    )
    if (Option.exists(previous, ({ row }) => Option.isSome(row.uploadId))) yield* removeDiscarded
    return Option.isSome(previous)
  })

/**
 * Deletes a record, if there is one, and counts it.
 *
 * @since 0.1.0
 * @category statements
 */
export const deleteRecord: (name: RecordName) => Effect.Effect<void, SqlError | ParseError, Database> =
  Effect.fnUntraced(function* (name) {
    const { storeId, key } = name
    const sql = yield* SqlClient.SqlClient
    const at = DateTime.formatIso(yield* DateTime.now)
    const previous = yield* sql.withTransaction(
      Effect.gen(function* () {
        const previous = yield* findPrevious(name)
        const size = Option.flatMap(previous, ({ row }) => row.size)
        yield* rowsOf(sql`DELETE FROM records WHERE store_id = ${storeId} AND key = ${key}`)
        yield* rowsOf(sql`
          UPDATE stores SET
            modified_at = ${Option.isSome(size) ? sql`${at}` : sql`modified_at`},
            accessed_at = ${at},
            has_stats = 1,
            delete_count = coalesce(delete_count, 0) + 1,
            storage_bytes = ${Option.match(size, {
              onNone: () => sql`storage_bytes`,
              onSome: (size) => storageBytes(sql, -size)
            })}
          WHERE id = ${storeId}`)
        return previous
      })
    )
    if (Option.exists(previous, ({ row }) => Option.isSome(row.uploadId))) yield* removeDiscarded
  })

// ---- Seeding -----------------------------------------------------------------------------------------------------------

/**
 * Writes a record of a seed, over the one with its key if there is one. It counts as nothing.
 *
 * @since 0.1.0
 * @category statements
 */
export const seedRecord = (
  storeId: string,
  record: SeedRecord,
  at: DateTime.Utc
): Effect.Effect<void, SqlError | ParseError, Database> => {
  const { bytes, contentType } = contentOf(record)
  const contentEncoding = Option.fromNullable(record.contentEncoding)
  const body: ReceivedBody = { _tag: "Bytes", size: bytes.length, bytes }
  return insertRecord({ storeId, key: record.key, contentType, contentEncoding, body }, DateTime.formatIso(at))
}

/**
 * Writes down the size of all records of a store, if it has any.
 *
 * @since 0.1.0
 * @category statements
 */
export const measureRecords = (storeId: string): Effect.Effect<void, SqlError, Database> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    rowsOf(sql`
      UPDATE stores SET has_stats = 1, storage_bytes = (SELECT sum(size) FROM records WHERE store_id = ${storeId})
      WHERE id = ${storeId} AND EXISTS (SELECT 1 FROM records WHERE store_id = ${storeId})`)
  )
