/**
 * Content types, as functions: what every header may hold, and what none may.
 */
import { assert, describe, it } from "@effect/vitest"
import { isContentType } from "../src/MediaType.js"

describe("a content type", () => {
  it("has a type, a subtype, and any parameters", () => {
    for (const text of ["a/b", "a/b;", "a/b; ;c=d", 'a/b ; c=d;e="x;\\"y" ; ', 'a/b; c="\u00e9"', "a/b;\tc=d\t"]) {
      assert.isTrue(isContentType(text), text)
    }
    for (const text of ["", "a", "a/", "a/b c", "a/b; c", "a/b; c = d", 'a/b; c="', 'a/b; c="\\"', "a/b; c=\u00e9"]) {
      assert.isFalse(isContentType(text), text)
    }
  })

  it("has nothing that a header cannot carry", () => {
    for (const character of ["\n", "\r", "\0", "\x7f", "\u0100", "\u{1f511}"]) {
      assert.isFalse(isContentType(`a/b; c="${character}"`), JSON.stringify(character))
      assert.isFalse(isContentType(`a/b; c="\\${character}"`), JSON.stringify(character))
    }
  })

  it("that is none is told apart at once, however many spaces it has", () => {
    // A try of every way to share out the spaces would never end.
    for (const part of [";  ", ";a=b  ", " ", ";"]) assert.isFalse(isContentType(`a/b${part.repeat(3_000)}@`))
  })
})
