/**
 * Bytes over a real socket, for what no HTTP client would send.
 */
import * as Net from "node:net"
import * as Effect from "effect/Effect"

const portOf = (url: string): number => Number(new URL(url).port)

/** A connection that is open, on which bytes have been written. */
export const connected = (url: string, bytes = ""): Effect.Effect<Net.Socket> =>
  Effect.async((resume) => {
    const socket = Net.connect(portOf(url), "127.0.0.1", () => {
      if (bytes !== "") socket.write(bytes)
      resume(Effect.succeed(socket))
    })
    socket.on("error", () => {})
  })

/** Waits until a connection is closed by either side. */
export const closed = (socket: Net.Socket): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (socket.closed) resume(Effect.void)
    else socket.once("close", () => resume(Effect.void))
    socket.resume()
  })

/** Sends bytes, ends its side if `ends`, and returns all that it receives until the server closes. */
export const exchange = (
  url: string,
  bytes: string | Uint8Array,
  { ends = false }: { readonly ends?: boolean } = {}
): Effect.Effect<string> =>
  Effect.async((resume) => {
    const socket = Net.connect(portOf(url), "127.0.0.1")
    const chunks: Array<string> = []
    socket.setEncoding("latin1")
    socket.on("data", (chunk: string) => chunks.push(chunk))
    socket.on("error", () => {})
    socket.on("close", () => resume(Effect.succeed(chunks.join(""))))
    socket.write(bytes)
    if (ends) socket.end()
  })

/** The statuses of successive responses. */
export const statusesOf = (responses: string): ReadonlyArray<number> =>
  Array.from(responses.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => Number(status))
