/**
 * Keeps requests to the server's rate limits, with a bucket for each store and class of requests.
 *
 * Requests that have to wait for a bucket queue for it in order of arrival, and only the first watches the clock. So whoever
 * gives up leaves no gap, and a 429 moves a whole queue by moving one time. The limiter itself has no timer and no fiber: it
 * is told the time, in whole milliseconds by a clock that never jumps. Why it works like this: docs/decisions/0015.
 */

import type * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import type { RateClass } from "../Operation.js"
import type { Slot } from "../Pacing.js"
import { monotonicMillis, setAlarm } from "./alarm.js"

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

/** After so many permits in a row whose callers gave up before the response, the newest callers go first. */
const WASTED_UNTIL_NEWEST_FIRST = 3

/** While the newest go first, every so many permits one goes to the oldest. */
const OLDEST_EVERY = 4

/** How many buckets an operation looks at, to forget those that no longer matter. */
const FORGET_AT_ONCE = 2

/**
 * Between two requests at a rate: 17 ms at 60 a second, 5.1 ms at 200. With these gaps no window holds more requests than
 * the rate allows, even where the first in it was late, and for a clock that leaves out fractions of a millisecond.
 */
export const gapMillis = (rate: number): number => (WINDOW_MILLIS + 1 + LATENESS_MILLIS) / rate

/** Requests the next slot of a store, where clients share their pace. What it returns cancels the request. */
export type RequestSlot = (
  store: string,
  rate: RateClass,
  clock: Clock.Clock,
  notify: (slot: Exit.Exit<Slot>) => void
) => () => void

/** A place in the queue of a bucket. It must be taken or released in the end: those behind it wait for that. */
export class Permit implements Queued<Permit> {
  /** Called when it becomes the next one. */
  onNext: () => void = constVoid
  /** Called with what the request for its slot ended with, if that is no slot. */
  onFailure: (cause: Cause.Cause<never>) => void = constVoid
  isQueued = false
  ahead: Permit | undefined
  behind: Permit | undefined

  constructor(
    private readonly bucket: Bucket,
    private readonly reservedAt: number,
    private readonly estimate: number,
    private readonly needsSlot: boolean
  ) {}

  /** Only the next one can be taken: the first in the queue, unless the newest go first. */
  get isNext(): boolean {
    return this.bucket.next === this
  }

  /**
   * When it can be taken: for the first, unless a 429 moves that time; for others as it looked when they were reserved, which
   * is sooner if some ahead give up, and later after a 429. Not before the slot begins, if one is needed and known.
   */
  get at(): number {
    if (!this.isNext) return Math.ceil(this.estimate)
    const slot = this.needsSlot ? this.bucket.slotFrom : Number.NEGATIVE_INFINITY
    return Math.ceil(Math.max(this.bucket.free, this.reservedAt, slot))
  }

  /** Whether a slot was requested for it, and it is notified when the slot is known. */
  get isRequesting(): boolean {
    return this.needsSlot && this.bucket.isRequesting
  }

  /** Requests a slot, if that is what is missing. */
  claimSlot(now: number, clock: Clock.Clock): void {
    if (this.needsSlot && this.isNext) this.bucket.claimSlot(now, clock)
  }

  /** Whether a request may be sent now. If so, the permit is used. */
  take(now: number): boolean {
    if (!this.isNext || !this.bucket.isFree(now, this.needsSlot)) return false
    this.bucket.use(this.reservedAt, now, this.needsSlot)
    this.bucket.remove(this)
    return true
  }

  /** Leaves the queue. Without effect once it has been taken. */
  release(): void {
    this.bucket.remove(this)
  }
}

/** Nothing is held back at first. */
export class RateLimiter {
  private readonly buckets: Readonly<Record<RateClass, Map<string, Bucket>>> = {
    resource: new Map(),
    record: new Map()
  }
  /** All buckets; the first is the one that was not looked at for longest. */
  private readonly all = new Queue<Bucket>()

  /** With a function that requests slots, what needs a slot waits for one too. */
  constructor(private readonly requestSlot?: RequestSlot) {}

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
  take(store: string, rate: RateClass, now: number, isPaced = false): boolean {
    const bucket = this.bucketOf(store, rate, now)
    const needsSlot = this.needsSlot(isPaced)
    if (bucket.queue.first !== undefined || !bucket.isFree(now, needsSlot)) return false
    bucket.use(now, now, needsSlot)
    return true
  }

  /** Joins the queue. */
  reserve(store: string, rate: RateClass, now: number, isPaced = false): Permit {
    return this.bucketOf(store, rate, now).reserve(now, this.needsSlot(isPaced))
  }

