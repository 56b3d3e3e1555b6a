/**
 * Text from outside, made safe to show: no secret can be read from it in any way, and what is harmless stays as it is.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import { character } from "../../../vitest.text.js"
import {
  excerpt,
  MIN_SECRET_LENGTH,
  originAndPath,
  quote,
  REDACTED,
  redact,
  redactor,
  snippet
} from "../src/Redaction.js"
import * as refusals from "../src/Refusal.js"

const everyRefusal = [
  ...Object.values(refusals).flatMap((refusal) => (typeof refusal === "function" ? [] : [refusal])),
  refusals.methodRefusal(["GET", "PUT"]),
  refusals.invalidValueRefusal("limit is not a number"),
  refusals.requestTooLargeRefusal(9_437_184, 9_453_568),
  refusals.unsupportedEncodingRefusal("bla"),
  refusals.rateLimitRefusal(60)
]

const anyText = fc.oneof(
  fc.string({ unit: character, maxLength: 500 }),
  fc.string({ unit: character, maxLength: 500 }),
  fc.string({ unit: fc.constantFrom("\u001b[31m", "\u202e", "\r\n", "\u0000", "😀", "\ud83d", "a") })
)

describe("a client's own token", () => {
  it.prop("is hidden under every encoding, wherever it stands", [token(), encodings(3), anyText, anyText], (given) => {
    const [secret, encode, before, after] = given
    assertHidden(secret, redactor([secret])(`${before} ${encode(secret)} ${after}`))
  })

  it.prop("is hidden in what it was put into before that was encoded", [token(), carrier(), encodings(3)], (given) => {
    const [secret, carry, encode] = given
    assertHidden(secret, redactor([secret])(encode(carry("token", secret))))
  })

  it.prop("is hidden in upper and lower case", [token()], ([secret]) => {
    for (const text of [secret.toLowerCase(), secret.toUpperCase()]) assertHidden(text, redactor([secret])(text))
  })

  it.prop("is hidden beside another that begins with it", [token(), token()], ([one, more]) => {
    for (const secrets of [
      [one, one + more],
      [one + more, one]
    ]) {
      assert.strictEqual(redactor(secrets)(`of ${one + more} and ${one}`), `of ${REDACTED} and ${REDACTED}`)
    }
  })

  it.each([
    ["no such token: s3cr3t/t0ken!", "no such token: <redacted>!"],
    ["s3cr3t/t0kens3cr3t/t0ken", "<redacted><redacted>"],
    ["s3cr3t\\/t0ken", "<redacted>"],
    ["s3cr3t%2ft0ken", "<redacted>"],
    ["s3cr3t%252Ft0ken", "<redacted>"],
    ["\\u00733cr3t/t0ken", "<redacted>"],
    ["s3cr3t&sol;t0ken", "<redacted>"],
    ["s3cr3t&#47;t0ken", "<redacted>"],
    ["s3cr3t&#x02F;t0ken", "<redacted>"],
    ["s3cr3t&amp;#x2f;t0ken", "<redacted>"],
    ["s3cr3t\\u00252Ft0ken", "<redacted>"],
    ["s3cr3t\u200b/t0ken", "<redacted>"],
    ["s3cr3t/\n  t0ken", "<redacted>"],
    ["no such token: S3CR3T/T0KEN!", "no such token: <redacted>!"],
    ["S3CR3T/\n  T0KEN", "<redacted>"],
    ["s3cr3t\\X2Ft0ken", "<redacted>"],
    ["s3cr3t%u002ft0ken", "<redacted>"],
    ["s3cr3t\\u{10ffff}/t0ken", "<redacted>"],
    [`%${"25".repeat(50)}41`, "<redacted>"],
    ["100% of s3cr3t", "100% of s3cr3t"]
  ])("is hidden in %j", (text, expected) => {
    assert.strictEqual(redactor(["s3cr3t/t0ken"])(text), expected)
  })

  it.each([
    ["Canary%41%42%43", "\\u0043anary%41%42%43"],
    ["%41Canary12\\", '"&#37;41Canary12\\"']
  ])("that looks encoded itself, %j, is hidden in %j", (secret, text) => {
    assert.strictEqual(redactor([secret])(text), REDACTED)
  })

  it.each([
    ["A-b-C-d-E", "a%2Db-c-d-e"],
    ["s3cr3t-t", "s3cr3t%2dt"]
  ])("that has few letters, %j, is hidden in %j", (secret, text) => {
    assert.strictEqual(redactor([secret])(text), REDACTED)
  })

  it("is hidden beside every escape for white space", () => {
    for (const letter of "bfnrt") assert.strictEqual(redactor(["s3cr3t/t0ken"])(`s3cr3t/\\${letter}t0ken`), REDACTED)
  })

  it("is hidden beside every reference of HTML to punctuation or a space", () => {
    const names =
      "amp apos ast bsol colon comma commat DiacriticalGrave dollar equals excl grave gt Hat lbrace lbrack lcub lowbar lpar lsqb " +
      "lt midast nbsp NewLine num percnt period plus quest quot rbrace rbrack rcub rpar rsqb semi shy sol Tab UnderBar verbar " +
      "vert VerticalLine ZeroWidthSpace"
    const withoutSemicolon = "amp apos gt lt nbsp quot shy #47 #x2f"
    for (const reference of [...names.split(" ").map((name) => `${name};`), ...withoutSemicolon.split(" ")]) {
      assert.strictEqual(redactor(["s3cr3t/t0ken"])(`s3cr3t&${reference}t0ken`), REDACTED, reference)
    }
  })

  it.prop(
    "that is too short to be one is not looked for",
    [fc.string({ maxLength: MIN_SECRET_LENGTH - 1 }), anyText],
    ([short, text]) => {
      assert.strictEqual(redactor([short])(text), text)
    }
  )

  it("leaves a text without it alone", () => {
    for (const { error } of everyRefusal) {
      assert.strictEqual(redactor(["apify_api_abc123"])(error.message), error.message)
    }
  })
})

describe("a text of Apify's", () => {
  it.prop(
    "does not show a token with Apify's prefix",
    [apifyToken(), encodings(3), anyText],
    ([secret, encode, before]) => {
      assertHidden(secret, redact(`${before} ${encode(secret)} is not valid`))
    }
  )

  it.prop(
    "does not show what stands behind the name of a credential, however both are encoded",
    [name(), secretValue(), carrier(), encodings(3), encodings(2)],
    ([name, secret, carry, encode, encodeName]) => {
      assertHidden(secret, redact(`Refused: ${encode(carry(encodeName(name), secret))}`))
    }
  )

  it.prop(
    "does not show a quoted value, whatever it is made of",
    [name(), hardValue(), encodings(2)],
    ([name, secret, encode]) => {
      assertHidden("Canary", redact(encode(JSON.stringify({ first: "a", [name]: secret, last: "z" }))))
      assertHidden("Canary", redact(encode(JSON.stringify({ first: "a", [name]: [secret], last: "z" }, null, 2))))
    }
  )

  it.prop(
    "does not show user information or the query of a URL, however it is encoded",
    [secretValue(), encodings(2)],
    ([value, encode]) => {
      const secret = value.replace(/[^a-z0-9]/gi, "")
      for (const url of [`https://jane:${secret}@h/x`, `https://h/x?a=1&b=${secret}&c=2`, `/x?${secret}`]) {
        assertHidden(secret, redact(`See ${encode(url)}, please`))
      }
    }
  )

  it.each([
    ...["token", "token.value", "token$0", "signature", "secret", "password", "passwd", "passphrase", "pwd"],
    ...["authorization", "bearer", "cookie", "session", "PHPSESSID", "credential", "jwt", "sig", "sid", "sess", "otp"],
    ...["pin", "api key", "access-key", "private_key", "signingKey", "encryption key"]
  ])("does not show what follows the name %s", (name) => {
    assert.strictEqual(redact(`Its ${name}: abc`), `Its ${name}: ${REDACTED}`)
  })

  it.each(["code", "key", "id", "state", "nonce", "ticket"])("does not show a random value after %s", (name) => {
    for (const [before, after] of [
      [`${name}=`, ", x"],
      [`${name}: `, " x"],
      [`"${name}":"`, '" x']
    ]) {
      assert.strictEqual(redact(`${before}zQ8v${after}`), `${before}${REDACTED}${after}`)
    }
  })

  it.each([",", ";", ":", ")", "}", "]", ">", "&", " ,"])("shows what follows a quoted value and %j", (sign) => {
    assert.strictEqual(redact(`token="abc"${sign} x`), `token="${REDACTED}"${sign} x`)
  })

  it("is read through seven encodings, and hidden if it has more", () => {
    const encoded = (times: number): string => `%${"25".repeat(times - 1)}41`
    assert.strictEqual(redact(encoded(7)), encoded(7))
    assert.strictEqual(redact(encoded(8)), REDACTED)
  })

  it.prop("is the same when it is redacted again", [anyText, name(), secretValue(), carrier()], (given) => {
    const [text, name, secret, carry] = given
    const once = redact(`${text} ${carry(name, secret)} ${text}`)
    assert.strictEqual(redact(once), once)
  })

  it.each([
    ["apify_api_abc123", "<redacted>"],
    ["APIFY_API_ABC", "<redacted>"],
    ["apify_proxy_abc123.", "<redacted>."],
    ["of apify_ui_abc and apify_api_def", "of <redacted> and <redacted>"],
    ["apify\\u005fapi_abc", "<redacted>"],
    ["apify%5fapi%5fabc", "<redacted>"],
    ["?token=abc&limit=1", "?token=<redacted>&limit=1"],
    ["?token=a,b'c\"d&limit=1", "?token=<redacted>&limit=1"],
    ["?token%3Dabc#end", "<redacted>"],
    ["/keys?signature=abc123&limit=1", "/keys?signature=<redacted>&limit=1"],
    ["?signature=abc&amp;limit=1", "<redacted>"],
    [`%${"25".repeat(50)}41`, "<redacted>"],
    ["t\u00adoken: abc", "<redacted>"],
    ["?next=%252Fkeys%253Fsignature%253Dabc", "<redacted>"],
    ['{"urlSigningSecretKey": "abc","id":"x"}', '{"urlSigningSecretKey": "<redacted>","id":"x"}'],
    ['{"token":"abc"}', '{"token":"<redacted>"}'],
    ['{"token":"a,b c\'d"}', '{"token":"<redacted>"}'],
    ['{"token":"a\\"b"}', "<redacted>"],
    ['{"token":"a\\/b"}', "<redacted>"],
    ['{"\\u0074oken":"abc"}', "<redacted>"],
    ['"{\\"token\\": \\"abc\\"}"', "<redacted>"],
    ["{&quot;token&quot;:&quot;abc&quot;}", "<redacted>"],
    ["{'token': 'abc'}", "{'token': '<redacted>'}"],
    ["{'token': 'a'b'}", "{'token': '<redacted>'}"],
    ["{token: abc, id: x}", "{token: <redacted>"],
    ['{"token":\n"abc"}', '{"token":\n"<redacted>"}'],
    ['{"token":{"value":"abc"},"id":"x"}', '{"token":<redacted>'],
    ['{"name":"token","value":"abc"}', '{"name":"token",<redacted>'],
    ["<token>abc</token>", "<token><redacted>"],
    ["<td>Token</td>\n<td>abc</td>", "<td>Token</td>\n<redacted>"],
    ["<TD>Token</TD>\n<TD>abc</TD>", "<TD>Token</TD>\n<redacted>"],
    ['<meta name="token" content="abc">', '<meta name="token" content=<redacted>'],
    ["'token' => 'abc', 'id' => 'x'", "'token' => '<redacted>', 'id' => 'x'"],
    ['token := "abc", id := "x"', 'token := "<redacted>", id := "x"'],
    ["token -> abc", "token -> <redacted>"],
    ["token: secret=abc", "token: <redacted>"],
    ["token: a&b=c", "token: <redacted>"],
    ["The token a1b2c3d4&b=c", "The token <redacted>"],
    ["{\\'token\\': \\'abc\\'}", "<redacted>"],
    ["{\\`token\\`: \\`abc\\`}", "<redacted>"],
    ["/token?zQ8vN2mLx7=abc", "/token?<redacted>"],
    ["/x?limit=1000&offset=10000", "/x?limit=1000&offset=<redacted>"],
    ["See /x?a=SECRET!", "See /x?a=<redacted>!"],
    ['<input name="password" value="abc">', '<input name="password" value=<redacted>'],
    ["Authorization: Bearer abc", "Authorization: <redacted>"],
    ["Cookie: a=b; c=d\nHost: x", "Cookie: <redacted>\nHost: x"],
    ["Cookie: a=b\r\nHost: x", "Cookie: <redacted>\r\nHost: x"],
    ["token=a\r\nb=c", "token=<redacted>\r\nb=c"],
    ["token=a&b.c=1", "token=<redacted>&b.c=1"],
    ["token: (a\nb)", "token: <redacted>"],
    ["token: |\n  a", "token: <redacted>"],
    ["X-Api-Key: abc", "X-Api-Key: <redacted>"],
    ["at https://jane:SECRET@h/x", "at https://<redacted>@h/x"],
    ["at https://jane@x:SECRET@h/x", "at https://<redacted>@h/x"],
    ["at //jane:SECRET@h/x.", "at //<redacted>@h/x."],
    ["at https%3A%2F%2Fjane:SECRET@h/x", "<redacted>"],
    ["(https://h/cb?code=SECRET&state=1).", "(https://h/cb?code=<redacted>&state=1)."],
    ["https://h/cb?SECRET", "https://h/cb?<redacted>"],
    ["https://h/cb?a=1#/b?c=SECRET", "https://h/cb?a=1#/b?c=<redacted>"],
    ["https:\\/\\/h\\/cb?a=SECRET", "<redacted>"],
    ["?key=SECRET", "?key=<redacted>"],
    ["%3Fkey%3DSECRET", "<redacted>"],
    ["PHPSESSID=SECRET; path=/", "PHPSESSID=<redacted>"],
    ["JSESSIONID=SECRET", "JSESSIONID=<redacted>"],
    ["sid=SECRET", "sid=<redacted>"],
    ["sess=SECRET", "sess=<redacted>"],
    ["?code=4930&pin=4930", "?code=<redacted>&pin=<redacted>"],
    ["?CODE=4930", "?CODE=<redacted>"],
    ["code: 49302", "code: <redacted>"],
    ["pin: 4930", "pin: <redacted>"],
    ["otp: 493021", "otp: <redacted>"],
    ["code=zQ8vN2mL, key=8f14e45f, pin: 49302", "code=<redacted>, key=<redacted>, pin: <redacted>"],
    ["The token abc123 is not valid", "The token <redacted>"],
    ["The signature is a1b2c3d4", "The signature is <redacted>"],
    ["The token, a1b2c3d4, is not valid", "The token, <redacted>"],
    ["The token zQvNmLxR is not valid", "The token <redacted>"],
    ["The token of abcdefghijklmnopqrstuvwxy", "The token of <redacted>"],
    ["The token of aBcDeFgHi", "The token of <redacted>"],
    ["The token of storage1234", "The token of <redacted>"],
    ["The token of 1234567890123", "The token of <redacted>"],
    ["The token of name-a1b2", "The token of <redacted>"],
    ["The token of a1-b2-c3", "The token of <redacted>"],
    ["The token you sent, a1b2c3d4e5f6g7h8i9, is not valid", "The token you sent, <redacted>, is not valid"]
  ])("%j shows as %j", (text, expected) => {
    assert.strictEqual(redact(text), expected)
  })

  it.each([
    "",
    "WkzbQMuFYuamGv3YF",
    "janedoe~my-store",
    "APIFY_TOKEN",
    "The token has no access to the store WkzbQMuFYuamGv3YF",
    "https://api.apify.com/v2/key-value-stores/WkzbQMuFYuamGv3YF/keys?limit=1",
    "100% of 5 < 6 && a\\b",
    "Why? Because of and/or? (status code: 404, key=OUTPUT)",
    "What?and/or",
    "/v2/key-value-stores?desc=true&unnamed=false&prefix=&limit=1000",
    "id: WkzbQMuFYuamGv3YF, code: 1020",
    "Missing token:",
    "The token of abcdefghijklmnopqrstuvwx, SHAKE256, and 123456789012",
    "Shipping: free, spin: 1, side: left, design: plain",
    "The token <redacted> is not valid",
    "The token is not valid.\nTrace: 8f14e45fceea167a",
    // Apify's own, as documented or seen.
    "x402-payment-required",
    "user-or-token-not-found",
    "Authentication token is not valid.",
    "Please provide X402-PAYMENT-SIGNATURE header with the payment.",
    "POST data must be a JSON object",
    "Status parameter has an invalid value",
    "Invalid value provided in store: name can only contain letters 'a' through 'z', the digits '0' through '9', and the hyphen ('-') but only in the middle of the string (e.g. 'my-value-1')",
    "Record key contains invalid character",
    "Record was not found",
    "Actor run was not found",
    "Actor was not found or access denied",
    "The POST payload is too large (limit: 9437184 bytes, actual length: 9453568 bytes).",
    'Content-Encoding "bla" is not supported.',
    "You have exceeded the rate limit of 30 requests per second",
    ...everyRefusal.flatMap(({ error }) => [error.type, error.message])
  ])("%j is left alone", (text) => {
    assert.strictEqual(redact(text), text)
  })
})

describe("a snippet", () => {
  it.each([
    "404 page not found",
    "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx/1.18.0 (Ubuntu)</center>\r\n</body>\r\n</html>\r\n",
    '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>503 Service Unavailable</title>',
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">',
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>',
    "<pre>Cannot GET /v2/key-value-stores/my-store</pre>",
    "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
    '{"message":"no Route matched with those values"}',
    "No such Key-Value Store",
    "Request 012345678901234",
    "HTTP/1.1 404, code 404, error code: 1020",
    "Žluťoučký kůň &amp; 店"
  ])("shows %j", (text) => {
    assert.strictEqual(Option.getOrNull(snippet(text, 1000)), excerpt(text.trim(), 1000))
  })

  it.each([
    "",
    " \n",
    "401 Unauthorized",
    "no such token",
    "no such t%6fken",
    "no such &#116;oken",
    "no such \\u0074oken",
    "no such t%256Fken",
    "no such \\token",
    "Ray ID: 8f14e45fceea167a",
    "Ray ID: 8f14e45f%2dceea167a",
    "code: zQ8vN2mLx7Rt",
    "zQ8vN2mL is wrong",
    "id 8f14e45fceea",
    "id%208f14",
    "state 8f14",
    "nonce 8f14",
    "ticket: 8f14",
    "Code 8f14",
    "See apify_x",
    "See /login?&a=1",
    "otp 493021",
    "code 493021",
    "pin 4930",
    "ab12/CD34+ef56/GH78==",
    "0123456789012345",
    "abcdefghijklmnopqrstuvwxyz",
    "See /login?next=1",
    "See /login%3fnext=1",
    "https://jane:pass@proxy.example/",
    `${"all is well. ".repeat(1000)} key`,
    `%${"25".repeat(50)}41`
  ])("does not show %j", (text) => {
    assert.isNull(Option.getOrNull(snippet(text, 1000)))
  })

  it.prop("shows no secret", [fc.oneof(apifyToken(), randomSecret()), encodings(3), anyText, anyText], (given) => {
    const [secret, encode, before, after] = given
    assertHidden(
      secret,
      Option.getOrElse(snippet(`${before} ${encode(secret)} ${after}`, 10_000), () => "")
    )
  })

  it.prop("of a text that names a credential is none", [name(), secretValue(), carrier(), encodings(3)], (given) => {
    const [name, secret, carry, encode] = given
    assert.isNull(Option.getOrNull(snippet(encode(carry(name, secret)), 10_000)))
  })

  it.prop("of harmless words is the text", [fc.array(word(), { minLength: 1 }), fc.nat(50)], ([words, limit]) => {
    assert.strictEqual(Option.getOrNull(snippet(words.join(" "), limit)), excerpt(words.join(" "), limit))
  })
})

describe("a location", () => {
  it.each([
    [
      "https://api.apify.com/v2/key-value-stores/WkzbQMuFYuamGv3YF",
      "https://api.apify.com/v2/key-value-stores/WkzbQMuFYuamGv3YF"
    ],
    ["https://api.apify.com/v2/acts/WkzbQMuFYuamGv3YF", "https://api.apify.com/v2/acts/<redacted>"],
    ["https://evil.example/?token=abc", "https://evil.example/"],
    ["https://evil.example#abc", "https://evil.example"],
    ["https://jane:pass@evil.example:8080/a/b", "https://evil.example:8080/a/b"],
    ["https://jane@x:pass@evil.example/a", "https://evil.example/a"],
    ["https://jane:pa/ss@evil.example/a", "https://<redacted>/<redacted>/a"],
    ["HTTP:\\\\jane:pass@evil.example\\a", "HTTP://evil.example/a"],
    ["http:jane:pass@evil.example", "http://evil.example"],
    ["\\\\jane:pass@evil.example\\a", "//evil.example/a"],
    ["ht\ntps://jane:pass@evil.example/", "https://evil.example/"],
    ["\u0000https://jane:pass@evil.example/", "https://evil.example/"],
    ["//evil.example/a?b", "//evil.example/a"],
    ["https://[::1]:8010/", "https://[::1]:8010/"],
    ["https://8f14e45fceea167a.evil.example/", "https://<redacted>/"],
    ["/login", "/login"],
    ["login.html?next=1", "login.html"],
    ["../a/./b", "../a/./b"],
    ["/auth/login", "/auth/login"],
    ["/reset-password/abc123", "/reset-password/<redacted>"],
    ["/%74oken/abc123/login", "/%74oken/<redacted>/login"],
    ["/a;jsessionid=abc/b", "/<redacted>/b"],
    ["/a%3Fsignature%3Dabc/b", "/<redacted>/b"],
    ["/a%252Fb", "/<redacted>"],
    ["/páth/a%20b", "/páth/a%20b"],
    ["https://8f14e45f.example/", "https://8f14e45f.example/"],
    ["/8f14e45fceea167", "/8f14e45fceea167"],
    ["/8f14e45fceea167a", "/<redacted>"],
    ["/token/abcdefghijklmno/a.b-c", "/token/abcdefghijklmno/a.b-c"],
    ["/token/abcdefghijklmnop", "/token/<redacted>"],
    ["/apify_api_abc", "/<redacted>"],
    ["/token:abc", "/<redacted>"],
    ["<redacted>", "<redacted>"],
    ["https://evil.example/<redacted>", "https://evil.example/<redacted>"],
    ["FILE:///etc/passwd", "FILE:<redacted>"],
    ["javascript:alert(1)", "javascript:<redacted>"],
    ["about:blank", "about:<redacted>"],
    ["data:text/plain,a", "data:<redacted>"],
    ["ftp://evil.example/", "ftp:<redacted>"],
    ["mailto:jane@evil.example", "mailto:<redacted>"]
  ])("%j shows as %j", (location, expected) => {
    assert.strictEqual(Option.getOrNull(originAndPath(location)), expected)
  })

  it.each(["", " ", "?token=abc", "#abc", "s3cret:abc"])("%j shows as nothing", (location) => {
    assert.isNull(Option.getOrNull(originAndPath(location)))
  })

  it("is cut", () => {
    assert.strictEqual(Option.getOrNull(originAndPath(`/${"a/".repeat(200)}`)), `/${"a/".repeat(99)}a…`)
    assert.strictEqual(Option.getOrNull(originAndPath("/a/b", 2)), "/a…")
  })

  it.prop(
    "shows no secret, wherever it stands",
    [fc.oneof(apifyToken(), randomSecret()), encodings(2), locationAround()],
    ([secret, encode, around]) => {
      const plain = encodeURIComponent(secret)
      const location = around(encode(plain))
      assertHidden(plain.toLowerCase(), Option.getOrElse(originAndPath(location, 10_000), () => "").toLowerCase())
    }
  )

  it.prop("never shows a query, a fragment or user information", [anyText, anyText, anyText], ([user, query, text]) => {
    const location = `https://${user.replace(/[\\/?#@]/g, "")}Canary@evil.example/a?Canary${query}#Canary${text}`
    assert.strictEqual(Option.getOrNull(originAndPath(location)), "https://evil.example/a")
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

  it("is cut after 80 characters, or at its limit", () => {
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

  it.prop("is printable, on one line, and no longer than its limit", [anyText, fc.nat(200)], ([text, limit]) => {
    assert.match(quote(text, limit), /^"[^\p{C}\u2028\u2029]*"$/u)
    assert.isAtMost(quote(text, limit).length, limit + 3)
  })

  it.prop("of printable characters is the text", [fc.stringMatching(/^[a-zA-Z0-9 ~_.-]{0,80}$/)], ([text]) => {
    assert.strictEqual(quote(text), `"${text}"`)
  })

  it.prop(
    "holds no part of a secret, wherever it is cut",
    [anyText, name(), secretValue(), anyText, fc.nat(200)],
    (given) => {
      const [before, name, secret, after, limit] = given
      assert.notInclude(quote(`${before}${name}=${secret} ${after}`, limit), "Can")
      assert.notInclude(excerpt(`${before} apify_api_${secret} ${after}`, limit), "Can")
    }
  )
})

describe("any text", () => {
  const functions: ReadonlyArray<(text: string) => unknown> = [
    redact,
    redactor(["apify_api_abc123", "%41%42%43%44", "\\\\\\\\\\", "&amp;amp;"]),
    quote,
    (text) => excerpt(text, Number.POSITIVE_INFINITY),
    (text) => snippet(text, 200),
    originAndPath
  ]

  it.prop(
    "is taken",
    [
      fc.oneof(
        anyText,
        fc.array(fragment(), { maxLength: 100 }).map((parts) => parts.join(""))
      )
    ],
    ([text]) => {
      for (const each of functions) each(text)
    }
  )

  it.prop("is redacted to the same whether once or twice", [fc.array(fragment(), { maxLength: 20 })], ([parts]) => {
    const once = redact(parts.join(""))
    assert.strictEqual(redact(once), once)
  })

  it.each([
    "token",
    "token ",
    "token,",
    'token"',
    "token=",
    "token <a",
    "token (",
    '"token":"',
    "auth-",
    "a",
    "aB3",
    " ",
    '"',
    "\\",
    "\\u0",
    "%",
    "%25",
    "25",
    "&",
    "&#x0",
    "0",
    "apify_",
    "apify_a",
    "<",
    "/",
    "@",
    "//",
    ":",
    ".",
    "\ud800",
    "😀",
    "?"
  ])("of a megabyte of %j is worked through", (part) => {
    const half = part.repeat(2 ** 19 / part.length)
    for (const each of functions) each(`${half}token${half}`)
  })
})

type Encode = (text: string) => string

const hex = (character: string, length: number): string => character.charCodeAt(0).toString(16).padStart(length, "0")

/** The ways to write one visible character of ASCII. */
function characterEncodings(): ReadonlyArray<Encode> {
  const named = new Map(
    Object.entries({ '"': "quot", "&": "amp", "'": "apos", "/": "sol", "<": "lt", "=": "equals", _: "lowbar" })
  )
  return [
    (character) => `%${hex(character, 2)}`,
    (character) => `%${hex(character, 2).toUpperCase()}`,
    (character) => `\\u${hex(character, 4)}`,
    (character) => `\\u${hex(character, 4).toUpperCase()}`,
    (character) => `\\x${hex(character, 2)}`,
    (character) => `\\u{${hex(character, 1)}}`,
    (character) => (/["'/\\]/.test(character) ? `\\${character}` : character),
    (character) => `&#${character.charCodeAt(0)};`,
    (character) => `&#x${hex(character, 2)};`,
    (character) => `&#X000${hex(character, 2).toUpperCase()};`,
    (character) => (named.has(character) ? `&${named.get(character)};` : `&#${character.charCodeAt(0)};`)
  ]
}

/** One way to encode a whole text, so that one decoder reads it back. */
function encoding(): fc.Arbitrary<Encode> {
  return fc.oneof(
    fc.constantFrom<Array<Encode>>(
      (text) => text,
      encodeURIComponent,
      (text) => encodeURIComponent(text).replace(/%../g, (byte) => byte.toLowerCase()),
      (text) => JSON.stringify(text).slice(1, -1),
      (text) => JSON.stringify(text).slice(1, -1).replaceAll("/", "\\/"),
      (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`),
      (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;")
    ),
    // Every so many characters of a kind that must be escaped, and any others besides.
    fc
      .tuple(fc.constantFrom(...characterEncodings()), fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }))
      .map(([encode, which]): Encode => {
        return (text) =>
          text.replace(/[!-~]/g, (character, index: number) =>
            /[%&\\]/.test(character) || which[index % which.length] ? encode(character) : character
          )
      })
  )
}

/** Encodings one after the other. */
function encodings(maxLength: number): fc.Arbitrary<Encode> {
  return fc.array(encoding(), { maxLength }).map(
    (all): Encode =>
      (text) =>
        all.reduce((safe, encode) => encode(safe), text)
  )
}

/** Every reading of a text, by decoders that know nothing of those that are tested. */
function readings(text: string): ReadonlySet<string> {
  const code = (digits: string, radix: number): string => String.fromCharCode(Number.parseInt(digits, radix))
  const decoders: ReadonlyArray<Encode> = [
    (text) => text.replace(/%([0-7][0-9a-f])/gi, (_, digits: string) => code(digits, 16)),
    (text) =>
      text
        .replace(/\\u\{?([0-9a-f]{4}|[0-9a-f]{2}(?=\}))\}?|\\x([0-9a-f]{2})/gi, (_, long?: string, short?: string) =>
          code(long ?? short ?? "", 16)
        )
        .replace(/\\(["'/\\])/g, "$1"),
    (text) =>
      text
        .replace(/&#x([0-9a-f]+);/gi, (_, digits: string) => code(digits, 16))
        .replace(/&#(\d+);/g, (_, digits: string) => code(digits, 10))
        .replace(/&quot;/g, '"')
        .replace(/&apos;/g, "'")
        .replace(/&lt;/g, "<")
        .replace(/&sol;/g, "/")
        .replace(/&equals;/g, "=")
        .replace(/&lowbar;/g, "_")
        .replace(/&amp;/g, "&")
  ]
  const seen = new Set([text])
  for (const form of seen) {
    if (seen.size > 200) break
    for (const decode of decoders) seen.add(decode(form))
  }
  return seen
}

function assertHidden(secret: string, shown: string): void {
  for (const reading of readings(shown)) assert.notInclude(reading, secret, `in ${JSON.stringify(shown)}`)
}

/** As Apify's tokens are. */
function apifyToken(): fc.Arbitrary<string> {
  return fc.stringMatching(/^apify_(api|proxy|ui)_[a-zA-Z0-9]{10,40}$/)
}

/** Any token that a client takes. */
function token(): fc.Arbitrary<string> {
  return fc.oneof(
    apifyToken(),
    fc.stringMatching(/^[!-~]Canary[!-~]{4,40}$/),
    // One that looks encoded.
    fc
      .array(fc.constantFrom("%41", "%25", "&lt;", "&amp;", "\\u0061", "\\\\", '"', "/", "a", "Z9"), { maxLength: 10 })
      .map((parts) => `Canary12${parts.join("")}`)
  )
}

/** Random as a signature or a signing key is, and as no word is. */
function randomSecret(): fc.Arbitrary<string> {
  return fc.stringMatching(/^[a-zA-Z0-9]{8,30}Q7x[a-z]Z[a-zA-Z0-9]{8,30}$/)
}

/** A signature, a signing key, a token, a password or a cookie's value: one word. */
function secretValue(): fc.Arbitrary<string> {
  return fc.oneof(fc.stringMatching(/^Canary[a-zA-Z0-9]{0,60}$/), fc.stringMatching(/^Canary[\w.,/+'~=-]{4,40}$/))
}

/** What only a string of JSON can hold. */
function hardValue(): fc.Arbitrary<string> {
  const part = fc.stringMatching(/^[ -~]{0,20}$/)
  return fc.tuple(part, part).map(([before, after]) => `${before}Canary${after}`)
}

/** The name of a credential. */
function name(): fc.Arbitrary<string> {
  return fc.constantFrom(
    "token",
    "TOKEN",
    "access_token",
    "signature",
    "X-Amz-Signature",
    "urlSigningSecretKey",
    "client-secret",
    "password",
    "Authorization",
    "Set-Cookie",
    "sessionId",
    "api_key",
    "apiKey",
    "x-api-key"
  )
}

/** A text that holds a credential by its name. */
function carrier(): fc.Arbitrary<(name: string, secret: string) => string> {
  return fc.constantFrom<Array<(name: string, secret: string) => string>>(
    (name, secret) => `${name}=${secret}`,
    (name, secret) => `${name}: ${secret}`,
    (name, secret) => `${name}: Bearer ${secret}; Path=/`,
    (name, secret) => `${name} = "${secret}"`,
    (name, secret) => `the ${name} is wrong: ${name}:${secret}, and so on`,
    (name, secret) => `https://api.apify.com/v2/keys?limit=1&${name}=${encodeURIComponent(secret)}&prefix=a`,
    (name, secret) =>
      `https://login.example/?next=${encodeURIComponent(`/keys?${name}=${encodeURIComponent(secret)}`)}`,
    (name, secret) => JSON.stringify({ id: "x", [name]: secret, last: "y" }),
    (name, secret) => JSON.stringify({ id: "x", [name]: secret, last: "y" }, null, 2),
    (name, secret) => JSON.stringify(JSON.stringify({ [name]: secret })),
    (name, secret) => JSON.stringify([{ name, value: secret }]),
    (name, secret) => `<p>${name}: <b>${secret}</b></p>`,
    (name, secret) => `<a href="/keys?${name}=${secret}&amp;limit=1">keys</a>`,
    (name, secret) => `<pre>{&quot;${name}&quot;: &quot;${secret}&quot;}</pre>`,
    (name, secret) => `<td>${name}</td> <td>${secret}</td>`,
    (name, secret) => `<input type="hidden" name="${name}" value="${secret}">`,
    (name, secret) => `GET / HTTP/1.1\r\nHost: x\r\n${name}: ${secret}\r\nAccept: */*\r\n`
  )
}

/** A word that is no credential and names none. */
function word(): fc.Arbitrary<string> {
  return fc.constantFrom(
    "the",
    "server",
    "Bad",
    "Gateway",
    "502",
    "nginx/1.18.0",
    "<h1>",
    "(Ubuntu)",
    "HTTP/1.1",
    "č",
    "50%"
  )
}

function locationAround(): fc.Arbitrary<Encode> {
  return fc.constantFrom<Array<Encode>>(
    (secret) => `https://evil.example/${secret}`,
    (secret) => `https://evil.example/a/${secret}/b`,
    (secret) => `https://evil.example/v2/key-value-stores/${secret}/keys`,
    (secret) => `https://evil.example/?q=${secret}`,
    (secret) => `https://evil.example/a#${secret}`,
    (secret) => `https://${secret}@evil.example/a`,
    (secret) => `https://jane:${secret}@evil.example/a`,
    (secret) => `https://${secret}.evil.example/a`,
    (secret) => `//${secret}/a`,
    (secret) => `/token/${secret}`,
    (secret) => `/a;id=${secret}`,
    (secret) => secret,
    (secret) => `${secret}:a`,
    (secret) => `data:text/plain,${secret}`
  )
}

/** A piece of a text that is hard to read. */
function fragment(): fc.Arbitrary<string> {
  return fc.constantFrom(
    ..."%&\\\"'`<>=:;,.?#@/()[]{}|- \n\t",
    "%25",
    "\\u{ffffff}",
    "&#99999999999;",
    "%5c",
    "\\u005c",
    "&amp",
    "&#37;",
    "\ud800",
    "\u200b",
    "token",
    "signature",
    "auth",
    "apify_api_",
    "<redacted>",
    "Canary123",
    "8f14e45fceea167a",
    "https://",
    "value="
  )
}
