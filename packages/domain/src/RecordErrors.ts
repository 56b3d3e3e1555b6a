/**
 * The errors of operations on records, beyond those that every operation shares and those of stores.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ApifyErrorTypeId, type Retryable } from "./ApifyError.js"
import { Count } from "./Count.js"
import { optional, optionalText, requestFields, responseFields, responseOfStore } from "./internal/errorFields.js"
import { afterColon, describeProblems, effort, printable, responded } from "./internal/errorMessage.js"
import { Problem } from "./Problem.js"

/**
 * The text is not a valid record key. Nothing was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidRecordKeyError extends Schema.TaggedError<InvalidRecordKeyError>()("InvalidRecordKeyError", {
  /** The key as it was given, quoted and shortened. */
  key: Schema.String,
  /** What is wrong with it. */
  problem: Schema.String
}) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(
    `${this.key} is not a record key: ${this.problem}. A key is 1 to 256 of the characters a-z A-Z 0-9 ! - _ . ' ( ), but not "." or "..". escapeRecordKey turns any text into a key.`
  )
  get retryable(): Retryable {
    return "Never"
  }
}

/**
 * Apify's message if the record, and not the store, does not exist. Both responses have the same status and type. A store in a folder
 * adds the missing file.
 *
 * Source: an official client.
 *
 * @since 0.1.0
 * @category constants
 */
export const MISSING_RECORD_MESSAGE = "Record was not found"

const namesFile = (message: string): boolean => message.startsWith(`${MISSING_RECORD_MESSAGE}: `)

/**
 * Whether a message is that of a record that does not exist, on Apify or in a folder.
 *
 * @internal
 */
export const isMissingRecordMessage = (message: string): boolean =>
  message === MISSING_RECORD_MESSAGE || namesFile(message)

/**
 * 404 from Apify itself: the store has no such record.
 *
 * @example
 * ```ts
 * import type { RecordNotFoundError } from "@effect-apify/domain"
 * import * as Effect from "effect/Effect"
 *
 * declare const program: Effect.Effect<string, RecordNotFoundError>
 * Effect.catchTag(program, "RecordNotFoundError", ({ key }) => Effect.succeed(`no record ${key}`))
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class RecordNotFoundError extends Schema.TaggedError<RecordNotFoundError>()("RecordNotFoundError", {
  ...responseOfStore,
  /** The reference of the requested store. */
  ref: Schema.String,
  /** The requested key. */
  key: Schema.String
}) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(
    Option.match(Option.filter(this.apifyMessage, namesFile), {
      onNone: () => `${responded(this)}. The store ${this.ref} has no record ${this.key}. Keys are case-sensitive.`,
      onSome: (message) => `${message}${effort(this)}. Keys are case-sensitive.`
    })
  )
  get retryable(): Retryable {
    return "Never"
  }
}

/**
 * The record is too large: larger than `maxBodyBytes` when it is read as a whole (`Download`), or larger than Apify
 * stores (`Upload`).
 *
 * @example
 * ```ts
 * import type { RecordTooLargeError } from "@effect-apify/domain"
 *
 * // `streamRecord` reads records that are larger than `maxBodyBytes`.
 * const canBeStreamed = ({ direction }: RecordTooLargeError) => direction === "Download"
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class RecordTooLargeError extends Schema.TaggedError<RecordTooLargeError>()("RecordTooLargeError", {
  ...requestFields,
  /** The record's key. */
  key: Schema.String,
  direction: Schema.Literal("Download", "Upload"),
  /** The limit in bytes, if it is known. */
  limit: optional(Count),
  /** Apify's message, if it refused the record. */
  apifyMessage: optionalText
}) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(
    this.direction === "Download"
      ? `The record ${this.key} is larger than ${bytes(this.limit, "maxBodyBytes")}${effort(this)}. Read it with streamRecord, or raise maxBodyBytes.`
      : `Apify does not store the record ${this.key}, because it is larger than ${bytes(this.limit, "allowed")}${afterColon(this.apifyMessage)}${effort(this)}. Store it in parts, or compressed.`
  )
  get retryable(): Retryable {
    return "Never"
  }
}

const bytes = (limit: Option.Option<number>, otherwise: string): string =>
  Option.match(limit, { onNone: () => otherwise, onSome: (limit) => `${limit} bytes` })

/**
 * 400: the schema of the store's collections does not allow the record.
 *
 * @since 0.1.0
 * @category errors
 */
export class RecordRejectedError extends Schema.TaggedError<RecordRejectedError>()("RecordRejectedError", {
  ...responseFields,
  /** The record's key. */
  key: Schema.String
}) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(
    `${responded(this)}. The store's schema does not allow the record ${this.key}: check its content type and its value.`
  )
  get retryable(): Retryable {
    return "Never"
  }
}

/**
 * The record is not what the caller expects: not JSON (`Json`), JSON that does not match the schema (`Shape`), text
 * that cannot be decoded (`Charset`), or a content encoding that cannot be decoded (`Encoding`). If `method` is `PUT`,
 * it is a value to be written, and nothing was sent. Values are not shown.
 *
 * @example
 * ```ts
 * import { formatProblem, type MalformedRecordError } from "@effect-apify/domain"
 *
 * const report = ({ key, problems }: MalformedRecordError) => `${key}: ${problems.map(formatProblem).join("; ")}`
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class MalformedRecordError extends Schema.TaggedError<MalformedRecordError>()("MalformedRecordError", {
  ...requestFields,
  /** The record's key. */
  key: Schema.String,
  kind: Schema.Literal("Json", "Shape", "Charset", "Encoding"),
  problems: Schema.Array(Problem)
}) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(
    this.method === "PUT"
      ? `The record ${this.key} was not written: ${describeProblems(this.problems)}. Check the value, its schema and its content type.`
      : `The record ${this.key} is not what was expected${effort(this)}: ${describeProblems(this.problems)}. Check what wrote it, or read its bytes with getRecord.`
  )
  get retryable(): Retryable {
    return "Never"
  }
}

/**
 * The errors of operations on records, beyond those that every operation shares and those of stores.
 *
 * @since 0.1.0
 * @category errors
 */
export const RecordError = Schema.Union(
  InvalidRecordKeyError,
  RecordNotFoundError,
  RecordTooLargeError,
  RecordRejectedError,
  MalformedRecordError
).annotations({ identifier: "RecordError" })

/**
 * The type of `RecordError`.
 *
 * @since 0.1.0
 * @category errors
 */
export type RecordError = typeof RecordError.Type
