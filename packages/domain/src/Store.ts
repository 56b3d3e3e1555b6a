/**
 * A key-value store: its names, dates, links, access and statistics.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { GeneralAccess } from "./GeneralAccess.js"
import { JsonObject, optional, optionalOr } from "./Json.js"
import { PublicUrlFromString } from "./PublicUrl.js"
import { StoreId } from "./StoreId.js"
import { StoreStats } from "./StoreStats.js"
import { Timestamp } from "./Timestamp.js"

/** A field that may be absent or `null`; encoding `None` writes `null`, as in Apify's documentation. */
const nullable = <A, I>(schema: Schema.Schema<A, I>) => optionalOr(schema, Option.some(null))

/**
 * A key-value store. Only the ID and the three dates are required; any other field that is absent or `null` is `None`.
 * Fields that this version does not know are dropped.
 *
 * Printing, logging and `JSON.stringify` hide the signing key and the signatures in links. `Schema.encode(Store)`
 * reveals them.
 *
 * Source: the endpoint's documentation; `title`, `recordsPublicUrl`, `schema` and `storageBytes` are from live
 * responses.
 *
 * @example
 * ```ts
 * import { Store } from "@effect-apify/domain"
 * import * as Schema from "effect/Schema"
 *
 * Schema.decodeUnknown(Store)({
 *   id: "WkzbQMuFYuamGv3YF",
 *   createdAt: "2019-12-12T07:34:14.202Z",
 *   modifiedAt: "2019-12-13T08:36:13.202Z",
 *   accessedAt: "2019-12-14T08:36:13.202Z"
 * })
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export class Store extends Schema.Class<Store>("Store")({
  id: StoreId,
  /** `None` for an unnamed store. Unnamed stores expire. */
  name: optional(Schema.String),
  /** The title that Apify Console shows in place of the name. */
  title: optional(Schema.String),
  /** The owner's user ID. */
  userId: nullable(Schema.String),
  /** The owner's username. */
  username: nullable(Schema.String),
  createdAt: Timestamp,
  modifiedAt: Timestamp,
  accessedAt: Timestamp,
  /** The ID of the Actor whose run created the store. */
  actId: nullable(Schema.String),
  /** The ID of the run that created the store. */
  actRunId: nullable(Schema.String),
  /** The store's page in Apify Console. */
  consoleUrl: optional(Schema.String),
  /** A link to the store's keys. */
  keysPublicUrl: optional(PublicUrlFromString),
  /** A link to the store's records. */
  recordsPublicUrl: optional(PublicUrlFromString),
  /** The key that signs public links: a live credential. `None` for callers who may not write. */
  urlSigningSecretKey: nullable(Schema.Redacted(Schema.String)),
  /** `None` means that the owner's account setting applies. */
  generalAccess: optional(GeneralAccess),
  /** The store's schema: its title, and the collections of its records. */
  schema: optional(JsonObject),
  stats: optional(StoreStats)
}) {}

/**
 * The body of a successful response: the store under `data`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoreBody = Schema.Struct({ data: Store }).annotations({
  identifier: "StoreBody",
  description: 'an object with a store under "data"'
})
