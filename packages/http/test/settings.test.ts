/**
 * Options, checked before anything is sent: those of a client and those of a call, from typed and from untyped callers.
 */
import { assert, describe, it } from "@effect/vitest"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { defaultLimits, RetryPolicy } from "../src/index.js"
import { checkCallOptions, checkOptions, type SettingsInput } from "../src/internal/settings.js"

const token = Redacted.make("apify_api_Canary0123456789")

/** As untyped code calls it. */
const checkUntyped = (options: unknown): Either.Either<unknown, ConfigError.ConfigError> =>
  Reflect.apply(checkOptions, undefined, [options])

/** The name of the setting that is refused, and why. */
const refusalOf = (options: unknown): readonly [setting: string, message: string] => {
  const checked = checkUntyped(options)
  if (Either.isRight(checked) || !ConfigError.isInvalidData(checked.left)) return assert.fail(`${checked}`)
  return [checked.left.path.join("."), checked.left.message]
}

const isAccepted = (options: SettingsInput): boolean => Either.isRight(checkOptions(options))

const wipedToken = () => {
  const wiped = Redacted.make("apify_api_wiped")
  Redacted.unsafeWipe(wiped)
  return wiped
}

const notFinite = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]

const noDuration = [
  ...notFinite,
  -1,
  -1n,
  "soon",
  "1s",
  "5000",
  "1 parsec",
  "-1 seconds",
  " 1 seconds",
  "1 seconds\n",
  "Infinity seconds",
  null,
  true,
  {},
  [],
  [1],
  [1, Number.NaN],
  [-1, 0],
  [1e305, 0],
  [1, 2, 3],
  Symbol("second"),
  () => 1000,
  Duration.infinity,
  "25 days",
  Duration.days(25)
]

describe("an option is refused, and named", () => {
  it.each<readonly [setting: string, values: ReadonlyArray<unknown>, options: (value: unknown) => unknown]>([
    ["options", [null, 5, "token", [], () => {}], (value) => value],
    ["token", [null, 5, "apify_api_bare", {}, Redacted.make(5), wipedToken()], (token) => ({ token })],
    ["baseUrl", [null, 5, {}, new URL("https://api.apify.com")], (baseUrl) => ({ baseUrl })],
    ["publicBaseUrl", [null, 5, {}, "api.apify.com"], (publicBaseUrl) => ({ publicBaseUrl })],
    ["attemptTimeout", [...noDuration, 0], (attemptTimeout) => ({ attemptTimeout })],
    ["callTimeout", [...noDuration, 0, "0 seconds"], (callTimeout) => ({ callTimeout })],
    ["maxBodyBytes", [...notFinite, 0, -1, 1.5, 2 ** 53, 5n, "5", null], (maxBodyBytes) => ({ maxBodyBytes })],
    ["retry", [null, 5, "none", [], () => {}], (retry) => ({ retry })],
    ["retry.retries", [...notFinite, -1, 2.5, 5n, "5", null], (retries) => ({ retry: { retries } })],
    ["retry.baseDelay", noDuration, (baseDelay) => ({ retry: { baseDelay } })],
    ["retry.maxDelay", noDuration, (maxDelay) => ({ retry: { maxDelay } })],
    ["retry.while", [null, true, "always", {}], (isWanted) => ({ retry: { while: isWanted } })],
    [
      "userAgent",
      [null, 5, "", " ", "a\nb", "a\r\nX: y", "a\tb", "ä", "a ", " a", "a  b", "x".repeat(257)],
      (userAgent) => ({ userAgent })
    ],
    [
      "allowHttpHost",
      [null, 5, "", "*", "*.internal", "http://emulator", "emulator/v2", "a b", "emulator:", "a@b", "127.1", "a:99999"],
      (allowHttpHost) => ({ allowHttpHost })
    ]
  ])("%s", (setting, values, options) => {
    for (const value of values) assert.strictEqual(refusalOf(options(value))[0], setting, String(value))
  })

  it.each<readonly [options: unknown, expected: string]>([
    [{ attemptTimeout: "1s" }, "'60 seconds'"],
    [{ callTimeout: Number.POSITIVE_INFINITY }, "from 1 millisecond to 24 days"],
    [{ retry: { maxDelay: Duration.infinity } }, "from 0 to 24 days"],
    [{ retry: { retries: 2.5 } }, "a whole number such as 3"],
    [{ baseUrl: "https://api.apify.com/base/v2/" }, "use 'https://api.apify.com/base'"],
    [{ baseUrl: '"https://api.apify.com"' }, "remove the quotes"],
    [{ token: Redacted.make("apify_api_x\n") }, "remove the line break"],
    [{ token: Redacted.make("'apify_api_x'") }, "remove the quotes"],
    [{ token: Redacted.make("Bearer apify_api_x") }, "remove 'Bearer'"]
  ])("with the form expected: %o", (options, expected) => {
    assert.include(refusalOf(options)[1], expected)
  })

  it.prop("whatever an untyped caller gives, and never with an exception", [anyOptions()], ([options]) => {
    const checked = checkUntyped(options)
    assert.isTrue(Either.isRight(checked) || ConfigError.isConfigError(checked.left))
  })

  it.prop("without any of a token", [fc.string({ minLength: 8 })], ([text]) => {
    const value = `Canary${text}\n`
    assert.notInclude(refusalOf({ token: Redacted.make(value) }).join(), "Canary")
  })
})

