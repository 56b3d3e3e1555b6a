import { createServer, type Server } from "node:http"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import { DEMO_TOKEN, Emulator } from "@effect-apify/emulator"
import {
  FetchTransport,
  getOrCreateStore,
  getRecord,
  listKeys,
  MalformedRecordError,
  putRecord,
  TransportError
} from "@effect-apify/http"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { localApify } from "../local.js"
import { copyRecords, folderPlace, type Place, storePlace } from "../storeCopy.js"
import { bundled } from "./run.js"

const FROM = "~copy-from"
const TO = "~copy-to"

const layer = Layer.merge(Layer.provide(localApify(), FetchTransport.layer), NodeContext.layer)

const test = <E>(name: string, effect: Effect.Effect<void, E, Layer.Layer.Success<typeof layer> | Scope.Scope>) =>
  it.live(name, () => effect.pipe(Effect.scoped, Effect.provide(layer)))

const large = new Uint8Array(300_000).map((_, index) => index % 251)

/** Keys that are hard to make files of, and what their records hold. */
const samples: ReadonlyArray<readonly [key: string, bytes: Uint8Array, contentType: string]> = [
  ["INPUT", Buffer.from("{}"), "application/json; charset=utf-8"],
  ["Input", Buffer.from("two"), "text/plain"],
  ["input", Buffer.from("three"), "text/html; charset=windows-1252"],
  ["con", Buffer.from("four"), "text/plain"],
  ["nul.txt", Buffer.from("five"), "text/plain"],
  ["ends.with.", Buffer.from("six"), "text/plain"],
  [".hidden", Buffer.from("seven"), "text/plain"],
  ["k".repeat(256), Buffer.from("eight"), "text/plain"],
  ["empty", new Uint8Array(), "image/png"],
  ["large", large, "application/octet-stream"]
]

const makeStore = Effect.gen(function* () {
  yield* getOrCreateStore({ name: FROM.slice(1) })
  for (const [key, bytes, contentType] of samples) yield* putRecord(FROM, key, bytes, { contentType })
})

const temporaryFolder = Effect.flatMap(FileSystem.FileSystem, (fileSystem) => fileSystem.makeTempDirectoryScoped())

const copy = (from: Place, to: Place) => copyRecords(from, to, () => Effect.void)

/** Everything that a store holds, by key. */
const contents = (ref: string) =>
  Effect.gen(function* () {
    const keys = yield* Stream.runCollect(listKeys(ref))
    const records = yield* Effect.forEach(keys, ({ key }) => getRecord(ref, key))
    return Object.fromEntries(
      records.map(({ bytes, contentType, key }) => [
        key,
        [Buffer.from(bytes).toString("base64"), Option.getOrNull(contentType)]
      ])
    )
  })

/** The place, where the large record never ends. */
const halting = (place: Place, begun: Deferred.Deferred<void>): Place => ({
  ...place,
  read: (key) =>
    Effect.map(place.read(key), (content) => ({
      ...content,
      bytes:
        key === "large"
          ? Stream.concat(
              Stream.take(content.bytes, 1),
              Stream.fromEffect(Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never))
            )
          : content.bytes
    }))
})

const POLL = Schedule.spaced("10 millis")

