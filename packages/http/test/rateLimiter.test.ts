/**
 * The rate limiter in virtual time: laws that hold for any callers, any 429s and timers that are late.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Scheduler from "effect/Scheduler"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { type CallOptions, getStore, getStores, RetryPolicy } from "../src/index.js"
import {
  awaitPermit,
  BACKOFF,
  DOCUMENTED_RATE,
  gapMillis,
  LATENESS_MILLIS,
  LOWEST_RATE,
  type Permit,
  QUIET_MILLIS,
  RateLimiter,
  WINDOW_MILLIS
} from "../src/internal/rateLimiter.js"
import type { RateClass } from "../src/Operation.js"
import { layerRespond, RecordedRequests } from "../src/testing.js"
import { inSimulatedTime } from "./simulatedTime.js"

/** From any 429 on, within this time the rate is the documented one again. */
const RECOVERY_MILLIS = 7 * QUIET_MILLIS

/** The longest gap there is, which may have begun before the rate rose. */
const LONGEST_GAP_MILLIS = gapMillis(LOWEST_RATE)

interface Caller {
  readonly store: string
  readonly rate: RateClass
  readonly start: number
  /** How long until its deadline, after which it can't send. */
  readonly timeLimit: number
  /** How long until it is interrupted. */
  readonly interruptedAfter: number
  /** How late its timers are. */
  readonly lateness: number
}

interface Limited {
  readonly store: string
  readonly rate: RateClass
  readonly at: number
  /** How long before that its request was sent. */
  readonly lag: number
  readonly named: Option.Option<number>
}

interface Send {
  readonly caller: Caller
  readonly at: number
}

const caller = (fields: Partial<Caller>): Caller => ({
  store: "~store",
  rate: "resource",
  start: 0,
  timeLimit: Number.POSITIVE_INFINITY,
  interruptedAfter: Number.POSITIVE_INFINITY,
  lateness: 0,
  ...fields
})

/** Interruptions are the first thing in their millisecond; all else is in the order in which it was planned. */
type Priority = 0 | 1

class Simulation {
  now = 0
  readonly limiter = new RateLimiter()
  readonly sends: Array<Send> = []
  private readonly planned: Array<{ readonly at: number; readonly priority: Priority; readonly run: () => void }> = []

  plan(at: number, run: () => void, priority: Priority = 1): void {
    if (at === Number.POSITIVE_INFINITY) return
    let [low, high] = [0, this.planned.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = this.planned[middle]
      if (other !== undefined && (other.at > at || (other.at === at && other.priority > priority))) low = middle + 1
      else high = middle
    }
    this.planned.splice(low, 0, { at, priority, run })
  }

  /** Does as `awaitPermit` does. */
  call(caller: Caller, then: () => void = () => {}): void {
    const { interruptedAfter, lateness, rate, start, store, timeLimit } = caller
    this.plan(start, () => {
      const send = (): void => {
        this.sends.push({ caller, at: this.now })
        then()
      }
      if (this.limiter.take(store, rate, this.now)) return send()
      const permit = this.limiter.reserve(store, rate, this.now)
      let isOver = false
      const end = (): void => {
        if (isOver) return
        isOver = true
        permit.release()
        then()
      }
      const proceed = (): void => {
        if (isOver) return
        if (Math.max(this.now, permit.at) >= start + timeLimit) end()
        else if (permit.take(this.now)) {
          isOver = true
          assert.isFalse(permit.take(this.now), "taken twice")
          permit.release()
          send()
        } else if (permit.isNext) this.plan(permit.at + lateness, proceed)
        else permit.onNext = () => this.plan(this.now, proceed)
      }
      proceed()
      this.plan(start + timeLimit, end)
      this.plan(start + interruptedAfter, end, 0)
    })
  }

  limited({ at, lag, named, rate, store }: Limited): void {
    this.plan(at, () => this.limiter.limited(store, rate, Math.max(0, at - lag), at, named))
  }

  run(until: number): void {
    for (let next = this.planned.at(-1); next !== undefined && next.at <= until; next = this.planned.at(-1)) {
      this.planned.pop()
      this.now = next.at
      next.run()
    }
    this.now = until
  }
}

const simulate = (callers: ReadonlyArray<Caller>, until: number, limits: ReadonlyArray<Limited> = []): Simulation => {
  const simulation = new Simulation()
  for (const caller of callers) simulation.call(caller)
  for (const limited of limits) simulation.limited(limited)
  simulation.run(until)
  return simulation
}

const RATE_CLASSES: ReadonlyArray<RateClass> = ["resource", "record"]
const STORES = ["~one", "~two"]
const BUCKETS = STORES.flatMap((store) => RATE_CLASSES.map((rate) => ({ store, rate })))

