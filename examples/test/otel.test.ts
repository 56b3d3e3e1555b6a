/**
 * What `@effect/opentelemetry` exports of calls, against OpenTelemetry's conventions for HTTP clients:
 * https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client
 */
import * as NodeSdk from "@effect/opentelemetry/NodeSdk"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { DEMO_TOKEN, Emulator } from "@effect-apify/emulator"
import { ApifyClient, deleteRecord, getRecord, getStore, listKeys, putRecord } from "@effect-apify/http"
import { SpanKind, SpanStatusCode } from "@opentelemetry/api"
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  PeriodicExportingMetricReader,
  type ResourceMetrics
} from "@opentelemetry/sdk-metrics"
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { busyServer } from "../busyServer.js"
import { EXAMPLE_STORE } from "../local.js"

const SIGNATURE = "CanarySignature0123456789"

const operations = [
  Effect.ignore(getStore(EXAMPLE_STORE)),
  Effect.ignore(putRecord(EXAMPLE_STORE, "greeting", "Hello")),
  Effect.ignore(getRecord(EXAMPLE_STORE, "missing")),
  Effect.ignore(deleteRecord(EXAMPLE_STORE, "greeting")),
  Effect.ignore(Stream.runDrain(listKeys(EXAMPLE_STORE, { signature: Redacted.make(SIGNATURE) })))
]

const spans = new InMemorySpanExporter()
const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)

const telemetry = NodeSdk.layer(() => ({
  resource: { serviceName: "test" },
  spanProcessor: new SimpleSpanProcessor(spans),
  metricReader: new PeriodicExportingMetricReader({ exporter: metrics })
}))

/** Runs every operation, with a server that is busy at first. */
const program = Effect.gen(function* () {
  const { url } = yield* Emulator
  const client = ApifyClient.layer({ baseUrl: url, token: Redacted.make(DEMO_TOKEN), attemptTimeout: "1 minute" })
  yield* Effect.all(operations).pipe(Effect.provide(Layer.provide(client, busyServer(1))))
  // No server is there.
  const nowhere = ApifyClient.layer({ baseUrl: "http://127.0.0.1:1", retry: { retries: 0 } })
  yield* Effect.ignore(Effect.provide(getStore(EXAMPLE_STORE), Layer.provide(nowhere, busyServer(0))))
  return new URL(url)
}).pipe(Effect.provide([Emulator.layer(), telemetry]))

const exportedMetrics = (exported: ResourceMetrics | undefined) =>
  (exported?.scopeMetrics ?? []).flatMap(({ metrics }) => metrics)

const named = (name: string) => spans.getFinishedSpans().filter((span) => span.name === name)

const attemptsOf = (call: ReadableSpan | undefined) =>
  spans.getFinishedSpans().filter(({ parentSpanContext }) => parentSpanContext?.spanId === call?.spanContext().spanId)

