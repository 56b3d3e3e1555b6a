/**
 * Keeps stores in a folder in place of Apify: the folder `storage` of `apify run` and of Apify's SDK.
 *
 * The record `INPUT` of the store `default` is the file `key_value_stores/default/INPUT.json`. A file's name is the record's
 * key and an extension for its content type; a file without an extension is text. You can write such files by hand, and read
 * what programs have stored. All operations work, but nothing serves the public links.
 *
 * @since 0.1.0
 */

import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Path from "@effect/platform/Path"
import type { Store } from "@effect-apify/domain/Store"
import { StoreName } from "@effect-apify/domain/StoreName"
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as HttpClientTransport from "./HttpClientTransport.js"
import { variable } from "./internal/environment.js"
import type { StoreChanges } from "./internal/memory.js"
import { makeMemoryApi } from "./internal/memoryApi.js"
import { folderName, ifFound, type Place, recordFiles, storeIn } from "./internal/recordFiles.js"
import { checkObject, checkText } from "./internal/settings.js"
import type { Transport } from "./Transport.js"

/**
 * Where the folder is.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** Its path. It is created if it does not exist. */
  readonly folder: string
}

/**
 * Keeps stores in the folder that `APIFY_LOCAL_STORAGE_DIR` names, as `apify run` does, or else `CRAWLEE_STORAGE_DIR`, and `storage`
 * where neither is set. See `layerWith`.
 *
 * @example
 * ```ts
 * import * as NodeContext from "@effect/platform-node/NodeContext"
 * import * as NodeSocket from "@effect/platform-node/NodeSocket"
 * import { ApifyClient } from "@effect-apify/http"
 * import * as Actor from "@effect-apify/http/Actor"
 * import * as FolderTransport from "@effect-apify/http/FolderTransport"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Schema from "effect/Schema"
 *
 * const Input = Schema.Struct({ urls: Schema.Array(Schema.String) })
 *
 * // storage/key_value_stores/default/INPUT.json
 * const program = Effect.flatMap(Actor.getInput(Input), ({ urls }) => Actor.setOutput(Schema.Number, urls.length))
 *
 * const run = Actor.layerWith({ localStore: "default" }).pipe(
 *   Layer.provideMerge(ApifyClient.layerConfig),
 *   Layer.provide([FolderTransport.layer, NodeSocket.layerWebSocketConstructor]),
 *   Layer.provide(NodeContext.layer)
 * )
 *
 * Effect.runPromise(Effect.provide(program, run))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Transport, ConfigError | PlatformError, FileSystem.FileSystem | Path.Path> =
  /* @__PURE__ */ Layer.unwrapEffect(
    /* @__PURE__ */ Effect.suspend(() => Effect.map(folderVariable, (folder) => layerWith({ folder })))
  )

/**
 * Keeps stores in a folder. The layer fails if the folder cannot be made, read or written; a call that cannot read or write a file
 * ends in a `TransportError` with the reason `file`, and is not retried.
 *
 * - The caller owns all stores, with any token or none. Each folder in `key_value_stores` is a store with its name.
 * - A store that is made or updated here has its ID, title, schema and access in its file `__metadata__.json`, as Crawlee has it, and an
 *   unnamed one is found by its ID. The ID of any other store is new with each layer, and so are statistics and signing keys.
 * - A record is replaced whole or not at all, even if the program is killed. What such a program was writing is left in the folder
 *   `unfinished`, and removed an hour later, when a layer begins.
 * - A content type that has no well-known extension is an extension itself, escaped, and comes back as it was put. Any other comes
 *   back as its extension says, so `charset=utf-8` may be added or left out.
 * - `INPUT.json` is plain JSON, as for `apify run` and Apify's SDK for Python. The SDK for JavaScript also takes comments and trailing
 *   commas.
 * - What the SDK for Python and Crawlee 4 write is read: a file named by its key alone, and `__metadata__` with its content type beside
 *   it. They do not find what is put here, except for the input. A put or delete also removes such notes of its key.
 * - Keys are those of Apify, so none leads out of the folder. A `BadRequestError` refuses keys that the folder cannot hold: those of
 *   the SDK's own notes (`__metadata__`), of devices such as `CON` on Windows, and those that differ only by case from one that is
 *   there, if the file system does not tell them apart. Most file systems take names of up to 255 characters.
 * - Records are read and written whole, in memory. Lists keep to Apify's pace.
 * - Other programs may use the folder at the same time. Each operation on stores knows what they have made, renamed and deleted, and
 *   so does one on a record whose store is not known. Until then, a store's records are those in the folder of its name. A put never
 *   makes a folder again that they have removed: it fails with a `StoreNotFoundError`.
 *
 * @example
 * ```ts
 * import * as NodeContext from "@effect/platform-node/NodeContext"
 * import { ApifyClient, putRecord } from "@effect-apify/http"
 * import * as FolderTransport from "@effect-apify/http/FolderTransport"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const folder = Layer.provide(FolderTransport.layerWith({ folder: "./storage" }), NodeContext.layer)
 *
 * // storage/key_value_stores/default/notes.txt
 * const program = putRecord("~default", "notes", "Some text").pipe(
 *   Effect.provide(Layer.provide(ApifyClient.layer(), folder))
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (options: Options): Layer.Layer<Transport, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Layer.provide(HttpClientTransport.layer, Layer.effect(HttpClient.HttpClient, make(options)))

const folderVariable = Config.all([variable("APIFY_LOCAL_STORAGE_DIR"), variable("CRAWLEE_STORAGE_DIR")]).pipe(
  Config.map(Option.firstSomeOf),
  Config.map(Option.getOrElse(() => "storage"))
)

/** Who owns all stores. */
const OWNER = "local"

