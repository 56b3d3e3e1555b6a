/**
 * Stores in a folder: which files are records, what a write leaves, and what goes wrong. How their operations behave is in
 * sameBehaviour.test.ts.
 */
import { MemoryStorage } from "@crawlee/memory-storage"
import * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Path from "@effect/platform/Path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { assert, describe, it } from "@effect/vitest"
import { DEMO_TOKEN, Emulator } from "@effect-apify/emulator"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/TestClock"
import * as Actor from "../src/Actor.js"
import * as FolderTransport from "../src/FolderTransport.js"
import {
  ApifyClient,
  deleteRecord,
  deleteStore,
  FetchTransport,
  getOrCreateStore,
  getRecord,
  getRecordValue,
  getStore,
  headRecord,
  listKeys,
  listKeysPage,
  listStores,
  parseRecordKey,
  putRecord,
  updateStore
} from "../src/index.js"
import { makeMemoryApi } from "../src/internal/memoryApi.js"
import { recordFiles } from "../src/internal/recordFiles.js"
import { unhurried } from "./unhurried.js"

const DEFAULT = "~default"

interface Folder {
  readonly path: string
  /** A client of the folder. */
  readonly client: Layer.Layer<ApifyClient.ApifyClient, unknown>
  readonly write: (name: string, text: string) => Effect.Effect<void>
  readonly read: (name: string) => Effect.Effect<string>
  /** The names in the folder of the store `default`. */
  readonly names: Effect.Effect<ReadonlyArray<string>>
}

const clientIn = (folder: string, platform: Layer.Layer<FileSystem.FileSystem | Path.Path> = NodeContext.layer) =>
  ApifyClient.layer(unhurried).pipe(Layer.provide(FolderTransport.layerWith({ folder })), Layer.provide(platform))

/** A new folder with an empty store `default`. */
const scratch = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* fs.makeTempDirectoryScoped()
  const store = `${path}/key_value_stores/default`
  yield* fs.makeDirectory(store, { recursive: true })
  return {
    path,
    client: clientIn(path),
    write: (name, text) => Effect.orDie(fs.writeFileString(`${store}/${name}`, text)),
    read: (name) => Effect.orDie(fs.readFileString(`${store}/${name}`)),
    names: Effect.orDie(Effect.map(fs.readDirectory(store), (names) => [...names].sort()))
  } satisfies Folder
}).pipe(Effect.provide(NodeContext.layer))

const inFolder = (
  what: string,
  test: (folder: Folder) => Effect.Effect<unknown, unknown, ApifyClient.ApifyClient | Scope.Scope>
): void => it.scopedLive(what, () => Effect.flatMap(scratch, (folder) => Effect.provide(test(folder), folder.client)))

const keysOf = Effect.map(Stream.runCollect(listKeys(DEFAULT)), (items) => Array.from(items, ({ key }) => `${key}`))

const textOf = (key: string) => Effect.flatMap(getRecord(DEFAULT, key), ({ text }) => text)

const typeOf = (key: string) =>
  Effect.map(getRecord(DEFAULT, key), ({ contentType }) => Option.getOrElse(contentType, () => "none"))

describe("a file made by hand", () => {
  it.scopedLive.each<readonly [name: string, contentType: string]>([
    ["INPUT.json", "application/json; charset=utf-8"],
    ["INPUT.JSON", "application/json; charset=utf-8"],
    ["INPUT", "text/plain; charset=utf-8"],
    ["INPUT.txt", "text/plain; charset=utf-8"],
    ["INPUT.bin", "application/octet-stream"],
    ["INPUT.json5", "application/octet-stream"]
  ])("%s is the record INPUT", ([name, contentType]) =>
    Effect.gen(function* () {
      const folder = yield* scratch
      yield* folder.write(name, '\ufeff{ "count": 1 }\n')
      yield* Effect.gen(function* () {
        const input = yield* getRecordValue(DEFAULT, "INPUT", Schema.Struct({ count: Schema.Number }))
        assert.deepStrictEqual(input, { count: 1 })
        assert.deepStrictEqual([yield* keysOf, yield* typeOf("INPUT")], [["INPUT"], contentType])
      }).pipe(Effect.provide(folder.client))
    })
  )

  inFolder("is the record if it is JSON, whatever else has its key, until one is put", ({ names, write }) =>
    Effect.gen(function* () {
      for (const name of ["INPUT", "INPUT.bin", "INPUT.json", "INPUT.txt"]) yield* write(name, `"${name}"`)
      assert.strictEqual(yield* getRecordValue(DEFAULT, "INPUT", Schema.String), "INPUT.json")
      assert.deepStrictEqual(yield* keysOf, ["INPUT"])
      yield* putRecord(DEFAULT, "INPUT", "new")
      assert.deepStrictEqual(yield* names, ["INPUT.txt"])
      assert.strictEqual(yield* textOf("INPUT"), "new")
    })
  )

  inFolder("may stand beside a folder with its name", ({ names, path }) =>
    Effect.gen(function* () {
      yield* Effect.provide(
        Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeDirectory(`${path}/key_value_stores/default/page`)),
        NodeContext.layer
      )
      yield* putRecord(DEFAULT, "page", "text")
      yield* deleteRecord(DEFAULT, "page")
      yield* deleteRecord(DEFAULT, "page")
      assert.deepStrictEqual(yield* names, ["page"])
    })
  )

  inFolder("that no record is named like is none", ({ names, path, write }) =>
    Effect.gen(function* () {
      const others = [
        ".DS_Store",
        "INPUT.json~",
        "INPUT.__metadata__.json",
        "__metadata__.json",
        "my notes.txt",
        "a.b%2",
        "a.b%0A",
        "č.json"
      ]
      for (const name of others) yield* write(name, "{}")
      const fs = yield* Effect.provide(FileSystem.FileSystem, NodeContext.layer)
      const store = `${path}/key_value_stores/default`
      yield* fs.makeDirectory(`${store}/page.files`, { recursive: true })
      yield* fs.symlink(`${store}/nothing`, `${store}/broken.txt`)
      yield* fs.symlink(`${store}/loop.txt`, `${store}/loop.txt`)
      yield* fs.symlink("l".repeat(300), `${store}/long.txt`)
      assert.deepStrictEqual(yield* keysOf, [])
      for (const key of ["INPUT", "a", "page", ".DS_Store", "broken", "loop", "long"]) {
        assert.strictEqual((yield* Effect.flip(getRecord(DEFAULT, key)))._tag, "RecordNotFoundError", key)
      }
      yield* write("page.html", "<p>")
      assert.strictEqual(yield* textOf("page"), "<p>")
      assert.includeMembers([...(yield* names)], others)
    })
  )
})

