/**
 * Collections: which records they take, over real sockets and as functions.
 */
import { gzipSync } from "node:zlib"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { collectionsOf, demandsOn, validateJson } from "../src/Collections.js"
import { Emulator } from "../src/index.js"
import { compileJsonSchema } from "../src/JsonSchema.js"
import { recordRejectedRefusal } from "../src/Refusals.js"
import { checkStoreSchema } from "../src/StoreSchema.js"
import { CurrentUnknowns, unknowns } from "../src/Unknowns.js"
import { CHUNK_BYTES } from "../src/Uploads.js"
import { COLLECTIONS, get, put, schema, seed } from "./records.js"
import type { Response } from "./request.js"

const assertRejected = ({ status, text }: Response, problem: string) => {
  const { error } = recordRejectedRefusal(unknowns, problem)
  assert.strictEqual(error.type, "schema-validation-failed")
  assert.deepStrictEqual([status, JSON.parse(text)], [400, { error: { ...error } }])
}

const WRONG_TYPE = "its content type is not one of its collection's"

layer(Emulator.layer({ seed }))("a store with a schema", (it) => {
  const json = { headers: { "content-type": "application/json; charset=utf-8" } }
  const gzipped = { headers: { ...json.headers, "content-encoding": "gzip" } }

  it.effect("takes the content types that a collection lists, with any case and parameters", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      for (const type of ["image/png", "IMAGE/PNG", "image/jpeg; a=b"]) {
        const { status } = yield* put(url, COLLECTIONS, "image-1", "x", { headers: { "content-type": type } })
        assert.strictEqual(status, 201)
      }
      for (const type of ["image/gif", "image/pngx", "text/plain"]) {
        const headers = { "content-type": type }
        assertRejected(yield* put(url, COLLECTIONS, "image-2", "x", { headers }), WRONG_TYPE)
      }
      assertRejected(yield* put(url, COLLECTIONS, "image-2", "x"), WRONG_TYPE)
      assert.strictEqual((yield* get(url, COLLECTIONS, "image-2")).status, 404)
    })
  )

  it.effect("takes anything under a key that no collection has, or that a collection says nothing about", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      for (const key of ["other", "imag", "OUTPUT"]) {
        assert.strictEqual((yield* put(url, COLLECTIONS, key, "x")).status, 201)
      }
    })
  )

  it.effect("takes JSON that fits the JSON schema of its collection", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      assert.strictEqual((yield* put(url, COLLECTIONS, "post-1", '{"id": 1}', json)).status, 201)
      assertRejected(yield* put(url, COLLECTIONS, "post-2", '{"id": "canary"}', json), "/id must be integer")
      assertRejected(yield* put(url, COLLECTIONS, "post-2", "{}", json), "the body must have required property 'id'")
      assertRejected(yield* put(url, COLLECTIONS, "post-2", "{canary", json), "the body is not JSON")
      assertRejected(yield* put(url, COLLECTIONS, "post-2", "", json), "the body is not JSON")
      assert.strictEqual((yield* get(url, COLLECTIONS, "post-2")).status, 404)
    })
  )

  it.effect("decodes a body to check it, and stores it as it was put", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const body = gzipSync('{"id": 1}')
      assert.strictEqual((yield* put(url, COLLECTIONS, "post-3", body, gzipped)).status, 201)
      const stored = yield* get(url, COLLECTIONS, "post-3", { headers: { "accept-encoding": "gzip" } })
      assert.isTrue(stored.bytes.equals(body))
      assertRejected(yield* put(url, COLLECTIONS, "post-4", gzipSync('{"id": "1"}'), gzipped), "/id must be integer")
      assertRejected(yield* put(url, COLLECTIONS, "post-4", "no gzip", gzipped), "the body is not gzip")
    })
  )

  it.effect("checks a large body too, and keeps nothing of one that does not fit", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const text = (id: unknown) => JSON.stringify({ id, text: "x".repeat(2 * CHUNK_BYTES) })
      assert.strictEqual((yield* put(url, COLLECTIONS, "post-5", text(1), json)).status, 201)
      assertRejected(yield* put(url, COLLECTIONS, "post-5", text("1"), json), "/id must be integer")
      assert.strictEqual((yield* get(url, COLLECTIONS, "post-5")).text, text(1))
    })
  )

  it.effect("refuses the rights of a caller before the record", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      assert.strictEqual((yield* put(url, COLLECTIONS, "image-1", "x", { token: "other" })).status, 403)
    })
  )
})

it.scopedLive("a store with a schema decodes no more of a body than a record may have", () =>
  Effect.gen(function* () {
    const { url } = yield* Emulator
    const headers = { "content-type": "application/json", "content-encoding": "gzip" }
    const body = gzipSync(JSON.stringify({ id: 1, text: "x".repeat(1_000) }))
    assertRejected(yield* put(url, COLLECTIONS, "post-1", body, { headers }), "the body is too large to be checked")
  }).pipe(
    Effect.provide(Emulator.layer({ seed })),
    Effect.provide(Layer.succeed(CurrentUnknowns, { ...unknowns, MAXIMUM_RECORD_BYTES: 1_000 }))
  )
)

