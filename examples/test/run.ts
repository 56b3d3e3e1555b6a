/**
 * Runs an example in a process of its own.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as Effect from "effect/Effect"
import { afterAll, beforeAll } from "vitest"
import { bundle } from "../../vitest.bundle.js"

/** The outcome of a process. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const ROOT = `${import.meta.dirname}/../..`

/** The environment without any settings for Apify. */
const neutral = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:APIFY|ACTOR)_/.test(name)))

const runProgram = (
  program: ReadonlyArray<string>,
  args: ReadonlyArray<string> = [],
  env: Readonly<Record<string, string>> = {},
  interrupted?: Promise<void>,
  isRead = true
): Effect.Effect<Ended> =>
  Effect.async((resume) => {
    const child = spawn(process.execPath, [...program, ...args], {
      cwd: ROOT,
      env: { ...neutral, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    const output = { stdout: "", stderr: "" }
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output.stdout += text
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output.stderr += text
    })
    if (!isRead) child.stdout.destroy()
    void interrupted?.then(() => child.kill("SIGINT"))
    child.once("error", (error) => resume(Effect.die(error)))
    child.once("close", (code) => resume(Effect.succeed({ code, ...output })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** Runs `examples/<name>.ts` to its end, by the command of the README. */
export const runSource = (name: string): Effect.Effect<Ended> => runProgram(["--import", "tsx", `examples/${name}.ts`])

/** The same, with nobody who reads its standard output. */
export const runUnread = (name: string): Effect.Effect<Ended> =>
  runProgram(["--import", "tsx", `examples/${name}.ts`], [], {}, undefined, false)

/** Bundles programs before the tests of a file. What it returns runs `examples/<name>.ts` to its end, with a Ctrl+C once `interrupted` is. */
export const bundled = <Name extends string>(...names: ReadonlyArray<Name>) => {
  const folder = mkdtempSync(`${tmpdir()}/examples-`)
  beforeAll(() => bundle(folder, ...names.map((name) => `${ROOT}/examples/${name}.ts`)))
  afterAll(() => rmSync(folder, { recursive: true }))
  return (
    name: Name,
    args?: ReadonlyArray<string>,
    env?: Readonly<Record<string, string>>,
    interrupted?: Promise<void>
  ): Effect.Effect<Ended> => runProgram([`${folder}/${name}.mjs`], args, env, interrupted)
}
