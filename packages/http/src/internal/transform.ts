/**
 * Compressing and decompressing, by the platform's own streams.
 */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import type { Pull } from "../Operation.js"

/** A stream of the platform's that makes bytes of bytes. */
export type ByteTransform = CompressionStream | DecompressionStream

/** Reads chunks through a transformation. A class, because it lives as long as its body (docs/decisions/0011). */
export class Transformed<E> {
  private readonly reader: ReadableStreamDefaultReader<Uint8Array>
  private fiber: Fiber.RuntimeFiber<Chunk.Chunk<Uint8Array>, Option.Option<E>> | undefined
  private isRefused = false
  private failure: Cause.Cause<Option.Option<E>> | undefined

  constructor(
    private readonly source: Pull<E>,
    transform: ByteTransform,
    /** What the source is read in. */
    private readonly runtime: Runtime.Runtime<never>,
    /** The outcome if the platform does not take the bytes. */
    private readonly onRefused: Effect.Effect<never, E>
  ) {
    const chunks = new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        pull: (controller) => this.readSource(controller),
        cancel: () => {
          this.isRefused = true
        }
      },
      { highWaterMark: 0 }
    )
    this.reader = chunks.pipeThrough(transform).getReader()
  }

  private readSource(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): Promise<void> {
    return new Promise((resolve) => {
      this.fiber = Runtime.runFork(this.runtime)(this.source)
      this.fiber.addObserver((exit) => {
        if (this.isRefused) resolve()
        else if (Exit.isSuccess(exit)) for (const chunk of exit.value) controller.enqueue(new Uint8Array(chunk))
        else if (Option.contains(Cause.failureOption(exit.cause), Option.none())) controller.close()
        else this.fail(controller, exit.cause)
        resolve()
      })
    })
  }

  private fail(controller: ReadableStreamDefaultController, cause: Cause.Cause<Option.Option<E>>): void {
    this.failure = cause
    controller.error()
  }

  readonly pull: Pull<E> = Effect.suspend(() =>
    Effect.matchEffect(
      Effect.tryPromise(() => this.reader.read()),
      {
        onFailure: (): Pull<E> =>
          this.failure === undefined ? Effect.mapError(this.onRefused, Option.some) : Effect.failCause(this.failure),
        onSuccess: ({ done, value }) => (done ? Effect.fail(Option.none()) : Effect.succeed(Chunk.of(value)))
      }
    )
  )

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
        reader.cancel().catch(() => {})
        return Option.none()
      }
      chunks.push(new Uint8Array(value))
    }
  })
