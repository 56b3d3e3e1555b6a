/**
 * The signatures of public links: those that official clients make are made, and no others are accepted.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import { signRecord, signStorage, verifyRecord, verifyStorage } from "../src/Signatures.js"

const STORE = "WkzbQMuFYuamGv3YF"
const NOW = 1_893_456_000_000

const recordVectors = [
  ["urlSigningSecretKey", "OUTPUT", "1GArP4xikKeJ6DlWpegz6"],
  ["urlSigningSecretKey", "report.pdf", "1LTFjl5D9VCQaUjNgP9W"],
  ["urlSigningSecretKey", "weird-key!'()", "1oviumdqqDgRF0LBrmYQX"],
  ["urlSigningSecretKey", "a", "19guYxmndMhhuPWDipyFd"],
  ["urlSigningSecretKey", "A".repeat(256), "1nwXp5l1z8wRmmgxX6g1F"],
  ["urlSigningSecretKey", "k5900", "nLhiYBQbfwc1Pf83w2"],
  ["klíč-🔑", "OUTPUT", "Ib2U7t8PNgqLevmJCLhv"],
  ["string", "OUTPUT", "1n1uijGMiRh4mqw5yiM0j"],
  ["secret_key", "test_message", "RpSDhXyBbIwDgmsJ0NnS"]
] as const

const storageVectors = [
  ["urlSigningSecretKey", 0, "MC4wLkNGYVdmMzFiNDdGT3I0NVBlT1lU"],
  ["urlSigningSecretKey", 1_893_459_600_000, "MC4xODkzNDU5NjAwMDAwLkRuRFlETGRSc3BRaDZ2UXVXNUVu"],
  ["urlSigningSecretKey", 1_893_456_000_000, "MC4xODkzNDU2MDAwMDAwLjFFaGpYTzlrWmg4UlJLajBTcjlDZQ"],
  ["urlSigningSecretKey", 1_893_455_940_000, "MC4xODkzNDU1OTQwMDAwLjFJa2Zkd1pqbWM3dXB1YmpXZjRwQw"],
  ["string", 0, "MC4wLjFiS3MzcWxtRTg3ZGdjVndxQ1RzNw"]
] as const

describe("a record's signature", () => {
  for (const [secret, key, signature] of recordVectors) {
    it(`of ${key.slice(0, 20)} under ${secret} is what official clients make`, () => {
      assert.strictEqual(signRecord(Redacted.make(secret), key), signature)
      assert.isTrue(verifyRecord(Redacted.make(secret), key, signature))
    })
  }

  it.prop("opens its own key under its own secret alone", [fc.string(), fc.string(), fc.string()], ([a, b, c]) => {
    const [secret, other] = [`${a}s`, `${a}s${b}.`]
    const signature = signRecord(Redacted.make(secret), c)
    assert.isTrue(verifyRecord(Redacted.make(secret), c, signature))
    assert.isFalse(verifyRecord(Redacted.make(other), c, signature))
    assert.isFalse(verifyRecord(Redacted.make(secret), `${c}.`, signature))
    assert.isFalse(verifyRecord(Redacted.make(secret), c, signature.slice(1)))
    assert.isFalse(verifyRecord(Redacted.make(secret), c, `0${signature}`))
  })

  it("opens nothing under an empty secret", () => {
    const empty = Redacted.make("")
    assert.isFalse(verifyRecord(empty, "OUTPUT", signRecord(empty, "OUTPUT")))
    assert.isFalse(verifyStorage(empty, STORE, signStorage(empty, STORE, 0), NOW))
  })
})

describe("a store's signature", () => {
  for (const [secret, expiresAt, signature] of storageVectors) {
    const opens = expiresAt === 0 || expiresAt >= NOW
    it(`until ${expiresAt} under ${secret} is what official clients make, and ${opens ? "opens" : "is expired"}`, () => {
      assert.strictEqual(signStorage(Redacted.make(secret), STORE, expiresAt), signature)
      assert.strictEqual(verifyStorage(Redacted.make(secret), STORE, signature, NOW), opens)
    })
  }

  const secret = Redacted.make("urlSigningSecretKey")
  const forms = (text: string): string => Buffer.from(text).toString("base64url")
  const right = signStorage(secret, STORE, 0)
  const until = signStorage(secret, STORE, NOW)

  it("may be padded", () => {
    assert.isTrue(verifyStorage(secret, STORE, `${until}==`, NOW))
  })

  it("opens until the millisecond that it names", () => {
    assert.isTrue(verifyStorage(secret, STORE, until, NOW))
    assert.isFalse(verifyStorage(secret, STORE, until, NOW + 1))
  })

  it("opens no other store", () => {
    assert.isFalse(verifyStorage(secret, "WkzbQMuFYuamGv3Yf", right, NOW))
  })

  const [, , mac = ""] = Buffer.from(right, "base64url").toString().split(".")
  const malformed = {
    empty: "",
    "of two parts": forms(`0.${mac}`),
    "of four parts, as a fraction of a millisecond makes it": forms(`0.1893456000000.5.${mac}`),
    "of another version": forms(`1.0.${mac}`),
    "with a sign in its time": forms(`0.+0.${mac}`),
    "with a time that is later than what was signed": forms(`0.1893459600000.${mac}`),
    "in base64 with a space": `${right.slice(0, 10)} ${right.slice(10)}`,
    "with more after its padding": `${until}==AA`,
    "longer than any": `${right}${"A".repeat(100)}`
  }
  for (const [name, signature] of Object.entries(malformed)) {
    it(`${name} opens nothing`, () => {
      assert.isFalse(verifyStorage(secret, STORE, signature, NOW))
    })
  }
})
