/**
 * The counts of a store: none is made up, and none is rounded.
 */
import { assert, describe, it } from "@effect/vitest"
import { assertEquals } from "@effect/vitest/utils"
import * as Arbitrary from "effect/Arbitrary"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Count, StoreStats } from "../src/index.js"

const decode = Schema.decodeUnknownSync(StoreStats)
const encode = Schema.encodeSync(StoreStats)

const names = ["readCount", "writeCount", "deleteCount", "listCount", "storageBytes", "s3StorageBytes"] as const

describe("stats", () => {
  it("know the six counts", () => {
    assert.sameMembers(Object.keys(StoreStats.fields), [...names])
  })

  it.each(names)("have no %s where Apify leaves it out, or says null: None, never zero", (name) => {
    const others = Object.fromEntries(names.filter((other) => other !== name).map((other) => [other, 7]))
    for (const json of [others, { ...others, [name]: null }]) {
      const stats = decode(json)
      assertEquals(stats[name], Option.none())
      assert.deepStrictEqual(encode(stats), others)
    }
  })

  it.each(names)("have a %s of zero where Apify says zero", (name) => {
    assertEquals(decode({ [name]: 0 })[name], Option.some(0))
  })

  it.each(["-1", "0.5", "9007199254740993", "1e400", '"9"', "true", "[]", "{}"])(
    "are refused, not rounded, where the JSON says %s",
    (json) => {
      for (const name of names) assert.throws(() => decode(JSON.parse(`{"${name}":${json}}`)), /Expected/)
    }
  )

  it("may know nothing", () => {
    assertEquals(decode({}), new StoreStats({}))
    assert.deepStrictEqual(encode(decode({})), {})
  })

  it.prop(
    "have the counts that were sent, and those alone",
    [fc.record({ readCount: count(), listCount: count(), s3StorageBytes: count() }, { requiredKeys: [] })],
    ([json]) => {
      assert.deepStrictEqual(encode(decode(json)), json)
    }
  )

  it("take no notice of counts that they do not know", () => {
    assertEquals(decode({ readCount: 9, peekCount: -1.5 }), new StoreStats({ readCount: Option.some(9) }))
  })
})

function count(): fc.Arbitrary<number> {
  return fc.oneof(Arbitrary.make(Count), fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER))
}
