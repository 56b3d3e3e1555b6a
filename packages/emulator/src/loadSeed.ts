/**
 * Writing a seed to the database: all of it, or nothing.
 *
 * @since 0.1.0
 */
import { createHash } from "node:crypto"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as SqlSchema from "@effect/sql/SqlSchema"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ParseError } from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { hashToken } from "./Callers.js"
import { forEachYielding } from "./internal/eventLoop.js"
import { measureRecords, seedRecord } from "./RecordRows.js"
import { type Database, Row, selectRow } from "./Row.js"
import { type InvalidSeedError, type Seed, type SeedToken, seedProblem } from "./Seed.js"
import { isNameTaken, saveStore } from "./StoreRows.js"

/** How many users, stores or runs are written before the event loop runs. */
const BATCH = 20

/** As long as Apify's IDs, and always the same for the same username. */
const ID_LENGTH = 17
const derivedId = (username: string): string =>
  createHash("sha256").update(username.toLowerCase()).digest("hex").slice(0, ID_LENGTH)

const HasId = Row(Schema.Struct({ id: Schema.String }))
const selectId = selectRow({ id: "id" })

const findUserId = SqlSchema.findOne({
  Request: Schema.String,
  Result: HasId,
  execute: (username) =>
    Effect.flatMap(
      SqlClient.SqlClient,
      (sql) => sql`SELECT ${selectId(sql)} FROM users WHERE lower(username) = lower(${username})`
    )
})

const loadUser = Effect.fnUntraced(function* (user: Seed["users"][number], index: number) {
  const sql = yield* SqlClient.SqlClient
  const known = Option.map(yield* findUserId(user.username), ({ row }) => row.id)
  const id = Option.getOrElse(
    Option.orElse(user.id, () => known),
    () => derivedId(user.username)
  )
  if (Option.isSome(known) && known.value !== id) {
    return yield* seedProblem(["users", index, "id"], "is not the ID that this username has in the database")
  }
  yield* sql`
    INSERT INTO users (id, username, setting) VALUES (${id}, ${user.username}, ${user.setting})
    ON CONFLICT (id) DO UPDATE SET username = excluded.username, setting = excluded.setting`
  yield* sql`DELETE FROM tokens WHERE user_id = ${id}`
  yield* Effect.forEach(user.tokens, (token) => loadToken(token, id), { discard: true })
  return id
})

const loadToken = Effect.fnUntraced(function* ({ token, stores, ...given }: SeedToken, userId: string) {
  const sql = yield* SqlClient.SqlClient
  const scope = Option.getOrElse(given.scope, () => (Option.isSome(stores) ? "NONE" : "WRITE"))
  const mayCreate = Option.getOrElse(given.create, () => scope === "WRITE")
  const hash = hashToken(token)
  // It may have been another user's.
  yield* sql`DELETE FROM tokens WHERE hash = ${hash}`
  yield* sql`INSERT INTO tokens ${sql.insert({ hash, user_id: userId, scope, can_create: mayCreate ? 1 : 0 })}`
  yield* Effect.forEach(
    Object.entries(Option.getOrElse(stores, () => ({}))),
    ([id, access]) => sql`INSERT INTO token_stores ${sql.insert({ hash, store_id: id, access })}`,
    { discard: true }
  )
})

const loadStore = Effect.fnUntraced(function* (
  { store, grants, records }: Seed["stores"][number],
  index: number,
  ownerId: string,
  idOf: (username: string) => string
) {
  const sql = yield* SqlClient.SqlClient
  if (yield* isNameTaken(store, ownerId)) {
    return yield* seedProblem(
      ["stores", index, "store", "name"],
      "is the name of another store of the same owner in the database"
    )
  }
  yield* saveStore(store, ownerId)
  yield* sql`DELETE FROM grants WHERE store_id = ${store.id}`
  yield* Effect.forEach(
    grants,
    ({ user, access }) =>
      sql`INSERT INTO grants (store_id, user_id, access) VALUES (${store.id}, ${idOf(user)}, ${access})`,
    { discard: true }
  )
  yield* forEachYielding(records, BATCH, (record) => seedRecord(store.id, record, store.modifiedAt))
  if (Option.isNone(Option.flatMap(store.stats, ({ storageBytes }) => storageBytes))) yield* measureRecords(store.id)
})

const findStoreId = SqlSchema.findOne({
  Request: Schema.String,
  Result: HasId,
  execute: (id) =>
    Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT ${selectId(sql)} FROM stores WHERE id = ${id}`)
})

const loadRun = Effect.fnUntraced(function* (run: Seed["runs"][number], index: number, ownerId: string) {
  const sql = yield* SqlClient.SqlClient
  if (Option.isNone(yield* findStoreId(run.defaultKeyValueStoreId))) {
    return yield* seedProblem(["runs", index, "defaultKeyValueStoreId"], "is not the ID of a store")
  }
  const row = {
    id: run.id,
    owner_id: ownerId,
    actor_id: run.actor.id,
    actor_owner: Option.getOrElse(run.actor.owner, () => run.owner),
    actor_name: run.actor.name,
    task_id: Option.getOrNull(Option.map(run.task, ({ id }) => id)),
    task_name: Option.getOrNull(Option.map(run.task, ({ name }) => name)),
    started_at: DateTime.formatIso(run.startedAt),
    status: run.status,
    origin: run.origin,
    store_id: run.defaultKeyValueStoreId
  }
  yield* sql`DELETE FROM runs WHERE id = ${run.id}`
  yield* sql`INSERT INTO runs ${sql.insert(row)}`
})

/**
 * Loads a seed in one transaction. It replaces the users, stores, records and runs that it lists, tokens and grants
 * included; others are unchanged. Loading it again changes nothing. An interruption rolls it back.
 *
 * @since 0.1.0
 * @category seeding
 */
export const loadSeed: (seed: Seed) => Effect.Effect<void, InvalidSeedError | SqlError | ParseError, Database> =
  Effect.fnUntraced(function* ({ users, stores, runs }) {
    const sql = yield* SqlClient.SqlClient
    yield* sql.withTransaction(
      Effect.gen(function* () {
        const ids = new Map<string, string>()
        const idOf = (username: string) => ids.get(username.toLowerCase()) ?? derivedId(username)
        yield* forEachYielding(users, BATCH, (user, index) =>
          Effect.map(loadUser(user, index), (id) => ids.set(user.username.toLowerCase(), id))
        )
        yield* forEachYielding(stores, BATCH, (seeded, index) => loadStore(seeded, index, idOf(seeded.owner), idOf))
        yield* forEachYielding(runs, BATCH, (run, index) => loadRun(run, index, idOf(run.owner)))
      })
    )
  })

/**
 * Whether the database holds no user yet.
 *
 * @since 0.1.0
 * @category seeding
 */
export const isUnseeded: Effect.Effect<boolean, SqlError, SqlClient.SqlClient> = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => Effect.map(sql`SELECT 1 AS found FROM users LIMIT 1`, (rows) => rows.length === 0)
)
