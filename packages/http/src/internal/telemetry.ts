/**
 * Spans and metrics of a call.
 */

import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpTraceContext from "@effect/platform/HttpTraceContext"
import type { GetStoreError } from "@effect-apify/domain"
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Metric from "effect/Metric"
import * as MetricKey from "effect/MetricKey"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { monotonicMillis } from "./alarm.js"
import * as metricKeys from "./metricKeys.js"

/** The tracer that is there when none was installed: what it records nobody sees. */
const noTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** Whether requests tell the server of the span that they belong to, as `HttpClient`'s own do. */
const propagates = Effect.zipWith(
  FiberRef.get(FiberRef.currentTracerEnabled),
  FiberRef.get(HttpClient.currentTracerPropagation),
  (enabled, propagation) => enabled && propagation
)

/** An attempt that has been given a request, and reports the status of its answer. */
export type Attempt<A> = (
  request: HttpClientRequest.HttpClientRequest,
  onStatus: (status: number) => void
) => Effect.Effect<A, GetStoreError>

const attributesOf = (request: HttpClientRequest.HttpClientRequest, resends: number) => {
  const url = new URL(request.url)
  return {
    "http.request.method": request.method,
    "server.address": url.hostname,
    "server.port": url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port),
    "url.full": url.href,
    ...(resends === 0 ? {} : { "http.request.resend_count": resends })
  }
}

/**
 * Gives an attempt a span, as OpenTelemetry's conventions for HTTP clients have it, where there is a tracer. `HttpClient`'s
 * own span records every header that a server sends, and a server may send a token back: so this one takes its place.
 */
export const withAttemptSpan = <A>(
  request: HttpClientRequest.HttpClientRequest,
  resends: number,
  attempt: Attempt<A>
): Effect.Effect<A, GetStoreError> =>
  Effect.tracerWith((tracer) =>
    tracer === noTracer
      ? attempt(request, () => {})
      : Effect.useSpan(
          request.method,
          { kind: "client", captureStackTrace: false, attributes: attributesOf(request, resends) },
          (span) =>
            Effect.flatMap(propagates, (propagate) =>
              attempt(
                propagate ? HttpClientRequest.setHeaders(request, HttpTraceContext.toHeaders(span)) : request,
                (status) => span.attribute("http.response.status_code", status)
              )
            ).pipe(
              Effect.tapError((error) => Effect.sync(() => span.attribute("error.type", error._tag))),
              Effect.withParentSpan(span)
            )
        )
  )

const memoized = <A>(make: (operation: string, value: string) => A): ((operation: string, value: string) => A) => {
  const made = new Map<string, A>()
  return (operation, value) => {
    const key = `${operation}/${value}`
    const known = made.get(key)
    if (known !== undefined) return known
    const metric = make(operation, value)
    made.set(key, metric)
    return metric
  }
}

const callsOf = memoized((operation, outcome) =>
  Metric.fromMetricKey(
    metricKeys.calls.pipe(MetricKey.tagged("operation", operation), MetricKey.tagged("outcome", outcome))
  )
)
const retriesOf = memoized((operation, error) =>
  Metric.fromMetricKey(
    metricKeys.retries.pipe(MetricKey.tagged("operation", operation), MetricKey.tagged("error", error))
  )
)
const attemptsOf = memoized((operation) =>
  Metric.fromMetricKey(MetricKey.tagged(metricKeys.attempts, "operation", operation))
)
const latencyOf = memoized((operation) =>
  Metric.fromMetricKey(MetricKey.tagged(metricKeys.latency, "operation", operation))
)

const outcomeOf = (exit: Exit.Exit<unknown, GetStoreError>): string => {
  if (Exit.isSuccess(exit)) return "success"
  if (Cause.isInterruptedOnly(exit.cause)) return "interrupted"
  return Option.match(Cause.failureOption(exit.cause), { onNone: () => "defect", onSome: ({ _tag }) => _tag })
}

/** Counts and times a call, whichever way it ends, and gives it a span where there is a tracer. */
export const withCallTelemetry = <A>(
  operation: string,
  ref: string,
  clock: Clock.Clock,
  call: Effect.Effect<A, GetStoreError>
): Effect.Effect<A, GetStoreError> => {
  const start = monotonicMillis(clock)
  const counted = Effect.onExit(call, (exit) =>
    Effect.zipRight(
      Metric.update(latencyOf(operation, ""), monotonicMillis(clock) - start),
      Metric.increment(callsOf(operation, outcomeOf(exit)))
    )
  )
  return Effect.tracerWith((tracer) =>
    tracer === noTracer
      ? counted
      : Effect.withSpan(counted, `ApifyClient.${operation}`, {
          attributes: { "apify.store.ref": ref },
          captureStackTrace: false
        })
  )
}

/** Counts a request. */
export const countAttempt = (operation: string): Effect.Effect<void> => Metric.increment(attemptsOf(operation, ""))

/** Counts a retry. */
export const countRetry = (operation: string, error: GetStoreError): Effect.Effect<void> =>
  Metric.increment(retriesOf(operation, error._tag))
