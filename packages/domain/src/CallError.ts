/**
 * The errors that every operation shares, one tagged error for each failure that a caller would handle differently.
 *
 * Each error's `message` says what happened and what to do. Each carries what was requested and, if the server
 * responded, what it said. None contains a token, a signature or a signing key.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ApifyErrorTypeId, type GaveUp, isApifyError, type Retryable } from "./ApifyError.js"
import { Count, Milliseconds } from "./Count.js"
import { flag, gaveUp, optional, optionalText, requestFields, responseFields } from "./internal/errorFields.js"
import {
  afterColon,
  checkApi,
  describeProblems,
  effort,
  hostOf,
  printable,
  responded
} from "./internal/errorMessage.js"
import { Problem } from "./Problem.js"

const storeOf = ({ store }: { readonly store: Option.Option<string> }): string =>
  Option.match(store, { onNone: () => "the store", onSome: (store) => `the store ${store}` })

/** The URL shows that there was a signature, which then took the place of a token. */
const isSigned = ({ url }: { readonly url: string }): boolean => /[?&]signature=/.test(url)

const SIGNATURE_REFUSED =
  "The link's signature was refused: check that it is complete and has not expired, and that the store's signing key has not changed"

/**
 * 400: Apify rejected the request.
 *
 * @since 0.1.0
 * @category errors
 */
export class BadRequestError extends Schema.TaggedError<BadRequestError>()("BadRequestError", responseFields) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(`${responded(this)}. Check what was passed to ${this.operation}.`)
  get retryable(): Retryable {
    return "Never"
  }
}

/**
 * 401: no token, or a token that Apify does not know.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnauthorizedError extends Schema.TaggedError<UnauthorizedError>()("UnauthorizedError", {
  ...responseFields,
  /** Where the token was read from; `None` if the request carried no token. */
  tokenSource: optionalText,
  /** Whether the client has a token, but withheld it from a request to another server than its own. */
  tokenWithheld: flag
}) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(
    Option.match(this.tokenSource, {
      onNone: () =>
        this.tokenWithheld
          ? `${responded(this)}. The request carried no token, because transformClient sent it to another server than baseUrl. Set baseUrl to the server that should get the token.`
          : isSigned(this)
            ? `${responded(this)}. ${SIGNATURE_REFUSED}.`
            : `${responded(this)}. The request carried no token. Set APIFY_TOKEN, or pass a token to ApifyClient.layer. Your token is in Apify Console, under Settings, API & Integrations.`,
      onSome: (source) =>
        `${responded(this)}. The token was read from ${source}. Check that it is complete, has not been revoked, and belongs to this server.`
    })
  )
  get retryable(): Retryable {
    return "Never"
  }
}

/**
 * 402: Apify requires a payment or a higher limit.
 *
 * @since 0.1.0
 * @category errors
 */
export class PaymentRequiredError extends Schema.TaggedError<PaymentRequiredError>()(
  "PaymentRequiredError",
  responseFields
) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(
    `${responded(this)}. Check the account's plan and limits in Apify Console, under Billing.`
  )
  get retryable(): Retryable {
    return "Never"
  }
}

/**
 * 403: the caller lacks the rights that the operation needs.
 *
 * @since 0.1.0
 * @category errors
 */
export class ForbiddenError extends Schema.TaggedError<ForbiddenError>()("ForbiddenError", {
  ...responseFields,
  /** Whether the request carried no token. */
  isAnonymous: flag
}) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(
    isSigned(this)
      ? `${responded(this)}. ${SIGNATURE_REFUSED}.`
      : `${responded(this)}. ${this.isAnonymous ? "The request carried no token: set APIFY_TOKEN, or pass a token to ApifyClient.layer. Otherwise ask" : "Ask"} the owner of ${storeOf(this)} to share it with you or to open its general access. A store that anyone can read by its ID cannot be read by its name.`
  )
  get retryable(): Retryable {
    return "Never"
  }
}

/**
 * 405: the server does not allow this method at this path.
 *
 * @since 0.1.0
 * @category errors
 */
