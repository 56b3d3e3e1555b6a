/**
 * Fields that a response may lack.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** A field that may be absent or `null`; encoding `None` leaves it out. */
export const optional = <A, I>(schema: Schema.Schema<A, I>) =>
  Schema.optionalWith(schema, { as: "Option", nullable: true }).pipe(Schema.withConstructorDefault(() => Option.none()))
