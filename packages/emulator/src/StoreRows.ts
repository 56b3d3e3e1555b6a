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
import type { Caller } from "./Callers.js"
import { type Database, json, object, onlyRow, Row, rowsOf, selectRow, when } from "./Row.js"

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
 * A store, the setting of its owner, what the owner granted to the caller, and what the caller's token may do with this
 * store alone. `userId` and `username` are the owner's.
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoredStore = Schema.Struct({
  store: StoreFromJson,
  ownerId: Schema.String,
  ownerSetting: OwnerSetting,
  granted: Schema.OptionFromNullOr(Right),
  scoped: Schema.OptionFromNullOr(Right)
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

const storedFields = {
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
}

const selectStored = selectRow({ ...storedFields, scoped: "NULL" })
const selectStoredAndScoped = selectRow({ ...storedFields, scoped: "token_stores.access" })

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

/**
 * What is needed of a caller to know the caller's rights to stores.
 *
 * @since 0.1.0
 * @category models
 */
export type CallerOfStores = Pick<Caller, "userId" | "scope" | "hash">

/** What a token may do with single stores matters only to one that may not do everything. */
const hasScopes = (caller: CallerOfStores | null): caller is CallerOfStores =>
  caller !== null && caller.scope !== "WRITE"

const scopesOf = (sql: SqlClient.SqlClient, caller: CallerOfStores | null) =>
  hasScopes(caller)
    ? sql`LEFT JOIN token_stores ON token_stores.store_id = stores.id AND token_stores.hash = ${caller.hash}`
    : sql.literal("")

/** The beginning of a statement for the rows of stores, for one caller. */
const selectStores = (sql: SqlClient.SqlClient, caller: CallerOfStores | null) => sql`
  SELECT ${hasScopes(caller) ? selectStoredAndScoped(sql) : selectStored(sql)}
  FROM stores
  JOIN users ON users.id = stores.owner_id
  LEFT JOIN grants ON grants.store_id = stores.id AND grants.user_id = ${caller?.userId ?? null}
  ${scopesOf(sql, caller)}`

const isRequest = <A extends object>(request: unknown): request is A => Predicate.isRecord(request)

interface FindRequest {
  readonly requested: RequestedStore
  readonly caller: CallerOfStores | null
}

const findRow = SqlSchema.findOne({
  Request: Schema.declare(isRequest<FindRequest>),
  Result: Row(StoredStore),
  execute: ({ requested, caller }) =>
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      rowsOf(sql`${selectStores(sql, caller)} WHERE ${whereRequested(sql, requested)}`)
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
  caller: Option.Option<CallerOfStores>
): Effect.Effect<Option.Option<StoredStore>, SqlError | ParseResult.ParseError, Database> =>
  Effect.map(
    findRow({ requested, caller: Option.getOrNull(caller) }),
    Option.map(({ row }) => row)
  )

// ---- Lists -------------------------------------------------------------------------------------------------------------

/**
 * Which stores are listed: all that the caller may reach, or only the caller's own or those of others.
 *
 * @since 0.1.0
 * @category models
 */
export interface ListRequest {
  readonly caller: Caller
  readonly ownership: "ownedByMe" | "sharedWithMe" | null
  /** With unnamed stores. */
  readonly unnamed: boolean
  /** Without those unnamed stores that are empty. */
  readonly leavesOutEmpty: boolean
  /** The newest first. */
  readonly desc: boolean
  readonly offset: number
  readonly limit: number
}

const whereListed = (sql: SqlClient.SqlClient, { caller, ownership, unnamed, leavesOutEmpty }: ListRequest) => {
  const owned = sql`SELECT id FROM stores WHERE owner_id = ${caller.userId}`
  const shared = sql`SELECT store_id FROM grants WHERE user_id = ${caller.userId}`
  const reached =
    ownership === "ownedByMe"
      ? sql`stores.id IN (${owned})`
      : ownership === "sharedWithMe"
        ? sql`stores.id IN (${shared}) AND stores.owner_id <> ${caller.userId}`
        : sql`stores.id IN (${owned} UNION ${shared})`
  const filled = sql.literal(leavesOutEmpty ? " AND (stores.name IS NOT NULL OR stores.storage_bytes > 0)" : "")
  const named = unnamed ? filled : sql` AND stores.name IS NOT NULL`
  const scoped = caller.scope === "NONE" ? sql` AND token_stores.access IS NOT NULL` : sql``
  return sql`${reached}${named}${scoped}`
}

const listRows = SqlSchema.findAll({
  Request: Schema.declare(isRequest<ListRequest>),
  Result: Row(StoredStore),
  execute: (request) =>
    Effect.flatMap(SqlClient.SqlClient, (sql) => {
      const direction = sql.literal(request.desc ? "DESC" : "ASC")
      return rowsOf(sql`
        ${selectStores(sql, request.caller)}
        WHERE ${whereListed(sql, request)}
        ORDER BY stores.created_at ${direction}, stores.id ${direction}
        LIMIT ${request.limit} OFFSET ${request.offset}`)
    })
})

const selectTotal = selectRow({ total: "count(*)" })

const countRows = SqlSchema.single({
  Request: Schema.declare(isRequest<ListRequest>),
  Result: Row(Schema.Struct({ total: Schema.Number })),
  execute: (request) =>
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      rowsOf(sql`
        SELECT ${selectTotal(sql)} FROM stores
        ${scopesOf(sql, request.caller)}
        WHERE ${whereListed(sql, request)}`)
    )
})

/**
 * A page of stores by their age, and how many there are in all. Stores of the same age are ordered by ID.
 *
 * @since 0.1.0
 * @category statements
 */
export const listStores = (
  request: ListRequest
): Effect.Effect<
  { readonly total: number; readonly stores: ReadonlyArray<StoredStore> },
  SqlError | ParseResult.ParseError,
  Database
> =>
  Effect.zipWith(onlyRow(countRows(request)), listRows(request), ({ total }, rows) => ({
    total,
    stores: rows.map(({ row }) => row)
  }))

// ---- Changes -----------------------------------------------------------------------------------------------------------

const selectName = selectRow({ name: "name" })

const findNamesake = SqlSchema.findOne({
  Request: Schema.Struct({ id: Schema.String, ownerId: Schema.String, name: Schema.String }),
  Result: Row(Schema.Struct({ name: Schema.String })),
  execute: ({ id, ownerId, name }) =>
    Effect.flatMap(
      SqlClient.SqlClient,
      (sql) => sql`
        SELECT ${selectName(sql)} FROM (
          SELECT name FROM stores WHERE owner_id = ${ownerId} AND lower(name) = lower(${name}) AND id <> ${id}
          UNION ALL SELECT name FROM deleted_names WHERE owner_id = ${ownerId} AND name = lower(${name}))`
    )
})

/**
 * Whether another store of the same owner has the name, or had it and keeps it, compared without case.
 *
 * @since 0.1.0
 * @category statements
 */
export const isNameTaken = (
  { id, name }: Store,
  ownerId: string
): Effect.Effect<boolean, SqlError | ParseResult.ParseError, SqlClient.SqlClient> =>
  Option.match(name, {
    onNone: () => Effect.succeed(false),
    onSome: (name) => Effect.map(findNamesake({ id, ownerId, name }), Option.isSome)
  })

/** Makes a change in a transaction, unless another store of the same owner has the name. */
const unlessNameTaken = <E>(
  store: Store,
  ownerId: string,
  change: (sql: SqlClient.SqlClient) => Effect.Effect<unknown, E, SqlClient.SqlClient>
): Effect.Effect<boolean, E | SqlError | ParseResult.ParseError, SqlClient.SqlClient> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.flatMap(isNameTaken(store, ownerId), (isTaken) =>
        isTaken ? Effect.succeed(false) : Effect.as(change(sql), true)
      )
    )
  )

