/**
 * Records of a seed.
 *
 * @since 0.1.0
 */
import { ValidRecordKey } from "@effect-apify/domain/RecordKey"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { ContentEncoding } from "./ContentEncoding.js"
import { strict } from "./internal/strict.js"
import { isContentType } from "./MediaType.js"
import { unknowns } from "./Unknowns.js"

const ContentType = Schema.String.pipe(
  Schema.filter(isContentType, {
    description: "a media type",
    arbitrary: () => (fc) => fc.constantFrom("text/html", "application/json; charset=utf-8", "image/png")
  })
)

const Base64 = Schema.String.pipe(
  Schema.filter((text) => Buffer.from(text, "base64").toString("base64") === text, {
    description: "base64",
    arbitrary: () => (fc) => fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("base64"))
  })
)

const Json = Schema.Unknown.annotations({
  identifier: "Json",
  equivalence: () => (a, b) => JSON.stringify(a) === JSON.stringify(b)
})

const Fields = Schema.Struct({
  key: ValidRecordKey,
  contentType: Schema.optional(ContentType),
  /** Of the bytes in `base64`. */
  contentEncoding: Schema.optional(ContentEncoding),
  text: Schema.optional(Schema.String),
  json: Schema.optional(Json),
  base64: Schema.optional(Base64)
}).annotations(strict)

type Fields = typeof Fields.Type

const problemOf = ({ text, json, base64, contentEncoding }: Fields): string | undefined => {
  if ([text, json, base64].filter((body) => body !== undefined).length !== 1) {
    return "has not exactly one of text, json and base64"
  }
  return contentEncoding === undefined || base64 !== undefined ? undefined : "has a contentEncoding without base64"
}

/**
 * A record: its key, and its body as text, as JSON, or as bytes in base64. Text and JSON have content types of their own
 * unless one is given.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SeedRecord = Fields.pipe(
  Schema.filter(problemOf, {
    identifier: "SeedRecord",
    arbitrary: () => (fc) =>
      fc
        .tuple(
          Arbitrary.makeLazy(ValidRecordKey)(fc),
          fc.oneof(
            fc.record({ text: fc.string() }),
            fc.record({ json: fc.jsonValue() }),
            fc.record({
              base64: Arbitrary.makeLazy(Base64)(fc),
              contentEncoding: Arbitrary.makeLazy(ContentEncoding)(fc)
            })
          )
        )
        .map(([key, body]) => ({ key, ...body }))
  })
)

/**
 * The decoded `SeedRecord`.
 *
 * @since 0.1.0
 * @category models
 */
export type SeedRecord = typeof SeedRecord.Type

/**
 * The bytes of a record, and their content type.
 *
 * @since 0.1.0
 * @category decoding
 */
export const contentOf = ({
  text,
  json,
  base64 = "",
  contentType
}: SeedRecord): { readonly bytes: Uint8Array; readonly contentType: string } => {
  if (text !== undefined) return { bytes: Buffer.from(text), contentType: contentType ?? "text/plain; charset=utf-8" }
  return json === undefined
    ? { bytes: Buffer.from(base64, "base64"), contentType: contentType ?? unknowns.DEFAULT_CONTENT_TYPE }
    : { bytes: Buffer.from(JSON.stringify(json)), contentType: contentType ?? "application/json; charset=utf-8" }
}