describe("telemetry by OpenTelemetry", () => {
  let server = new URL("http://localhost")
  let before: ResourceMetrics | undefined
  let after: ResourceMetrics | undefined
  beforeAll(async () => {
    // The exporters forget all when they are shut down.
    spans.shutdown = () => Promise.resolve()
    metrics.shutdown = () => Promise.resolve()
    // Other tests of this process have counted in the same metrics, some with another copy of the client's modules, and a server of
    // theirs may have had the same port.
    await Effect.runPromise(Effect.provide(Effect.void, telemetry))
    before = metrics.getMetrics().at(-1)
    server = await Effect.runPromise(program)
    after = metrics.getMetrics().at(-1)
  })

  /** What the program has added to a metric, by attributes. */
  const addedTo = (metric: string) => {
    const counts = new Map<string, number>()
    const add = (exported: ResourceMetrics | undefined, sign: 1 | -1): void => {
      for (const { dataPoints, descriptor } of exportedMetrics(exported)) {
        if (descriptor.name !== metric) continue
        for (const { attributes, value } of dataPoints) {
          const key = JSON.stringify(attributes)
          counts.set(key, (counts.get(key) ?? 0) + sign * (typeof value === "number" ? value : value.count))
        }
      }
    }
    add(after, 1)
    add(before, -1)
    return [...counts].filter(([, count]) => count > 0).map(([key, count]) => ({ attributes: JSON.parse(key), count }))
  }

  it("has a span for each call, and in it one for each attempt", () => {
    const attempts = [
      ["getStore", [2, 1]],
      ["putRecord", [1]],
      ["getRecord", [1]],
      ["deleteRecord", [1]],
      ["listKeys", [1]]
    ] as const
    for (const [operation, counts] of attempts) {
      const calls = named(`ApifyClient.${operation}`)
      assert.deepStrictEqual(
        calls.map((call) => [call.kind, attemptsOf(call).length, call.attributes["apify.call.attempts"]]),
        counts.map((count) => [SpanKind.INTERNAL, count, count])
      )
    }
  })

  it("names the spans of attempts by their method, as those of a client", () => {
    const calls = spans.getFinishedSpans().filter(({ name }) => name.startsWith("ApifyClient."))
    for (const attempt of calls.flatMap(attemptsOf)) {
      assert.strictEqual(attempt.kind, SpanKind.CLIENT)
      assert.strictEqual(attempt.name, attempt.attributes["http.request.method"])
    }
  })

  it("has the attributes that the conventions require, and those that fit, and no others", () => {
    const path = `/v2/key-value-stores/${EXAMPLE_STORE}`
    const common = { "server.address": server.hostname, "server.port": Number(server.port) }
    const attempt = (method: string, path: string, rest: Readonly<Record<string, unknown>>) => ({
      ...common,
      "http.request.method": method,
      "url.full": `${server.origin}${path}`,
      ...rest
    })
    const status = (code: number) => ({ "http.response.status_code": code })
    const expected: Readonly<Record<string, ReadonlyArray<unknown>>> = {
      getStore: [
        attempt("GET", path, { ...status(503), "error.type": "ServerError" }),
        attempt("GET", path, { ...status(200), "http.request.resend_count": 1 })
      ],
      putRecord: [attempt("PUT", `${path}/records/greeting`, status(201))],
      getRecord: [
        attempt("GET", `${path}/records/missing?attachment=true`, {
          ...status(404),
          "error.type": "RecordNotFoundError"
        })
      ],
      deleteRecord: [attempt("DELETE", `${path}/records/greeting`, status(204))]
    }
    for (const [operation, attempts] of Object.entries(expected)) {
      const [call] = named(`ApifyClient.${operation}`)
      assert.deepStrictEqual(
        attemptsOf(call).map(({ attributes }) => attributes),
        attempts,
        operation
      )
    }
  })

  it("says what failed where there was no response", () => {
    const [, call] = named("ApifyClient.getStore")
    assert.deepStrictEqual(
      attemptsOf(call).map(({ attributes }) => attributes),
      [
        {
          "http.request.method": "GET",
          "server.address": "127.0.0.1",
          "server.port": 1,
          "url.full": `http://127.0.0.1:1/v2/key-value-stores/${EXAMPLE_STORE}`,
          "error.type": "TransportError"
        }
      ]
    )
  })

  it("has the status of an error exactly where it has the type of one", () => {
    for (const { attributes, status } of spans.getFinishedSpans()) {
      assert.strictEqual(status.code === SpanStatusCode.ERROR, "error.type" in attributes)
    }
  })

  it("shows no token and no signature", () => {
    const shown = JSON.stringify([
      spans.getFinishedSpans().map(({ attributes, events, name, status }) => ({ attributes, events, name, status })),
      metrics.getMetrics()
    ])
    assert.notInclude(shown, DEMO_TOKEN)
    assert.notInclude(shown, SIGNATURE)
    assert.include(shown, "/keys?signature=<redacted>")
  })

  it("has the metrics of calls, by operation, in a namespace of their own", () => {
    const own = exportedMetrics(after).filter(({ descriptor }) => descriptor.name.startsWith("apify_"))
    assert.sameMembers(
      own.map(({ dataPointType, descriptor }) => `${descriptor.name} ${DataPointType[dataPointType]}`),
      ["apify_calls SUM", "apify_attempts SUM", "apify_retries SUM", "apify_call_latency_ms HISTOGRAM"]
    )
    assert.sameDeepMembers(addedTo("apify_calls"), [
      { attributes: { operation: "getStore", outcome: "success" }, count: 1 },
      { attributes: { operation: "getStore", outcome: "TransportError" }, count: 1 },
      { attributes: { operation: "putRecord", outcome: "success" }, count: 1 },
      { attributes: { operation: "getRecord", outcome: "RecordNotFoundError" }, count: 1 },
      { attributes: { operation: "deleteRecord", outcome: "success" }, count: 1 },
      { attributes: { operation: "listKeys", outcome: "ForbiddenError" }, count: 1 }
    ])
    assert.sameDeepMembers(addedTo("apify_retries"), [
      { attributes: { operation: "getStore", error: "ServerError" }, count: 1 }
    ])
    const others = ["putRecord", "getRecord", "deleteRecord", "listKeys"].map((operation) => ({
      attributes: { operation },
      count: 1
    }))
    assert.sameDeepMembers(addedTo("apify_attempts"), [{ attributes: { operation: "getStore" }, count: 3 }, ...others])
    assert.sameDeepMembers(addedTo("apify_call_latency_ms"), [
      { attributes: { operation: "getStore" }, count: 2 },
      ...others
    ])
  })

  it("has the metric that the conventions require, with its unit, buckets and attributes, and no other of theirs", () => {
    const [duration, ...others] = exportedMetrics(after).filter(({ descriptor }) => descriptor.name.startsWith("http."))
    assert.isEmpty(others)
    if (duration?.dataPointType !== DataPointType.HISTOGRAM) return assert.fail("There is no histogram of requests")
    const { dataPoints, descriptor } = duration
    assert.deepStrictEqual([descriptor.name, descriptor.unit], ["http.client.request.duration", "s"])
    assert.deepStrictEqual(
      dataPoints[0]?.value.buckets.boundaries,
      [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
    )
    // Effect has the unit as a tag, and all tags as text.
    const tagsOf = (method: string, { hostname, port }: Pick<URL, "hostname" | "port">) => ({
      unit: "s",
      "http.request.method": method,
      "server.address": hostname,
      "server.port": port
    })
    const responded = (method: string, status: string, error?: string) => ({
      ...tagsOf(method, server),
      "http.response.status_code": status,
      ...(error === undefined ? {} : { "error.type": error })
    })
    assert.sameDeepMembers(
      addedTo(descriptor.name),
      [
        responded("GET", "503", "ServerError"),
        responded("GET", "200"),
        responded("PUT", "201"),
        responded("GET", "404", "RecordNotFoundError"),
        responded("DELETE", "204"),
        responded("GET", "403", "ForbiddenError"),
        { ...tagsOf("GET", { hostname: "127.0.0.1", port: "1" }), "error.type": "TransportError" }
      ].map((attributes) => ({ attributes, count: 1 }))
    )
  })
})
