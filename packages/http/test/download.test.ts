import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
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

  it.effect("gives a reader what arrives after one that was interrupted", () =>
    Effect.gen(function* () {
      const download = new Download(source)
      const interrupted = yield* Effect.fork(download.pull)
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(interrupted)
      download.push(Uint8Array.of(1))
      assert.deepStrictEqual(Chunk.toReadonlyArray(yield* download.pull), [Uint8Array.of(1)])
    })
  )

  it.effect("has its idle limit while a reader waits, and ends it with itself", () =>
    Effect.gen(function* () {
      const calls: Array<string> = []
      const download = new Download({
        ...source,
        startIdleLimit: () => calls.push("start"),
        stopIdleLimit: () => calls.push("stop"),
        endIdleLimit: () => calls.push("end")
      })
      const first = yield* Effect.fork(download.pull)
      yield* Effect.yieldNow()
      download.push(Uint8Array.of(1))
      yield* Fiber.join(first)
      const second = yield* Effect.fork(download.pull)
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(second)
      download.finish(Option.none())
      download.finish(Option.none())
      assert.deepStrictEqual(calls, ["start", "stop", "start", "stop", "end"])
    })
  )

  it.effect("that is over takes no more chunks", () =>
    Effect.gen(function* () {
      const download = new Download(source)
      download.finish(Option.none())
      download.push(Uint8Array.of(1))
      assert.deepStrictEqual(yield* Effect.flip(download.pull), Option.none())
    })
  )
})
