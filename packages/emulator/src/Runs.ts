/**
 * Runs of Actors, as far as they have a key-value store: the paths that name a store by its run.
 *
 * @since 0.1.0
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as SqlSchema from "@effect/sql/SqlSchema"
import {
  actorNotFoundRefusal,
  type Refusal,
  runNotFoundRefusal,
  taskNotFoundRefusal,
  tokenNotProvidedRefusal
} from "@effect-apify/domain/Refusal"
import { RunOrigin, RunStatus } from "@effect-apify/domain/RunId"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { ParseError } from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { Caller } from "./Callers.js"
import { storeUrl } from "./Endpoints.js"
import { type Named, parseName } from "./Names.js"
import { invalidOriginRefusal, invalidStatusRefusal } from "./Refusals.js"
import { type Refused, refuse, refusing } from "./Router.js"
import { type Database, Row, rowsOf, selectRow } from "./Row.js"

// ---- Paths -------------------------------------------------------------------------------------------------------------

/**
 * A path that names a store by a run, and the path of a store in its place.
 *
 * @since 0.1.0
 * @category models
 */
export interface Alias {
  readonly of: "Run" | "LastOfActor" | "LastOfTask"
  /** The segment that names the run, the Actor or the task, as it was sent. */
  readonly segment: string
  /** The path of a store, or below it; the segment that names the store stands for one that is yet to be found. */
  readonly path: string
}

/** In place of the store that is yet to be found. */
const ANY_STORE = storeUrl("", "-")

const ofRun = /^\/v2\/actor-runs\/([^/]+)\/key-value-store(\/.*)?$/
const ofLastRun = /^\/v2\/(actors|acts|actor-tasks)\/([^/]+)\/runs\/last\/key-value-store(\/.*)?$/

/**
 * Reads a path that names a store by a run; `undefined` for any other.
 *
 * @since 0.1.0
 * @category decoding
 */
export const parseAlias = (path: string): Alias | undefined => {
  // Most paths are none, and are told apart at once.
  if (!path.startsWith("/v2/act")) return undefined
  const [, run, belowRun = ""] = ofRun.exec(path) ?? []
  if (run !== undefined) return { of: "Run", segment: run, path: `${ANY_STORE}${belowRun}` }
  const [, kind, segment, below = ""] = ofLastRun.exec(path) ?? []
  if (segment === undefined) return undefined
  const of = kind === "actor-tasks" ? "LastOfTask" : "LastOfActor"
  return { of, segment, path: `${ANY_STORE}${below}` }
}

// ---- Which run ---------------------------------------------------------------------------------------------------------

const filterOf = <A extends string>(
  query: URLSearchParams,
  name: string,
  is: (value: string) => value is A,
  refusal: Refusal
): Either.Either<A | null, Refusal> => {
  const [value, ...others] = query.getAll(name)
  if (value === undefined) return Either.right(null)
  return is(value) && others.length === 0 ? Either.right(value) : Either.left(refusal)
}

interface RunRequest {
  readonly of: Alias["of"]
  /** Whose last run; whoever knows the ID of a run finds it. */
  readonly callerId: string | null
  readonly named: Named
  readonly status: string | null
  readonly origin: string | null
}

const whereNamed = (sql: SqlClient.SqlClient, { of, named: { owner, name } }: RunRequest) => {
  const [id, named, namedOwner] =
    of === "LastOfActor"
      ? [sql`runs.actor_id`, sql`lower(runs.actor_name) = lower(${name})`, sql`lower(runs.actor_owner)`]
      : [sql`runs.task_id`, sql`lower(runs.task_name) = lower(${name})`, sql`lower(users.username)`]
  const own = sql`${named} AND ${namedOwner} = lower(users.username)`
  if (Option.isNone(owner)) return sql`(${id} = ${name} OR ${own})`
  if (owner.value === "") return own
  return sql`${named} AND ${namedOwner} = coalesce(
    (SELECT lower(owners.username) FROM users AS owners WHERE owners.id = ${owner.value}),
    lower(${owner.value}))`
}

const whereFound = (sql: SqlClient.SqlClient, request: RunRequest) =>
  request.of === "Run"
    ? sql`runs.id = ${request.named.name}`
    : sql`runs.owner_id = ${request.callerId} AND ${whereNamed(sql, request)}`

const selectStore = selectRow({ storeId: "runs.store_id" })

const findRow = SqlSchema.findOne({
  Request: Schema.declare((request: unknown): request is RunRequest => Predicate.isRecord(request)),
  Result: Row(Schema.Struct({ storeId: Schema.String })),
  execute: (request) =>
    Effect.flatMap(SqlClient.SqlClient, (sql) => {
      const status = request.status === null ? sql`` : sql` AND runs.status = ${request.status}`
      const origin = request.origin === null ? sql`` : sql` AND runs.origin = ${request.origin}`
      return rowsOf(sql`
        SELECT ${selectStore(sql)}
        FROM runs
        JOIN users ON users.id = runs.owner_id
        WHERE ${whereFound(sql, request)}${status}${origin}
        ORDER BY runs.started_at DESC, runs.id DESC
        LIMIT 1`)
    })
})

const isStatus = Schema.is(RunStatus)
const isOrigin = Schema.is(RunOrigin)

const missing = { LastOfActor: actorNotFoundRefusal, LastOfTask: taskNotFoundRefusal, Run: runNotFoundRefusal }

/**
 * The ID of the default store of the run that a path names. The last run is the caller's own; a run is found by its ID
 * without a token too, and what may be done with its store is for the store to say.
 *
 * @param segment the segment of the alias, decoded
 *
 * @since 0.1.0
 * @category statements
 */
export const findStoreOfRun: (
  of: Alias["of"],
  segment: string,
  query: URLSearchParams,
  caller: Option.Option<Caller>
) => Effect.Effect<string, Refused | SqlError | ParseError, Database> = Effect.fnUntraced(
  function* (of, segment, query, caller) {
    const isLast = of !== "Run"
    const [status, origin, named] = yield* refusing(
      Either.all([
        isLast ? filterOf(query, "status", isStatus, invalidStatusRefusal) : Either.right(null),
        isLast ? filterOf(query, "origin", isOrigin, invalidOriginRefusal) : Either.right(null),
        isLast ? parseName(segment) : Either.right({ owner: Option.none(), name: segment })
      ])
    )
    if (isLast && Option.isNone(caller)) return yield* refuse(tokenNotProvidedRefusal)
    const callerId = Option.match(caller, { onNone: () => null, onSome: ({ userId }) => userId })
    const request: RunRequest = { of, callerId, named, status, origin }
    const run = yield* findRow(request)
    if (Option.isSome(run)) return run.value.row.storeId
    const isKnown = Option.isSome(yield* findRow({ ...request, status: null, origin: null }))
    return yield* refuse(isKnown ? runNotFoundRefusal : missing[of])
  }
)
