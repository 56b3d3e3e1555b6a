/**
 * A client for Apify key-value stores as Effects: typed errors, retries, time limits, any HTTP transport.
 *
 * @since 0.1.0
 */
export {
  type ApifyError,
  ApifyErrorTypeId,
  GaveUp,
  isApifyError,
  isNotFound,
  isRetryable,
  type Retryable
} from "@effect-apify/domain/ApifyError"
export {
  BadRequestError,
  CallError,
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
} from "@effect-apify/domain/CallError"
export { AccessLevel, GeneralAccess, UnknownAccessLevel } from "@effect-apify/domain/GeneralAccess"
export { HttpMethod } from "@effect-apify/domain/HttpMethod"
export { type Json, JsonObject } from "@effect-apify/domain/Json"
export { RecordInfoPage, StorePage } from "@effect-apify/domain/Page"
export { Problem } from "@effect-apify/domain/Problem"
export { PublicUrl } from "@effect-apify/domain/PublicUrl"
export {
  InvalidRecordKeyError,
  MalformedRecordError,
  RecordError,
  RecordNotFoundError,
  RecordRejectedError,
  RecordTooLargeError
} from "@effect-apify/domain/RecordErrors"
export { RecordInfo } from "@effect-apify/domain/RecordInfo"
export {
  escapeRecordKey,
  parseRecordKey,
  RecordKey,
  unescapeRecordKey,
  ValidRecordKey
} from "@effect-apify/domain/RecordKey"
export { RunId, RunOrigin, RunStatus } from "@effect-apify/domain/RunId"
export { InvalidExpiryError } from "@effect-apify/domain/Signature"
export { Store } from "@effect-apify/domain/Store"
export {
  InvalidStoreRefError,
  StoreError,
  StoreNotFoundError
} from "@effect-apify/domain/StoreErrors"
export { GeneratedStoreId, StoreId } from "@effect-apify/domain/StoreId"
export { type StoreLocation, storeLocation } from "@effect-apify/domain/StoreLocation"
export { InvalidStoreNameError, parseStoreName, StoreName, StoreNameTakenError } from "@effect-apify/domain/StoreName"
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
  storeById,
  storeByName,
  storeOfLastRun,
  storeOfRun
} from "@effect-apify/domain/StoreRef"
export { StoreStats } from "@effect-apify/domain/StoreStats"
export { Username } from "@effect-apify/domain/Username"
export * as Apify from "./Apify.js"
export * as ApifyClient from "./ApifyClient.js"
export { type CallLimits, type CallOptions, defaultLimits } from "./CallOptions.js"
export * as FetchTransport from "./FetchTransport.js"
export * as HttpClientTransport from "./HttpClientTransport.js"
export {
  type KeysOptions,
  type KeysPageOptions,
  type ListKeysError,
  type ListKeysOptions,
  listKeys,
  listKeysPage
} from "./Keys.js"
export * as Metrics from "./Metrics.js"
export type {
  CallSummary,
  DecodeContext,
  Operation,
  OperationRequest,
  OperationResponse,
  Pull,
  RateClass,
  RequestBody,
  StreamOperation
} from "./Operation.js"
export * as Pacing from "./Pacing.js"
export {
  type KeysLinkOptions,
  type KeysPublicUrlError,
  keysPublicUrl,
  type PublicLink,
  type PublicUrls,
  publicUrls,
  type RecordPublicUrlError,
  recordPublicUrl
} from "./PublicUrls.js"
export type { PutRecordOptions, RecordContent } from "./RecordContent.js"
export {
  type DownloadRecordsError,
  type DownloadRecordsOptions,
  downloadRecords,
  type GetRecordsOptions,
  getRecords,
  type ListRecordsError,
  type ListRecordsOptions,
  listRecords,
  type RecordResult,
  type StreamedRecord,
  type StreamRecordError,
  streamRecord
} from "./RecordStreams.js"
export {
  type DeleteRecordError,
  deleteRecord,
  type GetRecordError,
  getRecord,
  getRecordValue,
  type HeadRecordError,
  headRecord,
  type PutRecordError,
  putRecord,
  type ReadRecordOptions,
  type RecordHead
} from "./Records.js"
export { parseRetryAfter } from "./RetryAfter.js"
export * as RetryPolicy from "./RetryPolicy.js"
export {
  type DeleteStoreError,
  deleteStore,
  type GetOrCreateStoreError,
  type GetOrCreateStoreOptions,
  type GetOrCreateStoreResult,
  getOrCreateStore,
  type StoreChanges,
  type UpdateStoreError,
  updateStore
} from "./StoreChanges.js"
export { StoredRecord } from "./StoredRecord.js"
export {
  type ListStoresOptions,
  type ListStoresPageOptions,
  listStores,
  listStoresPage,
  type StoreFilter
} from "./StoreLists.js"
export { type GetStoreError, type GetStoresOptions, getStore, getStores, type StoreResult } from "./Stores.js"
export { bodyFromStream, runStream, type StreamBody } from "./Streams.js"
export * as Transport from "./Transport.js"
