/**
 * The levels of general access, and those that Apify adds after us.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { character } from "../../../vitest.text.js"
import { type AccessLevel, GeneralAccess, UnknownAccessLevel } from "../src/index.js"

const decode = Schema.decodeUnknownSync(GeneralAccess)
const encode = Schema.encodeSync(GeneralAccess)

const documented = [
  "RESTRICTED",
  "ANYONE_WITH_ID_CAN_READ",
  "ANYONE_WITH_NAME_CAN_READ",
  "FOLLOW_USER_SETTING"
] as const

describe("a level that is documented", () => {
  it.each(documented)("%s is itself", (level) => {
    assert.strictEqual(decode(level), level)
    assert.strictEqual(encode(level), level)
  })
})

describe("a level that is not", () => {
  it.each([
    "FRIENDS_ONLY",
    "",
    "restricted",
    "RESTRICTED ",
    "constructor",
    "__proto__",
    "\u0000",
    "UnknownAccessLevel"
  ])("%j is an UnknownAccessLevel", (level) => {
    assert.deepStrictEqual(decode(level), new UnknownAccessLevel({ level }))
  })

  it.prop("is encoded as it was", [fc.string({ unit: character })], ([level]) => {
    assert.strictEqual(encode(decode(level)), level)
  })

  it.each(documented)("can't be made of %s", (level) => {
    assert.throws(() => new UnknownAccessLevel({ level }))
  })
})

describe("what is no text", () => {
  it.each([[null], [0], [true], [[]], [{}], [{ _tag: "UnknownAccessLevel", level: "FRIENDS_ONLY" }]])(
    "%j is refused",
    (json) => {
      assert.throws(() => decode(json), /Expected/)
    }
  )
})

describe("in the types", () => {
  it("an unknown level is none of the four", () => {
    expectTypeOf<GeneralAccess>().toEqualTypeOf<AccessLevel | UnknownAccessLevel>()
    expectTypeOf<AccessLevel>().toEqualTypeOf<(typeof documented)[number]>()
    expectTypeOf<Extract<GeneralAccess, string>>().toEqualTypeOf<AccessLevel>()
    expectTypeOf<Exclude<GeneralAccess, AccessLevel>>().toEqualTypeOf<UnknownAccessLevel>()
    expectTypeOf<UnknownAccessLevel>().not.toExtend<AccessLevel>()
    expectTypeOf<AccessLevel>().not.toExtend<UnknownAccessLevel>()
  })

  it("handling the four does not handle a level", () => {
    const handled = (level: GeneralAccess): string => {
      switch (level) {
        case "RESTRICTED":
        case "ANYONE_WITH_ID_CAN_READ":
        case "ANYONE_WITH_NAME_CAN_READ":
        case "FOLLOW_USER_SETTING":
          return level
        default:
          expectTypeOf(level).toEqualTypeOf<UnknownAccessLevel>()
          return level.level
      }
    }
    assert.strictEqual(handled(decode("FRIENDS_ONLY")), "FRIENDS_ONLY")
  })
})
