/**
 * An answer read whole, but never beyond a cap.
 */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Answer } from "../Operation.js"
import { capOf, concat, isBeyond, isBodiless, isWhole, keepsWithin, readUpTo, WholeBody } from "./body.js"

const nothing = new Uint8Array()

/**
 * Reads an answer. The cap counts the bytes that the transport gives, decoded ones where it decodes; a body that is
 * declared larger is not begun.
 */
export const readAnswer = (
  response: HttpClientResponse.HttpClientResponse,
  maxBodyBytes: number
): Effect.Effect<Answer, HttpClientError.ResponseError> => {
  const { headers, status } = response
  const cap = capOf(status, maxBodyBytes)
  // Not `length > cap`: a cap that is not a number lets nothing through.
  const answer = (body: Uint8Array): Answer => ({ status, headers, body, truncated: !(body.length <= cap) })
  if (isBodiless(status)) return Effect.succeed({ status, headers, body: nothing, truncated: status === 205 })
  if (isBeyond(cap, status, headers)) {
    return Effect.succeed({ status, headers, body: nothing, truncated: true })
  }
  const isPlain = keepsWithin(cap, headers)
  if (isWhole(response)) {
    const whole = answer(response[WholeBody])
    return isPlain ? Effect.succeed(whole) : gunzipped(whole, cap)
  }
  return isPlain
    ? Effect.map(response.arrayBuffer, (buffer) => answer(new Uint8Array(buffer)))
    : Effect.flatMap(streamed(response, cap), (body) => gunzipped(answer(body), cap))
}

/** Reads a stream to its end, or to the chunk with which it exceeds the cap. */
const streamed = (
  response: HttpClientResponse.HttpClientResponse,
  cap: number
): Effect.Effect<Uint8Array, HttpClientError.ResponseError> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let bytes = 0
    return response.stream.pipe(
      Stream.runForEachWhile((chunk) =>
        Effect.sync(() => {
          chunks.push(chunk)
          bytes += chunk.length
          return bytes <= cap
        })
      ),
      Effect.map(() => concat(chunks)),
      Effect.catchIf(
        (error) => error.reason === "EmptyBody",
        () => Effect.succeed(nothing)
      )
    )
  })

/** No text begins so: a proxy has compressed what was asked for as it is, and the transport is one that does not decode. */
const isGzip = ({ body, truncated }: Answer): boolean => !truncated && body[0] === 0x1f && body[1] === 0x8b

/** Decodes a compressed body, the cap counting what comes out. One that is broken stays as it is, to be refused for that. */
const gunzipped = (answer: Answer, cap: number): Effect.Effect<Answer> => {
  if (!isGzip(answer)) return Effect.succeed(answer)
  const stream = new Blob([answer.body.slice()]).stream().pipeThrough(new DecompressionStream("gzip"))
  return Effect.promise(() =>
    readUpTo(cap, stream).then(
      (body) => ({ ...answer, body, truncated: !(body.length <= cap) }),
      () => answer
    )
  )
}
