/**
 * Stores and the rights to them, in the database.
 *
 * @since 0.1.0
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Store, OwnerSetting, type StoreRef } from "@effect-apify/domain"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ParseError } from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { Caller } from "./Accounts.js"
import { Scope } from "./Seed.js"

/**
 * A store as a request names it. Looser than domain's `StoreRef`, which is what a client may send: a server is asked for
 * anything, and what cannot exist is not found.
 *
 * @since 0.1.0
 * @category models
 */
export interface RequestedStore {
  readonly form: StoreRef["_tag"]
  /** The username or user id before the `~`; empty where there is none. */
  readonly owner: string
  /** The id, or the name after the `~`. */
  readonly key: string
}

/**
 * A store, whose it is, what its owner's setting says, and what the caller was explicitly granted.
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoredStore = Schema.Struct({
  store: Schema.parseJson(Store),
  ownerId: Schema.String,
  ownerName: Schema.String,
  ownerSetting: OwnerSetting,
  granted: Schema.NullOr(Scope)
}).annotations({ identifier: "StoredStore" })

/**
 * @since 0.1.0
 * @category models
 */
export type StoredStore = typeof StoredStore.Type

const decodeStores = Schema.decodeUnknown(Schema.Array(StoredStore))

/**
 * Finds a store. Names and usernames match without case, ids with it; a left part that is somebody's id is that.
 *
 * @since 0.1.0
 * @category queries
 */
export const findStore: (
  requested: RequestedStore,
  caller: Option.Option<Caller>
) => Effect.Effect<Option.Option<StoredStore>, SqlError | ParseError, SqlClient.SqlClient> = Effect.fnUntraced(
  function* ({ form, owner, key }, caller) {
    const sql = yield* SqlClient.SqlClient
    const callerId = Option.getOrNull(Option.map(caller, ({ userId }) => userId))
    const matches = {
      StoreById: sql`stores.id = ${key}`,
      StoreByName: sql`stores.name = ${key} AND stores.owner_id = (
        SELECT id FROM users WHERE id = ${owner} OR username = ${owner} ORDER BY id = ${owner} DESC LIMIT 1)`,
      OwnStore: sql`stores.name = ${key} AND stores.owner_id = ${callerId}`
    }[form]
    const rows = yield* sql`
      SELECT stores.document AS store, users.id AS ownerId, users.username AS ownerName,
        users.setting AS ownerSetting, grants.access AS granted
      FROM stores
      JOIN users ON users.id = stores.owner_id
      LEFT JOIN grants ON grants.store_id = stores.id AND grants.user_id = ${callerId}
      WHERE ${matches}`
    return Arr.head(yield* decodeStores(rows))
  }
)
