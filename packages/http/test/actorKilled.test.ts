/**
 * SIGTERM at any moment: an Actor that is stopped goes on, when it is started again, where it was. So does one that keeps its state
 * in a folder; and after a SIGKILL, where it was at its last save.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import type { Readable } from "node:stream"
import { assert, it } from "@effect/vitest"
import { DEMO_TOKEN, Emulator } from "@effect-apify/emulator"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { bundle } from "../../../vitest.bundle.js"
import { scale } from "../../../vitest.scale.js"
import { ApifyClient, FetchTransport, getRecordValue } from "../src/index.js"
import { eventOf, eventsServer } from "./eventsServer.js"
import { unhurried } from "./realSockets.js"

const ROUNDS = scale({ test: 6, soak: 100 })
const TIMEOUT = ROUNDS * 60_000

const STORE = "WkzbQMuFYuamGv3YF"

const rounds = fc.sample(
  fc.noBias(
    fc.record({
      /** It is killed as soon as it has counted so far: at 0 when it has loaded its state, below 0 before that. */
      counts: fc.integer({ min: -1, max: 60 }),
      /** Often, so that it is killed in the middle of a save; or never, so that the save at its end is the only one. */
      interval: fc.constantFrom(1, 5, 3_600_000),
      signal: fc.constantFrom("SIGTERM" as const, "SIGINT" as const)
    })
  ),
  ROUNDS
)

/** How far the Actor counts at least: so far it gets in one of the rounds. */
const MOST_COUNTS = Math.max(...rounds.map(({ counts }) => counts))

const scratch = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(`${tmpdir()}/actor-`)),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

interface Ended {
  /** The states that it has had. */
  readonly counts: ReadonlyArray<number>
  readonly stderr: string
}

interface Child {
  readonly process: ChildProcessByStdio<null, Readable, Readable>
  readonly ended: Effect.Effect<Ended>
}

/** Runs an Actor; `onCounts` learns how many states it has had so far. */
const started = (
  program: string,
  args: readonly [interval: number, folder?: string],
  env: NodeJS.ProcessEnv,
  onCounts: (child: Child["process"], counts: number) => void
) =>
  Effect.acquireRelease(
    Effect.sync((): Child => {
      const child = spawn(process.execPath, [program, ...args.map(String)], { env, stdio: ["ignore", "pipe", "pipe"] })
      const output = { stdout: "", stderr: "" }
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        output.stdout += text
        onCounts(child, output.stdout.split("\n").length - 1)
      })
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        output.stderr += text
      })
      const closed = new Promise<Ended>((resolve) =>
        child.once("close", () =>
          resolve({ counts: output.stdout.split("\n").slice(0, -1).map(Number), stderr: output.stderr })
        )
      )
      return { process: child, ended: Effect.promise(() => closed) }
    }),
    (child) => Effect.sync(() => child.process.kill("SIGKILL"))
  )

const environmentOf = (url: string, others: Readonly<Record<string, string>> = {}) => ({
  PATH: process.env.PATH,
  APIFY_API_BASE_URL: url,
  APIFY_TOKEN: DEMO_TOKEN,
  ACTOR_DEFAULT_KEY_VALUE_STORE_ID: STORE,
  ...others
})

const clientOf = (url: string) =>
  Layer.provide(
    ApifyClient.layer({ ...unhurried, baseUrl: url, token: Redacted.make(DEMO_TOKEN) }),
    FetchTransport.layer
  )

const savedCount = Effect.catchTag(getRecordValue(STORE, "STATE", Schema.Int), "RecordNotFoundError", () =>
  Effect.succeed(0)
)

const bundled = Effect.gen(function* () {
  const folder = yield* scratch
  yield* Effect.promise(() => bundle(folder, `${import.meta.dirname}/actorChild.ts`))
  return `${folder}/actorChild.mjs`
})

interface Place {
  readonly args: readonly [folder?: string]
  readonly env: NodeJS.ProcessEnv
  /** The state that is saved. */
  readonly saved: Effect.Effect<number, unknown>
}

