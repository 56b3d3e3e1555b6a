/**
 * Clients on `fetch` itself, without an `HttpClient` in between: made for small answers, smaller in a bundle, and cheaper.
 *
 * What is provided for `HttpClient`, such as `FetchHttpClient.Fetch` or `HttpClient.withTracerPropagation`, means nothing to them.
 *
 * @since 0.1.0
 */
import * as Headers from "@effect/platform/Headers"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as UrlParams from "@effect/platform/UrlParams"
import * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import type { ApifyClient, ClientOptions } from "./ApifyClient.js"
import { answerOf, capOf, gunzipped, isBeyond, isBodiless, isGzipped, keepsWithin, readUpTo } from "./internal/body.js"
import { type Connect, layerConfigured, layerWith } from "./internal/client.js"
import { type Exchange, type Sending, Unanswered, unaffected } from "./internal/transport.js"
import type { Answer } from "./Operation.js"

/**
 * How a client on `fetch` uses it.
 *
 * @since 0.1.0
 * @category options
 */
export interface FetchOptions {
  /** What to call in place of the platform's `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** For every request: headers for a proxy, say. The rest is the client's own: it follows no redirects, caches nothing and sends no cookies. */
  readonly init?: Omit<RequestInit, "method" | "body" | "signal" | keyof typeof unaffected> | undefined
}

/**
 * The settings of a client on `fetch`.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options extends ClientOptions, FetchOptions {}

/**
 * A client with the settings given; see `ApifyClient.layer`.
 *
 * @example
 * ```ts
 * import { getStore } from "@effect-apify/http"
 * import * as FetchClient from "@effect-apify/http/fetch"
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 *
 * const program = getStore("janedoe~my-store").pipe(
 *   Effect.provide(FetchClient.layer({ token: Redacted.make("apify_api_…") }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<ApifyClient, ConfigError.ConfigError> =>
  layerWith(options, connectWith(options))

/**
 * A client with the settings that Effect's `Config` finds; see `ApifyClient.layerConfig`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<ApifyClient, ConfigError.ConfigError> = /* @__PURE__ */ Layer.suspend(() =>
  layerConfigWith({})
)

/**
 * As `layerConfig`, with options for what `Config` does not find.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfigWith = (
  options: Omit<Options, "token" | "baseUrl">
): Layer.Layer<ApifyClient, ConfigError.ConfigError> => layerConfigured(options, connectWith(options))

const connectWith =
  ({ fetch, init = {} }: FetchOptions): Connect<never> =>
  ({ authorize }) =>
    Effect.gen(function* () {
      const common = yield* Effect.try({
        try: () => Headers.fromInput(new globalThis.Headers(init.headers)),
        catch: () => ConfigError.InvalidData(["init", "headers"], "must hold names and values that HTTP allows")
      })
      const begin = (sending: Sending): Exchange => {
        const request = authorize(
          HttpClientRequest.setHeaders(sending.request, Headers.merge(common, sending.request.headers))
        )
        const { hash, headers, method, url, urlParams } = request
        const send = (signal: AbortSignal): Promise<Response> => {
          const { href } = Either.getOrThrowWith(UrlParams.makeUrl(url, urlParams, hash), identity)
          return (fetch ?? globalThis.fetch)(href, { ...init, ...unaffected, method, headers, body: null, signal })
        }
        return new FetchExchange(sending, request, send, fetch === undefined)
      }
      return { prepare: Effect.succeed(begin), propagates: FiberRef.get(FiberRef.currentTracerEnabled) }
    })

/** A request and its answer, received to its end, or as much of it as is wanted. */
class FetchExchange implements Exchange {
  private readonly controller = new AbortController()
  private begun: Pick<Answer, "status" | "headers"> | undefined

  constructor(
    private readonly sending: Sending,
    request: HttpClientRequest.HttpClientRequest,
    send: (signal: AbortSignal) => Promise<Response>,
    /** Whether the answer keeps to its headers, and ends with the signal. */
    private readonly isPlatforms: boolean
  ) {
    this.answer(send).then(
      (answer) => sending.onEnd(Exit.succeed(answer)),
      (cause) => {
        // It may have been ours, while more was to come.
        this.abandon()
        sending.onEnd(Exit.fail(new Unanswered(request, cause, this.begun)))
      }
    )
  }

  private async answer(send: (signal: AbortSignal) => Promise<Response>): Promise<Answer> {
    const response = await send(this.controller.signal)
    const { status } = response
    const headers = Headers.fromInput(response.headers)
    this.begun = { status, headers }
    this.sending.onStatus(status)
    const cap = capOf(status, this.sending.maxBodyBytes)
    const answer = answerOf(status, headers, await this.receive(response, headers, cap), cap)
    // Of some answers there is no body to cancel although one comes.
    if (answer.truncated) this.abandon()
    return isGzipped(answer, cap) ? gunzipped(answer, cap) : answer
  }

  private async receive(response: Response, headers: Headers.Headers, cap: number): Promise<Uint8Array> {
    const { signal } = this.controller
    // The signal is for a `fetch` that does not heed it.
    if (isBodiless(response.status) || isBeyond(cap, response.status, headers) || signal.aborted) {
      response.body?.cancel().catch(() => {})
      return new Uint8Array()
    }
    if (this.isPlatforms && keepsWithin(cap, headers)) return new Uint8Array(await response.arrayBuffer())
    return response.body === null ? new Uint8Array() : readUpTo(cap, response.body, signal)
  }

  abandon(): void {
    this.controller.abort()
  }

  get stop(): Effect.Effect<void> {
    return Effect.sync(() => this.abandon())
  }
}
