import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"

/** Effect's own tracer, with its spans kept. */
export const recordSpans = Effect.map(Effect.tracer, (tracer) => {
  const spans: Array<Tracer.Span> = []
  const recorder = Tracer.make({
    span: (...args) => {
      const span = tracer.span(...args)
      spans.push(span)
      return span
    },
    context: (f, fiber) => tracer.context(f, fiber)
  })
  return { spans, recorder }
})

export const attributesOf = (span: Tracer.Span | undefined): Readonly<Record<string, unknown>> =>
  Object.fromEntries(span?.attributes ?? [])
