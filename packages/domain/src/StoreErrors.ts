/**
 * The errors of operations on a store, beyond those that every operation shares.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { ApifyErrorTypeId, type Retryable } from "./ApifyError.js"
import { responseOfStore } from "./internal/errorFields.js"
import { printable, responded } from "./internal/errorMessage.js"
import { InvalidStoreNameError, StoreNameTakenError } from "./StoreName.js"

/**
 * The reference does not name a store. Nothing was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidStoreRefError extends Schema.TaggedError<InvalidStoreRefError>()("InvalidStoreRefError", {
  /** The reference as it was given, quoted and shortened. */
  ref: Schema.String,
  /** What is wrong with it. */
  problem: Schema.String
}) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(
    `${this.ref} is not a reference to a store: ${this.problem}. Write its ID ("WkzbQMuFYuamGv3YF"), "username~store-name", or "~store-name" for a store in the token's own account.`
  )
  get retryable(): Retryable {
    return "Never"
  }
}

/**
 * The error types of a 404 that mean that the store does not exist. Any other 404 is about something else: a path that
 * does not exist, or a server that is not Apify.
 *
 * @since 0.1.0
 * @category constants
 */
export const MISSING_STORE_TYPES: ReadonlySet<string> = new Set(["record-not-found", "record-or-token-not-found"])

/**
 * 404 from Apify itself: the store does not exist.
 *
 * @example
 * ```ts
 * import type { CallError, Store, StoreNotFoundError } from "@effect-apify/domain"
 * import * as Effect from "effect/Effect"
 *
 * declare const program: Effect.Effect<Store, CallError | StoreNotFoundError>
 * Effect.catchTag(program, "StoreNotFoundError", ({ ref }) => Effect.succeed(`no store ${ref}`))
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class StoreNotFoundError extends Schema.TaggedError<StoreNotFoundError>()("StoreNotFoundError", {
  ...responseOfStore,
  /** The reference of the requested store. */
  ref: Schema.String
}) {
  readonly [ApifyErrorTypeId]: ApifyErrorTypeId = ApifyErrorTypeId
  override readonly message: string = printable(
    `${responded(this)}. There is no store ${this.ref.includes("/") ? "of " : ""}${this.ref}. ${whatToCheck(this.ref)}.`
  )
  get retryable(): Retryable {
    return "Never"
  }
}

const whatToCheck = (ref: string): string => {
  if (ref.includes("/")) return "Check the ID of the run, Actor or task, and that the token belongs to its owner"
  if (ref.includes("~")) return `Check the name and the ${ref.startsWith("~") ? "token" : "owner"}`
  return 'Check the ID, or write a named store as "username~store-name" ("~store-name" in your own account)'
}

/**
 * The errors of operations on a store, beyond those that every operation shares.
 *
 * @since 0.1.0
 * @category errors
 */
export const StoreError = /* @__PURE__ */ Schema.Union(
  InvalidStoreRefError,
  InvalidStoreNameError,
  StoreNotFoundError,
  StoreNameTakenError
).annotations({ identifier: "StoreError" })

/**
 * The type of `StoreError`.
 *
 * @since 0.1.0
 * @category errors
 */
export type StoreError = typeof StoreError.Type
