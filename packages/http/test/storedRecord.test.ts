/**
 * What the bytes of a record mean, and what is put into one.
 */
import { inspect } from "node:util"
import { runInNewContext } from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { character } from "../../../vitest.text.js"
import { getRecord, getRecordValue, type PutRecordOptions, putRecord, type RecordContent } from "../src/index.js"
import { layerRespond, RecordedRequests } from "../src/testing.js"

const STORE = "janedoe~my-store"

/** A client whose record has these bytes. */
const having = (bytes: Uint8Array | string, contentType?: string) =>
  layerRespond(() =>
    Effect.succeed(
      new Response(typeof bytes === "string" ? Buffer.from(bytes) : new Uint8Array(bytes), {
        headers: contentType === undefined ? {} : { "content-type": contentType }
      })
    )
  )

const textOf = (bytes: Uint8Array | string, contentType?: string) =>
  Effect.flatMap(getRecord(STORE, "key"), ({ text }) => text).pipe(Effect.provide(having(bytes, contentType)))

const jsonOf = <A, I>(schema: Schema.Schema<A, I>, bytes: Uint8Array | string, contentType?: string) =>
  getRecordValue(STORE, "key", schema).pipe(Effect.provide(having(bytes, contentType)))

/** "č" in each charset, or bytes that are not valid in it. */
describe("the text of a record", () => {
  it.effect.each([
    [undefined, "\u00c4\u008d"],
    ["text/plain", "\u00c4\u008d"],
    ["text/plain; charset=utf-8", "\u00c4\u008d"],
    ['text/plain; charset="UTF-8"', "\u00ef\u00bb\u00bf\u00c4\u008d"],
    ["text/plain; charset=iso-8859-2", "\u00e8"],
    ["text/plain; charset=windows-1250", "\u00e8"],
    ["text/plain; charset=utf-16le", "\u000d\u0001"],
    ["nonsense", "\u00c4\u008d"]
  ] as const)("of the type %s is in its charset", ([type, bytes]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* textOf(Buffer.from(bytes, "latin1"), type), "č")
    })
  )

  it.effect.each([
    ["text/plain", "is not valid utf-8"],
    ["text/plain; charset=utf-8", "is not valid utf-8"],
    ["text/plain; charset=klingon", "is in the charset klingon, which this platform does not know"]
  ] as const)("of the type %s fails where it %s, and keeps its bytes", ([type, problem]) =>
    Effect.gen(function* () {
      const bytes = Uint8Array.of(0xff, 0xfe, 0x00)
      const error = yield* Effect.flip(textOf(bytes, type))
      assert.deepInclude(error, { _tag: "MalformedRecordError", kind: "Charset", problems: [{ path: [], problem }] })
      const record = yield* Effect.provide(getRecord(STORE, "key"), having(bytes, type))
      assert.deepStrictEqual([...record.bytes], [...bytes])
    })
  )
})

describe("the JSON of a record", () => {
  const Value = Schema.Struct({ name: Schema.String, sizes: Schema.Array(Schema.Int) })

  it.effect.prop("is what was put", [Schema.Struct({ a: Schema.Int, b: Schema.Array(Schema.String) })], ([value]) =>
    Effect.gen(function* () {
      const schema = Schema.Struct({ a: Schema.Int, b: Schema.Array(Schema.String) })
      assert.deepStrictEqual(yield* jsonOf(schema, JSON.stringify(value)), value)
    })
  )

  it.effect.each([
    ["", "is empty"],
    ["{", "is not JSON"],
    ["undefined", "is not JSON"]
  ] as const)("of %j is refused, because it %s", ([bytes, problem]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(jsonOf(Value, bytes))
      assert.deepInclude(error, { _tag: "MalformedRecordError", kind: "Json", problems: [{ path: [], problem }] })
    })
  )

  it.effect("of another shape is refused with every place, and without values", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(jsonOf(Value, '{"name":12345,"sizes":[1,"Canary"]}'))
      if (error._tag !== "MalformedRecordError") return assert.fail(error.message)
      assert.strictEqual(error.kind, "Shape")
      assert.deepStrictEqual(
        error.problems.map(({ path }) => path),
        [["name"], ["sizes", 1]]
      )
      assert.notMatch(`${inspect(error)}${JSON.stringify(error)}`, /12345|Canary/)
    })
  )

  it.effect("that is nested without end overflows no stack", () =>
    Effect.gen(function* () {
      interface Nested extends ReadonlyArray<Nested> {}
      const Nested: Schema.Schema<Nested> = Schema.Array(Schema.suspend((): Schema.Schema<Nested> => Nested))
      const error = yield* Effect.flip(jsonOf(Nested, "[".repeat(100_000) + "]".repeat(100_000)))
      assert.strictEqual(error._tag, "MalformedRecordError")
    })
  )

  it.effect("dies with what its schema throws, if that is no overflow", () =>
    Effect.gen(function* () {
      const Repeated = Schema.transform(Schema.String, Schema.String, { decode: (a) => a.repeat(-1), encode: (a) => a })
      const exit = yield* Effect.exit(jsonOf(Repeated, '"a"'))
      assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
    })
  )

  it.effect("is refused in a charset that is none", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(jsonOf(Value, "{}", "application/json; charset=klingon"))
      assert.deepInclude(error, { _tag: "MalformedRecordError", kind: "Charset" })
    })
  )
})

