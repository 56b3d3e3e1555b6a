/**
 * The settings of a client and of a call, checked before anything is sent. Callers may be untyped: whatever they give, a wrong
 * value is a `ConfigError` that names the setting and shows the form expected.
 */
import * as Cause from "effect/Cause"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { type CallLimits, type CallOptions, defaultLimits } from "../CallOptions.js"
import { LONGEST_TIME, type RetryPolicy } from "../RetryPolicy.js"

/** Where Apify is. */
const DEFAULT_BASE_URL = "https://api.apify.com"

/** What a client is built with, whatever its transport. */
export interface SettingsInput extends CallOptions {
  readonly token?: Redacted.Redacted | undefined
  readonly baseUrl?: string | undefined
  readonly publicBaseUrl?: string | undefined
  /** A host, or a host and a port, that a token may be sent to over plain HTTP. */
  readonly allowHttpHost?: string | undefined
  /** What follows the client's own `User-Agent`. */
  readonly userAgent?: string | undefined
}

/** Settings that have been checked. */
export interface Settings {
  /** Without a slash at its end. */
  readonly baseUrl: string
  /** What public links begin with, without a slash at its end. */
  readonly publicBaseUrl: string
  readonly token: Option.Option<Redacted.Redacted>
  /** Where the token was read from, in words. */
  readonly tokenSource: Option.Option<string>
  readonly userAgent: Option.Option<string>
  readonly limits: CallLimits
  /** The limits that were set. They keep their place where an operation has defaults of its own. */
  readonly ownLimits: CallOptions
}

/** What the settings are called where they were given. */
export interface SettingNames {
  readonly token: string
  /** Where the token was read from, in words. */
  readonly tokenSource: string
  readonly baseUrl: string
  readonly publicBaseUrl: string
  readonly allowHttpHost: string
  /** Whether the base URL is that of the platform's own network, where plain HTTP is the rule. */
  readonly isPlatformUrl: boolean
}

/** The names of settings that were given as options. */
export const optionNames: SettingNames = {
  token: "token",
  tokenSource: "the token option of the client's layer",
  baseUrl: "baseUrl",
  publicBaseUrl: "publicBaseUrl",
  allowHttpHost: "allowHttpHost",
  isPlatformUrl: false
}

export type Checked<A> = Either.Either<A, ConfigError.ConfigError>

/** Checks the options that a client is built with. */
export const checkOptions = (options: SettingsInput, names: SettingNames = optionNames): Checked<Settings> =>
  Either.gen(function* () {
    const limits = yield* checkCallOptions(defaultLimits, options)
    const token = yield* checkOptional(options.token, (token) => checkToken(names.token, token))
    const httpHost = yield* checkOptional(options.allowHttpHost, (host) => checkHost(names.allowHttpHost, host))
    const baseUrl = yield* checkBaseUrl(
      options.baseUrl === undefined ? DEFAULT_BASE_URL : options.baseUrl,
      Option.isSome(token),
      httpHost,
      names
    )
    const publicBaseUrl =
      options.publicBaseUrl === undefined
        ? baseUrl
        : // No token is sent there.
          yield* checkBaseUrl(options.publicBaseUrl, false, httpHost, { ...names, baseUrl: names.publicBaseUrl })
    const userAgent = yield* checkOptional(options.userAgent, checkUserAgent)
    const { attemptTimeout, callTimeout, maxBodyBytes, retry } = options
    return {
      baseUrl,
      publicBaseUrl,
      token,
      tokenSource: Option.as(token, names.tokenSource),
      userAgent,
      limits,
      ownLimits: { attemptTimeout, callTimeout, maxBodyBytes, retry }
    }
  })

/** Checks the options of a call, and puts them in place of the defaults. */
export const checkCallOptions = (defaults: CallLimits, options: CallOptions): Checked<CallLimits> => {
  if (!isObject(options)) return invalid("options", "must be an object such as { retry: … }")
  const { attemptTimeout, callTimeout, maxBodyBytes, retry } = options
  if (attemptTimeout === undefined && callTimeout === undefined && maxBodyBytes === undefined && retry === undefined) {
    return Either.right(defaults)
  }
  return Either.gen(function* () {
    return {
      attemptTimeout: yield* checkGiven(attemptTimeout, defaults.attemptTimeout, (time) =>
        checkTimeout("attemptTimeout", time)
      ),
      callTimeout: yield* checkGiven(callTimeout, defaults.callTimeout, (time) => checkTimeout("callTimeout", time)),
      retry: yield* checkGiven(retry, defaults.retry, (retry) => checkRetry(defaults.retry, retry)),
      maxBodyBytes: yield* checkGiven(maxBodyBytes, defaults.maxBodyBytes, (bytes) =>
        isWholeFrom(1, bytes)
          ? Either.right(bytes)
          : invalid("maxBodyBytes", "must be a whole number of bytes, 1 or more")
      )
    }
  })
}

