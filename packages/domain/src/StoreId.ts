/**
 * IDs of key-value stores: any non-empty string is accepted from Apify, but only generated IDs are sent.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { idPattern } from "./internal/patterns.js"

/**
 * A store's ID as Apify returns it: any non-empty string, so that programs keep working if Apify changes how it
 * generates IDs.
 *
 * @example
 * ```ts
 * import { StoreId } from "@effect-apify/domain"
 *
 * const id = StoreId.make("WkzbQMuFYuamGv3YF")
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoreId = Schema.String.pipe(
  Schema.filter((id) => id !== "", { jsonSchema: { minLength: 1 } }),
  Schema.brand("StoreId")
).annotations({
  identifier: "StoreId",
  description: "a non-empty string"
})

/**
 * The type of `StoreId`.
 *
 * @since 0.1.0
 * @category models
 */
export type StoreId = typeof StoreId.Type

/**
 * A store's ID as Apify generates it, 17 letters and digits. No other ID is ever sent.
 *
 * Source: `apify-client` checks the same pattern.
 *
 * @example
 * ```ts
 * import { GeneratedStoreId } from "@effect-apify/domain"
 *
 * const id = GeneratedStoreId.make("WkzbQMuFYuamGv3YF")
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const GeneratedStoreId = StoreId.pipe(Schema.pattern(idPattern), Schema.brand("GeneratedStoreId")).annotations({
  identifier: "GeneratedStoreId",
  description: "17 letters and digits",
  arbitrary: () => (fc) => fc.stringMatching(idPattern).map((id) => GeneratedStoreId.make(id))
})

/**
 * The type of `GeneratedStoreId`.
 *
 * @since 0.1.0
 * @category models
 */
export type GeneratedStoreId = typeof GeneratedStoreId.Type
