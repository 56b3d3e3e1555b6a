/**
 * Whether a value is a stream.
 */
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"

export const isStream = (value: unknown): value is Stream.Stream<unknown, unknown, unknown> =>
  Predicate.hasProperty(value, Stream.StreamTypeId)
