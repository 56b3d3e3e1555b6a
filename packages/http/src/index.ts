/**
 * Apify's Get store as an Effect: typed errors, retries, timeouts, any HTTP transport.
 *
 * @since 0.1.0
 */
export { ApifyClient, type ClientOptions, DEFAULT_BASE_URL, type Options, type Service } from "./ApifyClient.js"
export { type CallLimits, type CallOptions, defaultLimits } from "./CallOptions.js"
export { getStore, getStoreRequest, interpretGetStore } from "./getStore.js"
export { type GetStoresOptions, getStores, type StoreResult } from "./getStores.js"
export * as Metrics from "./Metrics.js"
export type { Answer, Asked, Circumstances, Operation } from "./Operation.js"
export { parseRetryAfter } from "./RetryAfter.js"
export * as RetryPolicy from "./RetryPolicy.js"
