/**
 * Sends requests with `fetch`, without an `HttpClient` in between: for browsers, Deno, Bun, edge workers and Node. It makes the
 * smallest bundle, and costs less than `HttpClientTransport` on `FetchHttpClient`.
 *
 * @since 0.1.0
 */

import * as Headers from "@effect/platform/Headers"
import * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberRef from "effect/FiberRef"
import { constVoid } from "effect/Function"
import * as Layer from "effect/Layer"
import { bytesOf } from "./internal/collect.js"
import { sizeOfHeaders, withLength } from "./internal/requestHeaders.js"
import { isRedirect, type ProtectedOption, protectedInit } from "./internal/requestInit.js"
import { type Checked, invalid, isObject } from "./internal/settings.js"
import { type Exchange, type Receiver, type ResponseHead, Transport, type TransportBody } from "./Transport.js"

/**
 * How to use `fetch`.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** Called in place of the platform's `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** For every request, such as headers for a proxy. Redirects, cache and credentials are the client's own. */
  readonly init?: Omit<RequestInit, "method" | "body" | "signal" | ProtectedOption> | undefined
}

/**
 * Sends requests with the platform's `fetch`.
 *
 * It requests bodies that are not compressed. If a server or proxy compresses one all the same, `fetch` decompresses it. Node's does not
 * report compressed data that ends early, as long as the response around it is complete: the record then lacks its end, and no transport
 * on `fetch` can tell. `UndiciTransport` fails there.
 *
 * @example
 * ```ts
 * import { ApifyClient, FetchTransport, getStore } from "@effect-apify/http"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const program = getStore("janedoe~my-store").pipe(
 *   Effect.provide(Layer.provide(ApifyClient.layerConfig, FetchTransport.layer))
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Transport> = /* @__PURE__ */ Layer.sync(Transport, () => make({}, Headers.empty))

/**
 * Sends requests with `fetch` and options. Headers that HTTP does not allow are a `ConfigError`.
 *
 * @example
 * ```ts
 * import { ApifyClient, FetchTransport } from "@effect-apify/http"
 * import * as Layer from "effect/Layer"
 *
 * const client = ApifyClient.layerConfig.pipe(
 *   Layer.provide(FetchTransport.layerWith({ init: { headers: { "x-team": "search" } } }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (options: Options): Layer.Layer<Transport, ConfigError.ConfigError> =>
  Layer.effect(
    Transport,
    Effect.map(
      Effect.zipRight(
        checkOptions(options),
        Effect.try({
          try: () => Headers.fromInput(new globalThis.Headers(options.init?.headers)),
          catch: () => ConfigError.InvalidData(["init", "headers"], "must have names and values that HTTP allows")
        })
      ),
      (headers) => make(options, headers)
    )
  )

/** Callers without types may give anything, such as a `fetch` in place of the options, which would not be called. */
const checkOptions = (options: Options): Checked<void> => {
  if (!isObject(options)) return invalid("options", "must be an object such as { fetch: myFetch }")
  const { fetch, init } = options
  if (fetch !== undefined && typeof fetch !== "function") return invalid("fetch", "must be a function such as fetch")
  return init === undefined || isObject(init)
    ? Either.void
    : invalid("init", "must be an object such as { headers: { 'x-proxy': '1' } }")
}

const make = ({ fetch, init = {} }: Options, headers: Headers.Headers): typeof Transport.Service => ({
  prepare: Effect.succeed(
    (receiver) =>
      new FetchExchange(
        receiver,
        (signal) => {
          const { body, headers: own, isRedirected, method, origin, path } = receiver.request
          // `fetch` is looked up at each request, so that a test may replace it.
          return (fetch ?? globalThis.fetch)(origin + path, {
            ...init,
            ...protectedInit(),
            method,
            headers: withLength(isRedirected === true ? own : Headers.merge(headers, own), body),
            signal,
            ...bodyInit(body)
          })
        },
        fetch === undefined,
        sizeOfHeaders(headers)
      )
  ),
  propagates: FiberRef.get(FiberRef.currentTracerEnabled)
})

const bodyInit = (body: TransportBody): RequestInit => {
  switch (body._tag) {
    case "Empty":
      return { body: null }
    case "Bytes":
      return { body: new Uint8Array(body.bytes) }
    case "Stream":
      return body.fetchInit()
  }
}

class FetchExchange implements Exchange {
  private readonly controller = new AbortController()
  private resumePaused: (() => void) | undefined
  private paused: Promise<void> | undefined

  constructor(
    private readonly receiver: Receiver,
    send: (signal: AbortSignal) => Promise<Response>,
    /** Whether bodies keep to their headers, and heed the signal. */
    private readonly isPlatforms: boolean,
    /** The size of the headers of the options, in bytes. */
    added: number
  ) {
    this.receive(send).then(
      () => {
        if (!this.isOver) receiver.onEnd()
      },
      (cause) => {
        if (this.isOver) return
        // There may be more on its way.
        this.abort()
        receiver.onError(cause, added)
      }
    )
  }

  private async receive(send: (signal: AbortSignal) => Promise<Response>): Promise<void> {
    const response = await send(this.controller.signal).catch(hiddenRedirect)
    if (response?.status === undefined) throw new TypeError("fetch returned something that is not a Response")
    const head: ResponseHead = {
      status: response.status,
      headers: Headers.fromInput(response.headers),
      ...(this.isPlatforms ? { isDecoded: true } : {})
    }
    const reading = this.receiver.onHead(head)
    switch (reading) {
      case "none":
        cancel(response.body)
        return
      case "stop":
        // Some bodies have no stream to cancel.
        cancel(response.body)
        this.abort()
        return
      case "whole":
        if (this.isPlatforms) {
          this.passOn(bytesOf(await response.arrayBuffer()))
          return
        }
    }
    if (response.body === null) return
    if (typeof response.body?.getReader === "function") return this.read(response.body)
    // A `fetch` of the caller's may return something that only resembles a `Response`.
    if (typeof response.arrayBuffer !== "function") {
      throw new TypeError("fetch returned a response whose body is neither a ReadableStream nor has arrayBuffer()")
    }
    this.passOn(bytesOf(await response.arrayBuffer()))
  }

  private async read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const reader = stream.getReader()
    const stop = (): void => {
      reader.cancel().catch(constVoid)
    }
    const { signal } = this.controller
    // For a `fetch` that does not heed its signal.
    signal.addEventListener("abort", stop)
    try {
      while (!this.isOver) {
        const { done, value } = await reader.read()
        if (done) return
        this.passOn(value)
        if (this.paused !== undefined) await this.paused
      }
    } finally {
      signal.removeEventListener("abort", stop)
    }
  }

  private passOn(chunk: Uint8Array): void {
    if (!this.isOver && !this.receiver.onChunk(chunk)) this.abort()
  }

  /** Whether the receiver is to be told nothing more. */
  private get isOver(): boolean {
    return this.controller.signal.aborted
  }

  abort(): void {
    this.resume()
    this.controller.abort()
  }

  get stop(): Effect.Effect<void> {
    return Effect.sync(() => this.abort())
  }

  pause(): void {
    this.paused ??= new Promise((resolve) => {
      this.resumePaused = resolve
    })
  }

  resume(): void {
    this.paused = undefined
    this.resumePaused?.()
  }
}

const hiddenRedirect = (thrown: unknown): Response => {
  if (isRedirect(thrown)) return Response.error()
  throw thrown
}

/** Nobody waits for the end of what nobody reads. */
const cancel = (body: ReadableStream<Uint8Array> | null | undefined): void => {
  body?.cancel?.().catch(constVoid)
}
