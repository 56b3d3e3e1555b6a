/**
 * Links: whole for a program, with the signature hidden for everybody else.
 */
import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { PublicUrlFromString } from "../src/index.js"

const read = Schema.decodeSync(PublicUrlFromString)

describe("a link", () => {
  it.prop("is kept to the letter", [FastCheck.string({ unit: "binary" })], ([href]) => {
    assert.strictEqual(Redacted.value(read(href).href), href)
    assert.strictEqual(Schema.encodeSync(PublicUrlFromString)(read(href)), href)
  })

  it.prop("is the same as another with the same text", [FastCheck.webUrl(), FastCheck.webUrl()], ([one, other]) => {
    const isSame = Schema.equivalence(PublicUrlFromString)
    assert.isTrue(isSame(read(one), read(one)))
    assert.strictEqual(isSame(read(one), read(other)), one === other)
  })
})

describe("a link shows", () => {
  it.each([
    ["https://api.apify.com/keys", "https://api.apify.com/keys"],
    ["https://api.apify.com/keys?limit=1#end", "https://api.apify.com/keys?limit=1#end"],
    ["https://api.apify.com/keys?signature=abc123", "https://api.apify.com/keys?signature=<redacted>"],
    ["https://api.apify.com/keys?SIGNATURE=abc123", "https://api.apify.com/keys?SIGNATURE=<redacted>"],
    [
      "https://api.apify.com/keys?a=1&signature=a%2Cb,c'd\"e}f&b=2",
      "https://api.apify.com/keys?a=1&signature=<redacted>&b=2"
    ],
    [
      "https://api.apify.com/keys?signature=a&signature=b#c",
      "https://api.apify.com/keys?signature=<redacted>&signature=<redacted>#c"
    ],
    ["https://api.apify.com/keys?signature=", "https://api.apify.com/keys?signature=<redacted>"],
    ["https://api.apify.com/keys?token=apify_api_abc", "https://api.apify.com/keys?token=<redacted>"]
  ])("%s as %s", (href, shown) => {
    const link = read(href)
    assert.strictEqual(String(link), shown)
    assert.strictEqual(inspect(link), shown)
    assert.strictEqual(JSON.stringify(link), JSON.stringify(shown))
  })

  it.prop(
    "its signature to no one, whatever the signature is made of",
    [FastCheck.stringMatching(/^[^&#]*$/), FastCheck.stringMatching(/^[^&#]*$/)],
    ([before, after]) => {
      const link = read(`https://api.apify.com/keys?signature=${before}Canary${after}&limit=1`)
      for (const text of [String(link), JSON.stringify(link), inspect(link, { showHidden: true }), inspect({ link })]) {
        assert.notInclude(text, "Canary")
        assert.include(text, "?signature=<redacted>&limit=1")
      }
    }
  )
})

describe("without its signature a link", () => {
  it.each([
    ["https://api.apify.com/keys", "https://api.apify.com/keys"],
    ["https://api.apify.com/keys?signature=abc", "https://api.apify.com/keys"],
    ["https://api.apify.com/keys?signature=abc#end", "https://api.apify.com/keys#end"],
    ["https://api.apify.com/keys?signature=abc&limit=1", "https://api.apify.com/keys?limit=1"],
    ["https://api.apify.com/keys?limit=1&signature=abc", "https://api.apify.com/keys?limit=1"],
    ["https://api.apify.com/keys?a=1&signature=abc&b=2", "https://api.apify.com/keys?a=1&b=2"]
  ])("%s is %s", (href, plain) => {
    assert.strictEqual(Redacted.value(read(href).withoutSignature().href), plain)
  })
})
