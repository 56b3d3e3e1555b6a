/**
 * The client: options, limits, and the transport that is provided.
 *
 * @since 0.1.0
 */
import * as Headers from "@effect/platform/Headers"
import type { CallError } from "@effect-apify/domain/CallError"
import { redact, redactor } from "@effect-apify/domain/Redaction"
import * as Cause from "effect/Cause"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import { type CallLimits, type CallOptions, defaultLimits } from "./CallOptions.js"
import { collectedAttempt } from "./internal/attempt.js"
import { Bag } from "./internal/bag.js"
import { type CallOperation, type Client, type MakeAttempt, run } from "./internal/call.js"
import { sendsAcceptEncoding } from "./internal/collect.js"
import { readEnvironment } from "./internal/environment.js"
import { RateLimiter, type RequestSlot } from "./internal/rateLimiter.js"
import { RetryBudget } from "./internal/retryBudget.js"
import { type Checked, checkCallOptions, checkOptions, type Settings } from "./internal/settings.js"
import { serverAttributes } from "./internal/telemetry.js"
import type { Operation } from "./Operation.js"
import { Pacing, type Slot } from "./Pacing.js"
import { Transport, type TransportService } from "./Transport.js"

/**
 * What operations need of a client.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The base URL of public links, without `/v2`. */
  readonly publicBaseUrl: string
  /** Runs an operation within the client's limits, or those of one call. Invalid limits are a defect. */
  readonly run: <A, E>(operation: Operation<A, E>, options?: CallOptions) => Effect.Effect<A, E | CallError>
  /**
   * The same, with the attempts that are given.
   *
   * @internal
   */
  readonly runAttempts: <A, E>(
    operation: CallOperation<E>,
    attempt: MakeAttempt<A, E>,
    options?: CallOptions
  ) => Effect.Effect<A, E | CallError>
}

/**
 * The client that operations such as `getStore` need.
 *
 * @example
 * ```ts
 * import { ApifyClient } from "@effect-apify/http"
 * import * as Effect from "effect/Effect"
 *
 * const publicBaseUrl = Effect.map(ApifyClient.ApifyClient, ({ publicBaseUrl }) => publicBaseUrl)
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class ApifyClient extends Context.Tag("@effect-apify/http/ApifyClient")<ApifyClient, Service>() {}

/**
 * The options of a client.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options extends CallOptions {
  /** Sent as `Authorization: Bearer` to the base URL, and nowhere else. Default: none, which can only read what is public. */
  readonly token?: Redacted.Redacted | undefined
  /** The URL of the API, without `/v2`. Default: `https://api.apify.com`. */
  readonly baseUrl?: string | undefined
  /**
   * The base URL of public links, without `/v2`, if others reach the API at another URL than this program. Default: `baseUrl`.
   */
  readonly publicBaseUrl?: string | undefined
  /**
   * A host, or a host and port, that the token may be sent to over plain `http`, such as `emulator:4010`. Default: only this
   * machine.
   */
  readonly allowHttpHost?: string | undefined
  /** Added to the `User-Agent` header, if the runtime lets programs set it. */
  readonly userAgent?: string | undefined
}

/**
 * A client with options. Options that are invalid, or that could take the token to another server, are a `ConfigError`.
 *
 * @example
 * ```ts
 * import { ApifyClient, FetchTransport } from "@effect-apify/http"
 * import * as Layer from "effect/Layer"
 * import * as Redacted from "effect/Redacted"
 *
 * const client = ApifyClient.layer({ token: Redacted.make("apify_api_…"), attemptTimeout: "3 seconds" }).pipe(
 *   Layer.provide(FetchTransport.layer)
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<ApifyClient, ConfigError, Transport> =>
  Layer.scoped(ApifyClient, Effect.flatMap(checkOptions(options), make))

/**
 * A client with the options that Effect's `Config` finds, by default in the environment: `APIFY_TOKEN`,
 * `APIFY_API_BASE_URL`, `APIFY_API_PUBLIC_BASE_URL`, `APIFY_ATTEMPT_TIMEOUT` and `APIFY_CALL_TIMEOUT` (such as `5 seconds`), `APIFY_RETRIES`,
 * `APIFY_ALLOW_HTTP_HOST`. All are optional, and a blank value counts as none. On Apify's platform, where
 * `APIFY_IS_AT_HOME` is set, the base URL may be plain `http`.
 *
 * @example
 * ```ts
 * import { ApifyClient, FetchTransport } from "@effect-apify/http"
 * import * as Layer from "effect/Layer"
 *
 * const client = Layer.provide(ApifyClient.layerConfig, FetchTransport.layer)
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<ApifyClient, ConfigError, Transport> = /* @__PURE__ */ Layer.suspend(() =>
  layerConfigWith({})
)

