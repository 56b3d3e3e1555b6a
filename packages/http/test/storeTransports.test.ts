/**
 * Creating, changing, deleting and listing stores on each transport, over real sockets.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http"
import { createServer, type Server } from "node:net"
import { text } from "node:stream/consumers"
import { assert, describe, it } from "@effect/vitest"
import { refusingOrigin } from "@effect-apify/fault-server"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { type ApifyClient, deleteStore, getOrCreateStore, getStore, listStores, updateStore } from "../src/index.js"
import { minimalBody } from "./arbitraries.js"
import { clientOn, listening, transports, unhurried, urlOf, watching } from "./realSockets.js"

const ID = "WkzbQMuFYuamGv3YF"

interface Seen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

type Respond = (seen: Seen, response: ServerResponse, count: number) => void

/** Reads each request to its end, and then responds. */
const reading = (respond: Respond) => {
  const seen: Array<Seen> = []
  const listener: RequestListener = (request, response) => {
    text(request).then((body) => {
      const { headers, method, url } = request
      seen.push({ method, url, headers, body })
      respond({ method, url, headers, body }, response, seen.length)
    })
  }
  return { seen, listener }
}

const json = (response: ServerResponse, status: number, body: string): void => {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(body)
}

const missing = '{"error":{"type":"record-not-found","message":"Key-value Store was not found"}}'

/** Carries out what it is told, and breaks the first connection before it responds. */
const losingFirst = (respond: Respond): Respond => {
  return (seen, response, count) => {
    if (count === 1) response.destroy()
    else respond(seen, response, count)
  }
}

