/**
 * A collection in no order, from which any item can be removed in constant time.
 *
 * Not a `Set`: one that is added to and removed from all the time keeps dead tables alive (docs/decisions/0005).
 */

export class Bag<T extends { place: number }> {
  readonly all: Array<T> = []

  add(item: T): void {
    item.place = this.all.length
    this.all.push(item)
  }

  /** The last item takes its place. */
  remove(item: T): void {
    if (this.all[item.place] !== item) return
    const last = this.all.pop()
    if (last === undefined || last === item) return
    last.place = item.place
    this.all[last.place] = last
  }
}
