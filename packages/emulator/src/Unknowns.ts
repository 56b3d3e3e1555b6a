/**
 * What Apify's documentation leaves open, each as one constant: what the emulator does until it is known.
 *
 * @since 0.1.0
 */
import { ApiError } from "@effect-apify/domain/ApiError"
import { invalidValueRefusal, nameTakenRefusal, type Refusal } from "@effect-apify/domain/Refusal"
import type { Counted } from "./Accesses.js"

const refusal = (status: number, type: string, message: string): Refusal => ({
  status,
  error: new ApiError({ type, message })
})

// ---- Requests ----------------------------------------------------------------------------------------------------------

/**
 * What a number in the query gets that is negative, fractional or no number at all.
 *
 * @since 0.1.0
 * @category constants
 */
export const BAD_NUMBER_REFUSAL = (name: string): Refusal =>
  invalidValueRefusal(`${name} must be a whole number that is not negative`)

/**
 * Most bytes of a body that is JSON, decompressed. Documented.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAXIMUM_JSON_BYTES = 9_437_184

/**
 * The headers of responses that every page may read.
 *
 * @since 0.1.0
 * @category constants
 */
export const CORS_EXPOSED: ReadonlyArray<string> = ["Location", "Content-Disposition", "X-RateLimit-Limit"]

/**
 * What the last run of a task gets that does not exist, or of which the caller has no runs.
 *
 * @since 0.1.0
 * @category constants
 */
export const TASK_NOT_FOUND_REFUSAL: Refusal = refusal(
  404,
  "record-or-token-not-found",
  "Actor task was not found or access denied"
)

// ---- Lists of stores ---------------------------------------------------------------------------------------------------

/**
 * Most stores on one page; a limit above it is lowered to it, and the answer says so.
 *
 * @since 0.1.0
 * @category constants
 */
export const STORES_LIMIT_ABOVE_MAXIMUM = 1000

/**
 * What an `ownership` gets that is not known.
 *
 * @since 0.1.0
 * @category constants
 */
export const BAD_OWNERSHIP_REFUSAL: Refusal = invalidValueRefusal("ownership must be one of ownedByMe, sharedWithMe")

/**
 * Whether the stores of a list have their signing keys and signatures, for callers who may write to them.
 *
 * @since 0.1.0
 * @category constants
 */
export const LIST_ITEMS_HAVE_SECRET: boolean = true

/**
 * Whether `unnamed=1` leaves out stores that are empty.
 *
 * @since 0.1.0
 * @category constants
 */
export const UNNAMED_LEAVES_OUT_EMPTY: boolean = false

// ---- Making and changing stores ----------------------------------------------------------------------------------------

/**
 * What an empty name gets where one is made. The text has the words of live responses.
 *
 * @since 0.1.0
 * @category constants
 */
export const EMPTY_NAME_REFUSAL: Refusal = refusal(
  400,
  "invalid-value",
  "Invalid value provided in store: name must be a string of 1 to 63 characters"
)

/**
 * What a schema gets that is none, and why it is none.
 *
 * @since 0.1.0
 * @category constants
 */
export const SCHEMA_INVALID_REFUSAL = (problem: string): Refusal =>
  refusal(400, "store-schema-invalid", `The schema of the store is not valid: ${problem}`)

/**
 * What a name gets that another store of the same owner has.
 *
 * @since 0.1.0
 * @category constants
 */
export const NAME_CONFLICT_REFUSAL: Refusal = nameTakenRefusal

/**
 * What a field of an update gets whose value is none that it can have.
 *
 * @since 0.1.0
 * @category constants
 */
export const BAD_FIELD_REFUSAL = (problem: string): Refusal =>
  refusal(400, "invalid-value", `Invalid value provided in store: ${problem}`)

/**
 * Who may change who may read a store: everyone who may write to it, or its owner alone.
 *
 * @since 0.1.0
 * @category constants
 */
export const UPDATE_ACCESS_RIGHT: "WRITE" | "OWNER" = "WRITE"

/**
 * What happens to the fields of an update that are not known.
 *
 * @since 0.1.0
 * @category constants
 */
export const UPDATE_UNKNOWN_FIELDS: "ignore" | "error" = "ignore"

/**
 * Whether getting or creating a store that is there counts as reading it.
 *
 * @since 0.1.0
 * @category constants
 */
export const GET_OR_CREATE_TOUCHES: boolean = false

/**
 * How many letters and digits a signing key has.
 *
 * @since 0.1.0
 * @category constants
 */
export const SIGNING_KEY_LENGTH = 17

