/**
 * The operations as methods of one service.
 */
import { assert, describe, expectTypeOf, it, layer } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as http from "../src/index.js"
import { emulated, newStore } from "./emulated.js"

const { Apify } = http

const collect = <A, E, R>(stream: Stream.Stream<A, E, R>) =>
  Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)

/** The functions of the package that need a client. */
const isOperation = (name: string): boolean =>
  /^(get|list|head|put|delete|update|stream|download)[A-Z]|^(record|keys)PublicUrl$|^publicUrls$/.test(name)

/** Without the one that runs a user's own operations. */
type Functions = Omit<typeof http, "runStream">

/** What a function gives, fails with and needs, apart from a client. */
type Outcome<Result> =
  Result extends Effect.Effect<infer A, infer E, infer R>
    ? readonly ["Effect", A, E, R]
    : Result extends Stream.Stream<infer A, infer E, infer R>
      ? readonly ["Stream", A, E, R]
      : undefined

type Method<F> = F extends (...args: infer Args) => infer Result
  ? Outcome<Result> extends readonly [infer Kind, infer A, infer E, infer R]
    ? readonly [args: Args, Kind, A, E, Exclude<R, http.ApifyClient.ApifyClient>]
    : never
  : never

/** The functions of the package that need a client, whatever they are called. */
type Operation = {
  [Name in keyof Functions]: Functions[Name] extends (...args: never) => infer Result
    ? Outcome<Result> extends readonly [unknown, unknown, unknown, infer R]
      ? http.ApifyClient.ApifyClient extends R
        ? Name
        : never
      : never
    : never
}[keyof Functions]

describe("the service Apify", () => {
  it("has every function that needs a client, of the same type", () => {
    expectTypeOf<keyof http.Apify.Service>().toEqualTypeOf<Operation>()
    // Type parameters are compared by their bounds.
    expectTypeOf<{ [Name in keyof http.Apify.Service]: Method<http.Apify.Service[Name]> }>().toEqualTypeOf<{
      [Name in keyof http.Apify.Service]: Method<Functions[Name]>
    }>()
  })

  it.effect("has every operation, and no others", () =>
    Effect.gen(function* () {
      const apify = yield* Apify.Apify
      assert.sameMembers(Object.keys(apify), Object.keys(http).filter(isOperation))
    }).pipe(
      Effect.provide(Apify.layer),
      Effect.provide(Layer.provide(http.ApifyClient.layer(), http.FetchTransport.layer))
    )
  )

  it.effect("can be mocked in part, and says what was not", () =>
    Effect.gen(function* () {
      const apify = yield* Apify.Apify
      assert.deepStrictEqual(yield* apify.headRecord("~my-store", "a"), Option.none())
      assert.deepStrictEqual(yield* collect(apify.listKeys("~my-store")), [])
      const cause = yield* Effect.flip(Effect.sandbox(apify.deleteStore("~my-store")))
      assert.include(Cause.pretty(cause), "deleteStore")
    }).pipe(
      Effect.provide(Layer.mock(Apify.Apify, { headRecord: () => Effect.succeedNone, listKeys: () => Stream.empty }))
    )
  )

  layer(Layer.provideMerge(Apify.layer, emulated), { excludeTestServices: true })((it) => {
    it.effect("works on stores", () =>
      Effect.gen(function* () {
        const apify = yield* Apify.Apify
        const { store } = yield* apify.getOrCreateStore({ name: "one" })
        assert.strictEqual((yield* apify.getStore("~one")).id, store.id)
        const renamed = yield* apify.updateStore(store.id, { title: "One" })
        assert.deepStrictEqual(renamed.title, Option.some("One"))
        const results = yield* collect(apify.getStores(["~one", "~none"]))
        assert.deepStrictEqual(
          results.map(({ result }) => Either.match(result, { onLeft: ({ _tag }) => _tag, onRight: ({ id }) => id })),
          [store.id, "StoreNotFoundError"]
        )
        assert.include(
          Array.from(yield* collect(apify.listStores()), ({ id }): string => id),
          store.id
        )
        assert.include(
          Array.from((yield* apify.listStoresPage()).items, ({ id }): string => id),
          store.id
        )
        yield* apify.deleteStore(store.id)
        assert.strictEqual((yield* Effect.flip(apify.getStore("~one")))._tag, "StoreNotFoundError")
      })
    )

    it.effect("works on records", () =>
      Effect.gen(function* () {
        const apify = yield* Apify.Apify
        const ref = yield* newStore
        const Output = Schema.Struct({ at: Schema.Date })
        const value = { at: new Date(0) }
        yield* apify.putRecord(ref, "a", "Text")
        yield* apify.putRecord(ref, "b", { schema: Output, value })
        assert.deepStrictEqual((yield* apify.getRecord(ref, "a")).text, Either.right("Text"))
        assert.deepStrictEqual(yield* apify.getRecordValue(ref, "b", Output), value)
        assert.isTrue(Option.isSome(yield* apify.headRecord(ref, "a")))
        const { bytes } = yield* apify.streamRecord(ref, "a")
        assert.strictEqual(Buffer.concat([...(yield* collect(bytes))]).toString(), "Text")
        const keys = ["a", "b"]
        assert.deepStrictEqual(
          Array.from(yield* collect(apify.listKeys(ref)), ({ key }): string => key),
          keys
        )
        assert.deepStrictEqual(
          Array.from((yield* apify.listKeysPage(ref)).items, ({ key }): string => key),
          keys
        )
        assert.deepStrictEqual(
          Array.from(yield* collect(apify.listRecords(ref)), ({ key }): string => key),
          keys
        )
        assert.deepStrictEqual(
          Array.from(yield* collect(apify.getRecords(ref, keys)), ({ key }) => key),
          keys
        )
        const zip = Buffer.concat([...(yield* collect(apify.downloadRecords(ref)))])
        assert.strictEqual(zip.subarray(0, 2).toString(), "PK")
        yield* apify.deleteRecord(ref, "a")
        assert.strictEqual((yield* Effect.flip(apify.getRecord(ref, "a")))._tag, "RecordNotFoundError")
      }).pipe(Effect.scoped)
    )

    it.effect("makes the links that the functions make", () =>
      Effect.gen(function* () {
        const apify = yield* Apify.Apify
        const store = yield* http.getStore(yield* newStore)
        const hrefOf = ({ url }: http.PublicLink) => Redacted.value(url.href)
        const link = hrefOf(yield* http.recordPublicUrl(store.id, "a"))
        assert.strictEqual(hrefOf(yield* apify.recordPublicUrl(store.id, "a")), link)
        assert.strictEqual(hrefOf(yield* (yield* apify.publicUrls(store)).record("a")), link)
        assert.strictEqual(hrefOf(yield* apify.keysPublicUrl(store.id)), hrefOf(yield* http.keysPublicUrl(store.id)))
      })
    )
  })
})
