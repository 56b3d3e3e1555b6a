/**
 * The operations on stores.
 *
 * @since 0.1.0
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { viewFor } from "@effect-apify/domain/AccessPolicy"
import { AccessLevel } from "@effect-apify/domain/GeneralAccess"
import type { JsonObject } from "@effect-apify/domain/Json"
import { PublicUrl } from "@effect-apify/domain/PublicUrl"
import {
  insufficientPermissionsRefusal,
  invalidStoreNameRefusal,
  type Refusal,
  storeNotFoundRefusal,
  tokenNotProvidedRefusal
} from "@effect-apify/domain/Refusal"
import { Store } from "@effect-apify/domain/Store"
import { StoreId } from "@effect-apify/domain/StoreId"
import { StoreName } from "@effect-apify/domain/StoreName"
import { StoreStats } from "@effect-apify/domain/StoreStats"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import { Accesses } from "./Accesses.js"
import { OTHER_RATE, STORE, STORES, storeUrl } from "./Endpoints.js"
import { encodeStore, encodeStoreBody } from "./encodeStoreBody.js"
import { randomText } from "./internal/randomText.js"
import { readJsonObject } from "./JsonBody.js"
import { booleanOf, numberOf } from "./Query.js"
import {
  emptyStoreNameRefusal,
  invalidFieldRefusal,
  invalidSchemaRefusal,
  nameConflictRefusal,
  notAnObjectRefusal
} from "./Refusals.js"
import { type ApiRequest, jsonResponse, type Route, refuse, refusing } from "./Router.js"
import { signStorage } from "./Signatures.js"
import { type FoundStore, findRequested, findWritable, linkSecret, readRefusal, requesterTo } from "./StoreAccess.js"
import { deleteStore, findStore, insertStore, type ListRequest, listStores, updateStore } from "./StoreRows.js"
import { checkStoreSchema } from "./StoreSchema.js"
import type { Unknowns } from "./Unknowns.js"
import { removeDiscarded } from "./Uploads.js"

const ID_LENGTH = 17

const callerOf = ({ caller }: ApiRequest) => refusing(Either.fromOption(caller, () => tokenNotProvidedRefusal))

// ---- What a caller gets to see -----------------------------------------------------------------------------------------

const trusted = { disableValidation: true }

const withOrigin =
  (origin: string) =>
  ({ href }: PublicUrl): PublicUrl => {
    const target = Redacted.value(href).replace(/^(?:[a-z][a-z\d+.-]*:)?\/\/[^/?#]*/i, "")
    return linkTo(`${origin}${target.startsWith("/") ? "" : "/"}${target}`)
  }

const linkTo = (href: string): PublicUrl => new PublicUrl(href)

/** The links of a store that was not given any, with signatures for those who may sign. */
const linksOf = (found: FoundStore, { origin, unknowns }: ApiRequest, now: DateTime.Utc) => {
  const { id } = found.store
  const expiresAt = DateTime.toEpochMillis(now) + unknowns.KEYS_PUBLIC_URL_VALIDITY
  const query = Option.match(linkSecret(found, unknowns), {
    onNone: () => "",
    onSome: (secret) => `?signature=${signStorage(secret, id, expiresAt)}`
  })
  const store = storeUrl(origin, id)
  return {
    keysPublicUrl: Option.some(linkTo(`${store}/keys${query}`)),
    recordsPublicUrl: Option.some(linkTo(`${store}/records${query}`))
  }
}

/** The store as the caller sees it, with links that lead to the emulator. */
const present = Effect.fnUntraced(function* (found: FoundStore, request: ApiRequest) {
  const { origin } = request
  const view = yield* refusing(Either.mapLeft(viewFor(found.store, found), (refusal) => readRefusal(request, refusal)))
  const { keysPublicUrl, recordsPublicUrl } = view
  const links =
    Option.isNone(keysPublicUrl) && Option.isNone(recordsPublicUrl)
      ? linksOf(found, request, yield* DateTime.now)
      : {
          keysPublicUrl: Option.map(keysPublicUrl, withOrigin(origin)),
          recordsPublicUrl: Option.map(recordsPublicUrl, withOrigin(origin))
        }
  return new Store({ ...(yield* Accesses).including(view), ...links }, trusted)
})

// ---- Get store ---------------------------------------------------------------------------------------------------------

const getStore: Route = {
  method: "GET",
  path: STORE,
  rateLimit: OTHER_RATE,
  handle: Effect.fnUntraced(function* (request) {
    const found = yield* findRequested(request)
    const store = yield* present(found, request)
    yield* (yield* Accesses).add(store.id)
    return jsonResponse(200, encodeStoreBody(store))
  })
}

// ---- List stores -------------------------------------------------------------------------------------------------------

/** Most stores on one page. Documented. */
const MAXIMUM_STORES = 1000

