/**
 * Calls with the default retry policy and deadline, simulated in time that passes at once.
 */
import * as Duration from "effect/Duration"
import { PCGRandom } from "effect/Utils"
import type { RetryBudget } from "../src/internal/retryBudget.js"
import { defaultPolicy } from "../src/RetryPolicy.js"

export interface SimulatedCall {
  /** Milliseconds. */
  readonly at: number
  readonly store: string
}

export interface SimulatedAttempt {
  readonly store: string
  /** When its response arrives. */
  readonly at: number
  /** Counted from 1. */
  readonly attempt: number
  /** A number from [0, 1). */
  readonly chance: number
}

export interface Simulation {
  readonly seed: number
  readonly budget: RetryBudget
  /** Whether a retry is charged before its wait, when the attempt failed, or after it, when the retry would be sent. */
  readonly charged: "before the wait" | "after the wait"
  /** In the order of time. */
  readonly calls: Iterable<SimulatedCall>
  readonly succeeds: (attempt: SimulatedAttempt) => boolean
}

export interface Simulated extends SimulatedCall {
  /** When each request was sent. */
  readonly requests: Array<number>
  end: "success" | "refused by the budget" | "no retry left" | "no time left"
}

const CALL_TIMEOUT_MILLIS = 60_000

const BASE_DELAY_MILLIS = Duration.toMillis(defaultPolicy.baseDelay)

const MAX_DELAY_MILLIS = Duration.toMillis(defaultPolicy.maxDelay)

/** Calls at random times, so many a second. */
export const calls = (
  seed: number,
  { perSecond, from = 0, until }: { readonly perSecond: number; readonly from?: number; readonly until: number },
  storeOf: (chance: number) => string = () => "store"
): ReadonlyArray<SimulatedCall> => {
  const random = new PCGRandom(seed)
  const calls: Array<SimulatedCall> = []
  let at = from
  for (;;) {
    at += (-Math.log(1 - random.number()) * 1000) / perSecond
    if (at >= until) return calls
    calls.push({ at: Math.round(at), store: storeOf(random.number()) })
  }
}

/** Runs all calls to their end. */
export const simulate = ({ seed, budget, charged, calls, succeeds }: Simulation): ReadonlyArray<Simulated> => {
  // Apart from the random numbers of `calls` with the same seed.
  const random = new PCGRandom(1, seed)
  const agenda = new Map<number, Array<() => void>>()
  const schedule = (at: number, event: () => void): void => {
    const events = agenda.get(at)
    if (events === undefined) agenda.set(at, [event])
    else events.push(event)
  }

  const begin = ({ at: start, store }: SimulatedCall): Simulated => {
    const call: Simulated = { at: start, store, requests: [], end: "success" }
    let chargedRetries = 0
    const isCharged = (now: number): boolean => {
      if (!budget.take(store, now)) {
        call.end = "refused by the budget"
        return false
      }
      chargedRetries += 1
      return true
    }
    const send = (now: number): void => {
      call.requests.push(now)
      const end = now + 20 + random.integer(130)
      schedule(end, () => receive(end))
    }
    const receive = (now: number): void => {
      const attempt = call.requests.length
      if (succeeds({ store, at: now, attempt, chance: random.number() })) {
        budget.succeeded(store, chargedRetries)
        return
      }
      if (attempt > defaultPolicy.retries) {
        call.end = "no retry left"
        return
      }
      const shortest = Math.min(BASE_DELAY_MILLIS * 2 ** (attempt - 1), MAX_DELAY_MILLIS)
      const longest = Math.min(2 * shortest, MAX_DELAY_MILLIS)
      const next = now + Math.round(shortest + random.number() * (longest - shortest))
      if (next - start >= CALL_TIMEOUT_MILLIS) {
        call.end = "no time left"
        return
      }
      if (charged === "before the wait" && !isCharged(now)) return
      schedule(next, () => {
        if (charged === "before the wait" || isCharged(next)) send(next)
      })
    }
    schedule(start, () => send(start))
    return call
  }

  const simulated = Array.from(calls, begin)
  for (let now = 0; agenda.size > 0; now += 1) {
    const events = agenda.get(now) ?? []
    // What is scheduled for this very time joins the list while it is worked off.
    for (const event of events) event()
    agenda.delete(now)
  }
  return simulated
}
