/**
 * A transport for Node, made for small answers: it hands an answer over whole, and so spares the streams, signals and
 * promises that other transports need to hand it over in parts.
 *
 * The one module that needs Node, and `undici`, an optional peer. Everything else runs on any transport.
 *
 * @since 0.1.0
 */
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { Agent, buildConnector, type Dispatcher } from "undici"
import { capOf, concat, isBeyond } from "./internal/body.js"
import { bodyOf, maxBodyBytesOf, type Received, WholeResponse } from "./internal/whole.js"

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
const connectorOf = ({ connect, connectTimeout, ...options }: Agent.Options): buildConnector.connector =>
  typeof connect === "function"
    ? connect
    : buildConnector({
        allowH2: options.allowH2 ?? false,
        maxCachedSessions: options.maxCachedSessions ?? null,
        socketPath: options.socketPath ?? null,
        timeout: connectTimeout ?? CONNECT_TIMEOUT_MILLIS,
        ...(options.autoSelectFamily === undefined ? {} : { autoSelectFamily: options.autoSelectFamily }),
        ...(options.autoSelectFamilyAttemptTimeout === undefined
          ? {}
          : { autoSelectFamilyAttemptTimeout: options.autoSelectFamilyAttemptTimeout }),
        ...connect
      })

/**
 * The transport. It follows no redirects, decodes no content encodings, and sends bodies of bytes or text. It records no
 * spans: `ApifyClient` does.
 *
 * Of a 200 it reads no more than the call's `HttpIncomingMessage.MaxBodySize` allows, which `ApifyClient` provides, and nothing
 * where a larger body is declared; of any other answer it reads no more than 16 KiB. What it has read is what the body is.
 *
 * @param options of undici's `Agent`, such as `connections` (128 to one server unless told) or `connect`
 *
 * @example
 * ```ts
 * import { ApifyClient } from "@effect-apify/http"
 * import { layerNode } from "@effect-apify/http/node"
 * import * as Layer from "effect/Layer"
 *
 * const client = Layer.provide(ApifyClient.layerConfig, layerNode())
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerNode = (options: Agent.Options = {}): Layer.Layer<HttpClient.HttpClient> =>
  Layer.scoped(
    HttpClient.HttpClient,
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(
          () =>
            new Agent({
              connections: MAX_CONNECTIONS,
              // Time limits are the client's.
              headersTimeout: 0,
              bodyTimeout: 0,
              ...options,
              connect: telling(connectorOf(options))
            })
        ),
        (agent) => Effect.promise(() => agent.destroy())
      ),
      (agent) =>
        HttpClient.makeWith<never, never, HttpClientError.HttpClientError, never>(
          Effect.flatMap((request) => execute(agent, request)),
          Effect.succeed
        )
    )
  )

/** What came of an exchange until now. */
class Exchange implements Dispatcher.DispatchHandler {
  status = 0
  headers = Headers.empty
  /** Made as the first comes, for it lives less long then: docs/decisions/0011. */
  private chunks: Array<Uint8Array> | undefined
  private bytes = 0
  private cookies: string | string[] | undefined
  private controller: Dispatcher.DispatchController | undefined
  private isOver = false

  constructor(
    private readonly request: HttpClientRequest.HttpClientRequest,
    private maxBodyBytes: number,
    private readonly resume: (received: Received) => void
  ) {}

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    // It was interrupted while it waited for a connection.
    if (this.isOver) controller.abort(new Error("interrupted"))
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>
  ) {
    // A hint that the answer is to come, such as 103.
    if (status < 200) return
    this.status = status
    this.headers = Headers.fromInput(headers)
    this.cookies = headers["set-cookie"]
    this.maxBodyBytes = capOf(status, this.maxBodyBytes)
    // A 205 has no body, and what comes all the same is not waited for.
    if (status === 205 || isBeyond(this.maxBodyBytes, status, this.headers)) this.stop()
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.chunks === undefined) this.chunks = [chunk]
    else this.chunks.push(chunk)
    this.bytes += chunk.length
    // One chunk too many tells the reader that there was more than it allows.
    if (this.bytes > this.maxBodyBytes) this.stop()
  }

  onResponseEnd(): void {
    this.end(Either.right(this.response()))
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, cause: unknown): void {
    const { request } = this
    this.end(
      Either.left(
        this.status === 0
          ? new HttpClientError.RequestError({ request, reason: "Transport", cause })
          : new HttpClientError.ResponseError({
              request,
              response: this.response(),
              reason: "Decode",
              cause
            })
      )
    )
  }

  /** Gives what there is, and no more is wanted. */
  private stop(): void {
    this.onResponseEnd()
    this.abort()
  }

  abort(): void {
    this.isOver = true
    this.controller?.abort(new Error("interrupted"))
  }

  private end(received: Received): void {
    if (this.isOver) return
    this.isOver = true
    // Not at once: who goes on may send the next request, and would find this connection busy until undici is done with it.
    setImmediate(() => this.resume(received))
  }

  private response(): WholeResponse {
    const { chunks = [], cookies = [], headers, request, status } = this
    return new WholeResponse(request, status, headers, concat(chunks), () =>
      typeof cookies === "string" ? [cookies] : cookies
    )
  }
}

const execute = (
  agent: Agent,
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError> =>
  Effect.withFiberRuntime((fiber) => {
    const url = UrlParams.makeUrl(request.url, request.urlParams, request.hash)
    if (Either.isLeft(url)) {
      return Effect.fail(new HttpClientError.RequestError({ request, reason: "InvalidUrl", cause: url.left }))
    }
    const body = bodyOf(request)
    if (Either.isLeft(body)) return Effect.fail(body.left)
    const { origin, pathname, search } = url.right
    const { headers, method } = request
    let exchange: Exchange | undefined
    // Not by a canceler of `Effect.async`, which leaves more behind: docs/decisions/0011.
    return Effect.onExit(
      Effect.async((resume: (received: Received) => void) => {
        exchange = new Exchange(request, maxBodyBytesOf(fiber.currentContext), resume)
        agent.dispatch({ origin, path: pathname + search, method, headers, body: body.right }, exchange)
      }),
      (exit) => {
        if (Exit.isInterrupted(exit)) exchange?.abort()
        return Effect.void
      }
    )
  })
