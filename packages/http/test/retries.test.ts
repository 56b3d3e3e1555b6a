/**
 * Whether, when and how often a call tries again, and that it ends in time: properties of calls to servers that go
 * wrong in any order.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import {
  type ApifyClient,
  type CallError,
  type CallOptions,
  type GetStoreError,
  getStore,
  RetryPolicy,
  TransportError,
  type TransportReason
} from "../src/index.js"
import { mayBeCarriedOut } from "../src/internal/retry.js"
import { layerRespond, RecordedRequests, type Respond } from "../src/testing.js"
import { permanentStatus, transientStatus } from "./arbitraries.js"
import {
  callOf,
  closedWhileIdle,
  fail,
  neverResponds,
  type Outcome,
  type Plan,
  perform,
  responding,
  type Step,
  theStore
} from "./plannedServer.js"
import { inSimulatedTime } from "./simulatedTime.js"

const anyStep = fc.oneof(
  fc.record({
    _tag: fc.constant("Respond" as const),
    status: fc.oneof(transientStatus, fc.constant(429), permanentStatus, fc.constant(200)),
    headers: fc.oneof(
      fc.constant({}),
      fc.nat(90).map((seconds) => ({ "retry-after": String(seconds) })),
      fc.nat(120).map((limit) => ({ "x-ratelimit-limit": String(limit) }))
    ),
    body: fc.constantFrom("", "{", '{"data":{}}', "<html>"),
    after: fc.constantFrom(0, 0, 1, 700, 4999, 5000, 5001, 70_000)
  }),
  fc
    .constantFrom("ECONNREFUSED", "ECONNRESET", "EAI_AGAIN", "ENOTFOUND", "EPROTO", "HPE_INVALID_METHOD")
    .map((code) => fail(code)),
  fc.constantFrom<Step[]>(neverResponds, { _tag: "StallBody" }, { _tag: "DripBody" })
)

const planOf = (step: fc.Arbitrary<Step>): fc.Arbitrary<Plan> =>
  fc.tuple(step, fc.array(step, { maxLength: 5 })).map(([first, more]) => [first, ...more])

const anyPlan = planOf(anyStep)
const seed = fc.integer()
const retries = fc.nat(8)

const failureOf = ({ result }: Outcome): GetStoreError =>
  Either.match(result, { onLeft: (error) => error, onRight: (store) => assert.fail(`${store}`) })

const failureTag = (outcome: Outcome) => failureOf(outcome)._tag

const LONG = { callTimeout: "1 hour" } satisfies ApifyClient.Options

describe("any call to any server", () => {
  it.effect.prop("sends no more requests than 1 + retries", [anyPlan, retries, seed], ([plan, retries, seed]) =>
    Effect.gen(function* () {
      const { sentAt } = yield* callOf(plan, { retry: { retries } }, { seed })
      assert.isAtMost(sentAt.length, 1 + retries)
    })
  )

  it.effect.prop(
    "ends by its deadline, and leaves no timer",
    [anyPlan, fc.integer({ min: 1, max: 70_000 }), seed],
    ([plan, callTimeout, seed]) =>
      Effect.gen(function* () {
        const { endedAt, sentAt, timersLeft } = yield* callOf(plan, { callTimeout }, { seed })
        assert.isAtMost(endedAt, callTimeout)
        assert.isBelow(Math.max(...sentAt), callTimeout)
        assert.strictEqual(timersLeft, 0)
      })
  )

  it.effect.prop(
    "gives no attempt more than its time",
    [anyPlan, fc.integer({ min: 1, max: 10_000 }), seed],
    ([plan, attemptTimeout, seed]) =>
      Effect.gen(function* () {
        const { endedAt, sentAt } = yield* callOf(plan, { attemptTimeout, retry: RetryPolicy.none }, { seed })
        assert.deepStrictEqual(sentAt, [0])
        assert.isAtMost(endedAt, attemptTimeout)
      })
  )

  it.effect.prop("says how many requests it sent and how long it took", [anyPlan, seed], ([plan, seed]) =>
    Effect.gen(function* () {
      const { endedAt, result, sentAt } = yield* callOf(plan, {}, { seed })
      if (Either.isRight(result) || result.left._tag === "InvalidStoreRefError") return
      assert.strictEqual(result.left.attempts, sentAt.length)
      assert.strictEqual(Duration.toMillis(result.left.elapsed), endedAt)
    })
  )
})

describe("an error that may pass", () => {
  const passing = fc.oneof(
    fc
      .tuple(transientStatus, fc.constantFrom("", "busy", '{"error":{"type":"x","message":"y"}}'))
      .map(([status, body]) => responding(status, {}, body)),
    fc
      .constantFrom("ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EAI_AGAIN", "EPIPE", "E_UNHEARD_OF")
      .map((code) => fail(code)),
    fc.constant(responding(429)),
    fc.constant(neverResponds)
  )

  it.effect.prop("is retried until there is a store", [fc.array(passing, { maxLength: 8 }), seed], ([failures, seed]) =>
    Effect.gen(function* () {
      const [first = theStore, ...rest] = failures
      const { result, sentAt } = yield* callOf([first, ...rest, theStore], LONG, { seed })
      assert.isTrue(Either.isRight(result))
      assert.lengthOf(sentAt, failures.length + 1)
    })
  )

  it.effect.prop(
    "is tried again as often as the policy allows",
    [planOf(passing), retries, seed],
    ([plan, retries, seed]) =>
      Effect.gen(function* () {
        const outcome = yield* callOf(plan, { ...LONG, retry: { retries } }, { seed })
        assert.lengthOf(outcome.sentAt, 1 + retries)
        assert.notStrictEqual(failureOf(outcome).retryable, "Never")
      })
  )

  /** The waits of the defaults, from Apify's advice: [D, 2D] from D = 500 ms on, doubled each time, at most 20 s. */
  const windows = [
    [500, 1000],
    [1000, 2000],
    [2000, 4000],
    [4000, 8000],
    [8000, 16_000],
    [16_000, 20_000],
    [20_000, 20_000],
    [20_000, 20_000]
  ] as const

  it.effect.prop("is tried again after a wait within [D, 2D]", [seed], ([seed]) =>
    Effect.gen(function* () {
      const { gaps } = yield* callOf([responding(503)], LONG, { seed })
      assert.lengthOf(gaps, windows.length)
      windows.forEach(([shortest, longest], index) => {
        assert.isAtLeast(gaps[index] ?? 0, shortest)
        assert.isAtMost(gaps[index] ?? 0, longest)
      })
    })
  )

  it.effect("is tried again after waits that differ from call to call, over the whole window", () =>
    Effect.gen(function* () {
      const outcomes = yield* Effect.forEach(
        Array.from({ length: 200 }, (_, seed) => seed),
        (seed) => callOf([responding(503), theStore], {}, { seed })
      )
      const waits = outcomes.map(({ gaps: [wait = 0] }) => wait)
      assert.isBelow(Math.min(...waits), 550)
      assert.isAbove(Math.max(...waits), 950)
      assert.isAbove(new Set(waits).size, 50)
    })
  )

  it.effect.prop(
    "is tried again no sooner than its Retry-After",
    [
      fc.constantFrom(429, 500, 502, 503, 504),
      fc.array(fc.nat(100), { minLength: 1, maxLength: 5 }),
      fc.constantFrom((seconds: number) => String(seconds), untilSeconds),
      seed
    ],
    ([status, waits, written, seed]) =>
      Effect.gen(function* () {
        const start = Date.UTC(2026, 8, 30, 12)
        const [first = theStore, ...rest] = waits.map((seconds) =>
          responding(status, { "retry-after": written(seconds, start) })
        )
        const { gaps, sentAt } = yield* callOf([first, ...rest, theStore], LONG, { seed, start })
        assert.lengthOf(gaps, waits.length)
        waits.forEach((seconds, index) => {
          const named = written === untilSeconds ? seconds * 1000 - (sentAt[index] ?? 0) : seconds * 1000
          assert.isAtLeast(gaps[index] ?? 0, named)
        })
      })
  )

  it.effect.each(["-1", "1e9", "0x10", "2.5", "", "2, 3"])(
    "is tried again after the usual wait where Retry-After is %j",
    (value) =>
      Effect.gen(function* () {
        const { gaps } = yield* callOf([responding(503, { "retry-after": value }), theStore])
        assert.lengthOf(gaps, 1)
        assert.isAtMost(gaps[0] ?? 0, 1000)
      })
  )
})

