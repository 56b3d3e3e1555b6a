/**
 * Where a text stops being JSON. `JSON.parse` does not always say, and quotes the text.
 */

export interface Position {
  /** Both count from 1; the column in UTF-16 code units. */
  readonly line: number
  readonly column: number
}

/** The position of the first character that no JSON text could have there; `undefined` for a text that is JSON. */
export const syntaxErrorPosition = (text: string): Position | undefined => {
  const offset = syntaxErrorOffset(text)
  if (offset === undefined) return undefined
  const before = text.slice(0, offset)
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") }
}

const space = /[ \t\n\r]*/y
const scalar = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const escapeSequence = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y

/** Where a match of `pattern` at `offset` ends, or `undefined`. */
const endOf = (pattern: RegExp, text: string, offset: number): number | undefined => {
  pattern.lastIndex = offset
  return pattern.test(text) ? pattern.lastIndex : undefined
}

const syntaxErrorOffset = (text: string): number | undefined => {
  const closers: Array<"}" | "]"> = []
  let expected: "value" | "valueOrEnd" | "key" | "keyOrEnd" | "colon" | "commaOrEnd" = "value"
  let offset = 0
  while (true) {
    offset = endOf(space, text, offset) ?? offset
    const character = text[offset]
    const closer = closers.at(-1)
    if (expected === "commaOrEnd" && closer === undefined) return character === undefined ? undefined : offset
    if (character === undefined) return offset
    switch (expected) {
      case "commaOrEnd":
        if (character === ",") expected = closer === "}" ? "key" : "value"
        else if (character === closer) closers.pop()
        else return offset
        offset += 1
        break
      case "colon":
        if (character !== ":") return offset
        expected = "value"
        offset += 1
        break
      case "key":
      case "keyOrEnd": {
        if (character === "}" && expected === "keyOrEnd") {
          closers.pop()
          expected = "commaOrEnd"
          offset += 1
          break
        }
        const string = endOfString(text, offset)
        if ("error" in string) return string.error
        offset = string.end
        expected = "colon"
        break
      }
      case "value":
      case "valueOrEnd": {
        if (character === "]" && expected === "valueOrEnd") {
          closers.pop()
          expected = "commaOrEnd"
          offset += 1
        } else if (character === "{" || character === "[") {
          closers.push(character === "{" ? "}" : "]")
          expected = character === "{" ? "keyOrEnd" : "valueOrEnd"
          offset += 1
        } else if (character === '"') {
          const string = endOfString(text, offset)
          if ("error" in string) return string.error
          offset = string.end
          expected = "commaOrEnd"
        } else {
          const end = endOf(scalar, text, offset)
          if (end === undefined) return offset
          offset = end
          expected = "commaOrEnd"
        }
      }
    }
  }
}

const endOfString = (text: string, start: number): { readonly end: number } | { readonly error: number } => {
  if (text[start] !== '"') return { error: start }
  let offset = start + 1
  while (true) {
    const character = text[offset]
    if (character === undefined || character < " ") return { error: offset }
    if (character === '"') return { end: offset + 1 }
    if (character !== "\\") {
      offset += 1
    } else {
      const end = endOf(escapeSequence, text, offset)
      if (end === undefined) return { error: offset }
      offset = end
    }
  }
}
