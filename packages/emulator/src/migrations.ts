/**
 * The tables, version by version. A migration that was released is never changed.
 *
 * @since 0.1.0
 */
import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as SqlSchema from "@effect/sql/SqlSchema"
import { Store } from "@effect-apify/domain/Store"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { yieldToEventLoop } from "./internal/eventLoop.js"
import { Row, selectRow } from "./Row.js"
import { encodeStoreRow } from "./StoreRows.js"

const createTables = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE users (
      id TEXT PRIMARY KEY,
      username TEXT NOT NULL UNIQUE COLLATE NOCASE,
      setting TEXT NOT NULL
    ) STRICT`
  yield* sql`
    CREATE TABLE tokens (
      hash TEXT PRIMARY KEY,
      user_id TEXT NOT NULL REFERENCES users (id),
      scope TEXT NOT NULL
    ) STRICT`
  yield* sql`
    CREATE TABLE stores (
      id TEXT PRIMARY KEY,
      owner_id TEXT NOT NULL REFERENCES users (id),
      name TEXT COLLATE NOCASE,
      document TEXT NOT NULL,
      UNIQUE (owner_id, name)
    ) STRICT`
  yield* sql`
    CREATE TABLE grants (
      store_id TEXT NOT NULL REFERENCES stores (id),
      user_id TEXT NOT NULL REFERENCES users (id),
      access TEXT NOT NULL,
      PRIMARY KEY (store_id, user_id)
    ) STRICT`
})

/** How many stores are converted before the event loop runs. */
const BATCH = 200

/**
 * What marks a file as the emulator's: "ApfE" in ASCII, at the place that SQLite has for it.
 *
 * @since 0.1.0
 * @category constants
 */
export const APPLICATION_ID = 0x41_70_66_45

/**
 * Marks the database as the emulator's, with `APPLICATION_ID`.
 *
 * @since 0.1.0
 * @category migrations
 */
export const markAsOurs: Effect.Effect<void, SqlError, SqlClient.SqlClient> = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => Effect.asVoid(sql`PRAGMA application_id = ${sql.literal(String(APPLICATION_ID))}`)
)

const selectDocument = selectRow({ number: "rowid", document: "document" })

const findDocuments = SqlSchema.findAll({
  Request: Schema.Number,
  Result: Row(Schema.Struct({ number: Schema.Number, document: Schema.parseJson(Store) })),
  execute: (after) =>
    Effect.flatMap(
      SqlClient.SqlClient,
      (sql) => sql`
        SELECT ${selectDocument(sql)}
        FROM stores
        WHERE rowid > ${after}
        ORDER BY rowid
        LIMIT ${BATCH}`
    )
})

// The first version kept a store as one JSON document.
const documentsToColumns = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* markAsOurs
  const added = {
    "TEXT NOT NULL DEFAULT ''": ["created_at", "modified_at", "accessed_at"],
    TEXT: [
      "title",
      "act_id",
      "act_run_id",
      "console_url",
      "keys_public_url",
      "records_public_url",
      "url_signing_secret_key",
      "general_access",
      "schema"
    ],
    INTEGER: ["read_count", "write_count", "delete_count", "list_count", "storage_bytes", "s3_storage_bytes"],
    "INTEGER NOT NULL DEFAULT 0": ["has_stats"]
  }
  for (const [type, columns] of Object.entries(added)) {
    for (const column of columns) yield* sql`ALTER TABLE stores ADD COLUMN ${sql(column)} ${sql.literal(type)}`
  }
  let stores = yield* findDocuments(0)
  while (stores.length > 0) {
    let last = 0
    for (const { row } of stores) {
      const { id: _, name: __, ...columns } = yield* encodeStoreRow(row.document)
      yield* sql`UPDATE stores SET ${sql.update(columns)} WHERE rowid = ${row.number}`
      last = row.number
    }
    yield* yieldToEventLoop
    stores = yield* findDocuments(last)
  }
  yield* sql`ALTER TABLE stores DROP COLUMN document`
  yield* sql`CREATE UNIQUE INDEX users_by_username ON users (lower(username))`
  yield* sql`CREATE UNIQUE INDEX stores_by_name ON stores (owner_id, lower(name))`
})

const addRunsAndScopes = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE tokens ADD COLUMN can_create INTEGER NOT NULL DEFAULT 0`
  yield* sql`UPDATE tokens SET can_create = 1 WHERE scope = 'WRITE'`
  // A token may be made before the stores that it is for, and a run is there after its store was deleted.
  yield* sql`
    CREATE TABLE token_stores (
      hash TEXT NOT NULL REFERENCES tokens (hash) ON DELETE CASCADE,
      store_id TEXT NOT NULL,
      access TEXT NOT NULL,
      PRIMARY KEY (hash, store_id)
    ) STRICT`
  yield* sql`
    CREATE TABLE runs (
      id TEXT PRIMARY KEY,
      owner_id TEXT NOT NULL REFERENCES users (id),
      actor_id TEXT NOT NULL,
      actor_owner TEXT NOT NULL,
      actor_name TEXT NOT NULL,
      task_id TEXT,
      task_name TEXT,
      started_at TEXT NOT NULL,
      status TEXT NOT NULL,
      origin TEXT NOT NULL,
      store_id TEXT NOT NULL
    ) STRICT`
  yield* sql`CREATE INDEX runs_by_owner ON runs (owner_id, started_at)`
  yield* sql`CREATE INDEX stores_by_owner ON stores (owner_id, created_at, id)`
  yield* sql`CREATE INDEX grants_by_user ON grants (user_id)`
})

