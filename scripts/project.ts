/**
 * A user's project: a folder outside the workspace that has nothing but what it installs with pnpm.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Packed } from "./pack.js"
import { pnpm, temporary } from "./step.js"

/** Makes a project and installs it; returns its folder. A dependency on one of `packages` is one on its tarball. */
export const makeProject = (
  name: string,
  packages: ReadonlyArray<Packed>,
  dependencies: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>>,
  strictPeerDependencies = true
): string => {
  const folder = join(temporary, name)
  const tarballs = Object.fromEntries(packages.map(({ name, tarball }) => [name, `file:${tarball}`]))
  mkdirSync(folder)
  const project = {
    "package.json": JSON.stringify({ private: true, type: "module", dependencies }),
    // Our packages are on no registry yet: each finds the others in their tarballs.
    "pnpm-workspace.yaml": JSON.stringify({ overrides: tarballs, strictPeerDependencies }),
    ...files
  }
  for (const [path, text] of Object.entries(project)) writeFileSync(join(folder, path), text)
  const options = ["--no-frozen-lockfile", "--prefer-offline", "--ignore-scripts"]
  pnpm(`${name}: install`, folder, "install", ...options)
  return folder
}
