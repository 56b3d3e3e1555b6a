/**
 * A transport for Node, made for small answers: it hands an answer over whole, and so spares the streams, signals and
 * promises that other transports need to hand it over in parts.
 *
 * The one module that needs Node, and `undici`, an optional peer. Everything else runs on any transport.
 *
 * @since 0.1.0
 */
import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Agent, buildConnector, type Dispatcher } from "undici"
import { MAX_ERROR_BYTES } from "./internal/answer.js"

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
 * The transport. It follows no redirects, decodes no content encodings, and reads no more of a body than
 * `HttpIncomingMessage.MaxBodySize` allows, which `ApifyClient` sets for each call, and of a refusal (a status from
 * 300 on) no more than 16 KiB: what came until then is what the body is. It records no spans: `ApifyClient` does.
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
          Effect.flatMap((request) => exchange(agent, request)),
          Effect.succeed
        )
    )
  )

const bodyOf = ({ body }: HttpClientRequest.HttpClientRequest): Either.Either<string | Uint8Array | null, string> => {
  if (body._tag === "Empty") return Either.right(null)
  if (body._tag === "Uint8Array") return Either.right(body.body)
  return body._tag === "Raw" && typeof body.body === "string"
    ? Either.right(body.body)
    : Either.left("this transport sends bodies of bytes or text only")
}

/** What came of an exchange until now. */
class Exchange implements Dispatcher.DispatchHandler {
  status = 0
  headers = Headers.empty
  private readonly chunks: Array<Uint8Array> = []
  private bytes = 0
  private controller: Dispatcher.DispatchController | undefined
  private isOver = false

  constructor(
    readonly request: HttpClientRequest.HttpClientRequest,
    private maxBodyBytes: number,
    readonly resume: (
      exit: Either.Either<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>
    ) => void
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
    if (status >= 300) this.maxBodyBytes = Math.min(this.maxBodyBytes, MAX_ERROR_BYTES)
    // It has no body, and what comes all the same is not waited for.
    if (status === 205) this.stop()
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.chunks.push(chunk)
    this.bytes += chunk.length
    // One chunk too many tells the reader that there was more than it allows.
    if (this.bytes > this.maxBodyBytes) this.stop()
  }

  onResponseEnd(): void {
    this.end(this.answer())
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, cause: unknown): void {
    const { request } = this
    this.end(
      Either.left(
        this.status === 0
          ? new HttpClientError.RequestError({ request, reason: "Transport", cause })
          : new HttpClientError.ResponseError({
              request,
              response: new WholeResponse(request, this.status, this.headers, this.body()),
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

  private end(exit: Either.Either<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>): void {
    if (this.isOver) return
    this.isOver = true
    // Not at once: who goes on may send the next request, and would find this connection busy until undici is done with it.
    setImmediate(() => this.resume(exit))
  }

  private answer() {
    return Either.right(new WholeResponse(this.request, this.status, this.headers, this.body()))
  }

  private body(): Uint8Array {
    const [first] = this.chunks
    return first !== undefined && this.chunks.length === 1 ? first : Buffer.concat(this.chunks)
  }
}

const exchange = (
  agent: Agent,
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError> =>
  Effect.withFiberRuntime((fiber) =>
    Effect.async((resume) => {
      const fail = (reason: "InvalidUrl" | "Encode", cause: unknown) =>
        resume(Effect.fail(new HttpClientError.RequestError({ request, reason, cause })))
      const url = UrlParams.makeUrl(request.url, request.urlParams, request.hash)
      if (Either.isLeft(url)) return fail("InvalidUrl", url.left)
      const body = bodyOf(request)
      if (Either.isLeft(body)) return fail("Encode", body.left)
      const handler = new Exchange(request, maxBodyBytesOf(fiber.currentContext), resume)
      const { origin, pathname, search } = url.right
      agent.dispatch(
        { origin, path: pathname + search, method: request.method, headers: request.headers, body: body.right },
        handler
      )
      return Effect.sync(() => handler.abort())
    })
  )

const maxBodyBytesOf = (context: Context.Context<never>): number =>
  Option.match(Context.get(context, HttpIncomingMessage.MaxBodySize), {
    onNone: () => Number.POSITIVE_INFINITY,
    onSome: Number
  })

/** An answer whose body is there already. */
class WholeResponse extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly remoteAddress = Option.none<string>()

  constructor(
    readonly request: HttpClientRequest.HttpClientRequest,
    readonly status: number,
    readonly headers: Headers.Headers,
    private readonly body: Uint8Array
  ) {
    super()
  }

  get cookies(): Cookies.Cookies {
    return Cookies.fromSetCookie(Option.toArray(Headers.get(this.headers, "set-cookie")))
  }

  get stream(): Stream.Stream<Uint8Array> {
    return Stream.succeed(this.body)
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer> {
    return Effect.sync(() => new Uint8Array(this.body).buffer)
  }

  get text(): Effect.Effect<string> {
    return Effect.sync(() => new TextDecoder().decode(this.body))
  }

  get json(): Effect.Effect<unknown, HttpClientError.ResponseError> {
    return Effect.tryMap(this.text, { try: (text) => JSON.parse(text), catch: (cause) => this.undecodable(cause) })
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams> {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get formData(): Effect.Effect<FormData, HttpClientError.ResponseError> {
    return Effect.tryPromise({
      try: () => new Response(new Uint8Array(this.body), { headers: this.headers }).formData(),
      catch: (cause) => this.undecodable(cause)
    })
  }

  toJSON(): unknown {
    return HttpIncomingMessage.inspect(this, {
      _id: "@effect-apify/http/node/WholeResponse",
      request: this.request.toJSON(),
      status: this.status
    })
  }

  private undecodable(cause: unknown): HttpClientError.ResponseError {
    return new HttpClientError.ResponseError({ request: this.request, response: this, reason: "Decode", cause })
  }
}
