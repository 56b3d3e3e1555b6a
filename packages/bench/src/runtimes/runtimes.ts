/**
 * The runtimes of the table: how each is installed, and how it runs the bundle of `calls.ts`.
 */
import { execFile } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import type { Browser, Page } from "playwright-core"
import { listen } from "../server.js"
import type { Outcome, Servers } from "./calls.js"
import { hasChromium, launchBrowser, servePages, shownBy } from "./chromium.js"

/** A folder outside the workspace, with the bundle, `browser.html` and its program in it, and the runtimes in its `node_modules`. */
export interface Place {
  readonly folder: string
  /** The name of the bundle in the folder. It exports `playAll`. */
  readonly bundle: string
  readonly servers: Servers
}

/** A runtime. */
export interface Runtime {
  readonly name: string
  /** The version, or nothing if this machine does not have it. */
  readonly version: (place: Place) => Promise<string | undefined>
  /** Runs the bundle. Gives the outcomes, as JSON. */
  readonly run: (place: Place, store: string) => Promise<string>
}

/** The oldest compatibility date that is supported: the first with the constructors of streams. */
const OLD_DATE = "2022-11-30"

const system = `${process.platform}-${process.arch}`

const nodes = [20, 22, 24, 26]

/** What to install from npm: the newest release of each line. */
export const dependencies: Readonly<Record<string, string>> = {
  ...Object.fromEntries(nodes.map((major) => [`node-${major}`, `npm:node-${system}@${major}`])),
  bun: "1",
  deno: "2",
  workerd: "1"
}

const PATIENCE_MILLIS = 120_000

/** Runs a command to its end, and returns what it printed. */
const print = async (command: string, args: ReadonlyArray<string>): Promise<string> => {
  const { stdout } = await promisify(execFile)(command, [...args], { timeout: PATIENCE_MILLIS, maxBuffer: 2 ** 24 })
  return stdout.trim()
}

const callOf = ({ bundle, servers }: Place, store: string): string =>
  `import { playAll } from "./${bundle}"\nconst play = () => playAll(${JSON.stringify(servers)}, ${JSON.stringify(store)})\n`

/** A runtime that runs a module by a command, and prints its version on `--version`. */
const commandLine = (name: string, path: string, args: ReadonlyArray<string> = []): Runtime => ({
  name,
  version: async ({ folder }) => {
    const [line = ""] = (await print(join(folder, path), ["--version"])).split("\n")
    return /\d+\.\d+\.\d+/.exec(line)?.[0]
  },
  run: async (place, store) => {
    const program = join(place.folder, `${store}.mjs`)
    await writeFile(program, `${callOf(place, store)}console.log(JSON.stringify(await play()))\n`)
    return print(join(place.folder, path), [...args, program])
  }
})

const workerd = (name: string, date: (newest: string) => string): Runtime => {
  const path = "node_modules/.bin/workerd"
  const newestOf = async (folder: string): Promise<string> =>
    (await print(join(folder, path), ["--version"])).replace("workerd ", "")
  return {
    name,
    version: async ({ folder }) => {
      const newest = await newestOf(folder)
      return `${newest}, as of ${date(newest)}`
    },
    run: async (place, store) => {
      const { bundle, folder } = place
      await writeFile(
        join(folder, `${store}.mjs`),
        `${callOf(place, store)}export default { test: async () => console.log(JSON.stringify(await play())) }\n`
      )
      const config = join(folder, `${store}.capnp`)
      await writeFile(
        config,
        `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [
  (name = "main", worker = (
    modules = [
      (name = "${store}.mjs", esModule = embed "${store}.mjs"),
      (name = "${bundle}", esModule = embed "${bundle}")
    ],
    compatibilityDate = "${date(await newestOf(folder))}"
  )),
  (name = "internet", network = (allow = ["local", "public", "private"]))
]);
`
      )
      return print(join(folder, path), ["test", config])
    }
  }
}

const withBrowser = async <A>(use: (browser: Browser) => Promise<A>): Promise<A> => {
  const browser = await launchBrowser()
  try {
    return await use(browser)
  } finally {
    await browser.close()
  }
}

/** What the example shows of the store that `playAll` has left. */
const openExample = async (page: Page, url: string): Promise<Outcome> => {
  const text = await shownBy(page, url)
  return { call: "open examples/browser.html", outcome: text === "3 pages" ? "yes" : text }
}

const chromium: Runtime = {
  name: "Chromium",
  version: async () => (hasChromium ? withBrowser(async (browser) => browser.version()) : undefined),
  run: async (place, store) => {
    const { bundle, folder, servers } = place
    const pages = servePages(folder)
    // Of another origin than the emulator's.
    const url = await listen(pages)
    try {
      return await withBrowser(async (browser) => {
        const page = await browser.newPage()
        await page.goto(`${url}/browser.html`)
        const args = `${JSON.stringify(servers)}, ${JSON.stringify(store)}`
        const played = await page.evaluate<string>(
          `import("/${bundle}").then(({ playAll }) => playAll(${args})).then(JSON.stringify)`
        )
        const example = await openExample(page, `${url}/browser.html?store=janedoe~${store}&api=${servers.emulator}`)
        return JSON.stringify([...JSON.parse(played), example])
      })
    } finally {
      pages.close()
    }
  }
}

/** All of them, in the order of the table. */
export const runtimes: ReadonlyArray<Runtime> = [
  ...nodes.map((major) => commandLine(`Node ${major}`, `node_modules/node-${major}/bin/node`)),
  commandLine("Deno", "node_modules/.bin/deno", ["run", "--allow-net"]),
  commandLine("Bun", "node_modules/.bin/bun"),
  workerd("workerd, old", () => OLD_DATE),
  workerd("workerd, new", (newest) => newest),
  chromium
]
