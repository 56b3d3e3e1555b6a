/**
 * Parameters of the query, as every endpoint reads them.
 *
 * @since 0.1.0
 */
import type { Refusal } from "@effect-apify/domain/Refusal"
import * as Either from "effect/Either"
import type { AboveMaximum } from "./Unknowns.js"

/**
 * Reads a boolean: `true` and `1` are true, and anything else is false, as is a parameter that is not there.
 *
 * @since 0.1.0
 * @category decoding
 */
export const booleanOf = (query: URLSearchParams, name: string): boolean => {
  const value = query.get(name)
  return value === "true" || value === "1"
}

/**
 * How a number is read.
 *
 * @since 0.1.0
 * @category models
 */
export interface NumberOptions {
  /** What a parameter means that is not there, or 0. */
  readonly default: number
  readonly maximum: number
  /** What becomes of a greater number. Default: it is lowered. */
  readonly aboveMaximum?: AboveMaximum
  /** What a negative or fractional number gets, or a text that is no number, by the name of the parameter. */
  readonly refusal: (name: string) => Refusal
}

/**
 * Reads a whole number. Zero is the same as no number, as it is for Apify: a `limit=0` sets no limit.
 *
 * @since 0.1.0
 * @category decoding
 */
export const numberOf = (
  query: URLSearchParams,
  name: string,
  options: NumberOptions
): Either.Either<number, Refusal> => {
  const text = query.get(name)
  if (text === null) return Either.right(options.default)
  if (!/^\d+$/.test(text)) return Either.left(options.refusal(name))
  const number = Number(text) || options.default
  if (number <= options.maximum) return Either.right(number)
  return options.aboveMaximum === "refuse" ? Either.left(options.refusal(name)) : Either.right(options.maximum)
}
