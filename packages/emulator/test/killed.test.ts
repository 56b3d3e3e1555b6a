/**
 * `kill -9` at any moment: whatever an emulator is killed at, its file holds afterwards all of a seed or none of it, and
 * the next emulator serves it.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import type { Readable } from "node:stream"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { bundle } from "../../../vitest.bundle.js"
import { scale, soaks } from "../../../vitest.scale.js"
import { hashToken } from "../src/Callers.js"
import { databaseLayer } from "../src/Database.js"
import { Emulator, type SeedJson } from "../src/index.js"
import { isUnfinished } from "../src/internal/journal.js"
import { request, storePath } from "./request.js"

/** For each of them all rounds. */
const FILES = scale({ test: 1, soak: 10 })

/** Of the ten kinds of moments at which an emulator is killed, below: in `test` those whose outcome is known. */
const ROUNDS = soaks ? [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] : [0, 2, 4, 6, 8]

/** Together more than SQLite keeps in memory until a commit, so that pages of what is not committed get into the file. */
const STORES = scale({ test: 600, soak: 1_000 })

// ---- What is loaded: each round's seed changes every row of the one before --------------------------------------------

const storeId = (index: number): string => `Store${String(index).padStart(12, "0")}`
const tokenOf = (generation: number): string => `token-${generation}`
const settingOf = (generation: number) => (generation % 2 === 0 ? "RESTRICTED" : "ANYONE_WITH_ID_CAN_READ")
const accessOf = (generation: number) => (generation % 2 === 0 ? "READ" : "WRITE")

const consoleUrl = `https://console.apify.com/${"a".repeat(5_000)}`
const at = "2019-12-12T07:34:14.202Z"

const seedOf = (generation: number): SeedJson => ({
  users: [
    { username: "owner", setting: settingOf(generation), tokens: [{ token: tokenOf(generation) }] },
    { username: "guest", setting: settingOf(generation) }
  ],
  stores: Array.from({ length: STORES }, (_, index) => ({
    owner: "owner",
    grants: [{ user: "guest", access: accessOf(generation) }],
    store: {
      id: storeId(index),
      name: `store-${index}`,
      createdAt: at,
      modifiedAt: at,
      accessedAt: at,
      consoleUrl,
      stats: { readCount: generation }
    }
  }))
})

const decodeRows = Schema.decodeUnknown(Schema.Array(Schema.Record({ key: Schema.String, value: Schema.Unknown })))

/** What a database holds of the seeds, counted by what distinguishes one seed from another. */
const held = (database: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return yield* Effect.all({
      integrity: Effect.flatMap(sql`PRAGMA integrity_check`, decodeRows),
      foreignKeys: Effect.flatMap(sql`PRAGMA foreign_key_check`, decodeRows),
      users: Effect.flatMap(sql`SELECT setting, count(*) AS rows FROM users GROUP BY setting`, decodeRows),
      tokens: Effect.flatMap(sql`SELECT hash, count(*) AS rows FROM tokens GROUP BY hash`, decodeRows),
      stores: Effect.flatMap(
        sql`SELECT read_count AS generation, count(*) AS rows FROM stores GROUP BY read_count`,
        decodeRows
      ),
      grants: Effect.flatMap(sql`SELECT access, count(*) AS rows FROM grants GROUP BY access`, decodeRows)
    })
  }).pipe(Effect.provide(databaseLayer(database)))

type Held = Effect.Effect.Success<ReturnType<typeof held>>

/** What it holds where it holds all of a seed; generation 0 is nothing. */
const allOf = (generation: number): Held => ({
  integrity: [{ integrity_check: "ok" }],
  foreignKeys: [],
  users: generation === 0 ? [] : [{ setting: settingOf(generation), rows: 2 }],
  tokens: generation === 0 ? [] : [{ hash: hashToken(Redacted.make(tokenOf(generation))), rows: 1 }],
  stores: generation === 0 ? [] : [{ generation, rows: STORES }],
  grants: generation === 0 ? [] : [{ access: accessOf(generation), rows: STORES }]
})

// ---- Who is killed -----------------------------------------------------------------------------------------------------

const scratch = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(`${tmpdir()}/emulator-`)),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

interface Moment {
  readonly by: "itself" | "parent"
  /** The step of `loadingChild`; one that it never reaches is when it serves. */
  readonly step: number
  /** What the file must hold of the seed then, where that does not hang on how fast the parent is. */
  readonly leaves: "all" | "none" | "either"
}

interface Files {
  readonly database: string
  readonly seed: string
}

interface Killed {
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

const loadAndKill = (program: string, { database, seed }: Files, { by, step }: Moment): Effect.Effect<Killed> =>
  Effect.acquireUseRelease(
    Effect.sync(
      (): ChildProcessByStdio<null, Readable, Readable> =>
        spawn(process.execPath, [program, database, seed, by, String(step)], {
          stdio: ["ignore", "pipe", "pipe"]
        })
    ),
    (child) =>
      Effect.async<Killed>((resume) => {
        const output = { stdout: "", stderr: "" }
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
          child.kill("SIGKILL")
          output.stdout += text
        })
        child.stderr.setEncoding("utf8").on("data", (text: string) => {
          output.stderr += text
        })
        child.once("close", (_, signal) => resume(Effect.succeed({ signal, ...output })))
      }),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