const timesOf = (sends: ReadonlyArray<Send>, store: string, rate: RateClass): ReadonlyArray<number> =>
  sends.filter(({ caller }) => caller.store === store && caller.rate === rate).map(({ at }) => at)

/** The most that lie within a second, for a clock that leaves out fractions of a millisecond. */
const mostInWindow = (times: ReadonlyArray<number>): number => {
  let [most, start] = [0, 0]
  times.forEach((time, end) => {
    while (time - Number(times[start]) > WINDOW_MILLIS) start += 1
    most = Math.max(most, end - start + 1)
  })
  return most
}

/** Any n + 1 of them lie at least n gaps apart, less what timers may be late. */
const isSpaced = (times: ReadonlyArray<number>, gap: number): boolean => {
  let next = Number.NEGATIVE_INFINITY
  return times.every((time) => {
    const isLater = time >= next - LATENESS_MILLIS - 1e-6
    next = Math.max(time, next) + gap
    return isLater
  })
}

const forever = fc.constant(Number.POSITIVE_INFINITY)
const millis = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max })

const anyCaller = (fields: Partial<{ readonly [Field in keyof Caller]: fc.Arbitrary<Caller[Field]> }>) =>
  fc.record<Caller>({
    store: fc.constantFrom(...STORES),
    rate: fc.constantFrom(...RATE_CLASSES),
    start: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 3000 })),
    timeLimit: fc.oneof(forever, millis(3000)),
    interruptedAfter: fc.oneof(forever, millis(500)),
    lateness: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 * LATENESS_MILLIS })),
    ...fields
  })

/** In order of arrival. */
const anyCallers = (
  fields: Parameters<typeof anyCaller>[0] = {},
  maxLength = 300
): fc.Arbitrary<ReadonlyArray<Caller>> =>
  fc
    .array(anyCaller(fields), { minLength: 1, maxLength, size: "max" })
    .map((callers) => callers.sort((one, other) => one.start - other.start))

/** A limit that the server named, or none, or something that is no limit. */
const anyNamed = fc.oneof(
  fc.constantFrom(
    Option.none(),
    ...[0, -1, Number.NaN, 1e-9, 1e9, Number.POSITIVE_INFINITY, 0.5].map((limit) => Option.some(limit))
  ),
  fc.integer({ min: 1, max: 300 }).map(Option.some)
)

/** The rate that a named limit leads to. */
const limitOf = (named: Option.Option<number>, rate: RateClass): number =>
  Option.getOrElse(
    Option.filter(named, (limit) => limit >= LOWEST_RATE && limit <= DOCUMENTED_RATE[rate]),
    () => DOCUMENTED_RATE[rate]
  )

const anyLimited = fc.record<Limited>({
  store: fc.constantFrom(...STORES),
  rate: fc.constantFrom(...RATE_CLASSES),
  at: fc.integer({ min: 0, max: 30_000 }),
  // Longer than that no attempt takes that is of interest here.
  lag: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: QUIET_MILLIS - WINDOW_MILLIS })),
  named: anyNamed
})

const anyLimits = fc
  .array(anyLimited, { minLength: 1, maxLength: 12 })
  .map((limits) => limits.sort((one, other) => one.at - other.at))

