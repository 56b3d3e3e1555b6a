/**
 * Runs in a process of its own: `recordProbe.ts <transport> <base URL> <task> <size>`. Does a task with the store of that name,
 * after a small one with the store `~warm-up`, and prints the outcome, how much went through, and by how many bytes the memory
 * in use grew at most. The size is in MiB, or in keys.
 */
import {
  type ApifyClient,
  type GetRecordError,
  getRecord,
  type ListKeysError,
  listKeys,
  type PutRecordError,
  putRecord,
  streamRecord
} from "@effect-apify/http"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { heap } from "../../../../vitest.heap.js"
import { othersSettle, SimulatedClock } from "../simulatedTime.js"
import { patient } from "./cases.js"
import { transports } from "./transports.js"

const MEBIBYTE = 1024 * 1024
const LOOKS = 20
const WARM_UP = 4

const [name, baseUrl = "", task = "", size = ""] = process.argv.slice(2)
const transport = transports.find((one) => one.name === name)

/** Counts what goes through, and looks at the memory in use meanwhile. */
class Gauge {
  through = 0
  most = 0
  private next: number

  constructor(
    readonly total: number,
    private readonly every: number
  ) {
    this.next = every
  }

  pass(amount: number): Effect.Effect<void> {
    this.through += amount
    if (this.through < this.next) return Effect.void
    this.next = this.through + this.every
    return this.look
  }

  get look(): Effect.Effect<void> {
    return Effect.map(heap, (bytes) => {
      this.most = Math.max(this.most, bytes)
    })
  }
}

const download = (store: string, pass: (amount: number) => Effect.Effect<void>) =>
  streamRecord(store, "OUTPUT").pipe(
    Effect.flatMap(({ bytes }) => Stream.runForEach(bytes, (chunk) => pass(chunk.length))),
    Effect.scoped
  )

const upload = (store: string, gauge: Gauge, options = {}) =>
  putRecord(
    store,
    "OUTPUT",
    Stream.repeatEffect(Effect.suspend(() => Effect.map(gauge.pass(MEBIBYTE), () => new Uint8Array(MEBIBYTE)))).pipe(
      Stream.take(gauge.total / MEBIBYTE)
    ),
    options
  )

/** Time stands still until all has arrived that ever will, and then it passes. */
const untilItStalls = <A, E, R>(effect: Effect.Effect<A, E, R>, gauge: Gauge) =>
  Effect.gen(function* () {
    const clock = new SimulatedClock(0)
    const fiber = yield* Effect.fork(Effect.withClock(effect, clock))
    while (fiber.unsafePoll() === null) {
      yield* othersSettle
      if (gauge.through === gauge.total) clock.advance()
    }
    return yield* fiber
  })

const played = (
  store: string,
  gauge: Gauge
): Effect.Effect<unknown, PutRecordError | GetRecordError | ListKeysError, ApifyClient.ApifyClient> => {
  const pass = (amount: number) => gauge.pass(amount)
  switch (task) {
    case "slow":
      return download(store, (amount) => Effect.zipRight(Effect.repeatN(othersSettle, 20), pass(amount)))
    case "stalled":
      return untilItStalls(download(store, pass), gauge)
    case "put":
    case "put-cut":
      return upload(store, gauge)
    case "put-gzip":
      return upload(store, gauge, { gzip: true })
    case "keys":
      return Stream.runForEach(listKeys(store), () => pass(1))
    case "whole":
      return getRecord(store, "OUTPUT", { maxBodyBytes: MEBIBYTE })
    default:
      return download(store, pass)
  }
}

const outcomeOf = (store: string, gauge: Gauge) =>
  Effect.match(played(store, gauge), {
    onFailure: (error) => ("reason" in error ? `${error._tag} ${error.reason}` : error._tag),
    onSuccess: () => "success"
  })

const unit = task === "keys" ? 1 : MEBIBYTE

const program = Effect.gen(function* () {
  // The code and the transport reach their final size.
  yield* Effect.repeatN(
    Effect.suspend(() => outcomeOf("~warm-up", new Gauge(WARM_UP * unit, Number.POSITIVE_INFINITY))),
    4
  )
  const total = Number(size) * unit
  const gauge = new Gauge(total, total / LOOKS)
  yield* gauge.look
  const before = gauge.most
  const outcome = yield* outcomeOf(`~${task}`, gauge)
  yield* gauge.look
  return {
    outcome,
    through: gauge.through / unit,
    grown: gauge.most - before
  }
})

if (transport !== undefined) {
  const client = transport.client({ ...patient, baseUrl, retry: { retries: 0 } })
  const result = await Effect.runPromise(Effect.provide(program, client))
  process.stdout.write(JSON.stringify(result), () => process.exit())
}
