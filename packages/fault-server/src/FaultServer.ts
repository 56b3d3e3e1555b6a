/**
 * The server: raw sockets, any number of origins, and one plan for each store.
 *
 * It counts what it sees, so that a test can prove what was sent, what was not, and what is still open.
 */
import * as Net from "node:net"
import * as Tls from "node:tls"
import { Worker } from "node:worker_threads"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { type Authority, type CertificateKind, makeAuthority } from "./Certificate.js"
import { type Fault, type Plan, type SeenRequest, type Step, status } from "./Fault.js"

/** What the server knows of one store. */
export interface Report {
  readonly requests: ReadonlyArray<SeenRequest>
  /** Faults of the plan that no request has met. One that goes on for ever counts until it was met once. */
  readonly unused: number
  /** Requests beyond the plan; the response to each is a 500. */
  readonly unplanned: number
  /** Bytes of responses handed to the network. */
  readonly bytesSent: number
}

/** One address that the server listens at. */
export interface Origin {
  /** Without a slash at its end. */
  readonly url: string
  readonly sockets: Effect.Effect<Sockets>
  /** How many requests and greetings have reached a hang or a drip: from there on time passes, or the client leaves. */
  readonly waits: Effect.Effect<number>
}

export interface Sockets {
  /** Connections now, those that are idle after a response included. */
  readonly open: number
  /** Connections now whose last response is not complete. */
  readonly busy: number
  /** Connections now that have brought no request. */
  readonly unused: number
  readonly ever: number
}

export interface OriginOptions {
  /** HTTPS with such a certificate; plain HTTP without. */
  readonly certificate?: CertificateKind
  /** Done to a connection when its first bytes arrive, whatever they are, in place of reading a request. */
  readonly greeting?: Fault
}

/** A server whose faults are planned. */
export class FaultServer extends Context.Tag("@effect-apify/fault-server/FaultServer")<
  FaultServer,
  {
    /** Starts to listen on a free port of this machine. Drips and the times of requests are by the caller's clock. */
    readonly listen: (options?: OriginOptions) => Effect.Effect<Origin, never, Scope.Scope>
    /** Plans what happens to the requests for a store, or for the last segment of a path that names none. */
    readonly plan: (store: string, plan: Plan) => Effect.Effect<void>
    /** Dies of what went wrong in the server itself, so that it does not pass for a client's doing. */
    readonly report: (store: string) => Effect.Effect<Report>
    /** All requests that it has read, whatever they were for. */
    readonly requests: Effect.Effect<ReadonlyArray<SeenRequest>>
    /** Forgets the requests that it has seen; plans stay. */
    readonly forget: Effect.Effect<void>
    /** The certificate of the authority that signs this server's. */
    readonly authority: string
  }
>() {
  static readonly layer: Layer.Layer<FaultServer> = Layer.scoped(
    FaultServer,
    Effect.gen(function* () {
      const authority = yield* makeAuthority
      const stores = new Map<string, StoreState>()
      const connections = { count: 0 }
      const defects: Array<unknown> = []
      return {
        authority: authority.cert,
        plan: (store, plan) =>
          Effect.sync(() => {
            stores.set(store, {
              left: plan.map(({ fault, times }) => ({ fault, times, met: false })),
              requests: [],
              unplanned: 0,
              bytesSent: 0
            })
          }),
        report: (store) =>
          Effect.suspend(() => {
            const [defect] = defects
            if (defect !== undefined) return Effect.die(defect)
            const { bytesSent, left, requests, unplanned } = stores.get(store) ?? nothingPlanned()
            return Effect.succeed({ requests, unplanned, bytesSent, unused: left.filter(({ met }) => !met).length })
          }),
        requests: Effect.sync(() => [...stores.values()].flatMap(({ requests }) => requests)),
        forget: Effect.sync(() => {
          for (const state of stores.values()) state.requests.length = 0
        }),
        listen: (options = {}) => listen(options, { authority, stores, connections, defects })
      }
    })
  )
}

interface StoreState {
  left: Array<{ readonly fault: Fault; times: number; met: boolean }>
  readonly requests: Array<SeenRequest>
  unplanned: number
  bytesSent: number
}

const nothingPlanned = (): StoreState => ({ left: [], requests: [], unplanned: 0, bytesSent: 0 })

interface Shared {
  readonly authority: Authority
  readonly stores: Map<string, StoreState>
  readonly connections: { count: number }
  readonly defects: Array<unknown>
}

const unplanned = status(500, [["Content-Type", "text/plain"]], "unplanned")

