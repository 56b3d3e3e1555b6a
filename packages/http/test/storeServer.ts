/**
 * A server with the records of one store, on a real socket.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib"
import * as Effect from "effect/Effect"
import { listening } from "./realSockets.js"

export interface Stored {
  readonly type: string | undefined
  readonly encoding: string | undefined
  readonly bytes: Buffer
}

/** A request as the server has read it. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage["headers"]
  readonly body: Buffer
}

const decoders: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: gunzipSync,
  br: brotliDecompressSync,
  deflate: inflateSync
}

export const refuse = (response: ServerResponse, status: number, type: string, message: string): void => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify({ error: { type, message } }))
}

const STORE = "/v2/key-value-stores/janedoe~my-store"

const serve = (records: Map<string, Stored>, { body, headers, method, url }: Seen, response: ServerResponse): void => {
  const { pathname } = new URL(url, "http://localhost")
  if (!pathname.startsWith(`${STORE}/records/`)) {
    refuse(response, 404, "record-not-found", "Key-value Store was not found")
    return
  }
  const key = decodeURIComponent(pathname.slice(`${STORE}/records/`.length))
  const stored = records.get(key)
  switch (method) {
    case "PUT":
      records.set(key, { type: headers["content-type"], encoding: headers["content-encoding"], bytes: body })
      response.writeHead(201, { "content-type": "application/json", location: pathname })
      response.end("{}")
      return
    case "DELETE":
      records.delete(key)
      response.writeHead(204)
      response.end()
      return
  }
  if (stored === undefined) {
    refuse(response, 404, "record-not-found", "Record was not found")
    return
  }
  const decode = headers["accept-encoding"] === "identity" ? decoders[stored.encoding ?? ""] : undefined
  if (stored.type !== undefined) response.setHeader("content-type", stored.type)
  if (stored.encoding !== undefined && decode === undefined) response.setHeader("content-encoding", stored.encoding)
  response.end(decode === undefined ? stored.bytes : decode(stored.bytes))
}

/** Reads requests whole, and lets a test respond in place of the server, where it returns whether it did. */
export const storeServer = (
  intercept: (seen: Seen, response: ServerResponse, count: number) => boolean = () => false
) =>
  Effect.suspend(() => {
    const records = new Map<string, Stored>()
    const seen: Array<Seen> = []
    return Effect.map(
      listening((request, response) => {
        const chunks: Array<Buffer> = []
        request.on("data", (chunk) => chunks.push(chunk))
        request.on("error", () => {})
        request.on("end", () => {
          const { headers, method = "", url = "" } = request
          const entry = { method, url, headers, body: Buffer.concat(chunks) }
          seen.push(entry)
          if (!intercept(entry, response, seen.length)) serve(records, entry, response)
        })
      }),
      (server) => ({ server, records, seen })
    )
  })
