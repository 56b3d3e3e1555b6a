/**
 * Operations of Apify's API: for each, a request and what its responses mean.
 *
 * @since 0.1.0
 */
import type * as Headers from "@effect/platform/Headers"
import type { CallError } from "@effect-apify/domain/CallError"
import type { HttpMethod } from "@effect-apify/domain/HttpMethod"
import type * as Cause from "effect/Cause"
import type * as Chunk from "effect/Chunk"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Runtime from "effect/Runtime"
import type { CallLimits } from "./CallOptions.js"
import type { TransportBody } from "./Transport.js"

/**
 * Reads the next chunks of a body; `None` is its end. `Stream.repeatEffectChunkOption` makes a stream from it.
 *
 * Operations use it in place of `Stream`, so that a program without streams does not bundle Effect's.
 *
 * @since 0.1.0
 * @category models
 */
export type Pull<E> = Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<E>>

/**
 * What an attempt learns of its upload.
 *
 * @internal
 */
export interface UploadListener<E> {
  /** The server has taken all that was sent; the next chunk is read from the stream. */
  onRead(): void
  /** A chunk, or the end, is on its way to the server. */
  onSend(): void
  onFailure(cause: Cause.Cause<E>): void
  /** The stream has more or fewer bytes than were declared. */
  onWrongLength(problem: string): void
}

/**
 * The stream of a request's body, as it is sent.
 *
 * @internal
 */
export interface Upload {
  readonly body: TransportBody
  /** Whether the transport has the whole body, and its end. */
  readonly isDone: boolean
  /** Whether the server may have all bytes. Where their number is declared, it needs no end of the stream. */
  readonly isWhole: boolean
  /** Stops the stream, and runs its finalizers. */
  readonly close: Effect.Effect<void>
}

/**
 * The body of a request: none, bytes, or a stream, which `bodyFromStream` makes. If the stream fails, the call fails with the same
 * error.
 *
 * @since 0.1.0
 * @category models
 */
export type RequestBody<E = never> =
  | { readonly _tag: "Empty" }
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | {
      readonly _tag: "Stream"
      /** Begins to send it. `bodyFromStream` makes it. */
      readonly begin: (runtime: Runtime.Runtime<never>, listener: UploadListener<E>) => Upload
      /** The length in bytes, if it is known. */
      readonly length?: number | undefined
      /** Whether the stream may be run again, for another attempt. */
      readonly isReplayable: boolean
    }

/**
 * A request without what the client adds to it: the base URL, the token and common headers. The client checks it before it sends
 * it: a path that leads elsewhere, a parameter that is not text, or an invalid header is a `TransportError` with the reason
 * `request`.
 *
 * @since 0.1.0
 * @category models
 */
export interface OperationRequest<E = never> {
  readonly method: HttpMethod
  /** The path from `/v2` on, percent-encoded. */
  readonly path: string
  /** Parameters of the query; those that are `undefined` are left out. */
  readonly query?: { readonly [name: string]: string | undefined } | undefined
  /** The signature of a link: the parameter `signature` of the query. It takes the place of the token, and is never shown. */
  readonly signature?: Redacted.Redacted | undefined
  /** Names in lower case. */
  readonly headers?: { readonly [name: string]: string } | undefined
  readonly body?: RequestBody<E> | undefined
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
  /** Whether the transport decodes the body as its `content-encoding` says. Absent where the transport does not know. */
  readonly isDecoded?: boolean | undefined
}

/**
 * What was requested and how long it took, for errors.
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
  /** Where the token was read from; `None` if the request carried no token. */
  readonly tokenSource: Option.Option<string>
  /** Whether the client has a token, but withheld it from a request to another server than its own. */
  readonly isTokenWithheld?: boolean
  /** Whether the response is that of another server, after a redirect. */
  readonly isRedirected?: boolean
  /** Whether the server may have carried out an earlier attempt of the call, whose response was lost. */
  readonly mayBeRepetition?: boolean
  /** The limit on the bytes of the body. */
  readonly maxBodyBytes: number
  /** Removes secrets from text that the server sent. */
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
 * An operation that returns an `A`, and can fail with an `E` or with a `CallError`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Operation<A, E = never> {
  /** Names its span, and tags its metrics. */
  readonly name: string
  /** The reference of its store, as text; `None` for an operation without a store. */
  readonly store: Option.Option<string>
  /** The request, or the reason why it cannot be sent. */
  readonly request: Either.Either<OperationRequest<E>, E>
  /** Whether it may be sent again although the server may have carried it out already. */
  readonly isIdempotent: boolean
  readonly rate: RateClass
  /** Whether its requests always keep to the rate for one store, and not only after a 429. */
  readonly isPaced: boolean
  /** The limits that hold where neither the client's options nor those of the call set them. Default: `defaultLimits`. */
  readonly defaults?: Partial<CallLimits>
  /** Whether a success is bytes of any kind, whose content is never inspected. Default: false. */
  readonly readsBytes?: boolean
  /**
   * Where a redirect leads, if it may be followed: once, and without the token and whatever else may be a credential. Default:
   * nowhere.
   */
  readonly redirectTarget?: (redirect: Pick<OperationResponse, "status" | "headers">, origin: string) => URL | undefined
  /** What a response means. If it throws, the call dies with a defect. */
  readonly decode: (response: OperationResponse, context: DecodeContext) => Either.Either<A, E | CallError>
}

/**
 * An operation whose successful response is read as a stream. `runStream` runs it.
 *
 * @since 0.1.0
 * @category models
 */
export interface StreamOperation<A, E = never> extends Omit<Operation<never, E>, "decode"> {
  /** What a successful response means, before its body is read. */
  readonly decodeHead: (
    head: Omit<OperationResponse, "body" | "isTruncated">,
    body: Pull<CallError>,
    context: DecodeContext
  ) => Either.Either<A, E | CallError>
  /** What any other response means. */
  readonly decodeError: (response: OperationResponse, context: DecodeContext) => E | CallError
}
