/**
 * Booleans and numbers of the query.
 */
import { assert, describe, it } from "@effect/vitest"
import { assertLeft, assertRight } from "@effect/vitest/utils"
import * as fc from "effect/FastCheck"
import { booleanOf, numberOf } from "../src/Query.js"
import { unknowns } from "../src/Unknowns.js"

describe("a boolean", () => {
  const read = (query: string) => booleanOf(new URLSearchParams(query), "desc")

  for (const query of ["desc=true", "desc=1", "a=0&desc=1"]) {
    it(`is true for ${query}`, () => assert.isTrue(read(query)))
  }
  for (const query of ["", "desc", "desc=", "desc=0", "desc=false", "desc=TRUE", "desc=yes", "desc=11", "Desc=1"]) {
    it(`is false for ${JSON.stringify(query)}`, () => assert.isFalse(read(query)))
  }
})

describe("a number", () => {
  const read = (query: string) =>
    numberOf(new URLSearchParams(query), "limit", { default: 10, maximum: 1000, refusal: unknowns.BAD_NUMBER_REFUSAL })

  it("is the default where it is not given, or zero", () => {
    for (const query of ["", "offset=3", "limit=0", "limit=000"]) assertRight(read(query), 10)
  })
  it.prop("is what was sent, up to the maximum", [fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })], ([sent]) =>
    assertRight(read(`limit=${sent}`), Math.min(sent, 1000))
  )
  for (const text of ["", "-1", "1.5", "1e3", "0x10", "abc", "%201", "1 ", "NaN", "Infinity", "١"]) {
    it(`is refused as ${JSON.stringify(text)}`, () =>
      assertLeft(read(`limit=${text}`), unknowns.BAD_NUMBER_REFUSAL("limit")))
  }
})
