/**
 * A record that was read: its bytes, and what they mean.
 *
 * @since 0.1.0
 */
import { problemsOf } from "@effect-apify/domain/Problem"
import { MalformedRecordError } from "@effect-apify/domain/RecordErrors"
import type { RecordKey } from "@effect-apify/domain/RecordKey"
import { excerpt } from "@effect-apify/domain/Redaction"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import type * as Schema from "effect/Schema"
import { charsetOf } from "./internal/headerValue.js"
import { malformedRecord } from "./internal/recordTarget.js"
import { checkSchema } from "./internal/settings.js"
import type { CallSummary } from "./Operation.js"

/**
 * A record: its bytes as they were stored, and its content type. Printing shows the size in place of the bytes.
 *
 * An empty record has no bytes; a JSON record may be `null`; a record that does not exist is a `RecordNotFoundError`.
 *
 * @since 0.1.0
 * @category models
 */
export class StoredRecord {
  /** @internal */
  constructor(
    readonly key: RecordKey,
    readonly bytes: Uint8Array,
    /** As it was stored, parameters included. */
    readonly contentType: Option.Option<string>,
    /** How it was read, for the errors of what it means. */
    private readonly call: CallSummary
  ) {}

  /**
   * The bytes as text: in the charset that the content type names, or else in UTF-8. A charset that this platform does not
   * know, and bytes that are not valid in it, are a `MalformedRecordError` that names the charset. A byte order mark is left
   * out.
   */
  get text(): Either.Either<string, MalformedRecordError> {
    const charset = this.contentType.pipe(
      Option.flatMap(charsetOf),
      Option.getOrElse(() => "utf-8")
    )
    const decoder = Option.liftThrowable(() => new TextDecoder(charset, { fatal: true }))()
    const name = excerpt(charset, MAX_SHOWN)
    return Option.match(decoder, {
      onNone: () => this.malformed("Charset", `is in the charset ${name}, which this platform does not know`),
      onSome: (decoder) =>
        Either.try({
          try: () => decoder.decode(this.bytes),
          catch: () => malformedRecord(this.call, this.key, "Charset", `is not valid ${name}`)
        })
    })
  }

  /**
   * The bytes as JSON of a schema, whatever the content type. The error names what is wrong and where, and shows no values.
   *
   * @example
   * ```ts
   * import { getRecord } from "@effect-apify/http"
   * import * as Effect from "effect/Effect"
   * import * as Schema from "effect/Schema"
   *
   * const Input = Schema.Struct({ urls: Schema.Array(Schema.String) })
   *
   * const input = getRecord("janedoe~my-store", "INPUT").pipe(Effect.flatMap((record) => record.json(Input)))
   * ```
   */
  json<A, I, R>(schema: Schema.Schema<A, I, R>): Effect.Effect<A, MalformedRecordError, R> {
    return Effect.suspend(() => {
      checkSchema(schema)
      return Effect.flatMap(this.parsed, (json) =>
        Effect.mapError(
          ParseResult.decodeUnknown(schema, { errors: "all" })(json),
          (issue) =>
            new MalformedRecordError({ ...this.call, key: this.key, kind: "Shape", problems: problemsOf(issue) })
        )
      )
    }).pipe(
      Effect.catchSomeDefect((defect) =>
        isOverflow(defect) ? Option.some(this.malformed("Shape", "is nested too deeply")) : Option.none()
      )
    )
  }

  private get parsed(): Either.Either<unknown, MalformedRecordError> {
    if (this.bytes.length === 0) return this.malformed("Json", "is empty")
    return Either.flatMap(this.text, (text) =>
      Either.try({
        try: (): unknown => JSON.parse(text),
        catch: () => malformedRecord(this.call, this.key, "Json", "is not JSON")
      })
    )
  }

  private malformed(kind: MalformedRecordError["kind"], problem: string): Either.Either<never, MalformedRecordError> {
    return Either.left(malformedRecord(this.call, this.key, kind, problem))
  }

  toJSON() {
    return { key: this.key, size: this.bytes.length, contentType: Option.getOrNull(this.contentType) }
  }

  toString(): string {
    return Inspectable.format(this.toJSON())
  }

  [Inspectable.NodeInspectSymbol]() {
    return this.toJSON()
  }
}

const MAX_SHOWN = 100

/** What a schema that refers to itself ends in for values that are nested without end: V8 and JavaScriptCore, and SpiderMonkey. */
const isOverflow = (defect: unknown): boolean =>
  defect instanceof Error && /^(?:Maximum call stack size exceeded|too much recursion)/.test(defect.message)
