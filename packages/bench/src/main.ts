/**
 * Measures everything, side by side in one run, and prints how it compares.
 *
 *     npx pnpm@12 bench                      the whole of it, into docs
 *     npx pnpm@12 bench --quick              a short run, which leaves docs as they are
 *     npx pnpm@12 bench --out numbers.json   the raw numbers to a file of your choice as well
 */
import { readFileSync, writeFileSync } from "node:fs"
import { availableParallelism, loadavg } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { gzipSize, programs } from "./bundles.js"
import { measure, next, start } from "./children.js"
import { contenders } from "./contenders.js"
import type { Load } from "./load.js"
import { drawing, tables, withTables } from "./report.js"
import { Counted, Decoding, type Emulated, ManyStores, Results, Served } from "./results.js"
import { makeUserFolder } from "./userFolder.js"

const { values: flags } = parseArgs({ options: { quick: { type: "boolean" }, out: { type: "string" } } })

/** How long, in milliseconds, and how often. Warm-up counts requests: it takes so many until code is compiled for good. */
const plan = flags.quick
  ? {
      generations: 1,
      rounds: 1,
      warmUp: 3_000,
      duration: 1_000,
      imports: 3,
      decoding: 500,
      stores: [1_000, 5_000],
      emulator: { warmUp: 2_000, requests: 2_000, rounds: 1 }
    }
  : {
      generations: 2,
      rounds: 3,
      warmUp: 10_000,
      duration: 1_500,
      imports: 15,
      decoding: 2_000,
      stores: [10_000, 100_000],
      emulator: { warmUp: 10_000, requests: 10_000, rounds: 3 }
    }

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
  "ApifyClient, FetchTransport and Stores": "./fetchClient.js",
  "ApifyClient, UndiciTransport and Stores": "./undiciClient.js",
  "apify-client": "apify-client",
  undici: "undici",
  "Effect's barrels": "./effectBarrels.js"
}

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

/** One client under a load, in a process that is warm and waits for a message to count. */
const contender = (name: string, load: Load, baseUrl: string) =>
  Effect.gen(function* () {
    const child = yield* start("loadChild", [name, JSON.stringify(load), baseUrl, String(plan.warmUp)])
    yield* next(child, Schema.Literal("ready"))
    return Effect.suspend(() => {
      child.send(plan.duration)
      return next(child, Counted)
    })
  })

/** A generation of processes, one for each client, counting in turns. */
const generation = (load: Load, baseUrl: string) =>
  Effect.gen(function* () {
    const counts: Record<string, Effect.Effect<Counted, Error>> = {}
    for (const name of Object.keys(contenders)) counts[name] = yield* contender(name, load, baseUrl)
    return yield* interleaved(counts, plan.rounds, (_, count) => count)
  }).pipe(Effect.scoped)

const underLoad = (load: Load, baseUrl: string) =>
  Effect.map(
    Effect.forEach(Array.from({ length: plan.generations }), () => generation(load, baseUrl)),
    (generations) =>
      Object.fromEntries(
        Object.keys(contenders).map((name) => [name, generations.flatMap((counted) => counted[name] ?? [])])
      )
  )

/** The emulator in a process of its own, with a client in another. */
const emulator = Effect.gen(function* () {
  const { requests, rounds, warmUp } = plan.emulator
  const server = yield* start("emulatorChild")
  const baseUrl = yield* next(server, Schema.String)
  const client = yield* start("emulatorClientChild", [baseUrl, String(warmUp), String(requests)])
  yield* next(client, Schema.Literal("ready"))
  const reply = <A, I>(child: typeof server, schema: Schema.Schema<A, I>) =>
    Effect.suspend(() => {
      child.send("next")
      return next(child, schema)
    })
  const round = Effect.gen(function* () {
    const before = yield* reply(server, Schema.Number)
    const served = yield* reply(client, Served)
    const after = yield* reply(server, Schema.Number)
    return { ...served, cpu: (after - before) / served.requests } satisfies Emulated
  })
  return yield* Effect.all(Array.from({ length: rounds }, () => round))
}).pipe(Effect.scoped)

const results = Effect.gen(function* () {
  const [busyBefore = 0] = loadavg()
  yield* Console.log("Building what users install…")
  yield* Effect.promise(makeUserFolder)
  const baseUrl = yield* Effect.flatMap(start("serverChild"), (server) => next(server, Schema.String))

  const counted: Record<string, Record<string, ReadonlyArray<Counted>>> = {}
  for (const [label, load] of Object.entries(loads)) {
    yield* Console.log(`Requests, ${label}…`)
    counted[label] = yield* underLoad(load, baseUrl)
  }

  yield* Console.log("Decoding, imports, bundles…")
  const decoding = yield* measure(Decoding, "decodingChild", [String(plan.decoding)])
  const imported = yield* interleaved(imports, plan.imports, (_, specifier) =>
    measure(Schema.Number, "importChild", [specifier])
  )
  const bundles: Record<string, number> = {}
  for (const [name, program] of Object.entries(programs)) bundles[name] = yield* Effect.promise(() => gzipSize(program))

  yield* Console.log("Many stores…")
  const manyStores = yield* Effect.forEach(plan.stores, (stores) =>
    measure(ManyStores, "manyStoresChild", [baseUrl, String(stores)])
  )

  yield* Console.log("The emulator…")
  const emulated = yield* emulator
  const machine = { node: process.version, cores: availableParallelism(), busyBefore }
  return {
    machine,
    loads: counted,
    decoding,
    imports: imported,
    bundles,
    manyStores,
    emulator: emulated
  } satisfies Results
}).pipe(Effect.scoped)

const root = join(import.meta.dirname, "..", "..", "..")
const docs = (name: string): string => join(root, "docs", name)

const write = (results: Results): void => {
  const json = `${JSON.stringify(Schema.encodeSync(Results)(results), rounded, 2)}\n`
  if (flags.out !== undefined) writeFileSync(flags.out, json)
  if (flags.quick) return
  const [page, numbers] = [docs("performance.md"), docs("performance.json")]
  writeFileSync(page, withTables(readFileSync(page, "utf8"), results))
  writeFileSync(docs("performance.svg"), drawing(results))
  writeFileSync(numbers, json)
}

/** Four digits are more than any of the figures is good for. */
const rounded = (_: string, value: unknown): unknown =>
  typeof value === "number" ? Number(value.toPrecision(4)) : value

results.pipe(
  Effect.tap((results) => Console.log(`\n${tables(results)}`)),
  Effect.tap((results) => Effect.sync(() => write(results))),
  NodeRuntime.runMain
)
