/**
 * The faults that one call meets, row by row: a plan for the server, and the outcome.
 */
import { brotliCompressSync } from "node:zlib"
import { Fault } from "@effect-apify/fault-server"
import type { CallOptions } from "@effect-apify/http"
import { EXPOSED, SIGNATURE, SIGNING_KEY, TOKEN } from "./secrets.js"
import type { Transport } from "./transports.js"

/** What a call must end in: a store, or an error whose encoded form has these fields. */
export type Outcome = "store" | { readonly _tag: string; readonly [field: string]: unknown }

/** Where a case is asked for. */
export type At =
  | "http"
  | "https"
  | "self-signed"
  | "expired"
  | "other host"
  | "refusing"
  | "deaf"
  | "unknown name"
  | "busy name server"

export interface Case {
  readonly row: number
  readonly name: string
  readonly at: At
  readonly plan: Fault.Plan
  /** Done to a connection in place of reading requests from it. */
  readonly greeting?: Fault.Fault
  readonly options?: CallOptions
  readonly outcome: Outcome
  /** Requests that the server reads, where there are any. */
  readonly requests: number
  /** The shortest time between the first request and the second. */
  readonly waitMillis?: number
  /** What that time must stay below. */
  readonly mostWaitMillis?: number
  /** What the server gets to send must stay below it. */
  readonly mostBytes?: number
  /** What a transport gives in place of the outcome, and why it cannot give that. */
  readonly deviations?: Partial<Record<Transport["name"], Deviation>>
}

export interface Deviation {
  /** As the case has it, where only sockets are left. */
  readonly outcome?: Outcome
  readonly requests?: number
  /** Whether connections are left for a while. */
  readonly leavesSockets?: boolean
  readonly reason: string
}

// ---- The store

const json: readonly [string, string] = ["Content-Type", "application/json; charset=utf-8"]

/** A store as Apify answers it, with every secret that it can hold. */
export const store = {
  id: "WkzbQMuFYuamGv3YF",
  name: "my-store",
  userId: "BPWDBd7Z9c746JAnF",
  username: "janedoe",
  createdAt: "2019-12-12T07:34:14.202Z",
  modifiedAt: "2019-12-13T08:36:13.202Z",
  accessedAt: "2019-12-14T08:36:13.202Z",
  keysPublicUrl: `https://api.apify.com/v2/key-value-stores/WkzbQMuFYuamGv3YF/keys?signature=${SIGNATURE}`,
  urlSigningSecretKey: SIGNING_KEY,
  generalAccess: "RESTRICTED",
  stats: { readCount: 9, writeCount: 3, deleteCount: 6, listCount: 2, s3StorageBytes: 18 }
}

const storeJson = JSON.stringify({ data: store })
const okBytes = Fault.answerBytes({ body: storeJson })
export const ok = Fault.answer("ok", { body: storeJson })

/** The store with other fields. */
const storeWith = (fields: object): string => JSON.stringify({ data: { ...store, ...fields } })

/** The store with a field of 100,000 objects in one another, which JSON.stringify has no stack for. */
const nested = (field: string): string =>
  `{"data":${JSON.stringify(store).slice(0, -1)},"${field}":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}}`

const okWith = (name: string, body: string | Uint8Array, ...headers: ReadonlyArray<readonly [string, string]>) =>
  Fault.answer(name, { headers: [json, ...headers], body })

const apifyError = (type: string): string =>
  JSON.stringify({ error: { type, message: `Refused. ${EXPOSED}` } }, null, 2)

/** A status whose headers and body repeat every secret. */
export const refusal = (status: number, type = "planned"): Fault.Fault =>
  Fault.status(status, [json, ["X-Exposed", EXPOSED], ["Set-Cookie", EXPOSED]], apifyError(type))

const html = `<html>\u0000\u001b[31m<h1>Bad gateway</h1>\r\n${EXPOSED}</html>`

// ---- Kinds of cases

