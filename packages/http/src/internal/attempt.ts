/**
 * One attempt: a request, and what its response means, within its time and in a span of its own.
 */
import * as Headers from "@effect/platform/Headers"
import { type CallError, RateLimitedError, TimeoutError, TransportError } from "@effect-apify/domain/CallError"
import type { HttpMethod } from "@effect-apify/domain/HttpMethod"
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import type * as Runtime from "effect/Runtime"
import type * as Tracer from "effect/Tracer"
import type { DecodeContext, Operation, Upload, UploadListener } from "../Operation.js"
import {
  type Exchange,
  type Reading,
  type Receiver,
  type ResponseHead,
  TOKEN_GUARD,
  type TransportBody,
  type TransportRequest
} from "../Transport.js"
import { MovingLimit, monotonicMillis } from "./alarm.js"
import {
  type Call,
  callTimeout,
  closedError,
  decodeContextOf,
  type MakeAttempt,
  remainingMillis,
  runtimeOf,
  summaryOf
} from "./call.js"
import { type CollectedResponse, Collector, isSuccess } from "./collect.js"
import { unexpected, withoutBody } from "./response.js"
import type { History } from "./retry.js"
import { countAttempt, withAttemptSpan } from "./telemetry.js"
import { classify, isUndecodable } from "./transportError.js"

/** What a response means to an operation. */
interface Decoder<A, E> {
  readonly decode: (response: CollectedResponse, context: DecodeContext) => Either.Either<A, E | CallError>
  /** Where a success is read as a stream: ends the attempt, and gives it what receives the rest. */
  readonly beginDownload?: (attempt: Attempt<A, E>, head: ResponseHead) => Reading
}

/** Receives the chunks of a success that is read as a stream. */
interface Receiving {
  push(chunk: Uint8Array): void
  /** The body ended: with an error, or whole. */
  finish(error: Option.Option<CallError>): void
}

/** Attempts of an operation whose responses are collected. */
export const collectedAttempt = <A, E>(operation: Operation<A, E>): MakeAttempt<A, E> =>
  attemptWith(new CollectedDecoder(operation))

/** A class, because it lives as long as a call (docs/decisions/0011). */
class CollectedDecoder<A, E> implements Decoder<A, E> {
  constructor(private readonly operation: Operation<A, E>) {}

  decode(response: CollectedResponse, context: DecodeContext): Either.Either<A, E | CallError> {
    return this.operation.decode(response, context)
  }
}

/** For the caller an attempt is one asynchronous step, however many the transport takes. */
export const attemptWith =
  <A, E>(decoder: Decoder<A, E>): MakeAttempt<A, E> =>
  (call, history) => {
    const { server, transport } = call.client
    const resends = call.attempts
    return withAttemptSpan(
      call.telemetry,
      new AttemptRequest(call),
      call.shownPath,
      server,
      resends,
      transport.propagates,
      (request, span) => exchange(call, (resume) => new Attempt(call, history, request, span, decoder, resume))
    )
  }

/** Runs an attempt to its end. */
const exchange = <A, E>(
  call: Call<E>,
  make: (resume: (outcome: Effect.Effect<A, E | CallError>) => void) => Attempt<A, E>
): Effect.Effect<A, E | CallError> =>
  Effect.flatMap(call.client.transport.prepare, (open) =>
    Effect.async((resume) => {
      // The client may have been closed while the transport prepared.
      if (call.client.isClosed) resume(Effect.fail(closedError(call)))
      else make(resume).begin(open)
    })
  )

const emptyBody: TransportBody = { _tag: "Empty" }

/** A class, because it lives as long as an attempt (docs/decisions/0011). */
class AttemptRequest implements TransportRequest {
  readonly method: HttpMethod
  readonly origin: string
  readonly path: string
  readonly headers: Headers.Headers
  /** A stream is added when the attempt begins to read it. */
  readonly body: TransportBody