const checkRetry = (defaults: RetryPolicy, policy: Partial<RetryPolicy>): Checked<RetryPolicy> =>
  Either.gen(function* () {
    if (!isObject(policy)) return yield* invalid("retry", "must be an object such as { retries: 3 }")
    return {
      retries: yield* checkGiven(policy.retries, defaults.retries, (retries) =>
        isWholeFrom(0, retries) ? Either.right(retries) : invalid("retry.retries", RETRIES_EXPECTED)
      ),
      baseDelay: yield* checkGiven(policy.baseDelay, defaults.baseDelay, (delay) =>
        checkDelay("retry.baseDelay", delay)
      ),
      maxDelay: yield* checkGiven(policy.maxDelay, defaults.maxDelay, (delay) => checkDelay("retry.maxDelay", delay)),
      while: yield* checkGiven(policy.while, defaults.while, (isWanted) =>
        typeof isWanted === "function"
          ? Either.right(isWanted)
          : invalid("retry.while", "must be a function that takes an error and returns whether to retry it")
      )
    }
  })

const DURATION_EXPECTED = "must be a duration such as '60 seconds' or '500 millis'"

/** The form of a number of retries. */
export const RETRIES_EXPECTED = "must be a whole number such as 3, or 0 for no retries"

/** Checks a time limit: from a millisecond to the longest time, in whole milliseconds. */
export const checkTimeout = (setting: string, time: unknown): Checked<Duration.Duration> =>
  Either.flatMap(checkDuration(setting, time), (time) =>
    Duration.lessThanOrEqualTo(time, Duration.zero) || Duration.greaterThan(time, LONGEST_TIME)
      ? invalid(setting, `${DURATION_EXPECTED}, from 1 millisecond to 24 days`)
      : // Timers count in milliseconds, and so do errors.
        Either.right(Duration.millis(Math.ceil(Duration.toMillis(time))))
  )

const checkDelay = (setting: string, delay: unknown): Checked<Duration.Duration> =>
  Either.filterOrLeft(
    checkDuration(setting, delay),
    (delay) => Duration.lessThanOrEqualTo(delay, LONGEST_TIME),
    () => ConfigError.InvalidData([setting], `${DURATION_EXPECTED}, from 0 to 24 days`)
  )

/** `Duration.decode` makes 0 of what is negative or no number, and throws at what is no duration. */
const checkDuration = (setting: string, input: unknown): Checked<Duration.Duration> =>
  isBelowZero(input)
    ? invalid(setting, DURATION_EXPECTED)
    : Either.fromOption(Duration.decodeUnknown(input), () =>
        ConfigError.InvalidData([setting], `${DURATION_EXPECTED}${strayIn(input)}`)
      )

const isBelowZero = (input: unknown): boolean => {
  if (typeof input === "number") return !(input >= 0)
  if (typeof input === "bigint") return input < 0n
  if (typeof input === "string") return input.startsWith("-")
  return Array.isArray(input) && input.some(isBelowZero)
}

/**
 * The only base URLs that are taken: what URL parsers read into `http://127.1`, `http://0x7f.1` or `https:\\host` is not
 * what a person reads there, and the token could be sent to an unexpected host.
 */
const plainUrl = (() => {
  const label = "[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
  const name = `(?:${label}\\.)*(?=[a-z])${label}`
  const octet = "(?:0|[1-9]\\d{0,2})"
  const address = `${octet}(?:\\.${octet}){3}|\\[[0-9a-f:]+\\]`
  const path = "(?:\\/(?!\\.{1,2}(?:\\/|$))[a-z0-9._~-]+)*"
  return new RegExp(`^(?<scheme>https?):\\/\\/(?<host>${name}|${address})(?::\\d{1,5})?(?<path>${path}\\/?)$`, "i")
})()

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host)

