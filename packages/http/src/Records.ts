/**
 * Operations on single records.
 *
 * @since 0.1.0
 */
import type { CallError } from "@effect-apify/domain/CallError"
import {
  type InvalidRecordKeyError,
  type MalformedRecordError,
  type RecordNotFoundError,
  RecordRejectedError,
  RecordTooLargeError
} from "@effect-apify/domain/RecordErrors"
import type { RecordKey } from "@effect-apify/domain/RecordKey"
import type { InvalidStoreRefError, StoreNotFoundError } from "@effect-apify/domain/StoreErrors"
import type { StoreRef } from "@effect-apify/domain/StoreRef"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Schema from "effect/Schema"
import { ApifyClient } from "./ApifyClient.js"
import type { CallOptions } from "./CallOptions.js"
import { encodingOf } from "./internal/encoding.js"
import { contentEncodings, contentLength, contentType } from "./internal/headerValue.js"
import { type EncodedContent, encodeContent } from "./internal/recordContent.js"
import * as Limits from "./internal/recordLimits.js"
import {
  encodedError,
  isMissingRecord,
  RecordReading,
  type RecordRefError,
  RecordRequest,
  type RecordTarget,
  recordErrorOf,
  recordTargetOf,
  storeOf
} from "./internal/recordTarget.js"
import { apiErrorOf, errorOf, responseFieldsOf } from "./internal/response.js"
import { checkObject } from "./internal/settings.js"
import { storeErrorOf } from "./internal/storeOperation.js"
import { decompress } from "./internal/transform.js"
import type { DecodeContext, Operation, OperationRequest, OperationResponse } from "./Operation.js"
import type { PutRecordOptions, RecordContent } from "./RecordContent.js"
import { StoredRecord } from "./StoredRecord.js"

/**
 * How to read a record.
 *
 * @since 0.1.0
 * @category options
 */
export interface ReadRecordOptions extends CallOptions {
  /** The signature of a link to the record. It is sent in place of the token. */
  readonly signature?: Redacted.Redacted | undefined
}

/**
 * What `getRecord` can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type GetRecordError =
  | CallError
  | InvalidStoreRefError
  | InvalidRecordKeyError
  | StoreNotFoundError
  | RecordNotFoundError
  | RecordTooLargeError
  | MalformedRecordError

/**
 * Gets a whole record: its bytes as they were stored, which can also be read as text or JSON. A record larger than
 * `maxBodyBytes` (default: 16 MiB) is a `RecordTooLargeError`: read it with `streamRecord`.
 *
 * By default, an attempt may take 1 minute, and the call 6 minutes. A redirect to another server is followed once, without the
 * token.
 *
 * `GET /v2/key-value-stores/:storeId/records/:recordKey`
 *
 * @param ref a `StoreRef`, or its text
 * @param key 1 to 256 of the characters `a-z A-Z 0-9 ! - _ . ' ( )`
 *
 * @example
 * ```ts
 * import { getRecord } from "@effect-apify/http"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const record = yield* getRecord("janedoe~my-store", "report.html")
 *   yield* Effect.log(`${record.bytes.length} bytes`)
 *   return yield* record.text
 * })
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const getRecord = (
  ref: StoreRef | string,
  key: string,
  options?: ReadRecordOptions
): Effect.Effect<StoredRecord, GetRecordError, ApifyClient> =>
  Effect.flatMap(ApifyClient, (client) =>
    Effect.flatten(client.run(new GetRecord(recordTargetOf(ref, key), options?.signature, false), options))
  )

/**
 * Gets the value of a JSON record, decoded with a schema.
 *
 * @example
 * ```ts
 * import { getRecordValue } from "@effect-apify/http"
 * import * as Schema from "effect/Schema"
 *
 * const Input = Schema.Struct({ urls: Schema.Array(Schema.String) })
 *
 * const program = getRecordValue("janedoe~my-store", "INPUT", Input)
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const getRecordValue = <A, I, R>(
  ref: StoreRef | string,
  key: string,
  schema: Schema.Schema<A, I, R>,
  options?: ReadRecordOptions
): Effect.Effect<A, GetRecordError, ApifyClient | R> =>
  Effect.flatMap(getRecord(ref, key, options), (record) => record.json(schema))

type ReadFailure =
  | RecordRefError
  | StoreNotFoundError
  | RecordNotFoundError
  | RecordTooLargeError
  | MalformedRecordError

const keyOf = (target: Either.Either<RecordTarget, unknown>): string =>
  Either.match(target, { onLeft: () => "", onRight: ({ key }) => key })

/** A record whose bytes may have to be decoded first. */
type ReceivedRecord = Effect.Effect<StoredRecord, RecordTooLargeError | MalformedRecordError>

