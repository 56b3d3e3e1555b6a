/**
 * Names of key-value stores.
 *
 * @since 0.1.0
 */
import * as Equivalence from "effect/Equivalence"
import * as Schema from "effect/Schema"

const pattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/

/**
 * A store's name as it is sent: 1 to 63 letters, digits and hyphens, no hyphen at either end.
 * Names are compared without case: `Schema.equivalence(StoreName)` does so.
 *
 * Source: the pattern that Apify's clients check names with.
 *
 * @example
 * ```ts
 * import { StoreName } from "@effect-apify/domain"
 *
 * const name = StoreName.make("my-store")
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoreName = Schema.String.pipe(Schema.pattern(pattern), Schema.brand("StoreName")).annotations({
  identifier: "StoreName",
  description: "1 to 63 letters, digits and hyphens, with no hyphen at either end",
  arbitrary: () => (fc) => fc.stringMatching(pattern).map((name) => StoreName.make(name)),
  equivalence: () => Equivalence.mapInput(Equivalence.string, (name: string) => name.toLowerCase())
})

/**
 * @since 0.1.0
 * @category models
 */
export type StoreName = typeof StoreName.Type
