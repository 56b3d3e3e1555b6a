import { assert, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { parseStoreRef } from "../src/index.js"

it("reads a name with its owner", () => {
  assert.isTrue(Either.isRight(parseStoreRef("janedoe~my-store")))
})
