/**
 * What the tests of Apify's own packages start from: two users, a store that one grants the other to read, and runs.
 */
import { Readable } from "node:stream"
import { layer } from "@effect/vitest"
import { ApifyApiError, ApifyClient, type KeyValueStore, type KeyValueStoreClient } from "apify-client"
import * as Effect from "effect/Effect"
import { Emulator, type SeedJson } from "../src/index.js"

export const JANE = "jane-token"
export const JOHN = "john-token"

export const GRANTED_STORE = "JaneGranted000001"
export const ACTOR = "ActorOfJane000001"
export const TASK = "TaskOfJane0000001"

/** Oldest first. */
export const runs = [
  { id: "RunOfJane00000001", store: "StoreOfRun0000001", status: "SUCCEEDED", origin: "WEB" },
  { id: "RunOfJane00000002", store: "StoreOfRun0000002", status: "FAILED", origin: "API" },
  { id: "RunOfJane00000003", store: "StoreOfRun0000003", status: "RUNNING", origin: "API" }
] as const

export const [first, second, third] = runs

const times = {
  createdAt: "2026-01-01T00:00:00.000Z",
  modifiedAt: "2026-01-01T00:00:00.000Z",
  accessedAt: "2026-01-01T00:00:00.000Z"
}

const officialSeed: SeedJson = {
  users: [
    { username: "jane", setting: "RESTRICTED", tokens: [{ token: JANE }] },
    { username: "john", setting: "RESTRICTED", tokens: [{ token: JOHN }] }
  ],
  stores: [
    {
      owner: "jane",
      grants: [{ user: "john", access: "READ" }],
      store: { id: GRANTED_STORE, name: "granted", urlSigningSecretKey: "urlSigningSecretKey", ...times }
    },
    ...runs.map(({ store }) => ({
      owner: "jane",
      store: { id: store, urlSigningSecretKey: `secret-of-${store}`, ...times }
    }))
  ],
  runs: runs.map(({ id, store, status, origin }, index) => ({
    id,
    owner: "jane",
    actor: { id: ACTOR, name: "jane-actor" },
    // The last run is not of the task.
    ...(index < 2 ? { task: { id: TASK, name: "jane-task" } } : {}),
    startedAt: `2026-01-0${index + 1}T00:00:00.000Z`,
    status,
    origin,
    defaultKeyValueStoreId: store
  }))
}

/** Runs tests of Apify's own packages, which tell the time by the machine's clock, as the emulator then does. */
export const officialLayer = layer(Emulator.layer({ seed: officialSeed }), { excludeTestServices: true })

export interface Clients {
  readonly url: string
  readonly jane: ApifyClient
  readonly john: ApifyClient
  readonly nobody: ApifyClient
}

/** Runs a test of clients that speak in promises. */
export const withClients = (test: (clients: Clients) => Promise<unknown>): Effect.Effect<void, never, Emulator> =>
  Effect.flatMap(Emulator, ({ url }) => {
    const clientWith = (token?: string) =>
      new ApifyClient({ baseUrl: url, publicBaseUrl: url, maxRetries: 0, ...(token === undefined ? {} : { token }) })
    return Effect.asVoid(
      Effect.promise(() => test({ url, jane: clientWith(JANE), john: clientWith(JOHN), nobody: clientWith() }))
    )
  })

/** Jane's client, to whom no page of keys has more than two. */
export const clientOfSmallPages = (url: string): ApifyClient =>
  new ApifyClient({
    baseUrl: url,
    token: JANE,
    maxRetries: 0,
    requestInterceptors: [
      (config) => (config.url?.endsWith("/keys") ? { ...config, params: { ...config.params, limit: 2 } } : config)
    ]
  })

/** A new store without a name. */
export const newStore = async (
  client: ApifyClient
): Promise<KeyValueStore & { readonly client: KeyValueStoreClient }> => {
  const store = await client.keyValueStores().getOrCreate()
  return { ...store, client: client.keyValueStore(store.id) }
}

/** A name that no other test has. */
export const uniqueName = (() => {
  let count = 0
  return (label: string) => `${label}-${count++}`
})()

/** The status and the type that a call is refused with. */
export const refusal = (call: Promise<unknown>): Promise<readonly [status: number, type: string | undefined]> =>
  call.then(
    () => Promise.reject(new Error("It was not refused.")),
    (error: unknown) => (error instanceof ApifyApiError ? [error.statusCode, error.type] : Promise.reject(error))
  )

export const collect = async <A>(items: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const collected: Array<A> = []
  for await (const item of items) collected.push(item)
  return collected
}

export const collectBytes = async (stream: Readable): Promise<Buffer> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

export const streamOf = (...chunks: ReadonlyArray<Uint8Array>): Readable => Readable.from(chunks)

/** Stores bytes or a stream, which the client's documentation has and its type leaves out. */
export const setBytes = (
  client: KeyValueStoreClient,
  record: { readonly key: string; readonly value: Uint8Array | Readable; readonly contentType?: string }
): Promise<void> =>
  // @ts-expect-error
  client.setRecord(record)
