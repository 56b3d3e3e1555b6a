/**
 * The emulator's database: libSQL, in a file or in memory.
 *
 * @since 0.1.0
 */
import { accessSync, constants, existsSync, lstatSync, readlinkSync, realpathSync, statSync } from "node:fs"
import { basename, dirname, isAbsolute, join, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import * as Reactivity from "@effect/experimental/Reactivity"
import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { formatProblem, problemsOf } from "@effect-apify/domain/Problem"
import * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import { Accesses, make as makeAccesses } from "./Accesses.js"
import { isUnfinished } from "./internal/journal.js"
import * as Libsql from "./Libsql.js"
import { APPLICATION_ID, LATEST_MIGRATION, markAsOurs, migrations } from "./migrations.js"
import { type Database, Row, selectRow } from "./Row.js"

/**
 * The name of a database in memory. It lasts as long as its layer.
 *
 * @since 0.1.0
 * @category constants
 */
export const IN_MEMORY = ":memory:"

/**
 * The database could not be opened, read or written.
 *
 * @since 0.1.0
 * @category errors
 */
export class DatabaseError extends Schema.TaggedError<DatabaseError>()("DatabaseError", {
  /** The file, or `:memory:`. */
  database: Schema.String,
  /** What went wrong, as a sentence without its full stop. */
  problem: Schema.String,
  /** What to do about it. */
  advice: Schema.String
}) {
  override get message(): string {
    return `Cannot use the database ${this.database}: ${this.problem}. ${this.advice}`
  }
}

// ---- What an error means ------------------------------------------------------------------------------------------------

interface Diagnosis {
  readonly problem: string
  readonly advice: string
}

const otherProgram: Diagnosis = {
  problem: "it belongs to another program",
  advice: "Nothing in it was changed. Choose a file that does not exist yet, or one that the emulator made."
}

const cannotBeOpened: Diagnosis = {
  problem: "it cannot be opened",
  advice: "Check the permissions of the file and of its folder."
}

const readOnly: Diagnosis = {
  problem: "it is read-only",
  advice: "Check the permissions of the file and of its folder."
}

const diagnoses: ReadonlyArray<readonly [code: string, diagnosis: Diagnosis]> = [
  ["SQLITE_BUSY", { problem: "another process has locked it", advice: "Stop that process, or wait for it to finish." }],
  ["SQLITE_FULL", { problem: "the disk is full", advice: "Free some space, or choose a file on another disk." }],
  [
    "SQLITE_IOERR",
    {
      problem: "reading or writing it failed",
      advice: "Check the disk: it may be full, limited by a quota, or failing."
    }
  ],
  [
    "SQLITE_NOTADB",
    {
      problem: "it is not an SQLite database",
      advice: "Nothing in it was changed. Choose a file that does not exist yet, or one that the emulator made."
    }
  ],
  ["SQLITE_CANTOPEN", cannotBeOpened],
  ["SQLITE_READONLY", readOnly],
  ["SQLITE_CORRUPT", { problem: "it is damaged", advice: "Restore it from a copy, or choose another file." }]
]

const diagnose = (error: unknown): Diagnosis => {
  const sqlite = Libsql.sqliteErrorOf(error)
  // libSQL gives a file that cannot be opened no code but the number at the end of its message.
  const code = /^ConnectionFailed\(.*: 14"\)$/.test(lastMessageOf(error)) ? "SQLITE_CANTOPEN" : sqlite?.code
  const known = diagnoses.find(([start]) => code?.startsWith(start))
  if (known !== undefined) return known[1]
  const parseError = parseErrorOf(error)
  return parseError === undefined
    ? { problem: sqlite?.message ?? lastMessageOf(error), advice: "Choose another file, or report this as a bug." }
    : { problem: describeRow(parseError), advice: "Restore the file from a copy, or choose another file." }
}

const parseErrorOf = (error: unknown): ParseResult.ParseError | undefined => {
  if (ParseResult.isParseError(error)) return error
  return Predicate.hasProperty(error, "cause") ? parseErrorOf(error.cause) : undefined
}

const lastMessageOf = (error: unknown): string =>
  Predicate.hasProperty(error, "cause") && Predicate.isError(error.cause)
    ? lastMessageOf(error.cause)
    : Predicate.isError(error)
      ? error.message
      : "it failed for an unknown reason"

/**
 * What is wrong with a row, without its values.
 *
 * @since 0.1.0
 * @category errors
 */
export const describeRow = (error: ParseResult.ParseError): string =>
  `a row cannot be read: ${problemsOf(error.issue).map(formatProblem).join("; ")}`

/**
 * Turns an error of a statement or a row into one that says what to do.
 *
 * @since 0.1.0
 * @category errors
 */
export const databaseErrorOf =
  (database: string) =>
  (error: unknown): DatabaseError =>
    error instanceof DatabaseError ? error : new DatabaseError({ database, ...diagnose(error) })

// ---- Whose a file is ---------------------------------------------------------------------------------------------------

const selectName = selectRow({ name: "name" })
const decodeNames = Schema.decodeUnknown(Schema.Array(Row(Schema.Struct({ name: Schema.String }))))
const decodeNumbers = Schema.decodeUnknown(Schema.Array(Schema.Struct({ value: Schema.Number })))

const MIGRATIONS = "effect_sql_migrations"
const TABLES_OF_VERSION_1 = [MIGRATIONS, "grants", "stores", "tokens", "users"]

const tables = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    SELECT ${selectName(sql)} FROM sqlite_master
    WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name`
  return (yield* decodeNames(rows)).map(({ row }) => row.name)
})

const latestMigration = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`SELECT coalesce(max(migration_id), 0) AS value FROM ${sql(MIGRATIONS)}`
  return (yield* decodeNumbers(rows))[0]?.value ?? 0
})

// The first version did not mark its files.
const isOfVersion1 = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`SELECT ${selectName(sql)} FROM ${sql(MIGRATIONS)} WHERE migration_id = 1`
  return (yield* decodeNames(rows)).some(({ row }) => row.name === "create_tables")
})

/** Whether a database holds no table, view or anything else, not even a version that a program gave it. */
const isBlank = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    SELECT (SELECT count(*) FROM sqlite_master) AS value
    UNION ALL SELECT user_version FROM pragma_user_version`
  return (yield* decodeNumbers(rows)).every(({ value }) => value === 0)
})