describe("requests for a bucket", () => {
  it("are never more than the documented rate in any second, whoever gives up and however late timers are", () => {
    fc.assert(
      fc.property(anyCallers(), fc.oneof(fc.constant([]), anyLimits), (callers, limits) => {
        const { sends } = simulate(callers, 60_000, limits)
        for (const { rate, store } of BUCKETS) {
          const times = timesOf(sends, store, rate)
          assert.isAtMost(mostInWindow(times), DOCUMENTED_RATE[rate])
          assert.isTrue(isSpaced(times, gapMillis(DOCUMENTED_RATE[rate])))
        }
      })
    )
  })

  it.each([
    ["resource", 58],
    ["record", 196]
  ] as const)("go out in any second nearly as often as that while there are enough: %s", (rate, least) => {
    for (const lateness of [0, 1, LATENESS_MILLIS - 1]) {
      const callers = Array.from({ length: 3000 }, () => caller({ rate, lateness }))
      const times = simulate(callers, 10_000).sends.map(({ at }) => at)
      for (let start = 0; start < 9000; start += 1) {
        const sent = times.filter((at) => at >= start && at < start + WINDOW_MILLIS).length
        assert.isAtLeast(sent, least - Math.ceil(lateness / gapMillis(DOCUMENTED_RATE[rate])))
      }
      assert.isAtLeast(times.length, least * 10)
    }
  })

  it("leave in order of arrival at the first time that is free, as if those who gave up had never been there", () => {
    const callers = anyCallers({
      store: fc.constant("~one"),
      rate: fc.constant("resource"),
      timeLimit: forever,
      lateness: fc.constant(0)
    })
    fc.assert(
      fc.property(callers, (callers) => {
        const expected: Array<Send> = []
        let free = 0
        for (const caller of callers) {
          const at = Math.max(caller.start, free)
          if (caller.start + caller.interruptedAfter <= at) continue
          expected.push({ caller, at })
          free = at + gapMillis(DOCUMENTED_RATE.resource)
        }
        assert.deepStrictEqual(simulate(callers, 60_000).sends, expected)
      })
    )
  })

  it("are refused at once where their deadline is too near, and then delay nobody", () => {
    const callers = anyCallers({
      store: fc.constant("~one"),
      rate: fc.constant("resource"),
      timeLimit: millis(1000),
      interruptedAfter: forever,
      lateness: fc.constant(0)
    })
    fc.assert(
      fc.property(callers, (callers) => {
        const simulation = new Simulation()
        const ends: Array<number> = []
        callers.forEach((caller, index) => {
          simulation.call(caller, () => {
            ends[index] = simulation.now
          })
        })
        simulation.run(60_000)
        const sends: Array<Send> = []
        let free = 0
        const expected = callers.map((caller) => {
          const at = Math.max(caller.start, free)
          if (at >= caller.start + caller.timeLimit) return caller.start
          sends.push({ caller, at })
          free = at + gapMillis(DOCUMENTED_RATE.resource)
          return at
        })
        assert.deepStrictEqual(simulation.sends, sends)
        assert.deepStrictEqual(ends, expected)
      })
    )
  })

  it("neither delay nor advance those for another store or of another class", () => {
    fc.assert(
      fc.property(anyCallers({}, 100), anyLimits, (callers, limits) => {
        const { sends } = simulate(callers, 60_000, limits)
        for (const { rate, store } of BUCKETS) {
          const isOwn = (one: Caller | Limited): boolean => one.store === store && one.rate === rate
          const alone = simulate(callers.filter(isOwn), 60_000, limits.filter(isOwn))
          assert.deepStrictEqual(timesOf(sends, store, rate), timesOf(alone.sends, store, rate))
        }
      })
    )
  })

  it.each([
    ["300 that are interrupted after 100 ms and start again", 300, { interruptedAfter: 100 }],
    ["30 that have 200 ms and start again", 30, { timeLimit: 200 }],
    ["30 that have 200 ms, and are interrupted after 150", 30, { timeLimit: 200, interruptedAfter: 150 }]
  ] as const)("get the full rate from callers in a loop: %s", (_, count, fields) => {
    const simulation = new Simulation()
    const loop = (start: number): void => simulation.call(caller({ ...fields, start }), () => loop(simulation.now + 5))
    for (let index = 0; index < count; index += 1) loop(0)
    simulation.run(5000)
    assert.isAtLeast(simulation.sends.length, 5000 / gapMillis(DOCUMENTED_RATE.resource))
  })
})

describe("callers that give up soon", () => {
  const TIME_LIMIT = 200
  const SECONDS = 10

  it.each([5, 20, 50, 100])(
    "get most of the slots in time for a response that takes %i ms, 30 of them in a loop",
    (latency) => {
      for (const knowsDeadline of [true, false]) {
        const limiter = new RateLimiter()
        let inTime = 0
        const callers = Array.from({ length: 30 }, (_, index) => new Impatient(limiter, index % 7, knowsDeadline))
        for (let now = 0; now < SECONDS * 1000; now += 1) {
          for (const one of callers) if (one.step(now, latency, TIME_LIMIT) && now > 1000) inTime += 1
        }
        const slots = ((SECONDS - 1) * 1000) / gapMillis(DOCUMENTED_RATE.resource)
        assert.isAtLeast(inTime, slots / 2, `knows its deadline: ${knowsDeadline}`)
      }
    }
  )

  it("let the newest go first after three permits in a row that they wasted, and every fourth time the oldest", () => {
    const limiter = new RateLimiter()
    const [store, rate] = ["~store", "resource"] as const
    const queue = () => Array.from({ length: 8 }, () => limiter.reserve(store, rate, 0))
    let now = 0
    /** The places in the queue, in the order in which they get their permits. */
    const orderOf = (permits: ReadonlyArray<Permit>): ReadonlyArray<number> =>
      permits.map(() => {
        now += WINDOW_MILLIS
        return permits.findIndex((permit) => permit.take(now))
      })
    assert.isTrue(limiter.take(store, rate, now))
    const permits = queue()
    for (let times = 0; times < 2; times += 1) {
      limiter.wasted(store, rate)
      limiter.wasted(store, rate)
      assert.isTrue(permits[0]?.isNext)
      limiter.served(store, rate)
    }
    const told: Array<number> = []
    permits.forEach((permit, place) => {
      permit.onNext = () => told.push(place)
    })
    for (let times = 0; times < 3; times += 1) limiter.wasted(store, rate)
    assert.deepStrictEqual(told, [7])
    assert.deepStrictEqual(orderOf(permits), [7, 6, 5, 0, 4, 3, 2, 1])
    // Where nobody waits, it does not matter that they were wasted.
    limiter.wasted(store, rate)
    assert.deepStrictEqual(orderOf(queue()), [0, 1, 2, 3, 4, 5, 6, 7])
  })

  it("do not starve those who stay", () => {
    const limiter = new RateLimiter()
    const patient = Array.from({ length: 10 }, () => limiter.reserve("~store", "resource", 0))
    const callers = Array.from({ length: 30 }, (_, index) => new Impatient(limiter, index % 7, false))
    const waiting = new Set(patient)
    for (let now = 1; now < 10_000 && waiting.size > 0; now += 1) {
      for (const one of callers) one.step(now, 100, TIME_LIMIT)
      for (const permit of waiting) if (permit.take(now)) waiting.delete(permit)
    }
    assert.strictEqual(waiting.size, 0)
  })
})

