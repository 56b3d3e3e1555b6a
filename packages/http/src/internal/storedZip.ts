/**
 * A zip archive that compresses nothing, in memory.
 */

import { concat } from "./collect.js"

/** A file of an archive. */
export interface ZipFile {
  readonly name: string
  readonly bytes: Uint8Array
}

/** The archive of some files, whose names are in ASCII. All of them were last changed when DOS's time begins. */
export const storedZip = (files: ReadonlyArray<ZipFile>): Uint8Array => {
  const parts: Array<Uint8Array> = []
  const directory: Array<Uint8Array> = []
  let offset = 0
  for (const { name, bytes } of files) {
    const encodedName = utf8.encode(name)
    // Version 2.0, no flags, stored, 1 January 1980.
    const common = [u16(20), u16(0), u16(0), u16(0), u16(0x21), u32(crc32(bytes)), u32(bytes.length), u32(bytes.length)]
    const nameAndExtra = [u16(encodedName.length), u16(0)]
    const file = concat([u32(0x04034b50), ...common, ...nameAndExtra, encodedName, bytes])
    const rest = [u16(0), u16(0), u16(0), u32(0), u32(offset)]
    directory.push(concat([u32(0x02014b50), u16(20), ...common, ...nameAndExtra, ...rest, encodedName]))
    parts.push(file)
    offset += file.length
  }
  const entries = concat(directory)
  const count = u16(files.length)
  const end = [u32(0x06054b50), u16(0), u16(0), count, count, u32(entries.length), u32(offset), u16(0)]
  return concat([...parts, entries, ...end])
}

const utf8 = new TextEncoder()

const u16 = (value: number): Uint8Array => Uint8Array.of(value, value >>> 8)
const u32 = (value: number): Uint8Array => Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24)

const crc32 = (bytes: Uint8Array): number => {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc
}
