/**
 * Bodies, and how much of them is read.
 */
import type * as Headers from "@effect/platform/Headers"
import type { Answer } from "../Operation.js"

/** The cap of a body that is read for its error alone: many times what Apify's errors take. */
const MAX_ERROR_BYTES = 16 * 1024

/** How much is read of the body of an answer. */
export const capOf = (status: number, maxBodyBytes: number): number => (status === 200 ? maxBodyBytes : MAX_ERROR_BYTES)

/** Whether a good answer declares more than is read of it: its body is not begun. */
export const isBeyond = (cap: number, status: number, headers: Headers.Headers): boolean =>
  status === 200 && Number(headers["content-length"]) > cap

/** Statuses that come without a body: some transports have no stream for them. A 205 may have one all the same. */
export const isBodiless = (status: number): boolean => status === 204 || status === 205 || status === 304

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

/**
 * Whether a body keeps within a cap by its headers alone: HTTP lets through no more than what is declared. Such a body may
 * be read at once, which is far cheaper.
 */
export const keepsWithin = (cap: number, headers: Headers.Headers): boolean =>
  Number(headers["content-length"]) <= cap && headers["content-encoding"] === undefined && asksForIdentity()

/** An answer, of whose body so much was read. The cap counts bytes as the transport gives them. */
export const answerOf = (status: number, headers: Headers.Headers, body: Uint8Array, cap: number): Answer => ({
  status,
  headers,
  body,
  // Not `length > cap`: a cap that is not a number lets nothing through.
  truncated: !(body.length <= cap) || isBeyond(cap, status, headers) || status === 205
})

/** No text begins so: a proxy has compressed what was asked for as it is, and the transport is one that does not decode. */
export const isGzipped = ({ body, headers, truncated }: Answer, cap: number): boolean =>
  !truncated && body[0] === 0x1f && body[1] === 0x8b && !keepsWithin(cap, headers)

/** Decodes a compressed body, the cap counting what comes out. One that is broken stays as it is, to be refused for that. */
export const gunzipped = async (answer: Answer, cap: number): Promise<Answer> => {
  try {
    const stream = new Blob([answer.body.slice()]).stream().pipeThrough(new DecompressionStream("gzip"))
    return answerOf(answer.status, answer.headers, await readUpTo(cap, stream), cap)
  } catch {
    return answer
  }
}

/** Chunks as one. */
export const concat = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => {
  const [only] = chunks
  if (only !== undefined && chunks.length === 1) return only
  const whole = new Uint8Array(chunks.reduce((bytes, chunk) => bytes + chunk.length, 0))
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}

/** Reads a stream to its end, or to the chunk with which it exceeds the cap. Where a signal aborts, it reads no further. */
export const readUpTo = async (
  cap: number,
  stream: ReadableStream<Uint8Array>,
  signal?: AbortSignal
): Promise<Uint8Array> => {
  const reader = stream.getReader()
  // Nobody waits for the end of what nobody reads.
  const stop = (): void => {
    reader.cancel().catch(() => {})
  }
  signal?.addEventListener("abort", stop)
  const chunks: Array<Uint8Array> = []
  let bytes = 0
  try {
    while (bytes <= cap) {
      const { done, value } = await reader.read()
      if (done) return concat(chunks)
      chunks.push(value)
      bytes += value.length
    }
  } finally {
    signal?.removeEventListener("abort", stop)
  }
  stop()
  return concat(chunks)
}
