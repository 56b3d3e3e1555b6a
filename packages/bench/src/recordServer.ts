/**
 * A server of records that are made up: no routing, no limits, nothing that a client could wait for.
 */
import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http"
import { BODY, STORE_ID } from "./page.js"
import { KEEP_ALIVE_MILLIS } from "./server.js"

/** As much as a socket reads at once. */
export const CHUNK = Buffer.alloc(64 * 1024, "0123456789abcdef")

/** The most keys that a page has. */
const PAGE = 1_000

/** How many keys the store has, and a listing returns. */
export const KEYS = 100_000

const keyOf = (index: number): string => `key-${String(index).padStart(8, "0")}`

const pageAt = (first: number, origin: string): Buffer => {
  const keys = Array.from({ length: Math.min(PAGE, KEYS - first) }, (_, index) => keyOf(first + index))
  const isTruncated = first + keys.length < KEYS
  const data = {
    items: keys.map((key) => ({
      key,
      size: 1_000,
      recordPublicUrl: `${origin}/v2/key-value-stores/${STORE_ID}/records/${key}?signature=FTmTznX9YPeAYhkC27Tm`
    })),
    count: keys.length,
    limit: PAGE,
    isTruncated,
    exclusiveStartKey: first === 0 ? null : keyOf(first - 1),
    nextExclusiveStartKey: isTruncated ? keyOf(first + keys.length - 1) : null
  }
  return Buffer.from(JSON.stringify({ data }))
}

const JSON_TYPE = "application/json; charset=utf-8"

const send = (response: ServerResponse, status: number, type: string, body: Buffer): void => {
  response.writeHead(status, { "content-type": type, "content-length": body.length })
  response.end(body)
}

/** A record of more than one chunk is sent as the client takes it. */
const sendRecord = (response: ServerResponse, size: number): void => {
  const type = "application/octet-stream"
  response.writeHead(200, { "content-type": type, "content-length": size })
  let left = size
  const write = (): void => {
    while (left > 0) {
      const chunk = CHUNK.subarray(0, left)
      left -= chunk.length
      if (!response.write(chunk)) return
    }
    response.off("drain", write)
    response.end()
  }
  response.on("drain", write)
  write()
}

/** A record is as large as its key says: `1000`. */
const sizeOf = (path: string): number => Number(path.slice(path.lastIndexOf("/") + 1))

const created = Buffer.from("{}")
const store = Buffer.from(BODY)

/** A server that sends records of any size, takes what is put, lists keys, and sends the store. */
export const serveRecords = (): Server => {
  const pages = new Map<string, Buffer>()
  const listener: RequestListener = (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", `http://${request.headers.host}`)
    if (request.method === "PUT") {
      request.resume()
      request.on("end", () => send(response, 201, JSON_TYPE, created))
    } else if (pathname.endsWith("/keys")) {
      const after = searchParams.get("exclusiveStartKey") ?? ""
      const first = after === "" ? 0 : Number(after.slice("key-".length)) + 1
      const page = pages.get(after) ?? pageAt(first, `http://${request.headers.host}`)
      pages.set(after, page)
      send(response, 200, JSON_TYPE, page)
    } else if (pathname.includes("/records/")) {
      sendRecord(response, sizeOf(pathname))
    } else {
      send(response, 200, JSON_TYPE, store)
    }
  }
  return createServer({ keepAliveTimeout: KEEP_ALIVE_MILLIS, requestTimeout: 0 }, listener)
}
