/**
 * Refusals of the emulator alone, beyond those of domain.
 *
 * @since 0.1.0
 */
import { ApiError } from "@effect-apify/domain/ApiError"
import { nameTakenRefusal, type Refusal } from "@effect-apify/domain/Refusal"
import type { Unknowns } from "./Unknowns.js"

const refusal = (status: number, type: string, message: string): Refusal => ({
  status,
  error: new ApiError({ type, message })
})

/**
 * 400: the body is not what its encoding says.
 *
 * @since 0.1.0
 * @category refusals
 */
export const unreadableBodyRefusal: Refusal = refusal(400, "invalid-request", "The request body could not be read")

/**
 * 400: the body ended before it was complete.
 *
 * @since 0.1.0
 * @category refusals
 */
export const abortedBodyRefusal: Refusal = refusal(
  400,
  "request-aborted-prematurely",
  "The request body ended before it was complete"
)

/**
 * 400: the path has an escape that is none.
 *
 * @since 0.1.0
 * @category refusals
 */
export const invalidEscapeRefusal: Refusal = refusal(400, "invalid-request", "The URL has an invalid percent-encoding")

/**
 * 400: the body is not a JSON object.
 *
 * Source: documented.
 *
 * @since 0.1.0
 * @category refusals
 */
export const notAnObjectRefusal: Refusal = refusal(400, "invalid-request", "POST data must be a JSON object")

/**
 * 400: the last run is to have a status that no run has.
 *
 * Source: read in the platform's code.
 *
 * @since 0.1.0
 * @category refusals
 */
export const invalidStatusRefusal: Refusal = refusal(400, "invalid-request", "Status parameter has an invalid value")

/**
 * 400: the last run is to have an origin that no run has.
 *
 * Source: read in the platform's code.
 *
 * @since 0.1.0
 * @category refusals
 */
export const invalidOriginRefusal: Refusal = refusal(400, "invalid-request", "Origin parameter has an invalid value")

/**
 * 400: a store is to be made with an empty name. The text has the words of live responses.
 *
 * @since 0.1.0
 * @category refusals
 */
export const emptyStoreNameRefusal: Refusal = refusal(
  400,
  "invalid-value",
  "Invalid value provided in store: name must be a string of 1 to 63 characters"
)

/**
 * 400: a field of an update has a value that it cannot have.
 *
 * @since 0.1.0
 * @category refusals
 */
export const invalidFieldRefusal = (problem: string): Refusal =>
  refusal(400, "invalid-value", `Invalid value provided in store: ${problem}`)

/**
 * 400: the schema of a store is none.
 *
 * @since 0.1.0
 * @category refusals
 */
export const invalidSchemaRefusal = (message: string): Refusal => refusal(400, "store-schema-invalid", message)

/**
 * 400: the record is larger than the limit, in bytes.
 *
 * @since 0.1.0
 * @category refusals
 */
export const recordTooLargeRefusal = (limit: number): Refusal =>
  refusal(400, "record-too-large", `The record is too large (limit: ${limit} bytes)`)

/**
 * 400: the content type of a record is none.
 *
 * @since 0.1.0
 * @category refusals
 */
export const invalidContentTypeRefusal: Refusal = refusal(
  400,
  "invalid-content-type-header",
  "The Content-Type header is not a media type"
)

/**
 * 403: HTML is to be stored in an encoding that records cannot have.
 *
 * @since 0.1.0
 * @category refusals
 */
export const htmlEncodingRefusal: Refusal = refusal(
  403,
  "content-encoding-forbidden-for-html",
  "HTML can only have the Content-Encoding br, gzip, deflate or identity"
)

/**
 * 403: the record is read to be a service worker.
 *
 * @since 0.1.0
 * @category refusals
 */
export const serviceWorkerRefusal: Refusal = refusal(
  403,
  "service-worker-registration-not-allowed",
  "A record cannot be registered as a service worker"
)

/**
 * 500: the record must be decoded for its reader, and is not what its encoding says.
 *
 * @since 0.1.0
 * @category refusals
 */
export const undecodableRecordRefusal: Refusal = refusal(
  500,
  "internal-server-error",
  "The record could not be decoded: it is not what its Content-Encoding says"
)

/**
 * 400: another store of the same owner has the name, in words of its own.
 *
 * @since 0.1.0
 * @category refusals
 */
export const nameConflictRefusal = (message: string): Refusal =>
  refusal(nameTakenRefusal.status, nameTakenRefusal.error.type, message)

/**
 * 400: a collection of the store's schema forbids the record.
 *
 * @since 0.1.0
 * @category refusals
 */
export const recordRejectedRefusal = (
  { RECORD_REJECTED_TYPE, RECORD_REJECTED_MESSAGE }: Unknowns,
  problem: string
): Refusal => refusal(400, RECORD_REJECTED_TYPE, RECORD_REJECTED_MESSAGE(problem))
