/**
 * Holds a client's requests for a store to the server's rate, once the server has said 429.
 *
 * Until then nothing is held. From then on each request for the store gets a slot of its own, evenly spaced at the rate
 * that the server named; a further 429 to a request that kept its slot shows that the rate is lower still. After a quiet
 * while the store is let go again.
 */
import * as Option from "effect/Option"

/** Requests a second for one store, where the server does not say. Source: Apify's documentation. */
const DOCUMENTED_RATE = 60

/** The window of the server's rate: the first slot comes when what has been sent no longer counts. */
const WINDOW_MILLIS = 1000

/** How much slower to go when the rate proves too high. */
const BACKOFF = 0.75

/** One request in a hundred seconds: slower than that the retries give up first. */
const LOWEST_RATE = 0.01

/** How long without a 429 until a store is let go. */
const QUIET_MILLIS = 10_000

interface Pace {
  /** Requests a second. */
  readonly rate: number
  /** When the last 429 came that counted. */
  readonly since: number
  /** When the next request may be sent. */
  readonly next: number
}

export interface Pacing {
  /** How long a request for the store has to wait for its slot, in milliseconds; the slot is then taken. */
  readonly reserve: (store: string, now: number) => number
  /** The server answered 429 to a request that was sent at `sentAt`, and may have named its limit. */
  readonly slowDown: (store: string, sentAt: number, now: number, limit: Option.Option<number>) => void
}

/** Holds nothing yet. Times are milliseconds by a clock that never jumps. */
export const makePacing = (): Pacing => {
  const paces = new Map<string, Pace>()
  return {
    reserve: (store, now) => {
      const pace = paces.get(store)
      if (pace === undefined) return 0
      if (now >= pace.next && now - pace.since > QUIET_MILLIS) {
        paces.delete(store)
        return 0
      }
      const slot = Math.max(now, pace.next)
      paces.set(store, { ...pace, next: slot + 1000 / pace.rate })
      return slot - now
    },
    slowDown: (store, sentAt, now, limit) => {
      const pace = paces.get(store)
      const named = Math.max(
        LOWEST_RATE,
        Option.getOrElse(limit, () => DOCUMENTED_RATE)
      )
      if (pace === undefined) {
        paces.set(store, { rate: named, since: now, next: now + WINDOW_MILLIS })
      } else if (sentAt >= pace.since + WINDOW_MILLIS) {
        // It was sent in its slot, and was too much all the same.
        const rate = Math.max(LOWEST_RATE, Math.min(named, pace.rate * BACKOFF))
        paces.set(store, { rate, since: now, next: Math.max(pace.next, now + WINDOW_MILLIS) })
      }
    }
  }
}
