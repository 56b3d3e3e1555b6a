/**
 * The characters of the texts in property tests.
 */
import * as fc from "effect/FastCheck"

const SURROGATES = { first: 0xd800, last: 0xdfff }
const GAP = SURROGATES.last - SURROGATES.first + 1

const codePoint = fc.integer({ min: 0, max: 0x10ffff - GAP }).map(
  (index) => String.fromCodePoint(index < SURROGATES.first ? index : index + GAP),
  (character) => {
    const code = typeof character === "string" ? character.codePointAt(0) : undefined
    if (code === undefined || String.fromCodePoint(code) !== character) throw new Error("This is not one character")
    return code < SURROGATES.first ? code : code - GAP
  }
)

/**
 * Any character, for the `unit` of a string: a code point, or sometimes several that are displayed as one character. fast-check's own
 * units of this kind, `binary` and `grapheme`, build a list of all characters, which costs each process a second and 100 MB.
 */
export const character = fc.oneof(
  { weight: 19, arbitrary: codePoint },
  {
    weight: 1,
    arbitrary: fc.constantFrom("e\u0301", "\u1100\u1161\u11a8", "\u{1f469}\u200d\u{1f52c}", "\u{1f1e8}\u{1f1ff}")
  }
)
