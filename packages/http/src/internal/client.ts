/**
 * What every client is made of, whatever it sends by.
 */
import * as Headers from "@effect/platform/Headers"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
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
import type * as Scope from "effect/Scope"
import type { ApifyClient, ClientOptions, Service } from "../ApifyClient.js"
import { type CallOptions, defaultLimits, withOptions } from "../CallOptions.js"
import { makePacing } from "./pacing.js"
import { makeBudget } from "./retry.js"
import { run } from "./run.js"
import { checkBaseUrl, checkLimits, checkToken, redactor } from "./settings.js"
import type { Transport } from "./transport.js"

/**
 * Where Apify is.
 *
 * @since 0.1.0
 * @category constants
 */
export const DEFAULT_BASE_URL = "https://api.apify.com"

/** The key of `ApifyClient` without its layers, so that a program on a transport of ours needs no `HttpClient`. */
export const ClientTag: Context.Tag<ApifyClient, Service> = Context.GenericTag("@effect-apify/http/ApifyClient")

/** Where the token may go. */
export interface Home {
  readonly isHome: (url: string) => boolean
  /** Gives a request the token, if it goes home. */
  readonly authorize: (request: HttpClientRequest.HttpClientRequest) => HttpClientRequest.HttpClientRequest
}

/** Makes the transport of a client, or refuses its settings. */
export type Connect<R> = (home: Home) => Effect.Effect<Transport, ConfigError, R>

/** Where settings were read from, as a person would say it. */
interface Sources {
  readonly token: string
  readonly tokenSetting: string
  readonly baseUrlSetting: string
}

const homeOf = (baseUrl: string, token: Option.Option<Redacted.Redacted>): Home => {
  const home = `${new URL(baseUrl).origin}/`
  const isHome = (url: string): boolean => url.startsWith(home)
  return {
    isHome,
    authorize: Option.match(token, {
      onNone: () => identity<HttpClientRequest.HttpClientRequest>,
      onSome: (token) => (request) => (isHome(request.url) ? HttpClientRequest.bearerToken(request, token) : request)
    })
  }
}

const make = <R>(
  options: ClientOptions,
  sources: Sources,
  connect: Connect<R>
): Effect.Effect<Service, ConfigError, R> =>
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
    const client = {
      transport: yield* connect(homeOf(baseUrl, token)),
      headers: Headers.fromInput({
        accept: "application/json",
        // What is not compressed cannot expand beyond the cap, and a store is small.
        "accept-encoding": "identity"
      }),
      settings: { baseUrl, tokenSource: Option.as(token, sources.token) },
      redact: redactor(token),
      budget: makeBudget(),
      pacing: makePacing()
    }
    return {
      run: (operation, options) =>
        options === undefined
          ? run(client, operation, limits)
          : Either.match(checkLimits(withOptions(limits, options)), {
              onLeft: (error) => Effect.die(new Cause.IllegalArgumentException(String(error))),
              onRight: (limits) => run(client, operation, limits)
            })
    }
  })

/** A client with the settings given. */
export const layerWith = <R>(
  options: ClientOptions,
  connect: Connect<R>
): Layer.Layer<ApifyClient, ConfigError, Exclude<R, Scope.Scope>> => {
  const sources = { token: "the token option of the client's layer", tokenSetting: "token", baseUrlSetting: "baseUrl" }
  return Layer.scoped(ClientTag, make(options, sources, connect))
}

/** A client with the settings that Effect's `Config` finds, and options for what it does not find. */
export const layerConfigured = <R>(
  options: CallOptions,
  connect: Connect<R>
): Layer.Layer<ApifyClient, ConfigError, Exclude<R, Scope.Scope>> =>
  Layer.scoped(
    ClientTag,
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
        { token: "APIFY_TOKEN", tokenSetting: "APIFY_TOKEN", baseUrlSetting: "APIFY_API_BASE_URL" },
        connect
      )
    )
  )

const environment = () =>
  Config.all({
    token: Config.option(Config.redacted("APIFY_TOKEN")),
    baseUrl: Config.option(Config.string("APIFY_API_BASE_URL")),
    attemptTimeout: Config.option(Config.duration("APIFY_ATTEMPT_TIMEOUT")),
    callTimeout: Config.option(Config.duration("APIFY_CALL_TIMEOUT")),
    retries: Config.option(Config.integer("APIFY_RETRIES"))
  })
