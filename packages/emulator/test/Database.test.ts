/**
 * The database's file: version 1's, other programs', locked, full, damaged.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { createServer, type Server } from "node:net"
import { tmpdir } from "node:os"
import { relative } from "node:path"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import { assertEquals } from "@effect/vitest/utils"
import { Store } from "@effect-apify/domain/Store"
import * as Arbitrary from "effect/Arbitrary"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import Libsql from "libsql"
import { scale } from "../../../vitest.scale.js"
import { character } from "../../../vitest.text.js"
import { authenticate, hashToken } from "../src/Callers.js"
import { type DatabaseError, databaseLayer, keepOthersOut } from "../src/Database.js"
import { demoSeed } from "../src/demo.js"
import { DEMO_TOKEN, Emulator } from "../src/index.js"
import { isUnfinished } from "../src/internal/journal.js"
import { LockTimeout } from "../src/internal/LockTimeout.js"
import { loadSeed } from "../src/loadSeed.js"
import { LATEST_MIGRATION } from "../src/migrations.js"
import type { Database } from "../src/Row.js"
import { decodeSeed } from "../src/readSeed.js"
import { Seed } from "../src/Seed.js"
import { findStore } from "../src/StoreRows.js"
import { CHUNK_BYTES } from "../src/Uploads.js"
import { request, storePath } from "./request.js"

const scratch = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(`${tmpdir()}/emulator-`)),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

/** A connection of another process's kind. */
const connection = (file: string) =>
  Effect.acquireRelease(
    Effect.sync(() => new Libsql(file)),
    (database) => Effect.sync(() => database.close())
  )

const opened = (file: string): Effect.Effect<void, DatabaseError> =>
  Effect.scoped(Effect.asVoid(Effect.provide(Effect.void, databaseLayer(file))))

// ---- Version 1 ---------------------------------------------------------------------------------------------------------

const TABLES_OF_VERSION_1 = `
  CREATE TABLE "effect_sql_migrations" (
    migration_id integer PRIMARY KEY NOT NULL,
    created_at datetime NOT NULL DEFAULT current_timestamp,
    name VARCHAR(255) NOT NULL
  );
  INSERT INTO "effect_sql_migrations" (migration_id, name) VALUES (1, 'create_tables');
  CREATE TABLE users (
    id TEXT PRIMARY KEY,
    username TEXT NOT NULL UNIQUE COLLATE NOCASE,
    setting TEXT NOT NULL
  ) STRICT;
  CREATE TABLE tokens (
    hash TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    scope TEXT NOT NULL
  ) STRICT;
  CREATE TABLE stores (
    id TEXT PRIMARY KEY,
    owner_id TEXT NOT NULL REFERENCES users (id),
    name TEXT COLLATE NOCASE,
    document TEXT NOT NULL,
    UNIQUE (owner_id, name)
  ) STRICT;
  CREATE TABLE grants (
    store_id TEXT NOT NULL REFERENCES stores (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    access TEXT NOT NULL,
    PRIMARY KEY (store_id, user_id)
  ) STRICT;`

const encodeStore = Schema.encodeSync(Schema.parseJson(Store))

const idOf = (username: string): string => `user-${username.toLowerCase()}`

type Token = Seed["users"][number]["tokens"][number]

/** Version 1 knew nothing of tokens for single stores. */
const scopeOf = ({ scope }: Token) => Option.getOrElse(scope, () => "WRITE" as const)

/** A file as version 1 wrote it. */
const writeVersion1 = (file: string, { users, stores }: Seed) =>
  Effect.scoped(
    Effect.map(connection(file), (database) => {
      database.exec(`BEGIN; ${TABLES_OF_VERSION_1}`)
      for (const { username, setting, tokens } of users) {
        database.prepare("INSERT INTO users VALUES (?, ?, ?)").run([idOf(username), username, setting])
        for (const token of tokens) {
          const row = [hashToken(token.token), idOf(username), scopeOf(token)]
          database.prepare("INSERT INTO tokens VALUES (?, ?, ?)").run(row)
        }
      }
      for (const { owner, grants, store } of stores) {
        database
          .prepare("INSERT INTO stores VALUES (?, ?, ?, ?)")
          .run([store.id, idOf(owner), Option.getOrNull(store.name), encodeStore(store)])
        for (const { user, access } of grants) {
          database.prepare("INSERT INTO grants VALUES (?, ?, ?)").run([store.id, idOf(user), access])
        }
      }
      database.exec("COMMIT")
    })
  )

