/**
 * What holds of every error: its message, where that survives, and what the guards say.
 */
import { MessageChannel } from "node:worker_threads"
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import {
  ApifyErrorTypeId,
  BadRequestError,
  isApifyError,
  isNotFound,
  isRetryable,
  isUnauthorized,
  MalformedRecordError,
  type RecordNotFoundError,
  StoreNotFoundError,
  TimeoutError,
  type UnauthorizedError
} from "../src/index.js"
import { AnyError, callTimeout, errorSchemas, hostileText, notFound, oneOfEach, saying } from "./errors.js"

/** The `message` of whatever has one. */
const messageOf = (value: unknown): unknown => (Predicate.hasProperty(value, "message") ? value.message : undefined)

it("there is a sample of every error", () => {
  assert.sameMembers(
    oneOfEach.map(({ _tag }) => _tag),
    errorSchemas.map(({ tag }) => tag)
  )
})

describe.each(errorSchemas)("$tag", ({ tag, schema }) => {
  it.prop("is an Error, named by its tag", [schema], ([error]) => {
    assert.instanceOf(error, Error)
    assert.strictEqual(error._tag, tag)
    assert.strictEqual(error.name, tag)
    assert.strictEqual(String(error), `${tag}: ${error.message}`)
  })

  it.prop("has a message of one printable line, a sentence or more", [schema], ([error]) => {
    assert.match(error.message, /^[^\p{C}\u2028\u2029]+[.]$/u)
  })

  it.prop("is encoded and decoded with its message", [schema], ([error]) => {
    const json = JSON.parse(JSON.stringify(Schema.encodeSync(AnyError)(error)))
    const decoded = Schema.decodeUnknownSync(AnyError)(json)
    assert.strictEqual(Object.getPrototypeOf(decoded), schema.prototype)
    assert.strictEqual(decoded.message, error.message)
    assert.notProperty(json, "message")
  })

  it.prop("keeps its message through structuredClone", [schema], ([error]) => {
    const clone: unknown = structuredClone(error)
    assert.instanceOf(clone, Error)
    assert.strictEqual(messageOf(clone), error.message)
  })

  it.prop("keeps its message through JSON.stringify", [schema], ([error]) => {
    const json: unknown = JSON.parse(JSON.stringify(error))
    assert.strictEqual(messageOf(json), error.message)
    assert.deepInclude(json, { _tag: tag })
  })

  it.prop("keeps its message when its fields are copied", [schema], ([error]) => {
    assert.strictEqual({ ...error }.message, error.message)
  })
})

describe("an error that is posted", () => {
  it.effect.each([...oneOfEach])("to another thread keeps its message: $_tag", (error) =>
    Effect.gen(function* () {
      const { port1, port2 } = new MessageChannel()
      const received = yield* Effect.async<unknown>((resume) => {
        port2.once("message", (value: unknown) => resume(Effect.succeed(value)))
        port1.postMessage(error)
      }).pipe(Effect.ensuring(Effect.sync(() => port1.close())))
      assert.instanceOf(received, Error)
      assert.strictEqual(messageOf(received), error.message)
    })
  )
})

describe("a message", () => {
  it.prop(
    "is one printable line, whatever the server and the caller said",
    [AnyError, hostileText],
    ([error, text]) => {
      assert.match(saying(error, text).message, /^[^\p{C}\u2028\u2029]+[.]$/u)
    }
  )

  it.prop("shows no token that got into the error", [AnyError], ([error]) => {
    const { message } = saying(error, "apify_api_Canary")
    assert.notInclude(message, "Canary")
    // One that shows no text of the server's or the caller's, such as that of a file without a description, stays as it is.
    if (message !== error.message) assert.include(message, "<redacted>")
  })
})