/** The fault that a request meets. */
const meet = (state: StoreState, request: SeenRequest): ReadonlyArray<Step> => {
  const earlier = state.requests.slice()
  state.requests.push(request)
  const next = state.left.find(({ times }) => times > 0)
  if (next === undefined) {
    state.unplanned += 1
    return unplanned.steps(request, earlier)
  }
  next.times -= 1
  next.met = next.met || next.times === 0 || next.times === Number.POSITIVE_INFINITY
  return next.fault.steps(request, earlier)
}

interface Connection {
  /** The one of TCP: TLS lies another over it. */
  readonly tcp: Net.Socket
  phase: "unused" | "busy" | "idle"
}

const listen = (options: OriginOptions, shared: Shared): Effect.Effect<Origin, never, Scope.Scope> =>
  Effect.gen(function* () {
    const run = yield* FiberSet.makeRuntime<never>()
    const open = new Map<Net.Socket, Connection>()
    let ever = 0
    let waits = 0
    const onWait = (): void => {
      waits += 1
    }

    const serve = (socket: Net.Socket, state: Connection): void => {
      shared.connections.count += 1
      const fiber = run(
        serveConnection(socket, state, options.greeting, shared.connections.count, shared.stores, onWait).pipe(
          Effect.catchAllDefect((defect) =>
            Effect.sync(() => {
              shared.defects.push(defect)
              socket.destroy()
            })
          )
        )
      )
      socket.on("close", () => run(Fiber.interruptFork(fiber)))
    }

    const accept = (socket: Net.Socket): Connection => {
      const state: Connection = { tcp: socket, phase: "unused" }
      ever += 1
      open.set(socket, state)
      socket.on("error", () => socket.destroy())
      socket.on("close", () => open.delete(socket))
      return state
    }

    /** The connection beneath TLS, which is another socket. */
    const beneath = (socket: Net.Socket): Connection =>
      [...open.values()].find(({ tcp }) => tcp.remotePort === socket.remotePort) ?? { tcp: socket, phase: "unused" }

    const server =
      options.certificate === undefined
        ? Net.createServer((socket) => serve(socket, accept(socket)))
        : Tls.createServer(yield* shared.authority.issue(options.certificate))
    if (server instanceof Tls.Server) {
      server.on("connection", accept)
      server.on("secureConnection", (socket) => serve(socket, beneath(socket)))
      server.on("tlsClientError", (_, socket) => socket.destroy())
    }

    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          for (const socket of open.keys()) socket.destroy()
        })
    )
    const scheme = options.certificate === undefined ? "http://127.0.0.1" : "https://localhost"
    return {
      url: `${scheme}:${portOf(server)}`,
      sockets: Effect.sync(() => ({
        open: open.size,
        busy: [...open.values()].filter(({ phase }) => phase === "busy").length,
        unused: [...open.values()].filter(({ phase }) => phase === "unused").length,
        ever
      })),
      waits: Effect.sync(() => waits)
    }
  })

const portOf = (server: Net.Server): number => {
  const address = server.address()
  return address !== null && typeof address === "object" ? address.port : 0
}

const END_OF_HEAD = "\r\n\r\n"

/** Serves a connection until either side ends it. */
const serveConnection = (
  socket: Net.Socket,
  state: Connection,
  greeting: Fault | undefined,
  connection: number,
  stores: Map<string, StoreState>,
  onWait: () => void
): Effect.Effect<void> =>
  Effect.gen(function* () {
    let unread = ""
    while (true) {
      while (!unread.includes(END_OF_HEAD) && !(greeting !== undefined && unread !== "")) {
        unread += yield* receive(socket)
      }
      state.phase = "busy"
      const endOfHead = unread.indexOf(END_OF_HEAD) + END_OF_HEAD.length
      const head = parseHead(unread.slice(0, endOfHead))
      const end = endOfHead + (greeting === undefined ? Number(head.headers["content-length"] ?? 0) : 0)
      while (unread.length < end) unread += yield* receive(socket)
      const at = Number(yield* Clock.currentTimeNanos) / 1e6
      const date = yield* Clock.currentTimeMillis
      const request = { ...head, at, date, connection }
      unread = greeting === undefined ? unread.slice(end) : ""
      const store = storeOf(request)
      const known = stores.get(store) ?? nothingPlanned()
      stores.set(store, known)
      const sentBefore = socket.bytesWritten
      const steps = greeting?.steps(request, []) ?? meet(known, request)
      yield* Effect.forEach(steps, (step) => play(socket, state.tcp, step, onWait), { discard: true }).pipe(
        Effect.ensuring(
          Effect.sync(() => {
            known.bytesSent += socket.bytesWritten - sentBefore
          })
        )
      )
      state.phase = "idle"
    }
  })

