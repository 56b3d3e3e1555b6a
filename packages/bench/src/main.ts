/**
 * Measures everything, side by side in one run, and prints how it compares.
 *
 *     npx pnpm@12 bench                      the whole of it, into docs
 *     npx pnpm@12 bench --quick              a short run, which leaves docs as they are
 *     npx pnpm@12 bench --out numbers.json   the raw numbers to a file of your choice as well
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { availableParallelism, loadavg, tmpdir } from "node:os"
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
import { STORE_ID } from "./page.js"
import { KEYS } from "./recordServer.js"
import { drawing, tables, withTables } from "./report.js"
import { Counted, Decoding, type Emulated, ManyStores, Results } from "./results.js"
import type { Task, TaskMessage } from "./tasks.js"
import { makeUserFolder } from "./userFolder.js"

const { values: flags } = parseArgs({ options: { quick: { type: "boolean" }, out: { type: "string" } } })

const MEBIBYTE = 1_024 * 1_024

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
      tasks: { rounds: 1, share: 0.1, stream: 64 * MEBIBYTE },
      emulator: { share: 0.2, rounds: 1, keys: 100_000 }
    }
  : {
      generations: 2,
      rounds: 3,
      warmUp: 10_000,
      duration: 1_200,
      imports: 15,
      decoding: 2_000,
      stores: [10_000, 100_000],
      tasks: { rounds: 3, share: 1, stream: 1_024 * MEBIBYTE },
      emulator: { share: 1, rounds: 3, keys: 1_000_000 }
    }

/** A rate that every client keeps up with on a machine of our day. */
const ARRIVALS_PER_SECOND = 300

const loads: Readonly<Record<string, Load>> = {
  "1 in flight": { inFlight: 1 },
  "32 in flight": { inFlight: 32 },
  "256 in flight": { inFlight: 256 },
  [`${ARRIVALS_PER_SECOND} a second`]: { perSecond: ARRIVALS_PER_SECOND }
}

interface PlannedTask {
  readonly task: Task
  readonly inFlight: number
  /** How often in a round, of the whole benchmark. */
  readonly times: number
  /** How often before the first round, besides once. */
  readonly warmUp: number
  readonly clients: ReadonlyArray<string>
}

const recordClients = ["undici", "fetch", "apify-client", "FetchTransport", "UndiciTransport"]
const linkClients = ["WebCrypto", "apify-client", "UndiciTransport"]

const planned = (
  task: Task,
  inFlight: number,
  times: number,
  warmUp: number,
  clients: ReadonlyArray<string> = recordClients
): PlannedTask => ({ task, inFlight, times, warmUp, clients })

/** What is done with records, by its name in the table. */
const tasks: Readonly<Record<string, PlannedTask>> = {
  "get 1 kB, 32 in flight": planned({ do: "get", size: 1_000 }, 32, 4_000, 15_000),
  "put 1 kB, 32 in flight": planned({ do: "put", size: 1_000 }, 32, 4_000, 15_000),
  "get 100 kB, 8 in flight": planned({ do: "get", size: 100_000 }, 8, 1_000, 3_000),
  "put 100 kB, 8 in flight": planned({ do: "put", size: 100_000 }, 8, 1_000, 3_000),
  "get 10 MB, 2 in flight": planned({ do: "get", size: 10_000_000 }, 2, 30, 10),
  "put 10 MB, 2 in flight": planned({ do: "put", size: 10_000_000 }, 2, 30, 10),
  "download 1 GiB": planned({ do: "download", size: plan.tasks.stream }, 1, 3, 1),
  "upload 1 GiB": planned({ do: "upload", size: plan.tasks.stream }, 1, 3, 1),
  "list 100,000 keys": planned({ do: "list", size: KEYS }, 1, 2, 20, ["undici, 60 a second", ...recordClients]),
  "list 100,000 keys, page by page": planned({ do: "pages", size: KEYS }, 1, 10, 30),
  "links, one by one": planned({ do: "link", size: 1 }, 1, 5_000, 10_000, linkClients),
  "links, 16 at a time": planned({ do: "link", size: 1 }, 16, 5_000, 10_000, linkClients)
}

/** A number of a quick run, or of the whole. */
const shareOf = (times: number, share: number): number => Math.ceil(times * share)

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

