/**
 * Usernames of the owners of stores.
 *
 * @since 0.1.0
 */
import * as Equivalence from "effect/Equivalence"
import * as Schema from "effect/Schema"
import { usernamePattern } from "./internal/patterns.js"

/**
 * A username as it is sent: 3 to 30 letters, digits, `_`, `.` and `-`. A user ID has this form too, and Apify accepts it
 * in the same place. `Schema.equivalence(Username)` ignores case, as Apify does.
 *
 * Source: Apify's clients check usernames against this pattern.
 *
 * @example
 * ```ts
 * import { Username } from "@effect-apify/domain"
 *
 * const owner = Username.make("janedoe")
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const Username = Schema.String.pipe(Schema.pattern(usernamePattern), Schema.brand("Username")).annotations({
  identifier: "Username",
  description: "3 to 30 letters, digits, underscores, dots and hyphens",
  arbitrary: () => (fc) => fc.stringMatching(usernamePattern).map((name) => Username.make(name)),
  equivalence: () => Equivalence.mapInput(Equivalence.string, (name: string) => name.toLowerCase())
})

/**
 * The type of `Username`.
 *
 * @since 0.1.0
 * @category models
 */
export type Username = typeof Username.Type
