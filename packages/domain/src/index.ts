/**
 * Schemas, access policy and errors of Apify key-value stores.
 *
 * @since 0.1.0
 */
export {
  type AccessRequest,
  decideAccess,
  effectiveLevel,
  OwnerSetting,
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
export { formatPath, Problem, problemsOf } from "./Problem.js"
export { PublicUrl, PublicUrlFromString } from "./PublicUrl.js"
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
  anonymousRefusal,
  emptyNameRefusal,
  insufficientPermissionsRefusal,
  internalServerErrorRefusal,
  methodNotAllowedRefusal,
  methodRefusal,
  pageNotFoundRefusal,
  type Refusal,
  storeNotFoundRefusal,
  tokenNotProvidedRefusal,
  unknownTokenRefusal
} from "./Refusal.js"
export { Store, StoreBody } from "./Store.js"
export { InvalidStoreRefError, MISSING_STORE_TYPES, StoreError, StoreNotFoundError } from "./StoreErrors.js"
export { GeneratedStoreId, StoreId } from "./StoreId.js"
export { StoreName } from "./StoreName.js"
export {
  formatStoreRef,
  OwnStore,
  ownStore,
  parseStoreRef,
  StoreById,
  StoreByName,
  StoreRef,
  StoreRefFromString,
  storeById,
  storeByName,
  storeSegment
} from "./StoreRef.js"
export { StoreStats } from "./StoreStats.js"
export { Timestamp } from "./Timestamp.js"
export { Username } from "./Username.js"
