/**
 * Measures everything, side by side in one run, and tells how it compares.
 *
 *     npx pnpm@12 bench                      the whole of it, into docs
 *     npx pnpm@12 bench --quick              a short run, which leaves docs as they are
 *     npx pnpm@12 bench --out numbers.json   the raw numbers to a file of your choice
 */
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { availableParallelism, loadavg } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import * as Command from "@effect/platform/Command"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { GET_STORE_ON_FETCH, GET_STORE_WITH_APIFY_CLIENT, gzipSize } from "./bundles.js"
import { contenders } from "./contenders.js"
import type { Load } from "./load.js"
import { drawing, tables, withTables } from "./report.js"
import { Counted, Decoding, ManyStores, Results } from "./results.js"
import { makeUserFolder, userFolder } from "./userFolder.js"

const { values: flags } = parseArgs({ options: { quick: { type: "boolean" }, out: { type: "string" } } })

/** Times are milliseconds. */
const plan = flags.quick
  ? { rounds: 1, warmUp: 500, duration: 1_000, imports: 3, decoding: 300, stores: [1_000, 5_000] }
  : { rounds: 5, warmUp: 1_500, duration: 3_000, imports: 15, decoding: 3_000, stores: [10_000, 100_000] }

/** A rate that every client keeps up with on a machine of our day. */
const ARRIVALS_PER_SECOND = 300

const loads: Readonly<Record<string, Load>> = {
  "1 in flight": { inFlight: 1 },
  "32 in flight": { inFlight: 32 },
  "256 in flight": { inFlight: 256 },
  [`${ARRIVALS_PER_SECOND} a second`]: { perSecond: ARRIVALS_PER_SECOND }
}

/** What is imported, by its name in the table: of Effect, the modules that @effect-apify/http uses, or all of its two packages. */
const imports = {
  "Effect's modules, one by one": "./effectModules.js",
  "@effect-apify/http": "@effect-apify/http",
  "@effect-apify/http/node": "@effect-apify/http/node",
  "apify-client": "apify-client",
  undici: "undici",
  "Effect's barrels": "./effectBarrels.js"
}

/** No child takes longer than this, on the slowest of machines. */
const CHILD_TIMEOUT = Duration.minutes(10)

const node = (...args: ReadonlyArray<string>): Command.Command =>
  Command.make(process.execPath, ...args).pipe(Command.workingDirectory(userFolder), Command.stderr("inherit"))

/** What a child prints: its figures as JSON. The child ends when this is interrupted. */
const measure = <A, I>(figures: Schema.Schema<A, I>, ...args: ReadonlyArray<string>) =>
  Command.string(node(...args)).pipe(
    Effect.flatMap(Schema.decode(Schema.parseJson(figures))),
    Effect.timeout(CHILD_TIMEOUT),
    Effect.mapError((error) => new Error(`node ${args.join(" ")} did not measure`, { cause: error }))
  )

/** Every entry once in each round, one after the other and round after round, so that a machine that drifts is fair to all. */
const interleaved = <Entry, A, E, R>(
  entries: Readonly<Record<string, Entry>>,
  rounds: number,
  one: (name: string, entry: Entry) => Effect.Effect<A, E, R>
): Effect.Effect<Record<string, ReadonlyArray<A>>, E, R> =>
  Effect.gen(function* () {
    const measured: Record<string, Array<A>> = Object.fromEntries(Object.keys(entries).map((name) => [name, []]))
    for (let round = 0; round < rounds; round++) {
      for (const [name, entry] of Object.entries(entries)) measured[name]?.push(yield* one(name, entry))
    }
    return measured
  })

/** The URL of a server that lives as long as the scope. */
const startServer = Effect.gen(function* () {
  const server = yield* Command.start(node("serverChild.js"))
  const line = yield* server.stdout.pipe(Stream.decodeText(), Stream.splitLines, Stream.runHead)
  return yield* Option.match(line, {
    onNone: () => Effect.dieMessage("The server did not start"),
    onSome: Effect.succeed
  })
})

const underLoad = (name: string, load: Load, baseUrl: string) =>
  measure(Counted, "loadChild.js", name, JSON.stringify(load), baseUrl, String(plan.warmUp), String(plan.duration))

const results = Effect.gen(function* () {
  const [busyBefore = 0] = loadavg()
  yield* Console.log("Building what users install…")
  yield* Effect.promise(makeUserFolder)
  const baseUrl = yield* startServer

  const counted: Record<string, Record<string, ReadonlyArray<Counted>>> = {}
  for (const [label, load] of Object.entries(loads)) {
    yield* Console.log(`Requests, ${label}…`)
    counted[label] = yield* interleaved(contenders, plan.rounds, (name) => underLoad(name, load, baseUrl))
  }

  yield* Console.log("Decoding, imports, bundles…")
  const decoding = yield* measure(Decoding, "decodingChild.js", String(plan.decoding))
  const imported = yield* interleaved(imports, plan.imports, (_, specifier) =>
    measure(Schema.Number, "importChild.js", specifier)
  )
  const bundles = {
    "getStore on fetch, browser": yield* Effect.promise(() => gzipSize(GET_STORE_ON_FETCH, "browser")),
    "apify-client, Node": yield* Effect.promise(() => gzipSize(GET_STORE_WITH_APIFY_CLIENT, "node"))
  }

  yield* Console.log("Many stores…")
  const manyStores = yield* Effect.forEach(plan.stores, (stores) =>
    measure(ManyStores, "--expose-gc", "manyStoresChild.js", baseUrl, String(stores))
  )
  const machine = { node: process.version, cores: availableParallelism(), busyBefore }
  return { machine, loads: counted, decoding, imports: imported, bundles, manyStores } satisfies Results
}).pipe(Effect.scoped)

const root = join(import.meta.dirname, "..", "..", "..")
const page = join(root, "docs", "performance.md")

const write = (results: Results): void => {
  const json = flags.out ?? (flags.quick ? undefined : join(root, "docs", "performance.json"))
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(Schema.encodeSync(Results)(results), rounded, 2)}\n`)
  if (flags.quick) return
  writeFileSync(page, withTables(readFileSync(page, "utf8"), results))
  writeFileSync(join(root, "docs", "performance.svg"), drawing(results))
  execFileSync(join(root, "node_modules", ".bin", "biome"), ["format", "--write", join(root, "docs")], { cwd: root })
}

/** Four digits are more than any of the figures is good for. */
const rounded = (_: string, value: unknown): unknown =>
  typeof value === "number" ? Number(value.toPrecision(4)) : value

results.pipe(
  Effect.tap((results) => Console.log(`\n${tables(results)}`)),
  Effect.tap((results) => Effect.sync(() => write(results))),
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain
)
