/**
 * Creating, changing and deleting stores: what is sent, and what responses mean.
 */
import { inspect } from "node:util"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import {
  type ApifyClient,
  deleteStore,
  formatStoreRef,
  type GaveUp,
  getOrCreateStore,
  getStore,
  listStores,
  listStoresPage,
  Metrics,
  RunId,
  storeOfLastRun,
  storeOfRun,
  UnknownAccessLevel,
  updateStore
} from "../src/index.js"
import { layerRespond, RecordedRequests } from "../src/testing.js"
import { bodyOf, minimalBody, store, storeRef } from "./arbitraries.js"
import { fail, neverResponds, type Plan, perform, responding } from "./plannedServer.js"
import { attributesOf, recordSpans } from "./spans.js"

const unsafe = Option.some<GaveUp>("unsafe")

const ID = "WkzbQMuFYuamGv3YF"

const created = responding(201, {}, minimalBody)
const found = responding(200, {}, minimalBody)
const deleted = responding(204, {}, "")

const refusing = (status: number, type: string, message = "As planned") =>
  responding(status, {}, JSON.stringify({ error: { type, message } }))

const missing = refusing(404, "record-not-found", "Key-value Store was not found")
const taken = refusing(400, "name-not-unique")

/** A client of a server that does as planned. */
const planned = (plan: Plan, options: ApifyClient.Options = {}) => {
  const steps = [...plan]
  return layerRespond((request) => {
    const step = steps.shift() ?? plan[plan.length - 1] ?? plan[0]
    // A `Response` takes no body with it.
    return step._tag === "Respond" && step.status === 204
      ? Effect.sync(() => new Response(null, { status: 204 }))
      : perform(step, request)
  }, options)
}

/** Runs a call to its end, however long it waits. */
const toEnd = <A, E, R>(call: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(Effect.either(call))
    yield* TestClock.adjust("2 minutes")
    return yield* Fiber.join(fiber)
  })

const failing = <A, E, R>(call: Effect.Effect<A, E, R>) =>
  Effect.map(toEnd(call), (result) =>
    Either.match(result, { onLeft: (error) => error, onRight: () => assert.fail("It succeeded") })
  )

const defectOf = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isFailure(exit) && Cause.isDie(exit.cause) ? Cause.pretty(exit.cause) : "no defect"

const sent = Effect.gen(function* () {
  return yield* (yield* RecordedRequests).all
})

const jsonOf = ({ body, headers }: HttpClientRequest.HttpClientRequest): unknown => {
  if (body._tag !== "Uint8Array") return body._tag
  assert.strictEqual(headers["content-type"] ?? body.contentType, "application/json")
  return JSON.parse(new TextDecoder().decode(body.body))
}

const wire = Effect.map(sent, (requests) =>
  requests.map((request) => [request.method, request.url.replace("https://api.apify.com", ""), jsonOf(request)])
)

