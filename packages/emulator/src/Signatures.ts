/**
 * Signatures of public links.
 *
 * @since 0.1.0
 */
import { createHmac } from "node:crypto"
import {
  encodeHmac,
  StorageSignature,
  StorageSignatureFromString,
  storageSignatureText
} from "@effect-apify/domain/Signature"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

const encodeSignature = Schema.encodeSync(StorageSignatureFromString)

const hmac = (secret: Redacted.Redacted, text: string): string =>
  encodeHmac(createHmac("sha256", Redacted.value(secret)).update(text).digest())

/**
 * The signature that opens the keys and the records of a store until `expiresAt`, in milliseconds since 1970; 0 is for ever.
 *
 * @since 0.1.0
 * @category signatures
 */
export const signStorage = (secret: Redacted.Redacted, storeId: string, expiresAt: number): string => {
  const signature = { expiresAt, hmac: hmac(secret, storageSignatureText(expiresAt, storeId)) }
  return encodeSignature(new StorageSignature(signature))
}
