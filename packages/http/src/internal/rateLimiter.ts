/**
 * Keeps requests to the server's rate limits, with a bucket for each store and class of requests.
 *
 * Requests that have to wait for a bucket queue for it in order of arrival, and only the first watches the clock. So whoever
 * gives up leaves no gap, and a 429 moves a whole queue by moving one time. The limiter itself has no timer and no fiber: it
 * is told the time, in whole milliseconds by a clock that never jumps. Why it works like this: docs/decisions/0015.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { monotonicMillis, setAlarm } from "./alarm.js"

/** What a request counts as: one for a record, or one for anything else of a store. */
export type RateClass = "resource" | "record"

/** Requests a second for each store. Source: Apify's API documentation, under "Rate limiting". */
export const DOCUMENTED_RATE: Readonly<Record<RateClass, number>> = { resource: 60, record: 200 }

/** The server counts the requests of a second. */
export const WINDOW_MILLIS = 1000

/** A request that is sent this late, because a timer was, does not delay those behind it. */
export const LATENESS_MILLIS = 19

/** How much slower to go when a rate proves too high. */
export const BACKOFF = 0.75

/** One request in ten seconds: at less than that, calls run out of time anyway. */
export const LOWEST_RATE = 0.1

/** How long without a 429 until the rate rises, or the bucket is forgotten where nobody has to wait. */
export const QUIET_MILLIS = 10_000

/** How many buckets an operation looks at, to forget those that no longer matter. */
const FORGET_AT_ONCE = 2

/**
 * Between two requests at a rate: 17 ms at 60 a second, 5.1 ms at 200. With these gaps no window holds more requests than
 * the rate allows, even where the first in it was late, and for a clock that leaves out fractions of a millisecond.
 */
export const gapMillis = (rate: number): number => (WINDOW_MILLIS + 1 + LATENESS_MILLIS) / rate

/** A place in the queue of a bucket. It must be taken or released in the end: those behind it wait for that. */
export class Permit {
  /** Called when it becomes the first. */
  onFirst: () => void = nothing
  /** The queue's, as is all up to the constructor. */
  isQueued = true
  ahead: Permit | undefined
  behind: Permit | undefined

  constructor(
    private readonly bucket: Bucket,
    private readonly reservedAt: number,
    private readonly estimate: number
  ) {}

  /** Only the first can be taken. */
  get isFirst(): boolean {
    return this.bucket.first === this
  }

  /**
   * When it can be taken: for the first, unless a 429 moves that time; for others as it looked when they were reserved, which
   * is sooner if some ahead give up, and later after a 429.
   */
  get at(): number {
    return Math.ceil(this.isFirst ? Math.max(this.bucket.free, this.reservedAt) : this.estimate)
  }

  /** Whether a request may be sent now. If so, the permit is used. */
  take(now: number): boolean {
    if (!this.isFirst || now < this.bucket.free) return false
    this.bucket.use(this.reservedAt, now)
    this.bucket.remove(this)
    return true
  }

  /** Leaves the queue. Without effect once it has been taken. */
  release(): void {
    if (this.isQueued) this.bucket.remove(this)
  }
}

/** Nothing is held back at first. */
export class RateLimiter {
  private readonly buckets: Readonly<Record<RateClass, Map<string, Bucket>>> = {
    resource: new Map(),
    record: new Map()
  }
  /** All buckets, in no order. */
  private readonly all: Array<Bucket> = []
  /** The bucket in `all` to look at next. */
  private position = 0

  /** How many buckets it knows. */
  get size(): number {
    return this.all.length
  }

  /** Whether requests for a store have to wait because of a 429, or did and still queue for that. */
  isHeldBack(store: string, rate: RateClass, now: number): boolean {
    this.forgetSome(now)
    return this.buckets[rate].get(store)?.isHeldBack(now) ?? false
  }

  /** Whether a request may be sent now, since nobody waits and the gap to the last one is over. If so, it is counted. */
  take(store: string, rate: RateClass, now: number): boolean {
    const bucket = this.bucketOf(store, rate, now)
    if (bucket.first !== undefined || now < bucket.free) return false
    bucket.use(now, now)
    return true
  }

  /** Joins the queue. */
  reserve(store: string, rate: RateClass, now: number): Permit {
    return this.bucketOf(store, rate, now).reserve(now)
  }

  /** The server responded with 429 to a request sent at `sentAt`, and may have named its limit in requests a second. */
  limited(store: string, rate: RateClass, sentAt: number, now: number, named: Option.Option<number>): void {
    this.bucketOf(store, rate, now).limited(sentAt, now, named)
  }

  private bucketOf(store: string, rate: RateClass, now: number): Bucket {
    this.forgetSome(now)
    const known = this.buckets[rate].get(store)
    if (known !== undefined) {
      if (known.isIdle(now)) known.reset()
      return known
    }
    const bucket = new Bucket(store, rate)
    this.buckets[rate].set(store, bucket)
    this.all.push(bucket)
    return bucket
  }

  private forgetSome(now: number): void {
    for (let looks = Math.min(FORGET_AT_ONCE, this.all.length); looks > 0; looks -= 1) {
      if (this.position >= this.all.length) this.position = 0
      const bucket = this.all[this.position]
      if (bucket?.isIdle(now) !== true) {
        this.position += 1
        continue
      }
      this.buckets[bucket.rateClass].delete(bucket.store)
      const last = this.all.pop()
      if (last !== undefined && last !== bucket) this.all[this.position] = last
    }
  }
}

/**
 * Waits until a request may be sent, which then has to be sent at once. False as soon as it is clear that this is not
 * before the deadline, a time by the same clock; `Infinity` for none.
 */
