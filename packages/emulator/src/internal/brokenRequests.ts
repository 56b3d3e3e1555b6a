/**
 * Requests that Node cannot read to their end.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import * as Predicate from "effect/Predicate"
import { breakOff } from "./requestBody.js"

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

const statusLines: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "413 Payload Too Large",
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large"
}

/** As Node responds where nobody else does. */
const respondAndDestroy = (socket: Duplex, code: string, response: ServerResponse | undefined): void => {
  const isResponding = response?.headersSent === true && !response.writableFinished
  if (socket.writable && !isResponding) {
    socket.write(`HTTP/1.1 ${statusLines[code] ?? "400 Bad Request"}\r\nConnection: close\r\n\r\n`)
  }
  socket.destroy()
}

/**
 * A client that ends its side of the connection in the middle of a body gets the response that its request gets then. Node
 * would not let it be handled to its end.
 */
export const respondToBroken = (server: Server): void => {
  const last = new WeakMap<Duplex, Exchange>()
  server.on("request", (request, response) => last.set(request.socket, { request, response }))
  server.on("clientError", (error: unknown, socket) => {
    const code = Predicate.hasProperty(error, "code") ? String(error.code) : ""
    const exchange = last.get(socket)
    if (code !== "HPE_INVALID_EOF_STATE" || exchange === undefined || exchange.request.complete) {
      return respondAndDestroy(socket, code, exchange?.response)
    }
    const { request, response } = exchange
    if (response.writableFinished) return socket.end()
    response.shouldKeepAlive = false
    response.once("finish", () => socket.end())
    breakOff(request)
  })
}
