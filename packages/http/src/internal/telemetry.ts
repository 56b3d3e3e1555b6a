/**
 * Spans and metrics of a call.
 */

import * as Headers from "@effect/platform/Headers"
import * as HttpTraceContext from "@effect/platform/HttpTraceContext"
import type { HttpMethod } from "@effect-apify/domain/HttpMethod"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import * as MetricLabel from "effect/MetricLabel"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Tracer from "effect/Tracer"
import type { ResponseHead, TransportBody, TransportRequest } from "../Transport.js"

/** Where a call reports to. A class, because it lives as long as a call (docs/decisions/0011). */
export class Telemetry {
  constructor(
    readonly operation: string,
    /** The span of the call; `None` where no tracer is installed. */
    readonly span: Option.Option<Tracer.Span>,
    /** What the caller tags its metrics with. */
    readonly labels: ReadonlyArray<MetricLabel.MetricLabel>
  ) {}
}

/**
 * The tracer that is there when none was installed: nobody sees what it records. Where there are two copies of Effect, as of two
 * bundles on one page, both use that of the first.
 */
const noTracer = Context.get(FiberRefs.getOrDefault(FiberRefs.empty(), DefaultServices.currentServices), Tracer.Tracer)

const isInstalled = (tracer: Tracer.Tracer): boolean => tracer !== noTracer

/** Attributes of OpenTelemetry that are the same for all requests of a client. */
export interface ServerAttributes {
  readonly "server.address": string
  readonly "server.port": number
}

export const serverAttributes = (origin: string): ServerAttributes => {
  const { hostname, port, protocol } = new URL(origin)
  return {
    "server.address": hostname.replace(/^\[|\]$/g, ""),
    "server.port": port === "" ? (protocol === "https:" ? 443 : 80) : Number(port)
  }
}

/**
 * Gives an attempt a span, by OpenTelemetry's conventions for HTTP clients, where there is a tracer. It takes the place of
 * `HttpClient`'s own span, which records every response header, and a server may send a token back in one.
 */
export const withAttemptSpan = <A, E>(
  { span: parent }: Telemetry,
  request: TransportRequest,
  /** Without what no span may show. */
  shownPath: string,
  server: ServerAttributes,
  resends: number,
  propagates: Effect.Effect<boolean>,
  attempt: (request: TransportRequest, span: Option.Option<Tracer.Span>) => Effect.Effect<A, E>
): Effect.Effect<A, E> => {
  if (Option.isNone(parent)) return attempt(request, parent)
  const attributes = {
    "http.request.method": request.method,
    ...server,
    "url.full": request.origin + shownPath,
    ...(resends === 0 ? {} : { "http.request.resend_count": resends })
  }
  return useSpan(request.method, new SpanOptions("client", attributes, parent.value), (span) =>
    Effect.flatMap(propagates, (propagate) =>
      attempt(propagate ? new PropagatingRequest(request, span) : request, Option.some(span))
    )
  )
}

/**
 * Runs an effect with a span that does not hold its result: a span may wait for long until it is exported. `Effect.useSpan` would end
 * it with the result, and to take that away around it costs a tenth of a traced call.
 */
