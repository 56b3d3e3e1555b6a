/**
 * Records as streams: one as it arrives, many of them, or all of them in one archive.
 *
 * @since 0.1.0
 */
import type { CallError } from "@effect-apify/domain/CallError"
import type { MalformedRecordError, RecordNotFoundError, RecordTooLargeError } from "@effect-apify/domain/RecordErrors"
import type { RecordKey } from "@effect-apify/domain/RecordKey"
import type { InvalidStoreRefError, StoreNotFoundError } from "@effect-apify/domain/StoreErrors"
import { type StoreLocation, storeLocation } from "@effect-apify/domain/StoreLocation"
import type { StoreRef } from "@effect-apify/domain/StoreRef"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ApifyClient } from "./ApifyClient.js"
import type { CallOptions } from "./CallOptions.js"
import { checkItems, mapConcurrently } from "./internal/concurrently.js"
import { encodingOf } from "./internal/encoding.js"
import { contentEncodings, contentLength, contentType } from "./internal/headerValue.js"
import * as Limits from "./internal/recordLimits.js"
import {
  encodedError,
  RecordReading,
  type RecordRefError,
  recordErrorOf,
  recordTargetOf
} from "./internal/recordTarget.js"
import { unexpected, withoutBody } from "./internal/response.js"
import { checkObject } from "./internal/settings.js"
import { storeErrorOf } from "./internal/storeOperation.js"
import { Transformed } from "./internal/transform.js"
import { type KeysOptions, type ListKeysError, type ListKeysOptions, listKeys } from "./Keys.js"
import type { DecodeContext, OperationRequest, OperationResponse, Pull, StreamOperation } from "./Operation.js"
import { GetRecord, type GetRecordError, type ReadRecordOptions } from "./Records.js"
import type { StoredRecord } from "./StoredRecord.js"
import { runStream } from "./Streams.js"

/**
 * A record that is read as a stream.
 *
 * @since 0.1.0
 * @category models
 */
export interface StreamedRecord {
  readonly key: RecordKey
  /** As it was stored, parameters included. */
  readonly contentType: Option.Option<string>
  /** In bytes, if the server says so. */
  readonly size: Option.Option<number>
  /** Can be run only once; a second run is a defect. A stream that is cut off fails; it never ends as if it were complete. */
  readonly bytes: Stream.Stream<Uint8Array, CallError | MalformedRecordError>
}

/**
 * What `streamRecord` can fail with before the bytes begin.
 *
 * @since 0.1.0
 * @category errors
 */
export type StreamRecordError = Exclude<GetRecordError, RecordTooLargeError>

/**
 * Begins to read a record of any size. Bytes are read only as they are needed, so memory use stays constant. Closing the scope
 * frees the connection.
 *
 * It is retried until the record begins, and not after that. `attemptTimeout` (default: 1 minute) is the time until the record
 * begins, and then the longest wait for a chunk; `callTimeout` (default: 6 minutes) only applies until the record begins. The
 * reader may take any time.
 *
 * `GET /v2/key-value-stores/:storeId/records/:recordKey`
 *
 * @param ref a `StoreRef`, or its text
 * @param key 1 to 256 of the characters `a-z A-Z 0-9 ! - _ . ' ( )`
 *
 * @example
 * ```ts
 * import { streamRecord } from "@effect-apify/http"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * const size = streamRecord("janedoe~my-store", "video.mp4").pipe(
 *   Effect.flatMap(({ bytes }) => Stream.runFold(bytes, 0, (size, chunk) => size + chunk.length)),
 *   Effect.scoped
 * )
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const streamRecord = (
  ref: StoreRef | string,
  key: string,
  options?: ReadRecordOptions
): Effect.Effect<StreamedRecord, StreamRecordError, ApifyClient | Scope.Scope> =>
  Effect.suspend(() => runStream(new StreamRecord("GET", recordTargetOf(ref, key), options?.signature), options))

type StreamFailure = RecordRefError | StoreNotFoundError | RecordNotFoundError | MalformedRecordError

type StreamHead = Omit<OperationResponse, "body" | "isTruncated">

/** The bytes of a body, decoded as its headers declare. */
const decodedBytes = <E>(
  head: StreamHead,
  body: Pull<CallError>,
  onRefused: () => E
): Either.Either<Stream.Stream<Uint8Array, CallError | E>, E> => {
  const encoding = encodingOf(head)
  switch (encoding) {
    case "none":
      return Either.right(Stream.repeatEffectChunkOption(body))
    case "unknown":
      return Either.left(onRefused())
    default:
      return Either.right(
        Stream.unwrap(
          Effect.map(Effect.runtime<never>(), (runtime) =>
            Stream.repeatEffectChunkOption(
              new Transformed<CallError | E>(
                body,
                new DecompressionStream(encoding),
                runtime,
                Effect.failSync(onRefused)
              ).pull
            )
          )
        )
      )
  }
}

