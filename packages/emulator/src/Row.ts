/**
 * Rows of the database, read as JSON.
 *
 * libSQL's driver ends the process when it reads text that is not UTF-8, which a damaged file may hold. So a statement
 * selects each row as one JSON object in bytes, and these are checked: a row that cannot be read is an error of that row
 * alone. It is also the fastest way to read many columns.
 *
 * @since 0.1.0
 */
import { isUtf8 } from "node:buffer"
import { type SqlClient, TransactionConnection } from "@effect/sql/SqlClient"
import { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import type { Fragment, Statement } from "@effect/sql/Statement"
import type { NoSuchElementException } from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { Accesses } from "./Accesses.js"

/**
 * What a statement needs.
 *
 * @since 0.1.0
 * @category models
 */
export type Database = SqlClient | Connection | Accesses

const Utf8 = Schema.transformOrFail(Schema.Unknown, Schema.String, {
  strict: true,
  decode: (value, _, ast) => {
    if (Predicate.isString(value)) return ParseResult.succeed(value)
    if (!Predicate.isUint8Array(value) || !isUtf8(value)) return ParseResult.fail(new ParseResult.Type(ast, value))
    return ParseResult.succeed(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("utf8"))
  },
  encode: (text) => ParseResult.succeed(text)
}).annotations({ identifier: "Utf8", description: "UTF-8 text" })

/**
 * A row that was selected by `selectRow`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Row = <A, I>(schema: Schema.Schema<A, I>): Schema.Schema<{ readonly row: A }, { readonly row: unknown }> =>
  Schema.Struct({ row: Schema.compose(Utf8, Schema.parseJson(schema)) })

/**
 * A row that was selected by `selectRow`, with a column `bytes` beside it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const RowWithBytes = <A, I>(
  schema: Schema.Schema<A, I>
): Schema.Schema<
  { readonly row: A; readonly bytes: Uint8Array | null },
  { readonly row: unknown; readonly bytes: Uint8Array | null }
> =>
  Schema.Struct({
    row: Schema.compose(Utf8, Schema.parseJson(schema)),
    bytes: Schema.NullOr(Schema.Uint8ArrayFromSelf)
  })

/**
 * The SQL of an object, whose fields are SQL expressions, such as the name of a column.
 *
 * @since 0.1.0
 * @category expressions
 */
export const object = (fields: Readonly<Record<string, string>>): string =>
  `json_object(${Object.entries(fields)
    .map(([name, value]) => `'${name}', ${value}`)
    .join(", ")})`

/**
 * The SQL of the values of all rows as one array, in the order of the rows.
 *
 * @since 0.1.0
 * @category expressions
 */
export const array = (value: string): string => `json_group_array(${value})`

/**
 * The SQL of a column whose text is JSON.
 *
 * @since 0.1.0
 * @category expressions
 */
export const json = (column: string): string => `json(${column})`

/**
 * The SQL of a value where a condition holds, and of `null` elsewhere.
 *
 * @since 0.1.0
 * @category expressions
 */
export const when = (condition: string, value: string): string => `CASE WHEN ${condition} THEN ${value} END`

/**
 * The select list of a statement whose rows are `Row`s, used as ``sql`SELECT ${selectId(sql)} FROM stores` ``. It is built
 * once, for all statements that it becomes part of.
 *
 * @since 0.1.0
 * @category statements
 */
export const selectRow = (fields: Readonly<Record<string, string>>): ((sql: SqlClient) => Fragment) => {
  const row = `CAST(${object(fields)} AS BLOB) AS row`
  return (sql) => sql.literal(row)
}

/**
 * The row of a statement that always has one, such as an aggregate.
 *
 * @since 0.1.0
 * @category statements
 */
export const onlyRow = <A, R>(
  found: Effect.Effect<{ readonly row: A }, SqlError | ParseResult.ParseError | NoSuchElementException, R>
): Effect.Effect<A, SqlError | ParseResult.ParseError, R> =>
  Effect.map(Effect.catchTag(found, "NoSuchElementException", Effect.die), ({ row }) => row)

/**
 * Runs a statement for its rows, in the transaction that is open, if any. The same as running the statement itself, but
 * without a span and a scope, which cost several times what a statement does.
 *
 * @since 0.1.0
 * @category statements
 */
export const rowsOf = (statement: Statement<object>): Effect.Effect<ReadonlyArray<unknown>, SqlError, Connection> =>
  Effect.flatMap(Effect.context<Connection>(), (context) => {
    const [text, params] = statement.compile()
    const connection = Option.match(Context.getOption(context, TransactionConnection), {
      onNone: () => Context.get(context, Connection),
      onSome: ([connection]) => connection
    })
    return connection.execute(text, params, undefined)
  })
