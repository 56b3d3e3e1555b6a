/**
 * Ids of key-value stores: any non-empty string when Apify says it, checked when we do.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * A store's id as Apify returns it: any non-empty string, so that a change in how ids are generated breaks nobody.
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
export const StoreId = Schema.NonEmptyString.pipe(Schema.brand("StoreId")).annotations({
  identifier: "StoreId",
  description: "a non-empty string"
})

/**
 * @since 0.1.0
 * @category models
 */
export type StoreId = typeof StoreId.Type

/**
 * A store's id as Apify generates them, 17 of `a-zA-Z0-9`: the only ids that are ever sent.
 *
 * Source: `apify-client` checks the same pattern.
 *
 * @example
 * ```ts
 * import { GeneratedStoreId, storeById } from "@effect-apify/domain"
 *
 * const ref = storeById(GeneratedStoreId.make("WkzbQMuFYuamGv3YF"))
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const GeneratedStoreId = StoreId.pipe(
  Schema.pattern(/^[a-zA-Z0-9]{17}$/),
  Schema.brand("GeneratedStoreId")
).annotations({
  identifier: "GeneratedStoreId",
  description: "17 letters and digits",
  arbitrary: () => (fc) => fc.stringMatching(/^[a-zA-Z0-9]{17}$/).map((id) => GeneratedStoreId.make(id))
})

/**
 * @since 0.1.0
 * @category models
 */
export type GeneratedStoreId = typeof GeneratedStoreId.Type
