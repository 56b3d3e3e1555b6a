/**
 * Places that hold records, a store or a folder, and a copy from one to another.
 *
 * A folder has a file for each record, and `~records.jsonl`, which has a line for each record that is finished: its key, its
 * file, its size in the source and its content type. A file has the key as its name, unless file systems could not tell it from
 * another, would not take it or would change it: then it is `~1`, `~2`, … No key begins with a `~`.
 */

import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import type { ApifyClient, CallError, MalformedRecordError } from "@effect-apify/http"
import {
  type GetOrCreateStoreError,
  getOrCreateStore,
  isRetryable,
  type ListKeysError,
  listKeys,
  type PutRecordError,
  parseRecordKey,
  parseStoreRef,
  putRecord,
  type StreamRecordError,
  streamRecord,
  ValidRecordKey
} from "@effect-apify/http"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** What a copy can fail with. */
export type CopyError =
  | GetOrCreateStoreError
  | ListKeysError
  | StreamRecordError
  | PutRecordError
  | PlatformError
  | ParseResult.ParseError

/** A record as its place lists it. */
export interface Listed {
  readonly key: string
  /** In bytes, as the place keeps it: a store may keep it compressed. */
  readonly size: number
}

/** A record that is read as it arrives. */
export interface Content {
  readonly contentType: Option.Option<string>
  readonly size: Option.Option<number>
  readonly bytes: Stream.Stream<Uint8Array, CallError | MalformedRecordError | PlatformError>
}

/** A place that is ready to be written to. */
export interface Target {
  /** The sizes of the finished records, by key. */
  readonly finished: ReadonlyMap<string, number>
  /** Writes a record whole, or not at all. */
  readonly write: (
    record: Listed,
    content: Content
  ) => Effect.Effect<void, CopyError, ApifyClient.ApifyClient | FileSystem.FileSystem>
}

/** A store or a folder. */
export interface Place {
  readonly list: Stream.Stream<Listed, CopyError, ApifyClient.ApifyClient | FileSystem.FileSystem>
  readonly read: (
    key: string
  ) => Effect.Effect<Content, CopyError, ApifyClient.ApifyClient | FileSystem.FileSystem | Scope.Scope>
  readonly open: Effect.Effect<Target, CopyError, ApifyClient.ApifyClient | FileSystem.FileSystem>
}

/** The store of this text. As a target, a store of one's own is created if there is none. */
export const storePlace = (ref: string): Place => {
  const list = Stream.map(listKeys(ref), ({ key, size }) => ({ key, size }))
  return {
    list,
    read: (key) => streamRecord(ref, key),
    open: Effect.gen(function* () {
      const parsed = yield* parseStoreRef(ref)
      if (parsed._tag === "OwnStore") yield* getOrCreateStore({ name: parsed.name })
      const finished = yield* Stream.runFold(list, new Map<string, number>(), (sizes, { key, size }) =>
        sizes.set(key, size)
      )
      return {
        finished,
        write: ({ key }, { bytes, contentType, size }) =>
          putRecord(ref, key, bytes, {
            contentType: Option.getOrUndefined(contentType),
            length: Option.getOrUndefined(size)
          })
      }
    })
  }
}

const MANIFEST = "~records.jsonl"

/** The longest name that every file system takes has 255 bytes. */
const plainName = /^(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)).{0,254}[^.]$/i

const Line = Schema.parseJson(
  Schema.Struct({
    key: ValidRecordKey,
    file: Schema.Union(Schema.TemplateLiteral("~", Schema.Number), ValidRecordKey),
    size: Schema.NonNegativeInt,
    contentType: Schema.optionalWith(Schema.String, { as: "Option" })
  })
)
type Line = typeof Line.Type

/** The finished records of a folder, by key. A last line that is not whole is of a record that is not finished. */
const readManifest = (folder: string) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const text = yield* fileSystem.readFileString(`${folder}/${MANIFEST}`)
    const lines = yield* Effect.forEach(text.split("\n").slice(0, -1), (line) => Schema.decode(Line)(line))
    return new Map<string, Line>(lines.map((line) => [line.key, line]))
  })

const encodeLine = (line: Line) => Effect.map(Schema.encode(Line)(line), (text) => `${text}\n`)

/** The records of a folder without a manifest: its files, which have no content types. */
const readFiles = (folder: string) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const lines = new Map<string, Line>()
    for (const name of yield* fileSystem.readDirectory(folder)) {
      if ((yield* fileSystem.stat(`${folder}/${name}`)).type !== "File") continue
      const key = yield* parseRecordKey(name)
      lines.set(key, { key, file: key, size: 0, contentType: Option.none() })
    }
    return lines
  })

const recordsIn = (folder: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fileSystem) =>
    Effect.if(fileSystem.exists(`${folder}/${MANIFEST}`), {
      onTrue: () => readManifest(folder),
      onFalse: () => readFiles(folder)
    })
  )

