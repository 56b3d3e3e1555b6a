/**
 * A zip as a stream.
 *
 * @since 0.1.0
 */
import { makeZip } from "client-zip"
import type * as Runtime from "effect/Runtime"
import * as Stream from "effect/Stream"

/**
 * A file in a zip.
 *
 * @since 0.1.0
 * @category models
 */
export interface ZipEntry<R> {
  readonly name: string
  readonly lastModified: Date
  readonly content: Stream.Stream<Uint8Array, unknown, R>
}

/**
 * A zip of files, which are read one after another as the zip is: neither the zip nor a file is in memory. It is begun when
 * it is first read from. When it is given up, or a file cannot be read, what is open is closed.
 *
 * @since 0.1.0
 * @category constructors
 */
export const zip = async function* <R>(
  entries: Stream.Stream<ZipEntry<R>, unknown, R>,
  runtime: Runtime.Runtime<R>
): AsyncGenerator<Uint8Array> {
  // The library closes neither when it is given up.
  const open: { entries?: AsyncIterator<unknown>; content?: AsyncIterator<unknown> } = {}
  const opening = <A>(name: keyof typeof open, stream: Stream.Stream<A, unknown, R>): AsyncIterable<A> => ({
    [Symbol.asyncIterator]: () => {
      const iterator = Stream.toAsyncIterableRuntime(stream, runtime)[Symbol.asyncIterator]()
      open[name] = iterator
      return iterator
    }
  })
  const files = Stream.map(entries, ({ content, ...file }) => ({ ...file, input: opening("content", content) }))
  try {
    yield* makeZip(opening("entries", files))
  } finally {
    await open.content?.return?.()
    await open.entries?.return?.()
  }
}
