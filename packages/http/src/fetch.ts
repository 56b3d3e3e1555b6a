/**
 * A transport on `fetch`, made for small answers: it hands an answer over whole, and so spares the streams and the second
 * promise that `FetchHttpClient.layer` needs to hand it over in parts.
 *
 * @since 0.1.0
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { capOf, isBeyond, isBodiless, keepsWithin, readUpTo } from "./internal/body.js"
import { bodyOf, maxBodyBytesOf, type Received, WholeResponse } from "./internal/whole.js"

/**
 * The transport. As `FetchHttpClient.layer` it takes `FetchHttpClient.Fetch` and `FetchHttpClient.RequestInit` where they are
 * provided. It sends bodies of bytes or text, and fails with `Encode` where it is to send forms or streams.
 *
 * Of a 200 it reads no more than the call's `HttpIncomingMessage.MaxBodySize` allows, which `ApifyClient` provides, and nothing
 * where a larger body is declared; of any other answer it reads no more than 16 KiB. What it has read is what the body is.
 *
 * @example
 * ```ts
 * import { ApifyClient } from "@effect-apify/http"
 * import { layerFetch } from "@effect-apify/http/fetch"
 * import * as Layer from "effect/Layer"
 *
 * const client = Layer.provide(ApifyClient.layerConfig, layerFetch)
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFetch: Layer.Layer<HttpClient.HttpClient> = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(Effect.context<never>(), (own) =>
    HttpClient.make((request, url, signal, { currentContext }) => {
      const body = bodyOf(request)
      if (Either.isLeft(body)) return Effect.fail(body.left)
      const provided = <I, S>(tag: Context.Tag<I, S>): Option.Option<S> =>
        Option.orElse(Context.getOption(currentContext, tag), () => Context.getOption(own, tag))
      const fetch = Option.getOrElse(provided(FetchHttpClient.Fetch), () => globalThis.fetch)
      const init = Option.getOrElse(provided(FetchHttpClient.RequestInit), (): RequestInit => ({}))
      const { method } = request
      const merged = init.headers ? Headers.merge(Headers.fromInput(init.headers), request.headers) : request.headers
      // It is `fetch`'s own, and Node's refuses to be told.
      const headers = "content-length" in merged ? Headers.remove(merged, "content-length") : merged
      const send = () => fetch(url.href, { ...init, method, headers, body: body.right, signal })
      const maxBodyBytes = maxBodyBytesOf(currentContext)
      return Effect.async((resume) => {
        exchange(request, send, signal, maxBodyBytes).then(resume)
      })
    })
  )
)

/** Sends, and receives the answer to its end, or as much of it as is wanted. */
const exchange = async (
  request: HttpClientRequest.HttpClientRequest,
  send: () => Promise<Response>,
  signal: AbortSignal,
  maxBodyBytes: number
): Promise<Received> => {
  let withBody: ((body: Uint8Array) => WholeResponse) | undefined
  try {
    const response = await send()
    const { status } = response
    const headers = Headers.fromInput(response.headers)
    withBody = (body) => new WholeResponse(request, status, headers, body, () => response.headers.getSetCookie())
    return Either.right(withBody(await receive(response, headers, signal, capOf(status, maxBodyBytes))))
  } catch (cause) {
    return Either.left(
      withBody === undefined
        ? new HttpClientError.RequestError({ request, reason: "Transport", cause })
        : new HttpClientError.ResponseError({ request, response: withBody(nothing), reason: "Decode", cause })
    )
  }
}

const nothing = new Uint8Array()

const receive = async (
  response: Response,
  headers: Headers.Headers,
  signal: AbortSignal,
  cap: number
): Promise<Uint8Array> => {
  // The signal is for a `fetch` that does not heed it.
  if (isBodiless(response.status) || isBeyond(cap, response.status, headers) || signal.aborted) {
    response.body?.cancel().catch(() => {})
    return nothing
  }
  if (keepsWithin(cap, headers)) return new Uint8Array(await response.arrayBuffer())
  return response.body === null ? nothing : readUpTo(cap, response.body, signal)
}
