/**
 * How many retries a client may send, so that its retries do not keep a broken server down. All calls of a client share one
 * budget; docs/decisions/0014 has the reasons and the figures.
 */

/** Retries in a full budget: enough for one lone call to try all of its default retries. */
export const CAPACITY = 10

/** Time alone brings one retry back in so many milliseconds. */
export const RECOVERY_MILLIS = 10_000

/** The last retries of the budget, which stores that keep failing leave to the others. */
export const RESERVE = 2

/** Failures in a row after which a store leaves the reserve to the others. */
export const FAILURES_UNTIL_RESERVE = 3

/** Failures in a row after which a store gets one retry in `RECOVERY_MILLIS`. A lone call can try all of its default retries. */
export const FAILURES_UNTIL_PROBES = 8

/** Failures of a store are forgotten when none has followed for so long. */
export const MEMORY_MILLIS = 300_000

/** Failing stores that are remembered. Beyond that the one that failed least recently is forgotten. */
export const MAX_STORES = 1000

/** A store's failures since its last success. A class, as what lives long should be: docs/decisions/0011. */
class Failures {
  inRow = 0

  constructor(
    public lastAt: number,
    public lastRetryAt: number
  ) {}
}

/**
 * The retries that a client has left.
 *
 * A retry takes one. A success brings back what its call's retries took, and one more, up to `CAPACITY`; time brings back one
 * in `RECOVERY_MILLIS`. Times are whole milliseconds by a clock that never jumps.
 */
export class RetryBudget {
  /** In the milliseconds that it takes to recover, so that it stays a whole number. */
  private balance = CAPACITY * RECOVERY_MILLIS
  private recoveredAt = Number.NEGATIVE_INFINITY
  /** In the order of their last failures. */
  private readonly failing = new Map<string, Failures>()

  /** Failing stores that are remembered now. */
  get failingStores(): number {
    return this.failing.size
  }

  /**
   * Takes what a retry costs, or refuses. Each call of it counts as a failure of the store, so it is called once for each
   * failed attempt that is worth a retry.
   */
  take(store: string, now: number): boolean {
    this.recover(now)
    const failures = this.failuresOf(store, now)
    const reserve = failures.inRow < FAILURES_UNTIL_RESERVE ? 0 : RESERVE
    const isTooSoon = failures.inRow >= FAILURES_UNTIL_PROBES && now - failures.lastRetryAt < RECOVERY_MILLIS
    failures.inRow += 1
    failures.lastAt = now
    if (isTooSoon || this.balance < (reserve + 1) * RECOVERY_MILLIS) return false
    this.balance -= RECOVERY_MILLIS
    failures.lastRetryAt = now
    return true
  }

  /**
   * A call for the store ended in a success, or in a refusal that shows that the server works, such as a 404.
   * `chargedRetries` is how often its `take` was granted.
   */
  succeeded(store: string, chargedRetries: number): void {
    this.failing.delete(store)
    this.add((chargedRetries + 1) * RECOVERY_MILLIS)
  }

  /** Before each `take` only: it is the same whether time or a success brings back its part first. */
  private recover(now: number): void {
    if (now <= this.recoveredAt) return
    this.add(now - this.recoveredAt)
    this.recoveredAt = now
  }

  private add(millis: number): void {
    this.balance = Math.min(CAPACITY * RECOVERY_MILLIS, this.balance + millis)
  }

  /** The store's failures, as the last ones of all. */
  private failuresOf(store: string, now: number): Failures {
    const known = this.failing.get(store)
    this.failing.delete(store)
    for (const [other, failures] of this.failing) {
      if (this.failing.size < MAX_STORES && !isForgotten(failures, now)) break
      this.failing.delete(other)
    }
    const failures = known === undefined || isForgotten(known, now) ? new Failures(now, now) : known
    this.failing.set(store, failures)
    return failures
  }
}

const isForgotten = ({ lastAt }: Failures, now: number): boolean => now - lastAt > MEMORY_MILLIS
