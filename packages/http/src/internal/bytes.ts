/**
 * Bytes: what counts as them, and putting them together.
 */

// By their tags: one of another realm is no instance of this realm's class.

export const isBytes = (value: unknown): value is Uint8Array =>
  Object.prototype.toString.call(value) === "[object Uint8Array]"

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
