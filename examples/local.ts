/**
 * The clients of the examples: of a local Apify that they start, or of the Apify that the environment tells of.
 */
import type { HttpClient } from "@effect/platform/HttpClient"
import { DEMO_TOKEN, demoSeed, Emulator, type EmulatorError, type SeedJson } from "@effect-apify/emulator"
import { ApifyClient, type Options } from "@effect-apify/http"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

/** The store of Apify's documentation, which the local Apify holds unless told otherwise. */
export const EXAMPLE_STORE = "WkzbQMuFYuamGv3YF"

const clientOfEmulator = (options: Options = {}): Layer.Layer<ApifyClient, ConfigError, HttpClient | Emulator> =>
  Layer.unwrapEffect(
    Effect.map(Emulator, ({ url }) => ApifyClient.layer({ ...options, baseUrl: url, token: Redacted.make(DEMO_TOKEN) }))
  )

/** A client of a local Apify that holds these stores of the demo's user, or the demo's own. */
export const localApify = (
  options: Options & { readonly stores?: SeedJson["stores"] } = {}
): Layer.Layer<ApifyClient, ConfigError | EmulatorError, HttpClient> => {
  const { stores = demoSeed.stores, ...rest } = options
  return Layer.provide(clientOfEmulator(rest), Emulator.layer({ seed: { users: demoSeed.users, stores } }))
}

const announced = Emulator.layer().pipe(
  Layer.tap((context) => {
    const { url } = Context.get(context, Emulator)
    return Console.error(`Asking a local Apify at ${url}. Set APIFY_TOKEN to ask the real one.\n`)
  })
)

const isSet = (variable: string) => Config.map(Config.option(Config.string(variable)), Option.isSome)

/** A client of the Apify that APIFY_TOKEN and APIFY_API_BASE_URL tell of; where neither is set, of a local one. */
export const apifyWith = (
  options: Omit<Options, "token" | "baseUrl">
): Layer.Layer<ApifyClient, ConfigError | EmulatorError, HttpClient> =>
  Layer.unwrapEffect(
    Effect.map(Config.all([isSet("APIFY_TOKEN"), isSet("APIFY_API_BASE_URL")]), (set) =>
      set.includes(true) ? ApifyClient.layerConfigWith(options) : Layer.provide(clientOfEmulator(), announced)
    )
  )

/** The same, with the options unless told otherwise. */
export const apify: Layer.Layer<ApifyClient, ConfigError | EmulatorError, HttpClient> = apifyWith({})
