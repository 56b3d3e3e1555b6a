/**
 * Routes, and which of them a request is for. Paths are compared as they were sent, segment by segment: with case, with every slash,
 * and without folding `..`.
 *
 * @since 0.1.0
 */
import type { Headers } from "@effect/platform/Headers"
import type { RequestError } from "@effect/platform/HttpServerError"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { SqlError } from "@effect/sql/SqlError"
import type { HttpMethod } from "@effect-apify/domain/HttpMethod"
import type { Refusal } from "@effect-apify/domain/Refusal"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Option from "effect/Option"
import type { ParseError } from "effect/ParseResult"
import type { Caller } from "./Callers.js"
import type { Database } from "./Row.js"
import type { Unknowns } from "./Unknowns.js"

/**
 * A request that is refused, and how.
 *
 * @since 0.1.0
 * @category errors
 */
export class Refused extends Data.TaggedError("Refused")<{ readonly refusal: Refusal }> {}

/**
 * A refusal as the failure of a route.
 *
 * @since 0.1.0
 * @category errors
 */
export const refuse = (refusal: Refusal): Refused => new Refused({ refusal })

/**
 * What a route goes on with, or the refusal that it fails with.
 *
 * @since 0.1.0
 * @category errors
 */
export const refusing = <A>(either: Either.Either<A, Refusal>): Either.Either<A, Refused> =>
  Either.mapLeft(either, refuse)

/**
 * A request as a route receives it: routed, with a method that the path has, and with a token that is known if it has one.
 *
 * @since 0.1.0
 * @category models
 */
export interface ApiRequest {
  /** The parameters of the path, decoded. */
  readonly parameters: ReadonlyMap<string, string>
  readonly query: URLSearchParams
  /** By name in lower case. */
  readonly headers: Headers
  /** Reads on in the body: the next chunk, or `None` at its end. A body that no route reads is discarded. */
  readonly nextChunk: Effect.Effect<Option.Option<Uint8Array>, RequestError>
  /** The user whose token it carries; `None` without a token. */
  readonly caller: Option.Option<Caller>
  /** The emulator's address as the client sees it, such as `http://127.0.0.1:4010`. */
  readonly origin: string
  readonly unknowns: Unknowns
}

/**
 * One operation: where it is, and what it responds with.
 *
 * @since 0.1.0
 * @category models
 */
export interface Route {
  readonly method: HttpMethod
  /** A segment that begins with a colon is a parameter: `/v2/key-value-stores/:store`. */
  readonly path: string
  /** Requests a second that Apify allows for each store. */
  readonly rateLimit: number
  readonly handle: (
    request: ApiRequest
  ) => Effect.Effect<HttpServerResponse.HttpServerResponse, Refused | RequestError | SqlError | ParseError, Database>
}

/**
 * The routes of one path by method, and the segments in the place of its parameters, as they were sent.
 *
 * @since 0.1.0
 * @category models
 */
export interface Match {
  readonly routes: ReadonlyMap<string, Route>
  readonly segments: ReadonlyMap<string, string>
}

/**
 * Finds the routes of a path; `undefined` for a path that no route has. The empty segment is no parameter, so that a slash
 * at the end makes another path.
 *
 * @since 0.1.0
 * @category routing
 */
export const makeRouter = (routes: ReadonlyArray<Route>): ((path: string) => Match | undefined) => {
  const byPath = new Map<string, Map<string, Route>>()
  for (const route of routes) {
    byPath.set(route.path, (byPath.get(route.path) ?? new Map<string, Route>()).set(route.method, route))
  }
  const patterns = Array.from(byPath, ([path, routes]) => ({ pattern: path.split("/"), routes }))
  return (path) => {
    const sent = path.split("/")
    for (const { pattern, routes } of patterns) {
      const segments = matchSegments(pattern, sent)
      if (segments !== undefined) return { routes, segments }
    }
    return undefined
  }
}

const matchSegments = (
  pattern: ReadonlyArray<string>,
  sent: ReadonlyArray<string>
): ReadonlyMap<string, string> | undefined => {
  if (pattern.length !== sent.length) return undefined
  const segments = new Map<string, string>()
  for (const [index, expected] of pattern.entries()) {
    const segment = sent[index] ?? ""
    if (!expected.startsWith(":")) {
      if (segment !== expected) return undefined
    } else {
      if (segment === "") return undefined
      segments.set(expected.slice(1), segment)
    }
  }
  return segments
}

/**
 * A response with a JSON body, indented as Apify's are.
 *
 * @since 0.1.0
 * @category responses
 */
export const jsonResponse = (status: number, body: unknown): HttpServerResponse.HttpServerResponse => {
  const text = JSON.stringify(body, null, 2)
  // Node writes headers and a string at once, and headers and bytes one after the other.
  return HttpServerResponse.raw(text, {
    status,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "content-length": String(Buffer.byteLength(text))
    }
  })
}
