/**
 * The emulator's HTTP application: what holds for every endpoint, in the order in which Apify checks it.
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { SqlError } from "@effect/sql/SqlError"
import { redact } from "@effect-apify/domain/Redaction"
import {
  internalServerErrorRefusal,
  methodRefusal,
  pageNotFoundRefusal,
  type Refusal,
  unknownTokenRefusal
} from "@effect-apify/domain/Refusal"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ParseError } from "effect/ParseResult"
import * as Redacted from "effect/Redacted"
import { authenticate, type Caller } from "./Callers.js"
import { describeRow } from "./Database.js"
import { OTHER_RATE } from "./Endpoints.js"
import { nextChunkOf } from "./internal/requestBody.js"
import { keyRoutes } from "./KeyRoutes.js"
import { sqliteErrorOf } from "./Libsql.js"
import { RateLimits } from "./RateLimits.js"
import { recordRoutes } from "./RecordRoutes.js"
import { abortedBodyRefusal, invalidEscapeRefusal } from "./Refusals.js"
import { jsonResponse, type Match, makeRouter, type Refused, type Route, refuse } from "./Router.js"
import type { Database } from "./Row.js"
import { type Alias, findStoreOfRun, parseAlias } from "./Runs.js"
import { storeRoutes } from "./StoreRoutes.js"
import { CurrentUnknowns, type Unknowns } from "./Unknowns.js"

/** The operations of every module of routes. */
const allRoutes = (unknowns: Unknowns): ReadonlyArray<Route> => [
  ...storeRoutes,
  ...keyRoutes,
  ...recordRoutes(unknowns)
]

// ---- Responses ---------------------------------------------------------------------------------------------------------

const commonHeaders = ({ CORS_EXPOSED }: Unknowns) => ({
  "access-control-allow-origin": "*",
  "access-control-expose-headers": CORS_EXPOSED.join(", "),
  "x-ratelimit-limit": String(OTHER_RATE)
})

const refusalResponse = ({ status, error: { type, message } }: Refusal): HttpServerResponse.HttpServerResponse =>
  jsonResponse(status, { error: { type, message } })

/** HEAD is allowed wherever GET is; Apify's own lists of methods leave it out. */
const allowed = (methods: ReadonlyArray<string>) => {
  const others = methods.filter((method) => method !== "HEAD")
  const all = [...others.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])), "OPTIONS"].join(", ")
  return { allow: all, "access-control-allow-methods": all }
}

const preflight = (methods: ReadonlyArray<string>): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.empty({
    status: 204,
    // Firefox read no wildcard for User-Agent, and no browser reads one for Authorization.
    headers: { ...allowed(methods), "access-control-allow-headers": "User-Agent, Authorization, *" }
  })

// ---- Requests ----------------------------------------------------------------------------------------------------------

interface Target {
  readonly path: string
  readonly query: URLSearchParams
}

/** The target as it was sent, without an origin: `new URL` would fold `..`, and throw. */
const parseTarget = (target: string): Target => {
  const relative = target.startsWith("/") ? target : target.replace(/^https?:\/\/[^/?]*/i, "")
  const mark = relative.indexOf("?")
  return mark === -1
    ? { path: relative, query: new URLSearchParams() }
    : { path: relative.slice(0, mark), query: new URLSearchParams(relative.slice(mark + 1)) }
}

/**
 * `?method=` stands for the method of those who can only send GET. OPTIONS is sent by browsers on their own, and stays what
 * it is.
 */
const methodOf = (sent: string, query: URLSearchParams): string =>
  sent === "OPTIONS" ? sent : (query.get("method") || sent).toUpperCase()

/** `Authorization: Bearer …`, or else `?token=…`. */
const tokenOf = (authorization: string | undefined, query: URLSearchParams): Option.Option<Redacted.Redacted> => {
  const token = /^bearer +(.*)$/i.exec(authorization ?? "")?.[1] ?? query.get("token") ?? ""
  return token === "" ? Option.none() : Option.some(Redacted.make(token))
}

const callerOf = (
  token: Option.Option<Redacted.Redacted>
): Effect.Effect<Option.Option<Caller>, Refused | SqlError | ParseError, Database> =>
  Option.isNone(token)
    ? Effect.succeedNone
    : Effect.filterOrFail(authenticate(token.value), Option.isSome, () => refuse(unknownTokenRefusal))