/** The segment of the path that names a store, or the last one. */
const storeOf = ({ path }: SeenRequest): string =>
  (/^\/v2\/key-value-stores\/([^/?]+)/.exec(path) ?? /([^/?]*)(?:\?.*)?$/.exec(path))?.[1] ?? ""

const parseHead = (head: string): Pick<SeenRequest, "method" | "path" | "headers"> => {
  const [requestLine = "", ...lines] = head.trimEnd().split("\r\n")
  const [method = "", path = ""] = requestLine.split(" ")
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(":")
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value
  }
  return { method, path, headers }
}

/** The next bytes, as latin-1. Never ends where none arrive: the end of the connection interrupts. */
const receive = (socket: Net.Socket): Effect.Effect<string> =>
  Effect.async((resume) => {
    const onData = (data: Buffer): void => {
      socket.pause()
      socket.off("data", onData)
      resume(Effect.succeed(data.toString("latin1")))
    }
    socket.on("data", onData)
    socket.resume()
    return Effect.sync(() => socket.off("data", onData))
  })

/** Sees the end of the connection while nothing is read for. */
const watch = (socket: Net.Socket): Effect.Effect<unknown> => Effect.sync(() => socket.resume())

const write = (socket: Net.Socket, bytes: Uint8Array): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (socket.write(bytes)) return resume(Effect.void)
    const onDrain = (): void => resume(Effect.void)
    socket.once("drain", onDrain)
    return Effect.sync(() => socket.off("drain", onDrain))
  })

const play = (socket: Net.Socket, tcp: Net.Socket, step: Step, onWait: () => void): Effect.Effect<void> => {
  const waiting = (wait: Effect.Effect<void>) =>
    Effect.all([watch(socket), Effect.sync(onWait), wait], { discard: true })
  switch (step._tag) {
    case "Send":
      return write(socket, step.bytes)
    case "Flood":
      return Effect.zipRight(watch(socket), Effect.repeatN(write(socket, step.chunk), step.times - 1))
    case "Drip":
      return waiting(
        Effect.forEach(step.bytes, (byte) => Effect.delay(write(socket, Uint8Array.of(byte)), step.everyMillis), {
          discard: true
        })
      )
    case "Hang":
      return waiting(Effect.never)
    case "Close":
      return Effect.zipRight(
        Effect.sync(() => socket.end()),
        Effect.zipRight(watch(socket), Effect.never)
      )
    case "Reset":
      return Effect.zipRight(
        Effect.sync(() => tcp.resetAndDestroy()),
        Effect.never
      )
  }
}

/**
 * An origin that nothing listens at. A port that was free a moment ago may be given to another process; a port as low as this is
 * given to none. `fetch` blocks port 1.
 */
export const refusingOrigin = "http://127.0.0.1:2"

/** Listens with the shortest queue, posts its port, and never accepts a connection. */
const deaf = `
const { parentPort } = require("node:worker_threads")
const server = require("node:net").createServer()
server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
  parentPort.postMessage(server.address().port)
  setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
})
`

/** More than the shortest queue holds, which is two on Linux. */
const QUEUE = 4
const QUEUED = 2

/** An origin that connections to never complete: its queue is full, and nobody takes from it. */
export const deafOrigin: Effect.Effect<string, never, Scope.Scope> = Effect.gen(function* () {
  const worker = yield* Effect.acquireRelease(
    Effect.sync(() => new Worker(deaf, { eval: true })),
    (worker) => Effect.promise(() => worker.terminate())
  )
  const port = yield* Effect.async<number>((resume) => {
    worker.once("message", (port: number) => resume(Effect.succeed(port)))
  })
  const sockets = yield* Effect.forEach(Array.from({ length: QUEUE }), () =>
    Effect.acquireRelease(
      Effect.sync(() => Net.connect(port, "127.0.0.1").on("error", () => {})),
      (socket) => Effect.sync(() => socket.destroy())
    )
  )
  yield* Effect.async<void>((resume) => {
    const look = (): void => {
      if (sockets.filter(({ connecting }) => !connecting).length >= QUEUED) resume(Effect.void)
    }
    for (const socket of sockets) socket.once("connect", look)
    look()
  })
  return `http://127.0.0.1:${port}`
})
