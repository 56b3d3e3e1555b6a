/**
 * What is `UndiciTransport`'s own: the memory that small chunks take, and dispatchers of the caller's.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { createServer, type Server } from "node:http"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, describe, it, vi } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as undici from "undici"
import { Agent, MockAgent, ProxyAgent } from "undici"
import { bytesInUse } from "../../../vitest.heap.js"
import { ApifyClient, getStore, type Operation, RetryPolicy } from "../src/index.js"
import * as UndiciTransport from "../src/UndiciTransport.js"
import { minimalBody } from "./arbitraries.js"
import { clientOn, eventLoopTurn, listening, unhurried, urlOf } from "./realSockets.js"

describe("a body of 1 MiB in chunks of one byte", () => {
  const size = 1024 * 1024

  /** Measures what is held when a response has been collected. */
  const measuring: Operation<{ readonly body: Uint8Array; readonly held: number }> = {
    name: "measure",
    store: Option.none(),
    isIdempotent: true,
    isPaced: false,
    rate: "record",
    request: Either.right({ method: "GET", path: "/v2/measure" }),
    decode: ({ body }) => Either.right({ body, held: bytesInUse() })
  }

  it.scopedLive("takes memory for its bytes, and not for its chunks", () =>
    Effect.gen(function* () {
      const chunks = Buffer.from("1\r\nx\r\n".repeat(size))
      const server = yield* listening((request) => {
        const { socket } = request
        socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        socket.write(chunks)
        socket.write("0\r\n\r\n")
      })
      const before = bytesInUse()
      const client = clientOn(UndiciTransport.layer, { ...unhurried, baseUrl: urlOf(server) })
      const { body, held } = yield* Effect.provide(
        Effect.flatMap(ApifyClient.ApifyClient, (client) => client.run(measuring)),
        client
      )
      assert.strictEqual(body.length, size)
      // A chunk that is kept takes more than a hundred bytes.
      assert.isBelow(held - before, 16 * size)
    })
  )
})

describe("a request that waits for a connection", () => {
  it.scopedLive("is not sent once its call was interrupted", () =>
    Effect.gen(function* () {
      const requests: Array<string | undefined> = []
      const reached = yield* Deferred.make<() => void>()
      const server = yield* listening((request, response) => {
        requests.push(request.url)
        const respond = (): void => {
          response.setHeader("content-type", "application/json")
          response.end(minimalBody)
        }
        if (requests.length > 1) respond()
        else Deferred.unsafeDone(reached, Effect.succeed(respond))
      })
      const transport = UndiciTransport.layerWith({ agent: { connections: 1 } })
      yield* Effect.gen(function* () {
        const first = yield* Effect.fork(getStore("~first"))
        const respond = yield* Deferred.await(reached)
        const waiting = yield* Effect.fork(getStore("~second"))
        yield* eventLoopTurn
        yield* Fiber.interrupt(waiting)
        const third = yield* Effect.fork(getStore("~third"))
        yield* eventLoopTurn
        respond()
        yield* Fiber.join(first)
        yield* Fiber.join(third)
      }).pipe(Effect.provide(clientOn(transport, { ...unhurried, baseUrl: urlOf(server) })))
      assert.deepStrictEqual(
        requests,
        ["~first", "~third"].map((store) => `/v2/key-value-stores/${store}`)
      )
    })
  )
})

it.scopedLive("an agent may reach the server by a socket's path", () =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "socket-"))),
      (folder) => Effect.promise(() => rm(folder, { recursive: true }))
    )
    const socketPath = join(folder, "socket")
    const server = createServer((_, response) => {
      response.setHeader("content-type", "application/json")
      response.end(minimalBody)
    })
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => {
        server.listen(socketPath, () => resume(Effect.void))
      }),
      () => Effect.sync(() => server.close())
    )
    const transport = UndiciTransport.layerWith({ agent: { socketPath } })
    const client = clientOn(transport, { ...unhurried, baseUrl: "http://apify.invalid", retry: RetryPolicy.none })
    assert.strictEqual((yield* Effect.provide(getStore("~my-store"), client)).id, "WkzbQMuFYuamGv3YF")
  })
)

describe("an agent of the transport's own", () => {
  afterEach(() => {
    vi.doUnmock("undici")
    vi.resetModules()
  })

  /** What the transport makes its agent and its connections with. */
  const optionsWith = async (agent: UndiciTransport.AgentOptions) => {
    const agents: Array<Agent.Options | undefined> = []
    const connectors: Array<undici.buildConnector.BuildOptions | undefined> = []
    class RecordedAgent extends Agent {
      constructor(options?: Agent.Options) {
        super(options)
        agents.push(options)
      }
    }
    const buildConnector: typeof undici.buildConnector = (options) => {
      connectors.push(options)
      return undici.buildConnector(options)
    }
    vi.doMock("undici", () => ({ ...undici, Agent: RecordedAgent, buildConnector }))
    vi.resetModules()
    const { layerWith } = await import("../src/UndiciTransport.js")
    await Effect.runPromise(Effect.scoped(Layer.build(layerWith({ agent }))))
    return { agents, connectors }
  }

  it("has no time limits, which are the client's, but for that on connecting", async () => {
    const { agents, connectors } = await optionsWith({})
    assert.lengthOf(agents, 1)
    assert.deepInclude(agents[0], { headersTimeout: 0, bodyTimeout: 0, connections: 128 })
    assert.lengthOf(connectors, 1)
    assert.deepInclude(connectors[0], { timeout: 10_000, allowH2: false })
  })

  it("has the caller's options before its own", async () => {
    const options = { headersTimeout: 1, bodyTimeout: 2, connections: 3 }
    const { agents, connectors } = await optionsWith({ ...options, connectTimeout: 4, autoSelectFamily: false })
    assert.deepInclude(agents[0], options)
    assert.deepInclude(connectors[0], { timeout: 4, autoSelectFamily: false })
  })
})

