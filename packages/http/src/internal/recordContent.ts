/**
 * What is put into a record: the body of the request, and the headers that say what it is.
 */
import { type Problem, problemsOf } from "@effect-apify/domain/Problem"
import { MalformedRecordError } from "@effect-apify/domain/RecordErrors"
import * as Cause from "effect/Cause"
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { CallSummary, Pull, RequestBody } from "../Operation.js"
import type { PutRecordOptions, RecordContent } from "../RecordContent.js"
import { bodyFromStream } from "../Streams.js"
import { isStream } from "./concurrently.js"
import { charsetOf, isUtf8 } from "./headerValue.js"
import { malformedRecord } from "./recordTarget.js"
import { checkWhole } from "./settings.js"
import { gzip, Transformed } from "./transform.js"

/** A record, ready to be sent. */
export interface EncodedContent<E> {
  readonly body: RequestBody<E>
  readonly headers: OwnHeaders
}

type OwnHeaders = { readonly [name: string]: string }

/** Encodes a record. What the schema does not allow, and text that UTF-8 does not have, fails before anything is sent. */
export const encodeContent = <A, I, E, R>(
  content: RecordContent<A, I, E, R>,
  options: PutRecordOptions,
  call: CallSummary,
  key: string
): Effect.Effect<EncodedContent<E>, MalformedRecordError, R> => {
  if (options.gzip === true && options.contentEncoding !== undefined) {
    return Effect.die(new Cause.IllegalArgumentException("gzip and contentEncoding cannot both be set"))
  }
  if (isStream(content)) return Effect.map(contentOf(content, options), (body) => encoded(body, BINARY, options))
  if (isBytes(content)) return bytesBody(content, BINARY, options)
  // Callers without types may pass anything.
  if (!Predicate.isString(content) && !(Predicate.isRecord(content) && Schema.isSchema(content.schema))) {
    return Effect.die(new Cause.IllegalArgumentException(EXPECTED))
  }
  const refuse = (kind: MalformedRecordError["kind"], problem: string) =>
    Effect.fail(malformedRecord(call, key, kind, problem))
  if (!isSentAsUtf8(options))
    return refuse("Charset", "is text, which is sent in UTF-8: give bytes for another charset")
  if (Predicate.isString(content)) {
    return /\p{Surrogate}/u.test(content)
      ? refuse("Charset", "has half a surrogate pair, which no charset has")
      : bytesBody(utf8.encode(content), TEXT, options)
  }
  return ParseResult.encode(content.schema, { errors: "all" })(content.value).pipe(
    Effect.mapError((issue) => new MalformedRecordError({ ...call, key, kind: "Shape", problems: problemsOf(issue) })),
    Effect.flatMap((value) =>
      Either.match(jsonOf(value), {
        onLeft: (problem) => Effect.fail(new MalformedRecordError({ ...call, key, kind: "Json", problems: [problem] })),
        onRight: (json) => bytesBody(utf8.encode(json), JSON_TYPE, options)
      })
    )
  )
}

const EXPECTED = "content must be text, a Uint8Array, a value with its schema, or a stream"

// The headers of records for which the caller names no content type.
export const BINARY = { "content-type": "application/octet-stream" }
export const TEXT = { "content-type": "text/plain; charset=utf-8" }
export const JSON_TYPE = { "content-type": "application/json; charset=utf-8" }

const utf8 = new TextEncoder()

/** What is no text is refused with the request. */
const isSentAsUtf8 = ({ contentType }: PutRecordOptions): boolean =>
  !Predicate.isString(contentType) || Option.match(charsetOf(contentType), { onNone: () => true, onSome: isUtf8 })

/** The JSON of a value, or why it has none: it may refer to itself, or hold what JSON does not have. */
export const jsonOf = (value: unknown): Either.Either<string, Problem> => {
  const json = Option.liftThrowable((): unknown => JSON.stringify(value))()
  if (Option.isNone(json) || !Predicate.isString(json.value)) {
    return Either.left({ path: [], problem: "cannot be written as JSON" })
  }
  // A value that is too deep to look at is taken as it is.
  const path = json.value.includes("null") ? Option.getOrUndefined(Option.liftThrowable(pathToLost)(value)) : undefined
  return path === undefined ? Either.right(json.value) : Either.left({ path, problem: "would be null in JSON" })
}

/** Where JSON has `null` in place of something else. */
const pathToLost = (value: unknown): Problem["path"] | undefined => {
  const item: unknown =
    Predicate.hasProperty(value, "toJSON") && Predicate.isFunction(value.toJSON) ? value.toJSON() : value
  if (item === null) return value === null ? undefined : []
  if (Predicate.isNumber(item)) return Number.isFinite(item) ? undefined : []
  if (!Predicate.isObject(item)) return undefined
  for (const [key, inner] of Array.isArray(item) ? item.entries() : Object.entries(item)) {
    if (Array.isArray(item) && hasNoJson(inner)) return [key]
    const path = pathToLost(inner)
    if (path !== undefined) return [key, ...path]
  }
  return undefined
}

/** What JSON leaves out of objects, and has `null` for in arrays. */
const hasNoJson = (value: unknown): boolean =>
  value === undefined || Predicate.isFunction(value) || Predicate.isSymbol(value)

const encoded = <E>(body: RequestBody<E>, usual: OwnHeaders, options: PutRecordOptions): EncodedContent<E> => {
  const { contentType } = options
  const encoding = options.gzip === true ? "gzip" : options.contentEncoding
  const headers = {
    ...usual,
    ...(contentType === undefined ? {} : { "content-type": contentType }),
    ...(encoding === undefined ? {} : { "content-encoding": encoding })
  }
  return { body, headers: contentType === undefined && encoding === undefined ? usual : headers }
}

const bytesBody = (
  bytes: Uint8Array,
  usual: OwnHeaders,
  options: PutRecordOptions
): Effect.Effect<EncodedContent<never>> =>
  Effect.map(options.gzip === true ? gzip(bytes) : Effect.succeed(bytes), (bytes) =>
    encoded({ _tag: "Bytes", bytes }, usual, options)
  )

const contentOf = <E, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  { gzip, length, replayable }: PutRecordOptions
): Effect.Effect<RequestBody<E>, never, R> =>
  Effect.contextWith((context) => {
    checkWhole("length", length, 0)
    const open = Effect.map(Stream.toPull(Stream.provideContext(stream, context)), Effect.map(checkBytes))
    return bodyFromStream({
      open: gzip === true ? Effect.flatMap(open, gzipped) : open,
      // The length of what the stream has is not that of what it is compressed to.
      length: gzip === true ? undefined : length,
      isReplayable: replayable === true
    })
  })

/** Of anything else each transport would make something else. */
const checkBytes = (chunks: Chunk.Chunk<Uint8Array>): Chunk.Chunk<Uint8Array> => {
  for (const chunk of chunks) {
    if (!isBytes(chunk)) throw new Cause.IllegalArgumentException("A stream that is stored must emit Uint8Arrays")
  }
  return chunks
}

const gzipped = <E>(pull: Pull<E>) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.map(
        Effect.runtime<never>(),
        (runtime) => new Transformed(pull, new CompressionStream("gzip"), runtime, Effect.dieMessage("gzip failed"))
      ),
      ({ close }) => close
    ),
    ({ pull }) => pull
  )

/** Whether a value is bytes. By its tag: one of another realm is no instance of this realm's class. */
export const isBytes = (value: unknown): value is Uint8Array =>
  Object.prototype.toString.call(value) === "[object Uint8Array]"
