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
import { capOf, isBodiless, keepsWithin, readUpTo } from "./internal/body.js"
import { bodyOf, maxBodyBytesOf, type Received, WholeResponse } from "./internal/whole.js"

/**
 * The transport. It reads no more of a body than `HttpIncomingMessage.MaxBodySize` allows, which `ApifyClient` sets for each
 * call, and of any answer but a 200 no more than 16 KiB: what came until then is what the body is. It sends bodies of bytes
 * or text. It takes `FetchHttpClient.Fetch` and `FetchHttpClient.RequestInit` where they are provided, as
 * `FetchHttpClient.layer` does.
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
      const headers = init.headers ? Headers.merge(Headers.fromInput(init.headers), request.headers) : request.headers
      const send = () => fetch(url.href, { ...init, method, headers, body: body.right, signal })
      const maxBodyBytes = maxBodyBytesOf(currentContext)
      return Effect.async((resume) => {
        exchange(request, send, maxBodyBytes).then(resume)
      })
    })
  )
)

/** Sends, and receives the answer to its end, or as much of it as is wanted. */
const exchange = async (
  request: HttpClientRequest.HttpClientRequest,
  send: () => Promise<Response>,
  maxBodyBytes: number
): Promise<Received> => {
  let headed: WholeResponse | undefined
  try {
    const response = await send()
    const { status } = response
    const headers = Headers.fromInput(response.headers)
    headed = new WholeResponse(request, status, headers, nothing)
    const body = await receive(response, headers, capOf(status, maxBodyBytes))
    return Either.right(new WholeResponse(request, status, headers, body))
  } catch (cause) {
    return Either.left(
      headed === undefined
        ? new HttpClientError.RequestError({ request, reason: "Transport", cause })
        : new HttpClientError.ResponseError({ request, response: headed, reason: "Decode", cause })
    )
  }
}

const nothing = new Uint8Array()

const receive = async (response: Response, headers: Headers.Headers, cap: number): Promise<Uint8Array> => {
  if (isBodiless(response.status)) {
    // What comes all the same is not waited for.
    response.body?.cancel().catch(() => {})
    return nothing
  }
  if (keepsWithin(cap, headers)) return new Uint8Array(await response.arrayBuffer())
  return response.body === null ? nothing : readUpTo(cap, response.body)
}
