/**
 * What responses mean: the same for every operation.
 *
 * A response is classified by what was received; secrets are removed from what is shown of it afterwards.
 */
import { type ApiError, ApiErrorBody } from "@effect-apify/domain/ApiError"
import {
  BadRequestError,
  type CallError,
  ForbiddenError,
  MalformedResponseError,
  MethodNotAllowedError,
  PaymentRequiredError,
  RateLimitedError,
  ServerError,
  UnauthorizedError,
  UnexpectedResponseError
} from "@effect-apify/domain/CallError"
import { problemsOf } from "@effect-apify/domain/Problem"
import { excerpt, originAndPath, snippet } from "@effect-apify/domain/Redaction"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { DecodeContext, OperationResponse } from "../Operation.js"
import { Collected } from "./collect.js"
import { contentEncodings, contentLength, contentType, isUtf8, rateLimit, retryAfter } from "./headerValue.js"

const MAX_TYPE = 100
const MAX_MESSAGE = 500
const MAX_SNIPPET = 200

const utf8 = new TextDecoder("utf-8", { fatal: true })

/** For what does not stand at the start of a text. */
const utf8WithMark = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** Whether a part can't end within a character. */
const endsInAscii = (part: Uint8Array): boolean => (part.at(-1) ?? 0) < 0x80

/** The body of a response, piece by piece where it was collected like that. */
const partsOf = (response: OperationResponse): ReadonlyArray<Uint8Array> =>
  response instanceof Collected ? response.parts : [response.body]

const lengthOf = (response: OperationResponse): number =>
  partsOf(response).reduce((length, part) => length + part.length, 0)

/** The text of a body in UTF-8, without a byte order mark; a truncated body may end within a character. */
const textOf = (response: OperationResponse): Option.Option<string> =>
  Option.liftThrowable(() => {
    const parts = partsOf(response)
    // A decoder that keeps what a part ends with takes ten times as long.
    if (parts.every(endsInAscii)) {
      return parts.map((part, index) => (index === 0 ? utf8 : utf8WithMark).decode(part)).join("")
    }
    const decoder = new TextDecoder("utf-8", { fatal: true })
    const text = parts.map((part) => decoder.decode(part, { stream: true })).join("")
    return response.isTruncated ? text : text + decoder.decode()
  })()

const parseJson = Option.liftThrowable((text: string): unknown => JSON.parse(text))

// Compiled when first needed.
const decodeApiError = (json: unknown) => Schema.decodeUnknownOption(ApiErrorBody)(json)

/** Apify's own error in the body of a response, as it was received. */
export const apiErrorOf = (response: OperationResponse): Option.Option<ApiError> =>
  textOf(response).pipe(
    Option.flatMap(parseJson),
    Option.flatMap(decodeApiError),
    Option.map(({ error }) => error)
  )

/** What all errors that a response means have in common. */
export const responseFieldsOf = (response: OperationResponse, { call, redact }: DecodeContext) => {
  const apiError = apiErrorOf(response)
  return {
    ...call,
    status: response.status,
    apifyType: Option.map(apiError, ({ type }) => excerpt(redact(type), MAX_TYPE)),
    apifyMessage: Option.map(apiError, ({ message }) => excerpt(redact(message), MAX_MESSAGE)),
    snippet: Option.isSome(apiError)
      ? Option.none()
      : textOf(response).pipe(
          Option.filter((text) => !isResult(response, text) && redact(text) === text),
          Option.flatMap((text) => snippet(text, MAX_SNIPPET))
        )
  }
}

