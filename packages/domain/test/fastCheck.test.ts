/**
 * A second copy of fast-check would not know the arbitraries of the first.
 */
import { readFileSync, realpathSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"

const root = join(import.meta.dirname, "../../..")

/** The real path of a package's entry, as a module in `folder` finds it. */
const resolveFrom = (folder: string, name: string): string =>
  createRequire(join(realpathSync(folder), "package.json")).resolve(name)

describe("fast-check", () => {
  it("is installed once", () => {
    const lockfile = readFileSync(join(root, "pnpm-lock.yaml"), "utf8")
    const versions = new Set(lockfile.match(/(?<=^ {2}fast-check@)[^:(]+/gm))
    assert.lengthOf([...versions], 1)
  })

  it("is the copy that effect uses", () => {
    const effect = join(root, "packages/domain/node_modules/effect")
    assert.strictEqual(resolveFrom(root, "fast-check"), resolveFrom(effect, "fast-check"))
  })
})
