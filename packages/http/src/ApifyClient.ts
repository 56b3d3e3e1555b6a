/**
 * The client: settings, limits, and a transport that the caller chooses.
 *
 * @since 0.1.0
 */

import type * as HttpClient from "@effect/platform/HttpClient"
import type { GetStoreError } from "@effect-apify/domain/GetStoreError"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { CallOptions } from "./CallOptions.js"
import { ClientTag, layerConfigured, layerWith } from "./internal/client.js"
import { overHttpClient } from "./internal/overHttpClient.js"
import type { Operation } from "./Operation.js"

export { DEFAULT_BASE_URL } from "./internal/client.js"

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
 * The settings of every client, whatever it sends by.
 *
 * @since 0.1.0
 * @category options
 */
export interface ClientOptions extends CallOptions {
  /** Sent as `Authorization: Bearer`, to the base URL and nowhere else. Without one, only what is public can be read. */
  readonly token?: Redacted.Redacted | undefined
  /** Where Apify is. `https://api.apify.com` unless told. */
  readonly baseUrl?: string | undefined
}

/**
 * The settings of a client on an `HttpClient`.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options extends ClientOptions {
  /** Changes the transport, to add a proxy's header for instance. */
  readonly transformClient?: ((client: HttpClient.HttpClient) => HttpClient.HttpClient) | undefined
}

/**
 * The client that operations such as `getStore` need. Its layers never pick a transport: that is the `HttpClient` of their
 * requirements. Clients that bring a transport along are in `@effect-apify/http/fetch` and `@effect-apify/http/node`.
 *
 * @since 0.1.0
 * @category tags
 */
export class ApifyClient extends Context.Tag(ClientTag.key)<ApifyClient, Service>() {
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
  static readonly layer = ({
    transformClient,
    ...options
  }: Options = {}): Layer.Layer<ApifyClient, ConfigError, HttpClient.HttpClient> =>
    layerWith(options, (home) => overHttpClient(home, transformClient))

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
  static readonly layerConfigWith = ({
    transformClient,
    ...options
  }: Omit<Options, "token" | "baseUrl">): Layer.Layer<ApifyClient, ConfigError, HttpClient.HttpClient> =>
    layerConfigured(options, (home) => overHttpClient(home, transformClient))
}
