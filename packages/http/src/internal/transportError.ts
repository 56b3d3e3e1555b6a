/**
 * Why there was no response, read from what the transport threw: its reason, its code, and its own words.
 *
 * Classification reads the words as they are. Nothing of them is kept but a code such as `ECONNREFUSED` and a description
 * that the caller's redaction has been through.
 */
import type { TransportReason } from "@effect-apify/domain/CallError"
import { excerpt } from "@effect-apify/domain/Redaction"
import * as Arr from "effect/Array"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { TransportRequest } from "../Transport.js"
import { sizeOfHeaders } from "./requestHeaders.js"

/** What is known of a failure to get a response. */
export interface Failure {
  readonly reason: TransportReason
  /** The transport's own; where it has none, the system's code that its words stand for. */
  readonly code: Option.Option<string>
  /** The transport's own words on one line, redacted, without the queries of URLs, and cut. */
  readonly description: Option.Option<string>
  /** Whether the connection had served an earlier request. */
  readonly reused: boolean
  /** Whether another attempt is bound to fail as well. */
  readonly permanent: boolean
}

/**
 * Why there was no response. `redact` hides what the caller knows to be secret; `added` is how many bytes of headers the
 * transport added to the request, if it is more than usual.
 */
export const classify = (
  thrown: unknown,
  request: TransportRequest,
  redact: (text: string) => string,
  added = 0
): Failure => {
  const links = chainOf(thrown)
  const { code, permanent, reason } = isOfFile(thrown) ? ofFile : kindOf(links)
  return {
    reason,
    code: Option.orElse(codeIn(links), () => Option.fromNullable(code)),
    description: descriptionOf(links, redact),
    reused: reason === "reset" && links.some((link) => hadServed(link, mostSent(request) + added)),
    permanent: permanent ?? isPermanent(reason)
  }
}

/** An error of Effect's `FileSystem`. */
const isOfFile = (thrown: unknown): boolean => Predicate.isRecord(thrown) && read(thrown, "module") === "FileSystem"

const ofFile: Kind = { reason: "file" }

/** Whether a body could not be decompressed. */
export const isUndecodable = (thrown: unknown): boolean => {
  const links = chainOf(thrown)
  return Option.match(codeIn(links), {
    onNone: () => links.some(({ words }) => undecodableWords.test(words)),
    onSome: (code) => undecodableCodes.test(code)
  })
}

/** zlib's codes, those of undici's `fetch`, and Bun's. */
const undecodableCodes =
  /^(Z_\w+|ERR_\w*BROTLI\w*|ERR__ERROR_FORMAT\w*|ERR_PADDING\w*|ERR_ZSTD\w*|(Zlib|BrotliDecompression|ZstdDecompression)Error)$/

/** Of Deno 2.9 and workerd 1.20261117, which have no codes. */
const undecodableWords =
  /^(invalid gzip header|corrupt deflate stream|brotli error|unexpected end of file|\w+ decompression failed\.)$/i

/** What was thrown, or a cause of it. */
interface Link {
  readonly name: string
  readonly words: string
  /** The words as they are shown. */
  readonly shown: string
  /** What to show where there are no words at all. */
  readonly label: string
  readonly code: unknown
  /** What the system failed at. */
  readonly syscall: unknown
  /** How many bytes its connection had sent. */
  readonly bytesWritten: unknown
  readonly isInnermost: boolean
}

/** Far more than any transport has, and the end of causes that go in circles. */
const MAX_LINKS = 32

