/**
 * Stores in memory, with their records there or in a folder, and those of the emulator: each behaviour is written once, and all
 * have it.
 */
import { deflateSync, gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import type { GeneralAccess } from "@effect-apify/domain"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { strFromU8, unzipSync } from "fflate"
import {
  type ApifyClient,
  deleteRecord,
  deleteStore,
  downloadRecords,
  getOrCreateStore,
  getRecord,
  getRecords,
  getRecordValue,
  getStore,
  getStores,
  headRecord,
  keysPublicUrl,
  listKeys,
  listKeysPage,
  listRecords,
  listStores,
  listStoresPage,
  type PublicLink,
  putRecord,
  recordPublicUrl,
  storeOfLastRun,
  streamRecord,
  updateStore
} from "../src/index.js"
import { places, type World } from "./sameStores.js"

const ID = "WkzbQMuFYuamGv3YF"
const OTHER_ID = "OtherStore0000000"
const SECRET = "urlSigningSecretKey"

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const records = { a: "one", b: "two", "image-1": bytesOf("png") }

const schema = {
  actorKeyValueStoreSchemaVersion: 1,
  title: "Results",
  collections: {
    images: { keyPrefix: "image-", contentTypes: ["image/png"] },
    output: { key: "OUTPUT" }
  }
}

const mine = { id: ID, name: "my-store", username: "janedoe", urlSigningSecretKey: SECRET, records }

const worldOf = (caller: string | undefined, generalAccess?: "RESTRICTED" | "ANYONE_WITH_ID_CAN_READ"): World => ({
  stores: [{ ...mine, generalAccess: generalAccess ?? null }],
  caller
})

/** The owner of a restricted store, someone else, and nobody. */
const owner = worldOf("janedoe")
const other = worldOf("johndoe")
const nobody = worldOf(undefined)

/** What went wrong: the error, and what the server called it. */
const refusalOf = <A, E extends { readonly _tag: string; readonly apifyType?: Option.Option<string> }, R>(
  effect: Effect.Effect<A, E, R>
) => Effect.map(Effect.flip(effect), ({ _tag, apifyType = Option.none() }) => [_tag, Option.getOrNull(apifyType)])

const FORBIDDEN = ["ForbiddenError", "insufficient-permissions"]
const UNAUTHORIZED = ["UnauthorizedError", "token-not-provided"]
const NO_STORE = ["StoreNotFoundError", "record-not-found"]
const NO_RECORD = ["RecordNotFoundError", "record-not-found"]

const textOf = (key: string, ref = ID) => Effect.flatMap(getRecord(ref, key), (record) => record.text)

const keysOf = (...options: Parameters<typeof listKeysPage>) =>
  Effect.map(listKeysPage(...options), ({ items }) => items.map(({ key }) => key))

const listedKeysOf = (...options: Parameters<typeof listKeys>) =>
  Effect.map(Stream.runCollect(listKeys(...options)), (items) => Array.from(items, ({ key }) => key))

const namesOf = (options: Parameters<typeof listStores>[0]) =>
  Effect.map(Stream.runCollect(listStores(options)), (items) =>
    Array.from(items, ({ id, name }) => Option.getOrElse(name, () => id))
  )

const filesOf = (...options: Parameters<typeof downloadRecords>) =>
  Effect.map(Stream.runCollect(downloadRecords(...options)), (chunks) =>
    Object.entries(unzipSync(Buffer.concat([...chunks]))).map(([name, bytes]) => [name, strFromU8(bytes)])
  )

const signatureOf = ({ url }: PublicLink) =>
  Redacted.make(new URL(Redacted.value(url.href)).searchParams.get("signature") ?? assert.fail("It is not signed"))

const countsOf = Effect.map(getStore(ID), ({ stats }) =>
  Option.match(stats, {
    onNone: () => assert.fail("It has no statistics"),
    onSome: (stats) => {
      const counts = [stats.readCount, stats.writeCount, stats.deleteCount, stats.listCount, stats.storageBytes]
      return counts.map(Option.getOrElse(() => 0))
    }
  })
)

type Behaviour<E> = Effect.Effect<void, E, ApifyClient.ApifyClient>

describe.each(places)("stores $place", ({ clientOf, keepsEncoded }) => {
  const behave = <E>(what: string, world: World, behaviour: Behaviour<E>) =>
    it.live(what, () => Effect.provide(behaviour, clientOf(world)))

  /** With a clock that the behaviour sets. */
  const behaveInTime = <E>(what: string, world: World, behaviour: Behaviour<E>) =>
    it.effect(what, () => Effect.provide(behaviour, clientOf(world)))

  describe("a store", () => {
    behave(
      "is found by its ID and by its names, in any case",
      owner,
      Effect.gen(function* () {
        for (const ref of [ID, "janedoe~my-store", "JaneDoe~MY-Store", "~my-store", "~My-Store"]) {
          const { id, urlSigningSecretKey } = yield* getStore(ref)
          assert.strictEqual(id, ID)
          assert.strictEqual(Redacted.value(Option.getOrThrow(urlSigningSecretKey)), SECRET)
        }
      })
    )

    behave(
      "that does not exist is not found",
      owner,
      Effect.gen(function* () {
        for (const ref of ["wkzbQMuFYuamGv3YF", "janedoe~other", "~other", "johndoe~my-store"]) {
          assert.deepStrictEqual(yield* refusalOf(getStore(ref)), NO_STORE)
        }
        assert.deepStrictEqual(yield* refusalOf(updateStore("~other", {})), NO_STORE)
        assert.deepStrictEqual(yield* refusalOf(deleteStore("~other")), NO_STORE)
        assert.deepStrictEqual(yield* refusalOf(putRecord("~other", "a", "")), NO_STORE)
        assert.deepStrictEqual(yield* refusalOf(deleteRecord("~other", "a")), NO_STORE)
        assert.deepStrictEqual(yield* refusalOf(getRecord("~other", "a")), NO_STORE)
        assert.deepStrictEqual(yield* refusalOf(keysOf("~other")), NO_STORE)
        assert.deepStrictEqual(yield* refusalOf(filesOf("~other")), NO_STORE)
      })
    )

    behave(
      "is got among others, with its error in place of one that is missing",
      owner,
      Effect.gen(function* () {
        const results = yield* Stream.runCollect(getStores([ID, "~other"]))
        assert.deepStrictEqual(
          Array.from(results, ({ ref, result }) => [ref, result._tag]),
          [
            [ID, "Right"],
            ["~other", "Left"]
          ]
        )
      })
    )

    behave(
      "is created once for a name, and anew without one",
      { stores: [], caller: "janedoe" },
      Effect.gen(function* () {
        const first = yield* getOrCreateStore({ name: "Results", schema })
        const second = yield* getOrCreateStore({ name: "results", schema: { ...schema, title: "Others" } })
        assert.deepStrictEqual([first.isNew, second.isNew], [true, false])
        assert.strictEqual(second.store.id, first.store.id)
        assert.deepStrictEqual(Option.getOrNull(second.store.name), "Results")
        assert.deepStrictEqual(Option.getOrNull(second.store.schema), schema)
        assert.strictEqual(Option.getOrNull(second.store.username), "janedoe")
        const [one, another] = [yield* getOrCreateStore(), yield* getOrCreateStore()]
        assert.isTrue(one.isNew && another.isNew && one.store.id !== another.store.id)
        assert.isTrue(Option.isNone((yield* getStore(one.store.id)).name))
      })
    )

    behave(
      "changes what an update names, and no more",
      owner,
      Effect.gen(function* () {
        const renamed = yield* updateStore("~my-store", { name: "archive", title: "Old pages" })
        assert.deepStrictEqual(
          [Option.getOrNull(renamed.name), Option.getOrNull(renamed.title)],
          ["archive", "Old pages"]
        )
        assert.deepStrictEqual(yield* refusalOf(getStore("~my-store")), NO_STORE)
        const open = yield* updateStore("~archive", { generalAccess: "ANYONE_WITH_ID_CAN_READ" })
        assert.deepStrictEqual(
          [open.name, open.title, open.generalAccess].map(Option.getOrNull<string | GeneralAccess>),
          ["archive", "Old pages", "ANYONE_WITH_ID_CAN_READ"]
        )
        const followed = yield* updateStore(ID, { name: null, generalAccess: null })
        assert.isTrue(Option.isNone(followed.name))
        assert.strictEqual(Option.getOrNull(followed.generalAccess), "FOLLOW_USER_SETTING")
        assert.strictEqual(yield* textOf("a"), "one")
      })
    )

    behave(
      "may keep its name, and not take that of another store of its owner",
      {
        ...owner,
        stores: [
          mine,
          { id: OTHER_ID, name: "taken", username: "janedoe" },
          { id: "TheirStore0000000", name: "theirs", username: "johndoe" }
        ]
      },
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* refusalOf(updateStore(ID, { name: "Taken" })), [
          "StoreNameTakenError",
          "name-not-unique"
        ])
        for (const wanted of ["My-Store", "theirs"]) {
          const { name } = yield* updateStore(ID, { name: wanted })
          assert.strictEqual(Option.getOrNull(name), wanted)
        }
      })
    )

    behave(
      "is deleted with its records, and its name is free",
      owner,
      Effect.gen(function* () {
        yield* deleteStore("~my-store")
        assert.deepStrictEqual(yield* refusalOf(getStore(ID)), NO_STORE)
        const { isNew, store } = yield* getOrCreateStore({ name: "my-store" })
        assert.isTrue(isNew)
        assert.deepStrictEqual(yield* keysOf(store.id), [])
      })
    )
  })

  describe("the list of stores", () => {
    behaveInTime(
      "has named stores from the oldest to the newest, or the reverse, or unnamed ones as well",
      { stores: [], caller: "janedoe" },
      Effect.gen(function* () {
        for (const name of ["c", "b", undefined, "a"]) {
          yield* TestClock.adjust("1 second")
          yield* getOrCreateStore({ name })
        }
        assert.deepStrictEqual(yield* namesOf({}), ["c", "b", "a"])
        assert.deepStrictEqual(yield* namesOf({ desc: true }), ["a", "b", "c"])
        assert.deepStrictEqual(yield* namesOf({ offset: 1 }), ["b", "a"])
        const page = yield* listStoresPage({ unnamed: true, offset: 1, limit: 2 })
        assert.deepStrictEqual(
          page.items.map(({ name }) => Option.getOrNull(name)),
          ["b", null]
        )
        const { count, desc, limit, offset, total, unnamed } = page
        assert.deepStrictEqual([total, count, offset, limit, desc, unnamed], [4, 2, 1, 2, false, true])
      })
    )

    behave(
      "has those that are shared with the caller, and no others",
      {
        stores: [
          { ...mine, username: "johndoe" },
          { id: OTHER_ID, name: "shared", username: "janedoe", urlSigningSecretKey: SECRET },
          { id: "OpenStore00000000", name: "open", username: "janedoe", generalAccess: "ANYONE_WITH_NAME_CAN_READ" }
        ],
        caller: "johndoe",
        rights: { [OTHER_ID]: "READ" }
      },
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* namesOf({ ownership: "ownedByMe" }), ["my-store"])
        assert.deepStrictEqual(yield* namesOf({ ownership: "sharedWithMe" }), ["shared"])
        assert.sameMembers(yield* namesOf({}), ["my-store", "shared"])
        const { items } = yield* listStoresPage({ ownership: "sharedWithMe" })
        assert.isTrue(items.every(({ urlSigningSecretKey }) => Option.isNone(urlSigningSecretKey)))
      })
    )

    behave(
      "and new stores need a token",
      nobody,
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* refusalOf(listStoresPage()), UNAUTHORIZED)
        assert.deepStrictEqual(yield* refusalOf(getOrCreateStore()), UNAUTHORIZED)
      })
    )
  })

  describe("a record", () => {
    behave(
      "may be there from the start, as text, bytes, JSON, or of any other type",
      {
        ...owner,
        stores: [
          {
            ...mine,
            records: {
              text: "čaj",
              bytes: Uint8Array.of(0, 255),
              json: { urls: ["https://apify.com"] },
              null: null,
              html: { contentType: "application/xhtml+xml", body: "<p>" },
              png: { contentType: "image/png", body: Uint8Array.of(137) }
            }
          }
        ]
      },
      Effect.gen(function* () {
        for (const [key, bytes, type] of [
          ["text", bytesOf("čaj"), "text/plain; charset=utf-8"],
          ["bytes", [0, 255], "application/octet-stream"],
          ["json", bytesOf('{"urls":["https://apify.com"]}'), "application/json; charset=utf-8"],
          ["null", bytesOf("null"), "application/json; charset=utf-8"],
          ["html", bytesOf("<p>"), "application/xhtml+xml"],
          ["png", [137], "image/png"]
        ] as const) {
          const record = yield* getRecord(ID, key)
          assert.deepStrictEqual([[...record.bytes], Option.getOrNull(record.contentType)], [[...bytes], type])
        }
        assert.deepStrictEqual(yield* countsOf, [6, 0, 0, 0, keepsEncoded ? 44 : 0])
      })
    )

    behave(
      "comes back as it was put",
      owner,
      Effect.gen(function* () {
        const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
        const value = { schema: Schema.Struct({ count: Schema.Number }), value: { count: 1 } }
        yield* putRecord(ID, "text", "čaj")
        yield* putRecord(ID, "bytes", all)
        yield* putRecord(ID, "value", value)
        yield* putRecord(ID, "empty", "")
        yield* putRecord(ID, "stream", Stream.make(all, all), { contentType: "image/png" })
        yield* putRecord(ID, "text", "tea")
        assert.strictEqual(yield* textOf("text"), "tea")
        assert.deepStrictEqual(yield* getRecordValue(ID, "value", value.schema), { count: 1 })
        for (const [key, bytes, type] of [
          ["text", bytesOf("tea"), "text/plain; charset=utf-8"],
          ["bytes", all, "application/octet-stream"],
          ["value", bytesOf('{"count":1}'), "application/json; charset=utf-8"],
          ["empty", new Uint8Array(), "text/plain; charset=utf-8"],
          ["stream", Uint8Array.from([...all, ...all]), "image/png"]
        ] as const) {
          const record = yield* getRecord(ID, key)
          assert.deepStrictEqual([...record.bytes], [...bytes], key)
          assert.strictEqual(Option.getOrNull(record.contentType), type, key)
          const head = Option.getOrThrow(yield* headRecord(ID, key))
          assert.deepStrictEqual(
            [Option.getOrNull(head.contentType), Option.getOrNull(head.size)],
            [type, bytes.length]
          )
          const streamed = yield* Effect.scoped(
            Effect.flatMap(streamRecord(ID, key), ({ bytes }) => Stream.runCollect(bytes))
          )
          assert.deepStrictEqual([...Buffer.concat([...streamed])], [...bytes], key)
        }
      })
    )

    behave(
      "is decoded for who reads it, and has the size of what is stored",
      { ...owner, stores: [{ ...mine, records: {} }] },
      Effect.gen(function* () {
        const [gzip, deflate] = [gzipSync("squeezed"), deflateSync("squeezed")]
        yield* putRecord(ID, "gzip", "squeezed", { gzip: true })
        yield* putRecord(ID, "gzip-bytes", gzip, { contentEncoding: "gzip", contentType: "text/plain" })
        yield* putRecord(ID, "deflate", deflate, { contentEncoding: "deflate", contentType: "text/plain" })
        yield* putRecord(ID, "file.gz", gzip)
        for (const key of ["gzip", "gzip-bytes", "deflate"]) assert.strictEqual(yield* textOf(key), "squeezed")
        assert.isTrue(gzip.equals((yield* getRecord(ID, "file.gz")).bytes))
        const { items } = yield* listKeysPage(ID)
        assert.deepStrictEqual(
          items.slice(0, 2).map(({ key, size }) => [key, size]),
          [
            ["deflate", keepsEncoded ? deflate.length : "squeezed".length],
            ["file.gz", gzip.length]
          ]
        )
      })
    )

    behave(
      "in an encoding that nobody knows is refused",
      owner,
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* refusalOf(putRecord(ID, "a", "new", { contentEncoding: "zap" })), [
          "UnexpectedResponseError",
          "unsupported-content-encoding"
        ])
        assert.strictEqual(yield* textOf("a"), "one")
      })
    )

    behave(
      "that does not exist is told from a store that does not",
      owner,
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* refusalOf(getRecord(ID, "c")), NO_RECORD)
        assert.deepStrictEqual(yield* refusalOf(Effect.scoped(streamRecord(ID, "c"))), NO_RECORD)
        assert.isTrue(Option.isNone(yield* headRecord(ID, "c")))
        assert.isTrue(Option.isNone(yield* headRecord("~other", "c")))
        yield* deleteRecord(ID, "a")
        yield* deleteRecord(ID, "a")
        assert.deepStrictEqual(yield* refusalOf(getRecord(ID, "a")), NO_RECORD)
      })
    )

    behave(
      "is bytes if it is put without a content type",
      owner,
      Effect.gen(function* () {
        yield* putRecord(ID, "a", "text", { contentType: "" })
        const { contentType } = yield* getRecord(ID, "a")
        assert.deepStrictEqual(contentType, Option.some("application/octet-stream"))
      })
    )

    behave(
      "is not there if its stream failed",
      owner,
      Effect.gen(function* () {
        const failing = Stream.concat(Stream.make(bytesOf("half")), Stream.fail({ _tag: "Lost" as const }))
        assert.deepStrictEqual(yield* refusalOf(putRecord(ID, "c", failing)), ["Lost", null])
        assert.deepStrictEqual(yield* keysOf(ID), ["a", "b", "image-1"])
      })
    )

    behave(
      "has to be of a type that its collection allows",
      { ...owner, stores: [{ ...mine, schema, records: {} }] },
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* refusalOf(putRecord(ID, "image-1", "text")), [
          "RecordRejectedError",
          "schema-validation-failed"
        ])
        yield* putRecord(ID, "image-1", bytesOf("png"), { contentType: "image/png" })
        yield* putRecord(ID, "OUTPUT", "text")
        yield* putRecord(ID, "other", "text")
        assert.deepStrictEqual(yield* keysOf(ID), ["OUTPUT", "image-1", "other"])
      })
    )
  })

  describe("keys", () => {
    behave(
      "are in the order of their bytes, from page to page, by their start",
      { ...owner, stores: [{ ...mine, records: { b: "", A: "", "!": "", _: "", a: "", "10": "", "9": "" } }] },
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* listedKeysOf(ID, { pageSize: 3 }), ["!", "10", "9", "A", "_", "a", "b"])
        assert.deepStrictEqual(yield* keysOf(ID, { exclusiveStartKey: "B" }), ["_", "a", "b"])
        const first = yield* listKeysPage(ID, { limit: 2 })
        assert.deepStrictEqual(
          [first.isTruncated, first.limit, first.count, first.exclusiveStartKey, first.nextExclusiveStartKey],
          [true, 2, 2, Option.none(), Option.some("10")]
        )
        const last = yield* listKeysPage(ID, { limit: 2, exclusiveStartKey: "a" })
        assert.deepStrictEqual(
          [last.isTruncated, last.count, last.exclusiveStartKey, last.nextExclusiveStartKey],
          [false, 1, Option.some("a"), Option.none()]
        )
      })
    )

    behave(
      "are those with a prefix, or of a collection",
      { ...owner, stores: [{ ...mine, schema, records: { OUTPUT: "", OUTPUT2: "", other: "" } }] },
      Effect.gen(function* () {
        yield* putRecord(ID, "image-1", bytesOf("png"), { contentType: "image/png" })
        assert.deepStrictEqual(yield* keysOf(ID, { prefix: "OUTPUT" }), ["OUTPUT", "OUTPUT2"])
        assert.deepStrictEqual(yield* keysOf(ID, { collection: "output" }), ["OUTPUT"])
        assert.deepStrictEqual(yield* keysOf(ID, { collection: "images", prefix: "im" }), ["image-1"])
        assert.deepStrictEqual(yield* keysOf(ID, { collection: "images", prefix: "O" }), [])
        assert.deepStrictEqual(yield* refusalOf(keysOf(ID, { collection: "posts" })), [
          "BadRequestError",
          "invalid-value"
        ])
      })
    )

    behave(
      "lead to their records",
      owner,
      Effect.gen(function* () {
        const listed = yield* Stream.runCollect(listRecords(ID))
        assert.deepStrictEqual(
          Array.from(listed, ({ key }) => `${key}`),
          Object.keys(records)
        )
        const results = yield* Stream.runCollect(getRecords(ID, ["b", "c"]))
        assert.deepStrictEqual(
          Array.from(results, ({ key, result }) => [key, result._tag]),
          [
            ["b", "Right"],
            ["c", "Left"]
          ]
        )
      })
    )
  })

  describe("the archive", () => {
    behave(
      "has all records as they are read, or those with a prefix",
      owner,
      Effect.gen(function* () {
        yield* putRecord(ID, "it's", "squeezed ".repeat(1000), { gzip: true })
        yield* putRecord(ID, "empty", "")
        assert.deepStrictEqual(yield* filesOf(ID), [
          ["a", "one"],
          ["b", "two"],
          ["empty", ""],
          ["image-1", "png"],
          ["it's", "squeezed ".repeat(1000)]
        ])
        assert.deepStrictEqual(yield* filesOf(ID, { prefix: "image-" }), [["image-1", "png"]])
        assert.deepStrictEqual(yield* filesOf(ID, { prefix: "x" }), [])
      })
    )
  })

  describe("rights", () => {
    for (const [level, ...expected] of [
      ["RESTRICTED", false, false],
      ["ANYONE_WITH_ID_CAN_READ", true, false],
      ["ANYONE_WITH_NAME_CAN_READ", true, true],
      ["FOLLOW_USER_SETTING", false, false],
      [null, false, false]
    ] as const) {
      for (const caller of ["johndoe", undefined]) {
        behave(
          `at the level ${level} let ${caller ?? "nobody"} read by ID: ${expected[0]}, by name: ${expected[1]}`,
          { stores: [{ ...mine, generalAccess: level }], caller },
          Effect.gen(function* () {
            for (const [index, ref] of [ID, "janedoe~my-store"].entries()) {
              const outcomes = [
                yield* Effect.either(getStore(ref)),
                yield* Effect.either(getRecord(ref, "a")),
                yield* Effect.either(headRecord(ref, "a")),
                yield* Effect.either(keysOf(ref)),
                yield* Effect.either(filesOf(ref))
              ]
              for (const { _tag } of outcomes) assert.strictEqual(_tag, expected[index] ? "Right" : "Left", ref)
            }
          })
        )
      }
    }

    behave(
      "follow the owner's setting where the store does",
      { ...nobody, ownerSetting: "ANYONE_WITH_ID_CAN_READ" },
      Effect.gen(function* () {
        const store = yield* getStore(ID)
        assert.isTrue(Option.isNone(store.urlSigningSecretKey))
        assert.deepStrictEqual(yield* refusalOf(getStore("janedoe~my-store")), FORBIDDEN)
      })
    )

    behave(
      "to read are none to write",
      { ...other, rights: { [ID]: "READ" } },
      Effect.gen(function* () {
        assert.strictEqual(yield* textOf("a"), "one")
        assert.isTrue(Option.isNone((yield* getStore(ID)).urlSigningSecretKey))
        assert.isFalse((yield* recordPublicUrl(ID, "a")).isSigned)
        const links = [
          (yield* getStore(ID)).keysPublicUrl,
          ...(yield* listKeysPage(ID)).items.map((item) => item.recordPublicUrl)
        ]
        for (const link of links) assert.notInclude(Redacted.value(Option.getOrThrow(link).href), "signature")
        assert.deepStrictEqual(yield* refusalOf(putRecord(ID, "a", "new")), FORBIDDEN)
        assert.deepStrictEqual(yield* refusalOf(deleteRecord(ID, "a")), FORBIDDEN)
        assert.deepStrictEqual(yield* refusalOf(updateStore(ID, { title: "new" })), FORBIDDEN)
        assert.deepStrictEqual(yield* refusalOf(deleteStore(ID)), FORBIDDEN)
      })
    )

    behave(
      "to write are those of the owner",
      { ...other, rights: { [ID]: "WRITE" } },
      Effect.gen(function* () {
        yield* putRecord(ID, "a", "new")
        assert.strictEqual(yield* textOf("a", "janedoe~my-store"), "new")
        assert.isTrue(Option.isSome((yield* getStore(ID)).urlSigningSecretKey))
        assert.deepStrictEqual(yield* refusalOf(getStore("~my-store")), NO_STORE)
      })
    )

    behave(
      "are none for others, and without a token there is none to write",
      other,
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* refusalOf(getStore(ID)), FORBIDDEN)
        assert.deepStrictEqual(yield* refusalOf(getRecord(ID, "c")), FORBIDDEN)
        assert.deepStrictEqual(yield* refusalOf(keysOf(ID)), FORBIDDEN)
        assert.deepStrictEqual(yield* refusalOf(putRecord(ID, "a", "new")), FORBIDDEN)
      })
    )

    behave(
      "of nobody are what is open to read",
      worldOf(undefined, "ANYONE_WITH_ID_CAN_READ"),
      Effect.gen(function* () {
        assert.strictEqual(yield* textOf("a"), "one")
        assert.deepStrictEqual(yield* refusalOf(putRecord(ID, "a", "new")), UNAUTHORIZED)
        assert.deepStrictEqual(yield* refusalOf(deleteStore(ID)), UNAUTHORIZED)
        assert.deepStrictEqual(yield* refusalOf(getStore("~my-store")), UNAUTHORIZED)
      })
    )
  })

  describe("a link", () => {
    behave(
      "opens its record without the token, and no other",
      owner,
      Effect.gen(function* () {
        const link = yield* recordPublicUrl(ID, "a")
        const signature = signatureOf(link)
        const [{ recordPublicUrl: listed } = assert.fail("There are no keys")] = (yield* listKeysPage(ID)).items
        const path = (href: Redacted.Redacted) => new URL(Redacted.value(href)).pathname
        assert.strictEqual(path(Option.getOrThrow(listed).href), path(link.url.href))
        for (const options of [
          { signature },
          { signature: signatureOf({ ...link, url: Option.getOrThrow(listed) }) }
        ]) {
          const record = yield* getRecord("janedoe~my-store", "a", options)
          assert.strictEqual(yield* record.text, "one")
          assert.isTrue(Option.isSome(yield* headRecord(ID, "a", options)))
        }
        assert.deepStrictEqual(yield* refusalOf(getRecord(ID, "b", { signature })), FORBIDDEN)
        assert.deepStrictEqual(yield* refusalOf(getRecord(ID, "a", { signature: Redacted.make("1abc") })), FORBIDDEN)
        assert.deepStrictEqual(yield* refusalOf(keysOf(ID, { signature })), FORBIDDEN)
      })
    )

    behaveInTime(
      "opens the keys and the archive until it expires",
      owner,
      Effect.gen(function* () {
        const signature = signatureOf(yield* keysPublicUrl(ID, { expiresIn: "1 hour" }))
        const forEver = signatureOf(yield* keysPublicUrl(ID))
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(yield* keysOf(ID, { signature }), ["a", "b", "image-1"])
        assert.lengthOf(yield* filesOf(ID, { signature }), 3)
        assert.deepStrictEqual(yield* refusalOf(getRecord(ID, "a", { signature })), FORBIDDEN)
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(yield* refusalOf(keysOf(ID, { signature })), FORBIDDEN)
        assert.deepStrictEqual(yield* refusalOf(filesOf(ID, { signature })), FORBIDDEN)
        assert.deepStrictEqual(yield* keysOf(ID, { signature: forEver }), ["a", "b", "image-1"])
      })
    )

    behaveInTime(
      "of the store itself opens its keys for 14 days, and has a signature only while the store needs one",
      owner,
      Effect.gen(function* () {
        const { keysPublicUrl: link } = yield* getStore(ID)
        const signature = signatureOf({ url: Option.getOrThrow(link), isSigned: true })
        yield* TestClock.adjust("14 days")
        assert.lengthOf(yield* keysOf(ID, { signature }), 3)
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(yield* refusalOf(keysOf(ID, { signature })), FORBIDDEN)
        const open = yield* updateStore(ID, { generalAccess: "ANYONE_WITH_ID_CAN_READ" })
        for (const url of [open.keysPublicUrl, open.recordsPublicUrl]) {
          assert.notInclude(Redacted.value(Option.getOrThrow(url).href), "signature")
        }
        const { items } = yield* listKeysPage(ID)
        for (const { recordPublicUrl } of items) {
          assert.notInclude(Redacted.value(Option.getOrThrow(recordPublicUrl).href), "signature")
        }
      })
    )
  })

  describe("a store of a run", () => {
    const run = { store: ID, actor: "my-actor", task: "my-task" }
    const world: World = {
      ...owner,
      stores: [mine, { id: OTHER_ID, username: "janedoe", records: { a: "failed" } }],
      runs: [
        { ...run, id: "FirstRun000000000", origin: "SCHEDULER" },
        { id: "SecondRun00000000", actor: "my-actor", store: OTHER_ID, status: "FAILED" }
      ]
    }

    behave(
      "is that of the run, or of the last one that is asked for",
      world,
      Effect.gen(function* () {
        const text = (ref: Parameters<typeof getRecord>[0]) =>
          Effect.flatMap(getRecord(ref, "a"), (record) => record.text)
        assert.strictEqual(yield* text("actor-runs/FirstRun000000000"), "one")
        assert.strictEqual(yield* text(storeOfLastRun({ actor: "my-actor" })), "failed")
        assert.strictEqual(yield* text(storeOfLastRun({ actor: "my-actor", status: "SUCCEEDED" })), "one")
        assert.strictEqual(yield* text(storeOfLastRun({ actor: "My-Actor", origin: "SCHEDULER" })), "one")
        assert.strictEqual(yield* text(storeOfLastRun({ task: "my-task" })), "one")
        yield* putRecord("actor-runs/SecondRun00000000", "b", "new")
        assert.deepStrictEqual(yield* keysOf(storeOfLastRun({ actor: "my-actor", status: "FAILED" })), ["a", "b"])
        yield* deleteStore("actor-runs/SecondRun00000000")
        assert.deepStrictEqual(yield* refusalOf(getStore(OTHER_ID)), NO_STORE)
      })
    )

    behave(
      "is not found where there is no such run, Actor or task",
      world,
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* refusalOf(getStore("actor-runs/OtherRun000000000")), NO_STORE)
        assert.deepStrictEqual(
          yield* refusalOf(getStore(storeOfLastRun({ actor: "my-actor", status: "RUNNING" }))),
          NO_STORE
        )
        const missing = [
          [storeOfLastRun({ actor: "other" }), "Actor was not found or access denied"],
          [storeOfLastRun({ task: "other" }), "Actor task was not found or access denied"]
        ] as const
        for (const [ref, message] of missing) {
          assert.deepInclude(yield* Effect.flip(getStore(ref)), {
            _tag: "StoreNotFoundError",
            apifyType: Option.some("record-or-token-not-found"),
            apifyMessage: Option.some(message)
          })
        }
      })
    )

    behave(
      "needs a token if it is that of a last run, and otherwise the rights that its ID needs",
      { ...world, caller: undefined },
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* refusalOf(getStore(storeOfLastRun({ actor: "my-actor" }))), UNAUTHORIZED)
        assert.deepStrictEqual(yield* refusalOf(getStore("actor-runs/FirstRun000000000")), FORBIDDEN)
      })
    )
  })

  describe("what a store was used for", () => {
    behave(
      "is counted",
      { ...owner, stores: [{ ...mine, records: {} }] },
      Effect.gen(function* () {
        yield* putRecord(ID, "a", "12345")
        yield* putRecord(ID, "a", "123")
        yield* putRecord(ID, "b", "12")
        yield* getRecord(ID, "a")
        yield* headRecord(ID, "a")
        yield* keysOf(ID)
        yield* deleteRecord(ID, "b")
        yield* deleteRecord(ID, "c")
        assert.deepStrictEqual(yield* countsOf, [1, 3, 2, 1, keepsEncoded ? 3 : 0])
        yield* filesOf(ID)
        assert.deepStrictEqual(yield* countsOf, [1, 3, 2, 2, keepsEncoded ? 3 : 0])
      })
    )

    behaveInTime(
      "is dated",
      { ...owner, stores: [{ ...mine, createdAt: new Date(0).toISOString() }] },
      Effect.gen(function* () {
        const times = Effect.map(getStore(ID), ({ accessedAt, createdAt, modifiedAt }) =>
          [createdAt, modifiedAt, accessedAt].map(DateTime.toEpochMillis)
        )
        const at = (seconds: number) => TestClock.setTime(seconds * 1000)
        yield* at(1)
        yield* putRecord(ID, "a", "")
        yield* at(2)
        yield* getRecord(ID, "a")
        yield* at(3)
        assert.deepStrictEqual(yield* times, [0, 1000, 2000])
        yield* at(4)
        yield* updateStore(ID, { title: "new" })
        assert.deepStrictEqual(yield* times, [0, 4000, 4000])
        yield* at(5)
        yield* deleteRecord(ID, "a")
        assert.deepStrictEqual(yield* times, [0, 5000, 5000])
        yield* at(6)
        yield* keysOf(ID)
        assert.deepStrictEqual(yield* times, [0, 5000, 6000])
      })
    )
  })
})
