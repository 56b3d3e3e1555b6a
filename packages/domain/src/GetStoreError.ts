/**
 * Every way for Get store to fail, one tagged error for each thing that a caller would handle differently.
 *
 * Every error says in its `message` what happened and what to do, carries what was asked and, where Apify answered, what
 * it answered. None ever holds a token, a signature or a signing key.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { excerpt } from "./quote.js"
import { Count } from "./StoreStats.js"

/**
 * Whether another attempt may help: never, once (what is likely to stay but may have been bad luck), or for as long as
 * the retry policy allows.
 *
 * @since 0.1.0
 * @category models
 */
export type Retryable = "Never" | "Once" | "ByPolicy"

/**
 * A time span in whole milliseconds: a number on the wire, a `Duration` in a program.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Milliseconds = Schema.transform(
  Count,
  Schema.DurationFromSelf.pipe(
    Schema.filter((duration) => Number.isSafeInteger(Duration.toMillis(duration)))
  ).annotations({
    identifier: "WholeMilliseconds",
    arbitrary: () => (fc) => fc.maxSafeNat().map((millis) => Duration.millis(millis)),
    equivalence: () => Duration.Equivalence
  }),
  {
    strict: true,
    decode: (millis) => Duration.millis(millis),
    encode: (duration) => Duration.toMillis(duration)
  }
).annotations({ identifier: "Milliseconds" })

const optional = <A, I>(schema: Schema.Schema<A, I>) =>
  Schema.optionalWith(schema, { as: "Option" }).pipe(Schema.withConstructorDefault(() => Option.none()))

const optionalText = optional(Schema.String)

/** What was asked, and what it took. */
const call = {
  method: Schema.Literal("GET"),
  /** Where it was asked, without credentials. */
  url: Schema.String,
  /** The store's reference: the last segment of the path. */
  ref: Schema.String,
  /** How many requests were sent. */
  attempts: Count,
  /** From the start of the call to the error. */
  elapsed: Milliseconds
}

/** What was answered. */
const answer = {
  ...call,
  status: Schema.Int.pipe(Schema.between(0, 999)),
  /** Apify's own type of the error, where the body is an error of Apify's. */
  apifyType: optionalText,
  /** Apify's own message, likewise. */
  apifyMessage: optionalText,
  /** The start of the body where it is not an error of Apify's, escaped. */
  snippet: optionalText
}

interface Asked {
  readonly url: string
  readonly attempts: number
  readonly elapsed: Duration.Duration
}

interface Answered extends Asked {
  readonly status: number
  readonly apifyType: Option.Option<string>
  readonly apifyMessage: Option.Option<string>
  readonly snippet: Option.Option<string>
}

// Whatever the server, the transport and the caller said stays on one line, and shows no secret that slipped in.
const printable = (message: string): string => excerpt(message, Number.POSITIVE_INFINITY)

// A pattern and not `new URL`: a message must never throw.
const originOf = (url: string): string => /^[a-z]+:\/\/[^/]*/i.exec(url)?.[0] ?? url
const hostOf = (url: string): string => originOf(url).replace(/^[a-z]+:\/\//i, "")

const effort = ({ attempts, elapsed }: Asked): string =>
  attempts === 1 ? "" : ` (${attempts} attempts in ${Duration.format(elapsed)})`

/** "Apify answered 403 insufficient-permissions: … (2 attempts in 1s)" */
const answered = (error: Answered): string => {
  const type = Option.match(error.apifyType, { onNone: () => "", onSome: (type) => ` ${type}` })
  const said = Option.match(
    Option.orElse(error.apifyMessage, () => error.snippet),
    {
      onNone: () => "",
      onSome: (text) => `: ${text.replace(/\.$/, "")}`
    }
  )
  const who = Option.isSome(error.apifyType) ? "Apify" : hostOf(error.url)
  return `${who} answered ${error.status}${type}${said}${effort(error)}`
}

/**
 * The reference is not one, and nothing was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidStoreRefError extends Schema.TaggedError<InvalidStoreRefError>()("InvalidStoreRefError", {
  /** The reference as given, quoted and cut. */
  ref: Schema.String,
  problem: Schema.String
}) {
  get retryable(): Retryable {
    return "Never"
  }
  override get message(): string {
    return printable(
      `${this.ref} does not name a store: ${this.problem}. A store is named by its id ("WkzbQMuFYuamGv3YF"), by "username~store-name", or by "~store-name" in the token's own account.`
    )
  }
}

