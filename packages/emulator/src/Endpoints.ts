/**
 * Where stores and records are, and how often they may be requested.
 *
 * @since 0.1.0
 */

/**
 * The path of all stores.
 *
 * @since 0.1.0
 * @category paths
 */
export const STORES = "/v2/key-value-stores"

/**
 * The path of a store.
 *
 * @since 0.1.0
 * @category paths
 */
export const STORE = `${STORES}/:store`

/**
 * The path of a record.
 *
 * @since 0.1.0
 * @category paths
 */
export const RECORD = `${STORE}/records/:key`

/**
 * The URL of a store.
 *
 * @since 0.1.0
 * @category urls
 */
export const storeUrl = (origin: string, id: string): string => `${origin}${STORES}/${id}`

/**
 * The URL of a record.
 *
 * @since 0.1.0
 * @category urls
 */
export const recordUrl = (origin: string, storeId: string, key: string): string =>
  `${storeUrl(origin, storeId)}/records/${encodeURIComponent(key)}`

/**
 * Requests a second that Apify allows for the records of a store.
 *
 * @since 0.1.0
 * @category limits
 */
export const RECORD_RATE = 200

/**
 * Requests a second that Apify allows for anything else of a store.
 *
 * @since 0.1.0
 * @category limits
 */
export const OTHER_RATE = 60