/** A proxy for CONNECT, which counts its tunnels. */
const proxying = Effect.gen(function* () {
  let tunnels = 0
  const server = yield* Effect.acquireRelease(
    Effect.async<Server>((resume) => {
      const proxy = createServer()
      proxy.on("connect", ({ url = "" }, client) => {
        tunnels += 1
        const { hostname, port } = new URL(`http://${url}`)
        const target = connect(Number(port), hostname, () => {
          client.write("HTTP/1.1 200 Connection Established\r\n\r\n")
          target.pipe(client)
          client.pipe(target)
        })
        target.on("error", () => client.destroy())
        client.on("error", () => target.destroy())
      })
      proxy.listen(0, "127.0.0.1", () => resume(Effect.succeed(proxy)))
    }),
    (proxy) =>
      Effect.async<void>((resume) => {
        proxy.close(() => resume(Effect.void))
        proxy.closeAllConnections()
      })
  )
  return { url: urlOf(server), tunnels: () => tunnels }
})

const storeServer = listening((_, response) => {
  response.writeHead(200, { "content-type": "application/json" }).end(minimalBody)
})

describe("a dispatcher of the caller's", () => {
  it.scopedLive("may be a proxy agent, and stays open when the layer's scope closes", () =>
    Effect.gen(function* () {
      const server = yield* storeServer
      const proxy = yield* proxying
      const dispatcher = yield* Effect.acquireRelease(
        Effect.sync(() => new ProxyAgent({ uri: proxy.url, proxyTunnel: true })),
        (agent) => Effect.promise(() => agent.destroy())
      )
      const call = Effect.provide(
        getStore("~my-store"),
        clientOn(UndiciTransport.layerWith({ dispatcher }), {
          ...unhurried,
          baseUrl: urlOf(server),
          retry: RetryPolicy.none
        })
      )
      assert.strictEqual((yield* call).id, "WkzbQMuFYuamGv3YF")
      assert.strictEqual(proxy.tunnels(), 1)
      assert.strictEqual((yield* call).id, "WkzbQMuFYuamGv3YF")
    })
  )

  it.scopedLive("may be an agent that is shared with other clients", () =>
    Effect.gen(function* () {
      let connections = 0
      const server = yield* storeServer
      server.on("connection", () => connections++)
      const dispatcher = yield* Effect.acquireRelease(
        Effect.sync(() => new Agent({ connections: 1 })),
        (agent) => Effect.promise(() => agent.destroy())
      )
      const client = clientOn(UndiciTransport.layerWith({ dispatcher }), { ...unhurried, baseUrl: urlOf(server) })
      yield* Effect.provide(getStore("~my-store"), client)
      yield* Effect.provide(getStore("~my-store"), client)
      assert.strictEqual(connections, 1)
    })
  )

  it.scopedLive("may be a mock", () =>
    Effect.gen(function* () {
      const dispatcher = yield* Effect.acquireRelease(
        Effect.sync(() => new MockAgent()),
        (agent) => Effect.promise(() => agent.close())
      )
      dispatcher.disableNetConnect()
      dispatcher
        .get("https://api.apify.com")
        .intercept({ path: "/v2/key-value-stores/~my-store", method: "GET" })
        .reply(200, minimalBody, { headers: { "content-type": "application/json" } })
      const client = clientOn(UndiciTransport.layerWith({ dispatcher }), {})
      assert.strictEqual((yield* Effect.provide(getStore("~my-store"), client)).id, "WkzbQMuFYuamGv3YF")
    })
  )

  it.scopedLive("may throw, which is an error of the call, and shows no token", () =>
    Effect.gen(function* () {
      const dispatcher = new Agent().compose(() => ({ headers }) => {
        throw new TypeError(`an interceptor did not expect ${JSON.stringify(headers)}`)
      })
      const error = yield* Effect.provide(
        Effect.flip(getStore("~my-store")),
        clientOn(UndiciTransport.layerWith({ dispatcher }), { token: Redacted.make("Canary0123456789") })
      )
      assert.deepInclude(error, { _tag: "TransportError", reason: "request", attempts: 1 })
      assert.include(error.message, "an interceptor did not expect")
      assert.notInclude(error.message, "Canary0123456789")
    })
  )

  it.effect.each(["{}", "null"])("that cannot dispatch, as under Bun, is refused with what to do: %s", (json) =>
    Effect.gen(function* () {
      const layer = UndiciTransport.layerWith({ dispatcher: JSON.parse(json) })
      const message = String(yield* Effect.flip(Effect.scoped(Layer.build(layer))))
      assert.include(message, "dispatcher")
      assert.include(message, "dispatch()")
      assert.include(message, "FetchTransport")
    })
  )
})