/** A second run would find an end, or the rest, and that would look like a whole record. */
const readOnce = <A, E>(stream: Stream.Stream<A, E>): Stream.Stream<A, E> => {
  let isRead = false
  return Stream.suspend(() => {
    if (isRead) return Stream.die(new Cause.IllegalArgumentException(READ_ONCE))
    isRead = true
    return stream
  })
}

const READ_ONCE = "The bytes of a streamed record can be read only once: to read them again, call streamRecord again"

/** A class, because it lives as long as a call (docs/decisions/0011). */
class StreamRecord extends RecordReading implements StreamOperation<StreamedRecord, StreamFailure> {
  readonly name = "streamRecord"
  readonly isPaced = false
  readonly defaults = Limits.STREAM

  decodeHead(
    head: StreamHead,
    body: Pull<CallError>,
    context: DecodeContext
  ): Either.Either<StreamedRecord, CallError | StreamFailure> {
    return Either.flatMap(this.target, ({ key }): Either.Either<StreamedRecord, CallError | StreamFailure> => {
      if (head.status !== 200) return Either.left(recordErrorOf(withoutBody(head), context, key))
      const isEncoded = contentEncodings(head.headers).length > 0
      return Either.map(
        decodedBytes(head, body, () => encodedError(head, context, key)),
        (bytes): StreamedRecord => ({
          key,
          contentType: Option.fromNullable(head.headers["content-type"]),
          size: isEncoded ? Option.none() : Option.filter(contentLength(head.headers), Number.isSafeInteger),
          bytes: readOnce(bytes)
        })
      )
    })
  }

  decodeError(response: OperationResponse, context: DecodeContext): CallError | StreamFailure {
    return Either.match(this.target, {
      onLeft: identity<CallError | StreamFailure>,
      onRight: ({ key }) => recordErrorOf(response, context, key)
    })
  }
}

/**
 * Which records to download.
 *
 * @since 0.1.0
 * @category options
 */
export type DownloadRecordsOptions = Pick<KeysOptions, "prefix" | "collection" | "signature"> & CallOptions

/**
 * What `downloadRecords` can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type DownloadRecordsError = CallError | InvalidStoreRefError | StoreNotFoundError

/**
 * Downloads all records of a store as a zip archive, in which each record is a file named by its key. The names come from the
 * server: check them before you write files. The limits are those of `streamRecord`.
 *
 * `GET /v2/key-value-stores/:storeId/records`
 *
 * @param ref a `StoreRef`, or its text
 *
 * @example
 * ```ts
 * import { downloadRecords } from "@effect-apify/http"
 * import * as Stream from "effect/Stream"
 *
 * const size = downloadRecords("janedoe~my-store", { prefix: "image-" }).pipe(
 *   Stream.runFold(0, (size, chunk) => size + chunk.length)
 * )
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const downloadRecords = (
  ref: StoreRef | string,
  options: DownloadRecordsOptions = {}
): Stream.Stream<Uint8Array, DownloadRecordsError, ApifyClient> =>
  Stream.unwrapScoped(
    Effect.suspend(() => {
      checkObject("options", options, "{ prefix: 'image-' }")
      return runStream(new DownloadRecords(storeLocation(ref), options), options)
    })
  )

type DownloadFailure = InvalidStoreRefError | StoreNotFoundError

/** A class, because it lives as long as a call (docs/decisions/0011). */
class DownloadRequest implements OperationRequest {
  readonly method = "GET"
  readonly path: string
  readonly query: OperationRequest["query"]
  readonly signature: Redacted.Redacted | undefined
  readonly headers = { accept: "application/zip" }

  constructor({ path, query }: StoreLocation, { collection, prefix, signature }: DownloadRecordsOptions) {
    this.path = `${path}/records`
    this.query = { ...query, prefix, collection }
    this.signature = signature
  }
}

/** A class, because it lives as long as a call (docs/decisions/0011). */
class DownloadRecords implements StreamOperation<Stream.Stream<Uint8Array, CallError>, DownloadFailure> {
  readonly name = "downloadRecords"
  readonly isIdempotent = true
  readonly isPaced = false
  readonly rate = "resource"
  readonly defaults = Limits.STREAM
  readonly store: Option.Option<string>
  readonly request: Either.Either<OperationRequest, DownloadFailure>

  constructor(location: Either.Either<StoreLocation, InvalidStoreRefError>, options: DownloadRecordsOptions) {
    this.store = Option.map(Either.getRight(location), ({ text }) => text)
    this.request = Either.map(location, (location) => new DownloadRequest(location, options))
  }

  decodeHead(
    head: StreamHead,
    body: Pull<CallError>,
    context: DecodeContext
  ): Either.Either<Stream.Stream<Uint8Array, CallError>, CallError | DownloadFailure> {
    const response = withoutBody(head)
    if (head.status !== 200) return Either.left(storeErrorOf(response, context))
    if (!Option.exists(contentType(head.headers), ({ type }) => type === "application/zip")) {
      return Either.left(unexpected(response, context, "The content type is not application/zip"))
    }
    return decodedBytes(head, body, () => unexpected(response, context, "The content encoding could not be decoded"))
  }