const decodeParameters = Option.liftThrowable(
  (parameters: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
    new Map(Array.from(parameters, ([name, segment]) => [name, decodeURIComponent(segment)]))
)

const isHost = (host: string): boolean => /^[\w.:[\]-]+$/.test(host) && URL.canParse(`http://${host}`)

/** The address that the client used, as far as its request says so: a proxy may be in between. */
const originOf = (headers: Readonly<Record<string, string | undefined>>, listening: string): string => {
  const { host } = headers
  if (host === undefined || !isHost(host)) return listening
  const protocol = /^\s*(https?)\s*(?:,|$)/i.exec(headers["x-forwarded-proto"] ?? "")?.[1]?.toLowerCase() ?? "http"
  return `${protocol}://${host}`
}

// ---- The application ---------------------------------------------------------------------------------------------------

/** A request, and the route that it is for. */
interface Routed {
  readonly route: Route
  readonly segments: ReadonlyMap<string, string>
  /** Where the path names the store by a run. */
  readonly alias: Alias | undefined
  readonly query: URLSearchParams
  readonly request: HttpServerRequest.HttpServerRequest
}

/** The application of one emulator. */
class Application {
  private readonly findRoutes: (path: string) => Match | undefined
  constructor(
    private readonly listening: string,
    routes: ReadonlyArray<Route>,
    private readonly rateLimits: RateLimits | undefined,
    private readonly unknowns: Unknowns
  ) {
    this.findRoutes = makeRouter(routes)
  }

  respond(
    request: HttpServerRequest.HttpServerRequest
  ): Effect.Effect<HttpServerResponse.HttpServerResponse, SqlError | ParseError, Database> {
    const { url, method: sent } = request
    const { path, query } = parseTarget(url)
    const method = methodOf(sent, query)
    const alias = parseAlias(path)
    const match = this.findRoutes(alias?.path ?? path)
    if (match === undefined) return Effect.succeed(refusalResponse(pageNotFoundRefusal))
    const methods = Array.from(match.routes.keys())
    if (method === "OPTIONS") return Effect.succeed(preflight(methods))
    const route = match.routes.get(method) ?? (method === "HEAD" ? match.routes.get("GET") : undefined)
    if (route === undefined) {
      return Effect.succeed(HttpServerResponse.setHeaders(refusalResponse(methodRefusal(methods)), allowed(methods)))
    }
    return this.handle({ route, segments: match.segments, alias, query, request }).pipe(
      Effect.catchTag("RequestError", () => Effect.succeed(refusalResponse(abortedBodyRefusal))),
      Effect.catchTag("Refused", ({ refusal }) => Effect.succeed(refusalResponse(refusal))),
      Effect.map((response) => {
        const limited = HttpServerResponse.setHeader(response, "x-ratelimit-limit", String(route.rateLimit))
        // Node leaves out the body of the response to a HEAD that was sent, but not to one that `?method=` stands for.
        return method === "HEAD" && sent !== "HEAD" ? HttpServerResponse.setBody(limited, HttpBody.empty) : limited
      })
    )
  }

  private readonly handle = Effect.fnUntraced(function* (
    this: Application,
    { route, segments, alias, query, request }: Routed
  ) {
    const { headers } = request
    const caller = yield* callerOf(tokenOf(headers.authorization, query))
    const decoded = decodeParameters(alias === undefined ? segments : new Map(segments).set("store", alias.segment))
    if (Option.isNone(decoded)) return yield* refuse(invalidEscapeRefusal)
    const parameters = alias === undefined ? decoded.value : yield* storeOf(alias.of, decoded.value, query, caller)
    if (this.rateLimits !== undefined) yield* this.rateLimits.take(route, parameters, caller, request.remoteAddress)
    const origin = originOf(headers, this.listening)
    return yield* route.handle({
      parameters,
      query,
      headers,
      // A getter: most routes read no body.
      get nextChunk() {
        return nextChunkOf(request)
      },
      caller,
      origin,
      unknowns: this.unknowns
    })
  })
}

/** The parameters of a path that names the store by a run, with the store in place of the run. */
const storeOf = (
  of: Alias["of"],
  parameters: ReadonlyMap<string, string>,
  query: URLSearchParams,
  caller: Option.Option<Caller>
): Effect.Effect<ReadonlyMap<string, string>, Refused | SqlError | ParseError, Database> =>
  Effect.map(findStoreOfRun(of, parameters.get("store") ?? "", query, caller), (id) =>
    new Map(parameters).set("store", id)
  )

const failed = (what: string): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.as(Effect.logError(redact(what)), refusalResponse(internalServerErrorRefusal))

/**
 * The options of the application.
 *
 * @since 0.1.0
 * @category models
 */
export interface ApiOptions {
  /** Default: every operation of the emulator. */
  readonly routes?: ReadonlyArray<Route>
  /** Whether requests over the rate limits are refused. Default: `false`. */
  readonly rateLimits?: boolean
}

/**
 * Makes the application, which responds to every request. It cannot fail: what goes wrong inside is logged, without values
 * that may be secret, and the client gets a 500.
 *
 * @since 0.1.0
 * @category http
 */
export const makeApi: (listening: string, options?: ApiOptions) => Effect.Effect<HttpApp.Default<never, Database>> =
  Effect.fnUntraced(function* (listening, options = {}) {
    const unknowns = yield* CurrentUnknowns
    const { routes = allRoutes(unknowns), rateLimits = false } = options
    const application = new Application(listening, routes, rateLimits ? new RateLimits() : undefined, unknowns)
    const common = commonHeaders(unknowns)
    return Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => application.respond(request)).pipe(
      Effect.catchTags({
        ParseError: (error) => failed(`In the database, ${describeRow(error)}`),
        SqlError: (error) => {
          const sqlite = sqliteErrorOf(error)
          return failed(
            `The database failed: ${sqlite === undefined ? error.message : `${sqlite.code}, ${sqlite.message}`}`
          )
        }
      }),
      Effect.catchAllDefect((defect) => failed(Cause.pretty(Cause.die(defect)))),
      Effect.map((response) => HttpServerResponse.setHeaders(response, { ...common, ...response.headers }))
    )
  })
