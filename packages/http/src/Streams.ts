/**
 * Bodies that are streams. What they need is in a module of its own, so that a program without streams does not bundle it.
 *
 * @since 0.1.0
 */
import type { CallError } from "@effect-apify/domain/CallError"
import * as Cause from "effect/Cause"
import type * as Chunk from "effect/Chunk"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import { ApifyClient } from "./ApifyClient.js"
import type { CallOptions } from "./CallOptions.js"
import { MovingLimit } from "./internal/alarm.js"
import { type Attempt, attemptWith } from "./internal/attempt.js"
import { type Closable, closedError, decodeContextOf } from "./internal/call.js"
import { isBodiless } from "./internal/collect.js"
import { Download } from "./internal/download.js"
import { streamInit } from "./internal/requestInit.js"
import { checkObject, checkWhole } from "./internal/settings.js"
import type { Pull, RequestBody, StreamOperation, Upload, UploadListener } from "./Operation.js"
import type { Reading, ResponseHead, TransportBody } from "./Transport.js"

/**
 * Runs an operation whose successful response is a stream, within the client's limits, or those of one call. `attemptTimeout` is
 * the time until the response begins, and then for each wait for a chunk. The scope's end aborts what was not read.
 *
 * @example
 * ```ts
 * import { type CallError, runStream, type StreamOperation } from "@effect-apify/http"
 * import * as Stream from "effect/Stream"
 *
 * declare const archive: StreamOperation<Stream.Stream<Uint8Array, CallError>>
 *
 * const bytes = Stream.unwrapScoped(runStream(archive))
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const runStream = <A, E>(
  operation: StreamOperation<A, E>,
  options?: CallOptions
): Effect.Effect<A, E | CallError, ApifyClient | Scope.Scope> =>
  Effect.flatMap(ApifyClient, (client) =>
    Effect.suspend(() => {
      let close: Effect.Effect<void> = Effect.void
      const attempt = attemptWith<A, E>({
        decode: (response, context) => Either.left(operation.decodeError(response, context)),
        beginDownload: (attempt, head) =>
          beginDownload(operation, attempt, head, (closeStream) => {
            close = closeStream
          })
      })
      return Effect.zipRight(
        Effect.addFinalizer(() => Effect.suspend(() => close)),
        client.runAttempts(operation, attempt, options)
      )
    })
  )

/** `onClose` takes what has to be closed once the stream is not needed any more. */
const beginDownload = <A, E>(
  operation: StreamOperation<A, E>,
  attempt: Attempt<A, E>,
  head: ResponseHead,
  onClose: (close: Effect.Effect<void>) => void
): Reading => {
  const { call, request } = attempt
  const { open } = call.client
  const limit = Duration.toMillis(call.limits.attemptTimeout)
  const finish = (error: CallError): void => {
    attempt.abortExchange()
    download.finish(Option.some(error))
  }
  const idle = new MovingLimit(call.clock)
  const download = new Download({
    pause: () => attempt.pause(),
    resume: () => attempt.unpause(),
    startIdleLimit: () => idle.set(limit, () => finish(attempt.attemptTimeout(limit))),
    stopIdleLimit: () => idle.stop(),
    endIdleLimit: () => idle.end()
  })
  attempt.download = download
  const closable: Closable = { place: 0, close: () => finish(closedError(call)) }
  open.add(closable)
  const close = Effect.suspend(() => {
    open.remove(closable)
    // Not an end that looks complete to whoever still reads.
    download.finish(Option.some(closedError(call, "The scope of the stream was closed")))
    return attempt.close
  })
  onClose(close)
  attempt.end(() => {
    const context = decodeContextOf(call, head.isAnonymous === true, request)
    const result = operation.decodeHead(head, download.pull, context)
    return Either.isLeft(result) ? Effect.zipRight(close, result) : result
  }, false)
  if (!isBodiless(head.status, request.method)) return "chunks"
  download.finish(Option.none())
  return "none"
}

/**
 * The body of a request that is a stream.
 *
 * @since 0.1.0
 * @category models
 */
