/**
 * What transports throw, and what is made of it. The errors of Node, Deno, Bun and workerd are those that they threw at broken
 * servers, word for word.
 */

import * as Headers from "@effect/platform/Headers"
import { assert, describe, it } from "@effect/vitest"
import { assertEquals } from "@effect/vitest/utils"
import * as fc from "effect/FastCheck"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import { character } from "../../../vitest.text.js"
import { classify, type Failure, isUndecodable } from "../src/internal/transportError.js"
import type { TransportRequest } from "../src/Transport.js"

const request: TransportRequest = {
  method: "GET",
  origin: "http://127.0.0.1:7099",
  path: "/v2/key-value-stores/x",
  headers: Headers.empty,
  body: { _tag: "Empty" }
}

const read = (thrown: unknown, redact: (text: string) => string = identity): Failure =>
  classify(thrown, request, redact)

const described = (thrown: unknown, redact?: (text: string) => string): string =>
  Option.getOrElse(read(thrown, redact).description, () => "")

/** An error as a runtime throws it. */
const error = (name: string, message: string, fields: object = {}): Error =>
  Object.assign(new Error(message), { name, ...fields })

const fetchFailed = (cause: Error): Error => error("TypeError", "fetch failed", { cause })

const deno = (message: string) => fetchFailed(error("Error", message))
const deno21 = (message: string) => error("TypeError", message)
const bun = (message: string, code: string) =>
  error("TypeError", message, { code, errno: 0, path: "http://127.0.0.1/" })
const bun12 = (message: string, code: string) => error("Error", message, { code, errno: 0, path: "http://127.0.0.1/" })
const lost = error("Error", "Network connection lost.", { retryable: true })

const closedInBun =
  "The socket connection was closed unexpectedly. For more information, pass `verbose: true` in the second argument to fetch()"
const unableInBun = "Unable to connect. Is the computer able to access the url?"
const onUrl = "error sending request for url (http://127.0.0.1:7099/v2): client error (Connect)"
const onConnection =
  "error sending request from 127.0.0.1:52768 for http://127.0.0.1:7102/ (127.0.0.1:7102): client error (SendRequest)"

type Row = readonly [what: string, thrown: unknown, reason: Failure["reason"], code: string | null]

const rows = (title: string, isPermanent: boolean, cases: ReadonlyArray<Row>) =>
  it.each(cases)(`${title}: %s`, (_, thrown, reason, code) => {
    const failure = read(thrown)
    assert.strictEqual(failure.reason, reason)
    assert.strictEqual(Option.getOrNull(failure.code), code)
    assert.strictEqual(failure.permanent, isPermanent)
    assert.isTrue(Option.isSome(failure.description))
  })