export class MethodNotAllowedError extends Schema.TaggedError<MethodNotAllowedError>()(
  "MethodNotAllowedError",
  responseFields
) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(`${responded(this)}. ${checkApi(this.url)}`)
  get retryable(): Retryable {
    return "Never"
  }
}

/**
 * 429: too many requests.
 *
 * @example
 * ```ts
 * import type { RateLimitedError } from "@effect-apify/domain"
 * import * as Duration from "effect/Duration"
 * import * as Option from "effect/Option"
 *
 * const waitOf = ({ retryAfter }: RateLimitedError) => Option.getOrElse(retryAfter, () => Duration.seconds(1))
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class RateLimitedError extends Schema.TaggedError<RateLimitedError>()("RateLimitedError", {
  ...responseFields,
  gaveUp,
  /** The limit that the server named, in requests a second. */
  limit: optional(Count),
  /** The wait that the server requested. */
  retryAfter: optional(Milliseconds)
}) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(
    `${responded(this)}. ${Option.match(this.limit, {
      onNone: () => "Send fewer requests at once",
      onSome: (limit) => `The limit is ${limit} ${limit === 1 ? "request" : "requests"} a second: send fewer at once`
    })}, and wait ${Option.match(this.retryAfter, {
      onNone: () => "before the next call",
      onSome: (wait) => `${Duration.format(wait)} before the next call, as the server requested`
    })}.`
  )
  get retryable(): Retryable {
    return "ByPolicy"
  }
}

/**
 * 5xx, except for 501, 505 and 511: the server failed, and may recover.
 *
 * @since 0.1.0
 * @category errors
 */
export class ServerError extends Schema.TaggedError<ServerError>()("ServerError", {
  ...responseFields,
  gaveUp,
  /** The wait that the server requested. */
  retryAfter: optional(Milliseconds)
}) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(
    `${responded(this)}. The server is at fault: try again later, and see https://status.apify.com.`
  )
  get retryable(): Retryable {
    return "ByPolicy"
  }
}

/**
 * A response that the operation does not expect: another status, a redirect, another content type, a body that is too
 * large or cannot be decoded to text.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnexpectedResponseError extends Schema.TaggedError<UnexpectedResponseError>()("UnexpectedResponseError", {
  ...responseFields,
  gaveUp,
  /** What was unexpected, as a sentence without its full stop. */
  problem: Schema.String,
  /** Origin and path of a redirect's target. It was not followed. */
  location: optionalText
}) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(
    `${responded(this)}. ${this.problem}.${Option.match(this.location, {
      onNone: () => "",
      onSome: (location) => ` The redirect points to ${location}.`
    })} ${checkApi(this.url)}`
  )
  get retryable(): Retryable {
    return this.status === 408 ? "ByPolicy" : "Never"
  }
}

/**
 * A successful response whose body is not what the operation returns: not JSON (`Json`), or JSON of another shape
 * (`Shape`).
 *
 * @since 0.1.0
 * @category errors
 */
export class MalformedResponseError extends Schema.TaggedError<MalformedResponseError>()("MalformedResponseError", {
  ...requestFields,
  gaveUp,
  status: responseFields.status,
  kind: Schema.Literal("Json", "Shape"),
  problems: Schema.Array(Problem)
}) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(
    `${hostOf(this.url)} responded with ${this.status}, but the body is not what ${this.operation} returns${effort(this)}: ${describeProblems(this.problems)}. Either this is not Apify's API, or the API has changed: look for a newer version of this library.`
  )
  get retryable(): Retryable {
    return this.kind === "Json" ? "Once" : "Never"
  }
}

/**
 * Why there is no complete response.
 *
 * - `dns`: the host name could not be resolved.
 * - `connect`: no connection could be made.
 * - `tls`: no secure connection could be made.
 * - `reset`: the connection broke before the response was complete.
 * - `protocol`: what was received is not HTTP.
 * - `proxy`: the proxy refused to connect to the server.
 * - `request`: the runtime or the transport did not accept the request.
 * - `file`: a transport that keeps records in files could not read or write one.
 * - `closed`: the client was closed, or the scope of a stream before its bytes were read.
 * - `unknown`: the transport does not say.
 *
 * @since 0.1.0
 * @category schemas
 */
