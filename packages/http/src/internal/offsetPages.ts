/**
 * Pages that are requested by their offset in a list that may change meanwhile.
 *
 * Each page begins with the last item of the page before. If it does not, items before it were deleted, and others have moved
 * to places that were already read: then the pages before are read again, until one begins with an item that is known. Items
 * that were added before the place of the page repeat others; those are left out by their IDs.
 */
import type { PageLimits, PageOperation, Pages } from "./pages.js"

/** What is needed of a page. */
interface OffsetPage<A> {
  readonly items: ReadonlyArray<A>
  /** How many items the server gives at most, which may be fewer than were requested. */
  readonly limit: number
}

/** How many IDs are remembered: a few large pages, in less than a megabyte. */
const MOST_REMEMBERED = 5000

/** A class, because it lives as long as a listing (docs/decisions/0011). */
export class OffsetPages<A, Page extends OffsetPage<A>, E> implements Pages<A, Page, E> {
  /** The IDs of the last items, the oldest first. */
  private readonly known = new Set<string>()
  /** Where the next page begins. */
  private offset: number
  /** Where the item after the last known one should be. */
  private end: number
  /** How many items were requested. */
  private requested = 0
  /** How many items the last page had that connected to the page before. */
  private size = 1
  /** How far back pages were read again. */
  private back = 0
  /** How many items without a new one were read in a row. */
  private stale = 0
  private remaining: number
  private isOver: boolean

  constructor(
    private readonly operationAt: (offset: number, limit: number) => PageOperation<A, Page, E>,
    private readonly idOf: (item: A) => string,
    private readonly start: number,
    private readonly limits: PageLimits
  ) {
    this.offset = start
    this.end = start
    this.remaining = limits.limit ?? Number.POSITIVE_INFINITY
    this.isOver = this.remaining === 0
  }

  next(): PageOperation<A, Page, E> | undefined {
    if (this.isOver) return undefined
    this.requested = Math.min(this.limits.pageSize, this.end - this.offset + this.remaining)
    return this.operationAt(this.offset, this.requested)
  }

  take({ items, limit }: Page): ReadonlyArray<A> {
    if (!this.isConnected(items) && this.back < MOST_REMEMBERED && this.size > 1) {
      const earlier = Math.max(this.start, this.offset - (this.size - 1))
      this.back += this.offset - earlier
      this.offset = earlier
      return []
    }
    const given = this.takeLast(items)
    this.end = Math.max(this.end, this.offset + items.length)
    this.back = 0
    this.size = Math.max(1, items.length)
    // With pages of one item there is nothing that could be read again.
    const advance = Math.max(Math.min(1, items.length), items.length - 1)
    this.offset += advance
    this.stale = given.length === 0 ? this.stale + advance : 0
    // The end is where only the known item is left. A server may give fewer items than it says, but more than one.
    this.isOver =
      this.remaining === 0 ||
      (given.length === 0 && (items.length < Math.min(this.requested, limit, 2) || this.hasRepeated))
    return given
  }

  takeLast(items: ReadonlyArray<A>): ReadonlyArray<A> {
    const given: Array<A> = []
    for (const item of items) {
      const id = this.idOf(item)
      if (this.remaining === 0 || this.known.has(id)) continue
      this.remaining -= 1
      this.remember(id)
      given.push(item)
    }
    return given
  }

  /** Whether nothing can be missing between this page and what was given. */
  private isConnected([first]: ReadonlyArray<A>): boolean {
    return this.offset === this.start || (first !== undefined && this.known.has(this.idOf(first)))
  }

  /** A list has each item once: a server that gives more known items than there are gives one page for ever. */
  private get hasRepeated(): boolean {
    return this.stale === 0 || this.stale > this.known.size
  }

  private remember(id: string): void {
    this.known.add(id)
    if (this.known.size <= MOST_REMEMBERED) return
    for (const oldest of this.known) {
      this.known.delete(oldest)
      break
    }
  }
}
