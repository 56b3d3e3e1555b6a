/**
 * libSQL as Effect's `SqlClient`: one connection, prepared statements, and waits for locks that do not block the process.
 *
 * @since 0.1.0
 */
import type { Reactivity } from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import * as Statement from "@effect/sql/Statement"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import Database from "libsql"
import { LockTimeout } from "./internal/LockTimeout.js"

const LOCK_POLL_MILLIS = 20

/** More than the emulator has statements; those with lists of values differ by their length. */
const MAX_PREPARED = 200

/**
 * SQLite's own error in the chain of causes, such as `{ code: "SQLITE_BUSY", message: "database is locked" }`.
 *
 * @since 0.1.0
 * @category errors
 */
export const sqliteErrorOf = (error: unknown): { readonly code: string; readonly message: string } | undefined => {
  if (!Predicate.isError(error)) return undefined
  if (Predicate.hasProperty(error, "code") && Predicate.isString(error.code) && error.code.startsWith("SQLITE_")) {
    return { code: error.code, message: error.message }
  }
  return sqliteErrorOf(error.cause)
}

/**
 * Whether a statement failed because another process holds the file's lock.
 *
 * @since 0.1.0
 * @category errors
 */
export const isLocked = (error: unknown): boolean => sqliteErrorOf(error)?.code.startsWith("SQLITE_BUSY") ?? false

// Another process keeps real time, so the wait does too, under a test clock as well.
const realTime = Clock.make()

/** Tries a statement again for as long as another process holds the lock, and the timeout allows. */
const untilUnlocked = (timeout: Duration.Duration) => {
  const schedule = Schedule.spaced(LOCK_POLL_MILLIS).pipe(Schedule.upTo(timeout))
  return <A>(statement: Effect.Effect<A, SqlError>): Effect.Effect<A, SqlError> =>
    Effect.catchAll(statement, (error) =>
      isLocked(error)
        ? statement.pipe(Effect.retry({ schedule, while: isLocked }), Effect.withClock(realTime))
        : Effect.fail(error)
    )
}

type Row = Readonly<Record<string, unknown>>

interface Prepared {
  readonly statement: Database.Statement
  /** The names of the columns; empty for a statement that returns no rows. */
  readonly columns: ReadonlyArray<string>
}

const prepare = (database: Database.Database, sql: string): Prepared => {
  const statement = database.prepare(sql)
  if (!statement.reader) return { statement, columns: [] }
  return { statement: statement.raw(true), columns: statement.columns().map(({ name }) => name) }
}

/**
 * Only `run` and `all` are used: they reset a statement, and `get` after `all` returns the row of before.
 *
 * The driver does not reset one that found the file locked. Nothing could be committed while it waits, nor the file's lock be
 * released. So it is run again, for nothing, before anything else is.
 */
const runPrepared = (database: Database.Database) => {
  const statements = new Map<string, Prepared>()
  const unfinished = new Map<Prepared, ReadonlyArray<unknown>>()
  const preparedFor = (sql: string): Prepared => {
    const known = statements.get(sql)
    if (known !== undefined) return known
    if (statements.size >= MAX_PREPARED) statements.clear()
    const prepared = prepare(database, sql)
    statements.set(sql, prepared)
    return prepared
  }
  const execute = (
    { statement, columns }: Prepared,
    params: ReadonlyArray<unknown>
  ): ReadonlyArray<ReadonlyArray<unknown>> => {
    if (columns.length > 0) return statement.all(params).filter(Array.isArray)
    statement.run(params)
    return []
  }
  /** What is executed without being prepared here is reset if it fails: so the lock is taken by that. */
  const finish = (prepared: Prepared, params: ReadonlyArray<unknown>): void => {
    try {
      database.exec(prepared.columns.length > 0 ? "BEGIN; SELECT 1 FROM sqlite_master" : "BEGIN IMMEDIATE")
      Option.liftThrowable(execute)(prepared, params)
      unfinished.delete(prepared)
    } finally {
      if (database.inTransaction) database.exec("ROLLBACK")
    }
  }
  const finishOthers = (prepared?: Prepared): void => {
    for (const [other, params] of unfinished) {
      if (other !== prepared) finish(other, params)
    }
  }
  const run = (sql: string, params: ReadonlyArray<unknown>): ReadonlyArray<ReadonlyArray<unknown>> => {
    const prepared = preparedFor(sql)
    finishOthers(prepared)
    try {
      const rows = execute(prepared, params)
      unfinished.delete(prepared)
      return rows
    } catch (cause) {
      if (isLocked(cause) && !database.inTransaction) unfinished.set(prepared, params)
      else statements.delete(sql)
      throw cause
    }
  }
  const attempt = <A>(run: () => A): Effect.Effect<A, SqlError> =>
    Effect.try({
      try: () => {
        // Where a request outlives its server, the driver would end the process.
        if (!database.open) throw new Error("The database is closed")
        return run()
      },
      catch: (cause) => new SqlError({ cause, message: "Failed to execute statement" })
    })
  return {
    columnsOf: (sql: string): ReadonlyArray<string> => preparedFor(sql).columns,
    run: (
      sql: string,
      params: ReadonlyArray<unknown>
    ): Effect.Effect<ReadonlyArray<ReadonlyArray<unknown>>, SqlError> => attempt(() => run(sql, params)),
    runUnprepared: (sql: string): Effect.Effect<void, SqlError> =>
      attempt(() => {
        finishOthers()
        database.exec(sql)
      })
  }
}

