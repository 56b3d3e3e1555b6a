/**
 * Random letters and digits.
 */
import { randomInt } from "node:crypto"

const CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/** Text that nobody can guess, of `length` letters and digits. */
export const randomText = (length: number): string =>
  Array.from({ length }, () => CHARACTERS.charAt(randomInt(CHARACTERS.length))).join("")
