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
import { ApiError } from "@effect-apify/domain/ApiError"
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
import { sqliteErrorOf } from "./Libsql.js"
import { jsonResponse, type Match, makeRouter, Refused, type Route } from "./Router.js"
import type { Database } from "./Row.js"
import { storeRoutes } from "./StoreRoutes.js"

/** The operations of every module of routes. */
const allRoutes: ReadonlyArray<Route> = [...storeRoutes]

// ---- Responses ---------------------------------------------------------------------------------------------------------

const common = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "Location, Content-Disposition, X-RateLimit-Limit",
  // What Apify allows for each store where a route does not say otherwise, in requests a second.
  "x-ratelimit-limit": "60"
}

const refuse = ({ status, error: { type, message } }: Refusal): HttpServerResponse.HttpServerResponse =>
  jsonResponse(status, { error: { type, message } })

/** HEAD is allowed wherever GET is; Apify's own lists of methods leave it out. */
const allowed = (methods: ReadonlyArray<string>) => {
  const all = [...methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])), "OPTIONS"].join(", ")
  return { allow: all, "access-control-allow-methods": all }
}

const preflight = (methods: ReadonlyArray<string>): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.empty({
    status: 204,
    // Firefox read no wildcard for User-Agent, and no browser reads one for Authorization.
    headers: { ...allowed(methods), "access-control-allow-headers": "User-Agent, Authorization, *" }
  })

const unreadableBodyRefusal: Refusal = {
  status: 400,
  error: new ApiError({ type: "invalid-request", message: "The request body could not be read" })
}

const invalidEscapeRefusal: Refusal = {
  status: 400,
  error: new ApiError({ type: "invalid-request", message: "The URL has an invalid percent-encoding" })
}

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

/** `?method=` stands for the method of those who can only send GET. */
const methodOf = (method: string, query: URLSearchParams): string => (query.get("method") || method).toUpperCase()

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
    : Effect.filterOrFail(authenticate(token.value), Option.isSome, () => new Refused({ refusal: unknownTokenRefusal }))

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

const handle = Effect.fnUntraced(function* (
  route: Route,
  segments: ReadonlyMap<string, string>,
  query: URLSearchParams,
  request: HttpServerRequest.HttpServerRequest,
  listening: string
) {
  const { headers } = request
  const caller = yield* callerOf(tokenOf(headers.authorization, query))
  const parameters = decodeParameters(segments)
  if (Option.isNone(parameters)) return yield* new Refused({ refusal: invalidEscapeRefusal })
  const origin = originOf(headers, listening)
  return yield* route.handle({
    parameters: parameters.value,
    query,
    headers,
    // A getter: most routes read no body, and a stream takes time to make.
    get body() {
      return request.stream
    },
    caller,
    origin
  })
})

const respond = (
  findRoutes: (path: string) => Match | undefined,
  request: HttpServerRequest.HttpServerRequest,
  listening: string
): Effect.Effect<HttpServerResponse.HttpServerResponse, SqlError | ParseError, Database> => {
  const { url, method: sent } = request
  const { path, query } = parseTarget(url)
  const method = methodOf(sent, query)
  const match = findRoutes(path)
  if (match === undefined) return Effect.succeed(refuse(pageNotFoundRefusal))
  const methods = Array.from(match.routes.keys())
  if (method === "OPTIONS") return Effect.succeed(preflight(methods))
  const route = match.routes.get(method === "HEAD" ? "GET" : method)
  if (route === undefined) {
    return Effect.succeed(HttpServerResponse.setHeaders(refuse(methodRefusal(methods)), allowed(methods)))
  }
  return handle(route, match.segments, query, request, listening).pipe(
    Effect.catchTag("RequestError", () => Effect.succeed(refuse(unreadableBodyRefusal))),
    Effect.catchTag("Refused", ({ refusal }) => Effect.succeed(refuse(refusal))),
    Effect.map((response) => {
      const limited = HttpServerResponse.setHeader(response, "x-ratelimit-limit", String(route.rateLimit))
      // Node leaves out the body of the response to a HEAD that was sent, but not to one that `?method=` stands for.
      return method === "HEAD" && sent !== "HEAD" ? HttpServerResponse.setBody(limited, HttpBody.empty) : limited
    })
  )
}

const withCommonHeaders = (response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.setHeaders(response, { ...common, ...response.headers })

const failed = (what: string): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.as(Effect.logError(redact(what)), refuse(internalServerErrorRefusal))

/**
 * Responds to every request. It cannot fail: what goes wrong inside is logged, without values that may be secret, and the
 * client gets a 500. `routes` default to every operation of the emulator.
 *
 * @since 0.1.0
 * @category http
 */
export const api = (listening: string, routes: ReadonlyArray<Route> = allRoutes): HttpApp.Default<never, Database> => {
  const findRoutes = makeRouter(routes)
  return Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => respond(findRoutes, request, listening)).pipe(
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
    Effect.map(withCommonHeaders)
  )
}