describe("a record that is printed", () => {
  it.effect("shows its size and not its bytes", () =>
    Effect.gen(function* () {
      const record = yield* getRecord(STORE, "key")
      const shown = [inspect(record), JSON.stringify(record), String(record)]
      for (const text of shown) assert.notMatch(text, /67|Canary/)
      assert.deepStrictEqual(JSON.parse(JSON.stringify(record)), { key: "key", size: 6, contentType: "text/plain" })
    }).pipe(Effect.provide(having("Canary", "text/plain")))
  )
})

describe("content", () => {
  const refusing = layerRespond(() => Effect.dieMessage("A request was sent"))

  /** Programs without types may give anything. */
  const isContent = (_: unknown): _ is RecordContent<unknown, unknown, never, never> => true
  const untypedPut = (content: unknown) =>
    isContent(content) ? putRecord(STORE, "key", content) : Effect.dieMessage("It is not content")

  const refusalOf = <A, I>(content: RecordContent<A, I, never, never>, options?: PutRecordOptions) =>
    Effect.provide(Effect.flip(putRecord(STORE, "key", content, options)), refusing)

  it.effect.each([
    ["half a surrogate pair", "a\ud800", {}],
    ["text for another charset", "text", { contentType: "text/plain; charset=iso-8859-1" }]
  ] as const)("that is %s is refused, and nothing is sent", ([, content, options]) =>
    Effect.gen(function* () {
      const error = yield* refusalOf(content, options)
      assert.deepInclude(error, { _tag: "MalformedRecordError", kind: "Charset", attempts: 0, key: "key" })
    })
  )

  it.effect("that its schema does not allow is refused with its places, and nothing is sent", () =>
    Effect.gen(function* () {
      const schema = Schema.Struct({ n: Schema.Int, list: Schema.Array(Schema.Int) })
      const error = yield* refusalOf({ schema, value: { n: 0.5, list: [1, 1.5] } })
      assert.deepInclude(error, { _tag: "MalformedRecordError", kind: "Shape" })
      assert.deepStrictEqual("problems" in error ? error.problems.map(({ path }) => path) : [], [["n"], ["list", 1]])
    })
  )

  it.effect("that JSON does not have is refused, and nothing is sent", () =>
    Effect.gen(function* () {
      for (const value of [undefined, 1n, Symbol.iterator]) {
        const error = yield* refusalOf({ schema: Schema.Unknown, value })
        assert.deepInclude(error, { _tag: "MalformedRecordError", kind: "Json" })
      }
    })
  )

  it.effect.each([
    ["NaN", Number.NaN, []],
    ["an infinite number", { sizes: [1, Number.NEGATIVE_INFINITY] }, ["sizes", 1]],
    ["an item that is undefined", { a: null, b: [{ c: ["c", undefined] }] }, ["b", 0, "c", 1]],
    ["an item that is a function", [constVoid], [0]],
    ["a date that is none", { date: new Date(Number.NaN) }, ["date"]]
  ] as const)("for which JSON has only null is refused with its place: %s", ([, value, path]) =>
    Effect.gen(function* () {
      const error = yield* refusalOf({ schema: Schema.Unknown, value })
      assert.deepInclude(error, { _tag: "MalformedRecordError", kind: "Json" })
      assert.deepStrictEqual("problems" in error ? error.problems.map(({ path }) => path) : [], [path])
    })
  )

  it.effect("may have nulls, fields that are undefined, and JSON of its own", () =>
    Effect.gen(function* () {
      const price = { value: Number.NaN, toJSON: () => "5 EUR" }
      const value = { a: null, b: undefined, c: [null, "null", 1], price }
      yield* putRecord(STORE, "key", { schema: Schema.Unknown, value })
      const [request] = yield* (yield* RecordedRequests).all
      const text = request?.body._tag === "Uint8Array" ? Buffer.from(request.body.body).toString() : ""
      assert.strictEqual(text, '{"a":null,"c":[null,"null",1],"price":"5 EUR"}')
    }).pipe(Effect.provide(layerRespond(() => Effect.succeed(new Response("{}", { status: 201 })))))
  )

  it.effect("may be as deep as JSON may be", () =>
    Effect.gen(function* () {
      const value = JSON.parse(`${"[".repeat(4000)}null${"]".repeat(4000)}`)
      yield* putRecord(STORE, "key", { schema: Schema.Unknown, value })
      assert.lengthOf(yield* (yield* RecordedRequests).all, 1)
    }).pipe(Effect.provide(layerRespond(() => Effect.succeed(new Response("{}", { status: 201 })))))
  )

  it.effect.prop("may be any text that is text", [fc.string({ unit: character })], ([text]) =>
    Effect.gen(function* () {
      yield* putRecord(STORE, "key", text)
      const [request] = yield* (yield* RecordedRequests).all
      assert.deepStrictEqual(request?.body._tag === "Uint8Array" ? Buffer.from(request.body.body).toString() : "", text)
    }).pipe(Effect.provide(layerRespond(() => Effect.succeed(new Response("{}", { status: 201 })))))
  )

  it.effect("with a content type that could be another header is refused, and nothing is sent", () =>
    Effect.gen(function* () {
      for (const contentType of ["text/plain\r\nx-evil: 1", "text/plain\u0000", "text/plain; name=č"]) {
        const error = yield* refusalOf(new Uint8Array(), { contentType })
        assert.deepInclude(error, { _tag: "TransportError", reason: "request", attempts: 0 })
        assert.include(error.message, "content-type")
      }
    })
  )

  it.effect("has the encoding that it was given, also with no content type", () =>
    Effect.gen(function* () {
      yield* putRecord(STORE, "key", "text", { gzip: true })
      yield* putRecord(STORE, "key", new Uint8Array(), { contentEncoding: "br" })
      assert.deepStrictEqual(
        (yield* (yield* RecordedRequests).all).map(({ headers }) => [
          headers["content-type"],
          headers["content-encoding"]
        ]),
        [
          ["text/plain; charset=utf-8", "gzip"],
          ["application/octet-stream", "br"]
        ]
      )
    }).pipe(Effect.provide(layerRespond(() => Effect.succeed(new Response("{}", { status: 201 })))))
  )

  it.effect("may be a stream of nothing, whose length is 0", () =>
    Effect.gen(function* () {
      yield* putRecord(STORE, "key", Stream.empty, { length: 0 })
      assert.lengthOf(yield* (yield* RecordedRequests).all, 1)
    }).pipe(Effect.provide(layerRespond(() => Effect.succeed(new Response("{}", { status: 201 })))))
  )

  it.effect("of a stream is read no further once the call is interrupted, compressed or not", () =>
    Effect.forEach([false, true], (gzip) =>
      Effect.gen(function* () {
        const [begun, ended] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const wait = Effect.onInterrupt(Effect.never, () => Deferred.succeed(ended, undefined))
        const stream = Stream.fromEffect(Effect.zipRight(Deferred.succeed(begun, undefined), wait))
        const call = yield* Effect.fork(putRecord(STORE, "key", stream, { gzip }))
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(call)
        assert.isTrue(yield* Deferred.isDone(ended))
      })
    ).pipe(Effect.provide(layerRespond(() => Effect.succeed(new Response("{}", { status: 201 })))))
  )

  it.effect("may be bytes of another realm, as under jsdom", () =>
    Effect.gen(function* () {
      const bytes: unknown = runInNewContext("new Uint8Array([1, 2])")
      yield* untypedPut(bytes)
      yield* untypedPut(Stream.make(bytes))
      for (const { body } of yield* (yield* RecordedRequests).all) assert.include(["Uint8Array", "Stream"], body._tag)
    }).pipe(Effect.provide(layerRespond(() => Effect.succeed(new Response("{}", { status: 201 })))))
  )

  it.effect("that is nothing of what can be put is a defect that says what can", () =>
    Effect.gen(function* () {
      for (const content of [undefined, null, 5, {}, [], new ArrayBuffer(1), new Uint16Array(1), { schema: 1 }]) {
        const exit = yield* Effect.exit(untypedPut(content))
        assert.include(String(exit), "content must be")
      }
    }).pipe(Effect.provide(refusing))
  )

  it.effect("that is encoded already is not compressed as well: that is a defect", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(refusalOf("text", { gzip: true, contentEncoding: "br" }))
      assert.include(String(exit), "gzip and contentEncoding")
    })
  )
})

describe("a call that fails with a record's error", () => {
  it.effect("has told it as an Either", () =>
    Effect.gen(function* () {
      const record = yield* getRecord(STORE, "key")
      assert.isTrue(Either.isRight(record.text))
      assert.deepStrictEqual(record.contentType, Option.none())
    }).pipe(Effect.provide(having(Uint8Array.of(0x61))))
  )
})