const isSameStore = Schema.equivalence(Store)

const assertHolds = Effect.fnUntraced(function* ({ users, stores }: Seed) {
  const sql = yield* SqlClient.SqlClient
  for (const { username, tokens } of users) {
    for (const token of tokens) {
      const [scope, hash] = [scopeOf(token), hashToken(token.token)]
      assert.deepStrictEqual(
        yield* authenticate(token.token),
        Option.some({ userId: idOf(username), scope, canCreate: scope === "WRITE", hash })
      )
    }
  }
  for (const { owner, grants, store } of stores) {
    const named = Option.match(store.name, {
      onNone: () => ({ _tag: "StoreById" as const, id: store.id }),
      onSome: (name) => ({ _tag: "StoreByName" as const, owner, name: name.toUpperCase() })
    })
    const stored = yield* findStore(named, Option.none())
    const ownerName = users.find(({ username }) => username.toLowerCase() === owner.toLowerCase())?.username ?? ""
    assert.isTrue(
      isSameStore(
        Option.getOrThrow(stored).store,
        new Store({ ...store, userId: Option.some(idOf(owner)), username: Option.some(ownerName) })
      )
    )
    for (const { user, access } of grants) {
      const granted = yield* findStore(
        { _tag: "StoreById", id: store.id },
        Option.some({ userId: idOf(user), scope: "WRITE", hash: "" })
      )
      assertEquals(
        Option.flatMap(granted, ({ granted }) => granted),
        Option.some(access)
      )
    }
  }
  assert.lengthOf(yield* sql`PRAGMA foreign_key_check`, 0)
  assert.lengthOf(yield* sql`SELECT 1 FROM stores`, stores.length)
  assert.lengthOf(yield* sql`SELECT 1 FROM grants`, stores.flatMap(({ grants }) => grants).length)
})

describe("a file of version 1", () => {
  it.scoped("opens with everything that it holds, for any seed", () =>
    Effect.gen(function* () {
      const folder = yield* scratch
      let files = 0
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(Arbitrary.make(Seed), (seed) => {
            files += 1
            const file = `${folder}/${files}.db`
            const holds = Effect.provide(assertHolds(seed), databaseLayer(file))
            return Effect.runPromise(writeVersion1(file, seed).pipe(Effect.zipRight(holds), Effect.zipRight(holds)))
          }),
          { numRuns: scale({ test: 10, soak: 100 }) }
        )
      )
    })
  )

  it.scoped("opens with its thousands of stores", () =>
    Effect.gen(function* () {
      const file = `${yield* scratch}/apify.db`
      const [example] = demoSeed.stores
      const seed = yield* decodeSeed({
        users: demoSeed.users,
        stores: Array.from({ length: 1_001 }, (_, index) => ({
          owner: "janedoe",
          store: { ...example?.store, id: `Store${String(index).padStart(12, "0")}`, name: `store-${index}` }
        }))
      })
      yield* writeVersion1(file, seed)
      yield* Effect.provide(assertHolds(seed), databaseLayer(file))
    })
  )

  it.scoped("stays as it is if one of its stores cannot be read", () =>
    Effect.gen(function* () {
      const file = `${yield* scratch}/apify.db`
      yield* writeVersion1(file, yield* decodeSeed(demoSeed))
      yield* Effect.scoped(
        Effect.map(connection(file), (database) => database.exec(`UPDATE stores SET document = '{"id":"canary"}'`))
      )
      const error = yield* Effect.flip(opened(file))
      assert.include(error.message, "createdAt is missing")
      assert.notInclude(error.message, "canary")
      const documents = yield* Effect.scoped(
        Effect.map(connection(file), (database) => database.prepare("SELECT document FROM stores").all())
      )
      assert.deepStrictEqual(documents, [{ document: '{"id":"canary"}' }])
    })
  )
})

// ---- Other programs ----------------------------------------------------------------------------------------------------

