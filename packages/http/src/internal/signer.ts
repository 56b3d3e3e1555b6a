/**
 * Signing with the key of a store, by WebCrypto.
 */
import { encodeHmac } from "@effect-apify/domain/Signature"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

/** Makes the HMAC of a text, as it stands in a signature. */
export type Sign = (text: string) => Effect.Effect<string>

/** Signs with a store's key, which is imported once. An empty key counts as none. */
export const signerOf = (key: Option.Option<Redacted.Redacted>): Effect.Effect<Option.Option<Sign>> =>
  Effect.transposeOption(Option.map(Option.filter(Option.map(key, Redacted.value), isKey), signer))

const isKey = (key: string): boolean => key !== ""

const utf8 = new TextEncoder()

const signer = (secret: string): Effect.Effect<Sign> =>
  Effect.map(
    Effect.promise(() =>
      crypto.subtle.importKey("raw", utf8.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"])
    ),
    (key) => (text) =>
      Effect.map(
        Effect.promise(() => crypto.subtle.sign("HMAC", key, utf8.encode(text))),
        (hmac) => encodeHmac(new Uint8Array(hmac))
      )
  )
