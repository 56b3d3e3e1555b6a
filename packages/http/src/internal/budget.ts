/**
 * A budget of retries that all calls of a client share, so that clients do not keep a broken server down.
 *
 * A retry takes a token, a success brings part of one back. While nothing succeeds nothing comes back: a total outage costs
 * the server `CAPACITY` requests more than there are calls, which is 1 % once a thousand calls were made. While most calls
 * succeed the bucket stays full, and every retry is granted.
 */

/** Enough for one lone call to try all of its default retries. */
export const CAPACITY = 10

/** What a success brings back: up to a tenth of the calls may fail for good before retries run short. */
export const REFUND = 0.1

export interface Budget {
  /** Takes a token for a retry, where there is one. */
  readonly take: () => boolean
  /** A call succeeded. */
  readonly refund: () => void
}

/** A full budget. */
export const makeBudget = (): Budget => {
  let tokens = CAPACITY
  return {
    take: () => {
      if (tokens < 1) return false
      tokens -= 1
      return true
    },
    refund: () => {
      tokens = Math.min(CAPACITY, tokens + REFUND)
    }
  }
}
