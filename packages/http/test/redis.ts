/**
 * A Redis of a test's own, on a socket in a folder of its own, where the machine has a `redis-server`.
 */
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as Effect from "effect/Effect"

export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0

/** Where a Redis can be. */
export const redisSocket = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(`${tmpdir()}/redis-`)),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  ),
  (folder) => `${folder}/socket`
)

/** A Redis at that socket, once it takes connections. The scope's end kills it. */
export const redisAt = (socket: string) =>
  Effect.acquireRelease(
    Effect.async<ReturnType<typeof start>>((resume) => {
      const redis = start(socket)
      redis.stdout.setEncoding("utf8").on("data", (text: string) => {
        if (text.includes("ready to accept connections") || text.includes("accept connections at")) {
          resume(Effect.succeed(redis))
        }
      })
    }),
    (redis) =>
      Effect.async<void>((resume) => {
        if (redis.exitCode !== null || redis.signalCode !== null) return resume(Effect.void)
        redis.once("exit", () => resume(Effect.void))
        redis.kill("SIGKILL")
      })
  )

const start = (socket: string) =>
  spawn("redis-server", ["--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no"], {
    stdio: ["ignore", "pipe", "ignore"]
  })
