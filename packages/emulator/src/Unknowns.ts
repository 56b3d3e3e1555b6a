/**
 * What Apify's documentation leaves open: one record, with what the emulator does until it is known. The API reads it from
 * its context, so that a test can build one that does something else.
 *
 * @since 0.1.0
 */
import { ApiError } from "@effect-apify/domain/ApiError"
import { anonymousRefusal, invalidValueRefusal, nameTakenRefusal, type Refusal } from "@effect-apify/domain/Refusal"
import * as Context from "effect/Context"
import * as Option from "effect/Option"
import type { Counted } from "./Accesses.js"
import { randomText } from "./internal/randomText.js"

/**
 * What the emulator does with a limit above the maximum: lowers it to the maximum, which the response shows, or refuses it as an
 * invalid number.
 *
 * @since 0.1.0
 * @category models
 */
export type AboveMaximum = "lower" | "refuse"

/**
 * What is not known of Apify, by name. Rates are in requests a second, sizes in bytes, times in milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface Unknowns {
  // ---- Requests ----
  /** What a request without a token gets that reads what is restricted. */
  readonly ANONYMOUS_REFUSAL: Refusal
  /** What a request gets that is refused though it has a signature. `None`: the same as without it. */
  readonly BAD_SIGNATURE_REFUSAL: Option.Option<Refusal>
  /** What a number in the query gets that is negative, fractional or no number at all. */
  readonly BAD_NUMBER_REFUSAL: (name: string) => Refusal
  /** Most bytes of a body that is JSON, decompressed. Documented. */
  readonly MAXIMUM_JSON_BYTES: number
  /** The headers of responses that every page may read. */
  readonly CORS_EXPOSED: ReadonlyArray<string>

  // ---- Lists of stores ----
  readonly STORES_LIMIT_ABOVE_MAXIMUM: AboveMaximum
  /** What an `ownership` gets that is not known. */
  readonly BAD_OWNERSHIP_REFUSAL: Refusal
  /** Whether the stores of a list have their signing keys and signatures, for callers who may write to them. */
  readonly LIST_ITEMS_HAVE_SECRET: boolean
  /** Whether a list with the unnamed stores leaves out those of them that are empty. */
  readonly UNNAMED_LEAVES_OUT_EMPTY: boolean

  // ---- Making and changing stores ----
  /** What a name gets that another store of the same owner has. */
  readonly NAME_CONFLICT_MESSAGE: string
  /** What a schema gets that is none, and why it is none. */
  readonly SCHEMA_INVALID_MESSAGE: (problem: string) => string
  /** Who may change who may read a store: everyone who may write to it, or its owner alone. */
  readonly UPDATE_ACCESS_RIGHT: "WRITE" | "OWNER"
  /** What happens to the fields of an update that are not known. */
  readonly UPDATE_UNKNOWN_FIELDS: "ignore" | "refuse"
  /** Whether getting or creating a store that is there counts as reading it. */
  readonly GET_OR_CREATE_TOUCHES: boolean
  /** A new signing key. Nothing is known of its form. */
  readonly SIGNING_KEY_FORM: () => string
  /** Whether the name of a deleted store is free at once. If not, it stays taken. */
  readonly DELETED_NAME_FREE_AT_ONCE: boolean

  // ---- Links ----
  /** How long the signature of a link holds. Documented. */
  readonly KEYS_PUBLIC_URL_VALIDITY: number
  /** Whether links have a signature only while the store is restricted. */
  readonly SIGNED_ONLY_WHEN_RESTRICTED: boolean

  // ---- Records ----
  /** The content type of a record that was sent without one. */
  readonly DEFAULT_CONTENT_TYPE: string
  /** Most bytes of a record, as it is sent. */
  readonly MAXIMUM_RECORD_BYTES: number
  /** What a record gets that a collection of the store's schema forbids. */
  readonly RECORD_REJECTED_TYPE: string
  readonly RECORD_REJECTED_MESSAGE: (problem: string) => string
  /** The name of the file that a record is to be saved as; `None` leaves it to the browser. */
  readonly ATTACHMENT_FILENAME: (key: string) => Option.Option<string>
  /** What is put before HTML that is no attachment. */
  readonly HTML_SNIPPET: string
  /** The headers about caching that a record is read with. */
  readonly RECORD_CACHE_HEADERS: (record: {
    readonly size: number
    readonly modifiedAt: Date
  }) => Readonly<Record<string, string>>
  /** Where a reader of a record is sent; `None` gets the record. */
  readonly RECORD_REDIRECT: (storeId: string, key: string) => Option.Option<string>
  /** The rate limit of HEAD of a record: that of records, or that of everything else. */
  readonly HEAD_RATE: 200 | 60

  // ---- Keys and the zip ----
  readonly KEYS_LIMIT_ABOVE_MAXIMUM: AboveMaximum
  /** Whether the size of a key is that of its record as it is stored, or else that without its encoding. */
  readonly KEY_SIZE_IS_STORED_SIZE: boolean
  /** What a collection gets that the store's schema does not have. */
  readonly UNKNOWN_COLLECTION_REFUSAL: Refusal
  /** How the zip is sorted: by the keys, or by when the records were written, the oldest first. */
  readonly ZIP_ORDER: "key" | "modifiedAt"
  /** The name of the zip's file, by the name or ID of the store. */
  readonly ZIP_FILENAME: (store: string) => string
  /** Whether records stand in the zip as they are without their encoding. */
  readonly ZIP_DECODES: boolean
  /** What the zip counts as. */
  readonly ZIP_COUNTS_AS: Counted
}

