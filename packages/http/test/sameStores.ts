/**
 * The same stores in memory and in an emulator, for the same caller.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Emulator, type SeedJson } from "@effect-apify/emulator"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { ApifyClient } from "../src/index.js"
import { makeMemoryApi } from "../src/internal/memoryApi.js"
import { recordFiles } from "../src/internal/recordFiles.js"
import {
  layerRespond,
  layerStores,
  type SeedRecord,
  type SeedRun,
  type SeedStore,
  type StoresOptions
} from "../src/testing.js"
import * as UndiciTransport from "../src/UndiciTransport.js"

/** A store with what the emulator needs to know of it. */
interface WorldStore extends SeedStore {
  readonly id: string
  readonly username: string
}

/** What there is, and who uses it. */
export interface World extends Pick<StoresOptions, "caller" | "rights" | "ownerSetting"> {
  readonly stores: ReadonlyArray<WorldStore>
  readonly runs?: ReadonlyArray<SeedRun>
}

const AT = "2019-12-12T07:34:14.202Z"

/** Stores of a time before the caller's. */
const dated = (store: WorldStore) => ({ createdAt: AT, modifiedAt: AT, accessedAt: AT, ...store })

const bodyOf = (body: string | Uint8Array) =>
  Predicate.isString(body) ? { text: body } : { base64: Buffer.from(body).toString("base64") }

const isContent = Schema.is(
  Schema.Struct({ contentType: Schema.String, body: Schema.Union(Schema.String, Schema.Uint8ArrayFromSelf) })
)

/** A record as a seed of the emulator has it. */
const seedRecord = ([key, record]: readonly [string, SeedRecord]) => {
  if (Predicate.isString(record) || record instanceof Uint8Array) return { key, ...bodyOf(record) }
  return isContent(record) ? { key, contentType: record.contentType, ...bodyOf(record.body) } : { key, json: record }
}

const idOf = (name: string): string =>
  name
    .replace(/[^a-zA-Z0-9]/g, "")
    .padEnd(17, "0")
    .slice(0, 17)

const seedRun = ({ actor = "any-actor", id, store, task, ...run }: SeedRun, owner: string, index: number) => ({
  ...run,
  id,
  owner,
  actor: { id: idOf(actor), name: actor },
  ...(task === undefined ? {} : { task: { id: idOf(task), name: task } }),
  startedAt: new Date(Date.parse(AT) + index).toISOString(),
  defaultKeyValueStoreId: store
})

const seedOf = ({
  caller = "nobody",
  ownerSetting = "RESTRICTED",
  rights = {},
  runs = [],
  stores
}: World): SeedJson => ({
  users: Array.from(new Set([caller, ...stores.map(({ username }) => username)]), (username) => ({
    username,
    setting: ownerSetting,
    tokens: [{ token: username }]
  })),
  stores: stores.map(({ records = {}, ...store }) => {
    const access = rights[store.id]
    return {
      owner: store.username,
      grants: access === undefined ? [] : [{ user: caller, access }],
      store: dated(store),
      records: Object.entries(records).map(seedRecord)
    }
  }),
  runs: runs.map((run, index) => seedRun(run, caller, index))
})

const onEmulator = (world: World) =>
  Layer.unwrapEffect(
    Effect.map(Emulator, ({ url }) =>
      ApifyClient.layer({
        baseUrl: url,
        token: world.caller === undefined ? undefined : Redacted.make(world.caller),
        retry: { retries: 0 }
      })
    )
  ).pipe(Layer.provide(UndiciTransport.layer), Layer.provide(Emulator.layer({ seed: seedOf(world) })))

const inMemory = ({ stores, ...world }: World) =>
  layerStores({
    ...world,
    stores: stores.map(dated),
    retry: { retries: 0 }
  })

const inFolder = ({ stores, ...world }: World) =>
  Layer.unwrapScoped(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const folder = yield* fs.makeTempDirectoryScoped()
      const place = {
        fs,
        path,
        stores: path.join(folder, "stores"),
        shown: "stores",
        unfinished: path.join(folder, "unfinished")
      }
      for (const { id, name } of stores)
        yield* fs.makeDirectory(path.join(place.stores, name ?? id), { recursive: true })
      const respond = yield* makeMemoryApi({
        ...world,
        stores: stores.map(dated),
        recordsOf: (store) => recordFiles(place, store)
      })
      const token = world.caller === undefined ? undefined : Redacted.make("apify_api_test")
      return layerRespond(respond, { token, retry: { retries: 0 } })
    })
  ).pipe(Layer.provide(NodeContext.layer))

export const places: ReadonlyArray<{
  readonly place: string
  /** Whether it keeps records as they were encoded, and knows the size of all. */
  readonly keepsEncoded: boolean
  readonly clientOf: (world: World) => Layer.Layer<ApifyClient.ApifyClient, unknown>
}> = [
  { place: "in memory", keepsEncoded: true, clientOf: inMemory },
  { place: "in a folder", keepsEncoded: false, clientOf: inFolder },
  { place: "in the emulator", keepsEncoded: true, clientOf: onEmulator }
]