// ---- Links -------------------------------------------------------------------------------------------------------------

/**
 * How long the signature of a link holds, in milliseconds: 14 days. Documented.
 *
 * @since 0.1.0
 * @category constants
 */
export const KEYS_PUBLIC_URL_VALIDITY = 14 * 24 * 60 * 60 * 1000

/**
 * Whether links have a signature only while the store is restricted.
 *
 * @since 0.1.0
 * @category constants
 */
export const SIGNED_ONLY_WHEN_RESTRICTED: boolean = true

// ---- Records -----------------------------------------------------------------------------------------------------------

/**
 * The content type of a record that was sent without one.
 *
 * @since 0.1.0
 * @category constants
 */
export const DEFAULT_CONTENT_TYPE = "application/octet-stream"

/**
 * Most bytes of a record, where an emulator is not told otherwise: 200 MiB.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAXIMUM_RECORD_BYTES = 209_715_200

/**
 * What a record gets that is larger than the limit.
 *
 * @since 0.1.0
 * @category constants
 */
export const RECORD_TOO_LARGE_REFUSAL = (limit: number): Refusal =>
  refusal(400, "record-too-large", `The record is too large (limit: ${limit} bytes)`)

/**
 * What a record gets that a collection of the store's schema forbids.
 *
 * @since 0.1.0
 * @category constants
 */
export const RECORD_REJECTED_REFUSAL = (problem: string): Refusal =>
  refusal(400, "schema-validation-failed", `The record does not fit the schema of the store: ${problem}`)

/**
 * What a record gets whose content type is none.
 *
 * @since 0.1.0
 * @category constants
 */
export const INVALID_CONTENT_TYPE_REFUSAL: Refusal = refusal(
  400,
  "invalid-content-type-header",
  "The Content-Type header is not a media type"
)

/**
 * What HTML gets with an encoding that records cannot have.
 *
 * @since 0.1.0
 * @category constants
 */
export const HTML_ENCODING_REFUSAL: Refusal = refusal(
  403,
  "content-encoding-forbidden-for-html",
  "HTML can only have the Content-Encoding br, gzip, deflate or identity"
)

/**
 * What a record gets that is read to be a service worker.
 *
 * @since 0.1.0
 * @category constants
 */
export const SERVICE_WORKER_REFUSAL: Refusal = refusal(
  403,
  "service-worker-registration-not-allowed",
  "A record cannot be registered as a service worker"
)

/**
 * What a record gets that must be decoded for its reader, and is not what its encoding says.
 *
 * @since 0.1.0
 * @category constants
 */
export const UNDECODABLE_RECORD_REFUSAL: Refusal = refusal(
  500,
  "internal-server-error",
  "The record could not be decoded: it is not what its Content-Encoding says"
)

/**
 * What a record is sent with to be saved as a file. Apify may give the file a name.
 *
 * @since 0.1.0
 * @category constants
 */
export const ATTACHMENT_DISPOSITION = "attachment"

/**
 * Headers about caching that a record has beyond those that are documented, such as `cache-control`.
 *
 * @since 0.1.0
 * @category constants
 */
export const RECORD_CACHE_HEADERS: Readonly<Record<string, string>> = {}

/**
 * The rate limit of HEAD of a record: that of records, or that of everything else.
 *
 * @since 0.1.0
 * @category constants
 */
export const HEAD_RATE = 200

// ---- Keys --------------------------------------------------------------------------------------------------------------

/**
 * Most keys on one page; a limit above it is lowered to it, and the answer says so.
 *
 * @since 0.1.0
 * @category constants
 */
export const KEYS_LIMIT_ABOVE_MAXIMUM = 1000

/**
 * What a collection gets that the store's schema does not have.
 *
 * @since 0.1.0
 * @category constants
 */
export const UNKNOWN_COLLECTION_REFUSAL: Refusal = refusal(
  400,
  "invalid-value",
  "Invalid value provided: collection must be one of those in the schema of the store"
)

// ---- The zip -----------------------------------------------------------------------------------------------------------

/**
 * The name of the file, by the name or ID of the store.
 *
 * @since 0.1.0
 * @category constants
 */
export const ZIP_FILENAME = (store: string): string => `${store}.zip`

/**
 * Whether records stand in it as they are without their encoding.
 *
 * @since 0.1.0
 * @category constants
 */
export const ZIP_DECODES: boolean = true

/**
 * What it counts as.
 *
 * @since 0.1.0
 * @category constants
 */
export const ZIP_COUNTS_AS: Counted = "listCount"
