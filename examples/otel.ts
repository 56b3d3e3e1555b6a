/**
 * Send spans and metrics to OpenTelemetry.
 *
 *     npx pnpm@12 tsx examples/otel.ts
 *
 * The exporters print what they get. To send it to a collector, use those of `@opentelemetry/exporter-trace-otlp-http` and
 * `@opentelemetry/exporter-metrics-otlp-http`. The server is busy at first, so there is a retry to see.
 */
import * as NodeSdk from "@effect/opentelemetry/NodeSdk"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { getStore } from "@effect-apify/http"
import { ConsoleMetricExporter, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics"
import { BatchSpanProcessor, ConsoleSpanExporter } from "@opentelemetry/sdk-trace-base"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { busyServer } from "./busyServer.js"
import { EXAMPLE_STORE, localApify } from "./local.js"

const telemetry = NodeSdk.layer(() => ({
  resource: { serviceName: "example" },
  spanProcessor: new BatchSpanProcessor(new ConsoleSpanExporter()),
  metricReader: new PeriodicExportingMetricReader({ exporter: new ConsoleMetricExporter() })
}))

const program = getStore(EXAMPLE_STORE).pipe(Effect.withSpan("my program"), Effect.provide(telemetry))

program.pipe(Effect.provide(Layer.provide(localApify(), busyServer(1))), NodeRuntime.runMain)
