/**
 * Compressing and decompressing, by the platform's own streams.
 */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import type { Pull } from "../Operation.js"

/** A stream of the platform's that makes bytes of bytes. */
export type ByteTransform = CompressionStream | DecompressionStream

/**
 * Reads chunks through a transformation. A class, because it lives as long as its body (docs/decisions/0011).
 *
 * Not by `pipeThrough`: Node's keeps every chunk until the end.
 */
export class Transformed<E> {
  private readonly reader: ReadableStreamDefaultReader<Uint8Array>
  private readonly writer: WritableStreamDefaultWriter<BufferSource>
  private fiber: Fiber.RuntimeFiber<Exit.Exit<Chunk.Chunk<Uint8Array>, Option.Option<E>>> | undefined
  private isFed = false
  private failure: Cause.Cause<Option.Option<E>> | undefined

  constructor(
    private readonly source: Pull<E>,
    transform: ByteTransform,
    /** What the source is read in. */
    private readonly runtime: Runtime.Runtime<never>,
    /** The outcome if the platform does not take the bytes. */
    private readonly onRefused: Effect.Effect<never, E>
  ) {
    this.reader = transform.readable.getReader()
    this.writer = transform.writable.getWriter()
    this.reader.closed.catch(constVoid)
    this.writer.closed.catch(constVoid)
    this.writer.ready.catch(constVoid)
  }

  /** Gives the transformation all that the source has. Rejects if the platform does not take it, which the reader sees too. */
  private async feed(): Promise<void> {
    for (;;) {
      const exit = await this.readSource()
      if (Exit.isFailure(exit)) {
        if (Option.contains(Cause.failureOption(exit.cause), Option.none())) return this.writer.close()
        this.failure = exit.cause
        return this.writer.abort()
      }
      for (const chunk of exit.value) await this.writer.write(new Uint8Array(chunk))
    }
  }

  private readSource(): Promise<Exit.Exit<Chunk.Chunk<Uint8Array>, Option.Option<E>>> {
    return new Promise((resolve) => {
      // Its end is a failure, which the runtime would log. Interruptible, even where the runtime is of a region that is not.
      this.fiber = Runtime.runFork(this.runtime)(Effect.interruptible(Effect.exit(this.source)))
      this.fiber.addObserver((exit) => resolve(Exit.flatten(exit)))
    })
  }

  readonly pull: Pull<E> = Effect.suspend(() => {
    if (!this.isFed) {
      this.isFed = true
      this.feed().catch(constVoid)
    }
    return Effect.matchEffect(
      Effect.tryPromise(() => this.reader.read()),
      {
        onFailure: (): Pull<E> =>
          this.failure === undefined ? Effect.mapError(this.onRefused, Option.some) : Effect.failCause(this.failure),
        onSuccess: ({ done, value }) => (done ? Effect.fail(Option.none()) : Effect.succeed(Chunk.of(value)))
      }
    )
  })

  /** Stops reading the source. */
  readonly close: Effect.Effect<void> = Effect.suspend(() =>
    this.fiber === undefined ? Effect.void : Fiber.interrupt(this.fiber)
  )
}

/** Bytes, compressed. */
export const gzip = (bytes: Uint8Array): Effect.Effect<Uint8Array> =>
  Effect.promise(async () => {
    const compressed = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new CompressionStream("gzip"))
    return new Uint8Array(await new Response(compressed).arrayBuffer())
  })

/** Bytes, decompressed; `None` if they expand to more than `most`. Fails with bytes that are not compressed like that. */
export const decompress = (
  bytes: Uint8Array,
  format: CompressionFormat,
  most: number
): Effect.Effect<Option.Option<Uint8Array>, Cause.UnknownException> =>
  Effect.tryPromise(async () => {
    const decompressed = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream(format))
    const reader = decompressed.getReader()
    const chunks: Array<Uint8Array<ArrayBuffer>> = []
    let length = 0
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return Option.some(new Uint8Array(await new Blob(chunks).arrayBuffer()))
      length += value.length
      if (length > most) {
        reader.cancel().catch(constVoid)
        return Option.none()
      }
      chunks.push(new Uint8Array(value))
    }
  })
