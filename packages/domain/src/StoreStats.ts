/**
 * Usage statistics of a store.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Count } from "./Count.js"
import { optional } from "./Json.js"

const optionalCount = optional(Count)

/**
 * Usage statistics of a store. Apify may leave out any counter; a missing counter is `None`, never zero.
 *
 * Source: the endpoint's documentation has the counters up to `listCount` and `s3StorageBytes`; the API description
 * adds `storageBytes` and requires none of them.
 *
 * @example
 * ```ts
 * import { StoreStats } from "@effect-apify/domain"
 * import * as Schema from "effect/Schema"
 *
 * Schema.decodeSync(StoreStats)({ readCount: 9 }) // readCount is Option.some(9), every other counter Option.none()
 * ```
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
  /** The size of all records, in bytes. */
  storageBytes: optionalCount,
  /** The older name of `storageBytes`. */
  s3StorageBytes: optionalCount
}) {}
