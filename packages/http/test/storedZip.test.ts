/**
 * The archives of stores in memory, read by others' code.
 */
import { crc32 } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { ValidRecordKey } from "@effect-apify/domain"
import * as Arbitrary from "effect/Arbitrary"
import * as fc from "effect/FastCheck"
import { unzipSync } from "fflate"
import { storedZip } from "../src/internal/storedZip.js"

// The reader makes an object of the files.
const name = Arbitrary.make(ValidRecordKey).filter((key) => key !== "__proto__")

const files = fc.uniqueArray(fc.record({ name, bytes: fc.uint8Array() }), { selector: ({ name }) => name })

describe("an archive", () => {
  it.prop("has its files, in their order", [files], ([files]) => {
    const names: Array<string> = []
    const read = unzipSync(storedZip(files), { filter: ({ name }) => names.push(name) > 0 })
    assert.deepStrictEqual(
      names.map((name) => [name, ...(read[name] ?? [])]),
      files.map(({ name, bytes }) => [name, ...bytes])
    )
  })

  it.prop("has the checksum of each", [fc.uint8Array()], ([bytes]) => {
    const archive = Buffer.from(storedZip([{ name: "a", bytes }]))
    const directory = archive.readUInt32LE(archive.length - 6)
    assert.deepStrictEqual(
      [archive.readUInt32LE(14), archive.readUInt32LE(directory + 16)],
      [crc32(bytes), crc32(bytes)]
    )
  })
})