const isOurs = Effect.fnUntraced(function* (file: string) {
  const sql = yield* SqlClient.SqlClient
  const [id] = yield* decodeNumbers(yield* sql`SELECT application_id AS value FROM pragma_application_id`)
  if (id?.value === APPLICATION_ID) return true
  if (id?.value !== 0) return false
  if (yield* isBlank) return !existsSync(`${file}-wal`)
  const found = yield* tables
  return Arr.getEquivalence<string>((a, b) => a === b)(found, TABLES_OF_VERSION_1) && (yield* isOfVersion1)
})

const selectMigration = selectRow({ name: "name", createdAt: "created_at" })
const decodeMigrations = Schema.decodeUnknown(
  Schema.Array(Row(Schema.Struct({ name: Schema.String, createdAt: Schema.String })))
)

/** The migrator reads the table's texts in the way that ends the process. */
const checkMigrations = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* decodeMigrations(yield* sql`SELECT ${selectMigration(sql)} FROM ${sql(MIGRATIONS)}`)
})

/** The version of a database that is the emulator's. */
const versionOf = Effect.gen(function* () {
  const version = (yield* tables).includes(MIGRATIONS) ? yield* Effect.zipRight(checkMigrations, latestMigration) : 0
  if (version <= LATEST_MIGRATION) return version
  return yield* Effect.fail<Diagnosis>({
    problem: "a newer version of the emulator made it",
    advice: "Update @effect-apify/emulator, or choose another file."
  })
})

/**
 * Refuses a file that another program or a newer version made. It is opened as one that nobody changes, since opening it in
 * the usual way may write to it: SQLite finishes or undoes what another process left unfinished.
 */
