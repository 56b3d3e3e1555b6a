/**
 * Spans and metrics of a call.
 */

import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpTraceContext from "@effect/platform/HttpTraceContext"
import type { GetStoreError } from "@effect-apify/domain"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import * as Metrics from "../Metrics.js"

/** Whether requests tell the server of the span that they belong to, as `HttpClient`'s own do. */
const propagates = Effect.zipWith(
  FiberRef.get(FiberRef.currentTracerEnabled),
  FiberRef.get(HttpClient.currentTracerPropagation),
  (enabled, propagation) => enabled && propagation
)

/**
 * The span of one attempt, as OpenTelemetry's conventions for HTTP clients have it. `HttpClient`'s own span records every
 * header that a server sends, and a server may send a token back: so this one takes its place.
 */
export const withAttemptSpan = <A>(
  request: HttpClientRequest.HttpClientRequest,
  url: URL,
  resends: number,
  attempt: (request: HttpClientRequest.HttpClientRequest, span: Tracer.Span) => Effect.Effect<A, GetStoreError>
): Effect.Effect<A, GetStoreError> =>
  Effect.useSpan(
    request.method,
    {
      kind: "client",
      captureStackTrace: false,
      attributes: {
        "http.request.method": request.method,
        "server.address": url.hostname,
        "server.port": url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port),
        "url.full": url.href,
        ...(resends === 0 ? {} : { "http.request.resend_count": resends })
      }
    },
    (span) =>
      Effect.flatMap(propagates, (propagate) =>
        attempt(propagate ? HttpClientRequest.setHeaders(request, HttpTraceContext.toHeaders(span)) : request, span)
      ).pipe(
        Effect.tapError((error) => Effect.sync(() => span.attribute("error.type", error._tag))),
        Effect.withParentSpan(span)
      )
  )

const outcomeOf = (exit: Exit.Exit<unknown, GetStoreError>): string => {
  if (Exit.isSuccess(exit)) return "success"
  if (Cause.isInterruptedOnly(exit.cause)) return "interrupted"
  return Option.match(Cause.failureOption(exit.cause), { onNone: () => "defect", onSome: ({ _tag }) => _tag })
}

const tagged = (counter: Metric.Metric.Counter<number>, operation: string, key: string, value: string) =>
  Metric.tagged(Metric.tagged(counter, "operation", operation), key, value)

/** Counts and times a call, whichever way it ends, in a span of its own. */
export const withCallTelemetry =
  (operation: string, ref: string) =>
  <A>(call: Effect.Effect<A, GetStoreError>): Effect.Effect<A, GetStoreError> =>
    Effect.flatMap(Clock.currentTimeNanos, (start) =>
      Effect.onExit(call, (exit) =>
        Effect.flatMap(Clock.currentTimeNanos, (end) =>
          Effect.zipRight(
            Metric.update(Metric.tagged(Metrics.latency, "operation", operation), Number(end - start) / 1e6),
            Metric.increment(tagged(Metrics.calls, operation, "outcome", outcomeOf(exit)))
          )
        )
      )
    ).pipe(
      Effect.withSpan(`ApifyClient.${operation}`, { attributes: { "apify.store.ref": ref }, captureStackTrace: false })
    )

/** Counts a request. */
export const countAttempt = (operation: string): Effect.Effect<void> =>
  Metric.increment(Metric.tagged(Metrics.attempts, "operation", operation))

/** Counts a retry. */
export const countRetry = (operation: string, error: GetStoreError): Effect.Effect<void> =>
  Metric.increment(tagged(Metrics.retries, operation, "error", error._tag))
