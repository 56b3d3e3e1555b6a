/**
 * Bodies that are JSON: what creates and updates stores.
 *
 * @since 0.1.0
 */
import { isUtf8 } from "node:buffer"
import type { RequestError } from "@effect/platform/HttpServerError"
import { requestTooLargeRefusal, unsupportedEncodingRefusal } from "@effect-apify/domain/Refusal"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { decodeBytes, parseContentEncoding } from "./ContentEncoding.js"
import { notAnObjectRefusal, unreadableBodyRefusal } from "./Refusals.js"
import { type ApiRequest, type Refused, refuse } from "./Router.js"

/** It is received to its end even if it is too large: a client that still sends may not see the response. */
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
    const encoding = yield* Either.mapLeft(parseContentEncoding(request.headers["content-encoding"]), (sent) =>
      refuse(unsupportedEncodingRefusal(sent))
    )
    const maximum = request.unknowns.MAXIMUM_JSON_BYTES
    const bytes = yield* collect(request, maximum)
    if (bytes.length === 0) return Option.none()
    const decoded = Option.isNone(encoding)
      ? Option.some(bytes)
      : yield* Effect.mapError(decodeBytes(bytes, encoding.value, maximum), () => refuse(unreadableBodyRefusal))
    // What is compressed is not decompressed to its end to tell how large it is.
    if (Option.isNone(decoded)) return yield* refuse(requestTooLargeRefusal(maximum, maximum + 1))
    const value = isUtf8(decoded.value) ? parse(Buffer.from(decoded.value).toString("utf8")) : Option.none()
    if (Option.isNone(value) || !Predicate.isRecord(value.value)) return yield* refuse(notAnObjectRefusal)
    return Option.some(value.value)
  }
)
