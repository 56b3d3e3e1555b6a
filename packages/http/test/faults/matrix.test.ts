/**
 * Every fault of one call, over real sockets.
 */
import { assert, describe, layer } from "@effect/vitest"
import { FaultServer } from "@effect-apify/fault-server"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { scale, spread } from "../../../../vitest.scale.js"
import { bomb, type Case, casesOf, patient, redirects } from "./cases.js"
import { brokenNames } from "./names.js"
import { type Operation, operations, streamedOperations } from "./operations.js"
import {
  expectedOf,
  fits,
  leavesNothingBusy,
  leavesNothingOpen,
  nameOf,
  type Observed,
  outcomeOf,
  play,
  titleOf
} from "./play.js"
import { type Transport, transports } from "./transports.js"

const BOMB_MEBIBYTES = scale({ test: 20, soak: 300 })

/** What several attempts wait for one another in all. */
const BACKOFF_MILLIS = 100

const millisOf = (time: Duration.DurationInput | undefined): number => Duration.toMillis(Duration.decode(time ?? 0))

/** Everything that must hold of the outcome of a case. */
const check = (operation: Operation, played: Case, transport: Transport, observed: Observed): void => {
  const { elapsedMillis, exit, leaks, meanwhile, report, sockets } = observed
  const { outcome, requests } = expectedOf(played, transport)
  const found = outcomeOf(operation, exit)
  assert.isTrue(fits(outcome, found), `${JSON.stringify(found)} is not ${nameOf(outcome)}`)
  if (Exit.isSuccess(exit)) assert.isTrue(operation.isSuccess(exit.value))
  assert.lengthOf(report.requests, requests, "requests")
  assert.strictEqual(report.unplanned, 0, "requests beyond the plan")
  assert.strictEqual(report.unused, 0, "faults that nothing met")
  for (const { headers, method, path } of report.requests) {
    assert.strictEqual(method, operation.method)
    const [before, after = ""] = operation.path("~row-*").split("*")
    assert.isTrue(path.startsWith(`${before}`) && path.endsWith(after), path)
    assert.match(headers.authorization ?? "", /^Bearer /)
    if (method === "GET") assert.isUndefined(headers["content-length"])
  }
  assert.deepStrictEqual(leaks, [], "secrets shown")
  const { attemptTimeout, callTimeout } = { ...patient, ...played.options }
  assert.isBelow(elapsedMillis, millisOf(callTimeout), "the deadline")
  if (nameOf(found) === "TimeoutError attempt") {
    const attempts = operation.isStreamed && report.requests.length === 1 ? 1 : 1 + (patient.retry?.retries ?? 0)
    const least = attempts * millisOf(attemptTimeout)
    assert.isAtLeast(elapsedMillis, least, "the time of its attempts")
    assert.isBelow(elapsedMillis, least + BACKOFF_MILLIS, "the time of its attempts")
  }
  assert.strictEqual(meanwhile.timers, 0, "timers")
  assert.isTrue(
    Option.match(meanwhile.sockets, { onNone: () => true, onSome: leavesNothingBusy(played, transport) }),
    `sockets while the client lives ${JSON.stringify(meanwhile.sockets)}`
  )
  assert.isTrue(
    Option.match(sockets, { onNone: () => true, onSome: leavesNothingOpen(played, transport) }),
    `sockets ${JSON.stringify(sockets)}`
  )
  if (played.waitMillis !== undefined) {
    const [first, second] = report.requests
    const waited = Number(second?.at) - Number(first?.at)
    const [least, most] = played.waitMillis
    assert.isAtLeast(waited, least, "the wait")
    assert.isAtMost(waited, most, "the wait")
  }
  if (played.mostBytes !== undefined) assert.isBelow(report.bytesSent, played.mostBytes, "bytes sent")
}

const playAndCheck = (operation: Operation, played: Case, transport: Transport, index: number) =>
  Effect.map(play(operation, played, transport, index), (observed) => check(operation, played, transport, observed))

const all = [...operations, ...streamedOperations]

/** What plays every case in `test` too: an operation with a response as a whole, and one with a stream. */
const full: ReadonlyArray<Operation | undefined> = [operations[0], streamedOperations[0]]

/** What plays its own cases there, and of those that all have a share. */
const others = all.filter((operation) => !full.includes(operation))

layer(Layer.merge(FaultServer.layer, Layer.scopedDiscard(brokenNames)), { excludeTestServices: true })((it) => {
  for (const [position, operation] of all.entries()) {
    for (const transport of transports) {
      const isPlayed = (played: Case, index: number): boolean => {
        const isFull = full.includes(operation) || operation.cases.includes(played)
        // In `test` on one transport, another for each case, and on those that deviate.
        const isOn = spread(transports, position + index).includes(transport)
        if (isFull) return isOn || played.deviations?.[transport.name] !== undefined
        return isOn && spread(others, index).includes(operation)
      }

      describe(`${operation.name}, ${transport.name}`, () => {
        for (const [index, played] of casesOf(operation).entries()) {
          if (!isPlayed(played, index)) continue
          it.effect(titleOf(played, transport), () => playAndCheck(operation, played, transport, index))
        }

        if (!spread(transports, position).includes(transport)) return
        if (operation.isJson) {
          it.effect("row 40: a gzip bomb: UnexpectedResponseError", () =>
            Effect.flatMap(
              Effect.promise(() => bomb(BOMB_MEBIBYTES)),
              (bomb) => playAndCheck(operation, bomb, transport, 0)
            )
          )
        }

        if (operation.isFollowed) return
        it.scoped("row 50: redirects: UnexpectedResponseError, and not one byte to another origin", () =>
          Effect.gen(function* () {
            const otherOrigin = yield* (yield* FaultServer).listen()
            yield* Effect.forEach(redirects(otherOrigin.url), (redirect, index) =>
              playAndCheck(operation, redirect, transport, index)
            )
            assert.strictEqual((yield* otherOrigin.sockets).ever, 0)
          })
        )
      })
    }
  }
})
