/**
 * What a client sends requests by. `HttpClientTransport`, `FetchTransport` and `UndiciTransport` have a layer each.
 *
 * A transport sends one request, and tells its receiver what comes back. It does not retry, follow redirects, decide
 * on limits or read credentials: the client does all that, the same for every transport.
 *
 * @since 0.1.0
 */
import type * as Headers from "@effect/platform/Headers"
import type { HttpMethod } from "@effect-apify/domain/Request"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"

/**
 * The body of a request: none, bytes, or chunks that are read as the server takes them.
 *
 * @since 0.1.0
 * @category models
 */
export type TransportBody =
  | { readonly _tag: "Empty" }
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | {
      readonly _tag: "Stream"
      readonly chunks: AsyncIterable<Uint8Array>
      /** The length in bytes, where it is known. */
      readonly length: number | undefined
    }

/**
 * A request, ready to be sent to `origin + path`.
 *
 * @since 0.1.0
 * @category models
 */
export interface TransportRequest {
  readonly method: HttpMethod
  /** Scheme, host and port, without a slash at the end. */
  readonly origin: string
  /** The path and the query, from the first slash on. */
  readonly path: string
  /** Names in lower case, credentials included. */
  readonly headers: Headers.Headers
  readonly body: TransportBody
}

/**
 * The start of a response.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResponseHead {
  /** The status code; 0 where a browser hides a redirect. */
  readonly status: number
  readonly headers: Headers.Headers
  /** The version of HTTP, such as `1.1`, where the transport knows it. */
  readonly protocolVersion?: string
  /** Whether the credentials were left out, because something had pointed the request to another origin. */
  readonly isAnonymous?: boolean
}

/**
 * How the receiver wants the body of a response.
 *
 * - `chunks`: chunk by chunk.
 * - `whole`: chunk by chunk, or in one piece where that is cheaper: its headers declare that it is small.
 * - `none`: there is no body. The transport says `onEnd`, and the connection stays open.
 * - `stop`: it is not wanted. The transport drops it, and says nothing more.
 *
 * @since 0.1.0
 * @category models
 */
export type Reading = "chunks" | "whole" | "none" | "stop"

/**
 * Whoever waits for a response. A transport calls `onHead`, `onChunk` for each chunk, and then either `onEnd` or
 * `onError`, which may also be called before; and nothing once the exchange was aborted or the receiver said `stop`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Receiver {
  readonly request: TransportRequest
  /** The span of the attempt, where there is a tracer. */
  readonly span: Option.Option<Tracer.Span>
  /** The caller's fiber. */
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  onHead(head: ResponseHead): Reading
  /** Whether more is wanted. After `false` the transport drops the rest, and says nothing more. */
  onChunk(chunk: Uint8Array): boolean
  onEnd(): void
  /** What the transport threw, as it is: the receiver shows none of it before secrets are removed. */
  onError(cause: unknown): void
}

/**
 * A request and its response, under way.
 *
 * @since 0.1.0
 * @category models
 */
export interface Exchange {
  /** Ends it, without waiting. */
  abort(): void
  /** Ends it, and waits until nothing is left of it. */
  readonly stop: Effect.Effect<void>
  /** Asks for no further chunks until `resume`; a few may still be on their way. */
  pause(): void
  resume(): void
}

/**
 * The cause of a request that a transport did not send, because it would have taken the token to another origin.
 *
 * @since 0.1.0
 * @category constants
 */
export const TOKEN_GUARD: unique symbol = Symbol.for("@effect-apify/http/Transport/tokenGuard")

/**
 * @since 0.1.0
 * @category models
 */
export interface TransportService {
  /** Acquires what an exchange needs, and gives the function that begins one. */
  readonly prepare: Effect.Effect<(receiver: Receiver) => Exchange>
  /** Whether requests carry their span to the server (`traceparent`). */
  readonly propagates: Effect.Effect<boolean>
}

/**
 * What a client sends requests by.
 *
 * @since 0.1.0
 * @category tags
 */
export class Transport extends Context.Tag("@effect-apify/http/Transport")<Transport, TransportService>() {}
