/**
 * What the fibers of an attempt run in.
 */
import * as Context from "effect/Context"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Tracer from "effect/Tracer"

/** The runtime of a caller's fiber, with a context that may be another, and a span as the parent of others. */
export const runtimeOf = <R>(
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  span: Option.Option<Tracer.Span>,
  context: Context.Context<R>
): Runtime.Runtime<R> =>
  Runtime.make({
    context: Option.isNone(span) ? context : Context.add(context, Tracer.ParentSpan, span.value),
    // Interruptible, even where the caller is not.
    runtimeFlags: Runtime.defaultRuntimeFlags,
    fiberRefs: fiber.getFiberRefs()
  })
