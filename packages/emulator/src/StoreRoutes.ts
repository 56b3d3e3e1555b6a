/**
 * The operations on stores.
 *
 * @since 0.1.0
 */
import { type ReferenceForm, type Requester, requesterOf, viewFor } from "@effect-apify/domain/AccessPolicy"
import { PublicUrl } from "@effect-apify/domain/PublicUrl"
import {
  emptyNameRefusal,
  type Refusal,
  storeNotFoundRefusal,
  tokenNotProvidedRefusal
} from "@effect-apify/domain/Refusal"
import { Store } from "@effect-apify/domain/Store"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Caller } from "./Callers.js"
import { encodeStoreBody } from "./encodeStoreBody.js"
import { type ApiRequest, jsonResponse, Refused, type Route } from "./Router.js"
import { findStore, type RequestedStore, type StoredStore } from "./StoreRows.js"

/**
 * Reads the segment that names a store. A name follows a `/` (percent-encoded in a path) or a `~`; the slash wins. A
 * segment with neither is only ever an ID.
 *
 * @since 0.1.0
 * @category decoding
 */
export const parseSegment = (
  segment: string,
  caller: Option.Option<Caller>
): Either.Either<RequestedStore, Refusal> => {
  const separator = segment.includes("/") ? "/" : "~"
  const at = segment.indexOf(separator)
  if (at === -1) return Either.right({ _tag: "StoreById", id: segment })
  const owner = segment.slice(0, at)
  const name = segment.slice(at + 1)
  if (name === "") return Either.left(emptyNameRefusal)
  if (owner !== "") return Either.right({ _tag: "StoreByName", owner, name })
  return Either.map(
    Either.fromOption(caller, () => tokenNotProvidedRefusal),
    ({ userId }) => ({ _tag: "OwnStore", userId, name })
  )
}

/** The store that a path names, and what the caller is to it. */
interface Found extends StoredStore {
  readonly requester: Requester
  readonly reference: ReferenceForm
}

const requesterTo = (caller: Option.Option<Caller>, { ownerId, granted }: StoredStore): Requester =>
  Option.match(caller, {
    onNone: () => "ANONYMOUS",
    onSome: ({ userId, scope }) => requesterOf({ scope, isOwner: userId === ownerId, granted })
  })

const refusing = <A>(either: Either.Either<A, Refusal>): Either.Either<A, Refused> =>
  Either.mapLeft(either, (refusal) => new Refused({ refusal }))

const findRequested = Effect.fnUntraced(function* ({ parameters, caller }: ApiRequest) {
  const requested = yield* refusing(parseSegment(parameters.get("store") ?? "", caller))
  const stored = yield* findStore(
    requested,
    Option.map(caller, ({ userId }) => userId)
  )
  if (Option.isNone(stored)) return yield* new Refused({ refusal: storeNotFoundRefusal })
  const found: Found = { ...stored.value, requester: requesterTo(caller, stored.value), reference: requested._tag }
  return found
})

const withOrigin =
  (origin: string) =>
  ({ href }: PublicUrl): PublicUrl => {
    const target = Redacted.value(href).replace(/^(?:[a-z][a-z\d+.-]*:)?\/\/[^/?#]*/i, "")
    return new PublicUrl({ href: Redacted.make(`${origin}${target.startsWith("/") ? "" : "/"}${target}`) }, trusted)
  }

const trusted = { disableValidation: true }

/** The store with links that lead to the emulator. */
const linkedTo = (origin: string, store: Store): Store =>
  new Store(
    {
      ...store,
      keysPublicUrl: Option.map(store.keysPublicUrl, withOrigin(origin)),
      recordsPublicUrl: Option.map(store.recordsPublicUrl, withOrigin(origin))
    },
    trusted
  )

/**
 * Get store. It moves no count and no date: `readCount` and its like count what happens to records and keys.
 */
const getStore: Route = {
  method: "GET",
  path: "/v2/key-value-stores/:store",
  rateLimit: 60,
  handle: Effect.fnUntraced(function* (request) {
    const { store, ...found } = yield* findRequested(request)
    const view = yield* refusing(viewFor(store, found))
    return jsonResponse(200, encodeStoreBody(linkedTo(request.origin, view)))
  })
}

/**
 * The routes of the operations on stores.
 *
 * @since 0.1.0
 * @category routes
 */
export const storeRoutes: ReadonlyArray<Route> = [getStore]
