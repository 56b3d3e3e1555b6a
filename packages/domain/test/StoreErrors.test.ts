/**
 * The errors of operations on a store: what they suggest.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import { InvalidStoreRefError, StoreError, StoreNotFoundError } from "../src/index.js"
import { notFound } from "./errors.js"

const invalid = new InvalidStoreRefError({ ref: '"../etc"', problem: "an ID is 17 letters and digits" })

describe("the errors", () => {
  const tags = ["InvalidStoreRefError", "InvalidStoreNameError", "StoreNotFoundError", "StoreNameTakenError"] as const

  it("are these", () => {
    assert.sameMembers(
      StoreError.members.map((member) => member._tag),
      [...tags]
    )
    expectTypeOf<StoreError["_tag"]>().toEqualTypeOf<(typeof tags)[number]>()
  })

  it.prop("are never retried", [StoreError], ([error]) => {
    assert.strictEqual(error.retryable, "Never")
  })
})

describe("the message", () => {
  it("of a bad reference shows it and the three forms", () => {
    for (const part of ['"../etc"', "17 letters and digits", '"WkzbQMuFYuamGv3YF"', '"username~store-name"']) {
      assert.include(invalid.message, part)
    }
    assert.include(invalid.message, '"~store-name"')
  })

  it.each([
    ["janedoe~my-store", "Check the name and the owner."],
    ["~my-store", "Check the name and the token."],
    [
      "WkzbQMuFYuamGv3YF",
      'Check the ID, or write a named store as "username~store-name" ("~store-name" in your own account).'
    ]
  ])("of a 404 says what to check of %s", (ref, advice) => {
    const { message } = new StoreNotFoundError({ ...notFound, ref })
    const responded = "Apify responded with 404 record-not-found: Key-value Store was not found."
    assert.strictEqual(message, `${responded} There is no store ${ref}. ${advice}`)
  })

  it("of a 404 for a run asks for the run", () => {
    const { message } = new StoreNotFoundError({ ...notFound, ref: "actor-runs/HG7ML7M8z78YcAPEB" })
    assert.include(message, "There is no store of actor-runs/HG7ML7M8z78YcAPEB. Check the ID of the run")
  })

  it("counts attempts if there was more than one", () => {
    assert.notInclude(new StoreNotFoundError(notFound).message, "attempt")
    assert.include(new StoreNotFoundError({ ...notFound, attempts: 2 }).message, "(2 attempts in 120ms)")
  })
})
