/**
 * Apify's API for stores in memory, or in a folder: the requests that the client sends, and how Apify responds to them. It does not
 * check what the client has checked before it sends anything: keys and numbers.
 */
import type { PlatformError } from "@effect/platform/Error"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { viewFor } from "@effect-apify/domain/AccessPolicy"
import { ApiError } from "@effect-apify/domain/ApiError"
import { AccessLevel } from "@effect-apify/domain/GeneralAccess"
import { JsonObject } from "@effect-apify/domain/Json"
import { PublicUrl } from "@effect-apify/domain/PublicUrl"
import {
  invalidStoreNameRefusal,
  invalidValueRefusal,
  methodRefusal,
  nameTakenRefusal,
  pageNotFoundRefusal,
  type Refusal,
  tokenNotProvidedRefusal,
  unsupportedEncodingRefusal
} from "@effect-apify/domain/Refusal"
import { Store } from "@effect-apify/domain/Store"
import { parseStoreName } from "@effect-apify/domain/StoreName"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { concat } from "./collect.js"
import { formats } from "./encoding.js"
import {
  type CallerAndQuery,
  type Found,
  Memory,
  type MemoryOptions,
  type MemoryRecord,
  needsSignature,
  type Refused,
  refuse
} from "./memory.js"
import { keysSignature, type Sign, signerOf } from "./signer.js"
import { storedZip } from "./storedZip.js"
import { storesPath } from "./storeOperation.js"
import { decompress } from "./transform.js"

/** A request, and what it is about. */
interface Call extends CallerAndQuery {
  readonly memory: Memory
  readonly request: HttpClientRequest.HttpClientRequest
  readonly origin: string
  /** The store, by the text of a reference. */
  readonly ref: string
  readonly key: string
}

type Handle = (call: Call) => Effect.Effect<Response, Refused | HttpClientError.RequestError | PlatformError>

const json = (status: number, body: unknown): Response => Response.json(body, { status })

const empty = (): Response => new Response(null, { status: 204 })

const trusted = { disableValidation: true }

// ---- Bodies ----------------------------------------------------------------------------------------------------------------