const useSpan = <A, E>(
  name: string,
  options: SpanOptions,
  effect: (span: Tracer.Span) => Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.flatMap(Effect.makeSpan(name, options), (span) =>
    Effect.onExit(effect(span), (exit) => endSpan(span, Exit.asVoid(exit)))
  )

const endSpan = (span: Tracer.Span, exit: Exit.Exit<void, unknown>): Effect.Effect<void> =>
  Effect.withFiberRuntime((fiber) => {
    if (Exit.isFailure(exit)) span.attribute("error.type", labelOf(exit))
    const isTimed = fiber.getFiberRef(FiberRef.currentTracerTimingEnabled)
    const clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
    span.end(isTimed ? clock.unsafeCurrentTimeNanos() : 0n, exit)
    return Effect.void
  })

/** A class, because it lives as long as its span (docs/decisions/0011). */
class SpanOptions implements Tracer.SpanOptions {
  readonly captureStackTrace = false

  constructor(
    readonly kind: Tracer.SpanKind,
    readonly attributes: Record<string, unknown>,
    readonly parent?: Tracer.AnySpan
  ) {}
}

/** A request that carries a span. A class, because it lives as long as an attempt (docs/decisions/0011). */
class PropagatingRequest implements TransportRequest {
  readonly method: HttpMethod
  readonly origin: string
  readonly path: string
  readonly headers: Headers.Headers
  readonly body: TransportBody

  constructor({ body, headers, method, origin, path }: TransportRequest, span: Tracer.Span) {
    this.method = method
    this.origin = origin
    this.path = path
    this.headers = Headers.merge(headers, HttpTraceContext.toHeaders(span))
    this.body = body
  }
}

// A metric whose tags are in its key is looked up once, one made by `Metric.tagged` at each update.

export const callsKey = MetricKey.counter("apify_calls", {
  description: "Calls that ended, by operation and outcome",
  incremental: true
})

export const attemptsKey = MetricKey.counter("apify_attempts", {
  description: "Requests sent, by operation",
  incremental: true
})

export const retriesKey = MetricKey.counter("apify_retries", {
  description: "Retries, by operation and error",
  incremental: true
})

export const latencyKey = MetricKey.histogram(
  "apify_call_latency_ms",
  MetricBoundaries.exponential({ start: 1, factor: 2, count: 18 }),
  "How long calls took, in milliseconds, by operation"
)

/**
 * The metric that OpenTelemetry's conventions require, with their buckets:
 * https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#metric-httpclientrequestduration
 * The exporters of `@effect/opentelemetry` take the unit from a tag.
 */
export const requestDurationKey = MetricKey.histogram(
  "http.client.request.duration",
  MetricBoundaries.fromIterable([0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]),
  "How long requests took, in seconds"
).pipe(MetricKey.tagged("unit", "s"))

/** A metric for each combination of values, looked up in the registry once. */
const memoized = <Values extends ReadonlyArray<string>, M>(
  make: (...values: Values) => M
): ((...values: Values) => M) => {
  const made = new Map<string, M>()
  // Most requests have the values of the one before.
  let last: { readonly values: Values; readonly metric: M } | undefined
  return (...values) => {
    if (last?.values.every((value, index) => value === values[index])) return last.metric
    const key = values.join("/")
    const metric = made.get(key) ?? make(...values)
    made.set(key, metric)
    last = { values, metric }
    return metric
  }
}

const callsOf = memoized((operation: string, outcome: string) =>
  Metric.fromMetricKey(callsKey.pipe(MetricKey.tagged("operation", operation), MetricKey.tagged("outcome", outcome)))
)
const retriesOf = memoized((operation: string, error: string) =>
  Metric.fromMetricKey(retriesKey.pipe(MetricKey.tagged("operation", operation), MetricKey.tagged("error", error)))
)
const attemptsOf = memoized((operation: string) =>
  Metric.fromMetricKey(MetricKey.tagged(attemptsKey, "operation", operation))
)
const latencyOf = memoized((operation: string) =>
  Metric.fromMetricKey(MetricKey.tagged(latencyKey, "operation", operation))
)

const requestDurationOf = memoized(
  (method: string, address: string, port: string, status: string, version: string, error: string) => {
    const attributes = {
      "http.request.method": method,
      "server.address": address,
      "server.port": port,
      "http.response.status_code": status,
      "network.protocol.version": version,
      "error.type": error
    }
    const labels = Object.entries(attributes).flatMap(([name, value]) =>
      value === "" ? [] : [MetricLabel.make(name, value)]
    )
    return Metric.fromMetricKey(MetricKey.taggedWithLabels(requestDurationKey, labels))
  }
)

/** `success`, `interrupted`, `defect`, or the tag of the error; `failure` for an error of the caller's that has no tag. */
const labelOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "success"
  if (Cause.isInterruptedOnly(exit.cause)) return "interrupted"
  return Option.match(Cause.failureOption(exit.cause), {
    onNone: () => "defect",
    onSome: (error) => (isTagged(error) ? error._tag : "failure")
  })
}

const isTagged = (error: unknown): error is { readonly _tag: string } =>
  Predicate.hasProperty(error, "_tag") && Predicate.isString(error._tag)

/**
 * Runs a call with what it reports to, and a span where there is a tracer. The fiber does not get the span: that would cost
 * as much as the span. Whatever may need it takes it from the telemetry.
 */
export const withCallSpan = <A, E>(
  operation: string,
  store: Option.Option<string>,
  call: (telemetry: Telemetry, fiber: Fiber.RuntimeFiber<unknown, unknown>) => Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.withFiberRuntime((fiber) => {
    const labels = fiber.getFiberRef(FiberRef.currentMetricLabels)
    return isInstalled(fiber.currentTracer)
      ? useSpan(
          `ApifyClient.${operation}`,
          new SpanOptions("internal", Option.isNone(store) ? {} : { "apify.store.ref": store.value }),
          (span) => call(new Telemetry(operation, Option.some(span), labels), fiber)
        )
      : call(new Telemetry(operation, Option.none(), labels), fiber)
  })

/** Runs an effect with the call's span as the current one. */
export const withinSpan = <A, E, R>({ span }: Telemetry, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Option.match(span, {
    onNone: () => effect,
    onSome: (span) => Effect.provideService(effect, Tracer.ParentSpan, span)
  })

/** Counts and times a call that has ended, and completes its span. */
export const countCall = (
  { labels, operation, span }: Telemetry,
  attempts: number,
  millis: number,
  exit: Exit.Exit<unknown, unknown>
): void => {
  const outcome = labelOf(exit)
  latencyOf(operation).unsafeUpdate(millis, labels)
  callsOf(operation, outcome).unsafeUpdate(1, labels)
  if (Option.isSome(span)) span.value.attribute("apify.call.attempts", attempts)
}

/** Counts a request. */
export const countAttempt = ({ labels, operation }: Telemetry): void => attemptsOf(operation).unsafeUpdate(1, labels)

/** Counts a retry. */
export const countRetry = ({ labels, operation }: Telemetry, error: string): void =>
  retriesOf(operation, error).unsafeUpdate(1, labels)

/** A request, as its metric sees it. */
export interface TimedRequest {
  readonly method: HttpMethod
  readonly server: ServerAttributes
  readonly millis: number
  /** The start of the response, where there was one. */
  readonly head: ResponseHead | undefined
}

/** Times a request that has ended, however it did. */
export const timeRequest = (
  { labels }: Telemetry,
  { head, method, millis, server }: TimedRequest,
  exit: Exit.Exit<unknown, unknown>
): void => {
  requestDurationOf(
    method,
    server["server.address"],
    String(server["server.port"]),
    head === undefined ? "" : String(head.status),
    head?.protocolVersion ?? "",
    Exit.isFailure(exit) ? labelOf(exit) : ""
  ).unsafeUpdate(millis / 1000, labels)
}
