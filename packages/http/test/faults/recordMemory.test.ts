/**
 * What records and listings of any size cost, and how a break late in them ends: rows 61, 75 to 77, 80 and 97.
 */
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, layer } from "@effect/vitest"
import { Fault, FaultServer } from "@effect-apify/fault-server"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { bundle } from "../../../../vitest.bundle.js"
import { scale, soaks, spread } from "../../../../vitest.scale.js"
import { listening, urlOf } from "../realSockets.js"
import { transports } from "./transports.js"

const MEBIBYTE = 1024 * 1024
const LARGE = scale({ test: 24, soak: 1024 })
const KEYS = scale({ test: 10_000, soak: 1_000_000 })
const WARM_UP = 4

/** What is on its way between the socket and the reader, many times less than the record. */
const MOST = 12 * MEBIBYTE

const folder = mkdtempSync(`${tmpdir()}/http-`)
beforeAll(() => bundle(folder, `${import.meta.dirname}/recordProbe.ts`))
afterAll(() => rmSync(folder, { recursive: true }))

/** What the probe prints. */
const Measured = Schema.parseJson(
  Schema.Struct({ outcome: Schema.String, through: Schema.Number, grown: Schema.Number })
)
const execute = promisify(execFile)

const probe = (transport: string, url: string, task: string, size: number) =>
  Effect.promise(() =>
    execute(process.execPath, [`${folder}/recordProbe.mjs`, transport, url, task, String(size)])
  ).pipe(Effect.flatMap(({ stdout }) => Schema.decode(Measured)(stdout)))

