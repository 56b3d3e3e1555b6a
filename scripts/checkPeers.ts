/**
 * Compiles and runs a use of each part of the client with the lowest and the highest versions that its peer ranges allow.
 *
 * It needs `dist`, which `tsc -b` makes.
 */
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Schema from "effect/Schema"
import { packAll } from "./pack.js"
import { makeProject } from "./project.js"
import { fail, root, run, tool } from "./step.js"

const packages = packAll()
const rangesOf = (folder: string) => packages.find((packed) => packed.folder === folder)?.peerDependencies ?? {}
const tarballsOf = (...folders: ReadonlyArray<string>) =>
  Object.fromEntries(
    packages.filter(({ folder }) => folders.includes(folder)).map(({ name, tarball }) => [name, `file:${tarball}`])
  )

/** The version that a range begins with, written in full. */
const lowest = (name: string, range: string): string => {
  const [, version] = /^>=(\d+(?:\.\d+){0,2}) </.exec(range) ?? fail(name, `The range ${range} names no lowest version`)
  return [...`${version}`.split("."), "0", "0"].slice(0, 3).join(".")
}

const highest = (name: string, range: string): string =>
  // undici 8 does not load on Node 20.
  name === "undici" && Number(process.versions.node.split(".")[0]) < 24 ? "^7" : range

const ends = { lowest, highest }

/** Starts the emulator in a project of its own, since it needs the newest peers; returns its URL. */
const startEmulator = (): Promise<string> => {
  const folder = makeProject("emulator", packages, { ...rangesOf("emulator"), ...tarballsOf("emulator") }, {})
  const command = join(folder, "node_modules", ".bin", "effect-apify-emulator")
  const emulator = spawn(command, ["--port", "0"], { stdio: ["ignore", "pipe", "inherit"] })
  process.once("exit", () => emulator.kill("SIGKILL"))
  return new Promise((resolve) => {
    let output = ""
    emulator.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text
      const url = /ready at (\S+)\n/.exec(output)?.[1]
      if (url !== undefined) resolve(url)
    })
    emulator.once("error", ({ message }) => fail("emulator: start", message))
    emulator.once("exit", (code) => fail("emulator: start", `It ended with ${code}`))
  })
}

const tsconfig = JSON.stringify({
  compilerOptions: {
    module: "nodenext",
    target: "ES2022",
    strict: true,
    exactOptionalPropertyTypes: true,
    lib: ["ES2022", "DOM", "DOM.Iterable"],
    types: ["node"],
    typeRoots: [join(root, "node_modules", "@types")]
  },
  files: ["peers.ts"]
})

const url = await startEmulator()
const environment = [`APIFY_API_BASE_URL=${url}`, "APIFY_TOKEN=apify_api_demo"]

const Installed = Schema.parseJson(Schema.Struct({ version: Schema.String }))

for (const [end, versionOf] of Object.entries(ends)) {
  const ranges = Object.entries({ ...rangesOf("domain"), ...rangesOf("http") })
  const peers = Object.fromEntries(ranges.map(([name, range]) => [name, versionOf(name, range)]))
  const files = {
    "tsconfig.json": tsconfig,
    "peers.ts": readFileSync(join(root, "examples/test/peers.ts"), "utf8")
  }
  // Not strict: @effect/platform 0.93.3 asks for effect 3.19.4, and ours have to run with 3.19.0.
  const folder = makeProject(end, packages, { ...peers, ...tarballsOf("domain", "http") }, files, end !== "lowest")
  const installed = Object.keys(peers).map((name) => {
    const manifest = readFileSync(join(folder, "node_modules", name, "package.json"), "utf8")
    return `${name} ${Schema.decodeSync(Installed)(manifest).version}`
  })
  run(`${installed.join(", ")}: typecheck`, folder, tool("tsc"), "-p", ".", "--pretty", "false")
  run(`${installed.join(", ")}: run`, folder, "env", ...environment, process.execPath, "peers.js")
}
process.exit()