/**
 * What the emulator does until it is known.
 *
 * @since 0.1.0
 * @category constants
 */
export const unknowns: Unknowns = {
  ANONYMOUS_REFUSAL: anonymousRefusal,
  BAD_SIGNATURE_REFUSAL: Option.none(),
  BAD_NUMBER_REFUSAL: (name) => invalidValueRefusal(`${name} must be a whole number that is not negative`),
  MAXIMUM_JSON_BYTES: 9_437_184,
  CORS_EXPOSED: ["Location", "Content-Disposition", "X-RateLimit-Limit"],

  STORES_LIMIT_ABOVE_MAXIMUM: "lower",
  BAD_OWNERSHIP_REFUSAL: invalidValueRefusal("ownership must be one of ownedByMe, sharedWithMe"),
  LIST_ITEMS_HAVE_SECRET: true,
  UNNAMED_LEAVES_OUT_EMPTY: false,

  NAME_CONFLICT_MESSAGE: nameTakenRefusal.error.message,
  SCHEMA_INVALID_MESSAGE: (problem) => `The schema of the store is not valid: ${problem}`,
  UPDATE_ACCESS_RIGHT: "WRITE",
  UPDATE_UNKNOWN_FIELDS: "ignore",
  GET_OR_CREATE_TOUCHES: false,
  SIGNING_KEY_FORM: () => randomText(17),
  DELETED_NAME_FREE_AT_ONCE: true,

  KEYS_PUBLIC_URL_VALIDITY: 14 * 24 * 60 * 60 * 1000,
  SIGNED_ONLY_WHEN_RESTRICTED: true,

  DEFAULT_CONTENT_TYPE: "application/octet-stream",
  MAXIMUM_RECORD_BYTES: 200 * 1024 * 1024,
  RECORD_REJECTED_TYPE: "schema-validation-failed",
  RECORD_REJECTED_MESSAGE: (problem) => `The record does not fit the schema of the store: ${problem}`,
  ATTACHMENT_FILENAME: () => Option.none(),
  HTML_SNIPPET: "",
  RECORD_CACHE_HEADERS: () => ({}),
  RECORD_REDIRECT: () => Option.none(),
  HEAD_RATE: 200,

  KEYS_LIMIT_ABOVE_MAXIMUM: "lower",
  KEY_SIZE_IS_STORED_SIZE: true,
  UNKNOWN_COLLECTION_REFUSAL: {
    status: 400,
    error: new ApiError({
      type: "invalid-value",
      message: "Invalid value provided: collection must be one of those in the schema of the store"
    })
  },
  ZIP_ORDER: "key",
  ZIP_FILENAME: (store) => `${store}.zip`,
  ZIP_DECODES: true,
  ZIP_COUNTS_AS: "listCount"
}

/**
 * The unknowns of an API that is being built.
 *
 * @since 0.1.0
 * @category services
 */
export class CurrentUnknowns extends Context.Reference<CurrentUnknowns>()("@effect-apify/emulator/CurrentUnknowns", {
  defaultValue: () => unknowns
}) {}
