/**
 * Copy a store to another one, to a folder, or from a folder.
 *
 *     npx pnpm@12 tsx examples/copyStore.ts janedoe~my-store ./backup
 *     npx pnpm@12 tsx examples/copyStore.ts ./backup '~my-copy'
 *
 * An argument that begins with a `.` or a `/` is a folder. Without arguments it copies a store to a folder and back.
 *
 * Ctrl+C leaves no record half-written, and the same command goes on from there: it leaves out each record that the target has
 * in the size that the source lists. So a record that changed but has the same size is not copied again, and one that a store
 * keeps compressed is copied to a store each time.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { putRecord } from "@effect-apify/http"
import * as UndiciTransport from "@effect-apify/http/UndiciTransport"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { apify, EXAMPLE_STORE } from "./local.js"
import { clearProgress, showBar } from "./progress.js"
import { copyRecords, folderPlace, storePlace } from "./storeCopy.js"

const placeOf = (text: string) => (/^[./]/.test(text) ? folderPlace(text) : storePlace(text))

const copy = (from: string, to: string) =>
  copyRecords(placeOf(from), placeOf(to), (done, total) => showBar(process.stderr, done, total, "records")).pipe(
    Effect.ensuring(clearProgress(process.stderr)),
    Effect.onInterrupt(() => Console.error("Stopped. The same command goes on from here.")),
    Effect.flatMap(({ copied, skipped }) => Console.log(`${copied} records copied, ${skipped} were there already`))
  )

const demo = Effect.gen(function* () {
  yield* putRecord(EXAMPLE_STORE, "INPUT", '{"pages":3}', { contentType: "application/json" })
  yield* putRecord(EXAMPLE_STORE, "input", "Some notes")
  yield* putRecord(EXAMPLE_STORE, "page.html", "<!DOCTYPE html>", { contentType: "text/html" })
  const fileSystem = yield* FileSystem.FileSystem
  const folder = yield* fileSystem.makeTempDirectoryScoped()
  yield* copy(EXAMPLE_STORE, folder)
  yield* copy(EXAMPLE_STORE, folder)
  yield* copy(folder, "~my-copy")
}).pipe(Effect.scoped)

const services = [Layer.provide(apify, UndiciTransport.layer), NodeContext.layer] as const

const program = Effect.gen(function* () {
  const [from, to, ...others] = process.argv.slice(2)
  if (from === undefined) return yield* Effect.provide(demo, services)
  if (to === undefined || others.length > 0) {
    return yield* Effect.fail(new Error("Give a store or a folder to copy, and a store or a folder to copy it to"))
  }
  yield* Effect.provide(copy(from, to), services)
})

program.pipe(
  Effect.tapError(({ message }) => Console.error(message)),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    // A script must not take an interrupted copy for a whole one: 130 is what a shell reports after Ctrl+C.
    teardown: (exit, onExit) =>
      onExit(Exit.match(exit, { onSuccess: () => 0, onFailure: (cause) => (Cause.isInterruptedOnly(cause) ? 130 : 1) }))
  })
)
