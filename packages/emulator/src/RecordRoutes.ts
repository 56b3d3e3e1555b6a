/**
 * The operations on records and keys.
 *
 * @since 0.1.0
 */
import { Readable } from "node:stream"
import type { Headers } from "@effect/platform/Headers"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { SqlError } from "@effect/sql/SqlError"
import { decideAccess, effectiveLevel } from "@effect-apify/domain/AccessPolicy"
import {
  invalidRecordKeyRefusal,
  type Refusal,
  recordNotFoundRefusal,
  storeNotFoundRefusal,
  unsupportedEncodingRefusal
} from "@effect-apify/domain/Refusal"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import type { ParseError } from "effect/ParseResult"
import * as Redacted from "effect/Redacted"
import type * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Accesses } from "./Accesses.js"
import { collectionsOf, demandsOn, validateJson } from "./Collections.js"
import { admits, ContentEncoding, decodeBytes, decodeStream } from "./ContentEncoding.js"
import { RecordLimit } from "./internal/RecordLimit.js"
import { isContentType, mediaTypeOf } from "./MediaType.js"
import { booleanOf, numberOf } from "./Query.js"
import {
  bodyOf,
  CHUNK_BYTES,
  deleteRecord,
  findRecord,
  type KeyRange,
  listKeys,
  type ReceivedBody,
  receiveBody,
  receivedBytes,
  type StoredRecord,
  saveRecord
} from "./RecordRows.js"
import { type ApiRequest, jsonResponse, Refused, type Route } from "./Router.js"
import type { Database } from "./Row.js"
import { signRecord, verifyRecord, verifyStorage } from "./Signatures.js"
import { type FoundStore, findRequested, findWritable, refusing } from "./StoreAccess.js"
import {
  ATTACHMENT_DISPOSITION,
  BAD_NUMBER_REFUSAL,
  DEFAULT_CONTENT_TYPE,
  HEAD_RATE,
  HTML_ENCODING_REFUSAL,
  INVALID_CONTENT_TYPE_REFUSAL,
  KEYS_LIMIT_ABOVE_MAXIMUM,
  RECORD_CACHE_HEADERS,
  RECORD_REJECTED_REFUSAL,
  RECORD_TOO_LARGE_REFUSAL,
  SERVICE_WORKER_REFUSAL,
  SIGNED_ONLY_WHEN_RESTRICTED,
  UNDECODABLE_RECORD_REFUSAL,
  UNKNOWN_COLLECTION_REFUSAL,
  ZIP_COUNTS_AS,
  ZIP_DECODES,
  ZIP_FILENAME
} from "./Unknowns.js"
import { type ZipEntry, zip } from "./Zip.js"

const STORE = "/v2/key-value-stores/:store"
const RECORD = `${STORE}/records/:key`

/** Requests a second that Apify allows for each store. */
const RECORD_RATE = 200
const OTHER_RATE = 60

const refuse = (refusal: Refusal) => new Refused({ refusal })

// ---- What a request is about -------------------------------------------------------------------------------------------

