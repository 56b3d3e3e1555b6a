/**
 * How a body that is bytes is encoded. That is never guessed from the bytes: a compressed file is not an encoded one.
 */
import * as Option from "effect/Option"
import type { OperationResponse } from "../Operation.js"
import { sendsAcceptEncoding } from "./collect.js"
import { contentEncodings, contentLength } from "./headerValue.js"

/** Nothing is left to decode; or a format that this platform decompresses; or one that it does not, or nobody knows. */
export type Encoding = "none" | CompressionFormat | "unknown"

/** What records may be encoded with, which is what transports decode that decode at all; and what every platform can decompress. */
export const formats: ReadonlyMap<string, CompressionFormat | undefined> = new Map([
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
export const encodingOf = (
  { headers, isDecoded }: Pick<OperationResponse, "headers" | "isDecoded">,
  received?: number
): Encoding => {
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
