/**
 * Runs an example in a process of its own.
 */
import { spawn } from "node:child_process"
import * as Effect from "effect/Effect"

/** The outcome of a process. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const ROOT = `${import.meta.dirname}/../..`

/** The environment without any settings for Apify. */
const neutral = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("APIFY_")))

/** Runs `examples/<name>.ts` to its end. */
export const run = (
  name: string,
  args: ReadonlyArray<string> = [],
  env: Readonly<Record<string, string>> = {}
): Effect.Effect<Ended> =>
  Effect.async((resume) => {
    const child = spawn(process.execPath, ["--import", "tsx", `examples/${name}.ts`, ...args], {
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
    child.once("error", (error) => resume(Effect.die(error)))
    child.once("close", (code) => resume(Effect.succeed({ code, ...output })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })
