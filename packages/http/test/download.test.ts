import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Download, type DownloadSource } from "../src/internal/download.js"

const source: DownloadSource = {
  pause: () => {},
  resume: () => {},
  startIdleLimit: () => {},
  stopIdleLimit: () => {},
  endIdleLimit: () => {}
}

describe("a download", () => {
  it.effect.each([
    ["before it is read", false],
    ["while a reader waits", true]
  ] as const)("has no chunks without bytes, %s", ([, isWaiting]) =>
    Effect.gen(function* () {
      const download = new Download(source)
      const reader = yield* Effect.fork(download.pull)
      if (isWaiting) yield* Effect.yieldNow()
      download.push(new Uint8Array())
      download.push(Uint8Array.of(1))
      assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Fiber.join(reader)), [Uint8Array.of(1)])
    })
  )
})