/** Calls in a loop, each of which is given up after a time. */
class Impatient {
  private permit: Permit | undefined
  private start = 0
  private sentAt: number | undefined

  constructor(
    private readonly limiter: RateLimiter,
    private next: number,
    private readonly knowsDeadline: boolean
  ) {}

  /** Whether a response arrived in time. */
  step(now: number, latency: number, timeLimit: number): boolean {
    if (this.sentAt !== undefined) return this.receive(now, this.sentAt + latency, timeLimit)
    if (this.permit === undefined) {
      if (now < this.next) return false
      this.start = now
      if (this.limiter.take("~store", "resource", now)) this.sentAt = now
      else this.permit = this.limiter.reserve("~store", "resource", now)
    }
    if (this.permit?.take(now) === true) {
      this.permit = undefined
      this.sentAt = now
    } else if (this.permit !== undefined) {
      const deadline = this.start + timeLimit
      if (now >= deadline || (this.knowsDeadline && this.permit.at >= deadline)) {
        this.permit.release()
        this.permit = undefined
        this.next = now + 5
      }
    }
    return false
  }

  private receive(now: number, respondedAt: number, timeLimit: number): boolean {
    const isInTime = now >= respondedAt && now < this.start + timeLimit
    if (isInTime) this.limiter.served("~store", "resource")
    else if (now >= this.start + timeLimit) this.limiter.wasted("~store", "resource")
    else return false
    this.sentAt = undefined
    this.next = now + 5
    return isInTime
  }
}