describe("what may pass is known by its reason", () => {
  rows("Node", false, [
    [
      "refused",
      fetchFailed(error("Error", "connect ECONNREFUSED ::1:1", { code: "ECONNREFUSED" })),
      "connect",
      "ECONNREFUSED"
    ],
    ["no such host", fetchFailed(error("Error", "getaddrinfo ENOTFOUND x", { code: "ENOTFOUND" })), "dns", "ENOTFOUND"],
    ["reset", fetchFailed(error("Error", "read ECONNRESET", { code: "ECONNRESET" })), "reset", "ECONNRESET"],
    [
      "closed",
      fetchFailed(error("SocketError", "other side closed", { code: "UND_ERR_SOCKET" })),
      "reset",
      "UND_ERR_SOCKET"
    ],
    [
      "two addresses",
      fetchFailed(
        error("AggregateError", "", {
          code: "ECONNREFUSED",
          errors: [error("Error", "connect ECONNREFUSED ::1:1"), error("Error", "connect ECONNREFUSED 127.0.0.1:1")]
        })
      ),
      "connect",
      "ECONNREFUSED"
    ]
  ])

  rows("Deno", false, [
    ["refused", deno(`${onUrl}: tcp connect error: Connection refused (os error 111)`), "connect", "ECONNREFUSED"],
    [
      "refused, on Windows",
      deno(
        `${onUrl}: tcp connect error: No connection could be made because the target machine actively refused it. (os error 10061)`
      ),
      "connect",
      "ECONNREFUSED"
    ],
    [
      "no such host",
      deno(`${onUrl}: dns error: failed to lookup address information: Name or service not known`),
      "dns",
      "ENOTFOUND"
    ],
    [
      "no such host, on macOS",
      deno21(`${onUrl}: dns error: failed to lookup address information: nodename nor servname provided, or not known`),
      "dns",
      "ENOTFOUND"
    ],
    [
      "a busy name server",
      deno(`${onUrl}: dns error: failed to lookup address information: Temporary failure in name resolution`),
      "dns",
      "EAI_AGAIN"
    ],
    ["no route", deno(`${onUrl}: tcp connect error: No route to host (os error 113)`), "connect", "EHOSTUNREACH"],
    ["reset", deno("Connection reset by peer (os error 104)"), "reset", "ECONNRESET"],
    [
      "reset, 2.1",
      deno21(`${onConnection}: connection error: Connection reset by peer (os error 104)`),
      "reset",
      "ECONNRESET"
    ],
    ["closed", deno(`${onConnection}: connection closed before message completed`), "reset", null],
    ["closed in the handshake", deno(`${onUrl}: tls handshake eof`), "reset", null],
    ["a body cut off", deno21("error reading a body from connection"), "reset", null],
    [
      "HTTP/2 going away",
      deno21(`${onConnection}: http2 error: connection error received: not a result of an error`),
      "reset",
      null
    ],
    ["anything else, 2.1", deno21("error sending request for url (http://127.0.0.1/)"), "unknown", null]
  ])

  rows("Bun", false, [
    ["refused", bun(`ECONNREFUSED: ${unableInBun}`, "ECONNREFUSED"), "connect", "ECONNREFUSED"],
    ["refused, 1.2", bun12(unableInBun, "ConnectionRefused"), "connect", "ConnectionRefused"],
    [
      "a socket not opened, 1.0",
      bun12("Was there a typo in the url or port?", "FailedToOpenSocket"),
      "connect",
      "FailedToOpenSocket"
    ],
    ["no such host", bun("getaddrinfo ENOTFOUND no-such-host.invalid", "ENOTFOUND"), "dns", "ENOTFOUND"],
    ["closed", bun(`ECONNRESET: ${closedInBun}`, "ECONNRESET"), "reset", "ECONNRESET"],
    ["closed, 1.0", bun12(closedInBun, "ConnectionClosed"), "reset", "ConnectionClosed"],
    ["no code", error("Error", unableInBun), "connect", null],
    ["a code that nobody knows", bun("SomethingNew fetching", "E_SOMETHING_NEW"), "unknown", "E_SOMETHING_NEW"]
  ])

  rows("workerd", false, [
    ["refused, reset or closed", lost, "reset", null],
    ["no such host, or TLS", error("Error", "internal error; reference = 3jmggif2ff0n2vqbpahnm8k1"), "unknown", null]
  ])

  rows("a browser", false, [
    ["Chrome", error("TypeError", "Failed to fetch"), "unknown", null],
    ["Firefox", error("TypeError", "NetworkError when attempting to fetch resource."), "unknown", null],
    ["Safari", error("TypeError", "Load failed"), "unknown", null],
    ["Safari 16", error("TypeError", "The Internet connection appears to be offline."), "connect", null],
    ["React Native", error("TypeError", "Network request failed"), "unknown", null],
    ["Chrome, within a body", error("TypeError", "network error"), "unknown", null]
  ])

  rows("a proxy", false, [
    [
      "502, undici",
      fetchFailed(
        error("Error", "Request was cancelled.", {
          code: 0,
          cause: error("AbortError", "Proxy response (502) !== 200 when HTTP Tunneling", { code: "UND_ERR_ABORTED" })
        })
      ),
      "proxy",
      "UND_ERR_ABORTED"
    ],
    [
      "502, Bun",
      error("Error", "Proxy refused to open a tunnel: 502 Bad Gateway", { code: "ERR_PROXY_TUNNEL" }),
      "proxy",
      "ERR_PROXY_TUNNEL"
    ],
    ["429", error("AbortError", "Proxy response (429) !== 200 when HTTP Tunneling"), "proxy", null],
    [
      "any refusal, Deno",
      deno("error sending request for url (https://api.apify.com/): client error (Connect): unsuccessful tunnel"),
      "proxy",
      null
    ],
    [
      "gone, Node 24",
      error("Error", "Connection to establish proxy tunnel ended unexpectedly", { code: "ERR_PROXY_TUNNEL" }),
      "proxy",
      "ERR_PROXY_TUNNEL"
    ]
  ])

  rows("a fetch of the caller's", false, [
    ["an error", new Error("offline"), "unknown", null],
    ["a text", "offline", "unknown", null],
    ["a timeout", error("TimeoutError", "The operation was aborted due to timeout", { code: 23 }), "unknown", null],
    [
      "a TypeError around another error",
      error("TypeError", "could not", { cause: new Error("offline") }),
      "unknown",
      null
    ]
  ])
})

