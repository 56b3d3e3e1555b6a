/**
 * The operations on the keys of a store, and on all its records at once.
 *
 * @since 0.1.0
 */
import { Readable } from "node:stream"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { SqlError } from "@effect/sql/SqlError"
import type { Refusal } from "@effect-apify/domain/Refusal"
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import type { ParseError } from "effect/ParseResult"
import * as Stream from "effect/Stream"
import { Accesses } from "./Accesses.js"
import { collectionsOf } from "./Collections.js"
import { OTHER_RATE, recordUrl, STORE } from "./Endpoints.js"
import { numberOf } from "./Query.js"
import { decodedOf, logged, readersRuntime } from "./RecordBody.js"
import {
  bodyOf,
  findRecord,
  type KeyItem,
  type KeyRange,
  keysByAge,
  listKeys,
  type StoredRecord
} from "./RecordRows.js"
import { type ApiRequest, jsonResponse, type Route, refusing } from "./Router.js"
import type { Database } from "./Row.js"
import { signRecord, verifyStorage } from "./Signatures.js"
import { type FoundStore, findReadable, linkSecret, type Verify } from "./StoreAccess.js"
import type { Unknowns } from "./Unknowns.js"
import { type ZipEntry, zip } from "./Zip.js"

const verifyKeys: Verify = (secret, signature, { store }, now) => verifyStorage(secret, store.id, signature, now)

// ---- Which keys --------------------------------------------------------------------------------------------------------

/** Before and after every character of a key: between a key and the next, and after all keys with a prefix. */
const [BEFORE, AFTER] = [" ", "~"] as const

const both = (a: KeyRange, b: KeyRange): KeyRange => ({
  from: Order.max(Order.string)(a.from, b.from),
  to: Order.min(Order.string)(a.to, b.to)
})

const only = (key: string): KeyRange => ({ from: key, to: `${key}${BEFORE}` })
const startingWith = (prefix: string): KeyRange => ({ from: prefix, to: `${prefix}${AFTER}` })
const following = (key: string): KeyRange => ({ from: `${key}${BEFORE}`, to: AFTER })

const collectionRange = (id: string, { store }: FoundStore, missing: Refusal): Either.Either<KeyRange, Refusal> => {
  const collections = collectionsOf(store.schema)
  const collection = Object.hasOwn(collections, id) ? collections[id] : undefined
  if (collection === undefined) return Either.left(missing)
  return Either.right(collection.key === undefined ? startingWith(collection.keyPrefix ?? "") : only(collection.key))
}

/** The keys that the parameters `prefix` and `collection` select. */
const rangeOf = ({ query, unknowns }: ApiRequest, found: FoundStore): Either.Either<KeyRange, Refusal> => {
  const prefixed = startingWith(query.get("prefix") ?? "")
  const collection = query.get("collection")
  return collection === null
    ? Either.right(prefixed)
    : Either.map(collectionRange(collection, found, unknowns.UNKNOWN_COLLECTION_REFUSAL), (range) =>
        both(prefixed, range)
      )
}

// ---- List keys ---------------------------------------------------------------------------------------------------------

/** Most keys on one page. Documented. */
const MAXIMUM_KEYS = 1000

/**
 * A record without its encoding; as it is stored, if it is not what its encoding says. A large one is decoded to its end to
 * know, before it is given.
 */
const decodedContentOf = (record: StoredRecord) =>
  Option.match(record.row.contentEncoding, {
    onNone: () => bodyOf(record),
    onSome: (encoding) =>
      Stream.unwrap(
        decodedOf(record, encoding).pipe(
          Effect.flatMap((content) =>
            content instanceof Uint8Array
              ? Effect.succeed(Stream.make(content))
              : Effect.as(Stream.runDrain(content), content)
          ),
          Effect.catchTag("DecodingError", () => Effect.succeed(bodyOf(record)))
        )
      )
  })

/** Items with the sizes that their records have without an encoding. */
const withDecodedSizes = (storeId: string, items: ReadonlyArray<typeof KeyItem.Type>) =>
  Effect.forEach(items, ({ key, size }) =>
    Effect.flatMap(
      findRecord({ storeId, key }),
      Option.match({
        onNone: () => Effect.succeed({ key, size }),
        onSome: (record) =>
          decodedContentOf(record).pipe(
            Stream.runFold(0, (sum, bytes) => sum + bytes.length),
            Effect.catchTag("DecodingError", () => Effect.succeed(size)),
            Effect.map((size) => ({ key, size }))
          )
      })
    )
  )