describe("after a 429", () => {
  it("requests wait until the window is over, then keep to the limit that was named, and to less after a further one", () => {
    const callers = anyCallers({ interruptedAfter: fc.oneof(forever, millis(20_000)) }, 200)
    fc.assert(
      fc.property(callers, anyLimits, (callers, limits) => {
        const { sends } = simulate(callers, 60_000, limits)
        for (const { rate, store } of BUCKETS) {
          const times = timesOf(sends, store, rate)
          const own = limits.filter((limited) => limited.store === store && limited.rate === rate)
          let [last, lowest] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
          own.forEach(({ at, lag, named }) => {
            if (Math.max(0, at - lag) < last + WINDOW_MILLIS) return
            const limit = limitOf(named, rate)
            const isFurther = at < last + QUIET_MILLIS
            lowest = isFurther ? Math.max(LOWEST_RATE, Math.min(limit, lowest * BACKOFF)) : limit
            last = at
            const next = own.find((other) => other.at > at && other.at - other.lag >= at + WINDOW_MILLIS)
            const until = Math.min(at + QUIET_MILLIS, next?.at ?? Number.POSITIVE_INFINITY)
            // At the very millisecond the order is open.
            const held = times.filter((time) => time > at && time < until)
            assert.isTrue(held.every((time) => time >= at + WINDOW_MILLIS))
            assert.isTrue(isSpaced(held, gapMillis(lowest)))
            assert.isAtMost(mostInWindow(held), Math.ceil(lowest))
          })
        }
      })
    )
  })

  it("everyone who stays has sent by the time that the rate has recovered, and then all is forgotten", () => {
    const callers = anyCallers({ timeLimit: forever, lateness: fc.constant(0) }, 200)
    fc.assert(
      fc.property(callers, anyLimits, (callers, limits) => {
        const recovered = 30_000 + RECOVERY_MILLIS + LONGEST_GAP_MILLIS
        const { limiter, now, sends } = simulate(
          callers,
          recovered + callers.length * gapMillis(DOCUMENTED_RATE.resource),
          limits
        )
        const hasSent = new Set(sends.map(({ caller }) => caller))
        assert.strictEqual(hasSent.size, sends.length)
        for (const caller of callers) {
          assert.isTrue(hasSent.has(caller) || caller.interruptedAfter < Number.POSITIVE_INFINITY)
        }
        for (const { rate, store } of BUCKETS) assert.isFalse(limiter.isHeldBack(store, rate, now))
        assert.strictEqual(limiter.size, 0)
      })
    )
  })

  it.each([
    ["resource", 1, 5],
    ["record", 1, 6],
    ["resource", LOWEST_RATE, 7],
    ["record", LOWEST_RATE, 7]
  ] as const)(
    "followed by none, the rate of a %s store rises from %d to the documented one within %i times ten seconds",
    (rate, named, periods) => {
      const simulation = new Simulation()
      simulation.limiter.limited("~store", rate, 0, 0, Option.some(named))
      // As many as there may be, so that at no time nobody waits.
      const loop = (): void => simulation.call(caller({ rate, start: simulation.now }), loop)
      for (let index = 0; index < 30; index += 1) loop()
      const recovered = periods * QUIET_MILLIS + gapMillis(named)
      simulation.run(recovered)
      const before = simulation.sends.length
      simulation.run(recovered + 10_000)
      assert.isAtLeast(simulation.sends.length - before, Math.floor(10_000 / gapMillis(DOCUMENTED_RATE[rate])))
    }
  )

  it("followed by none, callers that send one after the other are no longer held back once the rate has recovered", () => {
    const limiter = new RateLimiter()
    limiter.limited("~store", "resource", 0, 0, Option.some(1))
    let now = 0
    // A few milliseconds for each: more than the documented rate, so the bucket is never idle.
    while (limiter.isHeldBack("~store", "resource", now)) {
      const permit = limiter.reserve("~store", "resource", now)
      now = Math.max(now, permit.at)
      assert.isTrue(permit.take(now))
      now += 3
      assert.isAtMost(now, 5 * QUIET_MILLIS + gapMillis(1))
    }
    assert.isAtLeast(now, 2 * QUIET_MILLIS)
  })

  it("a store where nobody has to wait is forgotten after ten seconds, and not before", () => {
    const limiter = new RateLimiter()
    limiter.limited("~store", "resource", 0, 0, Option.some(1))
    assert.isTrue(limiter.isHeldBack("~store", "resource", QUIET_MILLIS - 1))
    assert.isFalse(limiter.isHeldBack("~store", "record", QUIET_MILLIS - 1))
    assert.isFalse(limiter.isHeldBack("~store", "resource", QUIET_MILLIS))
    assert.strictEqual(limiter.size, 0)
  })

  it("and ten seconds without anyone who waits, all is as before, however many other stores there are", () => {
    const limiter = new RateLimiter()
    for (const store of Array(10).keys()) limiter.limited(`~other-${store}`, "resource", 5000, 5000, Option.none())
    limiter.limited("~store", "resource", 0, 0, Option.some(1))
    assert.isTrue(limiter.take("~store", "resource", QUIET_MILLIS))
    const next = limiter.reserve("~store", "resource", QUIET_MILLIS)
    assert.strictEqual(next.at, QUIET_MILLIS + gapMillis(DOCUMENTED_RATE.resource))
  })

  it("and 429 for ever, requests get rarer down to one in about ten seconds", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 3000 }), (named, latency) => {
        const limiter = new RateLimiter()
        limiter.limited("~store", "resource", 0, 0, Option.some(named))
        let [now, rate] = [0, named]
        for (let times = 0; times < 30; times += 1) {
          const permit = limiter.reserve("~store", "resource", now)
          const next = limiter.reserve("~store", "resource", now)
          assert.strictEqual(permit.at, times === 0 ? WINDOW_MILLIS : Math.max(now, permit.at))
          const sentAt = Math.max(now, permit.at)
          assert.isTrue(permit.take(sentAt))
          // A slot may begin within the millisecond before.
          assert.closeTo(next.at, Math.ceil(sentAt + gapMillis(rate)), 1)
          next.release()
          now = sentAt + latency
          limiter.limited("~store", "resource", sentAt, now, Option.none())
          rate = Math.max(LOWEST_RATE, rate * BACKOFF)
          // At low rates the gap before it is longer than what brings the rate up again.
          if (gapMillis(rate) > QUIET_MILLIS / 2) return
        }
      })
    )
    const limiter = new RateLimiter()
    for (let now = 0; now < 100 * WINDOW_MILLIS; now += WINDOW_MILLIS) {
      limiter.limited("~store", "resource", now, now, Option.none())
    }
    const permit = limiter.reserve("~store", "resource", 100 * WINDOW_MILLIS)
    assert.isTrue(permit.take(100 * WINDOW_MILLIS))
    const next = limiter.reserve("~store", "resource", 100 * WINDOW_MILLIS)
    assert.strictEqual(next.at, 100 * WINDOW_MILLIS + LONGEST_GAP_MILLIS)
  })

  it("those that are late, for requests sent before, change nothing", () => {
    const late = fc.array(fc.tuple(fc.integer({ min: 0, max: QUIET_MILLIS - 1 }), fc.nat(), anyNamed), { minLength: 1 })
    fc.assert(
      fc.property(anyCallers({}, 100), anyNamed, late, (callers, named, late) => {
        const first: Limited = { store: "~one", rate: "resource", at: 500, lag: 100, named }
        const others = late.map(([after, sentAt, named]): Limited => {
          const at = first.at + after
          return { ...first, at, lag: at - (sentAt % Math.min(at + 1, first.at + WINDOW_MILLIS)), named }
        })
        const { sends } = simulate(callers, 60_000, [first])
        assert.deepStrictEqual(simulate(callers, 60_000, [first, ...others]).sends, sends)
      })
    )
  })
})

