/**
 * Our operations on records, with all their defaults.
 */
import { Readable } from "node:stream"
import * as NodeStream from "@effect/platform-node/NodeStream"
import {
  type ApifyClient,
  FetchTransport,
  getRecord,
  getStore,
  listKeys,
  listKeysPage,
  publicUrls,
  putRecord,
  type RecordInfoPage,
  streamRecord
} from "@effect-apify/http"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { byUndici, clientLayer, effectClient, type TransportLayer } from "./effectClients.js"
import type { Client } from "./load.js"
import { STORE_ID } from "./page.js"
import { bytesOf, chunksOf, type Programs, programOf, type Task } from "./tasks.js"

type Work = Effect.Effect<number, unknown, ApifyClient.ApifyClient>

const source = (size: number): Stream.Stream<Uint8Array, unknown> =>
  NodeStream.fromReadable(() => Readable.from(chunksOf(size), { objectMode: false }), identity)

/** The store is fetched for the first link. */
const urls = Effect.runSync(Effect.cached(Effect.flatMap(getStore(STORE_ID), publicUrls)))

const programs: Programs<Work> = {
  get: (size) => Effect.map(getRecord(STORE_ID, String(size)), ({ bytes }) => bytes.length),
  put: (size) => Effect.as(putRecord(STORE_ID, String(size), bytesOf(size)), size),
  download: (size) =>
    streamRecord(STORE_ID, String(size)).pipe(
      Effect.flatMap(({ bytes }) => Stream.runFold(bytes, 0, (received, chunk) => received + chunk.length)),
      Effect.scoped
    ),
  upload: (size) => Effect.as(putRecord(STORE_ID, String(size), source(size)), size),
  list: () => Stream.runCount(listKeys(STORE_ID)),
  pages: () =>
    Effect.gen(function* () {
      let keys = 0
      let after: Option.Option<string> = Option.none()
      do {
        const page: RecordInfoPage = yield* listKeysPage(STORE_ID, { exclusiveStartKey: Option.getOrUndefined(after) })
        keys += page.items.length
        after = page.nextExclusiveStartKey
      } while (Option.isSome(after))
      return keys
    }),
  link: () => Effect.flatMap(urls, ({ record }) => Effect.map(record("some-key"), ({ isSigned }) => (isSigned ? 1 : 0)))
}

const records =
  (transport: () => Promise<TransportLayer>) =>
  async (baseUrl: string, task: Task): Promise<Client> =>
    effectClient(programOf(programs, task), clientLayer(baseUrl, await transport()))

export const onFetchTransport = records(async () => FetchTransport.layer)
export const onUndiciTransport = records(byUndici)
