/**
 * Sending by the caller's `HttpClient`. An exchange runs in a fiber of its own, which can be left behind: whatever a transport
 * does holds nobody up.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import type { Answer } from "../Operation.js"
import { answerOf, capOf, concat, gunzipped, isBeyond, isBodiless, isGzipped, keepsWithin } from "./body.js"
import type { Home } from "./client.js"
import { recover } from "./retry.js"
import { type Exchange, LEADS_ASTRAY, type Sending, type Transport, Unanswered, unaffected } from "./transport.js"

/** Changes a client's transport. */
export type TransformClient = (client: HttpClient.HttpClient) => HttpClient.HttpClient

/** Aborts its request when its scope closes. */
type Http = HttpClient.HttpClient.With<HttpClientError.HttpClientError, Scope.Scope>

/** A transport on the `HttpClient` that is provided. */
export const overHttpClient = (
  home: Home,
  transformClient: TransformClient = identity
): Effect.Effect<Transport, never, HttpClient.HttpClient> =>
  Effect.zipWith(
    HttpClient.HttpClient,
    Effect.serviceOption(FetchHttpClient.RequestInit),
    (client, init): Transport => {
      const http = client.pipe(
        HttpClient.transform(keepTokenAt(home)),
        transformClient,
        // Applied last, so that a transport that was changed to send elsewhere sends no token there.
        HttpClient.mapRequest(home.authorize),
        HttpClient.withScope
      )
      const services = servicesWith({ ...Option.getOrUndefined(init), ...unaffected })
      return {
        prepare: Effect.map(
          Scope.make(),
          (scope) => (sending) => new FiberExchange(http, services(sending.maxBodyBytes), scope, sending)
        ),
        propagates
      }
    }
  )

/** Whether requests tell the server of the span that they belong to. */
const propagates = Effect.withFiberRuntime<boolean>((fiber) =>
  Effect.succeed(
    fiber.getFiberRef(FiberRef.currentTracerEnabled) && fiber.getFiberRef(HttpClient.currentTracerPropagation)
  )
)

/** Refuses a request that would carry the token elsewhere, as a transport sends it that was changed to follow redirects. */
const keepTokenAt =
  (home: Home) =>
  <A, E, R>(
    send: Effect.Effect<A, E, R>,
    request: HttpClientRequest.HttpClientRequest
  ): Effect.Effect<A, E | HttpClientError.RequestError, R> =>
    request.headers.authorization === undefined || home.isHome(request.url)
      ? send
      : Effect.fail(new HttpClientError.RequestError({ request, reason: "InvalidUrl", description: LEADS_ASTRAY }))

/** What transports are told besides the request, by the cap on a body: hardly ever another than the last. */
const servicesWith = (init: RequestInit) => {
  const make = (maxBodyBytes: number): Context.Context<never> =>
    Context.make(FetchHttpClient.RequestInit, init).pipe(
      Context.add(HttpIncomingMessage.MaxBodySize, Option.some(FileSystem.Size(maxBodyBytes)))
    )
  let last = { maxBodyBytes: 0, services: make(0) }
  return (maxBodyBytes: number): Context.Context<never> => {
    if (maxBodyBytes !== last.maxBodyBytes) last = { maxBodyBytes, services: make(maxBodyBytes) }
    return last.services
  }
}

/** A class, for it lives as long as a call: docs/decisions/0011. */
class FiberExchange implements Exchange {
  private readonly runtime: Runtime.Runtime<Scope.Scope>
  private readonly fiber: Fiber.RuntimeFiber<void>

  constructor(
    http: Http,
    services: Context.Context<never>,
    private readonly scope: Scope.CloseableScope,
    private readonly sending: Sending
  ) {
    this.runtime = runtimeOf(sending, services, scope)
    // Told, and not what the fiber ends in. A fiber that fails is logged with its cause, and the cause of a transport may hold
    // a token; and what it ends in outlives the fiber, until the next full garbage collection.
    const told = Effect.matchCause(Effect.mapError(exchange(http, sending), unansweredBy), {
      onFailure: (cause) => this.end(Exit.failCause(cause)),
      onSuccess: (answer) => this.end(Exit.succeed(answer))
    })
    this.fiber = Runtime.runFork(this.runtime)(told, leaveSpansToUs)
  }

  private end(exit: Exit.Exit<Answer, Unanswered>): void {
    if (!isWhole(exit)) this.close()
    this.sending.onEnd(exit)
  }

