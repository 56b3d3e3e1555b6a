/**
 * The rows that take more than one call, or an intervention in the middle of one.
 */
import { assert, describe, layer } from "@effect/vitest"
import { deafOrigin, Fault, FaultServer } from "@effect-apify/fault-server"
import type { ApifyClient, CallOptions } from "@effect-apify/http"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { sampled, scale, spread } from "../../../../vitest.scale.js"
import { othersSettle } from "../simulatedTime.js"
import { beyond, closed, closingReused, okOf, patient, refusal, reset, silence } from "./cases.js"
import { type Called, withClient, withClientOf } from "./connection.js"
import { aMoment, type DrivenTime, makeDrivenTime, until } from "./drivenTime.js"
import { type Operation, operations } from "./operations.js"
import { socketsMade } from "./play.js"
import { type Transport, transports } from "./transports.js"

/** A wait before a retry that no call has the time for. */
const never = { retries: 2, baseDelay: "1 hour", maxDelay: "1 hour" } as const

/** A call that has no time for the wait before a retry ends with the error that would have been retried, which says so. */
const assertNoTimeForTheWait = (operation: Operation, error: unknown, tag: string, attempts: number): void => {
  assert.deepInclude(operation.encodeError(error), { _tag: tag, gaveUp: "deadline", attempts })
}

/** Retries that a client may spend while a server works for none of its calls. */
const BUDGET = 10

const requestsFor = (store: string) =>
  Effect.flatMap(FaultServer, (server) => Effect.map(server.report(store), ({ requests }) => requests))

const plan = (store: string, plan: Fault.Plan) => Effect.flatMap(FaultServer, (server) => server.plan(store, plan))

const halfABody = Fault.cut("half a body", { body: "{}".padEnd(500) }, 300, Fault.hang)

/** Calls until more connections were closed than the budget has retries: each was replaced at once, or it takes an hour. */
const replacing = ({ call }: Operation, store: string, time: DrivenTime) =>
  Effect.gen(function* () {
    let calls = 0
    const once = Effect.suspend(() => {
      calls += 1
      return Effect.zipRight(call(store), aMoment)
    })
    const isEnough = () => Effect.map(requestsFor(store), ({ length }) => length - calls > BUDGET)
    yield* time.drive(Effect.repeat(once, { until: isEnough }))
    assert.strictEqual(time.elapsed(), 0)
  })

// ---- Interruption

const TRIES = scale({ test: 2, soak: 10 })

const tries = <E, R>(play: (tried: number) => Effect.Effect<void, E, R>) =>
  Effect.forEach(
    Array.from({ length: TRIES }, (_, index) => index + 1),
    play,
    { discard: true }
  )

/** Starts a call in time that stands still, interrupts it at a point, and looks for what it has left. */
const interruptedAt = <E, R>({ call }: Operation, store: string, time: DrivenTime, point: Effect.Effect<void, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(time.stopped(call(store)))
    yield* point
    // Had it to wait for the server or for time, this would not end.
    const exit = yield* Fiber.interrupt(fiber)
    assert.isTrue(Exit.isInterrupted(exit), "it was over before")
    yield* othersSettle
    assert.strictEqual(time.clock.timers, 0)
  })

const lingering: CallOptions = { ...patient, retry: never, callTimeout: "3 hours" }

interface Interruption {
  readonly where: string
  readonly play: (operation: Operation, transport: Transport) => Effect.Effect<void, unknown, FaultServer | Scope.Scope>
}

/** Once the server has read the request of each try, and done what it does. */
const whileItServes = (where: string, fault: Fault.Fault): Interruption => ({
  where,
  play: (operation, transport) =>
    withClient(transport, lingering, ({ origin, time }) =>
      Effect.gen(function* () {
        const store = "~served"
        yield* plan(store, Fault.forever(fault))
        yield* tries((tried) => {
          const isServed = until(Effect.map(origin.waits, (waits) => waits === tried))
          return interruptedAt(operation, store, time, Effect.zipRight(isServed, aMoment))
        })
        assert.lengthOf(yield* requestsFor(store), TRIES)
      })
    )
})

