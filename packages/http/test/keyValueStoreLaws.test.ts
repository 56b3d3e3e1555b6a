/**
 * What holds for every `KeyValueStore`, whatever it is on.
 */
import type { PlatformError } from "@effect/platform/Error"
import { FileSystem } from "@effect/platform/FileSystem"
import { KeyValueStore, layerFileSystem, layerMemory } from "@effect/platform/KeyValueStore"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { character } from "../../../vitest.text.js"
import * as ApifyKeyValueStore from "../src/KeyValueStore.js"
import { emulated, newStore } from "./emulated.js"

/** Text that every store gives back as it was: well-formed, and without a byte order mark. */
const text = fc.string({ unit: character, maxLength: 20 }).filter((text) => !text.startsWith("\uFEFF"))

const value = fc.oneof(
  text,
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Uint8Array.from(bytes))
)

type Command =
  | { readonly _tag: "Set"; readonly key: number; readonly value: string | Uint8Array }
  | { readonly _tag: "Remove"; readonly key: number }
  | { readonly _tag: "Modify"; readonly key: number; readonly added: string }
  | { readonly _tag: "Clear" }

const tag = <const A>(tag: A) => fc.constant(tag)

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ _tag: tag("Set"), key: fc.nat(2), value }) },
  { weight: 2, arbitrary: fc.record({ _tag: tag("Remove"), key: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ _tag: tag("Modify"), key: fc.nat(2), added: text }) },
  { weight: 1, arbitrary: fc.record({ _tag: tag("Clear") }) }
)

const bytesOf = (value: string | Uint8Array): Uint8Array =>
  typeof value === "string" ? new TextEncoder().encode(value) : value

const Person = Schema.Struct({ name: Schema.String, seen: Schema.Date })

/** Runs a command on a store and on a model of it, which has what is no text as bytes. */
const run = (
  store: KeyValueStore,
  model: Map<string, string | Uint8Array>,
  keys: ReadonlyArray<string>,
  command: Command
): Effect.Effect<void, PlatformError> =>
  Effect.gen(function* () {
    if (command._tag === "Clear") {
      model.clear()
      return yield* store.clear
    }
    const key = `${keys[command.key]}`
    const known = model.get(key)
    switch (command._tag) {
      case "Set":
        model.set(key, command.value)
        return yield* store.set(key, command.value)
      case "Remove":
        // Where there is none, a folder refuses and others do not.
        return model.delete(key) ? yield* store.remove(key) : undefined
      case "Modify": {
        // What bytes are as text is up to the store.
        if (known instanceof Uint8Array) return
        const added = Option.map(Option.fromNullable(known), (known) => known + command.added)
        assert.deepStrictEqual(yield* store.modify(key, (known) => known + command.added), added)
        if (Option.isSome(added)) model.set(key, added.value)
      }
    }
  })

const hex = Option.map((value: string | Uint8Array) => Buffer.from(bytesOf(value)).toString("hex"))

/** For keys that the store takes. It may have records of before. */
const keyValueStoreLaws = <E>(name: string, key: fc.Arbitrary<string>, store: Layer.Layer<KeyValueStore, E>): void => {
  const three = fc.uniqueArray(key, { minLength: 3, maxLength: 3 })
  const two = fc.uniqueArray(key, { minLength: 2, maxLength: 2 }).map(([key = "", other = ""]) => [key, other] as const)

  describe(`the KeyValueStore on ${name}`, () => {
    layer(store, { excludeTestServices: true })((it) => {
      it.effect.prop("is a map", [three, fc.array(command, { maxLength: 8 })], ([keys, commands]) =>
        Effect.gen(function* () {
          const store = yield* KeyValueStore
          yield* store.clear
          const model = new Map<string, string | Uint8Array>()
          for (const command of commands) yield* run(store, model, keys, command)
          assert.strictEqual(yield* store.size, model.size)
          assert.strictEqual(yield* store.isEmpty, model.size === 0)
          for (const key of keys) {
            assert.deepStrictEqual(hex(yield* store.getUint8Array(key)), hex(Option.fromNullable(model.get(key))))
            assert.strictEqual(yield* store.has(key), model.has(key))
          }
        })
      )

      it.effect.prop("gives back the text that was set", [key, text], ([key, text]) =>
        Effect.gen(function* () {
          const store = yield* KeyValueStore
          yield* store.set(key, text)
          assert.deepStrictEqual(yield* store.get(key), Option.some(text))
        })
      )

      it.effect.prop(
        "modifies bytes that are there, and no others",
        [two, fc.uint8Array({ maxLength: 20 })],
        ([[key, other], bytes]) =>
          Effect.gen(function* () {
            const store = yield* KeyValueStore
            yield* store.clear
            yield* store.set(key, bytes)
            const reversed = Uint8Array.from(bytes).reverse()
            const modified = yield* store.modifyUint8Array(key, (bytes) => Uint8Array.from(bytes).reverse())
            assert.deepStrictEqual(Option.map(modified, Array.from), Option.some(Array.from(reversed)))
            assert.deepStrictEqual(
              Option.map(yield* store.getUint8Array(key), Array.from),
              Option.some(Array.from(reversed))
            )
            assert.deepStrictEqual(yield* store.modifyUint8Array(other, (bytes) => bytes), Option.none())
            assert.isFalse(yield* store.has(other))
          })
      )

      it.effect.prop(
        "keeps values of a schema",
        [two, text, fc.date({ noInvalidDate: true })],
        ([[key, other], name, seen]) =>
          Effect.gen(function* () {
            const store = (yield* KeyValueStore).forSchema(Person)
            yield* store.clear
            yield* store.set(key, { name, seen })
            assert.deepStrictEqual(yield* store.get(key), Option.some({ name, seen }))
            const modified = yield* store.modify(key, ({ seen }) => ({ name: "Jane", seen }))
            assert.deepStrictEqual(modified, Option.some({ name: "Jane", seen }))
            assert.deepStrictEqual(yield* store.get(key), modified)
            assert.deepStrictEqual(yield* store.get(other), Option.none())
            assert.deepStrictEqual([yield* store.has(key), yield* store.has(other)], [true, false])
            assert.deepStrictEqual([yield* store.size, yield* store.isEmpty], [1, false])
            yield* store.remove(key)
            assert.deepStrictEqual(yield* store.get(key), Option.none())
          })
      )
    })
  })
}

const strictKey = fc.stringMatching(/^[a-zA-Z0-9!\-_.'()]{1,20}$/).filter((key) => key !== "." && key !== "..")

/** What a folder and an escaped store take, and a strict one does not. */
const anyKey = fc.string({ unit: character, minLength: 1, maxLength: 5 }).filter((key) => key !== "." && key !== "..")

const onNewStore = (options: ApifyKeyValueStore.Options) =>
  Layer.unwrapEffect(Effect.map(newStore, (ref) => ApifyKeyValueStore.layer(ref, options))).pipe(
    Layer.provide(emulated)
  )

const onFolder = Layer.unwrapScoped(
  Effect.gen(function* () {
    const folder = yield* (yield* FileSystem).makeTempDirectoryScoped()
    return layerFileSystem(folder)
  })
).pipe(Layer.provide(NodeContext.layer))

keyValueStoreLaws("memory", anyKey, layerMemory)
keyValueStoreLaws("a folder", anyKey, onFolder)
keyValueStoreLaws("Apify", strictKey, onNewStore({}))
keyValueStoreLaws("Apify, with escaped keys below a prefix", anyKey, onNewStore({ keys: "escaped", prefix: "users/" }))
