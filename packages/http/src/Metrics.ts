/**
 * What a client counts and times. Every metric is tagged with the `operation`.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"

/**
 * Calls that ended, by `outcome`: `success`, the tag of the error, or `interrupted`.
 *
 * @since 0.1.0
 * @category metrics
 */
export const calls: Metric.Metric.Counter<number> = Metric.counter("apify_calls", {
  description: "Calls that ended, by outcome",
  incremental: true
})

/**
 * Requests sent.
 *
 * @since 0.1.0
 * @category metrics
 */
export const attempts: Metric.Metric.Counter<number> = Metric.counter("apify_attempts", {
  description: "Requests sent",
  incremental: true
})

/**
 * Attempts that were followed by another, by the `error` that ended them.
 *
 * @since 0.1.0
 * @category metrics
 */
export const retries: Metric.Metric.Counter<number> = Metric.counter("apify_retries", {
  description: "Attempts that were followed by another, by error",
  incremental: true
})

/**
 * How long calls took, from 1 ms on, in milliseconds.
 *
 * @since 0.1.0
 * @category metrics
 */
export const latency: Metric.Metric.Histogram<number> = Metric.histogram(
  "apify_call_latency_ms",
  MetricBoundaries.exponential({ start: 1, factor: 2, count: 18 }),
  "How long calls took, in milliseconds"
)
