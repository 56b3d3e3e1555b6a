/**
 * Whole numbers that a caller gave, who may be untyped.
 */
import * as Cause from "effect/Cause"

/** Whether a value is a whole number, and not too small. */
export const isWholeFrom = (least: number, value: unknown): boolean =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= least

/** Throws, which is a defect of the call, if a number that the caller gave is not whole or too small. */
export const checkWhole = (name: string, value: number | undefined, least: number): void => {
  if (value === undefined || isWholeFrom(least, value)) return
  throw new Cause.IllegalArgumentException(`${name} must be a whole number of at least ${least}`)
}
