/**
 * A folder as a user's would be: our packages as they are published, installed among its modules, and the children built for
 * plain Node. Nothing that is measured runs through `tsx`, whose `keepNames` slows every closure down.
 */
import { execFileSync } from "node:child_process"
import { cpSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { build } from "esbuild"
import { importsOf } from "./bundles.js"

const packages = join(import.meta.dirname, "..", "..")

/** Left where it is, so that a child can be run by hand, with `--cpu-prof` for instance. */
export const userFolder = join(packages, "bench", "dist")

const isOurs = (name: string): boolean => name.startsWith("@effect-apify/")

/** A package as an install leaves it: built, with the exports that are published, and with what it depends on. */
const install = (name: string): void => {
  const from = join(packages, name)
  const to = join(userFolder, "node_modules", "@effect-apify", name)
  cpSync(join(from, "dist"), join(to, "dist"), { recursive: true })
  const { publishConfig, ...manifest } = JSON.parse(readFileSync(join(from, "package.json"), "utf8"))
  writeFileSync(join(to, "package.json"), JSON.stringify({ ...manifest, exports: publishConfig.exports }))
  for (const dependency of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    if (isOurs(dependency)) continue
    const link = join(to, "node_modules", dependency)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(realpathSync(join(from, "node_modules", dependency)), link)
  }
}

/** Makes the folder anew. */
export const makeUserFolder = async (): Promise<void> => {
  const tsc = join(packages, "..", "node_modules", ".bin", "tsc")
  execFileSync(tsc, ["-b", join(packages, "http"), join(packages, "emulator")], { stdio: "inherit" })
  rmSync(userFolder, { recursive: true, force: true })
  mkdirSync(userFolder)
  writeFileSync(join(userFolder, "package.json"), JSON.stringify({ private: true, type: "module" }))
  for (const name of ["domain", "http", "emulator"]) install(name)
  await build({
    entryPoints: [
      "serverChild",
      "recordServerChild",
      "taskChild",
      "loadChild",
      "decodingChild",
      "importChild",
      "manyStoresChild",
      "emulatorChild",
      "emulatorClientChild"
    ].map((name) => join(import.meta.dirname, `${name}.ts`)),
    outdir: userFolder,
    bundle: true,
    splitting: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "es2022"
  })
  const modules = await importsOf("@effect-apify/http")
  writeFileSync(
    join(userFolder, "effectModules.js"),
    modules.map((name) => `import ${JSON.stringify(name)}\n`).join("")
  )
  const clients = { fetchClient: "FetchTransport", undiciClient: "UndiciTransport" }
  for (const [file, transport] of Object.entries(clients)) {
    const modules = ["ApifyClient", transport, "Stores"]
    writeFileSync(
      join(userFolder, `${file}.js`),
      modules.map((name) => `import "@effect-apify/http/${name}"\n`).join("")
    )
  }
  writeFileSync(join(userFolder, "effectBarrels.js"), 'import "effect"\nimport "@effect/platform"\n')
}
