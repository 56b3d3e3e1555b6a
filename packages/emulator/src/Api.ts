/**
 * The emulator's HTTP application: routes, authentication, and how answers look on the wire.
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { SqlClient } from "@effect/sql/SqlClient"
import {
  ApiError,
  internalServerErrorRefusal,
  methodNotAllowedRefusal,
  pageNotFoundRefusal,
  type Refusal,
  redact,
  unknownTokenRefusal
} from "@effect-apify/domain"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { authenticate } from "./Accounts.js"
import { getStore } from "./getStore.js"
import type { Operation } from "./Operation.js"
import { problemsOf } from "./Problem.js"

const operations: ReadonlyArray<Operation> = [getStore]

const headers = {
  // Requests a second that Apify allows for each store: documented.
  "x-ratelimit-limit": "60",
  // Apify may be called from any page.
  "access-control-allow-origin": "*"
}

const allowed = {
  allow: "GET, HEAD, OPTIONS",
  "access-control-allow-methods": "GET, HEAD, OPTIONS",
  "access-control-allow-headers": "*, Authorization"
}

const json = (status: number, body: unknown): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(JSON.stringify(body, null, 2), {
    status,
    headers,
    contentType: "application/json; charset=utf-8"
  })

const refuse = ({ status, error: { type, message } }: Refusal): HttpServerResponse.HttpServerResponse =>
  json(status, { error: { type, message } })

const malformedUrlRefusal: Refusal = {
  status: 400,
  error: new ApiError({ type: "invalid-request", message: "The URL has an invalid percent-encoding" })
}

const decodeSegment = Option.liftThrowable(decodeURIComponent)

interface Target {
  /** The path's decoded segments; none where an escape is not one. */
  readonly segments: Option.Option<ReadonlyArray<string>>
  readonly query: URLSearchParams
}

// Not `new URL`: it folds `..` away and throws, and a server sees paths as they were sent.
const parseTarget = (target: string): Target => {
  const [path = "", ...query] = target.replace(/^https?:\/\/[^/?]*/i, "").split("?")
  return {
    segments: Option.all(path.split("/").map((segment) => decodeSegment(segment))),
    query: new URLSearchParams(query.join("?"))
  }
}

/** `Authorization: Bearer …`, or else `?token=…`. */
const tokenOf = (authorization: string | undefined, query: URLSearchParams): Option.Option<Redacted.Redacted> =>
  Option.fromNullable(/^bearer +(.*)$/i.exec(authorization ?? "")?.[1] ?? query.get("token")).pipe(
    Option.filter((token) => token !== ""),
    Option.map((token) => Redacted.make(token))
  )

/** The address by which the caller reached the emulator, where it says one that could be. */
const originOf = (host: string | undefined, listening: string): string =>
  host !== undefined && /^[\w.:[\]-]+$/.test(host) && URL.canParse(`http://${host}`) ? `http://${host}` : listening

const respond = Effect.fnUntraced(function* (listening: string) {
  const request = yield* HttpServerRequest.HttpServerRequest
  const { segments, query } = parseTarget(request.url)
  if (Option.isNone(segments)) return refuse(malformedUrlRefusal)

  const parent = segments.value.slice(0, -1).join("/")
  const segment = segments.value.at(-1) ?? ""
  const here = segment === "" ? [] : operations.filter((operation) => operation.parent === parent)
  if (here.length === 0) return refuse(pageNotFoundRefusal)

  if (request.method === "OPTIONS") {
    return HttpServerResponse.empty({ status: 204, headers: { ...headers, ...allowed } })
  }
  const method = request.method === "HEAD" ? "GET" : request.method
  const operation = here.find((operation) => operation.method === method)
  if (operation === undefined) return HttpServerResponse.setHeaders(refuse(methodNotAllowedRefusal), allowed)

  const token = tokenOf(request.headers.authorization, query)
  const caller = Option.isNone(token) ? Option.none() : yield* authenticate(token.value)
  if (Option.isSome(token) && Option.isNone(caller)) return refuse(unknownTokenRefusal)

  const answer = yield* operation.answer({ segment, caller, origin: originOf(request.headers.host, listening) })
  return Either.match(answer, { onLeft: refuse, onRight: (body) => json(200, body) })
})

/**
 * Answers every request. It cannot fail: what goes wrong inside is logged, without values that may be secret, and
 * answered with a 500.
 *
 * @since 0.1.0
 * @category http
 */
export const api = (listening: string): HttpApp.Default<never, SqlClient> =>
  respond(listening).pipe(
    Effect.catchTag("ParseError", (error) =>
      Effect.die(`The database holds what it should not: ${JSON.stringify(problemsOf(error))}`)
    ),
    Effect.catchAllCause((cause) =>
      Effect.as(Effect.logError(redact(Cause.pretty(cause))), refuse(internalServerErrorRefusal))
    )
  )
