/**
 * The clients of the examples: of a local Apify that they start, or of the Apify that the environment names.
 */
import { DEMO_TOKEN, demoSeed, Emulator, type EmulatorError, type SeedJson } from "@effect-apify/emulator"
import { ApifyClient, type Transport } from "@effect-apify/http"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

/** The store of Apify's documentation. The local Apify has it by default. */
export const EXAMPLE_STORE = "WkzbQMuFYuamGv3YF"

/** The options of a client, except for those that say which server to use. */
export type ClientOptions = Omit<ApifyClient.Options, "token" | "baseUrl" | "allowHttpHost">

/** A run that has an output. The local Apify has it by default. */
export const EXAMPLE_RUN = "HG7ML7M8z78YcAPEB"

/** The stores of the demo, with these records. */
export const demoStoresWith = (records: NonNullable<NonNullable<SeedJson["stores"]>[number]["records"]>) =>
  demoSeed.stores.map((store) => ({ ...store, records }))

const exampleSeed = {
  users: demoSeed.users,
  stores: [
    ...demoSeed.stores,
    {
      owner: "janedoe",
      store: {
        id: "RunStore000000000",
        createdAt: "2026-11-01T08:00:00.000Z",
        modifiedAt: "2026-11-01T08:30:00.000Z",
        accessedAt: "2026-11-01T08:30:00.000Z"
      },
      records: [{ key: "OUTPUT", json: { finishedAt: "2026-11-01T08:30:00.000Z", pages: 120, failed: ["/broken"] } }]
    }
  ],
  runs: [
    {
      id: EXAMPLE_RUN,
      owner: "janedoe",
      actor: { id: "Crawler0000000000", name: "crawler" },
      startedAt: "2026-11-01T08:00:00.000Z",
      defaultKeyValueStoreId: "RunStore000000000"
    }
  ]
} satisfies SeedJson

type Client<E, R> = Layer.Layer<ApifyClient.ApifyClient, ConfigError | E, Transport.Transport | R>

const emulatorClient = (options: ClientOptions): Client<never, Emulator> =>
  Layer.unwrapEffect(
    Effect.map(Emulator, ({ url }) =>
      ApifyClient.layer({
        // Server and client share a process: on a busy machine both may have to wait.
        attemptTimeout: "1 minute",
        ...options,
        baseUrl: url,
        token: Redacted.make(DEMO_TOKEN)
      })
    )
  )

/** A client of a local Apify with these stores of the demo's user. Default: the demo's own. */
export const localApify = ({
  stores = demoSeed.stores,
  ...options
}: ClientOptions & { readonly stores?: SeedJson["stores"] } = {}): Client<EmulatorError, never> =>
  Layer.provide(emulatorClient(options), Emulator.layer({ seed: { users: demoSeed.users, stores } }))

const announcedEmulator = Emulator.layer({ seed: exampleSeed }).pipe(
  Layer.tap((context) => {
    const { url } = Context.get(context, Emulator)
    return Console.error(`Using a local Apify at ${url}. Set APIFY_TOKEN to use your account.\n`)
  })
)

/** A blank variable counts as unset. */
const isSet = (variable: string): Config.Config<boolean> =>
  Config.map(
    Config.option(Config.string(variable)),
    Option.exists((value) => value.trim() !== "")
  )

/** A client of the Apify that APIFY_TOKEN and APIFY_API_BASE_URL name, or of a local one if neither is set. */
export const apifyWith = (options: ClientOptions): Client<EmulatorError, never> =>
  Layer.unwrapEffect(
    Effect.map(Config.all([isSet("APIFY_TOKEN"), isSet("APIFY_API_BASE_URL")]), (variables) =>
      variables.includes(true)
        ? ApifyClient.layerConfigWith(options)
        : Layer.provide(emulatorClient(options), announcedEmulator)
    )
  )

/** The same, with default options. */
export const apify: Client<EmulatorError, never> = apifyWith({})