/**
 * Get record as an operation. A class, because it lives as long as a call (docs/decisions/0011).
 *
 * @internal
 */
export class GetRecord extends RecordReading implements Operation<ReceivedRecord, ReadFailure> {
  readonly name = "getRecord"
  readonly defaults = Limits.READ

  constructor(
    target: Either.Either<RecordTarget, RecordRefError>,
    signature: Redacted.Redacted | undefined,
    readonly isPaced: boolean
  ) {
    super("GET", target, signature)
  }

  decode(response: OperationResponse, context: DecodeContext): Either.Either<ReceivedRecord, CallError | ReadFailure> {
    return Either.flatMap(this.target, ({ key }): Either.Either<ReceivedRecord, CallError | ReadFailure> => {
      if (response.status !== 200) return Either.left(recordErrorOf(response, context, key))
      return response.isTruncated
        ? Either.left(tooLarge(context, key))
        : Either.right(
            Effect.map(
              decodedBytes(response, context, key),
              (bytes) =>
                new StoredRecord(key, bytes, Option.fromNullable(response.headers["content-type"]), context.call)
            )
          )
    })
  }
}

const decodedBytes = (
  response: OperationResponse,
  context: DecodeContext,
  key: string
): Effect.Effect<Uint8Array, RecordTooLargeError | MalformedRecordError> => {
  const { body } = response
  const encoding = encodingOf(response, body.length)
  if (encoding === "none") return Effect.succeed(body)
  if (encoding === "unknown") return Effect.fail(encodedError(response, context, key))
  return Effect.matchEffect(decompress(body, encoding, context.maxBodyBytes), {
    onFailure: () => Effect.fail(encodedError(response, context, key)),
    onSuccess: Option.match({ onNone: () => Effect.fail(tooLarge(context, key)), onSome: Effect.succeed })
  })
}

const tooLarge = ({ call, maxBodyBytes }: DecodeContext, key: string): RecordTooLargeError =>
  new RecordTooLargeError({ ...call, key, direction: "Download", limit: Option.some(maxBodyBytes) })

/**
 * A record's content type, encoding and size, without its bytes.
 *
 * @since 0.1.0
 * @category models
 */
export interface RecordHead {
  readonly key: RecordKey
  /** As it was stored, parameters included. */
  readonly contentType: Option.Option<string>
  /** How the stored bytes are encoded, if the server says so. */
  readonly contentEncoding: Option.Option<string>
  /** In bytes, if the server says so. */
  readonly size: Option.Option<number>
}

/**
 * What `headRecord` can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type HeadRecordError = CallError | InvalidStoreRefError | InvalidRecordKeyError

/**
 * Gets a record's content type, encoding and size; `None` if the record or its store does not exist. The response does not say
 * which.
 *
 * `HEAD /v2/key-value-stores/:storeId/records/:recordKey`
 *
 * @example
 * ```ts
 * import { headRecord } from "@effect-apify/http"
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 *
 * const exists = Effect.map(headRecord("janedoe~my-store", "OUTPUT"), Option.isSome)
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const headRecord = (
  ref: StoreRef | string,
  key: string,
  options?: ReadRecordOptions
): Effect.Effect<Option.Option<RecordHead>, HeadRecordError, ApifyClient> =>
  Effect.flatMap(ApifyClient, (client) =>
    client.run(new HeadRecord("HEAD", recordTargetOf(ref, key), options?.signature), options)
  )

const isPage = (headers: OperationResponse["headers"]): boolean =>
  Option.exists(contentType(headers), ({ type }) => type === "text/html")

/** A class, because it lives as long as a call (docs/decisions/0011). */
class HeadRecord extends RecordReading implements Operation<Option.Option<RecordHead>, RecordRefError> {
  readonly name = "headRecord"
  readonly isPaced = false

