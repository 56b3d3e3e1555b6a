/**
 * Public links to a store's keys and records, which may carry a signature.
 *
 * @since 0.1.0
 */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Inspectable from "effect/Inspectable"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { REDACTED, redact } from "./Redaction.js"

// Up to the end of the parameter: a URL may contain quotes and commas, at which `redact` would end a signature.
const signature = /([?&]signature=)[^&#]*/gi

const query = /^([^?#]*)\?([^#]*)/

/**
 * A public link to a store's keys or records. The link to a restricted store carries a signature, and anyone who has the
 * link may read the store. Printing, logging and `JSON.stringify` therefore hide the signature;
 * `Redacted.value(link.href)` is the whole link.
 *
 * @example
 * ```ts
 * import { PublicUrlFromString } from "@effect-apify/domain"
 * import * as Redacted from "effect/Redacted"
 * import * as Schema from "effect/Schema"
 *
 * const link = Schema.decodeSync(PublicUrlFromString)("https://api.apify.com/keys?signature=abc123")
 * String(link) // "https://api.apify.com/keys?signature=<redacted>"
 * Redacted.value(link.href) // "https://api.apify.com/keys?signature=abc123"
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export class PublicUrl implements Equal.Equal {
  // Not a `Redacted` from the start: each takes an entry in a `WeakMap`, and a page of keys has a thousand links.
  readonly #href: string

  constructor(href: string) {
    this.#href = href
  }
  /** The whole link. */
  get href(): Redacted.Redacted {
    return Redacted.make(this.#href)
  }
  /** The link without its `signature` parameter. The other parameters keep their order and encoding. */
  withoutSignature(): PublicUrl {
    const unsigned = this.#href.replace(query, (_, path: string, parameters: string) => {
      const others = parameters.split("&").filter((parameter) => !parameter.startsWith("signature="))
      return others.length === 0 ? path : `${path}?${others.join("&")}`
    })
    return unsigned === this.#href ? this : new PublicUrl(unsigned)
  }
  [Equal.symbol](that: unknown): boolean {
    return that instanceof PublicUrl && this.#href === that.#href
  }
  [Hash.symbol](): number {
    return Hash.string(this.#href)
  }
  /** The link with its signature hidden. */
  toString(): string {
    return redact(this.#href.replace(signature, `$1${REDACTED}`))
  }
  toJSON(): string {
    return this.toString()
  }
  [Inspectable.NodeInspectSymbol](): string {
    return this.toString()
  }
}

/**
 * A `PublicUrl` from the string that Apify sends. Any string is accepted, and encoded unchanged.
 *
 * @since 0.1.0
 * @category schemas
 */
export const PublicUrlFromString = Schema.transform(
  Schema.String,
  Schema.declare((url): url is PublicUrl => url instanceof PublicUrl, {
    description: "an instance of PublicUrl",
    identifier: "PublicUrl",
    arbitrary: () => (fc) => fc.string().map((href) => new PublicUrl(href)),
    pretty: () => String
  }),
  {
    strict: true,
    decode: (href) => new PublicUrl(href),
    encode: ({ href }) => Redacted.value(href)
  }
).annotations({ identifier: "PublicUrlFromString" })
