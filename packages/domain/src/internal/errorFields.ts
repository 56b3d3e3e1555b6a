/**
 * The fields of errors.
 */
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import { GaveUp } from "../ApifyError.js"
import { Count, Milliseconds } from "../Count.js"
import { HttpMethod } from "../HttpMethod.js"

/** A field that an error may lack. */
export const optional = <A, I>(schema: Schema.Schema<A, I>) =>
  Schema.optionalToRequired(Schema.UndefinedOr(schema), Schema.OptionFromSelf(Schema.typeSchema(schema)), {
    decode: Option.filter(Predicate.isNotUndefined),
    encode: identity
  }).pipe(Schema.withConstructorDefault(() => Option.none()))

export const optionalText = optional(Schema.String)

/** A flag; false by default. */
export const flag = Schema.Boolean.pipe(
  Schema.propertySignature,
  Schema.withConstructorDefault(() => false)
)

/** The fields of an error that occurred after the call began. */
export const requestFields = {
  /** The operation's name, such as `getStore`. */
  operation: Schema.String,
  method: HttpMethod,
  /** The requested URL, without credentials. */
  url: Schema.String,
  /** The reference of the store that the operation is about, if there is one. */
  store: optionalText,
  /** How many requests were sent. */
  attempts: Count,
  /** The time from the start of the call to the error. */
  elapsed: Milliseconds
}

// Like `Count` by its own filter: `Schema.Int` and `Schema.between` are needed nowhere else in a bundle.
const Status = Schema.Number.pipe(
  Schema.filter((status) => Number.isInteger(status) && status >= 0 && status <= 999, {
    jsonSchema: { type: "integer", minimum: 0, maximum: 999 }
  })
).annotations({
  identifier: "Status",
  description: "an integer from 0 to 999",
  arbitrary: () => (fc) => fc.integer({ min: 0, max: 999 })
})

/** The fields of an error that is read from a response. */
export const responseFields = {
  ...requestFields,
  /** The status code; 0 if the transport hides it. */
  status: Status,
  /** `error.type` of the body, if the body is an Apify error. */
  apifyType: optionalText,
  /** `error.message` of the body, if the body is an Apify error. */
  apifyMessage: optionalText,
  /** The start of any other body, escaped, unless it might hold a secret. */
  snippet: optionalText
}

/** The same for an error that always names the store, in a field of its own. */
export const responseOfStore = Struct.omit(responseFields, "store")

/** Why an error that may be temporary was not retried any further. */
export const gaveUp = optional(GaveUp)
