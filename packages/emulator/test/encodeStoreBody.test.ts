/**
 * The fast encoder against the schema that it stands for.
 */
import { assert, it } from "@effect/vitest"
import { Store, StoreBody } from "@effect-apify/domain/Store"
import * as Arbitrary from "effect/Arbitrary"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { encodeStoreBody } from "../src/encodeStoreBody.js"

it("the body of a store is what the schema encodes", () => {
  const encode = Schema.encodeSync(StoreBody)
  fc.assert(
    fc.property(Arbitrary.make(Store), (store) => {
      assert.strictEqual(JSON.stringify(encodeStoreBody(store)), JSON.stringify(encode({ data: store })))
    })
  )
})
