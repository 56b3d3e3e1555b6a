/**
 * The same stores in memory and in an emulator, for the same caller.
 */
import { Emulator, type SeedJson } from "@effect-apify/emulator"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { ApifyClient, putRecord } from "../src/index.js"
import { layerStores, type SeedRun, type SeedStore, type StoresOptions } from "../src/testing.js"
import * as UndiciTransport from "../src/UndiciTransport.js"

/** A store with what the emulator needs to know of it. */
interface WorldStore extends SeedStore {
  readonly id: string
  readonly username: string
  /** Those of other types are put. */
  readonly records?: { readonly [key: string]: string | Uint8Array }
}

/** What there is, and who uses it. */
export interface World extends Pick<StoresOptions, "caller" | "rights" | "ownerSetting"> {
  readonly stores: ReadonlyArray<WorldStore>
  readonly runs?: ReadonlyArray<SeedRun>
}

const AT = "2019-12-12T07:34:14.202Z"

/** Stores of a time before the caller's. */
const dated = ({ records, ...store }: WorldStore) => ({ createdAt: AT, modifiedAt: AT, accessedAt: AT, ...store })

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
  stores: stores.map((store) => {
    const access = rights[store.id]
    return {
      owner: store.username,
      grants: access === undefined ? [] : [{ user: caller, access }],
      store: dated(store)
    }
  }),
  runs: runs.map((run, index) => seedRun(run, caller, index))
})

const clientOf = (baseUrl: string, token: string | undefined) =>
  ApifyClient.layer({
    baseUrl,
    token: token === undefined ? undefined : Redacted.make(token),
    retry: { retries: 0 }
  }).pipe(Layer.provide(UndiciTransport.layer))

const onEmulator = (world: World) =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const { url } = yield* Emulator
      for (const { id, records = {}, username } of world.stores) {
        yield* Effect.forEach(Object.entries(records), ([key, content]) => putRecord(id, key, content)).pipe(
          Effect.provide(clientOf(url, username))
        )
      }
      return clientOf(url, world.caller)
    })
  ).pipe(Layer.provide(Emulator.layer({ seed: seedOf(world) })))

const inMemory = ({ stores, ...world }: World) =>
  layerStores({
    ...world,
    stores: stores.map((store) => ({ ...dated(store), records: store.records })),
    retry: { retries: 0 }
  })

export const places: ReadonlyArray<{
  readonly place: string
  readonly clientOf: (world: World) => Layer.Layer<ApifyClient.ApifyClient, unknown>
}> = [
  { place: "in memory", clientOf: inMemory },
  { place: "in the emulator", clientOf: onEmulator }
]
