/**
 * A local Apify: an HTTP server on a database, as a layer.
 *
 * @since 0.1.0
 */
import * as Http from "node:http"
import { isIP, type Socket } from "node:net"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { constTrue, constVoid } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import { makeApi } from "./Api.js"
import { authenticate } from "./Callers.js"
import { type DatabaseError, databaseErrorOf, databaseLayer, IN_MEMORY, keepOthersOut } from "./Database.js"
import { DEMO_TOKEN, demoSeed } from "./demo.js"
import { droppingStalled } from "./internal/bodyTimeout.js"
import { respondToBroken } from "./internal/brokenRequests.js"
import { ClientLimits } from "./internal/ClientLimits.js"
import { inOrder } from "./internal/requestQueue.js"
import { isUnseeded, loadSeed } from "./loadSeed.js"
import { decodeSeed, readSeedFile } from "./readSeed.js"
import { InvalidSeedError, type SeedJson } from "./Seed.js"
import { CurrentUnknowns } from "./Unknowns.js"
import { removeDiscarded } from "./Uploads.js"

/**
 * The server could not listen on the host and port that were given.
 *
 * @since 0.1.0
 * @category errors
 */
export class ListenError extends Schema.TaggedError<ListenError>()("ListenError", {
  host: Schema.String,
  port: Schema.Number,
  /** The system's code, such as `EADDRINUSE`. */
  code: Schema.String
}) {
  override get message(): string {
    const host = isIP(this.host) === 6 ? `[${this.host}]` : this.host
    const where = host.trim() === "" ? "a blank host" : `${host}:${this.port}`
    switch (this.code) {
      case "EADDRINUSE":
        return `Cannot listen on ${where}: it is in use. Stop the program that listens there, or choose another port (0 for any free port).`
      case "EACCES":
        return `Cannot listen on ${where}: permission denied. Choose a port above 1023 (0 for any free port).`
      case BLANK_HOST:
        return `Cannot listen on ${where}. Choose 127.0.0.1, or 0.0.0.0 to let other machines connect.`
      case "EADDRNOTAVAIL":
      case "ENOTFOUND":
      case "EAI_AGAIN":
        return `Cannot listen on ${where}: this machine has no such address. Choose 127.0.0.1, or 0.0.0.0 to let other machines connect.`
      case "ERR_SOCKET_BAD_PORT":
        return `Cannot listen on ${where}: a port is an integer from 0 to 65535 (0 for any free port).`
      default:
        return `Cannot listen on ${where} (${this.code}). Choose another host or port (0 for any free port).`
    }
  }
}

const BLANK_HOST = "blank host"

/**
 * Why an emulator cannot start.
 *
 * @since 0.1.0
 * @category errors
 */
export type EmulatorError = InvalidSeedError | DatabaseError | ListenError

/**
 * The options of an emulator. All of them are optional.
 *
 * @since 0.1.0
 * @category models
 */
export interface EmulatorOptions {
  /**
   * What to hold: a seed, or the path of a JSON file with one. It is added to what the database holds already. Default:
   * `demoSeed` for an empty database, and nothing for any other.
   */
  readonly seed?: SeedJson | string | undefined
  /**
   * The database's file, which is created if it does not exist, or `:memory:`. One emulator at a time may use a file.
   * Default: `:memory:`.
   */
  readonly database?: string | undefined
  /** The port, from 0 to 65535; 0 takes any free port. Default: 0. */
  readonly port?: number | undefined
  /** The address to listen on. Default: `127.0.0.1`, which other machines cannot reach. */
  readonly host?: string | undefined
  /**
   * Whether more requests than Apify allows get a 429: 200 a second for the records of a store, 60 for anything else.
   * Default: `false`.
   */
  readonly rateLimits?: boolean | undefined
  /** The largest body of a record, in bytes as it is sent. Default: 209,715,200 (200 MiB). */
  readonly maximumRecordBytes?: number | undefined
}

// Connections that are kept alive, or that never sent a request, would hold up closing the server.
const closeAtOnce = (server: Http.Server, open: ReadonlySet<Socket>): Effect.Effect<void> =>
  Effect.async((resume) => {
    server.close(() => resume(Effect.void))
    for (const socket of open) socket.destroy()
  })

const createServer: Effect.Effect<Http.Server, never, Scope> = Effect.gen(function* () {
  const { headersTimeout, connectionsCheckingInterval } = yield* ClientLimits
  // Node's own limit for a whole request would end long uploads.
  const limits = { headersTimeout, connectionsCheckingInterval, requestTimeout: 0 }
  const open = new Set<Socket>()
  return yield* Effect.acquireRelease(
    Effect.sync(() =>
      Http.createServer(limits).on("connection", (socket) => {
        open.add(socket)
        socket.once("close", () => open.delete(socket))
      })
    ),
    (server) => closeAtOnce(server, open)
  )
})

