/**
 * How a client sends its requests. `HttpClientTransport`, `FetchTransport` and `UndiciTransport` each have a layer.
 *
 * A transport sends one request, and passes the response to a receiver. It does not retry, follow redirects, limit the
 * time or the size of a response, or read credentials: the client does all that, in the same way for every transport.
 *
 * @since 0.1.0
 */
import type * as Headers from "@effect/platform/Headers"
import type { HttpMethod } from "@effect-apify/domain/HttpMethod"
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
      /** The options that `fetch` sends it with. It throws where `fetch` cannot send streams. */
      readonly fetchInit: () => RequestInit
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
  /** Whether it follows a redirect to another server: it has no credentials, and gets no headers from the transport's options. */
  readonly isRedirected?: boolean
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
  /** Whether the transport decodes the body as its `content-encoding` says. Absent where the transport does not know. */
  readonly isDecoded?: boolean | undefined
}

/**
 * How the receiver wants the body of a response.
 *
 * - `chunks`: chunk by chunk.
 * - `whole`: chunk by chunk, or in one piece if that is cheaper: the headers declare a small body.
 * - `none`: there is no body. The transport calls `onEnd`, and the connection stays open.
 * - `stop`: it is not wanted. The transport drops the response, and calls nothing more.
 *
 * @since 0.1.0
 * @category models
 */
export type Reading = "chunks" | "whole" | "none" | "stop"

/**
 * Receives a response. A transport calls `onHead`, then `onChunk` for each chunk, then `onEnd`. If anything fails, it calls
 * `onError` and nothing after that. Once the exchange was aborted, or the receiver wants no more, it calls nothing.
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
  /** Returns whether more is wanted. After `false` the transport drops the rest, and calls nothing more. */
  onChunk(chunk: Uint8Array): boolean
  onEnd(): void
  /**
   * Takes what the transport threw, with its secrets: the receiver removes them before it shows anything.
   *
   * @param added how many bytes of headers the transport added to the request, if it is more than usual
   */
  onError(cause: unknown, added?: number): void
}

/**
 * A request and its response, while they are under way.
 *
 * @since 0.1.0
 * @category models
 */
export interface Exchange {
  /** Ends it, without waiting. */
  abort(): void
  /** Ends it, and waits until all its resources are released. */
  readonly stop: Effect.Effect<void>
  /** Stops reading until `resume`. A few more chunks may still arrive. */
  pause(): void
  resume(): void
}

/**
 * The cause of the error if a transport refused to send a request that would have carried the token to another origin.
 *
 * @since 0.1.0
 * @category constants
 */
export const TOKEN_GUARD: unique symbol = Symbol.for("@effect-apify/http/Transport/tokenGuard")

/**
 * Sends requests.
 *
 * @since 0.1.0
 * @category models
 */
export interface TransportService {
  /** Acquires what an exchange needs, and returns the function that starts one. */
  readonly prepare: Effect.Effect<(receiver: Receiver) => Exchange>
  /** Whether requests carry their span to the server (`traceparent`). */
  readonly propagates: Effect.Effect<boolean>
}

/**
 * The transport that a client needs.
 *
 * @since 0.1.0
 * @category tags
 */
export class Transport extends Context.Tag("@effect-apify/http/Transport")<Transport, TransportService>() {}
