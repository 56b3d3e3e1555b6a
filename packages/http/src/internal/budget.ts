/**
 * A budget of retries that all calls of a client share, so that clients do not keep a broken server down.
 *
 * A retry takes a token, a success brings part of one back. While nothing succeeds nothing comes back: a total outage costs
 * the server `CAPACITY` requests more than there are calls, which is 1 % once a thousand calls were made. While most calls
 * succeed the bucket stays full, and every retry is granted.
 */

/** Enough for one lone call to try all of its default retries. */
export const CAPACITY = 10

/** Successes that bring a retry back: up to a tenth of the calls may fail for good before retries run short. */
export const SUCCESSES_PER_RETRY = 10

export interface Budget {
  /** Takes a token for a retry, where there is one. */
  readonly take: () => boolean
  /** A call succeeded. */
  readonly refund: () => void
}

/** A full budget. */
export const makeBudget = (): Budget => {
  // Counted in the parts that a success brings back, so that ten of them make a whole.
  let parts = CAPACITY * SUCCESSES_PER_RETRY
  return {
    take: () => {
      if (parts < SUCCESSES_PER_RETRY) return false
      parts -= SUCCESSES_PER_RETRY
      return true
    },
    refund: () => {
      parts = Math.min(CAPACITY * SUCCESSES_PER_RETRY, parts + 1)
    }
  }
}
