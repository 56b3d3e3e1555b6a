/**
 * The run that a program is: its store, its input and its output.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { assert, describe, it } from "@effect/vitest"
import { DEMO_TOKEN, Emulator } from "@effect-apify/emulator"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Actor from "../src/Actor.js"
import { ApifyClient, FetchTransport, formatStoreRef, getRecord, getStore, putRecord } from "../src/index.js"
import { unhurried } from "./realSockets.js"

const STORE = "WkzbQMuFYuamGv3YF"

type Variables = Readonly<Record<string, string>>

const client = Layer.unwrapEffect(
  Effect.map(Emulator, ({ url }) =>
    ApifyClient.layerConfigWith(unhurried).pipe(
      Layer.provide(FetchTransport.layer),
      Layer.provide(
        Layer.setConfigProvider(ConfigProvider.fromJson({ APIFY_API_BASE_URL: url, APIFY_TOKEN: DEMO_TOKEN }))
      )
    )
  )
)

const on = <A, E, R>(actor: Layer.Layer<A, E, R>, variables: Variables) =>
  actor.pipe(
    Layer.provide(NodeSocket.layerWebSocketConstructor),
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables)))))
  )

const storeWith = (variables: Variables) =>
  Effect.map(Actor.Actor, ({ store }) => formatStoreRef(store)).pipe(Effect.provide(on(Actor.layer, variables)))

describe("the run's own store", () => {
  it.effect.each<readonly [name: string, variables: Variables]>([
    ["the variable's", { ACTOR_DEFAULT_KEY_VALUE_STORE_ID: STORE }],
    ["that of its older name", { APIFY_DEFAULT_KEY_VALUE_STORE_ID: STORE }],
    [
      "that of its older name where the new one is empty",
      { ACTOR_DEFAULT_KEY_VALUE_STORE_ID: "", APIFY_DEFAULT_KEY_VALUE_STORE_ID: STORE }
    ],
    [
      "that of the new name where both are set",
      { ACTOR_DEFAULT_KEY_VALUE_STORE_ID: STORE, APIFY_DEFAULT_KEY_VALUE_STORE_ID: "aaaaaaaaaaaaaaaaa" }
    ]
  ])("is %s", ([, variables]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* storeWith(variables), STORE)
    })
  )

  it.effect.each<readonly [name: string, variables: Variables, message: string]>([
    [
      "without a variable",
      {},
      '(Missing data at ACTOR_DEFAULT_KEY_VALUE_STORE_ID: "is not set, so this is not a run of an Actor. To run elsewhere, use layerWith({ localStore: … })")'
    ],
    [
      "with blank ones",
      { ACTOR_DEFAULT_KEY_VALUE_STORE_ID: " ", APIFY_DEFAULT_KEY_VALUE_STORE_ID: "" },
      '(Missing data at ACTOR_DEFAULT_KEY_VALUE_STORE_ID: "is not set'
    ],
    [
      "with what names no store",
      { ACTOR_DEFAULT_KEY_VALUE_STORE_ID: "../users" },
      "(Invalid data at ACTOR_DEFAULT_KEY_VALUE_STORE_ID: "
    ],
    [
      "with what names no store under the older name",
      { APIFY_DEFAULT_KEY_VALUE_STORE_ID: "../users" },
      "(Invalid data at APIFY_DEFAULT_KEY_VALUE_STORE_ID: "
    ]
  ])("is an error of the configuration %s", ([, variables, message]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(storeWith(variables))
      assert.isTrue(String(error).startsWith(message), String(error))
    })
  )

  it.layer(Layer.provideMerge(client, Emulator.layer()))("elsewhere", (it) => {
    it.effect("is the local store, which is made once", () =>
      Effect.gen(function* () {
        const local = on(Actor.layerWith({ localStore: "my-actor" }), {})
        const { store } = yield* Effect.provide(Actor.Actor, local)
        assert.strictEqual((yield* getStore("~my-actor")).id, formatStoreRef(store))
        assert.deepStrictEqual((yield* Effect.provide(Actor.Actor, local)).store, store)
      })
    )

    it.effect("is the variable's where there is one, and no other is made", () =>
      Effect.gen(function* () {
        const both = on(Actor.layerWith({ localStore: "unused" }), { ACTOR_DEFAULT_KEY_VALUE_STORE_ID: STORE })
        assert.strictEqual(formatStoreRef((yield* Effect.provide(Actor.Actor, both)).store), STORE)
        assert.strictEqual((yield* Effect.flip(getStore("~unused")))._tag, "StoreNotFoundError")
      })
    )
  })
})

describe("a program without variables", () => {
  it.scopedLive("goes on where it was, on an emulator with a file", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(`${tmpdir()}/actor-`)),
        (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
      )
      const runs = Array.from({ length: 3 }, () =>
        Effect.gen(function* () {
          const state = yield* Actor.persistedState({ ...unhurried, key: "RUNS", schema: Schema.Int, initial: 0 })
          return yield* SubscriptionRef.updateAndGet(state, (runs) => runs + 1)
        }).pipe(
          Effect.scoped,
          Effect.provide(on(Actor.layerWith({ localStore: "my-actor" }), {})),
          Effect.provide(Layer.provide(client, Emulator.layer({ database: `${folder}/apify.db` })))
        )
      )
      assert.deepStrictEqual(yield* Effect.all(runs), [1, 2, 3])
    })
  )
})

const Input = Schema.Struct({ since: Schema.Date })
const since = new Date(0)

it.layer(Layer.provideMerge(client, Emulator.layer()))("a run", (it) => {
  const run = (variables: Variables = {}) => on(Actor.layer, { ACTOR_DEFAULT_KEY_VALUE_STORE_ID: STORE, ...variables })

  it.effect.each<readonly [variables: Variables, key: string]>([
    [{}, "INPUT"],
    [{ ACTOR_INPUT_KEY: "own-input" }, "own-input"],
    [{ APIFY_INPUT_KEY: "older-input" }, "older-input"],
    [{ ACTOR_INPUT_KEY: "", APIFY_INPUT_KEY: "" }, "INPUT"]
  ])("with the variables %o gets its input from the record %s", ([variables, key]) =>
    Effect.gen(function* () {
      yield* putRecord(STORE, key, { schema: Input, value: { since } })
      assert.deepStrictEqual(yield* Effect.provide(Actor.getInput(Input), run(variables)), { since })
    })
  )

  it.effect("without an input is told so", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.provide(Actor.getInput(Input), run({ ACTOR_INPUT_KEY: "none" })))
      assert.strictEqual(error._tag, "RecordNotFoundError")
    })
  )

  it.effect("with an input of another shape is told what is wrong with it", () =>
    Effect.gen(function* () {
      yield* putRecord(STORE, "wrong", '{"since":1}')
      const error = yield* Effect.flip(Effect.provide(Actor.getInput(Input), run({ ACTOR_INPUT_KEY: "wrong" })))
      assert.strictEqual(error._tag === "MalformedRecordError" ? error.kind : error._tag, "Shape")
    })
  )

  it.effect("sets its output as JSON", () =>
    Effect.gen(function* () {
      yield* Effect.provide(Actor.setOutput(Input, { since }), run())
      const output = yield* getRecord(STORE, "OUTPUT")
      assert.deepStrictEqual(yield* output.text, '{"since":"1970-01-01T00:00:00.000Z"}')
      assert.deepStrictEqual(
        output.contentType._tag === "Some" && output.contentType.value,
        "application/json; charset=utf-8"
      )
    })
  )
})
