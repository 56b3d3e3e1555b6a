/**
 * Operations that make, change and delete stores.
 *
 * @since 0.1.0
 */

import type { CallError } from "@effect-apify/domain/CallError"
import { decodeStoreBody } from "@effect-apify/domain/decodeStoreBody"
import type { GeneralAccess } from "@effect-apify/domain/GeneralAccess"
import type { HttpMethod } from "@effect-apify/domain/HttpMethod"
import type { JsonObject } from "@effect-apify/domain/Json"
import type { Store } from "@effect-apify/domain/Store"
import type { InvalidStoreRefError, StoreNotFoundError } from "@effect-apify/domain/StoreErrors"
import { storeLocation } from "@effect-apify/domain/StoreLocation"
import {
  type InvalidStoreNameError,
  parseStoreName,
  type StoreName,
  StoreNameTakenError
} from "@effect-apify/domain/StoreName"
import { formatStoreRef, ownStore, type StoreRef } from "@effect-apify/domain/StoreRef"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { ApifyClient } from "./ApifyClient.js"
import type { CallOptions } from "./CallOptions.js"
import { apiErrorOf, decodeJson, errorOf, responseFieldsOf, unexpected } from "./internal/response.js"
import { checkObject } from "./internal/settings.js"
import {
  decodeStore,
  isByName,
  referenceOf,
  StoreRequest,
  storeErrorOf,
  storesPath
} from "./internal/storeOperation.js"
import type { DecodeContext, Operation, OperationRequest, OperationResponse, RequestBody } from "./Operation.js"

const jsonHeaders = { "content-type": "application/json" } as const

const utf8 = new TextEncoder()

/** A request with a body in JSON. A class, because it lives as long as a call (docs/decisions/0011). */
class JsonRequest implements OperationRequest {
  readonly headers = jsonHeaders
  readonly body: RequestBody

  constructor(
    readonly method: HttpMethod,
    readonly path: string,
    readonly query: NonNullable<OperationRequest["query"]>,
    json: unknown
  ) {
    this.body = { _tag: "Bytes", bytes: utf8.encode(jsonOf(json)) }
  }
}

/** Throws, which is a defect of the call, if a caller without types gave what JSON cannot hold. */
const jsonOf = (value: unknown): string => {
  try {
    return JSON.stringify(value)
  } catch {
    throw new Cause.IllegalArgumentException("A schema and changes must be JSON, without bigints and references back")
  }
}

/**
 * Which store to get or create.
 *
 * @since 0.1.0
 * @category options
 */
export interface GetOrCreateStoreOptions extends CallOptions {
  /** The name: 1 to 63 letters, digits and hyphens, with no hyphen at either end. Default: none, for an unnamed store. */
  readonly name?: string | undefined
  /** The schema of a new store: its collections of records. An existing store keeps its schema. */
  readonly schema?: JsonObject | undefined
}

/**
 * A store, and whether it is new.
 *
 * @since 0.1.0
 * @category models
 */
export interface GetOrCreateStoreResult {
  readonly store: Store
  /** Whether this call created it. Also `false` if an earlier attempt created it and its response was lost. */
  readonly isNew: boolean
}

/**
 * What `getOrCreateStore` can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type GetOrCreateStoreError = CallError | InvalidStoreNameError

/**
 * Gets the store of that name in the token's own account, or creates it. Names are case-insensitive. Without a name, a new
 * unnamed store is created each time.
 *
 * `POST /v2/key-value-stores`
 *
 * Without a name, the call is not retried once the server may have created the store, because a second attempt could create a
 * second one. It fails, and the `gaveUp` of its error is `unsafe`: the store may exist.
 *
 * @param options the name and the schema, and the limits of this call which override the client's
 *
 * @example
 * ```ts
 * import { getOrCreateStore } from "@effect-apify/http"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const { isNew, store } = yield* getOrCreateStore({ name: "my-store" })
 *   yield* Effect.log(isNew ? `Created ${store.id}` : `${store.id} was there`)
 * })
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const getOrCreateStore = (
  options: GetOrCreateStoreOptions = {}
): Effect.Effect<GetOrCreateStoreResult, GetOrCreateStoreError, ApifyClient> =>
  Effect.flatMap(ApifyClient, (client) => {
    // A name in their place would be ignored, and an unnamed store created.
    checkObject("options", options, "{ name: 'my-store' }")
    const { name, schema, ...limits } = options
    if (schema !== undefined) checkObject("schema", schema, "{ actorKeyValueStoreSchemaVersion: 1, collections: {} }")
    return client.run(new GetOrCreateStore(name, schema), limits)
  })

/** A class, because it lives as long as a call (docs/decisions/0011). */
class GetOrCreateStore implements Operation<GetOrCreateStoreResult, InvalidStoreNameError> {
  readonly name = "getOrCreateStore"
  readonly rate = "resource"
  readonly isPaced = false
  readonly isIdempotent: boolean
  readonly store: Option.Option<string>
  readonly request: Either.Either<OperationRequest, InvalidStoreNameError>

