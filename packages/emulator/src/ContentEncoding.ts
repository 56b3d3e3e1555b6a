/**
 * Encodings of bodies: which of them a client takes, and decoding for those that take another.
 *
 * @since 0.1.0
 */
import type { Duplex } from "node:stream"
import {
  brotliDecompress,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  gunzip,
  inflate,
  inflateRaw
} from "node:zlib"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

/**
 * The encodings that a record may have.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ContentEncoding = Schema.Literal("gzip", "br", "deflate").annotations({ identifier: "ContentEncoding" })

/**
 * The type of `ContentEncoding`.
 *
 * @since 0.1.0
 * @category models
 */
export type ContentEncoding = typeof ContentEncoding.Type

/**
 * A body is not what its encoding says.
 *
 * @since 0.1.0
 * @category errors
 */
export class DecodingError extends Data.TaggedError("DecodingError")<{ readonly encoding: ContentEncoding }> {
  override get message(): string {
    return `The body is not ${this.encoding}`
  }
}

/**
 * Whether a header `Accept-Encoding` admits an encoding. Without the header nothing is admitted, as with Apify.
 *
 * @since 0.1.0
 * @category negotiation
 */
export const admits = (acceptEncoding: string | undefined, encoding: ContentEncoding): boolean => {
  const weights = new Map(
    (acceptEncoding ?? "").split(",").map((item) => {
      const [coding = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase())
      const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2)
      return [coding, weight === undefined ? 1 : Number(weight)] as const
    })
  )
  const weight = weights.get(encoding) ?? (encoding === "gzip" ? weights.get("x-gzip") : undefined) ?? weights.get("*")
  return weight !== undefined && weight > 0
}

const isEncoding = Schema.is(ContentEncoding)

/**
 * Reads a header `Content-Encoding`: `None` for a body without an encoding. One that is not known is returned as it was
 * sent.
 *
 * @since 0.1.0
 * @category decoding
 */
export const parseContentEncoding = (
  header: string | undefined
): Either.Either<Option.Option<ContentEncoding>, string> => {
  const sent = header ?? ""
  const encoding = sent.trim().toLowerCase()
  if (encoding === "" || encoding === "identity") return Either.right(Option.none())
  return isEncoding(encoding) ? Either.right(Option.some(encoding)) : Either.left(sent)
}

/** Some send a bare stream in place of the wrapped one that HTTP means by `deflate`: its first byte tells. */
const isWrapped = (bytes: Uint8Array): boolean => ((bytes[0] ?? 0) & 0x0f) === 8

interface Decoder {
  readonly stream: () => Duplex
  readonly whole: typeof gunzip
}

const decoderOf = (encoding: ContentEncoding, head: Uint8Array): Decoder => {
  switch (encoding) {
    case "gzip":
      return { stream: createGunzip, whole: gunzip }
    case "br":
      return { stream: createBrotliDecompress, whole: brotliDecompress }
    case "deflate":
      return isWrapped(head)
        ? { stream: createInflate, whole: inflate }
        : { stream: createInflateRaw, whole: inflateRaw }
  }
}

/**
 * Decodes a body. An empty one is empty in every encoding.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeStream = <E, R>(
  body: Stream.Stream<Uint8Array, E, R>,
  encoding: ContentEncoding
): Stream.Stream<Uint8Array, E | DecodingError, R> =>
  Stream.unwrap(
    Effect.map(
      Stream.runHead(body),
      Option.match({
        onNone: () => Stream.empty,
        onSome: (head) =>
          NodeStream.pipeThroughDuplex(body, decoderOf(encoding, head).stream, () => new DecodingError({ encoding }))
      })
    )
  )

/**
 * Decodes a body that is in memory. `None` if it has more than `maximum` bytes then.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeBytes = (
  bytes: Uint8Array,
  encoding: ContentEncoding,
  maximum: number
): Effect.Effect<Option.Option<Uint8Array>, DecodingError> => {
  if (bytes.length === 0) return Effect.succeedSome(bytes)
  return Effect.async((resume) => {
    decoderOf(encoding, bytes).whole(bytes, { maxOutputLength: maximum }, (error, decoded) => {
      if (error === null) resume(Effect.succeedSome(decoded))
      else if (Predicate.hasProperty(error, "code") && error.code === "ERR_BUFFER_TOO_LARGE") resume(Effect.succeedNone)
      else resume(new DecodingError({ encoding }))
    })
  })
}