/** Retries without much waiting, and time to spare on a busy machine. */
export const patient: CallOptions = {
  attemptTimeout: "8 seconds",
  callTimeout: "30 seconds",
  retry: { retries: 2, baseDelay: "2 millis" }
}

/** The attempt's time is what runs out. */
const hurried: CallOptions = { ...patient, attemptTimeout: "500 millis" }

const single = (row: number, name: string, fault: Fault.Fault, outcome: Outcome, more: Partial<Case> = {}): Case => ({
  row,
  name,
  at: "http",
  plan: Fault.times(1, fault),
  outcome,
  requests: 1,
  ...more
})

/** Met for ever, it is the error of the last of three attempts; met twice, it is got over. */
const retried = (
  row: number,
  name: string,
  fault: Fault.Fault,
  outcome: Outcome,
  more: Partial<Case> = {}
): ReadonlyArray<Case> => [
  single(row, name, fault, outcome, { plan: Fault.times(3, fault), requests: 3, ...more }),
  ...(more.deviations === undefined
    ? [
        single(row, `${name}, twice`, fault, "store", {
          plan: Fault.sequence(Fault.times(2, fault), ok),
          requests: 3,
          // The third attempt needs its time.
          ...(more.options === hurried ? { options: { ...hurried, attemptTimeout: "1 second" } } : {})
        })
      ]
    : [])
]

/** Met twice it is the error, met once it is got over. */
const once = (row: number, name: string, fault: Fault.Fault, outcome: Outcome): ReadonlyArray<Case> => [
  single(row, name, fault, outcome, { plan: Fault.times(2, fault), requests: 2 }),
  single(row, `${name}, once`, fault, "store", { plan: Fault.sequence(fault, ok), requests: 2 })
]

const transport = (reason: string): Outcome => ({ _tag: "TransportError", reason })
const unexpected = (problem: RegExp, more: object = {}): Outcome => ({
  _tag: "UnexpectedResponseError",
  problem,
  ...more
})
const malformed = (kind: "Json" | "Shape", more: object = {}): Outcome => ({
  _tag: "MalformedResponseError",
  kind,
  ...more
})
const problemAt = (...path: ReadonlyArray<string>) => malformed("Shape", { problems: [{ path }] })
const attemptTimeout: Outcome = { _tag: "TimeoutError", phase: "attempt" }

const nowhere = { requests: 0, plan: [] }

// ---- The rows

const stillConnecting: Deviation = {
  leavesSockets: true,
  reason:
    "undici, which is also Node's fetch, gives up a connection under way by its own connect timeout alone (10 s): what was interrupted leaves it until then."
}

const connecting: ReadonlyArray<Case> = [
  {
    row: 1,
    name: "connection refused",
    at: "refusing",
    ...nowhere,
    outcome: { ...attempts(3), _tag: "TransportError", reason: "connect", code: "ECONNREFUSED" }
  },
  {
    row: 2,
    name: "the name does not exist",
    at: "unknown name",
    ...nowhere,
    outcome: { ...attempts(2), _tag: "TransportError", reason: "dns", code: "ENOTFOUND" }
  },
  {
    row: 3,
    name: "the name server is busy",
    at: "busy name server",
    ...nowhere,
    outcome: { ...attempts(3), _tag: "TransportError", reason: "dns", code: "EAI_AGAIN" }
  },
  {
    row: 4,
    name: "the connection is never taken",
    at: "deaf",
    ...nowhere,
    options: hurried,
    outcome: { ...attempts(3), ...attemptTimeout },
    deviations: {
      fetch: stillConnecting,
      FetchClient: stillConnecting,
      undici: stillConnecting,
      NodeClient: stillConnecting
    }
  },
  {
    row: 4,
    name: "the TLS handshake is never answered",
    at: "https",
    ...nowhere,
    greeting: Fault.fault("silence", Fault.hang),
    options: hurried,
    outcome: { ...attempts(3), ...attemptTimeout },
    deviations: {
      fetch: stillConnecting,
      FetchClient: stillConnecting,
      undici: stillConnecting,
      NodeClient: stillConnecting
    }
  },
  {
    row: 5,
    name: "certificate self-signed",
    at: "self-signed",
    ...nowhere,
    outcome: { ...attempts(1), ...tls("DEPTH_ZERO_SELF_SIGNED_CERT") }
  },
  {
    row: 5,
    name: "certificate expired",
    at: "expired",
    ...nowhere,
    outcome: { ...attempts(1), ...tls("CERT_HAS_EXPIRED") }
  },
  {
    row: 5,
    name: "certificate for another host",
    at: "other host",
    ...nowhere,
    outcome: { ...attempts(1), ...tls("ERR_TLS_CERT_ALTNAME_INVALID") }
  },
  { row: 5, name: "certificate valid", at: "https", plan: Fault.times(1, ok), requests: 1, outcome: "store" },
  {
    row: 6,
    name: "plain HTTP at an HTTPS port",
    at: "https",
    ...nowhere,
    greeting: Fault.fault("400", Fault.send(Fault.answerBytes({ status: 400 })), Fault.close),
    outcome: { ...attempts(1), _tag: "TransportError", reason: /^(tls|protocol)$/ }
  }
]

