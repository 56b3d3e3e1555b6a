/**
 * Collecting the body of a response, up to a cap.
 *
 * The cap is on memory: small chunks are copied into one buffer, because a chunk of one byte costs more than a hundred.
 */

import * as Headers from "@effect/platform/Headers"
import type { HttpMethod } from "@effect-apify/domain/HttpMethod"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import type { Reading, ResponseHead } from "../Transport.js"
import { contentLength } from "./headerValue.js"

/** A response with its body. */
export interface CollectedResponse extends ResponseHead {
  readonly body: Uint8Array
  /** Whether the body was larger than the cap; its rest was not read. */
  readonly isTruncated: boolean
}

/** The cap of a body that is read for its error alone: many times what Apify's errors take. */
const MAX_ERROR_BYTES = 16 * 1024

/** What a second chunk is given room for at least. */
const SMALLEST_BUFFER = 4 * 1024

/** A status that says that the operation succeeded. */
export const isSuccess = (status: number): boolean => status >= 200 && status < 300

/** Some transports have no stream for these. A 205 must have no body, but some servers send one. */
export const isBodiless = (status: number, method: HttpMethod): boolean =>
  method === "HEAD" || status === 204 || status === 205 || status === 304

/**
 * Whether this platform sends the `accept-encoding` that it is told to send. Browsers do not: there a response may be
 * compressed although it shows no `content-encoding`, and its `content-length` is that of the compressed body.
 */
export const sendsAcceptEncoding: () => boolean = (() => {
  let result: boolean | undefined
  return () => {
    result ??= new Request("http://localhost", { headers: { "accept-encoding": "identity" } }).headers.has(
      "accept-encoding"
    )
    return result
  }
})()

const empty = new Uint8Array()

/** Collects the body of one response. */
export class Collector {
  readonly reading: Reading
  private readonly cap: number
  private readonly declared: number | undefined
  private buffer: Uint8Array = empty
  /** Whether the buffer is this collector's, and not a chunk of the transport's. */
  private isOwned = false
  private length = 0
  private isStopped = false

  constructor(
    readonly head: ResponseHead,
    method: HttpMethod,
    maxBodyBytes: number
  ) {
    const { headers, status } = head
    this.cap = isSuccess(status) ? maxBodyBytes : MAX_ERROR_BYTES
    this.declared = Option.getOrUndefined(contentLength(headers))
    this.reading = this.readingOf(status, method)
    this.isStopped = this.reading === "stop"
  }

  private readingOf(status: number, method: HttpMethod): Reading {
    if (status === 205) return "stop"
    if (isBodiless(status, method)) return "none"
    if (this.declared === undefined) return "chunks"
    // A success that is too large is of no use; of an error the start may say enough.
    if (this.declared > this.cap) return isSuccess(status) ? "stop" : "chunks"
    return this.head.headers["content-encoding"] === undefined && sendsAcceptEncoding() ? "whole" : "chunks"
  }

  /** Takes a chunk, and says whether there is room for more. */
  push(chunk: Uint8Array): boolean {
    const length = this.length + chunk.length
    if (length > this.cap) {
      this.isStopped = true
      // What fits may be the start of an error.
      this.append(chunk.subarray(0, this.cap - this.length))
      return false
    }
    this.append(chunk)
    return true
  }

  private append(chunk: Uint8Array): void {
    if (this.length === 0) {
      // Nearly always the only one.
      this.buffer = chunk
      this.length = chunk.length
      return
    }
    const length = this.length + chunk.length
    if (length > this.buffer.length || !this.isOwned) {
      const room = Math.max(2 * this.buffer.length, length, SMALLEST_BUFFER, Math.min(this.declared ?? 0, this.cap))
      const larger = new Uint8Array(Math.min(room, Math.max(this.cap, length)))
      larger.set(this.buffer.subarray(0, this.length))
      this.buffer = larger
      this.isOwned = true
    }
    this.buffer.set(chunk, this.length)
    this.length = length
  }

  /** What was collected. */
  get response(): CollectedResponse {
    return new Collected(
      this.head,
      this.length === this.buffer.length ? this.buffer : this.buffer.subarray(0, this.length),
      this.isStopped
    )
  }

  /** Whether the body starts like gzip, which no JSON does: a proxy has compressed it without being asked to, and the transport does not decompress. */
  get isGzip(): boolean {
    return !this.isStopped && this.reading === "chunks" && this.buffer[0] === 0x1f && this.buffer[1] === 0x8b
  }

  /** What was collected, decompressed; the cap counts decompressed bytes. A body that is not gzip after all stays as it is. */
  async gunzip(): Promise<CollectedResponse> {
    const { response } = this
    const decompressed = new Collector({ ...this.head, headers: withoutLength(this.head) }, "GET", this.cap)
    try {
      const stream = new Blob([response.body.slice()]).stream().pipeThrough(new DecompressionStream("gzip"))
      const reader = stream.getReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return { ...decompressed.response, headers: response.headers }
        if (!decompressed.push(value)) {
          reader.cancel().catch(constVoid)
          return { ...decompressed.response, headers: response.headers }
        }
      }
    } catch {
      return response
    }
  }
}

/** A class, because spreading a response into a literal costs more than the rest of collecting it. */
class Collected implements CollectedResponse {
  readonly status: number
  readonly headers: Headers.Headers
  readonly isAnonymous: boolean
  readonly isDecoded: boolean | undefined

  constructor(
    head: ResponseHead,
    readonly body: Uint8Array,
    readonly isTruncated: boolean
  ) {
    this.status = head.status
    this.headers = head.headers
    this.isAnonymous = head.isAnonymous === true
    this.isDecoded = head.isDecoded
  }
}

const withoutLength = ({ headers }: ResponseHead): ResponseHead["headers"] => {
  const { "content-length": _, ...rest } = headers
  return Headers.fromInput(rest)
}

// By its tag: one of another realm is no instance of this realm's class.
const isArrayBuffer = (value: unknown): value is ArrayBuffer =>
  Object.prototype.toString.call(value) === "[object ArrayBuffer]"

/** The bytes of what `arrayBuffer()` returned. A `fetch` of the caller's may return anything. */
export const bytesOf = (buffer: unknown): Uint8Array => {
  if (!isArrayBuffer(buffer)) throw new TypeError("arrayBuffer() returned something that is not an ArrayBuffer")
  return new Uint8Array(buffer)
}

/** Bytes, one after another. */
export const concat = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((size, { length }) => size + length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
