/**
 * Pages of lists: the `data` of a response.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Count } from "./Count.js"
import { RecordInfo } from "./RecordInfo.js"
import { Store } from "./Store.js"

/** Absent or `null`; `None` is encoded as `null`: if it were left out, an official client would request pages forever. */
const optionalKey = Schema.optionalWith(Schema.String, {
  as: "Option",
  nullable: true,
  onNoneEncoding: () => Option.some(null)
})

/**
 * A page of a list that is read by offset.
 *
 * Source: documented.
 *
 * @example
 * ```ts
 * import { offsetPage } from "@effect-apify/domain"
 * import * as Schema from "effect/Schema"
 *
 * const Page = offsetPage(Schema.Unknown) // for items that are decoded one by one
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const offsetPage = <A, I, R>(item: Schema.Schema<A, I, R>) =>
  Schema.Struct({
    /** How many items there are in all. */
    total: Count,
    /** How many items were skipped. */
    offset: Count,
    /** The most items that the server returns for this request. */
    limit: Count,
    /** How many items the page has. */
    count: Count,
    /** Whether the newest come first. */
    desc: Schema.optionalWith(Schema.Boolean, { default: () => false }),
    /** Whether unnamed stores are included. */
    unnamed: Schema.optionalWith(Schema.Boolean, { default: () => false }),
    items: Schema.Array(item)
  })

/**
 * A page of a list that is read by cursor: each page starts after a key.
 *
 * Source: documented.
 *
 * @example
 * ```ts
 * import { cursorPage } from "@effect-apify/domain"
 * import * as Schema from "effect/Schema"
 *
 * const Page = cursorPage(Schema.Unknown) // for items that are decoded one by one
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const cursorPage = <A, I, R>(item: Schema.Schema<A, I, R>) =>
  Schema.Struct({
    /** The most items that the server returns for this request. */
    limit: Count,
    /** How many items the page has. */
    count: Count,
    /** Whether there are more items. */
    isTruncated: Schema.Boolean,
    /** The key that the page starts after; `None` for the first page. */
    exclusiveStartKey: optionalKey,
    /** The key that the next page starts after; `None` for the last page. */
    nextExclusiveStartKey: optionalKey,
    items: Schema.Array(item)
  })

/**
 * A page of stores.
 *
 * @since 0.1.0
 * @category schemas
 */
export const StorePage = offsetPage(Store).annotations({ identifier: "StorePage" })

/**
 * The type of `StorePage`.
 *
 * @since 0.1.0
 * @category models
 */
export type StorePage = typeof StorePage.Type

/**
 * A page of the keys of a store.
 *
 * @since 0.1.0
 * @category schemas
 */
export const RecordInfoPage = cursorPage(RecordInfo).annotations({ identifier: "RecordInfoPage" })

/**
 * The type of `RecordInfoPage`.
 *
 * @since 0.1.0
 * @category models
 */
export type RecordInfoPage = typeof RecordInfoPage.Type
