/**
 * The client: settings, limits, and a transport that the caller chooses.
 *
 * @since 0.1.0
 */

import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import type { GetStoreError } from "@effect-apify/domain"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import { type CallLimits, type CallOptions, defaultLimits, withOptions } from "./CallOptions.js"
import { makeBudget } from "./internal/budget.js"
import { makePacing } from "./internal/pacing.js"
import { LEADS_ASTRAY, run } from "./internal/run.js"
import { checkBaseUrl, checkLimits, checkToken, redactor } from "./internal/settings.js"
import type { Operation } from "./Operation.js"

/**
 * What operations ask of a client.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Runs an operation within the client's limits, or those of one call; limits that limit nothing are a defect. */
  readonly run: <A>(operation: Operation<A>, options?: CallOptions) => Effect.Effect<A, GetStoreError>
}

/**
 * The settings of a client.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options extends CallOptions {
  /** Sent as `Authorization: Bearer`, to the base URL and nowhere else. Without one, only what is public can be read. */
  readonly token?: Redacted.Redacted | undefined
  /** Where Apify is. `https://api.apify.com` unless told. */
  readonly baseUrl?: string | undefined
  /** Changes the transport, to add a proxy's header for instance. */
  readonly transformClient?: ((client: HttpClient.HttpClient) => HttpClient.HttpClient) | undefined
}

/**
 * Where Apify is.
 *
 * @since 0.1.0
 * @category constants
 */
export const DEFAULT_BASE_URL = "https://api.apify.com"

interface Sources {
  readonly token: string
  readonly tokenSetting: string
  readonly baseUrlSetting: string
}

const make = (options: Options, sources: Sources): Effect.Effect<Service, ConfigError, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const limits = yield* checkLimits(withOptions(defaultLimits, options))
    const token = yield* Effect.transposeMapOption(Option.fromNullable(options.token), (token) =>
      checkToken(sources.tokenSetting, token)
    )
    const baseUrl = yield* checkBaseUrl(
      sources.baseUrlSetting,
      options.baseUrl ?? DEFAULT_BASE_URL,
      Option.isSome(token)
    )
    const fetchInit = yield* Effect.serviceOption(FetchHttpClient.RequestInit)
    const transport = yield* HttpClient.HttpClient
    const headers = Headers.fromInput({
      accept: "application/json",
      // What is not compressed cannot expand beyond the cap, and a store is small.
      "accept-encoding": "identity"
    })
    const home = `${new URL(baseUrl).origin}/`
    // Applied last, so that a transport that was changed to send elsewhere sends no token there.
    const authorize = Option.match(token, {
      onNone: () => identity<HttpClientRequest.HttpClientRequest>,
      onSome: (token) => (request: HttpClientRequest.HttpClientRequest) =>
        request.url.startsWith(home) ? HttpClientRequest.bearerToken(request, token) : request
    })
    const client = {
      http: transport.pipe(
        HttpClient.transform(keepTokenAt(home)),
        options.transformClient ?? identity,
        HttpClient.mapRequest(authorize),
        HttpClient.withScope
      ),
      headers,
      settings: { baseUrl, tokenSource: Option.as(token, sources.token) },
      redact: redactor(token),
      budget: makeBudget(),
      pacing: makePacing()
    }
    const servicesFor = ({ maxBodyBytes }: CallLimits): Context.Context<never> =>
      Context.make(FetchHttpClient.RequestInit, { ...Option.getOrUndefined(fetchInit), ...unaffected }).pipe(
        Context.add(HttpIncomingMessage.MaxBodySize, Option.some(FileSystem.Size(maxBodyBytes)))
      )
    const services = servicesFor(limits)
    return {
      run: (operation, options) =>
        options === undefined
          ? run(client, operation, limits, services)
          : Either.match(checkLimits(withOptions(limits, options)), {
              onLeft: (error) => Effect.die(new Cause.IllegalArgumentException(String(error))),
              onRight: (limits) => run(client, operation, limits, servicesFor(limits))
            })
    }
  })

