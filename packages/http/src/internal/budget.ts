/**
 * A budget of retries that all calls of a client share, so that clients do not keep a broken server down.
 *
 * A retry takes a token, an answer of a server that works brings part of one back: a store, or a refusal such as a 404. While
 * there is none nothing comes back: a total outage costs the server `CAPACITY` requests more than there are calls, which is 1 %
 * once a thousand calls were made. While most calls are answered the bucket stays full, and every retry is granted.
 */

/** Enough for one lone call to try all of its default retries. */
export const CAPACITY = 10

/** Answers that bring a retry back: up to a tenth of the calls may fail for good before retries run short. */
export const ANSWERS_PER_RETRY = 10

export interface Budget {
  /** Takes a token for a retry, where there is one. */
  readonly take: () => boolean
  /** The server works: it answered. */
  readonly refund: () => void
}

/** A full budget. */
export const makeBudget = (): Budget => {
  // Counted in the parts that an answer brings back, so that ten of them make a whole.
  let parts = CAPACITY * ANSWERS_PER_RETRY
  return {
    take: () => {
      if (parts < ANSWERS_PER_RETRY) return false
      parts -= ANSWERS_PER_RETRY
      return true
    },
    refund: () => {
      parts = Math.min(CAPACITY * ANSWERS_PER_RETRY, parts + 1)
    }
  }
}