const bytesOf = (folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(readdirSync(folder).map((file) => [file, readFileSync(`${folder}/${file}`).toString("base64")]))

describe("a file that is not the emulator's is refused, and not one byte is changed:", () => {
  const databases: Readonly<Record<string, readonly [sql: string, problem: string]>> = {
    "with a table": ["CREATE TABLE notes (text TEXT)", "it belongs to another program"],
    "with tables that have the emulator's names": [
      "CREATE TABLE users (id); CREATE TABLE tokens (id); CREATE TABLE stores (id); CREATE TABLE grants (id)",
      "it belongs to another program"
    ],
    "with migrations of its own": [
      `CREATE TABLE effect_sql_migrations (migration_id integer PRIMARY KEY, created_at datetime, name VARCHAR(255));
       INSERT INTO effect_sql_migrations VALUES (1, '', 'create_tables')`,
      "it belongs to another program"
    ],
    "with a view only": ["CREATE VIEW one AS SELECT 1 AS value", "it belongs to another program"],
    "with a version of its own only": ["PRAGMA user_version = 7", "it belongs to another program"],
    "with nothing but SQLite's own table": [
      "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE notes",
      "it belongs to another program"
    ],
    "with a table of migrations that is empty": [
      "CREATE TABLE effect_sql_migrations (migration_id integer PRIMARY KEY, created_at datetime, name VARCHAR(255))",
      "it belongs to another program"
    ],
    "with a mark of its own": ["PRAGMA application_id = 252006673", "it belongs to another program"],
    "with a write-ahead log": [
      "PRAGMA journal_mode = WAL; CREATE TABLE notes (text TEXT)",
      "it belongs to another program"
    ],
    "from a newer version": [
      `PRAGMA application_id = ${0x41_70_66_45};
       CREATE TABLE effect_sql_migrations (migration_id integer PRIMARY KEY, created_at datetime, name VARCHAR(255));
       INSERT INTO effect_sql_migrations VALUES (1000, '', 'of the future')`,
      "a newer version of the emulator made it"
    ]
  }
  for (const [name, [sql, problem]] of Object.entries(databases)) {
    for (const inUse of [false, true]) {
      it.scoped(`${name}${inUse ? ", while its program has it open" : ""}`, () =>
        Effect.gen(function* () {
          const folder = yield* scratch
          const file = `${folder}/other program's.db`
          const write = Effect.map(connection(file), (database) => database.exec(sql))
          yield* inUse ? write : Effect.scoped(write)
          const before = bytesOf(folder)
          for (const use of [opened(file), Effect.scoped(keepOthersOut(file))]) {
            const error = yield* Effect.flip(use)
            assert.include(error.message, problem)
            assert.deepStrictEqual(bytesOf(folder), before)
          }
        })
      )
    }
  }

  for (const [name, content] of Object.entries({
    short: "notes",
    long: "These are notes. ".repeat(1_000),
    zeros: "\0".repeat(4_096)
  })) {
    it.scoped(`${name}, and no database`, () =>
      Effect.gen(function* () {
        const folder = yield* scratch
        writeFileSync(`${folder}/notes.txt`, content)
        const before = bytesOf(folder)
        for (const use of [opened(`${folder}/notes.txt`), Effect.scoped(keepOthersOut(`${folder}/notes.txt`))]) {
          const error = yield* Effect.flip(use)
          assert.include(error.message, "it is not an SQLite database")
          assert.deepStrictEqual(bytesOf(folder), before)
        }
      })
    )
  }

  it.effect("a blank name, which SQLite would take for a temporary file", () =>
    Effect.map(Effect.flip(opened(" ")), (error) => assert.include(error.message, "its name is blank"))
  )
})

it.scoped("an empty file, and a database without tables, are taken for new ones", () =>
  Effect.gen(function* () {
    const folder = yield* scratch
    writeFileSync(`${folder}/empty.db`, "")
    yield* Effect.scoped(Effect.map(connection(`${folder}/vacuumed.db`), (database) => database.exec("VACUUM")))
    yield* opened(`${folder}/empty.db`)
    yield* opened(`${folder}/vacuumed.db`)
    yield* opened(`${folder}/vacuumed.db`)
  })
)

it.scoped("a file of an emulator that was killed between any two statements of its first start is opened", () =>
  Effect.gen(function* () {
    const folder = yield* scratch
    const file = `${folder}/apify.db`
    const tracer = yield* Effect.tracer
    const copies: Array<string> = []
    const copying = Tracer.make({
      span: (name, parent, context, links, startTime, kind, options) => {
        // While a change is being made, the journal beside the file undoes it: another test kills processes for that.
        if (existsSync(file) && !isUnfinished(file)) {
          const copy = `${folder}/${copies.length}.db`
          copyFileSync(file, copy)
          copies.push(copy)
        }
        return tracer.span(name, parent, context, links, startTime, kind, options)
      },
      context: tracer.context
    })
    yield* Effect.withTracer(opened(file), copying)
    yield* Effect.forEach(copies, opened)
    const holdsMigrations = yield* Effect.forEach(copies, (copy) =>
      Effect.map(connection(copy), (database) => database.prepare("SELECT 1 FROM effect_sql_migrations").all().length)
    )
    assert.isAbove(copies.length, 3)
    assert.deepStrictEqual(
      holdsMigrations,
      copies.map(() => LATEST_MIGRATION)
    )
  })
)

// ---- Locks -------------------------------------------------------------------------------------------------------------

describe("a file that another process has locked", () => {
  const DEMO = storePath(demoSeed.stores[0]?.store.id ?? "")
  const demoStatus = (url: string) => Effect.map(request(url, DEMO, { token: DEMO_TOKEN }), ({ status }) => status)
  const start = (database: string) => Effect.provide(Emulator, Emulator.layer({ database }))
  const serving = (database: string, lockTimeout: Duration.DurationInput) =>
    Effect.map(
      Effect.provideService(Layer.build(Emulator.layer({ database })), LockTimeout, Duration.decode(lockTimeout)),
      (context) => Context.get(context, Emulator).url
    )

  /** A server of this process has begun to handle a request. */
  const requestStarted: Effect.Effect<void> = Effect.async((resume) => {
    const onStart = () => {
      unsubscribe("http.server.request.start", onStart)
      // The handler runs right after this.
      setImmediate(() => resume(Effect.void))
    }
    subscribe("http.server.request.start", onStart)
  })

  it.scopedLive("is an error at the start with the reason", () =>
    Effect.gen(function* () {
      const file = `${yield* scratch}/apify.db`
      for (const lock of ["IMMEDIATE", "EXCLUSIVE"]) {
        const other = yield* connection(file)
        other.exec(`BEGIN ${lock}`)
        const error = yield* Effect.flip(start(file))
        assert.strictEqual(error._tag, "DatabaseError")
        assert.include(error.message, "another process has locked it")
        other.exec("ROLLBACK")
      }
      yield* start(file)
    })
  )

  it.scopedLive("is refused to a second emulator, until the first one ends", () =>
    Effect.gen(function* () {
      const folder = yield* scratch
      const file = `${folder}/apify.db`
      yield* Effect.gen(function* () {
        const url = yield* serving(file, "1 minute")
        assert.sameMembers(readdirSync(folder), ["apify.db", "apify.db-journal", "apify.db-lock"])
        const error = yield* Effect.flip(serving(file, 0))
        assert.strictEqual(
          error.message,
          `Cannot use the database ${file}: another emulator uses it. Stop that emulator, or choose another file.`
        )
        assert.strictEqual(yield* demoStatus(url), 200)
      }).pipe(Effect.scoped)
      assert.strictEqual(yield* demoStatus(yield* serving(file, 0)), 200)
    })
  )

  it.scopedLive("is refused to a second emulator by every name that the file has", () =>
    Effect.gen(function* () {
      const folder = yield* scratch
      const file = `${folder}/apify.db`
      symlinkSync(folder, `${folder}/folder`)
      symlinkSync("apify.db", `${folder}/link.db`)
      symlinkSync("folder/link.db", `${folder}/link to a link.db`)
      const names = [
        file,
        `${folder}/../${folder.split("/").at(-1)}/apify.db`,
        relative(process.cwd(), file),
        `${folder}/folder/apify.db`,
        `${folder}/link.db`,
        `${folder}/link to a link.db`
      ]
      // The first start makes the file that its link leads to.
      for (const [first, second] of [
        ["link to a link.db", "apify.db"],
        ["apify.db", "link.db"]
      ]) {
        yield* Effect.gen(function* () {
          yield* serving(`${folder}/${first}`, 0)
          assert.include((yield* Effect.flip(serving(`${folder}/${second}`, 0))).message, "another emulator uses it")
          for (const name of names) {
            assert.include((yield* Effect.flip(serving(name, 0))).message, "another emulator uses it", name)
          }
        }).pipe(Effect.scoped)
      }
      assert.sameMembers(readdirSync(folder), ["apify.db", "apify.db-lock", "folder", "link.db", "link to a link.db"])
    })
  )

  it.scoped("is refused if it has a second name that does not lead to the first", () =>
    Effect.gen(function* () {
      const folder = yield* scratch
      yield* opened(`${folder}/apify.db`)
      linkSync(`${folder}/apify.db`, `${folder}/hard.db`)
      for (const name of ["apify.db", "hard.db"]) {
        const error = yield* Effect.flip(start(`${folder}/${name}`))
        assert.strictEqual(
          error.message,
          `Cannot use the database ${folder}/${name}: it has another name, a hard link. Copy it, and choose the copy.`
        )
      }
      assert.sameMembers(readdirSync(folder), ["apify.db", "hard.db"])
    })
  )

  it.scopedLive("is made where the system finds it, if its link leads up from a folder that is a link", () =>
    Effect.gen(function* () {
      const folder = yield* scratch
      mkdirSync(`${folder}/data/deep`, { recursive: true })
      symlinkSync("data/deep", `${folder}/deep`)
      symlinkSync("deep/../apify.db", `${folder}/link.db`)
      yield* serving(`${folder}/link.db`, 0)
      assert.include(readdirSync(`${folder}/data`), "apify.db")
      assert.sameMembers(readdirSync(folder), ["data", "deep", "link.db"])
      const error = yield* Effect.flip(serving(`${folder}/data/apify.db`, 0))
      assert.include(error.message, "another emulator uses it")
    })
  )

  it.scoped("is refused if its links lead nowhere", () =>
    Effect.gen(function* () {
      const folder = yield* scratch
      symlinkSync("missing/apify.db", `${folder}/missing.db`)
      symlinkSync("missing/../apify.db", `${folder}/up.db`)
      symlinkSync("circle.db", `${folder}/circle.db`)
      const messageOf = (name: string) => Effect.map(Effect.flip(start(`${folder}/${name}`)), ({ message }) => message)
      assert.include(yield* messageOf("missing.db"), `the folder ${folder}/missing does not exist`)
      assert.include(yield* messageOf("up.db"), `the folder ${folder}/missing/.. does not exist`)
      assert.include(yield* messageOf("circle.db"), "it cannot be opened")
      assert.sameMembers(readdirSync(folder), ["missing.db", "up.db", "circle.db"])
    })
  )

  it.scoped("is refused if its journal cannot be read", () =>
    Effect.gen(function* () {
      const folder = yield* scratch
      yield* opened(`${folder}/apify.db`)
      mkdirSync(`${folder}/apify.db-journal`)
      const error = yield* Effect.flip(start(`${folder}/apify.db`))
      assert.deepInclude(error, { _tag: "DatabaseError", database: `${folder}/apify.db` })
      assert.sameMembers(readdirSync(folder), ["apify.db", "apify.db-journal"])
    })
  )

  it.scopedLive("is refused if it is no file", () =>
    Effect.gen(function* () {
      const folder = yield* scratch
      yield* Effect.acquireRelease(
        Effect.async<Server>((resume) => {
          const server = createServer().listen(`${folder}/socket`, () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      assert.include((yield* Effect.flip(start(`${folder}/socket`))).message, "it is a device or a socket")
      assert.sameMembers(readdirSync(folder), ["socket"])
    })
  )

  it.scopedLive("is not brought up to date while another emulator uses it", () =>
    Effect.gen(function* () {
      const file = `${yield* scratch}/apify.db`
      yield* writeVersion1(file, yield* decodeSeed(demoSeed))
      const before = readFileSync(file)
      yield* Effect.gen(function* () {
        yield* keepOthersOut(file)
        const error = yield* Effect.flip(Effect.provideService(start(file), LockTimeout, Duration.zero))
        assert.include(error.message, "another emulator uses it")
        assert.isTrue(before.equals(readFileSync(file)))
      }).pipe(Effect.scoped)
      yield* start(file)
    })
  )

  it.scopedLive("is an error during the load of a seed with the reason", () =>
    Effect.gen(function* () {
      const file = `${yield* scratch}/apify.db`
      yield* start(file)
      const other = yield* connection(file)
      other.exec("BEGIN IMMEDIATE")
      const error = yield* Effect.flip(Effect.provide(Emulator, Emulator.layer({ database: file, seed: demoSeed })))
      assert.include(error.message, "another process has locked it")
    })
  )

  it.scopedLive("opens while the other process only prepares to write, if no migration is due", () =>
    Effect.gen(function* () {
      const file = `${yield* scratch}/apify.db`
      yield* start(file)
      const other = yield* connection(file)
      other.exec("BEGIN IMMEDIATE")
      assert.strictEqual(yield* demoStatus(yield* serving(file, 0)), 200)
    })
  )

  it.scopedLive("is a 500 after the lock timeout, and works again when the lock is released", () =>
    Effect.gen(function* () {
      const file = `${yield* scratch}/apify.db`
      const url = yield* serving(file, 0)
      const other = yield* connection(file)
      other.exec("BEGIN EXCLUSIVE")
      assert.strictEqual(yield* demoStatus(url), 500)
      other.exec("ROLLBACK")
      assert.strictEqual(yield* demoStatus(url), 200)
    })
  )

  const locks = {
    "is being read": "BEGIN; SELECT * FROM users",
    "is about to be written": "BEGIN IMMEDIATE",
    "is being written": "BEGIN EXCLUSIVE"
  }
  for (const [what, lock] of Object.entries(locks)) {
    it.scoped(`keeps nothing of what failed while it ${what}`, () =>
      Effect.gen(function* () {
        const file = `${yield* scratch}/apify.db`
        const url = yield* serving(file, 0)
        const other = yield* connection(file)
        const store = storePath("WkzbQMuFYuamGv3YF")
        const statusOf = (method: string, path: string, body = "") =>
          Effect.map(request(url, path, { method, token: DEMO_TOKEN, body }), ({ status }) => status)
        const requests = {
          reading: statusOf("GET", `${store}/keys`),
          writing: statusOf("PUT", `${store}/records/small`, "x"),
          streaming: statusOf("PUT", `${store}/records/large`, "x".repeat(2 * CHUNK_BYTES))
        }
        other.exec(lock)
        if (lock.includes("SELECT")) other.prepare("SELECT count(*) FROM users").all()
        const isReadable = what !== "is being written"
        assert.deepStrictEqual(yield* Effect.all(requests), {
          reading: isReadable ? 200 : 500,
          writing: 500,
          streaming: 500
        })
        other.exec("ROLLBACK")
        assert.deepStrictEqual(yield* Effect.all(requests), { reading: 200, writing: 201, streaming: 201 })
        // Nor is the file kept from the other process. Time stands still, so that no accesses are written down now.
        other.exec("DELETE FROM grants")
      })
    )
  }

  it.scopedLive("does not hold up other requests", () =>
    Effect.gen(function* () {
      const file = `${yield* scratch}/apify.db`
      const url = yield* serving(file, "1 hour")
      const other = yield* connection(file)
      other.exec("BEGIN EXCLUSIVE")
      const started = yield* Effect.fork(requestStarted)
      yield* Effect.yieldNow()
      const waiting = yield* Effect.fork(demoStatus(url))
      yield* Fiber.join(started)
      assert.strictEqual((yield* request(url, "/")).status, 404)
      other.exec("ROLLBACK")
      assert.strictEqual(yield* Fiber.join(waiting), 200)
    })
  )
})

// ---- Transactions ------------------------------------------------------------------------------------------------------

describe("a transaction", () => {
  const addUser = (id: string) =>
    Effect.flatMap(
      SqlClient.SqlClient,
      (sql) => sql`INSERT INTO users (id, username, setting) VALUES (${id}, ${id}, ${"x".repeat(5_000)})`
    )
  const users = Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.map(sql`SELECT id FROM users`, (rows) => rows.length)
  )
  const inTransaction = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.flatMap(SqlClient.SqlClient, (sql) => sql.withTransaction(effect))

  it.scopedLive("that cannot be committed fails, leaves nothing, and the next one works", () =>
    Effect.gen(function* () {
      const file = `${yield* scratch}/apify.db`
      yield* Effect.gen(function* () {
        const reader = yield* connection(file)
        reader.exec("BEGIN; SELECT * FROM users")
        reader.prepare("SELECT count(*) FROM users").all()
        const error = yield* Effect.flip(inTransaction(addUser("one")))
        assert.strictEqual(error._tag, "SqlError")
        reader.exec("ROLLBACK")
        assert.strictEqual(yield* users, 0)
        yield* inTransaction(addUser("two"))
        assert.strictEqual(yield* users, 1)
      }).pipe(Effect.provide(databaseLayer(file)), Effect.provideService(LockTimeout, Duration.zero))
    })
  )

  it.scoped("that fills the disk fails, leaves nothing, and the next one works", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const [size] = yield* sql<{ page_count: number }>`PRAGMA page_count`
      yield* sql`PRAGMA max_page_count = ${sql.literal(String((size?.page_count ?? 0) + 4))}`
      const error = yield* Effect.flip(
        inTransaction(
          Effect.forEach(
            Array.from({ length: 50 }, (_, index) => `user-${index}`),
            addUser
          )
        )
      )
      assert.strictEqual(error._tag, "SqlError")
      assert.strictEqual(yield* users, 0)
      yield* inTransaction(addUser("one"))
      assert.strictEqual(yield* users, 1)
    }).pipe(Effect.provide(databaseLayer(":memory:")))
  )

  it.scoped("is not seen by others before it is committed", () =>
    Effect.gen(function* () {
      const isOpen = yield* Deferred.make<void>()
      const ends = yield* Deferred.make<void>()
      const writing = yield* Effect.fork(
        inTransaction(
          addUser("one").pipe(
            Effect.zipRight(Deferred.succeed(isOpen, undefined)),
            Effect.zipRight(Deferred.await(ends)),
            Effect.zipRight(Effect.fail("undone"))
          )
        )
      )
      yield* Deferred.await(isOpen)
      const seen = yield* Effect.fork(users)
      yield* Effect.yieldNow()
      yield* Deferred.succeed(ends, undefined)
      yield* Fiber.await(writing)
      assert.strictEqual(yield* Fiber.join(seen), 0)
    }).pipe(Effect.provide(databaseLayer(":memory:")))
  )
})

it.scoped("a prepared statement returns the same rows when it is used again", () =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`CREATE TABLE numbers (number INTEGER PRIMARY KEY)`
    yield* Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.constantFrom("insert", "atLeast", "equal", "fail"), fc.nat({ max: 300 })), {
            maxLength: 30
          }),
          (commands) =>
            Effect.gen(function* () {
              yield* sql`DELETE FROM numbers`
              const numbers = new Set<number>()
              for (const [command, number] of commands) {
                const expected = Array.from(numbers).sort((a, b) => a - b)
                switch (command) {
                  case "insert":
                    yield* sql`INSERT INTO numbers VALUES (${number}) ON CONFLICT DO NOTHING`
                    numbers.add(number)
                    break
                  case "fail":
                    if (numbers.has(number)) yield* Effect.flip(sql`INSERT INTO numbers VALUES (${number})`)
                    break
                  case "atLeast":
                    assert.deepStrictEqual(
                      yield* sql`SELECT number FROM numbers WHERE number >= ${number} ORDER BY number`,
                      expected.filter((other) => other >= number).map((number) => ({ number }))
                    )
                    break
                  case "equal":
                    assert.deepStrictEqual(
                      yield* sql`SELECT number FROM numbers WHERE number = ${number}`,
                      expected.filter((other) => other === number).map((number) => ({ number }))
                    )
                }
              }
            }).pipe(Effect.runPromise)
        ),
        { numRuns: 50 }
      )
    )
  }).pipe(Effect.provide(databaseLayer(":memory:")))
)

it.scoped("any text is read as it was written", () =>
  Effect.gen(function* () {
    const runtime = yield* Effect.runtime<Database>()
    yield* Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.string({ unit: character }), fc.string({ unit: character }), (title, key) =>
          Effect.gen(function* () {
            const [example] = demoSeed.stores
            const urlSigningSecretKey = Buffer.from(key).toString()
            const seed = yield* decodeSeed({
              users: demoSeed.users,
              stores: [{ owner: "janedoe", store: { ...example?.store, title, urlSigningSecretKey } }]
            })
            yield* loadSeed(seed)
            const stored = yield* findStore({ _tag: "StoreById", id: example?.store.id ?? "" }, Option.none())
            const { store } = Option.getOrThrow(stored)
            assertEquals(store.title, Option.some(title))
            assertEquals(Option.map(store.urlSigningSecretKey, Redacted.value), Option.some(urlSigningSecretKey))
          }).pipe(Runtime.runPromise(runtime))
        )
      )
    )
  }).pipe(Effect.provide(databaseLayer(":memory:")))
)