  constructor({ client, path, request }: Call<unknown>) {
    this.method = request.method
    this.origin = client.origin
    this.path = path
    const headers = client.headersWith(request.headers)
    this.headers = request.signature === undefined ? headers : Headers.remove(headers, "authorization")
    this.body = request.body?._tag === "Bytes" ? request.body : emptyBody
  }
}

/** The request to which another server pointed. A class, because it lives as long as an attempt (docs/decisions/0011). */
class RedirectedRequest implements TransportRequest {
  readonly method: HttpMethod
  readonly origin: string
  readonly path: string
  readonly headers: Headers.Headers
  readonly body = emptyBody
  readonly isRedirected = true

  constructor({ headers, method }: TransportRequest, { origin, pathname, search }: URL) {
    this.method = method
    this.origin = origin
    this.path = pathname + search
    this.headers = Headers.remove(headers, "authorization")
  }
}

/**
 * An attempt under way. It ends with whichever is first: the response, as the transport tells it; a time limit, which
 * aborts the exchange; the failure of the caller's stream; the closing of the client; or the interruption of the call. What
 * arrives later is ignored.
 */
export class Attempt<A, E> implements Receiver, UploadListener<E> {
  readonly request: TransportRequest
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  readonly sentAt: number
  private readonly upload: Upload | undefined
  private exchange: Exchange | undefined
  private collector: Collector | undefined
  /** What receives a success that is read as a stream. */
  download: Receiving | undefined
  head: ResponseHead | undefined
  private isOver = false
  private isPaused = false
  /** Whether the next chunk is being read from the caller's stream. */
  private isReading = false
  private readonly limit: MovingLimit

  constructor(
    readonly call: Call<E>,
    private readonly history: History,
    request: TransportRequest,
    readonly span: Option.Option<Tracer.Span>,
    private readonly decoder: Decoder<A, E>,
    private readonly resume: (outcome: Effect.Effect<A, E | CallError>) => void,
    /** When it began, where a redirect goes on with it. */
    startedAt?: number
  ) {
    if (startedAt === undefined) call.attempts += 1
    call.sent = this
    this.fiber = call.fiber
    this.limit = new MovingLimit(call.clock)
    this.sentAt = startedAt ?? monotonicMillis(call.clock)
    const { body } = call.request
    this.upload = body?._tag === "Stream" ? body.begin(streamRuntime(call), this) : undefined
    this.request = this.upload === undefined ? request : { ...request, body: this.upload.body }
  }

  begin(open: (receiver: Receiver) => Exchange): void {
    const { call } = this
    countAttempt(call.telemetry)
    const exchange = open(this)
    this.exchange = exchange
    if (this.isPaused) exchange.pause()
    // A transport, and then a clock, may be done with it at once.
    if (this.isOver) return
    this.startLimit()
    if (this.isOver) return
    call.stop = Effect.suspend(() => {
      this.isOver = true
      this.limit.end()
      return Effect.zipRight(exchange.stop, this.closeUpload)
    })
    call.close = () => this.abort(() => Effect.fail(closedError(call)))
  }

  /** Starts the limit of the attempt, cut to what is left of the call. */
  private startLimit(): void {
    const { call } = this
    const attemptMillis = Duration.toMillis(call.limits.attemptTimeout)
    const spent = this.request.isRedirected === true ? monotonicMillis(call.clock) - this.sentAt : 0
    const leftOfAttempt = attemptMillis - spent
    const leftOfCall = remainingMillis(call)
    this.limit.set(Math.max(0, Math.min(leftOfAttempt, leftOfCall)), () =>
      this.abort(() =>
        Effect.fail(leftOfCall < leftOfAttempt ? callTimeout(call, this.history) : this.attemptTimeout(attemptMillis))
      )
    )
  }

  attemptTimeout(millis: number): TimeoutError {
    return new TimeoutError({ ...summaryOf(this.call, this.request), phase: "attempt", limit: Duration.millis(millis) })
  }

