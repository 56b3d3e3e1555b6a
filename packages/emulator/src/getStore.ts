/**
 * Get store: `GET /v2/key-value-stores/:storeId`.
 *
 * @since 0.1.0
 */
import {
  decideAccess,
  effectiveLevel,
  emptyNameRefusal,
  insufficientPermissionsRefusal,
  Store,
  StoreBody,
  PublicUrl,
  type Refusal,
  type Requester,
  storeNotFoundRefusal,
  tokenNotProvidedRefusal
} from "@effect-apify/domain"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Caller } from "./Accounts.js"
import type { Operation } from "./Operation.js"
import { findStore, type RequestedStore, type StoredStore } from "./Stores.js"

/**
 * Reads the path's last segment. Without a `~` it is only ever an id; a name must follow a `~`.
 *
 * @since 0.1.0
 * @category decisions
 */
export const parseSegment = (segment: string): Either.Either<RequestedStore, Refusal> => {
  const tilde = segment.indexOf("~")
  if (tilde === -1) return Either.right({ form: "StoreById", owner: "", key: segment })
  const [owner, key] = [segment.slice(0, tilde), segment.slice(tilde + 1)]
  if (key === "") return Either.left(emptyNameRefusal)
  return Either.right({ form: owner === "" ? "OwnStore" : "StoreByName", owner, key })
}

/**
 * What the caller is to the store. A token that is scoped to reading makes a reader of its owner, and of somebody who was
 * granted writing.
 *
 * @since 0.1.0
 * @category decisions
 */
export const requesterOf = (caller: Option.Option<Caller>, { ownerId, granted }: StoredStore): Requester =>
  Option.match(caller, {
    onNone: () => "Nobody",
    onSome: ({ userId, scope }) => {
      if (userId === ownerId) return scope === "WRITE" ? "Owner" : "Reader"
      if (granted === null) return "OtherUser"
      return scope === "WRITE" && granted === "WRITE" ? "Writer" : "Reader"
    }
  })

/** The link with the emulator as its host, and its signature taken off unless the caller may have it. */
const linkTo =
  (origin: string, signed: boolean) =>
  ({ href }: PublicUrl): PublicUrl => {
    const url = new URL(Redacted.value(href), origin)
    if (!signed) url.searchParams.delete("signature")
    return new PublicUrl({ href: Redacted.make(`${origin}${url.pathname}${url.search}${url.hash}`) })
  }

/**
 * Decides what to answer once the store has been looked for: the store as this caller may see it, or a refusal.
 *
 * The counts and dates are those of the seed: `readCount` and its like count what happens to records and keys, which
 * reading the store's own description is not, and whether that moves `accessedAt` is not documented.
 *
 * @since 0.1.0
 * @category decisions
 */
export const describeStore = (
  found: Option.Option<StoredStore>,
  form: RequestedStore["form"],
  caller: Option.Option<Caller>,
  origin: string
): Either.Either<Store, Refusal> => {
  if (Option.isNone(found)) return Either.left(storeNotFoundRefusal)
  const { store, ownerId, ownerName, ownerSetting } = found.value
  const access = decideAccess({
    requester: requesterOf(caller, found.value),
    reference: form,
    generalAccess: store.generalAccess,
    ownerSetting
  })
  if (access._tag === "AccessDenied") {
    return Either.left(access.reason === "TokenNotProvided" ? tokenNotProvidedRefusal : insufficientPermissionsRefusal)
  }
  const restricted = effectiveLevel(store.generalAccess, ownerSetting) === "RESTRICTED"
  const link = linkTo(origin, restricted && access.seesSigningKey)
  return Either.right(
    new Store({
      ...store,
      userId: Option.some(ownerId),
      username: Option.some(ownerName),
      keysPublicUrl: Option.map(store.keysPublicUrl, link),
      recordsPublicUrl: Option.map(store.recordsPublicUrl, link),
      urlSigningSecretKey: access.seesSigningKey ? store.urlSigningSecretKey : Option.none()
    })
  )
}

const encodeBody = Schema.encodeEither(StoreBody)

/**
 * Get store as Apify answers it.
 *
 * @since 0.1.0
 * @category operations
 */
export const getStore: Operation = {
  method: "GET",
  parent: "/v2/key-value-stores",
  answer: Effect.fnUntraced(function* ({ segment, caller, origin }) {
    const requested = parseSegment(segment)
    if (Either.isLeft(requested)) return requested
    const { form } = requested.right
    if (form === "OwnStore" && Option.isNone(caller)) return Either.left(tokenNotProvidedRefusal)
    const described = describeStore(yield* findStore(requested.right, caller), form, caller, origin)
    return Either.isLeft(described) ? described : Either.right(yield* encodeBody({ data: described.right }))
  })
}