  constructor(name: string | undefined, schema: JsonObject | undefined) {
    const parsed = name === undefined ? Either.right(undefined) : parseStoreName(name)
    this.isIdempotent = name !== undefined
    this.store = Option.map(Option.flatMap(Either.getRight(parsed), Option.fromNullable), refOf)
    this.request = Either.map(parsed, (name) =>
      schema === undefined ? new CreateRequest({ name }) : new JsonRequest("POST", storesPath, { name }, { schema })
    )
  }

  decode(response: OperationResponse, context: DecodeContext): Either.Either<GetOrCreateStoreResult, CallError> {
    const { status } = response
    if (status !== 201 && status !== 200) return Either.left(errorOf(response, context))
    if (status === 200 && !this.isIdempotent) {
      return Either.left(unexpected(response, context, "A store without a name is always a new one, with status 201"))
    }
    return Either.map(decodeJson(response, context, decodeStoreBody), (store) => ({ store, isNew: status === 201 }))
  }
}

const refOf = (name: StoreName): string => formatStoreRef(ownStore(name))

/** A class, because it lives as long as a call (docs/decisions/0011). */
class CreateRequest implements OperationRequest {
  readonly method = "POST"
  readonly path = storesPath

  constructor(readonly query: NonNullable<OperationRequest["query"]>) {}
}

/**
 * What to change about a store. Fields that are left out or `undefined` do not change.
 *
 * @since 0.1.0
 * @category options
 */
export interface StoreChanges {
  /** The new name; `null` removes the name, and an unnamed store expires. */
  readonly name?: string | null | undefined
  /** The title that Apify Console shows in place of the name. */
  readonly title?: string | undefined
  /** Who may read the store without having been granted access; `null` for the owner's account setting. */
  readonly generalAccess?: GeneralAccess | null | undefined
}

/**
 * What `updateStore` can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type UpdateStoreError =
  | CallError
  | InvalidStoreRefError
  | InvalidStoreNameError
  | StoreNotFoundError
  | StoreNameTakenError

/**
 * Changes a store's name, title or general access, and returns the changed store.
 *
 * `PUT /v2/key-value-stores/:storeId`
 *
 * If a store that is referred to by its name is renamed and the response is lost, the next attempt does not find it, and the
 * call fails with an `UnexpectedResponseError` that says so. To avoid this, refer to the store by its ID.
 *
 * @param ref a `StoreRef`, or its text
 * @param changes what to change
 * @param options the limits of this call, which override the client's
 *
 * @example
 * ```ts
 * import { updateStore } from "@effect-apify/http"
 * import * as Effect from "effect/Effect"
 *
 * const program = updateStore("~my-store", { name: "archive", generalAccess: "RESTRICTED" }).pipe(
 *   Effect.catchTag("StoreNameTakenError", ({ storeName }) => Effect.fail(`There is another store named ${storeName}`))
 * )
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const updateStore = (
  ref: StoreRef | string,
  changes: StoreChanges,
  options?: CallOptions
): Effect.Effect<Store, UpdateStoreError, ApifyClient> =>
  Effect.flatMap(ApifyClient, (client) => {
    checkObject("changes", changes, "{ title: 'My store' }")
    return client.run(new UpdateStore(ref, changes), options)
  })

type UpdateFailure = Exclude<UpdateStoreError, CallError>

/** The type of a 400 that means that another store of the owner has the name. */
const NAME_TAKEN_TYPE = "name-not-unique"

