/**
 * Who may read a store, and what they see of it: Apify's rules as pure functions.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { AccessLevel, GeneralAccess } from "./GeneralAccess.js"
import type { PublicUrl } from "./PublicUrl.js"
import { anonymousRefusal, insufficientPermissionsRefusal, type Refusal, tokenNotProvidedRefusal } from "./Refusal.js"
import { Store } from "./Store.js"
import type { StoreRef } from "./StoreRef.js"

/**
 * A right to a store, or the scope of a token: reading, or writing, which includes reading.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Right = Schema.Literal("READ", "WRITE").annotations({ identifier: "Right" })

/**
 * @since 0.1.0
 * @category models
 */
export type Right = typeof Right.Type

/**
 * What a caller may do with a store, before general access is considered: the caller's right to it, `NONE` for a user
 * without one, or `ANONYMOUS` for a request without a token.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Requester = Schema.Literal(...Right.literals, "NONE", "ANONYMOUS").annotations({ identifier: "Requester" })

/**
 * @since 0.1.0
 * @category models
 */
export type Requester = typeof Requester.Type

/**
 * What the holder of a token is to a store. A token that is scoped to reading makes a reader of the owner and of a user
 * with the right to write.
 *
 * @since 0.1.0
 * @category access
 */
export const requesterOf = (caller: {
  readonly scope: Right
  readonly isOwner: boolean
  /** The right that the owner granted explicitly. */
  readonly granted: Option.Option<Right>
}): Requester => {
  const right = caller.isOwner ? Option.some<Right>("WRITE") : caller.granted
  return Option.match(right, { onNone: () => "NONE", onSome: (right) => (caller.scope === "READ" ? "READ" : right) })
}

/**
 * An account's setting for the stores that follow it. Apify's default is `RESTRICTED`.
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
 * The level in force for a store: its own, its owner's setting where it follows that, and the strictest where this
 * version does not know the level.
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

/**
 * A request to read a store.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccessRequest {
  readonly requester: Requester
  /** The form in which the store was referred to. */
  readonly reference: StoreRef["_tag"]
  readonly generalAccess: Option.Option<GeneralAccess>
  readonly ownerSetting: OwnerSetting
}

const opensTo = (level: AccessLevel, reference: StoreRef["_tag"]): boolean =>
  level === "ANYONE_WITH_NAME_CAN_READ" || (level === "ANYONE_WITH_ID_CAN_READ" && reference === "StoreById")

/**
 * Decides whether `requester` may read a store that was referred to in the form `reference`. An `OwnStore` always needs a
 * token, because the token's account says which store is meant.
 *
 * Source: Apify's documentation of general resource access. What a request without a token gets on a restricted store is
 * not documented: see `anonymousRefusal`.
 *
 * @example
 * ```ts
 * import { decideAccess } from "@effect-apify/domain"
 * import * as Option from "effect/Option"
 *
 * decideAccess({
 *   requester: "ANONYMOUS",
 *   reference: "StoreByName",
 *   generalAccess: Option.some("ANYONE_WITH_ID_CAN_READ"),
 *   ownerSetting: "RESTRICTED"
 * }) // Option.some(anonymousRefusal)
 * ```
 *
 * @returns `None` where the requester may read, or else the refusal
 *
 * @since 0.1.0
 * @category access
 */
export const decideAccess = (request: AccessRequest): Option.Option<Refusal> => {
  const isOpen = opensTo(effectiveLevel(request.generalAccess, request.ownerSetting), request.reference)
  switch (request.requester) {
    case "WRITE":
    case "READ":
      return Option.none()
    case "NONE":
      return isOpen ? Option.none() : Option.some(insufficientPermissionsRefusal)
    case "ANONYMOUS":
      if (request.reference === "OwnStore") return Option.some(tokenNotProvidedRefusal)
      return isOpen ? Option.none() : Option.some(anonymousRefusal)
  }
}

/**
 * The store as the requester sees it, or the refusal that the requester gets. Only those who may write see the signing
 * key, and signatures in its links; and links of stores that are open need no signature.
 *
 * @since 0.1.0
 * @category access
 */
export const viewFor = (store: Store, request: Omit<AccessRequest, "generalAccess">): Either.Either<Store, Refusal> => {
  const refusal = decideAccess({ ...request, generalAccess: store.generalAccess })
  if (Option.isSome(refusal)) return Either.left(refusal.value)
  const mayWrite = request.requester === "WRITE"
  const isSigned = mayWrite && effectiveLevel(store.generalAccess, request.ownerSetting) === "RESTRICTED"
  const link = (url: PublicUrl): PublicUrl => (isSigned ? url : url.withoutSignature())
  return Either.right(
    new Store(
      {
        ...store,
        keysPublicUrl: Option.map(store.keysPublicUrl, link),
        recordsPublicUrl: Option.map(store.recordsPublicUrl, link),
        urlSigningSecretKey: mayWrite ? store.urlSigningSecretKey : Option.none()
      },
      { disableValidation: true }
    )
  )
}
