/**
 * An operation of Apify's API, as the client runs it: a request, and what its responses mean.
 *
 * @since 0.1.0
 */
import type * as Headers from "@effect/platform/Headers"
import type { CallError } from "@effect-apify/domain/CallError"
import type { HttpMethod } from "@effect-apify/domain/Request"
import type * as Duration from "effect/Duration"
import type * as Either from "effect/Either"
import type * as Option from "effect/Option"
import type * as Stream from "effect/Stream"

/**
 * The body of a request: none, bytes, or a stream. A stream may fail with an error of its own, which then is the call's.
 *
 * @since 0.1.0
 * @category models
 */
export type RequestBody<E = never> =
  | { readonly _tag: "Empty" }
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | {
      readonly _tag: "Stream"
      readonly stream: Stream.Stream<Uint8Array, E>
      /** The length in bytes, where it is known. */
      readonly length?: number | undefined
      /** Whether the stream may be run again, for another attempt. */
      readonly isReplayable: boolean
    }

/**
 * A request without what the client adds to it: the base URL, the token, common headers.
 *
 * @since 0.1.0
 * @category models
 */
export interface OperationRequest<E = never> {
  readonly method: HttpMethod
  /** The path from `/v2` on, percent-encoded. */
  readonly path: string
  /** Parameters of the query; those that are `undefined` are left out. */
  readonly query?: { readonly [name: string]: string | undefined }
  /** Names in lower case. */
  readonly headers?: { readonly [name: string]: string }
  readonly body?: RequestBody<E>
}

/**
 * A response with its body.
 *
 * @since 0.1.0
 * @category models
 */
export interface OperationResponse {
  readonly status: number
  readonly headers: Headers.Headers
  readonly body: Uint8Array
  /** Whether the body was larger than `maxBodyBytes`; its rest was not read. */
  readonly isTruncated: boolean
}

/**
 * What was requested and how long it took, as errors tell it.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallSummary {
  readonly operation: string
  readonly method: HttpMethod
  /** Without credentials. */
  readonly url: string
  readonly store: Option.Option<string>
  readonly attempts: number
  readonly elapsed: Duration.Duration
}

/**
 * What decoding a response may need beyond the response.
 *
 * @since 0.1.0
 * @category models
 */
export interface DecodeContext {
  readonly call: CallSummary
  /** The wall-clock time in milliseconds since 1970. */
  readonly now: number
  /** Where the token was read from; `None` where the request carried no token. */
  readonly tokenSource: Option.Option<string>
  /** Removes secrets from a text of the server's. */
  readonly redact: (text: string) => string
}

/**
 * Which of Apify's limits for one store a request counts towards: 60 requests a second, or 200 for records.
 *
 * @since 0.1.0
 * @category models
 */
export type RateClass = "resource" | "record"

/**
 * An operation that returns an `A`, and can fail with an `E` besides what every call can fail with.
 *
 * @since 0.1.0
 * @category models
 */
export interface Operation<A, E = never> {
  /** Names its span, and tags its metrics. */
  readonly name: string
  /** The store that it is about, as its reference is written; `None` for an operation that is about no store. */
  readonly store: Option.Option<string>
  /** What to send, or why nothing is. */
  readonly request: Either.Either<OperationRequest<E>, E>
  /** Whether it may be sent again although the server may have carried it out already. */
  readonly isIdempotent: boolean
  readonly rate: RateClass
  /** Whether its requests always keep to the rate for one store, and not only after a 429. */
  readonly isPaced: boolean
  /** What a response means. What it throws is a defect of the call. */
  readonly decode: (response: OperationResponse, context: DecodeContext) => Either.Either<A, E | CallError>
}

/**
 * An operation whose successful response is read as a stream.
 *
 * @since 0.1.0
 * @category models
 */
export interface StreamOperation<A, E = never> extends Omit<Operation<never, E>, "decode"> {
  /** What a successful response means, before its body is read. */
  readonly decodeHead: (
    head: Omit<OperationResponse, "body" | "isTruncated">,
    body: Stream.Stream<Uint8Array, CallError>,
    context: DecodeContext
  ) => Either.Either<A, E | CallError>
  /** What any other response means. */
  readonly decodeError: (response: OperationResponse, context: DecodeContext) => E | CallError
}