/** An HTTP date so many seconds after the start. */
function untilSeconds(seconds: number, start = 0): string {
  return new Date(start + seconds * 1000).toUTCString()
}

describe("an error that another attempt cannot help", () => {
  const forGood: fc.Arbitrary<Step> = fc.oneof(
    fc
      .tuple(permanentStatus, fc.constantFrom({}, { "retry-after": "1" }))
      .map(([status, headers]) => responding(status, headers)),
    fc
      .constantFrom("EPROTO", "CERT_HAS_EXPIRED", "DEPTH_ZERO_SELF_SIGNED_CERT", "HPE_INVALID_CONSTANT")
      .map((code) => fail(code)),
    fc.constantFrom('{"data":{"id":42}}', "{}", "null").map((body) => responding(200, {}, body)),
    fc.constant(responding(200, { "content-type": "text/html" }, "<html>"))
  )

  it.effect.prop("is tried once, and ends the call at once", [forGood, seed], ([step, seed]) =>
    Effect.gen(function* () {
      const outcome = yield* callOf([step, theStore], {}, { seed })
      assert.deepStrictEqual(outcome.sentAt, [0])
      assert.strictEqual(outcome.endedAt, 0)
      assert.strictEqual(failureOf(outcome).retryable, "Never")
    })
  )
})

