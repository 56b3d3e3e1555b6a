/**
 * How the body of a response is collected: whole, or up to the cap, in memory of the same order.
 */
import { gzipSync } from "node:zlib"
import * as Headers from "@effect/platform/Headers"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import { Collector } from "../src/internal/collect.js"
import { apiErrorOf } from "../src/internal/response.js"

const head = (status = 200, headers: Record<string, string> = {}) => ({ status, headers: Headers.fromInput(headers) })

const chunks = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 20 })

/** Some of them are too large to be copied together with others. */
const chunksOfAnySize = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.integer({ min: 1000, max: 5000 }).map((length) => new Uint8Array(length).fill(length))
  ),
  { maxLength: 20 }
)

const bytesOf = (chunks: ReadonlyArray<Uint8Array>) => chunks.flatMap((chunk) => [...chunk])

describe("a body", () => {
  it.prop(
    "is all its chunks, or as much of them as the cap allows",
    [chunks, fc.nat(200), fc.boolean()],
    ([chunks, cap, isDeclared]) => {
      const whole = bytesOf(chunks)
      const declared = isDeclared && whole.length <= cap ? { "content-length": String(whole.length) } : {}
      const collector = new Collector(head(200, declared), "GET", cap)
      const wanted = chunks.map((chunk) => collector.push(chunk))
      // A transport stops at the first chunk that is too much.
      const taken = wanted.includes(false) ? whole.slice(0, cap) : whole
      if (!wanted.includes(false)) assert.isAtMost(whole.length, cap)
      assert.deepStrictEqual([...collector.response.body].slice(0, taken.length), taken)
      assert.strictEqual(collector.response.isTruncated, whole.length > cap)
    }
  )

  it.prop("is not kept in the transport's chunks", [chunks], ([chunks]) => {
    const collector = new Collector(head(), "GET", 1000)
    const [first, ...rest] = chunks.filter((chunk) => chunk.length > 0)
    if (first === undefined || rest.length === 0) return
    const whole = bytesOf([first, ...rest])
    for (const chunk of [first, ...rest]) {
      collector.push(chunk)
      if (chunk !== first) chunk.fill(0)
    }
    assert.deepStrictEqual([...collector.response.body], whole)
  })

  it.prop("is joined whatever the sizes of its chunks are", [chunksOfAnySize], ([chunks]) => {
    const collector = new Collector(head(), "GET", 1_000_000)
    for (const chunk of chunks) collector.push(chunk)
    const { response } = collector
    assert.deepStrictEqual([...response.body], bytesOf(chunks))
    assert.strictEqual(response.body, response.body)
  })

  it.prop(
    "is the same text wherever it is cut",
    [
      fc.string({ unit: fc.oneof(fc.string({ unit: "grapheme", maxLength: 1 }), fc.constant("\ufeff")) }),
      fc.constantFrom("", "\ufeff")
    ],
    ([message, mark]) => {
      const bytes = new TextEncoder().encode(mark + JSON.stringify({ error: { type: "some-type", message } }))
      for (let cut = 1; cut < bytes.length; cut++) {
        const collector = new Collector(head(400), "GET", 1000)
        collector.push(bytes.subarray(0, cut))
        collector.push(bytes.subarray(cut))
        assert.strictEqual(Option.getOrThrow(apiErrorOf(collector.response)).message, message)
      }
    }
  )

  it("in chunks of one byte takes memory for its bytes, and not for its chunks", () => {
    const cap = 1024 * 1024
    const collector = new Collector(head(), "GET", cap)
    let taken = 0
    while (taken < cap && collector.push(Uint8Array.of(taken))) taken += 1
    assert.strictEqual(taken, cap)
    const { body } = collector.response
    assert.strictEqual(body.length, cap)
    assert.strictEqual(body.buffer.byteLength, cap)
    assert.isFalse(collector.push(Uint8Array.of(0)))
  })
})

describe("how a body is read", () => {
  it.each([
    [200, {}, "GET", "chunks"],
    [200, { "content-length": "1000" }, "GET", "whole"],
    [200, { "content-length": "1001" }, "GET", "stop"],
    [200, { "content-length": "10", "content-encoding": "gzip" }, "GET", "chunks"],
    [404, { "content-length": "1000000" }, "GET", "chunks"],
    [204, {}, "DELETE", "none"],
    [304, { "content-length": "900" }, "GET", "none"],
    [200, { "content-length": "900" }, "HEAD", "none"],
    [205, {}, "PUT", "stop"]
  ] as const)("status %i with %j of a %s is read: %s", (status, headers, method, reading) => {
    assert.strictEqual(new Collector(head(status, headers), method, 1000).reading, reading)
  })

  it("of an error stops after 16 KiB, whatever the cap on a success is", () => {
    for (const cap of [10, 1_000_000]) {
      const collector = new Collector(head(500), "GET", cap)
      assert.isTrue(collector.push(new Uint8Array(16 * 1024)))
      assert.isFalse(collector.push(new Uint8Array(1)))
    }
  })
})

describe("a body with an encoding that was not requested", () => {
  it("is decompressed, and the cap applies to the result", async () => {
    const text = new Uint8Array(5000).fill(0x20)
    for (const [cap, isTruncated] of [
      [5000, false],
      [4999, true]
    ] as const) {
      const collector = new Collector(head(200, { "content-encoding": "gzip" }), "GET", cap)
      collector.push(gzipSync(text))
      assert.isTrue(collector.isGzip)
      const response = await collector.gunzip()
      assert.strictEqual(response.isTruncated, isTruncated)
      if (!isTruncated) assert.deepStrictEqual([...response.body], [...text])
    }
  })

  it("is known for gzip whatever its chunks are, empty ones included", async () => {
    const collector = new Collector(head(), "GET", 1000)
    const [first, ...rest] = gzipSync("text")
    for (const chunk of [[], [first ?? 0], [], rest]) collector.push(Uint8Array.from(chunk))
    assert.isTrue(collector.isGzip)
    assert.strictEqual(new TextDecoder().decode((await collector.gunzip()).body), "text")
  })

  it("and cut short stays as it is", async () => {
    const collector = new Collector(head(), "GET", 1000)
    collector.push(gzipSync("x".repeat(100)).subarray(0, 15))
    assert.lengthOf((await collector.gunzip()).body, 15)
  })
})
