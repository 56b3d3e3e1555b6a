/**
 * Faults as data: what the server does to a connection once it has read a request, byte by byte.
 */
import { createGzip, gzipSync } from "node:zlib"

/** One thing that happens to a connection. */
export type Step =
  | { readonly _tag: "Send"; readonly bytes: Uint8Array }
  /** The chunk again and again, as fast as the client takes it. */
  | { readonly _tag: "Flood"; readonly chunk: Uint8Array; readonly times: number }
  | { readonly _tag: "Drip"; readonly bytes: Uint8Array; readonly everyMillis: number }
  /** Nothing more, until the client leaves. */
  | { readonly _tag: "Hang" }
  /** An orderly end: FIN. */
  | { readonly _tag: "Close" }
  /** A broken one: RST. */
  | { readonly _tag: "Reset" }

/** A request that the server has read. */
export interface SeenRequest {
  readonly method: string
  readonly path: string
  /** Names in lower case; a repeated header is joined by commas. */
  readonly headers: Readonly<Record<string, string>>
  /** When its last byte arrived, in milliseconds by a clock that never jumps. */
  readonly at: number
  /** The same by the wall clock, in milliseconds since 1970. */
  readonly date: number
  /** Counts the server's connections. */
  readonly connection: number
}

/** What is done to one request. After the last step the connection waits for the next request, unless a step ended it. */
export interface Fault {
  readonly name: string
  /** `earlier` are the requests for the same store before this one. */
  readonly steps: (request: SeenRequest, earlier: ReadonlyArray<SeenRequest>) => ReadonlyArray<Step>
}

/** What is done to the requests for one store, in order. */
export type Plan = ReadonlyArray<{ readonly fault: Fault; readonly times: number }>

/** `times(2, status(503))` */
export const times = (count: number, fault: Fault): Plan => [{ fault, times: count }]

/** `sequence(times(2, status(503)), ok)` */
export const sequence = (...parts: ReadonlyArray<Fault | Plan>): Plan =>
  parts.flatMap((part) => ("steps" in part ? times(1, part) : part))

/** The same for every request. A plan that ends so is used up by one request. */
export const forever = (fault: Fault): Plan => times(Number.POSITIVE_INFINITY, fault)

/** "503 ×2, then ok" */
export const describePlan = (plan: Plan): string =>
  plan
    .map(({ fault, times }) =>
      times === 1 ? fault.name : `${fault.name} ${Number.isFinite(times) ? `×${times}` : "always"}`
    )
    .join(", then ")

// ---- Steps

const bytesOf = (data: string | Uint8Array): Uint8Array =>
  typeof data === "string" ? Buffer.from(data, "latin1") : data

export const send = (data: string | Uint8Array): Step => ({ _tag: "Send", bytes: bytesOf(data) })
export const flood = (chunk: Uint8Array, times: number): Step => ({ _tag: "Flood", chunk, times })
export const drip = (data: string | Uint8Array, everyMillis: number): Step => ({
  _tag: "Drip",
  bytes: bytesOf(data),
  everyMillis
})
export const hang: Step = { _tag: "Hang" }
export const close: Step = { _tag: "Close" }
export const reset: Step = { _tag: "Reset" }

/** A fault of the steps given. */
export const fault = (name: string, ...steps: ReadonlyArray<Step>): Fault => ({ name, steps: () => steps })

// ---- Responses

export interface ResponseOptions {
  readonly status?: number
  /** In place of the usual ones; `content-length` is added, unless it or `transfer-encoding` is there. */
  readonly headers?: ReadonlyArray<readonly [name: string, value: string]>
  /** UTF-8, where it is text. */
  readonly body?: string | Uint8Array
}

const JSON_TYPE: readonly [string, string] = ["Content-Type", "application/json; charset=utf-8"]

/** The bytes of a whole response. */
export const responseBytes = ({ body = "", headers = [JSON_TYPE], status = 200 }: ResponseOptions): Uint8Array => {
  const content = typeof body === "string" ? Buffer.from(body) : body
  const isFramed = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name))
  const framing: ReadonlyArray<readonly [string, string]> =
    isFramed || status === 204 || status === 304 ? [] : [["Content-Length", String(content.length)]]
  const lines = [...headers, ...framing].map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([bytesOf(`HTTP/1.1 ${status} Planned\r\n${lines.join("")}\r\n`), content])
}

/** A whole response, after which the connection stays open. */
export const respond = (name: string, options: ResponseOptions): Fault => fault(name, send(responseBytes(options)))

/** A response of a status alone. */
export const status = (
  status: number,
  headers: ResponseOptions["headers"] = [],
  body: string | Uint8Array = ""
): Fault => respond(String(status), { status, headers, body })

/** A redirect. */
export const redirect = (status: number, location: string): Fault =>
  respond(`${status} to ${location.slice(0, 40)}`, { status, headers: [["Location", location]] })

/** The first bytes of a response, and then the steps given. */
export const cut = (name: string, options: ResponseOptions, at: number, ...steps: ReadonlyArray<Step>): Fault =>
  fault(name, send(responseBytes(options).subarray(0, at)), ...steps)

/** Responds with 429 to the requests that exceed a rate within any second, and with `otherwise` to the rest. */
export const rateLimited = (perSecond: number, headers: ResponseOptions["headers"], otherwise: Fault): Fault => {
  const allowed: Array<number> = []
  const refusal = status(429, headers)
  return {
    name: `${perSecond} a second`,
    steps: (request, earlier) => {
      if (allowed.filter((at) => at > request.at - 1000).length >= perSecond) return refusal.steps(request, earlier)
      allowed.push(request.at)
      return otherwise.steps(request, earlier)
    }
  }
}

const MEBIBYTE = new Uint8Array(1024 * 1024)

/** A body of spaces, which JSON allows, with its length declared or in chunks. */
export const largeBody = (mebibytes: number, framing: "declared" | "chunked"): Fault => {
  const chunk = MEBIBYTE.slice().fill(0x20)
  return framing === "declared"
    ? fault(
        `${mebibytes} MiB, declared`,
        send(
          `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${mebibytes * chunk.length}\r\n\r\n`
        ),
        flood(chunk, mebibytes)
      )
    : fault(
        `${mebibytes} MiB, in chunks`,
        send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"),
        flood(Buffer.concat([bytesOf("100000\r\n"), chunk, bytesOf("\r\n")]), mebibytes),
        send("0\r\n\r\n")
      )
}

/** A body that is small on the wire, a thousandth of what it expands to: `mebibytes` of zeros. */
export const gzipBomb = (mebibytes: number): Promise<Fault> =>
  new Promise((resolve, reject) => {
    const gzip = createGzip()
    const chunks: Array<Uint8Array> = []
    gzip.on("data", (chunk: Uint8Array) => chunks.push(chunk))
    gzip.on("error", reject)
    gzip.on("end", () =>
      resolve(
        respond(`gzip bomb of ${mebibytes} MiB`, {
          headers: [JSON_TYPE, ["Content-Encoding", "gzip"]],
          body: Buffer.concat(chunks)
        })
      )
    )
    let left = mebibytes
    const feed = (): void => {
      while (left > 0) {
        left -= 1
        if (!gzip.write(MEBIBYTE)) {
          gzip.once("drain", feed)
          return
        }
      }
      gzip.end()
    }
    feed()
  })

/** A body in `Content-Encoding: gzip`. */
export const gzipped = (text: string | Uint8Array): Uint8Array => gzipSync(text)