const bodyOf = (
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<Uint8Array, HttpClientError.RequestError> => {
  const { body } = request
  switch (body._tag) {
    case "Uint8Array":
      return Effect.succeed(body.body)
    case "Stream":
      return Stream.runCollect(body.stream).pipe(
        Effect.map((chunks) => concat([...chunks])),
        Effect.mapError((cause) => new HttpClientError.RequestError({ request, reason: "Transport", cause }))
      )
    default:
      return Effect.succeed(new Uint8Array())
  }
}

const NewStore = Schema.parseJson(
  Schema.Struct({ schema: Schema.optionalWith(JsonObject, { as: "Option", nullable: true }) })
)

const Changes = Schema.parseJson(
  Schema.Struct({
    name: Schema.optionalWith(Schema.NullOr(Schema.String), { exact: true }),
    title: Schema.optionalWith(Schema.String, { exact: true }),
    generalAccess: Schema.optionalWith(Schema.NullOr(AccessLevel), { exact: true })
  })
)

const readJson = <A>(request: HttpClientRequest.HttpClientRequest, schema: Schema.Schema<A, string>) =>
  Effect.flatMap(bodyOf(request), (bytes) =>
    Effect.mapError(Schema.decode(schema)(bytes.length === 0 ? "{}" : new TextDecoder().decode(bytes)), () =>
      refuse(invalidValueRefusal("the body"))
    )
  )

// ---- Stores ----------------------------------------------------------------------------------------------------------------

const encodeStore = Schema.encode(Store)

/** How long the links of a store open it: 14 days. */
const LINK_MILLIS = 14 * 24 * 60 * 60 * 1000

const urlOf = ({ origin }: Call, { stored: { store } }: Found): string => `${origin}${storesPath}/${store.id}`

/** What signs the links of a store, where they need it and the caller may sign. */
const linkSigner = (found: Found): Effect.Effect<Option.Option<Sign>> =>
  needsSignature(found) ? signerOf(found.stored.store.urlSigningSecretKey) : Effect.succeedNone

/** The query of a link. */
const signed = (signer: Option.Option<Sign>, signature: (sign: Sign) => Effect.Effect<string>): Effect.Effect<string> =>
  Option.match(signer, {
    onNone: () => Effect.succeed(""),
    onSome: (sign) => Effect.map(signature(sign), (signature) => `?signature=${signature}`)
  })

/** The links of a store that has none of its own. */
const linksOf = (call: Call, found: Found) =>
  Effect.gen(function* () {
    const expiresAt = (yield* Clock.currentTimeMillis) + LINK_MILLIS
    const query = yield* signed(yield* linkSigner(found), (sign) =>
      keysSignature(sign, found.stored.store.id, expiresAt)
    )
    const link = (path: string) => Option.some(new PublicUrl(`${urlOf(call, found)}${path}${query}`))
    return { keysPublicUrl: link("/keys"), recordsPublicUrl: link("/records") }
  })

/** The store as its caller sees it, in JSON. */
const present = (call: Call, found: Found) =>
  Effect.gen(function* () {
    const view = yield* viewFor(found.stored.store, found)
    const links =
      Option.isNone(view.keysPublicUrl) && Option.isNone(view.recordsPublicUrl) ? yield* linksOf(call, found) : {}
    return yield* Effect.orDie(encodeStore(new Store({ ...view, ...links }, trusted)))
  }).pipe(Effect.mapError(refuse))

const callerOf = ({ caller }: CallerAndQuery) =>
  Effect.mapError(Effect.fromNullable(caller), () => refuse(tokenNotProvidedRefusal))

const byAge: Order.Order<Found> = Order.combine(
  Order.mapInput(DateTime.Order, ({ stored }: Found) => stored.store.createdAt),
  Order.mapInput(Order.string, ({ stored }: Found) => stored.store.id)
)

/** A page has at most as many items. */
const MAX_PAGE = 1000

const limitOf = ({ query }: CallerAndQuery): number => Math.min(Number(query.get("limit")) || MAX_PAGE, MAX_PAGE)

const isTrue = ({ query }: CallerAndQuery, name: string): boolean =>
  query.get(name) === "true" || query.get(name) === "1"

const listStores: Handle = (call) =>
  Effect.gen(function* () {
    const { memory, query } = call
    const caller = yield* callerOf(call)
    const desc = isTrue(call, "desc")
    const unnamed = isTrue(call, "unnamed")
    const limit = limitOf(call)
    const offset = Number(query.get("offset"))
    const ownership = query.get("ownership")
    const all = memory
      .within(caller)
      .filter(({ isOwn, stored }) => {
        const isListed = ownership === null || isOwn === (ownership === "ownedByMe")
        return isListed && (unnamed || Option.isSome(stored.store.name))
      })
      .sort(desc ? Order.reverse(byAge) : byAge)
    const items = yield* Effect.forEach(all.slice(offset, offset + limit), (found) => present(call, found))
    return json(200, { data: { total: all.length, offset, limit, desc, count: items.length, unnamed, items } })
  })

/** The client has checked it, unless an operation is written by hand. */
const checkName = (name: string) => Effect.mapError(parseStoreName(name), () => refuse(invalidStoreNameRefusal))

const getOrCreateStore: Handle = (call) =>
  Effect.gen(function* () {
    const { memory, query, request } = call
    const caller = yield* callerOf(call)
    const name = Option.fromNullable(query.get("name"))
    const ref = `~${Option.getOrElse(name, () => "")}`
    const known = memory.find(ref, call)
    if (Either.isRight(known)) return json(200, { data: yield* present(call, known.right) })
    yield* Option.match(name, { onNone: () => Effect.void, onSome: checkName })
    const { schema } = yield* readJson(request, NewStore)
    const made = yield* memory.create(caller, { name, schema })
    const found = Option.isSome(made) ? made.value : yield* memory.find(ref, call)
    return json(Option.isSome(made) ? 201 : 200, { data: yield* present(call, found) })
  })

const getStore: Handle = (call) =>
  Effect.gen(function* () {
    const found = yield* call.memory.find(call.ref, call)
    const data = yield* present(call, found)
    yield* call.memory.use(found)
    return json(200, { data })
  })

const updateStore: Handle = (call) =>
  Effect.gen(function* () {
    const { memory, ref, request } = call
    const found = yield* memory.findWritable(ref, call)
    const { stored } = found
    const { generalAccess, name, title } = yield* readJson(request, Changes)
    if (typeof name === "string") yield* checkName(name)
    if (typeof name === "string" && memory.hasOther(stored.store, name))
      return yield* Effect.fail(refuse(nameTakenRefusal))
    const store = new Store(
      {
        ...stored.store,
        ...(name === undefined ? {} : { name: Option.fromNullable(name) }),
        ...(title === undefined ? {} : { title: Option.some(title) }),
        ...(generalAccess === undefined ? {} : { generalAccess: Option.some(generalAccess ?? "FOLLOW_USER_SETTING") })
      },
      trusted
    )
    yield* memory.change(found, store)
    yield* memory.use(found, { changes: true })
    return json(200, { data: yield* present(call, found) })
  })

const deleteStore: Handle = ({ memory, ref, ...call }) =>
  Effect.map(
    Effect.flatMap(memory.findWritable(ref, call), (found) => memory.delete(found)),
    empty
  )

// ---- Collections -----------------------------------------------------------------------------------------------------------

const Collections = Schema.Struct({
  collections: Schema.Record({
    key: Schema.String,
    value: Schema.Struct({
      key: Schema.optional(Schema.String),
      keyPrefix: Schema.optional(Schema.String),
      contentTypes: Schema.optional(Schema.Array(Schema.String))
    })
  })
})

type Collection = (typeof Collections.Type)["collections"][string]

const decodeCollections = Schema.decodeUnknownOption(Collections)

/** The collections of a store by their IDs. A schema that is none has no collections. */
const collectionsOf = ({ stored }: Found): ReadonlyMap<string, Collection> =>
  new Map(
    Object.entries(
      Option.match(Option.flatMap(stored.store.schema, decodeCollections), {
        onNone: () => ({}),
        onSome: ({ collections }) => collections
      })
    )
  )

const isIn = ({ key: only, keyPrefix = "" }: Collection, key: string): boolean =>
  only === undefined ? key.startsWith(keyPrefix) : key === only

const unknownCollectionRefusal = invalidValueRefusal("collection must be one of those in the schema of the store")

const rejectedRefusal: Refusal = {
  status: 400,
  error: new ApiError({
    type: "schema-validation-failed",
    message: "The record does not fit the schema of the store: its content type is not one of its collection's"
  })
}

const isAllowed = (found: Found, key: string, contentType: string): boolean => {
  const [type = ""] = contentType.split(";")
  return Array.from(collectionsOf(found).values())
    .filter((collection) => isIn(collection, key))
    .every(({ contentTypes }) => contentTypes === undefined || contentTypes.includes(type.trim().toLowerCase()))
}

// ---- Records ---------------------------------------------------------------------------------------------------------------

/** Whether the parameters `prefix` and `collection` select a key. */
const selection = ({ query }: Call, found: Found): Either.Either<(key: string) => boolean, Refused> => {
  const id = query.get("collection")
  const collection = id === null ? {} : collectionsOf(found).get(id)
  if (collection === undefined) return Either.left(refuse(unknownCollectionRefusal))
  const prefix = query.get("prefix") ?? ""
  return Either.right((key) => key.startsWith(prefix) && isIn(collection, key))
}

const listKeys: Handle = (call) =>
  Effect.gen(function* () {
    const { memory, query, ref } = call
    const found = yield* memory.findReadable(ref, call)
    const start = query.get("exclusiveStartKey") || null
    const isSelected = yield* selection(call, found)
    const limit = limitOf(call)
    // One more shows whether there is another page.
    const following = yield* found.stored.records.list(
      (key) => (start === null || key > start) && isSelected(key),
      limit + 1
    )
    const page = following.slice(0, limit)
    const signer = yield* linkSigner(found)
    const items = yield* Effect.forEach(page, ({ key, size }) =>
      Effect.map(
        signed(signer, (sign) => sign(key)),
        (query) => ({
          key,
          size,
          recordPublicUrl: `${urlOf(call, found)}/records/${key}${query}`
        })
      )
    )
    yield* memory.use(found, { counts: "listCount" })
    const isTruncated = page.length < following.length
    const nextExclusiveStartKey = isTruncated ? (items.at(-1)?.key ?? null) : null
    return json(200, {
      data: { items, count: items.length, limit, exclusiveStartKey: start, isTruncated, nextExclusiveStartKey }
    })
  })

/** A record without its encoding. One that this platform does not decode, or that is not what its encoding says, stays as it is. */
export const decoded = (record: MemoryRecord): Effect.Effect<MemoryRecord> => {
  const format = formats.get(record.contentEncoding ?? "")
  if (format === undefined) return Effect.succeed(record)
  return Effect.match(decompress(record.bytes, format, Number.POSITIVE_INFINITY), {
    onFailure: () => record,
    onSuccess: Option.match({
      onNone: () => record,
      onSome: (bytes) => ({ ...record, contentEncoding: undefined, bytes })
    })
  })
}

const findRecord = (call: Call) =>
  Effect.gen(function* () {
    const found = yield* call.memory.findReadable(call.ref, call, call.key)
    const { get, notFound } = found.stored.records
    const record = yield* get(call.key)
    return Option.isNone(record) ? yield* Effect.fail(refuse(notFound(call.key))) : { found, record: record.value }
  })

const headersOf = ({ bytes, contentEncoding, contentType }: MemoryRecord): Record<string, string> => ({
  "content-type": contentType,
  "content-length": String(bytes.length),
  ...(contentEncoding === undefined ? {} : { "content-encoding": contentEncoding })
})

const getRecord: Handle = (call) =>
  Effect.gen(function* () {
    const { found, record } = yield* findRecord(call)
    const read = yield* decoded(record)
    yield* call.memory.use(found, { counts: "readCount" })
    return new Response(new Uint8Array(read.bytes), { headers: headersOf(read) })
  })

const headRecord: Handle = (call) =>
  Effect.map(findRecord(call), ({ record }) => new Response(null, { headers: headersOf(record) }))

/** What Apify takes a record for that was put without a content type. */
const DEFAULT_CONTENT_TYPE = "application/octet-stream"

const putRecord: Handle = (call) =>
  Effect.gen(function* () {
    const { key, memory, ref, request } = call
    const found = yield* memory.findWritable(ref, call)
    const { "content-encoding": sent = "", "content-type": type = "" } = request.headers
    const contentType = type || DEFAULT_CONTENT_TYPE
    const encoding = sent.toLowerCase()
    const contentEncoding = encoding === "" || encoding === "identity" ? undefined : encoding
    if (contentEncoding !== undefined && !formats.has(contentEncoding)) {
      return yield* Effect.fail(refuse(unsupportedEncodingRefusal(contentEncoding)))
    }
    if (!isAllowed(found, key, contentType)) return yield* Effect.fail(refuse(rejectedRefusal))
    const bytes = yield* bodyOf(request)
    yield* found.stored.records.put(key, { contentType, contentEncoding, bytes })
    yield* memory.use(found, { changes: true, counts: "writeCount" })
    return json(201, {})
  })

const deleteRecord: Handle = (call) =>
  Effect.gen(function* () {
    const { key, memory, ref } = call
    const found = yield* memory.findWritable(ref, call)
    const changes = yield* found.stored.records.delete(key)
    yield* memory.use(found, { changes, counts: "deleteCount" })
    return empty()
  })

const zipRecords: Handle = (call) =>
  Effect.gen(function* () {
    const found = yield* call.memory.findReadable(call.ref, call)
    const listed = yield* found.stored.records.list(yield* selection(call, found), Number.POSITIVE_INFINITY)
    const files = yield* Effect.forEach(listed, ({ key }) =>
      Effect.flatMap(
        found.stored.records.get(key),
        Option.match({
          onNone: () => Effect.succeed([]),
          onSome: (record) => Effect.map(decoded(record), ({ bytes }) => [{ name: key, bytes }])
        })
      )
    )
    yield* call.memory.use(found, { counts: "listCount" })
    return new Response(new Uint8Array(storedZip(files.flat())), { headers: { "content-type": "application/zip" } })
  })

// ---- Routes ----------------------------------------------------------------------------------------------------------------

/** What a path responds to, by method. */
type Methods = ReadonlyMap<string, Handle>

const methods =
  (prepare: (handle: Handle) => Handle) =>
  (handles: { readonly [method: string]: Handle }): Methods =>
    new Map(Object.entries(handles).map(([method, handle]) => [method, prepare(handle)]))

/** They respond one at a time, and know the stores as other programs have left them. */
const ofStores = methods(
  (handle) => (call) => call.memory.exclusively(Effect.flatMap(call.memory.learn, () => handle(call)))
)

/** Another program may have made or renamed a store that is not known. */
const ofRecords = methods((handle) => (call) => {
  const { exclusively, learn } = call.memory
  return Either.isRight(call.memory.find(call.ref, call))
    ? handle(call)
    : Effect.flatMap(exclusively(learn), () => handle(call))
})

const stores = ofStores({ GET: listStores, POST: getOrCreateStore })

/** By what follows the path of a store. */
const below: ReadonlyArray<readonly [path: RegExp, methods: Methods]> = [
  [/^$/, ofStores({ GET: getStore, PUT: updateStore, DELETE: deleteStore })],
  [/^\/keys$/, ofRecords({ GET: listKeys })],
  [/^\/records$/, ofRecords({ GET: zipRecords })],
  [/^\/records\/([^/]+)$/, ofRecords({ GET: getRecord, HEAD: headRecord, PUT: putRecord, DELETE: deleteRecord })]
]

/** The segment that names a store, or the path of a run and its store; and what follows. */
const storePath =
  /^\/v2\/(?:key-value-stores\/([^/]+)|(actor-runs\/[^/]+|(?:actors|actor-tasks)\/[^/]+\/runs\/last)\/key-value-store)(\/.*)?$/

const routeOf = (
  path: string
): Option.Option<{ readonly methods: Methods; readonly ref: string; readonly key: string }> => {
  if (path === storesPath) return Option.some({ methods: stores, ref: "", key: "" })
  const [, segment, run, rest = ""] = storePath.exec(path) ?? []
  const ref = segment ?? run
  if (ref === undefined) return Option.none()
  for (const [pattern, methods] of below) {
    const match = pattern.exec(rest)
    if (match !== null) return Option.some({ methods, ref, key: match[1] ?? "" })
  }
  return Option.none()
}

const handle = (memory: Memory, caller: string | undefined, request: HttpClientRequest.HttpClientRequest) =>
  Effect.gen(function* () {
    const { origin, pathname, searchParams: query } = new URL(request.url)
    const { key, methods, ref } = yield* Effect.mapError(routeOf(pathname), () => refuse(pageNotFoundRefusal))
    const handle = methods.get(request.method)
    if (handle === undefined) return yield* Effect.fail(refuse(methodRefusal(Array.from(methods.keys()))))
    // A link's signature is sent without a token.
    const asking = { caller: request.headers.authorization === undefined ? undefined : caller, query }
    return yield* handle({ ...asking, memory, request, origin, ref, key })
  })

/** What responds to requests about stores that are made anew each time. */
export const makeMemoryApi = (
  options: MemoryOptions
): Effect.Effect<
  (request: HttpClientRequest.HttpClientRequest) => Effect.Effect<Response, HttpClientError.RequestError>
> =>
  Effect.map(
    Memory.make(options),
    (memory) => (request) =>
      Effect.catchAll(handle(memory, options.caller, request), (error) => {
        switch (error._tag) {
          case "Refused":
            return Effect.succeed(json(error.refusal.status, { error: error.refusal.error }))
          case "RequestError":
            return Effect.fail(error)
          default:
            return Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport", cause: error }))
        }
      })
  )
