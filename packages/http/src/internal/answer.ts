/**
 * An answer read whole, but never beyond a cap.
 */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Answer } from "../Operation.js"

interface Read {
  readonly chunks: ReadonlyArray<Uint8Array>
  readonly bytes: number
}

const nothing: Read = { chunks: [], bytes: 0 }

const concat = ({ bytes, chunks }: Read): Uint8Array => {
  const [only] = chunks
  if (only !== undefined && chunks.length === 1) return only
  const whole = new Uint8Array(bytes)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}

/** The cap of a body that is read for its error alone: many times what Apify's errors take. */
const MAX_ERROR_BYTES = 16 * 1024

/** Statuses that come without a body: some transports have no stream for them. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304])

/**
 * Reads an answer. The cap counts the bytes that the transport gives, decoded ones where it decodes; a body that is
 * declared larger is not begun.
 */
export const readAnswer = (
  response: HttpClientResponse.HttpClientResponse,
  maxBodyBytes: number
): Effect.Effect<Answer, HttpClientError.ResponseError> => {
  const { headers, status } = response
  const answer = ({ bytes, chunks }: Read, truncated: boolean): Answer => ({
    status,
    headers,
    body: concat({ bytes, chunks }),
    truncated
  })
  const cap = status === 200 ? maxBodyBytes : MAX_ERROR_BYTES
  if (bodiless.has(status)) return Effect.succeed(answer(nothing, false))
  if (status === 200 && Number(headers["content-length"]) > cap) return Effect.succeed(answer(nothing, true))
  return response.stream.pipe(
    Stream.runFoldWhile(
      nothing,
      ({ bytes }) => bytes <= cap,
      ({ bytes, chunks }, chunk) => ({ chunks: [...chunks, chunk], bytes: bytes + chunk.length })
    ),
    Effect.catchIf(
      (error) => error.reason === "EmptyBody",
      () => Effect.succeed(nothing)
    ),
    // Not `bytes > cap`: a cap that is not a number lets nothing through.
    Effect.map((read) => answer(read, !(read.bytes <= cap)))
  )
}
