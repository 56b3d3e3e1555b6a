/**
 * Accesses to stores: when they were last read, how many records were read, and how often keys were listed.
 *
 * To write an access down takes several times as long as to read what it is about, so it is kept in memory, where every
 * reader sees it at once, and is written now and then.
 *
 * @since 0.1.0
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { Store } from "@effect-apify/domain/Store"
import { StoreStats } from "@effect-apify/domain/StoreStats"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Scope } from "effect/Scope"

/** How long after an access it is written down, with all that there were meanwhile. */
const DELAY = "1 second"

/**
 * What an access counts as.
 *
 * @since 0.1.0
 * @category models
 */
export type Counted = "readCount" | "listCount"

/** The accesses to one store that are not written down yet. */
class Unwritten {
  readCount = 0
  listCount = 0
  constructor(public at: DateTime.Utc) {}
}

const trusted = { disableValidation: true }

const plus = (count: Option.Option<number>, more: number): Option.Option<number> =>
  more === 0 ? count : Option.some(Option.getOrElse(count, () => 0) + more)

class Pending {
  private readonly stores = new Map<string, Unwritten>()
  private isScheduled = false
  constructor(
    private readonly sql: SqlClient.SqlClient,
    private readonly scope: Scope
  ) {}

  /** A store as it is with the accesses that the database does not have yet. */
  including(store: Store): Store {
    const unwritten = this.stores.get(store.id)
    if (unwritten === undefined) return store
    const { at, readCount, listCount } = unwritten
    const accessedAt = DateTime.max(at, store.accessedAt)
    if (readCount + listCount === 0) return new Store({ ...store, accessedAt }, trusted)
    const stats = Option.getOrElse(store.stats, () => new StoreStats({}))
    const counted = { readCount: plus(stats.readCount, readCount), listCount: plus(stats.listCount, listCount) }
    return new Store(
      { ...store, accessedAt, stats: Option.some(new StoreStats({ ...stats, ...counted }, trusted)) },
      trusted
    )
  }

  /** A store is read, or its keys or one of its records are. */
  add(id: string, counted?: Counted): Effect.Effect<void> {
    return Effect.flatMap(DateTime.now, (now) => {
      const unwritten = this.stores.get(id) ?? new Unwritten(now)
      unwritten.at = now
      if (counted !== undefined) unwritten[counted] += 1
      this.stores.set(id, unwritten)
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
    const written = Array.from(this.stores, ([id, unwritten]) => ({ id, ...unwritten }))
    if (written.length === 0) return Effect.void
    const writing = Effect.forEach(
      written,
      ({ id, at: time, readCount, listCount }) => {
        const at = DateTime.formatIso(time)
        return this.sql`
          UPDATE stores SET
            accessed_at = CASE WHEN accessed_at < ${at} THEN ${at} ELSE accessed_at END,
            has_stats = CASE WHEN ${readCount + listCount} > 0 THEN 1 ELSE has_stats END,
            read_count = CASE WHEN ${readCount} > 0 THEN coalesce(read_count, 0) + ${readCount} ELSE read_count END,
            list_count = CASE WHEN ${listCount} > 0 THEN coalesce(list_count, 0) + ${listCount} ELSE list_count END
          WHERE id = ${id}`
      },
      { discard: true }
    )
    const forget = Effect.sync(() => {
      for (const { id, at, readCount, listCount } of written) {
        const unwritten = this.stores.get(id)
        if (unwritten === undefined) continue
        unwritten.readCount -= readCount
        unwritten.listCount -= listCount
        if (unwritten.at === at && unwritten.readCount + unwritten.listCount === 0) this.stores.delete(id)
      }
    })
    return Effect.ignore(Effect.zipRight(this.sql.withTransaction(writing), forget))
  })
}

/**
 * The accesses to stores, as far as the database does not have them yet.
 *
 * @since 0.1.0
 * @category services
 */
export class Accesses extends Context.Tag("@effect-apify/emulator/Accesses")<
  Accesses,
  Pick<Pending, "including" | "add">
>() {}

/**
 * Accesses that are written down a second after the first of them, and at the end of the scope.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Context.Tag.Service<Accesses>, never, SqlClient.SqlClient | Scope> = Effect.gen(
  function* () {
    const pending = new Pending(yield* SqlClient.SqlClient, yield* Effect.scope)
    yield* Effect.addFinalizer(() => pending.write)
    return pending
  }
)
