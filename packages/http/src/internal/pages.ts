/**
 * Listings in pages: what an operation that gets one page is, and which page follows.
 *
 * Apart from `paginate.ts`, so that a program that gets single pages bundles no streams.
 */

import type { CallError } from "@effect-apify/domain/CallError"
import type { Problem } from "@effect-apify/domain/Problem"
import * as Either from "effect/Either"
import type { DecodeContext, Operation, OperationResponse } from "../Operation.js"
import { malformed } from "./response.js"

/** An operation that gets a page. */
export interface PageOperation<A, Page, E = never> extends Operation<Page, E> {
  /** After a response that could not be decoded: its items, up to the first that is not valid. */
  readonly received: ReadonlyArray<A>
}

/** The pages of one listing that is under way. */
export interface Pages<A, Page, E> {
  /** Gets the next page; `undefined` at the end. */
  next(): PageOperation<A, Page, E> | undefined
  /** Takes a page, and returns its items that are to be given. */
  take(page: Page): ReadonlyArray<A>
  /** Takes the items of a page that ends the listing with an error, and returns those that are to be given. */
  takeLast(items: ReadonlyArray<A>): ReadonlyArray<A>
}

/** How much of a listing is wanted, and in which portions. */
export interface PageLimits {
  /** How many items in all. */
  readonly limit: number | undefined
  /** How many items a request asks for. */
  readonly pageSize: number
}

/**
 * Decodes the items of a page into `received`, one by one. The error of one that is not valid names its place.
 */
export const decodeItems = <A>(
  items: ReadonlyArray<unknown>,
  decode: (item: unknown) => Either.Either<A, ReadonlyArray<Problem>>,
  received: Array<A>,
  response: OperationResponse,
  context: DecodeContext
): Either.Either<ReadonlyArray<A>, CallError> => {
  // Not by an iterator: until V8 has optimized this, that makes twice as much garbage as the items.
  for (let index = 0; index < items.length; index++) {
    const decoded = decode(items[index])
    if (Either.isLeft(decoded)) {
      return Either.left(
        malformed(
          response,
          context,
          decoded.left.map(({ path, problem }) => ({ path: ["data", "items", index, ...path], problem }))
        )
      )
    }
    received.push(decoded.right)
  }
  return Either.right(received)
}
