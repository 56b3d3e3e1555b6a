/**
 * `kill -9` while records are written: what was answered is there, whole, and everything else is as it was before or as it
 * was to be.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import type { Readable } from "node:stream"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import { bundle } from "../../../vitest.bundle.js"
import { scale } from "../../../vitest.scale.js"
import { databaseLayer } from "../src/Database.js"
import { CHUNK_BYTES } from "../src/Uploads.js"
import { CLOSED, get, put, seed, storeOf } from "./records.js"
import { scratch } from "./scratch.js"

const ROUNDS = scale({ test: 5, soak: 1_000 })
const TIMEOUT = ROUNDS * 60_000

/** Each has keys of its own, so that what it writes follows on what it wrote. */
const WRITERS = 3
const KEYS = 3

const sizes = fc.constantFrom(0, 1, 1_000, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES)

const rounds = fc.sample(
  fc.noBias(
    fc.record({
      /** It is killed when so many writes were answered, with others on their way. */
      answers: fc.integer({ min: 0, max: 12 }),
      writes: fc.infiniteStream(fc.record({ size: sizes, deletes: fc.nat({ max: 7 }).map((n) => n === 0) }))
    })
  ),
  ROUNDS
)

/** What a record may be: the bytes of a version, or nothing. */
type Version = Buffer | undefined

let written = 0
const newBody = (size: number): Buffer => {
  written += 1
  return Buffer.alloc(size, `version ${written};`)
}

const isSame = (a: Version, b: Version): boolean => (a === undefined ? b === undefined : b?.equals(a) === true)

interface Child {
  readonly process: ChildProcessByStdio<null, Readable, Readable>
  readonly url: string
}

const started = (program: string, args: ReadonlyArray<string>): Effect.Effect<Child, never, Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] })),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  ).pipe(
    Effect.flatMap((child) =>
      Effect.async<Child>((resume) => {
        let output = ""
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
          output += text
          const [, url] = /ready at (\S+)\n/.exec(output) ?? []
          if (url !== undefined) resume(Effect.succeed({ process: child, url }))
        })
        child.stderr.on("data", (text: Buffer) => resume(Effect.die(text.toString("utf8"))))
      })
    )
  )

/** Writes and deletes until it is killed, and keeps what each record may be then. */
const writeUntilKilled = (
  { process: child, url }: Child,
  possible: Map<string, ReadonlyArray<Version>>,
  { answers, writes }: (typeof rounds)[number]
) =>
  Effect.gen(function* () {
    let answered = 0
    const killed = new Promise<void>((resolve) => child.once("close", () => resolve()))
    if (answers === 0) child.kill("SIGKILL")
    const writer = Effect.fnUntraced(function* (number: number) {
      for (let step = 0; ; step++) {
        const key = `writer-${number}-${step % KEYS}`
        const { size, deletes } = writes.next().value
        const version = deletes ? undefined : newBody(size)
        const before = possible.get(key) ?? [undefined]
        possible.set(key, [...before, version])
        const { status } = yield* version === undefined
          ? get(url, CLOSED, key, { method: "DELETE" })
          : put(url, CLOSED, key, version)
        assert.strictEqual(status, version === undefined ? 204 : 201)
        possible.set(key, [version])
        answered += 1
        if (answered === answers) child.kill("SIGKILL")
      }
    })
    const numbers = Array.from({ length: WRITERS }, (_, number) => number)
    yield* Effect.forEach(numbers, (number) => Effect.exit(writer(number)), { concurrency: "unbounded" })
    yield* Effect.promise(() => killed)
    return answered
  })

const decodeRows = Schema.decodeUnknown(Schema.Array(Schema.Record({ key: Schema.String, value: Schema.Unknown })))

/** What a database says of itself, and of what should not be there. */
const stateOf = (database: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return yield* Effect.all({
      integrity: Effect.flatMap(sql`PRAGMA integrity_check`, decodeRows),
      foreignKeys: Effect.flatMap(sql`PRAGMA foreign_key_check`, decodeRows),
      discarded: Effect.flatMap(sql`SELECT upload_id FROM discarded`, decodeRows),
      strays: Effect.flatMap(
        sql`SELECT DISTINCT upload_id FROM chunks WHERE upload_id NOT IN
          (SELECT upload_id FROM records WHERE upload_id IS NOT NULL)`,
        decodeRows
      )
    })
  }).pipe(Effect.provide(databaseLayer(database)))

it.scopedLive(
  `records survive ${ROUNDS} killed emulators`,
  () =>
    Effect.gen(function* () {
      const folder = yield* scratch
      yield* Effect.promise(() => bundle(folder, `${import.meta.dirname}/../src/main.ts`))
      const [program, database] = [`${folder}/main.mjs`, `${folder}/apify.db`]
      const seeds = { all: `${folder}/seed.json`, none: `${folder}/none.json` }
      writeFileSync(seeds.all, JSON.stringify(seed))
      writeFileSync(seeds.none, JSON.stringify({ users: [] }))
      const possible = new Map<string, ReadonlyArray<Version>>()
      let answered = 0

      const checked = Effect.fnUntraced(function* (url: string) {
        let bytes = 0
        for (const [key, versions] of possible) {
          const response = yield* get(url, CLOSED, key)
          assert.include([200, 404], response.status)
          const found = response.status === 200 ? response.bytes : undefined
          assert.isTrue(
            versions.some((version) => isSame(version, found)),
            `${key}, of ${found?.length} bytes`
          )
          possible.set(key, [found])
          bytes += found?.length ?? 0
        }
        const { stats } = yield* storeOf(url, CLOSED)
        // There is no size before the first record was written, however many deletes were answered.
        assert.strictEqual(stats?.storageBytes ?? 0, bytes)
      })

      for (const [index, round] of rounds.entries()) {
        const args = ["--port", "0", "--database", database, "--seed", index === 0 ? seeds.all : seeds.none]
        yield* Effect.scoped(
          Effect.gen(function* () {
            const child = yield* started(program, args)
            yield* checked(child.url)
            answered += yield* writeUntilKilled(child, possible, round)
          })
        )
      }
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { url } = yield* started(program, ["--port", "0", "--database", database, "--seed", seeds.none])
          yield* checked(url)
        })
      )
      assert.isAbove(answered, 0)
      assert.deepStrictEqual(yield* stateOf(database), {
        integrity: [{ integrity_check: "ok" }],
        foreignKeys: [],
        discarded: [],
        strays: []
      })
    }),
  TIMEOUT
)
