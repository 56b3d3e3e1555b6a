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
export const MAX_ERROR_BYTES = 16 * 1024

/**
 * Whether this platform sends the `accept-encoding` that it is told to. Browsers don't: there an answer may be compressed
 * although it declares no encoding that we get to see, and what it declares is its compressed length.
 */
const asksForIdentity = (() => {
  let answer: boolean | undefined
  return (): boolean => {
    answer ??= new Request("http://localhost", { headers: { "accept-encoding": "identity" } }).headers.has(
      "accept-encoding"
    )
    return answer
  }
})()

/** Statuses that come without a body: some transports have no stream for them. A 205 may have one all the same. */
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
  if (bodiless.has(status)) return Effect.succeed(answer(nothing, status === 205))
  const declared = Number(headers["content-length"])
  if (status === 200 && declared > cap) return Effect.succeed(answer(nothing, true))
  if (declared <= cap && headers["content-encoding"] === undefined && asksForIdentity()) {
    // HTTP lets through no more than what is declared: the body may be read at once, which is far cheaper.
    return Effect.map(response.arrayBuffer, (buffer) => {
      const body = new Uint8Array(buffer)
      return { status, headers, body, truncated: body.length > cap }
    })
  }
  return readUpTo(response.stream, cap).pipe(
    Effect.catchIf(
      (error) => error.reason === "EmptyBody",
      () => Effect.succeed(nothing)
    ),
    // Not `bytes > cap`: a cap that is not a number lets nothing through.
    Effect.map((read) => answer(read, !(read.bytes <= cap))),
    Effect.flatMap((answer) => (isGzip(answer) ? gunzip(answer, cap) : Effect.succeed(answer)))
  )
}

/** Reads a stream to its end, or to the chunk with which it exceeds the cap. */
const readUpTo = <E>(stream: Stream.Stream<Uint8Array, E>, cap: number): Effect.Effect<Read, E> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let bytes = 0
    return stream.pipe(
      Stream.runForEachWhile((chunk) =>
        Effect.sync(() => {
          chunks.push(chunk)
          bytes += chunk.length
          return bytes <= cap
        })
      ),
      Effect.map(() => ({ chunks, bytes }))
    )
  })

/** No text begins so: a proxy has compressed what was asked for as it is, and the transport is one that does not decode. */
const isGzip = ({ body, truncated }: Answer): boolean => !truncated && body[0] === 0x1f && body[1] === 0x8b

/** Decodes a body, the cap counting what comes out. One that is broken stays as it is, to be refused for what it is. */
const gunzip = (answer: Answer, cap: number): Effect.Effect<Answer> =>
  readUpTo(
    Stream.fromReadableStream(
      () => new Blob([answer.body.slice()]).stream().pipeThrough(new DecompressionStream("gzip")),
      () => "broken" as const
    ),
    cap
  ).pipe(
    Effect.match({
      onFailure: () => answer,
      onSuccess: (read) => ({ ...answer, body: concat(read), truncated: !(read.bytes <= cap) })
    })
  )