/** What was thrown, and its causes. A failure to connect to several addresses has them side by side. */
const chainOf = (thrown: unknown): ReadonlyArray<Link> => {
  const links: Array<Link> = []
  const waiting = [thrown]
  while (waiting.length > 0 && links.length < MAX_LINKS) {
    const value = waiting.shift()
    // Anything can be thrown: a text is its own message.
    const thrown = Predicate.isRecord(value) ? value : { message: value }
    const errors = read(thrown, "errors")
    const causes = [read(thrown, "cause"), ...(Array.isArray(errors) ? errors.slice(0, MAX_LINKS) : [])]
    const inner = causes.filter((cause) => Predicate.isRecord(cause) || typeof cause === "string")
    const name = textIn(thrown, "name")
    const words = textIn(thrown, "message")
    const socket = read(thrown, "socket")
    links.push({
      name,
      words,
      shown: isDomException(thrown) && name !== "" && words !== "" ? `${name}: ${words}` : words,
      label: thrown === value ? name.replace(/^Error$/, "") : labelOf(value),
      code: read(thrown, "code"),
      syscall: read(thrown, "syscall"),
      bytesWritten: Predicate.isRecord(socket) ? read(socket, "bytesWritten") : undefined,
      isInnermost: inner.length === 0
    })
    waiting.unshift(...inner)
  }
  return links
}

const labelOf = (primitive: unknown): string =>
  /^(number|bigint|boolean|symbol)$/.test(typeof primitive) ? String(primitive) : ""

/** Of these the name says more than the words. */
const isDomException = (value: object): boolean => Object.prototype.toString.call(value) === "[object DOMException]"

type Thrown = Readonly<Record<PropertyKey, unknown>>

/** A property of something thrown, whose getter may throw in turn. */
const read = (value: Thrown, key: string): unknown => {
  try {
    return value[key]
  } catch {
    return undefined
  }
}

const textIn = (value: Thrown, key: string): string => {
  const text = read(value, key)
  return typeof text === "string" ? text : ""
}

// Codes

/** The first code. undici's parser may leave its own out, and is then known by its name. */
const codeIn = (links: ReadonlyArray<Link>): Option.Option<string> =>
  Arr.findFirst(links, ({ code, name }) => {
    if (isCode(code)) return Option.some(code)
    return name === "HTTPParserError" ? Option.some("UND_ERR_HTTP_PARSER") : Option.none()
  })

/** In capitals, or one of Bun's: what else is called a code may be anything. */
const isCode = (code: unknown): code is string =>
  typeof code === "string" && code !== "UND_ERR" && (/^[A-Z][A-Z0-9_]{1,63}$/.test(code) || bunCodes.has(code))

/**
 * Bun's names for what goes wrong. Seen in Bun 1.2.23 and 1.4.4; `ConnectionClosed` and `FailedToOpenSocket` in
 * github.com/oven-sh/bun/issues/9881 and issues/3327, `DNSLookupFailed` in pull/27264.
 */
const bunCodes: ReadonlyMap<string, TransportReason> = new Map([
  ["ConnectionRefused", "connect"],
  ["FailedToOpenSocket", "connect"],
  ["DNSLookupFailed", "dns"],
  ["ConnectionClosed", "reset"],
  ["Malformed_HTTP_Response", "protocol"],
  ["InvalidHTTPResponse", "protocol"],
  ["ResponseHeadersTooLarge", "protocol"],
  ["InvalidContentLength", "protocol"],
  ["ZlibError", "unknown"],
  ["BrotliDecompressionError", "unknown"],
  ["ZstdDecompressionError", "unknown"]
])