describe("getOrCreateStore", () => {
  it.effect("without a name creates a store, and sends neither query nor body", () =>
    Effect.gen(function* () {
      const { isNew, store } = yield* getOrCreateStore()
      assert.isTrue(isNew)
      assert.strictEqual(store.id, ID)
      assert.deepStrictEqual(yield* wire, [["POST", "/v2/key-value-stores", "Empty"]])
    }).pipe(Effect.provide(planned([created])))
  )

  it.effect("sends the name in the query, and the schema as JSON", () =>
    Effect.gen(function* () {
      const schema = { actorKeyValueStoreSchemaVersion: 1, title: "Pages – 頁", collections: {} }
      yield* getOrCreateStore({ name: "My-Store", schema })
      assert.deepStrictEqual(yield* wire, [["POST", "/v2/key-value-stores?name=My-Store", { schema }]])
    }).pipe(Effect.provide(planned([created])))
  )

  it.effect.each(['"my-store"', "null", "[]", "5"])("refuses %s in place of its options, and sends nothing", (json) =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(getOrCreateStore(JSON.parse(json)))
      assert.include(defectOf(exit), "options must be an object such as { name: 'my-store' }")
      assert.deepStrictEqual(yield* wire, [])
    }).pipe(Effect.provide(planned([created])))
  )

  it.effect("says whether the store was there", () =>
    Effect.gen(function* () {
      assert.isFalse((yield* getOrCreateStore({ name: "my-store" })).isNew)
      assert.isTrue((yield* getOrCreateStore({ name: "my-store" })).isNew)
    }).pipe(Effect.provide(planned([found, created])))
  )

  it.effect("row 70: with a name is sent again where the response was lost", () =>
    Effect.gen(function* () {
      const result = yield* toEnd(getOrCreateStore({ name: "my-store" }))
      assert.deepInclude(Either.getOrThrow(result), { isNew: false })
      assert.lengthOf(yield* sent, 2)
    }).pipe(Effect.provide(planned([fail("ECONNRESET"), found])))
  )

  it.effect.each([
    ["a connection that broke", fail("ECONNRESET"), "TransportError"],
    ["a response that never came", neverResponds, "TimeoutError"],
    ["a 500", responding(500), "ServerError"],
    ["a 503", responding(503), "ServerError"],
    ["a 408", responding(408), "UnexpectedResponseError"],
    ["a redirect", responding(302), "UnexpectedResponseError"],
    ["a 200", found, "UnexpectedResponseError"],
    ["a 204", deleted, "UnexpectedResponseError"],
    ["a 201 without a body", responding(201, {}, ""), "MalformedResponseError"],
    ["a 201 that is cut off", responding(201, {}, '{"data":'), "MalformedResponseError"],
    ["a 201 with no store in it", responding(201, {}, '{"data":{}}'), "MalformedResponseError"]
  ] as const)("row 68: without a name is sent once, and says that the store may exist, after %s", ([_, step, tag]) =>
    Effect.gen(function* () {
      const error = yield* failing(getOrCreateStore())
      assert.deepInclude(error, { _tag: tag, attempts: 1, gaveUp: unsafe })
      assert.include(error.message, "not sent again: the server may have carried it out")
      assert.include(error.message, "may exist")
      assert.lengthOf(yield* sent, 1)
    }).pipe(Effect.provide(planned([step, created])))
  )

  it.effect("row 68: without a name says so where its own deadline was shorter than the attempt's", () =>
    Effect.gen(function* () {
      const error = yield* failing(getOrCreateStore({ callTimeout: "1 second" }))
      assert.deepInclude(error, { _tag: "TimeoutError", phase: "call", gaveUp: unsafe })
    }).pipe(Effect.provide(planned([neverResponds])))
  )

  it.effect.each(["ECONNREFUSED", "EAI_AGAIN", "ENOTFOUND", "ENETUNREACH"])(
    "row 69: without a name is sent again after %s, since nothing can have reached the server",
    (code) =>
      Effect.gen(function* () {
        const result = yield* toEnd(getOrCreateStore())
        assert.isTrue(Either.getOrThrow(result).isNew)
        assert.lengthOf(yield* sent, 2)
      }).pipe(Effect.provide(planned([fail(code), created])))
  )

  it.effect("row 69: without a name is sent again after a 429, with which the server has refused it", () =>
    Effect.gen(function* () {
      const result = yield* toEnd(getOrCreateStore())
      assert.isTrue(Either.getOrThrow(result).isNew)
      assert.lengthOf(yield* sent, 2)
    }).pipe(Effect.provide(planned([responding(429), created])))
  )

  it.effect.each([
    fail("CERT_HAS_EXPIRED"),
    ...[400, 401, 402, 403, 404, 405, 413, 415, 422].map((status) => responding(status))
  ])("does not say that a store may exist where none can: %j", (step) =>
    Effect.gen(function* () {
      const error = yield* failing(getOrCreateStore())
      assert.notInclude(error.message, "may exist")
      assert.lengthOf(yield* sent, 1)
    }).pipe(Effect.provide(planned([step])))
  )

  it.effect.each([202, 203, 204, 206])("does not take the status %s", (status) =>
    Effect.gen(function* () {
      const error = yield* failing(getOrCreateStore({ name: "my-store" }))
      assert.strictEqual(error._tag, "UnexpectedResponseError")
    }).pipe(Effect.provide(planned([status === 204 ? deleted : responding(status, {}, minimalBody)])))
  )
})

/** Texts that are no names, among them such that would reach another path or parameter. */
const NO_NAMES = [
  "",
  "-",
  "my_store",
  "my store",
  "-a",
  "a-",
  "a&name=b",
  "../x",
  "a~b",
  "ключ",
  "a\r\nb",
  "a".repeat(64)
]

