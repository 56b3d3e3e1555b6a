/**
 * The metrics of a client. Each is kept for each value of its tags, so reading one takes its tags:
 * `Metric.value(Metrics.attempts.pipe(Metric.tagged("operation", "getStore")))`.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"
import { attemptsKey, callsKey, latencyKey, requestDurationKey, retriesKey } from "./internal/telemetry.js"

/**
 * Calls that ended, by `operation` and `outcome`: `success`, the tag of the error, `interrupted`, or `defect`.
 *
 * @example
 * ```ts
 * import { Metrics } from "@effect-apify/http"
 * import * as Metric from "effect/Metric"
 *
 * const found = Metrics.calls.pipe(Metric.tagged("operation", "getStore"), Metric.tagged("outcome", "success"))
 * const count = Metric.value(found)
 * ```
 *
 * @since 0.1.0
 * @category metrics
 */
export const calls: Metric.Metric.Counter<number> = Metric.fromMetricKey(callsKey)

/**
 * Requests sent, by `operation`.
 *
 * @example
 * ```ts
 * import { Metrics } from "@effect-apify/http"
 * import * as Metric from "effect/Metric"
 *
 * const count = Metric.value(Metrics.attempts.pipe(Metric.tagged("operation", "getStore")))
 * ```
 *
 * @since 0.1.0
 * @category metrics
 */
export const attempts: Metric.Metric.Counter<number> = Metric.fromMetricKey(attemptsKey)

/**
 * Attempts that were followed by another, by `operation` and the `error` that ended them.
 *
 * @example
 * ```ts
 * import { Metrics } from "@effect-apify/http"
 * import * as Metric from "effect/Metric"
 *
 * const limited = Metrics.retries.pipe(
 *   Metric.tagged("operation", "getRecord"),
 *   Metric.tagged("error", "RateLimitedError")
 * )
 * const count = Metric.value(limited)
 * ```
 *
 * @since 0.1.0
 * @category metrics
 */
export const retries: Metric.Metric.Counter<number> = Metric.fromMetricKey(retriesKey)

/**
 * The duration of calls in milliseconds, by `operation`. The first bucket ends at 1 ms.
 *
 * @example
 * ```ts
 * import { Metrics } from "@effect-apify/http"
 * import * as Metric from "effect/Metric"
 *
 * const latency = Metric.value(Metrics.latency.pipe(Metric.tagged("operation", "getStore")))
 * ```
 *
 * @since 0.1.0
 * @category metrics
 */
export const latency: Metric.Metric.Histogram<number> = Metric.fromMetricKey(latencyKey)

/**
 * The duration of requests in seconds: `http.client.request.duration` of OpenTelemetry's conventions for HTTP clients, with
 * their attributes as tags: `http.request.method`, `server.address`, `server.port`, and where they are known
 * `http.response.status_code`, `network.protocol.version` and `error.type`, which is the tag of the error, `interrupted` or
 * `defect`. One more tag is `unit`, from which `@effect/opentelemetry` takes the unit. A request whose response is read as a
 * stream ends when the response begins.
 *
 * @example
 * ```ts
 * import { Metrics } from "@effect-apify/http"
 * import * as Effect from "effect/Effect"
 * import * as Metric from "effect/Metric"
 *
 * // Of requests with any tags: a value of its own for each server, status and so on.
 * const all = Effect.map(Metric.snapshot, (pairs) =>
 *   pairs.filter(({ metricKey }) => metricKey.name === "http.client.request.duration")
 * )
 * ```
 *
 * @since 0.1.0
 * @category metrics
 */
export const requestDuration: Metric.Metric.Histogram<number> = Metric.fromMetricKey(requestDurationKey)
