/**
 * Clients that send paced requests for one store as fast as they are let.
 */
import { monitorEventLoopDelay } from "node:perf_hooks"
import { DEMO_TOKEN } from "@effect-apify/emulator"
import * as Chunk from "effect/Chunk"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
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

/** How often it is looked whether a process stands still, in milliseconds. */
const STALL_RESOLUTION = 5

/** More than a client gets slots for. */
const WORKERS = 24

export const Sent = Schema.parseJson(
  Schema.Struct({
    served: Schema.Int,
    /** With a 429. */
    limited: Schema.Int,
    /** With anything else. */
    failed: Schema.Int,
    /** Whether the client had to do without the shared limiter: the machine was too slow for its response. */
    isAlone: Schema.Boolean,
    /** The longest time that the process stood still, in milliseconds. */
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

/** What an effect gives, and for how many milliseconds at most the process stood still meanwhile. */
export const withStall = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<[A, number], E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const delay = monitorEventLoopDelay({ resolution: STALL_RESOLUTION })
      delay.enable()
      return delay
    }),
    (delay) => Effect.map(effect, (value) => [value, Math.max(0, delay.max / 1e6 - STALL_RESOLUTION)]),
    (delay) => Effect.sync(() => delay.disable())
  )

/** Sends for that long, and one request at least. */
export const sendAll = (rate: RateClass, url: string, pacing: Layer.Layer<Pacing>, duration: Duration.Duration) =>
  Effect.suspend(() => {
    const sent = { served: 0, limited: 0, failed: 0, isAlone: false }
    const send = Effect.map(pacedCall(rate), (outcome) => {
      if (outcome === "served" || outcome === "RecordNotFoundError") sent.served += 1
      else if (outcome === "RateLimitedError") sent.limited += 1
      else sent.failed += 1
    })
    const workers = Array.from({ length: WORKERS }, () => Effect.forever(send))
    const logger = Logger.make(({ message }) => {
      sent.isAlone ||= String(message).includes("The shared rate limiter is out of reach")
    })
    const client = Layer.provide(
      ApifyClient.layer({
        baseUrl: url,
        token: Redacted.make(DEMO_TOKEN),
        attemptTimeout: "1 hour",
        callTimeout: "1 hour",
        retry: { retries: 0 }
      }),
      [UndiciTransport.layer, pacing]
    )
    return withStall(
      Effect.zipRight(send, Effect.timeoutOption(Effect.all(workers, { concurrency: "unbounded" }), duration))
    ).pipe(
      Effect.map(([, stalled]) => ({ ...sent, stalled })),
      Effect.provide(client),
      Effect.provide(Logger.replace(Logger.defaultLogger, logger))
    )
  })