const refuseOthers = (file: string): Effect.Effect<void, SqlError | ParseResult.ParseError | Diagnosis> => {
  const check = Effect.flatMap(isOurs(file), (isOurs) => (isOurs ? versionOf : Effect.fail(otherProgram)))
  const probe = Effect.flatMap(Libsql.make(`${pathToFileURL(file).href}?immutable=1&mode=ro`), ({ client }) =>
    Effect.provideService(check, SqlClient.SqlClient, client)
  )
  return Effect.suspend(() => {
    const isNew = (statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0
    if (isNew) return Effect.void
    // In the middle of a change, which this way of opening a file does not undo, it may look damaged.
    const unfinished = isUnfinished(file)
    return Effect.catchTag(Effect.asVoid(Effect.scoped(probe)), "SqlError", (error) =>
      unfinished && Libsql.sqliteErrorOf(error)?.code === "SQLITE_CORRUPT" ? Effect.void : Effect.fail(error)
    )
  }).pipe(Effect.provide(Reactivity.layer))
}

/** A file, or else what a link to nothing leads to: SQLite would create that. */
const targetOf = (file: string): string => {
  const isLink = lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
  if (!isLink || statSync(file, { throwIfNoEntry: false }) !== undefined) return file
  const link = readlinkSync(file)
  // Found by the system and not by Node: after a folder that is a link, `..` is what is above the folder's target.
  const target = isAbsolute(link) ? link : `${dirname(file)}/${link}`
  const folder = dirname(target)
  return existsSync(folder) ? targetOf(join(realpathSync.native(folder), basename(target))) : target
}

const realPathOf = (file: string): string =>
  existsSync(file) ? realpathSync(file) : join(realpathSync(dirname(file)), basename(file))

const trying = <A>(look: () => A): Effect.Effect<A, Diagnosis> => Effect.try({ try: look, catch: () => cannotBeOpened })

/** SQLite would read what it cannot write to, and would take no lock on it. */
const checkWritable = (file: string, diagnosis: Diagnosis): Effect.Effect<void, Diagnosis> =>
  Effect.try({
    try: () => (existsSync(file) ? accessSync(file, constants.W_OK) : undefined),
    catch: () => diagnosis
  })

/** What SQLite says of a missing folder or of a folder in place of a file is the same, or wrong. */
const checkPath = (file: string): Effect.Effect<void, Diagnosis> =>
  Effect.suspend(() => {
    const folder = dirname(file)
    if (existsSync(file)) {
      const status = statSync(file)
      if (status.isDirectory()) {
        return Effect.fail({
          problem: "it is a folder",
          advice: `Name a file in it, such as ${join(file, "apify.db")}.`
        })
      }
      if (!status.isFile()) {
        return Effect.fail({
          problem: "it is a device or a socket",
          advice: "Choose a file that does not exist yet, or one that the emulator made."
        })
      }
      // The journal is found by the name of the file: what one name leaves unfinished would not be undone for the other.
      return status.nlink > 1
        ? Effect.fail({ problem: "it has another name, a hard link", advice: "Copy it, and choose the copy." })
        : Effect.void
    }
    if (!existsSync(folder)) {
      return Effect.fail({
        problem: `the folder ${folder} does not exist`,
        advice: "Create that folder, or choose a file in another one."
      })
    }
    return statSync(folder).isDirectory()
      ? Effect.void
      : Effect.fail({ problem: `${folder} is not a folder`, advice: "Choose a file in a folder that exists." })
  })

// ---- Opening -----------------------------------------------------------------------------------------------------------

const migrate = Effect.gen(function* () {
  const version = yield* versionOf
  // The migrator creates its table before the transaction of the migrations: a process that is killed in between leaves a
  // file that only this mark shows to be the emulator's.
  if (yield* isBlank) yield* markAsOurs
  // The migrator locks the file even if there is nothing to do.
  if (version < LATEST_MIGRATION) yield* Migrator.make({})({ loader: migrations })
})

/** The one path of a database's file, however it was named, if the file is the emulator's or new. */
const fileOf = Effect.fnUntraced(function* (database: string) {
  if (database.trim() === "") {
    const advice = `Name a file, or "${IN_MEMORY}" for a database in memory.`
    return yield* Effect.fail<Diagnosis>({ problem: "its name is blank", advice })
  }
  const given = resolve(database)
  yield* checkPath(given)
  const target = yield* trying(() => targetOf(given))
  if (target !== given) yield* checkPath(target)
  const file = yield* trying(() => realPathOf(target))
  yield* refuseOthers(file)
  yield* checkWritable(file, readOnly)
  return file
})

const connect = Effect.fnUntraced(function* (database: string) {
  const file = database === IN_MEMORY ? IN_MEMORY : yield* fileOf(database)
  const { client, connection } = yield* Libsql.make(file)
  const services = Context.make(SqlClient.SqlClient, client).pipe(Context.add(Connection, connection))
  yield* client`PRAGMA foreign_keys = ON`
  // To write over a journal takes a tenth of the time that it takes to make one for each change.
  yield* client`PRAGMA journal_mode = PERSIST`
  yield* Effect.addFinalizer(() => Effect.ignore(client`PRAGMA journal_mode = DELETE`))
  yield* Effect.provide(migrate, services)
  return Context.add(services, Accesses, yield* Effect.provide(makeAccesses, services))
})

const isDiagnosis = (error: unknown): error is Diagnosis =>
  Predicate.isRecord(error) && Predicate.isString(error.problem) && Predicate.isString(error.advice)

const explained =
  (database: string) =>
  <A, R>(effect: Effect.Effect<A, unknown, R>): Effect.Effect<A, DatabaseError, R> =>
    effect.pipe(
      // A migration that fails dies, and so does a look at a file that cannot be read.
      Effect.catchAllDefect(Effect.fail),
      Effect.mapError((error) =>
        isDiagnosis(error)
          ? new DatabaseError({ database: database.trim() === "" ? '""' : database, ...error })
          : databaseErrorOf(database)(error)
      )
    )

/**
 * Opens a database, creates it if it does not exist, and brings its tables up to date. The layer's end closes it.
 *
 * A file that another program made is refused, and nothing in it is changed.
 *
 * @since 0.1.0
 * @category layers
 */
export const databaseLayer = (database: string): Layer.Layer<Database, DatabaseError> =>
  Layer.scopedContext(explained(database)(connect(database))).pipe(Layer.provide(Reactivity.layer))

const otherEmulator: Diagnosis = {
  problem: "another emulator uses it",
  advice: "Stop that emulator, or choose another file."
}

const lock = Effect.fnUntraced(function* (file: string) {
  const locked = `${file}-lock`
  yield* checkWritable(locked, { ...readOnly, problem: `the file that locks it, ${locked}, is read-only` })
  const { connection } = yield* Libsql.make(locked)
  const run = (sql: string) => connection.executeUnprepared(sql, [], undefined)
  // A journal on the disk would be one more file.
  yield* run("PRAGMA journal_mode = MEMORY")
  // Closing the file would not end the transaction.
  yield* Effect.acquireRelease(run("BEGIN EXCLUSIVE"), () => Effect.ignore(run("ROLLBACK")))
})

/**
 * Keeps other emulators from a database's file until the scope ends, by whatever path they name it. They would remove the
 * records that this one is still receiving, as if a killed process had left them, and a newer version would change its
 * tables. So the file is locked before it is opened. One that would be refused then is refused first, and not locked.
 *
 * What is locked is an empty file beside it, so that other programs can read the database. A process that is killed leaves
 * the file, but not the lock. One that stops leaves it too: another emulator may have opened it, and would lock a file that a
 * third one does not find.
 *
 * @since 0.1.0
 * @category locks
 */
export const keepOthersOut = (database: string): Effect.Effect<void, DatabaseError, Scope> => {
  if (database === IN_MEMORY) return Effect.void
  return fileOf(database).pipe(
    Effect.flatMap((file) => Effect.mapError(lock(file), (error) => (Libsql.isLocked(error) ? otherEmulator : error))),
    explained(database),
    Effect.provide(Reactivity.layer)
  )
}
