/**
 * When stores were last read.
 *
 * Reading a store moves its `accessedAt`. To write that down takes several times as long as to read the store, so it is kept
 * in memory, where every reader sees it at once, and written now and then.
 *
 * @since 0.1.0
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Scope } from "effect/Scope"

/** How often it is written down. */
const INTERVAL = "1 second"

class Pending {
  private readonly times = new Map<string, DateTime.Utc>()

  /** The later of the time in the database and the one that it does not have yet. */
  latest(id: string, stored: DateTime.Utc): DateTime.Utc {
    const time = this.times.get(id)
    return time === undefined ? stored : DateTime.max(time, stored)
  }

  /** A store is read. */
  readonly read = (id: string): Effect.Effect<void> =>
    Effect.map(DateTime.now, (now) => {
      this.times.set(id, now)
    })

  readonly write: Effect.Effect<void, SqlError, SqlClient.SqlClient> = Effect.suspend(() => {
    const written = Array.from(this.times)
    if (written.length === 0) return Effect.void
    return Effect.flatMap(SqlClient.SqlClient, (sql) =>
      sql.withTransaction(
        Effect.forEach(
          written,
          ([id, time]) => {
            const at = DateTime.formatIso(time)
            return sql`UPDATE stores SET accessed_at = ${at} WHERE id = ${id} AND accessed_at < ${at}`
          },
          { discard: true }
        )
      )
    ).pipe(
      Effect.zipRight(
        Effect.sync(() => {
          for (const [id, time] of written) if (this.times.get(id) === time) this.times.delete(id)
        })
      )
    )
  })
}

/**
 * When stores were last read, as far as the database does not know it yet.
 *
 * @since 0.1.0
 * @category services
 */
export class AccessTimes extends Context.Tag("@effect-apify/emulator/AccessTimes")<
  AccessTimes,
  Pick<Pending, "latest" | "read">
>() {}

/**
 * Access times that are written down every second, and at the end of the scope. A database that cannot be written then
 * gets them the next time.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Context.Tag.Service<AccessTimes>, never, SqlClient.SqlClient | Scope> = Effect.gen(
  function* () {
    const pending = new Pending()
    const write = Effect.ignore(pending.write)
    yield* Effect.addFinalizer(() => write)
    yield* Effect.forkScoped(Effect.repeat(write, Schedule.spaced(INTERVAL)))
    return pending
  }
)