/** A class, because it lives as long as a call (docs/decisions/0011). */
class UpdateStore implements Operation<Store, UpdateFailure> {
  readonly name = "updateStore"
  readonly rate = "resource"
  readonly isPaced = false
  readonly isIdempotent = true
  readonly store: Option.Option<string>
  readonly request: Either.Either<OperationRequest, UpdateFailure>

  constructor(
    ref: StoreRef | string,
    private readonly changes: StoreChanges
  ) {
    const location = storeLocation(ref)
    this.store = referenceOf(location)
    this.request = Either.flatMap(location, ({ path, query }) =>
      Either.map(
        Predicate.isNullable(changes.name) ? Either.right(changes.name) : parseStoreName(changes.name),
        (name) => new JsonRequest("PUT", path, query, encodeChanges({ ...changes, name }))
      )
    )
  }

  decode(response: OperationResponse, context: DecodeContext): Either.Either<Store, CallError | UpdateFailure> {
    if (response.status === 200) return decodeStore(response, context, this.store)
    const { name } = this.changes
    if (response.status === 400 && Predicate.isString(name) && isNameTaken(response)) {
      return Either.left(new StoreNameTakenError({ ...responseFieldsOf(response, context), storeName: name }))
    }
    const error = storeErrorOf(response, context)
    return Either.left(
      error._tag === "StoreNotFoundError" && context.mayBeRepetition === true && this.takesNameAway
        ? unexpected(response, context, RENAMED)
        : error
    )
  }

  /** Whether the store cannot be found by the same reference once it is changed. */
  private get takesNameAway(): boolean {
    return this.changes.name !== undefined && Option.exists(this.store, isByName)
  }
}

const RENAMED =
  "An earlier attempt, whose response was lost, may have renamed the store: check whether a store has the new name"

const isNameTaken = (response: OperationResponse): boolean =>
  Option.exists(apiErrorOf(response), ({ type }) => type === NAME_TAKEN_TYPE)

/** `JSON.stringify` leaves out what is `undefined`. */
const encodeChanges = ({ generalAccess, name, title }: StoreChanges): unknown => ({
  name,
  title,
  generalAccess: Predicate.isRecord(generalAccess) ? generalAccess.level : generalAccess
})

/**
 * What `deleteStore` can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type DeleteStoreError = CallError | InvalidStoreRefError | StoreNotFoundError

/**
 * Deletes a store and all its records.
 *
 * `DELETE /v2/key-value-stores/:storeId`
 *
 * If the store does not exist, the call fails with a `StoreNotFoundError`, unless an earlier attempt of the call may have
 * deleted it.
 *
 * @param ref a `StoreRef`, or its text
 * @param options the limits of this call, which override the client's
 *
 * @example
 * ```ts
 * import { deleteStore } from "@effect-apify/http"
 * import * as Effect from "effect/Effect"
 *
 * const program = deleteStore("~my-store").pipe(Effect.catchTag("StoreNotFoundError", () => Effect.void))
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const deleteStore = (
  ref: StoreRef | string,
  options?: CallOptions
): Effect.Effect<void, DeleteStoreError, ApifyClient> =>
  Effect.flatMap(ApifyClient, (client) => client.run(new DeleteStore(ref), options))

type DeleteFailure = Exclude<DeleteStoreError, CallError>

/** A class, because it lives as long as a call (docs/decisions/0011). */
class DeleteStore implements Operation<void, DeleteFailure> {
  readonly name = "deleteStore"
  readonly rate = "resource"
  readonly isPaced = false
  readonly isIdempotent = true
  readonly store: Option.Option<string>
  readonly request: Either.Either<OperationRequest, DeleteFailure>

  constructor(ref: StoreRef | string) {
    const location = storeLocation(ref)
    this.store = referenceOf(location)
    this.request = Either.map(location, (location) => new StoreRequest("DELETE", location))
  }

  decode(response: OperationResponse, context: DecodeContext): Either.Either<void, CallError | DeleteFailure> {
    if (response.status === 204) return Either.void
    const error = storeErrorOf(response, context)
    return error._tag === "StoreNotFoundError" && context.mayBeRepetition === true ? Either.void : Either.left(error)
  }
}