/** A client at a task, in a process that is warm and waits for a message to begin. */
const taskContender = (name: string, { inFlight, task, times, warmUp }: PlannedTask, baseUrl: string) =>
  Effect.gen(function* () {
    const { share } = plan.tasks
    const args = [JSON.stringify(task), String(inFlight), baseUrl, String(shareOf(warmUp, share))]
    const child = yield* start("taskChild", [name, ...args])
    yield* next(child, Schema.Literal("ready"))
    const reply = <A, I>(measure: TaskMessage["measure"], schema: Schema.Schema<A, I>) =>
      Effect.suspend(() => {
        child.send({ measure, times: shareOf(times, share) } satisfies TaskMessage)
        return next(child, schema)
      })
    return { counted: reply("time", Counted), growth: reply("growth", Schema.Number) }
  })

/**
 * What a task takes, and then how memory grows: for that all garbage is collected first, and a full collection while nothing is
 * under way makes V8 drop most of what it had optimized, and then collect everything again after every few megabytes.
 */
const atTask = (task: PlannedTask, baseUrl: string) =>
  Effect.gen(function* () {
    const { rounds } = plan.tasks
    const children: Record<string, Effect.Effect.Success<ReturnType<typeof taskContender>>> = {}
    for (const name of task.clients) children[name] = yield* taskContender(name, task, baseUrl)
    const counted = yield* interleaved(children, rounds, (_, { counted }) => counted)
    return { counted, growth: yield* interleaved(children, rounds, (_, { growth }) => growth) }
  }).pipe(Effect.scoped)

interface EmulatorRequest {
  readonly path: string
  readonly inFlight: number
  readonly requests: number
  /** What the database is, and how many records it has. Default: in memory. */
  readonly database?: readonly [file: string, records: string]
}

/** The emulator in a process of its own, with a client in another. */
const emulated = ({ database = [":memory:", "0"], inFlight, path, requests }: EmulatorRequest) =>
  Effect.gen(function* () {
    const { rounds, share } = plan.emulator
    const times = String(shareOf(requests, share))
    const server = yield* start("emulatorChild", database)
    const baseUrl = yield* next(server, Schema.String)
    const client = yield* start("emulatorClientChild", [baseUrl, path, String(inFlight), times, times])
    yield* next(client, Schema.Literal("ready"))
    const reply = <A, I>(child: typeof server, schema: Schema.Schema<A, I>) =>
      Effect.suspend(() => {
        child.send("next")
        return next(child, schema)
      })
    const round = Effect.gen(function* () {
      const before = yield* reply(server, Schema.Number)
      const { p50, perSecond } = yield* reply(client, Counted)
      const after = yield* reply(server, Schema.Number)
      return { p50, perSecond, cpu: (after - before) / Number(times) } satisfies Emulated
    })
    return yield* Effect.all(Array.from({ length: rounds }, () => round))
  }).pipe(Effect.scoped)

const scratchFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-apify-bench-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

const emulator = Effect.gen(function* () {
  const store = `/v2/key-value-stores/${STORE_ID}`
  const folder = yield* scratchFolder
  const keys = plan.emulator.keys
  const middle = `key-${String(keys / 2).padStart(8, "0")}`
  const requests: Readonly<Record<string, EmulatorRequest>> = {
    "Get store, 32 in flight": { path: store, inFlight: 32, requests: 10_000 },
    "a record of 1 kB, 32 in flight": { path: `${store}/records/some-key`, inFlight: 32, requests: 10_000 },
    "1,000 keys of a million": {
      path: `${store}/keys?limit=1000&exclusiveStartKey=${middle}`,
      inFlight: 1,
      requests: 500,
      database: [join(folder, "emulator.db"), String(keys)]
    }
  }
  return yield* Effect.all(
    Object.fromEntries(Object.entries(requests).map(([name, request]) => [name, emulated(request)]))
  )
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

  const recordsUrl = yield* Effect.flatMap(start("recordServerChild"), (server) => next(server, Schema.String))
  const done: Record<string, Record<string, ReadonlyArray<Counted>>> = {}
  const growth: Record<string, Record<string, ReadonlyArray<number>>> = {}
  for (const [label, task] of Object.entries(tasks)) {
    yield* Console.log(`Records, ${label}…`)
    const measured = yield* atTask(task, recordsUrl)
    done[label] = measured.counted
    growth[label] = measured.growth
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
  const served = yield* emulator
  const machine = { node: process.version, cores: availableParallelism(), busyBefore }
  return {
    machine,
    loads: counted,
    tasks: done,
    growth,
    decoding,
    imports: imported,
    bundles,
    manyStores,
    emulator: served
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