describe("the history of a call", () => {
  it.effect("remembers bad luck over other errors", () =>
    Effect.gen(function* () {
      const outcome = yield* callOf(
        [responding(200, {}, "{"), responding(503), responding(200, {}, "{"), theStore],
        LONG
      )
      assert.strictEqual(failureTag(outcome), "MalformedResponseError")
      assert.lengthOf(outcome.sentAt, 3)
    })
  )
})

describe("a connection that the server closed while it was idle", () => {
  it.effect("is replaced at once, and only once in a call", () =>
    Effect.gen(function* () {
      const { gaps } = yield* callOf([closedWhileIdle], { retry: { retries: 3, baseDelay: "1 second" } })
      assert.lengthOf(gaps, 3)
      assert.strictEqual(gaps[0], 0)
      for (const gap of gaps.slice(1)) assert.isAtLeast(gap, 1000)
    })
  )
})

describe("an error that may have been bad luck", () => {
  const badLuck = fc.oneof(
    fc.constantFrom("", "{", '{"data":{"id":"Wkz', "<html>").map((body) => responding(200, {}, body)),
    fc.constant(fail("ENOTFOUND"))
  )

  it.effect.prop("is tried once more", [planOf(badLuck), seed], ([plan, seed]) =>
    Effect.gen(function* () {
      const outcome = yield* callOf(plan, {}, { seed })
      assert.lengthOf(outcome.sentAt, 2)
      assert.strictEqual(failureOf(outcome).retryable, "Once")
    })
  )

  it.effect.prop("succeeds if the second response is a store", [badLuck, seed], ([step, seed]) =>
    Effect.gen(function* () {
      const { result, sentAt } = yield* callOf([step, theStore], {}, { seed })
      assert.isTrue(Either.isRight(result))
      assert.lengthOf(sentAt, 2)
    })
  )
})

describe("a request that failed", () => {
  const error = (reason: TransportReason): CallError =>
    new TransportError({
      operation: "put",
      method: "PUT",
      url: "https://api.apify.com/v2",
      store: Option.none(),
      attempts: 1,
      elapsed: Duration.zero,
      reason
    })

  it.each<[TransportReason, boolean]>([
    ["dns", false],
    ["connect", false],
    ["tls", false],
    ["proxy", false],
    ["request", false],
    ["file", false],
    ["reset", true],
    ["protocol", true],
    ["closed", true],
    ["unknown", true]
  ])("by %s may have been carried out: %s", (reason, expected) => {
    assert.strictEqual(mayBeCarriedOut(error(reason)), expected)
  })
})

