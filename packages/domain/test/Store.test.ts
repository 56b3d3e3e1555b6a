/**
 * The store: what is read of Apify's response, and that no way of printing it shows a secret.
 */
import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { assertEquals } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { PublicUrl, Store, StoreBody, StoreId, StoreStats, UnknownAccessLevel } from "../src/index.js"

const decode = Schema.decodeUnknownSync(Store)
const encode = Schema.encodeSync(Store)

/** The response that Apify's page shows. */
const page = `{
  "data": {
    "id": "WkzbQMuFYuamGv3YF",
    "name": "d7b9MDYsbtX5L7XAj",
    "userId": "BPWDBd7Z9c746JAnF",
    "username": "janedoe",
    "createdAt": "2019-12-12T07:34:14.202Z",
    "modifiedAt": "2019-12-13T08:36:13.202Z",
    "accessedAt": "2019-12-14T08:36:13.202Z",
    "actId": null,
    "actRunId": null,
    "consoleUrl": "https://console.apify.com/storage/key-value-stores/27TmTznX9YPeAYhkC",
    "keysPublicUrl": "https://api.apify.com/v2/key-value-stores/WkzbQMuFYuamGv3YF/keys?signature=abc123",
    "urlSigningSecretKey": "string",
    "generalAccess": "RESTRICTED",
    "stats": {
      "readCount": 9,
      "writeCount": 3,
      "deleteCount": 6,
      "listCount": 2,
      "s3StorageBytes": 18
    }
  }
}`

/** The least that is a store. */
const minimal = {
  id: "WkzbQMuFYuamGv3YF",
  createdAt: "2019-12-12T07:34:14.202Z",
  modifiedAt: "2019-12-13T08:36:13.202Z",
  accessedAt: "2019-12-14T08:36:13.202Z"
}

const required = ["id", "createdAt", "modifiedAt", "accessedAt"] as const

/** A value for each field that may be left out. */
const others = {
  name: "d7b9MDYsbtX5L7XAj",
  title: "My store",
  userId: "BPWDBd7Z9c746JAnF",
  username: "janedoe",
  actId: "janedoesActor",
  actRunId: "janedoesRun",
  consoleUrl: "https://console.apify.com/storage/key-value-stores/WkzbQMuFYuamGv3YF",
  keysPublicUrl: "https://api.apify.com/v2/key-value-stores/WkzbQMuFYuamGv3YF/keys",
  recordsPublicUrl: "https://api.apify.com/v2/key-value-stores/WkzbQMuFYuamGv3YF/records",
  urlSigningSecretKey: "string",
  generalAccess: "RESTRICTED",
  schema: { title: "Schema", collections: {} },
  stats: { readCount: 9 }
}

describe("the page's example", () => {
  it("is the store that it says", () => {
    const { data } = Schema.decodeSync(Schema.parseJson(StoreBody))(page)
    assertEquals(
      data,
      new Store({
        id: StoreId.make("WkzbQMuFYuamGv3YF"),
        name: Option.some("d7b9MDYsbtX5L7XAj"),
        title: Option.none(),
        userId: Option.some("BPWDBd7Z9c746JAnF"),
        username: Option.some("janedoe"),
        createdAt: DateTime.unsafeMake("2019-12-12T07:34:14.202Z"),
        modifiedAt: DateTime.unsafeMake("2019-12-13T08:36:13.202Z"),
        accessedAt: DateTime.unsafeMake("2019-12-14T08:36:13.202Z"),
        actId: Option.none(),
        actRunId: Option.none(),
        consoleUrl: Option.some("https://console.apify.com/storage/key-value-stores/27TmTznX9YPeAYhkC"),
        keysPublicUrl: data.keysPublicUrl,
        recordsPublicUrl: Option.none(),
        urlSigningSecretKey: data.urlSigningSecretKey,
        generalAccess: Option.some("RESTRICTED"),
        schema: Option.none(),
        stats: Option.some(
          new StoreStats({
            readCount: Option.some(9),
            writeCount: Option.some(3),
            deleteCount: Option.some(6),
            listCount: Option.some(2),
            storageBytes: Option.none(),
            s3StorageBytes: Option.some(18)
          })
        )
      })
    )
    assertEquals(
      Option.map(data.keysPublicUrl, ({ href }) => Redacted.value(href)),
      Option.some("https://api.apify.com/v2/key-value-stores/WkzbQMuFYuamGv3YF/keys?signature=abc123")
    )
    assertEquals(Option.map(data.urlSigningSecretKey, Redacted.value), Option.some("string"))
  })

  it("is written as it was read", () => {
    const body = Schema.decodeSync(Schema.parseJson(StoreBody))(page)
    assert.strictEqual(JSON.stringify(Schema.encodeSync(StoreBody)(body), null, 2), page)
  })
})

