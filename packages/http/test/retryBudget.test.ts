/**
 * The retry budget against a model of it, and in simulated outages.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import {
  CAPACITY,
  FAILURES_UNTIL_PROBES,
  FAILURES_UNTIL_RESERVE,
  MAX_STORES,
  MEMORY_MILLIS,
  RECOVERY_MILLIS,
  RESERVE,
  RetryBudget
} from "../src/internal/retryBudget.js"
import { calls, type Simulated, type Simulation, simulate } from "./simulatedCalls.js"

interface Take {
  readonly _tag: "Take"
  readonly store: string
  readonly at: number
  readonly granted: boolean
}

interface Success {
  readonly _tag: "Success"
  readonly store: string
  readonly at: number
  readonly charged: number
}

/** All that has happened: what is granted follows from nothing else. */
interface Model {
  now: number
  readonly events: Array<Take | Success>
}

type Command = fc.Command<Model, RetryBudget>

/** In milliseconds of recovery. */
const balanceOf = ({ events, now }: Model): number => {
  const full = CAPACITY * RECOVERY_MILLIS
  let balance = full
  let last = 0
  for (const event of events) {
    balance = Math.min(full, balance + event.at - last)
    last = event.at
    if (event._tag === "Success") balance = Math.min(full, balance + (event.charged + 1) * RECOVERY_MILLIS)
    else if (event.granted) balance -= RECOVERY_MILLIS
  }
  return Math.min(full, balance + now - last)
}

/** The store's failures since its last success, as far as they are remembered. */
const failuresOf = ({ events, now }: Model, store: string): ReadonlyArray<Take> => {
  let failures: ReadonlyArray<Take> = []
  const isRemembered = (now: number): boolean =>
    failures.every(({ at }, index) => at + MEMORY_MILLIS >= (failures[index + 1]?.at ?? now))
  for (const event of events) {
    if (event.store !== store) continue
    if (event._tag === "Success" || !isRemembered(event.at)) failures = []
    if (event._tag === "Take") failures = [...failures, event]
  }
  return isRemembered(now) ? failures : []
}

const isGranted = (model: Model, store: string): boolean => {
  const failures = failuresOf(model, store)
  const needed = failures.length < FAILURES_UNTIL_RESERVE ? 1 : 1 + RESERVE
  if (balanceOf(model) < needed * RECOVERY_MILLIS) return false
  if (failures.length < FAILURES_UNTIL_PROBES) return true
  // Where none was granted, the first failure counts.
  const lastRetry = failures.filter(({ granted }) => granted).at(-1) ?? failures[0]
  return lastRetry === undefined || model.now - lastRetry.at >= RECOVERY_MILLIS
}

const take = (store: string): Command => ({
  check: () => true,
  run: (model, budget) => {
    const granted = isGranted(model, store)
    assert.strictEqual(budget.take(store, model.now), granted)
    model.events.push({ _tag: "Take", store, at: model.now, granted })
  },
  toString: () => `a retry for ${store}`
})

const succeed = (store: string, charged: number): Command => ({
  check: () => true,
  run: (model, budget) => {
    budget.succeeded(store, charged)
    model.events.push({ _tag: "Success", store, at: model.now, charged })
  },
  toString: () => `a success for ${store} after ${charged} charged retries`
})

const pass = (millis: number): Command => ({
  check: () => true,
  run: (model) => {
    model.now += millis
  },
  toString: () => `${millis} ms pass`
})

const store = fc.constantFrom("a", "b", "c")

const moment = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 2 * RECOVERY_MILLIS }) },
  { weight: 1, arbitrary: fc.constantFrom(RECOVERY_MILLIS - 1, RECOVERY_MILLIS, MEMORY_MILLIS, MEMORY_MILLIS + 1) }
)

const commands = fc.commands(
  [
    store.map(take),
    fc.constant(take("a")),
    fc.constant(take("a")),
    store.map(take),
    fc.tuple(store, fc.nat(8)).map(([store, charged]) => succeed(store, charged)),
    moment.map(pass)
  ],
  { maxCommands: 120, size: "max" }
)

