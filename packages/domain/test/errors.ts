/**
 * Errors for the tests: every one of them, one of each, and hostile texts to put into them.
 */
import * as Duration from "effect/Duration"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { character } from "../../../vitest.text.js"
import {
  BadRequestError,
  CallError,
  ForbiddenError,
  InvalidExpiryError,
  InvalidRecordKeyError,
  InvalidStoreNameError,
  InvalidStoreRefError,
  MalformedRecordError,
  MalformedResponseError,
  MethodNotAllowedError,
  PaymentRequiredError,
  RateLimitedError,
  RecordError,
  RecordNotFoundError,
  RecordRejectedError,
  RecordTooLargeError,
  ServerError,
  StoreError,
  StoreNameTakenError,
  StoreNotFoundError,
  TimeoutError,
  TransportError,
  UnauthorizedError,
  UnexpectedResponseError
} from "../src/index.js"

/** Every error of the package. */
export const AnyError = Schema.Union(
  ...CallError.members,
  ...StoreError.members,
  ...RecordError.members,
  InvalidExpiryError
)
export type AnyError = typeof AnyError.Type

/** Every schema of an error, by its tag. */
export const errorSchemas = AnyError.members.map((schema) => ({ tag: schema._tag, schema }))

export const request = {
  operation: "getStore",
  method: "GET",
  url: "https://api.apify.com/v2/key-value-stores/janedoe~my-store",
  store: Option.some("janedoe~my-store"),
  attempts: 1,
  elapsed: Duration.millis(120)
} as const

export const response = (status: number, apifyType: string, apifyMessage: string) => ({
  ...request,
  status,
  apifyType: Option.some(apifyType),
  apifyMessage: Option.some(apifyMessage)
})

const { store: _, ...found } = response(404, "record-not-found", "Key-value Store was not found")

export const notFound = { ...found, ref: "janedoe~my-store" }
export const unauthorized = response(
  401,
  "user-or-token-not-found",
  "User was not found or authentication token is not valid"
)
export const rateLimited = response(
  429,
  "rate-limit-exceeded",
  "You have exceeded the rate limit of 60 requests per second"
)
export const failed = response(500, "internal-server-error", "Internal server error")
export const redirect = {
  ...request,
  status: 302,
  problem: "It is a redirect",
  location: Option.some("https://evil.example/")
}
export const html = {
  ...request,
  status: 200,
  problem: "Its content type is text/html",
  snippet: Option.some("<html>")
}
export const malformed = {
  ...request,
  status: 200,
  problems: [{ path: ["data", "stats", "readCount"], problem: "is not a count" }]
}
export const attemptTimeout = { ...request, phase: "attempt", limit: Duration.seconds(5) } as const
export const callTimeout = { ...request, phase: "call", limit: Duration.minutes(1) } as const

/** One of each error. */
export const oneOfEach: ReadonlyArray<AnyError> = [
  new BadRequestError(response(400, "invalid-request", "Resource name parameter cannot be empty")),
  new UnauthorizedError(unauthorized),
  new PaymentRequiredError(response(402, "x402-payment-required", "Please provide a payment")),
  new ForbiddenError(response(403, "insufficient-permissions", "Insufficient permissions")),
  new MethodNotAllowedError({ ...request, status: 405 }),
  new RateLimitedError(rateLimited),
  new ServerError(failed),
  new UnexpectedResponseError(html),
  new MalformedResponseError({ ...malformed, kind: "Shape" }),
  new TransportError({ ...request, reason: "connect", code: Option.some("ECONNREFUSED") }),
  new TimeoutError(attemptTimeout),
  new InvalidStoreRefError({ ref: '"../etc"', problem: "it is a URL or a path" }),
  new InvalidStoreNameError({
    storeName: '"my_store"',
    problem: 'the character "_" (U+005F) at position 3 is not allowed'
  }),
  new StoreNotFoundError(notFound),
  new StoreNameTakenError({ ...response(400, "name-not-unique", "The name is taken"), storeName: "my-store" }),
  new InvalidRecordKeyError({ key: '"a/b"', problem: 'the character "/" (U+002F) at position 2 is not allowed' }),
  new RecordNotFoundError({ ...notFound, apifyMessage: Option.some("Record was not found"), key: "OUTPUT" }),
  new RecordTooLargeError({ ...request, key: "OUTPUT", direction: "Download", limit: Option.some(1024) }),
  new RecordRejectedError({ ...response(400, "schema-validation-failed", "No"), key: "OUTPUT" }),
  new MalformedRecordError({
    ...request,
    key: "OUTPUT",
    kind: "Json",
    problems: [{ path: [], problem: "is not JSON" }]
  }),
  new InvalidExpiryError({ expiry: "-1", problem: "it is not positive" })
]

/** The fields that hold words of the server, the transport or the caller. */
const texts = new Set(
  [
    "operation",
    "url",
    "store",
    "ref",
    "key",
    "storeName",
    "expiry",
    "apifyType",
    "apifyMessage",
    "snippet",
    "tokenSource",
    "problem"
  ].concat(["location", "code", "description", "lastFailure"])
)

/** The error, with `text` in place of every word of the server, the transport and the caller. */
export const saying = (error: AnyError, text: string): AnyError => {
  const replaced = (key: string, value: unknown): unknown => {
    if (key === "path") return [text, 0]
    return texts.has(key) ? text : value
  }
  return Schema.decodeUnknownSync(AnyError)(JSON.parse(JSON.stringify(Schema.encodeSync(AnyError)(error)), replaced))
}

/** Texts that must not reach a terminal as they are. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: character }),
  fc.constantFrom("", "\r\n", "\u001b[2J", "\u202e", "\u2028", "\ud800", "😀".repeat(5000), "https://a\nb/")
)