/** Every option, of any kind. */
function anyOptions() {
  const any = fc.oneof(fc.anything({ withBigInt: true, withDate: true, withMap: true }), fc.constantFrom(...noDuration))
  const record = (...names: ReadonlyArray<string>) =>
    fc.record(Object.fromEntries(names.map((name) => [name, any])), { requiredKeys: [] })
  return fc.oneof(
    any,
    record(
      "token",
      "baseUrl",
      "publicBaseUrl",
      "allowHttpHost",
      "userAgent",
      "attemptTimeout",
      "callTimeout",
      "retry",
      "maxBodyBytes"
    ),
    record("retries", "baseDelay", "maxDelay", "while").map((retry) => ({ retry }))
  )
}

describe("the limits of a call", () => {
  const timeout = fc.integer({ min: 1, max: Duration.toMillis("24 days") })
  const options = fc.record(
    {
      attemptTimeout: timeout,
      callTimeout: timeout.map(Duration.millis),
      maxBodyBytes: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      retry: fc.record(
        { retries: fc.nat(), baseDelay: fc.nat(2_000_000_000), maxDelay: fc.nat(2_000_000_000).map(Duration.millis) },
        { requiredKeys: [] }
      )
    },
    { requiredKeys: [] }
  )

  it.prop("are those that are given, and the defaults for the rest", [options], ([options]) => {
    const limits = Either.getOrThrow(checkCallOptions(defaultLimits, options))
    const millis = (time: Duration.DurationInput) => Duration.toMillis(time)
    assert.strictEqual(millis(limits.attemptTimeout), millis(options.attemptTimeout ?? defaultLimits.attemptTimeout))
    assert.strictEqual(millis(limits.callTimeout), millis(options.callTimeout ?? defaultLimits.callTimeout))
    assert.strictEqual(limits.maxBodyBytes, options.maxBodyBytes ?? defaultLimits.maxBodyBytes)
    const { baseDelay, maxDelay, retries } = { ...defaultLimits.retry, ...options.retry }
    assert.strictEqual(limits.retry.retries, retries)
    assert.strictEqual(millis(limits.retry.baseDelay), millis(baseDelay))
    assert.strictEqual(millis(limits.retry.maxDelay), millis(maxDelay))
    assert.strictEqual(limits.retry.while, defaultLimits.retry.while)
  })

  it.prop("that were checked once are accepted as they are", [options], ([options]) => {
    const limits = Either.getOrThrow(checkCallOptions(defaultLimits, options))
    assert.deepStrictEqual(Either.getOrThrow(checkCallOptions(defaultLimits, limits)), limits)
    assert.deepStrictEqual(Either.getOrThrow(checkCallOptions(limits, {})), limits)
  })

  it("are rounded up to whole milliseconds", () => {
    const { attemptTimeout } = Either.getOrThrow(checkCallOptions(defaultLimits, { attemptTimeout: "1 nanos" }))
    assert.strictEqual(Duration.toMillis(attemptTimeout), 1)
  })

  it("keep the defaults of what is undefined", () => {
    const nothing = { attemptTimeout: undefined, callTimeout: undefined, retry: undefined, maxBodyBytes: undefined }
    assert.deepStrictEqual(Either.getOrThrow(checkCallOptions(defaultLimits, nothing)), defaultLimits)
  })

  it("take the policy that never retries", () => {
    const { retry } = Either.getOrThrow(checkCallOptions(defaultLimits, { retry: RetryPolicy.none }))
    assert.strictEqual(retry.retries, 0)
  })
})

