/**
 * One request over a real socket, with the path exactly as given (`fetch` would fold `..`).
 */
import * as Http from "node:http"
import * as Effect from "effect/Effect"

export interface Response {
  readonly status: number
  readonly headers: Http.IncomingHttpHeaders
  readonly text: string
  readonly bytes: Buffer
}

export interface RequestOptions {
  readonly token?: string | undefined
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array
  readonly agent?: Http.Agent
}

export const request = (base: string, path: string, options: RequestOptions = {}): Effect.Effect<Response, Error> =>
  Effect.async((resume) => {
    const { hostname, port } = new URL(base)
    const { token, method = "GET", headers = {}, body, agent } = options
    const outgoing = Http.request(
      {
        hostname: hostname.replace(/[[\]]/g, ""),
        port,
        path,
        method,
        agent: agent ?? false,
        headers: token === undefined ? headers : { authorization: `Bearer ${token}`, ...headers }
      },
      (incoming) => {
        const chunks: Array<Buffer> = []
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
        incoming.on("error", (error) => resume(Effect.fail(error)))
        incoming.on("end", () => {
          const bytes = Buffer.concat(chunks)
          const { statusCode: status = 0, headers } = incoming
          resume(Effect.succeed({ status, headers, text: bytes.toString("utf8"), bytes }))
        })
      }
    )
    outgoing.on("error", (error) => resume(Effect.fail(error)))
    outgoing.end(body)
  })

export const storePath = (segment: string): string => `/v2/key-value-stores/${segment}`

/** The body that Apify refuses with, as it stands on the wire. */
export const errorBody = (type: string, message: string): string =>
  `{\n  "error": {\n    "type": ${JSON.stringify(type)},\n    "message": ${JSON.stringify(message)}\n  }\n}`