describe("a wait past the deadline", () => {
  it.effect.prop(
    "that the server requires ends the call at once, with that error and the wait in it",
    [fc.constantFrom(429, 503), fc.integer({ min: 60, max: 999_999 }), seed],
    ([status, seconds, seed]) =>
      Effect.gen(function* () {
        const outcome = yield* callOf([responding(status, { "retry-after": String(seconds) }), theStore], {}, { seed })
        const error = failureOf(outcome)
        if (error._tag !== "RateLimitedError" && error._tag !== "ServerError") return assert.fail(`${error}`)
        assert.strictEqual(error._tag, status === 429 ? "RateLimitedError" : "ServerError")
        assert.strictEqual(Duration.toSeconds(Option.getOrThrow(error.retryAfter)), seconds)
        assert.deepStrictEqual(outcome.sentAt, [0])
        assert.strictEqual(outcome.endedAt, 0)
      })
  )

  it.effect.prop(
    "of our own ends the call at once with the error that would have been retried, which says so",
    [fc.integer({ min: 1, max: 500 }), seed],
    ([callTimeout, seed]) =>
      Effect.gen(function* () {
        const outcome = yield* callOf([responding(503), theStore], { callTimeout }, { seed })
        const error = failureOf(outcome)
        if (error._tag !== "ServerError") return assert.fail(`${error}`)
        assert.strictEqual(Option.getOrNull(error.gaveUp), "deadline")
        assert.include(error.message, "no time for another before the deadline")
        assert.deepStrictEqual(outcome.sentAt, [0])
        assert.strictEqual(outcome.endedAt, 0)
      })
  )

  it.effect("for a permit after a 429 ends the call with that error, and sends nothing more", () =>
    Effect.gen(function* () {
      const outcome = yield* callOf([responding(429), theStore], { callTimeout: "900 millis", retry: { baseDelay: 1 } })
      assert.deepStrictEqual(outcome.sentAt, [0])
      assert.strictEqual(failureTag(outcome), "RateLimitedError")
      assert.isAtMost(outcome.endedAt, 2, "it goes on although there is no time for a permit")
    })
  )

  it.effect("in a lasting outage, with the defaults, ends in the error of the outage", () =>
    Effect.gen(function* () {
      for (const [step, tag] of [
        [responding(503), "ServerError"],
        [responding(429), "RateLimitedError"],
        [fail("ECONNREFUSED"), "TransportError"]
      ] as const) {
        for (let seed = 0; seed < 20; seed++) {
          assert.strictEqual(failureTag(yield* callOf([step], {}, { seed })), tag)
        }
      }
    })
  )
})

describe("an attempt out of time", () => {
  it.effect.each<Step>([
    neverResponds,
    { _tag: "StallBody" },
    { _tag: "DripBody" },
    { _tag: "Respond", status: 200, headers: {}, body: "", after: 5001 }
  ])("is tried again, then a TimeoutError of the phase attempt ($_tag)", (step) =>
    Effect.gen(function* () {
      const outcome = yield* callOf([step], { retry: { retries: 2 } })
      const error = failureOf(outcome)
      if (error._tag !== "TimeoutError") return assert.fail(`${error}`)
      assert.strictEqual(error.phase, "attempt")
      assert.strictEqual(Duration.toSeconds(error.limit), 5)
      assert.strictEqual(error.attempts, 3)
      for (const gap of outcome.gaps) assert.isAtLeast(gap, 5500)
    })
  )

  it.effect("because the call is, is a TimeoutError of the phase call", () =>
    Effect.gen(function* () {
      const outcome = yield* callOf([neverResponds], { callTimeout: "3 seconds" })
      const error = failureOf(outcome)
      if (error._tag !== "TimeoutError") return assert.fail(`${error}`)
      assert.strictEqual(error.phase, "call")
      assert.strictEqual(Duration.toSeconds(error.limit), 3)
      assert.strictEqual(outcome.endedAt, 3000)
    })
  )

  it.effect("because the call is, says what the attempt before failed with", () =>
    Effect.gen(function* () {
      const outcome = yield* callOf([responding(503), neverResponds], { callTimeout: "3 seconds" })
      const error = failureOf(outcome)
      if (error._tag !== "TimeoutError") return assert.fail(`${error}`)
      assert.strictEqual(error.phase, "call")
      assert.strictEqual(error.attempts, 2)
      assert.include(Option.getOrThrow(error.lastFailure), "503")
    })
  )

  it.effect("by a part of a millisecond is a TimeoutError like any other", () =>
    Effect.gen(function* () {
      const outcome = yield* callOf([neverResponds], { attemptTimeout: "1500 micros", retry: RetryPolicy.none })
      assert.strictEqual(failureTag(outcome), "TimeoutError")
      assert.strictEqual(outcome.endedAt, 2)
    })
  )
})

