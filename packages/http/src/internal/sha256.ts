/**
 * SHA-256, by the platform.
 */
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"

const utf8 = new TextEncoder()

/** The hash of a text in UTF-8, in hexadecimal digits. */
export const sha256 = (text: string): Effect.Effect<string> =>
  Effect.map(
    Effect.promise(() => crypto.subtle.digest("SHA-256", utf8.encode(text))),
    (hash) => Encoding.encodeHex(new Uint8Array(hash))
  )
