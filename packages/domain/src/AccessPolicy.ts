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
import type { OwnStore, StoreById, StoreByName } from "./StoreRef.js"

/**
 * A right to a store, or the scope of a token: reading, or writing, which includes reading.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Right = Schema.Literal("READ", "WRITE").annotations({ identifier: "Right" })

/**
 * The type of `Right`.
 *
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
 * The type of `Requester`.
 *
 * @since 0.1.0
 * @category models
 */
export type Requester = typeof Requester.Type

/**
 * What the holder of a token may do with a store. The owner may write, and others have the right that was granted to
 * them; a token with the scope `READ` only reads.
 *
 * @example
 * ```ts
 * import { requesterOf } from "@effect-apify/domain"
 * import * as Option from "effect/Option"
 *
 * requesterOf({ scope: "WRITE", isOwner: true, granted: Option.none() }) // "WRITE"
 * requesterOf({ scope: "READ", isOwner: true, granted: Option.none() }) // "READ"
 * requesterOf({ scope: "WRITE", isOwner: false, granted: Option.none() }) // "NONE"
 * ```
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
 * An account's setting for the stores that follow it. Apify's default: `RESTRICTED`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const OwnerSetting = Schema.Literal("RESTRICTED", "ANYONE_WITH_ID_CAN_READ").annotations({
  identifier: "OwnerSetting"
})

/**
 * The type of `OwnerSetting`.
 *
 * @since 0.1.0
 * @category models
 */
export type OwnerSetting = typeof OwnerSetting.Type

/**
 * The level that applies to a store: its own, or its owner's setting if it has none or follows that setting. An unknown
 * level counts as `RESTRICTED`.
 *
 * @example
 * ```ts
 * import { effectiveLevel } from "@effect-apify/domain"
 * import * as Option from "effect/Option"
 *
 * effectiveLevel(Option.some("FOLLOW_USER_SETTING"), "RESTRICTED") // "RESTRICTED"
 * ```
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
 * The form in which a store was referred to. Apify turns a reference to a run's store into the store's ID first.
 *
 * @since 0.1.0
 * @category models
 */
export type ReferenceForm = (StoreById | StoreByName | OwnStore)["_tag"]

/**
 * A request to read a store.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccessRequest {
  readonly requester: Requester
  /** The form in which the store was referred to. */
  readonly reference: ReferenceForm
  /** The store's own level; `None` if it has none. */
  readonly generalAccess: Option.Option<GeneralAccess>
  /** The owner's account setting. */
  readonly ownerSetting: OwnerSetting
  /** Whether the request carries a valid signature for what it reads: a record, or the store's keys. Default: false. */
  readonly isSigned?: boolean
}

const opensTo = (level: AccessLevel, reference: ReferenceForm): boolean =>
  level === "ANYONE_WITH_NAME_CAN_READ" || (level === "ANYONE_WITH_ID_CAN_READ" && reference === "StoreById")

/**
 * Decides whether `requester` may read a store that was referred to in the form `reference`. A request for an `OwnStore`
 * always needs a token, because the token's account says which store is meant.
 *
 * Source: Apify's documentation of general resource access. It does not say how Apify responds to a request without a
 * token for a restricted store: see `anonymousRefusal`.
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
 * @returns `None` if the requester may read, or else the refusal
 *
 * @since 0.1.0
 * @category access
 */
export const decideAccess = (request: AccessRequest): Option.Option<Refusal> => {
  const level = effectiveLevel(request.generalAccess, request.ownerSetting)
  const isOpen = request.isSigned === true || opensTo(level, request.reference)
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
 * Decides whether `requester` may change a store or its records: general access and signatures give no right to write.
 *
 * Source: Apify's documentation of general resource access.
 *
 * @example
 * ```ts
 * import { decideWrite } from "@effect-apify/domain"
 *
 * decideWrite("READ") // Option.some(insufficientPermissionsRefusal)
 * ```
 *
 * @returns `None` if the requester may write, or else the refusal
 *
 * @since 0.1.0
 * @category access
 */
export const decideWrite = (requester: Requester): Option.Option<Refusal> => {
  if (requester === "WRITE") return Option.none()
  return Option.some(requester === "ANONYMOUS" ? tokenNotProvidedRefusal : insufficientPermissionsRefusal)
}

/**
 * The store as the requester sees it, or the refusal that the requester gets. Only a requester with the right to write
 * sees the signing key. Links carry a signature only for that requester, and only while the store is restricted: links
 * to an open store need none.
 *
 * Source: Apify's documentation of general resource access, and of the fields of Get store.
 *
 * @example
 * ```ts
 * import { type Store, viewFor } from "@effect-apify/domain"
 *
 * declare const store: Store
 *
 * viewFor(store, { requester: "READ", reference: "StoreById", ownerSetting: "RESTRICTED" })
 * // Either.right(the store without its signing key and signatures)
 * ```
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
