/**
 * The steps of a check: each prints one line, or says why it failed and ends the process.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** The workspace. */
export const root = join(import.meta.dirname, "..")

/** A folder outside the workspace, removed when the process ends. */
export const temporary = mkdtempSync(join(tmpdir(), "effect-apify-"))

process.on("exit", () => rmSync(temporary, { recursive: true, force: true }))
// While a command runs, the signal ends that command, which ends us through `run`.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1))

/** Ends the process. */
export const fail = (step: string, reason: string): never => {
  console.error(`✗ ${step}\n\n${reason.trim()}`)
  process.exit(1)
}

/** Tells of a step that needed no command. */
export const pass = (step: string): void => console.log(`✓ ${step}`)

/** Runs a command to its end, and returns what it printed. */
export const run = (step: string, folder: string, command: string, ...args: ReadonlyArray<string>): string => {
  const { error, status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8" })
  if (status !== 0) return fail(step, error?.message ?? `${stdout}\n${stderr}`)
  pass(step)
  return stdout
}

/** Runs pnpm, as the README does. */
export const pnpm = (step: string, folder: string, ...args: ReadonlyArray<string>): string =>
  run(step, folder, "npx", "--yes", "pnpm@12", ...args)

/** The path of a command of the workspace. */
export const tool = (name: string): string => join(root, "node_modules", ".bin", name)
