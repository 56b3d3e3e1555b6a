/**
 * Collecting the body of a response, up to a cap.
 *
 * The cap is on memory: small chunks are copied together, because a chunk of one byte costs more than a hundred. Larger ones stay
 * as they are, and are joined only where the bytes are wanted. JSON is text, which is decoded part by part: joining a page of keys
 * first would be as much memory again outside of V8's heap, by which V8 decides when to collect all garbage.
 */

import type * as Headers from "@effect/platform/Headers"
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

/** Chunks below this size are copied together, into buffers of this size. */
const SMALL_BYTES = 4 * 1024

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

/** Collects the body of one response. */
export class Collector {
  readonly reading: Reading
  private readonly cap: number
  private readonly declared: number | undefined
  private readonly parts: Array<Uint8Array> = []
  private length = 0
  /** What small chunks are copied into, and how much of it they take: its last part. */
  private buffer: Uint8Array | undefined
  private filled = 0
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
    if (chunk.length === 0) return
    const { buffer, filled, parts } = this
    this.length += chunk.length
    // The first is nearly always the only one.
    if (parts.length === 0 || chunk.length >= SMALL_BYTES) {
      this.buffer = undefined
      parts.push(chunk)
    } else if (buffer === undefined || filled + chunk.length > SMALL_BYTES) {
      this.buffer = new Uint8Array(SMALL_BYTES)
      this.buffer.set(chunk)
      this.filled = chunk.length
      parts.push(this.buffer.subarray(0, chunk.length))
    } else {
      buffer.set(chunk, filled)
      this.filled += chunk.length
      parts[parts.length - 1] = buffer.subarray(0, this.filled)
    }
  }

  /** What was collected. */
  get response(): CollectedResponse {
    return new Collected(this.head, this.parts, this.isStopped)
  }

  /**
   * Whether the body starts like gzip, which no JSON does: a proxy has compressed it without being asked to, and the transport does
   * not decompress.
   */
  get isGzip(): boolean {
    return this.reading === "chunks" && this.parts[0]?.[0] === 0x1f
  }

  /** What was collected, decompressed; the cap counts decompressed bytes. A body that is not gzip after all stays as it is. */
  async gunzip(): Promise<CollectedResponse> {
    const { response } = this
    const decompressed = new Collector(this.head, "GET", this.cap)
    try {
      const stream = new Blob([response.body.slice()]).stream().pipeThrough(new DecompressionStream("gzip"))
      const reader = stream.getReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (done) break
        if (!decompressed.push(value)) {
          reader.cancel().catch(constVoid)
          break
        }
      }
      return new Collected(this.head, decompressed.parts, decompressed.isStopped)
    } catch {
      return response
    }
  }
}

/** A class, because spreading a response into a literal costs more than the rest of collecting it. */
export class Collected implements CollectedResponse {
  readonly status: number
  readonly headers: Headers.Headers
  readonly isAnonymous: boolean
  readonly isDecoded: boolean | undefined
  private joined: Uint8Array | undefined

  constructor(
    head: ResponseHead,
    /** The body, piece by piece. */
    readonly parts: ReadonlyArray<Uint8Array>,
    readonly isTruncated: boolean
  ) {
    this.status = head.status
    this.headers = head.headers
    this.isAnonymous = head.isAnonymous === true
    this.isDecoded = head.isDecoded
  }

  /** Joined when it is first needed. */
  get body(): Uint8Array {
    const [first] = this.parts
    this.joined ??= first !== undefined && this.parts.length === 1 ? first : concat(this.parts)
    return this.joined
  }
}

// By its tag: one of another realm is no instance of this realm's class.
const isArrayBuffer = (value: unknown): value is ArrayBuffer =>
  Object.prototype.toString.call(value) === "[object ArrayBuffer]"

/** The bytes of what `arrayBuffer()` returned: of Node's `http`, `HttpClient` has a view. A `fetch` of the caller's may return anything. */
export const bytesOf = (buffer: unknown): Uint8Array => {
  if (isArrayBuffer(buffer)) return new Uint8Array(buffer)
  if (ArrayBuffer.isView(buffer)) return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
  throw new TypeError("arrayBuffer() returned something that is not an ArrayBuffer")
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
