/**
 * Packs what we publish, checks the tarballs, installs them into an empty folder, and uses them from there.
 *
 * It needs `dist`, which `tsc -b` makes.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Schema from "effect/Schema"

const root = join(import.meta.dirname, "..")
const temporary = mkdtempSync(join(tmpdir(), "effect-apify-"))
const user = join(temporary, "user")

process.on("exit", () => rmSync(temporary, { recursive: true, force: true }))
// While a command runs, the signal ends that command, which ends us through `run`.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1))

const fail = (step: string, reason: string): never => {
  console.error(`✗ ${step}\n\n${reason.trim()}`)
  process.exit(1)
}

const run = (step: string, folder: string, command: string, ...args: ReadonlyArray<string>): string => {
  const { error, status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8" })
  if (status !== 0) return fail(step, error?.message ?? `${stdout}\n${stderr}`)
  console.log(`✓ ${step}`)
  return stdout
}

const tool = (name: string): string => join(root, "node_modules", ".bin", name)

const Packed = Schema.parseJson(
  Schema.Struct({
    name: Schema.String,
    filename: Schema.String,
    files: Schema.Array(Schema.Struct({ path: Schema.String }))
  })
)

const Ranges = Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.String }), { default: () => ({}) })
const Manifest = Schema.parseJson(Schema.Struct({ dependencies: Ranges, peerDependencies: Ranges }))

/** The modules in a package's `dist` or `src`, as paths without extension. */
const modulesIn = (files: ReadonlyArray<string>, folder: string, extension: string): ReadonlyArray<string> =>
  files
    .filter((file) => file.startsWith(`${folder}/`) && file.endsWith(extension))
    .map((file) => file.slice(folder.length + 1, -extension.length))

/** Packs one package and checks its tarball; returns what an install and an import need to know of it. */
const pack = (folder: string) => {
  const tarball = join(temporary, `${folder}.tgz`)
  const packing = ["npx", "--yes", "pnpm@12", "pack", "--json", "--out", tarball] as const
  const packed = Schema.decodeSync(Packed)(run(`${folder}: pack`, join(root, "packages", folder), ...packing))
  const files = packed.files.map((file) => file.path)

  const sources = modulesIn(files, "src", ".ts")
  const modules = modulesIn(files, "dist", ".js")
  const misfits = [
    ...files.filter((file) => /(^|\/)test\/|\.test\.|tsbuildinfo/.test(file)).map((file) => `not for users: ${file}`),
    ...sources.filter((name) => !modules.includes(name)).map((name) => `not built (tsc -b does it): src/${name}.ts`),
    ...modules.filter((name) => !sources.includes(name)).map((name) => `left from an old build: dist/${name}.js`)
  ]
  if (misfits.length > 0) fail(`${folder}: contents`, misfits.join("\n"))
  console.log(`✓ ${folder}: contents`)

  // `main` is a command: to import it would run it.
  const internal = modules.filter((name) => name.startsWith("internal/") || name === "main")
  const open = modules.filter((name) => !internal.includes(name) && name !== "index")
  run(`${folder}: publint`, root, tool("publint"), "run", tarball, "--strict")
  run(`${folder}: attw`, root, tool("attw"), tarball, "--profile", "esm-only", "--entrypoints", ".", ...open)

  const manifest = run(`${folder}: manifest`, root, "tar", "-xzOf", tarball, "package/package.json")
  const { dependencies, peerDependencies } = Schema.decodeSync(Manifest)(manifest)
  const imports = [packed.name, ...open.map((name) => `${packed.name}/${name}`)]
  const closed = internal.map((name) => `${packed.name}/${name}`)
  return { name: packed.name, tarball: `file:${tarball}`, dependencies, peerDependencies, imports, closed }
}

const Visibility = Schema.parseJson(
  Schema.Struct({ private: Schema.optionalWith(Schema.Boolean, { default: () => false }) })
)
const isPublic = (folder: string): boolean =>
  !Schema.decodeSync(Visibility)(readFileSync(join(root, "packages", folder, "package.json"), "utf8")).private

const packages = readdirSync(join(root, "packages")).filter(isPublic).map(pack)
const tarballs = Object.fromEntries(packages.map(({ name, tarball }) => [name, tarball]))
const peers = Object.fromEntries(packages.flatMap(({ peerDependencies }) => Object.entries(peerDependencies)))

for (const { name, dependencies, peerDependencies } of packages) {
  const needed = Object.keys({ ...dependencies, ...peerDependencies })
  if (name.endsWith("/domain") && needed.join() !== "effect") fail(name, `It must need effect alone, not ${needed}`)
}

/** A program of a user's: the client against the emulator, over HTTP. */
const program = `
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { formatStoreRef } from "@effect-apify/domain"
import { parseStoreRef } from "@effect-apify/domain/StoreRef"
import { DEMO_TOKEN, Emulator } from "@effect-apify/emulator"
import { ApifyClient, getStore } from "@effect-apify/http"
import { layerStores } from "@effect-apify/http/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

const client = Layer.unwrapEffect(
  Effect.map(Emulator, ({ url }) => ApifyClient.layer({ token: Redacted.make(DEMO_TOKEN), baseUrl: url }))
).pipe(Layer.provide([Emulator.layer(), FetchHttpClient.layer]))

const main = Effect.gen(function* () {
  const ref = formatStoreRef(yield* parseStoreRef("WkzbQMuFYuamGv3YF"))
  const store = yield* getStore(ref).pipe(Effect.provide(client))
  const same = yield* getStore(ref).pipe(Effect.provide(layerStores({ stores: [store], caller: "janedoe" })))
  if (store.id !== ref || same.id !== ref) return yield* Effect.dieMessage("The stores differ")
})

await Effect.runPromise(main)
`

/** Imports every public module, and meets a closed door at every private one. */
const doors = `
for (const name of ${JSON.stringify(packages.flatMap(({ imports }) => imports))}) await import(name)
for (const name of ${JSON.stringify(packages.flatMap(({ closed }) => closed))}) {
  const code = await import(name).then(() => "none", (error) => error.code)
  if (code !== "ERR_PACKAGE_PATH_NOT_EXPORTED") throw new Error(name + " can be imported: " + code)
}
`

const files = {
  "package.json": JSON.stringify({ private: true, type: "module", dependencies: { ...peers, ...tarballs } }),
  // Our packages are on no registry yet: each finds the others in their tarballs.
  "pnpm-workspace.yaml": JSON.stringify({ overrides: tarballs, strictPeerDependencies: true }),
  "tsconfig.json": JSON.stringify({
    compilerOptions: {
      strict: true,
      exactOptionalPropertyTypes: true,
      module: "NodeNext",
      target: "ES2022",
      lib: ["ES2022", "DOM", "DOM.Iterable"],
      types: ["node"],
      typeRoots: [join(root, "node_modules", "@types")],
      allowJs: true,
      checkJs: true,
      noEmit: true
    },
    files: ["program.js"]
  }),
  "program.js": program,
  "doors.js": doors
}
mkdirSync(user)
for (const [name, text] of Object.entries(files)) writeFileSync(join(user, name), text)

const installing = ["npx", "--yes", "pnpm@12", "install", "--no-frozen-lockfile", "--ignore-scripts"] as const
run("user: install the tarballs", user, ...installing)
run("user: run a program", user, process.execPath, "program.js")
run("user: import all that is public, nothing that is private", user, process.execPath, "doors.js")
run("user: typecheck the program", user, tool("tsc"), "-p", ".")
run("user: run the emulator's command", user, join("node_modules", ".bin", "effect-apify-emulator"), "--version")