describe("a record that is put", () => {
  inFolder("is a file with its key, and the extension of its content type", ({ names, read }) =>
    Effect.gen(function* () {
      yield* putRecord(DEFAULT, "OUTPUT", { schema: Schema.Number, value: 1 })
      yield* putRecord(DEFAULT, "notes", "čaj")
      yield* putRecord(DEFAULT, "page.txt", "text")
      yield* putRecord(DEFAULT, "bytes", Uint8Array.of(1))
      yield* putRecord(DEFAULT, "stream", Stream.make(Uint8Array.of(1), Uint8Array.of(2)), { contentType: "image/png" })
      yield* putRecord(DEFAULT, "photo", Uint8Array.of(1), { contentType: "image/jpeg" })
      yield* putRecord(DEFAULT, "data", "{}", { contentType: "application/json", gzip: true })
      assert.deepStrictEqual(yield* names, [
        "OUTPUT.json",
        "bytes.bin",
        "data.json",
        "notes.txt",
        "page.txt.txt",
        "photo.jpeg",
        "stream.png"
      ])
      assert.deepStrictEqual([yield* read("OUTPUT.json"), yield* read("notes.txt")], ["1", "čaj"])
      assert.strictEqual(yield* read("data.json"), "{}")
      assert.strictEqual(yield* read("stream.png"), "\u0001\u0002")
    })
  )

  inFolder("takes the place of the one before, whatever its content type was", ({ names }) =>
    Effect.gen(function* () {
      yield* putRecord(DEFAULT, "a", "text")
      yield* putRecord(DEFAULT, "a", { schema: Schema.String, value: "json" })
      assert.deepStrictEqual(yield* names, ["a.json"])
      yield* putRecord(DEFAULT, "a", Uint8Array.of())
      assert.deepStrictEqual(yield* names, ["a.bin"])
      assert.strictEqual((yield* getRecord(DEFAULT, "a")).bytes.length, 0)
      yield* deleteRecord(DEFAULT, "a")
      yield* deleteRecord(DEFAULT, "a")
      assert.deepStrictEqual(yield* names, [])
    })
  )

  inFolder("at once with others of its key is one of them", ({ names }) =>
    Effect.gen(function* () {
      const contents = ["text", Uint8Array.of(1), { schema: Schema.Number, value: 1 }]
      const puts = Array.from({ length: 30 }, (_, index) => putRecord(DEFAULT, "a", contents[index % 3] ?? ""))
      yield* Effect.all(puts, { concurrency: "unbounded" })
      assert.lengthOf(yield* names, 1)
    })
  )

  const keys = fc
    .array(fc.stringMatching(/^[a-zA-Z0-9!\-_.'()]{1,60}$/), { minLength: 1, maxLength: 5 })
    .map((keys) => keys.filter((key) => parseRecordKey(key)._tag === "Right" && !key.includes("__metadata__")))

  it.live.prop("is found and listed by any key, and is in the folder of its store", [keys], ([keys]) =>
    Effect.gen(function* () {
      const folder = yield* scratch
      yield* Effect.gen(function* () {
        for (const key of keys) yield* putRecord(DEFAULT, key, `of ${key}`)
        assert.deepStrictEqual(yield* keysOf, [...new Set(keys)].sort())
        for (const key of keys) assert.strictEqual(yield* textOf(key), `of ${key}`)
        assert.deepStrictEqual(yield* folder.names, [...new Set(keys)].map((key) => `${key}.txt`).sort())
      }).pipe(Effect.provide(folder.client))
    }).pipe(Effect.scoped)
  )

  const token = fc.stringMatching(/^[a-z0-9!#$&^_.+-]{1,20}$/)
  const types = fc
    .tuple(token, token, fc.option(fc.stringMatching(/^[a-zA-Z0-9 %/'"*~()-]{1,10}$/), { nil: undefined }))
    .map(([type, subtype, title]) => `${type}/${subtype}${title === undefined ? "" : `; title=x${title}x`}`)
    .map((type) => type.replace(/ +/g, " "))

  it.live.prop("comes back with any content type", [fc.oneof(types, token)], ([contentType]) =>
    Effect.gen(function* () {
      const { client, names } = yield* scratch
      yield* Effect.gen(function* () {
        yield* putRecord(DEFAULT, "a", Uint8Array.of(1), { contentType })
        assert.strictEqual(yield* typeOf("a"), contentType)
        assert.deepStrictEqual([yield* keysOf, (yield* names).length], [["a"], 1])
        assert.deepStrictEqual(
          Option.flatMap(yield* headRecord(DEFAULT, "a"), (head) => head.contentType),
          Option.some(contentType)
        )
      }).pipe(Effect.provide(client))
    }).pipe(Effect.scoped)
  )

  inFolder("in a charset other than UTF-8 keeps it", () =>
    Effect.gen(function* () {
      yield* putRecord(DEFAULT, "a", Uint8Array.of(0xe9), { contentType: "text/html; charset=iso-8859-1" })
      assert.strictEqual(yield* textOf("a"), "é")
      yield* putRecord(DEFAULT, "a", "é", { contentType: 'TEXT/HTML;charset="UTF-8"' })
      assert.deepStrictEqual([yield* textOf("a"), yield* typeOf("a")], ["é", "text/html; charset=utf-8"])
    })
  )

  inFolder("without a content type is bytes", ({ names }) =>
    Effect.gen(function* () {
      yield* putRecord(DEFAULT, "a", "text", { contentType: "" })
      assert.deepStrictEqual([yield* names, yield* typeOf("a")], [["a.bin"], "application/octet-stream"])
    })
  )

  inFolder("in an encoding that this platform does not decode is refused", ({ names }) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(putRecord(DEFAULT, "a", Uint8Array.of(1), { contentEncoding: "br" }))
      assert.match(error.message, /Content-Encoding "br" is not supported/)
      assert.deepStrictEqual(yield* names, [])
    })
  )
})

/** Node's file system, with some of its functions replaced. */
const changed = (
  change: (fs: FileSystem.FileSystem) => Partial<FileSystem.FileSystem>
): Layer.Layer<FileSystem.FileSystem | Path.Path> =>
  Layer.merge(
    Layer.effect(
      FileSystem.FileSystem,
      Effect.map(FileSystem.FileSystem, (fs) => ({ ...fs, ...change(fs) }))
    ),
    Layer.service(Path.Path)
  ).pipe(Layer.provide(NodeContext.layer))

describe("a key that the folder cannot hold", () => {
  const refused = (key: string, problem: RegExp) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(putRecord(DEFAULT, key, "text"))
      assert.strictEqual(error._tag, "BadRequestError", key)
      assert.match(error.message, problem)
    })

  inFolder("is one of the SDK's notes", ({ names }) =>
    Effect.gen(function* () {
      for (const key of ["__metadata__", "a.__metadata__", "a.__metadata__.b"]) yield* refused(key, /notes/)
      yield* putRecord(DEFAULT, "a__metadata__", "text")
      assert.deepStrictEqual(yield* names, ["a__metadata__.txt"])
    })
  )

  it.scopedLive("is a device on Windows", () =>
    Effect.gen(function* () {
      const { names, path } = yield* scratch
      const windows = Layer.merge(
        NodeContext.layer,
        Layer.effect(
          Path.Path,
          Effect.map(Path.Path, (path) => ({ ...path, sep: "\\" }))
        ).pipe(Layer.provide(NodeContext.layer))
      )
      yield* Effect.gen(function* () {
        for (const key of ["CON", "nul", "Com1", "aux.b"]) yield* refused(key, /name of a device/)
        yield* putRecord(DEFAULT, "console", "text")
      }).pipe(Effect.provide(clientIn(path, windows)))
      yield* Effect.provide(putRecord(DEFAULT, "CON", "text"), clientIn(path))
      assert.deepStrictEqual(yield* names, ["CON.txt", "console.txt"])
    })
  )

  it.scopedLive("is another one in another case, on a file system that does not tell them apart", () =>
    Effect.gen(function* () {
      const { client, names, path, write } = yield* scratch
      yield* write("input.JSON", "1")
      // As macOS has it: a name leads to a file that has it in another case, and a rename keeps the name of the file.
      const found = (fs: FileSystem.FileSystem, path: string) =>
        Effect.map(fs.readDirectory(path.slice(0, path.lastIndexOf("/"))), (names) =>
          names.find((name) => path.toLowerCase().endsWith(`/${name.toLowerCase()}`))
        )
      const macOs = changed((fs) => ({
        exists: (path) => Effect.map(found(fs, path), (name) => name !== undefined)
      }))
      yield* Effect.gen(function* () {
        yield* putRecord(DEFAULT, "input", { schema: Schema.Number, value: 2 })
        const error = yield* Effect.flip(putRecord(DEFAULT, "INPUT", { schema: Schema.Number, value: 3 }))
        assert.match(error.message, /differs only in case/)
        assert.strictEqual(yield* getRecordValue(DEFAULT, "input", Schema.Number), 2)
      }).pipe(Effect.provide(clientIn(path, macOs)))
      yield* Effect.provide(putRecord(DEFAULT, "INPUT", { schema: Schema.Number, value: 3 }), client)
      assert.deepStrictEqual(yield* names, ["INPUT.json", "input.JSON"])
    })
  )
})

it.scopedLive("a page of keys reads the folder once, and looks at no file of another page", () =>
  Effect.gen(function* () {
    const { path, write } = yield* scratch
    const looks: Array<string> = []
    const counted = changed((fs) => ({
      readDirectory: (path) => Effect.tap(fs.readDirectory(path), () => looks.push("folder")),
      stat: (path) => Effect.tap(fs.stat(path), () => looks.push(path.slice(path.lastIndexOf("/") + 1)))
    }))
    for (const name of ["a.txt", "b.json", "b.txt", "c", "d.bin", "e.json"]) yield* write(name, "text")
    const fs = yield* Effect.provide(FileSystem.FileSystem, NodeContext.layer)
    yield* fs.makeDirectory(`${path}/key_value_stores/default/a.files`)
    yield* Effect.gen(function* () {
      const pageFrom = (exclusiveStartKey?: string) =>
        Effect.gen(function* () {
          looks.length = 0
          const { items, isTruncated } = yield* listKeysPage(DEFAULT, { limit: 2, exclusiveStartKey })
          return [items.map(({ key }) => `${key}`), isTruncated, [...looks].sort()]
        })
      assert.deepStrictEqual(yield* pageFrom(), [
        ["a", "b"],
        true,
        // The first of the next page shows that there is one.
        ["a.files", "a.txt", "b.json", "b.txt", "c", "folder"]
      ])
      assert.deepStrictEqual(yield* pageFrom("b"), [["c", "d"], true, ["c", "d.bin", "e.json", "folder"]])
      assert.deepStrictEqual(yield* pageFrom("d"), [["e"], false, ["e.json", "folder"]])
    }).pipe(Effect.provide(clientIn(path, counted)))
  })
)

const systemError = (code: string, method: string, path: string) =>
  new PlatformError.SystemError({
    reason: "Unknown",
    module: "FileSystem",
    method,
    pathOrDescriptor: path,
    description: `${code}: as planned, '${path}'`,
    cause: Object.assign(new Error(`${code}: as planned, '${path}'`), { code })
  })

describe("a failure", () => {
  it.scopedLive("to read or write a file is an error that is not retried, and names the file", () =>
    Effect.gen(function* () {
      const { path, write } = yield* scratch
      yield* write("a.txt", "old")
      const broken = changed(() => ({
        readFile: (path) => Effect.fail(systemError("EACCES", "readFile", path)),
        rename: (path) => Effect.fail(systemError("EROFS", "rename", path))
      }))
      yield* Effect.gen(function* () {
        const unread = yield* Effect.flip(getRecord(DEFAULT, "a"))
        const unwritten = yield* Effect.flip(putRecord(DEFAULT, "a", "new"))
        for (const [error, code] of [
          [unread, "EACCES"],
          [unwritten, "EROFS"]
        ] as const) {
          assert.deepInclude(error, { _tag: "TransportError", reason: "file", code: Option.some(code), attempts: 1 })
          assert.include(error.message, `A file could not be read or written [${code}]`)
          assert.include(error.message, path)
        }
      }).pipe(Effect.provide(clientIn(path, broken)))
    })
  )

  it.scopedLive("in the middle of a write leaves the record before, and nothing else", () =>
    Effect.gen(function* () {
      const { client, names, path, write } = yield* scratch
      yield* write("a.txt", "old")
      const full = changed((fs) => ({
        writeFile: (path, bytes) =>
          Effect.zipRight(
            fs.writeFile(path, bytes.subarray(0, 1)),
            Effect.fail(systemError("ENOSPC", "writeFile", path))
          )
      }))
      const put = Effect.flip(putRecord(DEFAULT, "a", "new"))
      assert.deepInclude(yield* Effect.provide(put, clientIn(path, full)), { code: Option.some("ENOSPC") })
      const fs = yield* Effect.provide(FileSystem.FileSystem, NodeContext.layer)
      assert.deepStrictEqual([yield* names, yield* fs.readDirectory(`${path}/unfinished`)], [["a.txt"], []])
      assert.strictEqual(yield* Effect.provide(textOf("a"), client), "old")
    })
  )

  it.scopedLive("is none where another program removes or replaces a file that is about to be read", () =>
    Effect.gen(function* () {
      const { path, write } = yield* scratch
      yield* write("a.txt", "old")
      yield* write("b.txt", "old")
      const busy = changed((fs) => ({
        readFile: (path) =>
          Effect.gen(function* () {
            if (path.endsWith("b.txt")) yield* fs.writeFileString(path.replace("b.txt", "b.html"), "new")
            if (path.endsWith(".txt")) yield* fs.remove(path)
            return yield* fs.readFile(path)
          })
      }))
      yield* Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(getRecord(DEFAULT, "a")))._tag, "RecordNotFoundError")
        assert.strictEqual(yield* textOf("b"), "new")
      }).pipe(Effect.provide(clientIn(path, busy)))
    })
  )

  inFolder("is a key that the file system finds too long", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(putRecord(DEFAULT, "k".repeat(256), "text"))
      assert.deepInclude(error, { _tag: "TransportError", reason: "file", code: Option.some("ENAMETOOLONG") })
    })
  )

  it.scopedLive("to use the folder is one of the layer", () =>
    Effect.gen(function* () {
      const { path } = yield* scratch
      const fs = yield* Effect.provide(FileSystem.FileSystem, NodeContext.layer)
      yield* fs.writeFileString(`${path}/file`, "")
      const error = yield* Effect.flip(Layer.build(clientIn(`${path}/file`)))
      assert.match(String(error), new RegExp(`${path}/file.*not a directory`, "s"))
      const closed = changed(() => ({ access: (path) => Effect.fail(systemError("EACCES", "access", path)) }))
      const refused = yield* Effect.flip(Layer.build(clientIn(path, closed)))
      assert.match(String(refused), new RegExp(`EACCES.*${path}`, "s"))
    })
  )
})

