/**
 * The errors that every operation shares: what they suggest, and which are worth another attempt.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import { assertEquals } from "@effect/vitest/utils"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { gaveUpBecause } from "../src/CallError.js"
import {
  BadRequestError,
  CallError,
  describeFailure,
  ForbiddenError,
  GaveUp,
  isCallError,
  MalformedResponseError,
  MethodNotAllowedError,
  PaymentRequiredError,
  RateLimitedError,
  type Retryable,
  ServerError,
  TimeoutError,
  TransportError,
  UnauthorizedError,
  UnexpectedResponseError
} from "../src/index.js"
import {
  AnyError,
  attemptTimeout,
  callTimeout,
  failed,
  html,
  malformed,
  rateLimited,
  redirect,
  request,
  response,
  unauthorized
} from "./errors.js"

describe("the errors", () => {
  const tags = [
    "BadRequestError",
    "UnauthorizedError",
    "PaymentRequiredError",
    "ForbiddenError",
    "MethodNotAllowedError",
    "RateLimitedError",
    "ServerError",
    "UnexpectedResponseError",
    "MalformedResponseError",
    "TransportError",
    "TimeoutError"
  ] as const

  it("are these eleven", () => {
    assert.lengthOf(tags, 11)
    assert.sameMembers(
      CallError.members.map((member) => member._tag),
      [...tags]
    )
    expectTypeOf<CallError["_tag"]>().toEqualTypeOf<(typeof tags)[number]>()
  })

  it("may lack everything that the server did not send", () => {
    const { operation, method, url, attempts, elapsed } = request
    const error = new RateLimitedError({ operation, method, url, attempts, elapsed, status: 429 })
    const { store, apifyType, apifyMessage, snippet, retryAfter, limit, gaveUp } = error
    for (const detail of [store, apifyType, apifyMessage, snippet, retryAfter, limit, gaveUp]) {
      assertEquals(detail, Option.none())
    }
  })
})

describe("a status", () => {
  const encoded = Schema.encodeSync(CallError)(new ServerError({ ...request, status: 503 }))
  const statusOf = (status: number) => Schema.decodeUnknownEither(CallError)({ ...encoded, status })

  it.each([0, 599, 600, 999])("may be %d", (status) => {
    assert.isTrue(Either.isRight(statusOf(status)))
  })

  it.each([-1, 1000, 503.5])("is not %d", (status) => {
    assert.isTrue(Either.isLeft(statusOf(status)))
  })
})

describe("the message", () => {
  const samples: ReadonlyArray<readonly [what: string, error: CallError, says: ReadonlyArray<string>]> = [
    [
      "of a 400 says to check what was passed",
      new BadRequestError(response(400, "invalid-request", "Resource name parameter cannot be empty")),
      ["Apify responded with 400 invalid-request: Resource name parameter cannot be empty.", "passed to getStore"]
    ],
    [
      "of a 401 says where the token was read from",
      new UnauthorizedError({ ...unauthorized, tokenSource: Option.some("the environment variable APIFY_TOKEN") }),
      ["401 user-or-token-not-found", "was read from the environment variable APIFY_TOKEN", "revoked"]
    ],
    [
      "of a 401 without a token says how to set one",
      new UnauthorizedError(response(401, "token-not-provided", "Authentication token was not provided")),
      ["401 token-not-provided", "carried no token", "APIFY_TOKEN", "ApifyClient.layer"]
    ],
    [
      "of a 401 says that the token was kept from another server",
      new UnauthorizedError({
        ...response(401, "token-not-provided", "Authentication token was not provided"),
        tokenWithheld: true
      }),
      ["carried no token", "transformClient", "baseUrl"]
    ],
    [
      "of a 401 to a signed link says that the signature was refused",
      new UnauthorizedError({ ...unauthorized, url: `${request.url}?limit=1&signature=<redacted>` }),
      ["401 user-or-token-not-found", "The link's signature was refused", "has not expired"]
    ],
    [
      "of a 402 names the account's plan",
      new PaymentRequiredError(response(402, "x402-payment-required", "Please provide a payment")),
      ["402 x402-payment-required", "plan", "Billing"]
    ],
    [
      "of a 403 names the owner as the one who can share it",
      new ForbiddenError(response(403, "insufficient-permissions", "Insufficient permissions")),
      ["403 insufficient-permissions", "Ask the owner of the store janedoe~my-store to share it", "general access"]
    ],
    [
      "of a 403 to a signed link says that the signature was refused",
      new ForbiddenError({ ...request, status: 403, url: `${request.url}?signature=<redacted>` }),
      ["responded with 403", "The link's signature was refused", "signing key has not changed"]
    ],
    [
      "of a 403 without a token says how to set one",
      new ForbiddenError({ ...request, status: 403, isAnonymous: true }),
      ["The request carried no token: set APIFY_TOKEN", "Otherwise ask the owner of the store janedoe~my-store"]
    ],
    [
      "of a 403 of an operation without a store says so too",
      new ForbiddenError({ ...request, status: 403, store: Option.none() }),
      ["Ask the owner of the store to share it"]
    ],
    [
      "of a 405 suspects the server",
      new MethodNotAllowedError({ ...request, status: 405 }),
      ["api.apify.com responded with 405", "https://api.apify.com is Apify's API", "proxy"]
    ],
    [
      "of a 429 gives the limit and the wait that the server named",
      new RateLimitedError({ ...rateLimited, limit: Option.some(30), retryAfter: Option.some(Duration.seconds(90)) }),
      ["429 rate-limit-exceeded", "The limit is 30 requests a second: send fewer at once", "wait 1m 30s"]
    ],
    [
      "of a 429 may give a limit of one",
      new RateLimitedError({ ...rateLimited, limit: Option.some(1) }),
      ["The limit is 1 request a second"]
    ],
    [
      "of a 429 without a limit says to send fewer requests",
      new RateLimitedError(rateLimited),
      ["60 requests per second", "Send fewer requests at once", "wait before the next call"]
    ],
    [
      "of a 5xx says to try later",
      new ServerError({ ...failed, attempts: 9, elapsed: Duration.seconds(42) }),
      ["500 internal-server-error", "9 attempts in 42s", "try again later", "status.apify.com"]
    ],
    [
      "of an unexpected response says what is wrong with it",
      new UnexpectedResponseError(html),
      [
        "api.apify.com responded with 200: <html>.",
        "content type is text/html",
        "https://api.apify.com is Apify's API",
        "proxy"
      ]
    ],
    [
      "of a redirect says where it leads",
      new UnexpectedResponseError(redirect),
      ["responded with 302", "It is a redirect", "points to https://evil.example/"]
    ],
    [
      "of a redirect whose status is hidden says that it is one",
      new UnexpectedResponseError({ ...redirect, status: 0 }),
      ["responded with a redirect"]
    ],
    [
      "of a malformed store lists every problem with its path",
      new MalformedResponseError({
        ...malformed,
        kind: "Shape",
        problems: [...malformed.problems, { path: ["data", "keys", 0], problem: "is missing" }]
      }),
      ["not what getStore returns", "data.stats.readCount is not a count; data.keys[0] is missing.", "newer version"]
    ],
    [
      "of a body that is not JSON has no path",
      new MalformedResponseError({ ...malformed, kind: "Json", problems: [{ path: [], problem: "is not JSON" }] }),
      ["getStore returns: it is not JSON."]
    ],
    [
      "of a name that can't be resolved says to check the base URL",
      new TransportError({ ...request, reason: "dns", code: Option.some("ENOTFOUND") }),
      ["api.apify.com", "could not be resolved", "[ENOTFOUND]", "base URL", "network"]
    ],
    [
      "of a refused connection says to check the server",
      new TransportError({ ...request, reason: "connect", code: Option.some("ECONNREFUSED"), attempts: 9 }),
      ["no connection could be made", "[ECONNREFUSED]", "9 attempts", "Check that the server is running"]
    ],
    [
      "of TLS names the certificate",
      new TransportError({ ...request, reason: "tls" }),
      ["no secure connection", "certificate", "clock"]
    ],
    [
      "of a reset says to try again",
      new TransportError({ ...request, reason: "reset" }),
      ["connection broke", "Try again"]
    ],
    [
      "of what is not HTTP names the port",
      new TransportError({ ...request, reason: "protocol" }),
      ["not valid HTTP", "port"]
    ],
    [
      "of a file says where to look, and names no server",
      new TransportError({ ...request, reason: "file", code: Option.some("EACCES") }),
      ["A file could not be read or written [EACCES]", "permissions"]
    ],
    [
      "of a proxy says to check it",
      new TransportError({ ...request, reason: "proxy" }),
      ["the proxy did not connect to the server", "Check the proxy's address, credentials and rules."]
    ],
    [
      "of a request that cannot be sent says what to check",
      new TransportError({ ...request, reason: "request" }),
      ["the request could not be sent", "Check the base URL, the transport's options, and any body or function"]
    ],
    [
      "of a closed client says to keep its scope open",
      new TransportError({ ...request, reason: "closed" }),
      ["the client was closed", "scope"]
    ],
    [
      "of an unknown failure gives the transport's own words",
      new TransportError({ ...request, reason: "unknown", description: Option.some("bad port.") }),
      ["the request failed: bad port. Check"]
    ],
    [
      "of an attempt's timeout names the option",
      new TimeoutError({ ...attemptTimeout, attempts: 9 }),
      ["api.apify.com did not send a complete response within 5s", "9 attempts", "attemptTimeout"]
    ],
    [
      "of the call's timeout names the option, and the last failure",
      new TimeoutError({ ...callTimeout, lastFailure: Option.some("Apify responded with 503.") }),
      ["getStore did not finish within 1m", "The previous attempt failed: Apify responded with 503.", "callTimeout"]
    ]
  ]

  it.each(samples)("%s", (_, { message }, parts) => {
    for (const part of parts) assert.include(message, part)
    assert.notInclude(message, "..")
  })

  it("has a sample of every error", () => {
    assert.sameMembers(
      [...new Set(samples.map(([, error]) => error._tag))],
      CallError.members.map((member) => member._tag)
    )
  })

  it("counts attempts if there was more than one", () => {
    assert.notInclude(new ServerError(failed).message, "attempt")
    for (const error of [
      new ServerError({ ...failed, attempts: 2 }),
      new MalformedResponseError({ ...malformed, kind: "Json", attempts: 2 }),
      new TransportError({ ...request, reason: "reset", attempts: 2 }),
      new TimeoutError({ ...attemptTimeout, elapsed: request.elapsed, attempts: 2 }),
      new TimeoutError({ ...callTimeout, elapsed: request.elapsed, attempts: 2 })
    ]) {
      assert.include(error.message, "(2 attempts in 120ms)")
    }
  })

  it("names the server that responded if it is not known to be Apify", () => {
    assert.include(new ServerError(failed).message, "Apify responded with 500")
    const url = "http://127.0.0.1:8080/v2/key-value-stores/x"
    assert.include(new ServerError({ ...request, url, status: 502 }).message, "127.0.0.1:8080 responded with 502")
  })

  it.each([
    ["http://127.0.0.1:8080/apify/v2/key-value-stores/x", "http://127.0.0.1:8080/apify is"],
    ["https://api.apify.com/v2/key-value-stores/v2/x", "https://api.apify.com is"],
    ["https://files.example/some/record", "https://files.example is"]
  ])("shows the base URL of %s", (url, shown) => {
    assert.include(
      new MethodNotAllowedError({ ...request, url, status: 405 }).message,
      `Check that ${shown} Apify's API`
    )
  })
})

describe("an error that was not retried any further", () => {
  const failure = (reason: Option.Option<GaveUp>, attempts: number) =>
    new ServerError({ ...failed, attempts, elapsed: Duration.seconds(4), gaveUp: reason }).message

  it.each([
    ["retries", 9, "(9 attempts in 4s)"],
    ["deadline", 3, "(3 attempts in 4s; no time for another before the deadline)"],
    ["deadline", 1, "(1 attempt in 4s; no time for another before the deadline)"],
    ["budget", 1, "(1 attempt in 4s; not retried: too many calls of this client failed recently)"],
    [
      "unsafe",
      1,
      "(1 attempt in 4s; not sent again: the server may have carried it out, and what it creates may exist)"
    ]
  ] as const)("for %s after %d says so", (reason, attempts, ending) => {
    assert.include(failure(Option.some(reason), attempts), ending)
  })

  it("says nothing of retries if its policy had none", () => {
    assert.strictEqual(failure(Option.some("retries"), 1), failure(Option.none(), 1))
    assert.notInclude(failure(Option.none(), 1), "attempt")
  })

  const reasons: ReadonlyArray<GaveUp> = ["deadline", "budget"]

  it.prop(
    "says why in its message, whichever error it is",
    [CallError, Schema.Literal(...reasons)],
    ([error, reason]) => {
      const ending = reason === "deadline" ? "before the deadline" : "too many calls of this client failed recently"
      assert.strictEqual(gaveUpBecause(error, reason).message.includes(ending), "gaveUp" in error)
    }
  )

  it.prop("is the same error but for the reason", [CallError, GaveUp], ([error, reason]) => {
    const after = gaveUpBecause(error, reason)
    assert.strictEqual(Object.getPrototypeOf(after), Object.getPrototypeOf(error))
    const { gaveUp: _, ...before } = { gaveUp: undefined, ...Schema.encodeSync(CallError)(error) }
    const expected = "gaveUp" in error ? { ...before, gaveUp: reason } : before
    assert.deepStrictEqual(Schema.encodeSync(CallError)(after), Schema.decodeUnknownSync(Encoded)(expected))
    assert.isTrue(Schema.is(CallError)(after))
  })

  it.prop("is itself if it is never retried", [CallError, GaveUp], ([error, reason]) => {
    if (!("gaveUp" in error)) {
      assert.strictEqual(error.retryable, "Never")
      assert.strictEqual(gaveUpBecause(error, reason), error)
    }
  })

  it.prop("keeps only the last reason", [CallError, GaveUp, GaveUp], ([error, first, last]) => {
    const [twice, once] = [gaveUpBecause(gaveUpBecause(error, first), last), gaveUpBecause(error, last)]
    assert.deepStrictEqual(Schema.encodeSync(CallError)(twice), Schema.encodeSync(CallError)(once))
    assert.strictEqual(twice.message, once.message)
  })
})

const Encoded = Schema.encodedSchema(CallError)

it.prop("isCallError takes the errors of every operation, and no other", [AnyError], ([error]) => {
  assert.strictEqual(
    isCallError(error),
    CallError.members.some(({ _tag }) => _tag === error._tag)
  )
  assert.isFalse(isCallError({ ...error }))
})

describe("an error in a few words", () => {
  it.each([
    [new ServerError({ ...failed, status: 503 }), "ServerError (503)"],
    [new MalformedResponseError({ ...malformed, kind: "Json" }), "MalformedResponseError (200)"],
    [
      new TransportError({ ...request, reason: "connect", code: Option.some("ECONNREFUSED") }),
      "TransportError (ECONNREFUSED)"
    ],
    [new TransportError({ ...request, reason: "tls" }), "TransportError (tls)"],
    [new TimeoutError(attemptTimeout), "TimeoutError (attempt)"],
    [new TimeoutError(callTimeout), "TimeoutError (call)"]
  ])("is its tag, and its status, code or phase: %#", (error, words) => {
    assert.strictEqual(describeFailure(error), words)
  })

  it.prop("begins with its tag", [CallError], ([error]) => {
    assert.isTrue(describeFailure(error).startsWith(`${error._tag} (`))
  })
})

describe("another attempt", () => {
  const table: ReadonlyArray<readonly [what: string, error: CallError, retryable: Retryable]> = [
    ["400", new BadRequestError({ ...request, status: 400 }), "Never"],
    ["401", new UnauthorizedError(unauthorized), "Never"],
    ["402", new PaymentRequiredError({ ...request, status: 402 }), "Never"],
    ["403", new ForbiddenError({ ...request, status: 403 }), "Never"],
    ["405", new MethodNotAllowedError({ ...request, status: 405 }), "Never"],
    ["429", new RateLimitedError(rateLimited), "ByPolicy"],
    ["500", new ServerError(failed), "ByPolicy"],
    ["503", new ServerError({ ...failed, status: 503 }), "ByPolicy"],
    ["another response", new UnexpectedResponseError(html), "Never"],
    ["a redirect", new UnexpectedResponseError(redirect), "Never"],
    ["408", new UnexpectedResponseError({ ...html, status: 408 }), "ByPolicy"],
    ["501", new UnexpectedResponseError({ ...html, status: 501 }), "Never"],
    ["a body that is not JSON", new MalformedResponseError({ ...malformed, kind: "Json" }), "Once"],
    ["JSON of another shape", new MalformedResponseError({ ...malformed, kind: "Shape" }), "Never"],
    ["ENOTFOUND", new TransportError({ ...request, reason: "dns", code: Option.some("ENOTFOUND") }), "Once"],
    ["EAI_AGAIN", new TransportError({ ...request, reason: "dns", code: Option.some("EAI_AGAIN") }), "ByPolicy"],
    ["dns without a code", new TransportError({ ...request, reason: "dns" }), "ByPolicy"],
    ["connect", new TransportError({ ...request, reason: "connect", code: Option.some("ECONNREFUSED") }), "ByPolicy"],
    ["reset", new TransportError({ ...request, reason: "reset" }), "ByPolicy"],
    ["unknown", new TransportError({ ...request, reason: "unknown" }), "ByPolicy"],
    ["a port that fetch blocks", new TransportError({ ...request, reason: "unknown", permanent: true }), "Never"],
    ["tls", new TransportError({ ...request, reason: "tls" }), "Never"],
    ["proxy", new TransportError({ ...request, reason: "proxy" }), "ByPolicy"],
    ["a request that cannot be sent", new TransportError({ ...request, reason: "request" }), "Never"],
    ["protocol", new TransportError({ ...request, reason: "protocol" }), "Never"],
    ["a file", new TransportError({ ...request, reason: "file" }), "Never"],
    ["the client's end", new TransportError({ ...request, reason: "closed" }), "Never"],
    ["an attempt's timeout", new TimeoutError(attemptTimeout), "ByPolicy"],
    ["the call's timeout", new TimeoutError(callTimeout), "Never"]
  ]

  it.each(table)("after %s", (_, error, retryable) => {
    assert.strictEqual(error.retryable, retryable)
  })

  it.prop("is never worth it after a permanent failure of the transport", [TransportError], ([error]) => {
    assert.strictEqual(new TransportError({ ...error, permanent: true }).retryable, "Never")
  })
})
