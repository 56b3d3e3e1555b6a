/**
 * Names of Apify users.
 *
 * @since 0.1.0
 */
import * as Equivalence from "effect/Equivalence"
import * as Schema from "effect/Schema"

const pattern = /^[a-zA-Z0-9_.-]{3,30}$/

/**
 * A user's name as it is sent: 3 to 30 letters, digits, `_`, `.` and `-`. A user's id fits too, and Apify takes it in
 * the same place. Compared without case: `Schema.equivalence(Username)` does so.
 *
 * Source: the pattern that Apify's clients check usernames with.
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
export const Username = Schema.String.pipe(Schema.pattern(pattern), Schema.brand("Username")).annotations({
  identifier: "Username",
  description: "3 to 30 letters, digits, underscores, dots and hyphens",
  arbitrary: () => (fc) => fc.stringMatching(pattern).map((name) => Username.make(name)),
  equivalence: () => Equivalence.mapInput(Equivalence.string, (name: string) => name.toLowerCase())
})

/**
 * @since 0.1.0
 * @category models
 */
export type Username = typeof Username.Type