it.scopedLive("a delete that is interrupted does not remove the record that is put next", () =>
  Effect.gen(function* () {
    const { client, path } = yield* scratch
    const store = yield* Effect.provide(getStore(DEFAULT), client)
    const events: Array<string> = []
    const begun = yield* Deferred.make<void>()
    const removal = yield* Deferred.make<void>()
    const slow = changed((fs) => ({
      // As the system's: it goes on, whether anybody waits for it or not.
      remove: (file, options) =>
        Deferred.succeed(begun, undefined).pipe(
          Effect.zipRight(Deferred.await(removal)),
          Effect.zipRight(fs.remove(file, options)),
          Effect.tap(() => events.push("removed")),
          Effect.forkDaemon,
          Effect.flatMap(Fiber.join)
        ),
      readDirectory: (folder) => Effect.tap(fs.readDirectory(folder), () => events.push("listed"))
    }))
    yield* Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const stores = `${path}/key_value_stores`
      const place = { fs, path: yield* Path.Path, stores, shown: stores, unfinished: `${path}/unfinished` }
      const { delete: remove, get, put } = recordFiles(place, store)
      const record = { contentType: "text/plain", contentEncoding: undefined, bytes: Uint8Array.of(1) }
      yield* put("a", record)
      const removing = yield* Effect.fork(remove("a"))
      yield* Deferred.await(begun)
      yield* Fiber.interruptFork(removing)
      events.length = 0
      const putting = yield* Effect.fork(put("a", record))
      yield* Effect.yieldNow().pipe(Effect.repeatN(100))
      yield* Deferred.succeed(removal, undefined)
      yield* Fiber.join(putting)
      assert.strictEqual(events[0], "removed")
      assert.isTrue(Option.isSome(yield* get("a")))
    }).pipe(Effect.provide(slow))
  })
)

