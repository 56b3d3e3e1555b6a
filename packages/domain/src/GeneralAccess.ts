/**
 * General access: who may read a store without a right to it.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The levels of general access that Apify documents.
 *
 * - `RESTRICTED`: only users with a right to the store may read it.
 * - `ANYONE_WITH_ID_CAN_READ`: anyone who knows the store's ID may read it, even without a token.
 * - `ANYONE_WITH_NAME_CAN_READ`: anyone who knows its ID, or its owner and name, may read it, even without a token.
 * - `FOLLOW_USER_SETTING`: the owner's account setting applies.
 *
 * Source: Apify's documentation of general resource access.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AccessLevel = Schema.Literal(
  "RESTRICTED",
  "ANYONE_WITH_ID_CAN_READ",
  "ANYONE_WITH_NAME_CAN_READ",
  "FOLLOW_USER_SETTING"
).annotations({ identifier: "AccessLevel" })

/**
 * The type of `AccessLevel`.
 *
 * @since 0.1.0
 * @category models
 */
export type AccessLevel = typeof AccessLevel.Type

const isAccessLevel = (level: string): boolean => AccessLevel.literals.some((known) => known === level)

const UnknownLevelName = Schema.String.pipe(Schema.filter((level) => !isAccessLevel(level))).annotations({
  identifier: "UnknownLevelName",
  description: "a level of access",
  arbitrary: () => (fc) => fc.string().filter((level) => !isAccessLevel(level))
})

/**
 * A level that this version does not know. Its name is kept; access rules treat it as `RESTRICTED`.
 *
 * @since 0.1.0
 * @category schemas
 */
export class UnknownAccessLevel extends Schema.TaggedClass<UnknownAccessLevel>()("UnknownAccessLevel", {
  level: UnknownLevelName
}) {}

/**
 * A store's general access: one of the documented levels, or an `UnknownAccessLevel` if Apify has added one. In JSON both
 * are strings.
 *
 * @example
 * ```ts
 * import { GeneralAccess } from "@effect-apify/domain"
 * import * as Schema from "effect/Schema"
 *
 * Schema.decodeSync(GeneralAccess)("RESTRICTED") // "RESTRICTED"
 * Schema.decodeSync(GeneralAccess)("FRIENDS_ONLY") // UnknownAccessLevel({ level: "FRIENDS_ONLY" })
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const GeneralAccess = Schema.Union(
  AccessLevel,
  Schema.transform(UnknownLevelName, Schema.typeSchema(UnknownAccessLevel), {
    strict: true,
    decode: (level) => new UnknownAccessLevel({ level }, { disableValidation: true }),
    encode: ({ level }) => level
  })
).annotations({ identifier: "GeneralAccess", description: "a level of access" })

/**
 * The type of `GeneralAccess`.
 *
 * @since 0.1.0
 * @category models
 */
export type GeneralAccess = typeof GeneralAccess.Type