  onRead(): void {
    this.call.hasReadBody = true
    // A response that has begun has to end within its time, whatever the caller's stream does.
    if (this.isOver || this.head !== undefined) return
    // Whatever time the caller's stream takes is not the server's. The deadline of the call still holds.
    this.isReading = true
    this.limit.set(remainingMillis(this.call), () =>
      this.abort(() => Effect.fail(callTimeout(this.call, this.history)))
    )
  }

  onSend(): void {
    this.isReading = false
    if (!this.isOver && this.head === undefined) this.startLimit()
  }

  onFailure(cause: Cause.Cause<E>): void {
    this.failDownload("The stream of the request's body failed")
    this.abort(() => {
      this.call.hasSourceFailed = true
      return Effect.failCause(cause)
    })
  }

  onWrongLength(problem: string): void {
    this.failDownload(problem)
    this.abort(() => Effect.fail(this.bodyError(problem)))
  }

  private bodyError(problem: string): TransportError {
    return new TransportError({
      ...summaryOf(this.call),
      reason: "request",
      description: Option.some(problem),
      permanent: true
    })
  }

  private statusError(status: unknown): TransportError {
    const found = typeof status === "number" ? String(status) : `a value of type ${typeof status}`
    return new TransportError({
      ...summaryOf(this.call, this.request),
      reason: "request",
      description: Option.some(`The status of the response is ${found}, not an integer from 0 to 999`),
      permanent: true
    })
  }

  /** A response that is read as a stream may have begun before the body was sent. */
  private failDownload(problem: string): void {
    this.download?.finish(Option.some(this.bodyError(problem)))
  }

  onHead(head: ResponseHead): Reading {
    if (this.isOver) return "stop"
    if (!isStatus(head.status)) {
      this.end(() => Effect.fail(this.statusError(head.status)))
      return "stop"
    }
    this.head = this.request.isRedirected === true ? { ...head, isAnonymous: true } : head
    if (this.isReading) this.startLimit()
    const target =
      this.request.isRedirected === true ? undefined : this.call.operation.redirectTarget?.(head, this.request.origin)
    if (target !== undefined) {
      this.end(() => this.follow(target))
      return "stop"
    }
    if (this.decoder.beginDownload !== undefined && isSuccess(head.status)) {
      return this.decoder.beginDownload(this, this.head)
    }
    const collector = new Collector(this.head, this.request.method, this.call.limits.maxBodyBytes)
    this.collector = collector
    if (collector.reading === "stop") this.endWith(collector.response)
    return collector.reading
  }

  onChunk(chunk: Uint8Array): boolean {
    if (this.download !== undefined) {
      this.download.push(chunk)
      return true
    }
    if (this.isOver || this.collector === undefined) return false
    if (this.collector.push(chunk)) return true
    this.endWith(this.collector.response)
    return false
  }

  onEnd(): void {
    this.download?.finish(Option.none())
    if (this.isOver || this.collector === undefined) return
    const { collector } = this
    const isBytes = this.call.operation.readsBytes === true && isSuccess(collector.head.status)
    if (collector.isGzip && !isBytes) collector.gunzip().then((response) => this.endWith(response))
    else this.endWith(collector.response)
  }

  onError(cause: unknown, added = 0): void {
    if (this.download !== undefined) {
      this.download.finish(Option.some(transportErrorOf(this.call, this.request, added, cause, this.head)))
      return
    }
    // It may have declared the length that a body would have.
    if (this.collector?.reading === "none") this.endWith(this.collector.response)
    else this.end(() => Effect.fail(transportErrorOf(this.call, this.request, added, cause, this.head)))
  }

  private follow(target: URL): Effect.Effect<A, E | CallError> {
    const { call, decoder, history, request, sentAt, span } = this
    return exchange(
      call,
      (resume) => new Attempt(call, history, new RedirectedRequest(request, target), span, decoder, resume, sentAt)
    )
  }

