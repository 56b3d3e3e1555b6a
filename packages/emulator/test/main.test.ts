/**
 * The command line, run as a process of its own.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import * as Http from "node:http"
import { tmpdir } from "node:os"
import type { Readable } from "node:stream"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { DEMO_TOKEN } from "../src/index.js"
import { request, storePath } from "./request.js"

interface Emulator {
  readonly process: ChildProcessByStdio<null, Readable, Readable>
  /** What it has written so far. */
  readonly output: { stdout: string; stderr: string }
  readonly exit: Effect.Effect<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>
}

const run = (...args: ReadonlyArray<string>): Effect.Effect<Emulator, never, Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, ["--import", "tsx", `${import.meta.dirname}/../src/main.ts`, ...args], {
          stdio: ["ignore", "pipe", "pipe"],
          env: { ...process.env, NO_COLOR: "1" }
        })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    ),
    (child) => {
      const output = { stdout: "", stderr: "" }
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        output.stdout += text
      })
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        output.stderr += text
      })
      const exited = new Promise<number | null>((resolve) => child.once("close", resolve))
      return {
        process: child,
        output,
        exit: Effect.map(
          Effect.promise(() => exited),
          (code) => ({ code, ...output })
        )
      }
    }
  )

/** The URL of the ready line. */
const ready = ({ process, output }: Emulator): Effect.Effect<string, Error> =>
  Effect.async((resume) => {
    const look = () => {
      const url = /ready at (\S+)\n[\s\S]*Ctrl\+C\n/.exec(output.stdout)?.[1]
      if (url !== undefined) resume(Effect.succeed(url))
    }
    process.stdout.on("data", look)
    process.once("close", () => resume(Effect.fail(new Error(`It ended before it was ready: ${output.stderr}`))))
    look()
  })

const scratch = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(`${tmpdir()}/emulator-`)),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

describe("the command line", () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it.scopedLive(`is ready, answers, and ends cleanly at ${signal}, with a connection kept alive`, () =>
      Effect.gen(function* () {
        const emulator = yield* run("--port", "0")
        const url = yield* ready(emulator)
        assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/)
        assert.include(emulator.output.stdout, DEMO_TOKEN)
        const agent = new Http.Agent({ keepAlive: true })
        const answer = yield* request(url, storePath("WkzbQMuFYuamGv3YF"), { token: DEMO_TOKEN, agent })
        assert.strictEqual(answer.status, 200)
        emulator.process.kill(signal)
        const { code, stderr } = yield* emulator.exit
        agent.destroy()
        assert.deepStrictEqual([code, stderr], [0, ""])
      })
    )
  }

  it.scopedLive("loads a seed into a file, and finds it there the next time", () =>
    Effect.gen(function* () {
      const folder = yield* scratch
      writeFileSync(`${folder}/seed.json`, JSON.stringify({ users: [{ username: "jane", tokens: [{ token: "t1" }] }] }))
      for (const seed of [["--seed", `${folder}/seed.json`], []]) {
        const emulator = yield* run("--port", "0", "--database", `${folder}/apify.db`, ...seed)
        const answer = yield* request(yield* ready(emulator), storePath("~missing"), { token: "t1" })
        assert.strictEqual(answer.status, 404)
        assert.notInclude(emulator.output.stdout, DEMO_TOKEN)
        emulator.process.kill("SIGTERM")
        assert.strictEqual((yield* emulator.exit).code, 0)
      }
    })
  )

  it.scopedLive("explains itself with --help", () =>
    Effect.gen(function* () {
      const { code, stdout, stderr } = yield* (yield* run("--help")).exit
      assert.deepStrictEqual([code, stderr], [0, ""])
      for (const option of ["--port", "--host", "--database", "--seed"]) assert.include(stdout, option)
    })
  )

  describe("exits with 2 and a message", () => {
    for (const args of [["--port", "http"], ["--port", "65536"], ["--port", "1.5"], ["--unknown"], ["extra"]]) {
      it.scopedLive(`for ${args.join(" ")}`, () =>
        Effect.gen(function* () {
          const { code, stdout, stderr } = yield* (yield* run(...args)).exit
          assert.deepStrictEqual([code, stdout], [2, ""])
          assert.notStrictEqual(stderr.trim(), "")
        })
      )
    }
  })

  describe("exits with 1 and one message", () => {
    it.scopedLive("for a port in use", () =>
      Effect.gen(function* () {
        const { port } = new URL(yield* ready(yield* run("--port", "0")))
        const { code, stdout, stderr } = yield* (yield* run("--port", port)).exit
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.match(stderr, /^Cannot listen on port \d+ of 127\.0\.0\.1: it is in use\. .*\n$/)
      })
    )

    it.scopedLive("for a bad seed, naming the field and not the token", () =>
      Effect.gen(function* () {
        const file = `${yield* scratch}/seed.json`
        writeFileSync(file, JSON.stringify({ users: [{ username: "jane", tokens: [{ token: "a canary" }] }] }))
        const { code, stdout, stderr } = yield* (yield* run("--port", "0", "--seed", file)).exit
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.include(stderr, "users[0].tokens[0].token is not printable ASCII characters without spaces")
        assert.notInclude(stderr, "canary")
      })
    )

    it.scopedLive("for a seed or a database that is not there", () =>
      Effect.gen(function* () {
        const folder = yield* scratch
        for (const option of ["--seed", "--database"]) {
          const { code, stderr } = yield* (yield* run("--port", "0", option, `${folder}/missing/file`)).exit
          assert.strictEqual(code, 1)
          assert.include(stderr, `${folder}/missing/file`)
          assert.notInclude(stderr, "    at ")
        }
      })
    )
  })
})