/** By code, first match. Sources: Node's system, TLS and OpenSSL codes, llhttp's `HPE_`, undici's `UND_ERR_`. */
const codeReasons: ReadonlyArray<readonly [pattern: RegExp, reason: TransportReason]> = [
  [/^(ENOTFOUND|EAI_\w+|ENODATA|ESERVFAIL)$/, "dns"],
  [/^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|ETIMEDOUT|EADDRNOTAVAIL|EACCES|EPERM)$/, "connect"],
  [/^UND_ERR_CONNECT_TIMEOUT$/, "connect"],
  [/^(EPROTO|ERR_TLS_\w+|ERR_SSL_\w+|CERT_\w+|CRL_\w+|UNABLE_TO_\w+|\w*SELF_SIGNED\w*|HOSTNAME_MISMATCH)$/, "tls"],
  [/^(INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|ERROR_IN_CERT_\w+)$/, "tls"],
  // HTTP/2 ended the stream or the connection.
  [/^ERR_HTTP2_(STREAM_ERROR|STREAM_CANCEL|SESSION_ERROR|GOAWAY_SESSION)$/, "reset"],
  [/^(ECONNRESET|EPIPE|ECONNABORTED|UND_ERR_SOCKET|HPE_INVALID_EOF_STATE|HPE_CLOSED_CONNECTION)$/, "reset"],
  [
    /^(HPE_\w+|UND_ERR_HTTP_PARSER|UND_ERR_HEADERS_OVERFLOW|UND_ERR_\w*MISMATCH|ERR_HTTP\w*|ERR_INVALID_HTTP\w*)$/,
    "protocol"
  ],
  [/^(ERR_PROXY_TUNNEL|UND_ERR_PRX_\w+)$/, "proxy"],
  // A request that cannot be sent, or a dispatcher that was closed.
  [/^(ERR_INVALID_\w+|UND_ERR_INVALID_ARG|UND_ERR_NOT_SUPPORTED|UND_ERR_CLOSED|UND_ERR_DESTROYED)$/, "request"]
]

const reasonOf = (code: string): TransportReason | undefined =>
  bunCodes.get(code) ?? codeReasons.find(([pattern]) => pattern.test(code))?.[1]

// Words

interface Kind {
  readonly reason: TransportReason
  /** The system's code for it. */
  readonly code?: string
  readonly permanent?: boolean
}

const kindOf = (links: ReadonlyArray<Link>): Kind => {
  const refusal = Option.getOrUndefined(
    Option.orElse(proxyRefusal(links), () => Arr.findFirst(links, ({ words }) => kindBy(refusals, words)))
  )
  if (refusal !== undefined) return refusal
  const reason = Option.getOrUndefined(Option.map(codeIn(links), reasonOf))
  if (reason !== undefined) return { reason: reason === "connect" && links.some(isConnected) ? "reset" : reason }
  return Arr.findFirst(links, ({ words }) => kindBy(kinds, words)).pipe(
    Option.getOrElse((): Kind => ({ reason: links.some(isOwnError) ? "request" : "unknown" }))
  )
}

/** Node names what the system failed at: a connection that times out while it is read had been made. */
const isConnected = ({ syscall }: Link): boolean => syscall === "read" || syscall === "write"

const kindBy = (table: ReadonlyArray<readonly [pattern: RegExp, kind: Kind]>, words: string): Option.Option<Kind> =>
  Option.fromNullable(table.find(([pattern]) => pattern.test(words))?.[1])

/** Read before any code. */
const refusals: ReadonlyArray<readonly [pattern: RegExp, kind: Kind]> = [
  // A port that fetch blocks: undici's words (lib/web/fetch/index.js), and those of Deno 2.9.
  [/^bad port$/i, { reason: "request" }],
  [/^fetch failed: requests to port \d+ are blocked$/i, { reason: "request" }],
  // A 407: undici's fetch (lib/web/fetch/index.js) and `ProxyAgent` (lib/dispatcher/proxy-agent.js), and Deno 2.9 on CONNECT.
  [/proxy authentication required(?: \(407\))?$/i, { reason: "proxy", permanent: true }],
  // Deno 2.9 of any other refusal on CONNECT, whose status it does not name.
  [/unsuccessful tunnel$/i, { reason: "proxy" }],
  // workerd: an option of fetch that it does not know, and limits of one invocation.
  // developers.cloudflare.com/workers/observability/errors and /workers/platform/limits
  [/^the '\w+' field on '\w+' is not implemented\.$/i, { reason: "request" }],
  [/^(too many subrequests|disallowed operation called within global scope)/i, { reason: "request" }]
]

