/**
 * Schemas, access policy and errors of Apify key-value stores.
 *
 * @since 0.1.0
 */
export {
  type AccessRequest,
  decideAccess,
  decideWrite,
  effectiveLevel,
  OwnerSetting,
  type ReferenceForm,
  Requester,
  Right,
  requesterOf,
  viewFor
} from "./AccessPolicy.js"
export { ApiError, ApiErrorBody } from "./ApiError.js"
export {
  type ApifyError,
  ApifyErrorTypeId,
  GaveUp,
  isApifyError,
  isNotFound,
  isRetryable,
  type Retryable
} from "./ApifyError.js"
export {
  BadRequestError,
  CallError,
  describeFailure,
  ForbiddenError,
  isCallError,
  isUnauthorized,
  MalformedResponseError,
  MethodNotAllowedError,
  PaymentRequiredError,
  RateLimitedError,
  ServerError,
  TimeoutError,
  TransportError,
  TransportReason,
  UnauthorizedError,
  UnexpectedResponseError
} from "./CallError.js"
export { Count, Milliseconds } from "./Count.js"
export { decodeStoreBody } from "./decodeStoreBody.js"
export { AccessLevel, GeneralAccess, UnknownAccessLevel } from "./GeneralAccess.js"
export { HttpMethod } from "./HttpMethod.js"
export { type Json, JsonObject, MAX_JSON_DEPTH } from "./Json.js"
export { cursorPage, offsetPage, RecordInfoPage, StorePage } from "./Page.js"
export { formatPath, formatProblem, Problem, problemsOf } from "./Problem.js"
export { PublicUrl, PublicUrlFromString } from "./PublicUrl.js"
export {
  InvalidRecordKeyError,
  MalformedRecordError,
  MISSING_RECORD_MESSAGE,
  RecordError,
  RecordNotFoundError,
  RecordRejectedError,
  RecordTooLargeError
} from "./RecordErrors.js"
export { RecordInfo } from "./RecordInfo.js"
export { escapeRecordKey, parseRecordKey, RecordKey, unescapeRecordKey, ValidRecordKey } from "./RecordKey.js"
export {
  excerpt,
  MIN_SECRET_LENGTH,
  originAndPath,
  quote,
  REDACTED,
  redact,
  redactor,
  snippet
} from "./Redaction.js"
export {
  actorNotFoundRefusal,
  anonymousRefusal,
  emptyNameRefusal,
  insufficientPermissionsRefusal,
  internalServerErrorRefusal,
  invalidRecordKeyRefusal,
  invalidStoreNameRefusal,
  invalidValueRefusal,
  methodNotAllowedRefusal,
  methodRefusal,
  nameTakenRefusal,
  pageNotFoundRefusal,
  type Refusal,
  rateLimitRefusal,
  recordNotFoundRefusal,
  requestTooLargeRefusal,
  runNotFoundRefusal,
  storeNotFoundRefusal,
  taskNotFoundRefusal,
  tokenNotProvidedRefusal,
  unknownTokenRefusal,
  unsupportedEncodingRefusal
} from "./Refusal.js"
export { RunId, RunOrigin, RunStatus } from "./RunId.js"
export {
  encodeHmac,
  InvalidExpiryError,
  StorageSignature,
  StorageSignatureFromString,
  storageSignatureText
} from "./Signature.js"
export { Store, StoreBody } from "./Store.js"
export {
  InvalidStoreRefError,
  MISSING_STORE_TYPES,
  StoreError,
  StoreNotFoundError
} from "./StoreErrors.js"
export { GeneratedStoreId, StoreId } from "./StoreId.js"
export { type StoreLocation, storeLocation } from "./StoreLocation.js"
export { InvalidStoreNameError, parseStoreName, StoreName, StoreNameTakenError } from "./StoreName.js"
export {
  formatStoreRef,
  type LastRun,
  OwnStore,
  ownStore,
  parseStoreRef,
  StoreById,
  StoreByName,
  StoreOfLastRun,
  StoreOfRun,
  StoreRef,
  StoreRefFromString,
  storeById,
  storeByName,
  storeOfLastRun,
  storeOfRun
} from "./StoreRef.js"
export { StoreStats } from "./StoreStats.js"
export { Timestamp } from "./Timestamp.js"
export { Username } from "./Username.js"