/**
 * A client with the options that `Config` finds, and with these options for the others.
 *
 * @example
 * ```ts
 * import { ApifyClient, FetchTransport } from "@effect-apify/http"
 * import * as Layer from "effect/Layer"
 *
 * const client = ApifyClient.layerConfigWith({ userAgent: "my-app/1.0", retry: { retries: 3 } }).pipe(
 *   Layer.provide(FetchTransport.layer)
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfigWith = (
  options: Omit<Options, "token" | "baseUrl">
): Layer.Layer<ApifyClient, ConfigError, Transport> =>
  Layer.scoped(
    ApifyClient,
    Effect.flatMap(readEnvironment(options), ({ names, options }) => Effect.flatMap(checkOptions(options, names), make))
  )

const make = (settings: Settings): Effect.Effect<Service, never, Scope.Scope | Transport> =>
  Effect.gen(function* () {
    const client = clientOf(settings, yield* Transport, yield* requestSlotOf(settings))
    yield* Scope.addFinalizer(
      yield* Effect.scope,
      Effect.sync(() => {
        client.isClosed = true
        for (const closable of [...client.open.all]) closable.close()
      })
    )
    const limitsOf = makeLimits(settings)
    const runAttempts: Service["runAttempts"] = (operation, attempt, options) =>
      withLimits(limitsOf(operation.defaults, options), (limits) => run(client, operation, limits, attempt))
    return {
      publicBaseUrl: settings.publicBaseUrl,
      run: (operation, options) => runAttempts(operation, collectedAttempt(operation), options),
      runAttempts
    }
  })

const clientOf = (settings: Settings, transport: TransportService, requestSlot: RequestSlot | undefined): Client => {
  const { origin } = new URL(settings.baseUrl)
  return {
    transport,
    origin,
    basePath: settings.baseUrl.slice(origin.length),
    headersWith: mergedWith(headersOf(settings)),
    tokenSource: settings.tokenSource,
    server: serverAttributes(origin),
    redact: redactorOf(settings),
    budget: new RetryBudget(),
    limiter: new RateLimiter(requestSlot),
    open: new Bag(),
    isClosed: false,
    hasWarned: false
  }
}

/** How to request slots, where the client shares its pace. */
const requestSlotOf = ({ baseUrl, token }: Settings): Effect.Effect<RequestSlot | undefined> =>
  Effect.flatMap(
    Pacing,
    Option.match({
      onNone: () => Effect.succeed(undefined),
      onSome: ({ slotsOf }) =>
        Effect.zipWith(
          slotsOf({ baseUrl, token }),
          Effect.runtime(),
          ({ next }, runtime): RequestSlot =>
            (store, rate, clock, notify) => {
              const slot = Effect.map(
                Effect.suspend(() => next(store, rate)),
                checkSlot
              )
              // Interruptible, even where the client was built in a region that is not.
              const fiber = Runtime.runFork(runtime, Effect.interruptible(Effect.withClock(slot, clock)))
              fiber.addObserver(notify)
              return () => fiber.unsafeInterruptAsFork(FiberId.none)
            }
        )
    })
  )

/** After a slot in which no request can be sent, the next one would be requested at once, or after one that never begins, never. */
const checkSlot = (slot: Slot): Slot => {
  if (Duration.toMillis(slot.delay) < Infinity && Duration.toMillis(slot.lasts) > 0 && slot.requests >= 1) return slot
  throw new Cause.IllegalArgumentException("A slot must begin, and last for some time, for 1 request or more")
}

/** The limits of calls: those of the call, else the client's own, else the operation's, else the usual ones. */
const makeLimits = ({ limits, ownLimits }: Settings) => {
  const known = new Map<Partial<CallLimits>, Checked<CallLimits>>()
  const usual = Either.right(limits)
  const limitsFor = (defaults: Partial<CallLimits> | undefined): Checked<CallLimits> => {
    if (defaults === undefined) return usual
    const found = known.get(defaults)
    if (found !== undefined) return found
    const checked = checkCallOptions({ ...defaultLimits, ...defaults }, ownLimits)
    known.set(defaults, checked)
    return checked
  }
  return (defaults: Partial<CallLimits> | undefined, options: CallOptions | undefined): Checked<CallLimits> =>
    options === undefined
      ? limitsFor(defaults)
      : Either.flatMap(limitsFor(defaults), (limits) => checkCallOptions(limits, options))
}

const withLimits = <A, E, R>(
  limits: Checked<CallLimits>,
  call: (limits: CallLimits) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Either.match(limits, {
    onLeft: (error) => Effect.die(new Cause.IllegalArgumentException(String(error))),
    onRight: call
  })

/** Removes the client's own token, and whatever else may be a credential. */
const redactorOf = ({ token }: Settings): Client["redact"] => {
  const hide = redactor(Option.toArray(Option.map(token, Redacted.value)))
  return (text) => redact(hide(text))
}

/** The headers of all requests with those of one. Requests in a row mostly have the same, which are merged once. */
const mergedWith = (common: Headers.Headers): Client["headersWith"] => {
  let last: Parameters<Client["headersWith"]>[0]
  let merged = common
  return (own) => {
    if (own !== last) {
      last = own
      merged = own === undefined ? common : Headers.merge(common, Headers.fromInput(own))
    }
    return merged
  }
}

const USER_AGENT = "effect-apify/0.1.0"

const headersOf = ({ token, userAgent }: Settings): Headers.Headers =>
  Headers.fromInput({
    accept: "application/json",
    // What is not compressed cannot expand beyond the cap, and a store is small.
    "accept-encoding": "identity",
    ...(sendsAcceptEncoding()
      ? {
          "user-agent": Option.match(userAgent, {
            onNone: () => USER_AGENT,
            onSome: (suffix) => `${USER_AGENT} ${suffix}`
          })
        }
      : {}),
    ...Option.match(token, {
      onNone: () => ({}),
      onSome: (token) => ({ authorization: `Bearer ${Redacted.value(token)}` })
    })
  })
