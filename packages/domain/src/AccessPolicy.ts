/**
 * Who may read a store: Apify's rules as one pure function.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { AccessLevel, GeneralAccess } from "./GeneralAccess.js"
import type { StoreRef } from "./StoreRef.js"

/**
 * Who asks, as far as the store is concerned. A token that is scoped to reading makes its holder a `Reader`, the owner
 * too.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Requester = Schema.Literal("Owner", "Writer", "Reader", "OtherUser", "Nobody").annotations({
  identifier: "Requester"
})

/**
 * @since 0.1.0
 * @category models
 */
export type Requester = typeof Requester.Type

/**
 * What an account's setting says of stores that follow it. `RESTRICTED` is Apify's default.
 *
 * @since 0.1.0
 * @category schemas
 */
export const OwnerSetting = Schema.Literal("RESTRICTED", "ANYONE_WITH_ID_CAN_READ").annotations({
  identifier: "OwnerSetting"
})

/**
 * @since 0.1.0
 * @category models
 */
export type OwnerSetting = typeof OwnerSetting.Type

/**
 * The one asking may read the store; whoever may write it may see its signing key as well.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AccessGranted = Schema.TaggedStruct("AccessGranted", { seesSigningKey: Schema.Boolean })

/**
 * The one asking may not read the store: for want of a token, or of rights.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AccessDenied = Schema.TaggedStruct("AccessDenied", {
  reason: Schema.Literal("TokenNotProvided", "InsufficientPermissions")
})

/**
 * What the policy comes to.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AccessDecision = Schema.Union(AccessGranted, AccessDenied).annotations({ identifier: "AccessDecision" })

/**
 * @since 0.1.0
 * @category models
 */
export type AccessDecision = typeof AccessDecision.Type

/**
 * The level that holds for a store: its own, its owner's setting where it follows that, and the strictest where this
 * version does not know it.
 *
 * @since 0.1.0
 * @category access
 */
export const effectiveLevel = (
  generalAccess: Option.Option<GeneralAccess>,
  ownerSetting: OwnerSetting
): Exclude<AccessLevel, "FOLLOW_USER_SETTING"> => {
  const level = Option.getOrElse(generalAccess, () => "FOLLOW_USER_SETTING" as const)
  if (level === "FOLLOW_USER_SETTING") return ownerSetting
  return typeof level === "string" ? level : "RESTRICTED"
}

const opensTo = (level: AccessLevel, reference: StoreRef["_tag"]): boolean =>
  level === "ANYONE_WITH_NAME_CAN_READ" || (level === "ANYONE_WITH_ID_CAN_READ" && reference === "StoreById")

/**
 * Decides whether `requester` may read a store that was referred to in the form `reference`.
 *
 * Source: Apify's documentation of general resource access. What somebody without a token gets on a restricted store is
 * not documented; here they are asked for a token. So they are for an `OwnStore`, at every level: it is the token's
 * account that says which store is meant.
 *
 * @example
 * ```ts
 * import { decideAccess } from "@effect-apify/domain"
 * import * as Option from "effect/Option"
 *
 * decideAccess({
 *   requester: "Nobody",
 *   reference: "StoreByName",
 *   generalAccess: Option.some("ANYONE_WITH_ID_CAN_READ"),
 *   ownerSetting: "RESTRICTED"
 * }) // { _tag: "AccessDenied", reason: "TokenNotProvided" }
 * ```
 *
 * @since 0.1.0
 * @category access
 */
export const decideAccess = (request: {
  readonly requester: Requester
  readonly reference: StoreRef["_tag"]
  readonly generalAccess: Option.Option<GeneralAccess>
  readonly ownerSetting: OwnerSetting
}): AccessDecision => {
  switch (request.requester) {
    case "Owner":
    case "Writer":
      return AccessGranted.make({ seesSigningKey: true })
    case "Reader":
      return AccessGranted.make({ seesSigningKey: false })
    case "OtherUser":
      return opensTo(effectiveLevel(request.generalAccess, request.ownerSetting), request.reference)
        ? AccessGranted.make({ seesSigningKey: false })
        : AccessDenied.make({ reason: "InsufficientPermissions" })
    case "Nobody":
      return request.reference !== "OwnStore" &&
        opensTo(effectiveLevel(request.generalAccess, request.ownerSetting), request.reference)
        ? AccessGranted.make({ seesSigningKey: false })
        : AccessDenied.make({ reason: "TokenNotProvided" })
  }
}
