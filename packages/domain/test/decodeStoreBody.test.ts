/**
 * The fast decoder gives what the schema gives, whatever the body is.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { decodeStoreBody, Store, StoreBody, StoreStats } from "../src/index.js"

const decodeBySchema = ParseResult.decodeUnknownEither(StoreBody, { errors: "all" })
const encode = Schema.encodeSync(Store)
const isSame = Schema.equivalence(Store)

const agree = (body: unknown): void => {
  const [short, long] = [decodeStoreBody(body), decodeBySchema(body)]
  if (Either.isLeft(short) || Either.isLeft(long)) {
    assert.deepStrictEqual(
      Either.mapBoth(short, { onLeft: ParseResult.TreeFormatter.formatIssueSync, onRight: encode }),
      Either.mapBoth(long, { onLeft: ParseResult.TreeFormatter.formatIssueSync, onRight: ({ data }) => encode(data) })
    )
    return
  }
  assert.instanceOf(short.right, Store)
  assert.isTrue(isSame(short.right, long.right.data))
  assert.deepStrictEqual(encode(short.right), encode(long.right.data))
  assert.deepStrictEqual(Object.keys(short.right), Object.keys(long.right.data))
}

const body = Arbitrary.make(Store).map((store) => ({ data: { ...encode(store) } }))

/** What a field may hold: good for some field, or for none. */
const contents = [
  ...[null, undefined, "", "RESTRICTED", "FRIENDS_ONLY", 0, -1, 0.5, 2 ** 53, {}, [], true],
  ...["2019-12-12T07:34:14.202Z", "2019-02-30T00:00:00Z", "2019-12-12T07:34:14", "2019-12-12"],
  ...["0000-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"],
  ...["https://api.apify.com/keys?signature=abc", { readCount: 1 }, { readCount: "1" }, { a: [1] }]
]
const content = fc.oneof(fc.constantFrom(...contents), fc.jsonValue())

const times = {
  createdAt: "2019-12-12T07:34:14Z",
  modifiedAt: "2019-12-12T07:34:14Z",
  accessedAt: "2019-12-12T07:34:14Z"
}
const minimal = { id: "WkzbQMuFYuamGv3YF", ...times }

const field = fc.constantFrom(...Object.keys(Store.fields), "brandNew", "__proto__", "constructor")
const count = fc.constantFrom(...Object.keys(StoreStats.fields))

describe("decodeStoreBody gives what the schema gives", () => {
  it.prop("for any store", [body], ([body]) => agree(body))

  it.prop("for a store with any field changed", [body, field, content], ([{ data }, field, content]) =>
    agree({ data: Object.fromEntries([...Object.entries(data), [field, content]]) })
  )

  it.each(Object.keys(Store.fields))("for a store whose %s holds what some field may hold, or none", (field) => {
    for (const content of contents) agree({ data: { ...minimal, [field]: content } })
  })

  it("for what has several problems, or is a store in the wrong place", () => {
    for (const json of [{ data: {} }, { ...minimal }, { data: { data: minimal } }]) agree(json)
  })

  it.prop("for a store with any field left out", [body, field], ([{ data }, field]) =>
    agree({ data: Object.fromEntries(Object.entries(data).filter(([key]) => key !== field)) })
  )

  it.prop("for a store with any count changed", [body, count, content], ([{ data }, count, content]) =>
    agree({ data: { ...data, stats: { ...data.stats, [count]: content } } })
  )

  it.prop("for any other JSON", [fc.jsonValue()], ([json]) => {
    agree(json)
    agree({ data: json })
  })
})
