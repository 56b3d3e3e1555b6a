/**
 * The records of a store as files of a folder, by the names that Apify's SDK gives them locally: the key, and an extension for the
 * content type.
 */
import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import { ApiError } from "@effect-apify/domain/ApiError"
import { MISSING_RECORD_MESSAGE } from "@effect-apify/domain/RecordErrors"
import { parseRecordKey } from "@effect-apify/domain/RecordKey"
import {
  type Refusal,
  recordNotFoundRefusal,
  storeNotFoundRefusal,
  unsupportedEncodingRefusal
} from "@effect-apify/domain/Refusal"
import { Store } from "@effect-apify/domain/Store"
import { GeneratedStoreId } from "@effect-apify/domain/StoreId"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import { KeyLocks, SharedLock } from "./keyLocks.js"
import { isSame, type MemoryRecord, type Records, type Refused, refuse, type SeedStore } from "./memory.js"
import { decoded } from "./memoryApi.js"

/** Of several extensions for a content type, the first is written. Text is in UTF-8. */
const contentTypes: ReadonlyMap<string, string> = new Map([
  ["json", "application/json; charset=utf-8"],
  ["txt", "text/plain; charset=utf-8"],
  ["html", "text/html; charset=utf-8"],
  ["htm", "text/html; charset=utf-8"],
  ["css", "text/css; charset=utf-8"],
  ["csv", "text/csv; charset=utf-8"],
  ["md", "text/markdown; charset=utf-8"],
  ["js", "text/javascript; charset=utf-8"],
  ["xml", "application/xml"],
  ["bin", "application/octet-stream"],
  ["gz", "application/gzip"],
  ["pdf", "application/pdf"],
  ["xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
  ["zip", "application/zip"],
  ["gif", "image/gif"],
  ["jpeg", "image/jpeg"],
  ["jpg", "image/jpeg"],
  ["png", "image/png"],
  ["svg", "image/svg+xml"],
  ["webp", "image/webp"],
  ["mp3", "audio/mpeg"],
  ["mp4", "video/mp4"],
  ["webm", "video/webm"]
])

const utf8 = new TextEncoder()

const TEXT_TYPE = "text/plain; charset=utf-8"
const BINARY_TYPE = "application/octet-stream"

/** A content type without what does not matter: case, spaces, and a charset that is UTF-8. */
const normal = (contentType: string): string =>
  contentType
    .toLowerCase()
    .replace(/\s/g, "")
    .replace(/;charset="?utf-8"?$/, "")

const extensions: ReadonlyMap<string, string> = new Map(
  Array.from(contentTypes, ([extension, contentType]) => [normal(contentType), extension] as const).reverse()
)

/** The well-known extension of a content type, or the content type itself, escaped: with a `%` in any case, and without a dot. */
const extensionOf = (contentType: string): string =>
  extensions.get(normal(contentType)) ??
  encodeURIComponent(contentType)
    .replace(/[.!'()*~]/g, escapeFirst)
    .replace(/^[^%]*$/, escapeFirst)

const escapeFirst = (text: string): string => `%${text.charCodeAt(0).toString(16)}${text.slice(1)}`

const decode = Option.liftThrowable(decodeURIComponent)

/** Whether a header can hold a content type. */
const isPrintable = (contentType: string): boolean => /^[ -~]+$/.test(contentType)

/** None for an extension that no record has. */
const contentTypeOf = (extension: string): Option.Option<string> => {
  if (/^[a-z\d]+$/i.test(extension)) {
    return Option.some(contentTypes.get(extension.toLowerCase()) ?? BINARY_TYPE)
  }
  return extension.includes("%") ? Option.filter(decode(extension), isPrintable) : Option.none()
}

/** A file that is a record. */
interface RecordFile {
  readonly name: string
  readonly key: string
  readonly contentType: string
  /** Whether its name is the key alone, and notes beside it say its content type. */
  readonly isNoted: boolean
}

/** What Apify's SDKs note of a store or a record. */
const isMetadata = (name: string): boolean => /(?:^|\.)__metadata__\./.test(name)

/** What follows the key in the name of its notes. */
const NOTES = ".__metadata__.json"

/** The escaped keys that a folder has notes of. */
const notedIn = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.filter((name) => name.endsWith(NOTES)).map((name) => name.slice(0, -NOTES.length))

/** As the SDKs for JavaScript and for Python have it. */
const Notes = Schema.parseJson(
  Schema.Union(Schema.Struct({ contentType: Schema.String }), Schema.Struct({ content_type: Schema.String }))
)

const typeInNotes = (text: string): Option.Option<string> =>
  Schema.decodeOption(Notes)(text).pipe(
    Option.map((notes) => ("contentType" in notes ? notes.contentType : notes.content_type)),
    Option.filter(isPrintable)
  )

/**
 * The record that a file is by its name, if its key is selected. `.DS_Store` and the like would have no key, others one that is not
 * Apify's.
 */
const recordFileOf = (
  name: string,
  isNoted: boolean,
  isSelected: (key: string) => boolean
): Option.Option<RecordFile> => {
  const dot = isNoted ? -1 : name.lastIndexOf(".")
  const stem = dot < 0 ? name : name.slice(0, dot)
  const key = isNoted ? Option.getOrElse(decode(stem), () => stem) : stem
  // First, since most files are those of other keys.
  if (!isSelected(key) || isMetadata(name)) return Option.none()
  const contentType = dot < 0 ? Option.some(TEXT_TYPE) : contentTypeOf(name.slice(dot + 1))
  return Option.flatMap(Either.getRight(parseRecordKey(key)), (key) =>
    Option.map(contentType, (contentType) => ({ name, key, contentType, isNoted }))
  )
}

/** The files of a folder that are records, by those keys that are selected. */
const filesByKey = (names: ReadonlyArray<string>, isSelected: (key: string) => boolean) => {
  const noted = new Set(notedIn(names))
  const byKey = new Map<string, Array<RecordFile>>()
  for (const name of names) {
    const file = recordFileOf(name, noted.has(name), isSelected)
    if (Option.isNone(file)) continue
    const others = byKey.get(file.value.key)
    if (others === undefined) byKey.set(file.value.key, [file.value])
    else others.push(file.value)
  }
  return byKey
}

const byKey: Order.Order<readonly [key: string, files: unknown]> = Order.mapInput(Order.string, ([key]) => key)

/** Of several files with one key, the first is the record. A put removes the notes, so one that has them is newer. */
const byPrecedence: Order.Order<RecordFile> = Order.combineAll([
  Order.mapInput(Order.boolean, ({ isNoted }: RecordFile) => !isNoted),
  Order.mapInput(Order.boolean, ({ contentType }: RecordFile) => contentType !== contentTypes.get("json")),
  Order.mapInput(Order.string, ({ name }: RecordFile) => name)
])

/** Names that Windows has for devices, whatever their extension. */
const isDevice = (name: string): boolean => /^(?:con|prn|aux|nul|com\d|lpt\d)\./i.test(name)

const keyRefusal = (key: string, problem: string): Refusal => ({
  status: 400,
  error: new ApiError({ type: "invalid-value", message: `A folder cannot hold a record ${key}: ${problem}` })
})

const fileNotFoundRefusal = (file: string): Refusal => ({
  status: recordNotFoundRefusal.status,
  error: new ApiError({
    type: recordNotFoundRefusal.error.type,
    message: `${MISSING_RECORD_MESSAGE}: there is no file ${file}, nor one with another extension`
  })
})

/** Where the folders of stores are, and what reads and writes them. */
export interface Place {
  readonly fs: FileSystem.FileSystem
  readonly path: Path.Path
  /** The folder of the folders of stores. */
  readonly stores: string
  /** The same, as it is shown in errors: as the user has named it. */
  readonly shown: string
  /** The folder for what is being written, on the same file system. */
  readonly unfinished: string
}

/** Another effect takes the place of one that finds no file. */
export const ifFound = <A, B, E>(
  effect: Effect.Effect<A, PlatformError>,
  otherwise: Effect.Effect<B, E>
): Effect.Effect<A | B, PlatformError | E> =>
  Effect.catchIf(
    effect,
    (error) => error._tag === "SystemError" && error.reason === "NotFound",
    () => otherwise
  )

/** What is at a path. A link that cannot be followed is nothing: it leads nowhere, to itself, or where nobody may look. */
const infoAt = (fs: FileSystem.FileSystem, path: string): Effect.Effect<Option.Option<FileSystem.File.Info>> =>
  Effect.option(fs.stat(path))

/** Whether there is a folder at a path. */
export const isFolder = (fs: FileSystem.FileSystem, path: string): Effect.Effect<boolean> =>
  Effect.map(
    infoAt(fs, path),
    Option.exists(({ type }) => type === "Directory")
  )

/** What Apify's SDKs note of a store. */
const STORE_NOTES = "__metadata__.json"

/** What is kept of a store: its identity, and what was chosen for it. It has the fields that the SDKs need, and no secret. */
const KeptStore = Schema.Struct({
  ...Struct.pick(Store.fields, "name", "title", "createdAt", "modifiedAt", "accessedAt", "generalAccess", "schema"),
  id: GeneratedStoreId
})

const decodeKept = Schema.decodeOption(Schema.parseJson(KeptStore))
const encodeKept = Schema.encodeSync(KeptStore)
const isGenerated = Schema.is(GeneratedStoreId)

/** The notes of a store, if they can be kept. Its last uses are not kept: to keep them, each would write a file. */
const keptText = (store: Store): Option.Option<string> => {
  const { createdAt, id } = store
  return isGenerated(id)
    ? Option.some(
        JSON.stringify(encodeKept({ ...store, id, modifiedAt: createdAt, accessedAt: createdAt }), undefined, 2)
      )
    : Option.none()
}

/** The name of a store's folder: its own name, or its ID if it has none. */
export const folderName = ({ id, name }: Pick<Store, "id" | "name">): string => Option.getOrElse(name, (): string => id)

/** The store that is under a name, if that is a folder. Notes of another one, such as those of a copy, say nothing of it. */
export const storeIn = ({ fs, path, stores }: Place, name: string): Effect.Effect<Option.Option<SeedStore>> =>
  Effect.gen(function* () {
    const folder = path.join(stores, name)
    const notes = yield* Effect.option(fs.readFileString(path.join(folder, STORE_NOTES)))
    if (Option.isNone(notes) && !(yield* isFolder(fs, folder))) return Option.none()
    const kept = Option.filter(Option.flatMap(notes, decodeKept), (kept) => name === folderName(kept))
    if (Option.isNone(kept)) return Option.some({ name })
    const { accessedAt: _, modifiedAt: __, ...seed } = encodeKept(kept.value)
    return Option.some(seed)
  })

/** The store of a folder was deleted. */
const gone = Effect.fail(refuse(storeNotFoundRefusal))

/** The records of a store, in its folder. */
export const recordFiles = ({ fs, path, shown, stores, unfinished }: Place, store: Store): Records => {
  // Held until the system is done: an interruption would not end what it has begun, which could then overtake the next put.
  const locks = new KeyLocks()
  const folderOf = (store: Store): string => path.join(stores, folderName(store))
  let folder = folderOf(store)
  let kept = keptText(store)
  let isDropped = false
  /** Held by whoever uses the folder, and alone by who moves it. */
  const folderLock = new SharedLock()
  const inFolder = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E | Refused> =>
    folderLock.shared(Effect.suspend((): Effect.Effect<A, E | Refused> => (isDropped ? gone : effect)))

  const names = Effect.suspend(() => ifFound(fs.readDirectory(folder), Effect.succeed([])))

  /** Files with their sizes; without those that are folders, or have been removed meanwhile. */
  const withSizes = (files: ReadonlyArray<RecordFile>) =>
    Effect.map(
      Effect.forEach(files, (file) =>
        Effect.map(infoAt(fs, path.join(folder, file.name)), (info) =>
          Option.map(
            Option.filter(info, ({ type }) => type === "File"),
            ({ size }) => ({ ...file, size: Number(size) })
          )
        )
      ),
      Arr.getSomes
    )

  /** The files of a key among those of a folder, the record first. */
  const filesOf = (key: string, names: ReadonlyArray<string>) =>
    withSizes((filesByKey(names, (other) => other === key).get(key) ?? []).sort(byPrecedence))

  const notedType = ({ contentType, name }: RecordFile) =>
    Effect.map(
      ifFound(Effect.map(fs.readFileString(path.join(folder, `${name}${NOTES}`)), typeInNotes), Effect.succeedNone),
      Option.getOrElse(() => contentType)
    )

  const read = (key: string): Effect.Effect<Option.Option<MemoryRecord>, PlatformError> =>
    Effect.gen(function* () {
      const [file] = yield* filesOf(key, yield* names)
      if (file === undefined) return Option.none()
      const { name } = file
      const contentType = file.isNoted ? yield* notedType(file) : file.contentType
      const record = Effect.map(fs.readFile(path.join(folder, name)), (bytes) =>
        Option.some({ contentType, contentEncoding: undefined, bytes })
      )
      // Another program has removed the file, or put a record of another content type in its place.
      return yield* ifFound(record, read(key))
    })

  /** Whether the folder already has another record's file under the name, as it may where case does not matter. */
  const isTaken = (name: string, existing: ReadonlyArray<string>) =>
    existing.includes(name) || !existing.some((other) => isSame(other, name))
      ? Effect.succeed(false)
      : fs.exists(path.join(folder, name))

  const problemOf = (name: string, existing: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      if (isMetadata(name)) return Option.some("Apify's SDK keeps its notes under such names")
      if (existing.includes(`${name}${NOTES}`)) return Option.some(`its file would be that of the record ${name}`)
      if (path.sep === "\\" && isDevice(name)) return Option.some("it is the name of a device")
      return (yield* isTaken(name, existing))
        ? Option.some("this file system does not tell it from a key that differs only in case")
        : Option.none()
    })

  /** A file elsewhere, which is to take its name. */
  const written = (bytes: Uint8Array) =>
    Effect.gen(function* () {
      yield* fs.makeDirectory(unfinished, { recursive: true })
      const file = path.join(yield* fs.makeTempDirectoryScoped({ directory: unfinished }), "record")
      yield* fs.writeFile(file, bytes)
      // So that what has the name is on the disk, even if the power fails.
      yield* Effect.flatMap(fs.open(file, { flag: "r+" }), ({ sync }) => sync)
      return file
    })

  /** Another program may have removed the store. It is not made anew for one file. */
  const move = (file: string, name: string) => ifFound(fs.rename(file, path.join(folder, name)), gone)

  /** Whole or not at all. */
  const write = (name: string, bytes: Uint8Array) =>
    Effect.scoped(Effect.flatMap(written(bytes), (file) => move(file, name)))

  const remove = (name: string) => fs.remove(path.join(folder, name), { force: true })

  /** The names of a key's notes: what they say of it is wrong of the record that is put next. */
  const notesOf = (key: string, existing: ReadonlyArray<string>) =>
    notedIn(existing)
      .filter((name) => Option.contains(decode(name), key))
      .map((name) => `${name}${NOTES}`)

  return {
    list: (isSelected, limit) =>
      Effect.gen(function* () {
        const files = Array.from(filesByKey(yield* names, isSelected)).sort(byKey)
        const listed: Array<{ readonly key: string; readonly size: number }> = []
        for (let next = 0; next < files.length && listed.length < limit; ) {
          const page = files.slice(next, next + limit - listed.length)
          next += page.length
          const found = yield* Effect.forEach(page, ([, files]) => withSizes(files.sort(byPrecedence)), {
            concurrency: 16
          })
          listed.push(...found.flatMap(([record]) => (record === undefined ? [] : [record])))
        }
        return listed
      }).pipe(inFolder),
    get: (key) => inFolder(locks.withLock(key)(read(key))),
    notFound: (key) => fileNotFoundRefusal(path.join(shown, path.basename(folder), `${key}.json`)),
    put: (key, record) =>
      Effect.gen(function* () {
        const { bytes, contentEncoding, contentType } = yield* decoded(record)
        if (contentEncoding !== undefined)
          return yield* Effect.fail(refuse(unsupportedEncodingRefusal(contentEncoding)))
        const existing = yield* names
        const before = yield* filesOf(key, existing)
        const wanted = `${key}.${extensionOf(contentType || BINARY_TYPE)}`
        // The name as it is written on a file system where case does not matter.
        const name = before.find(({ name }) => isSame(name, wanted))?.name ?? wanted
        const problem = yield* problemOf(name, existing)
        if (Option.isSome(problem)) return yield* Effect.fail(refuse(keyRefusal(key, problem.value)))
        const others = before.flatMap((file) => (file.name === name ? [] : [file.name]))
        yield* Effect.uninterruptible(
          Effect.zipRight(write(name, bytes), Effect.forEach([...others, ...notesOf(key, existing)], remove))
        )
      }).pipe(locks.withLock(key), inFolder),
    delete: (key) =>
      Effect.gen(function* () {
        const existing = yield* names
        const found = yield* filesOf(key, existing)
        const all = [...found.map(({ name }) => name), ...notesOf(key, existing)]
        yield* Effect.uninterruptible(Effect.forEach(all, remove))
        return found.length > 0
      }).pipe(locks.withLock(key), inFolder),
    size: Effect.succeedNone,
    // With its notes, and at once: a folder without them would be another store.
    make: Effect.gen(function* () {
      yield* fs.makeDirectory(stores, { recursive: true })
      yield* fs.makeDirectory(unfinished, { recursive: true })
      const made = path.join(yield* fs.makeTempDirectoryScoped({ directory: unfinished }), "store")
      yield* fs.makeDirectory(made)
      if (Option.isSome(kept)) yield* fs.rename(yield* written(utf8.encode(kept.value)), path.join(made, STORE_NOTES))
      return yield* Effect.as(fs.rename(made, folder), true).pipe(
        Effect.catchAll((error) =>
          Effect.flatMap(isFolder(fs, folder), (isThere) => (isThere ? Effect.succeed(false) : Effect.fail(error)))
        )
      )
    }).pipe(Effect.scoped, (make) => folderLock.alone(make)),
    keepAs: (store) =>
      Effect.gen(function* () {
        const next = folderOf(store)
        const text = keptText(store)
        const changed = Option.filter(text, (text) => !Option.contains(kept, text))
        // First, since the disk may be full: a folder with the notes of another name would be another store.
        const notes = yield* Effect.transposeMapOption(changed, (text) => written(utf8.encode(text)))
        yield* Effect.uninterruptible(
          Effect.gen(function* () {
            if (next !== folder) yield* ifFound(fs.rename(folder, next), gone)
            folder = next
            if (Option.isSome(notes)) yield* move(notes.value, STORE_NOTES)
          })
        )
        kept = text
      }).pipe(Effect.scoped, (keep) => folderLock.alone(keep)),
    drop: Effect.gen(function* () {
      yield* fs.makeDirectory(unfinished, { recursive: true })
      yield* Effect.acquireUseRelease(
        fs.makeTempDirectory({ directory: unfinished }),
        // At once: a store that is half removed could be taken for one.
        (removed) => ifFound(fs.rename(folder, path.join(removed, "store")), Effect.void),
        (removed) => Effect.ignore(fs.remove(removed, { recursive: true }))
      )
      isDropped = true
    }).pipe((drop) => folderLock.alone(drop))
  }
}
