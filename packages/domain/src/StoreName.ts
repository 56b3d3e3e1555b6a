/**
 * Names of key-value stores.
 *
 * @since 0.1.0
 */
import * as Equivalence from "effect/Equivalence"
import * as Schema from "effect/Schema"

const pattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/

/**
 * A store's name as it is sent: 1 to 63 letters, digits and hyphens, with no hyphen at either end.
 * `Schema.equivalence(StoreName)` ignores case, as Apify does.
 *
 * Source: Apify's clients check names against this pattern.
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
 * The type of `StoreName`.
 *
 * @since 0.1.0
 * @category models
 */
export type StoreName = typeof StoreName.Type
