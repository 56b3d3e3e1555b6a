/**
 * Signing what the links of a store open, with the store's signing key.
 */
import {
  encodeHmac,
  StorageSignature,
  StorageSignatureFromString,
  storageSignatureText
} from "@effect-apify/domain/Signature"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

/** Makes the HMAC of a text, as it stands in a signature. That of a key is the signature of its record. */
export type Sign = (text: string) => Effect.Effect<string>

/** Signs with the signing key of a store. */
export const signerOf = (key: Option.Option<Redacted.Redacted>): Effect.Effect<Option.Option<Sign>> =>
  Effect.transposeOption(Option.map(Option.filter(Option.map(key, Redacted.value), isSecret), signer))

/** An empty key counts as none. */
const isSecret = (key: string): boolean => key !== ""

const utf8 = new TextEncoder()

/** Signs texts. The key is imported once. */
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

/**
 * The signature of a store's keys, as it stands in a link.
 *
 * @param expiresAt milliseconds since 1970; 0 for a link that does not expire
 */
export const keysSignature = (sign: Sign, storeId: string, expiresAt: number): Effect.Effect<string> =>
  Effect.map(sign(storageSignatureText(expiresAt, storeId)), (hmac) =>
    encodeSignature(new StorageSignature({ expiresAt, hmac }))
  )

const encodeSignature = (signature: StorageSignature): string =>
  Schema.encodeSync(StorageSignatureFromString)(signature)