  /** The server responded with 429 to a request sent at `sentAt`, and may have named its limit in requests a second. */
  limited(store: string, rate: RateClass, sentAt: number, now: number, named: Option.Option<number>): void {
    this.bucketOf(store, rate, now).limited(sentAt, now, named)
  }

  /** A caller gave up after its request was permitted, before there was a response. */
  wasted(store: string, rate: RateClass): void {
    this.buckets[rate].get(store)?.wasted()
  }

  /** A permitted request had a response. */
  served(store: string, rate: RateClass): void {
    this.buckets[rate].get(store)?.served()
  }

  private needsSlot(isPaced: boolean): boolean {
    return isPaced && this.requestSlot !== undefined
  }

  private bucketOf(store: string, rate: RateClass, now: number): Bucket {
    this.forgetSome(now)
    const known = this.buckets[rate].get(store)
    if (known !== undefined) {
      if (known.isIdle(now)) known.reset()
      return known
    }
    const bucket = new Bucket(store, rate, this.requestSlot)
    this.buckets[rate].set(store, bucket)
    this.all.push(bucket)
    return bucket
  }

  private forgetSome(now: number): void {
    for (let looks = 0; looks < FORGET_AT_ONCE; looks += 1) {
      const bucket = this.all.first
      if (bucket === undefined) return
      this.all.remove(bucket)
      if (bucket.isIdle(now)) this.buckets[bucket.rateClass].delete(bucket.store)
      else this.all.push(bucket)
    }
  }
}

/**
 * Queues for a permit. `notify` is called with `true` when the request may be sent, which then has to be done at once; with
 * `false` as soon as it is clear that this is not before the deadline, a time of the same clock; or with the defect of what
 * requests slots.
 *
 * @returns what leaves the queue; it may be called at any time
 */
export const awaitPermit = (
  limiter: RateLimiter,
  store: string,
  rate: RateClass,
  clock: Clock.Clock,
  deadline: number,
  notify: (isPermitted: Exit.Exit<boolean>) => void,
  isPaced = false
): (() => void) => {
  const permit = limiter.reserve(store, rate, monotonicMillis(clock), isPaced)
  let isOver = false
  let cancelAlarm = constVoid
  const leave = (): void => {
    isOver = true
    cancelAlarm()
    permit.release()
  }
  const check = (): void => {
    if (isOver) return
    cancelAlarm()
    const now = monotonicMillis(clock)
    if (now < deadline) permit.claimSlot(now, clock)
    // The request may have failed at once.
    if (isOver) return
    const isPermitted = now < deadline && permit.take(now)
    if (isPermitted || now >= deadline || permit.at >= deadline) {
      leave()
      notify(Exit.succeed(isPermitted))
      return
    }
    const until = permit.isNext && !permit.isRequesting ? permit.at : deadline
    if (Number.isFinite(until)) cancelAlarm = setAlarm(clock, until - now, check)
  }
  // Not within the release of the one ahead: a queue whose every deadline has passed would take as much stack as it is long.
  permit.onNext = () => queueMicrotask(check)
  permit.onFailure = (cause) => {
    leave()
    notify(Exit.failCause(cause))
  }
  check()
  return leave
}

/** The requests of one class for one store. */
class Bucket implements Queued<Bucket> {
  isQueued = false
  ahead: Bucket | undefined
  behind: Bucket | undefined
  readonly queue = new Queue<Permit>()
  /**
   * Under overload everyone waits until just before giving up, and with the oldest first every permit goes to a caller who
   * has no time left for the response. Once that has happened a few times the newest go first, until the queue is empty.
   */
  private isNewestFirst = false
  private wastedInARow = 0
  private permits = 0
  /** When the next request may be sent. */
  free = Number.NEGATIVE_INFINITY
  /** When the last 429 that counts arrived, and the rate that it left. */
  private limitedAt = Number.NEGATIVE_INFINITY
  private limitedTo: number
  private slot: TakenSlot | undefined
  /** The request for a slot that is under way. */
  private requested: { stop: () => void } | undefined

  constructor(
    readonly store: string,
    readonly rateClass: RateClass,
    private readonly requestSlot: RequestSlot | undefined
  ) {
    this.limitedTo = DOCUMENTED_RATE[rateClass]
  }

  /** The permit that can be taken next. */
  get next(): Permit | undefined {
    return this.isNewestFirst && this.permits % OLDEST_EVERY !== 0 ? this.queue.last : this.queue.first
  }

  wasted(): void {
    this.wastedInARow += 1
    if (this.isNewestFirst || this.wastedInARow < WASTED_UNTIL_NEWEST_FIRST || this.queue.length === 0) return
    this.isNewestFirst = true
    this.next?.onNext()
  }