const codeOf = (error: unknown): string =>
  Predicate.hasProperty(error, "code") && Predicate.isString(error.code) ? error.code : "unknown reason"

const checkAddress = (host: string, port: number): Effect.Effect<void, ListenError> => {
  // Node takes a blank host for all addresses.
  if (host.trim() === "") return new ListenError({ host, port, code: BLANK_HOST })
  const isPort = Number.isInteger(port) && port >= 0 && port <= 65_535
  return isPort ? Effect.void : new ListenError({ host, port, code: "ERR_SOCKET_BAD_PORT" })
}

/** Listens, and returns a URL at which the server can be reached from this machine. */
const listen = (server: Http.Server, host: string, port: number): Effect.Effect<string, ListenError> =>
  Effect.async((resume) => {
    const onError = (error: unknown) => resume(new ListenError({ host, port, code: codeOf(error) }))
    server.once("error", onError)
    server.listen({ host, port }, () => {
      server.off("error", onError)
      // A connection that cannot be accepted (too many open files) is lost, and nothing else is.
      server.on("error", constVoid)
      resume(Effect.succeed(urlOf(host, server.address())))
    })
  })

const urlOf = (host: string, address: ReturnType<Http.Server["address"]>): string => {
  if (address === null || typeof address === "string") return `http://${host}`
  const { address: ip, family, port } = address
  if (ip === "0.0.0.0") return `http://127.0.0.1:${port}`
  if (ip === "::") return `http://[::1]:${port}`
  if (isIP(host) === 0 && URL.canParse(`http://${host}:${port}`)) return `http://${host}:${port}`
  return family === "IPv6" ? `http://[${ip}]:${port}` : `http://${ip}:${port}`
}

const start = Effect.fnUntraced(function* (options: EmulatorOptions) {
  const { seed, database = IN_MEMORY, port = 0, host = "127.0.0.1", rateLimits = false } = options
  const unknowns = yield* CurrentUnknowns
  const { maximumRecordBytes = unknowns.MAXIMUM_RECORD_BYTES } = options
  // Everything that can be is checked before anything is opened or written.
  yield* checkAddress(host, port)
  const decoded = yield* typeof seed === "string" ? readSeedFile(seed) : decodeSeed(seed ?? demoSeed)
  yield* keepOthersOut(database)
  const services = yield* Layer.build(databaseLayer(database))
  const load = Effect.gen(function* () {
    if (seed !== undefined) return yield* Effect.as(loadSeed(decoded), false)
    if (yield* isUnseeded) return yield* Effect.as(loadSeed(decoded), true)
    return Option.isSome(yield* authenticate(Redacted.make(DEMO_TOKEN)))
  })
  const file = Option.liftPredicate(seed, Predicate.isString)
  const isDemo = yield* load.pipe(
    Effect.mapError((error) =>
      error._tag === "InvalidSeedError"
        ? new InvalidSeedError({ file, problems: error.problems })
        : databaseErrorOf(database)(error)
    ),
    Effect.provide(services)
  )
  yield* Effect.provide(removeDiscarded, services)
  const server = yield* createServer
  const url = yield* listen(server, host, port)
  const api = yield* Effect.provideService(makeApi(url, { rateLimits }), CurrentUnknowns, {
    ...unknowns,
    MAXIMUM_RECORD_BYTES: maximumRecordBytes
  })
  const handler = yield* NodeHttpServer.makeHandler(api).pipe(
    Effect.provide(services),
    // A span of a request has its whole URL, which may hold a token.
    Effect.locally(HttpMiddleware.currentTracerDisabledWhen, constTrue)
  )
  const { bodyTimeout } = yield* ClientLimits
  respondToBroken(server)
  server.on("request", inOrder(droppingStalled(bodyTimeout, handler)))
  return { url, isDemo }
})

/**
 * A running emulator.
 *
 * @example
 * ```ts
 * import { Emulator } from "@effect-apify/emulator"
 * import * as Console from "effect/Console"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const { url } = yield* Emulator
 *   yield* Console.log(`${url}/v2/key-value-stores/WkzbQMuFYuamGv3YF`)
 * })
 *
 * Effect.runPromise(program.pipe(Effect.provide(Emulator.layer())))
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export class Emulator extends Context.Tag("@effect-apify/emulator/Emulator")<
  Emulator,
  {
    /** Its address, without a slash at the end: `http://127.0.0.1:4010`. */
    readonly url: string
    /** Whether it holds the demo, so that `DEMO_TOKEN` works. */
    readonly isDemo: boolean
  }
>() {
  /**
   * Starts an emulator, which accepts connections once the layer is built. The layer's end stops it, closes every
   * connection and the database, and frees the port.
   */
  static readonly layer = (options: EmulatorOptions = {}): Layer.Layer<Emulator, EmulatorError> =>
    Layer.scoped(Emulator, start(options)).pipe(Layer.provide(NodeFileSystem.layer))
}