describe("the options of a call", () => {
  it.effect("take the place of the client's, one by one", () =>
    Effect.gen(function* () {
      const options = { attemptTimeout: "2 seconds", retry: { retries: 5, baseDelay: 10, maxDelay: 10 } } as const
      const own = yield* callOf([neverResponds], options)
      assert.lengthOf(own.sentAt, 6)
      assert.strictEqual(own.gaps[0], 2010)
      const changed = yield* callOf([neverResponds], options, {
        callOptions: { attemptTimeout: "1 second", retry: { retries: 1 } }
      })
      assert.deepStrictEqual(changed.sentAt, [0, 1010])
      const late = yield* callOf([neverResponds], options, { callOptions: { callTimeout: "1 second" } })
      assert.strictEqual(late.endedAt, 1000)
    })
  )

  it.effect("that limit nothing are a defect that names the option, and nothing is sent", () =>
    Effect.gen(function* () {
      for (const [name, options] of [
        ["callTimeout", { callTimeout: 0 }],
        ["attemptTimeout", { attemptTimeout: -1 }],
        ["maxBodyBytes", { maxBodyBytes: Number.POSITIVE_INFINITY }],
        ["retries", { retry: { retries: Number.NaN } }]
      ] satisfies ReadonlyArray<readonly [string, CallOptions]>) {
        const cause = yield* Effect.sandbox(getStore("~my-store", options)).pipe(Effect.flip)
        assert.isTrue(Cause.isDie(cause))
        assert.include(Cause.pretty(cause), name)
      }
      assert.isEmpty(yield* (yield* RecordedRequests).all)
    }).pipe(Effect.provide(layerRespond(() => Effect.die("a request was sent"))))
  )

  it.effect("may give a call 24 days, and then it waits that long for a store", () =>
    Effect.gen(function* () {
      const slow: Step = { ...theStore, after: 86_400_000 }
      const { endedAt, result } = yield* callOf([slow], {
        attemptTimeout: "24 days",
        callTimeout: "24 days"
      })
      assert.isTrue(Either.isRight(result))
      assert.strictEqual(endedAt, 86_400_000)
    })
  )

  it.effect("RetryPolicy.none tries once", () =>
    Effect.gen(function* () {
      const { sentAt } = yield* callOf([responding(503), theStore], {}, { callOptions: { retry: RetryPolicy.none } })
      assert.deepStrictEqual(sentAt, [0])
    })
  )

  it.effect("retry.while selects the errors to retry, of those that are retryable", () =>
    Effect.gen(function* () {
      const retry = { while: (error: CallError) => error._tag === "RateLimitedError" }
      assert.lengthOf((yield* callOf([responding(429), theStore], { retry })).sentAt, 2)
      assert.lengthOf((yield* callOf([responding(503), theStore], { retry })).sentAt, 1)
      assert.lengthOf((yield* callOf([responding(403), theStore], { retry: { while: () => true } })).sentAt, 1)
    })
  )
})

