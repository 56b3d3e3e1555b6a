/**
 * The emulator's database: libSQL, embedded, in a file or in memory.
 *
 * @since 0.1.0
 */
import { pathToFileURL } from "node:url"
import * as Reactivity from "@effect/experimental/Reactivity"
import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Statement from "@effect/sql/Statement"
import * as LibsqlClient from "@effect/sql-libsql/LibsqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/**
 * The name of a database that lives in memory and ends with its layer.
 *
 * @since 0.1.0
 * @category constants
 */
export const IN_MEMORY = ":memory:"

/** How long to wait for another process that is writing to the same file, in milliseconds. */
const BUSY_TIMEOUT_MILLIS = 5_000

/**
 * The database could not be opened, read or written.
 *
 * @since 0.1.0
 * @category errors
 */
export class DatabaseError extends Schema.TaggedError<DatabaseError>()("DatabaseError", {
  /** The file, or `:memory:`. */
  database: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `Cannot use the database ${this.database}: ${this.problem}. Name a file in a folder that exists and may be written, that is new or was made by the emulator, and that no other program holds.`
  }
}

// The innermost cause is SQLite's own words; what wraps it says only that a statement failed.
const problemOf = (error: unknown): string =>
  Predicate.hasProperty(error, "cause") && error.cause instanceof Error
    ? problemOf(error.cause)
    : error instanceof Error
      ? error.message
      : "it failed for a reason that it does not tell"

/**
 * Tells an error of the database's with SQLite's own words.
 *
 * @since 0.1.0
 * @category errors
 */
export const databaseErrorOf =
  (database: string) =>
  (error: unknown): DatabaseError =>
    new DatabaseError({ database, problem: problemOf(error) })

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
  // The document is the store in its wire form, so that a field that Apify adds needs no migration.
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

const migrations = Migrator.fromRecord({ "1_create_tables": createTables })

const connect = Effect.fnUntraced(function* (database: string) {
  const libsql = yield* LibsqlClient.make({ url: database === IN_MEMORY ? IN_MEMORY : pathToFileURL(database).href })
  // libSQL's own transactions leave their connection behind and open another: a database in memory is gone after the
  // first, and pragmas with it. Plain statements keep to the one connection.
  const sql = yield* SqlClient.make({
    acquirer: libsql.reserve,
    compiler: Statement.makeCompilerSqlite(),
    spanAttributes: [["db.system.name", "sqlite"]],
    beginTransaction: "BEGIN IMMEDIATE"
  })
  yield* sql`PRAGMA busy_timeout = ${sql.literal(String(BUSY_TIMEOUT_MILLIS))}`
  yield* sql`PRAGMA foreign_keys = ON`
  yield* Migrator.make({})({ loader: migrations }).pipe(Effect.provideService(SqlClient.SqlClient, sql))
  return sql
})

/**
 * Opens a database, makes it where it does not exist, and brings its tables up to date. The layer's end closes it.
 *
 * @example
 * ```ts
 * import { databaseLayer } from "@effect-apify/emulator"
 *
 * const layer = databaseLayer("./apify.db")
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const databaseLayer = (database: string): Layer.Layer<SqlClient.SqlClient, DatabaseError> =>
  Layer.scoped(
    SqlClient.SqlClient,
    connect(database).pipe(
      // The driver throws where a file cannot be opened, and a migration that fails dies.
      Effect.catchAllDefect(Effect.fail),
      Effect.mapError(databaseErrorOf(database))
    )
  ).pipe(Layer.provide(Reactivity.layer))
