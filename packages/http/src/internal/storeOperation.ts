/**
 * What operations on stores have in common: their requests, and what the responses mean.
 */
import type { CallError } from "@effect-apify/domain/CallError"
import { decodeStoreBody } from "@effect-apify/domain/decodeStoreBody"
import type { HttpMethod } from "@effect-apify/domain/HttpMethod"
import type { Store } from "@effect-apify/domain/Store"
import { MISSING_STORE_TYPES, StoreNotFoundError } from "@effect-apify/domain/StoreErrors"
import type { StoreLocation } from "@effect-apify/domain/StoreLocation"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { DecodeContext, OperationRequest, OperationResponse } from "../Operation.js"
import { apiErrorOf, decodeJson, errorOf, malformed, responseFieldsOf, unexpected } from "./response.js"

/** The path of all stores. */
export const storesPath = "/v2/key-value-stores"

/** The reference of the store that a request is about, as it is written. */
export const referenceOf = (location: Either.Either<StoreLocation, unknown>): Option.Option<string> =>
  Option.map(Either.getRight(location), ({ text }) => text)

/** Whether a reference has the name of its store. */
export const isByName = (ref: string): boolean => /^[^/]*~/.test(ref)

/** A request about a store. A class, because it lives as long as a call (docs/decisions/0011). */
export class StoreRequest implements OperationRequest {
  readonly path: string
  readonly query: StoreLocation["query"]

  constructor(
    readonly method: HttpMethod,
    { path, query }: StoreLocation
  ) {
    this.path = path
    this.query = query
  }
}

/** Decodes a success whose body is the store that was requested. */
export const decodeStore = (
  response: OperationResponse,
  context: DecodeContext,
  ref: Option.Option<string>
): Either.Either<Store, CallError> =>
  Either.filterOrLeft(
    decodeJson(response, context, decodeStoreBody),
    (store) => Option.exists(ref, (text) => isRequested(store, text)),
    () => malformed(response, context, [{ path: ["data", "id"], problem: "is not the ID that was requested" }])
  )

/** A store requested by ID has that ID. */
const isRequested = ({ id }: Store, ref: string): boolean => /[~/]/.test(ref) || ref === id

/** The error for a response to an operation on a store that is not its success. */
export const storeErrorOf = (response: OperationResponse, context: DecodeContext): CallError | StoreNotFoundError => {
  if (response.status !== 404) return errorOf(response, context)
  if (!Option.exists(apiErrorOf(response), ({ type }) => MISSING_STORE_TYPES.has(type))) {
    return unexpected(response, context, "This is not how Apify reports a missing store")
  }
  const { store, ...fields } = responseFieldsOf(response, context)
  return new StoreNotFoundError({ ...fields, ref: Option.getOrElse(store, () => "") })
}
