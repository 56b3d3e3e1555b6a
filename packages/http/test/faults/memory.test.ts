/**
 * Rows 39 and 40: what a body far beyond the cap costs.
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
import { sampled, scale } from "../../../../vitest.scale.js"
import { transports } from "./transports.js"

const MEBIBYTE = 1024 * 1024

const folder = mkdtempSync(`${tmpdir()}/http-`)
const probe = `${folder}/memoryProbe.mjs`
beforeAll(() => bundle(folder, `${import.meta.dirname}/memoryProbe.ts`))
afterAll(() => rmSync(folder, { recursive: true }))

/** What the probe prints. */
const Measured = Schema.parseJson(Schema.Struct({ tags: Schema.Array(Schema.String), grown: Schema.Number }))
const execute = promisify(execFile)

const LARGE = scale({ test: 20, soak: 300 })
const bomb = await Fault.gzipBomb(LARGE)

layer(FaultServer.layer, { excludeTestServices: true })(`a body of ${LARGE} MiB`, (it) => {
  for (const transport of sampled(transports, 1)) {
    it.scoped(`rows 39 and 40 on ${transport.name}: costs less than 8 MiB, and is not read to its end`, () =>
      Effect.gen(function* () {
        const server = yield* FaultServer
        const origin = yield* server.listen()
        const plans = {
          "~warm-up": Fault.largeBody(3, "chunked"),
          "~declared": Fault.largeBody(LARGE, "declared"),
          "~chunked": Fault.largeBody(LARGE, "chunked"),
          "~bomb": bomb
        }
        yield* Effect.forEach(Object.entries(plans), ([store, fault]) => server.plan(store, Fault.forever(fault)))
        const [warmUp = "", ...bodies] = Object.keys(plans)
        const { stdout } = yield* Effect.promise(() =>
          execute(process.execPath, [probe, transport.name, origin.url, warmUp, ...bodies])
        )
        const { grown, tags } = yield* Schema.decode(Measured)(stdout)
        assert.deepStrictEqual(
          tags,
          bodies.map(() => "UnexpectedResponseError")
        )
        assert.isBelow(grown, 8 * MEBIBYTE)
        for (const store of bodies) {
          const { bytesSent, requests } = yield* server.report(store)
          assert.lengthOf(requests, 1)
          // The cap, and what the network holds on its way.
          assert.isBelow(bytesSent, 16 * MEBIBYTE)
        }
      })
    )
  }
})
