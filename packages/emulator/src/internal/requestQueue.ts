/**
 * The requests of one connection, handled one after another.
 *
 * A client may send requests without waiting for responses. Node emits all of them at once, and goes on when the client
 * has left: this holds them back, lets the event loop run between them, drops them with their connection, and bounds how
 * many one connection may have.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Socket } from "node:net"

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** Nothing is read from a connection while so many of its requests wait. */
export const PAUSE_AT = 16

/**
 * A connection is closed when so many of its requests wait. What had been read when it was paused is still emitted: up to
 * 64 KiB, which is far fewer requests than this, unless they are made to be many.
 */
export const CLOSE_AT = 1_000

/** Runs a function once the event loop has handled what has come in. Fake timers of a test do not stop it. */
const afterOthers = setImmediate

interface Waiting {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/**
 * Node closes a connection that is not to be kept as soon as the response is written. A client that is still sending its
 * body would see a reset connection instead of the response: the rest is read first.
 */
const closeWhenRead = (socket: Socket, queue: ReadonlyArray<Waiting>): void => {
  const { destroySoon } = socket
  socket.destroySoon = () => {
    const request = queue[0]?.request
    if (request === undefined || request.complete || request.destroyed) return destroySoon.call(socket)
    socket.end()
    request.once("close", () => destroySoon.call(socket))
  }
}

/** Handles the requests of each connection in order, each when the response before it has been sent. */
export const inOrder = (handle: Handler): Handler => {
  const queues = new WeakMap<Socket, Array<Waiting>>()

  const queueOf = (socket: Socket): Array<Waiting> => {
    const known = queues.get(socket)
    if (known !== undefined) return known
    const queue: Array<Waiting> = []
    queues.set(socket, queue)
    closeWhenRead(socket, queue)
    socket.once("close", () => queue.splice(0))
    // Node resumes a connection when a request on it is done.
    socket.on("resume", () => {
      if (queue.length > PAUSE_AT) socket.pause()
    })
    return queue
  }

  /** The first in the queue is being handled; it stays there until its response is closed. */
  const next = (socket: Socket, queue: Array<Waiting>): void => {
    const [first] = queue
    if (first === undefined || socket.destroyed) return
    first.response.once("close", () => {
      // The response is closed with its connection too, before the connection says so.
      if (socket.destroyed || queue[0] !== first) return
      queue.shift()
      if (queue.length === PAUSE_AT) socket.resume()
      // Else a whole pipeline might be handled before any other connection, or a signal.
      if (queue.length > 0) afterOthers(next, socket, queue)
    })
    handle(first.request, first.response)
  }

  return (request, response) => {
    const { socket } = request
    if (socket.destroyed) return
    const queue = queueOf(socket)
    queue.push({ request, response })
    if (queue.length === 1) next(socket, queue)
    else if (queue.length > CLOSE_AT) socket.destroy()
    else if (queue.length > PAUSE_AT) socket.pause()
  }
}
