/**
 * The format of signatures in public links. The platform computes the HMAC.
 *
 * A record's signature is `encodeHmac` of the HMAC-SHA256 of its key, under the store's signing key. A store's
 * signature also contains its expiry.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { ApifyErrorTypeId, type Retryable } from "./ApifyError.js"
import { Count } from "./Count.js"
import { printable } from "./internal/errorMessage.js"

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
const BASE = 62
/** 30 hexadecimal digits of the HMAC are used. */
const USED_BYTES = 15
/** The bytes are read as three numbers of 40 bits, so that every product is a safe integer. */
const PART_BYTES = 5
const PART = 2 ** 40

/**
 * An HMAC-SHA256 as Apify writes it: its first 120 bits as one number in base 62, with the digits `0-9`, `a-z` and
 * `A-Z`, and without padding.
 *
 * Source: the official clients.
 *
 * @example
 * ```ts
 * import { encodeHmac } from "@effect-apify/domain"
 *
 * encodeHmac(new Uint8Array(32)) // "0"
 * ```
 *
 * @since 0.1.0
 * @category encoding
 */
export const encodeHmac = (hmac: Uint8Array): string => {
  const parts = [0, 0, 0]
  for (let index = 0; index < USED_BYTES; index++) {
    const part = Math.floor(index / PART_BYTES)
    parts[part] = (parts[part] ?? 0) * 256 + (hmac[index] ?? 0)
  }
  let text = ""
  do {
    let remainder = 0
    for (const [index, part] of parts.entries()) {
      const value = remainder * PART + part
      parts[index] = Math.floor(value / BASE)
      remainder = value % BASE
    }
    text = DIGITS.charAt(remainder) + text
  } while (parts.some((part) => part > 0))
  return text
}

/**
 * The text whose HMAC is part of the signature of a store's keys.
 *
 * @param expiresAt milliseconds since 1970; 0 for a link that does not expire
 * @param storeId the store's ID, even if the link has its name
 *
 * @since 0.1.0
 * @category encoding
 */
export const storageSignatureText = (expiresAt: number, storeId: string): string => `0.${expiresAt}.${storeId}`

const hmacPattern = /^[0-9a-zA-Z]{1,21}$/

const Hmac = Schema.String.pipe(Schema.pattern(hmacPattern)).annotations({
  identifier: "Hmac",
  description: "1 to 21 letters and digits",
  arbitrary: () => (fc) => fc.stringMatching(hmacPattern)
})

/**
 * The signature of a store's keys: its expiry and the HMAC.
 *
 * @since 0.1.0
 * @category schemas
 */
export class StorageSignature extends Schema.Class<StorageSignature>("StorageSignature")({
  /** Milliseconds since 1970; 0 for a signature that does not expire. */
  expiresAt: Count,
  /** As `encodeHmac` writes it. */
  hmac: Hmac
}) {}

const MAX_LENGTH = 100
const base64Url = /^[a-zA-Z0-9_-]+={0,2}$/
const format = /^0\.(\d{1,16})\.([0-9a-zA-Z]{1,21})$/

const parse = (text: string): StorageSignature | undefined => {
  if (text.length > MAX_LENGTH || !base64Url.test(text)) return undefined
  const [, expiresAt, hmac] = format.exec(Either.getOrElse(Encoding.decodeBase64UrlString(text), () => "")) ?? []
  if (expiresAt === undefined || hmac === undefined) return undefined
  const millis = Number(expiresAt)
  return Number.isSafeInteger(millis) ? new StorageSignature({ expiresAt: millis, hmac }) : undefined
}

/**
 * A `StorageSignature` as text in a link: base64url, decoded with or without padding, and encoded without.
 *
 * Source: the official clients.
 *
 * @example
 * ```ts
 * import { StorageSignatureFromString } from "@effect-apify/domain"
 * import * as Schema from "effect/Schema"
 *
 * Schema.decodeUnknown(StorageSignatureFromString)("MC4wLkNGYVdmMzFiNDdGT3I0NVBlT1lU")
 * // { expiresAt: 0, hmac: "CFaWf31b47FOr45PeOYT" }
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const StorageSignatureFromString = Schema.transformOrFail(Schema.String, Schema.typeSchema(StorageSignature), {
  strict: true,
  decode: (text, _, ast) => {
    const signature = parse(text)
    return signature === undefined
      ? ParseResult.fail(new ParseResult.Type(ast, text, "it is not the signature of a store"))
      : ParseResult.succeed(signature)
  },
  encode: ({ expiresAt, hmac }) => ParseResult.succeed(Encoding.encodeBase64Url(`0.${expiresAt}.${hmac}`))
}).annotations({ identifier: "StorageSignatureFromString" })

/**
 * The expiry of a link is invalid. No link was made.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidExpiryError extends Schema.TaggedError<InvalidExpiryError>()("InvalidExpiryError", {
  /** The time as it was given. */
  expiry: Schema.String,
  /** What is wrong with it. */
  problem: Schema.String
}) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(
    `A link cannot expire after ${this.expiry}: ${this.problem}. Give a positive whole number of milliseconds, or none for a link that does not expire.`
  )
  get retryable(): Retryable {
    return "Never"
  }
}
