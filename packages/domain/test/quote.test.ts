/**
 * Text from outside, made safe to show.
 */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { excerpt, quote, redact } from "../src/index.js"

const anyText = FastCheck.oneof(
  FastCheck.string({ unit: "binary", maxLength: 500 }),
  FastCheck.string({ unit: "grapheme", maxLength: 500 }),
  FastCheck.string({ unit: FastCheck.constantFrom("\u001b[31m", "\u202e", "\r\n", "\u0000", "😀", "\ud83d", "a") })
)

describe("redacting", () => {
  it.each([
    ["apify_api_abc123", "<redacted>"],
    ["APIFY_API_ABC", "<redacted>"],
    ["apify_proxy_abc123.", "<redacted>."],
    ["of apify_ui_abc and apify_api_def", "of <redacted> and <redacted>"],
    ["?token=abc&limit=1", "?token=<redacted>&limit=1"],
    ["?token%3Dabc#end", "?token%3D<redacted>#end"],
    ["/keys?signature=abc123&limit=1", "/keys?signature=<redacted>&limit=1"],
    ['{"urlSigningSecretKey": "abc","id":"x"}', '{"urlSigningSecretKey": "<redacted>","id":"x"}'],
    ['{"token":"abc"}', '{"token":"<redacted>"}'],
    ['"{\\"token\\": \\"abc\\"}"', '"{\\"token\\": \\"<redacted>\\"}"']
  ])("hides what is secret in %s", (text, expected) => {
    assert.strictEqual(redact(text), expected)
  })

  it.each([
    "",
    "WkzbQMuFYuamGv3YF",
    "janedoe~my-store",
    "APIFY_TOKEN",
    "Authentication token was not provided",
    "The token came from APIFY_TOKEN: check that it is whole",
    "User was not found or authentication token is not valid",
    "https://api.apify.com/v2/key-value-stores/WkzbQMuFYuamGv3YF/keys?limit=1"
  ])("leaves %j alone", (text) => {
    assert.strictEqual(redact(text), text)
  })

  it.prop("twice is redacting once", [anyText, secret()], ([text, [marker, value]]) => {
    const once = redact(`${text}${marker}${value}`)
    assert.strictEqual(redact(once), once)
  })
})

describe("a quoted text", () => {
  it.each([
    ["a", '"a"'],
    ["", '""'],
    ["žluťoučký 😀 店", '"žluťoučký 😀 店"'],
    ["a\r\nb\tc", '"a\\r\\nb\\tc"'],
    ["\u0000\u007f\u009b", '"\\u{0}\\u{7f}\\u{9b}"'],
    ["\u001b[31mred\u001b[0m", '"\\u{1b}[31mred\\u{1b}[0m"'],
    ["\u001b]8;;https://evil.example\u0007", '"\\u{1b}]8;;https://evil.example\\u{7}"'],
    ["\u202egpj.exe", '"\\u{202e}gpj.exe"'],
    ["\u2066\u200b\ufeff", '"\\u{2066}\\u{200b}\\u{feff}"'],
    ["\u2028\u2029\u0085", '"\\u{2028}\\u{2029}\\u{85}"'],
    ["\ud800", '"\\u{d800}"'],
    ["\u{e0001}\u{10ffff}", '"\\u{e0001}\\u{10ffff}"']
  ])("%j is %s", (text, expected) => {
    assert.strictEqual(quote(text), expected)
  })

  it("is cut after 80 characters, or as many as it is told", () => {
    assert.strictEqual(quote("a".repeat(80)), `"${"a".repeat(80)}"`)
    assert.strictEqual(quote("a".repeat(81)), `"${"a".repeat(80)}…"`)
    assert.strictEqual(quote("abcdef", 3), '"abc…"')
    assert.strictEqual(excerpt("abcdef", 3), "abc…")
    assert.strictEqual(excerpt("abc", 3), "abc")
  })

  it("is not cut within a character", () => {
    assert.strictEqual(excerpt("ab😀cd", 3), "ab…")
    assert.strictEqual(excerpt("ab😀cd", 4), "ab😀…")
  })

  it.prop(
    "is printable, on one line, and no longer than it was told",
    [anyText, FastCheck.nat(200)],
    ([text, limit]) => {
      assert.match(quote(text, limit), /^"[^\p{C}\u2028\u2029]*"$/u)
      assert.isAtMost(quote(text, limit).length, limit + 3)
    }
  )

  it.prop("of printable characters is the text", [FastCheck.stringMatching(/^[a-zA-Z0-9 ~_.-]{0,80}$/)], ([text]) => {
    assert.strictEqual(quote(text), `"${text}"`)
  })

  it.prop(
    "holds no part of a secret, wherever it is cut",
    [anyText, secret(), anyText, FastCheck.nat(200)],
    (texts) => {
      const [before, [marker, value], after, limit] = texts
      assert.notInclude(quote(`${before}${marker}${value} ${after}`, limit), "Can")
    }
  )
})

/** What marks a secret, and the secret. */
function secret(): FastCheck.Arbitrary<readonly [marker: string, value: string]> {
  return FastCheck.tuple(
    FastCheck.constantFrom("apify_api_", "APIFY_UI_", "token=", "?signature=", '"urlSigningSecretKey": "', "token%3d"),
    FastCheck.stringMatching(/^Canary[a-zA-Z0-9]{0,60}$/)
  )
}
