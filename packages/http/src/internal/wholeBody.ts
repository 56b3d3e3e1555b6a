/**
 * The bodies of responses that are read in one piece.
 */

/** The bytes of what `arrayBuffer()` returned. A `fetch` of the caller's may return anything. */
export const bytesOf = (buffer: unknown): Uint8Array => {
  if (!isArrayBuffer(buffer)) throw new TypeError("arrayBuffer() returned something that is not an ArrayBuffer")
  return new Uint8Array(buffer)
}

/** By its tag: one of another realm is no instance of this realm's class. */
const isArrayBuffer = (value: unknown): value is ArrayBuffer =>
  Object.prototype.toString.call(value) === "[object ArrayBuffer]"
