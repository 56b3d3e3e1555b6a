/**
 * The client unchanged on each transport, and the transports of our own, over real sockets.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { layerFetch } from "../src/fetch.js"
import { ApifyClient, getStore, type Options } from "../src/index.js"
import { layerNode } from "../src/node.js"
import { minimalBody } from "./arbitraries.js"

/** A server on a free port, gone with its scope. */
const listening = (listener: RequestListener) =>
  Effect.acquireRelease(
    Effect.async<Server>((resume) => {
      const server = createServer(listener)
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )

/** A server, and what is done once the socket of a request is closed. */
const watching = (listener: RequestListener) =>
  Effect.gen(function* () {
    const freed = yield* Deferred.make<void>()
    const server = yield* listening((request, response) => {
      request.socket.once("close", () => Deferred.unsafeDone(freed, Effect.void))
      listener(request, response)
    })
    return { freed, server }
  })

const isAddress = (address: ReturnType<Server["address"]>): address is AddressInfo => typeof address === "object"

const urlOf = (server: Server): string => {
  const address = server.address()
  return isAddress(address) ? `http://127.0.0.1:${address.port}` : assert.fail("The server does not listen")
}

const answerAsApify: RequestListener = (request, response) => {
  const found = request.url === "/v2/key-value-stores/janedoe~my-store"
  response.writeHead(found ? 200 : 404, { "content-type": "application/json; charset=utf-8" })
  response.end(found ? minimalBody : '{"error":{"type":"record-not-found","message":"Key-value Store was not found"}}')
}

const transports: ReadonlyArray<{ readonly name: string; readonly layer: Layer.Layer<HttpClient.HttpClient> }> = [
  { name: "FetchHttpClient.layer", layer: FetchHttpClient.layer },
  { name: "layerFetch", layer: layerFetch },
  { name: "NodeHttpClient.layerUndici", layer: NodeHttpClient.layerUndici },
  { name: "layerNode", layer: layerNode() }
]

describe.each(transports)("on $name", ({ layer: transport }) => {
  const clientOf = (server: Server, options: Options = {}) =>
    Layer.provide(ApifyClient.layer({ baseUrl: urlOf(server), ...options }), transport)

  it.scopedLive("a store comes", () =>
    Effect.gen(function* () {
      const requests: Array<IncomingMessage> = []
      const server = yield* listening((request, response) => {
        requests.push(request)
        answerAsApify(request, response)
      })
      const store = yield* Effect.provide(
        getStore("janedoe~my-store"),
        clientOf(server, { token: Redacted.make("apify_api_test") })
      )
      assert.strictEqual(store.id, "WkzbQMuFYuamGv3YF")
      const [request] = requests
      assert.strictEqual(request?.method, "GET")
      assert.strictEqual(request?.headers.authorization, "Bearer apify_api_test")
      assert.strictEqual(request?.headers.accept, "application/json")
    })
  )

  it.scopedLive("a missing store is a StoreNotFoundError", () =>
    Effect.gen(function* () {
      const server = yield* listening(answerAsApify)
      const error = yield* Effect.flip(Effect.provide(getStore("janedoe~other"), clientOf(server)))
      assert.strictEqual(error._tag, "StoreNotFoundError")
    })
  )

  it.scopedLive("a redirect is not followed, not even on the same server", () =>
    Effect.gen(function* () {
      const paths: Array<string | undefined> = []
      const server = yield* listening((request, response) => {
        paths.push(request.url)
        response.writeHead(302, { location: "/v2/key-value-stores/janedoe~my-store" }).end()
      })
      const error = yield* Effect.flip(Effect.provide(getStore("janedoe~moved"), clientOf(server)))
      assert.strictEqual(error._tag, "UnexpectedResponseError")
      assert.deepStrictEqual(paths, ["/v2/key-value-stores/janedoe~moved"])
    })
  )

  it.scopedLive("a server that is gone is a TransportError, connect", () =>
    Effect.gen(function* () {
      const baseUrl = yield* Effect.scoped(Effect.map(listening(answerAsApify), urlOf))
      const client = Layer.provide(ApifyClient.layer({ baseUrl, retry: { retries: 0 } }), transport)
      const error = yield* Effect.flip(Effect.provide(getStore("janedoe~my-store"), client))
      assert.strictEqual(error._tag === "TransportError" && error.reason, "connect")
    })
  )

  it.scopedLive("an error that comes in parts is read, however low the cap on stores", () =>
    Effect.gen(function* () {
      const server = yield* listening((_, response) => {
        response.writeHead(404, { "content-type": "application/json" })
        response.write('{"error":{"type":"record-not-found",', () => {
          setImmediate(() => response.end(`"message":"Key-value Store was not found. ${" ".repeat(100)}"}}`))
        })
      })
      const call = getStore("janedoe~other", { maxBodyBytes: 20 })
      const error = yield* Effect.flip(Effect.provide(call, clientOf(server)))
      assert.strictEqual(error._tag, "StoreNotFoundError")
    })
  )

  it.scopedLive("a body that is declared larger than the cap is not waited for, and frees its socket", () =>
    Effect.gen(function* () {
      const { freed, server } = yield* watching((_, response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": "50000000" }).write("{")
      })
      yield* Effect.gen(function* () {
        const error = yield* Effect.flip(getStore("janedoe~my-store"))
        assert.strictEqual(error._tag, "UnexpectedResponseError")
        yield* Deferred.await(freed)
      }).pipe(Effect.provide(clientOf(server)))
    })
  )

  it.scopedLive("a hundred calls at once all get their store", () =>
    Effect.gen(function* () {
      const server = yield* listening(answerAsApify)
      const calls = Effect.all(
        Array.from({ length: 100 }, () => getStore("janedoe~my-store")),
        { concurrency: "unbounded" }
      )
      assert.lengthOf(yield* Effect.provide(calls, clientOf(server)), 100)
    })
  )

  it.scopedLive.each([
    ["before the answer", false],
    ["within the body", true]
  ] as const)("a call interrupted %s frees its socket", ([, begins]) =>
    Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      const { freed, server } = yield* watching((_, response) => {
        if (begins) response.writeHead(200, { "content-type": "application/json" }).write('{"data":')
        Deferred.unsafeDone(reached, Effect.void)
      })
      yield* Effect.gen(function* () {
        const fiber = yield* Effect.fork(getStore("janedoe~my-store"))
        yield* Deferred.await(reached)
        assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
        yield* Deferred.await(freed)
      }).pipe(Effect.provide(clientOf(server)))
    })
  )

  it.scopedLive("an answer over the cap frees its socket", () =>
    Effect.gen(function* () {
      const { freed, server } = yield* watching((_, response) => {
        response.writeHead(200, { "content-type": "application/json" })
        response.write(`"${"x".repeat(70_000)}`)
      })
      const call = getStore("janedoe~my-store", { maxBodyBytes: 65_536 })
      yield* Effect.gen(function* () {
        const error = yield* Effect.flip(call)
        assert.strictEqual(error._tag, "UnexpectedResponseError")
        yield* Deferred.await(freed)
      }).pipe(Effect.provide(clientOf(server)))
    })
  )
})

describe.each([
  { name: "layerFetch", layer: layerFetch },
  { name: "layerNode", layer: layerNode() }
])("$name, used by itself,", ({ layer }) => {
  it.scopedLive("sends bodies of text and of bytes", () =>
    Effect.gen(function* () {
      const server = yield* listening((request, response) => {
        request.pipe(response)
      })
      const send = (body: HttpBody.HttpBody) =>
        HttpClient.execute(HttpClientRequest.post(urlOf(server), { body })).pipe(
          Effect.flatMap((response) => response.text)
        )
      const bodies = [HttpBody.text("hello wörld"), HttpBody.raw("hello wörld"), HttpBody.unsafeJson("hello wörld")]
      assert.deepStrictEqual(yield* Effect.forEach(bodies, send), ["hello wörld", "hello wörld", '"hello wörld"'])
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("gives each cookie of an answer, and null for JSON of nothing", () =>
    Effect.gen(function* () {
      const server = yield* listening((_, response) => {
        response.writeHead(200, { "set-cookie": ["a=1; Path=/", "b=2, and more"] }).end()
      })
      const response = yield* HttpClient.get(urlOf(server))
      assert.deepStrictEqual(Object.keys(response.cookies.cookies), ["a", "b"])
      assert.isNull(yield* response.json)
    }).pipe(Effect.provide(layer))
  )
})

describe("the scope of NodeHttpClient.layerUndici", () => {
  it.scopedLive("closes the sockets that were kept alive", () =>
    Effect.gen(function* () {
      const { freed, server } = yield* watching(answerAsApify)
      const client = Layer.provide(ApifyClient.layer({ baseUrl: urlOf(server) }), NodeHttpClient.layerUndici)
      yield* Effect.gen(function* () {
        yield* getStore("janedoe~my-store")
        yield* getStore("janedoe~my-store")
        assert.isFalse(yield* Deferred.isDone(freed))
      }).pipe(Effect.provide(client))
      yield* Deferred.await(freed)
    })
  )
})
