/**
 * The journal beside a database's file.
 */
import { closeSync, existsSync, openSync, readSync } from "node:fs"

/** It begins with so many bytes that are always the same, or with zeros when the change that it was made for is over. */
const MAGIC_BYTES = 8

/** Whether a file is in the middle of a change, which its journal undoes. */
export const isUnfinished = (file: string): boolean => {
  const journal = `${file}-journal`
  if (!existsSync(journal)) return false
  const magic = Buffer.alloc(MAGIC_BYTES)
  const descriptor = openSync(journal, "r")
  try {
    readSync(descriptor, magic)
  } finally {
    closeSync(descriptor)
  }
  return magic.some((byte) => byte !== 0)
}
