/**
 * When stores were last read.
 *
 * Reading a store moves its `accessedAt`. To write that down takes several times as long as to read the store, so it is kept
 * in memory, where every reader sees it at once, and written now and then.
 *
 * @since 0.1.0
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"

/** How long after a store was read it is written down, with all that were read meanwhile. */
const DELAY = "1 second"

class Pending {
  private readonly times = new Map<string, DateTime.Utc>()
  private isScheduled = false
  constructor(
    private readonly sql: SqlClient.SqlClient,
    private readonly scope: Scope
  ) {}

  /** The later of the time in the database and the one that it does not have yet. */
  latest(id: string, stored: DateTime.Utc): DateTime.Utc {
    const time = this.times.get(id)
    return time === undefined ? stored : DateTime.max(time, stored)
  }

  /** A store is read. */
  read(id: string): Effect.Effect<void> {
    return Effect.flatMap(DateTime.now, (now) => {
      this.times.set(id, now)
      if (this.isScheduled) return Effect.void
      this.isScheduled = true
      // What handles a request cannot be interrupted everywhere.
      const delay = Effect.interruptible(Effect.sleep(DELAY))
      return Effect.forkIn(Effect.zipRight(delay, this.write), this.scope)
    })
  }

  /** A database that cannot be written now gets it the next time. */
  readonly write: Effect.Effect<void> = Effect.suspend(() => {
    this.isScheduled = false
    const written = Array.from(this.times)
    if (written.length === 0) return Effect.void
    const writing = Effect.forEach(
      written,
      ([id, time]) => {
        const at = DateTime.formatIso(time)
        return this.sql`UPDATE stores SET accessed_at = ${at} WHERE id = ${id} AND accessed_at < ${at}`
      },
      { discard: true }
    )
    const forget = Effect.sync(() => {
      for (const [id, time] of written) if (this.times.get(id) === time) this.times.delete(id)
    })
    return Effect.ignore(Effect.zipRight(this.sql.withTransaction(writing), forget))
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
 * Access times that are written down a second later, and at the end of the scope.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Context.Tag.Service<AccessTimes>, never, SqlClient.SqlClient | Scope> = Effect.gen(
  function* () {
    const pending = new Pending(yield* SqlClient.SqlClient, yield* Effect.scope)
    yield* Effect.addFinalizer(() => pending.write)
    return pending
  }
)