/**
 * 400: Apify could not make sense of the request.
 *
 * @since 0.1.0
 * @category errors
 */
export class BadRequestError extends Schema.TaggedError<BadRequestError>()("BadRequestError", answer) {
  get retryable(): Retryable {
    return "Never"
  }
  override get message(): string {
    return printable(`${answered(this)}. Check the store's reference, ${this.ref}.`)
  }
}

/**
 * 401: no token, or one that Apify does not know.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnauthorizedError extends Schema.TaggedError<UnauthorizedError>()("UnauthorizedError", {
  ...answer,
  /** Where the token was read from; none where no token was sent. */
  tokenSource: optionalText
}) {
  get retryable(): Retryable {
    return "Never"
  }
  override get message(): string {
    return printable(
      Option.match(this.tokenSource, {
        onNone: () =>
          `${answered(this)}. No token was sent: set APIFY_TOKEN, or give ApifyClient.layer a token. You find yours in Apify's console under Settings, API & Integrations.`,
        onSome: (source) =>
          `${answered(this)}. The token came from ${source}: check that it is whole, has not been revoked, and belongs to this server.`
      })
    )
  }
}

/**
 * 402: Apify wants to be paid.
 *
 * @since 0.1.0
 * @category errors
 */
export class PaymentRequiredError extends Schema.TaggedError<PaymentRequiredError>()("PaymentRequiredError", answer) {
  get retryable(): Retryable {
    return "Never"
  }
  override get message(): string {
    return printable(
      `${answered(this)}. Check the plan and the limits of the token's account in Apify's console under Billing.`
    )
  }
}

/**
 * 403: the token is good, and its owner may not read this store.
 *
 * @since 0.1.0
 * @category errors
 */
export class ForbiddenError extends Schema.TaggedError<ForbiddenError>()("ForbiddenError", answer) {
  get retryable(): Retryable {
    return "Never"
  }
  override get message(): string {
    return printable(
      `${answered(this)}. Ask the owner of ${this.ref} to share it, or to raise its general access; a store that is open by id is not open by name.`
    )
  }
}

/**
 * 404 from Apify itself: there is no such store.
 *
 * @since 0.1.0
 * @category errors
 */
export class StoreNotFoundError extends Schema.TaggedError<StoreNotFoundError>()("StoreNotFoundError", answer) {
  get retryable(): Retryable {
    return "Never"
  }
  override get message(): string {
    return printable(
      `${answered(this)}. There is no store ${this.ref}: check the id, or write a named store as "username~store-name" ("~store-name" in your own account).`
    )
  }
}

/**
 * 405: the server knows the path, but not for GET.
 *
 * @since 0.1.0
 * @category errors
 */
export class MethodNotAllowedError extends Schema.TaggedError<MethodNotAllowedError>()(
  "MethodNotAllowedError",
  answer
) {
  get retryable(): Retryable {
    return "Never"
  }
  override get message(): string {
    return printable(
      `${answered(this)}. Check that ${originOf(this.url)} is Apify's API and that no proxy stands in between.`
    )
  }
}

/**
 * 429: too many requests, still after the retries.
 *
 * @since 0.1.0
 * @category errors
 */
export class RateLimitedError extends Schema.TaggedError<RateLimitedError>()("RateLimitedError", {
  ...answer,
  /** The limit that the server named, in requests a second. */
  limit: optional(Count),
  /** How long the server asked to wait. */
  retryAfter: optional(Milliseconds)
}) {
  get retryable(): Retryable {
    return "ByPolicy"
  }
  override get message(): string {
    const limit = Option.match(this.limit, {
      onNone: () => "Apify allows 60 requests a second for a store",
      onSome: (limit) => `The limit is ${limit} requests a second`
    })
    const wait = Option.match(this.retryAfter, {
      onNone: () => "wait a while before the next call",
      onSome: (wait) => `wait ${Duration.format(wait)} before the next call, as the server asks`
    })
    return printable(`${answered(this)}. ${limit}: send fewer at once, and ${wait}.`)
  }
}

