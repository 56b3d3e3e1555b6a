/**
 * Signatures of public links, against those that the official clients make.
 */
import { createHmac } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { encodeHmac, StorageSignature, StorageSignatureFromString, storageSignatureText } from "../src/index.js"

const KEY = "urlSigningSecretKey"
const STORE = "WkzbQMuFYuamGv3YF"

const sign = (secret: string, text: string): string => encodeHmac(createHmac("sha256", secret).update(text).digest())

const signStorage = (secret: string, expiresAt: number): string =>
  Schema.encodeSync(StorageSignatureFromString)(
    new StorageSignature({ expiresAt, hmac: sign(secret, storageSignatureText(expiresAt, STORE)) })
  )

const decode = Schema.decodeUnknownEither(StorageSignatureFromString)

describe("a record's signature", () => {
  it.each([
    [KEY, "OUTPUT", "1GArP4xikKeJ6DlWpegz6"],
    [KEY, "report.pdf", "1LTFjl5D9VCQaUjNgP9W"],
    [KEY, "weird-key!'()", "1oviumdqqDgRF0LBrmYQX"],
    [KEY, "a", "19guYxmndMhhuPWDipyFd"],
    [KEY, "A".repeat(256), "1nwXp5l1z8wRmmgxX6g1F"],
    [KEY, "k5900", "nLhiYBQbfwc1Pf83w2"],
    ["klíč-🔑", "OUTPUT", "Ib2U7t8PNgqLevmJCLhv"],
    ["string", "OUTPUT", "1n1uijGMiRh4mqw5yiM0j"],
    ["secret_key", "test_message", "RpSDhXyBbIwDgmsJ0NnS"]
  ])("under %s of %s is %s", (secret, text, signature) => {
    assert.strictEqual(sign(secret, text), signature)
  })

  it.prop("is the first 120 bits in base 62", [fc.uint8Array({ minLength: 32, maxLength: 32 })], ([hmac]) => {
    const digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    const number = [...encodeHmac(hmac)].reduce((sum, digit) => sum * 62n + BigInt(digits.indexOf(digit)), 0n)
    assert.strictEqual(number, BigInt(`0x${Buffer.from(hmac).toString("hex").slice(0, 30)}`))
    assert.match(encodeHmac(hmac), /^(?:0|[1-9a-zA-Z][0-9a-zA-Z]{0,20})$/)
  })

  it("of zeros is 0", () => {
    assert.strictEqual(encodeHmac(new Uint8Array(32)), "0")
  })
})

describe("a store's signature", () => {
  it.each([
    [KEY, 0, "MC4wLkNGYVdmMzFiNDdGT3I0NVBlT1lU"],
    [KEY, 1893459600000, "MC4xODkzNDU5NjAwMDAwLkRuRFlETGRSc3BRaDZ2UXVXNUVu"],
    [KEY, 1893456000000, "MC4xODkzNDU2MDAwMDAwLjFFaGpYTzlrWmg4UlJLajBTcjlDZQ"],
    [KEY, 1893455940000, "MC4xODkzNDU1OTQwMDAwLjFJa2Zkd1pqbWM3dXB1YmpXZjRwQw"],
    ["string", 0, "MC4wLjFiS3MzcWxtRTg3ZGdjVndxQ1RzNw"]
  ])("under %s until %d is %s, which is read back with and without padding", (secret, expiresAt, signature) => {
    assert.strictEqual(signStorage(secret, expiresAt), signature)
    const padded = signature.padEnd(Math.ceil(signature.length / 4) * 4, "=")
    for (const text of [signature, padded]) {
      const read = Either.getOrThrow(decode(text))
      assert.strictEqual(read.expiresAt, expiresAt)
      assert.strictEqual(signStorage(secret, read.expiresAt), signature)
    }
  })

  it.each([
    ["of four parts", Buffer.from("0.1893456000000.5.abc").toString("base64url")],
    ["of two parts", Buffer.from("0.abc").toString("base64url")],
    ["of another version", Buffer.from("1.0.abc").toString("base64url")],
    ["with an expiry that is not digits", Buffer.from("0.1e3.abc").toString("base64url")],
    ["with an expiry beyond what a number holds", Buffer.from("0.9999999999999999.abc").toString("base64url")],
    ["without an HMAC", Buffer.from("0.0.").toString("base64url")],
    ["with an HMAC of 22 digits", Buffer.from(`0.0.${"a".repeat(22)}`).toString("base64url")],
    ["in base64", "MC4wLkNGYVdmMz+/"],
    ["with a line break", "MC4wLkNGYVdmMzFi\r\nNDdGT3I0NVBlT1lU"],
    ["that is too long", "MC4wLkNGYVdmMzFiNDdGT3I0NVBlT1lU".repeat(4)],
    ["that is empty", ""]
  ])("%s is none", (_, text) => {
    assert.isTrue(Either.isLeft(decode(text)))
  })
})