/**
 * The status that a proxy gave to CONNECT, in the words of undici's `ProxyAgent` (lib/dispatcher/proxy-agent.js), of Node 24
 * (lib/https.js, which has it as `statusCode` too), of Bun 1.4 and of the package `tunnel`.
 */
const tunnelStatus = [
  /^proxy response \((\d{3})\) !== 200/i,
  /^failed to establish tunnel to .*: HTTP\/\d\.\d (\d{3})\b/i,
  /^proxy refused to open a tunnel: (\d{3})\b/i,
  /^tunneling socket could not be established, statusCode=(\d{3})$/i
]

/** A proxy that refuses will do so again, unless it is busy or the server behind it is out of reach. */
const proxyRefusal = (links: ReadonlyArray<Link>): Option.Option<Kind> =>
  Arr.findFirst(links, ({ words }) =>
    Option.map(
      Arr.findFirst(tunnelStatus, (pattern) => Option.fromNullable(pattern.exec(words)?.[1])),
      (status) => ({ reason: "proxy", permanent: /^4/.test(status) && status !== "408" && status !== "429" })
    )
  )

/**
 * Of transports without codes, first match.
 *
 * - Deno: hyper's and rustls's words, and the system's. Seen in Deno 2.1.14 and 2.9.6; macOS's in
 *   github.com/denoland/deno/issues/24835, HTTP/2's in issues/27332.
 * - workerd: src/workerd/jsg/util.c++, where every broken or refused connection has the same words.
 * - Safari: those of macOS, as in github.com/sindresorhus/is-network-error.
 */
const kinds: ReadonlyArray<readonly [pattern: RegExp, kind: Kind]> = [
  [/temporary failure in name resolution/i, { reason: "dns", code: "EAI_AGAIN" }],
  [/name or service not known|nodename nor servname|no such host is known/i, { reason: "dns", code: "ENOTFOUND" }],
  [/dns error|failed to lookup address|server with the specified hostname could not be found/i, { reason: "dns" }],
  [/connection refused|actively refused/i, { reason: "connect", code: "ECONNREFUSED" }],
  [/connection reset by peer|forcibly closed/i, { reason: "reset", code: "ECONNRESET" }],
  [/broken pipe/i, { reason: "reset", code: "EPIPE" }],
  [/connection closed before message completed|error reading a body from connection/i, { reason: "reset" }],
  [/tls handshake eof|http2 error/i, { reason: "reset" }],
  [/^network connection lost\.|network connection was lost|socket connection was closed/i, { reason: "reset" }],
  [/invalid peer certificate|received corrupt message|received fatal alert/i, { reason: "tls" }],
  [/certificate for this server is invalid|an SSL error has occurred/i, { reason: "tls" }],
  [/invalid (HTTP|content-length|transfer-encoding)[\w -]* parsed|message head is too large/i, { reason: "protocol" }],
  [/no route to host/i, { reason: "connect", code: "EHOSTUNREACH" }],
  [/network is unreachable/i, { reason: "connect", code: "ENETUNREACH" }],
  [
    /tcp connect error|could not connect to the server|internet connection appears to be offline/i,
    { reason: "connect" }
  ],
  [/^unable to connect\. is the computer able to access the url/i, { reason: "connect" }]
]

/** Whether the same request will fail in the same way. */
const isPermanent = (reason: TransportReason): boolean =>
  reason === "tls" || reason === "protocol" || reason === "request" || reason === "file"

/**
 * What `fetch` says of a network that failed it, without saying how: undici, Chrome, Firefox, Safari, React Native and
 * `cross-fetch`, in that order; then of a body that broke off, in undici, Chrome and Firefox. The first ones are listed in
 * github.com/sindresorhus/is-network-error.
 */
const vague =
  /^(fetch failed|failed to fetch|networkerror when attempting to fetch resource\.?|load failed|network request failed|terminated|network error|error in (input|body) stream|request was cancelled\.|cancelled)$/i

