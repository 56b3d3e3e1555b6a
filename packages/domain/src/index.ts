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
export { ApiError, ApiErrorBody, MISSING_STORE_TYPES } from "./ApiError.js"
export {
  type ApifyError,
  ApifyErrorTypeId,
  BadRequestError,
  CallError,
  describeFailure,
  ForbiddenError,
  isApifyError,
  isCallError,
  isNotFound,
  isRetryable,
  isUnauthorized,
  MalformedResponseError,
  MethodNotAllowedError,
  PaymentRequiredError,
  RateLimitedError,
  type Retryable,
  ServerError,
  TimeoutError,
  TransportError,
  TransportReason,
  UnauthorizedError,
  UnexpectedResponseError
} from "./CallError.js"
export { Count, isCount, Milliseconds } from "./Count.js"
export { decodeStoreBody } from "./decodeStoreBody.js"
export { AccessLevel, GeneralAccess, UnknownAccessLevel } from "./GeneralAccess.js"
export { type Json, JsonObject, MAX_JSON_DEPTH } from "./Json.js"
export { formatPath, Problem, problemsOf } from "./Problem.js"
export { PublicUrl, PublicUrlFromString } from "./PublicUrl.js"
export { excerpt, quote, REDACTED, redact } from "./Redaction.js"
export {
  anonymousRefusal,
  emptyNameRefusal,
  insufficientPermissionsRefusal,
  internalServerErrorRefusal,
  methodNotAllowedRefusal,
  pageNotFoundRefusal,
  type Refusal,
  storeNotFoundRefusal,
  tokenNotProvidedRefusal,
  unknownTokenRefusal
} from "./Refusal.js"
export { GaveUp, HttpMethod } from "./Request.js"
export { Store, StoreBody } from "./Store.js"
export { InvalidStoreRefError, StoreError, StoreNotFoundError } from "./StoreErrors.js"
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
