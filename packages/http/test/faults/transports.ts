/**
 * The transports that the matrix runs on, each as a program would provide it.
 */
import "./nodeFetch.js"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Undici from "@effect/platform-node/Undici"
import { ApifyClient, FetchTransport, HttpClientTransport } from "@effect-apify/http"
import * as UndiciTransport from "@effect-apify/http/UndiciTransport"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** Connections that are not the usual ones of a transport. */
export interface Connections {
  /** The authority that is trusted. */
  readonly authority?: string
  /** How many there are at most. */
  readonly most?: number
}

/** What a client sends by. */
export interface Transport {
  readonly name: "HttpClient on fetch" | "FetchTransport" | "HttpClient on undici" | "UndiciTransport"
  /** A client as a program would provide it, unless its connections are to be others: those neither lie idle nor connect for too long. */
  readonly client: (
    options: ApifyClient.Options,
    connections?: Connections
  ) => Layer.Layer<ApifyClient.ApifyClient, ConfigError>
  /** Whether its connections outlive its layer. */
  readonly keepsConnections: boolean
  /** Where it differs from the rows, beyond the deviations of single cases, and why. */
  readonly exceptions: ReadonlyArray<string>
}

const HOUR_MILLIS = 3_600_000

/** undici's own time limits are left out: nothing but the client ends what is under way. */
const agentOptions = ({ authority, most }: Connections) => ({
  connectTimeout: 0,
  keepAliveTimeout: HOUR_MILLIS,
  keepAliveMaxTimeout: HOUR_MILLIS,
  ...(authority === undefined ? {} : { connect: { ca: authority } }),
  ...(most === undefined ? {} : { connections: most })
})

const agent = (connections: Connections) =>
  Effect.acquireRelease(
    Effect.sync(() => new Undici.Agent(agentOptions(connections))),
    (agent) => Effect.promise(() => agent.destroy())
  )

/** Node's `fetch` takes an agent along with a request's options. */
const requestInit = (dispatcher: Undici.Dispatcher): RequestInit => ({ redirect: "manual", ...{ dispatcher } })

const CONNECTING =
  "A call that is interrupted while it connects (rows 4, 51 and 52) ends at once, but its connection does not: undici, which is also Node's fetch, keeps connecting until it succeeds or 10 s have passed, and closes the connection after its keep-alive time."

const RESET =
  "A connection that was reset while idle (row 8) is not distinguished from a new one: the retry waits, and costs budget. undici identifies the connection only where the server closed it in order, as servers do."

const FETCH = [
  "Its connections belong to the process: idle connections, and those that it opened ahead of time, stay open for its keep-alive time (4 s), and no client can close them.",
  CONNECTING,
  RESET,
  "A body in gzip that ends early, within a response that is complete (row 81), is not distinguished from a whole one: Node's fetch decodes by itself, and takes what there is.",
  "A 407 is a failure without a reason, and after a 421 fetch itself sends the request once more: the Fetch standard requires both."
]

/** As many connections as the tests have calls at once: its pool, which it keeps to. */
const POOL = 16

export const transports: ReadonlyArray<Transport> = [
  {
    name: "HttpClient on fetch",
    keepsConnections: true,
    exceptions: FETCH,
    client: (options, connections) =>
      ApifyClient.layer(options).pipe(
        Layer.provide(HttpClientTransport.layer),
        Layer.provide(FetchHttpClient.layer),
        Layer.provide(
          connections === undefined
            ? Layer.empty
            : Layer.scoped(FetchHttpClient.RequestInit, Effect.map(agent(connections), requestInit))
        )
      )
  },
  {
    name: "FetchTransport",
    keepsConnections: true,
    exceptions: FETCH,
    client: (options, connections) =>
      Layer.provide(
        ApifyClient.layer(options),
        connections === undefined
          ? FetchTransport.layer
          : Layer.unwrapScoped(
              Effect.map(agent(connections), (agent) => FetchTransport.layerWith({ init: requestInit(agent) }))
            )
      )
  },
  {
    name: "HttpClient on undici",
    keepsConnections: false,
    exceptions: [CONNECTING, RESET],
    client: (options, connections) =>
      ApifyClient.layer(options).pipe(
        Layer.provide(HttpClientTransport.layer),
        Layer.provide(
          connections === undefined
            ? NodeHttpClient.layerUndici
            : Layer.provide(
                NodeHttpClient.layerUndiciWithoutDispatcher,
                Layer.scoped(NodeHttpClient.Dispatcher, agent(connections))
              )
        )
      )
  },
  {
    name: "UndiciTransport",
    keepsConnections: false,
    exceptions: [CONNECTING],
    client: (options, connections) =>
      Layer.provide(
        ApifyClient.layer(options),
        UndiciTransport.layerWith({
          agent: { connections: POOL, ...(connections === undefined ? {} : agentOptions(connections)) }
        })
      )
  }
]
