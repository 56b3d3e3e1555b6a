/**
 * Names of key-value stores.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Equivalence from "effect/Equivalence"
import * as Schema from "effect/Schema"
import { storeNamePattern, storeNameProblem } from "./internal/patterns.js"
import { quote } from "./Redaction.js"
import { InvalidStoreNameError } from "./StoreErrors.js"

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
export const StoreName = Schema.String.pipe(Schema.pattern(storeNamePattern), Schema.brand("StoreName")).annotations({
  identifier: "StoreName",
  description: "1 to 63 letters, digits and hyphens, with no hyphen at either end",
  arbitrary: () => (fc) => fc.stringMatching(storeNamePattern).map((name) => StoreName.make(name)),
  equivalence: () => Equivalence.mapInput(Equivalence.string, (name: string) => name.toLowerCase())
})

/**
 * The type of `StoreName`.
 *
 * @since 0.1.0
 * @category models
 */
export type StoreName = typeof StoreName.Type

const isName = Schema.is(StoreName)

/**
 * A name that may be sent, or what is wrong with the text.
 *
 * @example
 * ```ts
 * import { parseStoreName } from "@effect-apify/domain"
 *
 * parseStoreName("my-store") // Either.right("my-store")
 * parseStoreName("my_store") // Either.left(InvalidStoreNameError: … the character "_" (U+005F) at position 3 is not allowed …)
 * ```
 *
 * @since 0.1.0
 * @category decoding
 */
export const parseStoreName = (name: string): Either.Either<StoreName, InvalidStoreNameError> => {
  // Callers without types may pass anything.
  if (typeof name !== "string") {
    return Either.left(new InvalidStoreNameError({ storeName: "The value", problem: "it is not text" }))
  }
  return isName(name)
    ? Either.right(name)
    : Either.left(new InvalidStoreNameError({ storeName: quote(name), problem: storeNameProblem(name) }))
}