describe("a token goes over plain HTTP to the host that is allowed", () => {
  it.each([
    ["emulator", "http://emulator:4010"],
    ["emulator", "http://emulator/base"],
    ["EMULATOR", "http://Emulator"],
    ["emulator:4010", "http://emulator:4010"],
    ["emulator:80", "http://emulator"],
    ["emulator:80", "http://emulator:80"],
    ["10.0.0.5", "http://10.0.0.5:8010/"],
    ["[fd00::1]:4010", "http://[fd00::1]:4010"],
    ["api.internal", "https://api.apify.com"]
  ])("%s: %s", (allowHttpHost, baseUrl) => {
    assert.isFalse(baseUrl.startsWith("http:") && isAccepted({ token, baseUrl }))
    assert.isTrue(isAccepted({ token, baseUrl, allowHttpHost }))
  })

  it.each([
    ["emulator", "http://emulator.evil.example"],
    ["emulator", "http://my.emulator"],
    ["emulator", "http://emulato"],
    ["emulator:4010", "http://emulator:4011"],
    ["emulator:4010", "http://emulator"],
    ["emulator:4010", "http://emulator:40100"],
    ["emulator:80", "http://emulator:8080"],
    ["10.0.0.5", "http://10.0.0.50"]
  ])("and to no other: %s is not %s", (allowHttpHost, baseUrl) => {
    assert.strictEqual(refusalOf({ token, baseUrl, allowHttpHost })[0], "baseUrl")
  })

  const host = fc.oneof(fc.domain(), fc.ipV4(), fc.constantFrom("emulator", "a", "localhost.example"))
  const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined })
  const withPort = (host: string, port: number | undefined) => (port === undefined ? host : `${host}:${port}`)

  it.prop("which is compared exactly", [host, port, host, port], ([host, port, other, otherPort]) => {
    const baseUrl = `http://${withPort(other, otherPort)}`
    if (!isAccepted({ baseUrl }) || isAccepted({ token, baseUrl })) return
    const isSame = host === other && (port === undefined || port === (otherPort ?? 80))
    assert.strictEqual(isAccepted({ token, baseUrl, allowHttpHost: withPort(host, port) }), isSame)
    assert.isTrue(isAccepted({ token, baseUrl, allowHttpHost: other }))
    assert.isTrue(isAccepted({ token, baseUrl, allowHttpHost: withPort(other, otherPort ?? 80) }))
  })

  it.prop("and the refusal names an option that would allow it", [host, port], ([host, port]) => {
    const baseUrl = `http://${withPort(host, port)}/base`
    if (!isAccepted({ baseUrl }) || isAccepted({ token, baseUrl })) return
    const [, message] = refusalOf({ token, baseUrl })
    const allowHttpHost = /set allowHttpHost to '([^']+)'$/.exec(message)?.[1] ?? assert.fail(message)
    assert.isTrue(isAccepted({ token, baseUrl, allowHttpHost }))
  })
})

describe("what is checked", () => {
  it("is given back as the client uses it", () => {
    const settings = Either.getOrThrow(
      checkOptions({
        token,
        baseUrl: "HTTPS://API.apify.com:443/base/",
        userAgent: "my-app/1.0 (+https://example.com)"
      })
    )
    assert.strictEqual(settings.baseUrl, "https://api.apify.com/base")
    assert.strictEqual(Option.getOrThrow(settings.userAgent), "my-app/1.0 (+https://example.com)")
    assert.strictEqual(Option.getOrThrow(settings.token), token)
    assert.strictEqual(Option.getOrThrow(settings.tokenSource), "the token option of the client's layer")
    assert.deepStrictEqual(settings.limits, defaultLimits)
  })

  it("needs no option at all", () => {
    const settings = Either.getOrThrow(checkOptions({}))
    assert.strictEqual(settings.baseUrl, "https://api.apify.com")
    assert.isTrue(Option.isNone(settings.token))
    assert.isTrue(Option.isNone(settings.tokenSource))
    assert.isTrue(Option.isNone(settings.userAgent))
  })
})