describe("the guards", () => {
  const retryable = ["RateLimitedError", "ServerError", "TransportError", "TimeoutError"]

  it.each([...oneOfEach])("know a $_tag", (error) => {
    assert.isTrue(isApifyError(error))
    assert.strictEqual(isNotFound(error), ["StoreNotFoundError", "RecordNotFoundError"].includes(error._tag))
    assert.strictEqual(isUnauthorized(error), error._tag === "UnauthorizedError")
    assert.strictEqual(isRetryable(error), retryable.includes(error._tag))
  })

  it.prop("know every error", [AnyError], ([error]) => {
    assert.isTrue(isApifyError(error))
    assert.strictEqual(isRetryable(error), error.retryable !== "Never")
    assert.strictEqual(isNotFound(error), ["StoreNotFoundError", "RecordNotFoundError"].includes(error._tag))
    assert.strictEqual(isUnauthorized(error), error._tag === "UnauthorizedError")
  })

  it("leave in the type of a program exactly what they do not catch", () => {
    class TeaNotFoundError extends Data.TaggedError("TeaNotFoundError") {}
    type All = StoreNotFoundError | RecordNotFoundError | UnauthorizedError | TeaNotFoundError
    const program: Effect.Effect<never, All> = Effect.fail(error)
    const caught = {
      notFound: Effect.catchIf(program, isNotFound, () => Effect.void),
      unauthorized: Effect.catchIf(program, isUnauthorized, () => Effect.void),
      all: Effect.catchIf(program, isApifyError, () => Effect.void)
    }
    expectTypeOf<Effect.Effect.Error<typeof caught.notFound>>().toEqualTypeOf<UnauthorizedError | TeaNotFoundError>()
    expectTypeOf<Effect.Effect.Error<typeof caught.unauthorized>>().toEqualTypeOf<Exclude<All, UnauthorizedError>>()
    expectTypeOf<Effect.Effect.Error<typeof caught.all>>().toEqualTypeOf<TeaNotFoundError>()
    const rest = (error: All) => (isNotFound(error) ? undefined : error)
    expectTypeOf(rest).returns.toEqualTypeOf<UnauthorizedError | TeaNotFoundError | undefined>()
    const found = (error: Exclude<All, TeaNotFoundError>) => (isNotFound(error) ? error : undefined)
    expectTypeOf(found).returns.toEqualTypeOf<StoreNotFoundError | RecordNotFoundError | undefined>()
    const none = (error: StoreNotFoundError | UnauthorizedError) => (isApifyError(error) ? undefined : error)
    expectTypeOf(none).returns.toEqualTypeOf<undefined>()
    const messageOf = (error: unknown) => (isApifyError(error) ? error.message : "")
    expectTypeOf(messageOf).returns.toEqualTypeOf<string>()
    // What a promise is rejected with is of the type any.
    void Promise.resolve("").catch((reason) => (isApifyError(reason) ? reason._tag : reason.message))
    assert.isFalse(isNotFound(new TeaNotFoundError()))
    assert.isFalse(isApifyError(new TeaNotFoundError()))
  })

  it("do not take the end of a call's time for an error that may pass", () => {
    assert.isFalse(isRetryable(new TimeoutError(callTimeout)))
  })

  const error = new StoreNotFoundError(notFound)

  it.each([
    ["undefined", undefined],
    ["null", null],
    ["a text", "StoreNotFoundError"],
    ["a number", 404],
    ["an Error", new Error("Key-value Store was not found")],
    ["an Error with a tag", Object.assign(new Error(), { _tag: "UnauthorizedError", retryable: "ByPolicy" })],
    ["an Error with the mark alone", Object.assign(new Error(), { [ApifyErrorTypeId]: ApifyErrorTypeId })],
    ["an Error with a tag that is not text", Object.assign(new Error(), { [ApifyErrorTypeId]: true, _tag: 1 })],
    ["an object with the mark alone", { [ApifyErrorTypeId]: ApifyErrorTypeId }],
    ["an object with the tag", { _tag: "StoreNotFoundError", retryable: "ByPolicy" }],
    ["a function", () => error],
    ["a class of errors", BadRequestError],
    ["a copy of an error's fields", { ...error }],
    ["an error read from JSON", JSON.parse(JSON.stringify(error))],
    ["a clone of an error", structuredClone(error)]
  ])("take %s for none of these", (_, value) => {
    assert.isFalse(isApifyError(value))
    assert.isFalse(isNotFound(value))
    assert.isFalse(isUnauthorized(value))
    assert.isFalse(isRetryable(value))
  })
})

it("a value that cannot be written is not said to be a record that somebody wrote", () => {
  const request = {
    operation: "putRecord",
    url: "https://api.apify.com/v2/key-value-stores/~my-store/records/OUTPUT",
    store: Option.some("~my-store"),
    key: "OUTPUT",
    kind: "Shape",
    problems: [{ path: ["pages"], problem: "is missing" }]
  } as const
  const written = new MalformedRecordError({ ...request, method: "PUT", attempts: 0, elapsed: Duration.zero })
  assert.strictEqual(
    written.message,
    "The record OUTPUT was not written: pages is missing. Check the value, its schema and its content type."
  )
  const read = new MalformedRecordError({ ...request, method: "GET", attempts: 1, elapsed: Duration.zero })
  assert.include(read.message, "The record OUTPUT is not what was expected")
})