const connectionTo = (database: Database.Database, lockTimeout: Duration.Duration): Connection => {
  const retrying = untilUnlocked(lockTimeout)
  const { run, runUnprepared, columnsOf } = runPrepared(database)
  const values = (sql: string, params: ReadonlyArray<unknown>) => retrying(run(sql, params))
  const rows = (sql: string, params: ReadonlyArray<unknown>): Effect.Effect<ReadonlyArray<Row>, SqlError> =>
    Effect.map(values(sql, params), (rows) => {
      const columns = columnsOf(sql)
      return rows.map((values) => {
        const row: Record<string, unknown> = {}
        for (const [index, column] of columns.entries()) row[column] = values[index]
        return row
      })
    })
  const rollback = Effect.suspend(() =>
    // SQLite rolls back by itself when the disk is full, for example.
    database.open && database.inTransaction ? runUnprepared("ROLLBACK") : Effect.void
  )
  const unprepared = (sql: string): Effect.Effect<void, SqlError> => {
    if (sql === "ROLLBACK") return rollback
    const statement = retrying(runUnprepared(sql))
    return sql === "COMMIT" ? Effect.tapError(statement, () => rollback) : statement
  }
  return {
    execute: rows,
    executeRaw: rows,
    executeValues: values,
    executeUnprepared: (sql) => Effect.as(unprepared(sql), []),
    executeStream: (sql, params) => Stream.fromIterableEffect(rows(sql, params))
  }
}

/** Runs each statement when no transaction is open. */
const outside = (transactions: Effect.Semaphore, database: Database.Database, connection: Connection): Connection => {
  const free = <A>(statement: Effect.Effect<A, SqlError>): Effect.Effect<A, SqlError> =>
    Effect.suspend(() => (database.open && database.inTransaction ? transactions.withPermits(1)(statement) : statement))
  return {
    execute: (sql, params, transform) => free(connection.execute(sql, params, transform)),
    executeRaw: (sql, params) => free(connection.executeRaw(sql, params)),
    executeValues: (sql, params) => free(connection.executeValues(sql, params)),
    executeUnprepared: (sql, params, transform) => free(connection.executeUnprepared(sql, params, transform)),
    executeStream: (sql, params) => Stream.fromIterableEffect(free(connection.execute(sql, params, undefined)))
  }
}

/**
 * A client, and the connection that its statements outside transactions use.
 *
 * @since 0.1.0
 * @category models
 */
export interface Libsql {
  readonly client: SqlClient.SqlClient
  readonly connection: Connection
}

/**
 * Opens a libSQL database: a file, which is created if it does not exist, or `:memory:`. The scope closes it.
 *
 * Statements outside a transaction wait until no transaction is open, since all of them share the one connection to
 * SQLite: keep transactions short.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (path: string) => Effect.Effect<Libsql, SqlError, Reactivity | Scope> = Effect.fnUntraced(
  function* (path) {
    const database = yield* Effect.acquireRelease(
      Effect.try({
        try: () => new Database(path),
        catch: (cause) => new SqlError({ cause, message: "Failed to open the database" })
      }),
      (database) => Effect.sync(() => database.close())
    )
    const inside = connectionTo(database, yield* LockTimeout)
    const transactions = yield* Effect.makeSemaphore(1)
    const connection = outside(transactions, database, inside)
    const client = yield* SqlClient.make({
      acquirer: Effect.succeed(connection),
      transactionAcquirer: Effect.as(
        Effect.acquireRelease(transactions.take(1), () => transactions.release(1)),
        inside
      ),
      compiler: Statement.makeCompilerSqlite(),
      spanAttributes: [["db.system.name", "sqlite"]],
      beginTransaction: "BEGIN IMMEDIATE"
    })
    const { withTransaction } = client
    const committing = Object.assign(client, {
      // A transaction that cannot be committed is a failure like any other, and not a defect.
      withTransaction: <R, E, A>(effect: Effect.Effect<A, E, R>) =>
        Effect.catchSomeDefect(withTransaction(effect), (defect) =>
          defect instanceof SqlError ? Option.some(Effect.fail(defect)) : Option.none()
        )
    })
    return { client: committing, connection }
  }
)