/** Refuses a request that would carry the token elsewhere, as a transport sends it that was changed to follow redirects. */
const keepTokenAt =
  (home: string) =>
  <A, E, R>(
    send: Effect.Effect<A, E, R>,
    request: HttpClientRequest.HttpClientRequest
  ): Effect.Effect<A, E | HttpClientError.RequestError, R> =>
    request.headers.authorization === undefined || request.url.startsWith(home)
      ? send
      : Effect.fail(new HttpClientError.RequestError({ request, reason: "InvalidUrl", description: LEADS_ASTRAY }))

/** What `fetch` must not do: lead the token elsewhere, answer from a cache, send cookies along. */
const unaffected: RequestInit = { redirect: "manual", cache: "no-store", credentials: "omit" }

/**
 * The client that operations such as `getStore` need. It never picks a transport: that is the `HttpClient` of its layers'
 * requirements.
 *
 * @since 0.1.0
 * @category tags
 */
export class ApifyClient extends Context.Tag("@effect-apify/http/ApifyClient")<ApifyClient, Service>() {
  /**
   * A client with the settings given. Settings that could not work, or could lead the token astray, fail here, before
   * anything is sent.
   *
   * @example
   * ```ts
   * import { ApifyClient } from "@effect-apify/http"
   * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
   * import * as Layer from "effect/Layer"
   * import type * as Redacted from "effect/Redacted"
   *
   * const client = ApifyClient.layer({ token: Redacted.make("apify_api_…"), attemptTimeout: "3 seconds" }).pipe(
   *   Layer.provide(FetchHttpClient.layer)
   * )
   * ```
   */
  static readonly layer = (options: Options = {}): Layer.Layer<ApifyClient, ConfigError, HttpClient.HttpClient> =>
    Layer.effect(
      ApifyClient,
      make(options, {
        token: "the token option of ApifyClient.layer",
        tokenSetting: "token",
        baseUrlSetting: "baseUrl"
      })
    )

  /**
   * A client with the settings that Effect's `Config` finds, in the environment unless told otherwise: `APIFY_TOKEN`,
   * `APIFY_API_BASE_URL`, `APIFY_ATTEMPT_TIMEOUT` and `APIFY_CALL_TIMEOUT` (such as `5 seconds`), `APIFY_RETRIES`. None is
   * required.
   *
   * @example
   * ```ts
   * import { ApifyClient } from "@effect-apify/http"
   * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
   * import * as Layer from "effect/Layer"
   *
   * const client = Layer.provide(ApifyClient.layerConfig, FetchHttpClient.layer)
   * ```
   */
  static readonly layerConfig: Layer.Layer<ApifyClient, ConfigError, HttpClient.HttpClient> = Layer.suspend(() =>
    ApifyClient.layerConfigWith({})
  )

  /** As `layerConfig`, with options for what `Config` does not find. */
  static readonly layerConfigWith = (
    options: Omit<Options, "token" | "baseUrl">
  ): Layer.Layer<ApifyClient, ConfigError, HttpClient.HttpClient> =>
    Layer.effect(
      ApifyClient,
      Effect.flatMap(environment(), ({ attemptTimeout, baseUrl, callTimeout, retries, token }) =>
        make(
          {
            ...options,
            token: Option.getOrUndefined(token),
            baseUrl: Option.getOrUndefined(baseUrl),
            attemptTimeout: Option.getOrElse(attemptTimeout, () => options.attemptTimeout),
            callTimeout: Option.getOrElse(callTimeout, () => options.callTimeout),
            retry: Option.match(retries, {
              onNone: () => options.retry,
              onSome: (retries) => ({ ...options.retry, retries })
            })
          },
          { token: "APIFY_TOKEN", tokenSetting: "APIFY_TOKEN", baseUrlSetting: "APIFY_API_BASE_URL" }
        )
      )
    )
}

const environment = () =>
  Config.all({
    token: Config.option(Config.redacted("APIFY_TOKEN")),
    baseUrl: Config.option(Config.string("APIFY_API_BASE_URL")),
    attemptTimeout: Config.option(Config.duration("APIFY_ATTEMPT_TIMEOUT")),
    callTimeout: Config.option(Config.duration("APIFY_CALL_TIMEOUT")),
    retries: Config.option(Config.integer("APIFY_RETRIES"))
  })
