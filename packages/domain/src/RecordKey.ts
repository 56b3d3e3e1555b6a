/**
 * Keys of records.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { wrongCharacter } from "./internal/patterns.js"
import { InvalidRecordKeyError } from "./RecordErrors.js"
import { quote } from "./Redaction.js"

/**
 * A record's key as Apify returns it: any non-empty string.
 *
 * @since 0.1.0
 * @category schemas
 */
export const RecordKey = Schema.NonEmptyString.pipe(Schema.brand("RecordKey")).annotations({
  identifier: "RecordKey",
  description: "a non-empty string"
})

/**
 * The type of `RecordKey`.
 *
 * @since 0.1.0
 * @category models
 */
export type RecordKey = typeof RecordKey.Type

const MAX_LENGTH = 256
const pattern = /^(?!\.{1,2}$)[a-zA-Z0-9!\-_.'()]{1,256}$/
const allowed = /^[a-zA-Z0-9!\-_.'()]$/

/**
 * A record's key as it is sent: 1 to 256 of the characters `a-z A-Z 0-9 ! - _ . ' ( )`. `.` and `..` are refused,
 * because in a URL they mean another path. A valid key needs no percent-encoding in a path.
 *
 * Source: documented. Apify also accepts `.` and `..`.
 *
 * @example
 * ```ts
 * import { ValidRecordKey } from "@effect-apify/domain"
 *
 * const key = ValidRecordKey.make("OUTPUT")
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const ValidRecordKey = RecordKey.pipe(Schema.pattern(pattern), Schema.brand("ValidRecordKey")).annotations({
  identifier: "ValidRecordKey",
  description: "1 to 256 of the characters a-z A-Z 0-9 ! - _ . ' ( ), but not . or ..",
  arbitrary: () => (fc) =>
    fc
      .stringMatching(/^[a-zA-Z0-9!\-_.'()]{1,40}$/)
      .filter((key) => pattern.test(key))
      .map((key) => ValidRecordKey.make(key))
})

/**
 * The type of `ValidRecordKey`.
 *
 * @since 0.1.0
 * @category models
 */
export type ValidRecordKey = typeof ValidRecordKey.Type

const isValid = (key: string): key is ValidRecordKey => pattern.test(key)

/** What is wrong with a key that is not valid. */
const problemOf = (key: string): string => {
  if (key === "") return "it is empty"
  if (key === "." || key === "..") return "in a URL it means another path"
  return wrongCharacter(key, allowed) ?? `it has ${key.length} characters, and at most ${MAX_LENGTH} are allowed`
}

/** Callers without types may pass anything. */
const notText = () => Either.left(new InvalidRecordKeyError({ key: "The value", problem: "it is not text" }))

const invalid = (key: string, problem: string) => Either.left(new InvalidRecordKeyError({ key: quote(key), problem }))

/**
 * Parses a key that may be sent, or says what is wrong with it.
 *
 * @example
 * ```ts
 * import { parseRecordKey } from "@effect-apify/domain"
 *
 * parseRecordKey("OUTPUT") // Either.right("OUTPUT")
 * parseRecordKey("my key") // Either.left(InvalidRecordKeyError: … the character " " (U+0020) at position 3 is not allowed …)
 * ```
 *
 * @since 0.1.0
 * @category decoding
 */
export const parseRecordKey = (key: string): Either.Either<ValidRecordKey, InvalidRecordKeyError> => {
  if (typeof key !== "string") return notText()
  return isValid(key) ? Either.right(key) : invalid(key, problemOf(key))
}

const plain = /^[a-zA-Z0-9\-_.]$/

const escapeUnit = (unit: string): string => {
  if (plain.test(unit)) return unit
  const code = unit.charCodeAt(0).toString(16)
  return code.length <= 2 ? `!${code.padStart(2, "0")}` : `(${code.padStart(4, "0")}`
}

/**
 * Turns any text into a valid key, one to one. Letters, digits, `-`, `_` and `.` are kept; `!2f` stands for `/`,
 * `(043a` for `к`, `!2e` for a `.` at the start, and a lone `!` for the empty text. The escaped prefix of a text is a
 * prefix of the escaped text. It fails only if the result would be longer than 256 characters.
 *
 * @example
 * ```ts
 * import { escapeRecordKey } from "@effect-apify/domain"
 *
 * escapeRecordKey("https://apify.com/") // Either.right("https!3a!2f!2fapify.com!2f")
 * ```
 *
 * @since 0.1.0
 * @category encoding
 */
export const escapeRecordKey = (text: string): Either.Either<ValidRecordKey, InvalidRecordKeyError> => {
  if (typeof text !== "string") return notText()
  // By UTF-16 code units, so that a lone surrogate is kept.
  const escaped = text.replace(/[\s\S]/g, escapeUnit).replace(/^\./, "!2e")
  const key = escaped === "" ? "!" : escaped
  return isValid(key)
    ? Either.right(key)
    : invalid(text, `once escaped it has ${key.length} characters, and at most ${MAX_LENGTH} are allowed`)
}

/**
 * The text that `escapeRecordKey` turns into this key; `None` if there is none.
 *
 * @example
 * ```ts
 * import { unescapeRecordKey } from "@effect-apify/domain"
 *
 * unescapeRecordKey("a!2fb") // Option.some("a/b")
 * unescapeRecordKey("a!b") // Option.none()
 * ```
 *
 * @since 0.1.0
 * @category decoding
 */
export const unescapeRecordKey = (key: string): Option.Option<string> => {
  if (typeof key !== "string") return Option.none()
  const text =
    key === "!"
      ? ""
      : key.replace(/!([\da-f]{2})|\(([\da-f]{4})/g, (_, short: string | undefined, long: string | undefined) =>
          String.fromCharCode(Number.parseInt(short ?? long ?? "", 16))
        )
  // Only what it would be escaped to: "!61" is not how an "a" is written.
  return Option.filter(Option.some(text), (text) => Option.contains(Either.getRight(escapeRecordKey(text)), key))
}
