/**
 * Sends requests with any `HttpClient` of `@effect/platform`.
 *
 * Each exchange runs in its own fiber, which a call does not wait for at its deadline. So no `HttpClient` can hold up a call.
 *
 * @since 0.1.0
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import { constTrue, identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { runtimeOf } from "./internal/call.js"
import { bytesOf } from "./internal/collect.js"
import { sizeOfHeaders, withLength } from "./internal/requestHeaders.js"
import { isRedirect, protectedInit, protectedStreamInit } from "./internal/requestInit.js"
import { checkObject } from "./internal/settings.js"
import {
  type Exchange,
  type Receiver,
  TOKEN_GUARD,
  Transport,
  type TransportBody,
  type TransportRequest,
  type TransportService
} from "./Transport.js"

/**
 * How to use the `HttpClient`.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /**
   * Changes the client, to add a proxy's header for instance. Wherever it sends a request, the token only goes to the base URL.
   */
  readonly transformClient?: ((client: HttpClient.HttpClient) => HttpClient.HttpClient) | undefined
}

/**
 * Sends requests with the `HttpClient` that is provided.
 *
 * `NodeHttpClient.layer` does not hold back a stream that is put while the server is slow: it reads the stream into memory first. If
 * the stream never waits, time limits act only after that. On Node prefer `NodeHttpClient.layerUndici`.
 * On `FetchHttpClient`, what `FetchTransport.layer` says of compressed records holds for `getRecord` too.
 *
 * @example
 * ```ts
 * import { ApifyClient, getStore, HttpClientTransport } from "@effect-apify/http"
 * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const client = ApifyClient.layerConfig.pipe(
 *   Layer.provide(HttpClientTransport.layer),
 *   Layer.provide(FetchHttpClient.layer)
 * )
 *
 * const program = Effect.provide(getStore("janedoe~my-store"), client)
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Transport, never, HttpClient.HttpClient> = /* @__PURE__ */ Layer.suspend(() =>
  make(identity)
)

/**
 * Sends requests with the `HttpClient` that is provided, with options.
 *
 * @example
 * ```ts
 * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
 * import { ApifyClient, HttpClientTransport } from "@effect-apify/http"
 * import * as Layer from "effect/Layer"
 *
 * const transport = HttpClientTransport.layerWith({
 *   transformClient: HttpClient.mapRequest(HttpClientRequest.setHeader("x-team", "search"))
 * })
 *
 * const client = ApifyClient.layerConfig.pipe(Layer.provide(transport), Layer.provide(FetchHttpClient.layer))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (options: Options): Layer.Layer<Transport, never, HttpClient.HttpClient> =>
  Layer.suspend(() => {
    checkObject("options", options, "{ transformClient: HttpClient.mapRequest(…) }")
    const { transformClient = identity } = options
    if (typeof transformClient !== "function") {
      throw new Cause.IllegalArgumentException(
        "transformClient must be a function that takes an HttpClient and returns one"
      )
    }
    return make(transformClient)
  })

const make = (
  transformClient: (client: HttpClient.HttpClient) => HttpClient.HttpClient
): Layer.Layer<Transport, never, HttpClient.HttpClient> =>
  Layer.effect(
    Transport,
    Effect.map(Effect.context<HttpClient.HttpClient>(), (services): TransportService => {
      const client = Context.get(services, HttpClient.HttpClient)
      const init = Context.getOption(services, FetchHttpClient.RequestInit)
      const httpFor = memoizeLast((destination) =>
        client.pipe(
          HttpClient.transform(guardToken(destination)),
          transformClient,
          // Applied last, so that a request that was pointed to another server gets no token.
          HttpClient.mapRequest(authorize(destination)),
          HttpClient.withScope
        )
      )
      const redirected = HttpClient.withScope(client)
      const servicesFor = ({ body, isRedirected }: TransportRequest): Context.Context<never> =>
        Context.make(FetchHttpClient.RequestInit, {
          ...Option.getOrUndefined(init),
          ...(body._tag === "Stream" ? protectedStreamInit() : protectedInit()),
          ...(isRedirected === true ? { headers: {} } : {})
        })
      return {
        prepare: Effect.map(
          Scope.make(),
          (scope) => (receiver) =>
            new FiberExchange(
              receiver.request.isRedirected === true ? redirected : httpFor(receiver.request),
              servicesFor(receiver.request),
              scope,
              receiver
            )
        ),
        propagates
      }
    })
  )

/** Aborts its request when its scope closes. */
type Http = HttpClient.HttpClient.With<HttpClientError.HttpClientError, Scope.Scope>

/** Whether requests carry their span to the server. */
const propagates = Effect.withFiberRuntime<boolean>((fiber) =>
  Effect.succeed(
    fiber.getFiberRef(FiberRef.currentTracerEnabled) && fiber.getFiberRef(HttpClient.currentTracerPropagation)
  )
)

