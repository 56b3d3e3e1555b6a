/**
 * Processes that measure, each killed when the scope that it was started in closes.
 */
import { type ChildProcess, fork } from "node:child_process"
import { join } from "node:path"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import { userFolder } from "./userFolder.js"

/** No measurement takes longer than this, on the slowest of machines. */
const PATIENCE = Duration.minutes(5)

/** Starts a child in plain Node, whatever this process runs in, and without this shell's environment, such as a proxy. */
export const start = (name: string, args: ReadonlyArray<string> = []): Effect.Effect<ChildProcess, never, Scope> =>
  Effect.acquireRelease(
    Effect.sync(() =>
      fork(join(userFolder, `${name}.js`), args, { cwd: userFolder, execArgv: ["--expose-gc"], env: {} })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

/** The next report of a child. */
export const next = <A, I>(child: ChildProcess, schema: Schema.Schema<A, I>): Effect.Effect<A, Error> =>
  Effect.async<unknown, Error>((resume) => {
    const settle = (outcome: Effect.Effect<unknown, Error>) => {
      child.off("message", onMessage).off("exit", onExit)
      resume(outcome)
    }
    const onMessage = (message: unknown) => settle(Effect.succeed(message))
    const onExit = () => settle(Effect.fail(new Error("It ended too early")))
    child.on("message", onMessage).on("exit", onExit)
  }).pipe(
    Effect.flatMap(Schema.decodeUnknown(schema)),
    Effect.timeout(PATIENCE),
    Effect.mapError((cause) => new Error(`${child.spawnargs.join(" ")} did not measure`, { cause }))
  )

/** The report of a child that measures one thing. */
export const measure = <A, I>(
  schema: Schema.Schema<A, I>,
  name: string,
  args: ReadonlyArray<string> = []
): Effect.Effect<A, Error> => Effect.scoped(Effect.flatMap(start(name, args), (child) => next(child, schema)))