describe("what cannot pass is permanent", () => {
  rows("a certificate", true, [
    [
      "Node",
      fetchFailed(error("Error", "self-signed certificate", { code: "DEPTH_ZERO_SELF_SIGNED_CERT" })),
      "tls",
      "DEPTH_ZERO_SELF_SIGNED_CERT"
    ],
    ["Bun", bun("self signed certificate", "DEPTH_ZERO_SELF_SIGNED_CERT"), "tls", "DEPTH_ZERO_SELF_SIGNED_CERT"],
    ["Deno", deno(`${onUrl}: invalid peer certificate: UnknownIssuer`), "tls", null],
    ["HTTP on HTTPS, Deno", deno(`${onUrl}: received corrupt message of type InvalidContentType`), "tls", null],
    [
      "HTTP on HTTPS, Bun",
      bun("EPROTO: The TLS handshake failed. Does the server speak TLS on this port?", "EPROTO"),
      "tls",
      "EPROTO"
    ]
  ])

  rows("what is not HTTP", true, [
    [
      "Node",
      fetchFailed(
        error("HTTPParserError", "Response does not match the HTTP/1.1 protocol", { code: "HPE_INVALID_CONSTANT" })
      ),
      "protocol",
      "HPE_INVALID_CONSTANT"
    ],
    ["Deno", deno(`${onConnection}: invalid HTTP version parsed`), "protocol", null],
    ["Deno, two lengths", deno(`${onConnection}: invalid content-length parsed`), "protocol", null],
    ["Deno, a NUL", deno(`${onConnection}: invalid HTTP header parsed`), "protocol", null],
    ["Deno, long headers", deno(`${onConnection}: message head is too large`), "protocol", null],
    ["Bun", bun("Malformed_HTTP_Response fetching", "Malformed_HTTP_Response"), "protocol", "Malformed_HTTP_Response"]
  ])

  rows("a port that fetch blocks", true, [
    ["Node", fetchFailed(error("Error", "bad port")), "request", null],
    ["Deno", error("TypeError", "Fetch failed: Requests to port 6667 are blocked"), "request", null]
  ])

  rows("a proxy's refusal", true, [
    [
      "403, undici",
      error("AbortError", "Proxy response (403) !== 200 when HTTP Tunneling", { code: "UND_ERR_ABORTED" }),
      "proxy",
      "UND_ERR_ABORTED"
    ],
    ["407, undici's fetch", fetchFailed(error("Error", "proxy authentication required")), "proxy", null],
    [
      "407, undici's ProxyAgent without a tunnel",
      error("InvalidArgumentError", "Proxy Authentication Required (407)", { code: "UND_ERR_INVALID_ARG" }),
      "proxy",
      "UND_ERR_INVALID_ARG"
    ],
    [
      "407, Bun",
      error("Error", "Proxy refused to open a tunnel: 407 Proxy Authentication Required", { code: "ERR_PROXY_TUNNEL" }),
      "proxy",
      "ERR_PROXY_TUNNEL"
    ],
    [
      "407, Deno",
      deno("error sending request for url (https://x/): client error (Connect): proxy authentication required"),
      "proxy",
      null
    ],
    [
      "403, Node 24",
      error("Error", "Failed to establish tunnel to api.apify.com:443 via http://u:p@proxy/: HTTP/1.1 403 Forbidden", {
        code: "ERR_PROXY_TUNNEL",
        statusCode: 403
      }),
      "proxy",
      "ERR_PROXY_TUNNEL"
    ],
    [
      "407, tunnel",
      error("Error", "tunneling socket could not be established, statusCode=407", { code: "ECONNRESET" }),
      "proxy",
      "ECONNRESET"
    ]
  ])

  rows("a mistake", true, [
    [
      "in a fetch of the caller's",
      error("TypeError", "Cannot read properties of undefined (reading 'x')"),
      "request",
      null
    ],
    ["of another kind", error("ReferenceError", "x is not defined"), "request", null],
    ["in a header", error("TypeError", 'Headers.append: "b\nc" is an invalid header value.'), "request", null],
    [
      "in a URL",
      error("TypeError", "Failed to parse URL", {
        cause: error("TypeError", "Invalid URL", { code: "ERR_INVALID_URL" })
      }),
      "request",
      "ERR_INVALID_URL"
    ],
    [
      "an option that workerd does not know",
      error("Error", "The 'cache' field on 'RequestInitializerDict' is not implemented."),
      "request",
      null
    ],
    ["more requests than workerd allows", error("Error", "Too many subrequests."), "request", null],
    [
      "a client that was closed",
      error("ClientDestroyedError", "The client is destroyed", { code: "UND_ERR_DESTROYED" }),
      "request",
      "UND_ERR_DESTROYED"
    ]
  ])
})