const onEmulator = Effect.map(
  Emulator,
  ({ url }): Place => ({ args: [], env: environmentOf(url), saved: Effect.provide(savedCount, clientOf(url)) })
)

const storeIn = (folder: string): string => `${folder}/key_value_stores/default`

const inFolder = Effect.map(
  scratch,
  (folder): Place => ({
    args: [folder],
    env: { PATH: process.env.PATH },
    saved: Effect.sync(() =>
      existsSync(`${storeIn(folder)}/STATE.json`) ? Number(readFileSync(`${storeIn(folder)}/STATE.json`, "utf8")) : 0
    )
  })
)

it.scopedLive.each([
  ["the emulator", onEmulator],
  ["a folder", inFolder]
] as const)(
  `an Actor with its state in %s that is stopped ${ROUNDS} times has lost nothing`,
  ([, place]) =>
    Effect.gen(function* () {
      const program = yield* bundled
      const { args, env, saved } = yield* place
      let last = 0
      for (const { counts, interval, signal } of rounds) {
        // Once: at a second signal Node ends it at once.
        let isKilled = counts < 0
        const child = yield* started(program, [interval, ...args], env, (child, had) => {
          if (had > counts && !isKilled) isKilled = child.kill(signal)
        })
        if (isKilled) child.process.kill(signal)
        const ended = yield* child.ended
        assert.strictEqual(ended.stderr, "")
        if (counts >= 0) assert.strictEqual(ended.counts[0], last)
        last = ended.counts.at(-1) ?? last
        assert.strictEqual(yield* saved, last)
      }
      assert.isAtLeast(last, MOST_COUNTS)
    }).pipe(Effect.provide(Emulator.layer())),
  TIMEOUT
)

it.scopedLive(
  `an Actor with its state in a folder that is killed ${ROUNDS} times in the middle of its saves goes on from one of them`,
  () =>
    Effect.gen(function* () {
      const program = yield* bundled
      const folder = yield* scratch
      let saved = 0
      let last = 0
      for (const { counts } of rounds) {
        const child = yield* started(program, [1, folder], { PATH: process.env.PATH }, (child, had) => {
          if (had > Math.max(counts, 0)) child.kill("SIGKILL")
        })
        const ended = yield* child.ended
        assert.strictEqual(ended.stderr, "")
        const [first = 0] = ended.counts
        assert.isAtLeast(first, saved)
        assert.isAtMost(first, last)
        saved = first
        last = Math.max(last, ended.counts.at(-1) ?? 0)
        assert.includeMembers(["STATE.json", "__metadata__.json"], readdirSync(storeIn(folder)))
      }
      assert.isAtLeast(last, MOST_COUNTS)
    }),
  TIMEOUT
)

it.scopedLive("an Actor that is killed after it was told that it migrates has lost nothing of what was before", () =>
  Effect.gen(function* () {
    const program = yield* bundled
    const { url } = yield* Emulator
    const events = yield* eventsServer()
    const saved = Effect.provide(savedCount, clientOf(url))
    const env = environmentOf(url, { ACTOR_EVENTS_WEBSOCKET_URL: events.url })
    let last = 0
    const counted = yield* Deferred.make<void>()
    const child = yield* started(program, [3_600_000], env, (_, counts) => {
      last = counts - 1
      if (last >= 10) Deferred.unsafeDone(counted, Effect.void)
    })
    const { send } = yield* events.connections.take
    yield* Deferred.await(counted)
    const before = last
    yield* send(eventOf("migrating"))
    yield* Effect.repeat(saved, { until: (count) => count >= before })
    child.process.kill("SIGKILL")
    yield* child.ended
    const again = yield* started(program, [3_600_000], env, (child) => child.kill("SIGKILL"))
    assert.isAtLeast((yield* again.ended).counts[0] ?? 0, before)
  }).pipe(Effect.provide(Emulator.layer()))
)
