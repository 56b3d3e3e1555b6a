/**
 * Clients that send paced requests for one store as fast as they are let, and how the machine kept time meanwhile.
 */
import { DEMO_TOKEN } from "@effect-apify/emulator"
import * as Chunk from "effect/Chunk"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  ApifyClient,
  type CallOptions,
  type GetRecordError,
  type GetStoreError,
  getRecords,
  getStores,
  type RateClass
} from "../src/index.js"
import type { Pacing } from "../src/Pacing.js"
import * as UndiciTransport from "../src/UndiciTransport.js"

export const STORE = "WkzbQMuFYuamGv3YF"

/** More than a client gets turns for. */
const WORKERS = 24

/** The event loop should get to a timer sooner than that, or the machine did not keep time. */
const ON_TIME_MILLIS = 20

export const Sent = Schema.parseJson(
  Schema.Struct({
    served: Schema.Int,
    /** With a 429. */
    limited: Schema.Int,
    /** With anything else. */
    failed: Schema.Int,
    /** How long the event loop stood still, in milliseconds: the longest time, and all times together. */
    longestStall: Schema.Number,
    stalled: Schema.Number
  })
)

export interface Sent extends Schema.Schema.Type<typeof Sent> {}

const outcomeOf = Either.match({ onLeft: ({ _tag }: GetStoreError | GetRecordError) => _tag, onRight: () => "served" })

/** A paced call of that class. What it ends with: `served`, or the tag of its error. */
export const pacedCall = (
  rate: RateClass,
  store: string = STORE,
  options: CallOptions = {}
): Effect.Effect<string, never, ApifyClient.ApifyClient> =>
  // One stream for each call: those of one stream share their requests.
  Effect.suspend(() =>
    Stream.runCollect(
      rate === "resource"
        ? Stream.map(getStores([store], options), ({ result }) => outcomeOf(result))
        : Stream.map(getRecords(store, ["no-such-record"], options), ({ result }) => outcomeOf(result))
    )
  ).pipe(Effect.map(Chunk.join(" ")))

/** A process is slow at first: what happens then does not count. */
export const WARM_UP = Duration.millis(700)

/** Sends for that long, after it has warmed up. */
export const sendAll = (rate: RateClass, url: string, pacing: Layer.Layer<Pacing>, duration: Duration.Duration) =>
  Effect.gen(function* () {
    const sent = { served: 0, limited: 0, failed: 0, longestStall: 0, stalled: 0 }
    const worker = Effect.forever(
      Effect.map(pacedCall(rate), (outcome) => {
        if (outcome === "served" || outcome === "RecordNotFoundError") sent.served += 1
        else if (outcome === "RateLimitedError") sent.limited += 1
        else sent.failed += 1
      })
    )
    yield* Effect.scoped(
      Effect.gen(function* () {
        yield* watchStalls(sent)
        yield* Effect.forkScoped(
          Effect.delay(
            Effect.sync(() => Object.assign(sent, { served: 0, limited: 0, failed: 0, longestStall: 0, stalled: 0 })),
            WARM_UP
          )
        )
        yield* Effect.timeoutOption(
          Effect.all(
            Array.from({ length: WORKERS }, () => worker),
            { concurrency: "unbounded" }
          ),
          Duration.sum(WARM_UP, duration)
        )
      })
    )
    return sent
  }).pipe(
    Effect.provide(
      Layer.provide(
        ApifyClient.layer({
          baseUrl: url,
          token: Redacted.make(DEMO_TOKEN),
          attemptTimeout: "1 hour",
          callTimeout: "1 hour",
          retry: { retries: 0 }
        }),
        [UndiciTransport.layer, pacing]
      )
    )
  )

/** Adds up when the event loop stands still, until the scope ends. */
export const watchStalls = (sent: { longestStall: number; stalled: number }) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      let last = performance.now()
      return setInterval(() => {
        const now = performance.now()
        const late = now - last - 5
        last = now
        if (late <= ON_TIME_MILLIS) return
        sent.longestStall = Math.max(sent.longestStall, late)
        sent.stalled += late
      }, 5)
    }),
    (timer) => Effect.sync(() => clearInterval(timer))
  )
