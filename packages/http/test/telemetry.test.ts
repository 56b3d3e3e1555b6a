/**
 * What a call reports to a tracer, a metrics registry and a log, and that no secret is in it.
 */
import { inspect } from "node:util"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as MetricState from "effect/MetricState"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as Tracer from "effect/Tracer"
import {
  ApifyClient,
  type CallOptions,
  getStore,
  HttpClientTransport,
  Metrics,
  type Operation,
  RetryPolicy
} from "../src/index.js"
import { layerRespond, RecordedRequests } from "../src/testing.js"
import { fail, neverResponds, type Plan, perform, responding, theStore } from "./plannedServer.js"
import { attributesOf, recordSpans } from "./spans.js"

const TOKEN = "CanaryToken0123456789"
const KEY = "CanaryKey0123456789"

/** A client of a server that does as planned. */
const planned = (plan: Plan, options: ApifyClient.Options = {}) => {
  const steps = [...plan]
  return layerRespond((request) => perform(steps.shift() ?? plan[0], request), {
    token: Redacted.make(TOKEN),
    ...options
  })
}

/** Runs a call to its end, however long it waits. */
const runToEnd = (callOptions?: CallOptions) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(Effect.either(getStore("janedoe~my-store", callOptions)))
    yield* TestClock.adjust("2 minutes")
    return yield* Fiber.join(fiber)
  })

const spansOf = (plan: Plan, options?: ApifyClient.Options) =>
  Effect.gen(function* () {
    const { recorder, spans } = yield* recordSpans
    yield* Effect.withTracer(runToEnd(), recorder)
    const requests = yield* (yield* RecordedRequests).all
    const [call, ...attempts] = spans
    return { call: call ?? assert.fail("There is no span"), attempts, requests }
  }).pipe(Effect.provide(planned(plan, options)))

describe("an operation that throws", () => {
  it.effect("ends its call in a defect, which is counted, and holds nothing up", () =>
    Effect.gen(function* () {
      const broken: Operation<never> = {
        name: "broken",
        store: Option.some("~my-store"),
        isIdempotent: true,
        isPaced: false,
        rate: "resource",
        request: Either.right({ method: "GET", path: "/v2/key-value-stores/~my-store" }),
        decode: () => {
          throw new Error("a bug")
        }
      }
      const client = yield* ApifyClient.ApifyClient
      const exit = yield* Effect.exit(client.run(broken))
      assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
      const counted = Metrics.calls.pipe(Metric.tagged("operation", "broken"), Metric.tagged("outcome", "defect"))
      assert.strictEqual((yield* Metric.value(counted)).count, 1)
    }).pipe(Effect.provide(planned([theStore])))
  )
})

describe("a transport that fails, with a defect beside its failure", () => {
  it.effect("ends its call in the error of the failure, and shows nothing of the defect", () =>
    Effect.gen(function* () {
      const broken = HttpClient.make((request) =>
        Effect.failCause(
          Cause.sequential(
            Cause.fail(new HttpClientError.RequestError({ request, reason: "Transport" })),
            Cause.die(new Error("a secret"))
          )
        )
      )
      const exit = yield* getStore("~my-store", { retry: { retries: 0 } }).pipe(
        Effect.provide(
          ApifyClient.layer().pipe(
            Layer.provide(HttpClientTransport.layer),
            Layer.provide(Layer.succeed(HttpClient.HttpClient, broken))
          )
        ),
        Effect.exit
      )
      assert.notInclude(inspect(exit, { depth: null }), "a secret")
      assert.isTrue(Exit.isFailure(exit) && Cause.isFailType(exit.cause) && exit.cause.error._tag === "TransportError")
    })
  )
})