/**
 * 5xx: the server broke, and stayed broken through the retries.
 *
 * @since 0.1.0
 * @category errors
 */
export class ServerError extends Schema.TaggedError<ServerError>()("ServerError", {
  ...answer,
  /** How long the server asked to wait. */
  retryAfter: optional(Milliseconds)
}) {
  get retryable(): Retryable {
    return "ByPolicy"
  }
  override get message(): string {
    return printable(`${answered(this)}. The fault is on the server's side: try again later, and see status.apify.com.`)
  }
}

/**
 * An answer that Get store does not give: another status, a redirect, another content type, a body that is too large or
 * can't be read as text.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnexpectedResponseError extends Schema.TaggedError<UnexpectedResponseError>()("UnexpectedResponseError", {
  ...answer,
  /** What was not expected of it. */
  problem: Schema.String,
  /** Where a redirect points to; it was not followed. */
  location: optionalText
}) {
  get retryable(): Retryable {
    return this.status === 408 ? "ByPolicy" : "Never"
  }
  override get message(): string {
    const location = Option.match(this.location, {
      onNone: () => "",
      onSome: (location) => ` It points to ${location}, which was not followed.`
    })
    return printable(
      `${answered(this)}. ${this.problem}.${location} Check that ${originOf(this.url)} is Apify's API and that no proxy or login page stands in between.`
    )
  }
}

/**
 * One thing that is wrong with an answer: where, and what was expected there. Never what was found.
 *
 * @since 0.1.0
 * @category schemas
 */
export const MalformedStoreProblem = Schema.Struct({
  path: Schema.Array(Schema.Union(Schema.String, Count)),
  problem: Schema.String
}).annotations({ identifier: "MalformedStoreProblem" })

/**
 * @since 0.1.0
 * @category models
 */
export type MalformedStoreProblem = typeof MalformedStoreProblem.Type

/**
 * A 200 whose body is not a store: no JSON at all (`Json`), or JSON of another shape (`Shape`).
 *
 * @since 0.1.0
 * @category errors
 */
export class MalformedStoreError extends Schema.TaggedError<MalformedStoreError>()("MalformedStoreError", {
  ...call,
  status: answer.status,
  kind: Schema.Literal("Json", "Shape"),
  problems: Schema.Array(MalformedStoreProblem)
}) {
  get retryable(): Retryable {
    return this.kind === "Json" ? "Once" : "Never"
  }
  override get message(): string {
    const problems = this.problems.map(({ path, problem }) =>
      path.length === 0 ? `the body ${problem}` : `${excerpt(path.join("."), 80)} ${problem}`
    )
    return printable(
      `${hostOf(this.url)} answered ${this.status} with what is not a store${effort(this)}: ${problems.join(
        "; "
      )}. Either this is not Apify's API, or Apify has changed it: look for a newer version of this library.`
    )
  }
}

/**
 * Why no answer came.
 *
 * - `dns`: the host's name could not be resolved.
 * - `connect`: nothing took the connection.
 * - `tls`: no secure connection could be agreed on.
 * - `reset`: the connection broke before the whole answer was there.
 * - `protocol`: what came was not HTTP.
 * - `unknown`: the transport does not say, as browsers' `fetch`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const TransportReason = Schema.Literal("dns", "connect", "tls", "reset", "protocol", "unknown").annotations({
  identifier: "TransportReason"
})

/**
 * @since 0.1.0
 * @category models
 */
export type TransportReason = typeof TransportReason.Type

const transportAdvice: Record<TransportReason, readonly [happened: string, advice: string]> = {
  dns: ["the host's name could not be resolved", "Check the base URL and this machine's network"],
  connect: ["no connection could be made", "Check that the server runs, and any proxy or firewall in between"],
  tls: [
    "no secure connection could be made",
    "Check the certificate, this machine's clock, and any proxy that intercepts TLS"
  ],
  reset: ["the connection broke before the answer was whole", "Try again; if it stays, look at proxies in between"],
  protocol: ["what came was not valid HTTP", "Check that the base URL's scheme and port are those of Apify's API"],
  unknown: ["no answer came, and the transport does not say why", "Check the base URL and the network"]
}

