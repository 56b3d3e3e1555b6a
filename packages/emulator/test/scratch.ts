/**
 * A folder for the files of a test.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as Effect from "effect/Effect"

/** A folder that is removed when the scope ends. */
export const scratch = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(`${tmpdir()}/emulator-`)),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)
