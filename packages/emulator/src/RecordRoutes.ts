/**
 * The operations on one record.
 *
 * @since 0.1.0
 */
import type { Headers } from "@effect/platform/Headers"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import {
  invalidRecordKeyRefusal,
  recordNotFoundRefusal,
  storeNotFoundRefusal,
  unsupportedEncodingRefusal
} from "@effect-apify/domain/Refusal"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Accesses } from "./Accesses.js"
import { collectionsOf, demandsOn, validateJson } from "./Collections.js"
import { admits, type ContentEncoding, decodeStream, parseContentEncoding } from "./ContentEncoding.js"
import { RECORD, RECORD_RATE, recordUrl } from "./Endpoints.js"
import { isContentType, mediaTypeOf } from "./MediaType.js"
import { booleanOf } from "./Query.js"
import { decodedOf, readableOf } from "./RecordBody.js"
import { bodyOf, deleteRecord, findRecord, type StoredRecord, saveRecord } from "./RecordRows.js"
import {
  htmlEncodingRefusal,
  invalidContentTypeRefusal,
  recordRejectedRefusal,
  recordTooLargeRefusal,
  serviceWorkerRefusal,
  undecodableRecordRefusal
} from "./Refusals.js"
import { type ApiRequest, jsonResponse, type Refused, type Route, refuse } from "./Router.js"
import type { Database } from "./Row.js"
import { verifyRecord } from "./Signatures.js"
import { findReadable, findWritable } from "./StoreAccess.js"
import type { Unknowns } from "./Unknowns.js"
import { type ReceivedBody, receiveBody, receivedBytes } from "./Uploads.js"

// ---- What a request is about -------------------------------------------------------------------------------------------