describe("a store", () => {
  it("may have an id and three dates, and nothing else", () => {
    const store = decode(minimal)
    const { id, createdAt, modifiedAt, accessedAt } = store
    assertEquals(store, new Store({ id, createdAt, modifiedAt, accessedAt }))
    assert.strictEqual(id, "WkzbQMuFYuamGv3YF")
    assert.deepStrictEqual([createdAt, modifiedAt, accessedAt].map(DateTime.formatIso), [
      "2019-12-12T07:34:14.202Z",
      "2019-12-13T08:36:13.202Z",
      "2019-12-14T08:36:13.202Z"
    ])
  })

  it("is written with null where Apify writes null for what there is not, and otherwise without the field", () => {
    assert.deepStrictEqual(encode(decode(minimal)), {
      ...minimal,
      userId: null,
      username: null,
      actId: null,
      actRunId: null,
      urlSigningSecretKey: null
    })
  })

  it("has the fields that Apify is known to send, and no more", () => {
    assert.sameMembers(Object.keys(Store.fields), [...required, ...Object.keys(others)])
  })

  it.each(required)("is refused without its %s", (field) => {
    for (const json of [
      { ...minimal, [field]: undefined },
      { ...minimal, [field]: null },
      { ...minimal, [field]: "" }
    ]) {
      assert.isTrue(Either.isLeft(Schema.decodeUnknownEither(Store)(JSON.parse(JSON.stringify(json)))))
    }
  })

  it.each(Object.keys(others))("is the same without a %s as with null", (field) => {
    const { [field]: _, ...rest }: Record<string, unknown> = { ...minimal, ...others }
    assert.deepStrictEqual(encode(decode({ ...rest, [field]: null })), encode(decode(rest)))
    assert.isTrue(Schema.equivalence(Store)(decode({ ...rest, [field]: null }), decode(rest)))
  })

  it.each(Object.entries(others))("gives back the %s that was sent", (field, value) => {
    assert.deepInclude(encode(decode({ ...minimal, [field]: value })), { [field]: value })
  })

  it.each(Object.keys(others))("is refused with a number for its %s", (field) => {
    assert.isTrue(Either.isLeft(Schema.decodeUnknownEither(Store)({ ...minimal, [field]: 42 })))
  })

  it("may have an id that Apify does not generate today, but not an empty one", () => {
    assert.strictEqual(decode({ ...minimal, id: "kvs_01" }).id, "kvs_01")
    assert.throws(() => decode({ ...minimal, id: "" }))
  })

  it("may have a level that this version does not know", () => {
    const store = decode({ ...minimal, generalAccess: "FRIENDS_ONLY" })
    assertEquals(store.generalAccess, Option.some(new UnknownAccessLevel({ level: "FRIENDS_ONLY" })))
    assert.deepInclude(encode(store), { generalAccess: "FRIENDS_ONLY" })
  })

  it.prop(
    "is the same with fields that this version does not know",
    [
      fc.dictionary(
        fc.string().map((name) => `x${name}`),
        fc.jsonValue()
      )
    ],
    ([unknown]) => {
      const json = JSON.parse(JSON.stringify({ ...unknown, ...minimal, ...others }))
      assert.deepStrictEqual(encode(decode(json)), encode(decode({ ...minimal, ...others })))
    }
  )
})

