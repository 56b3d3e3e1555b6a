/**
 * Rows 52 and 53: what is left after thousands of calls.
 */
import { assert, layer } from "@effect/vitest"
import { Fault, FaultServer, type Origin } from "@effect-apify/fault-server"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import { heap } from "../../../../vitest.heap.js"
import { sampled, scale, spread } from "../../../../vitest.scale.js"
import { patient, refusal, silence } from "./cases.js"
import { withClient } from "./connection.js"
import { until } from "./drivenTime.js"
import { operations } from "./operations.js"
import { settled } from "./play.js"
import { transports } from "./transports.js"

const CONCURRENCY = 16

/** The least growth that counts as more than noise: in `soak` two hundred bytes for each call. */
const FLAT_BYTES = 2 * 1024 * 1024

const connections = Effect.sync(
  () => process.getActiveResourcesInfo().filter((kind) => /^(TCPSocketWrap|ConnectWrap)$/.test(kind)).length
)

/**
 * Until nothing is under way, and the connections are as few as are kept for the next calls. Those that undici was opening
 * for calls that were interrupted meanwhile it finishes first, and closes once they have been idle.
 */
const rest = (origin: Origin) =>
  Effect.gen(function* () {
    yield* settled(origin, ({ busy }) => busy === 0)
    yield* until(Effect.map(connections, (count) => count <= 2 * CONCURRENCY))
    yield* (yield* FaultServer).forget
  })

/** Failed calls, and interrupted ones: of the first operation most, because all have the same engine. */
const callsOf = (position: number): number => scale({ test: 100, soak: position === 0 ? 10_000 : 1_000 })

/** Calls whose responses are large errors. */
const largeOf = (position: number): number => scale({ test: 40, soak: position === 0 ? 1_000 : 200 })

const times = <A, E, R>(count: number, effect: Effect.Effect<A, E, R>) =>
  Effect.forEach(Array.from({ length: count }), () => effect, { concurrency: CONCURRENCY, discard: true })

/** The most connections that were open at once while something ran. */
const mostOpen = <A, E, R>(origin: Origin, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    let most = 0
    const watching = yield* Effect.forkDaemon(
      Effect.repeat(
        Effect.map(origin.sockets, ({ open }) => {
          most = Math.max(most, open)
        }),
        Schedule.spaced("2 millis")
      )
    )
    yield* effect
    yield* Fiber.interrupt(watching)
    return most
  })

/** Rounds of calls, of which one must add nothing: what every call leaves behind shows in each of them. */
const ROUNDS = 4

/** By how many bytes the memory in use grows in the round that adds least. */
const leastGrowth = <E, R>(round: Effect.Effect<void, E, R>) =>
  Effect.gen(function* () {
    let before = Number.NaN
    let least = Number.POSITIVE_INFINITY
    // The first brings the code and the transport to their size.
    for (let index = 0; index < ROUNDS && least >= FLAT_BYTES; index += 1) {
      yield* round
      const after = yield* heap
      if (index > 0) least = Math.min(least, after - before)
      before = after
    }
    return least
  })

layer(FaultServer.layer, { excludeTestServices: true })((it) => {
  for (const [position, { call, name }] of sampled(operations, 0).entries()) {
    const calls = callsOf(position)
    const large = largeOf(position)
    for (const transport of spread(transports, 1 + 2 * position)) {
      it.effect(
        `${name}, ${transport.name}, row 52: ${calls} failed and ${calls} interrupted calls leave nothing`,
        () =>
          withClient(transport, { ...patient, retry: { retries: 0 } }, ({ origin }) =>
            Effect.gen(function* () {
              const server = yield* FaultServer
              yield* server.plan("~failing", Fault.forever(refusal(404)))
              yield* server.plan("~silent", Fault.forever(silence))
              const fail = Effect.flip(call("~failing"))
              const interrupt = Effect.flatMap(Effect.fork(call("~silent")), (fiber) =>
                Effect.zipRight(Effect.sleep("1 millis"), Fiber.interrupt(fiber))
              )
              // Of each kind first, because the first are kept to be searched for secrets.
              yield* times(100, Effect.zipRight(fail, interrupt))
              const half = Effect.all([times(calls / 2, fail), times(calls / 2, interrupt), rest(origin)], {
                discard: true
              })
              // From here on without spans, which nobody would keep.
              assert.isBelow(yield* leastGrowth(Effect.withTracerEnabled(half, false)), FLAT_BYTES)
            })
          )
      )
    }

    for (const transport of sampled(transports, position)) {
      it.effect(`${name}, ${transport.name}, row 53: ${large} large error responses hold no connections`, () =>
        withClient(transport, { ...patient, retry: { retries: 0 } }, ({ origin }) =>
          Effect.gen(function* () {
            const server = yield* FaultServer
            const body = new Uint8Array(1024 * 1024).fill(0x20)
            yield* server.plan("~large", Fault.forever(Fault.status(404, [["Content-Type", "text/plain"]], body)))
            const most = yield* mostOpen(origin, times(large, Effect.flip(call("~large"))))
            assert.isAtMost(most, CONCURRENCY)
            assert.lengthOf((yield* server.report("~large")).requests, large)
          })
        )
      )
    }
  }
})
