/**
 * How far a long job has come, on one line of a terminal, or now and then on a line of its own where there is none.
 */
import * as Effect from "effect/Effect"

/** What is needed of `process.stderr`. */
export interface Output {
  readonly isTTY?: boolean
  readonly write: (text: string) => unknown
}

/** How many lines a job writes where lines cannot be rewritten. */
const PLAIN_LINES = 4

const REWRITE_LINE = "\r\u001b[K"

/** Tells that `done` of `total` are done. On a terminal the last one clears the line. */
export const showProgress = (output: Output, done: number, total: number): Effect.Effect<void> =>
  Effect.sync(() => {
    const line = `${done} of ${total} stores`
    if (output.isTTY === true) output.write(done < total ? `${REWRITE_LINE}${line}` : REWRITE_LINE)
    else if (done % Math.ceil(total / PLAIN_LINES) === 0 || done === total) output.write(`${line}\n`)
  })
