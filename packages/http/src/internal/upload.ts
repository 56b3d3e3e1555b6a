/**
 * A stream of the caller's as the body of a request: read chunk by chunk as the server takes it, and stopped with its
 * attempt.
 */
import * as Cause from "effect/Cause"
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import type { Pull } from "../Operation.js"

/** What an attempt learns of its upload. */
export interface UploadListener<E> {
  /** The server has taken all that was sent; the next chunk is read from the stream. */
  onRead(): void
  /** A chunk, or the end, is on its way to the server. */
  onSend(): void
  onFailure(cause: Cause.Cause<E>): void
  /** The stream has more or fewer bytes than were declared. */
  onWrongLength(problem: string): void
}

/**
 * Reads a stream for a transport.
 *
 * It has no `return`: a transport may wait for that, and it would have to wait for the stream. The attempt closes it. Once it
 * is closed it fails, because a body that just ends looks complete to the server.
 */
export class Upload<E> implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  private readonly scope = Effect.runSync(Scope.make())
  private pull: Pull<E>
  private pulled: Iterator<Uint8Array> = [][Symbol.iterator]()
  private sent = 0
  private fiber: Fiber.RuntimeFiber<Chunk.Chunk<Uint8Array>, Option.Option<E>> | undefined
  private isClosed = false
  private isComplete = false

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
  }

  /** Whether the transport has the whole body, and its end. */
  get isDone(): boolean {
    return this.isComplete
  }

  /** Whether the server may have all bytes. Where their number is declared, it needs no end of the stream. */
  get isWhole(): boolean {
    return this.isComplete || this.sent === this.length
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (!this.isClosed && !this.isComplete) {
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
      this.isComplete = true
      this.listener.onSend()
    }
    // For the transport, which aborts the request.
    if (!this.isComplete) throw new Error("The stream of the request's body was stopped")
    return { done: true, value: undefined }
  }

  private read(): Promise<Exit.Exit<Chunk.Chunk<Uint8Array>, Option.Option<E>>> {
    return new Promise((resolve) => {
      this.fiber = Runtime.runFork(this.runtime)(this.pull)
      this.fiber.addObserver(resolve)
    })
  }

  /** Stops the stream, and runs its finalizers. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.isClosed = true
    const closed = Scope.close(this.scope, Exit.void)
    return this.fiber === undefined ? closed : Effect.zipRight(Fiber.interrupt(this.fiber), closed)
  })
}