const chunk = new Uint8Array(MEBIBYTE)
const framed = Buffer.concat([Buffer.from("100000\r\n"), chunk, Buffer.from("\r\n")])
const head = (framing: string): Fault.Step => Fault.send(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n`)

const declared = (mebibytes: number, ...end: ReadonlyArray<Fault.Step>): Fault.Fault =>
  Fault.fault(
    `${mebibytes} MiB, declared`,
    head(`Content-Length: ${mebibytes * MEBIBYTE + (end.length === 0 ? 0 : 1)}`),
    Fault.flood(chunk, mebibytes),
    ...end
  )

const chunked = (mebibytes: number, end: Fault.Step): Fault.Fault =>
  Fault.fault(`${mebibytes} MiB, in chunks`, head("Transfer-Encoding: chunked"), Fault.flood(framed, mebibytes), end)

const RESET = "TransportError reset"

const downloads = [
  [
    "row 75",
    "a record of a declared length that is cut off gives its bytes and then a reset",
    "cut",
    RESET,
    Fault.close
  ],
  ["row 75", "a record in chunks that is cut off gives its bytes and then a reset", "cut-chunks", RESET, Fault.close],
  ["row 76", "a record that stalls gives its bytes and is then out of time", "stalled", "TimeoutError", Fault.hang],
  ["row 77", "a record that is read slowly is read whole", "slow", "success", undefined]
] as const

layer(FaultServer.layer, { excludeTestServices: true })(`${LARGE} MiB`, (it) => {
  for (const [index, [row, behaviour, task, outcome, end]] of (soaks ? downloads : downloads.slice(0, 1)).entries()) {
    for (const { name } of spread(transports, index)) {
      it.scoped(`${row} on ${name}: ${behaviour}, in flat memory`, () =>
        Effect.gen(function* () {
          const server = yield* FaultServer
          const { url } = yield* server.listen()
          const fault = (mebibytes: number) =>
            end === undefined
              ? declared(mebibytes)
              : task === "cut-chunks"
                ? chunked(mebibytes, end)
                : declared(mebibytes, end)
          yield* server.plan("~warm-up", Fault.forever(fault(WARM_UP)))
          yield* server.plan(`~${task}`, Fault.times(1, fault(LARGE)))
          const measured = yield* probe(name, url, task, LARGE)
          assert.deepInclude(measured, { outcome, through: LARGE })
          assert.isBelow(measured.grown, MOST)
        })
      )
    }
  }

  for (const { name } of soaks ? transports : []) {
    it.scoped(`row 80 on ${name}: a record over maxBodyBytes is not read to its end, in flat memory`, () =>
      Effect.gen(function* () {
        const server = yield* FaultServer
        const { url } = yield* server.listen()
        yield* server.plan("~warm-up", Fault.forever(Fault.largeBody(WARM_UP, "chunked")))
        yield* server.plan("~whole", Fault.times(1, Fault.largeBody(LARGE, "chunked")))
        const measured = yield* probe(name, url, "whole", LARGE)
        assert.strictEqual(measured.outcome, "RecordTooLargeError")
        assert.isBelow(measured.grown, MOST)
        assert.isBelow((yield* server.report("~whole")).bytesSent, 16 * MEBIBYTE)
      })
    )
  }

  if (soaks)
    it.scoped("row 81 on UndiciTransport: a record that expands a thousandfold is read whole, in flat memory", () =>
      Effect.gen(function* () {
        const server = yield* FaultServer
        const { url } = yield* server.listen()
        yield* server.plan("~warm-up", Fault.forever(yield* Effect.promise(() => Fault.gzipBomb(WARM_UP))))
        yield* server.plan("~encoded", Fault.times(1, yield* Effect.promise(() => Fault.gzipBomb(LARGE))))
        const measured = yield* probe("UndiciTransport", url, "encoded", LARGE)
        assert.deepInclude(measured, { outcome: "success", through: LARGE })
        assert.isBelow(measured.grown, MOST)
      })
    )

  const uploads = [
    ["rows 63 and 65", "an upload is read whole", "put", "success"],
    ["row 61", "an upload that the server cuts off is a reset", "put-cut", RESET],
    ["row 63", "an upload that is compressed is read whole", "put-gzip", "success"]
  ] as const

  for (const [index, [row, behaviour, task, outcome]] of (soaks ? uploads : uploads.slice(-1)).entries()) {
    for (const { name } of spread(transports, index + 2)) {
      it.scoped(`${row} on ${name}: ${behaviour}, in flat memory`, () =>
        Effect.gen(function* () {
          let received = 0
          const server = yield* listening((request, response) => {
            received = 0
            request.on("error", () => {})
            request.on("data", (bytes) => {
              received += bytes.length
              if (task === "put-cut" && received > (LARGE / 2) * MEBIBYTE) request.socket.destroy()
            })
            request.on("end", () => response.writeHead(201, { "content-type": "application/json" }).end("{}"))
          })
          const measured = yield* probe(name, urlOf(server), task, LARGE)
          assert.strictEqual(measured.outcome, outcome)
          assert.isBelow(measured.grown, MOST)
          if (task === "put") assert.strictEqual(received, LARGE * MEBIBYTE)
        })
      )
    }
  }
})

const keyOf = (place: number): string => `key-${String(place).padStart(8, "0")}`

/** As many pages as the keys take, of a thousand each. */
const pagesOf = (count: number): Fault.Fault => ({
  name: `${count} keys`,
  steps: ({ path }) => {
    const after = /exclusiveStartKey=key-(\d+)/.exec(path)?.[1]
    const start = after === undefined ? 0 : Number(after) + 1
    const items = Array.from({ length: Math.min(1000, count - start) }, (_, index) => ({
      key: keyOf(start + index),
      size: index
    }))
    const isTruncated = start + items.length < count
    const nextExclusiveStartKey = isTruncated ? keyOf(start + items.length - 1) : null
    const data = { items, count: items.length, limit: 1000, isTruncated, nextExclusiveStartKey }
    return [Fault.send(Fault.responseBytes({ body: JSON.stringify({ data }) }))]
  }
})

layer(FaultServer.layer, { excludeTestServices: true })(`${KEYS} keys`, (it) => {
  it.scoped("row 97: all of them are listed, in flat memory", () =>
    Effect.gen(function* () {
      const server = yield* FaultServer
      const { url } = yield* server.listen()
      yield* server.plan("~warm-up", Fault.forever(pagesOf(2000)))
      yield* server.plan("~keys", Fault.forever(pagesOf(KEYS)))
      const measured = yield* probe("UndiciTransport", url, "keys", KEYS)
      assert.deepInclude(measured, { outcome: "success", through: KEYS })
      assert.isBelow(measured.grown, MOST)
      assert.lengthOf((yield* server.report("~keys")).requests, KEYS / 1000)
    })
  )
})