/** Checks a base URL, and takes the slash off its end. */
const checkBaseUrl = (
  input: string,
  hasToken: boolean,
  httpHost: Option.Option<string>,
  { allowHttpHost, baseUrl: setting, isPlatformUrl }: SettingNames
): Checked<string> => {
  const example = `such as '${DEFAULT_BASE_URL}'`
  if (typeof input !== "string") return invalid(setting, `must be a string ${example}`)
  const stray = strayIn(input)
  if (stray !== "") return invalid(setting, `must be a URL ${example}${stray}`)
  if (!/^https?:\/\//i.test(input)) return invalid(setting, `must begin with https://, ${example}`)
  if (/^[^/]*\/\/[^/]*@/.test(input)) {
    return invalid(setting, "must not contain a username or a password: the token is a setting of its own")
  }
  if (/[?#]/.test(input)) return invalid(setting, `must not have a query or a fragment: use a URL ${example}`)
  const parts = plainUrl.exec(input)?.groups
  if (parts === undefined || !URL.canParse(input)) {
    return invalid(setting, `must be a scheme, a host and, if needed, a port and a path, ${example}`)
  }
  // As the parser writes it: scheme and host in lower case, no default port.
  const url = new URL(input)
  const baseUrl = url.href.replace(/\/$/, "")
  if (/\/v2$/i.test(baseUrl)) {
    return invalid(setting, `must not end in /v2, which the client adds: use '${baseUrl.slice(0, -"/v2".length)}'`)
  }
  const isAllowed =
    !hasToken ||
    url.protocol === "https:" ||
    isLoopback((parts.host ?? "").toLowerCase()) ||
    isPlatformUrl ||
    Option.exists(httpHost, (host) => host === url.hostname || host === hostAndPort(url))
  return isAllowed
    ? Either.right(baseUrl)
    : invalid(
        setting,
        `must begin with https://, or anyone on the way could read the token. To send it over plain HTTP to this host anyway, set ${allowHttpHost} to '${url.host}'`
      )
}

/** `emulator:4010`, and `emulator:` for the default port. */
const hostAndPort = ({ hostname, port }: URL): string => `${hostname}:${port}`

/** A host alone is allowed on any port. */
const checkHost = (setting: string, input: string): Checked<string> => {
  const expected = "must be a host, or a host and a port, such as 'emulator' or 'emulator:4010'"
  if (typeof input !== "string") return invalid(setting, expected)
  const url = `http://${input}`
  if (plainUrl.exec(url)?.groups?.path !== "" || !URL.canParse(url)) {
    return invalid(setting, `${expected}, without a scheme or a path${strayIn(input)}`)
  }
  const host = new URL(url)
  return Either.right(/:\d+$/.test(input) ? hostAndPort(host) : host.hostname)
}

/** Checks a token. No message shows any of it. */
const checkToken = (setting: string, token: Redacted.Redacted): Checked<Redacted.Redacted> => {
  // It throws where the value was wiped.
  const value = Option.filter(Option.liftThrowable(() => Redacted.value(token))(), Predicate.isString)
  if (!Redacted.isRedacted(token) || Option.isNone(value))
    return invalid(setting, "must be a Redacted string: use Redacted.make")
  if (value.value === "") return invalid(setting, "must not be empty: leave it out to send no token")
  const stray = strayIn(value.value)
  return stray === "" && /^[\x21-\x7e]+$/.test(value.value)
    ? Either.right(token)
    : invalid(setting, `must be visible ASCII characters only, such as apify_api_…${stray}`)
}

/** More would be a text, and some servers refuse long headers. */
const MAX_USER_AGENT = 256

const checkUserAgent = (userAgent: string): Checked<string> =>
  typeof userAgent === "string" &&
  userAgent.length <= MAX_USER_AGENT &&
  /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(userAgent)
    ? Either.right(userAgent)
    : invalid(
        "userAgent",
        `must be at most ${MAX_USER_AGENT} visible ASCII characters and single spaces, such as 'my-app/1.0'`
      )

/** What is often copied along with a value, in words to be added to a message. */
const strayIn = (input: unknown): string => {
  if (typeof input !== "string") return ""
  if (/^["'`]/.test(input)) return "; remove the quotes around it"
  if (/[\r\n]/.test(input)) return "; remove the line break from it"
  if (input !== input.trim()) return "; remove the space around it"
  return /^bearer\s/i.test(input) ? "; remove 'Bearer' from it" : ""
}

export const invalid = (setting: string, message: string): Checked<never> =>
  Either.left(ConfigError.InvalidData([setting], message))

const checkGiven = <A, B>(value: A | undefined, fallback: B, check: (value: A) => Checked<B>): Checked<B> =>
  value === undefined ? Either.right(fallback) : check(value)

const checkOptional = <A, B>(value: A | undefined, check: (value: A) => Checked<B>): Checked<Option.Option<B>> =>
  value === undefined ? Either.right(Option.none()) : Either.map(check(value), Option.some)

/** Not a type guard, which would widen the properties of an options type to `unknown`. */
export const isObject = (value: unknown): boolean => Predicate.isRecord(value)

/** Whether a value is a whole number, and not too small. */
const isWholeFrom = (least: number, value: unknown): boolean =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= least

/** Throws, which is a defect of the call, if a number that the caller gave is not whole or too small. */
export const checkWhole = (name: string, value: number | undefined, least: number): void => {
  if (value === undefined || isWholeFrom(least, value)) return
  throw new Cause.IllegalArgumentException(`${name} must be a whole number of at least ${least}`)
}

/** Throws, which is a defect of the call, if a caller without types gave anything but an object. */
export const checkObject = (name: string, value: unknown, example: string): void => {
  if (!isObject(value)) throw new Cause.IllegalArgumentException(`${name} must be an object such as ${example}`)
}

/** Throws, which is a defect of the call, if a caller without types gave anything but an array. */
export const checkArray = (name: string, value: unknown, example: string): void => {
  if (!Array.isArray(value)) throw new Cause.IllegalArgumentException(`${name} must be an array such as ${example}`)
}

/** Throws, which is a defect of the call, if a caller without types gave anything but text. */
export const checkText = (name: string, value: unknown): void => {
  if (!Predicate.isString(value)) throw new Cause.IllegalArgumentException(`${name} must be text`)
}

/** Throws, which is a defect of the call, if a caller without types gave anything but a schema. */
export const checkSchema = (value: unknown): void => {
  if (!Schema.isSchema(value)) throw new Cause.IllegalArgumentException("schema must be a Schema of Effect's")
}
