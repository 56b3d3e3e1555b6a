/**
 * The body of a response, read chunk by chunk: chunks are held until they are read, and the server is held back while there
 * are many.
 */
import type { CallError } from "@effect-apify/domain/CallError"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Pull } from "../Operation.js"

/** How many bytes are held before the server is held back: four chunks of most servers. One chunk alone takes a tenth more time. */
const HIGH_WATER_BYTES = 256 * 1024

/** What a download needs of its attempt. */
export interface DownloadSource {
  /** Holds the server back. */
  pause(): void
  resume(): void
  /** Starts the idle limit. */
  startIdleLimit(): void
  stopIdleLimit(): void
  /** Stops it for good. */
  endIdleLimit(): void
}

/** Receives chunks from a transport, and gives them to a reader. */
export class Download {
  private chunks: Array<Uint8Array> = []
  private bytes = 0
  /** How it ended: with an error, or whole. */
  private end: Option.Option<CallError> | undefined
  private deliver: ((pulled: Pull<CallError>) => void) | undefined

  constructor(private readonly source: DownloadSource) {}

  push(chunk: Uint8Array): void {
    // undici gives a chunk without bytes when it goes on after a pause; a file takes none.
    if (this.end !== undefined || chunk.length === 0) return
    this.chunks.push(chunk)
    this.bytes += chunk.length
    if (this.deliver !== undefined) this.deliver(this.take())
    else if (this.bytes >= HIGH_WATER_BYTES) this.source.pause()
  }

  finish(error: Option.Option<CallError>): void {
    if (this.end !== undefined) return
    this.end = error
    this.source.endIdleLimit()
    this.deliver?.(Effect.fail(error))
  }

  private take(): Pull<CallError> {
    const taken = Chunk.unsafeFromArray(this.chunks)
    const wasFull = this.bytes >= HIGH_WATER_BYTES
    this.chunks = []
    this.bytes = 0
    // Last, since the next chunks may arrive within it.
    if (wasFull) this.source.resume()
    return Effect.succeed(taken)
  }

  /** The idle limit counts while the reader waits for the server, and not while the server waits for the reader. */
  readonly pull: Pull<CallError> = Effect.suspend((): Pull<CallError> => {
    if (this.chunks.length > 0) return this.take()
    if (this.end !== undefined) return Effect.fail(this.end)
    return Effect.async((resume) => {
      this.source.startIdleLimit()
      const stopWaiting = (): void => {
        this.source.stopIdleLimit()
        this.deliver = undefined
      }
      this.deliver = (pulled) => {
        stopWaiting()
        resume(pulled)
      }
      return Effect.sync(stopWaiting)
    })
  })
}
