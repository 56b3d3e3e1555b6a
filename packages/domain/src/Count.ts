/**
 * Whole numbers in JSON.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

/**
 * Whether a value is a `Count`.
 *
 * @internal
 */
export const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0

/**
 * An integer from 0 to 2^53 - 1. Larger integers are refused, because `JSON.parse` rounds them.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Count = Schema.Number.pipe(
  Schema.filter(isCount, { jsonSchema: { type: "integer", minimum: 0 } })
).annotations({
  identifier: "Count",
  description: "an integer from 0 to 2^53 - 1",
  arbitrary: () => (fc) => fc.maxSafeNat()
})

/**
 * A time span in whole milliseconds: a number in JSON, a `Duration` in a program.
 *
 * @example
 * ```ts
 * import { Milliseconds } from "@effect-apify/domain"
 * import * as Schema from "effect/Schema"
 *
 * Schema.decodeSync(Milliseconds)(1500) // Duration.millis(1500)
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const Milliseconds = Schema.transform(
  Count,
  Schema.DurationFromSelf.pipe(
    Schema.filter((duration) => Number.isSafeInteger(Duration.toMillis(duration)))
  ).annotations({
    identifier: "WholeMilliseconds",
    arbitrary: () => (fc) => fc.maxSafeNat().map((millis) => Duration.millis(millis)),
    equivalence: () => Duration.Equivalence
  }),
  {
    strict: true,
    decode: (millis) => Duration.millis(millis),
    encode: (duration) => Duration.toMillis(duration)
  }
).annotations({ identifier: "Milliseconds" })