/** What older versions of Deno begin with, in a `TypeError`. */
const denoWords = /^error (sending request|trying to connect|reading|decoding)\b/i

/** `fetch` throws a `TypeError` where the network failed. One that says anything else is a mistake in a program. */
const isOwnError = ({ code, isInnermost, name, words }: Link): boolean =>
  isInnermost &&
  /^(Type|Reference|Range|Syntax)Error$/.test(name) &&
  typeof code !== "string" &&
  words !== "" &&
  !vague.test(words) &&
  !denoWords.test(words)

// What the connection had served

/** What transports put around the URL and the headers of a request, and what HTTP puts between: never as much as this. */
const MOST_ADDED = 160

/** The most bytes that a request takes. */
const mostSent = ({ body, headers, origin, path }: TransportRequest): number =>
  origin.length + path.length + sizeOfHeaders(headers) + lengthOf(body) + MOST_ADDED

const lengthOf = (body: TransportRequest["body"]): number => {
  switch (body._tag) {
    case "Empty":
      return 0
    case "Bytes":
      return body.bytes.length
    case "Stream":
      return Number.POSITIVE_INFINITY
  }
}

/**
 * Whether the connection had sent more than this request: then it had served an earlier one. Only undici says how much, and
 * only for connections that the server closed in order; otherwise nothing is claimed.
 */
const hadServed = ({ bytesWritten }: Link, mostSent: number): boolean =>
  typeof bytesWritten === "number" && bytesWritten > mostSent

// Description

/** As much of the words as is shown. */
const MAX_DESCRIPTION = 200

/** As much of the words as is looked at. */
const MAX_WORDS = 8192

/** What each link adds to those before it. */
const descriptionOf = (links: ReadonlyArray<Link>, redact: (text: string) => string): Option.Option<string> => {
  const said = links.some(({ shown }) => shown.trim() !== "")
  const words = links
    .map(({ label, shown }) => (said ? shown : label).replace(/\s+/g, " ").trim())
    .filter((words) => words !== "")
  const specific = words.filter((words) => !vague.test(words))
  const parts = (specific.length > 0 ? specific : words).reduce<ReadonlyArray<string>>(
    (parts, words) =>
      parts.some((part) => part.includes(words)) ? parts : [...parts.filter((part) => !words.includes(part)), words],
    []
  )
  const text = shortened(parts.join("; "))
  return text === "" ? Option.none() : Option.some(excerpt(withoutCredentials(redact(text)), MAX_DESCRIPTION))
}

/** Cut at a space: of a secret cut in half, redaction would know neither. */
const shortened = (text: string): string =>
  text.length <= MAX_WORDS ? text : text.slice(0, Math.max(0, text.lastIndexOf(" ", MAX_WORDS)))

/** URLs without username, password, query and fragment, and headers without credentials. */
const withoutCredentials = (text: string): string =>
  text
    .replace(/:\/\/[^\s/?#]*@/g, "://")
    .replace(/\S+/g, withoutQuery)
    .replace(/\b((?:proxy-)?authorization|cookie)\b(["']?\s?[:=]).*/gi, "$1$2 …")
    .replace(/\b(bearer|basic)\s[\w.~+/%=-]{8,}/gi, "$1 …")

/** A question mark, or a fragment's sign, that has more behind it than the end of a sentence or of brackets. */
const withoutQuery = (word: string): string => {
  const [beforeQuery = ""] = word.split("?", 1)
  const [beforeFragment = ""] = beforeQuery.split("#", 1)
  const kept = beforeFragment.includes("/") ? beforeFragment : beforeQuery
  const rest = word.slice(kept.length + 1)
  if (/^[)"'>\]:;,.?!]*$/.test(rest)) return word
  return kept + (/[)"'>\]]?[:;,.]?$/.exec(rest)?.[0] ?? "")
}
