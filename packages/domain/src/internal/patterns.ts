/**
 * The first character of a text that is not allowed, for messages.
 */
import { quote } from "../Redaction.js"

/** What is wrong with the first character that `allowed` does not match; `undefined` if all are allowed. */
export const wrongCharacter = (text: string, allowed: RegExp): string | undefined => {
  let position = 0
  for (const character of text) {
    position += 1
    if (!allowed.test(character)) {
      const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")
      return `the character ${quote(character)} (U+${code}) at position ${position} is not allowed`
    }
  }
  return undefined
}
