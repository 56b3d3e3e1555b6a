/**
 * Reads the body of a request, chunk by chunk. Effect's stream of it costs as much as everything else about a small request.
 */
import type { IncomingMessage } from "node:http"
import { RequestError } from "@effect/platform/HttpServerError"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import type * as Option from "effect/Option"

const brokenOff = new WeakSet<IncomingMessage>()

const BROKEN_OFF = "brokenOff"

/** Tells the reader of a body that no more of it will arrive. */
export const breakOff = (request: IncomingMessage): void => {
  brokenOff.add(request)
  request.emit(BROKEN_OFF)
}

/** The next chunk, or `None` at the end. A body that ends early is an error, also where the connection was gone before. */
export const nextChunkOf = (request: HttpServerRequest): Effect.Effect<Option.Option<Uint8Array>, RequestError> => {
  const source = NodeHttpServerRequest.toIncomingMessage(request)
  source.on("error", constVoid)
  const end = Effect.suspend(() =>
    source.complete
      ? Effect.succeedNone
      : new RequestError({ request, reason: "Decode", description: "The body ended early" })
  )
  return Effect.async((resume) => {
    const finish = (next: Effect.Effect<Option.Option<Uint8Array>, RequestError>): void => {
      source.off("readable", read).off("end", ended).off("close", ended).off(BROKEN_OFF, ended)
      resume(next)
    }
    const ended = (): void => finish(end)
    const read = (): void => {
      const chunk: unknown = source.read()
      if (chunk instanceof Uint8Array) finish(Effect.succeedSome(chunk))
    }
    if (source.readableEnded || source.destroyed || brokenOff.has(source)) return resume(end)
    source.on("readable", read).on("end", ended).on("close", ended).on(BROKEN_OFF, ended)
    read()
  })
}