describe("the trace of a call", () => {
  it.effect("is a span of its own, with a client span for each attempt", () =>
    Effect.gen(function* () {
      const { attempts, call } = yield* spansOf([responding(503), fail("ECONNRESET"), theStore])
      assert.strictEqual(call.name, "ApifyClient.getStore")
      assert.strictEqual(call.kind, "internal")
      assert.deepStrictEqual(attributesOf(call), { "apify.store.ref": "janedoe~my-store", "apify.call.attempts": 3 })
      assert.lengthOf(attempts, 3)
      for (const attempt of attempts) {
        assert.strictEqual(attempt.name, "GET")
        assert.strictEqual(attempt.kind, "client")
        assert.strictEqual(attempt.traceId, call.traceId)
        assert.strictEqual(Option.getOrThrow(attempt.parent).spanId, call.spanId)
        assert.strictEqual(attempt.status._tag, "Ended")
      }
    })
  )

  it.effect("is the call's defect where a tracer throws, and nothing is tried again", () =>
    Effect.gen(function* () {
      const { recorder } = yield* recordSpans
      const throwing = Tracer.make({
        context: (f, fiber) => recorder.context(f, fiber),
        span: (...args) =>
          Object.assign(recorder.span(...args), {
            attribute: (name: string) => {
              if (name === "http.response.status_code") throw new Error("a bug")
            }
          })
      })
      const exit = yield* Effect.exit(Effect.withTracer(getStore("~my-store"), throwing))
      assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
      assert.lengthOf(yield* (yield* RecordedRequests).all, 1)
    }).pipe(Effect.provide(planned([theStore])))
  )

  it.effect("describes attempts as OpenTelemetry's HTTP clients do", () =>
    Effect.gen(function* () {
      const { attempts } = yield* spansOf([responding(503), fail("ECONNRESET"), theStore])
      const common = {
        "http.request.method": "GET",
        "server.address": "api.apify.com",
        "server.port": 443,
        "url.full": "https://api.apify.com/v2/key-value-stores/janedoe~my-store"
      }
      assert.deepStrictEqual(attempts.map(attributesOf), [
        { ...common, "http.response.status_code": 503, "error.type": "ServerError" },
        { ...common, "http.request.resend_count": 1, "error.type": "TransportError" },
        { ...common, "http.request.resend_count": 2, "http.response.status_code": 200 }
      ])
    })
  )

  it.effect.each([
    ["http://127.0.0.1:8080/base", "127.0.0.1", 8080],
    ["http://localhost", "localhost", 80],
    ["http://[::1]:4010", "::1", 4010],
    ["https://apify.example:8443", "apify.example", 8443]
  ] as const)("names the server of %s", ([baseUrl, address, port]) =>
    Effect.gen(function* () {
      const { attempts } = yield* spansOf([theStore], { baseUrl })
      const attributes = attributesOf(attempts[0])
      assert.strictEqual(attributes["server.address"], address)
      assert.strictEqual(attributes["server.port"], port)
      assert.strictEqual(attributes["url.full"], `${baseUrl}/v2/key-value-stores/janedoe~my-store`)
    })
  )

  it.effect("goes on at the server: each request carries the span of its attempt", () =>
    Effect.gen(function* () {
      const { attempts, requests } = yield* spansOf([responding(503), theStore])
      assert.deepStrictEqual(
        requests.map(({ headers }) => headers.traceparent),
        attempts.map(({ spanId, traceId }) => `00-${traceId}-${spanId}-01`)
      )
    })
  )

  it.effect("has a span for a reference that is refused, without an attempt", () =>
    Effect.gen(function* () {
      const { recorder, spans } = yield* recordSpans
      yield* Effect.flip(Effect.withTracer(getStore("../users/me"), recorder))
      assert.lengthOf(spans, 1)
      assert.strictEqual(spans[0]?.name, "ApifyClient.getStore")
      assert.deepStrictEqual(attributesOf(spans[0]), {
        "apify.call.attempts": 0,
        "error.type": "InvalidStoreRefError"
      })
      assert.strictEqual(spans[0]?.status._tag === "Ended" && spans[0].status.exit._tag, "Failure")
    }).pipe(Effect.provide(planned([theStore])))
  )

  it.effect("ends spans with the error that ended the attempt and the call", () =>
    Effect.gen(function* () {
      const { attempts, call } = yield* spansOf([responding(403)])
      assert.deepStrictEqual(attributesOf(call), {
        "apify.store.ref": "janedoe~my-store",
        "apify.call.attempts": 1,
        "error.type": "ForbiddenError"
      })
      for (const { status } of [call, ...attempts]) {
        assert.strictEqual(status._tag === "Ended" && status.exit._tag, "Failure")
      }
    })
  )

  it.effect("stays here where propagation or tracing is disabled", () =>
    Effect.gen(function* () {
      yield* Effect.locally(getStore("~my-store"), HttpClient.currentTracerPropagation, false)
      yield* Effect.withTracerEnabled(getStore("~my-store"), false)
      const requests = yield* (yield* RecordedRequests).all
      assert.lengthOf(requests, 2)
      for (const { headers } of requests) assert.notProperty(headers, "traceparent")
    }).pipe(Effect.provide(planned([theStore])))
  )
})

const countOf = (counter: Metric.Metric.Counter<number>, ...tags: ReadonlyArray<readonly [string, string]>) =>
  Effect.map(
    Metric.value(
      tags.reduce(
        (metric, [key, value]) => Metric.tagged(metric, key, value),
        Metric.tagged(counter, "operation", "getStore")
      )
    ),
    ({ count }) => count
  )

