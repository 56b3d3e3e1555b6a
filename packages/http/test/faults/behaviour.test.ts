/**
 * The rows that take more than one call, or a hand in the middle of one.
 */

import { assert, describe, layer } from "@effect/vitest"
import { deafOrigin, Fault, FaultServer } from "@effect-apify/fault-server"
import { type CallOptions, getStore, RetryPolicy } from "@effect-apify/http"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { vi } from "vitest"
import { ok, patient, refusal } from "./cases.js"
import { withClient, withClientOf } from "./connection.js"
import { makeCountedClock } from "./countedClock.js"
import { beyond, closingReused } from "./scenarios.js"
import { printedTable } from "./table.js"
import { type Transport, transports } from "./transports.js"

/** A wait before a retry that no test outlives: whatever succeeds did so without one. */
const never = { retries: 2, baseDelay: "1 hour", maxDelay: "1 hour" } as const

const closed = Fault.fault("close", Fault.close)

const requestsFor = (store: string) =>
  Effect.flatMap(FaultServer, (server) => Effect.map(server.report(store), ({ requests }) => requests))

const untilRequested = (store: string, count: number) =>
  Effect.repeat(requestsFor(store), {
    until: (requests) => requests.length >= count,
    schedule: Schedule.spaced("1 millis")
  })

const intoTable = printedTable()

const TRIES = 7

/** Of several, because the machine may be busy with something else once. */
const median = (values: ReadonlyArray<number>): number =>
  [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN

/** Starts a call by a clock, interrupts it once it has come to a point, and tells in how many milliseconds it was gone. */
const interruptedAfter = <E, R>(clock: Clock.Clock, store: string, point: Effect.Effect<unknown, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(Effect.withClock(getStore(store), clock))
    yield* point
    const [time, exit] = yield* Effect.timed(Fiber.interrupt(fiber))
    assert.isTrue(Exit.isInterrupted(exit), "it was over before")
    return Duration.toMillis(time)
  })

const tries = <A, E, R>(play: (tried: number) => Effect.Effect<A, E, R>) =>
  Effect.forEach(
    Array.from({ length: TRIES }, (_, index) => index + 1),
    play
  )

/** The points of a call at which it is interrupted, each several times: how many milliseconds it took each time. */
const interruptionsOn = (transport: Transport) => {
  const options: CallOptions = { ...patient, retry: never, callTimeout: "3 hours" }
  const nameFor = (point: string) => `~${point}-${transport.name}`

  /** A moment after the server has read the request. */
  const after = (name: string, fault: Fault.Fault) => ({
    name,
    requests: "1 a try",
    deviates: "",
    play: (clock: Clock.Clock) =>
      withClient(transport, options, () =>
        Effect.gen(function* () {
          const store = nameFor(name.replaceAll(" ", "-"))
          yield* (yield* FaultServer).plan(store, Fault.forever(fault))
          const took = yield* tries((tried) =>
            interruptedAfter(clock, store, Effect.zipRight(untilRequested(store, tried), Effect.sleep("20 millis")))
          )
          assert.lengthOf(yield* requestsFor(store), TRIES)
          return took
        })
      )
  })

  /** While the connection is made. */
  const connecting = (baseUrl: string) => (clock: Clock.Clock) =>
    withClientOf(baseUrl, transport, options, () =>
      tries(() => interruptedAfter(clock, "~connecting", Effect.sleep("20 millis")))
    )

  return [
    {
      name: "right after its start",
      requests: "at most 1 a try",
      deviates: "",
      play: (clock: Clock.Clock) =>
        withClient(transport, options, () =>
          Effect.gen(function* () {
            const store = nameFor("start")
            yield* (yield* FaultServer).plan(store, Fault.forever(Fault.fault("silence", Fault.hang)))
            const took = yield* tries((tried) =>
              interruptedAfter(clock, store, Effect.repeatN(Effect.yieldNow(), tried))
            )
            assert.isAtMost((yield* requestsFor(store)).length, TRIES)
            return took
          })
        )
    },
    {
      name: "before the send, while it waits for its turn",
      requests: "0 a try, after the 429",
      deviates: "",
      play: (clock: Clock.Clock) =>
        withClient(transport, options, () =>
          tries((tried) =>
            Effect.gen(function* () {
              const store = nameFor(`turn-${tried}`)
              yield* (yield* FaultServer).plan(store, Fault.times(1, refusal(429)))
              yield* Effect.flip(getStore(store, { retry: RetryPolicy.none }))
              // From here on a second passes before the next one is sent.
              const took = yield* interruptedAfter(clock, store, Effect.repeatN(Effect.yieldNow(), 20))
              assert.lengthOf(yield* requestsFor(store), 1)
              return took
            })
          )
        )
    },
    {
      name: "while it connects",
      requests: "0",
      deviates: "yes",
      play: (clock: Clock.Clock) => Effect.flatMap(deafOrigin, (baseUrl) => connecting(baseUrl)(clock))
    },
    {
      name: "in the TLS handshake",
      requests: "0",
      deviates: "yes",
      play: (clock: Clock.Clock) =>
        Effect.gen(function* () {
          const origin = yield* (yield* FaultServer).listen({ greeting: Fault.fault("silence", Fault.hang) })
          const took = yield* connecting(origin.url.replace("http://127.0.0.1", "https://localhost"))(clock)
          // Deviating: undici goes on with the connections, for 10 s. But nobody makes another.
          assert.isAtMost((yield* origin.sockets).ever, TRIES)
          return took
        })
    },
    after("in the headers", Fault.fault("silence", Fault.hang)),
    after("in the body", Fault.cut("half a body", { body: "{}".padEnd(500) }, 300, Fault.hang)),
    after("in the wait", refusal(503))
  ]
}