describe("the description", () => {
  it.each<readonly [thrown: unknown, description: string]>([
    [fetchFailed(error("Error", "connect ECONNREFUSED 127.0.0.1:1")), "connect ECONNREFUSED 127.0.0.1:1"],
    [error("TypeError", "fetch failed"), "fetch failed"],
    [error("Error", "sending failed", { cause: error("Error", "no buffer left") }), "sending failed; no buffer left"],
    [
      error("Error", "sending failed: no buffer left", { cause: error("Error", "no buffer left") }),
      "sending failed: no buffer left"
    ],
    [error("Error", "failed", { cause: error("Error", "it failed twice") }), "it failed twice"],
    [fetchFailed(error("AggregateError", "", { errors: [error("Error", "one"), error("Error", "two")] })), "one; two"],
    ["a  text\n over\tlines ", "a text over lines"],
    [error("Error", "a\u0000b\u202ec"), "a\\u{0}b\\u{202e}c"],
    [bun12(unableInBun, "ConnectionRefused"), unableInBun],
    [42, "42"],
    [Symbol("no"), "Symbol(no)"],
    [error("TypeError", ""), "TypeError"],
    [error("Error", ""), ""],
    [undefined, ""],
    [new DOMException("", "AbortError"), "AbortError"],
    [new DOMException("It cannot be cloned", "DataCloneError"), "DataCloneError: It cannot be cloned"]
  ])("of %o", (thrown, description) => {
    assert.strictEqual(described(thrown), description)
  })

  it("is what was thrown, where that is a text", () => {
    assert.strictEqual(described("no carrier"), "no carrier")
  })

  it.each([
    ["url (http://a/v2?token=Canary): refused", "url (http://a/v2): refused"],
    ["http://user:Canary@proxy:8080/ refused", "http://proxy:8080/ refused"],
    ["http://user:Ca@nary@proxy:8080/ refused", "http://proxy:8080/ refused"],
    ['fetching "https://a/b?signature=Canary&limit=1".', 'fetching "https://a/b".'],
    ["GET /v2/x?signature=Canary", "GET /v2/x"],
    ["https://a/b#token=Canary, refused", "https://a/b, refused"],
    ["authorization: Bearer Canary is invalid", "authorization: …"],
    ["Proxy-Authorization: Basic Q2FuYXJ5Q2FuYXJ5", "Proxy-Authorization: …"],
    ["invalid value Bearer CanaryCanary.", "invalid value Bearer …"],
    ["Is it? Yes (is it?).", "Is it? Yes (is it?)."],
    ["https://a/b#c?token=Canary", "https://a/b"],
    ["address#1 of a#2: refused", "address#1 of a#2: refused"]
  ])("drops credentials from %j", (words, description) => {
    assert.strictEqual(described(error("Error", words)), description)
    assert.notInclude(description, "Canary")
  })

  it.prop(
    "never shows what is redacted, wherever it stands",
    [
      fc.stringMatching(/^Canary[a-zA-Z0-9]{16,40}$/),
      fc.array(
        fc.oneof(fc.string({ unit: character, maxLength: 300 }), fc.constant(null), fc.constant("x".repeat(8185))),
        {
          minLength: 1,
          maxLength: 6
        }
      )
    ],
    ([secret, texts]) => {
      const thrown = texts.reduceRight<unknown>(
        (cause, text) => error("Error", text === null ? `sent ${secret} out` : text, { cause }),
        undefined
      )
      const shown = described(thrown, (text) => text.replaceAll(secret, "<redacted>"))
      assert.notInclude(shown, secret.slice(0, 12))
    }
  )

  it.prop("shows no half of a secret, however long the words are", [fc.nat(100)], ([before]) => {
    const secret = `Canary${"z".repeat(20)}`
    const words = `${"x".repeat(before)} ${`${secret} `.repeat(400)}`
    assert.notInclude(
      described(error("Error", words), (text) => text.replaceAll(secret, "")),
      "Canary"
    )
    assert.strictEqual(described(error("Error", secret.repeat(400))), "")
  })

  it.prop(
    "is one short line of what can be printed",
    [fc.array(fc.string({ unit: character, maxLength: 600 }))],
    ([texts]) => {
      const thrown = texts.reduceRight<unknown>((cause, text) => error("Error", text, { cause }), undefined)
      const shown = described(thrown)
      assert.isAtMost(shown.length, 201)
      assert.notMatch(shown, /[\p{Cc}\p{Cf}\u2028\u2029]/u)
    }
  )
})

