/**
 * Servers on real sockets, and the transports to reach them by.
 */
import { createServer, type RequestListener, type Server } from "node:http"
import type { Server as NetServer } from "node:net"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert } from "@effect/vitest"
import type { ConfigError } from "effect/ConfigError"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ApifyClient, FetchTransport, HttpClientTransport, type Transport } from "../src/index.js"
import * as UndiciTransport from "../src/UndiciTransport.js"

/** A server on a free port, gone with its scope. */
export const listening = (listener: RequestListener) =>
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
export const watching = (listener: RequestListener) =>
  Effect.gen(function* () {
    const freed = yield* Deferred.make<void>()
    const server = yield* listening((request, response) => {
      request.socket.once("close", () => Deferred.unsafeDone(freed, Effect.void))
      listener(request, response)
    })
    return { freed, server }
  })

export const urlOf = (server: NetServer): string => {
  const address = server.address()
  return typeof address === "object" && address !== null
    ? `http://127.0.0.1:${address.port}`
    : assert.fail("The server does not listen")
}

export type TransportLayer = Layer.Layer<Transport.Transport, ConfigError>

export const transports: ReadonlyArray<{ readonly name: string; readonly transport: TransportLayer }> = [
  { name: "HttpClient on fetch", transport: Layer.provide(HttpClientTransport.layer, FetchHttpClient.layer) },
  { name: "FetchTransport", transport: FetchTransport.layer },
  { name: "HttpClient on undici", transport: Layer.provide(HttpClientTransport.layer, NodeHttpClient.layerUndici) },
  { name: "UndiciTransport", transport: UndiciTransport.layer }
]

export const clientOn = (transport: TransportLayer, options: ApifyClient.Options) =>
  Layer.provide(ApifyClient.layer(options), transport)

export { unhurried } from "./unhurried.js"

/** Lets the event loop go round once. */
export const eventLoopTurn: Effect.Effect<void> = Effect.async((resume) => {
  setImmediate(() => resume(Effect.void))
})
