/**
 * The transports that the matrix runs on, each as a program would provide it.
 */
import "./nodeFetch.js"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Undici from "@effect/platform-node/Undici"
import { ApifyClient, type ClientOptions } from "@effect-apify/http"
import * as FetchClient from "@effect-apify/http/fetch"
import * as NodeClient from "@effect-apify/http/node"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

type MakeClient = (options: ClientOptions) => Layer.Layer<ApifyClient, ConfigError>

/** What a client sends by: the `HttpClient` of Effect's packages, or a transport of its own. */
export interface Transport {
  readonly name: "fetch" | "FetchClient" | "undici" | "NodeClient"
  readonly client: MakeClient
  /** Whether its connections outlive its layer. */
  readonly keepsConnections: boolean
  /** What it gives otherwise than the rows ask for, beyond the deviations of single cases, and why. */
  readonly exceptions: ReadonlyArray<string>
  /** The same, trusting an authority besides. */
  readonly trusting: (authority: string) => MakeClient
}

const agent = (ca: string) =>
  Effect.acquireRelease(
    Effect.sync(() => new Undici.Agent({ connect: { ca } })),
    (agent) => Effect.promise(() => agent.destroy())
  )

/** Node's `fetch` takes an agent along with a request's options. */
const requestInit = (dispatcher: Undici.Dispatcher): RequestInit => ({ redirect: "manual", ...{ dispatcher } })

const CONNECTING =
  "Interrupted while it connects (rows 4, 51 and 52), a call is gone at once, but its connection is not: undici, which is also Node's fetch, goes on with it until it is made or 10 s have passed, and drops it after its keep-alive time."

const RESET =
  "A connection that was reset for lying idle (row 8) is not told from a new one: the retry waits, and costs budget. undici names the connection only where the other side closed it in order, as servers do."

const FETCH = [
  "Its connections belong to the process: those that lie idle, or that it made ahead of time, stay for its keep-alive time (4 s), and no client can close them.",
  CONNECTING,
  RESET,
  "A 407 is a failure without a reason, and a 421 is sent once more by fetch itself: the standard of fetch has it so."
]

const on =
  (transport: Layer.Layer<HttpClient.HttpClient>): MakeClient =>
  (options) =>
    Layer.provide(ApifyClient.layer(options), transport)

export const transports: ReadonlyArray<Transport> = [
  {
    name: "fetch",
    keepsConnections: true,
    exceptions: FETCH,
    client: on(FetchHttpClient.layer),
    trusting: (authority) => (options) =>
      on(FetchHttpClient.layer)(options).pipe(
        Layer.provide(Layer.scoped(FetchHttpClient.RequestInit, Effect.map(agent(authority), requestInit)))
      )
  },
  {
    name: "FetchClient",
    keepsConnections: true,
    exceptions: FETCH,
    client: FetchClient.layer,
    trusting: (authority) => (options) =>
      Layer.unwrapScoped(
        Effect.map(agent(authority), (agent) => FetchClient.layer({ ...options, init: requestInit(agent) }))
      )
  },
  {
    name: "undici",
    keepsConnections: false,
    exceptions: [CONNECTING, RESET],
    client: on(NodeHttpClient.layerUndici),
    trusting: (authority) =>
      on(
        Layer.provide(
          NodeHttpClient.layerUndiciWithoutDispatcher,
          Layer.scoped(NodeHttpClient.Dispatcher, agent(authority))
        )
      )
  },
  {
    name: "NodeClient",
    keepsConnections: false,
    exceptions: [CONNECTING],
    // As many connections as the tests have calls at once: its pool, which it keeps to.
    client: (options) => NodeClient.layer({ ...options, agent: { connections: 16 } }),
    trusting: (authority) => (options) => NodeClient.layer({ ...options, agent: { connect: { ca: authority } } })
  }
]
