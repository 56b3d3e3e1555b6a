/**
 * Spans and metrics of a call.
 */

import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpTraceContext from "@effect/platform/HttpTraceContext"
import type { GetStoreError } from "@effect-apify/domain/GetStoreError"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import type * as MetricLabel from "effect/MetricLabel"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

/** Where a call reports to. A class, for it lives as long as a call: docs/decisions/0011. */
export class Telemetry {
  constructor(
    readonly operation: string,
    /** None where no tracer was installed. */
    readonly tracer: Option.Option<Tracer.Tracer>,
    /** What the caller tags its metrics with. */
    readonly labels: ReadonlyArray<MetricLabel.MetricLabel>
  ) {}
}

/** The tracer that is there when none was installed: what it records nobody sees. */
const noTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

const isInstalled = (tracer: Tracer.Tracer): boolean => tracer !== noTracer

/** What makes an attempt with a request and, where there is a tracer, a span. */
export type MakeAttempt<A> = (
  request: HttpClientRequest.HttpClientRequest,
  span: Option.Option<Tracer.Span>
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
  { tracer }: Telemetry,
  request: HttpClientRequest.HttpClientRequest,
  resends: number,
  propagates: Effect.Effect<boolean>,
  attempt: MakeAttempt<A>
): Effect.Effect<A, GetStoreError> =>
  Option.isNone(tracer)
    ? attempt(request, Option.none())
    : Effect.useSpan(
        request.method,
        { kind: "client", captureStackTrace: false, attributes: attributesOf(request, resends) },
        (span) =>
          Effect.flatMap(propagates, (propagate) =>
            attempt(
              propagate ? HttpClientRequest.setHeaders(request, HttpTraceContext.toHeaders(span)) : request,
              Option.some(span)
            )
          ).pipe(Effect.tapError((error) => Effect.sync(() => span.attribute("error.type", error._tag))))
      )

// A metric whose tags are in its key is looked up once, one that `Metric.tagged` makes at each update: what is updated with every
// call is made of these.

export const callsKey = MetricKey.counter("apify_calls", {
  description: "Calls that ended, by operation and outcome",
  incremental: true
})

export const attemptsKey = MetricKey.counter("apify_attempts", {
  description: "Requests sent, by operation",
  incremental: true
})

export const retriesKey = MetricKey.counter("apify_retries", {
  description: "Attempts that were followed by another, by operation and error",
  incremental: true
})

export const latencyKey = MetricKey.histogram(
  "apify_call_latency_ms",
  MetricBoundaries.exponential({ start: 1, factor: 2, count: 18 }),
  "How long calls took, in milliseconds, by operation"
)

/** A metric for each operation and value, looked up in the registry once. */
const memoized = <M>(make: (operation: string, value: string) => M): ((operation: string, value?: string) => M) => {
  const made = new Map<string, M>()
  return (operation, value = "") => {
    const key = `${operation}/${value}`
    const known = made.get(key)
    if (known !== undefined) return known
    const metric = make(operation, value)
    made.set(key, metric)
    return metric
  }
}

const callsOf = memoized((operation, outcome) =>
  Metric.fromMetricKey(callsKey.pipe(MetricKey.tagged("operation", operation), MetricKey.tagged("outcome", outcome)))
)
const retriesOf = memoized((operation, error) =>
  Metric.fromMetricKey(retriesKey.pipe(MetricKey.tagged("operation", operation), MetricKey.tagged("error", error)))
)
const attemptsOf = memoized((operation) => Metric.fromMetricKey(MetricKey.tagged(attemptsKey, "operation", operation)))
const latencyOf = memoized((operation) => Metric.fromMetricKey(MetricKey.tagged(latencyKey, "operation", operation)))

const labelOf = (exit: Exit.Exit<unknown, GetStoreError>): string => {
  if (Exit.isSuccess(exit)) return "success"
  if (Cause.isInterruptedOnly(exit.cause)) return "interrupted"
  return Option.match(Cause.failureOption(exit.cause), { onNone: () => "defect", onSome: ({ _tag }) => _tag })
}

/** A call that has been told where to report to, and which fiber makes it. */
export type Reporting<A> = (
  telemetry: Telemetry,
  fiber: Fiber.RuntimeFiber<unknown, unknown>
) => Effect.Effect<A, GetStoreError>

/** Gives a call a span where there is a tracer. */
export const withCallSpan = <A>(operation: string, ref: string, call: Reporting<A>): Effect.Effect<A, GetStoreError> =>
  Effect.withFiberRuntime((fiber) => {
    const tracer = Option.liftPredicate(fiber.currentTracer, isInstalled)
    const telemetry = new Telemetry(operation, tracer, fiber.getFiberRef(FiberRef.currentMetricLabels))
    return Option.isNone(tracer)
      ? call(telemetry, fiber)
      : Effect.withSpan(
          // The fiber has the span by then.
          Effect.withFiberRuntime((fiber) => call(telemetry, fiber)),
          `ApifyClient.${operation}`,
          { attributes: { "apify.store.ref": ref }, captureStackTrace: false }
        )
  })

/** Counts and times a call that has ended. */
export const countCall = (
  { labels, operation }: Telemetry,
  millis: number,
  exit: Exit.Exit<unknown, GetStoreError>
): void => {
  latencyOf(operation).unsafeUpdate(millis, labels)
  callsOf(operation, labelOf(exit)).unsafeUpdate(1, labels)
}

/** Counts a request. */
export const countAttempt = ({ labels, operation }: Telemetry): void => attemptsOf(operation).unsafeUpdate(1, labels)

/** Counts a retry. */
export const countRetry = ({ labels, operation }: Telemetry, error: GetStoreError): void =>
  retriesOf(operation, error._tag).unsafeUpdate(1, labels)
