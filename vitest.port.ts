/**
 * A port that is free, and stays so: Linux, macOS and Windows give none in this range to a process that asks for any, or to a
 * connection.
 */
import { randomInt } from "node:crypto"
import { createServer } from "node:net"
import * as Effect from "effect/Effect"

export const freePort: Effect.Effect<number> = Effect.async((resume) => {
  const attempt = (): void => {
    const port = randomInt(10_000, 30_000)
    const server = createServer()
      .once("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "EADDRINUSE") attempt()
        else resume(Effect.die(error))
      })
      .listen(port, "127.0.0.1", () => {
        server.close(() => resume(Effect.succeed(port)))
      })
  }
  attempt()
})