  private endWith(response: CollectedResponse): void {
    this.end(() => {
      const { call, request, upload } = this
      const context = decodeContextOf(call, response.isAnonymous === true, request)
      if (upload?.isWhole === false && isSuccess(response.status)) {
        return Effect.fail(unexpected(response, context, EARLY_SUCCESS))
      }
      const result = this.decoder.decode(response, context)
      if (Either.isLeft(result) && response.status === 429) {
        call.client.limiter.limited(
          call.storeKey,
          call.operation.rate,
          this.sentAt,
          monotonicMillis(call.clock),
          limitOf(result.left)
        )
      }
      return result
    })
  }

  /** Holds the server back. */
  pause(): void {
    this.isPaused = true
    this.exchange?.pause()
  }

  unpause(): void {
    this.isPaused = false
    this.exchange?.resume()
  }

  /** Aborts the exchange of an attempt that has ended. */
  abortExchange(): void {
    this.exchange?.abort()
  }

  /** Ends the exchange of an attempt that has ended, and waits for that. */
  get close(): Effect.Effect<void> {
    return Effect.zipRight(this.exchange?.stop ?? Effect.void, this.closeUpload)
  }

  /** Ends the attempt, and the exchange with it. */
  private abort(outcome: () => Effect.Effect<A, E | CallError>): void {
    this.end(outcome)
    this.exchange?.abort()
  }

  end(outcome: () => Effect.Effect<A, E | CallError>, isUploadOver = true): void {
    if (this.isOver) return
    this.isOver = true
    this.limit.end()
    this.call.stop = Effect.void
    this.call.close = constVoid
    // An attempt that was moved to V8's old space would keep the body alive there.
    this.collector = undefined
    // In the caller's fiber, and once: what an operation or a tracer throws is the call's defect.
    const result = Effect.suspend(() => {
      const { head, span } = this
      if (head !== undefined && Option.isSome(span)) {
        span.value.attribute("http.response.status_code", head.status)
        if (head.protocolVersion !== undefined) span.value.attribute("network.protocol.version", head.protocolVersion)
      }
      return outcome()
    })
    this.resume(this.upload === undefined || !isUploadOver ? result : Effect.zipRight(this.closeUpload, result))
  }

  /** Ends the exchange too, where the server responded before it had the whole body. */
  private get closeUpload(): Effect.Effect<void> {
    const { upload } = this
    if (upload === undefined) return Effect.void
    return Effect.suspend(() => {
      if (!upload.isDone) this.exchange?.abort()
      return upload.close
    })
  }
}

/** What it has done it has done with a part of the body. */
const EARLY_SUCCESS = "The server reported success before it had received the whole body"

/** A transport of the caller's may give anything. */
const isStatus = (status: unknown): boolean =>
  typeof status === "number" && Number.isInteger(status) && status >= 0 && status <= 999

/** What the caller's stream runs in. */
const streamRuntime = ({ fiber, telemetry }: Call<unknown>): Runtime.Runtime<never> =>
  runtimeOf(fiber, telemetry.span, fiber.currentContext)

const limitOf = (error: unknown): Option.Option<number> =>
  error instanceof RateLimitedError ? error.limit : Option.none()

const noHead: ResponseHead = { status: 0, headers: Headers.empty }

/** The error of an attempt without a complete response. */
const transportErrorOf = <E>(
  call: Call<E>,
  request: TransportRequest,
  added: number,
  cause: unknown,
  head: ResponseHead | undefined
): CallError => {
  const context = decodeContextOf(call, false, request)
  const incomplete = withoutBody(head ?? noHead)
  if (cause === TOKEN_GUARD) {
    return unexpected(
      incomplete,
      context,
      "The transport followed a redirect to another server, and was stopped before it sent the token there"
    )
  }
  const { code, description, permanent, reason, reused } = classify(cause, request, call.redact, added)
  if (head === undefined || reason === "request") {
    return new TransportError({ ...context.call, reason, code, description, permanent, reused })
  }
  // Within a body, whatever is wrong with the connection or its framing has cut the response off.
  return isUndecodable(cause)
    ? unexpected(incomplete, context, "The body is not encoded as its headers say")
    : new TransportError({ ...context.call, reason: "reset", code, description })
}