/**
 * No answer, or none that was whole.
 *
 * @since 0.1.0
 * @category errors
 */
export class TransportError extends Schema.TaggedError<TransportError>()("TransportError", {
  ...call,
  reason: TransportReason,
  /** The platform's own code, such as `ECONNREFUSED`. */
  code: optionalText,
  /** Whether the connection had carried an earlier answer: then the server may just have closed it for being idle. */
  reused: Schema.Boolean.pipe(
    Schema.propertySignature,
    Schema.withConstructorDefault(() => false)
  )
}) {
  get retryable(): Retryable {
    switch (this.reason) {
      case "tls":
      case "protocol":
        return "Never"
      case "dns":
        // A name that does not exist stays so; a name server that is busy (EAI_AGAIN) does not.
        return Option.contains(this.code, "ENOTFOUND") ? "Once" : "ByPolicy"
      default:
        return "ByPolicy"
    }
  }
  override get message(): string {
    const [happened, advice] = transportAdvice[this.reason]
    const code = Option.match(this.code, { onNone: () => "", onSome: (code) => ` [${code}]` })
    return printable(`${hostOf(this.url)}: ${happened}${code}${effort(this)}. ${advice}.`)
  }
}

/**
 * The time ran out: that of the last attempt, or that of the whole call.
 *
 * @since 0.1.0
 * @category errors
 */
export class TimeoutError extends Schema.TaggedError<TimeoutError>()("TimeoutError", {
  ...call,
  phase: Schema.Literal("attempt", "call"),
  /** How long the attempt, or the call, was given. */
  limit: Milliseconds,
  /** What the last attempt failed with, as its message says it, where the call ran out of time between attempts. */
  lastFailure: optionalText
}) {
  get retryable(): Retryable {
    return this.phase === "attempt" ? "ByPolicy" : "Never"
  }
  override get message(): string {
    const limit = Duration.format(this.limit)
    return printable(
      this.phase === "attempt"
        ? `${hostOf(this.url)} did not answer in full within ${limit}${effort(this)}. Try again later, or raise attemptTimeout.`
        : Option.match(this.lastFailure, {
            onNone: () =>
              `${hostOf(this.url)} gave no store within the ${limit} of the whole call${effort(this)}. Try again later, or raise callTimeout.`,
            onSome: (failure) =>
              `${failure} In the ${limit} of the whole call there is no time for another attempt: try again later, or raise callTimeout.`
          })
    )
  }
}

/**
 * Every way for Get store to fail.
 *
 * @example
 * ```ts
 * import type { GetStoreError } from "@effect-apify/domain"
 * import * as Match from "effect/Match"
 *
 * const advice = Match.type<GetStoreError>().pipe(
 *   Match.tag("StoreNotFoundError", ({ ref }) => `no store ${ref}`),
 *   Match.orElse(({ message }) => message)
 * )
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export const GetStoreError = Schema.Union(
  InvalidStoreRefError,
  BadRequestError,
  UnauthorizedError,
  PaymentRequiredError,
  ForbiddenError,
  StoreNotFoundError,
  MethodNotAllowedError,
  RateLimitedError,
  ServerError,
  UnexpectedResponseError,
  MalformedStoreError,
  TransportError,
  TimeoutError
).annotations({ identifier: "GetStoreError" })

/**
 * @since 0.1.0
 * @category errors
 */
export type GetStoreError = typeof GetStoreError.Type

/**
 * An error in a few words, for a line of a log: its tag, and the status or code that tells most.
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
export const describeFailure = (error: GetStoreError): string => {
  switch (error._tag) {
    case "InvalidStoreRefError":
      return error._tag
    case "TransportError":
      return `${error._tag} (${Option.getOrElse(error.code, () => error.reason)})`
    case "TimeoutError":
      return `${error._tag} (${error.phase})`
    default:
      return `${error._tag} (${error.status})`
  }
}
