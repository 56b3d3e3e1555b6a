/**
 * The settings of a client, checked before anything is sent.
 */
import { REDACTED, redact } from "@effect-apify/domain/Redaction"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { CallLimits } from "../CallOptions.js"

export interface Settings {
  /** Without a slash at its end. */
  readonly baseUrl: string
  /** Where the token was read from, as a person would say it. */
  readonly tokenSource: Option.Option<string>
}

type Checked<A> = Either.Either<A, ConfigError.ConfigError>

const invalid = (setting: string, message: string): Checked<never> =>
  Either.left(ConfigError.InvalidData([setting], message))

/**
 * The only base URLs that are taken: what URL parsers read into `http://127.1`, `http://0x7f.1` or `https:\\host` is not
 * what a person reads there, and a token could go astray.
 */
const plainUrl = (() => {
  const label = "[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
  const name = `(?:${label}\\.)*(?=[a-z])${label}`
  const octet = "(?:0|[1-9]\\d{0,2})"
  const address = `${octet}\\.${octet}\\.${octet}\\.${octet}|\\[[0-9a-f:]+\\]`
  const path = "(?:\\/(?!\\.{1,2}(?:\\/|$))[a-z0-9._~-]+)*"
  return new RegExp(`^(?<scheme>https?):\\/\\/(?<host>${name}|${address})(?::\\d{1,5})?${path}\\/?$`, "i")
})()

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host)

/** Checks a base URL, and takes the slash off its end. */
export const checkBaseUrl = (setting: string, input: string, hasToken: boolean): Checked<string> => {
  if (!/^https?:\/\//i.test(input)) return invalid(setting, "must begin with https:// (or http:// on this machine)")
  if (/^[^/]*\/\/[^/]*@/.test(input))
    return invalid(setting, "must hold no username or password; give the token by itself")
  if (/[?#]/.test(input)) return invalid(setting, "must have no query and no fragment")
  const parts = plainUrl.exec(input)?.groups
  if (parts === undefined || !URL.canParse(input)) {
    return invalid(
      setting,
      "must look like https://api.apify.com: a plain host, a port and a path if need be, nothing else"
    )
  }
  if (/\/v2\/?$/i.test(input)) return invalid(setting, "must not end in /v2: the operations put it to their paths")
  const { host = "", scheme = "" } = parts
  if (hasToken && scheme.toLowerCase() === "http" && !isLoopback(host.toLowerCase())) {
    return invalid(setting, "must begin with https://, or the token could be read on its way")
  }
  // As the parser writes it: scheme and host in lower case, no default port.
  return Either.right(new URL(input).href.replace(/\/$/, ""))
}

/** Checks a token; the message of an error does not show it. */
export const checkToken = (setting: string, token: Redacted.Redacted): Checked<Redacted.Redacted> => {
  const value = Redacted.value(token)
  if (value === "") return invalid(setting, "is empty: give a token, or leave it out to ask without one")
  return /^[\x21-\x7e]+$/.test(value)
    ? Either.right(token)
    : invalid(setting, "must be visible ASCII characters alone: look for a space or a line break that was copied along")
}

/** Checks that the limits of a client limit something. */
export const checkLimits = (limits: CallLimits): Checked<CallLimits> => {
  const { attemptTimeout, callTimeout, maxBodyBytes, retry } = limits
  if (Duration.toMillis(attemptTimeout) < 1) return invalid("attemptTimeout", "must be at least a millisecond")
  if (Duration.toMillis(callTimeout) < 1) return invalid("callTimeout", "must be at least a millisecond")
  if (!Number.isSafeInteger(retry.retries) || retry.retries < 0) {
    return invalid("retries", "must be a whole number from 0 on")
  }
  return Number.isSafeInteger(maxBodyBytes) && maxBodyBytes > 0
    ? Either.right(limits)
    : invalid("maxBodyBytes", "must be a whole number from 1 on")
}

/** Hides whatever looks like a secret, and the token itself wherever a server repeats it. */
export const redactor = (token: Option.Option<Redacted.Redacted>): ((text: string) => string) =>
  Option.match(token, {
    onNone: () => redact,
    onSome: (redacted) => {
      const value = Redacted.value(redacted)
      const escaped = encodeURIComponent(value)
      return (text) => redact(text.replaceAll(value, REDACTED).replaceAll(escaped, REDACTED))
    }
  })

import type { Options } from "../ApifyClient.js"
import { type CallOptions, defaultLimits, withOptions } from "../CallOptions.js"
export interface Settings2 extends Settings {
  limits: CallLimits
  token: Option.Option<Redacted.Redacted>
  userAgent: Option.Option<string>
  redact: (t: string) => string
}
export const checkCallOptions = (limits: CallLimits, options: CallOptions) => checkLimits(withOptions(limits, options))
export const checkOptions = (options: Options): Either.Either<Settings2, ConfigError.ConfigError> =>
  Either.map(checkLimits(withOptions(defaultLimits, options)), (limits) => {
    const token = Option.fromNullable(options.token)
    return {
      limits,
      token,
      baseUrl: options.baseUrl ?? "https://api.apify.com",
      tokenSource: Option.as(token, "token"),
      userAgent: Option.fromNullable(options.userAgent),
      redact: redactor(token)
    }
  })
