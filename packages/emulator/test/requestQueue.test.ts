/**
 * Pipelined requests: handled in order, dropped with their connection, and bounded.
 */
import { once } from "node:events"
import * as Http from "node:http"
import * as Net from "node:net"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { CLOSE_AT, inOrder, PAUSE_AT } from "../src/internal/requestQueue.js"
import { closed, statusesOf } from "./sockets.js"

interface Served {
  readonly connect: Effect.Effect<readonly [client: Net.Socket, server: Net.Socket]>
  /** The paths of the requests that were handled, in their order. */
  readonly handled: ReadonlyArray<string>
  /** How many requests of the connections Node has emitted, and how many responses were sent. */
  readonly counts: { emitted: number; responded: number; mostWaiting: number }
  /** Responds to the request that is being handled, and from then on to each at once. */
  readonly respond: () => void
}

/** A server whose handler responds when it is told to: from then on `atOnce`, or after the event loop has run. */
const serveWith: (options: { readonly atOnce: boolean }) => Effect.Effect<Served, never, Scope> = Effect.fnUntraced(
  function* ({ atOnce }) {
    const handled: Array<string> = []
    const open: Array<Http.ServerResponse> = []
    const counts = { emitted: 0, responded: 0, mostWaiting: 0 }
    let responds = false
    const finish = (response: Http.ServerResponse): void => {
      counts.responded += 1
      response.end("ok")
    }
    const handle = inOrder((request, response) => {
      handled.push(request.url ?? "")
      if (responds && atOnce) finish(response)
      else if (responds) setImmediate(finish, response)
      else open.push(response)
    })
    const server = Http.createServer((request, response) => {
      counts.emitted += 1
      counts.mostWaiting = Math.max(counts.mostWaiting, counts.emitted - counts.responded)
      handle(request, response)
    })
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
    )
    const address = server.address()
    const port = address !== null && typeof address === "object" ? address.port : 0
    return {
      connect: Effect.promise(async () => {
        const accepted = once(server, "connection")
        const client = Net.connect(port, "127.0.0.1").on("error", () => {})
        const [socket] = await accepted
        return [client, socket] as const
      }),
      handled,
      counts,
      respond: () => {
        responds = true
        for (const response of open.splice(0)) finish(response)
      }
    }
  }
)

const serve = serveWith({ atOnce: false })

const requests = (count: number, padding = ""): string =>
  Array.from({ length: count }, (_, index) => `GET /${index} HTTP/1.1\r\nHost: x\r\n${padding}\r\n`).join("")

const paths = (count: number): ReadonlyArray<string> => Array.from({ length: count }, (_, index) => `/${index}`)

it.scopedLive("the requests of a connection are handled one after another, in order", () =>
  Effect.gen(function* () {
    const { connect, handled, respond } = yield* serve
    const [client] = yield* connect
    const chunks: Array<string> = []
    client.setEncoding("latin1").on("data", (chunk: string) => chunks.push(chunk))
    client.write(`${requests(300)}GET /300 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    while (handled.length === 0) yield* Effect.sleep(1)
    assert.deepStrictEqual(handled, ["/0"])
    respond()
    yield* closed(client)
    assert.deepStrictEqual(handled, paths(301))
    assert.deepStrictEqual(
      statusesOf(chunks.join("")),
      handled.map(() => 200)
    )
  })
)

it.scopedLive("the requests of clients that have left are not handled", () =>
  Effect.gen(function* () {
    const { connect, handled, respond } = yield* serve
    const clients = yield* Effect.all(Array.from({ length: 20 }, () => connect))
    for (const [client] of clients) client.write(requests(10))
    while (handled.length < clients.length) yield* Effect.sleep(1)
    for (const [client] of clients) client.resetAndDestroy()
    yield* Effect.forEach(clients, ([, server]) => closed(server))
    respond()
    // A request on another connection is handled after all that could be handled before it.
    const [client] = yield* connect
    client.write("GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    yield* closed(client)
    assert.deepStrictEqual(handled, [...clients.map(() => "/0"), "/last"])
  })
)

it.scopedLive("a request on another connection does not wait for those of a pipeline", () =>
  Effect.gen(function* () {
    const { connect, handled, respond } = yield* serveWith({ atOnce: true })
    const [pipelining] = yield* connect
    const [other] = yield* connect
    pipelining.once("data", () => other.write("GET /other HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    pipelining.write(requests(200))
    while (handled.length === 0) yield* Effect.sleep(1)
    respond()
    yield* closed(other)
    assert.isBelow(handled.indexOf("/other"), 20)
  })
)

it.scopedLive("nearly none of the requests of clients that leave during their pipelines are handled", () =>
  Effect.gen(function* () {
    const { connect, handled, respond } = yield* serveWith({ atOnce: true })
    const clients = yield* Effect.all(Array.from({ length: 20 }, () => connect))
    for (const [client] of clients) {
      client.once("data", () => client.resetAndDestroy())
      client.write(requests(200))
    }
    while (handled.length < clients.length) yield* Effect.sleep(1)
    respond()
    yield* Effect.forEach(clients, ([, server]) => closed(server))
    assert.isBelow(handled.length, clients.length * 20)
  })
)

it.scopedLive("a connection is not read from while many of its requests wait", () =>
  Effect.gen(function* () {
    const count = 5_000
    const { connect, handled, counts, respond } = yield* serve
    const [client] = yield* connect
    // So long that few requests fit into what Node reads at once.
    const padding = `A: ${"a".repeat(1_000)}\r\n`
    const chunks: Array<string> = []
    client.setEncoding("latin1").on("data", (chunk: string) => chunks.push(chunk))
    client.write(requests(count, padding))
    while (counts.emitted <= PAUSE_AT) yield* Effect.sleep(1)
    respond()
    client.write(`GET /${count} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    yield* closed(client)
    assert.deepStrictEqual(handled, paths(count + 1))
    // What Node reads at once, 64 KiB, holds 63 of these requests; two such reads may follow each other.
    assert.isBelow(counts.mostWaiting, PAUSE_AT + 130)
  })
)

it.scopedLive("a connection with far too many requests is closed, and nothing more of it is handled", () =>
  Effect.gen(function* () {
    const { connect, handled, counts } = yield* serve
    const [client, server] = yield* connect
    client.write(requests(100_000))
    yield* closed(server)
    assert.deepStrictEqual(handled, ["/0"])
    assert.isAbove(counts.emitted, CLOSE_AT)
  })
)