const keyPattern = /^[a-zA-Z0-9!\-_.'()]{1,256}$/

const keyOf = ({ parameters }: ApiRequest): Either.Either<string, Refused> => {
  const key = parameters.get("key") ?? ""
  return keyPattern.test(key) ? Either.right(key) : Either.left(refuse(invalidRecordKeyRefusal))
}

// ---- Reading a record --------------------------------------------------------------------------------------------------

interface Representation {
  readonly encoding: Option.Option<ContentEncoding>
  /** In bytes; `None` if that is known at its end alone. */
  readonly size: Option.Option<number>
  readonly content: Uint8Array | Stream.Stream<Uint8Array, unknown, Database>
}

const decoded = (record: StoredRecord, encoding: ContentEncoding) =>
  decodedOf(record, encoding).pipe(
    Effect.tapErrorTag("DecodingError", (error) => Effect.logError("A record could not be decoded", error)),
    Effect.catchTag("DecodingError", () => refuse(undecodableRecordRefusal)),
    Effect.map(
      (content): Representation => ({
        encoding: Option.none(),
        size: content instanceof Uint8Array ? Option.some(content.length) : Option.none(),
        content
      })
    )
  )

const asStored = (record: StoredRecord): Representation => ({
  encoding: record.row.contentEncoding,
  size: Option.some(record.row.size),
  content: record.bytes ?? bodyOf(record)
})

const withSnippet = (snippet: Uint8Array, { size, content, ...rest }: Representation): Representation => ({
  ...rest,
  size: Option.map(size, (size) => snippet.length + size),
  content:
    content instanceof Uint8Array ? Buffer.concat([snippet, content]) : Stream.concat(Stream.make(snippet), content)
})

const represent = Effect.fnUntraced(function* (record: StoredRecord, { headers, query, unknowns }: ApiRequest) {
  const { contentEncoding: stored, contentType } = record.row
  const { HTML_SNIPPET } = unknowns
  const isChanged = HTML_SNIPPET !== "" && mediaTypeOf(contentType) === "text/html" && !booleanOf(query, "attachment")
  const isDecoded = Option.exists(stored, (encoding) => isChanged || !admits(headers["accept-encoding"], encoding))
  const representation = isDecoded && Option.isSome(stored) ? yield* decoded(record, stored.value) : asStored(record)
  return isChanged ? withSnippet(Buffer.from(HTML_SNIPPET), representation) : representation
})

const dispositionOf = ({ query, unknowns }: ApiRequest, key: string): Option.Option<string> =>
  booleanOf(query, "attachment")
    ? Option.some(
        Option.match(unknowns.ATTACHMENT_FILENAME(key), {
          onNone: () => "attachment",
          onSome: (filename) => `attachment; filename="${filename}"`
        })
      )
    : Option.none()

const headersOf = (
  { row }: StoredRecord,
  request: ApiRequest,
  { encoding, size }: Omit<Representation, "content">
): Record<string, string> => {
  const { key, contentType, modifiedAt } = row
  const headers: Record<string, string> = {
    "content-type": contentType,
    vary: "Accept-Encoding",
    ...request.unknowns.RECORD_CACHE_HEADERS({ size: row.size, modifiedAt: DateTime.toDateUtc(modifiedAt) })
  }
  const disposition = dispositionOf(request, key)
  if (Option.isSome(encoding)) headers["content-encoding"] = encoding.value
  if (Option.isSome(size)) headers["content-length"] = String(size.value)
  if (Option.isSome(disposition)) headers["content-disposition"] = disposition.value
  return headers
}

const findRequestedRecord = Effect.fnUntraced(function* (request: ApiRequest) {
  const key = yield* keyOf(request)
  const { store } = yield* findReadable(request, (secret, signature) => verifyRecord(secret, key, signature))
  if (request.headers["service-worker"] !== undefined) return yield* refuse(serviceWorkerRefusal)
  const record = yield* findRecord({ storeId: store.id, key })
  return Option.isNone(record) ? yield* refuse(recordNotFoundRefusal) : { store, record: record.value }
})

const getRecord: Route = {
  method: "GET",
  path: RECORD,
  rateLimit: RECORD_RATE,
  handle: Effect.fnUntraced(function* (request) {
    const { store, record } = yield* findRequestedRecord(request)
    const target = request.unknowns.RECORD_REDIRECT(store.id, record.row.key)
    if (Option.isSome(target)) return HttpServerResponse.redirect(target.value)
    const { content, ...representation } = yield* represent(record, request)
    const body = content instanceof Uint8Array ? content : yield* readableOf(content)
    yield* (yield* Accesses).add(store.id, "readCount")
    return HttpServerResponse.raw(body, { headers: headersOf(record, request, representation) })
  })
}

/** The headers of Get record, with the length of the body as it is stored. It counts nothing. */
const headRecord = ({ HEAD_RATE }: Unknowns): Route => ({
  method: "HEAD",
  path: RECORD,
  rateLimit: HEAD_RATE,
  handle: Effect.fnUntraced(function* (request) {
    const { record } = yield* findRequestedRecord(request)
    const { contentEncoding, size } = record.row
    const encoding = Option.filter(contentEncoding, (encoding) => admits(request.headers["accept-encoding"], encoding))
    return HttpServerResponse.empty({
      status: 200,
      headers: headersOf(record, request, { encoding, size: Option.some(size) })
    })
  })
})

// ---- Writing a record --------------------------------------------------------------------------------------------------

const contentTypeOf = ({ headers, unknowns }: ApiRequest): Either.Either<string, Refused> => {
  const contentType = headers["content-type"] || unknowns.DEFAULT_CONTENT_TYPE
  return isContentType(contentType) ? Either.right(contentType) : Either.left(refuse(invalidContentTypeRefusal))
}

const contentEncodingOf = (
  headers: Headers,
  contentType: string
): Either.Either<Option.Option<ContentEncoding>, Refused> =>
  Either.mapLeft(parseContentEncoding(headers["content-encoding"]), (sent) => {
    const isHtml = mediaTypeOf(contentType) === "text/html"
    return refuse(isHtml ? htmlEncodingRefusal : unsupportedEncodingRefusal(sent))
  })

/** The whole body as text, without its encoding. */
const textOf = Effect.fnUntraced(function* (
  body: ReceivedBody,
  encoding: Option.Option<ContentEncoding>,
  unknowns: Unknowns
) {
  const stored = receivedBytes(body)
  const rejected = (problem: string) => refuse(recordRejectedRefusal(unknowns, problem))
  const content = Option.match(encoding, {
    onNone: () => stored,
    onSome: (encoding) => decodeStream(stored, encoding)
  })
  const parts: Array<Uint8Array> = []
  let size = 0
  yield* Stream.runForEach(content, (part) => {
    size += part.length
    parts.push(part)
    return size > unknowns.MAXIMUM_RECORD_BYTES ? rejected("the body is too large to be checked") : Effect.void
  }).pipe(Effect.catchTag("DecodingError", ({ encoding }) => rejected(`the body is not ${encoding}`)))
  return Buffer.concat(parts).toString("utf8")
})

const putRecord = Effect.fnUntraced(function* (request: ApiRequest) {
  const { headers, origin, unknowns } = request
  const rejected = (problem: string) => refuse(recordRejectedRefusal(unknowns, problem))
  const key = yield* keyOf(request)
  const { store } = yield* findWritable(request)
  const contentType = yield* contentTypeOf(request)
  const contentEncoding = yield* contentEncodingOf(headers, contentType)
  const { excludesType, jsonSchemas } = demandsOn(collectionsOf(store.schema), key, contentType)
  if (excludesType) return yield* rejected("its content type is not one of its collection's")
  const maximum = unknowns.MAXIMUM_RECORD_BYTES
  if (Number(headers["content-length"]) > maximum) return yield* refuse(recordTooLargeRefusal(maximum))
  const received = yield* receiveBody(request.nextChunk, maximum)
  if (Option.isNone(received)) return yield* refuse(recordTooLargeRefusal(maximum))
  const body = received.value
  if (jsonSchemas.length > 0) {
    const problem = validateJson(yield* textOf(body, contentEncoding, unknowns), jsonSchemas)
    if (Either.isLeft(problem)) return yield* rejected(problem.left)
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

/**
 * The routes of the operations on one record.
 *
 * @since 0.1.0
 * @category routes
 */
export const recordRoutes = (unknowns: Unknowns): ReadonlyArray<Route> => [
  getRecord,
  headRecord(unknowns),
  writing("PUT"),
  writing("POST"),
  removeRecord
]
