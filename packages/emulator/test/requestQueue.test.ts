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
  /** Waits until that is so. It is looked at whenever a request was emitted or handled. */
  readonly until: (isSo: () => boolean) => Effect.Effect<void>
  /** Responds to the request that is being handled, and from then on to each at once. */
  readonly respond: () => void
}

interface Responses {
  /** Whether the handler responds before the event loop has run. */
  readonly atOnce: boolean
  /** The path of requests that get no response until the handler is told again. */
  readonly heldAt?: string
  readonly onHandled?: () => void
}

/** A server whose handler responds when it is told to, and from then on to each request. */
const serveWith: (responses: Responses) => Effect.Effect<Served, never, Scope> = Effect.fnUntraced(function* ({
  atOnce,
  heldAt,
  onHandled
}) {
  const handled: Array<string> = []
  const looks = new Set<() => void>()
  const look = (): void => {
    for (const look of looks) look()
  }
  const open: Array<Http.ServerResponse> = []
  const counts = { emitted: 0, responded: 0, mostWaiting: 0 }
  let responds = false
  const finish = (response: Http.ServerResponse): void => {
    counts.responded += 1
    response.end("ok")
  }
  const handle = inOrder((request, response) => {
    handled.push(request.url ?? "")
    onHandled?.()
    look()
    if (!responds || request.url === heldAt) open.push(response)
    else if (atOnce) finish(response)
    else setImmediate(finish, response)
  })
  const server = Http.createServer((request, response) => {
    counts.emitted += 1
    counts.mostWaiting = Math.max(counts.mostWaiting, counts.emitted - counts.responded)
    handle(request, response)
    look()
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
    until: (isSo) =>
      Effect.async((resume) => {
        const look = (): void => {
          if (!isSo()) return
          looks.delete(look)
          resume(Effect.void)
        }
        looks.add(look)
        look()
      }),
    respond: () => {
      responds = true
      for (const response of open.splice(0)) finish(response)
    }
  }
})

const serve = serveWith({ atOnce: false })

const requests = (count: number, padding = ""): string =>
  Array.from({ length: count }, (_, index) => `GET /${index} HTTP/1.1\r\nHost: x\r\n${padding}\r\n`).join("")

const paths = (count: number): ReadonlyArray<string> => Array.from({ length: count }, (_, index) => `/${index}`)

it.scopedLive("the requests of a connection are handled one after another, in order", () =>
  Effect.gen(function* () {
    const { connect, handled, respond, until } = yield* serve
    const [client] = yield* connect
    const chunks: Array<string> = []
    client.setEncoding("latin1").on("data", (chunk: string) => chunks.push(chunk))
    client.write(`${requests(300)}GET /300 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    yield* until(() => handled.length > 0)
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
    const { connect, handled, respond, until } = yield* serve
    const clients = yield* Effect.all(Array.from({ length: 20 }, () => connect))
    for (const [client] of clients) client.write(requests(10))
    yield* until(() => handled.length === clients.length)
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

it.scopedLive(
  "the event loop runs between the requests of a pipeline, so that no other connection waits for them",
  () =>
    Effect.gen(function* () {
      let turn = 0
      const turns = new Set<number>()
      const { connect, handled, respond, until } = yield* serveWith({ atOnce: true, onHandled: () => turns.add(turn) })
      // What puts itself off in this way runs once each time that the event loop does.
      const count = (): void => {
        turn += 1
        if (handled.length < 200) setImmediate(count)
      }
      count()
      const [client] = yield* connect
      client.resume().write(requests(200))
      yield* until(() => handled.length > 0)
      respond()
      yield* until(() => handled.length === 200)
      assert.strictEqual(turns.size, 200)
    })
)

it.scopedLive("the requests of clients that leave during their pipelines are not handled", () =>
  Effect.gen(function* () {
    const { connect, handled, respond, until } = yield* serveWith({ atOnce: true, heldAt: "/10" })
    const clients = yield* Effect.all(Array.from({ length: 20 }, () => connect))
    // So few that the connections are read from all the time: whoever reads sees that a client has left.
    for (const [client] of clients) client.resume().write(requests(PAUSE_AT))
    yield* until(() => handled.length === clients.length)
    respond()
    yield* until(() => handled.length === clients.length * 11)
    for (const [client] of clients) client.resetAndDestroy()
    yield* Effect.forEach(clients, ([, server]) => closed(server))
    respond()
    // A request on another connection is handled after all that could be handled before it.
    const [client] = yield* connect
    client.write("GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    yield* closed(client)
    assert.lengthOf(handled, clients.length * 11 + 1)
  })
)

it.scopedLive("a connection is not read from while many of its requests wait", () =>
  Effect.gen(function* () {
    const count = 5_000
    const { connect, handled, counts, respond, until } = yield* serve
    const [client] = yield* connect
    // So long that few requests fit into what Node reads at once.
    const padding = `A: ${"a".repeat(1_000)}\r\n`
    const chunks: Array<string> = []
    client.setEncoding("latin1").on("data", (chunk: string) => chunks.push(chunk))
    client.write(requests(count, padding))
    yield* until(() => counts.emitted > PAUSE_AT)
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
