/**
 * What esbuild makes of programs: their size, and the modules that they are made of.
 */
import { gzipSync } from "node:zlib"
import { build, type Plugin } from "esbuild"

interface Program {
  readonly source: string
  readonly platform: "browser" | "node"
}

const URL = "https://api.apify.com/v2/key-value-stores/WkzbQMuFYuamGv3YF"

/**
 * Programs that get a store and print it, by their name in the table. They import modules: of a module that the package's
 * index exports as a namespace, bundlers leave nothing out.
 */
export const programs = {
  "getStore, FetchTransport": {
    platform: "browser",
    source: `
import * as ApifyClient from "@effect-apify/http/ApifyClient"
import * as FetchTransport from "@effect-apify/http/FetchTransport"
import { getStore } from "@effect-apify/http/Stores"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

getStore("WkzbQMuFYuamGv3YF").pipe(
  Effect.provide(Layer.provide(ApifyClient.layer(), FetchTransport.layer)),
  Effect.runPromise
).then(console.log)
`
  },
  "getStore, HttpClient fetch": {
    platform: "browser",
    source: `
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as ApifyClient from "@effect-apify/http/ApifyClient"
import * as HttpClientTransport from "@effect-apify/http/HttpClientTransport"
import { getStore } from "@effect-apify/http/Stores"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

getStore("WkzbQMuFYuamGv3YF").pipe(
  Effect.provide(ApifyClient.layer().pipe(Layer.provide(HttpClientTransport.layer), Layer.provide(FetchHttpClient.layer))),
  Effect.runPromise
).then(console.log)
`
  },
  "HttpClient, fetch": {
    platform: "browser",
    source: `
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"

HttpClient.get("${URL}").pipe(
  Effect.flatMap((response) => response.json),
  Effect.provide(FetchHttpClient.layer),
  Effect.runPromise
).then(console.log)
`
  },
  "apify-client": {
    platform: "node",
    source: `
import { ApifyClient } from "apify-client"

new ApifyClient().keyValueStore("WkzbQMuFYuamGv3YF").get().then(console.log)
`
  }
} satisfies Readonly<Record<string, Program>>

const resolveDir = import.meta.dirname

const bundle = ({ platform, source }: Program) =>
  build({
    stdin: { contents: source, resolveDir },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    target: "es2022",
    platform,
    logLevel: "error"
  })

/** Bytes of a program with all that it needs, minified and compressed. */
export const gzipSize = async (program: Program): Promise<number> => {
  const { outputFiles } = await bundle(program)
  return outputFiles.reduce((size, { contents }) => size + gzipSync(contents, { level: 9 }).length, 0)
}

/** The modules that a bundle has something of. */
export const bundledModules = async (program: Program): Promise<ReadonlyArray<string>> => {
  const { metafile } = await bundle(program)
  return Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs))
}

/** The modules that Node loads to import modules, whatever the packages' annotations say. */
export const modulesOf = async (...specifiers: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const { metafile } = await build({
    stdin: { contents: specifiers.map((specifier) => `import ${JSON.stringify(specifier)}`).join("\n"), resolveDir },
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "esm",
    ignoreAnnotations: true,
    logLevel: "error"
  })
  return Object.keys(metafile.inputs).filter((input) => input !== "<stdin>")
}

const isOurs = (specifier: string): boolean => specifier.startsWith(".") || specifier.startsWith("@effect-apify/")

/** What a module of ours imports from others, directly or through modules of ours: each of Effect's modules once. */
export const importsOf = async (specifier: string): Promise<ReadonlyArray<string>> => {
  const found = new Set<string>()
  const record: Plugin = {
    name: "record",
    setup: (build) => {
      build.onResolve({ filter: /.*/ }, ({ path }) => {
        if (isOurs(path)) return undefined
        found.add(path)
        return { path, external: true }
      })
    }
  }
  await build({
    stdin: { contents: `import ${JSON.stringify(specifier)}`, resolveDir },
    bundle: true,
    write: false,
    format: "esm",
    ignoreAnnotations: true,
    plugins: [record],
    logLevel: "error"
  })
  return [...found].sort()
}
