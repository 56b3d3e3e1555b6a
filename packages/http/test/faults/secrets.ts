/**
 * The secrets of the matrix, and where they are looked for.
 *
 * The server repeats the token and the key in bodies, headers and redirects, so that a client that shows what it was
 * sent shows them.
 */
import { inspect } from "node:util"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as Tracer from "effect/Tracer"

// Unlike any token of Apify's, so that nothing hides it but the client's knowing it.
export const TOKEN = "canary+token/5hQ2xVb9"
export const SIGNING_KEY = "canarySigningKey7Lw3"
export const SIGNATURE = "canarySignature8Jd4"

const canaries = [TOKEN, encodeURIComponent(TOKEN), Buffer.from(TOKEN).toString("base64"), SIGNING_KEY, SIGNATURE]

/** A text with every secret in it, as a server may write them. */
export const EXPOSED = `Bearer ${TOKEN} ?token=${encodeURIComponent(TOKEN)}&signature=${SIGNATURE} "urlSigningSecretKey": "${SIGNING_KEY}"`

const everything = (value: unknown): string =>
  inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null, maxArrayLength: null })

/** Every way for a program to show a value. */
const shown = (value: unknown): ReadonlyArray<string> => [
  inspect(value),
  everything(value),
  String(value),
  JSON.stringify(value, (_, part) => (typeof part === "bigint" ? String(part) : part)) ?? "",
  ...(value instanceof Error ? [value.message, value.stack ?? "", everything(value.cause)] : [])
]

/** What a program has shown while it ran, and the exits of its calls. */
export interface Shown {
  readonly texts: Array<string>
  readonly spans: Array<Tracer.Span>
  readonly exits: Array<Exit.Exit<unknown, unknown>>
}

export const nothingShown = (): Shown => ({ texts: [], spans: [], exits: [] })

/** Of each kind. Of thousands of calls the first are kept: all of them would be the heap that those tests look at. */
const MOST_KEPT = 200

const keep = <A>(kept: Array<A>, ...more: ReadonlyArray<A>): void => {
  if (kept.length < MOST_KEPT) kept.push(...more)
}

/** Runs a program with its log lines and its spans kept. */
export const watched =
  (kept: Shown) =>
  <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.gen(function* () {
      const tracer = yield* Effect.tracer
      const keeping = Tracer.make({
        span: (name, parent, context, links, startTime, kind, options) => {
          const span = tracer.span(name, parent, context, links, startTime, kind, options)
          keep(kept.spans, span)
          return span
        },
        context: tracer.context
      })
      const logger = Logger.make((line) => {
        keep(kept.texts, Logger.stringLogger.log(line), Logger.jsonLogger.log(line), everything(line.message))
      })
      return yield* program.pipe(
        Effect.withTracer(keeping),
        Effect.withTracerEnabled(true),
        Logger.withMinimumLogLevel(LogLevel.All),
        Effect.provide(Logger.replace(Logger.defaultLogger, logger))
      )
    })

/** Keeps the exit of an effect. */
export const keepExit =
  (kept: Shown) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.onExit(effect, (exit) => Effect.sync(() => keep(kept.exits, exit)))

const shownOfCause = (cause: Cause.Cause<unknown>): ReadonlyArray<string> => [
  Cause.pretty(cause, { renderErrorCause: true }),
  ...[cause, ...Cause.prettyErrors(cause), ...Cause.failures(cause), ...Cause.defects(cause)].flatMap(shown)
]

/** The metrics that showed nothing before: each server has its own, so that there are more and more. */
const searched = new WeakSet<object>()

/** The secrets that can be found in what was kept, and in new metrics. */
export const leaks = (kept: Shown): Effect.Effect<ReadonlyArray<string>> =>
  Effect.map(Metric.snapshot, (metrics) => {
    const keys = metrics.map(({ metricKey }) => metricKey).filter((key) => !searched.has(key))
    for (const key of keys) searched.add(key)
    const texts = [
      ...kept.texts,
      ...kept.exits.flatMap((exit) => Exit.match(exit, { onSuccess: shown, onFailure: shownOfCause })),
      ...kept.spans.map((span) => everything([span.name, span.attributes, span.status, span.links, span])),
      everything(keys)
    ]
    return canaries.filter((secret) => texts.some((text) => text.includes(secret)))
  })