describe("a name", () => {
  it.effect.each(NO_NAMES)("such as %j is refused, and nothing is sent", (name) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(getOrCreateStore({ name })))._tag, "InvalidStoreNameError")
      assert.strictEqual((yield* Effect.flip(updateStore(ID, { name })))._tag, "InvalidStoreNameError")
      assert.isEmpty(yield* sent)
    }).pipe(Effect.provide(planned([found])))
  )
})

describe("updateStore", () => {
  it.effect.each([
    [{}, {}],
    [{ name: "other" }, { name: "other" }],
    [{ name: null }, { name: null }],
    [{ name: undefined, title: undefined, generalAccess: undefined }, {}],
    [{ title: "Ein Täfel \u0000\ud800" }, { title: "Ein Täfel \u0000\ud800" }],
    [{ generalAccess: "RESTRICTED" }, { generalAccess: "RESTRICTED" }],
    [{ generalAccess: null }, { generalAccess: null }],
    [{ generalAccess: new UnknownAccessLevel({ level: "FRIENDS_ONLY" }) }, { generalAccess: "FRIENDS_ONLY" }],
    [
      { name: "a", title: "b", generalAccess: "ANYONE_WITH_NAME_CAN_READ" },
      { name: "a", title: "b", generalAccess: "ANYONE_WITH_NAME_CAN_READ" }
    ]
  ] as const)("with %j sends these changes and no others", ([changes, json]) =>
    Effect.gen(function* () {
      const store = yield* updateStore("~my-store", changes)
      assert.strictEqual(store.id, ID)
      assert.deepStrictEqual(yield* wire, [["PUT", "/v2/key-value-stores/~my-store", json]])
    }).pipe(Effect.provide(planned([found])))
  )

  it.effect("row 72: is sent again where the response was lost", () =>
    Effect.gen(function* () {
      const result = yield* toEnd(updateStore(ID, { title: "x" }))
      assert.isTrue(Either.isRight(result))
      const [first, second, ...more] = yield* wire
      assert.deepStrictEqual(first, second)
      assert.isEmpty(more)
    }).pipe(Effect.provide(planned([fail("ECONNRESET"), found])))
  )

  it.effect.each([
    ["another name", { name: "archive" }],
    ["no name", { name: null }]
  ] as const)(
    "row 72: that gives a store named by its name %s says so where only the response was lost",
    ([_, changes]) =>
      Effect.gen(function* () {
        const error = yield* failing(updateStore("~my-store", changes))
        assert.deepInclude(error, { _tag: "UnexpectedResponseError", status: 404, attempts: 2 })
        assert.include(error.message, "may have renamed the store")
      }).pipe(Effect.provide(planned([fail("ECONNRESET"), missing])))
  )

  it.effect.each([
    ["by its ID", ID, { name: "archive" }, [fail("ECONNRESET"), missing]],
    ["that keeps its name", "~my-store", { title: "x" }, [fail("ECONNRESET"), missing]],
    ["whose update was not sent before", "~my-store", { name: "archive" }, [fail("ECONNREFUSED"), missing]]
  ] as const)("of a store %s that is not there is a StoreNotFoundError", ([_, ref, changes, steps]) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* failing(updateStore(ref, changes)))._tag, "StoreNotFoundError")
    }).pipe(Effect.provide(planned(steps)))
  )

  it.effect("row 73: to a name that is taken is a StoreNameTakenError, after one attempt", () =>
    Effect.gen(function* () {
      const error = yield* failing(updateStore(ID, { name: "taken" }))
      assert.deepInclude(error, { _tag: "StoreNameTakenError", storeName: "taken", attempts: 1, status: 400 })
      assert.lengthOf(yield* sent, 1)
    }).pipe(Effect.provide(planned([taken])))
  )

  it.effect.each([
    ["another type", refusing(400, "invalid-value"), { name: "taken" }],
    ["no name sent", taken, { title: "x" }],
    ["the name taken away", taken, { name: null }],
    ["no error of Apify's", responding(400, {}, "name-not-unique"), { name: "taken" }]
  ] as const)("is a BadRequestError on a 400 with %s", ([_, step, changes]) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* failing(updateStore(ID, changes)))._tag, "BadRequestError")
    }).pipe(Effect.provide(planned([step])))
  )

  it.effect.each(['"my-name"', "null"])("refuses %s in place of changes, and sends nothing", (json) =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(updateStore(ID, JSON.parse(json)))
      assert.include(defectOf(exit), "changes must be an object such as { title: 'My store' }")
      assert.deepStrictEqual(yield* wire, [])
    }).pipe(Effect.provide(planned([found])))
  )

  it.effect("of a missing store is a StoreNotFoundError", () =>
    Effect.gen(function* () {
      const error = yield* failing(updateStore("~my-store", {}))
      assert.deepInclude(error, { _tag: "StoreNotFoundError", ref: "~my-store" })
    }).pipe(Effect.provide(planned([missing])))
  )

  it.effect("does not take a store with another ID than it named", () =>
    Effect.gen(function* () {
      const error = yield* failing(updateStore("aaaaaaaaaaaaaaaaa", {}))
      assert.deepInclude(error, {
        _tag: "MalformedResponseError",
        problems: [{ path: ["data", "id"], problem: "is not the ID that was requested" }]
      })
    }).pipe(Effect.provide(planned([found])))
  )

  it.effect.each([201, 202, 204, 413, 415])("row 74: does not take the status %s", (status) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* failing(updateStore(ID, {})))._tag, "UnexpectedResponseError")
      assert.lengthOf(yield* sent, 1)
    }).pipe(Effect.provide(planned([status === 204 ? deleted : responding(status, {}, minimalBody)])))
  )
})

