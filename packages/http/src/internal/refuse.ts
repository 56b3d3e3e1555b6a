/**
 * What an answer without a result means: the same for every operation.
 */
import { ApiErrorBody, MISSING_STORE_TYPES } from "@effect-apify/domain/ApiError"
import {
  BadRequestError,
  ForbiddenError,
  type GetStoreError,
  MalformedResponseError,
  type Problem,
  MethodNotAllowedError,
  PaymentRequiredError,
  RateLimitedError,
  ServerError,
  StoreNotFoundError,
  UnauthorizedError,
  UnexpectedResponseError
} from "@effect-apify/domain/GetStoreError"
import { excerpt } from "@effect-apify/domain/quote"
import * as Arr from "effect/Array"
import type * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type { Answer, Circumstances } from "../Operation.js"
import { parseRetryAfter } from "../RetryAfter.js"

const utf8 = new TextDecoder("utf-8", { fatal: true })

/** UTF-8 and nothing else; a byte order mark is dropped, and a cut body may end within a character. */
const decodeText = ({ body, truncated }: Answer): Option.Option<string> =>
  Option.liftThrowable(() =>
    truncated ? new TextDecoder("utf-8", { fatal: true }).decode(body, { stream: true }) : utf8.decode(body)
  )()

const ApiErrorJson = Schema.parseJson(ApiErrorBody)

// Compiled when it is first needed.
const decodeApiError = (text: string) => Schema.decodeUnknownOption(ApiErrorJson)(text)

const MAX_TYPE = 100
const MAX_MESSAGE = 500
const MAX_SNIPPET = 200

