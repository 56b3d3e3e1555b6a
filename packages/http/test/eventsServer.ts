/**
 * The server of the platform's events: a WebSocket server on a real socket.
 */
import * as Socket from "@effect/platform/Socket"
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"

/** A connection of a client. */
export interface Connection {
  readonly send: (message: string | Uint8Array) => Effect.Effect<void>
  readonly close: (code: number) => Effect.Effect<void>
}

export const eventOf = (name: string, data?: unknown): string => JSON.stringify({ name, data })

/** Listens until its scope ends; its connections end with it. */
export const eventsServer = (port = 0) =>
  Effect.gen(function* () {
    const connections = yield* Queue.unbounded<Connection>()
    const server = yield* NodeSocketServer.makeWebSocket({ port, host: "127.0.0.1" })
    yield* Effect.forkScoped(
      server.run((socket) =>
        Effect.scoped(
          Effect.gen(function* () {
            const write = yield* socket.writer
            const onOpen = connections.offer({
              send: (message) => Effect.orDie(write(message)),
              close: (code) => Effect.orDie(write(new Socket.CloseEvent(code)))
            })
            yield* Effect.ignore(socket.runRaw(() => {}, { onOpen }))
          })
        )
      )
    )
    const { address } = server
    return address._tag === "TcpAddress"
      ? { url: `ws://127.0.0.1:${address.port}/secret-path`, connections }
      : assert.fail("The server has no port")
  })