describe("deleteStore", () => {
  it.effect("sends no body, and returns nothing", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* deleteStore(ID))
      assert.deepStrictEqual(yield* wire, [["DELETE", `/v2/key-value-stores/${ID}`, "Empty"]])
    }).pipe(Effect.provide(planned([deleted])))
  )

  it.effect("of a missing store is a StoreNotFoundError", () =>
    Effect.gen(function* () {
      const error = yield* failing(deleteStore("~my-store"))
      assert.deepInclude(error, { _tag: "StoreNotFoundError", ref: "~my-store", attempts: 1 })
    }).pipe(Effect.provide(planned([missing])))
  )

  it.effect.each([fail("ECONNRESET"), neverResponds, responding(500), responding(408)])(
    "row 71: succeeds where the store is gone after an attempt that ended in %j",
    (step) =>
      Effect.gen(function* () {
        assert.isTrue(Either.isRight(yield* toEnd(deleteStore("~my-store"))))
        assert.lengthOf(yield* sent, 2)
      }).pipe(Effect.provide(planned([step, missing])))
  )

  it.effect.each([fail("ECONNREFUSED"), fail("EAI_AGAIN"), responding(429)])(
    "row 71: does not succeed where the store is missing after an attempt that deleted nothing: %j",
    (step) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* failing(deleteStore("~my-store")))._tag, "StoreNotFoundError")
        assert.lengthOf(yield* sent, 2)
      }).pipe(Effect.provide(planned([step, missing])))
  )

  it.effect("row 71: remembers a lost response over further attempts", () =>
    Effect.gen(function* () {
      assert.isTrue(Either.isRight(yield* toEnd(deleteStore("~my-store"))))
      assert.lengthOf(yield* sent, 3)
    }).pipe(Effect.provide(planned([fail("ECONNRESET"), fail("ECONNREFUSED"), missing])))
  )

  it.effect("fails on a 404 that is not Apify's, also after a lost response", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* failing(deleteStore("~my-store")))._tag, "UnexpectedResponseError")
    }).pipe(Effect.provide(planned([fail("ECONNRESET"), responding(404, {}, "no such page")])))
  )

  it.effect.each([200, 201, 202, 205])("row 74: does not take the status %s", (status) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* failing(deleteStore(ID)))._tag, "UnexpectedResponseError")
    }).pipe(Effect.provide(layerRespond(() => Effect.sync(() => new Response(null, { status })))))
  )
})

/** Every operation on one store. */
const operations = [
  ["getStore", "GET", (ref) => getStore(ref)],
  ["updateStore", "PUT", (ref) => updateStore(ref, { title: "x" })],
  ["deleteStore", "DELETE", (ref) => deleteStore(ref)]
] as const satisfies ReadonlyArray<
  readonly [
    name: string,
    method: string,
    call: (
      ref: Parameters<typeof getStore>[0]
    ) => Effect.Effect<unknown, { readonly _tag: string }, ApifyClient.ApifyClient>
  ]
>

