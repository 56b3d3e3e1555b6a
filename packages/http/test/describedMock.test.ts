/**
 * The client against a mock that Prism makes of the API description: it refuses what the description does not have, and
 * responds with an example of each schema.
 */
import { assert, layer } from "@effect/vitest"
import { createLogger } from "@stoplight/prism-core"
import { getHttpOperationsFromSpec } from "@stoplight/prism-http"
import { createServer } from "@stoplight/prism-http-server"
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { EXAMPLE_ID, openApiDocument } from "../../emulator/test/apiDescription.js"
import {
  ApifyClient,
  deleteRecord,
  deleteStore,
  downloadRecords,
  FetchTransport,
  getOrCreateStore,
  getRecord,
  getRecordValue,
  getStore,
  headRecord,
  listKeys,
  listKeysPage,
  listRecords,
  listStores,
  listStoresPage,
  putRecord,
  RetryPolicy,
  streamRecord,
  updateStore
} from "../src/index.js"

/** The URL of the mock. */
class Mock extends Context.Tag("test/Mock")<Mock, string>() {
  static readonly layer = Layer.scoped(
    Mock,
    Effect.gen(function* () {
      const operations = yield* Effect.promise(() => getHttpOperationsFromSpec(openApiDocument()))
      const server = yield* Effect.acquireRelease(
        Effect.sync(() =>
          createServer(operations, {
            components: { logger: createLogger("mock", { level: "silent" }) },
            config: {
              isProxy: false,
              mock: { dynamic: false },
              checkSecurity: true,
              validateRequest: true,
              validateResponse: true,
              errors: true,
              upstreamProxy: undefined
            },
            cors: false
          })
        ),
        (server) => Effect.promise(() => server.close())
      )
      return yield* Effect.promise(() => server.listen(0, "127.0.0.1"))
    })
  )
}

const clientLayer = (token?: Redacted.Redacted) =>
  Layer.unwrapEffect(
    Effect.map(Mock, (baseUrl) =>
      ApifyClient.layer({ baseUrl, token, retry: RetryPolicy.none }).pipe(Layer.provide(FetchTransport.layer))
    )
  )

const client = clientLayer(Redacted.make("apify_api_token"))

const refs = [
  EXAMPLE_ID,
  "janedoe~my-store",
  "actor-runs/3KH8gEpp4d8uQSe8T",
  "actors/janedoe~my-actor/runs/last?status=SUCCEEDED&origin=API",
  "actor-tasks/janedoe~my-task/runs/last?status=FAILED"
]

/** What the mock has for any text. */
const TEXT = "string"

const Output = Schema.Struct({ done: Schema.Boolean })

const collected = <A, E, R>(stream: Stream.Stream<A, E, R>) => Effect.map(Stream.runCollect(stream), Chunk.toArray)
const decoded = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>) => Stream.mkString(Stream.decodeText(bytes))

/** A call, and what it ends in. */
const ends = <A, E>(
  call: Effect.Effect<A, E, ApifyClient.ApifyClient>,
  expected: A
): Effect.Effect<void, E, ApifyClient.ApifyClient> =>
  Effect.map(call, (value) => assert.deepStrictEqual(value, expected))

type Calls = Readonly<Record<string, Effect.Effect<void, unknown, ApifyClient.ApifyClient>>>

const callsFor = (ref: string): Calls => ({
  getStore: ends(
    Effect.map(getStore(ref), ({ id, name }) => [`${id}`, name]),
    [EXAMPLE_ID, Option.some(TEXT)]
  ),
  updateStore: ends(
    Effect.map(updateStore(ref, { name: "new-name", generalAccess: "RESTRICTED" }), ({ id }) => `${id}`),
    EXAMPLE_ID
  ),
  deleteStore: ends(deleteStore(ref), undefined),
  listKeysPage: ends(
    Effect.map(listKeysPage(ref, { limit: 10, prefix: "a", collection: "b", exclusiveStartKey: "c" }), ({ items }) =>
      items.map(({ key }) => `${key}`)
    ),
    [TEXT]
  ),
  listKeys: ends(collected(Stream.map(listKeys(ref), ({ key }) => `${key}`)), [TEXT]),
  getRecord: ends(
    Effect.flatMap(getRecord(ref, "OUTPUT"), ({ text }) => text),
    "{}"
  ),
  getRecordValue: ends(getRecordValue(ref, "OUTPUT", Schema.Struct({})), {}),
  "putRecord with JSON": ends(putRecord(ref, "OUTPUT", { schema: Output, value: { done: true } }), undefined),
  "putRecord with text": ends(putRecord(ref, "weird-key!'()", "text"), undefined),
  "putRecord with compressed text": ends(putRecord(ref, "OUTPUT", "text".repeat(1000), { gzip: true }), undefined),
  "putRecord with a stream": ends(putRecord(ref, "OUTPUT", Stream.make(new Uint8Array([1, 2]))), undefined),
  deleteRecord: ends(deleteRecord(ref, "OUTPUT"), undefined),
  streamRecord: ends(Effect.scoped(Effect.flatMap(streamRecord(ref, "OUTPUT"), ({ bytes }) => decoded(bytes))), "{}"),
  listRecords: ends(collected(Stream.map(listRecords(ref), ({ key }) => `${key}`)), [TEXT]),
  downloadRecords: ends(decoded(downloadRecords(ref, { prefix: "a", collection: "b" })), TEXT)
})

/** Calls that are for no store, or are not described for every one. */
const otherCalls: Calls = {
  listStoresPage: ends(
    Effect.map(
      listStoresPage({ desc: true, unnamed: true, ownership: "ownedByMe", offset: 1, limit: 10 }),
      ({ items }) => items.map(({ id }) => `${id}`)
    ),
    [EXAMPLE_ID]
  ),
  listStores: ends(collected(Stream.map(listStores({ limit: 1 }), ({ id }) => `${id}`)), [EXAMPLE_ID]),
  getOrCreateStore: ends(
    Effect.map(getOrCreateStore({ name: "my-store" }), ({ store, isNew }) => [`${store.id}`, isNew]),
    [EXAMPLE_ID, false]
  ),
  headRecord: ends(Effect.map(headRecord("janedoe~my-store", "OUTPUT"), Option.isSome), true)
}

layer(Mock.layer)("a mock of the API description", (it) => {
  for (const ref of refs) {
    for (const [name, call] of Object.entries(callsFor(ref))) {
      it.effect(`takes ${name} for ${ref}`, () => Effect.provide(call, client))
    }
  }
  for (const [name, call] of Object.entries(otherCalls)) {
    it.effect(`takes ${name}`, () => Effect.provide(call, client))
  }

  it.effect("refuses a call without a token", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(getStore("janedoe~my-store"))
      assert.strictEqual(error._tag, "UnauthorizedError")
    }).pipe(Effect.provide(clientLayer()))
  )

  it.effect("refuses a request that is not described", () =>
    Effect.gen(function* () {
      const url = yield* Mock
      const headers = { authorization: "Bearer apify_api_token" }
      const response = yield* Effect.promise(() => fetch(`${url}/v2/key-value-stores?ownership=nobody`, { headers }))
      assert.strictEqual(response.status, 400)
    })
  )
})
