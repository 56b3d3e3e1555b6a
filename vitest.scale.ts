/**
 * How much of the long tests to run: a share of it in `test`, all of it in `soak`.
 */

/** Whether this is `soak`. */
export const soaks = process.env.SOAK === "true"

/** A count for each of the two. */
export const scale = (counts: { readonly test: number; readonly soak: number }): number =>
  soaks ? counts.soak : counts.test

/** All of them in `soak`; two in `test`, a different two for each index, so that over several indices every one is in. */
export const sampled = <A>(all: ReadonlyArray<A>, index: number): ReadonlyArray<A> =>
  soaks
    ? all
    : all.filter((_, position) => (position - index) % all.length === 0 || (position - index + 2) % all.length === 0)

/** All of them in `soak`; in `test` one, another for each index. */
export const spread = <A>(all: ReadonlyArray<A>, index: number): ReadonlyArray<A> =>
  soaks ? all : all.slice(index % all.length, (index % all.length) + 1)
