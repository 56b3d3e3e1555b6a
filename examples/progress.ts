/**
 * The progress of a long job: on one line of a terminal, or on a few lines of their own if the output is not a terminal.
 */
import * as Effect from "effect/Effect"

/** The part of `process.stderr` that is used. */
export interface Output {
  readonly isTTY?: boolean
  readonly write: (text: string) => unknown
}

/** How many lines a job writes if the output is not a terminal. */
const PLAIN_LINES = 4

const REWRITE_LINE = "\r\u001b[K"

const BAR_LENGTH = 20

const writeLine = (output: Output, done: number, total: number, line: string, bar: string): void => {
  if (output.isTTY === true) output.write(done < total ? `${REWRITE_LINE}${bar}${line}` : REWRITE_LINE)
  else if (done % Math.ceil(total / PLAIN_LINES) === 0 || done === total) output.write(`${line}\n`)
}

/** Shows that `done` of `total` stores are done. On a terminal, the last one clears the line. */
export const showProgress = (output: Output, done: number, total: number): Effect.Effect<void> =>
  Effect.sync(() => writeLine(output, done, total, `${done} of ${total} stores`, ""))

/** The same with a bar before it on a terminal, for anything that can be counted. */
export const showBar = (output: Output, done: number, total: number, noun: string): Effect.Effect<void> =>
  Effect.sync(() => {
    const full = Math.floor((done / total) * BAR_LENGTH)
    const bar = `[${"#".repeat(full).padEnd(BAR_LENGTH, "-")}] `
    writeLine(output, done, total, `${done} of ${total} ${noun}`, bar)
  })

/** Shows a count whose end is not known: on a terminal in place of the one before, which `clearProgress` removes. */
export const showCount = (output: Output, count: number, noun: string): Effect.Effect<void> =>
  Effect.sync(() => {
    output.write(output.isTTY === true ? `${REWRITE_LINE}${count} ${noun}` : `${count} ${noun}\n`)
  })

/** Clears the line of a terminal, for what is written next. */
export const clearProgress = (output: Output): Effect.Effect<void> =>
  Effect.sync(() => {
    if (output.isTTY === true) output.write(REWRITE_LINE)
  })
