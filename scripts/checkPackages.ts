/**
 * Packs what we publish, checks the tarballs, installs them into an empty folder, and uses them from there.
 *
 * It needs `dist`, which `tsc -b` makes.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Schema from "effect/Schema"
import { type Packed, packAll } from "./pack.js"
import { makeProject } from "./project.js"
import { fail, pass, root, run, tool } from "./step.js"

const Exports = Schema.parseJson(
  Schema.Struct({ exports: Schema.Record({ key: Schema.String, value: Schema.Unknown }) })
)

/** The modules in a package's `dist` or `src`, as paths without extension. */
const modulesIn = (files: ReadonlyArray<string>, folder: string, extension: string): ReadonlyArray<string> =>
  files
    .filter((file) => file.startsWith(`${folder}/`) && file.endsWith(extension))
    .map((file) => file.slice(folder.length + 1, -extension.length))

/** Checks one tarball; returns what can be imported from it, and what cannot. */
const checkTarball = ({ dependencies, files, folder, name, peerDependencies, tarball }: Packed) => {
  const sources = modulesIn(files, "src", ".ts")
  const modules = modulesIn(files, "dist", ".js")
  const misfits = [
    ...["README.md", "LICENSE"].filter((file) => !files.includes(file)).map((file) => `missing: ${file}`),
    ...files.filter((file) => /(^|\/)test\/|\.test\.|tsbuildinfo/.test(file)).map((file) => `not for users: ${file}`),
    ...sources.filter((name) => !modules.includes(name)).map((name) => `not built (tsc -b does it): src/${name}.ts`),
    ...modules.filter((name) => !sources.includes(name)).map((name) => `left from an old build: dist/${name}.js`)
  ]
  if (misfits.length > 0) fail(`${folder}: contents`, misfits.join("\n"))
  pass(`${folder}: contents`)

  const needed = Object.keys({ ...dependencies, ...peerDependencies })
  if (folder === "domain" && needed.join() !== "effect") fail(name, `It must need effect alone, not ${needed}`)

  const { exports } = Schema.decodeSync(Exports)(readFileSync(join(root, "packages", folder, "package.json"), "utf8"))
  // `main` is a command: to import it would run it.
  const isOpen = (name: string) => "./*" in exports && !name.startsWith("internal/") && name !== "main"
  const open = modules.filter((name) => name !== "index" && (isOpen(name) || `./${name}` in exports))
  const internal = modules.filter((name) => name !== "index" && !open.includes(name))
  run(`${folder}: publint`, root, tool("publint"), "run", tarball, "--strict")
  run(`${folder}: attw`, root, tool("attw"), tarball, "--profile", "esm-only", "--entrypoints", ".", ...open)

  const path = (module: string): string => `${name}/${module}`
  return { imports: [name, ...open.map(path)], closed: internal.map(path) }
}

const packages = packAll()
const checked = packages.map(checkTarball)

/** A user's program: the client against the emulator, over HTTP. */
const program = `
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { formatStoreRef } from "@effect-apify/domain"
import { parseStoreRef } from "@effect-apify/domain/StoreRef"
import { DEMO_TOKEN, Emulator } from "@effect-apify/emulator"
import { ApifyClient, getStore, HttpClientTransport } from "@effect-apify/http"
import { layerStores } from "@effect-apify/http/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

const client = Layer.unwrapEffect(
  Effect.map(Emulator, ({ url }) => ApifyClient.layer({ token: Redacted.make(DEMO_TOKEN), baseUrl: url }))
).pipe(Layer.provide([Emulator.layer(), HttpClientTransport.layer]), Layer.provide(FetchHttpClient.layer))

const main = Effect.gen(function* () {
  const ref = formatStoreRef(yield* parseStoreRef("WkzbQMuFYuamGv3YF"))
  const store = yield* getStore(ref).pipe(Effect.provide(client))
  const same = yield* getStore(ref).pipe(Effect.provide(layerStores({ stores: [store], caller: "janedoe" })))
  if (store.id !== ref || same.id !== ref) return yield* Effect.dieMessage("The stores differ")
})

await Effect.runPromise(main)
`

/** Imports every public module, and checks that no private one can be imported. */
const entries = `
for (const name of ${JSON.stringify(checked.flatMap(({ imports }) => imports))}) await import(name)
for (const name of ${JSON.stringify(checked.flatMap(({ closed }) => closed))}) {
  const code = await import(name).then(() => "none", (error) => error.code)
  if (code !== "ERR_PACKAGE_PATH_NOT_EXPORTED") throw new Error(name + " can be imported: " + code)
}
`

const files = {
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
  "entries.js": entries
}
// Each package, and the newest that their peer ranges allow: of undici, what this Node can load.
const newUndici = Number(process.versions.node.split(".")[0]) >= 24 ? {} : { undici: "^7" }
const ours = Object.fromEntries(packages.map(({ name, tarball }) => [name, `file:${tarball}`]))
const peers = Object.fromEntries(packages.flatMap(({ peerDependencies }) => Object.entries(peerDependencies)))
const user = makeProject("user", packages, { ...peers, ...newUndici, ...ours }, files)

run("user: run a program", user, process.execPath, "program.js")
run("user: import all that is public, nothing that is private", user, process.execPath, "entries.js")
run("user: typecheck the program", user, tool("tsc"), "-p", ".")
run("user: run the emulator's command", user, join("node_modules", ".bin", "effect-apify-emulator"), "--version")
