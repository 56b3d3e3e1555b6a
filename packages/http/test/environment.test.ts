/**
 * What the environment sets, and what counts as unset there.
 */
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { ApifyClient, FetchTransport } from "../src/index.js"
import { readEnvironment } from "../src/internal/environment.js"
import { checkOptions, type SettingsInput } from "../src/internal/settings.js"

type Variables = { readonly [name: string]: string }
type Options = Omit<SettingsInput, "token" | "baseUrl">

/** What a client that is built in an environment is built with. */
const settingsIn = (variables: Variables, options: Options = {}) =>
  Effect.flatMap(readEnvironment(options), ({ names, options }) => checkOptions(options, names)).pipe(
    Effect.either,
    Effect.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables)))))
  )

const acceptedIn = (variables: Variables, options: Options = {}) =>
  Effect.map(settingsIn(variables, options), Either.getOrThrowWith(String))

const refusalIn = (variables: Variables, options: Options = {}) =>
  Effect.map(settingsIn(variables, options), (checked) =>
    Either.isLeft(checked) ? String(checked.left) : assert.fail("The settings were accepted")
  )

const names = [
  "APIFY_TOKEN",
  "APIFY_API_BASE_URL",
  "APIFY_API_PUBLIC_BASE_URL",
  "APIFY_ALLOW_HTTP_HOST",
  "APIFY_ATTEMPT_TIMEOUT",
  "APIFY_CALL_TIMEOUT",
  "APIFY_RETRIES",
  "APIFY_IS_AT_HOME"
]

const blank = fc.stringMatching(/^[ \t\r\n\u00a0]*$/)

describe("a blank variable", () => {
  const defaults = Either.getOrThrow(checkOptions({}))

  it.effect.prop("is unset", [fc.record(Object.fromEntries(names.map((name) => [name, blank])))], ([variables]) =>
    Effect.map(acceptedIn(variables), ({ token, tokenSource, userAgent, ...others }) => {
      const { token: _, tokenSource: __, userAgent: ___, ...expected } = defaults
      assert.isTrue(Option.isNone(token))
      assert.isTrue(Option.isNone(tokenSource))
      assert.isTrue(Option.isNone(userAgent))
      assert.deepStrictEqual(others, expected)
    })
  )

  it.effect("leaves the option as it is", () =>
    Effect.gen(function* () {
      const options = {
        attemptTimeout: 7,
        callTimeout: 8,
        retry: { retries: 9 },
        allowHttpHost: "emulator",
        publicBaseUrl: "https://public.example"
      }
      const { limits, publicBaseUrl } = yield* acceptedIn(Object.fromEntries(names.map((name) => [name, " "])), options)
      assert.strictEqual(Duration.toMillis(limits.attemptTimeout), 7)
      assert.strictEqual(Duration.toMillis(limits.callTimeout), 8)
      assert.strictEqual(limits.retry.retries, 9)
      assert.strictEqual(publicBaseUrl, "https://public.example")
    })
  )
})

