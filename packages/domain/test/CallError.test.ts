/**
 * The errors of Get store: which there are, what they tell a person to do, and which are worth another attempt.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import { assertEquals } from "@effect/vitest/utils"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import {
  BadRequestError,
  describeFailure,
  ForbiddenError,
  GetStoreError,
  InvalidStoreRefError,
  MalformedResponseError,
  MethodNotAllowedError,
  Milliseconds,
  PaymentRequiredError,
  RateLimitedError,
  type Retryable,
  ServerError,
  StoreNotFoundError,
  TimeoutError,
  TransportError,
  UnauthorizedError,
  UnexpectedResponseError
} from "../src/index.js"

const call = {
  method: "GET",
  url: "https://api.apify.com/v2/key-value-stores/janedoe~my-store",
  ref: "janedoe~my-store",
  attempts: 1,
  elapsed: Duration.millis(120)
} as const

const answer = (status: number, apifyType: string, apifyMessage: string) => ({
  ...call,
  status,
  apifyType: Option.some(apifyType),
  apifyMessage: Option.some(apifyMessage)
})

const notFound = answer(404, "record-not-found", "Key-value Store was not found")
const unauthorized = answer(401, "user-or-token-not-found", "User was not found or authentication token is not valid")
const rateLimited = answer(429, "rate-limit-exceeded", "You have exceeded the rate limit of 60 requests per second")
const broken = answer(500, "internal-server-error", "Internal server error")
const redirect = { ...call, status: 302, problem: "It is a redirect", location: Option.some("https://evil.example/") }
const html = { ...call, status: 200, problem: "Its content type is text/html", snippet: Option.some("<html>") }
const malformed = { ...call, status: 200, problems: [{ path: ["data", "stats", "readCount"], problem: "is no count" }] }
const attempt = { ...call, phase: "attempt", limit: Duration.seconds(5) } as const
const wholeCall = { ...call, phase: "call", limit: Duration.minutes(1) } as const

describe("the errors", () => {
  const tags = [
    "InvalidStoreRefError",
    "BadRequestError",
    "UnauthorizedError",
    "PaymentRequiredError",
    "ForbiddenError",
    "StoreNotFoundError",
    "MethodNotAllowedError",
    "RateLimitedError",
    "ServerError",
    "UnexpectedResponseError",
    "MalformedResponseError",
    "TransportError",
    "TimeoutError"
  ] as const

  it("are these thirteen", () => {
    assert.lengthOf(tags, 13)
    assert.sameMembers(
      GetStoreError.members.map((member) => member._tag),
      [...tags]
    )
    expectTypeOf<GetStoreError["_tag"]>().toEqualTypeOf<(typeof tags)[number]>()
  })

  it.prop("are instances of Error, named by their tag", [GetStoreError], ([error]) => {
    assert.instanceOf(error, Error)
    assert.strictEqual(error.name, error._tag)
    assert.include(tags, error._tag)
    assert.isTrue(GetStoreError.members.some((member) => error instanceof member))
  })

  it("need say nothing of what Apify did not answer", () => {
    const { apifyType, apifyMessage, snippet, retryAfter, limit } = new RateLimitedError({ ...call, status: 429 })
    for (const detail of [apifyType, apifyMessage, snippet, retryAfter, limit]) {
      assertEquals(detail, Option.none())
    }
  })
})

describe("the message", () => {
  const samples: ReadonlyArray<readonly [what: string, error: GetStoreError, says: ReadonlyArray<string>]> = [
    [
      "of a bad reference shows it and the three forms",
      new InvalidStoreRefError({ ref: '"../etc"', problem: "an id is 17 letters and digits" }),
      ['"../etc"', "17 letters and digits", '"WkzbQMuFYuamGv3YF"', '"username~store-name"', '"~store-name"']
    ],
    [
      "of a 400 says to check the reference",
      new BadRequestError(answer(400, "invalid-request", "Resource name parameter cannot be empty")),
      ["400 invalid-request", "Resource name parameter cannot be empty", "Check", "janedoe~my-store"]
    ],
    [
      "of a 401 says where the token was read from",
      new UnauthorizedError({ ...unauthorized, tokenSource: Option.some("the environment variable APIFY_TOKEN") }),
      ["401 user-or-token-not-found", "came from the environment variable APIFY_TOKEN", "revoked"]
    ],
    [
      "of a 401 without a token says how to give one",
      new UnauthorizedError(answer(401, "token-not-provided", "Authentication token was not provided")),
      ["401 token-not-provided", "No token was sent", "APIFY_TOKEN", "ApifyClient.layer"]
    ],
    [
      "of a 402 names the account's plan",
      new PaymentRequiredError(answer(402, "x402-payment-required", "Please provide a payment")),
      ["402 x402-payment-required", "plan", "Billing"]
    ],
    [
      "of a 403 says to ask the owner",
      new ForbiddenError(answer(403, "insufficient-permissions", "Insufficient permissions")),
      ["403 insufficient-permissions", "Ask the owner of janedoe~my-store to share it", "general access"]
    ],
    [
      "of a 404 gives the form of a name",
      new StoreNotFoundError(notFound),
      ["404 record-not-found", "no store janedoe~my-store", '"username~store-name"', '"~store-name"']
    ],
    [
      "of a 405 suspects the server",
      new MethodNotAllowedError({ ...call, status: 405 }),
      ["api.apify.com answered 405", "https://api.apify.com is Apify's API", "proxy"]
    ],
    [
      "of a 429 says the limit and the wait that the server named",
      new RateLimitedError({ ...rateLimited, limit: Option.some(30), retryAfter: Option.some(Duration.seconds(90)) }),
      ["429 rate-limit-exceeded", "The limit is 30 requests a second", "send fewer at once", "wait 1m 30s"]
    ],
    [
      "of a 429 says Apify's own limit where the server named none",
      new RateLimitedError(rateLimited),
      ["60 requests a second", "send fewer at once", "wait a while"]
    ],
    [
      "of a 5xx says to try later",
      new ServerError({ ...broken, attempts: 9, elapsed: Duration.seconds(42) }),
      ["500 internal-server-error", "9 attempts in 42s", "try again later", "status.apify.com"]
    ],
    [
      "of another answer says what is wrong with it",
      new UnexpectedResponseError(html),
      [
        "api.apify.com answered 200: <html>",
        "content type is text/html",
        "https://api.apify.com is Apify's API",
        "proxy"
      ]
    ],
    [
      "of a redirect says where it points",
      new UnexpectedResponseError(redirect),
      ["answered 302", "It is a redirect", "points to https://evil.example/", "not followed"]
    ],
    [
      "of a malformed store lists every problem with its path",
      new MalformedResponseError({
        ...malformed,
        kind: "Shape",
        problems: [...malformed.problems, { path: ["data", "keys", 0], problem: "is missing" }]
      }),
      ["what is not a store", "data.stats.readCount is no count", "data.keys.0 is missing", "newer version"]
    ],
    [
      "of a name that can't be resolved says to check the base URL",
      new TransportError({ ...call, reason: "dns", code: Option.some("ENOTFOUND") }),
      ["api.apify.com", "could not be resolved", "[ENOTFOUND]", "base URL", "network"]
    ],
    [
      "of a refused connection says to check the server",
      new TransportError({ ...call, reason: "connect", code: Option.some("ECONNREFUSED"), attempts: 9 }),
      ["no connection could be made", "[ECONNREFUSED]", "9 attempts", "Check that the server runs"]
    ],
    [
      "of TLS names the certificate",
      new TransportError({ ...call, reason: "tls" }),
      ["no secure connection", "certificate", "clock"]
    ],
    [
      "of a reset says to try again",
      new TransportError({ ...call, reason: "reset" }),
      ["connection broke", "Try again"]
    ],
    [
      "of what is not HTTP names the port",
      new TransportError({ ...call, reason: "protocol" }),
      ["not valid HTTP", "port"]
    ],
    [
      "of an unknown failure says so",
      new TransportError({ ...call, reason: "unknown" }),
      ["does not say why", "Check"]
    ],
    [
      "of an attempt's timeout names the option",
      new TimeoutError({ ...attempt, attempts: 9 }),
      ["api.apify.com did not answer in full within 5s", "9 attempts", "attemptTimeout"]
    ],
    [
      "of the call's timeout names the option, and the last failure",
      new TimeoutError({ ...wholeCall, lastFailure: Option.some("Apify answered 503.") }),
      ["the 1m of the whole call", "Apify answered 503.", "callTimeout"]
    ]
  ]

  it.each(samples)("%s", (_, { message }, parts) => {
    for (const part of parts) assert.include(message, part)
  })

  it("has a sample of every error", () => {
    assert.sameMembers(
      [...new Set(samples.map(([, error]) => error._tag))],
      GetStoreError.members.map((member) => member._tag)
    )
  })

  it("counts attempts where there was more than one", () => {
    assert.notInclude(new StoreNotFoundError(notFound).message, "attempt")
    assert.include(new StoreNotFoundError({ ...notFound, attempts: 2 }).message, "(2 attempts in 120ms)")
  })

  it("names the server that answered where it is not known to be Apify", () => {
    assert.include(new StoreNotFoundError(notFound).message, "Apify answered 404")
    const url = "http://127.0.0.1:8080/v2/key-value-stores/x"
    assert.include(new ServerError({ ...call, url, status: 502 }).message, "127.0.0.1:8080 answered 502")
  })

  it.prop("is one printable line that is a sentence or more", [GetStoreError], ([error]) => {
    assert.match(error.message, /^[^\p{C}\u2028\u2029]+[.]$/u)
  })

  it.prop(
    "is one printable line, whatever the server and the caller said",
    [GetStoreError, hostileText()],
    ([error, text]) => {
      assert.match(saying(error, text).message, /^[^\p{C}\u2028\u2029]+[.]$/u)
    }
  )

  it.prop("shows no token that slipped into the error", [GetStoreError], ([error]) => {
    const { message } = saying(error, "apify_api_Canary")
    assert.notInclude(message, "Canary")
    assert.include(message, "<redacted>")
  })
})

describe("an error in a few words", () => {
  it.each([
    [new InvalidStoreRefError({ ref: '""', problem: "it is empty" }), "InvalidStoreRefError"],
    [new StoreNotFoundError(notFound), "StoreNotFoundError (404)"],
    [new ServerError({ ...broken, status: 503 }), "ServerError (503)"],
    [new MalformedResponseError({ ...malformed, kind: "Json" }), "MalformedResponseError (200)"],
    [
      new TransportError({ ...call, reason: "connect", code: Option.some("ECONNREFUSED") }),
      "TransportError (ECONNREFUSED)"
    ],
    [new TransportError({ ...call, reason: "tls" }), "TransportError (tls)"],
    [new TimeoutError(attempt), "TimeoutError (attempt)"],
    [new TimeoutError(wholeCall), "TimeoutError (call)"]
  ])("is its tag, and what tells most: %#", (error, words) => {
    assert.strictEqual(describeFailure(error), words)
  })
})

describe("another attempt", () => {
  const table: ReadonlyArray<readonly [what: string, error: GetStoreError, retryable: Retryable]> = [
    ["a bad reference", new InvalidStoreRefError({ ref: '""', problem: "it is empty" }), "Never"],
    ["400", new BadRequestError({ ...call, status: 400 }), "Never"],
    ["401", new UnauthorizedError(unauthorized), "Never"],
    ["402", new PaymentRequiredError({ ...call, status: 402 }), "Never"],
    ["403", new ForbiddenError({ ...call, status: 403 }), "Never"],
    ["404", new StoreNotFoundError(notFound), "Never"],
    ["405", new MethodNotAllowedError({ ...call, status: 405 }), "Never"],
    ["429", new RateLimitedError(rateLimited), "ByPolicy"],
    ["500", new ServerError(broken), "ByPolicy"],
    ["503", new ServerError({ ...broken, status: 503 }), "ByPolicy"],
    ["another answer", new UnexpectedResponseError(html), "Never"],
    ["a redirect", new UnexpectedResponseError(redirect), "Never"],
    ["408", new UnexpectedResponseError({ ...html, status: 408 }), "ByPolicy"],
    ["501", new UnexpectedResponseError({ ...html, status: 501 }), "Never"],
    ["a body that is no JSON", new MalformedResponseError({ ...malformed, kind: "Json" }), "Once"],
    ["JSON of another shape", new MalformedResponseError({ ...malformed, kind: "Shape" }), "Never"],
    ["ENOTFOUND", new TransportError({ ...call, reason: "dns", code: Option.some("ENOTFOUND") }), "Once"],
    ["EAI_AGAIN", new TransportError({ ...call, reason: "dns", code: Option.some("EAI_AGAIN") }), "ByPolicy"],
    ["dns without a code", new TransportError({ ...call, reason: "dns" }), "ByPolicy"],
    ["connect", new TransportError({ ...call, reason: "connect", code: Option.some("ECONNREFUSED") }), "ByPolicy"],
    ["reset", new TransportError({ ...call, reason: "reset" }), "ByPolicy"],
    ["unknown", new TransportError({ ...call, reason: "unknown" }), "ByPolicy"],
    ["tls", new TransportError({ ...call, reason: "tls" }), "Never"],
    ["protocol", new TransportError({ ...call, reason: "protocol" }), "Never"],
    ["an attempt's timeout", new TimeoutError(attempt), "ByPolicy"],
    ["the call's timeout", new TimeoutError(wholeCall), "Never"]
  ]

  it.each(table)("after %s", (_, error, retryable) => {
    assert.strictEqual(error.retryable, retryable)
  })
})

describe("milliseconds", () => {
  it.each([0, 1, 250, 2 ** 53 - 1])("may be %d", (millis) => {
    assert.strictEqual(Duration.toMillis(Schema.decodeSync(Milliseconds)(millis)), millis)
  })

  it("are whole and finite", () => {
    const is = Schema.is(Milliseconds)
    for (const duration of [Duration.infinity, Duration.micros(1500n), Duration.millis(0.5)])
      assert.isFalse(is(duration))
    for (const millis of [-1, 0.5, 2 ** 53]) assert.throws(() => Schema.decodeSync(Milliseconds)(millis))
  })
})

/** The error, with `text` for whatever it holds in the words of the server, the transport or the caller. */
function saying(error: GetStoreError, text: string): GetStoreError {
  const texts = ["url", "ref", "apifyType", "apifyMessage", "snippet", "tokenSource", "problem", "location", "code"]
  const replaced = (key: string, value: unknown): unknown => {
    if (key === "path") return [text, 0]
    return texts.includes(key) || key === "lastFailure" ? text : value
  }
  const json = JSON.stringify(Schema.encodeSync(GetStoreError)(error))
  return Schema.decodeUnknownSync(GetStoreError)(JSON.parse(json, replaced))
}

/** What nobody should see on their terminal. */
function hostileText(): FastCheck.Arbitrary<string> {
  return FastCheck.oneof(
    FastCheck.string({ unit: "binary" }),
    FastCheck.constantFrom("", "\r\n", "\u001b[2J", "\u202e", "\u2028", "\ud800", "😀".repeat(5000), "https://a\nb/")
  )
}