layer(FaultServer.layer, { excludeTestServices: true })("more than one call", (it) => {
  for (const transport of transports) {
    describe(`on ${transport.name}`, () => {
      /** A test that ends with the number of requests that the server has read. */
      const row = <E>(
        row: number,
        name: string,
        outcomes: string,
        play: () => Effect.Effect<number | string, E, FaultServer | Scope.Scope>,
        deviates = ""
      ) =>
        it.scoped(`row ${row}: ${name}`, () =>
          Effect.map(play(), (requests) =>
            intoTable({ row, transport: transport.name, cases: 1, outcomes, requests: String(requests), deviates })
          )
        )

      row(8, "a connection closed for lying idle is replaced at once, free of charge", "store", () =>
        withClient(transport, { ...patient, retry: never }, () =>
          Effect.gen(function* () {
            const server = yield* FaultServer
            const store = `~stale-${transport.name}`
            yield* server.plan(store, Fault.forever(closingReused))
            const calls = 30
            // A connection is free for the next call a moment after its answer.
            yield* Effect.repeat(
              getStore(store),
              Schedule.spaced("5 millis").pipe(Schedule.intersect(Schedule.recurs(calls - 1)))
            )
            const requests = yield* requestsFor(store)
            assert.isAbove(requests.length - calls, 10, "more than the budget has retries")
            return requests.length
          })
        )
      )

      row(8, "so is one over TLS", "store", () =>
        Effect.gen(function* () {
          const server = yield* FaultServer
          const origin = yield* server.listen({ certificate: "valid" })
          const store = `~stale-tls-${transport.name}`
          yield* server.plan(store, Fault.forever(closingReused))
          const trusting = { ...transport, client: transport.trusting(server.authority) }
          yield* withClientOf(origin.url, trusting, { ...patient, retry: never }, () =>
            Effect.repeatN(Effect.zipLeft(getStore(store), Effect.sleep("20 millis")), 4)
          )
          const requests = yield* requestsFor(store)
          assert.isAbove(requests.length, 5, "none was closed")
          return requests.length
        })
      )

      row(8, "where the new one is closed as well, it is retried like any other", "TransportError reset", () =>
        withClient(transport, patient, () =>
          Effect.gen(function* () {
            const server = yield* FaultServer
            const store = `~stale-for-ever-${transport.name}`
            yield* server.plan(store, Fault.sequence(ok, Fault.forever(closed)))
            yield* getStore(store)
            yield* Effect.sleep("20 millis")
            const error = yield* Effect.flip(getStore(store))
            assert.deepInclude(error, { _tag: "TransportError", reason: "reset", attempts: 3, reused: false })
            return (yield* requestsFor(store)).length
          })
        )
      )

      // undici names the connection of what the other side closed, but not of what it reset; NodeClient sees to that itself.
      const tellsResets = transport.name === "NodeClient"
      row(
        8,
        tellsResets
          ? "a connection reset for lying idle is replaced at once, free of charge"
          : "a connection reset for lying idle is retried after a wait, as if it were new",
        "TimeoutError call",
        () =>
          withClient(transport, patient, () =>
            Effect.gen(function* () {
              const server = yield* FaultServer
              const store = `~reset-${transport.name}`
              yield* server.plan(store, Fault.sequence(ok, Fault.forever(Fault.fault("reset", Fault.reset))))
              yield* getStore(store)
              yield* Effect.sleep("20 millis")
              const error = yield* Effect.flip(getStore(store, { retry: never }))
              // Where a retry has to wait, there is no time for it.
              assert.deepInclude(error, { _tag: "TimeoutError", phase: "call", attempts: tellsResets ? 2 : 1 })
              return (yield* requestsFor(store)).length
            })
          ),
        tellsResets ? "" : "yes"
      )

      row(15, "after bytes beyond the answer the connection is dropped, and the next call is clean", "store", () =>
        withClient(transport, { ...patient, retry: never }, () =>
          Effect.gen(function* () {
            const server = yield* FaultServer
            const store = `~beyond-${transport.name}`
            yield* server.plan(store, Fault.sequence(beyond, ok))
            yield* getStore(store)
            yield* getStore(store)
            const requests = yield* requestsFor(store)
            assert.notStrictEqual(requests[0]?.connection, requests[1]?.connection)
            return requests.length
          })
        )
      )

      row(
        20,
        "where the wait would pass the deadline, the call ends now and sends nothing more",
        "TimeoutError call",
        () =>
          withClient(transport, { ...patient, retry: never }, () =>
            Effect.gen(function* () {
              const server = yield* FaultServer
              const store = `~deadline-${transport.name}`
              yield* server.plan(store, Fault.forever(refusal(503)))
              const [time, error] = yield* Effect.timed(Effect.flip(getStore(store)))
              assert.deepInclude(error, { _tag: "TimeoutError", phase: "call", attempts: 1 })
              assert.isBelow(Duration.toMillis(time), 15_000, "half of the time that it had")
              assert.lengthOf(yield* requestsFor(store), 1)
              return 1
            })
          )
      )

      row(20, "the deadline cuts an attempt short, and nothing more is sent", "TimeoutError call", () =>
        withClient(transport, { ...patient, callTimeout: "400 millis" }, () =>
          Effect.gen(function* () {
            const server = yield* FaultServer
            const store = `~cut-short-${transport.name}`
            yield* server.plan(store, Fault.forever(Fault.fault("silence", Fault.hang)))
            const error = yield* Effect.flip(getStore(store))
            assert.deepInclude(error, { _tag: "TimeoutError", phase: "call", attempts: 1 })
            // None, where the machine was too busy to connect in that time.
            const requests = yield* requestsFor(store)
            assert.isAtMost(requests.length, 1)
            return requests.length
          })
        )
      )

      for (const { deviates, name, play, requests } of interruptionsOn(transport)) {
        row(
          51,
          `interrupted ${name}, it is gone at once and leaves nothing of ours`,
          "interrupted",
          () =>
            Effect.gen(function* () {
              const clock = makeCountedClock()
              const took = yield* play(clock)
              assert.lengthOf(took, TRIES)
              assert.isBelow(median(took), 10)
              assert.strictEqual(clock.timers(), 0)
              return requests
            }),
          deviates
        )
      }

      row(58, "a wall clock that jumps an hour changes no wait", "store", () =>
        Effect.forEach([-3_600_000, 3_600_000], (jump) =>
          withClient(transport, { ...patient, retry: { retries: 1, baseDelay: "300 millis" } }, () =>
            Effect.gen(function* () {
              const server = yield* FaultServer
              const store = `~clock${jump}-${transport.name}`
              yield* server.plan(store, Fault.sequence(refusal(503), ok))
              const fiber = yield* Effect.fork(getStore(store))
              yield* untilRequested(store, 1)
              const now = Date.now
              yield* Effect.acquireUseRelease(
                Effect.sync(() => vi.spyOn(Date, "now").mockImplementation(() => now() + jump)),
                () => Fiber.join(fiber),
                (spy) => Effect.sync(() => spy.mockRestore())
              )
              const [first, second] = yield* requestsFor(store)
              const waited = Number(second?.at) - Number(first?.at)
              assert.isAtLeast(waited, 299)
              assert.isBelow(waited, 30_000)
              return 2
            })
          )
        ).pipe(Effect.map((counts) => counts.reduce((sum, count) => sum + count, 0)))
      )

      for (const [name, fault, outcome] of [
        ["answers 503", refusal(503), "ServerError"],
        ["resets every connection", Fault.fault("reset", Fault.reset), "TransportError reset"],
        ["closes every connection", closed, "TransportError reset"]
      ] as const) {
        row(60, `a server that ${name} gets at most 1 % more requests than there are calls`, outcome, () =>
          withClient(transport, { ...patient, retry: { retries: 8, baseDelay: "1 millis" } }, () =>
            Effect.gen(function* () {
              const store = `~outage-${name.replaceAll(" ", "-")}-${transport.name}`
              yield* (yield* FaultServer).plan(store, Fault.forever(fault))
              const calls = 1000
              yield* Effect.forEach(Array.from({ length: calls }), () => Effect.flip(getStore(store)), {
                concurrency: 20
              })
              const requests = yield* requestsFor(store)
              assert.isAtMost(requests.length, calls * 1.01)
              return requests.length
            })
          )
        )
      }

      row(60, "of 500 calls at once against 60 a second all succeed, paced, and no retry is spent", "store", () =>
        withClient(transport, { attemptTimeout: "30 seconds", callTimeout: "50 seconds" }, () =>
          Effect.gen(function* () {
            const server = yield* FaultServer
            const store = `~rate-${transport.name}`
            yield* server.plan(store, Fault.forever(Fault.rateLimited(60, [["X-RateLimit-Limit", "60"]], ok)))
            yield* Effect.forEach(Array.from({ length: 500 }), () => getStore(store), { concurrency: "unbounded" })
            const requests = yield* requestsFor(store)
            // The first of each, and for those refused once more; a little is left to how the turns fall.
            assert.isAtMost(requests.length, 1000)
            const last = `~budget-${transport.name}`
            yield* server.plan(last, Fault.sequence(Fault.times(8, refusal(503)), ok))
            yield* getStore(last, { retry: { retries: 8, baseDelay: "1 millis" } })
            return requests.length
          })
        )
      )
    })
  }
})
