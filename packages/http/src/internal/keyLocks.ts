/**
 * Locks for stores and their keys, within this process.
 */
import * as Effect from "effect/Effect"

interface Lock {
  readonly semaphore: Effect.Semaphore
  /** How many effects hold it or wait for it. */
  users: number
}

export class KeyLocks {
  private readonly locks = new Map<string, Lock>()

  /** How many keys are locked. */
  get size(): number {
    return this.locks.size
  }

  /** Runs an effect while no other one runs under the same name. Those that wait run in the order of their calls. */
  withLock(name: string): <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> {
    return (effect) =>
      Effect.acquireUseRelease(
        Effect.sync(() => this.join(name)),
        ({ semaphore }) => semaphore.withPermits(1)(effect),
        (lock) => Effect.sync(() => this.leave(name, lock))
      )
  }

  private join(name: string): Lock {
    const lock = this.locks.get(name) ?? { semaphore: Effect.unsafeMakeSemaphore(1), users: 0 }
    lock.users += 1
    this.locks.set(name, lock)
    return lock
  }

  private leave(name: string, lock: Lock): void {
    lock.users -= 1
    if (lock.users === 0) this.locks.delete(name)
  }
}

/** A lock that many effects hold at a time, or one alone. */
export class SharedLock {
  private readonly door = Effect.unsafeMakeSemaphore(1)
  private readonly room = Effect.unsafeMakeSemaphore(Number.MAX_SAFE_INTEGER)

  /** Runs an effect beside others that share the lock. It waits for one that is to run alone, so that this one has its turn. */
  shared<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.zipRight(this.door.withPermits(1)(Effect.void), this.room.withPermits(1)(effect))
  }

  /** Runs an effect while no other one holds the lock. */
  alone<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return this.door.withPermits(1)(this.room.withPermits(Number.MAX_SAFE_INTEGER)(effect))
  }
}
