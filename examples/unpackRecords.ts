/**
 * Download all records of a store as one archive, and unpack it into a folder, one file for each record.
 *
 *     npx pnpm@12 tsx examples/unpackRecords.ts
 *
 * The archive goes to a file first, because only the end of an archive says what is in it. yauzl checks it, and every name
 * has to be a record key: a key has no slash, and so leads to no other folder.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeStream from "@effect/platform-node/NodeStream"
import { downloadRecords, parseRecordKey, putRecord, type StoreRef } from "@effect-apify/http"
import * as UndiciTransport from "@effect-apify/http/UndiciTransport"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { type Entry, openPromise, type ZipFile } from "yauzl"
import { apify, EXAMPLE_STORE } from "./local.js"

class ArchiveError extends Data.TaggedError("ArchiveError")<{ readonly cause: unknown }> {}

const attempt = <A>(evaluate: () => Promise<A>) =>
  Effect.tryPromise({ try: evaluate, catch: (cause) => new ArchiveError({ cause }) })

const open = (path: string) =>
  Effect.acquireRelease(
    attempt(() => openPromise(path, { lazyEntries: true, autoClose: false })),
    (archive) => Effect.sync(() => archive.close())
  )

const unpackEntry = (archive: ZipFile, entry: Entry, folder: string) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const key = yield* parseRecordKey(entry.fileName)
    const content = yield* attempt(() => archive.openReadStreamPromise(entry))
    const bytes = NodeStream.fromReadable<ArchiveError, Uint8Array>(
      () => content,
      (cause) => new ArchiveError({ cause })
    )
    // "wx": a name that comes twice does not overwrite.
    yield* Stream.run(bytes, fileSystem.sink(`${folder}/${key}`, { flag: "wx" }))
    yield* Console.log(`${key}: ${entry.uncompressedSize} bytes`)
  })

const unpack = (ref: StoreRef | string, folder: string) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const path = yield* fileSystem.makeTempFileScoped()
    yield* Stream.run(downloadRecords(ref), fileSystem.sink(path))
    const archive = yield* open(path)
    const entries = Stream.fromAsyncIterable(archive.eachEntry(), (cause) => new ArchiveError({ cause }))
    yield* Stream.runForEach(entries, (entry) => unpackEntry(archive, entry, folder))
  }).pipe(Effect.scoped)

const program = Effect.gen(function* () {
  yield* putRecord(EXAMPLE_STORE, "INPUT", "{}", { contentType: "application/json" })
  yield* putRecord(EXAMPLE_STORE, "page.html", "<!DOCTYPE html>", { contentType: "text/html", gzip: true })
  const fileSystem = yield* FileSystem.FileSystem
  const folder = yield* fileSystem.makeTempDirectoryScoped()
  yield* unpack(EXAMPLE_STORE, folder)
  yield* Console.log(`page.html holds ${yield* fileSystem.readFileString(`${folder}/page.html`)}`)
}).pipe(Effect.scoped)

program.pipe(Effect.provide([Layer.provide(apify, UndiciTransport.layer), NodeContext.layer]), NodeRuntime.runMain)
