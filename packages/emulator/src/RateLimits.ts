/**
 * Apify's rate limits: so many requests a second for each store.
 *
 * @since 0.1.0
 */
import type { SqlError } from "@effect/sql/SqlError"
import { rateLimitRefusal } from "@effect-apify/domain/Refusal"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { ParseError } from "effect/ParseResult"
import type { Caller } from "./Callers.js"
import { type Refused, type Route, refuse } from "./Router.js"
import type { Database } from "./Row.js"
import { parseSegment } from "./StoreAccess.js"
import { findStore, type RequestedStore } from "./StoreRows.js"

const SECOND = 1000

/** How many stores are remembered before those are forgotten that have had no request for a second. */
const MAX_WINDOWS = 10_000

type Address = Option.Option<string>

/** A request that is about no store counts for its user, or for the address that it comes from. */
const accountOf = (caller: Option.Option<Caller>, address: Address): string =>
  Option.match(caller, {
    onNone: () => `address ${Option.getOrElse(address, () => "")}`,
    onSome: ({ userId }) => `user ${userId}`
  })

/** A store that does not exist counts as it is named. */
const missing = (requested: Exclude<RequestedStore, { readonly _tag: "StoreById" }>): string =>
  requested._tag === "OwnStore"
    ? `store ${requested.name.toLowerCase()} of ${requested.userId}`
    : `store ${requested.name.toLowerCase()} of ${requested.owner.toLowerCase()}`

/** The store that a request is about, however it names it. */
const storeOf = (
  requested: RequestedStore,
  caller: Option.Option<Caller>
): Effect.Effect<string, SqlError | ParseError, Database> =>
  requested._tag === "StoreById"
    ? Effect.succeed(`store ${requested.id}`)
    : Effect.map(
        findStore(requested, caller),
        Option.match({ onNone: () => missing(requested), onSome: ({ store }) => `store ${store.id}` })
      )

const countedFor = (
  segment: string | undefined,
  caller: Option.Option<Caller>,
  address: Address
): Effect.Effect<string, SqlError | ParseError, Database> => {
  const requested = segment === undefined ? Option.none() : Either.getRight(parseSegment(segment, caller))
  return Option.match(requested, {
    onNone: () => Effect.succeed(accountOf(caller, address)),
    onSome: (requested) => storeOf(requested, caller)
  })
}

/**
 * How many requests there were in the last second, by store and rate limit. Those that are about no store count for their
 * user, or for the address that they come from.
 *
 * @since 0.1.0
 * @category limits
 */
export class RateLimits {
  /** The times of the last requests, the oldest first. */
  private readonly windows = new Map<string, Array<number>>()

  /** Counts a request, or refuses it. What is refused does not count. */
  take(
    { rateLimit }: Pick<Route, "rateLimit">,
    parameters: ReadonlyMap<string, string>,
    caller: Option.Option<Caller>,
    address: Address
  ): Effect.Effect<void, Refused | SqlError | ParseError, Database> {
    return Effect.zipWith(
      countedFor(parameters.get("store"), caller, address),
      Clock.currentTimeMillis,
      (counted, now) => this.isTaken(`${rateLimit} ${counted}`, rateLimit, now)
    ).pipe(
      Effect.filterOrFail(
        (isTaken) => isTaken,
        () => refuse(rateLimitRefusal(rateLimit))
      ),
      Effect.asVoid
    )
  }

  private isTaken(key: string, limit: number, now: number): boolean {
    const times = this.windows.get(key) ?? this.open(key, now)
    while ((times[0] ?? now) <= now - SECOND) times.shift()
    if (times.length >= limit) return false
    times.push(now)
    return true
  }

  private open(key: string, now: number): Array<number> {
    if (this.windows.size >= MAX_WINDOWS) {
      for (const [known, times] of this.windows) {
        if ((times.at(-1) ?? 0) <= now - SECOND) this.windows.delete(known)
      }
    }
    const times: Array<number> = []
    this.windows.set(key, times)
    return times
  }
}