const sizeOf = (path: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fileSystem) => Effect.map(fileSystem.stat(path), ({ size }) => Number(size)))

const openFolder = (folder: string) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    yield* fileSystem.makeDirectory(folder, { recursive: true })
    const names = new Set(yield* fileSystem.readDirectory(folder))
    // What a process that was killed had begun.
    yield* Effect.forEach(names, (name) =>
      name.startsWith("~part-") ? fileSystem.remove(`${folder}/${name}`) : Effect.void
    )
    const before = names.has(MANIFEST) ? yield* readManifest(folder) : new Map<string, Line>()
    const lines = new Map([...before].filter(([, { file }]) => names.has(file)))
    const text = yield* Effect.forEach(lines.values(), encodeLine)
    yield* fileSystem.writeFileString(`${folder}/~part-manifest`, text.join(""))
    yield* fileSystem.rename(`${folder}/~part-manifest`, `${folder}/${MANIFEST}`)

    const taken = new Set([...lines.values()].map(({ file }) => file.toLowerCase()))
    let next = 1
    const nameOf = (key: ValidRecordKey): Line["file"] => {
      const known = lines.get(key)?.file
      if (known !== undefined) return known
      let name: Line["file"] = key
      if (!plainName.test(name)) name = `~${next++}`
      while (taken.has(name.toLowerCase())) name = `~${next++}`
      taken.add(name.toLowerCase())
      return name
    }

    let parts = 0
    const write = (listed: Listed, { bytes, contentType }: Content) =>
      Effect.gen(function* () {
        const key = yield* parseRecordKey(listed.key)
        const part = `${folder}/~part-${parts++}`
        yield* Stream.run(bytes, fileSystem.sink(part)).pipe(
          Effect.zipRight(
            Effect.suspend(() => {
              const line = { key, file: nameOf(key), size: listed.size, contentType }
              lines.set(key, line)
              return Effect.zipRight(
                fileSystem.rename(part, `${folder}/${line.file}`),
                Effect.flatMap(encodeLine(line), (text) =>
                  fileSystem.writeFileString(`${folder}/${MANIFEST}`, text, { flag: "a" })
                )
              )
            }).pipe(Effect.uninterruptible)
          ),
          Effect.onError(() => Effect.ignore(fileSystem.remove(part, { force: true })))
        )
      })
    return { finished: new Map([...lines].map(([key, { size }]) => [key, size])), write }
  })

/** A folder, which is created if there is none. One process at a time may write to it. */
export const folderPlace = (folder: string): Place => {
  const records = recordsIn(folder)
  return {
    list: Stream.unwrap(
      Effect.map(records, (lines) =>
        Stream.mapEffect(Stream.fromIterable(lines.values()), ({ file, key }) =>
          Effect.map(sizeOf(`${folder}/${file}`), (size) => ({ key, size }))
        )
      )
    ),
    read: (key) =>
      Effect.gen(function* () {
        const fileSystem = yield* FileSystem.FileSystem
        const line = (yield* records).get(key)
        const path = `${folder}/${line?.file ?? key}`
        return {
          contentType: Option.flatMap(Option.fromNullable(line), ({ contentType }) => contentType),
          size: Option.some(yield* sizeOf(path)),
          bytes: fileSystem.stream(path)
        }
      }),
    open: openFolder(folder)
  }
}

/** What was done. */
export interface Copied {
  readonly copied: number
  /** Those that the target had already: finished, and of the same size. */
  readonly skipped: number
}

/** How many records are copied at once. */
const CONCURRENCY = 8

/** A record that began may break off, which the client does not try again. */
const retries = Schedule.intersect(Schedule.recurs(3), Schedule.exponential("500 millis"))

/**
 * Copies the records that the target does not have. A record that was deleted since it was listed is left out. The first
 * error ends the copy; another one goes on where it ended.
 */
export const copyRecords = (
  from: Place,
  to: Place,
  showDone: (done: number, total: number) => Effect.Effect<void>
): Effect.Effect<Copied, CopyError, ApifyClient.ApifyClient | FileSystem.FileSystem> =>
  Effect.gen(function* () {
    // First, so that nothing is created for a source that does not exist.
    const listed = yield* Stream.runCollect(from.list)
    const { finished, write } = yield* to.open
    const missing = [...listed].filter(({ key, size }) => finished.get(key) !== size)
    const skipped = listed.length - missing.length
    let copied = 0
    const copy = (record: Listed) =>
      from.read(record.key).pipe(
        Effect.flatMap((content) => write(record, content)),
        Effect.scoped,
        Effect.retry({ schedule: retries, while: isRetryable }),
        Effect.tap(() => {
          copied++
        }),
        Effect.catchTag("RecordNotFoundError", () => Effect.void),
        Effect.andThen(() => showDone(skipped + copied, listed.length))
      )
    yield* Effect.forEach(missing, copy, { concurrency: CONCURRENCY, discard: true })
    return { copied, skipped }
  })