export const waitForPermit = (
  limiter: RateLimiter,
  store: string,
  rate: RateClass,
  deadline: number
): Effect.Effect<boolean> =>
  Effect.clockWith((clock) => {
    const start = monotonicMillis(clock)
    if (start >= deadline) return Effect.succeed(false)
    if (limiter.take(store, rate, start)) return Effect.succeed(true)
    const waiting = new Waiting(clock, deadline)
    // Reserved within, so that no interruption falls between that and the release.
    const taken = Effect.suspend(() => waiting.until(limiter.reserve(store, rate, monotonicMillis(clock))))
    return Effect.onExit(taken, () => Effect.sync(() => waiting.end()))
  })

class Waiting {
  private permit: Permit | undefined
  private stopAlarm = nothing

  constructor(
    private readonly clock: Clock.Clock,
    private readonly deadline: number
  ) {}

  until(permit: Permit): Effect.Effect<boolean> {
    this.permit = permit
    return Effect.suspend(() => {
      const now = monotonicMillis(this.clock)
      if (Math.max(now, permit.at) >= this.deadline) return Effect.succeed(false)
      if (permit.take(now)) return Effect.succeed(true)
      const wait = permit.isFirst ? this.clock.sleep(Duration.millis(permit.at - now)) : this.untilFirst(permit, now)
      return Effect.zipRight(wait, this.until(permit))
    })
  }

  /** Not in cancelers of `Effect.async`: an interruption right after the registration does not run these. */
  end(): void {
    this.stopAlarm()
    this.permit?.release()
  }

  /** Until it is the first, or the deadline. */
  private untilFirst(permit: Permit, now: number): Effect.Effect<void> {
    return Effect.async((resume) => {
      if (permit.isFirst) return resume(Effect.void)
      if (Number.isFinite(this.deadline)) {
        this.stopAlarm = setAlarm(this.clock, Duration.millis(this.deadline - now), () => resume(Effect.void))
      }
      permit.onFirst = () => {
        this.stopAlarm()
        resume(Effect.void)
      }
    })
  }
}

const nothing = (): void => {}

/** The requests of one class for one store. */
class Bucket {
  first: Permit | undefined
  /** When the next request may be sent. */
  free = Number.NEGATIVE_INFINITY
  private last: Permit | undefined
  private waiting = 0
  /** When the last 429 that counts arrived, and the rate that it left. */
  private limitedAt = Number.NEGATIVE_INFINITY
  private limitedTo: number

  constructor(
    readonly store: string,
    readonly rateClass: RateClass
  ) {
    this.limitedTo = DOCUMENTED_RATE[rateClass]
  }

  /** Whether it is the same as a new one. After a 429 that is so once nobody has to wait, and some time has passed. */
  isIdle(now: number): boolean {
    return this.waiting === 0 && now >= this.free && this.isQuiet(now)
  }

  isHeldBack(now: number): boolean {
    if (this.limitedAt === Number.NEGATIVE_INFINITY) return false
    if (this.waiting > 0 || !this.isQuiet(now)) return true
    return now < this.free && this.rateAt(now) < DOCUMENTED_RATE[this.rateClass]
  }

  reset(): void {
    this.free = Number.NEGATIVE_INFINITY
    this.limitedAt = Number.NEGATIVE_INFINITY
    this.limitedTo = DOCUMENTED_RATE[this.rateClass]
  }

  /** Counts a request that is sent now, and was wanted since some time. */
  use(wantedAt: number, now: number): void {
    this.free = Math.max(this.free, wantedAt, now - LATENESS_MILLIS) + gapMillis(this.rateAt(now))
  }

  reserve(now: number): Permit {
    const estimate = Math.max(now, this.free) + this.waiting * gapMillis(this.rateAt(now))
    const permit = new Permit(this, now, estimate)
    permit.ahead = this.last
    if (this.last === undefined) this.first = permit
    else this.last.behind = permit
    this.last = permit
    this.waiting += 1
    return permit
  }

  remove(permit: Permit): void {
    const { ahead, behind } = permit
    if (behind === undefined) this.last = ahead
    else behind.ahead = ahead
    if (ahead === undefined) this.first = behind
    else ahead.behind = behind
    permit.isQueued = false
    permit.ahead = undefined
    permit.behind = undefined
    this.waiting -= 1
    if (ahead === undefined) behind?.onFirst()
  }

  limited(sentAt: number, now: number, named: Option.Option<number>): void {
    const limit = this.limitOf(named)
    if (!this.isHeldBack(now)) this.limitedTo = limit
    // It was sent at the rate that the last 429 left, and that was too much all the same.
    else if (sentAt >= this.limitedAt + WINDOW_MILLIS) {
      this.limitedTo = Math.max(LOWEST_RATE, Math.min(limit, this.rateAt(sentAt) * BACKOFF))
    } else return
    this.limitedAt = now
    this.free = Math.max(this.free, now + WINDOW_MILLIS)
  }

  private limitOf(named: Option.Option<number>): number {
    const documented = DOCUMENTED_RATE[this.rateClass]
    return Option.match(named, {
      onNone: () => documented,
      onSome: (limit) => documented
    })
  }

  private isQuiet(now: number): boolean {
    return now - this.limitedAt >= QUIET_MILLIS
  }

  /** The first ten seconds of quiet make up for one 429, the next for two, and so on. */
  private rateAt(now: number): number {
    const periods = Math.floor((now - this.limitedAt) / QUIET_MILLIS)
    const rate = this.limitedTo / BACKOFF ** ((periods * (periods + 1)) / 2)
    return Math.min(DOCUMENTED_RATE[this.rateClass], rate)
  }
}
