/**
 * Links to a store's content, which may carry a signature.
 *
 * @since 0.1.0
 */
import * as Inspectable from "effect/Inspectable"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { REDACTED, redact } from "./Redaction.js"

// Up to the end of the parameter: a URL may hold quotes and commas, where `redact` takes a signature in a text to end.
const signature = /([?&]signature=)[^&#]*/gi

/**
 * A link to a store's keys or records. Where the store is restricted the link carries a signature, and whoever has it
 * may read: so the link shows itself with the signature hidden, and `Redacted.value(link.href)` gives the whole of it.
 *
 * @since 0.1.0
 * @category schemas
 */
export class PublicUrl extends Schema.Class<PublicUrl>("PublicUrl")({
  href: Schema.Redacted(Schema.String)
}) {
  /** The link as those get it who may not have a signature. */
  withoutSignature(): PublicUrl {
    const href = Redacted.value(this.href)
    const plain = href.replace(/(?<=[?&])signature=[^&#]*&?/gi, "")
    return plain === href ? this : new PublicUrl({ href: Redacted.make(plain.replace(/[?&](?=#|$)/, "")) })
  }
  /** The link with its signature hidden. */
  override toString(): string {
    return redact(Redacted.value(this.href).replace(signature, `$1${REDACTED}`))
  }
  toJSON(): string {
    return this.toString()
  }
  [Inspectable.NodeInspectSymbol](): string {
    return this.toString()
  }
}

/**
 * The codec between a link as Apify writes it and a `PublicUrl`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const PublicUrlFromString = Schema.transform(Schema.String, Schema.typeSchema(PublicUrl), {
  strict: true,
  decode: (href) => new PublicUrl({ href: Redacted.make(href) }, { disableValidation: true }),
  encode: ({ href }) => Redacted.value(href)
}).annotations({ identifier: "PublicUrlFromString" })