describe("the limiter", () => {
  it("knows no more than twice the stores that were used within a gap, and two", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.constantFrom(...RATE_CLASSES), (eachMilli, rate) => {
        const limiter = new RateLimiter()
        let most = 0
        for (let now = 0; now < 300; now += 1) {
          for (let index = 0; index < eachMilli; index += 1) {
            limiter.take(`~store-${now}-${index}`, rate, now)
            most = Math.max(most, limiter.size)
          }
        }
        assert.isAtMost(most, 2 * eachMilli * (gapMillis(DOCUMENTED_RATE[rate]) + 1) + 2)
      }),
      { numRuns: 20 }
    )
  })

  it("does as little for a 429 or any other operation, however many stores it knows", () => {
    const operations: ReadonlyArray<(limiter: RateLimiter, now: number) => unknown> = [
      (limiter, now) => limiter.limited("~store", "resource", now, now, Option.some(1)),
      (limiter, now) => limiter.take("~store", "resource", now),
      (limiter, now) => limiter.reserve("~store", "resource", now).release(),
      (limiter, now) => limiter.isHeldBack("~store", "resource", now)
    ]
    for (const operation of operations) {
      const limiter = new RateLimiter()
      for (let index = 0; index < 40_000; index += 1)
        limiter.limited(`~store-${index}`, "resource", 0, 0, Option.none())
      assert.strictEqual(limiter.size, 40_000)
      // All that it looks at are idle now, and are forgotten as it does.
      operation(limiter, QUIET_MILLIS)
      assert.isAtLeast(limiter.size, 40_000 - 2)
      for (let index = 0; index < 20_000; index += 1) limiter.isHeldBack("~store", "resource", QUIET_MILLIS)
      assert.isAtMost(limiter.size, 1)
    }
  })

  it("keeps the queue whole, whichever permits are released in which order", () => {
    const steps = fc.array(
      fc.oneof(
        fc.constant({ _tag: "Reserve" as const }),
        fc.record({ _tag: fc.constant("Release" as const), index: fc.nat() }),
        fc.record({ _tag: fc.constant("Take" as const), index: fc.nat(), millis: fc.integer({ min: 0, max: 60 }) })
      ),
      { maxLength: 200, size: "max" }
    )
    fc.assert(
      fc.property(steps, (steps) => {
        const limiter = new RateLimiter()
        let queue: ReadonlyArray<Permit> = []
        const all: Array<Permit> = []
        const reservedAt = new Map<Permit, number>()
        const becameFirst: Array<Permit> = []
        const notified: Array<Permit> = []
        let [now, free] = [0, 0]
        const remove = (permit: Permit): void => {
          const [before] = queue
          queue = queue.filter((other) => other !== permit)
          const [after] = queue
          if (after !== undefined && after !== before) becameFirst.push(after)
        }
        for (const step of steps) {
          const permit = step._tag === "Reserve" ? undefined : all[step.index % Math.max(1, all.length)]
          if (step._tag === "Reserve") {
            const reserved = limiter.reserve("~store", "resource", now)
            assert.strictEqual(reserved.at, Math.max(now, free) + 17 * queue.length)
            reserved.onNext = () => notified.push(reserved)
            all.push(reserved)
            reservedAt.set(reserved, now)
            queue = [...queue, reserved]
          } else if (permit !== undefined && step._tag === "Release") {
            permit.release()
            remove(permit)
          } else if (permit !== undefined && step._tag === "Take") {
            now += step.millis
            const isTaken = permit.take(now)
            assert.strictEqual(isTaken, queue[0] === permit && now >= free)
            if (isTaken) {
              free = Math.max(free, now - LATENESS_MILLIS, Number(reservedAt.get(permit))) + 17
              remove(permit)
            }
          }
          assert.isTrue(all.every((permit) => permit.isNext === (queue[0] === permit)))
          assert.isTrue(notified.length === becameFirst.length && notified.at(-1) === becameFirst.at(-1))
        }
      })
    )
  })
})

/** Does something before a fiber's operation of that number. */
class ActingAt implements Scheduler.Scheduler {
  private operations = 0