describe("the budget of a client", () => {
  /** A server that takes the next steps, and is busy after them. */
  const scripted = () => {
    const server: { next: ReadonlyArray<Step>; readonly respond: Respond } = {
      next: [],
      respond: (request) =>
        Effect.suspend(() => {
          const [step = responding(503), ...rest] = server.next
          server.next = rest
          return perform(step, request)
        })
    }
    return server
  }

  it.effect("is refilled by the responses of a healthy server, whether they are stores or not", () => {
    const missing = responding(
      404,
      {},
      '{"error":{"type":"record-not-found","message":"Key-value Store was not found"}}'
    )
    const server = scripted()
    const callMany = (count: number) => Effect.repeatN(Effect.either(getStore("~my-store")), count - 1)
    const calls = Effect.gen(function* () {
      yield* callMany(50)
      server.next = [responding(503), theStore]
      assert.isTrue(Either.isLeft(yield* Effect.either(getStore("~my-store"))), "the outage has spent the budget")
      server.next = Array.from({ length: 1000 }, () => missing)
      yield* callMany(1000)
      server.next = [responding(503), theStore]
      yield* getStore("~my-store")
    })
    return inSimulatedTime(Effect.provide(calls, layerRespond(server.respond, { retry: { retries: 2, baseDelay: 1 } })))
  })

  const mayRecover = fc.constantFrom<Step[]>(responding(503), responding(429), closedWhileIdle)

  it.effect.prop(
    "gets back what the retries of a call took that succeeds, and one more",
    [fc.array(mayRecover, { maxLength: 3 })],
    ([failures]) =>
      Effect.gen(function* () {
        const server = scripted()
        const retriesOf = (store: string) =>
          Effect.map(Effect.flip(getStore(store, { retry: { retries: 1 } })), (error) =>
            "attempts" in error ? error.attempts - 1 : assert.fail(error.message)
          )
        const retriesOfMany = (name: string, count: number) =>
          Effect.map(
            Effect.forEach(
              Array.from({ length: count }, (_, index) => `~${name}-${index}`),
              retriesOf
            ),
            (retries) => retries.reduce((sum, count) => sum + count, 0)
          )
        const calls = Effect.gen(function* () {
          assert.strictEqual(yield* retriesOfMany("failing", 7), 7)
          server.next = [...failures, theStore]
          yield* getStore("~healthy")
          // Three were left.
          assert.strictEqual(yield* retriesOfMany("later", 10), 4)
        })
        yield* inSimulatedTime(Effect.provide(calls, layerRespond(server.respond, { retry: { baseDelay: 1 } })))
      })
  )

  /** Spends the whole budget on one failed call for each of ten stores, and then makes one call with each of the steps. */
  const afterOutage = (...steps: ReadonlyArray<Step>) =>
    Effect.gen(function* () {
      let step: Step = responding(503)
      const call = (store: number) => Effect.either(getStore(`~store-${store}`, { retry: { retries: 1 } }))
      const calls = Effect.gen(function* () {
        for (let store = 0; store < 10; store++) yield* call(store)
        for (const [index, next] of steps.entries()) {
          step = next
          yield* Effect.either(getStore(`~healthy-${index}`, { retry: RetryPolicy.none }))
        }
        step = responding(503)
        return yield* call(10)
      })
      const { value } = yield* inSimulatedTime(
        Effect.provide(
          calls,
          layerRespond((request) => Effect.suspend(() => perform(step, request)), { retry: { baseDelay: 1 } })
        )
      )
      if (Either.isRight(value) || value.left._tag !== "ServerError") return assert.fail(`${value}`)
      return value.left
    })

  it.effect.each<readonly [what: string, step: Step]>([
    ["a store", theStore],
    ["a 400", responding(400)],
    ["a 401", responding(401)],
    ["a 402", responding(402)],
    ["a 403", responding(403)],
    ["a 405", responding(405)],
    [
      "a missing store",
      responding(404, {}, '{"error":{"type":"record-not-found","message":"Key-value Store was not found"}}')
    ]
  ])("gets a retry back for %s", ([, step]) =>
    Effect.gen(function* () {
      const error = yield* afterOutage(step)
      assert.strictEqual(error.attempts, 2)
      assert.strictEqual(Option.getOrNull(error.gaveUp), "retries")
    })
  )

  it.effect.each<readonly [what: string, step: Step]>([
    ["a 429", responding(429)],
    ["a connection that was closed while idle", closedWhileIdle]
  ])("is not charged for %s", ([, step]) => {
    const known = new Set<string>()
    const respond: Respond = (request) =>
      Effect.suspend(() => {
        const isKnown = known.has(request.url)
        known.add(request.url)
        // None succeeds before all are retried: that would give one back.
        return perform(isKnown ? { ...theStore, after: 3000 } : step, request)
      })
    const calls = Effect.forEach(
      Array.from({ length: 30 }, (_, store) => store),
      (store) => getStore(`~store-${store}`),
      { concurrency: "unbounded" }
    )
    return inSimulatedTime(Effect.provide(calls, layerRespond(respond, { retry: { baseDelay: 1 } })))
  })

  it.effect.each<readonly [what: string, step: Step]>([
    ["a 200 that is no JSON", responding(200, {}, "<html>")],
    ["a 200 that is no store", responding(200, {}, '{"data":{"id":42}}')],
    ["a 200 that is a login page", responding(200, { "content-type": "text/html" }, "<html>")],
    ["a redirect", responding(302, { location: "/login" })],
    ["a 408", responding(408)],
    ["a closed connection", fail("ECONNRESET")],
    ["a silent server", neverResponds]
  ])("gets nothing back for %s, and its error says that it is used up", ([, step]) =>
    Effect.gen(function* () {
      const error = yield* afterOutage(step)
      assert.strictEqual(error.attempts, 1)
      assert.strictEqual(Option.getOrNull(error.gaveUp), "budget")
      assert.include(error.message, "too many calls of this client failed recently")
    })
  )
})
