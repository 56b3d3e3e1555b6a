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
import * as Stream from "effect/Stream"

/** What an attempt learns of its upload. */
export interface UploadListener<E> {
  /** The server has taken all that was sent; the next chunk is read from the stream. */
  onRead(): void
  /** A chunk, or the end, is on its way to the server. */
  onSend(): void
  onFailure(cause: Cause.Cause<E>): void
}

type Pull<E> = Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<E>>

/** Reads a stream for a transport. */
export class Upload<E> implements AsyncIterable<Uint8Array> {
  private readonly scope = Effect.runSync(Scope.make())
  private pull: Pull<E>
  private fiber: Fiber.RuntimeFiber<Chunk.Chunk<Uint8Array>, Option.Option<E>> | undefined
  private isClosed = false

  constructor(
    stream: Stream.Stream<Uint8Array, E>,
    private readonly runtime: Runtime.Runtime<never>,
    private readonly listener: UploadListener<E>
  ) {
    this.pull = Effect.flatMap(Scope.extend(Stream.toPull(stream), this.scope), (pull) => {
      this.pull = pull
      return pull
    })
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.isClosed) return
      this.listener.onRead()
      const exit = await this.read()
      if (this.isClosed) return
      if (Exit.isSuccess(exit)) {
        for (const bytes of exit.value) {
          this.listener.onSend()
          yield bytes
        }
        continue
      }
      const failure = Cause.flipCauseOption(exit.cause)
      if (Option.isNone(failure)) {
        this.listener.onSend()
        return
      }
      this.listener.onFailure(failure.value)
      // For the transport, which aborts the request.
      throw new Error("The stream of the request's body failed")
    }
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
