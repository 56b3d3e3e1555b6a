/**
 * Sends requests with undici, without an `HttpClient` in between: the fastest transport on Node.
 *
 * This is the one module that needs Node, and `undici`, an optional peer dependency.
 *
 * @since 0.1.0
 */

import { Readable } from "node:stream"
import * as Headers from "@effect/platform/Headers"
import * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import { Agent, buildConnector, Client, type Dispatcher, Pool } from "undici"
import { withLength } from "./internal/requestHeaders.js"
import { type Checked, invalid, isObject } from "./internal/settings.js"
import {
  type Exchange,
  type Receiver,
  type ResponseHead,
  Transport,
  type TransportBody,
  type TransportRequest
} from "./Transport.js"

/**
 * The options of undici's `Agent` that are the caller's to choose. HTTP/2 is not, because undici does not tell whether a
 * body was cut off there; nor is a factory of other agents, which may follow redirects.
 *
 * @since 0.1.0
 * @category options
 */
export type AgentOptions = Omit<Agent.Options, "allowH2" | "maxCachedSessions" | "factory">

/**
 * What to send requests with.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** Options for the transport's own agent, such as `connections` to one server (default: 128). */
  readonly agent?: AgentOptions | undefined
  /**
   * A dispatcher to use in place of an agent of the transport's own, such as a `ProxyAgent`. It stays open when the layer's
   * scope closes. It must not follow redirects or retry.
   */
  readonly dispatcher?: Dispatcher | undefined
}

/**
 * Sends requests with an agent of its own, whose connections are closed with the layer's scope.
 *
 * @example
 * ```ts
 * import { ApifyClient, getStore } from "@effect-apify/http"
 * import * as UndiciTransport from "@effect-apify/http/UndiciTransport"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const program = getStore("janedoe~my-store").pipe(
 *   Effect.provide(Layer.provide(ApifyClient.layerConfig, UndiciTransport.layer))
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Transport, ConfigError.ConfigError> = /* @__PURE__ */ Layer.suspend(() => layerWith({}))

/**
 * Sends requests with an agent that has the options given, or with the caller's dispatcher. Options that undici rejects are a
 * `ConfigError`.
 *
 * @example
 * ```ts
 * import { ApifyClient } from "@effect-apify/http"
 * import * as UndiciTransport from "@effect-apify/http/UndiciTransport"
 * import * as Layer from "effect/Layer"
 *
 * // Or a dispatcher of your own: { dispatcher: new ProxyAgent("http://proxy:8080") }
 * const transport = UndiciTransport.layerWith({ agent: { connections: 10 } })
 *
 * const client = Layer.provide(ApifyClient.layerConfig, transport)
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (options: Options): Layer.Layer<Transport, ConfigError.ConfigError> =>
  Layer.scoped(
    Transport,
    Effect.map(
      Effect.flatMap(checkOptions(options), ({ agent = {}, dispatcher }) =>
        dispatcher === undefined
          ? Effect.acquireRelease(
              checked("agent", () => agentWith(agent)),
              (agent) => Effect.promise(() => agent.destroy())
            )
          : checked("dispatcher", () => dispatcher)
      ),
      (dispatcher) => ({
        prepare: Effect.succeed((receiver: Receiver) => new UndiciExchange(dispatcher, receiver)),
        propagates: FiberRef.get(FiberRef.currentTracerEnabled)
      })
    )
  )

/** Callers without types may give anything, such as a dispatcher in place of the options, which would not be used. */
const checkOptions = (options: Options): Checked<Options> => {
  if (!isObject(options) || "dispatch" in options) {
    return invalid("options", "must be an object such as { dispatcher: new ProxyAgent('http://proxy:8080') }")
  }
  return options.agent === undefined || isObject(options.agent)
    ? Either.right(options)
    : invalid("agent", "must be an object of options of undici's Agent, such as { connections: 10 }")
}

const checked = <D extends Dispatcher>(option: string, make: () => D): Effect.Effect<D, ConfigError.ConfigError> =>
  Effect.filterOrFail(
    Effect.try({
      try: make,
      catch: (error) => ConfigError.InvalidData([option], `undici rejects it: ${String(error)}`)
    }),
    // A program in JavaScript may have given anything.
    (dispatcher) => typeof dispatcher?.dispatch === "function",
    () =>
      ConfigError.Unsupported(
        [option],
        "has no dispatch(). Bun, for one, has an undici of its own without it: use FetchTransport there"
      )
  )

/** The number of connections that the limit for a user, 250,000 requests a minute, needs at 30 ms a response. */
const MAX_CONNECTIONS = 128