  served(): void {
    this.wastedInARow = 0
  }

  /** When the slot begins that it has, if it has one. */
  get slotFrom(): number {
    return this.slot?.from ?? Number.NEGATIVE_INFINITY
  }

  get isRequesting(): boolean {
    return this.requested !== undefined
  }

  /** Requests a slot where there is none. Not long before a request may be sent: the slot would be over by then. */
  claimSlot(now: number, clock: Clock.Clock): void {
    const { requestSlot } = this
    if (requestSlot === undefined || this.requested !== undefined || this.hasSlot(now)) return
    if (this.free - now > gapMillis(DOCUMENTED_RATE[this.rateClass])) return
    const { next } = this
    const requested = { stop: constVoid }
    this.requested = requested
    requested.stop = requestSlot(this.store, this.rateClass, clock, (exit) => {
      if (this.requested !== requested) return
      this.requested = undefined
      if (Exit.isSuccess(exit)) {
        const { delay, lasts, requests } = exit.value
        const from = monotonicMillis(clock) + Duration.toMillis(delay)
        this.slot = { from, until: from + Duration.toMillis(lasts), requests }
      } else if (next?.isQueued === true) next.onFailure(exit.cause)
      this.next?.onNext()
    })
  }

  /** Whether a request may be sent now, as far as the gap and the slot say. */
  isFree(now: number, needsSlot: boolean): boolean {
    return now >= this.free && (!needsSlot || (this.hasSlot(now) && now >= this.slotFrom))
  }

  private hasSlot(now: number): boolean {
    return this.slot !== undefined && this.slot.requests > 0 && now < this.slot.until
  }

  /** Whether it is the same as a new one. After a 429 that is so once nobody has to wait, and some time has passed. */
  isIdle(now: number): boolean {
    return this.queue.length === 0 && now >= this.free && this.isQuiet(now) && !this.hasSlot(now)
  }

  isHeldBack(now: number): boolean {
    if (this.limitedAt === Number.NEGATIVE_INFINITY) return false
    if (this.queue.length > 0 || !this.isQuiet(now)) return true
    return now < this.free && this.rateAt(now) < DOCUMENTED_RATE[this.rateClass]
  }

  reset(): void {
    this.free = Number.NEGATIVE_INFINITY
    this.limitedAt = Number.NEGATIVE_INFINITY
    this.limitedTo = DOCUMENTED_RATE[this.rateClass]
  }

  /** Counts a request that is sent now, and was wanted since some time. */
  use(wantedAt: number, now: number, needsSlot: boolean): void {
    this.permits += 1
    const slotFrom = needsSlot ? this.slotFrom : Number.NEGATIVE_INFINITY
    if (needsSlot && this.slot !== undefined) this.slot.requests -= 1
    this.free = Math.max(this.free, wantedAt, slotFrom, now - LATENESS_MILLIS) + gapMillis(this.rateAt(now))
  }

  reserve(now: number, needsSlot: boolean): Permit {
    const ahead = this.isNewestFirst ? 0 : this.queue.length
    const estimate = Math.max(now, this.free) + ahead * gapMillis(this.rateAt(now))
    const permit = new Permit(this, now, estimate, needsSlot)
    this.queue.push(permit)
    return permit
  }

  remove(permit: Permit): void {
    const { next } = this
    this.queue.remove(permit)
    if (this.queue.length === 0) {
      this.isNewestFirst = false
      this.requested?.stop()
      this.requested = undefined
    }
    // Whoever is next now may not have been before.
    if (this.next !== next || next === permit) this.next?.onNext()
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
      onSome: (limit) => (limit >= LOWEST_RATE ? Math.min(limit, documented) : documented)
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

/** A slot by the clock, and how many requests are left of it. */
interface TakenSlot {
  readonly from: number
  readonly until: number
  requests: number
}

interface Queued<A> {
  isQueued: boolean
  ahead: A | undefined
  behind: A | undefined
}

/** A queue that can be left from any place. */
class Queue<A extends Queued<A>> {
  first: A | undefined
  last: A | undefined
  length = 0

  push(one: A): void {
    one.isQueued = true
    one.ahead = this.last
    if (this.last === undefined) this.first = one
    else this.last.behind = one
    this.last = one
    this.length += 1
  }

  /** Without effect on what is not in it. */
  remove(one: A): void {
    if (!one.isQueued) return
    const { ahead, behind } = one
    if (behind === undefined) this.last = ahead
    else behind.ahead = ahead
    if (ahead === undefined) this.first = behind
    else ahead.behind = behind
    one.isQueued = false
    one.ahead = undefined
    one.behind = undefined
    this.length -= 1
  }
}
