/**
 * What can be stored in a record, and how.
 *
 * @since 0.1.0
 */
import type * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { CallOptions } from "./CallOptions.js"

/**
 * What can be stored in a record: text, bytes, a value with the schema that encodes it to JSON, or a stream of bytes.
 *
 * A value whose JSON would have `null` in place of something else, such as `NaN`, is refused with a `MalformedRecordError`.
 *
 * @since 0.1.0
 * @category models
 */
export type RecordContent<A, I, E, R> =
  | string
  | Uint8Array
  | { readonly schema: Schema.Schema<A, I, R>; readonly value: A }
  | Stream.Stream<Uint8Array, E, R>

/**
 * How to put a record.
 *
 * @since 0.1.0
 * @category options
 */
export interface PutRecordOptions extends CallOptions {
  /**
   * Default: `text/plain; charset=utf-8` for text, `application/json; charset=utf-8` for a value, and
   * `application/octet-stream` for bytes and streams. Text and values are sent in UTF-8.
   */
  readonly contentType?: string | undefined
  /** How the bytes are already encoded: `gzip`, `br` or `deflate`. They are sent unchanged. Default: not encoded. */
  readonly contentEncoding?: string | undefined
  /** Whether to compress the record with gzip. It is a defect to also set `contentEncoding`. Default: false. */
  readonly gzip?: boolean | undefined
  /** Whether a stream may be run again, for another attempt. Default: false, which allows one attempt. */
  readonly replayable?: boolean | undefined
  /**
   * The length of a stream in bytes, if it is known. It is a defect if it is not a whole number. If the stream has another length,
   * the call fails and nothing is stored. It is not sent with `gzip`.
   */
  readonly length?: number | undefined
}