/** By how much a call changes the count. */
const increaseOf = <E, R>(count: Effect.Effect<number>, call: Effect.Effect<unknown, E, R>) =>
  Effect.gen(function* () {
    const before = yield* count
    yield* call
    return (yield* count) - before
  })

describe("the metrics of a call", () => {
  const troubled = () => Effect.provide(runToEnd(), planned([responding(503), fail("ECONNRESET"), theStore]))

  it.effect("count the requests that it sends", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* increaseOf(countOf(Metrics.attempts), troubled()), 3)
    })
  )

  it.effect("count the retries, by the error before", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* increaseOf(countOf(Metrics.retries, ["error", "ServerError"]), troubled()), 1)
      assert.strictEqual(yield* increaseOf(countOf(Metrics.retries, ["error", "TransportError"]), troubled()), 1)
    })
  )

  it.effect.each<readonly [outcome: string, plan: Plan]>([
    ["success", [theStore]],
    ["ForbiddenError", [responding(403)]],
    ["TimeoutError", [neverResponds]]
  ])("count its outcome: %s", ([outcome, plan]) =>
    Effect.gen(function* () {
      const call = Effect.provide(runToEnd({ retry: RetryPolicy.none }), planned(plan))
      assert.strictEqual(yield* increaseOf(countOf(Metrics.calls, ["outcome", outcome]), call), 1)
    })
  )

  it.effect("count a reference that is refused, by its error", () =>
    Effect.gen(function* () {
      const call = Effect.provide(Effect.flip(getStore("../users/me")), planned([theStore]))
      const outcome = countOf(Metrics.calls, ["outcome", "InvalidStoreRefError"])
      assert.strictEqual(yield* increaseOf(outcome, call), 1)
      assert.strictEqual(yield* increaseOf(countOf(Metrics.attempts), call), 0)
    })
  )

  it.effect("count its interruption as such", () =>
    Effect.gen(function* () {
      const call = Effect.gen(function* () {
        const fiber = yield* Effect.fork(getStore("~my-store"))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(fiber)
      }).pipe(Effect.provide(planned([neverResponds])))
      assert.strictEqual(yield* increaseOf(countOf(Metrics.calls, ["outcome", "interrupted"]), call), 1)
    })
  )

  it.effect("time it, in milliseconds", () =>
    Effect.gen(function* () {
      const latency = Metric.value(Metric.tagged(Metrics.latency, "operation", "getStore"))
      const before = yield* latency
      yield* Effect.provide(runToEnd({ retry: RetryPolicy.none }), planned([neverResponds]))
      const after = yield* latency
      assert.strictEqual(after.count - before.count, 1)
      assert.strictEqual(after.sum - before.sum, 5000)
    })
  )
})

/** The requests to a server of the test's own, by OpenTelemetry's metric: what each is tagged with, their number and seconds. */
const durationsOf = (address: string) =>
  Effect.map(Metric.snapshot, (pairs) =>
    pairs
      .filter(
        ({ metricKey: { name, tags } }) =>
          name === "http.client.request.duration" &&
          tags.some(({ key, value }) => key === "server.address" && value === address)
      )
      .map(({ metricKey: { tags }, metricState }) => {
        if (!MetricState.isHistogramState(metricState)) return assert.fail("It is no histogram")
        const { count, sum } = metricState
        return { tags: Object.fromEntries(tags.map(({ key, value }) => [key, value])), count, seconds: sum }
      })
  )

describe("the metric of requests", () => {
  const tags = (address: string, rest: Readonly<Record<string, string>>) => ({
    unit: "s",
    "http.request.method": "GET",
    "server.address": address,
    "server.port": "443",
    ...rest
  })

  it.effect("has the name, unit and attributes of OpenTelemetry's HTTP clients, one value for each attempt", () =>
    Effect.gen(function* () {
      const address = "attempts.example"
      const plan: Plan = [responding(503), fail("ECONNRESET"), theStore, responding(403)]
      yield* Effect.gen(function* () {
        yield* runToEnd()
        yield* runToEnd()
      }).pipe(Effect.provide(planned(plan, { baseUrl: `https://${address}` })))
      const durations = yield* durationsOf(address)
      assert.sameDeepMembers(
        durations.map(({ tags }) => tags),
        [
          tags(address, { "http.response.status_code": "503", "error.type": "ServerError" }),
          tags(address, { "error.type": "TransportError" }),
          tags(address, { "http.response.status_code": "200" }),
          tags(address, { "http.response.status_code": "403", "error.type": "ForbiddenError" })
        ]
      )
      assert.deepStrictEqual(
        durations.map(({ count }) => count),
        [1, 1, 1, 1]
      )
    })
  )

  it.effect("is in seconds, of the attempt alone", () =>
    Effect.gen(function* () {
      const address = "slow.example"
      const client = planned([responding(503), neverResponds], { baseUrl: `https://${address}` })
      yield* Effect.provide(runToEnd({ retry: { retries: 1 } }), client)
      const durations = yield* durationsOf(address)
      assert.sameDeepMembers(
        durations.map(({ seconds, tags }) => [tags["error.type"], seconds]),
        [
          ["ServerError", 0],
          ["TimeoutError", 5]
        ]
      )
    })
  )

  it.effect("has requests that were interrupted, and no calls that sent none", () =>
    Effect.gen(function* () {
      const address = "interrupted.example"
      yield* Effect.gen(function* () {
        const fiber = yield* Effect.fork(getStore("~my-store"))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(fiber)
        yield* Effect.flip(getStore("../users/me"))
      }).pipe(Effect.provide(planned([neverResponds], { baseUrl: `https://${address}` })))
      assert.deepStrictEqual(yield* durationsOf(address), [
        { tags: tags(address, { "error.type": "interrupted" }), count: 1, seconds: 1 }
      ])
    })
  )
})

const logsOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const logs: Array<{ readonly level: string; readonly text: string }> = []
    const recorder = Logger.make(({ annotations, cause, logLevel, message, spans }) => {
      logs.push({
        level: logLevel.label,
        text: JSON.stringify([message, [...annotations], [...spans], inspect(cause, { depth: 10 })])
      })
    })
    return effect.pipe(Effect.provide(Logger.add(recorder)), Logger.withMinimumLogLevel(LogLevel.All), Effect.as(logs))
  })

describe("the log of a call", () => {
  it.effect("has a line for each retry, at debug level, that says why and when", () =>
    Effect.gen(function* () {
      const logs = yield* logsOf(
        Effect.provide(runToEnd(), planned([responding(503, { "retry-after": "30" }), fail("ECONNRESET"), theStore]))
      )
      assert.deepStrictEqual(
        logs.map(({ level }) => level),
        ["DEBUG", "DEBUG"]
      )
      assert.match(logs[0]?.text ?? "", /503.*trying again in 30s/i)
      assert.match(logs[1]?.text ?? "", /TransportError.*trying again in/i)
    })
  )

  it.effect("warns once for each client, at the first retry of a request that has not reached the server", () =>
    Effect.gen(function* () {
      const plan: Plan = [responding(503), fail("ECONNREFUSED"), theStore, fail("ENOTFOUND"), theStore]
      for (const client of [planned(plan), planned(plan)]) {
        const logs = yield* logsOf(Effect.provide(Effect.zipRight(runToEnd(), runToEnd()), client))
        assert.deepStrictEqual(
          logs.map(({ level }) => level),
          ["DEBUG", "DEBUG", "WARN", "DEBUG"]
        )
        assert.match(logs[2]?.text ?? "", /api\.apify\.com.*ECONNREFUSED.*\. Trying again\./)
      }
    })
  )

  it.effect("is empty where nothing is tried again", () =>
    Effect.gen(function* () {
      assert.isEmpty(yield* logsOf(Effect.provide(runToEnd(), planned([theStore]))))
      assert.isEmpty(yield* logsOf(Effect.provide(runToEnd(), planned([responding(403)]))))
    })
  )
})

describe("secrets", () => {
  it.effect("are in no span, no metric and no line, though the server sends them back", () =>
    Effect.gen(function* () {
      const said = `token ${TOKEN}, urlSigningSecretKey=${KEY}`
      const echo = { "x-token": TOKEN, "set-cookie": `token=${TOKEN}`, location: `/?token=${TOKEN}` }
      const store = JSON.parse(theStore.body)
      const { recorder, spans } = yield* recordSpans
      const plan: Plan = [
        responding(503, echo, said),
        responding(429, echo, JSON.stringify({ error: { type: TOKEN, message: said } })),
        responding(500, echo, JSON.stringify({ message: said })),
        fail("ECONNRESET", said),
        responding(200, echo, JSON.stringify({ data: { ...store.data, urlSigningSecretKey: KEY } }))
      ]
      const logs = yield* logsOf(Effect.withTracer(Effect.provide(runToEnd(), planned(plan)), recorder))
      const metrics = yield* Metric.snapshot
      assert.lengthOf(logs, 4)
      assert.lengthOf(spans, 6)
      const reported = [
        ...logs.map(({ text }) => text),
        ...spans.map((span) => JSON.stringify([span.name, attributesOf(span), span.status], bigIntsAsText)),
        ...metrics.map(({ metricKey }) => JSON.stringify(metricKey))
      ]
      for (const text of reported) assert.notInclude(text, "Canary")
    })
  )
})

const bigIntsAsText = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value)
