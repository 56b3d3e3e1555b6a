/**
 * How much of what is long a run does: a share of it in `test`, all of it in `soak`.
 */

/** Whether this is `soak`. */
export const soaks = process.env.SOAK === "true"

/** A count for each of the two. */
export const scale = (counts: { readonly test: number; readonly soak: number }): number =>
  soaks ? counts.soak : counts.test

/** All of them in `soak`; in `test` two, each time others, so that every one has its share. */
export const inTurn = <A>(all: ReadonlyArray<A>, index: number): ReadonlyArray<A> =>
  soaks
    ? all
    : all.filter((_, position) => (position - index) % all.length === 0 || (position - index + 2) % all.length === 0)