describe.each(operations)("%s", (_, method, call) => {
  const requestFor = (ref: Parameters<typeof getStore>[0]) =>
    Effect.gen(function* () {
      yield* Effect.either(call(ref))
      return (yield* sent).map(({ method, url }) => `${method} ${url}`)
    }).pipe(Effect.provide(planned([found])))

  it.effect.prop("goes to the same place for a reference and for its text", [storeRef], ([ref]) =>
    Effect.gen(function* () {
      const requests = yield* requestFor(ref)
      assert.lengthOf(requests, 1)
      assert.deepStrictEqual(yield* requestFor(formatStoreRef(ref)), requests)
    })
  )

  it.effect("takes the store of a run", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* requestFor(storeOfRun(RunId.make("HG7ML7M8z78YcAPEB"))), [
        `${method} https://api.apify.com/v2/actor-runs/HG7ML7M8z78YcAPEB/key-value-store`
      ])
    })
  )

  it.effect("takes the store of the last run, with a status and an origin", () =>
    Effect.gen(function* () {
      const ref = storeOfLastRun({ task: "janedoe~my-task", status: "TIMED-OUT", origin: "API" })
      assert.deepStrictEqual(yield* requestFor(ref), [
        `${method} https://api.apify.com/v2/actor-tasks/janedoe~my-task/runs/last/key-value-store?status=TIMED-OUT&origin=API`
      ])
    })
  )

  it.effect.each(["", "..", "my-store", "a/b", "actor-runs/..", "actors/x/runs/last?status=DONE", "x?y", "~a\r\n"])(
    "refuses %j, and sends nothing",
    (ref) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(call(ref)))._tag, "InvalidStoreRefError")
        assert.isEmpty(yield* sent)
      }).pipe(Effect.provide(planned([found])))
  )
})

const TOKEN = "CanaryToken0123456789"

/** Every operation of stores, with its span and the method of its requests. */
const all = [
  ["getStore", "GET", "~my-store", Effect.asVoid(getStore("~my-store"))],
  ["listStores", "GET", undefined, Effect.asVoid(listStoresPage())],
  ["listStores", "GET", undefined, Stream.runDrain(listStores())],
  ["getOrCreateStore", "POST", "~my-store", Effect.asVoid(getOrCreateStore({ name: "my-store" }))],
  ["getOrCreateStore", "POST", undefined, Effect.asVoid(getOrCreateStore())],
  ["updateStore", "PUT", "~my-store", Effect.asVoid(updateStore("~my-store", { title: TOKEN }))],
  ["deleteStore", "DELETE", "~my-store", deleteStore("~my-store")]
] as const

describe.each(all)("%s, by %s, of %s", (name, method, ref, call) => {
  it.effect("has a span of its own, with a client span for each attempt, and is counted", () =>
    Effect.gen(function* () {
      const counter = Metrics.calls.pipe(Metric.tagged("operation", name), Metric.tagged("outcome", "BadRequestError"))
      const { count } = yield* Metric.value(counter)
      const { recorder, spans } = yield* recordSpans
      yield* Effect.withTracer(Effect.either(call), recorder)
      const [span, attempt, ...more] = spans
      assert.isEmpty(more)
      assert.strictEqual(span?.name, `ApifyClient.${name}`)
      assert.deepStrictEqual(attributesOf(span), {
        ...(ref === undefined ? {} : { "apify.store.ref": ref }),
        "apify.call.attempts": 1,
        "error.type": "BadRequestError"
      })
      assert.strictEqual(attempt?.name, method)
      assert.strictEqual((yield* Metric.value(counter)).count, Number(count) + 1)
    }).pipe(Effect.provide(planned([responding(400)])))
  )

  it.effect.each([400, 401, 403, 404, 409, 500])("shows no token that a %s repeats", (status) =>
    Effect.gen(function* () {
      const error = yield* failing(call)
      for (const shown of [String(error), inspect(error, { depth: null }), JSON.stringify(error)]) {
        assert.notInclude(shown, TOKEN)
      }
    }).pipe(
      Effect.provide(
        planned([refusing(status, TOKEN, `No ${TOKEN}`)], { token: Redacted.make(TOKEN), retry: { retries: 0 } })
      )
    )
  )
})

describe("a store that was created, changed or fetched", () => {
  it.effect.prop("is the store that was sent", [store], ([store]) =>
    Effect.gen(function* () {
      const { store: got } = yield* getOrCreateStore({ name: "x" })
      const updated = yield* updateStore("~x", { name: null })
      assert.deepStrictEqual(bodyOf(got), bodyOf(store))
      assert.deepStrictEqual(bodyOf(updated), bodyOf(store))
    }).pipe(Effect.provide(planned([responding(200, {}, bodyOf(store))])))
  )
})
