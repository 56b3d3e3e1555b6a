/**
 * Compiles what a library may export, with declarations, in a project that depends on http and emulator alone: http exports what its
 * signatures mention, so that nobody has to depend on domain to name a type.
 *
 * It needs `dist`, which `tsc -b` makes.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { packAll } from "./pack.js"
import { makeProject } from "./project.js"
import { root, run } from "./step.js"

/** The oldest compiler that can read the packages, and the newest. */
const compilers = ["5.9", "7.0"]

const resolutions = {
  nodenext: { module: "nodenext" },
  bundler: { module: "esnext", moduleResolution: "bundler" }
}

const configs = Object.entries(resolutions).map(([name, resolution]) => [
  `tsconfig.${name}.json`,
  JSON.stringify({
    compilerOptions: {
      ...resolution,
      strict: true,
      exactOptionalPropertyTypes: true,
      declaration: true,
      skipLibCheck: false,
      target: "ES2022",
      lib: ["ES2022", "DOM", "DOM.Iterable"],
      types: ["node"],
      outDir: name
    },
    files: ["exported.ts"]
  })
])

const packages = packAll()
const ours = packages.filter(({ folder }) => folder !== "domain")
const peers = ours.flatMap(({ peerDependencies }) => Object.entries(peerDependencies))
const dependencies = {
  ...Object.fromEntries(peers),
  ...Object.fromEntries(ours.map(({ name, tarball }) => [name, `file:${tarball}`])),
  ...Object.fromEntries(compilers.map((version) => [`typescript-${version}`, `npm:typescript@~${version}.0`])),
  "@types/node": "^20"
}
const user = makeProject("declarations", packages, dependencies, {
  ...Object.fromEntries(configs),
  "exported.ts": readFileSync(join(root, "examples/test/exported.ts"), "utf8")
})

for (const version of compilers) {
  for (const resolution of Object.keys(resolutions)) {
    const tsc = join(user, "node_modules", `typescript-${version}`, "bin/tsc")
    const step = `declarations: TypeScript ${version}, ${resolution}`
    run(step, user, process.execPath, tsc, "-p", `tsconfig.${resolution}.json`, "--pretty", "false")
  }
}