describe("the collections of a key", () => {
  const collections = collectionsOf(Option.some(schema))

  it("are those that have it, or a prefix of it", () => {
    const demands = (key: string, type: string) => demandsOn(collections, key, type)
    assert.deepStrictEqual(demands("post-1", "application/json"), {
      excludesType: false,
      jsonSchemas: [schema.collections.posts.jsonSchema]
    })
    assert.deepStrictEqual(demands("post", "a/b"), { excludesType: false, jsonSchemas: [] })
    assert.deepStrictEqual(demands("OUTPUT", "a/b"), { excludesType: false, jsonSchemas: [] })
    assert.isTrue(demands("post-1", "a/b").excludesType)
  })

  it("are none in a schema that is none", () => {
    for (const wrong of [null, {}, { ...schema, actorKeyValueStoreSchemaVersion: 2 }, { collections: [] }, "text"]) {
      assert.deepStrictEqual(collectionsOf(Option.some(wrong)), {})
    }
    assert.deepStrictEqual(collectionsOf(Option.none()), {})
  })

  const invalid = {
    "neither a key nor a prefix": {},
    "both a key and a prefix": { key: "a", keyPrefix: "a" },
    "an empty prefix": { keyPrefix: "" },
    "no content types": { key: "a", contentTypes: [] },
    "a content type twice": { key: "a", contentTypes: ["a/b", "a/b"] },
    "a JSON schema without content types": { key: "a", jsonSchema: {} },
    "a JSON schema beside another content type": {
      key: "a",
      contentTypes: ["application/json", "a/b"],
      jsonSchema: {}
    },
    "a JSON schema that is none": { key: "a", contentTypes: ["application/json"], jsonSchema: { type: "text" } },
    "a JSON schema that refers to another": {
      key: "a",
      contentTypes: ["application/json"],
      jsonSchema: { $ref: "https://example.com/schema.json" }
    }
  }
  for (const [what, collection] of Object.entries(invalid)) {
    it(`are none in a schema with ${what}`, () => {
      assert.deepStrictEqual(collectionsOf(Option.some({ ...schema, collections: { collection } })), {})
    })
  }
})

describe("a JSON schema", () => {
  it("that is none is named as such", () => {
    const posts = { ...schema.collections.posts, jsonSchema: { type: "text" } }
    const problem = checkStoreSchema({ ...schema, collections: { posts } })
    assert.deepStrictEqual(problem, Either.left("collections.posts.jsonSchema is not a JSON schema of draft 07"))
  })

  it("of draft 07 is followed, its references included", () => {
    const draft07 = {
      $schema: "http://json-schema.org/draft-07/schema#",
      definitions: { positive: { type: "number", exclusiveMinimum: 0 } },
      properties: { value: { $ref: "#/definitions/positive" }, day: { type: "string", format: "date" } },
      dependencies: { value: ["unit"] }
    }
    const isValid = (json: unknown) => Either.isRight(validateJson(JSON.stringify(json), [draft07]))
    const values = [{ value: 1, unit: "m" }, { value: 0, unit: "m" }, { value: 1 }, { day: "1" }, { day: 1 }]
    assert.deepStrictEqual(values.map(isValid), [true, false, false, true, false])
  })

  it("may have patterns in Unicode mode, and others", () => {
    const isValid = (text: string, pattern: string) =>
      Option.exists(compileJsonSchema({ type: "string", pattern }), (validate) => validate(text))
    assert.deepStrictEqual([isValid("ž", "^\\p{L}$"), isValid("1", "^\\p{L}$")], [true, false])
    assert.deepStrictEqual([isValid("a_-b", "^a\\_\\-b$"), isValid("a__b", "^a\\_\\-b$")], [true, false])
    assert.deepStrictEqual(compileJsonSchema({ pattern: "(" }), Option.none())
  })

  it("says where the problem is, and not what is there", () => {
    const problem = validateJson('{"a": [{"b": "canary"}]}', [
      { properties: { a: { items: { properties: { b: { const: 1 } } } } } }
    ])
    assert.deepStrictEqual(problem, Either.left("/a/0/b must be equal to constant"))
  })

  it("is never a promise", () => {
    for (const json of ["1", '"text"']) {
      const wanted = json === "1" ? Either.left("the body must be string") : Either.void
      assert.deepStrictEqual(validateJson(json, [{ $async: true, type: "string" }]), wanted)
    }
  })

  it("that goes deeper than can be checked refuses the body", () => {
    const tooDeep = Either.left("the body is too deep to be checked")
    const deep = 100_000
    const nested = `${'{"a":'.repeat(deep)}{}${"}".repeat(deep)}`
    assert.deepStrictEqual(validateJson(nested, [{ additionalProperties: { $ref: "#" } }]), tooDeep)
    assert.deepStrictEqual(validateJson("1", [{ allOf: [{ $ref: "#" }] }]), tooDeep)
  })
})