/**
 * Adds a store of the caller's, with every right to it for the caller's token; `false` if the caller has another of that
 * name.
 *
 * @since 0.1.0
 * @category statements
 */
export const insertStore = (
  store: Store,
  { userId, hash, scope }: Caller
): Effect.Effect<boolean, SqlError | ParseResult.ParseError, SqlClient.SqlClient> =>
  unlessNameTaken(store, userId, (sql) => {
    const grant = sql`INSERT INTO token_stores ${sql.insert({ hash, store_id: store.id, access: "WRITE" })}`
    return Effect.zipRight(saveStore(store, userId), scope === "WRITE" ? Effect.void : Effect.asVoid(grant))
  })

/**
 * Writes the fields of a store that an update changes, and when it did; `false` if another store of the owner has the name.
 * The other columns stay as they are: they may have changed meanwhile.
 *
 * @since 0.1.0
 * @category statements
 */
export const updateStore = (
  store: Store,
  ownerId: string,
  fields: ReadonlyArray<keyof typeof columns>
): Effect.Effect<boolean, SqlError | ParseResult.ParseError, SqlClient.SqlClient> =>
  unlessNameTaken(store, ownerId, (sql) =>
    Effect.flatMap(encodeStoreRow(store), (row) => {
      const changed = [...fields, "modifiedAt" as const, "accessedAt" as const].map((field) => columns[field])
      const values = Object.fromEntries(changed.map((column) => [column, row[column]]))
      return sql`UPDATE stores SET ${sql.update(values)} WHERE id = ${store.id}`
    })
  )

/**
 * Deletes a store, with everyone's rights to it. Its owner may use its name again, unless it is kept.
 *
 * @since 0.1.0
 * @category statements
 */
export const deleteStore = (
  id: string,
  { keepsName }: { readonly keepsName: boolean }
): Effect.Effect<void, SqlError, SqlClient.SqlClient> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        if (keepsName) {
          yield* sql`
            INSERT OR IGNORE INTO deleted_names (owner_id, name)
            SELECT owner_id, lower(name) FROM stores WHERE id = ${id} AND name IS NOT NULL`
        }
        yield* sql`DELETE FROM grants WHERE store_id = ${id}`
        yield* sql`DELETE FROM token_stores WHERE store_id = ${id}`
        yield* sql`DELETE FROM stores WHERE id = ${id}`
      })
    )
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