  decode(
    response: OperationResponse,
    context: DecodeContext
  ): Either.Either<Option.Option<RecordHead>, CallError | RecordRefError> {
    return Either.flatMap(this.target, ({ key }) => {
      const { headers, status } = response
      // A page is of another server. Of Apify's own 404s, without a body, the content type is all that could tell.
      if (status === 404 && !isPage(headers)) return Either.right(Option.none())
      if (status !== 200) return Either.left(errorOf(response, context))
      const encodings = contentEncodings(headers).join(", ")
      return Either.right(
        Option.some({
          key,
          contentType: Option.fromNullable(headers["content-type"]),
          contentEncoding: encodings === "" ? Option.none() : Option.some(encodings),
          size: Option.filter(contentLength(headers), Number.isSafeInteger)
        })
      )
    })
  }
}

/**
 * What `putRecord` can fail with, apart from the errors of a stream that the caller passes.
 *
 * @since 0.1.0
 * @category errors
 */
export type PutRecordError =
  | CallError
  | InvalidStoreRefError
  | InvalidRecordKeyError
  | StoreNotFoundError
  | RecordTooLargeError
  | RecordRejectedError
  | MalformedRecordError

/**
 * Stores a record. It replaces any record that has the key.
 *
 * A record is stored as a whole or not at all. If a stream fails, the call fails with the stream's error and nothing is stored.
 * A stream is read only as fast as the server takes it, and may take any time in all: `attemptTimeout` (default for streams: 1
 * minute) is the time in which the server must take a chunk, or respond, and by default there is no `callTimeout`. For any
 * other content, by default, an attempt may take 6 minutes, and the call 12.
 *
 * `PUT /v2/key-value-stores/:storeId/records/:recordKey`
 *
 * @param ref a `StoreRef`, or its text
 * @param key 1 to 256 of the characters `a-z A-Z 0-9 ! - _ . ' ( )`
 *
 * @example
 * ```ts
 * import { putRecord } from "@effect-apify/http"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Stream from "effect/Stream"
 *
 * const Output = Schema.Struct({ finishedAt: Schema.Date })
 *
 * const program = Effect.gen(function* () {
 *   yield* putRecord("~my-store", "notes.txt", "Some text")
 *   yield* putRecord("~my-store", "OUTPUT", { schema: Output, value: { finishedAt: new Date() } })
 *   yield* putRecord("~my-store", "zeros", Stream.make(new Uint8Array(1024)), { gzip: true, replayable: true })
 * })
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const putRecord = <A = never, I = never, E = never, R = never>(
  ref: StoreRef | string,
  key: string,
  content: RecordContent<A, I, E, R>,
  options: PutRecordOptions = {}
): Effect.Effect<void, PutRecordError | E, ApifyClient | R> => put(ref, key, content, options, false)

/** @internal */
export const put = <A, I, E, R>(
  ref: StoreRef | string,
  key: string,
  content: RecordContent<A, I, E, R>,
  options: PutRecordOptions,
  isPaced: boolean
): Effect.Effect<void, PutRecordError | E, ApifyClient | R> =>
  Effect.flatMap(ApifyClient, (client) => {
    checkObject("options", options, "{ contentType: 'text/html' }")
    const target = recordTargetOf(ref, key)
    // Counted and traced as a call that was not sent.
    if (Either.isLeft(target)) return client.run(new PutRecord(target, isPaced), options)
    const { location } = target.right
    const unsent = {
      operation: "putRecord",
      method: "PUT",
      url: `${location.path}/records/${key}`,
      store: Option.some(location.text),
      attempts: 0,
      elapsed: Duration.zero
    } as const
    return Effect.flatMap(encodeContent(content, options, unsent, key), (encoded) =>
      client.run(new PutRecord(target, isPaced, encoded), options)
    )
  })

