/**
 * Bodies that are JSON: what creates and updates stores.
 *
 * @since 0.1.0
 */

import { isUtf8 } from "node:buffer"
import * as Zlib from "node:zlib"
import type { RequestError } from "@effect/platform/HttpServerError"
import { type Refusal, requestTooLargeRefusal, unsupportedEncodingRefusal } from "@effect-apify/domain/Refusal"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { notAnObjectRefusal, unreadableBodyRefusal } from "./Refusals.js"
import { type ApiRequest, Refused } from "./Router.js"

const refuse = (refusal: Refusal) => new Refused({ refusal })

type Decode = (bytes: Uint8Array, maximum: number) => Effect.Effect<Uint8Array, NodeJS.ErrnoException>

const decoding =
  (decode: (bytes: Uint8Array, options: Zlib.ZlibOptions, callback: Zlib.CompressCallback) => void): Decode =>
  (bytes, maximum) =>
    Effect.async((resume) =>
      decode(bytes, { maxOutputLength: maximum }, (error, decoded) =>
        resume(error === null ? Effect.succeed(decoded) : Effect.fail(error))
      )
    )

const isTooLarge = ({ code }: NodeJS.ErrnoException): boolean => code === "ERR_BUFFER_TOO_LARGE"

const inflateRaw = decoding(Zlib.inflateRaw)

const decoders: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ["", Effect.succeed],
  ["identity", Effect.succeed],
  ["gzip", decoding(Zlib.gunzip)],
  ["br", decoding(Zlib.brotliDecompress)],
  [
    "deflate",
    // HTTP means the format of zlib, and some callers send the bare one.
    (bytes, maximum) =>
      Effect.catchAll(decoding(Zlib.inflate)(bytes, maximum), (error) =>
        isTooLarge(error) ? Effect.fail(error) : inflateRaw(bytes, maximum)
      )
  ]
])

/** It is received to its end even if it is too large: a client that still sends may not see what it is told. */
const collect = Effect.fnUntraced(function* ({ nextChunk }: ApiRequest, maximum: number) {
  const chunks: Array<Uint8Array> = []
  let size = 0
  for (let next = yield* nextChunk; Option.isSome(next); next = yield* nextChunk) {
    size += next.value.length
    if (size <= maximum) chunks.push(next.value)
  }
  return size > maximum ? yield* refuse(requestTooLargeRefusal(maximum, size)) : Buffer.concat(chunks)
})

const parse = Option.liftThrowable((text: string): unknown => JSON.parse(text))

/**
 * Reads a body that is a JSON object, whatever its type says. `None` for a body without bytes.
 *
 * @since 0.1.0
 * @category decoding
 */
export const readJsonObject: (
  request: ApiRequest
) => Effect.Effect<Option.Option<Readonly<Record<PropertyKey, unknown>>>, Refused | RequestError> = Effect.fnUntraced(
  function* (request) {
    const encoding = request.headers["content-encoding"] ?? ""
    const decode = decoders.get(encoding.trim().toLowerCase())
    if (decode === undefined) return yield* refuse(unsupportedEncodingRefusal(encoding))
    const maximum = request.unknowns.MAXIMUM_JSON_BYTES
    const bytes = yield* collect(request, maximum)
    if (bytes.length === 0) return Option.none()
    const decoded = yield* Effect.mapError(decode(bytes, maximum), (error) =>
      // What is compressed is not decompressed to its end to tell how large it is.
      refuse(isTooLarge(error) ? requestTooLargeRefusal(maximum, maximum + 1) : unreadableBodyRefusal)
    )
    const value = isUtf8(decoded) ? parse(Buffer.from(decoded).toString("utf8")) : Option.none()
    if (Option.isNone(value) || !Predicate.isRecord(value.value)) return yield* refuse(notAnObjectRefusal)
    return Option.some(value.value)
  }
)