const keyPattern = /^[a-zA-Z0-9!\-_.'()]{1,256}$/

const keyOf = ({ parameters }: ApiRequest): Either.Either<string, Refused> => {
  const key = parameters.get("key") ?? ""
  return keyPattern.test(key) ? Either.right(key) : Either.left(refuse(invalidRecordKeyRefusal))
}

type Verify = (secret: Redacted.Redacted, signature: string, found: FoundStore, now: number) => boolean

const verifyKeys: Verify = (secret, signature, { store }, now) => verifyStorage(secret, store.id, signature, now)

/** The store of a request, for callers who may read what the request is about. A wrong signature is as good as none. */
const findReadable = Effect.fnUntraced(function* (request: ApiRequest, verify: Verify) {
  const found = yield* findRequested(request)
  const { urlSigningSecretKey: secret, generalAccess } = found.store
  const signature = request.query.get("signature")
  const isSigned =
    signature !== null &&
    Option.isSome(secret) &&
    verify(secret.value, signature, found, yield* Clock.currentTimeMillis)
  const refusal = decideAccess({ ...found, generalAccess, isSigned })
  return Option.isSome(refusal) ? yield* refuse(refusal.value) : found
})

const recordUrl = (origin: string, storeId: string, key: string): string =>
  `${origin}/v2/key-value-stores/${storeId}/records/${encodeURIComponent(key)}`

// ---- Reading a record --------------------------------------------------------------------------------------------------

/** What a response that is read later runs in. Requests are handled without being interrupted, and readers may leave. */
const readersRuntime: Effect.Effect<Runtime.Runtime<Database>, never, Database> = Effect.interruptible(
  Effect.runtime<Database>()
)

/** Begins to read when it is read from: the response to a HEAD never is. */
const lazily = async function* (
  body: Stream.Stream<Uint8Array, unknown, Database>,
  runtime: Runtime.Runtime<Database>
): AsyncGenerator<Uint8Array> {
  yield* Stream.toAsyncIterableRuntime(body, runtime)
}

/** If it fails, the connection is cut: Effect's own responses would end as if they were whole. */
const streamed = (body: Stream.Stream<Uint8Array, unknown, Database>): Effect.Effect<Readable, never, Database> =>
  Effect.map(readersRuntime, (runtime) => Readable.from(lazily(logged(body), runtime)))

const logged = <E, R>(body: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Uint8Array, E, R> =>
  Stream.tapErrorCause(body, (cause) => Effect.logError("A record could not be read to its end", cause))

interface Representation {
  readonly encoding: Option.Option<ContentEncoding>
  /** In bytes; `None` if that is known at its end alone. */
  readonly size: Option.Option<number>
  readonly body: Uint8Array | Readable
}

/** The body without its encoding: in memory, unless it is large. */
const decoded = Effect.fnUntraced(function* (record: StoredRecord, encoding: ContentEncoding) {
  const small = record.bytes === null ? Option.none() : yield* decodeBytes(record.bytes, encoding, CHUNK_BYTES)
  return Option.getOrElse(small, () => decodeStream(bodyOf(record), encoding))
})

const represent = Effect.fnUntraced(function* (record: StoredRecord, headers: Headers) {
  const { contentEncoding: stored, size } = record.row
  const encoding = Option.filter(stored, (encoding) => admits(headers["accept-encoding"], encoding))
  if (Option.isSome(stored) && Option.isNone(encoding)) {
    const body = yield* Effect.mapError(decoded(record, stored.value), () => refuse(UNDECODABLE_RECORD_REFUSAL))
    const representation: Representation =
      body instanceof Uint8Array
        ? { encoding, size: Option.some(body.length), body }
        : { encoding, size: Option.none(), body: yield* streamed(body) }
    return representation
  }
  const body = record.bytes ?? (yield* streamed(bodyOf(record)))
  const representation: Representation = { encoding, size: Option.some(size), body }
  return representation
})

const headersOf = (
  { row }: StoredRecord,
  query: URLSearchParams,
  encoding: Option.Option<ContentEncoding>,
  size: Option.Option<number>
): Record<string, string> => {
  const headers: Record<string, string> = {
    "content-type": row.contentType,
    vary: "Accept-Encoding",
    ...RECORD_CACHE_HEADERS
  }
  if (Option.isSome(encoding)) headers["content-encoding"] = encoding.value
  if (Option.isSome(size)) headers["content-length"] = String(size.value)
  if (booleanOf(query, "attachment")) headers["content-disposition"] = ATTACHMENT_DISPOSITION
  return headers
}

const findRequestedRecord = Effect.fnUntraced(function* (request: ApiRequest) {
  const key = yield* keyOf(request)
  const { store } = yield* findReadable(request, (secret, signature) => verifyRecord(secret, key, signature))
  if (request.headers["service-worker"] !== undefined) return yield* refuse(SERVICE_WORKER_REFUSAL)
  const record = yield* findRecord({ storeId: store.id, key })
  return Option.isNone(record) ? yield* refuse(recordNotFoundRefusal) : { store, record: record.value }
})

const getRecord: Route = {
  method: "GET",
  path: RECORD,
  rateLimit: RECORD_RATE,
  handle: Effect.fnUntraced(function* (request) {
    const { store, record } = yield* findRequestedRecord(request)
    const { encoding, size, body } = yield* represent(record, request.headers)
    yield* (yield* Accesses).add(store.id, "readCount")
    return HttpServerResponse.raw(body, { headers: headersOf(record, request.query, encoding, size) })
  })
}

/** The headers of Get record, with the length of the body as it is stored. It counts nothing. */
const headRecord: Route = {
  method: "HEAD",
  path: RECORD,
  rateLimit: HEAD_RATE,
  handle: Effect.fnUntraced(function* (request) {
    const { record } = yield* findRequestedRecord(request)
    const { contentEncoding, size } = record.row
    const encoding = Option.filter(contentEncoding, (encoding) => admits(request.headers["accept-encoding"], encoding))
    return HttpServerResponse.empty({
      status: 200,
      headers: headersOf(record, request.query, encoding, Option.some(size))
    })
  })
}

// ---- Writing a record --------------------------------------------------------------------------------------------------

const contentTypeOf = (headers: Headers): Either.Either<string, Refused> => {
  const contentType = headers["content-type"] || DEFAULT_CONTENT_TYPE
  return isContentType(contentType) ? Either.right(contentType) : Either.left(refuse(INVALID_CONTENT_TYPE_REFUSAL))
}

const isEncoding = Schema.is(ContentEncoding)

const contentEncodingOf = (
  headers: Headers,
  contentType: string
): Either.Either<Option.Option<ContentEncoding>, Refused> => {
  const sent = headers["content-encoding"] ?? ""
  const encoding = sent.trim().toLowerCase()
  if (encoding === "" || encoding === "identity") return Either.right(Option.none())
  if (isEncoding(encoding)) return Either.right(Option.some(encoding))
  const isHtml = mediaTypeOf(contentType) === "text/html"
  return Either.left(refuse(isHtml ? HTML_ENCODING_REFUSAL : unsupportedEncodingRefusal(sent)))
}

/** The whole body as text, without its encoding. */
const textOf = Effect.fnUntraced(function* (
  body: ReceivedBody,
  encoding: Option.Option<ContentEncoding>,
  maximum: number
) {
  const stored = receivedBytes(body)
  const rejected = (problem: string) => refuse(RECORD_REJECTED_REFUSAL(problem))
  const content = Option.match(encoding, {
    onNone: () => stored,
    onSome: (encoding) => decodeStream(stored, encoding)
  })
  const parts: Array<Uint8Array> = []
  let size = 0
  yield* Stream.runForEach(content, (part) => {
    size += part.length
    parts.push(part)
    return size > maximum ? rejected("the body is too large to be checked") : Effect.void
  }).pipe(Effect.catchTag("DecodingError", ({ encoding }) => rejected(`the body is not ${encoding}`)))
  return Buffer.concat(parts).toString("utf8")
})

const putRecord = Effect.fnUntraced(function* (request: ApiRequest) {
  const { headers, origin } = request
  const key = yield* keyOf(request)
  const { store } = yield* findWritable(request)
  const contentType = yield* contentTypeOf(headers)
  const contentEncoding = yield* contentEncodingOf(headers, contentType)
  const { excludesType, jsonSchemas } = demandsOn(collectionsOf(store.schema), key, contentType)
  if (excludesType) return yield* refuse(RECORD_REJECTED_REFUSAL("its content type is not one of its collection's"))
  const maximum = yield* RecordLimit
  if (Number(headers["content-length"]) > maximum) return yield* refuse(RECORD_TOO_LARGE_REFUSAL(maximum))
  const received = yield* receiveBody(request.nextChunk, maximum)
  if (Option.isNone(received)) return yield* refuse(RECORD_TOO_LARGE_REFUSAL(maximum))
  const body = received.value
  if (jsonSchemas.length > 0) {
    const problem = validateJson(yield* textOf(body, contentEncoding, maximum), jsonSchemas)
    if (Either.isLeft(problem)) return yield* refuse(RECORD_REJECTED_REFUSAL(problem.left))
  }
  const isSaved = yield* saveRecord({ storeId: store.id, key, contentType, contentEncoding, body })
  if (!isSaved) return yield* refuse(storeNotFoundRefusal)
  return HttpServerResponse.setHeader(jsonResponse(201, {}), "location", recordUrl(origin, store.id, key))
}, Effect.scoped)

const writing = (method: "PUT" | "POST"): Route => ({ method, path: RECORD, rateLimit: RECORD_RATE, handle: putRecord })

const removeRecord: Route = {
  method: "DELETE",
  path: RECORD,
  rateLimit: RECORD_RATE,
  handle: Effect.fnUntraced(function* (request) {
    const key = yield* keyOf(request)
    const { store } = yield* findWritable(request)
    yield* deleteRecord({ storeId: store.id, key })
    return HttpServerResponse.empty({ status: 204 })
  })
}

// ---- Keys --------------------------------------------------------------------------------------------------------------

/** Before and after every character of a key: between a key and the next, and after all keys with a prefix. */
const [BEFORE, AFTER] = [" ", "~"] as const

const both = (a: KeyRange, b: KeyRange): KeyRange => ({
  from: Order.max(Order.string)(a.from, b.from),
  to: Order.min(Order.string)(a.to, b.to)
})

const only = (key: string): KeyRange => ({ from: key, to: `${key}${BEFORE}` })
const startingWith = (prefix: string): KeyRange => ({ from: prefix, to: `${prefix}${AFTER}` })
const following = (key: string): KeyRange => ({ from: `${key}${BEFORE}`, to: AFTER })

const collectionRange = (id: string, { store }: FoundStore): Either.Either<KeyRange, Refused> => {
  const collections = collectionsOf(store.schema)
  const collection = Object.hasOwn(collections, id) ? collections[id] : undefined
  if (collection === undefined) return Either.left(refuse(UNKNOWN_COLLECTION_REFUSAL))
  return Either.right(collection.key === undefined ? startingWith(collection.keyPrefix ?? "") : only(collection.key))
}

/** The keys that the parameters `prefix` and `collection` select. */
const rangeOf = (query: URLSearchParams, found: FoundStore): Either.Either<KeyRange, Refused> => {
  const prefixed = startingWith(query.get("prefix") ?? "")
  const collection = query.get("collection")
  return collection === null
    ? Either.right(prefixed)
    : Either.map(collectionRange(collection, found), (range) => both(prefixed, range))
}

/** How the links of a list are signed: for those who may write, and where a link needs it. */
const signing = ({ store, requester, ownerSetting }: FoundStore): ((key: string) => string) => {
  const isSigned = !SIGNED_ONLY_WHEN_RESTRICTED || effectiveLevel(store.generalAccess, ownerSetting) === "RESTRICTED"
  return store.urlSigningSecretKey.pipe(
    Option.filter((secret) => requester === "WRITE" && isSigned && Redacted.value(secret) !== ""),
    Option.match({
      onNone: () => () => "",
      onSome: (secret) => (key) => `?signature=${signRecord(secret, key)}`
    })
  )
}

const getKeys: Route = {
  method: "GET",
  path: `${STORE}/keys`,
  rateLimit: OTHER_RATE,
  handle: Effect.fnUntraced(function* (request) {
    const { query, origin } = request
    const found = yield* findReadable(request, verifyKeys)
    const { id } = found.store
    const limit = yield* refusing(
      numberOf(query, "limit", {
        default: KEYS_LIMIT_ABOVE_MAXIMUM,
        maximum: KEYS_LIMIT_ABOVE_MAXIMUM,
        refusal: BAD_NUMBER_REFUSAL
      })
    )
    const start = query.get("exclusiveStartKey") || null
    const selected = yield* rangeOf(query, found)
    const page = yield* listKeys(id, start === null ? selected : both(selected, following(start)), limit + 1)
    yield* (yield* Accesses).add(id, "listCount")
    const isTruncated = page.length > limit
    const items = isTruncated ? page.slice(0, limit) : page
    const signatureOf = signing(found)
    return jsonResponse(200, {
      data: {
        items: items.map(({ key, size }) => ({
          key,
          size,
          recordPublicUrl: `${recordUrl(origin, id, key)}${signatureOf(key)}`
        })),
        count: items.length,
        limit,
        exclusiveStartKey: start,
        isTruncated,
        nextExclusiveStartKey: isTruncated ? (items.at(-1)?.key ?? null) : null
      }
    })
  })
}

// ---- The zip -----------------------------------------------------------------------------------------------------------

/** How many keys are read at once. */
const KEYS_AT_ONCE = 100

const keysIn = (storeId: string, range: KeyRange): Stream.Stream<string, SqlError | ParseError, Database> =>
  Stream.paginateChunkEffect(range.from, (from) =>
    Effect.map(listKeys(storeId, { ...range, from }, KEYS_AT_ONCE), (items) => [
      Chunk.fromIterable(items.map(({ key }) => key)),
      Option.map(
        Option.filter(Option.fromNullable(items.at(-1)), () => items.length === KEYS_AT_ONCE),
        ({ key }) => following(key).from
      )
    ])
  )

/** A record that is not what its encoding says is in the zip as it is stored, unless it is large. */
const contentOf = (record: StoredRecord): Stream.Stream<Uint8Array, unknown, Database> => {
  const { contentEncoding } = record.row
  if (!ZIP_DECODES || Option.isNone(contentEncoding)) return bodyOf(record)
  return Stream.unwrap(
    Effect.match(decoded(record, contentEncoding.value), {
      onFailure: () => bodyOf(record),
      onSuccess: (content) => (content instanceof Uint8Array ? Stream.make(content) : content)
    })
  )
}

const entriesOf = (storeId: string, range: KeyRange): Stream.Stream<ZipEntry<Database>, unknown, Database> =>
  keysIn(storeId, range).pipe(
    Stream.mapEffect((key) => findRecord({ storeId, key })),
    // One that was deleted meanwhile is left out.
    Stream.filterMap(
      Option.map((record) => ({
        name: record.row.key,
        lastModified: DateTime.toDateUtc(record.row.modifiedAt),
        content: logged(contentOf(record))
      }))
    )
  )

const getRecords: Route = {
  method: "GET",
  path: `${STORE}/records`,
  rateLimit: OTHER_RATE,
  handle: Effect.fnUntraced(function* (request) {
    const found = yield* findReadable(request, verifyKeys)
    const { id, name } = found.store
    const range = yield* rangeOf(request.query, found)
    yield* (yield* Accesses).add(id, ZIP_COUNTS_AS)
    const runtime = yield* readersRuntime
    const filename = ZIP_FILENAME(Option.getOrElse(name, () => id))
    return HttpServerResponse.raw(Readable.from(zip(entriesOf(id, range), runtime)), {
      headers: { "content-type": "application/zip", "content-disposition": `attachment; filename="${filename}"` }
    })
  })
}

/**
 * The routes of the operations on records and keys.
 *
 * @since 0.1.0
 * @category routes
 */
export const recordRoutes: ReadonlyArray<Route> = [
  getKeys,
  getRecords,
  getRecord,
  headRecord,
  writing("PUT"),
  writing("POST"),
  removeRecord
]
