/**
 * What the tests themselves rely on.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"

describe("assert.deepStrictEqual", () => {
  it("tells an option that has a value from one that has none", () => {
    assert.notDeepEqual<unknown>(Option.none(), Option.some("a"))
    assert.notDeepEqual<unknown>([Option.some("a")], [Option.none()])
    assert.deepStrictEqual(Option.some("a"), Option.some("a"))
    assert.deepStrictEqual(Option.none(), Option.none())
  })
})