describe("a variable", () => {
  it.effect("takes the place of an option", () =>
    Effect.gen(function* () {
      const settings = yield* acceptedIn(
        {
          APIFY_TOKEN: "apify_api_abc",
          APIFY_API_BASE_URL: "http://emulator:4010/base/",
          APIFY_API_PUBLIC_BASE_URL: "http://localhost:4010/base/",
          APIFY_ALLOW_HTTP_HOST: "emulator:4010",
          APIFY_ATTEMPT_TIMEOUT: "3 seconds",
          APIFY_CALL_TIMEOUT: "1 minute",
          APIFY_RETRIES: "0"
        },
        {
          publicBaseUrl: "https://elsewhere",
          allowHttpHost: "elsewhere",
          attemptTimeout: 7,
          callTimeout: 8,
          retry: { retries: 9, baseDelay: 10 },
          maxBodyBytes: 11
        }
      )
      assert.strictEqual(Redacted.value(Option.getOrThrow(settings.token)), "apify_api_abc")
      assert.strictEqual(Option.getOrThrow(settings.tokenSource), "APIFY_TOKEN")
      assert.strictEqual(settings.baseUrl, "http://emulator:4010/base")
      assert.strictEqual(settings.publicBaseUrl, "http://localhost:4010/base")
      assert.strictEqual(Duration.toMillis(settings.limits.attemptTimeout), 3000)
      assert.strictEqual(Duration.toMillis(settings.limits.callTimeout), 60_000)
      assert.strictEqual(settings.limits.retry.retries, 0)
      assert.strictEqual(Duration.toMillis(settings.limits.retry.baseDelay), 10)
      assert.strictEqual(settings.limits.maxBodyBytes, 11)
    })
  )

  it.effect.each<readonly [name: string, value: string, expected: string]>([
    ["APIFY_CALL_TIMEOUT", "1s", "must be a duration such as '60 seconds' or '500 millis'"],
    ["APIFY_CALL_TIMEOUT", "5000", "must be a duration such as '60 seconds' or '500 millis'"],
    ["APIFY_CALL_TIMEOUT", "5 parsecs", "must be a duration such as"],
    ["APIFY_CALL_TIMEOUT", "0 seconds", "from 1 millisecond to 24 days"],
    ["APIFY_CALL_TIMEOUT", "1 weeks\n", "remove the line break"],
    ["APIFY_ATTEMPT_TIMEOUT", "soon", "must be a duration such as"],
    ["APIFY_ATTEMPT_TIMEOUT", "Infinity", "must be a duration such as"],
    ["APIFY_ATTEMPT_TIMEOUT", "'5 seconds'", "remove the quotes"],
    ["APIFY_API_PUBLIC_BASE_URL", "https://a@b", "must not contain a username"],
    ["APIFY_API_PUBLIC_BASE_URL", "https://api.apify.com/v2", "must not end in /v2"],
    ["APIFY_RETRIES", "many", "must be a whole number such as 3"],
    ["APIFY_RETRIES", "1.5", "must be a whole number"],
    ["APIFY_RETRIES", "-1", "must be a whole number"],
    ["APIFY_RETRIES", "0x10", "must be a whole number"],
    ["APIFY_RETRIES", "1e3", "must be a whole number"],
    ["APIFY_TOKEN", '"apify_api_Canary"', "remove the quotes"],
    ["APIFY_TOKEN", "apify_api_Canary\n", "remove the line break"],
    ["APIFY_TOKEN", "apify_api_Canary\r\n", "remove the line break"],
    ["APIFY_TOKEN", " apify_api_Canary", "remove the space"],
    ["APIFY_TOKEN", "Bearer apify_api_Canary", "remove 'Bearer'"],
    ["APIFY_API_BASE_URL", "https://api.apify.com/v2", "use 'https://api.apify.com'"],
    ["APIFY_API_BASE_URL", "https://api.apify.com/v2/", "use 'https://api.apify.com'"],
    ["APIFY_API_BASE_URL", "api.apify.com", "must begin with https://"],
    ["APIFY_API_BASE_URL", "https://api.apify.com\n", "remove the line break"],
    ["APIFY_ALLOW_HTTP_HOST", "http://emulator", "such as 'emulator' or 'emulator:4010'"]
  ])("that is wrong is named, with the form expected: %s=%j", ([name, value, expected]) =>
    Effect.map(refusalIn({ [name]: value }), (message) => {
      assert.isTrue(message.startsWith(`(Invalid data at ${name}: "must `), message)
      assert.include(message, expected)
      assert.notInclude(message, "Canary")
    })
  )

  it.effect.each<readonly [setting: string, options: unknown]>([
    ["retry", { retry: "none" }],
    ["options", null]
  ])("does not hide that an option is wrong: %s in %j", ([setting, options]) =>
    Effect.gen(function* () {
      const untyped: ReturnType<typeof refusalIn> = Reflect.apply(refusalIn, undefined, [
        { APIFY_RETRIES: "3" },
        options
      ])
      assert.include(yield* untyped, `at ${setting}:`)
    })
  )
})

describe("plain HTTP", () => {
  const onTheWay = { APIFY_TOKEN: "apify_api_abc", APIFY_API_BASE_URL: "http://10.0.88.214:8010/" }

  it.effect("is refused, and the refusal names the variable that allows the host", () =>
    Effect.gen(function* () {
      const message = yield* refusalIn(onTheWay)
      assert.include(message, "APIFY_API_BASE_URL")
      assert.include(message, "set APIFY_ALLOW_HTTP_HOST to '10.0.88.214:8010'")
      const allowed = { ...onTheWay, APIFY_ALLOW_HTTP_HOST: "10.0.88.214:8010" }
      assert.strictEqual((yield* acceptedIn(allowed)).baseUrl, "http://10.0.88.214:8010")
    })
  )

  it.effect("may be allowed by an option, which is named where it was given", () =>
    Effect.gen(function* () {
      yield* acceptedIn(onTheWay, { allowHttpHost: "10.0.88.214" })
      assert.include(yield* refusalIn(onTheWay, { allowHttpHost: "emulator" }), "set allowHttpHost to")
      assert.include(yield* refusalIn({}, { allowHttpHost: "http://x" }), "at allowHttpHost")
    })
  )

  it.effect("may be allowed by an option of layerConfigWith", () =>
    Effect.void.pipe(
      Effect.provide(ApifyClient.layerConfigWith({ allowHttpHost: "10.0.88.214" })),
      Effect.provide(FetchTransport.layer),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(onTheWay))))
    )
  )

  it.effect("is the rule on Apify's platform", () =>
    Effect.map(acceptedIn({ ...onTheWay, APIFY_IS_AT_HOME: "1" }), ({ baseUrl }) =>
      assert.strictEqual(baseUrl, "http://10.0.88.214:8010")
    )
  )

  it.effect.each(["0", "false", "False", " "])("is not the rule where APIFY_IS_AT_HOME is %j", (isAtHome) =>
    Effect.map(refusalIn({ ...onTheWay, APIFY_IS_AT_HOME: isAtHome }), (message) => assert.include(message, "https://"))
  )

  it.effect("on the platform is no reason to take what is no plain URL", () =>
    Effect.map(
      refusalIn({ ...onTheWay, APIFY_API_BASE_URL: "http://user@10.0.88.214:8010", APIFY_IS_AT_HOME: "1" }),
      (message) => assert.include(message, "username")
    )
  )

  it("on the platform goes for the environment's base URL alone", () => {
    const checked = checkOptions({ token: Redacted.make("apify_api_abc"), baseUrl: "http://10.0.88.214:8010" })
    assert.isTrue(Either.isLeft(checked))
  })
})
