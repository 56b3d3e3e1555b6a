/**
 * The faults that one call of an operation meets, row by row: a plan for the server, and the outcome.
 */
import { brotliCompressSync } from "node:zlib"
import { Fault } from "@effect-apify/fault-server"
import type { CallOptions } from "@effect-apify/http"
import type * as Duration from "effect/Duration"
import type { Operation } from "./operations.js"
import { EXPOSED, TOKEN } from "./secrets.js"
import type { Transport } from "./transports.js"

/** What a call must end in: its success, or an error whose encoded form has these fields. */
export type Outcome = "success" | { readonly _tag: string; readonly [field: string]: unknown }

/** Where a case sends its request. */
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
  /** Whether its attempts end by their time limit: then time passes, once the server waits. */
  readonly runsOutOfTime?: boolean
  /** Whether that is within the body of a stream. */
  readonly stopsWithin?: boolean
  readonly outcome: Outcome
  /** Requests that the server reads, where there are any. */
  readonly requests: number
  /** The shortest and the longest time between the first request and the second, by the clock of the call. */
  readonly waitMillis?: readonly [least: number, most: number]
  /** What the server gets to send must stay below it. */
  readonly mostBytes?: number
  /** What a transport gives in place of the outcome, and why it cannot give that. */
  readonly deviations?: Deviations
}

export type Deviations = Partial<Record<Transport["name"], Deviation>>

export interface Deviation {
  /** The case's own, where only sockets are left. */
  readonly outcome?: Outcome
  readonly requests?: number
  /** Whether connections are left for a while. */
  readonly leavesSockets?: boolean
  readonly reason: string
}

// ---- Faults

export const JSON_TYPE: readonly [string, string] = ["Content-Type", "application/json; charset=utf-8"]

/** A success of an operation. */
export const okOf = ({ success }: Operation): Fault.Fault => Fault.respond("ok", success)

export const okWith = (
  name: string,
  body: string | Uint8Array,
  ...headers: ReadonlyArray<readonly [string, string]>
): Fault.Fault => Fault.respond(name, { headers: [JSON_TYPE, ...headers], body })

/** The request is read, and that is all. */
export const silence = Fault.fault("silence", Fault.hang)

export const closed = Fault.fault("close", Fault.close)

export const reset = Fault.fault("reset", Fault.reset)

/** Closes what has brought a response before, as a server does with an idle connection. */
export const closingReused = (operation: Operation): Fault.Fault => ({
  name: "ok on a new connection, close on another",
  steps: (request, earlier) =>
    (earlier.some(({ connection }) => connection === request.connection) ? closed : okOf(operation)).steps(
      request,
      earlier
    )
})

