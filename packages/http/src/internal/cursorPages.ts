/**
 * Pages that are requested by the last key of the page before.
 */
import type { Problem } from "@effect-apify/domain/Problem"
import * as Option from "effect/Option"
import type { PageLimits, PageOperation, Pages } from "./pages.js"

/** What is needed of a page. */
interface CursorPage<A> {
  readonly items: ReadonlyArray<A>
  /** The key after which the next page begins; `None`, or none of its characters, at the end. */
  readonly nextExclusiveStartKey: Option.Option<string>
}

/**
 * The pages of a listing by keys. An operation that decodes a page refuses a next key that does not lead on, by
 * `nextKeyProblem`: with it a listing would never end.
 *
 * A class, because it lives as long as a listing (docs/decisions/0011).
 */
export class CursorPages<A, Page extends CursorPage<A>, E> implements Pages<A, Page, E> {
  private remaining: number
  private isOver: boolean

  constructor(
    private readonly operationAfter: (key: Option.Option<string>, limit: number) => PageOperation<A, Page, E>,
    private after: Option.Option<string>,
    private readonly limits: PageLimits
  ) {
    this.remaining = limits.limit ?? Number.POSITIVE_INFINITY
    this.isOver = this.remaining === 0
  }

  next(): PageOperation<A, Page, E> | undefined {
    return this.isOver ? undefined : this.operationAfter(this.after, Math.min(this.limits.pageSize, this.remaining))
  }

  take({ items, nextExclusiveStartKey }: Page): ReadonlyArray<A> {
    const given = this.takeLast(items)
    this.after = Option.filter(nextExclusiveStartKey, isKey)
    this.isOver = Option.isNone(this.after) || this.remaining === 0
    return given
  }

  takeLast(items: ReadonlyArray<A>): ReadonlyArray<A> {
    const given = items.length > this.remaining ? items.slice(0, this.remaining) : items
    this.remaining -= given.length
    return given
  }
}

const isKey = (key: string): boolean => key !== ""

/** What is wrong with how a page leads on to the next, given the key after which it was to begin. */
export const nextKeyProblem = (
  after: Option.Option<string>,
  { isTruncated, items, nextExclusiveStartKey }: CursorPage<unknown> & { readonly isTruncated: boolean }
): Option.Option<Problem> => {
  const next = Option.filter(nextExclusiveStartKey, isKey)
  if (Option.isSome(next) && Option.isSome(after) && next.value <= after.value) {
    return Option.some({
      path: ["data", "nextExclusiveStartKey"],
      problem: "does not come after the key that the page was to begin after"
    })
  }
  return isTruncated && items.length === 0
    ? Option.some({ path: ["data", "items"], problem: "is empty, although more items follow" })
    : Option.none()
}