/** The one origin that the token is sent to. */
interface Destination {
  readonly origin: string
  readonly authorization: string | undefined
}

const destinationOf = ({ headers, origin }: TransportRequest): Destination => ({
  origin,
  authorization: headers.authorization
})

/** A function that remembers its last result: a client has one destination. */
const memoizeLast = <A>(make: (destination: Destination) => A): ((request: TransportRequest) => A) => {
  let last: { readonly destination: Destination; readonly made: A } | undefined
  return (request) => {
    const { headers, origin } = request
    if (last?.destination.origin !== origin || last.destination.authorization !== headers.authorization) {
      const destination = destinationOf(request)
      last = { destination, made: make(destination) }
    }
    return last.made
  }
}

const isWithin = ({ origin }: Destination, { url }: HttpClientRequest.HttpClientRequest): boolean =>
  url.startsWith(`${origin}/`)

const authorize =
  (destination: Destination) =>
  (request: HttpClientRequest.HttpClientRequest): HttpClientRequest.HttpClientRequest =>
    destination.authorization !== undefined && isWithin(destination, request)
      ? HttpClientRequest.setHeader(request, "authorization", destination.authorization)
      : request

/** Refuses to take the token elsewhere, as a client that was changed to follow redirects would. */
const guardToken =
  (destination: Destination) =>
  <A, E, R>(
    send: Effect.Effect<A, E, R>,
    request: HttpClientRequest.HttpClientRequest
  ): Effect.Effect<A, E | HttpClientError.RequestError, R> =>
    request.headers.authorization === undefined || isWithin(destination, request)
      ? send
      : Effect.fail(new HttpClientError.RequestError({ request, reason: "InvalidUrl", cause: TOKEN_GUARD }))

/** The request, without its token. */
const requestOf = ({ body, headers, method, origin, path }: TransportRequest): HttpClientRequest.HttpClientRequest =>
  withBody(
    HttpClientRequest.make(method)(origin + path, {
      headers: Headers.remove(withLength(headers, body), "authorization")
    }),
    body
  )

/** Keeps `HttpClient` from setting a content type of its own: the headers have it, if there is one. */
const AS_IN_HEADERS = ""

const withBody = (
  request: HttpClientRequest.HttpClientRequest,
  body: TransportBody
): HttpClientRequest.HttpClientRequest => {
  switch (body._tag) {
    case "Empty":
      return request
    case "Bytes":
      return HttpClientRequest.bodyUint8Array(request, body.bytes, AS_IN_HEADERS)
    case "Stream":
      return HttpClientRequest.bodyStream(request, Stream.fromAsyncIterable(body.chunks, identity), {
        contentType: AS_IN_HEADERS
      })
  }
}

/** Ends the reading of a body whose rest is not wanted. */
const UNWANTED = "unwanted" as const

/** A class, because it lives as long as a call (docs/decisions/0011). */
class FiberExchange implements Exchange {
  private readonly runtime: Runtime.Runtime<Scope.Scope>
  private readonly fiber: Fiber.RuntimeFiber<void>
  private isPaused = false
  private resumePaused: (() => void) | undefined

  constructor(
    http: Http,
    services: Context.Context<never>,
    private readonly scope: Scope.CloseableScope,
    private readonly receiver: Receiver
  ) {
    const { fiber, span } = receiver
    // What the caller's fiber has, and the services that transports read.
    const context = Context.mergeAll(fiber.currentContext, services, Context.make(Scope.Scope, scope))
    this.runtime = runtimeOf(fiber, span, context)
    // The receiver is notified, and the fiber itself ends with nothing. A fiber that fails is logged with its cause, and the cause of a
    // transport may hold a token; and a fiber's result outlives it, until the next full garbage collection.
    const received = Effect.matchCause(this.exchange(http), {
      onFailure: (cause) => {
        this.closeScope()
        this.receiver.onError(causeOf(cause), addedTo(this.receiver.request, cause))
      },
      onSuccess: (isComplete) => {
        if (isComplete) this.receiver.onEnd()
        else this.closeScope()
      }
    })
    this.fiber = Runtime.runFork(this.runtime)(received, withoutOwnTelemetry)
  }

  /** Sends the request and reads its response, and says whether that was read to its end. */
  private exchange(http: Http): Effect.Effect<boolean, HttpClientError.HttpClientError, Scope.Scope> {
    const { request } = this.receiver
    const executed = Effect.matchCauseEffect(http.execute(requestOf(request)), {
      onFailure: (cause) =>
        Option.match(Option.flatMap(Cause.failureOption(cause), responseIn), {
          onNone: () => Effect.failCause(cause),
          onSome: Effect.succeed
        }),
      onSuccess: Effect.succeed
    })
    return Effect.flatMap(executed, (response) => {
      const reading = this.receiver.onHead({
        status: response.status,
        headers: response.headers,
        isAnonymous: request.headers.authorization !== undefined && response.request.headers.authorization === undefined
      })
      switch (reading) {
        case "stop":
          return Effect.succeed(false)
        case "none":
          return Effect.succeed(true)
        case "whole":
          return this.readWhole(response)
        case "chunks":
          return this.read(response)
      }
    })
  }