/** A response, and behind it bytes of another. At once, so that they are there before the next request. */
export const beyond = ({ success }: Operation): Fault.Fault =>
  Fault.fault(
    "ok, then another response that was not requested",
    Fault.send(
      Buffer.concat([Fault.responseBytes(success), Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull")])
    )
  )

const apifyError = (type: string): string =>
  JSON.stringify({ error: { type, message: `Refused. ${EXPOSED}` } }, null, 2)

/** A status whose headers and body repeat every secret. */
export const refusal = (status: number, type = "planned"): Fault.Fault =>
  Fault.status(status, [JSON_TYPE, ["X-Exposed", EXPOSED], ["Set-Cookie", EXPOSED]], apifyError(type))

const html = `<html>\u0000\u001b[31m<h1>Bad gateway</h1>\r\n${EXPOSED}</html>`

// ---- Kinds of cases

/** Retries without much waiting. By the clock of this machine only a call that hangs reaches its limits. */
export const patient: CallOptions = {
  attemptTimeout: "2 minutes",
  callTimeout: "10 minutes",
  retry: { retries: 2, baseDelay: "2 millis" }
}

export const single = (
  row: number,
  name: string,
  fault: Fault.Fault,
  outcome: Outcome,
  more: Partial<Case> = {}
): Case => ({
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
  operation: Operation,
  row: number,
  name: string,
  fault: Fault.Fault,
  outcome: Outcome,
  more: Partial<Case> = {}
): ReadonlyArray<Case> => [
  single(row, name, fault, outcome, { plan: Fault.times(3, fault), requests: 3, ...more }),
  single(row, `${name}, twice`, fault, "success", {
    plan: Fault.sequence(Fault.times(2, fault), okOf(operation)),
    requests: 3,
    ...more
  })
]

/** Once a stream has begun, what breaks it off is its error, and it is not asked for again. */
const retriedIfWhole = (...about: Parameters<typeof retried>): ReadonlyArray<Case> => {
  const [operation, row, name, fault, outcome, more] = about
  return operation.isStreamed ? [single(row, name, fault, outcome, more)] : retried(...about)
}

/** Met twice it is the error, met once it is got over. */
const once = (
  operation: Operation,
  row: number,
  name: string,
  fault: Fault.Fault,
  outcome: Outcome
): ReadonlyArray<Case> => [
  single(row, name, fault, outcome, { plan: Fault.times(2, fault), requests: 2 }),
  single(row, `${name}, once`, fault, "success", { plan: Fault.sequence(fault, okOf(operation)), requests: 2 })
]

export const MALFORMED = "MalformedResponseError"

const transport = (reason: string): Outcome => ({ _tag: "TransportError", reason })
const unexpected = (problem: RegExp, more: object = {}): Outcome => ({
  _tag: "UnexpectedResponseError",
  problem,
  ...more
})
const malformed = (kind: "Json" | "Shape", more: object = {}): Outcome => ({ _tag: MALFORMED, kind, ...more })
export const wrongShape = (more: object = {}): Outcome => malformed("Shape", more)
export const problemAt = (...path: ReadonlyArray<string>): Outcome => wrongShape({ problems: [{ path }] })
const attemptTimeout: Outcome = { _tag: "TimeoutError", phase: "attempt" }

const nowhere = { requests: 0, plan: [] }

// ---- The rows

const onUndici = (deviation: Deviation): Deviations => ({
  "HttpClient on undici": deviation,
  UndiciTransport: deviation
})

const everywhere = (deviation: Deviation): Deviations => ({
  ...onUndici(deviation),
  "HttpClient on fetch": deviation,
  FetchTransport: deviation
})

const stillConnecting: Deviation = {
  leavesSockets: true,
  reason:
    "undici, which is also Node's fetch, abandons a connection attempt only at its own connect timeout (10 s): an interrupted call leaves it open until then."
}

const connecting = (operation: Operation): ReadonlyArray<Case> => [
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
    name: "the connection is never accepted",
    at: "deaf",
    ...nowhere,
    runsOutOfTime: true,
    outcome: { ...attempts(3), ...attemptTimeout },
    deviations: everywhere(stillConnecting)
  },
  {
    row: 4,
    name: "the TLS handshake never completes",
    at: "https",
    ...nowhere,
    greeting: silence,
    runsOutOfTime: true,
    outcome: { ...attempts(3), ...attemptTimeout },
    deviations: everywhere(stillConnecting)
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
  {
    row: 5,
    name: "certificate valid",
    at: "https",
    plan: Fault.times(1, okOf(operation)),
    requests: 1,
    outcome: "success"
  },
  {
    row: 6,
    name: "plain HTTP at an HTTPS port",
    at: "https",
    ...nowhere,
    greeting: Fault.fault("400", Fault.send(Fault.responseBytes({ status: 400 })), Fault.close),
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
  reason:
    "undici's request decodes nothing; of the encodings that were not requested, the client itself decodes gzip only."
}

const no100: Deviation = {
  outcome: transport("reset"),
  requests: 3,
  reason: "undici, which is also Node's fetch, treats an unexpected 100 Continue as a broken connection."
}

export const EARLY_HINTS = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"

const connection = (operation: Operation): ReadonlyArray<Case> => {
  const { success } = operation
  const { body, headers: [type] = [JSON_TYPE] } = success
  const ok = okOf(operation)
  const okBytes = Fault.responseBytes(success)
  const chunkedHead = `HTTP/1.1 200 OK\r\n${type?.join(": ")}\r\nTransfer-Encoding: chunked\r\n\r\n`
  const drips = Fault.fault(
    "a byte each 100 ms",
    Fault.send(okBytes.subarray(0, 120)),
    Fault.drip(okBytes.subarray(120), 100)
  )
  // The whole body would take longer than that, and each byte arrives sooner.
  const dripping = (attemptTimeout: Duration.DurationInput) => ({
    runsOutOfTime: true,
    stopsWithin: operation.isStreamed,
    options: { ...patient, attemptTimeout }
  })
  return [
    ...retried(operation, 7, "reset before any byte", reset, transport("reset")),
    single(7, "reset before any byte, over TLS", reset, transport("reset"), {
      at: "https",
      plan: Fault.times(3, reset),
      requests: 3
    }),
    ...retried(operation, 9, "closed with no bytes", closed, transport("reset")),
    ...retried(
      operation,
      10,
      "closed in the headers",
      Fault.cut("cut in the headers", success, 40, Fault.close),
      transport("reset")
    ),
    ...retried(
      operation,
      10,
      "reset in the headers",
      Fault.cut("reset in the headers", success, 40, Fault.reset),
      transport("reset")
    ),
    single(
      11,
      "not HTTP",
      Fault.fault("SSH", Fault.send("SSH-2.0-OpenSSH_9.6\r\n"), Fault.close),
      transport("protocol")
    ),
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
      Fault.respond("20 KiB of headers", { headers: [JSON_TYPE, ["X-Long", "x".repeat(20 * 1024)]], body: body }),
      transport("protocol")
    ),
    single(
      14,
      "two lengths",
      Fault.respond("two lengths", {
        headers: [JSON_TYPE, ["Content-Length", "5"], ["Content-Length", String(body.length)]],
        body
      }),
      transport("protocol")
    ),
    single(
      14,
      "a length and chunks",
      Fault.respond("length and chunks", {
        headers: [JSON_TYPE, ["Content-Length", String(body.length)], ["Transfer-Encoding", "chunked"]],
        body: `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
      }),
      transport("protocol")
    ),
    single(16, "100 before the 200", ok, "success", {
      plan: Fault.forever(
        Fault.fault("100, then ok", Fault.send("HTTP/1.1 100 Continue\r\n\r\n"), Fault.send(okBytes))
      ),
      deviations: everywhere(no100)
    }),
    single(16, "103 before the 200", Fault.fault("103, 200", Fault.send(EARLY_HINTS), Fault.send(okBytes)), "success"),
    ...retried(operation, 17, "headers never arrive", silence, attemptTimeout, { runsOutOfTime: true }),
    ...retriedIfWhole(
      operation,
      18,
      "the body stalls",
      Fault.cut("stall in the body", success, okBytes.length - 10, Fault.hang),
      attemptTimeout,
      { runsOutOfTime: true, stopsWithin: operation.isStreamed }
    ),
    ...(operation.isStreamed
      ? [single(19, "the body drips, and moves", drips, "success", dripping("20 seconds"))]
      : retried(operation, 19, "the body drips", drips, attemptTimeout, dripping("500 millis"))),
    ...retriedIfWhole(
      operation,
      21,
      "a length larger than the body",
      Fault.cut("cut in the body", success, okBytes.length - 10, Fault.close),
      transport("reset")
    ),
    ...retriedIfWhole(
      operation,
      22,
      "chunks cut",
      Fault.fault("cut in a chunk", Fault.send(`${chunkedHead}10\r\n{"data":`), Fault.close),
      transport("reset")
    ),
    ...retriedIfWhole(
      operation,
      22,
      "bad chunk size",
      Fault.fault("bad chunk size", Fault.send(`${chunkedHead}8\r\n{"data":\r\nzz\r\n`), Fault.close),
      transport("reset")
    )
  ]
}

/** Of operations that succeed with a 200 and JSON. */
const jsonBodies = (operation: Operation): ReadonlyArray<Case> => {
  const { body } = operation.success
  return [
    ...once(operation, 23, "200, empty", okWith("empty", ""), malformed("Json")),
    ...[203, 204, 205, 206].map((status) =>
      single(
        24,
        `${status}`,
        Fault.status(status, [JSON_TYPE], status === 204 || status === 205 ? "" : body),
        unexpected(/does not expect status/, { status })
      )
    ),
    single(
      24,
      "205 with a body of 5 MB",
      Fault.status(205, [JSON_TYPE], " ".repeat(5_000_000)),
      unexpected(/does not expect status/, { status: 205 })
    ),
    single(
      24,
      "205 whose body stalls",
      Fault.cut("205, stall in the body", { status: 205, body: body }, 200, Fault.hang),
      unexpected(/does not expect status/, { status: 205 })
    ),
    single(25, "304", Fault.status(304), unexpected(/does not expect status/, { status: 304 })),
    single(
      26,
      "200, text/html",
      Fault.respond("html", { headers: [["Content-Type", "text/html"]], body: html }),
      unexpected(/text\/html/, { snippet: undefined })
    ),
    single(
      27,
      "JSON as text/plain",
      Fault.respond("text/plain", { headers: [["Content-Type", "text/plain"]], body: body }),
      unexpected(/text\/plain/)
    ),
    single(
      28,
      "utf-16",
      Fault.respond("utf-16", {
        headers: [["Content-Type", "application/json; charset=utf-16"]],
        body: Buffer.from(body, "utf16le")
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
    single(29, "a byte order mark", okWith("BOM", `\ufeff${body}`), "success"),
    ...once(operation, 30, "JSON cut off", okWith("cut JSON", body.slice(0, -20)), malformed("Json")),
    ...once(operation, 31, "garbage", okWith("garbage", `%%% ${EXPOSED}`), malformed("Json")),
    single(39, "300 MiB, declared", Fault.largeBody(300, "declared"), unexpected(/maxBodyBytes/)),
    single(39, "300 MiB, in chunks", Fault.largeBody(300, "chunked"), unexpected(/maxBodyBytes/)),
    single(
      40,
      "gzip that was not requested",
      okWith("gzip", Fault.gzipped(body), ["Content-Encoding", "gzip"]),
      "success"
    ),
    single(
      40,
      "brotli that was not requested",
      okWith("brotli", brotliCompressSync(body), ["Content-Encoding", "br"]),
      "success",
      {
        deviations: onUndici(gzipAlone)
      }
    ),
    single(
      40,
      "gzip twice",
      okWith("gzip, gzip", Fault.gzipped(Fault.gzipped(body)), ["Content-Encoding", "gzip, gzip"]),
      unexpected(/encod/)
    ),
    single(
      40,
      "corrupt gzip",
      okWith("corrupt gzip", Fault.gzipped(body).fill(0xff, 12, 40), ["Content-Encoding", "gzip"]),
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
      okWith("JSON called gzip", body, ["Content-Encoding", "gzip"]),
      unexpected(/encod/)
    ),
    single(
      40,
      "brotli in name alone",
      okWith("JSON called brotli", body, ["Content-Encoding", "br"]),
      unexpected(/encod/)
    ),
    single(
      40,
      "an unknown encoding, in name alone",
      okWith("unknown encoding", body, ["Content-Encoding", "x-secret"]),
      unexpected(/encod/)
    )
  ]
}

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

/** The second of pacing that follows a 429, and the backoff. */
const USUAL_WAIT: readonly [number, number] = [1000, 1010]

const retryAfter = (operation: Operation, name: string, ...values: ReadonlyArray<string>): Case =>
  limited(
    operation,
    42,
    name,
    Fault.status(429, [
      ...values.map((value): readonly [string, string] => ["Retry-After", value]),
      ["X-RateLimit-Limit", "1000"]
    ]),
    USUAL_WAIT
  )

/** An HTTP date so many seconds from now. */
const dated = (name: string, seconds: number): Fault.Fault => ({
  name,
  steps: ({ date }) => [
    Fault.send(
      Fault.responseBytes({ status: 429, headers: [["Retry-After", new Date(date + seconds * 1000).toUTCString()]] })
    )
  ]
})

const limited = (
  operation: Operation,
  row: number,
  name: string,
  first: Fault.Fault,
  waitMillis: readonly [number, number]
): Case =>
  single(row, name, first, "success", { plan: Fault.sequence(first, okOf(operation)), requests: 2, waitMillis })

const statuses = (operation: Operation): ReadonlyArray<Case> => [
  limited(operation, 41, "Retry-After: 2", Fault.status(429, [["Retry-After", "2"]]), [2000, 2010]),
  limited(operation, 41, "Retry-After: 0", Fault.status(429, [["Retry-After", "0"]]), USUAL_WAIT),
  // Dates have whole seconds.
  limited(operation, 41, "Retry-After: a date", dated("a date", 3), [2001, 3010]),
  limited(operation, 41, "Retry-After: a past date", dated("a past date", -3600), USUAL_WAIT),
  retryAfter(operation, "Retry-After: -1", "-1"),
  retryAfter(operation, "Retry-After: 1e9", "1e9"),
  retryAfter(operation, "Retry-After: 0x10", "0x10"),
  retryAfter(operation, "Retry-After: 2.5", "2.5"),
  retryAfter(operation, "Retry-After, empty", ""),
  retryAfter(operation, "Retry-After twice", "20", "20"),
  retryAfter(operation, "Retry-After of 10 kB", "9".repeat(10_000)),
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
    const outcome = status === 408 ? unexpected(/does not expect status/, { status }) : { _tag: "ServerError", status }
    return [
      ...bodies.flatMap(([kind, type, body]) =>
        retried(operation, 45, `${status}, ${kind}`, Fault.status(status, [["Content-Type", type]], body), outcome)
      ),
      ...retried(operation, 45, `${status}, 5 MB`, large(status), outcome)
    ]
  }),
  ...[501, 505, 511].map((status) =>
    single(
      46,
      `${status}`,
      Fault.status(status, [], html),
      unexpected(/does not expect status/, { ...attempts(1), status })
    )
  )
]

const tags = ({ notFound }: Operation) =>
  [
    [400, "invalid-request", "BadRequestError"],
    [401, "user-or-token-not-found", "UnauthorizedError"],
    [402, "x402-payment-required", "PaymentRequiredError"],
    [403, "insufficient-permissions", "ForbiddenError"],
    [404, "record-not-found", notFound],
    [405, "method-not-allowed", "MethodNotAllowedError"],
    [410, "gone", "UnexpectedResponseError"],
    [422, "unprocessable", "UnexpectedResponseError"]
  ] as const

const refusals = (operation: Operation): ReadonlyArray<Case> => [
  ...tags(operation).map(([status, type, _tag]) =>
    single(47, `${status} ${type}`, refusal(status, type), {
      _tag,
      status,
      apifyType: type,
      apifyMessage: /<redacted>/
    })
  ),
  single(
    47,
    "404 page-not-found",
    refusal(404, "page-not-found"),
    unexpected(/not how Apify reports a missing store/, { status: 404 })
  ),
  ...tags(operation).flatMap(([status, _, tag]) => {
    // Without Apify's own word, a 404 is not known to be about the store.
    const _tag = status === 404 ? "UnexpectedResponseError" : tag
    return [
      single(48, `${status}, HTML`, Fault.status(status, [["Content-Type", "text/html"]], html), {
        _tag,
        status,
        snippet: undefined
      }),
      single(48, `${status}, nothing`, Fault.status(status), { _tag, status }),
      single(48, `${status}, 5 MB`, large(status), { _tag, status, snippet: undefined }, { mostBytes: LARGE })
    ]
  }),
  single(
    48,
    "404, stalls after 20 kB",
    Fault.cut("404, stall in the body", { status: 404, body: "x".repeat(40_000) }, 20_000, Fault.hang),
    { _tag: "UnexpectedResponseError", status: 404 }
  ),
  ...[301, 302, 303, 307, 308].map((status) =>
    single(
      49,
      `${status}`,
      Fault.redirect(status, `/v2/key-value-stores/~elsewhere?token=${TOKEN}`),
      unexpected(/not followed/, { status, location: /~elsewhere$/ })
    )
  )
]

/** By itself, because it takes a second to make. */
export const bomb = async (mebibytes: number): Promise<Case> =>
  single(40, `a gzip bomb of ${mebibytes} MiB`, await Fault.gzipBomb(mebibytes), unexpected(/maxBodyBytes/))

/** Redirects that must not be followed. */
export const redirects = (origin: string): ReadonlyArray<Case> => [
  ...(
    [
      ["another origin", origin],
      ["another origin by https", origin.replace("http:", "https:")],
      ["another origin by the same scheme", origin.replace("http:", "")],
      ["another host", "//evil.test"],
      ["a file", "file:///etc/passwd"],
      ["itself", "?itself"],
      ["nonsense", "::nonsense::"],
      ["nowhere", ""],
      ["another origin and a path of 8 kB", `${origin}/${"x".repeat(8000)}`]
    ] as const
  ).map(([where, location]) =>
    single(50, `a redirect to ${where}`, Fault.redirect(302, location), unexpected(/not followed/))
  ),
  single(50, "a redirect from https to http", Fault.redirect(302, origin), unexpected(/not followed/), { at: "https" })
]

/** The cases of every operation, and those of this one. */
export const casesOf = (operation: Operation): ReadonlyArray<Case> => [
  ...connecting(operation),
  ...connection(operation),
  ...(operation.isJson ? jsonBodies(operation) : []),
  ...statuses(operation),
  ...refusals(operation),
  ...operation.cases
]