describe.each([["null"], ["[]"], ['"x"'], ["{}"], ["42"], ['{"data":null}'], ['{"data":[]}'], ['{"data":{"id":42}}']])(
  "%s",
  (json) => {
    it("is not a response with a store", () => {
      assert.isTrue(Either.isLeft(Schema.decodeUnknownEither(Schema.parseJson(StoreBody))(json)))
    })
  }
)

/** The ways to print a value. */
const printed = (value: unknown): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const collected = (logger: Logger.Logger<unknown, string>) =>
      Logger.add(Logger.map(logger, (line) => lines.push(line)))
    yield* Effect.log("a store", value, { value }, [value]).pipe(
      Effect.zipRight(Effect.logError(Cause.fail(value))),
      Effect.annotateLogs("store", value),
      Effect.provide(collected(Logger.stringLogger)),
      Effect.provide(collected(Logger.logfmtLogger)),
      Effect.provide(collected(Logger.jsonLogger))
    )
    assert.lengthOf(lines, 6)
    return [
      ...lines,
      JSON.stringify(value),
      JSON.stringify({ value }),
      String(value),
      `${[value]}`,
      inspect(value, { depth: 10, showHidden: true }),
      String(Either.right(value)),
      inspect({ value }, { depth: 10, compact: false }),
      inspect(new Map([["store", value]]), { depth: 10 }),
      Cause.pretty(Cause.fail(value)),
      Cause.pretty(Cause.die(value)),
      Cause.pretty(Cause.fail(new Error("with a cause", { cause: value })), { renderErrorCause: true }),
      String(Cause.fail(value)),
      inspect(Cause.fail(value), { depth: 20 })
    ]
  })

describe("printing a store", () => {
  const CANARY = "Canary"

  const secret = fc.string({ unit: "binary-ascii", maxLength: 20 }).map((text) => `${CANARY}${text}`)
  /** What a URL may hold in the value of a query parameter. */
  const signature = fc
    .stringMatching(/^[a-zA-Z0-9_.~!$'()*+,;:@/?%{}"=-]{0,20}$/)
    .map((text) => `${CANARY}${text}${CANARY}`)

  const canaries = fc.record({
    urlSigningSecretKey: secret,
    keysPublicUrl: signature.map((text) => `https://api.apify.com/v2/key-value-stores/x/keys?signature=${text}`),
    recordsPublicUrl: signature.map((text) => `https://api.apify.com/records?limit=1&signature=${text}&limit=2#end`)
  })

  // Each run prints a store in some twenty ways: a hundred runs take a second.
  it.effect.prop(
    "shows neither the signing key nor a signature",
    [canaries],
    ([secrets]) =>
      Effect.gen(function* () {
        const texts = yield* printed(decode({ ...minimal, ...secrets }))
        for (const text of texts) assert.notInclude(text, CANARY)
      }),
    { fastCheck: { numRuns: 100 } }
  )

  it.effect("shows the rest", () =>
    Effect.gen(function* () {
      for (const text of yield* printed(decode({ ...minimal, ...others }))) assert.include(text, "My store")
    })
  )

  it.prop("but writing it as JSON gives them back", [canaries], ([secrets]) => {
    assert.deepStrictEqual(encode(decode({ ...minimal, ...secrets })), {
      ...minimal,
      ...secrets,
      userId: null,
      username: null,
      actId: null,
      actRunId: null
    })
  })

  it.effect("never fails, whatever its JSON schema says", () =>
    Effect.gen(function* () {
      const schema = { toString: {}, toJSON: 1, valueOf: null, message: "", stack: [], _tag: "Some", value: {} }
      for (const text of yield* printed(decode({ ...minimal, schema }))) assert.isNotEmpty(text)
    })
  )
})

describe("a link", () => {
  it("is whole in the store, for a program to follow", () => {
    const href = "https://api.apify.com/v2/key-value-stores/x/keys?signature=abc"
    const { keysPublicUrl } = decode({ ...minimal, keysPublicUrl: href })
    assert.isTrue(
      Option.exists(keysPublicUrl, (link) => link instanceof PublicUrl && Redacted.value(link.href) === href)
    )
  })
})
