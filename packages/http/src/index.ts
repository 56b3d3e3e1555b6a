/**
 * A client for Apify key-value stores as Effects: typed errors, retries, time limits, any HTTP transport.
 *
 * @since 0.1.0
 */
export * from "@effect-apify/domain"
export * as ApifyClient from "./ApifyClient.js"
export { type CallLimits, type CallOptions, defaultLimits } from "./CallOptions.js"
export * as FetchTransport from "./FetchTransport.js"
export * as HttpClientTransport from "./HttpClientTransport.js"
export * as Metrics from "./Metrics.js"
export type {
  CallSummary,
  DecodeContext,
  Operation,
  OperationRequest,
  OperationResponse,
  RateClass,
  RequestBody,
  StreamOperation
} from "./Operation.js"
export { parseRetryAfter } from "./RetryAfter.js"
export * as RetryPolicy from "./RetryPolicy.js"
export { type GetStoreError, type GetStoresOptions, getStore, getStores, type StoreResult } from "./Stores.js"
export * as Transport from "./Transport.js"