/** A store that came in the wrong wrapping, say as `text/plain`: its values are not for errors. */
const isResult = ({ status }: Answer, text: string): boolean => status < 300 && /^\s*[{[]/.test(text)

/** What every error that Apify, or something in its place, answered with has in common. */
const answered = (answer: Answer, { asked, redact }: Circumstances) => {
  const text = Option.filter(decodeText(answer), (text) => text.trim() !== "")
  const apiError = Option.flatMap(text, decodeApiError)
  return {
    ...asked,
    status: answer.status,
    apifyType: Option.map(apiError, ({ error }) => excerpt(redact(error.type), MAX_TYPE)),
    apifyMessage: Option.map(apiError, ({ error }) => excerpt(redact(error.message), MAX_MESSAGE)),
    snippet: text.pipe(
      Option.filter((text) => Option.isNone(apiError) && !isResult(answer, text)),
      Option.map((text) => excerpt(redact(text.trim()), MAX_SNIPPET))
    )
  }
}

const header = ({ headers }: Answer, name: string): Option.Option<string> => Option.fromNullable(headers[name])

const retryAfter = (answer: Answer, now: number): Option.Option<Duration.Duration> =>
  Option.flatMap(header(answer, "retry-after"), (value) => parseRetryAfter(value, now))

const integer = (text: string): Option.Option<number> =>
  /^\d{1,9}$/.test(text) ? Option.some(Number(text)) : Option.none()

/** The server breaking for good rather than for now: not implemented, HTTP version, a network's login page. */
const isPermanent = (status: number): boolean => status === 501 || status === 505 || status === 511

/** An answer that Get store does not give, and why. */
export const unexpected = (answer: Answer, circumstances: Circumstances, problem: string): UnexpectedResponseError =>
  new UnexpectedResponseError({
    ...answered(answer, circumstances),
    problem,
    location: Option.map(header(answer, "location"), (location) => excerpt(circumstances.redact(location), MAX_SNIPPET))
  })

const problemOf = (status: number): string => {
  if (status === 0) return "A browser hides where a redirect leads, and redirects are not followed"
  if (status === 304) return "Nothing was asked that this could confirm"
  if (status >= 300 && status < 400) return "Redirects are not followed: they could lead the token elsewhere"
  if (status === 404) return "This is not Apify's word that a store is missing"
  return status < 300 ? "Only a 200 brings a store" : "This is not a status that Apify answers with here"
}

/** The error that any answer but a 200 means. */
export const refuse = (answer: Answer, circumstances: Circumstances): GetStoreError => {
  const { status } = answer
  const common = answered(answer, circumstances)
  switch (status) {
    case 400:
      return new BadRequestError(common)
    case 401:
      return new UnauthorizedError({ ...common, tokenSource: circumstances.tokenSource })
    case 402:
      return new PaymentRequiredError(common)
    case 403:
      return new ForbiddenError(common)
    case 405:
      return new MethodNotAllowedError(common)
    case 429:
      return new RateLimitedError({
        ...common,
        limit: Option.flatMap(header(answer, "x-ratelimit-limit"), integer),
        retryAfter: retryAfter(answer, circumstances.now)
      })
  }
  if (status === 404 && Option.exists(common.apifyType, (type) => MISSING_STORE_TYPES.has(type))) {
    return new StoreNotFoundError(common)
  }
  return status >= 500 && status <= 599 && !isPermanent(status)
    ? new ServerError({ ...common, retryAfter: retryAfter(answer, circumstances.now) })
    : unexpected(answer, circumstances, problemOf(status))
}

const isJson = (contentType: string): boolean => /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(contentType)

const charsetOf = (contentType: string): string =>
  /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? "utf-8"

/** The second is no registered name, and what some servers write. */
const isUtf8 = (charset: string): boolean => charset === "utf-8" || charset === "utf8"

/** One encoding that some transport decodes. What is encoded twice may be made to expand without end, and never is. */
const isDecodable = (encoding: string): boolean => /^(?:identity|(?:x-)?gzip|deflate|br|zstd)?$/i.test(encoding.trim())

/** Whether a body is still as long as its header says: then nobody has decoded it. */
const isUndecoded = ({ body, headers }: Answer, encoding: string): boolean =>
  !/^(?:identity)?$/i.test(encoding.trim()) && Number(headers["content-length"]) === body.length

/** The text of an answer that should be JSON, or the error that it means. */
export const jsonText = (answer: Answer, circumstances: Circumstances): Either.Either<string, GetStoreError> => {
  const fail = (problem: string) => Either.left(unexpected(answer, circumstances, problem))
  if (answer.status !== 200) return Either.left(refuse(answer, circumstances))
  if (answer.truncated) return fail("Its body is larger than maxBodyBytes allows")
  if (answer.body.length === 0) return Either.left(malformed(circumstances, "is empty"))
  const contentType = Option.getOrElse(header(answer, "content-type"), () => "")
  if (!isJson(contentType)) {
    return fail(
      `Its content type is ${contentType === "" ? "missing" : excerpt(circumstances.redact(contentType), MAX_TYPE)}, not application/json`
    )
  }
  if (!isUtf8(charsetOf(contentType))) return fail("Its charset is not UTF-8")
  const encoding = Option.getOrElse(header(answer, "content-encoding"), () => "")
  const badlyEncoded = () =>
    unexpected(
      answer,
      circumstances,
      `Its body is not encoded in a way that can be read (${excerpt(circumstances.redact(encoding), MAX_TYPE)})`
    )
  if (!isDecodable(encoding) || isUndecoded(answer, encoding)) return Either.left(badlyEncoded())
  return Either.fromOption(decodeText(answer), () =>
    encoding === "" ? unexpected(answer, circumstances, "Its body is not valid UTF-8") : badlyEncoded()
  )
}

/** The error of a 200 whose body is no JSON. */
export const malformed = ({ asked }: Circumstances, problem: string): MalformedResponseError =>
  new MalformedResponseError({ ...asked, status: 200, kind: "Json", problems: [{ path: [], problem }] })

type Path = Problem["path"]

const segments = (path: ParseResult.Path): Path =>
  Arr.ensure(path).map((key) => (typeof key === "number" ? key : String(key)))

/** What should have been there, without what a person who reads JSON cannot know: absence, and what it is decoded to. */
const describe = (ast: SchemaAST.AST): string =>
  Option.getOrElse(SchemaAST.getDescriptionAnnotation(ast), () => {
    if (SchemaAST.isUnion(ast)) {
      return ast.types
        .filter((type) => !SchemaAST.isUndefinedKeyword(type))
        .map(describe)
        .join(" or ")
    }
    if (SchemaAST.isTransformation(ast)) return describe(ast.from)
    return SchemaAST.isTypeLiteral(ast) ? "an object" : String(ast)
  })

const mismatch = (path: Path, ast: SchemaAST.AST): ReadonlyArray<Problem> => [
  { path, problem: `is not ${describe(ast)}` }
]

/** What is wrong with a body that is not a store: every problem that an issue is made of, never what was found. */
export const problemsOf = (issue: ParseResult.ParseIssue, path: Path = []): ReadonlyArray<Problem> => {
  switch (issue._tag) {
    case "Pointer":
      return problemsOf(issue.issue, [...path, ...segments(issue.path)])
    case "Composite": {
      const problems = Arr.ensure(issue.issues).flatMap((inner) => problemsOf(inner, path))
      if (!SchemaAST.isUnion(issue.ast)) return problems
      // Of a union, the member that got furthest is the one that was meant; where none got in, none is.
      const inside = problems.filter((problem) => problem.path.length > path.length)
      return inside.length > 0 ? inside : mismatch(path, issue.ast)
    }
    case "Refinement":
      return issue.kind === "Predicate" ? mismatch(path, issue.ast) : problemsOf(issue.issue, path)
    case "Transformation":
      return problemsOf(issue.issue, path)
    case "Missing":
      return [{ path, problem: "is missing" }]
    case "Type":
      return mismatch(path, issue.ast)
    case "Unexpected":
    case "Forbidden":
      return [{ path, problem: "is not allowed" }]
  }
}
