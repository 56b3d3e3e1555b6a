/**
 * What a client sends by: the caller's `HttpClient`, or a transport of our own.
 */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { TransportReason } from "@effect-apify/domain/GetStoreError"
import * as Arr from "effect/Array"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Tracer from "effect/Tracer"
import type { Answer } from "../Operation.js"

/** Sends requests. */
export interface Transport {
  /** What has to be there before an exchange begins. */
  readonly prepare: Effect.Effect<(sending: Sending) => Exchange>
  /** Whether requests tell the server of the span that they belong to. */
  readonly propagates: Effect.Effect<boolean>
}

/** A request to be sent, and who wants to know what comes of it. */
export interface Sending {
  readonly request: HttpClientRequest.HttpClientRequest
  readonly maxBodyBytes: number
  readonly span: Option.Option<Tracer.Span>
  /** The caller's. */
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  /** An answer has begun. */
  onStatus(status: number): void
  /** What came of it. Told once, or not at all where the exchange was ended before. */
  onEnd(exit: Exit.Exit<Answer, Unanswered>): void
}

/** A request and its answer, under way. */
export interface Exchange {
  /** Ends it, and waits for nothing. */
  abandon(): void
  /** Ends it, and waits until nothing is left of it. */
  readonly stop: Effect.Effect<void>
}

/** The cause of a request that was not sent, because it would have carried the token elsewhere. */
export const LEADS_ASTRAY = "A redirect leads elsewhere, and the token does not go there"

/** Why no answer came, or only part of one. */
export class Unanswered {
  constructor(
    /** As it was sent. */
    readonly request: HttpClientRequest.HttpClientRequest,
    /** What the transport threw. */
    readonly cause: unknown,
    /** What had come of the answer before it broke off. */
    readonly begun?: Pick<Answer, "status" | "headers">
  ) {}
}

/** What `fetch` must not do: lead the token elsewhere, answer from a cache, send cookies along. */
export const unaffected: RequestInit = { redirect: "manual", cache: "no-store", credentials: "omit" }

// Why no answer came is told from what the transport threw, and nothing of that is kept but a code such as `ECONNREFUSED`: its
// message may hold a token.

const isCode = (code: unknown): code is string => typeof code === "string" && /^[A-Z][A-Z0-9_]{1,63}$/.test(code)

/** Far more than any transport nests. */
const MAX_CAUSES = 8

/** What was thrown, and its causes; a failure to connect to several addresses has them side by side. */
const chainOf = (thrown: unknown, depth = 0): ReadonlyArray<Readonly<Record<PropertyKey, unknown>>> => {
  if (!Predicate.isRecord(thrown) || depth > MAX_CAUSES) return []
  const causes = [thrown.cause, ...(Array.isArray(thrown.errors) ? thrown.errors : [])]
  return [thrown, ...causes.flatMap((cause) => chainOf(cause, depth + 1))]
}

/** The first code of a chain. undici's parser may leave its own out, and is then known by its name. */
const codeOf = (thrown: unknown): Option.Option<string> =>
  Arr.findFirst(chainOf(thrown), ({ code, name }) => {
    if (isCode(code) && code !== "UND_ERR") return Option.some(code)
    return name === "HTTPParserError" ? Option.some("UND_ERR_HTTP_PARSER") : Option.none()
  })

/** What transports put around the URL and the headers of a request, and what HTTP puts between: never as much as this. */
const MOST_ADDED = 160

const sizeOf = ({ headers, url }: HttpClientRequest.HttpClientRequest): number =>
  Object.entries(headers).reduce(
    (size, [name, value]) => size + name.length + value.length + 4,
    url.length + MOST_ADDED
  )

/**
 * Whether the connection had sent more than this request: then it had brought an answer before. Only undici tells, and only
 * of connections that the server closed in order; of what is not told, nothing is claimed.
 */
const isReused = (thrown: unknown, request: HttpClientRequest.HttpClientRequest): boolean =>
  chainOf(thrown).some(({ socket }) => Predicate.isRecord(socket) && Number(socket.bytesWritten) > sizeOf(request))

/** By code, first match. Sources: Node's system, TLS and OpenSSL codes, llhttp's `HPE_`, undici's `UND_ERR_`. */
const reasons: ReadonlyArray<readonly [pattern: RegExp, reason: TransportReason]> = [
  [/^(ENOTFOUND|EAI_\w+|ENODATA|ESERVFAIL)$/, "dns"],
  [/^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|ETIMEDOUT|EADDRNOTAVAIL|EACCES|EPERM)$/, "connect"],
  [/^UND_ERR_CONNECT_TIMEOUT$/, "connect"],
  [/^(EPROTO|ERR_TLS_\w+|ERR_SSL_\w+|CERT_\w+|CRL_\w+|UNABLE_TO_\w+|\w*SELF_SIGNED\w*|HOSTNAME_MISMATCH)$/, "tls"],
  [/^(INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|ERROR_IN_CERT_\w+)$/, "tls"],
  [
    /^(ECONNRESET|EPIPE|ECONNABORTED|UND_ERR_SOCKET|UND_ERR_CLOSED|HPE_INVALID_EOF_STATE|HPE_CLOSED_CONNECTION)$/,
    "reset"
  ],
  [
    /^(HPE_\w+|UND_ERR_HTTP_PARSER|UND_ERR_HEADERS_OVERFLOW|UND_ERR_\w*MISMATCH|ERR_HTTP\w*|ERR_INVALID_HTTP\w*)$/,
    "protocol"
  ]
]

/** What is known of a failure to get an answer. */
export interface Failure {
  readonly reason: TransportReason
  readonly code: Option.Option<string>
  /** Whether the connection had carried an earlier answer. */
  readonly reused: boolean
}

/** Why no answer came. */
export const classify = ({ cause, request }: Unanswered): Failure => {
  const code = codeOf(cause)
  const reason = Option.flatMapNullable(code, (code) => reasons.find(([pattern]) => pattern.test(code))?.[1]).pipe(
    Option.getOrElse(() => "unknown" as const)
  )
  return { reason, code, reused: reason === "reset" && isReused(cause, request) }
}

/** Whether what was thrown tells of a body that could not be decompressed (zlib's codes, and undici's of fetch). */
export const isUndecodable = (thrown: unknown): boolean =>
  Option.exists(codeOf(thrown), (code) => /^(Z_\w+|ERR_\w*BROTLI\w*|ERR__ERROR_FORMAT\w*|ERR_PADDING\w*)$/.test(code))