type WriteFailure = RecordRefError | StoreNotFoundError | RecordTooLargeError | RecordRejectedError

/** A class, because it lives as long as a call (docs/decisions/0011). */
class PutRecord<E> implements Operation<void, WriteFailure | E> {
  readonly name = "putRecord"
  readonly isIdempotent = true
  readonly rate = "record"
  readonly defaults
  readonly store: Option.Option<string>
  readonly request: Either.Either<OperationRequest<WriteFailure | E>, WriteFailure | E>

  constructor(
    private readonly target: Either.Either<RecordTarget, RecordRefError>,
    readonly isPaced: boolean,
    content?: EncodedContent<E>
  ) {
    this.defaults = content?.body._tag === "Stream" ? Limits.UPLOAD : Limits.WRITE
    this.store = storeOf(target)
    this.request = Either.map(
      target,
      (target) => new RecordRequest<WriteFailure | E>("PUT", target, {}, undefined, content?.headers, content?.body)
    )
  }

  decode(response: OperationResponse, context: DecodeContext): Either.Either<void, CallError | WriteFailure> {
    if (response.status === 201) return Either.void
    return Either.left(putErrorOf(response, context, keyOf(this.target)))
  }
}

const putErrorOf = (response: OperationResponse, context: DecodeContext, key: string): CallError | WriteFailure => {
  const type = Option.map(apiErrorOf(response), ({ type }) => type)
  if (response.status === 413 || (response.status === 400 && Option.contains(type, "record-too-large"))) {
    const { apifyMessage } = responseFieldsOf(response, context)
    return new RecordTooLargeError({ ...context.call, key, direction: "Upload", limit: Option.none(), apifyMessage })
  }
  return response.status === 400 && Option.contains(type, "schema-validation-failed")
    ? new RecordRejectedError({ ...responseFieldsOf(response, context), key })
    : storeErrorOf(response, context)
}

/**
 * What `deleteRecord` can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type DeleteRecordError = CallError | InvalidStoreRefError | InvalidRecordKeyError | StoreNotFoundError

/**
 * Deletes a record. It also succeeds if the record does not exist.
 *
 * `DELETE /v2/key-value-stores/:storeId/records/:recordKey`
 *
 * @example
 * ```ts
 * import { deleteRecord } from "@effect-apify/http"
 *
 * const program = deleteRecord("~my-store", "OUTPUT")
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const deleteRecord = (
  ref: StoreRef | string,
  key: string,
  options?: CallOptions
): Effect.Effect<void, DeleteRecordError, ApifyClient> =>
  Effect.flatMap(ApifyClient, (client) => client.run(new DeleteRecord(recordTargetOf(ref, key), false), options))

/**
 * Delete record as an operation. A class, because it lives as long as a call (docs/decisions/0011).
 *
 * @internal
 */
export class DeleteRecord implements Operation<void, RecordRefError | StoreNotFoundError> {
  readonly name = "deleteRecord"
  readonly isIdempotent = true
  readonly rate = "record"
  readonly store: Option.Option<string>
  readonly request: Either.Either<OperationRequest, RecordRefError | StoreNotFoundError>

  constructor(
    target: Either.Either<RecordTarget, RecordRefError>,
    readonly isPaced: boolean
  ) {
    this.store = storeOf(target)
    this.request = Either.map(target, (target) => new RecordRequest("DELETE", target))
  }

  decode(response: OperationResponse, context: DecodeContext): Either.Either<void, CallError | StoreNotFoundError> {
    return response.status === 204 || isMissingRecord(response)
      ? Either.void
      : Either.left(storeErrorOf(response, context))
  }
}
