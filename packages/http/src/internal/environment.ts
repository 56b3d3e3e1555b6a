/**
 * The settings that Effect's `Config` finds: in the environment, by default. A variable that is blank counts as unset.
 */
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type { CallOptions } from "../CallOptions.js"
import {
  type Checked,
  checkTimeout,
  invalid,
  isObject,
  optionNames,
  RETRIES_EXPECTED,
  type SettingNames,
  type SettingsInput
} from "./settings.js"

/** What a client is built with, and what the settings are called where they were found. */
export interface Found {
  readonly options: SettingsInput
  readonly names: SettingNames
}

/** Reads the variables, which take the place of the options given. */
export const readEnvironment = (
  options: Omit<SettingsInput, "token" | "baseUrl">
): Effect.Effect<Found, ConfigError.ConfigError> => Effect.flatMap(variables, (found) => withVariables(options, found))

const isBlank = (text: string): boolean => text.trim() === ""

const isNo = (text: string): boolean => /^(?:0|false)$/i.test(text.trim())

/** A variable; `None` if it is not set, or blank. */
export const variable = (name: string): Config.Config<Option.Option<string>> =>
  Config.map(Config.option(Config.string(name)), Option.filter(Predicate.not(isBlank)))

/** The same for what may be a credential. */
export const secretVariable = (name: string): Config.Config<Option.Option<Redacted.Redacted>> =>
  Config.map(
    Config.option(Config.redacted(name)),
    Option.filter((secret) => !isBlank(Redacted.value(secret)))
  )

const variables = Config.all({
  token: secretVariable("APIFY_TOKEN"),
  baseUrl: variable("APIFY_API_BASE_URL"),
  publicBaseUrl: variable("APIFY_API_PUBLIC_BASE_URL"),
  allowHttpHost: variable("APIFY_ALLOW_HTTP_HOST"),
  attemptTimeout: variable("APIFY_ATTEMPT_TIMEOUT"),
  callTimeout: variable("APIFY_CALL_TIMEOUT"),
  retries: variable("APIFY_RETRIES"),
  // Set by the platform, whose API is at a plain HTTP address of its internal network.
  isAtHome: Config.map(variable("APIFY_IS_AT_HOME"), Option.exists(Predicate.not(isNo)))
})

const withVariables = (
  options: CallOptions & Pick<SettingsInput, "allowHttpHost" | "publicBaseUrl">,
  found: Config.Config.Success<typeof variables>
): Checked<Found> =>
  Either.gen(function* () {
    if (!isObject(options)) return yield* invalid("options", "must be an object such as { retry: … }")
    const attemptTimeout = yield* Either.transposeMapOption(found.attemptTimeout, (text) =>
      checkTimeout("APIFY_ATTEMPT_TIMEOUT", text)
    )
    const callTimeout = yield* Either.transposeMapOption(found.callTimeout, (text) =>
      checkTimeout("APIFY_CALL_TIMEOUT", text)
    )
    const retries = yield* Either.transposeMapOption(found.retries, checkRetries)
    return {
      options: {
        ...options,
        token: Option.getOrUndefined(found.token),
        baseUrl: Option.getOrUndefined(found.baseUrl),
        publicBaseUrl: Option.getOrElse(found.publicBaseUrl, () => options.publicBaseUrl),
        allowHttpHost: Option.getOrElse(found.allowHttpHost, () => options.allowHttpHost),
        attemptTimeout: Option.getOrElse(attemptTimeout, () => options.attemptTimeout),
        callTimeout: Option.getOrElse(callTimeout, () => options.callTimeout),
        retry: withRetries(options.retry, retries)
      },
      names: {
        token: "APIFY_TOKEN",
        tokenSource: "APIFY_TOKEN",
        baseUrl: "APIFY_API_BASE_URL",
        publicBaseUrl:
          Option.isNone(found.publicBaseUrl) && options.publicBaseUrl !== undefined
            ? optionNames.publicBaseUrl
            : "APIFY_API_PUBLIC_BASE_URL",
        allowHttpHost:
          Option.isNone(found.allowHttpHost) && options.allowHttpHost !== undefined
            ? optionNames.allowHttpHost
            : "APIFY_ALLOW_HTTP_HOST",
        isPlatformUrl: found.isAtHome
      }
    }
  })

const checkRetries = (text: string): Checked<number> =>
  /^\d{1,15}$/.test(text) ? Either.right(Number(text)) : invalid("APIFY_RETRIES", RETRIES_EXPECTED)

/** Something that is not a policy is left as it is, to be refused with the other options. */
const withRetries = (policy: CallOptions["retry"], retries: Option.Option<number>): CallOptions["retry"] =>
  Option.match(retries, {
    onNone: () => policy,
    onSome: (retries) => (policy === undefined || isObject(policy) ? { ...policy, retries } : policy)
  })