/** Failures of any stores at any times, in order. */
const failures = fc
  .array(fc.record({ store: fc.nat(20).map(String), wait: fc.oneof(fc.constant(0), fc.nat(30_000)) }), {
    maxLength: 300,
    size: "max"
  })
  .map((steps) => {
    let at = 0
    return steps.map(({ store, wait }) => {
      at += wait
      return { store, at }
    })
  })

/** How many of so many retries are granted. */
const granted = (budget: RetryBudget, now: number, count: number, storeOf: (index: number) => string): number =>
  Array.from({ length: count }, (_, index) => budget.take(storeOf(index), now)).filter(Boolean).length

const other = (index: number): string => `other ${index}`

describe("the retry budget", () => {
  it("grants what its model grants", () => {
    fc.assert(
      fc.property(commands, (commands) =>
        fc.modelRun(() => ({ model: { now: 0, events: [] }, real: new RetryBudget() }), commands)
      )
    )
  })

  it("without a success grants no more than its capacity, and one for each recovery", () => {
    fc.assert(
      fc.property(failures, (failures) => {
        const budget = new RetryBudget()
        const first = failures[0]?.at ?? 0
        let retries = 0
        for (const { at, store } of failures) {
          if (budget.take(store, at)) retries += 1
          assert.isAtMost(retries, CAPACITY + (at - first) / RECOVERY_MILLIS)
        }
      })
    )
  })

  it("owes nothing after refusals: the next success pays for a retry", () => {
    fc.assert(
      fc.property(failures, fc.nat(1000), (failures, more) => {
        const budget = new RetryBudget()
        const end = failures.at(-1)?.at ?? 0
        for (const { at, store } of failures) budget.take(store, at)
        granted(budget, end, more + CAPACITY, other)
        budget.succeeded("store", 0)
        assert.isTrue(budget.take("store", end))
      })
    )
  })

  it("holds no more than its capacity, whatever is paid back", () => {
    fc.assert(
      fc.property(failures, fc.array(fc.nat(8), { maxLength: 50 }), fc.nat(1e9), (failures, successes, pause) => {
        const budget = new RetryBudget()
        for (const { at, store } of failures) budget.take(store, at)
        const now = (failures.at(-1)?.at ?? 0) + pause
        for (const charged of successes) budget.succeeded("store", charged)
        assert.isAtMost(granted(budget, now, 100, other), CAPACITY)
      })
    )
  })

  it("gives back what the retries of a successful call took, and one more", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), (retries) => {
        const budget = new RetryBudget()
        granted(budget, 0, CAPACITY, other)
        budget.succeeded("store", retries)
        assert.strictEqual(granted(budget, 0, 100, other), retries + 1)
      })
    )
  })

  it("forgets the store that failed least recently, where there are too many", () => {
    const budget = new RetryBudget()
    const fail = (store: string): boolean => {
      budget.succeeded("healthy", CAPACITY)
      return budget.take(store, 0)
    }
    for (let failure = 0; failure < FAILURES_UNTIL_PROBES; failure += 1) assert.isTrue(fail("store"))
    for (let index = 1; index < MAX_STORES / 2; index += 1) fail(other(index))
    assert.isFalse(fail("store"), "it has failed too often")
    for (let index = 0; index < MAX_STORES - 1; index += 1) fail(`more ${index}`)
    assert.isFalse(fail("store"), "it was forgotten")
    for (let index = 0; index < MAX_STORES; index += 1) fail(other(index))
    assert.isTrue(fail("store"), "it is remembered for ever")
  })

  it("grants a lone call all of its default retries", () => {
    assert.strictEqual(
      granted(new RetryBudget(), 0, FAILURES_UNTIL_PROBES, () => "store"),
      FAILURES_UNTIL_PROBES
    )
  })

  it("lets a store that was granted none wait from its first failure on", () => {
    const budget = new RetryBudget()
    const now = 10 * RECOVERY_MILLIS
    granted(budget, now, CAPACITY, other)
    for (let failure = 0; failure < FAILURES_UNTIL_PROBES; failure += 1) assert.isFalse(budget.take("store", now))
    budget.succeeded("healthy", CAPACITY)
    assert.isFalse(budget.take("store", now + RECOVERY_MILLIS - 1))
    assert.isTrue(budget.take("store", now + RECOVERY_MILLIS))
  })

  it("takes nothing back where the clock of a call is behind that of another", () => {
    const budget = new RetryBudget()
    assert.isTrue(budget.take("store", 2 * CAPACITY * RECOVERY_MILLIS))
    assert.isTrue(budget.take("other", 0))
  })

  it("leaves the others their reserve, however long a store fails", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30_000), { minLength: 1, maxLength: 300, size: "max" }), (waits) => {
        const budget = new RetryBudget()
        let now = 0
        for (const wait of waits) {
          now += wait
          budget.take("broken", now)
        }
        assert.isAtLeast(granted(budget, now, 100, other), RESERVE)
      })
    )
  })

  it("gives a broken store one retry for each recovery, however well the others work", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5000), { maxLength: 300, size: "max" }), (waits) => {
        const budget = new RetryBudget()
        let now = 0
        let retries = 0
        for (const wait of waits) {
          now += wait
          budget.succeeded("sound", 0)
          if (budget.take("broken", now)) retries += 1
          assert.isAtMost(retries, FAILURES_UNTIL_PROBES + now / RECOVERY_MILLIS)
        }
      })
    )
  })

  it("recovers with time: a store new to it first, then any store, then in full", () => {
    fc.assert(
      fc.property(failures, fc.nat(20).map(String), (failures, store) => {
        const end = failures.at(-1)?.at ?? 0
        const spent = (): RetryBudget => {
          const budget = new RetryBudget()
          for (const { at, store } of failures) budget.take(store, at)
          granted(budget, end, 100, other)
          return budget
        }
        assert.isTrue(spent().take("new", end + RECOVERY_MILLIS))
        assert.isTrue(spent().take(store, end + (1 + RESERVE) * RECOVERY_MILLIS))
        assert.strictEqual(
          granted(spent(), end + CAPACITY * RECOVERY_MILLIS, 100, (index) => `new ${index}`),
          CAPACITY
        )
      })
    )
  })

  it("remembers a bounded number of stores, and only for a while", () => {
    const budget = new RetryBudget()
    for (let index = 0; index < 100_000; index += 1) budget.take(other(index), index)
    assert.strictEqual(budget.failingStores, MAX_STORES)
    budget.take("store", 100_000 + MEMORY_MILLIS)
    assert.strictEqual(budget.failingStores, 1)
    budget.succeeded("store", 0)
    assert.strictEqual(budget.failingStores, 0)
  })
})

