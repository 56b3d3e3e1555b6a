/**
 * Links: whole for a program, with the signature hidden for everybody else.
 */
import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Equal from "effect/Equal"
import * as fc from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { character } from "../../../vitest.text.js"
import { PublicUrlFromString } from "../src/index.js"

const read = Schema.decodeSync(PublicUrlFromString)

describe("a link", () => {
  it.prop("is kept to the letter", [fc.string({ unit: character })], ([href]) => {
    assert.strictEqual(Redacted.value(read(href).href), href)
    assert.strictEqual(Schema.encodeSync(PublicUrlFromString)(read(href)), href)
  })

  it.prop("is the same as another with the same text", [fc.webUrl(), fc.webUrl()], ([one, other]) => {
    const isSame = Schema.equivalence(PublicUrlFromString)
    assert.isTrue(isSame(read(one), read(one)))
    assert.strictEqual(isSame(read(one), read(other)), one === other)
    assert.strictEqual(read(one)[Equal.symbol](read(other)), one === other)
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
    [fc.stringMatching(/^[^&#]*$/), fc.stringMatching(/^[^&#]*$/), fc.constantFrom("signature", "SIGNATURE")],
    ([before, after, other]) => {
      const value = `${before}Canary${after}`
      const link = read(`https://api.apify.com/keys?signature=${value}&limit=1&${other}=${value}`)
      for (const text of [String(link), JSON.stringify(link), inspect(link, { showHidden: true }), inspect({ link })]) {
        assert.notInclude(text, "Canary")
        assert.include(text, `?signature=<redacted>&limit=1&${other}=<redacted>`)
      }
    }
  )
})

describe("without its signature a link", () => {
  const unsigned = (href: string): string => Redacted.value(read(href).withoutSignature().href)

  it.each([
    ["https://api.apify.com/keys", "https://api.apify.com/keys"],
    ["https://api.apify.com/keys?", "https://api.apify.com/keys?"],
    ["https://api.apify.com/keys?signature=abc", "https://api.apify.com/keys"],
    ["https://api.apify.com/keys?signature=", "https://api.apify.com/keys"],
    ["https://api.apify.com/keys?signature=abc#end", "https://api.apify.com/keys#end"],
    ["https://api.apify.com/keys?signature=abc&limit=1", "https://api.apify.com/keys?limit=1"],
    ["https://api.apify.com/keys?limit=1&signature=abc", "https://api.apify.com/keys?limit=1"],
    ["https://api.apify.com/keys?a=1&signature=abc&b=2", "https://api.apify.com/keys?a=1&b=2"],
    ["https://api.apify.com/keys?signature=a&x=1&signature=b", "https://api.apify.com/keys?x=1"],
    ["https://api.apify.com/keys?signature=a&signature=b", "https://api.apify.com/keys"],
    ["https://api.apify.com/keys?b=%2f&a=+%20&signature=x&&c", "https://api.apify.com/keys?b=%2f&a=+%20&&c"],
    ["https://api.apify.com/keys?signature=a?b=1&x=2?", "https://api.apify.com/keys?x=2?"],
    ["https://api.apify.com/keys?signature=a&x=1#frag?", "https://api.apify.com/keys?x=1#frag?"]
  ])("%s is %s", (href, plain) => {
    assert.strictEqual(unsigned(href), plain)
  })

  it.each([
    "https://api.apify.com/keys?Signature=abc",
    "https://api.apify.com/keys?SIGNATURE=abc&x=1",
    "https://api.apify.com/keys?xsignature=abc",
    "https://api.apify.com/keys?signatures=abc",
    "https://api.apify.com/keys?x=signature=abc",
    "https://api.apify.com/signature=abc?x=1&",
    "https://api.apify.com/keys#?signature=abc"
  ])("%s stays as it is: it has none", (href) => {
    assert.strictEqual(unsigned(href), href)
  })

  const text = fc.stringMatching(/^[a-zA-Z0-9%+_.~?/:@!$'()*,;[\]{}"-]{0,12}$/)
  const name = fc.oneof(text, fc.constantFrom("Signature", "SIGNATURE", "xsignature", "signature2", "limit", "prefix"))
  const other = fc.tuple(name, fc.option(text)).map(([name, value]) => (value === null ? name : `${name}=${value}`))
  const fragment = fc.oneof(
    fc.constant(""),
    text.map((text) => `#${text}&signature=x?`)
  )

  it.prop(
    "keeps the order and the encoding of its other parameters, wherever the signatures stood",
    [
      fc.array(
        fc.oneof(
          other,
          text.map((value) => `signature=${value}`)
        ),
        { minLength: 1, maxLength: 6 }
      ),
      fragment
    ],
    ([parameters, fragment]) => {
      const others = parameters.filter((parameter) => !parameter.startsWith("signature="))
      const query = others.length === 0 ? "" : `?${others.join("&")}`
      assert.strictEqual(
        unsigned(`https://api.apify.com/keys?${parameters.join("&")}${fragment}`),
        `https://api.apify.com/keys${query}${fragment}`
      )
    }
  )

  it.prop("has none, and stays as it is", [PublicUrlFromString], ([link]) => {
    const once = link.withoutSignature()
    assert.strictEqual(once.withoutSignature(), once)
  })
})
