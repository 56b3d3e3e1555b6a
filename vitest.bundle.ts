/**
 * Programs as single files, which start several times as fast as hundreds of modules.
 */
import { createRequire } from "node:module"
import { build, type Plugin } from "esbuild"

// It loads a binary of its own, from beside itself.
const leaveLibsql: Plugin = {
  name: "leave libsql",
  setup: (build) => {
    build.onResolve({ filter: /^libsql$/ }, ({ importer }) => ({
      path: createRequire(importer).resolve("libsql"),
      external: true
    }))
  }
}

/** Bundles programs for Node: `<folder>/<name>.mjs` for each. */
export const bundle = (folder: string, ...programs: ReadonlyArray<string>): Promise<unknown> =>
  build({
    entryPoints: [...programs],
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    // For what is bundled of CommonJS.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url)' },
    plugins: [leaveLibsql],
    logLevel: "error"
  })

/** Bundles a program for browsers, as the text of a function. */
export const bundleForBrowsers = async (program: string): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [program],
    bundle: true,
    write: false,
    platform: "browser",
    format: "iife",
    target: "es2022",
    logLevel: "error"
  })
  return outputFiles.map(({ text }) => text).join("")
}
