/**
 * Trace a call: print its spans, one for the call and one for each attempt, with their times and attributes.
 *
 *     npx pnpm@12 tsx examples/trace.ts
 *
 * The server is busy at first, so there is a retry to see. To send the spans to a collector, replace `traceToConsole` with
 * `NodeSdk.layer` of `@effect/opentelemetry`.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { getStore } from "@effect-apify/http"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { busyServer } from "./busyServer.js"
import { EXAMPLE_STORE, localApify } from "./local.js"

const milliseconds = (nanos: bigint): string => `${(Number(nanos) / 1e6).toFixed(1)} ms`

/** For each span below `parent`: when it began, its name, how long it took, and its attributes. */
const draw = (
  spans: ReadonlyArray<Tracer.Span>,
  start: bigint,
  parent: Option.Option<string> = Option.none(),
  indent = ""
): ReadonlyArray<string> =>
  spans
    .filter((span) => Option.getOrNull(Option.map(span.parent, ({ spanId }) => spanId)) === Option.getOrNull(parent))
    .flatMap((span) => {
      const { status } = span
      const took = status._tag === "Ended" ? milliseconds(status.endTime - status.startTime) : "not ended"
      return [
        `${`+${milliseconds(status.startTime - start)}`.padEnd(12)} ${indent}${span.name} (${took})`,
        ...[...span.attributes].map(([key, value]) => `${" ".repeat(12)} ${indent}  ${key} = ${value}`),
        ...draw(spans, start, Option.some(span.spanId), `${indent}  `)
      ]
    })

/** Effect's own tracer, which also prints the spans at the end. */
const traceToConsole = Layer.unwrapScoped(
  Effect.gen(function* () {
    const native = yield* Effect.tracer
    const spans: Array<Tracer.Span> = []
    yield* Effect.addFinalizer(() => Console.log(draw(spans, spans[0]?.status.startTime ?? 0n).join("\n")))
    return Layer.setTracer(
      Tracer.make({
        span: (...of) => {
          const span = native.span(...of)
          spans.push(span)
          return span
        },
        context: (run, fiber) => native.context(run, fiber)
      })
    )
  })
)

const program = getStore(EXAMPLE_STORE).pipe(
  Effect.tap((store) =>
    Effect.annotateCurrentSpan(
      "store.name",
      Option.getOrElse(store.name, () => "unnamed")
    )
  ),
  Effect.withSpan("my program", { captureStackTrace: false }),
  Effect.provide(traceToConsole)
)

program.pipe(Effect.provide(Layer.provide(localApify(), busyServer(1))), NodeRuntime.runMain)