export const TransportReason = Schema.Literal(
  "dns",
  "connect",
  "tls",
  "reset",
  "protocol",
  "proxy",
  "request",
  "file",
  "closed",
  "unknown"
).annotations({ identifier: "TransportReason" })

/**
 * The type of `TransportReason`.
 *
 * @since 0.1.0
 * @category models
 */
export type TransportReason = typeof TransportReason.Type

const transportMessages: Record<TransportReason, readonly [happened: string, advice: string]> = {
  dns: ["the host name could not be resolved", "Check the base URL and this machine's network"],
  connect: ["no connection could be made", "Check that the server is running, and any proxy or firewall in between"],
  tls: [
    "no secure connection could be made",
    "Check the certificate, this machine's clock, and any proxy that intercepts TLS"
  ],
  reset: [
    "the connection broke before the response was complete",
    "Try again; if it keeps happening, check any proxy in between"
  ],
  protocol: ["the data received is not valid HTTP", "Check that the base URL has the scheme and port of Apify's API"],
  proxy: ["the proxy did not connect to the server", "Check the proxy's address, credentials and rules"],
  request: [
    "the request could not be sent",
    "Check the base URL, the transport's options, and any body or function that you passed"
  ],
  file: ["A file could not be read or written", "Check its folder, its permissions and the disk's free space"],
  closed: ["the stream or the client was closed", "Keep their scopes open until all is read and all calls have ended"],
  unknown: ["the request failed", "Check the base URL and the network"]
}

/**
 * No response, or an incomplete one.
 *
 * @example
 * ```ts
 * import type { TransportError } from "@effect-apify/domain"
 *
 * const isOffline = ({ reason }: TransportError) => reason === "dns" || reason === "connect"
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class TransportError extends Schema.TaggedError<TransportError>()("TransportError", {
  ...requestFields,
  gaveUp,
  reason: TransportReason,
  /** The platform's own code, such as `ECONNREFUSED`. */
  code: optionalText,
  /** What the transport said, without secrets. */
  description: optionalText,
  /** Whether the connection had served an earlier request: the server may have closed it because it was idle. */
  reused: flag,
  /** Whether another attempt would fail the same way. */
  permanent: flag
}) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(
    `${this.reason === "file" ? "" : `${hostOf(this.url)}: `}${transportMessages[this.reason][0]}${Option.match(
      this.code,
      {
        onNone: () => "",
        onSome: (code) => ` [${code}]`
      }
    )}${effort(this)}${afterColon(this.description)}. ${transportMessages[this.reason][1]}.`
  )
  get retryable(): Retryable {
    if (this.permanent) return "Never"
    switch (this.reason) {
      case "tls":
      case "protocol":
      case "request":
      case "file":
      case "closed":
        return "Never"
      case "dns":
        // A name that does not exist is likely to stay so; a name server that is busy (EAI_AGAIN) is not.
        return Option.contains(this.code, "ENOTFOUND") ? "Once" : "ByPolicy"
      default:
        return "ByPolicy"
    }
  }
}

/**
 * The time ran out: during an attempt (`attempt`), or during the whole call (`call`).
 *
 * @example
 * ```ts
 * import type { TimeoutError } from "@effect-apify/domain"
 * import * as Option from "effect/Option"
 *
 * // What kept the call from ending in time.
 * const reasonOf = ({ lastFailure }: TimeoutError) => Option.getOrElse(lastFailure, () => "no response")
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class TimeoutError extends Schema.TaggedError<TimeoutError>()("TimeoutError", {
  ...requestFields,
  gaveUp,
  phase: Schema.Literal("attempt", "call"),
  /** The time limit that was reached. */
  limit: Milliseconds,
  /** The message of the previous attempt's error, if there was one. */
  lastFailure: optionalText
}) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(
    this.phase === "attempt"
      ? `${hostOf(this.url)} did not send a complete response within ${Duration.format(this.limit)}${effort(this)}. Try again later, or raise attemptTimeout.`
      : `${this.operation} did not finish within ${Duration.format(this.limit)}${effort(this)}. Try again later, or raise callTimeout.${Option.match(
          this.lastFailure,
          { onNone: () => "", onSome: (failure) => ` The previous attempt failed: ${failure.replace(/\.$/, "")}.` }
        )}`
  )
  get retryable(): Retryable {
    return this.phase === "attempt" ? "ByPolicy" : "Never"
  }
}