describe.each(transports)("with $name", ({ transport }) => {
  const clientOf = (baseUrl: string, options: ApifyClient.Options = {}) =>
    clientOn(transport, {
      ...unhurried,
      baseUrl,
      token: Redacted.make("apify_api_test"),
      retry: { retries: 2, baseDelay: 1 },
      ...options
    })

  /** What a call of a client of a server like this ends in, and what the server saw. */
  const against = <A, E>(respond: Respond, call: Effect.Effect<A, E, ApifyClient.ApifyClient>) =>
    Effect.gen(function* () {
      const { listener, seen } = reading(respond)
      const server = yield* listening(listener)
      return { result: yield* Effect.either(Effect.provide(call, clientOf(urlOf(server)))), seen }
    })

  it.scopedLive("changes are sent as JSON, with their length and the token", () =>
    Effect.gen(function* () {
      const { result, seen } = yield* against(
        (_, response) => json(response, 200, minimalBody),
        updateStore("janedoe~my-store", { name: null, title: "Täfel" })
      )
      assert.strictEqual(result._tag, "Right")
      assert.lengthOf(seen, 1)
      const [request] = seen
      assert.strictEqual(request?.method, "PUT")
      assert.strictEqual(request?.url, "/v2/key-value-stores/janedoe~my-store")
      assert.strictEqual(request?.body, '{"name":null,"title":"Täfel"}')
      assert.strictEqual(request?.headers["content-type"], "application/json")
      assert.strictEqual(request?.headers["content-length"], "30")
      assert.strictEqual(request?.headers.authorization, "Bearer apify_api_test")
    })
  )

  it.scopedLive("a store is created by a POST, with a schema and without", () =>
    Effect.gen(function* () {
      const { result, seen } = yield* against(
        (_, response) => json(response, 201, minimalBody),
        Effect.zip(getOrCreateStore({ name: "my-store" }), getOrCreateStore({ schema: { title: "Pages" } }))
      )
      assert.strictEqual(result._tag, "Right")
      assert.deepStrictEqual(
        seen.map(({ body, headers, method, url }) => [method, url, headers["content-type"], body]),
        [
          ["POST", "/v2/key-value-stores?name=my-store", undefined, ""],
          ["POST", "/v2/key-value-stores", "application/json", '{"schema":{"title":"Pages"}}']
        ]
      )
    })
  )

  it.scopedLive("a store is deleted, and the connection is good for the next call", () =>
    Effect.gen(function* () {
      const { result, seen } = yield* against(
        ({ method }, response) => {
          if (method === "DELETE") response.writeHead(204).end()
          else json(response, 200, minimalBody)
        },
        Effect.zip(deleteStore(ID), getStore(ID))
      )
      assert.strictEqual(result._tag, "Right")
      assert.deepStrictEqual(
        seen.map(({ body, method }) => [method, body]),
        [
          ["DELETE", ""],
          ["GET", ""]
        ]
      )
    })
  )

  it.scopedLive("row 74: a 204 that brings a body is a success, and the next call is clean", () =>
    Effect.gen(function* () {
      const baseUrl = yield* Effect.acquireRelease(
        Effect.async<Server>((resume) => {
          const server = createServer((socket) => {
            socket.on("error", () => {})
            socket.on("data", (chunk) => {
              socket.write(
                chunk.toString().startsWith("DELETE")
                  ? 'HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n{"a":'
                  : `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${minimalBody.length}\r\n\r\n${minimalBody}`
              )
            })
          })
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      ).pipe(Effect.map(urlOf))
      yield* Effect.gen(function* () {
        yield* deleteStore(ID)
        assert.strictEqual((yield* getStore(ID)).id, ID)
      }).pipe(Effect.provide(clientOf(baseUrl)))
    })
  )

  it.scopedLive("row 68: a store without a name is created once, although the response is lost", () =>
    Effect.gen(function* () {
      const { result, seen } = yield* against((_, response) => response.destroy(), Effect.flip(getOrCreateStore()))
      const error = result._tag === "Right" ? result.right : assert.fail("It succeeded")
      assert.deepInclude(error, { _tag: "TransportError", reason: "reset", attempts: 1 })
      assert.include(error.message, "may exist")
      assert.lengthOf(seen, 1)
    })
  )

  it.scopedLive("row 69: a store without a name is asked for again where no server took the request", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.provide(getOrCreateStore(), clientOf(refusingOrigin)))
      assert.deepInclude(error, { _tag: "TransportError", reason: "connect", attempts: 3 })
      assert.notInclude(error.message, "may exist")
    })
  )

  it.scopedLive("row 70: a store with a name is the same one where the response is lost", () =>
    Effect.gen(function* () {
      const { result, seen } = yield* against(
        losingFirst((_, response) => json(response, 200, minimalBody)),
        getOrCreateStore({ name: "my-store" })
      )
      assert.isTrue(result._tag === "Right" && !result.right.isNew && result.right.store.id === ID)
      assert.lengthOf(seen, 2)
    })
  )

  it.scopedLive("row 71: a store is deleted although the response is lost, and then it is missing", () =>
    Effect.gen(function* () {
      const { result, seen } = yield* against(
        losingFirst((_, response) => json(response, 404, missing)),
        deleteStore(ID)
      )
      assert.strictEqual(result._tag, "Right")
      assert.lengthOf(seen, 2)
    })
  )

  it.scopedLive("row 72: changes are sent again where the response is lost", () =>
    Effect.gen(function* () {
      const { result, seen } = yield* against(
        losingFirst((_, response) => json(response, 200, minimalBody)),
        updateStore(ID, { title: "x" })
      )
      assert.strictEqual(result._tag, "Right")
      assert.deepStrictEqual(
        seen.map(({ body }) => body),
        ['{"title":"x"}', '{"title":"x"}']
      )
    })
  )

  it.scopedLive("row 73: a name that is taken is a StoreNameTakenError, after one attempt", () =>
    Effect.gen(function* () {
      const { result, seen } = yield* against(
        (_, response) => json(response, 400, '{"error":{"type":"name-not-unique","message":"Taken"}}'),
        Effect.flip(updateStore(ID, { name: "taken" }))
      )
      assert.isTrue(result._tag === "Right" && result.right._tag === "StoreNameTakenError")
      assert.lengthOf(seen, 1)
    })
  )

  it.scopedLive.each([301, 302, 303, 307, 308])("row 87: a %s of a change or a deletion is not followed", (status) =>
    Effect.gen(function* () {
      const other = reading((_, response) => json(response, 200, minimalBody))
      const otherServer = yield* listening(other.listener)
      const { result, seen } = yield* against(
        (_, response) => response.writeHead(status, { location: `${urlOf(otherServer)}/v2/x` }).end(),
        Effect.zip(Effect.flip(updateStore(ID, { title: "x" })), Effect.flip(deleteStore(ID)))
      )
      const errors = result._tag === "Right" ? result.right : assert.fail("It succeeded")
      for (const error of errors) assert.strictEqual(error._tag, "UnexpectedResponseError")
      assert.lengthOf(seen, 2)
      assert.isEmpty(other.seen)
    })
  )

  it.scopedLive.each([
    ["getOrCreateStore", getOrCreateStore({ name: "my-store" })],
    ["updateStore", updateStore(ID, { title: "x" })],
    ["deleteStore", deleteStore(ID)],
    ["listStores", Stream.runDrain(listStores())]
  ] as const)("%s frees its socket when it is interrupted", ([_, call]) =>
    Effect.gen(function* () {
      const arrived = yield* Deferred.make<void>()
      const { freed, server } = yield* watching(() => Deferred.unsafeDone(arrived, Effect.void))
      yield* Effect.gen(function* () {
        const fiber = yield* Effect.fork(Effect.asVoid(call))
        yield* Deferred.await(arrived)
        yield* Fiber.interrupt(fiber)
        yield* Deferred.await(freed)
      }).pipe(Effect.provide(clientOf(urlOf(server))))
    })
  )

  it.scopedLive("a listing goes through pages, and asks again for one that was cut off", () =>
    Effect.gen(function* () {
      const all = ["a", "b", "c", "d", "e"].map((id) => ({ ...JSON.parse(minimalBody).data, id }))
      const { result, seen } = yield* against(
        ({ url }, response, count) => {
          const query = new URL(url ?? "", "http://localhost").searchParams
          const offset = Number(query.get("offset"))
          const items = all.slice(offset, offset + Number(query.get("limit")))
          const body = JSON.stringify({
            data: { total: 5, offset, limit: 2, count: items.length, desc: false, items }
          })
          if (count !== 2) json(response, 200, body)
          else {
            response.writeHead(200, { "content-type": "application/json", "content-length": body.length })
            response.write(body.slice(0, 20), () => response.destroy())
          }
        },
        Stream.runCollect(listStores({ pageSize: 3 }))
      )
      const stores = result._tag === "Right" ? [...result.right] : assert.fail("It failed")
      assert.deepStrictEqual(
        stores.map(({ id }): string => id),
        ["a", "b", "c", "d", "e"]
      )
      assert.strictEqual(seen[1]?.url, seen[2]?.url)
    })
  )
})
