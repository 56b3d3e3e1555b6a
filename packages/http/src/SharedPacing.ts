/**
 * Keeps many processes within Apify's rate limits together, with the `RateLimiter` of `@effect/experimental`.
 *
 * @since 0.1.0
 */
import * as RateLimiter from "@effect/experimental/RateLimiter"
import { redact } from "@effect-apify/domain/Redaction"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { monotonicMillis } from "./internal/alarm.js"
import { sha256 } from "./internal/sha256.js"
import type { RateClass } from "./Operation.js"
import { Pacing, type Service, type Slot } from "./Pacing.js"

/**
 * The windows of the limiter. Each has one permit, for this many requests. Redis takes only whole milliseconds. 55.6 and 185 requests a second: of sixty or two hundred and one requests the first may be sent 79 ms late, and no
 * second has more than Apify allows.
 */
const WINDOWS: Readonly<Record<RateClass, { readonly millis: number; readonly requests: number }>> = {
  resource: { millis: 18, requests: 1 },
  record: { millis: 27, requests: 5 }
}

/** How late a slot may be used. The rest of the 79 ms is for what the network adds. */
const TURN_LASTS = Duration.millis(60)

/** How long to wait for the limiter. */
const PATIENCE = Duration.seconds(1)

/** How long to do without a limiter that is out of reach. */
const OUTAGE = Duration.seconds(10)

/**
 * Keeps all clients that share a `RateLimiter` within Apify's rate limits together: all that have the same base URL and token
 * share one rate for each store and class of requests, 55.6 requests a second, or 185 for records. Only operations that send
 * many requests ask the limiter, one at a time for each store. Source of the limits: Apify's API documentation, under "Rate
 * limiting".
 *
 * With the limiter's store in Redis the clients can be on any number of machines; that needs the package `ioredis`, 5.3 or a later 5.
 * With `RateLimiter.layerStoreMemory` they are in one process. If the limiter fails, or takes longer than a second, each client
 * paces its calls by itself and tries again every ten seconds; each such outage is logged once as a warning.
 *
 * @example
 * ```ts
 * import * as RateLimiter from "@effect/experimental/RateLimiter"
 * import * as RateLimiterRedis from "@effect/experimental/RateLimiter/Redis"
 * import { ApifyClient, FetchTransport } from "@effect-apify/http"
 * import * as SharedPacing from "@effect-apify/http/SharedPacing"
 * import * as Layer from "effect/Layer"
 *
 * const pacing = SharedPacing.layer.pipe(
 *   Layer.provide(RateLimiter.layer),
 *   Layer.provide(RateLimiterRedis.layerStore({ host: "localhost" }))
 * )
 *
 * const client = Layer.provide(ApifyClient.layerConfig, [FetchTransport.layer, pacing])
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Pacing, never, RateLimiter.RateLimiter> = /* @__PURE__ */ Layer.effect(
  Pacing,
  /* @__PURE__ */ Effect.map(RateLimiter.RateLimiter, (limiter) => Option.some(make(limiter)))
)

const make = (limiter: RateLimiter.RateLimiter): Service => {
  let isOut = false
  let triesAgainAt = Number.NEGATIVE_INFINITY

  const requestSlot = (key: string, rate: RateClass): Effect.Effect<Slot> => {
    const { millis, requests } = WINDOWS[rate]
    return limiter
      .consume({ key, limit: 1, window: Duration.millis(millis), onExceeded: "delay" })
      .pipe(
        Effect.timeout(PATIENCE),
        Effect.map(({ delay }) => {
          isOut = false
          return { delay, lasts: TURN_LASTS, requests }
        })
      )
      .pipe(Effect.catchAllCause((cause) => outage(cause)))
  }

  const outage = (cause: Cause.Cause<unknown>): Effect.Effect<Slot> =>
    Effect.clockWith((clock) => {
      triesAgainAt = monotonicMillis(clock) + Duration.toMillis(OUTAGE)
      const isKnown = isOut
      isOut = true
      return Effect.as(isKnown ? Effect.void : Effect.logWarning(describeOutage(cause)), ownSlot(OUTAGE))
    })

  return {
    slotsOf: ({ baseUrl, token }) =>
      Effect.map(hashOf(token), (hash) => ({
        next: (store, rate) =>
          Effect.clockWith((clock) => {
            const left = triesAgainAt - monotonicMillis(clock)
            return left > 0
              ? Effect.succeed(ownSlot(Duration.millis(left)))
              : requestSlot(["apify", baseUrl, hash, store, rate].join(" "), rate)
          })
      }))
  }
}

/** A slot in which the client paces its calls by itself. */
const ownSlot = (lasts: Duration.Duration): Slot => ({
  delay: Duration.zero,
  lasts,
  requests: Number.POSITIVE_INFINITY
})

const describeOutage = (cause: Cause.Cause<unknown>): string =>
  `The shared rate limiter is out of reach (${redact(Cause.pretty(cause).split("\n")[0] ?? "")}). ` +
  `This process paces its calls to Apify by itself, and tries again every ${Duration.format(OUTAGE)}.`

/** What the limiter knows a token by. */
const hashOf = (token: Option.Option<Redacted.Redacted>): Effect.Effect<string> =>
  Option.match(token, {
    onNone: () => Effect.succeed("none"),
    onSome: (token) => Effect.map(sha256(Redacted.value(token)), (hash) => hash.slice(0, 32))
  })
