/**
 * What Apify tells of a key-value store.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { GeneralAccess } from "./GeneralAccess.js"
import { JsonObject } from "./Json.js"
import { PublicUrlFromString } from "./PublicUrl.js"
import { StoreId } from "./StoreId.js"
import { StoreStats } from "./StoreStats.js"
import { Timestamp } from "./Timestamp.js"

/** Absent and `null` are the same, and what is not there is left out again. */
const optional = <A, I>(schema: Schema.Schema<A, I>) =>
  Schema.optionalWith(schema, { as: "Option", nullable: true }).pipe(Schema.withConstructorDefault(() => Option.none()))

/** As `optional`, for the fields that Apify's page shows as `null` when there is nothing to say. */
const nullable = <A, I>(schema: Schema.Schema<A, I>) =>
  Schema.optionalWith(schema, { as: "Option", nullable: true, onNoneEncoding: () => Option.some(null) }).pipe(
    Schema.withConstructorDefault(() => Option.none())
  )

/**
 * A key-value store, as Get store tells of it. Only the id and the three dates are sure to be there; whatever else Apify
 * leaves out, or says is `null`, is `None`. Fields that this version does not know are dropped.
 *
 * Nothing that prints, logs or `JSON.stringify`s a store shows its signing key or a signature; to write a store as JSON
 * with them, encode it: `Schema.encode(Store)`.
 *
 * Source: the endpoint's page; `title`, `recordsPublicUrl`, `schema` and `storageBytes` from live answers.
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
  /** Unnamed stores have none, and expire. */
  name: optional(Schema.String),
  /** What the console shows in place of the name. */
  title: optional(Schema.String),
  /** The owner's id. */
  userId: nullable(Schema.String),
  /** The owner's name. */
  username: nullable(Schema.String),
  createdAt: Timestamp,
  modifiedAt: Timestamp,
  accessedAt: Timestamp,
  /** The Actor whose run made the store. */
  actId: nullable(Schema.String),
  /** The run that made the store. */
  actRunId: nullable(Schema.String),
  /** The store's page in Apify's console. */
  consoleUrl: optional(Schema.String),
  /** A link to the store's keys. */
  keysPublicUrl: optional(PublicUrlFromString),
  /** A link to the store's records. */
  recordsPublicUrl: optional(PublicUrlFromString),
  /** The key that signs public links: a live credential, given only to those who may write. */
  urlSigningSecretKey: nullable(Schema.Redacted(Schema.String)),
  /** `None` follows the owner's account setting. */
  generalAccess: optional(GeneralAccess),
  /** A JSON schema of the store's content. */
  schema: optional(JsonObject),
  stats: optional(StoreStats)
}) {}

/**
 * The body of a successful answer: the store under `data`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoreBody = Schema.Struct({ data: Store }).annotations({
  identifier: "StoreBody",
  description: 'an object with a store under "data"'
})
