/**
 * Stores in the database: one row for each store, one column for each field.
 *
 * @since 0.1.0
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as SqlSchema from "@effect/sql/SqlSchema"
import { OwnerSetting, Right } from "@effect-apify/domain/AccessPolicy"
import { decodeStoreBody } from "@effect-apify/domain/decodeStoreBody"
import { Store } from "@effect-apify/domain/Store"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { type Database, json, object, Row, rowsOf, selectRow, when } from "./Row.js"

/**
 * A store as a request refers to it. This is looser than domain's `StoreRef`, which is what a client may send: a server
 * receives anything, and what cannot exist is not found.
 *
 * @since 0.1.0
 * @category models
 */
export type RequestedStore =
  | { readonly _tag: "StoreById"; readonly id: string }
  /** By the username or user ID of its owner, and its name. */
  | { readonly _tag: "StoreByName"; readonly owner: string; readonly name: string }
  /** By its name in the caller's account. */
  | { readonly _tag: "OwnStore"; readonly userId: string; readonly name: string }

// As `Store`, several times as fast.
const StoreFromJson = Schema.transformOrFail(Schema.Unknown, Schema.typeSchema(Store), {
  strict: true,
  decode: (json) => decodeStoreBody({ data: json }),
  encode: (store) => ParseResult.encode(Store)(store)
}).annotations({ identifier: "StoreFromJson" })

/**
 * A store, the setting of its owner, and what the owner granted to the caller. `userId` and `username` are the owner's.
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoredStore = Schema.Struct({
  store: StoreFromJson,
  ownerId: Schema.String,
  ownerSetting: OwnerSetting,
  granted: Schema.OptionFromNullOr(Right)
}).annotations({ identifier: "StoredStore" })

/**
 * The decoded `StoredStore`.
 *
 * @since 0.1.0
 * @category models
 */
export type StoredStore = typeof StoredStore.Type

// ---- Columns -----------------------------------------------------------------------------------------------------------

/** The columns of the table `stores` by the fields of a store; times are in ISO 8601, so that they sort as text. */
const columns = {
  id: "id",
  name: "name",
  title: "title",
  createdAt: "created_at",
  modifiedAt: "modified_at",
  accessedAt: "accessed_at",
  actId: "act_id",
  actRunId: "act_run_id",
  consoleUrl: "console_url",
  keysPublicUrl: "keys_public_url",
  recordsPublicUrl: "records_public_url",
  urlSigningSecretKey: "url_signing_secret_key",
  generalAccess: "general_access"
} as const

const countColumns = {
  readCount: "read_count",
  writeCount: "write_count",
  deleteCount: "delete_count",
  listCount: "list_count",
  storageBytes: "storage_bytes",
  s3StorageBytes: "s3_storage_bytes"
} as const

const encodeStore = Schema.encode(Store)

/**
 * The values of a store's row by the names of its columns, except for `owner_id`.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encodeStoreRow = (
  store: Store
): Effect.Effect<Readonly<Record<string, unknown>>, ParseResult.ParseError> =>
  Effect.map(encodeStore(store), (json) => ({
    ...valuesOf(columns, json),
    ...valuesOf(countColumns, json.stats ?? {}),
    // A new store may have statistics without any counter.
    has_stats: json.stats === undefined ? 0 : 1,
    schema: json.schema === undefined ? null : JSON.stringify(json.schema)
  }))

const valuesOf = (columns: Readonly<Record<string, string>>, values: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(columns).map(([field, column]) => [column, values[field] ?? null]))

// ---- Statements --------------------------------------------------------------------------------------------------------

const ofStores = (columns: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(columns).map(([field, column]) => [field, `stores.${column}`]))

const selectStored = selectRow({
  store: object({
    ...ofStores(columns),
    userId: "users.id",
    username: "users.username",
    schema: json("stores.schema"),
    stats: when("stores.has_stats = 1", object(ofStores(countColumns)))
  }),
  ownerId: "users.id",
  ownerSetting: "users.setting",
  granted: "grants.access"
})

const whereRequested = (sql: SqlClient.SqlClient, requested: RequestedStore) => {
  switch (requested._tag) {
    case "StoreById":
      return sql`stores.id = ${requested.id}`
    case "StoreByName":
      return sql`lower(stores.name) = lower(${requested.name}) AND stores.owner_id = (
        SELECT id FROM users
        WHERE id = ${requested.owner} OR lower(username) = lower(${requested.owner})
        ORDER BY CASE WHEN id = ${requested.owner} THEN 0 ELSE 1 END
        LIMIT 1)`
    case "OwnStore":
      return sql`lower(stores.name) = lower(${requested.name}) AND stores.owner_id = ${requested.userId}`
  }
}

interface Request {
  readonly requested: RequestedStore
  readonly callerId: string | null
}

const findRow = SqlSchema.findOne({
  Request: Schema.declare((request: unknown): request is Request => Predicate.isRecord(request)),
  Result: Row(StoredStore),
  execute: ({ requested, callerId }) =>
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      rowsOf(sql`
        SELECT ${selectStored(sql)}
        FROM stores
        JOIN users ON users.id = stores.owner_id
        LEFT JOIN grants ON grants.store_id = stores.id AND grants.user_id = ${callerId}
        WHERE ${whereRequested(sql, requested)}`)
    )
})

/**
 * Finds a store. Names and usernames match without case, IDs with it. The part before the name is a user's ID if there is
 * such a user, and a username otherwise.
 *
 * @since 0.1.0
 * @category statements
 */
export const findStore = (
  requested: RequestedStore,
  callerId: Option.Option<string>
): Effect.Effect<Option.Option<StoredStore>, SqlError | ParseResult.ParseError, Database> =>
  Effect.map(
    findRow({ requested, callerId: Option.getOrNull(callerId) }),
    Option.map(({ row }) => row)
  )

const savedColumns = [...Object.values(columns), ...Object.values(countColumns), "has_stats", "schema", "owner_id"]
const replacements = savedColumns.map((column) => `${column} = excluded.${column}`).join(", ")

/**
 * Writes a store's row, over the one with its ID if there is one.
 *
 * @since 0.1.0
 * @category statements
 */
export const saveStore: (
  store: Store,
  ownerId: string
) => Effect.Effect<void, SqlError | ParseResult.ParseError, SqlClient.SqlClient> = Effect.fnUntraced(
  function* (store, ownerId) {
    const sql = yield* SqlClient.SqlClient
    const row = yield* encodeStoreRow(store)
    yield* sql`
      INSERT INTO stores ${sql.insert({ ...row, owner_id: ownerId })}
      ON CONFLICT (id) DO UPDATE SET ${sql.literal(replacements)}`
  }
)
