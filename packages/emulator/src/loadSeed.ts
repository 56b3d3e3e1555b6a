/**
 * Writing a seed to the database: all of it, or nothing.
 *
 * @since 0.1.0
 */
import { createHash } from "node:crypto"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as SqlSchema from "@effect/sql/SqlSchema"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ParseError } from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { hashToken } from "./Callers.js"
import { forEachYielding } from "./internal/eventLoop.js"
import { Row, selectRow } from "./Row.js"
import { type InvalidSeedError, type Seed, seedProblem } from "./Seed.js"
import { saveStore } from "./StoreRows.js"

/** How many users or stores are written before the event loop runs. */
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

const findNamesake = SqlSchema.findOne({
  Request: Schema.Struct({ id: Schema.String, ownerId: Schema.String, name: Schema.String }),
  Result: HasId,
  execute: ({ id, ownerId, name }) =>
    Effect.flatMap(
      SqlClient.SqlClient,
      (sql) => sql`
        SELECT ${selectId(sql)} FROM stores
        WHERE owner_id = ${ownerId} AND lower(name) = lower(${name}) AND id <> ${id}`
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
  yield* Effect.forEach(
    user.tokens,
    ({ token, scope }) => sql`
      INSERT INTO tokens (hash, user_id, scope) VALUES (${hashToken(token)}, ${id}, ${scope})
      ON CONFLICT (hash) DO UPDATE SET user_id = excluded.user_id, scope = excluded.scope`,
    { discard: true }
  )
  return id
})

const loadStore = Effect.fnUntraced(function* (
  { store, grants }: Seed["stores"][number],
  index: number,
  ownerId: string,
  idOf: (username: string) => string
) {
  const sql = yield* SqlClient.SqlClient
  if (
    Option.isSome(store.name) &&
    Option.isSome(yield* findNamesake({ id: store.id, ownerId, name: store.name.value }))
  ) {
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
})

/**
 * Loads a seed in one transaction. It replaces the users and stores that it lists, tokens and grants included; others are
 * unchanged. Loading it again changes nothing. An interruption rolls it back.
 *
 * @since 0.1.0
 * @category seeding
 */
export const loadSeed: (
  seed: Seed
) => Effect.Effect<void, InvalidSeedError | SqlError | ParseError, SqlClient.SqlClient> = Effect.fnUntraced(function* ({
  users,
  stores
}) {
  const sql = yield* SqlClient.SqlClient
  yield* sql.withTransaction(
    Effect.gen(function* () {
      const ids = new Map<string, string>()
      const idOf = (username: string) => ids.get(username.toLowerCase()) ?? derivedId(username)
      yield* forEachYielding(users, BATCH, (user, index) =>
        Effect.map(loadUser(user, index), (id) => ids.set(user.username.toLowerCase(), id))
      )
      yield* forEachYielding(stores, BATCH, (seeded, index) => loadStore(seeded, index, idOf(seeded.owner), idOf))
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
