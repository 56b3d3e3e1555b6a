/**
 * Compressing and decompressing what is read chunk by chunk.
 */
import { gunzipSync, gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { type ByteTransform, Transformed } from "../src/internal/transform.js"
import { othersSettle } from "./simulatedTime.js"

/** A stream, transformed. */
const through = <E>(stream: Stream.Stream<Uint8Array, E>, transform: ByteTransform) =>
  Effect.gen(function* () {
    const runtime = yield* Effect.runtime<never>()
    const pull = yield* Stream.toPull(stream)
    return new Transformed<E | "refused">(pull, transform, runtime, Effect.fail("refused"))
  })

const bytesOf = <E>({ pull }: Transformed<E>) =>
  Effect.map(Stream.runCollect(Stream.repeatEffectChunkOption(pull)), (chunks) => Buffer.concat([...chunks]))

const chunks = fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 5 })

describe("what is transformed", () => {
  it.scopedLive.prop("is compressed, however it is cut", [chunks], ([chunks]) =>
    Effect.gen(function* () {
      const compressed = yield* through(Stream.fromIterable(chunks), new CompressionStream("gzip"))
      assert.isTrue(gunzipSync(yield* bytesOf(compressed)).equals(Buffer.concat(chunks)))
    })
  )

  it.scopedLive.prop(
    "is decompressed, however it is cut",
    [chunks, fc.integer({ min: 1, max: 50 })],
    ([chunks, size]) =>
      Effect.gen(function* () {
        const whole = gzipSync(Buffer.concat(chunks))
        const cuts = Array.from({ length: Math.ceil(whole.length / size) }, (_, n) =>
          whole.subarray(n * size, (n + 1) * size)
        )
        const decompressed = yield* through(Stream.fromIterable(cuts), new DecompressionStream("gzip"))
        assert.isTrue((yield* bytesOf(decompressed)).equals(Buffer.concat(chunks)))
      })
  )

  it.scopedLive.each([
    ["is cut off", [gzipSync("text").subarray(0, 15)]],
    ["is followed by more", [gzipSync("text"), Buffer.from("more")]],
    ["is not compressed", [Buffer.from("text")]]
  ] as const)("and %s is refused", ([, chunks]) =>
    Effect.gen(function* () {
      const decompressed = yield* through(Stream.fromIterable(chunks), new DecompressionStream("gzip"))
      assert.strictEqual(yield* Effect.flip(bytesOf(decompressed)), "refused")
    })
  )

  it.scopedLive("is refused although more of it arrives later", () =>
    Effect.gen(function* () {
      const isRefused = yield* Deferred.make<void>()
      const late = Stream.fromEffect(Effect.as(Deferred.await(isRefused), Buffer.from("late")))
      const decompressed = yield* through(
        Stream.concat(Stream.make(Buffer.from("not compressed")), late),
        new DecompressionStream("gzip")
      )
      assert.strictEqual(yield* Effect.flip(bytesOf(decompressed)), "refused")
      yield* Deferred.succeed(isRefused, undefined)
      yield* othersSettle
    })
  )

  it.scopedLive.each([
    ["fails", Cause.fail("mine" as const)],
    ["dies", Cause.die("a bug")]
  ] as const)("and %s ends with that", ([, cause]) =>
    Effect.gen(function* () {
      const stream = Stream.concat(Stream.make(Buffer.from("text")), Stream.failCause(cause))
      const exit = yield* Effect.exit(Effect.flatMap(through(stream, new CompressionStream("gzip")), bytesOf))
      assert.deepStrictEqual(Exit.isFailure(exit) && Cause.squash(exit.cause), Cause.squash(cause))
    })
  )

  it.scopedLive("and closed is read no more", () =>
    Effect.gen(function* () {
      const isInterrupted = yield* Deferred.make<void>()
      const isRead = yield* Deferred.make<void>()
      const silent = Stream.fromEffect(
        Effect.zipRight(Deferred.succeed(isRead, undefined), Effect.never).pipe(
          Effect.onInterrupt(() => Deferred.succeed(isInterrupted, undefined))
        )
      )
      const compressed = yield* through(silent, new CompressionStream("gzip"))
      const reading = yield* Effect.fork(bytesOf(compressed))
      yield* Deferred.await(isRead)
      yield* compressed.close
      yield* Deferred.await(isInterrupted)
      yield* Fiber.interrupt(reading)
    })
  )
})
