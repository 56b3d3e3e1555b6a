/**
 * A program as one file.
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

/** Bundles a program for Node. */
export const bundle = (entryPoint: string, outfile: string): Promise<unknown> =>
  build({
    entryPoints: [entryPoint],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    plugins: [leaveLibsql],
    logLevel: "error"
  })