  constructor(
    private readonly point: number,
    private readonly act: (fiber: Fiber.RuntimeFiber<unknown, unknown>) => void
  ) {}

  shouldYield(fiber: Fiber.RuntimeFiber<unknown, unknown>): false {
    this.operations += 1
    if (this.operations === this.point) this.act(fiber)
    return false
  }

  scheduleTask: Scheduler.Scheduler["scheduleTask"] = (task, priority, fiber) =>
    Scheduler.defaultScheduler.scheduleTask(task, priority, fiber)
}

/** Waits as a call does: whichever way it ends, it leaves the queue. */
const wait = (limiter: RateLimiter, deadline = Number.POSITIVE_INFINITY): Effect.Effect<boolean> =>
  Effect.clockWith((clock) => {
    let leave = (): void => {}
    const permitted = Effect.async<boolean>((resume) => {
      const now = Number(clock.unsafeCurrentTimeNanos() / 1_000_000n)
      if (now < deadline && limiter.take("~store", "resource", now)) return resume(Effect.succeed(true))
      leave = awaitPermit(limiter, "~store", "resource", clock, deadline, resume)
    })
    return Effect.onExit(permitted, () => Effect.sync(() => leave()))
  })

describe("awaitPermit", () => {
  it.effect("gives permits in order of arrival, and those of interrupted callers to the next", () =>
    Effect.gen(function* () {
      const sends: Array<readonly [number, number]> = []
      const { timersLeft, value } = yield* inSimulatedTime(
        Effect.gen(function* () {
          const limiter = new RateLimiter()
          const fibers = yield* Effect.forEach(Array.from({ length: 90 }).keys(), (index) =>
            Effect.fork(
              Effect.tap(wait(limiter), () =>
                Effect.map(Clock.currentTimeMillis, (now) => sends.push([index, now] as const))
              )
            )
          )
          yield* Effect.sleep(100)
          yield* Effect.forEach(fibers, (fiber, index) => (index % 3 === 0 ? Effect.void : Fiber.interrupt(fiber)))
          yield* Effect.forEach(fibers, Fiber.await)
          yield* Effect.sleep(100)
          return limiter.isHeldBack("~store", "resource", 10_000) ? -1 : limiter.size
        })
      )
      const stayed = Array.from({ length: 90 }).flatMap((_, index) => (index < 6 || index % 3 === 0 ? [index] : []))
      assert.deepStrictEqual(
        sends,
        stayed.map((index, place) => [index, place * 17] as const)
      )
      assert.strictEqual(timersLeft, 0)
      assert.strictEqual(value, 0)
    })
  )

  it.effect("is false at once where the deadline is too near, and then leaves the queue", () =>
    Effect.gen(function* () {
      const limiter = new RateLimiter()
      assert.isFalse(yield* wait(limiter, 0))
      limiter.limited("~store", "resource", 0, 0, Option.some(1))
      for (let call = 0; call < 100; call += 1) assert.isFalse(yield* wait(limiter, WINDOW_MILLIS))
      const first = yield* Effect.fork(wait(limiter, WINDOW_MILLIS + 1))
      yield* TestClock.adjust(WINDOW_MILLIS)
      assert.isTrue(yield* Fiber.join(first))
    })
  )

  it.effect("is false by the deadline if a 429 arrives in between", () =>
    Effect.gen(function* () {
      const limiter = new RateLimiter()
      assert.isTrue(yield* wait(limiter))
      const first = yield* Effect.fork(wait(limiter, 500))
      const second = yield* Effect.fork(wait(limiter, 500))
      const third = yield* Effect.fork(wait(limiter))
      const fourth = yield* Effect.fork(wait(limiter, 500))
      yield* TestClock.adjust(1)
      limiter.limited("~store", "resource", 0, 1, Option.none())
      yield* TestClock.adjust(499)
      const ended = yield* Effect.forEach([first, second, third, fourth], Fiber.poll)
      assert.deepStrictEqual(ended.map(Option.isSome), [true, true, false, true])
      for (const fiber of [first, second, fourth]) assert.isFalse(yield* Fiber.join(fiber))
      yield* TestClock.adjust(501)
      assert.isTrue(yield* Fiber.join(third))
    })
  )

  it.effect("gives the permit in time, before whichever of its operations the one ahead leaves", () =>
    Effect.forEach(
      Array.from({ length: 30 }, (_, index) => index + 1),
      (point) =>
        Effect.gen(function* () {
          const { timersLeft, value } = yield* inSimulatedTime(
            Effect.gen(function* () {
              const limiter = new RateLimiter()
              limiter.limited("~store", "resource", 0, 0, Option.none())
              const ahead = limiter.reserve("~store", "resource", 0)
              const leaving = new ActingAt(point, () => ahead.release())
              const fiber = yield* Effect.fork(Effect.withScheduler(wait(limiter, 3_600_000), leaving))
              yield* Effect.sleep(500)
              ahead.release()
              assert.isTrue(yield* Fiber.join(fiber))
              return yield* Clock.currentTimeMillis
            })
          )
          assert.strictEqual(timersLeft, 0)
          assert.strictEqual(value, WINDOW_MILLIS)
        }),
      { discard: true }
    )
  )

  it.effect.each([0, 1, 2])(
    "interrupted before any of its operations, with %i ahead, delays nobody behind it",
    (ahead) =>
      Effect.gen(function* () {
        let [point, hasSent] = [0, false]
        while (!hasSent) {
          point += 1
          const { timersLeft, value } = yield* inSimulatedTime(
            Effect.gen(function* () {
              const limiter = new RateLimiter()
              limiter.limited("~store", "resource", 0, 0, Option.some(1))
              const others = yield* Effect.replicateEffect(Effect.fork(wait(limiter)), ahead)
              const interrupting = new ActingAt(point, (fiber) => fiber.unsafeInterruptAsFork(FiberId.none))
              const leaving = yield* Effect.fork(Effect.withScheduler(wait(limiter, 3_600_000), interrupting))
              const behind = yield* Effect.fork(wait(limiter))
              assert.isTrue((yield* Effect.forEach(others, Fiber.join)).every((isFree) => isFree))
              const exit = yield* Fiber.await(leaving)
              assert.isTrue(yield* Fiber.join(behind))
              return { exit, now: yield* Clock.currentTimeMillis }
            })
          )
          hasSent = Exit.isSuccess(value.exit)
          assert.strictEqual(timersLeft, 0)
          assert.isBelow(point, 200)
          // Once it has the permit, that is used.
          const isUsed = value.now === WINDOW_MILLIS + (ahead + 1) * gapMillis(1)
          assert.isTrue(isUsed || (!hasSent && value.now === WINDOW_MILLIS + ahead * gapMillis(1)), `${point}`)
        }
        assert.isAbove(point, 10)
      })
  )
})

