/**
 * Names of key-value stores, and their errors.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Equivalence from "effect/Equivalence"
import * as Schema from "effect/Schema"
import { ApifyErrorTypeId, type Retryable } from "./ApifyError.js"
import { responseFields } from "./internal/errorFields.js"
import { printable, responded } from "./internal/errorMessage.js"
import { storeNamePattern, storeNameProblem } from "./internal/patterns.js"
import { quote } from "./Redaction.js"

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
 * The text is not a valid store name. Nothing was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidStoreNameError extends Schema.TaggedError<InvalidStoreNameError>()("InvalidStoreNameError", {
  /** The name as it was given, quoted and shortened. */
  storeName: Schema.String,
  /** What is wrong with it. */
  problem: Schema.String
}) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(
    `${this.storeName} is not a store name: ${this.problem}. A name is 1 to 63 letters, digits and hyphens, with no hyphen at either end.`
  )
  get retryable(): Retryable {
    return "Never"
  }
}

/**
 * 400: the owner has another store with the name. Names are case-insensitive.
 *
 * @since 0.1.0
 * @category errors
 */
export class StoreNameTakenError extends Schema.TaggedError<StoreNameTakenError>()("StoreNameTakenError", {
  ...responseFields,
  /** The name. */
  storeName: Schema.String
}) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(
    `${responded(this)}. The owner has another store named ${this.storeName}. Names are case-insensitive: choose another.`
  )
  get retryable(): Retryable {
    return "Never"
  }
}

/**
 * Parses a name that may be sent, or says what is wrong with it.
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
