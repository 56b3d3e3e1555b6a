/**
 * Users and their tokens, in the database.
 *
 * @since 0.1.0
 */
import { createHash, timingSafeEqual } from "node:crypto"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { ParseError } from "effect/ParseResult"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Scope } from "./Seed.js"

/**
 * Who a token stands for, and how far it goes.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Caller = Schema.Struct({ userId: Schema.String, scope: Scope }).annotations({ identifier: "Caller" })

/**
 * @since 0.1.0
 * @category models
 */
export type Caller = typeof Caller.Type

/**
 * What the database keeps of a token: its SHA-256, in hexadecimal. Tokens are long and random, so no salt is needed.
 *
 * @since 0.1.0
 * @category tokens
 */
export const hashToken = (token: Redacted.Redacted): string =>
  createHash("sha256").update(Redacted.value(token)).digest("hex")

const decodeTokens = Schema.decodeUnknown(Schema.Array(Schema.Struct({ hash: Schema.String, ...Caller.fields })))

const sameHash = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/**
 * Whose a token is; none where nobody has it.
 *
 * Every hash is read and compared, in constant time each, so that how long it takes tells nothing of the token. The
 * emulator holds few.
 *
 * @since 0.1.0
 * @category tokens
 */
export const authenticate: (
  token: Redacted.Redacted
) => Effect.Effect<Option.Option<Caller>, SqlError | ParseError, SqlClient.SqlClient> = Effect.fnUntraced(
  function* (token) {
    const sql = yield* SqlClient.SqlClient
    const tokens = yield* Effect.flatMap(sql`SELECT hash, user_id AS userId, scope FROM tokens`, decodeTokens)
    const hash = hashToken(token)
    return Arr.head(tokens.filter((known) => sameHash(known.hash, hash)))
  }
)
