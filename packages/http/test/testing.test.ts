/**
 * The clients for unit tests: who may read which store, in Apify's words, and which requests were sent.
 */
import { assert, describe, it } from "@effect/vitest"
import { type GeneralAccess, Store, StoreId } from "@effect-apify/domain"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { getStore } from "../src/index.js"
import { layerRespond, layerStores, RecordedRequests, type StoresOptions } from "../src/testing.js"
import { store as anyStore, minimalBody } from "./arbitraries.js"

const ID = "WkzbQMuFYuamGv3YF"
const KEY = "CanaryKey"

const then = DateTime.unsafeMake("2019-12-12T07:34:14.202Z")

const storeAt = (level?: GeneralAccess) =>
  new Store({
    id: StoreId.make(ID),
    name: Option.some("my-store"),
    userId: Option.some("BPWDBd7Z9c746JAnF"),
    username: Option.some("janedoe"),
    createdAt: then,
    modifiedAt: then,
    accessedAt: then,
    generalAccess: Option.fromNullable(level),
    urlSigningSecretKey: Option.some(Redacted.make(KEY))
  })

const read = (ref: string, { level, ...options }: Omit<StoresOptions, "stores"> & { level?: GeneralAccess }) =>
  getStore(ref).pipe(Effect.either, Effect.provide(layerStores({ ...options, stores: [storeAt(level)] })))

/** `"key"` for a store with its signing key, `"store"` for one without, else the status. */
const outcome = (ref: string, options: Parameters<typeof read>[1]) =>
  Effect.map(
    read(ref, options),
    Either.match({
      onLeft: (error) => ("status" in error ? error.status : assert.fail(`${error}`)),
      onRight: (store) => (Option.isSome(store.urlSigningSecretKey) ? "key" : "store")
    })
  )

const isSameStore = Schema.equivalence(Store)

describe("a client of stores in memory", () => {
  it.effect("gives its owner the store by id, by either name of the owner, by name alone, in any case", () =>
    Effect.gen(function* () {
      const refs = ["janedoe~my-store", "JaneDoe~MY-Store", "BPWDBd7Z9c746JAnF~my-store", "~my-store", "~My-Store", ID]
      for (const ref of refs) assert.strictEqual(yield* outcome(ref, { caller: "JANEDOE" }), "key", ref)
    })
  )

  it.effect.prop("gives any store as it is", [anyStore], ([store]) =>
    Effect.gen(function* () {
      const known = new Store({ ...store, id: StoreId.make(ID), username: Option.some("janedoe") })
      const read = yield* Effect.provide(getStore(ID), layerStores({ stores: [known], caller: "janedoe" }))
      assert.isTrue(isSameStore(read, known))
    })
  )

  it.effect.each([
    ["RESTRICTED", 403, 403, 403, 403],
    ["ANYONE_WITH_ID_CAN_READ", "store", 403, "store", 403],
    ["ANYONE_WITH_NAME_CAN_READ", "store", "store", "store", "store"],
    ["FOLLOW_USER_SETTING", 403, 403, 403, 403],
    [undefined, 403, 403, 403, 403]
  ] as const)("at the level %s gives others %s by id and %s by name, nobody %s and %s", ([level, ...expected]) =>
    Effect.gen(function* () {
      const access = level === undefined ? {} : { level }
      const outcomes = [
        yield* outcome(ID, { caller: "johndoe", ...access }),
        yield* outcome("janedoe~my-store", { caller: "johndoe", ...access }),
        yield* outcome(ID, access),
        yield* outcome("janedoe~my-store", access)
      ]
      assert.deepStrictEqual(outcomes, expected)
    })
  )

  it.effect("follows the owner's setting where the store does", () =>
    Effect.gen(function* () {
      const setting = { ownerSetting: "ANYONE_WITH_ID_CAN_READ" } as const
      assert.strictEqual(yield* outcome(ID, setting), "store")
      assert.strictEqual(yield* outcome("janedoe~my-store", setting), 403)
      assert.strictEqual(yield* outcome(ID, { ...setting, level: "RESTRICTED" }), 403)
    })
  )

  it.effect("lets readers read and writers see the signing key", () =>
    Effect.gen(function* () {
      for (const ref of [ID, "janedoe~my-store"]) {
        assert.strictEqual(yield* outcome(ref, { caller: "johndoe", rights: { [ID]: "READ" } }), "store")
        assert.strictEqual(yield* outcome(ref, { caller: "johndoe", rights: { [ID]: "WRITE" } }), "key")
      }
    })
  )

  it.effect.each([
    ["AAAAAAAAAAAAAAAAA", "janedoe", 404, "record-not-found", "Key-value Store was not found"],
    ["wkzbQMuFYuamGv3YF", "janedoe", 404, "record-not-found", "Key-value Store was not found"],
    ["janedoe~other", "janedoe", 404, "record-not-found", "Key-value Store was not found"],
    ["~my-store", "johndoe", 404, "record-not-found", "Key-value Store was not found"],
    ["~my-store", undefined, 401, "token-not-provided", "Authentication token was not provided"],
    [ID, undefined, 403, "insufficient-permissions", "Insufficient permissions for the key-value store."],
    [ID, "johndoe", 403, "insufficient-permissions", "Insufficient permissions for the key-value store."]
  ] as const)("refuses %s to %s with %i %s", ([ref, caller, status, type, message]) =>
    Effect.gen(function* () {
      const error = Either.getOrThrow(Either.flip(yield* read(ref, { caller })))
      if (!("apifyType" in error)) return assert.fail(`${error}`)
      assert.strictEqual(error.status, status)
      assert.strictEqual(Option.getOrNull(error.apifyType), type)
      assert.include(Option.getOrThrow(error.apifyMessage), message)
    })
  )

  it.effect("does not show the caller a signing key that is not theirs", () =>
    Effect.gen(function* () {
      const found = yield* read(ID, { level: "ANYONE_WITH_ID_CAN_READ" })
      assert.isNull(Option.getOrNull(Either.getOrThrow(found).urlSigningSecretKey))
    })
  )
})

describe("a client whose responses a function makes", () => {
  it.effect("records its requests in order", () =>
    Effect.gen(function* () {
      const requests = yield* RecordedRequests
      assert.isEmpty(yield* requests.all)
      yield* getStore("janedoe~first")
      yield* getStore("janedoe~second")
      assert.deepStrictEqual(
        (yield* requests.all).map(({ url }) => new URL(url).pathname),
        ["/v2/key-value-stores/janedoe~first", "/v2/key-value-stores/janedoe~second"]
      )
    }).pipe(
      Effect.provide(
        layerRespond(() =>
          Effect.sync(() => new Response(minimalBody, { headers: { "content-type": "application/json" } }))
        )
      )
    )
  )

  it.effect("records anew each time that it is built", () =>
    Effect.gen(function* () {
      const client = layerRespond(() => Effect.sync(() => new Response(null, { status: 403 })))
      const count = Effect.gen(function* () {
        yield* Effect.flip(getStore("~my-store"))
        return (yield* (yield* RecordedRequests).all).length
      })
      assert.strictEqual(yield* Effect.provide(count, client), 1)
      assert.strictEqual(yield* Effect.provide(count, client), 1)
    })
  )
})