/** A result under a wrong content type, such as `text/plain`: errors show no values. */
const isResult = ({ status }: OperationResponse, text: string): boolean => status < 300 && /^\s*[{[]/.test(text)

/** A response whose body was not read. */
export const withoutBody = <H extends object>(head: H): H & Pick<OperationResponse, "body" | "isTruncated"> => ({
  ...head,
  body: new Uint8Array(),
  isTruncated: true
})

/** The error for a response that the operation does not have, and why. */
export const unexpected = (
  response: OperationResponse,
  context: DecodeContext,
  problem: string
): UnexpectedResponseError =>
  new UnexpectedResponseError({
    ...responseFieldsOf(response, context),
    problem,
    location: Option.fromNullable(response.headers.location).pipe(
      Option.flatMap(originAndPath),
      Option.map((location) => excerpt(context.redact(location), MAX_SNIPPET))
    )
  })

/** Not implemented, an unsupported version of HTTP, a network's login page: these do not pass. */
const isPermanent = (status: number): boolean => status === 501 || status === 505 || status === 511

const problemOf = (status: number, operation: string): string => {
  if (status === 0 || (status >= 300 && status < 400 && status !== 304)) {
    return "Redirects are not followed, because they could take the token to another server"
  }
  return `${operation} does not expect status ${status}`
}

/** The error for a response that is not the operation's success, as far as all operations share it. */
export const errorOf = (response: OperationResponse, context: DecodeContext): CallError => {
  const { status } = response
  // What Apify would mean by these is about the token, and the request had none.
  if (context.isRedirected === true && (status === 401 || status === 402 || status === 403)) {
    return unexpected(response, context, "The request was redirected there, and refused")
  }
  switch (status) {
    case 400:
      return new BadRequestError(responseFieldsOf(response, context))
    case 401:
      return new UnauthorizedError({
        ...responseFieldsOf(response, context),
        tokenSource: context.tokenSource,
        tokenWithheld: context.isTokenWithheld ?? false
      })
    case 402:
      return new PaymentRequiredError(responseFieldsOf(response, context))
    case 403:
      return new ForbiddenError({
        ...responseFieldsOf(response, context),
        isAnonymous: Option.isNone(context.tokenSource)
      })
    case 405:
      return new MethodNotAllowedError(responseFieldsOf(response, context))
    case 429:
      return new RateLimitedError({
        ...responseFieldsOf(response, context),
        limit: rateLimit(response.headers),
        retryAfter: retryAfter(response.headers, context.now)
      })
  }
  return status >= 500 && status <= 599 && !isPermanent(status)
    ? new ServerError({
        ...responseFieldsOf(response, context),
        retryAfter: retryAfter(response.headers, context.now)
      })
    : unexpected(response, context, problemOf(status, context.call.operation))
}

const isJson = (type: string): boolean => /^application\/(?:[\w.-]+\+)?json$/.test(type)

/** Whether a content type or encoding is made of words, with a few digits at most: any other text could be a secret. */
const isPlain = (type: string): boolean => {
  const parts = type.split(/[/+.-]/)
  return (
    parts.length <= 8 &&
    parts.every((part) => /^(?:\d{0,2}[a-z]{1,16}\d{0,3}|\d{1,2})$/.test(part) && !/[^aeiouy\d]{6}/.test(part)) &&
    parts.filter((part) => /\d/.test(part)).length <= 2
  )
}

/** Encodings that some transport decodes. A body that is encoded twice may be made to expand without end. */
const decodable: ReadonlySet<string> = new Set(["gzip", "x-gzip", "deflate", "br", "zstd"])

/** Whether a body can be read: encoded once at most, and decoded by the transport, so that its length is another. */
const isDecoded = (response: OperationResponse, encodings: ReadonlyArray<string>): boolean => {
  const [encoding, ...more] = encodings
  if (encoding === undefined) return true
  return (
    more.length === 0 &&
    decodable.has(encoding) &&
    !Option.contains(contentLength(response.headers), lengthOf(response))
  )
}

/** What is wrong with the content type of a JSON body, if anything is. */
const typeProblem = (header: string, { redact }: DecodeContext): string | undefined => {
  // Apify's own, which is nearly always the one.
  if (header === "application/json; charset=utf-8") return undefined
  const type = contentType({ "content-type": header })
  if (Option.isNone(type)) {
    return header.trim() === ""
      ? "The content type is missing: application/json was expected"
      : "The content type is not valid, or was sent twice with different values"
  }
  if (!isJson(type.value.type)) {
    return isPlain(type.value.type)
      ? `The content type is ${excerpt(redact(type.value.type), MAX_TYPE)}, not application/json`
      : "The content type is not application/json, and not one that can be shown"
  }
  return Option.exists(type.value.charset, (charset) => !isUtf8(charset)) ? "The charset is not UTF-8" : undefined
}

const jsonTextOf = (response: OperationResponse, context: DecodeContext): Either.Either<string, CallError> => {
  const fail = (problem: string) => Either.left(unexpected(response, context, problem))
  if (response.isTruncated) return fail("The body is larger than maxBodyBytes: raise it if the server is Apify's")
  if (lengthOf(response) === 0) return Either.left(notJson(response, context, "is empty"))
  const problem = typeProblem(response.headers["content-type"] ?? "", context)
  if (problem !== undefined) return fail(problem)
  const encodings = contentEncodings(response.headers)
  if (!isDecoded(response, encodings)) return fail(undecoded(encodings, context))
  return Option.match(textOf(response), {
    onNone: () => fail(encodings.length === 0 ? "The body is not valid UTF-8" : undecoded(encodings, context)),
    onSome: Either.right
  })
}

const undecoded = (encodings: ReadonlyArray<string>, context: DecodeContext): string =>
  Option.match(shownEncodings(encodings, context), {
    onNone: () => "The content encoding could not be decoded, and is not one that can be shown",
    onSome: (shown) => `The content encoding is ${shown}, which could not be decoded`
  })

/** The encodings of a body, where they are words. */
export const shownEncodings = (encodings: ReadonlyArray<string>, { redact }: DecodeContext): Option.Option<string> =>
  encodings.every(isPlain) ? Option.some(excerpt(redact(encodings.join(", ")), MAX_TYPE)) : Option.none()

const notJson = ({ status }: OperationResponse, { call }: DecodeContext, problem: string): MalformedResponseError =>
  new MalformedResponseError({ ...call, status, kind: "Json", problems: [{ path: [], problem }] })

/** The error for JSON of another shape than the operation returns. */
export const malformed = (
  { status }: OperationResponse,
  { call }: DecodeContext,
  problems: MalformedResponseError["problems"]
): MalformedResponseError => new MalformedResponseError({ ...call, status, kind: "Shape", problems })

/** Decodes the JSON body of a success. */
export const decodeJson = <A>(
  response: OperationResponse,
  context: DecodeContext,
  decode: (json: unknown) => Either.Either<A, ParseResult.ParseIssue>
): Either.Either<A, CallError> =>
  jsonTextOf(response, context).pipe(
    Either.flatMap((text) => Either.fromOption(parseJson(text), () => notJson(response, context, "is not JSON"))),
    Either.flatMap((json) => Either.mapLeft(decode(json), (issue) => malformed(response, context, problemsOf(issue))))
  )
