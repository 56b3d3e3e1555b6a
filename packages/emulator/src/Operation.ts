/**
 * What the emulator needs of an operation to serve it.
 *
 * @since 0.1.0
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type { Refusal } from "@effect-apify/domain"
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Option from "effect/Option"
import type { ParseError } from "effect/ParseResult"
import type { Caller } from "./Accounts.js"

/**
 * A request as an operation sees it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Asked {
  /** The last segment of the path, decoded. */
  readonly segment: string
  /** Whose token came along; none where none did. An unknown token never gets this far. */
  readonly caller: Option.Option<Caller>
  /** The emulator as the caller sees it, as in `http://127.0.0.1:4010`: where links in the answer lead. */
  readonly origin: string
}

/**
 * One operation of the API: where it is, and what it answers with: a body, or a refusal.
 *
 * @since 0.1.0
 * @category models
 */
export interface Operation {
  readonly method: "GET"
  /** The path up to the last segment, as in `/v2/key-value-stores`. */
  readonly parent: string
  readonly answer: (asked: Asked) => Effect.Effect<Either.Either<unknown, Refusal>, SqlError | ParseError, SqlClient>
}