const NEVER = -1

/** How many steps it takes from the start to serving. */
const stepsUntilServing = (program: string, files: Files): Effect.Effect<number> =>
  Effect.map(loadAndKill(program, files, { by: "itself", step: NEVER, leaves: "all" }), ({ stdout }) =>
    Number(/^ready (\d+)\n/.exec(stdout)?.[1])
  )

// ---- The rounds --------------------------------------------------------------------------------------------------------

interface Outcome {
  readonly holdsAll: boolean
  /** Whether it was killed while the file held what was not committed. */
  readonly leftJournal: boolean
}

const round = Effect.fnUntraced(function* (
  program: string,
  { database, seed }: Files,
  before: number,
  generation: number,
  moment: Moment
) {
  writeFileSync(seed, JSON.stringify(seedOf(generation)))
  const { signal, stderr } = yield* loadAndKill(program, { database, seed }, moment)
  assert.deepStrictEqual([signal, stderr], ["SIGKILL", ""])
  const leftJournal = isUnfinished(database)

  // The restart: a seed of nobody adds nothing, not even the demo.
  const store = yield* Effect.scoped(
    Effect.gen(function* () {
      const context = yield* Layer.build(Emulator.layer({ database, seed: { users: [] } }))
      const { url } = Context.get(context, Emulator)
      return yield* request(url, storePath(storeId(STORES - 1)), { token: tokenOf(generation) })
    })
  )
  const holdsAll = store.status === 200
  if (holdsAll) assert.strictEqual(JSON.parse(store.text).data.stats.readCount, generation)
  else assert.strictEqual(store.status, 401)
  assert.deepStrictEqual(yield* held(database), allOf(holdsAll ? generation : before))
  return { holdsAll, leftJournal }
})

const anyMoments = fc.sample(
  fc.noBias(
    fc.record({
      by: fc.constantFrom("itself" as const, "parent" as const),
      progress: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    })
  ),
  FILES * ROUNDS.length
)

it.scopedLive(`each of ${FILES * ROUNDS.length} killed emulators leaves all of a seed in its file, or none of it`, () =>
  Effect.gen(function* () {
    const folder = yield* scratch
    const program = `${folder}/loadingChild.mjs`
    yield* Effect.promise(() => bundle(folder, `${import.meta.dirname}/loadingChild.ts`))
    const filesOf = (name: string): Files => ({ database: `${folder}/${name}.db`, seed: `${folder}/${name}.json` })

    const measured = filesOf("measured")
    writeFileSync(measured.seed, JSON.stringify(seedOf(1)))
    const stepsOfNew = yield* stepsUntilServing(program, measured)
    const stepsOfKnown = yield* stepsUntilServing(program, measured)
    assert.isAbove(stepsOfKnown, STORES)
    assert.isAbove(stepsOfNew, stepsOfKnown)

    // The last step is the end of the transaction, and the one before it the end of its last statement.
    const momentOf = (kind: number, index: number): Moment => {
      const steps = kind === 0 ? stepsOfNew : stepsOfKnown
      const { by, progress } = anyMoments[index] ?? { by: "parent", progress: 0 }
      switch (kind) {
        // While tables are made.
        case 0:
          return { by, step: Math.floor(progress * 60), leaves: "none" }
        case 2:
          return { by: "parent", step: steps - 2, leaves: "either" }
        case 4:
          return { by: "itself", step: steps - 1, leaves: "all" }
        case 6:
          return { by: "itself", step: steps - 2, leaves: "none" }
        case 8:
          return { by: "parent", step: NEVER, leaves: "all" }
        default: {
          const step = Math.floor(progress * (steps - 2))
          return { by, step, leaves: by === "itself" ? "none" : "either" }
        }
      }
    }

    const outcomes = yield* Effect.forEach(
      Array.from({ length: FILES }, (_, file) => file),
      (file) =>
        Effect.gen(function* () {
          let before = 0
          const outcomes: Array<Outcome> = []
          for (const [index, kind] of ROUNDS.entries()) {
            const generation = index + 1
            const moment = momentOf(kind, file * ROUNDS.length + index)
            const outcome = yield* round(program, filesOf(`file-${file}`), before, generation, moment)
            if (moment.leaves !== "either") assert.strictEqual(outcome.holdsAll, moment.leaves === "all")
            if (outcome.holdsAll) before = generation
            outcomes.push(outcome)
          }
          return outcomes
        }),
      { concurrency: 2 }
    ).pipe(Effect.map((outcomes) => outcomes.flat()))

    // Else nothing of what was not committed would have stood in a file, and nothing would have been undone.
    assert.isTrue(outcomes.some(({ leftJournal }) => leftJournal))
  })
)