const share = (simulated: ReadonlyArray<Simulated>, end: Simulated["end"]): number =>
  simulated.filter((call) => call.end === end).length / simulated.length

const requestsPerCall = (simulated: ReadonlyArray<Simulated>): number =>
  simulated.reduce((sum, { requests }) => sum + requests.length, 0) / simulated.length

const SECOND = 1000

describe.each([{ charged: "before the wait" }, { charged: "after the wait" }] satisfies ReadonlyArray<
  Pick<Simulation, "charged">
>)("calls whose retries are charged $charged", ({ charged }) => {
  /** Figures of simulations: their seeds are fixed, as one in so many others may be off. */
  const forSeeds = (numRuns: number, check: (seed: number) => void): void =>
    fc.assert(fc.property(fc.nat(), check), { seed: 14, numRuns })

  it.each([
    { broken: 0.05, refused: 0, requests: 1.1 },
    { broken: 0.2, refused: 0.01, requests: 1.3 },
    { broken: 0.5, refused: 0.03, requests: 2.05 },
    { broken: 0.7, refused: 0.5, requests: 2.5 },
    { broken: 0.9, refused: 1, requests: 1.2 }
  ])("at 50 a second and $broken broken, at most $refused are refused, with $requests requests a call", (expected) => {
    forSeeds(4, (seed) => {
      const simulated = simulate({
        seed,
        budget: new RetryBudget(),
        charged,
        calls: calls(seed, { perSecond: 50, until: 60 * SECOND }),
        succeeds: ({ chance }) => chance >= expected.broken
      })
      assert.isAtMost(share(simulated, "refused by the budget"), expected.refused)
      assert.isAtMost(requestsPerCall(simulated), expected.requests)
    })
  })

  it.each([{ stores: 1 }, { stores: 1000 }])(
    "at once, 1,000 to $stores broken stores retry at most 10 times",
    ({ stores }) => {
      forSeeds(3, (seed) => {
        const simulated = simulate({
          seed,
          budget: new RetryBudget(),
          charged,
          calls: Array.from({ length: 1000 }, (_, index) => ({ at: 0, store: `${index % stores}` })),
          succeeds: () => false
        })
        assert.isAtMost(requestsPerCall(simulated), 1.01)
      })
    }
  )

  it.each([
    { perSecond: 20, seconds: 120 },
    { perSecond: 50, seconds: 30 },
    { perSecond: 50, seconds: 300 },
    { perSecond: 500, seconds: 10 }
  ])(
    "in an outage of $seconds s after health, $perSecond a second make at most 1.01 requests a call",
    ({ perSecond, seconds }) => {
      const from = 20 * SECOND
      const until = from + seconds * SECOND
      forSeeds(2, (seed) => {
        const simulated = simulate({
          seed,
          budget: new RetryBudget(),
          charged,
          calls: calls(seed, { perSecond, until }, (chance) => `${Math.floor(chance * 1000)}`),
          succeeds: ({ at, chance }) => at < from && chance >= 0.01
        })
        const within = (times: ReadonlyArray<number>): number => times.filter((at) => at >= from && at < until).length
        const requests = simulated.reduce((sum, call) => sum + within(call.requests), 0)
        assert.isAtMost(requests / within(simulated.map(({ at }) => at)), 1.01)
      })
    }
  )

  it("after an outage, no more calls that need one retry are lost than it takes a retry to recover", () => {
    const end = 60 * SECOND
    forSeeds(5, (seed) => {
      const outage = calls(seed, { perSecond: 50, until: end })
      const later = Array.from({ length: 30 }, (_, index) => ({ at: end + (index + 1) * SECOND, store: "store" }))
      const simulated = simulate({
        seed,
        budget: new RetryBudget(),
        charged,
        calls: [...outage, ...later],
        succeeds: ({ at, attempt }) => at > end + SECOND && attempt > 1
      })
      const lost = simulated.filter(({ at, end: how }) => at > end && how !== "success").length
      assert.isAtMost(lost, 1 + RECOVERY_MILLIS / SECOND)
    })
  })

  it.each([{ broken: 1 }, { broken: 10 }, { broken: 100 }])(
    "beside $broken broken stores, a sound one that is rarely used keeps its retries",
    ({ broken }) => {
      forSeeds(2, (seed) => {
        const until = 200 * SECOND
        const loud = calls(seed, { perSecond: 50, until }, (chance) => `broken ${Math.floor(chance * broken)}`)
        const rare = calls(seed + 1, { perSecond: 1, from: 60 * SECOND, until }, () => "sound")
        const simulated = simulate({
          seed,
          budget: new RetryBudget(),
          charged,
          calls: [...loud, ...rare].sort((one, other) => one.at - other.at),
          succeeds: ({ chance, store }) => store === "sound" && chance >= 0.2
        })
        const sound = simulated.filter(({ store }) => store === "sound")
        assert.isAtMost(share(sound, "refused by the budget"), 0.05)
      })
    }
  )
})