describe("classification", () => {
  const all = [
    lost,
    deno("bad port"),
    deno(`${onUrl}: tls handshake eof`),
    error("Error", "Proxy response (403) !== 200")
  ]

  it.each(all)("reads the raw words, whatever redaction leaves of them: %s", (thrown) => {
    const { description: _, code, ...kind } = read(thrown)
    const { description, code: redactedCode, ...redacted } = read(thrown, () => "")
    assert.deepStrictEqual(redacted, kind)
    assertEquals(redactedCode, code)
    assert.strictEqual(Option.getOrNull(description), "")
  })

  it.prop(
    "takes whatever is thrown",
    [
      fc.oneof(
        fc.anything(),
        fc.record({ cause: fc.anything(), code: fc.anything(), errors: fc.anything(), message: fc.anything() })
      )
    ],
    ([thrown]) => {
      const failure = read(thrown)
      assert.isBoolean(failure.permanent)
      assert.isBoolean(isUndecodable(thrown))
    }
  )

  it.each(["message", "name", "cause", "errors", "code", "syscall", "socket", "module"])(
    "is of the rest, where the getter of %s throws",
    (key) => {
      const thrown = Object.defineProperty(error("Error", "no carrier"), key, {
        get: () => {
          throw new Error("no getter")
        }
      })
      assert.strictEqual(described(thrown), key === "message" ? "" : "no carrier")
      assert.isFalse(isUndecodable(thrown))
    }
  )

  it("ends although causes go in circles", () => {
    const circle = error("Error", "round")
    Object.assign(circle, { cause: circle, errors: [circle, circle] })
    assert.strictEqual(described(circle), "round")
  })

  it("takes no code that may be anything", () => {
    for (const code of ["apify_api_Canary", "canary", "C", "A B", "", 5, null]) {
      assert.isTrue(Option.isNone(read(error("Error", "broken", { code })).code))
    }
  })
})