const interruptions: ReadonlyArray<Interruption> = [
  {
    where: "right after its start",
    play: (operation, transport) =>
      withClient(transport, lingering, ({ time }) =>
        Effect.gen(function* () {
          const store = "~started"
          yield* plan(store, Fault.forever(silence))
          yield* tries((tried) => interruptedAt(operation, store, time, Effect.repeatN(Effect.yieldNow(), tried)))
          assert.isAtMost((yield* requestsFor(store)).length, TRIES)
        })
      )
  },
  {
    where: "while it is held back after a 429",
    play: (operation, transport) =>
      withClient(transport, { ...lingering, retry: { retries: 0 } }, ({ time }) =>
        tries((tried) =>
          Effect.gen(function* () {
            const store = `~held-back-${tried}`
            yield* plan(store, Fault.times(1, refusal(429)))
            yield* Effect.flip(time.stopped(operation.call(store)))
            yield* interruptedAt(operation, store, time, until(Effect.sync(time.isAwaited)))
            assert.lengthOf(yield* requestsFor(store), 1)
          })
        )
      )
  },
  {
    where: "while it connects",
    play: (operation, transport) =>
      Effect.gen(function* () {
        const time = makeDrivenTime()
        const url = yield* deafOrigin
        const made = yield* socketsMade
        // No time limit of the transport's own ends it.
        const calls = () =>
          tries((tried) =>
            interruptedAt(operation, "~connecting", time, until(Effect.map(made, (made) => made >= tried)))
          )
        yield* withClientOf(url, transport, lingering, calls, {})
      })
  },
  {
    where: "in the TLS handshake",
    play: (operation, transport) =>
      Effect.gen(function* () {
        const time = makeDrivenTime()
        const { sockets, url, waits } = yield* (yield* FaultServer).listen({ greeting: silence })
        const calls = () =>
          tries((tried) =>
            interruptedAt(operation, "~handshake", time, until(Effect.map(waits, (waits) => waits >= tried)))
          )
        yield* withClientOf(url.replace("http://127.0.0.1", "https://localhost"), transport, lingering, calls, {})
        // undici goes on with those connections, but nobody makes another.
        assert.isAtMost((yield* sockets).ever, TRIES)
      })
  },
  whileItServes("in the headers", silence),
  whileItServes("in the body", halfABody),
  {
    where: "in the wait before a retry",
    play: (operation, transport) =>
      withClient(transport, lingering, ({ time }) =>
        Effect.gen(function* () {
          const store = "~waiting"
          yield* plan(store, Fault.forever(refusal(503)))
          yield* tries(() => interruptedAt(operation, store, time, until(Effect.sync(time.isAwaited))))
          assert.lengthOf(yield* requestsFor(store), TRIES)
        })
      )
  }
]

// ---- The rows

