/**
 * Records in the database: one row for each record. A small body is in its record's row, and a large one is an upload.
 *
 * @since 0.1.0
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as SqlSchema from "@effect/sql/SqlSchema"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ParseError } from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { ContentEncoding } from "./ContentEncoding.js"
import { array, type Database, object, onlyRow, Row, RowWithBytes, rowsOf, selectRow } from "./Row.js"
import { contentOf, type SeedRecord } from "./SeedRecord.js"
import { claimUpload, type ReceivedBody, removeDiscarded, streamOf, uploadedBytes } from "./Uploads.js"

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
    onSome: (uploadId) => uploadedBytes(uploadId, row.size)
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

/** SQLite's own. */
const NO_LIMIT = -1

/** All keys in one row: a row for each would take twice as long to read. */
const findItems = SqlSchema.single({
  Request: Schema.Struct({
    storeId: Schema.String,
    from: Schema.String,
    to: Schema.String,
    limit: Schema.Number,
    order: Schema.Literal("key", "modified_at, key")
  }),
  Result: Row(Schema.Struct({ items: Schema.NullOr(Schema.Array(KeyItem)) })),
  execute: ({ storeId, from, to, limit, order }) =>
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      rowsOf(sql`
        SELECT ${selectItems(sql)}
        FROM (
          SELECT key, size
          FROM records
          WHERE store_id = ${storeId} AND key >= ${from} AND key < ${to}
          ORDER BY ${sql.literal(order)}
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
  Effect.map(onlyRow(findItems({ storeId, ...range, limit, order: "key" })), ({ items }) => items ?? [])

/**
 * All keys of a range, in the order in which their records were written.
 *
 * @since 0.1.0
 * @category statements
 */
export const keysByAge = (
  storeId: string,
  range: KeyRange
): Effect.Effect<ReadonlyArray<string>, SqlError | ParseError, Database> =>
  Effect.map(onlyRow(findItems({ storeId, ...range, limit: NO_LIMIT, order: "modified_at, key" })), ({ items }) =>
    (items ?? []).map(({ key }) => key)
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
  if (isUpload) yield* claimUpload(body)
})

/**
 * Changes the record of a name in a transaction, which gets the size of the record before. `false` if there is no such
 * store.
 */
const changeRecord = Effect.fnUntraced(function* (
  name: RecordName,
  change: (
    size: Option.Option<number>,
    at: string,
    sql: SqlClient.SqlClient
  ) => Effect.Effect<unknown, SqlError | ParseError, Database>
) {
  const sql = yield* SqlClient.SqlClient
  const at = DateTime.formatIso(yield* DateTime.now)
  const previous = yield* sql.withTransaction(
    Effect.tap(
      findPrevious(name),
      Option.match({ onNone: () => Effect.void, onSome: ({ row }) => change(row.size, at, sql) })
    )
  )
  if (Option.exists(previous, ({ row }) => Option.isSome(row.uploadId))) yield* removeDiscarded
  return Option.isSome(previous)
})

/**
 * Writes a record, over the one with its key if there is one, and counts it. Readers see the one or the other, whole.
 * `false` if there is no such store.
 *
 * @since 0.1.0
 * @category statements
 */
export const saveRecord = (record: NewRecord): Effect.Effect<boolean, SqlError | ParseError, Database> =>
  changeRecord(record, (size, at, sql) => {
    const added = record.body.size - Option.getOrElse(size, () => 0)
    return Effect.zipRight(
      insertRecord(record, at),
      rowsOf(sql`
        UPDATE stores SET
          modified_at = ${at},
          accessed_at = ${at},
          has_stats = 1,
          write_count = coalesce(write_count, 0) + 1,
          storage_bytes = ${storageBytes(sql, added)}
        WHERE id = ${record.storeId}`)
    )
  })

/**
 * Deletes a record, if there is one, and counts it.
 *
 * @since 0.1.0
 * @category statements
 */
export const deleteRecord = (name: RecordName): Effect.Effect<void, SqlError | ParseError, Database> =>
  Effect.asVoid(
    changeRecord(name, (size, at, sql) =>
      Effect.zipRight(
        rowsOf(sql`DELETE FROM records WHERE store_id = ${name.storeId} AND key = ${name.key}`),
        rowsOf(sql`
          UPDATE stores SET
            modified_at = ${Option.isSome(size) ? sql`${at}` : sql`modified_at`},
            accessed_at = ${at},
            has_stats = 1,
            delete_count = coalesce(delete_count, 0) + 1,
            storage_bytes = ${Option.match(size, {
              onNone: () => sql`storage_bytes`,
              onSome: (size) => storageBytes(sql, -size)
            })}
          WHERE id = ${name.storeId}`)
      )
    )
  )

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