const getKeys: Route = {
  method: "GET",
  path: `${STORE}/keys`,
  rateLimit: OTHER_RATE,
  handle: Effect.fnUntraced(function* (request) {
    const { query, origin, unknowns } = request
    const found = yield* findReadable(request, verifyKeys)
    const { id } = found.store
    const { BAD_NUMBER_REFUSAL: refusal, KEYS_LIMIT_ABOVE_MAXIMUM: aboveMaximum } = unknowns
    const limit = yield* refusing(
      numberOf(query, "limit", { default: MAXIMUM_KEYS, maximum: MAXIMUM_KEYS, aboveMaximum, refusal })
    )
    const start = query.get("exclusiveStartKey") || null
    const selected = yield* refusing(rangeOf(request, found))
    const page = yield* listKeys(id, start === null ? selected : both(selected, following(start)), limit + 1)
    yield* (yield* Accesses).add(id, "listCount")
    const isTruncated = page.length > limit
    const stored = isTruncated ? page.slice(0, limit) : page
    const items = unknowns.KEY_SIZE_IS_STORED_SIZE ? stored : yield* withDecodedSizes(id, stored)
    const signatureOf = Option.match(linkSecret(found, unknowns), {
      onNone: () => () => "",
      onSome: (secret) => (key: string) => `?signature=${signRecord(secret, key)}`
    })
    return jsonResponse(200, {
      data: {
        items: items.map(({ key, size }) => ({
          key,
          size,
          recordPublicUrl: `${recordUrl(origin, id, key)}${signatureOf(key)}`
        })),
        count: items.length,
        limit,
        exclusiveStartKey: start,
        isTruncated,
        nextExclusiveStartKey: isTruncated ? (items.at(-1)?.key ?? null) : null
      }
    })
  })
}

// ---- The zip -----------------------------------------------------------------------------------------------------------

/** How many keys are read at once. */
const KEYS_AT_ONCE = 100

const keysIn = (storeId: string, range: KeyRange): Stream.Stream<string, SqlError | ParseError, Database> =>
  Stream.paginateChunkEffect(range.from, (from) =>
    Effect.map(listKeys(storeId, { ...range, from }, KEYS_AT_ONCE), (items) => [
      Chunk.fromIterable(items.map(({ key }) => key)),
      Option.map(
        Option.filter(Option.fromNullable(items.at(-1)), () => items.length === KEYS_AT_ONCE),
        ({ key }) => following(key).from
      )
    ])
  )

const entriesOf = (
  storeId: string,
  range: KeyRange,
  { ZIP_DECODES, ZIP_ORDER }: Unknowns
): Stream.Stream<ZipEntry<Database>, unknown, Database> =>
  (ZIP_ORDER === "key" ? keysIn(storeId, range) : Stream.fromIterableEffect(keysByAge(storeId, range))).pipe(
    Stream.mapEffect((key) => findRecord({ storeId, key })),
    // One that was deleted meanwhile is left out.
    Stream.filterMap(
      Option.map((record) => ({
        name: record.row.key,
        lastModified: DateTime.toDateUtc(record.row.modifiedAt),
        content: logged(ZIP_DECODES ? decodedContentOf(record) : bodyOf(record))
      }))
    )
  )

const getRecords: Route = {
  method: "GET",
  path: `${STORE}/records`,
  rateLimit: OTHER_RATE,
  handle: Effect.fnUntraced(function* (request) {
    const { unknowns } = request
    const found = yield* findReadable(request, verifyKeys)
    const { id, name } = found.store
    const range = yield* refusing(rangeOf(request, found))
    yield* (yield* Accesses).add(id, unknowns.ZIP_COUNTS_AS)
    const runtime = yield* readersRuntime
    const filename = unknowns.ZIP_FILENAME(Option.getOrElse(name, () => id))
    return HttpServerResponse.raw(Readable.from(zip(entriesOf(id, range, unknowns), runtime)), {
      headers: { "content-type": "application/zip", "content-disposition": `attachment; filename="${filename}"` }
    })
  })
}

/**
 * The routes of the operations on keys, and on all records at once.
 *
 * @since 0.1.0
 * @category routes
 */
export const keyRoutes: ReadonlyArray<Route> = [getKeys, getRecords]
