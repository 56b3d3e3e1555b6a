/**
 * Every row of one call's faults, over real sockets, on every transport.
 */

import { assert, layer } from "@effect/vitest"
import { FaultServer } from "@effect-apify/fault-server"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { BOMB, bomb, type Case, cases, patient, store, strangers } from "./cases.js"
import { brokenNames } from "./names.js"
import {
  expectedOf,
  fits,
  leavesNothingBusy,
  leavesNothingOpen,
  nameOf,
  type Observed,
  outcomeOf,
  play
} from "./play.js"
import { printedTable } from "./table.js"
import { type Transport, transports } from "./transports.js"

const rows = [...new Set(cases.map(({ row }) => row))]
const intoTable = printedTable()

const deadlineOf = ({ options }: Case): number =>
  Duration.toMillis(Duration.decode(options?.callTimeout ?? patient.callTimeout ?? 0))

/** Everything that must hold of what came of a case. */
const check = (played: Case, transport: Transport, observed: Observed): void => {
  const { elapsedMillis, exit, leaks, meanwhile, report, sockets } = observed
  const { outcome, requests } = expectedOf(played, transport)
  const found = outcomeOf(exit)
  const which = `${played.row}, ${played.name}`
  assert.isTrue(fits(outcome, found), `${which}: ${JSON.stringify(found)} is not ${nameOf(outcome)}`)
  assert.lengthOf(report.requests, requests, `${which}: requests`)
  assert.strictEqual(report.unplanned, 0, `${which}: requests beyond the plan`)
  assert.strictEqual(report.unused, 0, `${which}: faults that nothing met`)
  assert.isTrue(
    report.requests.every(({ headers, method, path }) => {
      const isAsked = method === "GET" && path.startsWith("/v2/key-value-stores/~row-")
      return isAsked && headers.authorization?.startsWith("Bearer ") && headers["content-length"] === undefined
    }),
    `${which}: what was sent`
  )
  assert.deepStrictEqual(leaks, [], `${which}: secrets shown`)
  assert.isBelow(elapsedMillis, deadlineOf(played), `${which}: the deadline`)
  assert.strictEqual(meanwhile.timers, 0, `${which}: timers`)
  assert.isTrue(
    Option.match(meanwhile.sockets, { onNone: () => true, onSome: leavesNothingBusy(played, transport) }),
    `${which}: sockets while the client lives ${JSON.stringify(meanwhile.sockets)}`
  )
  assert.isTrue(
    Option.match(sockets, { onNone: () => true, onSome: leavesNothingOpen(played, transport) }),
    `${which}: sockets ${JSON.stringify(sockets)}`
  )
  if (Exit.isSuccess(exit)) {
    assert.strictEqual(exit.value.id, store.id, which)
    assert.isFalse("polluted" in {}, which)
  }
  const [first, second] = report.requests
  const wait = first === undefined || second === undefined ? Number.NaN : second.at - first.at
  if (played.waitMillis !== undefined) assert.isAtLeast(wait, played.waitMillis, `${which}: the wait`)
  if (played.mostWaitMillis !== undefined) assert.isBelow(wait, played.mostWaitMillis, `${which}: the wait`)
  if (played.mostBytes !== undefined) assert.isBelow(report.bytesSent, played.mostBytes, `${which}: bytes sent`)
}

const playAll = (row: number, played: ReadonlyArray<Case>, transport: Transport) =>
  Effect.gen(function* () {
    const observed = yield* Effect.forEach(played, (one, index) => play(one, transport, index), { concurrency: 8 })
    for (const [index, one] of played.entries()) {
      const result = observed[index]
      if (result !== undefined) check(one, transport, result)
    }
    intoTable({
      row,
      transport: transport.name,
      cases: played.length,
      outcomes: [...new Set(played.map((one) => nameOf(expectedOf(one, transport).outcome)))].join(" | "),
      requests: [...new Set(observed.map(({ report }) => report.requests.length))].join(", "),
      deviates: played.some(({ deviations }) => deviations?.[transport.name] !== undefined) ? "yes" : ""
    })
  })

layer(Layer.merge(FaultServer.layer, Layer.scopedDiscard(brokenNames)), { excludeTestServices: true })(
  "the faults of one call",
  (it) => {
    for (const transport of transports) {
      for (const row of rows) {
        const played = cases.filter((one) => one.row === row)
        it.effect(`row ${row} on ${transport.name}: ${played.map(({ name }) => name).join("; ")}`, () =>
          playAll(row, played, transport)
        )
      }

      it.effect(`row 40 on ${transport.name}: ${BOMB}`, () =>
        Effect.flatMap(Effect.promise(bomb), (bomb) => playAll(40, [bomb], transport))
      )

      it.scoped(`row 50 on ${transport.name}: redirects reach no other origin`, () =>
        Effect.gen(function* () {
          const stranger = yield* (yield* FaultServer).listen()
          yield* playAll(50, strangers(stranger.url, "?itself"), transport)
          assert.strictEqual((yield* stranger.sockets).ever, 0)
        })
      )
    }
  }
)