describe("the calls of a client", () => {
  /** How long the server takes to say that there is no such store. */
  const LATENCY = 100

  const LIMIT = 200

  const missing = Effect.delay(
    Effect.sync(() =>
      Response.json({ error: { type: "record-not-found", message: "Key-value Store was not found" } }, { status: 404 })
    ),
    LATENCY
  )

  it.effect.each<readonly [string, CallOptions]>([
    ["are interrupted", { callTimeout: "1 minute" }],
    ["have a deadline", { callTimeout: LIMIT }]
  ])("that %s soon leave most permits to calls with time for their responses", ([, options]) =>
    Effect.gen(function* () {
      const call = getStores(["~my-store"], options).pipe(Stream.runHead, Effect.timeoutOption(LIMIT + 1))
      const calls = Effect.forEach(
        Array.from({ length: 200 }, (_, index) => index),
        (index) => Effect.delay(call, 8 * index),
        { concurrency: "unbounded" }
      )
      const { value } = yield* inSimulatedTime(
        Effect.provide(
          calls,
          layerRespond(() => missing)
        )
      )
      const inTime = value
        .slice(100)
        .flatMap((outcome) => Option.toArray(Option.flatten(outcome)))
        .filter(({ result }) => Either.isLeft(result) && result.left._tag === "StoreNotFoundError")
      assert.isAbove(inTime.length, 15)
    })
  )

  it.effect("keep to the limit that a 429 names, whatever arrives late for requests sent before", () =>
    Effect.gen(function* () {
      const sentAt: Array<number> = []
      const layer = layerRespond(() =>
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          sentAt.push(now)
          if (now > 0) return yield* missing
          yield* Effect.sleep(sentAt.length === 1 ? 0 : 1200)
          return new Response("", { status: 429, headers: { "x-ratelimit-limit": "10" } })
        })
      )
      const calls = Effect.forEach(
        [0, 0, 1300, 1300, 1300],
        (start) => Effect.delay(Effect.flip(getStore("~my-store", { retry: RetryPolicy.none })), start),
        { concurrency: "unbounded" }
      )
      yield* inSimulatedTime(Effect.provide(calls, layer))
      const gap = gapMillis(10)
      assert.deepStrictEqual(sentAt, [0, 0, 1300, 1300 + gap, 1300 + 2 * gap])
    })
  )

  it.effect("know a store by its name in any case", () =>
    Effect.gen(function* () {
      yield* Effect.flip(getStore("JaneDoe~My-Store"))
      yield* Effect.flip(getStore("janedoe~my-store", { callTimeout: 500 }))
      assert.lengthOf(yield* (yield* RecordedRequests).all, 1)
    }).pipe(
      Effect.provide(
        layerRespond(() => Effect.sync(() => new Response("", { status: 429 })), { retry: RetryPolicy.none })
      )
    )
  )
})