  private close(): void {
    Runtime.runFork(this.runtime)(Scope.close(this.scope, Exit.void))
  }

  abandon(): void {
    this.fiber.unsafeInterruptAsFork(FiberId.none)
    this.close()
  }

  get stop(): Effect.Effect<void> {
    return Effect.zipRight(Fiber.interrupt(this.fiber), Scope.close(this.scope, Exit.void))
  }
}

/** What an exchange runs in: all that the caller's fiber has, and what is told to transports. */
const runtimeOf = (
  { fiber, span }: Sending,
  services: Context.Context<never>,
  scope: Scope.Scope
): Runtime.Runtime<Scope.Scope> => {
  const context = Context.mergeAll(fiber.currentContext, services, Context.make(Scope.Scope, scope))
  return Runtime.make({
    context: Option.isNone(span) ? context : Context.add(context, Tracer.ParentSpan, span.value),
    // Interruptible, even where the caller is not.
    runtimeFlags: Runtime.defaultRuntimeFlags,
    fiberRefs: fiber.getFiberRefs()
  })
}

const always = (): boolean => true

/** No spans of `HttpClient`'s own, which record every header that a server sends, and a server may send a token back. */
const leaveSpansToUs = {
  updateRefs: (refs: FiberRefs.FiberRefs, fiberId: FiberId.Runtime): FiberRefs.FiberRefs =>
    FiberRefs.updateAs(refs, { fiberId, fiberRef: HttpClient.currentTracerDisabledWhen, value: always })
}

/** Sends a request and reads its answer. */
const exchange = (
  http: Http,
  sending: Sending
): Effect.Effect<Answer, HttpClientError.HttpClientError, Scope.Scope> => {
  // A client that the caller has made to fail by status has an answer all the same.
  const answered = recover(http.execute(sending.request), (error) =>
    isStatusError(error) ? Effect.succeed(error.response) : Effect.fail(error)
  )
  return Effect.flatMap(answered, (response) => {
    sending.onStatus(response.status)
    return readAnswer(response, sending.maxBodyBytes)
  })
}

const isStatusError = (error: HttpClientError.HttpClientError): error is HttpClientError.ResponseError =>
  error._tag === "ResponseError" && error.reason === "StatusCode"

/** Whether nothing is left of an exchange: what failed, was interrupted or stopped at the cap is aborted. */
const isWhole = (exit: Exit.Exit<Answer, unknown>): boolean => Exit.isSuccess(exit) && !exit.value.truncated

const unansweredBy = (error: HttpClientError.HttpClientError): Unanswered => {
  const cause = error.description === LEADS_ASTRAY ? LEADS_ASTRAY : error.cause
  return error._tag === "RequestError"
    ? new Unanswered(error.request, cause)
    : new Unanswered(error.request, cause, { status: error.response.status, headers: error.response.headers })
}

const nothing = new Uint8Array()

/** Reads an answer. A body that is declared larger than the cap is not begun. */
const readAnswer = (
  response: HttpClientResponse.HttpClientResponse,
  maxBodyBytes: number
): Effect.Effect<Answer, HttpClientError.ResponseError> => {
  const { headers, status } = response
  const cap = capOf(status, maxBodyBytes)
  const answer = (body: Uint8Array): Answer => answerOf(status, headers, body, cap)
  if (isBodiless(status) || isBeyond(cap, status, headers)) return Effect.succeed(answer(nothing))
  if (keepsWithin(cap, headers)) return Effect.map(response.arrayBuffer, (buffer) => answer(new Uint8Array(buffer)))
  return Effect.flatMap(streamed(response, cap), (body) => {
    const read = answer(body)
    return isGzipped(read, cap) ? Effect.promise(() => gunzipped(read, cap)) : Effect.succeed(read)
  })
}

/** Reads a stream to its end, or to the chunk with which it exceeds the cap. */
const streamed = (
  response: HttpClientResponse.HttpClientResponse,
  cap: number
): Effect.Effect<Uint8Array, HttpClientError.ResponseError> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let bytes = 0
    return response.stream.pipe(
      Stream.runForEachWhile((chunk) =>
        Effect.sync(() => {
          chunks.push(chunk)
          bytes += chunk.length
          return bytes <= cap
        })
      ),
      Effect.map(() => concat(chunks)),
      Effect.catchIf(
        (error) => error.reason === "EmptyBody",
        () => Effect.succeed(nothing)
      )
    )
  })
