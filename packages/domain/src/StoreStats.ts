/**
 * What Apify counts of a store.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/**
 * Whether a value is a `Count`.
 *
 * @since 0.1.0
 * @category guards
 */
export const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0

/**
 * A count: an integer from 0 to 2^53 − 1. A larger one cannot be told apart from its neighbours once JSON is parsed, so
 * it is refused instead of rounded.
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

const optionalCount = Schema.optionalWith(Count, { as: "Option", nullable: true }).pipe(
  Schema.withConstructorDefault(() => Option.none())
)

/**
 * What Apify counts of a store. Apify may leave any of the counts out; one that it left out is `None`, never zero.
 *
 * Source: the endpoint's page names the first five, the newest description adds `storageBytes` and requires none.
 *
 * @since 0.1.0
 * @category schemas
 */
export class StoreStats extends Schema.Class<StoreStats>("StoreStats")({
  /** How many times a record was read. */
  readCount: optionalCount,
  /** How many times a record was written. */
  writeCount: optionalCount,
  /** How many times a record was deleted. */
  deleteCount: optionalCount,
  /** How many times the keys were listed. */
  listCount: optionalCount,
  /** What the records take up, in bytes. */
  storageBytes: optionalCount,
  /** What the records take up, in bytes, under its older name. */
  s3StorageBytes: optionalCount
}) {}
