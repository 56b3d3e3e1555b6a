/**
 * Why no answer came, told from what the transport threw.
 *
 * Nothing of what was thrown is kept but a code such as `ECONNREFUSED`: its message may hold a token.
 */
import type { TransportReason } from "@effect-apify/domain/CallError"
import * as Arr from "effect/Array"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { TransportRequest } from "../Transport.js"

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

const sizeOf = ({ headers, origin, path }: TransportRequest): number =>
  Object.entries(headers).reduce(
    (size, [name, value]) => size + name.length + value.length + 4,
    origin.length + path.length + MOST_ADDED
  )

/**
 * Whether the connection had sent more than this request: then it had brought an answer before. Only undici tells, and only
 * of connections that the server closed in order; of what is not told, nothing is claimed.
 */
const hadAnswered = (thrown: unknown, request: TransportRequest): boolean =>
  chainOf(thrown).some(({ socket }) => Predicate.isRecord(socket) && Number(socket.bytesWritten) > sizeOf(request))

/** By code, first match. Sources: Node's system, TLS and OpenSSL codes, llhttp's `HPE_`, undici's `UND_ERR_`. */
const reasons: ReadonlyArray<readonly [pattern: RegExp, reason: TransportReason]> = [
  [/^(ENOTFOUND|EAI_\w+|ENODATA|ESERVFAIL)$/, "dns"],
  [/^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|ETIMEDOUT|EADDRNOTAVAIL|EACCES|EPERM)$/, "connect"],
  [/^UND_ERR_CONNECT_TIMEOUT$/, "connect"],
  [/^(EPROTO|ERR_TLS_\w+|ERR_SSL_\w+|CERT_\w+|CRL_\w+|UNABLE_TO_\w+|\w*SELF_SIGNED\w*|HOSTNAME_MISMATCH)$/, "tls"],
  [/^(INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|ERROR_IN_CERT_\w+)$/, "tls"],
  // HTTP/2 ended the stream or the connection.
  [/^ERR_HTTP2_(STREAM_ERROR|STREAM_CANCEL|SESSION_ERROR|GOAWAY_SESSION)$/, "reset"],
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
export const classify = (
  cause: unknown,
  request: TransportRequest,
  _redact: (text: string) => string
): Failure & { description: Option.Option<string>; permanent: boolean } => {
  const code = codeOf(cause)
  const reason = Option.flatMapNullable(code, (code) => reasons.find(([pattern]) => pattern.test(code))?.[1]).pipe(
    Option.getOrElse(() => "unknown" as const)
  )
  return {
    reason,
    code,
    description: Option.none(),
    permanent: false,
    reused: reason === "reset" && hadAnswered(cause, request)
  }
}

/** Whether what was thrown tells of a body that could not be decompressed (zlib's codes, and undici's of fetch). */
export const isUndecodable = (thrown: unknown): boolean =>
  Option.exists(codeOf(thrown), (code) => /^(Z_\w+|ERR_\w*BROTLI\w*|ERR__ERROR_FORMAT\w*|ERR_PADDING\w*)$/.test(code))
