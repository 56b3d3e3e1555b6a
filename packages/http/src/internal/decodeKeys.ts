/**
 * Decoding a listing of keys: as the schemas decode it, several times as fast for what Apify sends today. The schemas say what
 * is wrong with the rest.
 */
import { isCount } from "@effect-apify/domain/Count"
import { cursorPage, type RecordInfoPage } from "@effect-apify/domain/Page"
import { type Problem, problemsOf } from "@effect-apify/domain/Problem"
import { PublicUrl } from "@effect-apify/domain/PublicUrl"
import { RecordInfo } from "@effect-apify/domain/RecordInfo"
import type { RecordKey } from "@effect-apify/domain/RecordKey"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/** A page. A class, because a literal would keep its items alive for as long as V8 likes (docs/decisions/0011). */
class KeysPage<A> {
  constructor(
    readonly limit: number,
    readonly count: number,
    readonly isTruncated: boolean,
    readonly exclusiveStartKey: Option.Option<string>,
    readonly nextExclusiveStartKey: Option.Option<string>,
    readonly items: ReadonlyArray<A>
  ) {}

  /** The page once its items are decoded. One without items that says it is the last one is, whatever key it names. */
  with(items: RecordInfoPage["items"]): KeysPage<RecordInfo> {
    const { count, exclusiveStartKey, isTruncated, limit } = this
    const next = items.length > 0 || isTruncated ? this.nextExclusiveStartKey : Option.none()
    return new KeysPage(limit, count, isTruncated, exclusiveStartKey, next, items)
  }
}

const makeDecoder = () =>
  ParseResult.decodeUnknownEither(Schema.Struct({ data: cursorPage(Schema.Unknown) }), { errors: "all" })

// Compiled when first needed, to keep the import cheap.
let decoder: ReturnType<typeof makeDecoder> | undefined

const decodeBodyBySchema = (json: unknown): Either.Either<KeysPage<unknown>, ParseResult.ParseIssue> => {
  decoder ??= makeDecoder()
  return Either.map(
    decoder(json),
    ({ data }) =>
      new KeysPage(
        data.limit,
        data.count,
        data.isTruncated,
        data.exclusiveStartKey,
        data.nextExclusiveStartKey,
        data.items
      )
  )
}

const isOptionalText = (value: unknown): value is string | null => value === null || Predicate.isString(value)

/** Decodes the body of a page, and leaves its items as they are. */
export const decodeKeysBody = (json: unknown): Either.Either<KeysPage<unknown>, ParseResult.ParseIssue> => {
  if (!Predicate.isRecord(json) || !Predicate.isRecord(json.data)) return decodeBodyBySchema(json)
  const { count, exclusiveStartKey: start = null, isTruncated, items, limit } = json.data
  const { nextExclusiveStartKey: next = null } = json.data
  return isCount(limit) &&
    isCount(count) &&
    Predicate.isBoolean(isTruncated) &&
    isOptionalText(start) &&
    isOptionalText(next) &&
    Array.isArray(items)
    ? Either.right(
        new KeysPage(limit, count, isTruncated, Option.fromNullable(start), Option.fromNullable(next), items)
      )
    : decodeBodyBySchema(json)
}

const decodeBySchema = (item: unknown): Either.Either<RecordInfo, ReadonlyArray<Problem>> =>
  Either.mapLeft(ParseResult.decodeUnknownEither(RecordInfo, { errors: "all" })(item), problemsOf)

const isKey = (value: unknown): value is RecordKey => Predicate.isString(value) && value !== ""

/** Decodes an item of a page. */
export const decodeRecordInfo = (item: unknown): Either.Either<RecordInfo, ReadonlyArray<Problem>> => {
  if (!Predicate.isRecord(item)) return decodeBySchema(item)
  const { key, recordPublicUrl: link = null, size } = item
  if (!isKey(key) || !isCount(size) || !isOptionalText(link)) return decodeBySchema(item)
  return Either.right(RecordInfo.trusted(key, size, link === null ? Option.none() : Option.some(new PublicUrl(link))))
}