/**
 * Lets the error of a reset connection tell how much the connection had sent, as undici does for a connection that was
 * closed. By that the client tells a connection that had been idle for too long from a new one.
 */
const withBytesWritten =
  (connect: buildConnector.connector): buildConnector.connector =>
  (options, callback) =>
    connect(options, (...connected) => {
      const [, socket] = connected
      socket?.prependListener("error", (error) => {
        if (!("socket" in error)) Object.assign(error, { socket: { bytesWritten: socket.bytesWritten } })
      })
      callback(...connected)
    })

/** undici's own. */
const CONNECT_TIMEOUT_MILLIS = 10_000

/** The connector that undici makes from an agent's options. */
const connectorOf = ({ connect, connectTimeout, ...options }: AgentOptions): buildConnector.connector =>
  typeof connect === "function"
    ? connect
    : buildConnector({
        allowH2: false,
        socketPath: options.socketPath ?? null,
        timeout: connectTimeout ?? CONNECT_TIMEOUT_MILLIS,
        ...(options.autoSelectFamily === undefined ? {} : { autoSelectFamily: options.autoSelectFamily }),
        ...(options.autoSelectFamilyAttemptTimeout === undefined
          ? {}
          : { autoSelectFamilyAttemptTimeout: options.autoSelectFamilyAttemptTimeout }),
        ...connect
      })

const agentWith = (agentOptions: AgentOptions): Agent => {
  const options: Agent.Options = {
    connections: MAX_CONNECTIONS,
    // Time limits are the client's.
    headersTimeout: 0,
    bodyTimeout: 0,
    ...agentOptions,
    connect: withBytesWritten(connectorOf(agentOptions))
  }
  // An agent checks the options of its pools and their connections when it first needs one.
  for (const Checked of [Pool, Client]) new Checked("http://localhost", options)
  return new Agent(options)
}

// A test runner's fake timers may replace the global one.
const { setImmediate } = globalThis

class UndiciExchange implements Exchange, Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined
  private isOver = false

  constructor(
    dispatcher: Dispatcher,
    private readonly receiver: Receiver
  ) {
    try {
      dispatcher.dispatch(new UndiciRequest(receiver.request), this)
    } catch (cause) {
      // An interceptor of the caller's may throw.
      this.end(() => receiver.onError(cause))
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    // It was aborted while it waited for a connection.
    if (this.isOver) controller.abort(new Error("aborted"))
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>
  ): void {
    // An interim response, such as 103.
    if (status < 200) return
    const reading = this.receiver.onHead(new UndiciHead(status, headers))
    if (reading === "stop") this.abort()
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (!this.isOver && !this.receiver.onChunk(chunk)) this.abort()
  }

  onResponseEnd(): void {
    this.end(() => this.receiver.onEnd())
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, cause: unknown): void {
    this.end(() => this.receiver.onError(cause))
  }

  private end(notify: () => void): void {
    if (this.isOver) return
    this.isOver = true
    // It holds all that undici knows of the response.
    this.controller = undefined
    // Not at once: the receiver may send the next request, and would find this connection busy until undici is done with it.
    setImmediate(notify)
  }

  abort(): void {
    this.isOver = true
    this.controller?.abort(new Error("aborted"))
  }

  get stop(): Effect.Effect<void> {
    return Effect.sync(() => this.abort())
  }

  pause(): void {
    this.controller?.pause()
  }

  resume(): void {
    this.controller?.resume()
  }
}

// Classes, because they live as long as an attempt (docs/decisions/0011).

class UndiciRequest implements Dispatcher.DispatchOptions {
  readonly origin: string
  readonly path: string
  readonly method: Dispatcher.HttpMethod
  readonly headers: Headers.Headers
  readonly body: Uint8Array | Readable | null

  constructor({ body, headers, method, origin, path }: TransportRequest) {
    this.origin = origin
    this.path = path
    this.method = method
    this.headers = withLength(headers, body)
    this.body = bodyOf(body)
  }
}

class UndiciHead implements ResponseHead {
  readonly headers: Headers.Headers
  readonly protocolVersion = "1.1"
  readonly isDecoded = false

  constructor(
    readonly status: number,
    headers: Record<string, string | string[] | undefined>
  ) {
    this.headers = Headers.fromInput(headers)
  }
}

const bodyOf = (body: TransportBody): Uint8Array | Readable | null => {
  switch (body._tag) {
    case "Empty":
      return null
    case "Bytes":
      return body.bytes
    case "Stream":
      return Readable.from(body.chunks, { objectMode: false })
  }
}
