/**
 * The client unchanged on each transport, over real sockets.
 */
import type { IncomingMessage, RequestListener, Server } from "node:http"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { refusingOrigin } from "@effect-apify/fault-server"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import {
  ApifyClient,
  FetchTransport,
  getStore,
  HttpClientTransport,
  type Operation,
  RetryPolicy,
  storeById,
  Transport
} from "../src/index.js"
import * as UndiciTransport from "../src/UndiciTransport.js"
import { minimalBody } from "./arbitraries.js"
import {
  clientOn,
  eventLoopTurn,
  listening,
  type TransportLayer,
  transports,
  unhurried,
  urlOf,
  watching
} from "./realSockets.js"
import { attributesOf, recordSpans } from "./spans.js"

const respondAsApify: RequestListener = (request, response) => {
  const found = request.url === "/v2/key-value-stores/janedoe~my-store"
  response.writeHead(found ? 200 : 404, { "content-type": "application/json; charset=utf-8" })
  response.end(found ? minimalBody : '{"error":{"type":"record-not-found","message":"Key-value Store was not found"}}')
}

describe.each(transports)("with $name", ({ transport }) => {
  const clientOf = (server: Server, options: ApifyClient.Options = {}) =>
    clientOn(transport, { ...unhurried, baseUrl: urlOf(server), ...options })

  it.scopedLive("returns a store", () =>
    Effect.gen(function* () {
      const requests: Array<IncomingMessage> = []
      const server = yield* listening((request, response) => {
        requests.push(request)
        respondAsApify(request, response)
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
      assert.match(request?.headers["user-agent"] ?? "", /^effect-apify\/[\d.]+$/)
    })
  )

  it.scopedLive("a store is found again by its ID", () =>
    Effect.gen(function* () {
      const server = yield* listening((request, response) => {
        request.url = "/v2/key-value-stores/janedoe~my-store"
        respondAsApify(request, response)
      })
      yield* Effect.gen(function* () {
        const store = yield* getStore("janedoe~my-store")
        assert.strictEqual((yield* getStore(storeById(store.id))).id, store.id)
      }).pipe(Effect.provide(clientOf(server)))
    })
  )

  it.scopedLive("a missing store is a StoreNotFoundError", () =>
    Effect.gen(function* () {
      const server = yield* listening(respondAsApify)
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

  it.scopedLive("a server that is not there is a TransportError, connect", () =>
    Effect.gen(function* () {
      const client = clientOn(transport, { ...unhurried, baseUrl: refusingOrigin, retry: { retries: 0 } })
      const error = yield* Effect.flip(Effect.provide(getStore("janedoe~my-store"), client))
      assert.strictEqual(error._tag === "TransportError" && error.reason, "connect")
    })
  )

  it.scopedLive("an error that arrives in parts is read, however low the cap on stores", () =>
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

  it.scopedLive("an operation's query is sent, and what leads elsewhere carries no token", () =>
    Effect.gen(function* () {
      const requests: Array<readonly [url: string | undefined, authorization: string | undefined]> = []
      const server = yield* listening((request, response) => {
        requests.push([request.url, request.headers.authorization])
        respondAsApify(request, response)
      })
      const elsewhere = yield* listening((request, response) => {
        requests.push([request.url, request.headers.authorization])
        response.end()
      })
      const operation = (path: string): Operation<string> => ({
        name: "list",
        store: Option.none(),
        isIdempotent: true,
        isPaced: false,
        rate: "resource",
        request: Either.right({ method: "GET", path, query: { limit: "10", prefix: "a b&c", absent: undefined } }),
        decode: ({ status }) => Either.right(String(status))
      })
      yield* Effect.gen(function* () {
        const client = yield* ApifyClient.ApifyClient
        assert.strictEqual(yield* client.run(operation("/v2/key-value-stores")), "404")
        // What fetch takes for a password it refuses to send.
        yield* Effect.exit(client.run(operation(`@${urlOf(elsewhere).slice("http://".length)}/`)))
      }).pipe(Effect.provide(clientOf(server, { token: Redacted.make("apify_api_test"), retry: RetryPolicy.none })))
      const [first, ...others] = requests
      assert.deepStrictEqual(first, ["/v2/key-value-stores?limit=10&prefix=a%20b%26c", "Bearer apify_api_test"])
      for (const [, authorization] of others) assert.notEqual(authorization, "Bearer apify_api_test")
    })
  )

  it.scopedLive("sends traceparent if there is a tracer", () =>
    Effect.gen(function* () {
      const traceparents: Array<unknown> = []
      const server = yield* listening((request, response) => {
        traceparents.push(request.headers.traceparent)
        respondAsApify(request, response)
      })
      const { recorder, spans } = yield* recordSpans
      const call = Effect.withTracer(getStore("janedoe~my-store"), recorder)
      yield* Effect.zipRight(call, Effect.withTracerEnabled(call, false)).pipe(Effect.provide(clientOf(server)))
      const [, attempt] = spans
      assert.deepStrictEqual(traceparents, [`00-${attempt?.traceId}-${attempt?.spanId}-01`, undefined])
      assert.strictEqual(attributesOf(attempt)["http.response.status_code"], 200)
    })
  )

  it.scopedLive("a hundred calls at once all get their store", () =>
    Effect.gen(function* () {
      const server = yield* listening(respondAsApify)
      const calls = Effect.all(
        Array.from({ length: 100 }, () => getStore("janedoe~my-store")),
        { concurrency: "unbounded" }
      )
      assert.lengthOf(yield* Effect.provide(calls, clientOf(server)), 100)
    })
  )

  it.scopedLive.each([
    ["before the response", false],
    ["in the body", true]
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

  it.scopedLive.each([
    { what: "wants no more than the head", reading: "stop", told: ["onHead"] },
    { what: "wants no more than a chunk", reading: "chunks", told: ["onHead", "onChunk"] },
    { what: "wants no more than a whole body", reading: "whole", told: ["onHead", "onChunk"] },
    { what: "has aborted", reading: "chunks", aborts: true, told: ["onHead", "onChunk"] }
  ] as const)("a receiver that $what is told nothing more, and the socket is freed", (example) =>
    Effect.gen(function* () {
      const { freed, server } = yield* watching((_, response) => {
        response.writeHead(200, { "content-length": example.reading === "whole" ? "4" : "100" })
        if (example.reading === "stop") response.flushHeaders()
        else response.write("some")
      })
      const begin = yield* Effect.flatMap(Transport.Transport, ({ prepare }) => prepare)
      const toldAll = yield* Deferred.make<void>()
      const told: Array<string> = []
      const tell = (event: string): void => {
        told.push(event)
        if (event === example.told.at(-1)) Deferred.unsafeDone(toldAll, Effect.void)
      }
      const exchange = yield* Effect.withFiberRuntime<Transport.Exchange>((fiber) =>
        Effect.succeed(
          begin({
            request: {
              method: "GET",
              origin: urlOf(server),
              path: "/",
              headers: Headers.empty,
              body: { _tag: "Empty" }
            },
            span: Option.none(),
            fiber,
            onHead: () => {
              tell("onHead")
              return example.reading
            },
            onChunk: () => {
              tell("onChunk")
              return "aborts" in example
            },
            onEnd: () => tell("onEnd"),
            onError: () => tell("onError")
          })
        )
      )
      yield* Deferred.await(toldAll)
      if ("aborts" in example) exchange.abort()
      yield* eventLoopTurn
      // A whole response leaves its connection open.
      if (example.reading === "whole") server.closeAllConnections()
      yield* Deferred.await(freed)
      yield* Effect.repeatN(eventLoopTurn, 5)
      assert.deepStrictEqual(told, [...example.told])
    }).pipe(Effect.provide(transport))
  )

  it.scopedLive("a response over the cap frees its socket", () =>
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

describe("the scope of UndiciTransport", () => {
  it.scopedLive("closes the sockets that were kept alive", () =>
    Effect.gen(function* () {
      const { freed, server } = yield* watching(respondAsApify)
      // Nobody else closes them within the time of a test.
      server.keepAliveTimeout = 0
      const transport = UndiciTransport.layerWith({ agent: { keepAliveTimeout: 600_000 } })
      yield* Effect.gen(function* () {
        yield* getStore("janedoe~my-store")
        yield* getStore("janedoe~my-store")
        assert.isFalse(yield* Deferred.isDone(freed))
      }).pipe(Effect.provide(clientOn(transport, { ...unhurried, baseUrl: urlOf(server) })))
      yield* Deferred.await(freed)
    })
  )
})

describe("a new connection", () => {
  const x = "x".repeat(600)

  it.scopedLive.each<readonly [string, TransportLayer]>([
    ["a fetch", FetchTransport.layerWith({ init: { headers: { x } } })],
    [
      "an HttpClient",
      Layer.provide(
        HttpClientTransport.layerWith({ transformClient: HttpClient.mapRequest(HttpClientRequest.setHeader("x", x)) }),
        NodeHttpClient.layerUndici
      )
    ]
  ])("is not taken for an old one, whatever headers %s adds", ([, transport]) =>
    Effect.gen(function* () {
      const server = yield* listening((request) => request.socket.end())
      const client = clientOn(transport, { ...unhurried, baseUrl: urlOf(server), retry: RetryPolicy.none })
      const error = yield* Effect.flip(Effect.provide(getStore("janedoe~my-store"), client))
      assert.deepInclude(error, { _tag: "TransportError", reason: "reset", reused: false })
    })
  )
})

describe("UndiciTransport", () => {
  it.scopedLive("reports the version of HTTP to the tracer", () =>
    Effect.gen(function* () {
      const server = yield* listening(respondAsApify)
      const { recorder, spans } = yield* recordSpans
      const call = Effect.withTracer(getStore("janedoe~my-store"), recorder)
      yield* Effect.provide(call, clientOn(UndiciTransport.layer, { ...unhurried, baseUrl: urlOf(server) }))
      assert.strictEqual(attributesOf(spans[1])["network.protocol.version"], "1.1")
    })
  )

  it.effect("refuses options that undici does not take, before anything is sent", () =>
    Effect.gen(function* () {
      for (const agent of [{ connections: -1 }, { keepAliveTimeout: -1 }]) {
        const error = yield* Effect.flip(Effect.scoped(Layer.build(UndiciTransport.layerWith({ agent }))))
        assert.include(String(error), "agent")
      }
    })
  )

  it.scopedLive("takes a 304 for what it is, though it declares a length", () =>
    Effect.gen(function* () {
      const server = yield* listening((_, response) => {
        response.writeHead(304, { "content-length": "900" }).end()
      })
      const error = yield* Effect.flip(
        Effect.provide(
          getStore("janedoe~my-store"),
          clientOn(UndiciTransport.layer, { ...unhurried, baseUrl: urlOf(server) })
        )
      )
      assert.deepInclude(error, { _tag: "UnexpectedResponseError", status: 304, attempts: 1 })
    })
  )

  it.scopedLive("opens no more connections than its agent may", () =>
    Effect.gen(function* () {
      let sockets = 0
      const server = yield* listening(respondAsApify)
      server.on("connection", () => sockets++)
      const transport = UndiciTransport.layerWith({ agent: { connections: 2 } })
      yield* Effect.all(
        Array.from({ length: 20 }, () => getStore("janedoe~my-store")),
        { concurrency: "unbounded" }
      ).pipe(Effect.provide(clientOn(transport, { ...unhurried, baseUrl: urlOf(server) })))
      assert.strictEqual(sockets, 2)
    })
  )
})
