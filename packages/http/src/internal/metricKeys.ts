/**
 * The keys of the metrics. A metric whose tags are in its key is looked up once, one that `Metric.tagged` makes at each
 * update: what is updated with every call is made of these.
 */
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"

export const calls = MetricKey.counter("apify_calls", {
  description: "Calls that ended, by operation and outcome",
  incremental: true
})

export const attempts = MetricKey.counter("apify_attempts", {
  description: "Requests sent, by operation",
  incremental: true
})

export const retries = MetricKey.counter("apify_retries", {
  description: "Attempts that were followed by another, by operation and error",
  incremental: true
})

export const latency = MetricKey.histogram(
  "apify_call_latency_ms",
  MetricBoundaries.exponential({ start: 1, factor: 2, count: 18 }),
  "How long calls took, in milliseconds, by operation"
)