const make = (options: Options) =>
  Effect.gen(function* () {
    checkObject("options", options, "{ folder: './storage' }")
    const { folder } = options
    checkText("folder", folder)
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const root = path.resolve(folder)
    const place: Place = {
      fs,
      path,
      stores: path.join(root, "key_value_stores"),
      shown: path.join(folder, "key_value_stores"),
      unfinished: path.join(root, "unfinished")
    }
    yield* fs.makeDirectory(place.stores, { recursive: true })
    yield* fs.access(place.stores, { readable: true, writable: true })
    yield* removeUnfinished(place)
    const respond = yield* makeMemoryApi({
      caller: OWNER,
      stores: (yield* changesIn(place, [])).made,
      changes: (known) => changesIn(place, known),
      recordsOf: (store) => recordFiles(place, store)
    })
    return HttpClient.make((request) =>
      Effect.map(respond(HttpClientRequest.bearerToken(request, OWNER)), (response) =>
        HttpClientResponse.fromWeb(request, response)
      )
    )
  })

const isStoreName = Schema.is(StoreName)

/** Which of the known stores are not in their folders any more, and which others are there. */
const changesIn = (place: Place, known: ReadonlyArray<Store>): Effect.Effect<StoreChanges, PlatformError> =>
  Effect.gen(function* () {
    const names = yield* ifFound(place.fs.readDirectory(place.stores), Effect.succeed([]))
    const found = yield* Effect.forEach(
      names.filter(isStoreName).sort(),
      (name) =>
        Effect.map(
          storeIn(place, name),
          Option.map((seed) => [name, seed] as const)
        ),
      { concurrency: 16 }
    )
    const others = new Map(Arr.getSomes(found))
    // Another program may have renamed a store, and made another one under its old name. A folder without notes may be any.
    const [gone, own] = Arr.partition(known, (store) => {
      const seed = others.get(folderName(store))
      return seed !== undefined && (seed.id ?? store.id) === store.id
    })
    for (const store of own) others.delete(folderName(store))
    const ids = new Set<unknown>(own.map(({ id }) => id))
    const made = Array.from(others, ([name, seed]) => {
      // Two folders may say one ID: that of a copy whose notes were edited, or of a store that programs change at the same time.
      const isOther = ids.has(seed.id)
      ids.add(seed.id)
      return isOther ? { name } : seed
    })
    return { gone, made }
  })

/** For so long, something may still be written. */
const PATIENCE_MILLIS = 60 * 60 * 1000

/** Removes what programs that were killed have left. */
const removeUnfinished = ({ fs, path, unfinished }: Place): Effect.Effect<void> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    for (const name of yield* fs.readDirectory(unfinished)) {
      const file = path.join(unfinished, name)
      const { mtime } = yield* fs.stat(file)
      const isOld = Option.exists(mtime, (modified) => now - modified.getTime() > PATIENCE_MILLIS)
      if (isOld) yield* fs.remove(file, { recursive: true })
    }
  }).pipe(Effect.ignore)
