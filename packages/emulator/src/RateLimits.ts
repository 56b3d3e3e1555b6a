/**
 * Apify's rate limits: so many requests a second for each store.
 *
 * @since 0.1.0
 */
import { rateLimitRefusal } from "@effect-apify/domain/Refusal"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Caller } from "./Callers.js"
import { Refused, type Route } from "./Router.js"

const SECOND = 1000

/** How many stores are remembered before those are forgotten that have had no request for a second. */
const MAX_WINDOWS = 10_000

/**
 * How many requests there were in the last second, by store and rate limit. A store is what a request names: the same store
 * by its ID and by its name is counted twice.
 *
 * @since 0.1.0
 * @category limits
 */
export class RateLimits {
  /** The times of the last requests, the oldest first. */
  private readonly windows = new Map<string, Array<number>>()

  /** Counts a request, or refuses it. What is refused does not count. */
  take(
    { rateLimit, path }: Route,
    parameters: ReadonlyMap<string, string>,
    caller: Option.Option<Caller>
  ): Effect.Effect<void, Refused> {
    // A name without an owner is a name in the caller's account, and a path without a store is about the account.
    const store = parameters.get("store") ?? path
    const user = Option.match(caller, { onNone: () => "", onSome: ({ userId }) => userId })
    const isName = /[~/]/.test(store)
    const key = JSON.stringify([rateLimit, isName ? store.toLowerCase() : store, /^[~/]/.test(store) ? user : ""])
    return Effect.flatMap(Clock.currentTimeMillis, (now) =>
      this.isTaken(key, rateLimit, now) ? Effect.void : new Refused({ refusal: rateLimitRefusal(rateLimit) })
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