layer(FaultServer.layer, { excludeTestServices: true })((it) => {
  for (const [index, operation] of operations.entries()) {
    for (const transport of (index === 0 ? sampled : spread)(transports, index)) {
      describe(`${operation.name}, ${transport.name}`, () => {
        const { call } = operation
        const ok = okOf(operation)

        const row = (
          row: number,
          name: string,
          options: CallOptions,
          play: (called: Called, store: string) => Effect.Effect<void, unknown, ApifyClient.ApifyClient | FaultServer>,
          most?: number
        ) =>
          it.scoped(`row ${row}: ${name}`, () =>
            withClient(
              transport,
              options,
              (called) => play(called, `~row-${row}`),
              most === undefined ? undefined : { most }
            )
          )

        row(
          8,
          "a connection closed while idle is replaced at once, free of charge",
          { ...patient, retry: never },
          ({ time }, store) =>
            Effect.zipRight(plan(store, Fault.forever(closingReused(operation))), replacing(operation, store, time))
        )

        it.scoped("row 8: so is one over TLS", () =>
          Effect.gen(function* () {
            const server = yield* FaultServer
            const time = makeDrivenTime()
            const { url } = yield* server.listen({ certificate: "valid" })
            const store = "~row-8-TLS"
            yield* plan(store, Fault.forever(closingReused(operation)))
            const calls = () => replacing(operation, store, time)
            yield* withClientOf(url, transport, { ...patient, retry: never }, calls, { authority: server.authority })
          })
        )

        row(
          8,
          "where the new one is closed as well, it is retried like any other: TransportError reset",
          patient,
          ({ time }, store) =>
            Effect.gen(function* () {
              yield* plan(store, Fault.sequence(ok, Fault.forever(closed)))
              yield* time.drive(call(store))
              const error = yield* Effect.flip(time.drive(call(store)))
              assert.deepInclude(error, { _tag: "TransportError", reason: "reset", attempts: 3, reused: false })
            }),
          1
        )

        // undici names the connection of what the other side closed, but not of what it reset; UndiciTransport sees to that itself.
        const tellsResets = transport.name === "UndiciTransport"
        row(
          8,
          tellsResets
            ? "a connection reset while idle is replaced at once, free of charge"
            : "a connection reset while idle is retried after a wait, like a new one",
          { ...patient, retry: never },
          ({ time }, store) =>
            Effect.gen(function* () {
              yield* plan(store, Fault.sequence(ok, Fault.forever(reset)))
              yield* time.drive(call(store))
              const error = yield* Effect.flip(time.drive(call(store)))
              assertNoTimeForTheWait(operation, error, "TransportError", tellsResets ? 2 : 1)
            }),
          1
        )

        row(
          15,
          "after bytes beyond the response the connection is dropped, and the next call is clean",
          { ...patient, retry: never },
          ({ time }, store) =>
            Effect.gen(function* () {
              yield* plan(store, Fault.sequence(beyond(operation), ok))
              yield* time.drive(Effect.zipRight(call(store), call(store)))
              const [first, second] = yield* requestsFor(store)
              assert.notStrictEqual(first?.connection, second?.connection)
            })
        )

        row(
          20,
          "where the wait would pass the deadline, the call ends now and sends nothing more",
          { ...patient, retry: never },
          ({ time }, store) =>
            Effect.gen(function* () {
              yield* plan(store, Fault.forever(refusal(503)))
              const error = yield* Effect.flip(time.drive(call(store)))
              assertNoTimeForTheWait(operation, error, "ServerError", 1)
              assert.strictEqual(time.elapsed(), 0)
              assert.lengthOf(yield* requestsFor(store), 1)
            })
        )

        row(
          20,
          "the deadline cuts an attempt short, and nothing more is sent: TimeoutError call",
          { ...patient, callTimeout: "400 millis" },
          ({ origin, time }, store) =>
            Effect.gen(function* () {
              yield* plan(store, Fault.forever(silence))
              const error = yield* Effect.flip(time.drive(call(store), origin.waits))
              assert.deepInclude(error, { _tag: "TimeoutError", phase: "call", attempts: 1 })
              assert.strictEqual(time.elapsed(), 400)
              assert.lengthOf(yield* requestsFor(store), 1)
            })
        )

        for (const [where, fault] of [
          ["in the headers", silence],
          ["in the body", halfABody]
        ] as const) {
          // That nothing is left is asserted of every row, while the client still lives.
          row(
            51,
            `a call that cannot be interrupted leaves no connection of attempts out of time ${where}`,
            patient,
            ({ origin, time }, store) =>
              Effect.gen(function* () {
                yield* plan(store, Fault.forever(fault))
                const error = yield* time.drive(Effect.uninterruptible(Effect.flip(call(store))), origin.waits)
                assert.deepInclude(error, { _tag: "TimeoutError", phase: "attempt", attempts: 3 })
              })
          )
        }

        for (const { play, where } of interruptions) {
          it.scoped(`row 51: interrupted ${where}, it ends at once and leaves nothing of ours`, () =>
            play(operation, transport)
          )
        }

        for (const [direction, jump] of [
          ["ahead", 3_600_000],
          ["back", -3_600_000]
        ] as const) {
          row(
            58,
            `a wall clock that jumps an hour ${direction} changes no wait`,
            { ...patient, retry: { retries: 1, baseDelay: "300 millis" } },
            ({ time }, store) =>
              Effect.gen(function* () {
                yield* plan(store, Fault.sequence(refusal(503), ok))
                const fiber = yield* Effect.fork(time.stopped(call(store)))
                yield* until(Effect.sync(time.isAwaited))
                time.clock.jump(jump)
                time.clock.advance()
                yield* Fiber.join(fiber)
                const [first, second] = yield* requestsFor(store)
                const waited = Number(second?.at) - Number(first?.at)
                assert.isAtLeast(waited, 300)
                assert.isAtMost(waited, 600)
              })
          )
        }

        for (const [name, fault] of [
          ["responds with 503", refusal(503)],
          ["resets every connection", reset],
          ["closes every connection", closed]
        ] as const) {
          row(
            60,
            `a server that ${name} gets hardly more requests than there are calls`,
            { ...patient, retry: { retries: 8, baseDelay: "1 millis" } },
            ({ time }, store) =>
              Effect.gen(function* () {
                yield* plan(store, Fault.forever(fault))
                const calls = scale({ test: 50, soak: 1000 })
                yield* time.drive(
                  Effect.forEach(Array.from({ length: calls }), () => Effect.flip(call(store)), {
                    concurrency: 20,
                    discard: true
                  })
                )
                assert.isAtMost((yield* requestsFor(store)).length, calls + BUDGET)
              })
          )
        }

        row(
          60,
          "of many calls at once against 60 a second all succeed, paced, and no retry is spent",
          { ...patient, retry: { retries: 8, baseDelay: "1 millis" } },
          ({ time }, store) =>
            Effect.gen(function* () {
              yield* plan(store, Fault.forever(Fault.rateLimited(60, [["X-RateLimit-Limit", "60"]], ok)))
              const calls = scale({ test: 90, soak: 500 })
              yield* time.drive(
                Effect.forEach(Array.from({ length: calls }), () => call(store), {
                  concurrency: "unbounded",
                  discard: true
                })
              )
              // The first of each, and for those refused once more; a little is left to how they are spaced.
              assert.isAtMost((yield* requestsFor(store)).length, 2 * calls)
              yield* plan("~budget", Fault.sequence(Fault.times(8, refusal(503)), ok))
              yield* time.drive(call("~budget"))
            })
        )
      })
    }
  }
})