const ownershipOf = ({ query, unknowns }: ApiRequest): Either.Either<ListRequest["ownership"], Refusal> => {
  const ownership = query.get("ownership")
  return ownership === null || ownership === "ownedByMe" || ownership === "sharedWithMe"
    ? Either.right(ownership)
    : Either.left(unknowns.BAD_OWNERSHIP_REFUSAL)
}

const listRoute: Route = {
  method: "GET",
  path: STORES,
  rateLimit: OTHER_RATE,
  handle: Effect.fnUntraced(function* (request) {
    const { query, unknowns } = request
    const caller = yield* callerOf(request)
    const { BAD_NUMBER_REFUSAL: refusal, STORES_LIMIT_ABOVE_MAXIMUM: aboveMaximum } = unknowns
    const limit = yield* refusing(
      numberOf(query, "limit", { default: MAXIMUM_STORES, maximum: MAXIMUM_STORES, aboveMaximum, refusal })
    )
    const offset = yield* refusing(numberOf(query, "offset", { default: 0, maximum: Number.MAX_SAFE_INTEGER, refusal }))
    const ownership = yield* refusing(ownershipOf(request))
    const [desc, unnamed] = [booleanOf(query, "desc"), booleanOf(query, "unnamed")]
    const leavesOutEmpty = unknowns.UNNAMED_LEAVES_OUT_EMPTY
    const { total, stores } = yield* listStores({ caller, ownership, unnamed, leavesOutEmpty, desc, offset, limit })
    const items = yield* Effect.forEach(stores, (stored) =>
      present(
        {
          ...stored,
          requester: unknowns.LIST_ITEMS_HAVE_SECRET ? requesterTo(Option.some(caller), stored) : "READ",
          reference: "StoreById"
        },
        request
      )
    )
    const page = { total, offset, limit, desc, count: items.length, unnamed, items: items.map(encodeStore) }
    return jsonResponse(200, { data: page })
  })
}

// ---- Get or create store -----------------------------------------------------------------------------------------------

const isName = Schema.is(StoreName)

const checkName = (name: string): Either.Either<StoreName, Refusal> => {
  if (isName(name)) return Either.right(name)
  return Either.left(name === "" ? emptyStoreNameRefusal : invalidStoreNameRefusal)
}

const schemaOf = (
  body: Option.Option<Readonly<Record<PropertyKey, unknown>>>,
  { SCHEMA_INVALID_MESSAGE }: Unknowns
): Either.Either<Option.Option<JsonObject>, Refusal> => {
  const schema = Option.getOrUndefined(body)?.schema
  return schema === undefined || schema === null
    ? Either.right(Option.none())
    : Either.mapBoth(checkStoreSchema(schema), {
        onLeft: (problem) => invalidSchemaRefusal(SCHEMA_INVALID_MESSAGE(problem)),
        onRight: Option.some
      })
}

const makeStore = (
  name: Option.Option<StoreName>,
  schema: Option.Option<JsonObject>,
  createdAt: DateTime.Utc,
  signingKey: string
): Store => {
  const id = StoreId.make(randomText(ID_LENGTH))
  return new Store({
    id,
    name,
    createdAt,
    modifiedAt: createdAt,
    accessedAt: createdAt,
    consoleUrl: Option.some(`https://console.apify.com/storage/key-value-stores/${id}`),
    urlSigningSecretKey: Option.some(Redacted.make(signingKey)),
    generalAccess: Option.some("FOLLOW_USER_SETTING"),
    schema,
    stats: Option.some(new StoreStats({}))
  })
}

const getOrCreateStore: Route = {
  method: "POST",
  path: STORES,
  rateLimit: OTHER_RATE,
  handle: Effect.fnUntraced(function* (request) {
    const { query, origin, unknowns } = request
    const caller = yield* callerOf(request)
    const find = (requested: Parameters<typeof findStore>[0]) => findStore(requested, Option.some(caller))
    const wanted = Option.fromNullable(query.get("name"))
    const findNamed = Option.match(wanted, {
      onNone: () => Effect.succeedNone,
      onSome: (name) => find({ _tag: "OwnStore", userId: caller.userId, name })
    })
    const known = yield* findNamed
    if (Option.isNone(known) && !caller.canCreate) return yield* refuse(insufficientPermissionsRefusal)
    const name = yield* refusing(Either.transposeMapOption(wanted, checkName))
    const schema = yield* refusing(schemaOf(yield* readJsonObject(request), unknowns))
    const respond = Effect.fnUntraced(function* (stored: typeof known, isNew: boolean) {
      if (Option.isNone(stored)) return yield* refuse(storeNotFoundRefusal)
      const requester = requesterTo(Option.some(caller), stored.value)
      const store = yield* present({ ...stored.value, requester, reference: "OwnStore" }, request)
      if (unknowns.GET_OR_CREATE_TOUCHES && !isNew) yield* (yield* Accesses).add(store.id)
      const body = encodeStoreBody(store)
      return isNew
        ? HttpServerResponse.setHeader(jsonResponse(201, body), "location", storeUrl(origin, store.id))
        : jsonResponse(200, body)
    })
    if (Option.isSome(known)) return yield* respond(known, false)
    const store = makeStore(name, schema, yield* DateTime.now, unknowns.SIGNING_KEY_FORM())
    // Somebody else may have made one of that name meanwhile.
    const isNew = yield* insertStore(store, caller)
    const stored = yield* isNew ? find({ _tag: "StoreById", id: store.id }) : findNamed
    if (!isNew && Option.isNone(stored)) return yield* refuse(nameConflictRefusal(unknowns.NAME_CONFLICT_MESSAGE))
    return yield* respond(stored, isNew)
  })
}

