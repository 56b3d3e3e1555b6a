/**
 * Requests about one record, and what their responses mean: the same for every operation on a record.
 */
import type { CallError } from "@effect-apify/domain/CallError"
import type { HttpMethod } from "@effect-apify/domain/HttpMethod"
import {
  type InvalidRecordKeyError,
  isMissingRecordMessage,
  MalformedRecordError,
  RecordNotFoundError
} from "@effect-apify/domain/RecordErrors"
import { parseRecordKey, type ValidRecordKey } from "@effect-apify/domain/RecordKey"
import type { InvalidStoreRefError, StoreNotFoundError } from "@effect-apify/domain/StoreErrors"
import { type StoreLocation, storeLocation } from "@effect-apify/domain/StoreLocation"
import type { StoreRef } from "@effect-apify/domain/StoreRef"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type { CallSummary, DecodeContext, OperationRequest, OperationResponse, RequestBody } from "../Operation.js"
import { contentEncodings } from "./headerValue.js"
import { apiErrorOf, responseFieldsOf, shownEncodings } from "./response.js"
import { storeErrorOf } from "./storeOperation.js"

/** Why no request about a record can be sent. */
export type RecordRefError = InvalidStoreRefError | InvalidRecordKeyError

/** A record that requests are about. A class, because it lives as long as a call (docs/decisions/0011). */
export class RecordTarget {
  constructor(
    readonly location: StoreLocation,
    readonly key: ValidRecordKey
  ) {}
}

/** The record that a reference and a key name. */
export const recordTargetOf = (ref: StoreRef | string, key: string): Either.Either<RecordTarget, RecordRefError> =>
  Either.flatMap(storeLocation(ref), (location) =>
    Either.map(parseRecordKey(key), (key) => new RecordTarget(location, key))
  )

/** The reference of the store that a request is about, as it is written. */
export const storeOf = (target: Either.Either<RecordTarget, RecordRefError>): Option.Option<string> =>
  Option.map(Either.getRight(target), ({ location }) => location.text)

/** A request about a record. A class, because it lives as long as a call (docs/decisions/0011). */
export class RecordRequest<E = never> implements OperationRequest<E> {
  readonly path: string
  readonly query: OperationRequest["query"]

  constructor(
    readonly method: HttpMethod,
    { key, location }: RecordTarget,
    query?: { readonly [name: string]: string },
    readonly signature?: Redacted.Redacted | undefined,
    readonly headers?: { readonly [name: string]: string },
    readonly body?: RequestBody<E>
  ) {
    this.path = `${location.path}/records/${key}`
    this.query = { ...location.query, ...query }
  }
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** The target of a redirect to another server: as safe as the server that points there, and without a user or a password. */
export const redirectTarget = (
  { headers, status }: Pick<OperationResponse, "status" | "headers">,
  origin: string
): URL | undefined => {
  const { location } = headers
  if (!redirects.has(status) || location === undefined || !URL.canParse(location, origin)) return undefined
  const url = new URL(location, origin)
  const isSafe = url.protocol === "https:" || (url.protocol === "http:" && origin.startsWith("http:"))
  return isSafe && url.origin !== origin && url.username === "" && url.password === "" ? url : undefined
}

/** What all readings of one record are. They may be redirected, once. A class, as what lives as long as a call should be. */
export abstract class RecordReading {
  abstract readonly name: string
  readonly isIdempotent = true
  readonly rate = "record"
  readonly readsBytes = true
  readonly redirectTarget = redirectTarget
  readonly store: Option.Option<string>
  readonly request: Either.Either<OperationRequest, RecordRefError>

  constructor(
    method: "GET" | "HEAD",
    protected readonly target: Either.Either<RecordTarget, RecordRefError>,
    signature: Redacted.Redacted | undefined
  ) {
    const query = method === "GET" ? attachment : undefined
    this.store = storeOf(target)
    this.request = Either.map(target, (target) => new RecordRequest(method, target, query, signature, readHeaders))
  }
}

/** The error for a response to an operation on a record that is not its success. */
export const recordErrorOf = (
  response: OperationResponse,
  context: DecodeContext,
  key: string
): CallError | StoreNotFoundError | RecordNotFoundError => {
  if (!isMissingRecord(response)) return storeErrorOf(response, context)
  const { store, ...fields } = responseFieldsOf(response, context)
  return new RecordNotFoundError({ ...fields, ref: Option.getOrElse(store, () => ""), key })
}

/** Whether a response says that the record does not exist. Of a store that does not exist it has the same type. */
export const isMissingRecord = (response: OperationResponse): boolean =>
  response.status === 404 &&
  Option.exists(
    apiErrorOf(response),
    ({ message, type }) => type === "record-not-found" && isMissingRecordMessage(message)
  )

/** The error of a record whose encoding is not known. */
export const encodedError = (
  { headers }: Pick<OperationResponse, "headers">,
  context: DecodeContext,
  key: string
): MalformedRecordError =>
  malformedRecord(
    context.call,
    key,
    "Encoding",
    Option.match(shownEncodings(contentEncodings(headers), context), {
      onNone: () => "has a content encoding that could not be decoded, and cannot be shown",
      onSome: (shown) => `has the content encoding ${shown}, which could not be decoded`
    })
  )

/**
 * Records are bytes of any type. They come untouched as an attachment; HTML may be changed otherwise. A server that chooses
 * a type is to choose JSON, as it does for the official JavaScript client.
 */
const readHeaders = { accept: "application/json, */*" }
const attachment = { attachment: "true" }

export const malformedRecord = (
  call: CallSummary,
  key: string,
  kind: MalformedRecordError["kind"],
  problem: string
): MalformedRecordError => new MalformedRecordError({ ...call, key, kind, problems: [{ path: [], problem }] })
