/**
 * Who a token belongs to.
 *
 * @since 0.1.0
 */
import { createHash } from "node:crypto"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as SqlSchema from "@effect/sql/SqlSchema"
import { Right } from "@effect-apify/domain/AccessPolicy"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ParseError } from "effect/ParseResult"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { type Database, json, Row, rowsOf, selectRow } from "./Row.js"

/**
 * What a token may do in its account: reading, writing, or nothing but what it may do with single stores.
 *
 * @since 0.1.0
 * @category schemas
 */
export const TokenScope = Schema.Literal(...Right.literals, "NONE").annotations({ identifier: "TokenScope" })

/**
 * The type of `TokenScope`.
 *
 * @since 0.1.0
 * @category models
 */
export type TokenScope = typeof TokenScope.Type

/**
 * The user whose token a request carries, and what the token may do.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Caller = Schema.Struct({
  userId: Schema.String,
  scope: TokenScope,
  /** Whether it may make stores. */
  canCreate: Schema.Boolean,
  /** What the database holds of the token. */
  hash: Schema.String
}).annotations({ identifier: "Caller" })

/**
 * The decoded `Caller`.
 *
 * @since 0.1.0
 * @category models
 */
export type Caller = typeof Caller.Type

/**
 * The SHA-256 of a token in hexadecimal, which is all that the database holds of it. Tokens are long and random, so they
 * need no salt.
 *
 * @since 0.1.0
 * @category tokens
 */
export const hashToken = (token: Redacted.Redacted): string =>
  createHash("sha256").update(Redacted.value(token)).digest("hex")

const selectCaller = selectRow({
  userId: "user_id",
  scope: "scope",
  canCreate: json("CASE can_create WHEN 1 THEN 'true' ELSE 'false' END"),
  hash: "hash"
})

const findByHash = SqlSchema.findOne({
  Request: Schema.String,
  Result: Row(Caller),
  execute: (hash) =>
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      rowsOf(sql`SELECT ${selectCaller(sql)} FROM tokens WHERE hash = ${hash}`)
    )
})

/**
 * Finds the user that a token belongs to; `None` for an unknown token. The hash is looked up in an index: the time of a
 * lookup depends on the hash, and reveals nothing of the token.
 *
 * @since 0.1.0
 * @category tokens
 */
export const authenticate = (
  token: Redacted.Redacted
): Effect.Effect<Option.Option<Caller>, SqlError | ParseError, Database> =>
  Effect.map(
    findByHash(hashToken(token)),
    Option.map(({ row }) => row)
  )