// ---- Update store ------------------------------------------------------------------------------------------------------

type Change = Partial<Pick<Store, "name" | "title" | "generalAccess">>

const isLevel = Schema.is(AccessLevel)

const nameOf = (name: unknown): Either.Either<Change, Refusal> => {
  if (name === null) return Either.right({ name: Option.none() })
  return Either.map(checkName(Predicate.isString(name) ? name : ""), (name) => ({ name: Option.some(name) }))
}

const titleOf = (title: unknown): Either.Either<Change, Refusal> => {
  if (title === null) return Either.right({ title: Option.none() })
  return Predicate.isString(title)
    ? Either.right({ title: Option.some(title) })
    : Either.left(invalidFieldRefusal("title must be a string"))
}

const generalAccessOf = (level: unknown): Either.Either<Change, Refusal> => {
  const sent = level ?? "FOLLOW_USER_SETTING"
  return isLevel(sent)
    ? Either.right({ generalAccess: Option.some(sent) })
    : Either.left(invalidFieldRefusal(`generalAccess must be one of ${AccessLevel.literals.join(", ")}`))
}

const fields: ReadonlyMap<string, (value: unknown) => Either.Either<Change, Refusal>> = new Map([
  ["name", nameOf],
  ["title", titleOf],
  ["generalAccess", generalAccessOf]
])

/** A field that is not there stays as it is. */
const changeOf = (
  body: Readonly<Record<PropertyKey, unknown>>,
  { UPDATE_UNKNOWN_FIELDS }: Unknowns
): Either.Either<Change, Refusal> => {
  const changes = Object.entries(body).map(([name, value]): Either.Either<Change, Refusal> => {
    const changeTo = fields.get(name)
    if (changeTo !== undefined) return changeTo(value)
    return UPDATE_UNKNOWN_FIELDS === "ignore"
      ? Either.right({})
      : Either.left(invalidFieldRefusal(`${name} is not a field`))
  })
  return Either.map(Either.all(changes), (changes) => Object.assign({}, ...changes))
}

const updateRoute: Route = {
  method: "PUT",
  path: STORE,
  rateLimit: OTHER_RATE,
  handle: Effect.fnUntraced(function* (request) {
    const found = yield* findWritable(request)
    const { caller, unknowns } = request
    const body = yield* readJsonObject(request)
    if (Option.isNone(body)) return yield* refuse(notAnObjectRefusal)
    const change = yield* refusing(changeOf(body.value, unknowns))
    const isOwner = Option.exists(caller, ({ userId }) => userId === found.ownerId)
    if (change.generalAccess !== undefined && unknowns.UPDATE_ACCESS_RIGHT === "OWNER" && !isOwner) {
      return yield* refuse(insufficientPermissionsRefusal)
    }
    const now = yield* DateTime.now
    const store = new Store({ ...found.store, ...change, modifiedAt: now, accessedAt: now }, trusted)
    if (!(yield* updateStore(store, found.ownerId, Struct.keys(change))))
      return yield* refuse(nameConflictRefusal(unknowns.NAME_CONFLICT_MESSAGE))
    const updated = yield* findStore({ _tag: "StoreById", id: store.id }, caller)
    if (Option.isNone(updated)) return yield* refuse(storeNotFoundRefusal)
    return jsonResponse(200, encodeStoreBody(yield* present({ ...found, ...updated.value }, request)))
  })
}

// ---- Delete store ------------------------------------------------------------------------------------------------------

const deleteRoute: Route = {
  method: "DELETE",
  path: STORE,
  rateLimit: OTHER_RATE,
  handle: Effect.fnUntraced(function* (request) {
    const { store } = yield* findWritable(request)
    yield* deleteStore(store.id, { keepsName: !request.unknowns.DELETED_NAME_FREE_AT_ONCE })
    yield* removeDiscarded
    return HttpServerResponse.empty({ status: 204 })
  })
}

/**
 * The routes of the operations on stores.
 *
 * @since 0.1.0
 * @category routes
 */
export const storeRoutes: ReadonlyArray<Route> = [listRoute, getOrCreateStore, getStore, updateRoute, deleteRoute]