describe("what fails", () => {
  it.each([
    [403, true],
    [404, true],
    [407, true],
    [408, false],
    [429, false],
    [502, false]
  ])("because a proxy responds with %d to CONNECT is permanent: %s", (status, permanent) => {
    const failure = read(error("Error", `Proxy response (${status}) !== 200 when HTTP Tunneling`))
    assert.deepInclude(failure, { reason: "proxy", permanent })
  })

  it("on the file system does so again", () => {
    assert.deepInclude(read({ _tag: "SystemError", module: "FileSystem", message: "no" }), {
      reason: "file",
      permanent: true
    })
  })

  it("with undici's general code has the code of its cause", () => {
    const cause = error("Error", "read ECONNRESET", { code: "ECONNRESET" })
    assertEquals(read(error("UndiciError", "it failed", { code: "UND_ERR", cause })).code, Option.some("ECONNRESET"))
  })

  it("while it connects for too long has not reached the server", () => {
    const failure = read(error("ConnectTimeoutError", "Connect Timeout Error", { code: "UND_ERR_CONNECT_TIMEOUT" }))
    assert.deepInclude(failure, { reason: "connect", permanent: false })
  })

  it("without a word is not taken for a mistake in a program", () => {
    assert.deepInclude(read(new TypeError()), { reason: "unknown", permanent: false })
  })

  it("at very many addresses is read all the same", () => {
    const errors = new Array(500_000).fill(error("Error", "no", { code: "ECONNREFUSED" }))
    assert.strictEqual(read(new AggregateError(errors)).reason, "connect")
  })
})

describe("a connection is known to be reused", () => {
  const closed = (bytesWritten: number) =>
    fetchFailed(error("SocketError", "other side closed", { code: "UND_ERR_SOCKET", socket: { bytesWritten } }))

  it("where it had sent more than this request", () => {
    assert.isTrue(read(closed(10_000)).reused)
    assert.isFalse(read(closed(100)).reused)
    assert.isFalse(read(fetchFailed(error("SocketError", "other side closed", { code: "UND_ERR_SOCKET" }))).reused)
  })

  it("and not where that may have been its body", () => {
    const stream = { _tag: "Stream", chunks: (async function* () {})(), length: 1, fetchInit: () => ({}) } as const
    for (const body of [{ _tag: "Bytes", bytes: new Uint8Array(10_000) } as const, stream]) {
      assert.isFalse(classify(closed(10_000), { ...request, body }, identity).reused)
    }
  })

  it("and not where something else than the connection failed", () => {
    const socket = { bytesWritten: 10_000 }
    assert.isFalse(read(error("Error", "bad certificate", { code: "CERT_HAS_EXPIRED", socket })).reused)
  })
})

describe("a connection that had been made", () => {
  it.each(["ETIMEDOUT", "EHOSTUNREACH", "ENETDOWN"])("and fails with %s is a reset", (code) => {
    assert.strictEqual(read(error("Error", `read ${code}`, { code, syscall: "read" })).reason, "reset")
    assert.strictEqual(read(error("Error", `write ${code}`, { code, syscall: "write" })).reason, "reset")
    assert.strictEqual(read(error("Error", `connect ${code}`, { code, syscall: "connect" })).reason, "connect")
  })
})

describe("a body is known to be undecodable", () => {
  it.each([
    [
      "Node",
      error("TypeError", "terminated", { cause: error("Error", "incorrect header check", { code: "Z_DATA_ERROR" }) })
    ],
    [
      "Node, brotli",
      error("TypeError", "terminated", { cause: error("Error", "x", { code: "ERR__ERROR_FORMAT_EXUBERANT_NIBBLE" }) })
    ],
    ["Deno", error("TypeError", "Invalid gzip header")],
    ["Deno, cut off", error("TypeError", "unexpected end of file")],
    ["Deno, brotli", error("TypeError", "brotli error")],
    ["Bun", bun("ZlibError fetching", "ZlibError")],
    ["Bun, zstd", bun("ZstdDecompressionError fetching", "ZstdDecompressionError")],
    ["workerd", error("TypeError", "Gzip decompression failed.")]
  ])("%s", (_, thrown) => {
    assert.isTrue(isUndecodable(thrown))
  })

  it.each([
    ["Node", fetchFailed(error("Error", "read ECONNRESET", { code: "ECONNRESET" }))],
    ["workerd", lost],
    ["text", "x"]
  ])("and no other is: %s", (_, thrown) => {
    assert.isFalse(isUndecodable(thrown))
  })
})
