/**
 * Clients on undici itself, without an `HttpClient` in between: made for small answers, and the fastest on Node.
 *
 * What is provided for `HttpClient`, such as `HttpClient.withTracerPropagation`, means nothing to them.
 *
 * The one module that needs Node, and `undici`, an optional peer. Everything else runs on any transport.
 *
 * @since 0.1.0
 */
import * as Headers from "@effect/platform/Headers"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as UrlParams from "@effect/platform/UrlParams"
import * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Agent, buildConnector, Client, type Dispatcher, Pool } from "undici"
import type { ApifyClient, ClientOptions } from "./ApifyClient.js"
import { answerOf, capOf, concat, gunzipped, isBeyond, isBodiless, isGzipped } from "./internal/body.js"
import { type Connect, layerConfigured, layerWith } from "./internal/client.js"
import { type Exchange, type Sending, Unanswered } from "./internal/transport.js"
import type { Answer } from "./Operation.js"

type AgentOptions = Omit<Agent.Options, "allowH2" | "maxCachedSessions" | "factory">

/**
 * The settings of a client on undici.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options extends ClientOptions {
  /**
   * Of undici's `Agent`, such as `connections` (128 to one server unless told) or `connect`. Not HTTP/2, of which undici does
   * not tell whether a body was cut off, nor a factory of other agents, which may follow redirects.
   */
  readonly agent?: AgentOptions | undefined
}

/**
 * A client with the settings given; see `ApifyClient.layer`. It follows no redirects, and its connections are closed with its
 * scope.
 *
 * @example
 * ```ts
 * import { getStore } from "@effect-apify/http"
 * import * as NodeClient from "@effect-apify/http/node"
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 *
 * const program = getStore("janedoe~my-store").pipe(
 *   Effect.provide(NodeClient.layer({ token: Redacted.make("apify_api_…"), agent: { connections: 16 } }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = ({ agent, ...options }: Options = {}): Layer.Layer<ApifyClient, ConfigError.ConfigError> =>
  layerWith(options, connectWith(agent))

/**
 * A client with the settings that Effect's `Config` finds; see `ApifyClient.layerConfig`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<ApifyClient, ConfigError.ConfigError> = Layer.suspend(() => layerConfigWith({}))

/**
 * As `layerConfig`, with options for what `Config` does not find.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfigWith = ({
  agent,
  ...options
}: Omit<Options, "token" | "baseUrl">): Layer.Layer<ApifyClient, ConfigError.ConfigError> =>
  layerConfigured(options, connectWith(agent))

const connectWith =
  (options: AgentOptions = {}): Connect<Scope.Scope> =>
  ({ authorize }) =>
    Effect.map(
      Effect.acquireRelease(
        Effect.try({
          try: () => agentWith(options),
          catch: (error) => ConfigError.InvalidData(["agent"], `must be options that undici takes: ${String(error)}`)
        }),
        (agent) => Effect.promise(() => agent.destroy())
      ),
      (agent) => {
        const send = (sending: Sending) => new UndiciExchange(agent, sending, authorize(sending.request))
        return { prepare: Effect.succeed(send), propagates: FiberRef.get(FiberRef.currentTracerEnabled) }
      }
    )

/** To one server: what Apify's limit for a user, 250,000 requests a minute, asks for at 30 ms an answer. */
const MAX_CONNECTIONS = 128

/**
 * Lets the error of a reset connection tell what the connection had sent, as undici does of those that were closed: from
 * that the client knows one that had merely lain idle for too long.
 */
const telling =
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

/** The connector that undici makes of an agent's options. */
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
    connect: telling(connectorOf(agentOptions))
  }
  // An agent looks at the options of its pools and their connections when it first needs one.
  for (const Dispatching of [Pool, Client]) new Dispatching("http://localhost", options)
  return new Agent(options)
}

/** A request and its answer, of which undici tells as it comes. */
class UndiciExchange implements Exchange, Dispatcher.DispatchHandler {
  private status = 0
  private headers = Headers.empty
  /** Made as the first comes, for it lives less long then: docs/decisions/0011. */
  private chunks: Array<Uint8Array> | undefined
  private bytes = 0
  private cap = 0
  private controller: Dispatcher.DispatchController | undefined
  private isOver = false

  constructor(
    agent: Agent,
    private readonly sending: Sending,
    private readonly request: HttpClientRequest.HttpClientRequest
  ) {
    const url = UrlParams.makeUrl(request.url, request.urlParams, request.hash)
    if (Either.isLeft(url)) {
      this.onResponseError(undefined, url.left)
    } else {
      const { origin, pathname, search } = url.right
      const { headers, method } = request
      agent.dispatch({ origin, path: pathname + search, method, headers }, this)
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    // It was interrupted while it waited for a connection.
    if (this.isOver) controller.abort(new Error("interrupted"))
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>
  ): void {
    // A hint that the answer is to come, such as 103.
    if (status < 200) return
    this.status = status
    this.headers = Headers.fromInput(headers)
    this.cap = capOf(status, this.sending.maxBodyBytes)
    this.sending.onStatus(status)
    // A 205 has no body, and what comes all the same is not waited for.
    if (status === 205 || isBeyond(this.cap, status, this.headers)) this.enough()
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.chunks === undefined) this.chunks = [chunk]
    else this.chunks.push(chunk)
    this.bytes += chunk.length
    if (this.bytes > this.cap) this.enough()
  }

  onResponseEnd(): void {
    const answer = answerOf(this.status, this.headers, concat(this.chunks ?? []), this.cap)
    if (isGzipped(answer, this.cap)) gunzipped(answer, this.cap).then((answer) => this.end(Exit.succeed(answer)))
    else this.end(Exit.succeed(answer))
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, cause: unknown): void {
    const { headers, request, status } = this
    // It may have declared the length that a body would have had.
    if (isBodiless(status)) this.onResponseEnd()
    else this.end(Exit.fail(new Unanswered(request, cause, status === 0 ? undefined : { status, headers })))
  }

  /** Gives what there is, and no more is wanted. */
  private enough(): void {
    this.onResponseEnd()
    this.abandon()
  }

  private end(exit: Exit.Exit<Answer, Unanswered>): void {
    if (this.isOver) return
    this.isOver = true
    // Not at once: who goes on may send the next request, and would find this connection busy until undici is done with it.
    setImmediate(() => this.sending.onEnd(exit))
  }

  abandon(): void {
    this.isOver = true
    this.controller?.abort(new Error("interrupted"))
  }

  get stop(): Effect.Effect<void> {
    return Effect.sync(() => this.abandon())
  }
}
