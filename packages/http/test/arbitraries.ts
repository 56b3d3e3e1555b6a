/**
 * What the tests are made of: generated references, stores, responses and settings.
 */
import { Store, StoreBody, StoreRef } from "@effect-apify/domain"
import * as Arbitrary from "effect/Arbitrary"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"

export const storeRef = Arbitrary.make(StoreRef)

export const store = Arbitrary.make(Store)

const encodeBody = Schema.encodeSync(StoreBody)

/** A store as Apify sends it. */
export const bodyOf = (store: Store): string => JSON.stringify(encodeBody({ data: store }))

/** The body of a store that is no more than it must be. */
export const minimalBody = JSON.stringify({
  data: {
    id: "WkzbQMuFYuamGv3YF",
    createdAt: "2019-12-12T07:34:14.202Z",
    modifiedAt: "2019-12-13T08:36:13.202Z",
    accessedAt: "2019-12-14T08:36:13.202Z"
  }
})

/** Words that a server may say, with nothing in them that is hidden or escaped: these letters spell no name of a secret. */
export const words = fc.stringMatching(/^[aeilmou]{1,12}( [aeilmou]{1,12}){0,5}$/)

/** Statuses that no attempt more can help. */
export const permanentStatus = fc.constantFrom(
  ...[201, 203, 206, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 410, 418, 422, 499, 501, 505, 511]
)

/** Statuses of a server that may be back soon, 429 aside. */
export const transientStatus = fc.constantFrom(408, 500, 502, 503, 504, 520, 599)
