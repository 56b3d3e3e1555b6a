/**
 * Who may read a store besides those who were given rights to it.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The levels of general access that Apify documents.
 *
 * - `RESTRICTED`: only those with explicit rights.
 * - `ANYONE_WITH_ID_CAN_READ`: whoever knows the store's id, without a token too.
 * - `ANYONE_WITH_NAME_CAN_READ`: whoever knows its id, or its owner and name.
 * - `FOLLOW_USER_SETTING`: as the owner's account setting says.
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
 * A level that this version does not know: kept as it came, read as the strictest one.
 *
 * @since 0.1.0
 * @category schemas
 */
export class UnknownAccessLevel extends Schema.TaggedClass<UnknownAccessLevel>()("UnknownAccessLevel", {
  level: UnknownLevelName
}) {}

/**
 * A store's general access: one of the documented levels, or an `UnknownAccessLevel` when Apify has added one since. A
 * plain string on the wire.
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
 * @since 0.1.0
 * @category models
 */
export type GeneralAccess = typeof GeneralAccess.Type