describe("what a program that was killed has left", () => {
  it.scoped("is removed an hour later", () =>
    Effect.gen(function* () {
      const { client, path } = yield* scratch
      const fs = yield* Effect.provide(FileSystem.FileSystem, NodeContext.layer)
      const now = Date.UTC(2026, 0, 1)
      yield* TestClock.setTime(now)
      for (const [name, minutes] of [
        ["old", 61],
        ["new", 59]
      ] as const) {
        yield* fs.makeDirectory(`${path}/unfinished/${name}`, { recursive: true })
        yield* fs.writeFileString(`${path}/unfinished/${name}/record`, "text")
        const at = new Date(now - minutes * 60_000)
        yield* fs.utimes(`${path}/unfinished/${name}`, at, at)
      }
      yield* Effect.provide(keysOf, client)
      assert.deepStrictEqual(yield* fs.readDirectory(`${path}/unfinished`), ["new"])
    })
  )
})

describe("a store", () => {
  inFolder("is a folder with its name, now and in the next client", ({ client, path }) =>
    Effect.gen(function* () {
      const fs = yield* Effect.provide(FileSystem.FileSystem, NodeContext.layer)
      const names = Effect.map(fs.readDirectory(`${path}/key_value_stores`), (names) => [...names].sort())
      yield* fs.writeFileString(`${path}/key_value_stores/file`, "")
      yield* fs.makeDirectory(`${path}/key_value_stores/__OLD`)
      yield* fs.symlink(`${path}/gone`, `${path}/key_value_stores/link`)
      yield* fs.symlink(`${path}/key_value_stores/loop`, `${path}/key_value_stores/loop`)
      yield* fs.symlink("l".repeat(300), `${path}/key_value_stores/long`)
      assert.strictEqual((yield* Effect.flip(getStore("~file")))._tag, "StoreNotFoundError")
      assert.isTrue((yield* getOrCreateStore({ name: "seen" })).isNew)
      const { store: unnamed } = yield* getOrCreateStore()
      yield* putRecord("~seen", "a", "text")
      assert.deepStrictEqual(
        yield* names,
        ["__OLD", "default", "file", "link", "long", "loop", "seen", unnamed.id].sort()
      )
      yield* Effect.gen(function* () {
        assert.isFalse((yield* getOrCreateStore({ name: "Seen" })).isNew)
        assert.strictEqual(yield* Effect.flatMap(getRecord("~seen", "a"), ({ text }) => text), "text")
        yield* updateStore("~seen", { name: "known" })
        yield* putRecord("~known", "b", "text")
        assert.sameMembers(
          [...(yield* fs.readDirectory(`${path}/key_value_stores/known`))],
          ["__metadata__.json", "a.txt", "b.txt"]
        )
        yield* deleteStore("~known")
        assert.deepStrictEqual(yield* names, ["__OLD", "default", "file", "link", "long", "loop", unnamed.id].sort())
      }).pipe(Effect.provide(Layer.fresh(client)))
    })
  )

  inFolder("has its ID, title, schema and access in the next client, but no secret in the folder", ({ client, path }) =>
    Effect.gen(function* () {
      const fs = yield* Effect.provide(FileSystem.FileSystem, NodeContext.layer)
      const schema = { actorKeyValueStoreSchemaVersion: 1, title: "Pages", collections: {} }
      const { store: made } = yield* getOrCreateStore({ name: "seen", schema })
      yield* updateStore("~seen", { name: "known", title: "Known pages", generalAccess: "RESTRICTED" })
      const { store: unnamed } = yield* getOrCreateStore()
      yield* getOrCreateStore({ name: "default" })
      yield* putRecord(unnamed.id, "a", "text")
      const notes = `${path}/key_value_stores/known/__metadata__.json`
      assert.hasAllKeys(JSON.parse(yield* fs.readFileString(notes)), [
        ...["id", "name", "title", "createdAt", "modifiedAt", "accessedAt", "generalAccess", "schema"]
      ])
      assert.deepStrictEqual(yield* fs.readDirectory(`${path}/key_value_stores/default`), [])
      yield* Effect.gen(function* () {
        const known = yield* getStore(made.id)
        const { generalAccess, name, schema: kept, title } = known
        assert.deepStrictEqual(
          [name, title, generalAccess, kept].map((field) => Option.getOrNull<unknown>(field)),
          ["known", "Known pages", "RESTRICTED", schema]
        )
        assert.deepStrictEqual(known.createdAt, made.createdAt)
        assert.deepStrictEqual((yield* getStore(unnamed.id)).name, Option.none())
        assert.strictEqual(yield* Effect.flatMap(getRecord(unnamed.id, "a"), ({ text }) => text), "text")
        yield* deleteStore("~known")
        assert.isFalse(yield* fs.exists(notes))
      }).pipe(Effect.provide(Layer.fresh(client)))
    })
  )

  inFolder("has a new ID where its notes are of another store, or by Apify's SDK", ({ client, path }) =>
    Effect.gen(function* () {
      const fs = yield* Effect.provide(FileSystem.FileSystem, NodeContext.layer)
      const stores = `${path}/key_value_stores`
      const { store } = yield* getOrCreateStore({ name: "seen" })
      yield* fs.copy(`${stores}/seen`, `${stores}/copied`)
      yield* fs.copy(`${stores}/seen`, `${stores}/zz-edited`)
      const notes = yield* fs.readFileString(`${stores}/seen/__metadata__.json`)
      yield* fs.writeFileString(`${stores}/zz-edited/__metadata__.json`, notes.replace('"seen"', '"zz-edited"'))
      yield* fs.makeDirectory(`${stores}/broken`)
      yield* fs.writeFileString(`${stores}/broken/__metadata__.json`, "{")
      const theirs = new MemoryStorage({ localDataDirectory: path, writeMetadata: true }).keyValueStores()
      const { id } = yield* Effect.promise(() => theirs.getOrCreate("theirs"))
      yield* Effect.gen(function* () {
        assert.strictEqual((yield* getStore("~seen")).id, store.id)
        const ids = yield* Effect.forEach(["~copied", "~zz-edited", "~broken", "~theirs"], (ref) =>
          Effect.map(getStore(ref), ({ id }) => `${id}`)
        )
        assert.strictEqual(new Set([...ids, store.id, id]).size, 6)
      }).pipe(Effect.provide(Layer.fresh(client)))
    })
  )

  inFolder("has the same ID for Apify's SDK", ({ path }) =>
    Effect.gen(function* () {
      const { store } = yield* getOrCreateStore({ name: "seen" })
      yield* putRecord(store.id, "a", "text")
      const theirs = new MemoryStorage({ localDataDirectory: path })
      const found = yield* Effect.promise(() => theirs.keyValueStores().getOrCreate("seen"))
      assert.deepInclude(found, { id: store.id, name: "seen" })
      const { items } = yield* Effect.promise(() => theirs.keyValueStore(found.id).listKeys())
      assert.deepStrictEqual(
        items.map(({ key }) => key),
        ["a"]
      )
    })
  )

  inFolder("is made once, however many calls ask for it at a time", () =>
    Effect.gen(function* () {
      const made = yield* Effect.all(
        Array.from({ length: 10 }, () => getOrCreateStore({ name: "seen" })),
        { concurrency: "unbounded" }
      )
      assert.lengthOf(
        made.filter(({ isNew }) => isNew),
        1
      )
      assert.strictEqual(new Set(made.map(({ store }) => store.id)).size, 1)
    })
  )

  it.scopedLive("keeps its records where a call that renames it is interrupted", () =>
    Effect.gen(function* () {
      const { path, write } = yield* scratch
      yield* write("a.txt", "text")
      const begun = yield* Deferred.make<void>()
      const slow = changed((fs) => ({
        rename: (from, to) =>
          fs
            .rename(from, to)
            .pipe(
              Effect.zipRight(Deferred.succeed(begun, undefined)),
              Effect.zipRight(Effect.yieldNow()),
              Effect.asVoid
            )
      }))
      yield* Effect.gen(function* () {
        const renaming = yield* Effect.fork(updateStore(DEFAULT, { name: "known" }))
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(renaming)
        assert.strictEqual(yield* Effect.flatMap(getRecord("~known", "a"), ({ text }) => text), "text")
      }).pipe(Effect.provide(clientIn(path, slow)))
    })
  )

  /** The file system, in which whatever moves or removes the folder of the store `default` waits in between. */
  const halting = (path: string) =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const haltAfter =
        (file: string) =>
        <E>(effect: Effect.Effect<void, E>): Effect.Effect<void, E> =>
          file === `${path}/key_value_stores/default`
            ? effect.pipe(Effect.zipRight(Deferred.succeed(begun, undefined)), Effect.zipRight(Deferred.await(goOn)))
            : effect
      const platform = changed((fs) => ({
        rename: (from, to) => haltAfter(from)(fs.rename(from, to)),
        remove: (file, options) => haltAfter(file)(fs.remove(file, options))
      }))
      return { platform, begun: Deferred.await(begun), goOn: Deferred.succeed(goOn, undefined) }
    })

  const storesIn = (path: string) =>
    Effect.provide(
      Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readDirectory(`${path}/key_value_stores`)),
      NodeContext.layer
    )

  const aWhile = Effect.yieldNow().pipe(Effect.repeatN(100))

  it.scopedLive("that is being deleted takes no record any more", () =>
    Effect.gen(function* () {
      const { path, write } = yield* scratch
      yield* write("a.txt", "text")
      const { platform, begun, goOn } = yield* halting(path)
      yield* Effect.gen(function* () {
        const { store } = yield* getOrCreateStore({ name: "default" })
        const deleting = yield* Effect.fork(deleteStore(store.id))
        yield* begun
        const putting = yield* Effect.fork(Effect.flip(putRecord(store.id, "b", "text")))
        const reading = yield* Effect.fork(Effect.flip(getRecord(store.id, "a")))
        yield* aWhile
        yield* goOn
        yield* Fiber.join(deleting)
        assert.strictEqual((yield* Fiber.join(putting))._tag, "StoreNotFoundError")
        assert.strictEqual((yield* Fiber.join(reading))._tag, "StoreNotFoundError")
        assert.deepStrictEqual(yield* storesIn(path), [])
      }).pipe(Effect.provide(clientIn(path, platform)))
    })
  )

  it.scopedLive("that is being renamed takes records under its new name", () =>
    Effect.gen(function* () {
      const { path, write } = yield* scratch
      yield* write("a.txt", "text")
      const { platform, begun, goOn } = yield* halting(path)
      yield* Effect.gen(function* () {
        const { store } = yield* getOrCreateStore({ name: "default" })
        const renaming = yield* Effect.fork(updateStore(store.id, { name: "known" }))
        yield* begun
        const putting = yield* Effect.fork(putRecord(store.id, "b", "text"))
        const reading = yield* Effect.fork(getRecord(store.id, "a"))
        const listing = yield* Effect.fork(Stream.runCount(listKeys(store.id)))
        yield* aWhile
        yield* goOn
        yield* Fiber.join(renaming)
        yield* Fiber.join(putting)
        yield* Fiber.join(reading)
        assert.isAtLeast(yield* Fiber.join(listing), 1)
        assert.deepStrictEqual(yield* storesIn(path), ["known"])
        assert.strictEqual(yield* Stream.runCount(listKeys("~known")), 2)
      }).pipe(Effect.provide(clientIn(path, platform)))
    })
  )

  it.scopedLive("is deleted after the record that is being put", () =>
    Effect.gen(function* () {
      const { path } = yield* scratch
      const begun = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const slow = changed((fs) => ({
        writeFile: (file, bytes) =>
          fs
            .writeFile(file, bytes)
            .pipe(Effect.zipRight(Deferred.succeed(begun, undefined)), Effect.zipRight(Deferred.await(goOn)))
      }))
      yield* Effect.gen(function* () {
        const putting = yield* Effect.fork(putRecord(DEFAULT, "a", "text"))
        yield* Deferred.await(begun)
        const deleting = yield* Effect.fork(deleteStore(DEFAULT))
        yield* aWhile
        yield* Deferred.succeed(goOn, undefined)
        yield* Fiber.join(putting)
        yield* Fiber.join(deleting)
        assert.deepStrictEqual(yield* storesIn(path), [])
      }).pipe(Effect.provide(clientIn(path, slow)))
    })
  )

  it.scopedLive("is gone at once, even if its files cannot be removed", () =>
    Effect.gen(function* () {
      const { path, write } = yield* scratch
      yield* write("a.txt", "text")
      const busy = changed(() => ({ remove: (path) => Effect.fail(systemError("EBUSY", "remove", path)) }))
      yield* Effect.provide(deleteStore(DEFAULT), clientIn(path, busy))
      assert.deepStrictEqual(yield* storesIn(path), [])
    })
  )

  inFolder("that another program has made is found by its name and its ID, and listed", ({ client, path }) =>
    Effect.gen(function* () {
      const { store } = yield* Effect.provide(getOrCreateStore({ name: "theirs" }), Layer.fresh(client))
      assert.deepStrictEqual(
        Array.from(yield* Stream.runCollect(listStores()), ({ name }) => Option.getOrNull(name)),
        ["default", "theirs"]
      )
      assert.strictEqual((yield* getStore("~theirs")).id, store.id)
      yield* Effect.provide(deleteStore("~theirs"), Layer.fresh(client))

      const { store: next } = yield* Effect.provide(getOrCreateStore({ name: "next" }), Layer.fresh(client))
      assert.deepInclude(yield* getOrCreateStore({ name: "Next" }), { isNew: false, store: yield* getStore(next.id) })

      const fs = yield* Effect.provide(FileSystem.FileSystem, NodeContext.layer)
      yield* fs.makeDirectory(`${path}/key_value_stores/by-hand`)
      yield* putRecord("~by-hand", "a", "text")
      assert.isTrue(yield* fs.exists(`${path}/key_value_stores/by-hand/a.txt`))

      const { store: unnamed } = yield* Effect.provide(getOrCreateStore(), Layer.fresh(client))
      assert.strictEqual((yield* getStore(unnamed.id)).id, unnamed.id)
    })
  )

  it.scopedLive("is made once, even if another program makes it at the same time", () =>
    Effect.gen(function* () {
      const { client, path } = yield* scratch
      const other = yield* Layer.build(Layer.fresh(client))
      const theirs = yield* Effect.cached(Effect.provide(getOrCreateStore({ name: "seen" }), other))
      const folder = `${path}/key_value_stores/seen`
      const busy = changed((fs) => ({
        rename: (from, to) =>
          Effect.zipRight(to.startsWith(folder) ? Effect.orDie(theirs) : Effect.void, fs.rename(from, to))
      }))
      yield* Effect.gen(function* () {
        const ours = yield* getOrCreateStore({ name: "seen" })
        assert.deepStrictEqual([ours.isNew, (yield* theirs).isNew], [false, true])
        assert.strictEqual(ours.store.id, (yield* theirs).store.id)
        assert.strictEqual(yield* idIn(path, "seen"), ours.store.id)
        const fs = yield* Effect.provide(FileSystem.FileSystem, NodeContext.layer)
        assert.deepStrictEqual(yield* fs.readDirectory(`${path}/unfinished`), [])
      }).pipe(Effect.provide(clientIn(path, busy)))
    })
  )

  inFolder("that another program has made keeps its name", ({ client, path }) =>
    Effect.gen(function* () {
      yield* getOrCreateStore({ name: "one" })
      const fs = yield* Effect.provide(FileSystem.FileSystem, NodeContext.layer)
      yield* fs.makeDirectory(`${path}/key_value_stores/empty`)
      yield* Effect.provide(getOrCreateStore({ name: "theirs" }), Layer.fresh(client))
      for (const name of ["empty", "theirs", "THEIRS"]) {
        assert.strictEqual((yield* Effect.flip(updateStore("~one", { name })))._tag, "StoreNameTakenError", name)
      }
      assert.sameMembers([...(yield* storesIn(path))], ["default", "empty", "one", "theirs"])
      yield* updateStore("~one", { name: "One" })
    })
  )

  inFolder("that another program has renamed is found by its new name, with its ID", ({ client }) =>
    Effect.gen(function* () {
      const { store } = yield* getOrCreateStore({ name: "one" })
      yield* putRecord("~one", "a", "text")
      yield* Effect.provide(updateStore("~one", { name: "two" }), Layer.fresh(client))
      assert.strictEqual((yield* getStore("~two")).id, store.id)
      assert.strictEqual(yield* Effect.flatMap(getRecord(store.id, "a"), ({ text }) => text), "text")
      assert.strictEqual((yield* Effect.flip(getStore("~one")))._tag, "StoreNotFoundError")
    })
  )

  inFolder("cannot be made where a file has its name", ({ path }) =>
    Effect.gen(function* () {
      const fs = yield* Effect.provide(FileSystem.FileSystem, NodeContext.layer)
      yield* fs.writeFileString(`${path}/key_value_stores/file`, "")
      const error = yield* Effect.flip(Effect.asVoid(getOrCreateStore({ name: "file" })))
      assert.strictEqual(error._tag, "TransportError")
    })
  )

  inFolder("can be made again after the whole folder was removed", ({ path }) =>
    Effect.gen(function* () {
      const fs = yield* Effect.provide(FileSystem.FileSystem, NodeContext.layer)
      yield* fs.remove(path, { recursive: true })
      assert.strictEqual((yield* Effect.flip(getStore("~other")))._tag, "StoreNotFoundError")
      yield* getOrCreateStore({ name: "new" })
      yield* putRecord("~new", "a", "text")
    })
  )

  inFolder("that another program has deleted takes no record, and is another one when it is made again", (folder) =>
    Effect.gen(function* () {
      const { client, path } = folder
      const { store } = yield* getOrCreateStore({ name: "default" })
      yield* Effect.provide(deleteStore(DEFAULT), Layer.fresh(client))
      assert.strictEqual((yield* Effect.flip(putRecord(store.id, "a", "text")))._tag, "StoreNotFoundError")
      assert.strictEqual((yield* Effect.flip(updateStore(store.id, { title: "New" })))._tag, "StoreNotFoundError")
      assert.deepStrictEqual(yield* storesIn(path), [])
      const made = yield* getOrCreateStore({ name: "default" })
      assert.isTrue(made.isNew)
      assert.notStrictEqual(made.store.id, store.id)
      yield* putRecord(DEFAULT, "a", "text")
      assert.deepStrictEqual(yield* storesIn(path), ["default"])
    })
  )

  it.scopedLive.each<readonly [what: string, about: Effect.Effect<unknown, { _tag: string }, ApifyClient.ApifyClient>]>(
    [
      ["got", getStore(DEFAULT)],
      ["updated", updateStore(DEFAULT, {})],
      ["deleted", deleteStore(DEFAULT)]
    ]
  )("that another program has deleted cannot be %s, and is not listed", ([, about]) =>
    Effect.gen(function* () {
      const { client } = yield* scratch
      yield* Effect.gen(function* () {
        yield* getStore(DEFAULT)
        yield* Effect.provide(deleteStore(DEFAULT), Layer.fresh(client))
        assert.strictEqual((yield* Effect.flip(about))._tag, "StoreNotFoundError")
        assert.strictEqual((yield* Effect.flip(getRecord(DEFAULT, "a")))._tag, "StoreNotFoundError")
        assert.strictEqual(yield* Stream.runCount(listStores()), 0)
      }).pipe(Effect.provide(client))
    })
  )

  const idIn = (path: string, name: string) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const notes = yield* fs.readFileString(`${path}/key_value_stores/${name}/__metadata__.json`)
      return Schema.decodeSync(Schema.parseJson(Schema.Struct({ id: Schema.String })))(notes).id
    }).pipe(Effect.provide(NodeContext.layer))

  inFolder("is not taken for one that another program has made under its old name", ({ client, path }) =>
    Effect.gen(function* () {
      const { store: first } = yield* getOrCreateStore({ name: "current" })
      yield* putRecord("~current", "a", "text")
      const { store: second } = yield* Effect.gen(function* () {
        yield* updateStore("~current", { name: "archive" })
        return yield* getOrCreateStore({ name: "current" })
      }).pipe(Effect.provide(Layer.fresh(client)))
      yield* updateStore("~current", { title: "Current" })
      assert.deepStrictEqual(
        [(yield* getStore("~current")).id, (yield* getStore("~archive")).id],
        [second.id, first.id]
      )
      assert.strictEqual(yield* Effect.flatMap(getRecord(first.id, "a"), ({ text }) => text), "text")
      assert.deepStrictEqual([yield* idIn(path, "current"), yield* idIn(path, "archive")], [second.id, first.id])
    })
  )

  inFolder("is not deleted in place of one that another program has made under its name", ({ client, path }) =>
    Effect.gen(function* () {
      const { store: first } = yield* getOrCreateStore({ name: "current" })
      const { store: second } = yield* Effect.gen(function* () {
        yield* deleteStore("~current")
        return yield* getOrCreateStore({ name: "current" })
      }).pipe(Effect.provide(Layer.fresh(client)))
      assert.strictEqual((yield* Effect.flip(deleteStore(first.id)))._tag, "StoreNotFoundError")
      assert.strictEqual((yield* getStore(second.id)).id, second.id)
      assert.strictEqual(yield* idIn(path, "current"), second.id)
    })
  )

  inFolder(
    "that another program has renamed, and that is made again, is another one in the next client",
    ({ client }) =>
      Effect.gen(function* () {
        const { store } = yield* getOrCreateStore({ name: "one" })
        yield* putRecord("~one", "a", "text")
        yield* Effect.provide(updateStore("~one", { name: "two" }), Layer.fresh(client))
        yield* getOrCreateStore({ name: "one" })
        yield* Effect.gen(function* () {
          const ids = [(yield* getStore("~one")).id, (yield* getStore("~two")).id]
          assert.strictEqual(ids.filter((id) => id === store.id).length, 1)
          assert.strictEqual(yield* Stream.runCount(listKeys("~one")), 0)
          assert.strictEqual(yield* Stream.runCount(listKeys("~two")), 1)
        }).pipe(Effect.provide(Layer.fresh(client)))
      })
  )

  it.scopedLive("is not made without its notes, even on a disk that is full", () =>
    Effect.gen(function* () {
      const { client, path } = yield* scratch
      let isFull = true
      const full = changed((fs) => ({
        writeFile: (file, bytes) =>
          isFull ? Effect.fail(systemError("ENOSPC", "writeFile", file)) : fs.writeFile(file, bytes)
      }))
      const made = yield* Effect.gen(function* () {
        yield* Effect.flip(getOrCreateStore())
        yield* Effect.flip(getOrCreateStore({ name: "seen" }))
        assert.deepStrictEqual(yield* storesIn(path), ["default"])
        isFull = false
        return yield* getOrCreateStore({ name: "seen" })
      }).pipe(Effect.provide(clientIn(path, full)))
      assert.strictEqual((yield* Effect.provide(getStore("~seen"), client)).id, made.store.id)
    })
  )

  inFolder("has its ID where it cannot be renamed", ({ client, path }) =>
    Effect.gen(function* () {
      const { store } = yield* getOrCreateStore({ name: "one" })
      const fs = yield* Effect.provide(FileSystem.FileSystem, NodeContext.layer)
      yield* fs.writeFileString(`${path}/key_value_stores/two`, "")
      assert.strictEqual((yield* Effect.flip(updateStore("~one", { name: "two" })))._tag, "TransportError")
      assert.strictEqual((yield* Effect.provide(getStore("~one"), Layer.fresh(client))).id, store.id)
    })
  )

  it.scopedLive("has no name that leads elsewhere, even in a request that is made by hand", () =>
    Effect.gen(function* () {
      const { path } = yield* scratch
      const fs = yield* FileSystem.FileSystem
      const stores = `${path}/key_value_stores`
      const place = { fs, path: yield* Path.Path, stores, shown: stores, unfinished: `${path}/unfinished` }
      const respond = yield* makeMemoryApi({
        caller: "local",
        stores: [{ name: "default" }],
        recordsOf: (store) => recordFiles(place, store)
      })
      const url = "https://api.apify.com/v2/key-value-stores"
      for (const request of [
        HttpClientRequest.post(`${url}?name=..%2Fother`),
        HttpClientRequest.bodyText(HttpClientRequest.put(`${url}/~default`), '{"name":"../other"}')
      ]) {
        const { status } = yield* respond(HttpClientRequest.bearerToken(request, "token"))
        assert.strictEqual(status, 400)
      }
      assert.deepStrictEqual(yield* fs.readDirectory(path), ["key_value_stores"])
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive("is the caller's with a token and without one", () =>
    Effect.gen(function* () {
      const { path } = yield* scratch
      const folder = Layer.provide(FolderTransport.layerWith({ folder: path }), NodeContext.layer)
      for (const token of [undefined, Redacted.make("CanaryToken0123456789")]) {
        const client = Layer.provide(ApifyClient.layer({ token }), folder)
        yield* Effect.provide(putRecord(DEFAULT, "a", "text"), client)
      }
    })
  )
})

describe("two programs", () => {
  inFolder("with one folder see whole records of each other", ({ client }) =>
    Effect.gen(function* () {
      const other = yield* Layer.build(Layer.fresh(client))
      const sizes = [200_000, 300_000]
      yield* putRecord(DEFAULT, "a", new Uint8Array(200_000).fill(0))
      const writing = Effect.forEach(
        Array.from({ length: 40 }, (_, index) => index % 2),
        (index) => putRecord(DEFAULT, "a", new Uint8Array(sizes[index] ?? 0).fill(index))
      )
      const reading = Effect.gen(function* () {
        const { bytes } = yield* getRecord(DEFAULT, "a")
        const [first = 2] = bytes
        assert.strictEqual(bytes.length, sizes[first])
        assert.isTrue(bytes.every((byte) => byte === first))
        assert.deepStrictEqual(yield* keysOf, ["a"])
      }).pipe(Effect.provide(other))
      yield* Effect.raceFirst(Effect.asVoid(writing), Effect.forever(reading))
    })
  )

  it.scopedLive("of Apify's SDK and of ours read what the other has put", () =>
    Effect.gen(function* () {
      const { client, path } = yield* scratch
      const theirs = () => new MemoryStorage({ localDataDirectory: path }).keyValueStore("default")
      const put = (key: string, value: string | Buffer | object, contentType?: string) =>
        Effect.promise(() => theirs().setRecord({ key, value, ...(contentType === undefined ? {} : { contentType }) }))
      yield* put("value", { count: 1 })
      yield* put("notes", "čaj")
      yield* put("page", "<p>", "text/html")
      yield* put("picture", Buffer.of(137), "image/png")
      yield* put("photo", Buffer.of(255), "image/jpeg")
      yield* put("bytes", Buffer.of(1))
      yield* Effect.gen(function* () {
        const keys = yield* keysOf
        assert.deepStrictEqual(keys, ["bytes", "notes", "page", "photo", "picture", "value"])
        assert.deepStrictEqual(yield* Effect.forEach(keys, typeOf), [
          "application/octet-stream",
          "text/plain; charset=utf-8",
          "text/html; charset=utf-8",
          "image/jpeg",
          "image/png",
          "application/json; charset=utf-8"
        ])
        assert.strictEqual(yield* textOf("notes"), "čaj")
        for (const key of keys) {
          const { bytes, contentType } = yield* getRecord(DEFAULT, key)
          yield* putRecord(DEFAULT, `our-${key}`, bytes, { contentType: Option.getOrThrow(contentType) })
        }
        yield* putRecord(DEFAULT, "our-page.txt", "text")
      }).pipe(Effect.provide(client))
      const theirStore = theirs()
      const listed = yield* Effect.promise(() => theirStore.listKeys({ prefix: "our-" }))
      assert.deepStrictEqual(
        listed.items.map(({ key }) => key),
        ["our-bytes", "our-notes", "our-page", "our-page.txt", "our-photo", "our-picture", "our-value"]
      )
      const read = (key: string) => Effect.promise(() => theirStore.getRecord(key))
      assert.deepInclude(yield* read("our-value"), {
        value: { count: 1 },
        contentType: "application/json; charset=utf-8"
      })
      assert.deepInclude(yield* read("our-notes"), { value: "čaj" })
      assert.deepInclude(yield* read("our-page.txt"), { value: "text" })
      assert.deepInclude(yield* read("our-photo"), { value: Buffer.of(255), contentType: "image/jpeg" })
    })
  )
})

describe("notes of Apify's SDKs", () => {
  inFolder("beside a file that is named by its key alone say its content type", ({ names, write }) =>
    Effect.gen(function* () {
      for (const [name, notes] of [
        ["OUTPUT", { key: "OUTPUT", content_type: "application/json; charset=utf-8", size: 1 }],
        ["page.html", { key: "page.html", contentType: "text/html; charset=utf-8" }],
        ["a%21%28b%29", { key: "a!(b)", content_type: "image/png" }],
        ["broken", { key: "broken", content_type: 1 }],
        ["split", { key: "split", content_type: "text/html\n" }]
      ] as const) {
        yield* write(name, "1")
        yield* write(`${name}.__metadata__.json`, JSON.stringify(notes))
      }
      yield* write("__metadata__.json", "{}")
      assert.deepStrictEqual(yield* keysOf, ["OUTPUT", "a!(b)", "broken", "page.html", "split"])
      assert.deepStrictEqual(yield* Effect.forEach(yield* keysOf, typeOf), [
        "application/json; charset=utf-8",
        "image/png",
        "text/plain; charset=utf-8",
        "text/html; charset=utf-8",
        "text/plain; charset=utf-8"
      ])
      const error = yield* Effect.flip(putRecord(DEFAULT, "page", "<p>", { contentType: "text/html" }))
      assert.match(error.message, /its file would be that of the record page\.html/)
      assert.strictEqual(yield* textOf("page.html"), "1")
      yield* putRecord(DEFAULT, "a!(b)", "text")
      for (const key of ["OUTPUT", "broken", "page.html", "split"]) yield* deleteRecord(DEFAULT, key)
      assert.deepStrictEqual(yield* names, ["__metadata__.json", "a!(b).txt"])
    })
  )

  inFolder("show which of two files is the newer record", ({ names, write }) =>
    Effect.gen(function* () {
      yield* putRecord(DEFAULT, "OUTPUT", { schema: Schema.Number, value: 1 })
      yield* write("OUTPUT", "2")
      yield* write("OUTPUT.__metadata__.json", '{ "contentType": "application/json" }')
      assert.strictEqual(yield* getRecordValue(DEFAULT, "OUTPUT", Schema.Number), 2)
      yield* putRecord(DEFAULT, "OUTPUT", { schema: Schema.Number, value: 3 })
      assert.deepStrictEqual(yield* names, ["OUTPUT.json"])
    })
  )

  it.scopedLive("are removed with what they are about", () =>
    Effect.gen(function* () {
      const { client, path } = yield* scratch
      const theirs = () => new MemoryStorage({ localDataDirectory: path, writeMetadata: true }).keyValueStore("default")
      for (const key of ["a", "b"]) {
        yield* Effect.promise(() => theirs().setRecord({ key, value: "old", contentType: "text/plain; charset=utf-8" }))
      }
      yield* Effect.gen(function* () {
        assert.deepStrictEqual(yield* keysOf, ["a", "b"])
        yield* putRecord(DEFAULT, "a", { schema: Schema.Number, value: 1 })
        yield* deleteRecord(DEFAULT, "b")
      }).pipe(Effect.provide(client))
      const read = (key: string) => Effect.promise(() => theirs().getRecord(key))
      assert.deepInclude(yield* read("a"), { value: 1, contentType: "application/json; charset=utf-8" })
      assert.isUndefined(yield* read("b"))
    })
  )
})

describe("an Actor", () => {
  const Input = Schema.Struct({ urls: Schema.Array(Schema.String) })

  /** A program that says nothing of where it runs. */
  const program = Effect.gen(function* () {
    const { urls } = yield* Actor.getInput(Input)
    const page = yield* Actor.persistedState({ ...unhurried, key: "PAGE", schema: Schema.Int, initial: 0 })
    const done = yield* SubscriptionRef.updateAndGet(page, (done) => done + 1)
    yield* Actor.setOutput(Schema.Array(Schema.String), urls.slice(0, done))
    return done
  }).pipe(Effect.scoped)

  const actor = Layer.provide(Actor.layerWith({ localStore: "default" }), NodeSocket.layerWebSocketConstructor)

  const variables = (all: Readonly<Record<string, string>>) =>
    Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(all))))

  /** The platform, for a program that runs in a folder. */
  const within = (folder: string) =>
    Layer.merge(
      NodeContext.layer,
      Layer.effect(
        Path.Path,
        Effect.map(Path.Path, (node) => ({ ...node, resolve: (...segments) => node.resolve(folder, ...segments) }))
      ).pipe(Layer.provide(NodeContext.layer))
    )

  it.scopedLive("does the same on Apify and in the folder of apify run, by another layer", () =>
    Effect.gen(function* () {
      const { names, path, read, write } = yield* scratch
      yield* write("INPUT.json", '{ "urls": ["a", "b"] }')
      const run = Layer.provideMerge(actor, ApifyClient.layerConfigWith(unhurried)).pipe(
        Layer.provide(Layer.provide(FolderTransport.layer, NodeContext.layer)),
        Layer.provide(variables({ APIFY_LOCAL_STORAGE_DIR: path, ACTOR_INPUT_KEY: "INPUT" }))
      )
      for (const runs of [1, 2, 3]) assert.strictEqual(yield* Effect.provide(program, run), runs)
      assert.deepStrictEqual(yield* names, ["INPUT.json", "OUTPUT.json", "PAGE.json"])
      assert.deepStrictEqual([yield* read("PAGE.json"), yield* read("OUTPUT.json")], ["3", '["a","b"]'])

      yield* Effect.gen(function* () {
        const { url } = yield* Emulator
        const run = Layer.provideMerge(actor, ApifyClient.layerConfigWith(unhurried)).pipe(
          Layer.provide(FetchTransport.layer),
          Layer.provide(variables({ APIFY_API_BASE_URL: url, APIFY_TOKEN: DEMO_TOKEN }))
        )
        yield* Effect.gen(function* () {
          const { store } = yield* getOrCreateStore({ name: "default" })
          yield* putRecord(store.id, "INPUT", { schema: Input, value: { urls: ["a", "b"] } })
        }).pipe(Effect.provide(run))
        for (const runs of [1, 2, 3]) assert.strictEqual(yield* Effect.provide(program, run), runs)
      }).pipe(Effect.provide(Emulator.layer()))
    })
  )

  it.scopedLive("without a file for its input names that file, in the folder as it was named", () =>
    Effect.gen(function* () {
      const { path } = yield* scratch
      const run = Layer.provideMerge(Layer.provide(actor, variables({})), clientIn("./storage", within(path)))
      const error = yield* Effect.flip(Effect.provide(Actor.getInput(Input), run))
      assert.propertyVal(error, "_tag", "RecordNotFoundError")
      assert.strictEqual(
        error.message,
        "Record was not found: there is no file storage/key_value_stores/default/INPUT.json, nor one with another extension. Keys are case-sensitive."
      )
    })
  )

  it.scopedLive.each([
    ["APIFY_LOCAL_STORAGE_DIR", { APIFY_LOCAL_STORAGE_DIR: "a", CRAWLEE_STORAGE_DIR: "b" }, "a"],
    ["CRAWLEE_STORAGE_DIR", { APIFY_LOCAL_STORAGE_DIR: " ", CRAWLEE_STORAGE_DIR: "b" }, "b"],
    ["none", {}, "storage"]
  ] as const)("finds the folder by %s", ([, all, expected]) =>
    Effect.gen(function* () {
      const { path } = yield* scratch
      yield* Layer.build(Layer.provide(FolderTransport.layer, [within(path), variables(all)]))
      const fs = yield* Effect.provide(FileSystem.FileSystem, NodeContext.layer)
      assert.sameMembers([...(yield* fs.readDirectory(path))], ["key_value_stores", expected])
    })
  )
})
