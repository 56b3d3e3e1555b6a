/**
 * Clients that one would use for records in place of ours, as one writes them. Each loads what it alone needs.
 */
import { Readable, Writable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { setTimeout } from "node:timers/promises"
import type { Client } from "./load.js"
import { STORE_ID, TOKEN } from "./page.js"
import { promiseClient } from "./promiseClients.js"
import { bytesOf, chunksOf, type Programs, programOf, type Task } from "./tasks.js"

type Work = () => Promise<number>

const headers = { authorization: `Bearer ${TOKEN}` }
const binary = { ...headers, "content-type": "application/octet-stream" }

const storeUrl = (baseUrl: string): string => `${baseUrl}/v2/key-value-stores/${STORE_ID}`
const recordUrl = (baseUrl: string, size: number): string => `${storeUrl(baseUrl)}/records/${size}?attachment=true`

/** Takes all bytes, and says how many. */
const drain = async (readable: Readable): Promise<number> => {
  let size = 0
  await pipeline(
    readable,
    new Writable({
      write: (chunk, _, done) => {
        size += chunk.length
        done()
      }
    })
  )
  return size
}

const source = (size: number): Readable => Readable.from(chunksOf(size), { objectMode: false })

const webSource = (size: number): ReadableStream<Uint8Array> => {
  const chunks = chunksOf(size)
  return new ReadableStream({
    pull: (controller) => {
      const { done, value } = chunks.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    }
  })
}

interface Page {
  readonly data: { readonly items: ReadonlyArray<unknown>; readonly nextExclusiveStartKey: string | null }
}

/** All pages, one after the other. */
const walk = (page: (after: string | undefined) => Promise<Page["data"]>) => (): Work => async () => {
  let keys = 0
  let after: string | undefined
  for (;;) {
    const { items, nextExclusiveStartKey } = await page(after)
    for (const _ of items) keys++
    if (nextExclusiveStartKey === null) return keys
    after = nextExclusiveStartKey
  }
}

const list = (baseUrl: string, get: (url: string) => Promise<Page>): (() => Work) =>
  walk(async (after) => {
    const start = after === undefined ? "" : `&exclusiveStartKey=${encodeURIComponent(after)}`
    return (await get(`${storeUrl(baseUrl)}/keys?limit=1000${start}`)).data
  })

const undiciPrograms = async (baseUrl: string): Promise<Programs<Work>> => {
  const { request } = await import("undici")
  const put = async (size: number, body: Uint8Array | Readable): Promise<number> => {
    const response = await request(recordUrl(baseUrl, size), { method: "PUT", headers: binary, body })
    await response.body.dump()
    return response.statusCode === 201 ? size : 0
  }
  const listing = list(baseUrl, async (url) => JSON.parse(await (await request(url, { headers })).body.text()))
  return {
    get: (size) => async () => {
      const { body } = await request(recordUrl(baseUrl, size), { headers })
      return (await body.bytes()).length
    },
    put: (size) => {
      const bytes = bytesOf(size)
      return () => put(size, bytes)
    },
    download: (size) => async () => drain((await request(recordUrl(baseUrl, size), { headers })).body),
    upload: (size) => () => put(size, source(size)),
    list: listing,
    pages: listing
  }
}

/** Between two requests, for the 60 a second that Apify allows for the keys of a store. */
const GAP_MILLIS = 17

/** undici, with a listing that keeps to Apify's rate limit. */
const pacedUndiciPrograms = async (baseUrl: string): Promise<Programs<Work>> => {
  const { request } = await import("undici")
  let free = 0
  return {
    list: list(baseUrl, async (url) => {
      const wait = free - performance.now()
      if (wait > 0) await setTimeout(wait)
      free = Math.max(free, performance.now()) + GAP_MILLIS
      return JSON.parse(await (await request(url, { headers })).body.text())
    })
  }
}

/** What every platform has. */
const fetchPrograms = async (baseUrl: string): Promise<Programs<Work>> => {
  const put = async (size: number, init: RequestInit): Promise<number> => {
    const response = await fetch(recordUrl(baseUrl, size), { method: "PUT", headers: binary, ...init })
    await response.arrayBuffer()
    return response.status === 201 ? size : 0
  }
  const listing = list(baseUrl, async (url) => (await fetch(url, { headers })).json())
  return {
    get: (size) => async () => {
      const response = await fetch(recordUrl(baseUrl, size), { headers })
      return (await response.arrayBuffer()).byteLength
    },
    put: (size) => {
      const body = new Uint8Array(bytesOf(size))
      return () => put(size, { body })
    },
    download: (size) => async () => {
      let received = 0
      const { body } = await fetch(recordUrl(baseUrl, size), { headers })
      for await (const chunk of body ?? []) received += chunk.length
      return received
    },
    upload: (size) => () => put(size, { body: webSource(size), ...{ duplex: "half" } }),
    list: listing,
    pages: listing
  }
}

/** Apify's own client, with all its defaults: what it puts it compresses. */
const apifyClientPrograms = async (baseUrl: string): Promise<Programs<Work>> => {
  const { ApifyClient } = await import("apify-client")
  const store = new ApifyClient({ baseUrl, token: TOKEN }).keyValueStore(STORE_ID)
  const put = async (size: number, value: Buffer | Readable): Promise<number> => {
    // @ts-expect-error Its documentation has bytes and streams, and its type leaves them out.
    await store.setRecord({ key: String(size), value, contentType: "application/octet-stream" })
    return size
  }
  return {
    get: (size) => async () => (await store.getRecord(String(size), { buffer: true }))?.value.length ?? 0,
    put: (size) => {
      const bytes = Buffer.from(bytesOf(size))
      return () => put(size, bytes)
    },
    download: (size) => async () => {
      const record = await store.getRecord(String(size), { stream: true })
      return record === undefined ? 0 : drain(record.value)
    },
    upload: (size) => () => put(size, source(size)),
    list: () => async () => {
      let keys = 0
      for await (const _ of store.listKeys()) keys++
      return keys
    },
    pages: walk((after) => store.listKeys({ limit: 1_000, ...(after !== undefined && { exclusiveStartKey: after }) })),
    link: () => async () => ((await store.getRecordPublicUrl("some-key")).includes("signature=") ? 1 : 0)
  }
}

/** The platform's HMAC alone. */
const webCryptoPrograms = async (): Promise<Programs<Work>> => {
  const utf8 = new TextEncoder()
  const algorithm = { name: "HMAC", hash: "SHA-256" }
  const key = await crypto.subtle.importKey("raw", utf8.encode("secret"), algorithm, false, ["sign"])
  return {
    link: () => async () => ((await crypto.subtle.sign("HMAC", key, utf8.encode("some-key"))).byteLength === 32 ? 1 : 0)
  }
}

const client =
  (programs: (baseUrl: string) => Promise<Programs<Work>>) =>
  async (baseUrl: string, task: Task): Promise<Client> =>
    promiseClient(programOf(await programs(baseUrl), task))

export const undici = client(undiciPrograms)
export const pacedUndici = client(pacedUndiciPrograms)
export const globalFetch = client(fetchPrograms)
export const apifyClient = client(apifyClientPrograms)
export const webCrypto = client(webCryptoPrograms)