function attempts(count: number) {
  return { attempts: count }
}

function tls(code: string) {
  return { _tag: "TransportError", reason: "tls", code }
}

const gzipAlone: Deviation = {
  outcome: unexpected(/encod/),
  reason: "undici's request decodes nothing, and of what was not asked for the client itself decodes gzip alone."
}

const no100: Deviation = {
  outcome: transport("reset"),
  requests: 3,
  reason: "undici, which is also Node's fetch, takes a 100 that it has not asked for as a broken connection."
}

const earlyHints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"

const connection: ReadonlyArray<Case> = [
  ...retried(7, "reset before any byte", Fault.fault("reset", Fault.reset), transport("reset")),
  single(7, "reset before any byte, over TLS", Fault.fault("reset", Fault.reset), transport("reset"), {
    at: "https",
    plan: Fault.times(3, Fault.fault("reset", Fault.reset)),
    requests: 3
  }),
  ...retried(9, "closed with no bytes", Fault.fault("close", Fault.close), transport("reset")),
  ...retried(
    10,
    "closed in the headers",
    Fault.cut("cut in the headers", { body: storeJson }, 40, Fault.close),
    transport("reset")
  ),
  ...retried(
    10,
    "reset in the headers",
    Fault.cut("reset in the headers", { body: storeJson }, 40, Fault.stall(20), Fault.reset),
    transport("reset")
  ),
  single(11, "not HTTP", Fault.fault("SSH", Fault.send("SSH-2.0-OpenSSH_9.6\r\n"), Fault.close), transport("protocol")),
  single(
    12,
    "NUL in a header",
    Fault.fault("NUL", Fault.send("HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n"), Fault.close),
    transport("protocol")
  ),
  single(
    12,
    "illegal byte in a header's name",
    Fault.fault("illegal name", Fault.send("HTTP/1.1 200 OK\r\nX\x01Y: a\r\nContent-Length: 0\r\n\r\n"), Fault.close),
    transport("protocol")
  ),
  single(
    13,
    "headers of 20 KiB",
    Fault.answer("20 KiB of headers", { headers: [json, ["X-Long", "x".repeat(20 * 1024)]], body: storeJson }),
    transport("protocol")
  ),
  single(
    14,
    "two lengths",
    Fault.answer("two lengths", {
      headers: [json, ["Content-Length", "5"], ["Content-Length", String(storeJson.length)]],
      body: storeJson
    }),
    transport("protocol")
  ),
  single(
    14,
    "a length and chunks",
    Fault.answer("length and chunks", {
      headers: [json, ["Content-Length", String(storeJson.length)], ["Transfer-Encoding", "chunked"]],
      body: `${storeJson.length.toString(16)}\r\n${storeJson}\r\n0\r\n\r\n`
    }),
    transport("protocol")
  ),
  single(16, "100 before the 200", ok, "store", {
    plan: Fault.forever(Fault.fault("100, then ok", Fault.send("HTTP/1.1 100 Continue\r\n\r\n"), Fault.send(okBytes))),
    deviations: { fetch: no100, FetchClient: no100, undici: no100, NodeClient: no100 }
  }),
  single(16, "103 before the 200", Fault.fault("103, 200", Fault.send(earlyHints), Fault.send(okBytes)), "store"),
  single(
    16,
    "103 before a 200 of 20 KiB",
    Fault.fault(
      "103, 200 of 20 KiB",
      Fault.send(earlyHints),
      Fault.send(Fault.answerBytes({ body: storeWith({ title: "x".repeat(20 * 1024) }) }))
    ),
    "store"
  ),
  ...retried(17, "headers never arrive", Fault.fault("silence", Fault.hang), attemptTimeout, { options: hurried }),
  ...retried(
    18,
    "the body stalls",
    Fault.cut("stall in the body", { body: storeJson }, okBytes.length - 10, Fault.hang),
    attemptTimeout,
    { options: hurried }
  ),
  ...retried(
    19,
    "the body drips",
    Fault.fault("a byte each 100 ms", Fault.send(okBytes.subarray(0, 120)), Fault.drip(okBytes.subarray(120), 100)),
    attemptTimeout,
    { options: hurried }
  ),
  ...retried(
    21,
    "a length larger than the body",
    Fault.cut("cut in the body", { body: storeJson }, okBytes.length - 10, Fault.close),
    transport("reset")
  ),
  ...retried(
    22,
    "chunks cut",
    Fault.fault(
      "cut in a chunk",
      Fault.send(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{"data":`
      ),
      Fault.close
    ),
    transport("reset")
  ),
  ...retried(
    22,
    "bad chunk size",
    Fault.fault(
      "bad chunk size",
      Fault.send(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"data":\r\nzz\r\n`
      ),
      Fault.stall(20),
      Fault.close
    ),
    transport("reset")
  )
]

/** Holds none of the values that row 33 sends. */
const valueless = /^(?!.*(424242|nine|canary)).+$/s

const answers: ReadonlyArray<Case> = [
  ...once(23, "200, empty", okWith("empty", ""), malformed("Json")),
  ...[203, 204, 205, 206].map((status) =>
    single(
      24,
      `${status}`,
      Fault.status(status, [json], status === 204 || status === 205 ? "" : storeJson),
      unexpected(/Only a 200/, { status })
    )
  ),
  single(
    24,
    "205 with a body of 5 MB",
    Fault.status(205, [json], " ".repeat(5_000_000)),
    unexpected(/Only a 200/, { status: 205 })
  ),
  single(
    24,
    "205 whose body stalls",
    Fault.cut("205, stall in the body", { status: 205, body: storeJson }, 200, Fault.hang),
    unexpected(/Only a 200/, { status: 205 }),
    { options: hurried }
  ),
  single(25, "304", Fault.status(304), unexpected(/confirm/, { status: 304 })),
  single(
    26,
    "200, text/html",
    Fault.answer("html", { headers: [["Content-Type", "text/html"]], body: html }),
    unexpected(/text\/html/, { snippet: /^<html>\\u\{0\}\\u\{1b\}/ })
  ),
  single(
    27,
    "JSON as text/plain",
    Fault.answer("text/plain", { headers: [["Content-Type", "text/plain"]], body: storeJson }),
    unexpected(/text\/plain/)
  ),
  single(
    28,
    "utf-16",
    Fault.answer("utf-16", {
      headers: [["Content-Type", "application/json; charset=utf-16"]],
      body: Buffer.from(storeJson, "utf16le")
    }),
    unexpected(/charset/)
  ),
  single(
    28,
    "invalid UTF-8",
    okWith(
      "invalid UTF-8",
      Buffer.concat([Buffer.from('{"data":{"id":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}}')])
    ),
    unexpected(/UTF-8/)
  ),
  single(29, "a byte order mark", okWith("BOM", `\ufeff${storeJson}`), "store"),
  ...once(30, "JSON cut off", okWith("cut JSON", storeJson.slice(0, -20)), malformed("Json")),
  ...once(31, "garbage", okWith("garbage", `%%% ${EXPOSED}`), malformed("Json")),
  ...["null", "[]", '"x"', "{}"].map((body) => single(32, body, okWith(body, body), malformed("Shape"))),
  single(32, '{"data":null}', okWith("data null", '{"data":null}'), problemAt("data")),
  single(
    33,
    "wrong types, and a field missing",
    okWith(
      "wrong types",
      storeWith({ id: 424242, createdAt: undefined, stats: { readCount: "nine" }, urlSigningSecretKey: [SIGNING_KEY] })
    ),
    malformed("Shape", {
      // In the order of the fields, these and no other, without the values.
      problems: [
        { path: ["data", "id"], problem: valueless },
        { path: ["data", "createdAt"], problem: "is missing" },
        { path: ["data", "urlSigningSecretKey"], problem: valueless },
        { path: ["data", "stats", "readCount"], problem: valueless }
      ]
    })
  ),
  single(34, "unknown fields", okWith("unknown fields", storeWith({ brandNew: { a: [1] } })), "store"),
  ...["2019-13-45T00:00:00Z", "+010000-01-01T00:00:00.000Z", "2019-12-12T07:34:14.202"].map((createdAt) =>
    single(35, createdAt, okWith(createdAt, storeWith({ createdAt })), problemAt("data", "createdAt"))
  ),
  single(
    36,
    "__proto__ and constructor",
    okWith(
      "__proto__",
      `{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"data":${JSON.stringify(store).slice(0, -1)},"schema":{"__proto__":{"polluted":1},"constructor":1,"kept":{"__proto__":{"polluted":1}}},"__proto__":{"polluted":1}}}`
    ),
    "store"
  ),
  single(
    37,
    "a schema nested 100,000 deep",
    okWith("nested schema", nested("schema")),
    malformed("Shape", { problems: [{ path: ["data", "schema"] }] })
  ),
  // A store, because what is unknown is dropped, however deep.
  single(37, "an unknown field nested 100,000 deep", okWith("nested", nested("brandNew")), "store"),
  single(38, "duplicate keys", okWith("duplicates", `{"data":null,"data":${JSON.stringify(store)}}`), "store"),
  single(
    38,
    "an integer over 2^53",
    okWith("2^53 + 1", JSON.stringify({ data: store }).replace('"readCount":9', '"readCount":9007199254740993')),
    problemAt("data", "stats", "readCount")
  ),
  single(39, "300 MiB, declared", Fault.largeBody(300, "declared"), unexpected(/maxBodyBytes/)),
  single(39, "300 MiB, in chunks", Fault.largeBody(300, "chunked"), unexpected(/maxBodyBytes/)),
  single(40, "gzip unasked", okWith("gzip", Fault.gzipped(storeJson), ["Content-Encoding", "gzip"]), "store"),
  single(40, "brotli unasked", okWith("brotli", brotliCompressSync(storeJson), ["Content-Encoding", "br"]), "store", {
    deviations: { undici: gzipAlone, NodeClient: gzipAlone }
  }),
  single(
    40,
    "gzip twice",
    okWith("gzip, gzip", Fault.gzipped(Fault.gzipped(storeJson)), ["Content-Encoding", "gzip, gzip"]),
    unexpected(/encod/)
  ),
  single(
    40,
    "corrupt gzip",
    okWith("corrupt gzip", Fault.gzipped(storeJson).fill(0xff, 12, 40), ["Content-Encoding", "gzip"]),
    unexpected(/encod/)
  ),
  single(
    40,
    "an unknown encoding",
    okWith("unknown encoding", Buffer.from([0x8f, 0xff, 0x01]), ["Content-Encoding", "x-secret"]),
    unexpected(/encod/)
  ),
  single(
    40,
    "gzip in name alone",
    okWith("JSON called gzip", storeJson, ["Content-Encoding", "gzip"]),
    unexpected(/encod/)
  ),
  single(
    40,
    "brotli in name alone",
    okWith("JSON called brotli", storeJson, ["Content-Encoding", "br"]),
    unexpected(/encod/)
  ),
  single(
    40,
    "an unknown encoding, in name alone",
    okWith("unknown encoding", storeJson, ["Content-Encoding", "x-secret"]),
    unexpected(/encod/)
  )
]

const bodies = [
  ["JSON", "application/json", apifyError("internal-server-error")],
  ["HTML", "text/html", html],
  ["nothing", "text/plain", ""]
] as const

const LARGE = 5_000_000

/** In parts, so that the server knows how many of them it got to send. */
const large = (status: number): Fault.Fault => {
  const part = Buffer.from(EXPOSED.padEnd(50_000))
  const head = `HTTP/1.1 ${status} Planned\r\nContent-Type: text/plain\r\nContent-Length: ${LARGE}\r\n\r\n`
  return Fault.fault(`${status}, 5 MB`, Fault.send(head), Fault.flood(part, LARGE / part.length))
}

/** The second of pacing that follows a 429, and some time on a busy machine. */
const USUAL_WAIT_MILLIS = 1800

const retryAfter = (name: string, ...values: ReadonlyArray<string>): Case =>
  single(42, name, ok, "store", {
    plan: Fault.sequence(
      Fault.status(429, [
        ...values.map((value): readonly [string, string] => ["Retry-After", value]),
        ["X-RateLimit-Limit", "1000"]
      ]),
      ok
    ),
    requests: 2,
    mostWaitMillis: USUAL_WAIT_MILLIS
  })

/** An HTTP date so many seconds from now. */
const dated = (name: string, seconds: number): Fault.Fault => ({
  name,
  steps: ({ date }) => [
    Fault.send(
      Fault.answerBytes({ status: 429, headers: [["Retry-After", new Date(date + seconds * 1000).toUTCString()]] })
    )
  ]
})

const limited = (name: string, first: Fault.Fault, wait: Pick<Case, "waitMillis" | "mostWaitMillis">): Case =>
  single(41, name, ok, "store", { plan: Fault.sequence(first, ok), requests: 2, ...wait })

const statuses: ReadonlyArray<Case> = [
  limited("Retry-After: 2", Fault.status(429, [["Retry-After", "2"]]), { waitMillis: 2000 }),
  limited("Retry-After: 0", Fault.status(429, [["Retry-After", "0"]]), { mostWaitMillis: USUAL_WAIT_MILLIS }),
  // Dates have whole seconds: the last one may be nearly over.
  limited("Retry-After: a date", dated("a date", 3), { waitMillis: 1990 }),
  limited("Retry-After: a past date", dated("a past date", -3600), { mostWaitMillis: USUAL_WAIT_MILLIS }),
  retryAfter("Retry-After: -1", "-1"),
  retryAfter("Retry-After: 1e9", "1e9"),
  retryAfter("Retry-After: 0x10", "0x10"),
  retryAfter("Retry-After: 2.5", "2.5"),
  retryAfter("Retry-After, empty", ""),
  retryAfter("Retry-After twice", "20", "20"),
  retryAfter("Retry-After of 10 kB", "9".repeat(10_000)),
  single(43, "Retry-After past the deadline", Fault.status(429, [["Retry-After", "3600"]]), {
    ...attempts(1),
    _tag: "RateLimitedError",
    retryAfter: 3_600_000
  }),
  single(
    44,
    "429 for ever",
    Fault.status(429),
    { ...attempts(3), _tag: "RateLimitedError", limit: 1000 },
    {
      plan: Fault.forever(Fault.status(429, [["X-RateLimit-Limit", "1000"]], apifyError("rate-limit-exceeded"))),
      requests: 3
    }
  ),
  ...[500, 502, 503, 504, 408].flatMap((status) => {
    const outcome = status === 408 ? unexpected(/not a status/, { status }) : { _tag: "ServerError", status }
    return [
      ...bodies.flatMap(([kind, type, body]) =>
        retried(45, `${status}, ${kind}`, Fault.status(status, [["Content-Type", type]], body), outcome)
      ),
      ...retried(45, `${status}, 5 MB`, large(status), outcome)
    ]
  }),
  ...[501, 505, 511].map((status) =>
    single(46, `${status}`, Fault.status(status, [], html), unexpected(/not a status/, { ...attempts(1), status }))
  )
]

const tags = [
  [400, "invalid-request", "BadRequestError"],
  [401, "user-or-token-not-found", "UnauthorizedError"],
  [402, "x402-payment-required", "PaymentRequiredError"],
  [403, "insufficient-permissions", "ForbiddenError"],
  [404, "record-not-found", "StoreNotFoundError"],
  [405, "method-not-allowed", "MethodNotAllowedError"],
  [410, "gone", "UnexpectedResponseError"],
  [422, "unprocessable", "UnexpectedResponseError"]
] as const

const refusals: ReadonlyArray<Case> = [
  ...tags.map(([status, type, _tag]) =>
    single(47, `${status} ${type}`, refusal(status, type), {
      _tag,
      status,
      apifyType: type,
      apifyMessage: /^Refused\. Bearer <redacted>/
    })
  ),
  single(47, "404 page-not-found", refusal(404, "page-not-found"), unexpected(/missing/, { status: 404 })),
  ...tags.flatMap(([status, _, tag]) => {
    // Without Apify's own word, a 404 is not known to be about the store.
    const _tag = status === 404 ? "UnexpectedResponseError" : tag
    return [
      single(48, `${status}, HTML`, Fault.status(status, [["Content-Type", "text/html"]], html), {
        _tag,
        status,
        snippet: /^<html>\\u\{0\}/
      }),
      single(48, `${status}, nothing`, Fault.status(status), { _tag, status }),
      single(
        48,
        `${status}, 5 MB`,
        large(status),
        { _tag, status, snippet: /^Bearer <redacted>.{10,250}…$/ },
        { mostBytes: LARGE }
      )
    ]
  }),
  single(
    48,
    "404, stalls after 20 kB",
    Fault.cut("404, stall in the body", { status: 404, body: "x".repeat(40_000) }, 20_000, Fault.hang),
    { _tag: "UnexpectedResponseError", status: 404 },
    { options: hurried }
  ),
  ...[301, 302, 303, 307, 308].map((status) =>
    single(
      49,
      `${status}`,
      Fault.redirect(status, `/v2/key-value-stores/~elsewhere?token=${TOKEN}`),
      unexpected(/not followed/, { status, location: /~elsewhere\?token=<redacted>/ })
    )
  )
]

export const BOMB = "a gzip bomb of 300 MiB"

/** By itself, because it takes a second to make. */
export const bomb = async (): Promise<Case> => single(40, BOMB, await Fault.gzipBomb(300), unexpected(/maxBodyBytes/))

/** Where redirects lead that must not be followed; another origin's address is known only when it runs. */
export const strangers = (origin: string, self: string): ReadonlyArray<Case> => [
  ...[
    origin,
    origin.replace("http:", "https:"),
    origin.replace("http:", ""),
    "//evil.test",
    "file:///etc/passwd",
    self,
    "::nonsense::",
    "",
    `${origin}/${"x".repeat(8000)}`
  ].map((location) =>
    single(50, `to ${location.slice(0, 30)}`, Fault.redirect(302, location), unexpected(/not followed/))
  ),
  single(50, `from https to ${origin}`, Fault.redirect(302, origin), unexpected(/not followed/), { at: "https" })
]

export const cases: ReadonlyArray<Case> = [...connecting, ...connection, ...answers, ...statuses, ...refusals]
