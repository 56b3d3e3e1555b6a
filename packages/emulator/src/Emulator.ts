/**
 * A local Apify: a real HTTP server on a real database, as a layer.
 *
 * @since 0.1.0
 */
import * as Http from "node:http"
import type { Socket } from "node:net"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import type { ServeError } from "@effect/platform/HttpServerError"
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
import { authenticate } from "./Accounts.js"
import { api } from "./Api.js"
import { type DatabaseError, databaseErrorOf, databaseLayer, IN_MEMORY } from "./Database.js"
import { ClientLimits } from "./internal/ClientLimits.js"
import { isUnseeded, loadSeed } from "./loadSeed.js"
import { DEMO_TOKEN, decodeSeed, demoSeed, InvalidSeedError, readSeedFile, type SeedJson } from "./Seed.js"

/**
 * The server could not listen where it was told to.
 *
 * @since 0.1.0
 * @category errors
 */
export class ListenError extends Schema.TaggedError<ListenError>()("ListenError", {
  host: Schema.String,
  port: Schema.Int.pipe(Schema.between(0, 65_535)),
  /** The system's code, as in `EADDRINUSE`. */
  code: Schema.String
}) {
  override get message(): string {
    const where = `port ${this.port} of ${this.host}`
    switch (this.code) {
      case "EADDRINUSE":
        return `Cannot listen on ${where}: it is in use. Stop what listens there, or choose another port (0 takes any that is free).`
      case "EACCES":
        return `Cannot listen on ${where}: that takes rights that this process has not. Choose a port above 1023 (0 takes any that is free).`
      case "EADDRNOTAVAIL":
      case "ENOTFOUND":
        return `Cannot listen on ${where}: this machine has no such address. Choose 127.0.0.1, or 0.0.0.0 for all addresses.`
      case "ERR_SOCKET_BAD_PORT":
        return `Cannot listen on ${where}: a port is a whole number from 0 to 65535 (0 takes any that is free).`
      default:
        return `Cannot listen on ${where} (${this.code}). Choose another host or port (0 takes any port that is free).`
    }
  }
}

/**
 * @since 0.1.0
 * @category errors
 */
export type EmulatorError = InvalidSeedError | DatabaseError | ListenError

/**
 * Every option may be left out.
 *
 * @since 0.1.0
 * @category models
 */
export interface EmulatorOptions {
  /**
   * What to hold: a seed, or the path of a JSON file that is one. It is added to what the database holds already. Left
   * out, an empty database gets the demo (`demoSeed`) and any other stays as it is.
   */
  readonly seed?: SeedJson | string | undefined
  /** The database's file, made where there is none; `:memory:` unless told. */
  readonly database?: string | undefined
  /** The port, from 0 to 65535; 0, which takes any that is free, unless told. */
  readonly port?: number | undefined
  /** The address to listen on; `127.0.0.1`, which other machines cannot reach, unless told. */
  readonly host?: string | undefined
}

const codeOf = ({ cause }: ServeError): string =>
  Predicate.hasProperty(cause, "code") && Predicate.isString(cause.code) ? cause.code : "unknown reason"

// Connections that are kept alive, that were upgraded, or that never sent a request would hold up closing the server.
const closeAtOnce = (server: Http.Server): Effect.Effect<void, never, Scope> => {
  const open = new Set<Socket>()
  server.on("connection", (socket) => {
    open.add(socket)
    socket.once("close", () => open.delete(socket))
  })
  return Effect.addFinalizer(() =>
    Effect.async<void>((resume) => {
      server.close(() => resume(Effect.void))
      for (const socket of open) socket.destroy()
    })
  )
}

const listen = Effect.fnUntraced(function* (host: string, port: number) {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    return yield* new ListenError({ host, port, code: "ERR_SOCKET_BAD_PORT" })
  }
  const node = Http.createServer(yield* ClientLimits)
  const server = yield* NodeHttpServer.make(() => node, { host, port }).pipe(
    Effect.mapError((error) => new ListenError({ host, port, code: codeOf(error) }))
  )
  // A connection that cannot be accepted (too many open files) is lost, and nothing else is.
  node.on("error", constVoid)
  yield* closeAtOnce(node)
  return { node, server }
})

const urlOf = (host: string, port: number): string => {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : host.includes(":") ? `[${host}]` : host
  return `http://${reachable}:${port}`
}

const start = Effect.fnUntraced(function* (options: EmulatorOptions) {
  const { seed, database = IN_MEMORY, port = 0, host = "127.0.0.1" } = options
  // The seed is checked before anything is opened or written.
  const decoded = yield* typeof seed === "string" ? readSeedFile(seed) : decodeSeed(seed ?? demoSeed)
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
  const { node, server } = yield* listen(host, port)
  const url = urlOf(host, server.address._tag === "TcpAddress" ? server.address.port : port)
  yield* server.serve(api(url)).pipe(
    Effect.provide(services),
    // A span of a request holds its whole URL, and a token may stand there.
    Effect.locally(HttpMiddleware.currentTracerDisabledWhen, constTrue)
  )
  // With nobody to upgrade it, Node answers a request to upgrade as any other. Handed over instead, its socket would be
  // watched by nobody: it could stay for ever, and its reset would end the process.
  node.removeAllListeners("upgrade")
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
    /** Where it listens, without a slash at the end: `http://127.0.0.1:4010`. */
    readonly url: string
    /** Whether it holds the demo and nothing was asked for besides, so that `DEMO_TOKEN` works. */
    readonly isDemo: boolean
  }
>() {
  /**
   * Starts an emulator that accepts connections once the layer is built. The layer's end stops it, closes every
   * connection and the database, and frees the port.
   */
  static layer(options: EmulatorOptions = {}): Layer.Layer<Emulator, EmulatorError> {
    return Layer.scoped(Emulator, start(options)).pipe(Layer.provide(NodeFileSystem.layer))
  }
}