export interface StreamBody<E> {
  /** `Stream.toPull` makes it from a stream. */
  readonly open: Effect.Effect<Pull<E>, never, Scope.Scope>
  /** The length in bytes, if it is known: a whole number. */
  readonly length?: number | undefined
  /** Whether the stream may be run again, for another attempt. */
  readonly isReplayable: boolean
}

/**
 * The body of a request from a stream. Throws an `IllegalArgumentException` if `length` is not a whole number.
 *
 * @example
 * ```ts
 * import { type RequestBody, bodyFromStream } from "@effect-apify/http"
 * import * as Stream from "effect/Stream"
 *
 * const bytes = Stream.make(Uint8Array.of(1), Uint8Array.of(2))
 *
 * const body: RequestBody = bodyFromStream({ open: Stream.toPull(bytes), isReplayable: true })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const bodyFromStream = <E>(body: StreamBody<E>): RequestBody<E> => {
  checkObject("body", body, "{ open: Stream.toPull(stream), isReplayable: false }")
  const { isReplayable, length, open } = body
  checkWhole("length", length, 0)
  return {
    _tag: "Stream",
    begin: (runtime, listener) => new StreamUpload(open, length, runtime, listener),
    length,
    isReplayable
  }
}

/**
 * Reads a stream for a transport.
 *
 * It has no `return`: a transport may wait for that, and it would have to wait for the stream. The attempt closes it. Once it
 * is closed it fails, because a body that just ends looks complete to the server.
 */
class StreamUpload<E> implements Upload, AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly body: TransportBody
  private readonly scope = Effect.runSync(Scope.make())
  private pull: Pull<E>
  private pulled: Iterator<Uint8Array> = [][Symbol.iterator]()
  private sent = 0
  private fiber: Fiber.RuntimeFiber<Exit.Exit<Chunk.Chunk<Uint8Array>, Option.Option<E>>> | undefined
  private isClosed = false
  isDone = false

  constructor(
    open: Effect.Effect<Pull<E>, never, Scope.Scope>,
    private readonly length: number | undefined,
    private readonly runtime: Runtime.Runtime<never>,
    private readonly listener: UploadListener<E>
  ) {
    this.pull = Effect.flatMap(Scope.extend(open, this.scope), (pull) => {
      this.pull = pull
      return pull
    })
    this.body = { _tag: "Stream", chunks: this, length, fetchInit: () => streamInit(this) }
  }

  get isWhole(): boolean {
    return this.isDone || this.sent === this.length
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (!this.isClosed && !this.isDone) {
      const bytes = this.pulled.next()
      if (bytes.done !== true) {
        // Among HTTP's chunks an empty one is the last.
        if (bytes.value.length === 0) continue
        this.sent += bytes.value.length
        if (this.length !== undefined && this.sent > this.length) {
          this.listener.onWrongLength(`The body has more bytes than its declared length of ${this.length}`)
          break
        }
        this.listener.onSend()
        return { done: false, value: bytes.value }
      }
      this.listener.onRead()
      const exit = await this.read()
      if (this.isClosed) break
      if (Exit.isSuccess(exit)) {
        this.pulled = exit.value[Symbol.iterator]()
        continue
      }
      const failure = Cause.flipCauseOption(exit.cause)
      if (Option.isSome(failure)) {
        this.listener.onFailure(failure.value)
        break
      }
      if (this.length !== undefined && this.sent < this.length) {
        this.listener.onWrongLength(`The body has ${this.sent} bytes, fewer than its declared length of ${this.length}`)
        break
      }
      this.isDone = true
      this.listener.onSend()
    }
    // For the transport, which aborts the request.
    if (!this.isDone) throw new Error("The stream of the request's body was stopped")
    return { done: true, value: undefined }
  }

  private read(): Promise<Exit.Exit<Chunk.Chunk<Uint8Array>, Option.Option<E>>> {
    return new Promise((resolve) => {
      // Its end is a failure, which the runtime would log.
      this.fiber = Runtime.runFork(this.runtime)(Effect.exit(this.pull))
      this.fiber.addObserver((exit) => resolve(Exit.flatten(exit)))
    })
  }

  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.isClosed = true
    const closed = Scope.close(this.scope, Exit.void)
    return this.fiber === undefined ? closed : Effect.zipRight(Fiber.interrupt(this.fiber), closed)
  })
}
