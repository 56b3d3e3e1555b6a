/**
 * Bodies of requests that stop, or that nobody reads.
 */
import type { IncomingMessage, ServerResponse } from "node:http"

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0

/**
 * Drops clients that send nothing of a body for `millis`, or that still send one so long after the response to it. A body
 * that moves may take any time.
 */
export const droppingStalled =
  (millis: number, handle: Handler): Handler =>
  (request, response) => {
    if (hasBody(request)) watch(request, response, millis)
    handle(request, response)
  }

const watch = (request: IncomingMessage, response: ServerResponse, millis: number): void => {
  const { socket } = request
  let seen = socket.bytesRead
  let wasAnswered = false
  const timer = setInterval(() => {
    if (socket.bytesRead === seen || wasAnswered) socket.destroy()
    seen = socket.bytesRead
    wasAnswered = response.writableFinished
  }, millis)
  request.once("close", () => clearInterval(timer))
}