const addRecords = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // What is small comes first in a row: the rest of a large one is elsewhere in the file, and is read when it is wanted.
  yield* sql`
    CREATE TABLE records (
      store_id TEXT NOT NULL REFERENCES stores (id) ON DELETE CASCADE,
      key TEXT NOT NULL,
      size INTEGER NOT NULL,
      content_type TEXT NOT NULL,
      content_encoding TEXT,
      modified_at TEXT NOT NULL,
      upload_id TEXT,
      body BLOB,
      PRIMARY KEY (store_id, key)
    ) STRICT`
  // A list of keys reads nothing else.
  yield* sql`CREATE INDEX records_by_key ON records (store_id, key, size)`
  yield* sql`
    CREATE TABLE chunks (
      upload_id TEXT NOT NULL,
      number INTEGER NOT NULL,
      bytes BLOB NOT NULL,
      PRIMARY KEY (upload_id, number)
    ) STRICT`
  yield* sql`CREATE TABLE discarded (upload_id TEXT PRIMARY KEY) STRICT`
  const discard = sql.literal(`
    ON records WHEN old.upload_id IS NOT NULL
    BEGIN INSERT INTO discarded (upload_id) VALUES (old.upload_id); END`)
  yield* sql`CREATE TRIGGER records_deleted AFTER DELETE ${discard}`
  yield* sql`CREATE TRIGGER records_replaced AFTER UPDATE OF upload_id ${discard}`
})

const addDeletedNames = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // In lower case.
  yield* sql`
    CREATE TABLE deleted_names (
      owner_id TEXT NOT NULL REFERENCES users (id),
      name TEXT NOT NULL,
      PRIMARY KEY (owner_id, name)
    ) STRICT`
})

const versions = {
  "1_create_tables": createTables,
  "2_documents_to_columns": documentsToColumns,
  "3_add_runs_and_scopes": addRunsAndScopes,
  "4_add_records": addRecords,
  "5_add_deleted_names": addDeletedNames
}

/**
 * Every migration, by its number and name.
 *
 * @since 0.1.0
 * @category migrations
 */
export const migrations = Migrator.fromRecord(versions)

/**
 * The version that `migrations` lead to.
 *
 * @since 0.1.0
 * @category migrations
 */
export const LATEST_MIGRATION: number = Object.keys(versions).length
