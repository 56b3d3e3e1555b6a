/**
 * What clients do with records, the same for all of them.
 */
import { CHUNK } from "./recordServer.js"

/** A record of so many bytes, a listing of so many keys, as a stream or page by page, or one link. */
export interface Task {
  readonly do: "get" | "put" | "download" | "upload" | "list" | "pages" | "link"
  readonly size: number
}

/** What a process is to do next, and what to measure of it. */
export interface TaskMessage {
  readonly measure: "time" | "growth"
  readonly times: number
}

/** What a client has for each kind of task: a program that says how many bytes, keys or links it was about. */
export type Programs<P> = { readonly [K in Task["do"]]?: (size: number) => P }

/** The program of a task. */
export const programOf = <P>(programs: Programs<P>, task: Task): P => {
  const make = programs[task.do]
  if (make === undefined) throw new Error(`There is no program for ${task.do}`)
  return make(task.size)
}

/** The bytes of a record. */
export const bytesOf = (size: number): Uint8Array => {
  const bytes = Buffer.alloc(size)
  for (let at = 0; at < size; at += CHUNK.length) CHUNK.copy(bytes, at)
  return bytes
}

/** The bytes of a record that is too large for memory. */
export function* chunksOf(size: number): Generator<Uint8Array> {
  for (let left = size; left > 0; left -= CHUNK.length) yield CHUNK.subarray(0, left)
}
