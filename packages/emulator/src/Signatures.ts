/**
 * Signatures of public links: made, and checked.
 *
 * @since 0.1.0
 */
import { createHmac, timingSafeEqual } from "node:crypto"
import {
  encodeHmac,
  StorageSignature,
  StorageSignatureFromString,
  storageSignatureText
} from "@effect-apify/domain/Signature"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

const hmac = (secret: Redacted.Redacted, text: string): string =>
  encodeHmac(createHmac("sha256", Redacted.value(secret)).update(text).digest())

const encodeStorage = Schema.encodeSync(StorageSignatureFromString)
const decodeStorage = Schema.decodeOption(StorageSignatureFromString)

/**
 * The signature that opens one record for as long as the store has its signing key.
 *
 * @since 0.1.0
 * @category signatures
 */
export const signRecord = (secret: Redacted.Redacted, key: string): string => hmac(secret, key)

/**
 * The signature that opens the keys of a store, and its records as a whole, until `expiresAt`, in milliseconds since 1970;
 * 0 is for ever.
 *
 * @since 0.1.0
 * @category signatures
 */
export const signStorage = (secret: Redacted.Redacted, storeId: string, expiresAt: number): string =>
  encodeStorage(new StorageSignature({ expiresAt, hmac: hmac(secret, storageSignatureText(expiresAt, storeId)) }))

/** The time that it takes tells nothing of what is expected. An empty secret counts as none. */
const isRight = (secret: Redacted.Redacted, text: string, sent: string): boolean => {
  if (Redacted.value(secret) === "") return false
  const [a, b] = [Buffer.from(sent), Buffer.from(hmac(secret, text))]
  return a.length === b.length && timingSafeEqual(a, b)
}

/**
 * Whether a signature opens the record of a key.
 *
 * @since 0.1.0
 * @category signatures
 */
export const verifyRecord = (secret: Redacted.Redacted, key: string, signature: string): boolean =>
  isRight(secret, key, signature)

/**
 * Whether a signature opens a store at a time, in milliseconds since 1970.
 *
 * @since 0.1.0
 * @category signatures
 */
export const verifyStorage = (secret: Redacted.Redacted, storeId: string, signature: string, now: number): boolean =>
  Option.exists(
    decodeStorage(signature),
    ({ expiresAt, hmac }) =>
      isRight(secret, storageSignatureText(expiresAt, storeId), hmac) && (expiresAt === 0 || expiresAt >= now)
  )
