/**
 * See what a call did: prints its trace, the call and each attempt with their times and attributes.
 *
 *     npx tsx examples/trace.ts
 *
 * The first attempt meets a busy server, so there is a retry to see. A program of yours would send its spans to a
 * collector: `NodeSdk.layer` of `@effect/opentelemetry` goes where `traceToConsole` stands.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { getStore } from "@effect-apify/http"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { busyTransport } from "./busyTransport.js"
import { EXAMPLE_STORE, localApify } from "./local.js"

const milliseconds = (nanos: bigint): string => `${(Number(nanos) / 1e6).toFixed(1)} ms`

/** A line for each span below `parent`: when it began, how long it took, what it was, and what is known of it. */
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

/** Effect's own tracer, but that it remembers the spans and prints them at the end. */
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
      Option.getOrElse(store.name, () => "none")
    )
  ),
  Effect.withSpan("a program of yours", { captureStackTrace: false }),
  Effect.provide(traceToConsole)
)

program.pipe(Effect.provide(Layer.provide(localApify(), busyTransport(1))), NodeRuntime.runMain)
