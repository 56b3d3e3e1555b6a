/**
 * The store that a request is about, and what the caller may do with it.
 *
 * @since 0.1.0
 */
import type { SqlError } from "@effect/sql/SqlError"
import {
  decideAccess,
  decideWrite,
  effectiveLevel,
  type ReferenceForm,
  type Requester,
  type Right,
  requesterOf
} from "@effect-apify/domain/AccessPolicy"
import { type Refusal, storeNotFoundRefusal, tokenNotProvidedRefusal } from "@effect-apify/domain/Refusal"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { ParseError } from "effect/ParseResult"
import * as Redacted from "effect/Redacted"
import type { Caller } from "./Callers.js"
import { parseName } from "./Names.js"
import { type ApiRequest, type Refused, refuse, refusing } from "./Router.js"
import type { Database } from "./Row.js"
import { findStore, type RequestedStore, type StoredStore } from "./StoreRows.js"
import type { Unknowns } from "./Unknowns.js"

/**
 * Reads the segment that names a store. A segment that is no name is only ever an ID.
 *
 * @since 0.1.0
 * @category decoding
 */
export const parseSegment = (segment: string, caller: Option.Option<Caller>): Either.Either<RequestedStore, Refusal> =>
  Either.flatMap(parseName(segment), ({ owner, name }): Either.Either<RequestedStore, Refusal> => {
    if (Option.isNone(owner)) return Either.right({ _tag: "StoreById", id: name })
    if (owner.value !== "") return Either.right({ _tag: "StoreByName", owner: owner.value, name })
    return Either.map(
      Either.fromOption(caller, () => tokenNotProvidedRefusal),
      ({ userId }) => ({ _tag: "OwnStore", userId, name })
    )
  })

/** What a token may do with a store: as in its account, or more. */
const tokenRight = ({ scope }: Caller, { scoped }: StoredStore): Option.Option<Right> => {
  if (scope === "WRITE") return Option.some(scope)
  return scope === "READ" ? Option.orElse(scoped, () => Option.some(scope)) : scoped
}

/**
 * What the caller may do with a store: as much as both the caller and the caller's token may.
 *
 * @since 0.1.0
 * @category access
 */
export const requesterTo = (caller: Option.Option<Caller>, stored: StoredStore): Requester => {
  if (Option.isNone(caller)) return "ANONYMOUS"
  const scope = tokenRight(caller.value, stored)
  if (Option.isNone(scope)) return "NONE"
  return requesterOf({
    scope: scope.value,
    isOwner: caller.value.userId === stored.ownerId,
    granted: stored.granted
  })
}

/**
 * The store that a path names, and what the caller is to it.
 *
 * @since 0.1.0
 * @category models
 */
export interface FoundStore extends StoredStore {
  readonly requester: Requester
  readonly reference: ReferenceForm
}

/**
 * Finds the store that the parameter `store` of a path names, whatever the caller may do with it.
 *
 * @since 0.1.0
 * @category access
 */
export const findRequested: (
  request: ApiRequest
) => Effect.Effect<FoundStore, Refused | SqlError | ParseError, Database> = Effect.fnUntraced(function* ({
  parameters,
  caller
}) {
  const requested = yield* refusing(parseSegment(parameters.get("store") ?? "", caller))
  const stored = yield* findStore(requested, caller)
  if (Option.isNone(stored)) return yield* refuse(storeNotFoundRefusal)
  return { ...stored.value, requester: requesterTo(caller, stored.value), reference: requested._tag }
})

/**
 * What a caller gets who may not read. What it is without a token is not known of Apify.
 *
 * @since 0.1.0
 * @category access
 */
export const readRefusal = ({ caller, unknowns }: ApiRequest, refusal: Refusal): Refusal =>
  Option.isNone(caller) ? unknowns.ANONYMOUS_REFUSAL : refusal

/**
 * Checks a signature by the signing key of the store; the time is in milliseconds since 1970.
 *
 * @since 0.1.0
 * @category models
 */
export type Verify = (secret: Redacted.Redacted, signature: string, found: FoundStore, now: number) => boolean

/**
 * Finds the store that a path names, for a caller who may read what the request is about, by rights or by a signature.
 *
 * @since 0.1.0
 * @category access
 */
export const findReadable: (
  request: ApiRequest,
  verify: Verify
) => Effect.Effect<FoundStore, Refused | SqlError | ParseError, Database> = Effect.fnUntraced(
  function* (request, verify) {
    const found = yield* findRequested(request)
    const { urlSigningSecretKey: secret, generalAccess } = found.store
    const signature = request.query.get("signature")
    const isSigned =
      signature !== null &&
      Option.isSome(secret) &&
      verify(secret.value, signature, found, yield* Clock.currentTimeMillis)
    const refusal = decideAccess({ ...found, generalAccess, isSigned })
    if (Option.isNone(refusal)) return found
    const unsigned = readRefusal(request, refusal.value)
    const { BAD_SIGNATURE_REFUSAL } = request.unknowns
    return yield* refuse(signature === null ? unsigned : Option.getOrElse(BAD_SIGNATURE_REFUSAL, () => unsigned))
  }
)

/**
 * The signing key of a store for links to it: `None` for those who may not write, and where a link needs no signature.
 *
 * @since 0.1.0
 * @category access
 */
export const linkSecret = (
  { store, requester, ownerSetting }: FoundStore,
  { SIGNED_ONLY_WHEN_RESTRICTED }: Unknowns
): Option.Option<Redacted.Redacted> => {
  const isSigned = !SIGNED_ONLY_WHEN_RESTRICTED || effectiveLevel(store.generalAccess, ownerSetting) === "RESTRICTED"
  return Option.filter(
    store.urlSigningSecretKey,
    (secret) => requester === "WRITE" && isSigned && Redacted.value(secret) !== ""
  )
}

/**
 * Finds the store that a path names, for a caller who may change it.
 *
 * @since 0.1.0
 * @category access
 */
export const findWritable = (
  request: ApiRequest
): Effect.Effect<FoundStore, Refused | SqlError | ParseError, Database> =>
  Effect.flatMap(findRequested(request), (found) =>
    Option.match(decideWrite(found.requester), {
      onNone: () => Effect.succeed(found),
      onSome: refuse
    })
  )