  private readWhole(
    response: HttpClientResponse.HttpClientResponse
  ): Effect.Effect<boolean, HttpClientError.ResponseError> {
    return response.arrayBuffer.pipe(
      Effect.map((buffer) => {
        const bytes = bytesOf(buffer)
        return bytes.length === 0 || this.receiver.onChunk(bytes)
      }),
      Effect.catchAll((error) => (isEmptyBody(error) ? Effect.succeed(true) : Effect.fail(error)))
    )
  }

  private read(response: HttpClientResponse.HttpClientResponse): Effect.Effect<boolean, HttpClientError.ResponseError> {
    return Effect.suspend(() => {
      let hasBegun = false
      return response.stream.pipe(
        // `Stream.runForEachWhile` would keep all that it has read.
        Stream.runForEach((chunk) =>
          Effect.suspend(() => {
            hasBegun = true
            if (!this.receiver.onChunk(chunk)) return Effect.fail(UNWANTED)
            return this.isPaused ? this.resumed : Effect.void
          })
        ),
        Effect.as(true),
        Effect.catchAll((error) => {
          if (error === UNWANTED) return Effect.succeed(false)
          // A `fetch` of the caller's may return no body, or one that is no web stream.
          return isEmptyBody(error) ? this.readWhole(response) : Effect.fail(error)
        }),
        Effect.catchAllDefect((defect) =>
          hasBegun ? Effect.die(defect) : Effect.catchAll(this.readWhole(response), () => Effect.die(defect))
        )
      )
    })
  }

  private readonly resumed = Effect.async<void>((resume) => {
    // It may have been resumed meanwhile: a fiber may yield anywhere.
    if (this.isPaused) this.resumePaused = () => resume(Effect.void)
    else resume(Effect.void)
  })

  private closeScope(): void {
    Runtime.runFork(this.runtime)(Scope.close(this.scope, Exit.void))
  }

  abort(): void {
    this.fiber.unsafeInterruptAsFork(FiberId.none)
    this.closeScope()
  }

  get stop(): Effect.Effect<void> {
    return Effect.zipRight(Fiber.interrupt(this.fiber), Scope.close(this.scope, Exit.void))
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
    this.resumePaused?.()
  }
}

const isEmptyBody = ({ reason }: HttpClientError.ResponseError): boolean => reason === "EmptyBody"

/**
 * `HttpClient`'s own spans record every response header, and a server may send a token back in one. Streams run in fibers of their own,
 * which would log what they fail with, and that has the URL.
 */
const withoutOwnTelemetry = {
  updateRefs: (refs: FiberRefs.FiberRefs, fiberId: FiberId.Runtime): FiberRefs.FiberRefs =>
    FiberRefs.updateManyAs(refs, {
      entries: [
        [HttpClient.currentTracerDisabledWhen, [[fiberId, constTrue]]],
        [FiberRef.unhandledErrorLogLevel, [[fiberId, Option.none()]]]
      ]
    })
}

/** A client that the caller has made to fail by status has a response all the same. So has one that ran into a redirect. */
const responseIn = (error: HttpClientError.HttpClientError): Option.Option<HttpClientResponse.HttpClientResponse> => {
  if (error._tag === "ResponseError" && error.reason === "StatusCode") return Option.some(error.response)
  return isRedirect(error.cause)
    ? Option.some(HttpClientResponse.fromWeb(error.request, Response.error()))
    : Option.none()
}

/** How many bytes of headers `transformClient` and the like added to the request that failed. */
const addedTo = ({ headers }: TransportRequest, cause: Cause.Cause<HttpClientError.HttpClientError>): number =>
  Option.match(Cause.failureOption(cause), {
    onNone: () => 0,
    // A client without types may fail with anything.
    onSome: (error) =>
      HttpClientError.isHttpClientError(error)
        ? Math.max(0, sizeOfHeaders(error.request.headers) - sizeOfHeaders(headers))
        : 0
  })

/** What the transport itself threw, or its description: the message of an `HttpClientError` repeats the request. */
const causeOf = (cause: Cause.Cause<HttpClientError.HttpClientError>): unknown =>
  Option.match(Cause.failureOption(cause), {
    onNone: () => Cause.squash(cause),
    onSome: (error) => (HttpClientError.isHttpClientError(error) ? (error.cause ?? error.description) : error)
  })