/** The address of a server with one record, which begins and never ends. */
const endlessRecord = Effect.acquireRelease(
  Effect.async<Server>((resume) => {
    const page = {
      items: [{ key: "endless", size: 1000 }],
      count: 1,
      limit: 1000,
      isTruncated: false,
      nextExclusiveStartKey: null
    }
    const server = createServer((request, response) => {
      if (request.url?.includes("/records/")) response.writeHead(200, { "content-type": "text/plain" }).write("half")
      else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ data: page }))
    }).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  }),
  (server) =>
    Effect.sync(() => {
      server.closeAllConnections()
      server.close()
    })
).pipe(
  Effect.map((server) => {
    const address = server.address()
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : address}`
  })
)

describe("a copy of a store", () => {
  test(
    "to another store holds the same",
    Effect.gen(function* () {
      yield* makeStore
      assert.deepStrictEqual(yield* copy(storePlace(FROM), storePlace(TO)), { copied: samples.length, skipped: 0 })
      assert.deepStrictEqual(yield* contents(TO), yield* contents(FROM))
    })
  )

  test(
    "to a folder, and from there to a store, holds the same",
    Effect.gen(function* () {
      yield* makeStore
      const folder = yield* temporaryFolder
      yield* copy(storePlace(FROM), folderPlace(folder))
      assert.deepStrictEqual(yield* copy(folderPlace(folder), storePlace(TO)), { copied: samples.length, skipped: 0 })
      assert.deepStrictEqual(yield* contents(TO), yield* contents(FROM))
    })
  )

  test(
    "to a folder has names that every file system tells apart",
    Effect.gen(function* () {
      yield* makeStore
      const folder = yield* temporaryFolder
      yield* copy(storePlace(FROM), folderPlace(folder))
      const names = yield* Effect.flatMap(FileSystem.FileSystem, (fileSystem) => fileSystem.readDirectory(folder))
      assert.strictEqual(new Set(names.map((name) => name.toLowerCase())).size, samples.length + 1)
      assert.includeMembers(names, [".hidden", "empty", "large"])
      assert.isEmpty(names.filter((name) => name.length > 255 || /^(?:con|nul)\b|\.$/.test(name)))
    })
  )

  test(
    "leaves out what is there already, and not what has another size",
    Effect.gen(function* () {
      yield* makeStore
      const folder = yield* temporaryFolder
      for (const [from, to] of [
        [storePlace(FROM), folderPlace(folder)],
        [folderPlace(folder), storePlace(TO)]
      ] as const) {
        yield* copy(from, to)
        assert.deepStrictEqual(yield* copy(from, to), { copied: 0, skipped: samples.length })
      }
      yield* putRecord(FROM, "con", "another", { contentType: "text/css" })
      assert.deepStrictEqual(yield* copy(storePlace(FROM), folderPlace(folder)), { copied: 1, skipped: 9 })
      assert.deepStrictEqual(yield* copy(folderPlace(folder), storePlace(TO)), { copied: 1, skipped: 9 })
      assert.deepStrictEqual(yield* contents(TO), yield* contents(FROM))
    })
  )

  test(
    "that is interrupted leaves no part of a record, and goes on from there",
    Effect.gen(function* () {
      yield* makeStore
      const folder = yield* temporaryFolder
      const fileSystem = yield* FileSystem.FileSystem
      for (const to of [storePlace(TO), folderPlace(folder)]) {
        const begun = yield* Deferred.make<void>()
        const fiber = yield* Effect.fork(copy(halting(storePlace(FROM), begun), to))
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(fiber)
        const names = yield* fileSystem.readDirectory(folder)
        assert.isEmpty(names.filter((name) => name.startsWith("~part")))
        const { finished } = yield* to.open
        assert.isFalse(finished.has("large"))
        const { copied, skipped } = yield* copy(storePlace(FROM), to)
        assert.deepStrictEqual([copied, skipped], [samples.length - finished.size, finished.size])
      }
      assert.deepStrictEqual(yield* contents(TO), yield* contents(FROM))
      yield* copy(folderPlace(folder), storePlace("~copy-third"))
      assert.deepStrictEqual(yield* contents("~copy-third"), yield* contents(FROM))
    })
  )

  test(
    "whose process was killed goes on: the rest of its files is removed, and a line that is not whole is left out",
    Effect.gen(function* () {
      yield* makeStore
      const folder = yield* temporaryFolder
      const fileSystem = yield* FileSystem.FileSystem
      yield* copy(storePlace(FROM), folderPlace(folder))
      const manifest = `${folder}/~records.jsonl`
      const text = yield* fileSystem.readFileString(manifest)
      yield* fileSystem.writeFileString(manifest, text.slice(0, -5))
      yield* fileSystem.writeFileString(`${folder}/~part-7`, "half")
      assert.deepStrictEqual(yield* copy(storePlace(FROM), folderPlace(folder)), { copied: 1, skipped: 9 })
      assert.isFalse(yield* fileSystem.exists(`${folder}/~part-7`))
      yield* copy(folderPlace(folder), storePlace(TO))
      assert.deepStrictEqual(yield* contents(TO), yield* contents(FROM))
    })
  )

  test(
    "from a folder that people made has its files, and none of its folders",
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const fileSystem = yield* FileSystem.FileSystem
      yield* fileSystem.makeDirectory(`${folder}/more`)
      yield* fileSystem.writeFileString(`${folder}/notes.txt`, "Some text")
      yield* copy(folderPlace(folder), storePlace(TO))
      const bytes = Buffer.from("Some text").toString("base64")
      assert.deepStrictEqual(yield* contents(TO), { "notes.txt": [bytes, "application/octet-stream"] })
    })
  )

  test(
    "from a place that does not exist creates nothing",
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const fileSystem = yield* FileSystem.FileSystem
      for (const from of [storePlace("~missing"), folderPlace(`${folder}/missing`)]) {
        for (const to of [storePlace(TO), folderPlace(`${folder}/new`)]) {
          assert.isTrue(Exit.isFailure(yield* Effect.exit(copy(from, to))))
        }
      }
      assert.isTrue(Exit.isFailure(yield* Effect.exit(contents(TO))))
      assert.isEmpty(yield* fileSystem.readDirectory(folder))
    })
  )

  test(
    "reads no file outside of the folder, whatever the list of its records says",
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const fileSystem = yield* FileSystem.FileSystem
      const line = JSON.stringify({ key: "a", file: "../../etc/passwd", size: 1 })
      yield* fileSystem.writeFileString(`${folder}/~records.jsonl`, `${line}\n`)
      const exit = yield* Effect.exit(copy(folderPlace(folder), storePlace(TO)))
      assert.isTrue(Exit.isFailure(exit))
    })
  )

  test(
    "leaves out a record that was deleted since it was listed",
    Effect.gen(function* () {
      yield* makeStore
      const from = storePlace(FROM)
      const gone = Stream.concat(Stream.make({ key: "gone", size: 1 }), from.list)
      assert.deepStrictEqual(yield* copy({ ...from, list: gone }, storePlace(TO)), {
        copied: samples.length,
        skipped: 0
      })
    })
  )

  test(
    "reads a record again that breaks off, and not one that cannot be read",
    Effect.gen(function* () {
      yield* makeStore
      const from = storePlace(FROM)
      const call = { operation: "streamRecord", method: "GET", url: "/", store: Option.none(), attempts: 1 } as const
      const broken = new TransportError({
        ...call,
        elapsed: Duration.zero,
        reason: "reset",
        description: Option.none()
      })
      const malformed = new MalformedRecordError({
        ...call,
        elapsed: Duration.zero,
        key: "large",
        kind: "Encoding",
        problems: []
      })
      for (const [error, expected] of [
        [broken, 2],
        [malformed, 1]
      ] as const) {
        const folder = yield* temporaryFolder
        let reads = 0
        const breaking: Place = {
          ...from,
          read: (key) =>
            Effect.map(from.read(key), (content) => {
              if (key !== "large") return content
              reads += 1
              return reads === 1
                ? { ...content, bytes: Stream.concat(Stream.take(content.bytes, 1), Stream.fail(error)) }
                : content
            })
        }
        const exit = yield* Effect.exit(copy(breaking, folderPlace(folder)))
        assert.deepStrictEqual([reads, Exit.isSuccess(exit)], [expected, error === broken])
        const names = yield* Effect.flatMap(FileSystem.FileSystem, (fileSystem) => fileSystem.readDirectory(folder))
        assert.isEmpty(names.filter((name) => name.startsWith("~part")))
        if (error !== broken) continue
        yield* copy(folderPlace(folder), storePlace(TO))
        assert.deepStrictEqual(yield* contents(TO), yield* contents(FROM))
      }
    })
  )
})

describe("copyStore", () => {
  const run = bundled("copyStore")

  it.live("copies to a folder and back, and says how far it is", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run("copyStore")
      assert.deepStrictEqual(stdout.split("\n"), [
        "3 records copied, 0 were there already",
        "0 records copied, 3 were there already",
        "3 records copied, 0 were there already",
        ""
      ])
      assert.strictEqual(code, 0)
      assert.include(stderr, "3 of 3 records\n")
    })
  )

  it.live.each([["~my-store"], ["~my-store", "./backup", "~other"]])(
    "does nothing with %j, and says what it takes",
    (args) =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* run("copyStore", args)
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.strictEqual(stderr, "Give a store or a folder to copy, and a store or a folder to copy it to\n")
      })
  )

  it.live("takes a store and a folder", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const folder = yield* temporaryFolder
      const env = { APIFY_API_BASE_URL: url, APIFY_TOKEN: DEMO_TOKEN }
      const missing = yield* run("copyStore", ["janedoe~missing", folder], env)
      assert.deepStrictEqual([missing.code, missing.stdout], [1, ""])
      assert.match(missing.stderr, /There is no store janedoe~missing/)
      const copied = yield* run("copyStore", [folder, "~new"], env)
      assert.deepStrictEqual([copied.code, copied.stdout], [0, "0 records copied, 0 were there already\n"])
    }).pipe(Effect.scoped, Effect.provide([Emulator.layer(), NodeContext.layer]))
  )

  it.live("ends at a Ctrl+C in the middle of a record, with nothing of it, and says so", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const folder = yield* temporaryFolder
      const url = yield* endlessRecord
      const hasPart = Effect.map(fileSystem.readDirectory(folder), (names) =>
        names.some((name) => name.startsWith("~part-") && name !== "~part-manifest")
      )
      const begun = Effect.runPromise(Effect.asVoid(Effect.repeat(hasPart, { until: (has) => has, schedule: POLL })))
      const { code, stderr, stdout } = yield* run("copyStore", ["~any", folder], { APIFY_API_BASE_URL: url }, begun)
      assert.deepStrictEqual([code, stdout], [130, ""])
      assert.include(stderr, "Stopped. The same command goes on from here.")
      assert.deepStrictEqual(yield* fileSystem.readDirectory(folder), ["~records.jsonl"])
    }).pipe(Effect.scoped, Effect.provide(NodeContext.layer))
  )
})