/**
 * The errors that every operation shares.
 *
 * @example
 * ```ts
 * import type { CallError } from "@effect-apify/domain"
 * import * as Match from "effect/Match"
 *
 * const advice = Match.type<CallError>().pipe(
 *   Match.tag("UnauthorizedError", () => "Set APIFY_TOKEN"),
 *   Match.orElse(({ message }) => message)
 * )
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export const CallError = Schema.Union(
  BadRequestError,
  UnauthorizedError,
  PaymentRequiredError,
  ForbiddenError,
  MethodNotAllowedError,
  RateLimitedError,
  ServerError,
  UnexpectedResponseError,
  MalformedResponseError,
  TransportError,
  TimeoutError
).annotations({ identifier: "CallError" })

/**
 * The type of `CallError`.
 *
 * @since 0.1.0
 * @category errors
 */
export type CallError = typeof CallError.Type

/**
 * The error with the reason why it was not retried any further. Errors that are never retried are returned unchanged.
 *
 * @internal
 */
export const gaveUpBecause = (error: CallError, reason: GaveUp): CallError => {
  const gaveUp = Option.some(reason)
  switch (error._tag) {
    case "RateLimitedError":
      return new RateLimitedError({ ...error, gaveUp }, true)
    case "ServerError":
      return new ServerError({ ...error, gaveUp }, true)
    case "UnexpectedResponseError":
      return new UnexpectedResponseError({ ...error, gaveUp }, true)
    case "MalformedResponseError":
      return new MalformedResponseError({ ...error, gaveUp }, true)
    case "TransportError":
      return new TransportError({ ...error, gaveUp }, true)
    case "TimeoutError":
      return new TimeoutError({ ...error, gaveUp }, true)
    default:
      return error
  }
}

const callErrorTags: ReadonlySet<string> = new Set(CallError.members.map(({ _tag }) => _tag))

/**
 * Whether a value is one of the errors that every operation shares.
 *
 * @example
 * ```ts
 * import { isCallError } from "@effect-apify/domain"
 *
 * declare const error: unknown
 * if (isCallError(error)) console.log(`${error.operation} failed after ${error.attempts} attempts`)
 * ```
 *
 * @since 0.1.0
 * @category guards
 */
export const isCallError = (error: unknown): error is CallError => isApifyError(error) && callErrorTags.has(error._tag)

/**
 * Whether Apify rejected the token, or requires one.
 *
 * @example
 * ```ts
 * import { isUnauthorized } from "@effect-apify/domain"
 * import * as Effect from "effect/Effect"
 *
 * declare const program: Effect.Effect<string, Error>
 * Effect.catchIf(program, isUnauthorized, () => Effect.succeed("Set APIFY_TOKEN"))
 * ```
 *
 * @since 0.1.0
 * @category guards
 */
export const isUnauthorized = (error: unknown): error is UnauthorizedError =>
  isApifyError(error) && error._tag === "UnauthorizedError"

/**
 * An error in a few words, for a log: its tag, and its status, code or phase.
 *
 * @example
 * ```ts
 * import { describeFailure, TransportError } from "@effect-apify/domain"
 *
 * declare const error: TransportError
 * describeFailure(error) // "TransportError (ECONNREFUSED)"
 * ```
 *
 * @since 0.1.0
 * @category formatting
 */
export const describeFailure = (error: CallError): string => {
  switch (error._tag) {
    case "TransportError":
      return `${error._tag} (${Option.getOrElse(error.code, () => error.reason)})`
    case "TimeoutError":
      return `${error._tag} (${error.phase})`
    default:
      return `${error._tag} (${error.status})`
  }
}
