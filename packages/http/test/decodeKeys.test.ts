/**
 * The fast decoders of a listing of keys give what the schemas give, whatever the body is.
 */
import { assert, describe, it } from "@effect/vitest"
import { cursorPage, RecordInfoPage } from "@effect-apify/domain/Page"
import { problemsOf } from "@effect-apify/domain/Problem"
import { RecordInfo } from "@effect-apify/domain/RecordInfo"
import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { decodeKeysBody, decodeRecordInfo } from "../src/internal/decodeKeys.js"

const encodeInfo = Schema.encodeSync(RecordInfo)
const isSameInfo = Schema.equivalence(RecordInfo)
const infoBySchema = ParseResult.decodeUnknownEither(RecordInfo, { errors: "all" })

const agreeOnInfo = (item: unknown): void => {
  const [short, long] = [decodeRecordInfo(item), Either.mapLeft(infoBySchema(item), problemsOf)]
  if (Either.isLeft(short) || Either.isLeft(long)) {
    assert.deepStrictEqual(Either.flip(short), Either.flip(long))
    return
  }
  assert.instanceOf(short.right, RecordInfo)
  assert.isTrue(isSameInfo(short.right, long.right))
  assert.deepStrictEqual(Object.keys(short.right), Object.keys(long.right))
  assert.deepStrictEqual(encodeInfo(short.right), encodeInfo(long.right))
}

const Body = Schema.Struct({ data: cursorPage(Schema.Unknown) })
const encodeBody = Schema.encodeSync(Body)
const bodyBySchema = ParseResult.decodeUnknownEither(Body, { errors: "all" })

const agreeOnBody = (body: unknown): void => {
  const [short, long] = [decodeKeysBody(body), bodyBySchema(body)]
  assert.deepStrictEqual(
    Either.mapBoth(short, {
      onLeft: ParseResult.TreeFormatter.formatIssueSync,
      onRight: (page) => encodeBody({ data: { ...page } })
    }),
    Either.mapBoth(long, { onLeft: ParseResult.TreeFormatter.formatIssueSync, onRight: encodeBody })
  )
}

const info = Arbitrary.make(RecordInfo).map((info) => ({ ...encodeInfo(info) }))
const data = Arbitrary.make(RecordInfoPage).map((page) => ({ ...Schema.encodeSync(RecordInfoPage)(page) }))

/** What a field may hold: good for some field, or for none. */
const content = fc.oneof(
  fc.constantFrom(null, undefined, "", "a", 0, -1, 0.5, 2 ** 53, {}, [], [1], true, false),
  fc.jsonValue()
)

const changed = (fields: object, field: string, content: unknown): object =>
  Object.fromEntries([...Object.entries(fields), [field, content]])

const without = (fields: object, field: string): object =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => name !== field))

const infoField = fc.constantFrom("key", "size", "recordPublicUrl", "brandNew", "__proto__")
const pageField = fc.constantFrom(
  "limit",
  "count",
  "isTruncated",
  "exclusiveStartKey",
  "nextExclusiveStartKey",
  "items",
  "brandNew"
)

describe("decodeRecordInfo gives what the schema gives", () => {
  it.prop("for any item, with any field changed", [info, infoField, content], ([info, field, content]) => {
    agreeOnInfo(info)
    agreeOnInfo(changed(info, field, content))
  })
  it.prop("for any item, with any field left out", [info, infoField], ([info, field]) =>
    agreeOnInfo(without(info, field))
  )
  it.prop("for any other JSON", [fc.jsonValue()], ([json]) => agreeOnInfo(json))
  it.prop("for an item with an empty key", [info], ([info]) => agreeOnInfo({ ...info, key: "" }))
})

describe("decodeKeysBody gives what the schema gives", () => {
  it.prop("for any page, with any field changed", [data, pageField, content], ([data, field, content]) => {
    agreeOnBody({ data })
    agreeOnBody({ data: changed(data, field, content) })
  })
  it.prop("for any page, with any field left out", [data, pageField], ([data, field]) =>
    agreeOnBody({ data: without(data, field) })
  )
  it.prop("for any other JSON", [fc.jsonValue()], ([json]) => {
    agreeOnBody(json)
    agreeOnBody({ data: json })
  })
})
