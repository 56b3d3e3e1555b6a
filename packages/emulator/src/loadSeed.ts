/**
 * Writing a seed to the database: all of it, or nothing.
 *
 * @since 0.1.0
 */
import { createHash } from "node:crypto"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Store } from "@effect-apify/domain"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ParseError } from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { hashToken } from "./Accounts.js"
import { type InvalidSeedError, type Seed, seedProblem } from "./Seed.js"

const encodeStore = Schema.encode(Schema.parseJson(Store))
const decodeIds = Schema.decodeUnknown(Schema.Array(Schema.Struct({ id: Schema.String })))

/** As long as Apify's ids, and the same for the same username in every run. */
const ID_LENGTH = 17
const derivedId = (username: string): string =>
  createHash("sha256").update(username.toLowerCase()).digest("hex").slice(0, ID_LENGTH)

const loadUser = Effect.fnUntraced(function* (user: Seed["users"][number], index: number) {
  const sql = yield* SqlClient.SqlClient
  const [known] = yield* Effect.flatMap(sql`SELECT id FROM users WHERE username = ${user.username}`, decodeIds)
  const id = Option.getOrElse(user.id, () => known?.id ?? derivedId(user.username))
  if (known !== undefined && known.id !== id) {
    return yield* seedProblem(["users", index, "id"], "The database holds this username under another id")
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
  const name = Option.getOrNull(store.name)
  const namesakes = yield* Effect.flatMap(
    sql`SELECT id FROM stores WHERE owner_id = ${ownerId} AND name = ${name} AND id <> ${store.id}`,
    decodeIds
  )
  if (namesakes.length > 0) {
    return yield* seedProblem(
      ["stores", index, "store", "name"],
      "The database holds another store of its owner under this name"
    )
  }
  const document = yield* encodeStore(store)
  yield* sql`
    INSERT INTO stores (id, owner_id, name, document) VALUES (${store.id}, ${ownerId}, ${name}, ${document})
    ON CONFLICT (id) DO UPDATE
      SET owner_id = excluded.owner_id, name = excluded.name, document = excluded.document`
  yield* sql`DELETE FROM grants WHERE store_id = ${store.id}`
  yield* Effect.forEach(
    grants,
    ({ user, access }) =>
      sql`INSERT INTO grants (store_id, user_id, access) VALUES (${store.id}, ${idOf(user)}, ${access})`,
    { discard: true }
  )
})

/**
 * Loads a seed in one transaction. Whatever it names is afterwards as it says, tokens and rights included; whatever it
 * does not name stays as it was. Loading it again changes nothing.
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
      yield* Effect.forEach(users, (user, index) =>
        Effect.map(loadUser(user, index), (id) => ids.set(user.username.toLowerCase(), id))
      )
      yield* Effect.forEach(stores, (seeded, index) => loadStore(seeded, index, idOf(seeded.owner), idOf))
    })
  )
})

/**
 * Whether the database holds nobody yet.
 *
 * @since 0.1.0
 * @category seeding
 */
export const isUnseeded: Effect.Effect<boolean, SqlError, SqlClient.SqlClient> = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => Effect.map(sql`SELECT 1 FROM users LIMIT 1`, (rows) => rows.length === 0)
)
