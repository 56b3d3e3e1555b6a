/**
 * How a body that is bytes is encoded. That is never guessed from the bytes: a compressed file is not an encoded one.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Cause from "effect/Cause"
import type { Pull } from "../Operation.js"
import type { ResponseHead } from "../Transport.js"
import { contentEncodings, contentLength } from "./headerValue.js"
import { sendsAcceptEncoding } from "./acceptEncoding.js"

/** Nothing is left to decode; or a format that this platform decompresses; or one that it does not, or nobody knows. */
export type Encoding = "none" | CompressionFormat | "unknown"

/** What transports decode that decode at all, and what every platform can decompress. */
const formats: ReadonlyMap<string, CompressionFormat | undefined> = new Map([
  ["gzip", "gzip"],
  ["deflate", "deflate"],
  ["br", undefined]
])

/**
 * How the body of a response is encoded after the transport has read it. Where the transport does not know whether it has
 * decoded the body, the declared length tells, if there is one.
 *
 * @param received the length of the whole body, where it was received
 */
export const encodingOf = ({ headers, isDecoded }: ResponseHead, received?: number): Encoding => {
  const [encoding, ...more] = contentEncodings(headers)
  if (encoding === undefined) return "none"
  // A body that is encoded twice may be made to expand without end.
  if (more.length > 0 || !formats.has(encoding)) return "unknown"
  if (isDecoded ?? !sendsAcceptEncoding()) return "none"
  const format = formats.get(encoding) ?? "unknown"
  if (isDecoded === false) return format
  const declared = contentLength(headers)
  if (received === undefined || Option.isNone(declared)) return "unknown"
  return declared.value === received ? format : "none"
}

/** Decompresses a body as it is read. */
export const decompressed = <E>(pull: Pull<E>, format: CompressionFormat, onCorrupt: () => E): Pull<E> => {
  let failure: Option.Option<E> = Option.none()
  const compressed = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull: async (controller) => {
        const exit = await Effect.runPromiseExit(pull)
        if (Exit.isSuccess(exit)) {
          for (const chunk of exit.value) controller.enqueue(new Uint8Array(chunk))
          return
        }
        failure = Option.flatten(Cause.failureOption(exit.cause))
        if (Option.isNone(failure)) controller.close()
        else controller.error()
      }
    },
    { highWaterMark: 0 }
  )
  const reader = compressed.pipeThrough(new DecompressionStream(format)).getReader()
  return Effect.flatMap(
    Effect.tryPromise({
      try: () => reader.read(),
      catch: () => Option.some(Option.getOrElse(failure, onCorrupt))
    }),
    ({ done, value }) => (done ? Effect.fail(Option.none()) : Effect.succeed(Chunk.of(value)))
  )
}
