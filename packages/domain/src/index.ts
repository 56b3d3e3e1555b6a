/**
 * Schemas, access policy and errors of Apify key-value stores.
 *
 * @since 0.1.0
 */
export * from "./AccessPolicy.js"
export * from "./ApiError.js"
export * from "./decodeStoreBody.js"
export * from "./GeneralAccess.js"
export * from "./GetStoreError.js"
export * from "./Json.js"
export * from "./KeyValueStore.js"
export * from "./PublicUrl.js"
export * from "./quote.js"
export * from "./Refusal.js"
export * from "./StoreId.js"
export * from "./StoreName.js"
export * from "./StoreRef.js"
export * from "./StoreStats.js"
export * from "./Timestamp.js"
export * from "./Username.js"