  decodeError(response: OperationResponse, context: DecodeContext): CallError | DownloadFailure {
    return storeErrorOf(response, context)
  }
}

/**
 * Which records to list, and how many to read at once.
 *
 * @since 0.1.0
 * @category options
 */
export interface ListRecordsOptions extends Omit<ListKeysOptions, "signature"> {
  /** How many records to read at once: 1 or more. Default: 16. */
  readonly concurrency?: number | undefined
}

/**
 * What `listRecords` can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type ListRecordsError = ListKeysError | Exclude<GetRecordError, RecordNotFoundError>

/**
 * Lists the records of a store with their bytes, in the order of their keys. A record that was deleted after its key was
 * listed is left out. At most 60 pages and 200 records a second are requested from a store.
 *
 * Up to `concurrency` records are held in memory, each of `maxBodyBytes` at most. If a record fails, the stream emits the
 * records before it, and then fails, so that nothing is left out unnoticed. It also fails at the keys `.` and `..`, which Apify
 * allows but no URL can hold. To go on after an error, give the keys of `listKeys` to `getRecords`, which has each record or its
 * error.
 *
 * @param ref a `StoreRef`, or its text
 *
 * @example
 * ```ts
 * import { listRecords } from "@effect-apify/http"
 * import * as Console from "effect/Console"
 * import * as Stream from "effect/Stream"
 *
 * const program = listRecords("janedoe~my-store", { prefix: "page-" }).pipe(
 *   Stream.runForEach((record) => Console.log(record.key, record.bytes.length))
 * )
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const listRecords = (
  ref: StoreRef | string,
  options: ListRecordsOptions = {}
): Stream.Stream<StoredRecord, ListRecordsError, ApifyClient> =>
  Stream.suspend(() => {
    checkObject("options", options, "{ prefix: 'page-' }")
    return mapConcurrently(
      // A page of keys may well be larger than a record.
      Stream.map(listKeys(ref, { ...options, maxBodyBytes: undefined }), ({ key }) => key),
      { concurrency: options.concurrency, unordered: false },
      (key) =>
        pacedRecord(ref, key, options).pipe(
          Effect.map(Option.some),
          Effect.catchTag("RecordNotFoundError", () => Effect.succeedNone),
          Effect.either
        )
    )
  }).pipe(Stream.mapEffect(identity), Stream.filterMap(identity))

/** @internal */
export const pacedRecord = (
  ref: StoreRef | string,
  key: string,
  options: CallOptions
): Effect.Effect<StoredRecord, GetRecordError, ApifyClient> =>
  Effect.flatMap(ApifyClient, (client) =>
    Effect.flatten(client.run(new GetRecord(recordTargetOf(ref, key), undefined, true), options))
  )

/**
 * The outcome for one key.
 *
 * @since 0.1.0
 * @category models
 */
export interface RecordResult {
  /** The key as it was given. */
  readonly key: string
  readonly result: Either.Either<StoredRecord, GetRecordError>
}

/**
 * How to get many records. The limits apply to each call.
 *
 * @since 0.1.0
 * @category options
 */
export interface GetRecordsOptions extends CallOptions {
  /** How many records to get at once: 1 or more. Default: 16. */
  readonly concurrency?: number | undefined
  /** Whether to emit results as soon as they are ready, and not in the order of the keys. Default: false. */
  readonly unordered?: boolean | undefined
}

/**
 * Gets the records of many keys of a store, or an error for each that fails. At most 200 a second are requested from a store.
 *
 * If a stream of keys fails, the records that were requested by then are emitted first. A `concurrency` that is not a whole
 * number of at least 1 is a defect.
 *
 * @param ref a `StoreRef`, or its text
 *
 * @example
 * ```ts
 * import { getRecords } from "@effect-apify/http"
 * import * as Console from "effect/Console"
 * import * as Either from "effect/Either"
 * import * as Stream from "effect/Stream"
 *
 * const program = getRecords("janedoe~my-store", ["one", "two"]).pipe(
 *   Stream.runForEach(({ key, result }) => Console.log(key, Either.isRight(result)))
 * )
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const getRecords = <E = never, R = never>(
  ref: StoreRef | string,
  keys: Iterable<string> | Stream.Stream<string, E, R>,
  options: GetRecordsOptions = {}
): Stream.Stream<RecordResult, E, ApifyClient | R> =>
  Stream.suspend(() => {
    checkItems("keys", keys)
    checkObject("options", options, "{ concurrency: 16 }")
    // A lone string is a key, although its characters could be iterated.
    return mapConcurrently(Predicate.isString(keys) ? [keys] : keys, options, (key) =>
      Effect.map(Effect.either(pacedRecord(ref, key, options)), (result) => ({ key, result }))
    )
  })
