/**
 * Signatures of public links.
 *
 * @since 0.1.0
 */
import { createHmac } from "node:crypto"
import * as Redacted from "effect/Redacted"

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

const base62 = (value: bigint): string => {
  let [rest, text] = [value, ""]
  do {
    text = `${DIGITS[Number(rest % 62n)]}${text}`
    rest /= 62n
  } while (rest > 0n)
  return text
}

/** The first 30 hexadecimal digits of the HMAC-SHA256, in base 62. */
const hmac = (secret: Redacted.Redacted, text: string): string =>
  base62(BigInt(`0x${createHmac("sha256", Redacted.value(secret)).update(text).digest("hex").slice(0, 30)}`))

/**
 * The signature that opens the keys and the records of a store until `expiresAt`, in milliseconds since 1970; 0 is for ever.
 *
 * @since 0.1.0
 * @category signatures
 */
export const signStorage = (secret: Redacted.Redacted, storeId: string, expiresAt: number): string => {
  const signed = `0.${expiresAt}`
  return Buffer.from(`${signed}.${hmac(secret, `${signed}.${storeId}`)}`).toString("base64url")
}
