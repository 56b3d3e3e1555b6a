/**
 * The settings of a client: what is taken, what is refused before anything is sent, and where the token goes.
 */
import { Readable } from "node:stream"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import type { ConfigError } from "effect/ConfigError"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import { ApifyClient, getStore, HttpClientTransport } from "../src/index.js"
import { layerRespond, RecordedRequests } from "../src/testing.js"
import { minimalBody } from "./arbitraries.js"
import { inSimulatedTime } from "./simulatedTime.js"

const TOKEN = "apify_api_Canary0123456789"
const token = Redacted.make(TOKEN)

type Client = Layer.Layer<ApifyClient.ApifyClient, ConfigError, HttpClient.HttpClient>

/** A client on the `HttpClient` that is provided. */
const layer = ({ transformClient, ...options }: ApifyClient.Options & HttpClientTransport.Options = {}): Client =>
  Layer.provide(ApifyClient.layer(options), HttpClientTransport.layerWith({ transformClient }))

const silent = Layer.succeed(
  HttpClient.HttpClient,
  HttpClient.make(() => Effect.dieMessage("A request was sent"))
)

/** Builds a client that has nothing to send. */
const build = (client: Client) => Effect.either(Effect.scoped(Layer.build(Layer.provide(client, silent))))

const refusal = (client: Client) =>
  Effect.map(build(client), (built) => (Either.isLeft(built) ? `${built.left}` : assert.fail("The client was built")))

const fromEnvironment = (variables: ReadonlyArray<readonly [string, string]>) =>
  ApifyClient.layerConfig.pipe(
    Layer.provide(HttpClientTransport.layer),
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(variables))))
  )

describe("a base URL is taken", () => {
  it.effect.each([
    "https://api.apify.com",
    "https://api.apify.com/",
    "HTTPS://API.APIFY.COM",
    "https://api.apify.com:8443/base/path.v1",
    "https://localhost",
    "https://10.0.0.1",
    "https://a_b.internal",
    "http://localhost",
    "http://LOCALHOST:8080/",
    "http://127.0.0.1:8080",
    "http://127.255.0.3",
    "http://[::1]:8080"
  ])("with a token: %s", (baseUrl) =>
    Effect.map(build(layer({ token, baseUrl })), (built) => assert.isTrue(Either.isRight(built)))
  )

  it.effect.each(["http://apify.example", "http://10.0.0.1:8080", "http://[fe80::1]"])(
    "without a token: %s",
    (baseUrl) => Effect.map(build(layer({ baseUrl })), (built) => assert.isTrue(Either.isRight(built)))
  )
})

describe("a base URL is refused, and named", () => {
  it.effect.each([
    "api.apify.com",
    "//api.apify.com",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "ftp://api.apify.com",
    "https:api.apify.com",
    "https:\\\\api.apify.com",
    "https://",
    "https:///v2",
    "https://user:pass@api.apify.com",
    "https://user@api.apify.com",
    "https://api.apify.com@evil.example",
    "https://api.apify.com?x=1",
    "https://api.apify.com/#f",
    "https://api.apify.com/..",
    "https://api.apify.com/a/../b",
    "https://api.apify.com/%2e%2e",
    "https://api.apify.com//evil.example",
    "https://api.apify.com:99999",
    "https://api.apify.com:",
    " https://api.apify.com",
    "https://api.apify.com\n",
    "https://api.apify.com\\evil",
    "https://аpify.com",
    "http://localhost.",
    "http://127.1",
    "http://127.0.0.1.",
    "http://0x7f.1",
    "http://0x7f000001",
    "http://2130706433",
    "http://0177.0.0.1",
    "http://127.0.0.256",
    "http://[::ffff:127.0.0.1]"
  ])("%j", (baseUrl) =>
    Effect.gen(function* () {
      assert.include(yield* refusal(layer({ baseUrl })), "baseUrl")
      assert.include(yield* refusal(layer({ token, baseUrl })), "baseUrl")
      assert.include(yield* refusal(fromEnvironment([["APIFY_API_BASE_URL", baseUrl]])), "APIFY_API_BASE_URL")
    })
  )

  it.effect.each([
    "http://api.apify.com",
    "http://10.0.0.1",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://localhostx",
    "http://128.0.0.1",
    "http://[::2]",
    "http://0.0.0.0"
  ])("%s, where there is a token that could be read on its way", (baseUrl) =>
    Effect.map(refusal(layer({ token, baseUrl })), (message) => {
      assert.include(message, "baseUrl")
      assert.include(message, "https://")
    })
  )

  it.effect.prop(
    "if a token would leave this machine in the clear, whatever it is",
    [
      fc.oneof(
        fc.webUrl({ validSchemes: ["http"] }),
        fc.string().map((text) => `http://${text}`)
      )
    ],
    ([baseUrl]) =>
      Effect.map(build(layer({ token, baseUrl })), (built) => {
        if (Either.isLeft(built)) return
        assert.match(new URL(baseUrl).hostname, /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/)
      })
  )
})

describe("a token is refused, and not shown", () => {
  it.effect.each([
    ` ${TOKEN}`,
    `${TOKEN} `,
    `${TOKEN}\n`,
    `${TOKEN}\r\nX-Injected: 1`,
    `${TOKEN}\u0000`,
    `${TOKEN}\t`,
    `${TOKEN}ö`,
    `${TOKEN}\u007f`,
    "Bearer Canary"
  ])("%j", (value) =>
    Effect.gen(function* () {
      const given = yield* refusal(layer({ token: Redacted.make(value) }))
      const found = yield* refusal(fromEnvironment([["APIFY_TOKEN", value]]))
      assert.include(given, "token")
      assert.include(found, "APIFY_TOKEN")
      assert.notInclude(given + found, "Canary")
    })
  )
})

describe("a limit is refused, and named", () => {
  it.effect.each<readonly [setting: string, options: ApifyClient.Options]>([
    ["attemptTimeout", { attemptTimeout: 0 }],
    ["attemptTimeout", { attemptTimeout: Number.NaN }],
    ["callTimeout", { callTimeout: -5 }],
    ["retries", { retry: { retries: -1 } }],
    ["retries", { retry: { retries: 1.5 } }],
    ["retries", { retry: { retries: Number.POSITIVE_INFINITY } }],
    ["maxBodyBytes", { maxBodyBytes: 0 }],
    ["maxBodyBytes", { maxBodyBytes: Number.NaN }]
  ])("%s in %j", ([setting, options]) =>
    Effect.map(refusal(layer(options)), (message) => assert.include(message, setting))
  )

  it.effect.each([
    ["APIFY_ATTEMPT_TIMEOUT", "soon"],
    ["APIFY_CALL_TIMEOUT", "5 parsecs"],
    ["APIFY_RETRIES", "many"],
    ["APIFY_RETRIES", "1.5"]
  ] as const)("%s=%s", ([name, value]) =>
    Effect.map(refusal(fromEnvironment([[name, value]])), (message) => assert.include(message, name))
  )
})

/** The request of one call, as the transport gets it. */
const sentBy = (client: Client) =>
  Effect.gen(function* () {
    const sent = yield* Ref.make(Option.none<HttpClientRequest.HttpClientRequest>())
    const transport = HttpClient.make((request) =>
      Effect.as(Ref.set(sent, Option.some(request)), HttpClientResponse.fromWeb(request, storeResponse()))
    )
    yield* Effect.provide(
      getStore("janedoe~my-store"),
      Layer.provide(client, Layer.succeed(HttpClient.HttpClient, transport))
    )
    return Option.getOrThrow(yield* Ref.get(sent))
  })

const storeResponse = () => new Response(minimalBody, { headers: { "content-type": "application/json" } })

describe("the token", () => {
  it.effect("is sent as a bearer token, and nowhere in the URL", () =>
    Effect.gen(function* () {
      const request = yield* sentBy(layer({ token }))
      assert.strictEqual(request.headers.authorization, `Bearer ${TOKEN}`)
      assert.strictEqual(request.url, "https://api.apify.com/v2/key-value-stores/janedoe~my-store")
      assert.lengthOf(request.urlParams, 0)
    })
  )

  it.effect("is not there where none was given", () =>
    Effect.gen(function* () {
      assert.notProperty((yield* sentBy(layer())).headers, "authorization")
      assert.notProperty((yield* sentBy(fromEnvironment([]))).headers, "authorization")
    })
  )

  it.effect.each<readonly [from: string, client: Client]>([
    ["the token option of the client's layer", layer({ token })],
    ["APIFY_TOKEN", fromEnvironment([["APIFY_TOKEN", TOKEN]])]
  ])("that Apify refuses is reported with its source, %s", ([source, client]) =>
    Effect.gen(function* () {
      const refuse = HttpClient.make((request) =>
        Effect.succeed(HttpClientResponse.fromWeb(request, new Response(null, { status: 401 })))
      )
      const error = yield* Effect.flip(
        Effect.provide(getStore("~my-store"), Layer.provide(client, Layer.succeed(HttpClient.HttpClient, refuse)))
      )
      if (error._tag !== "UnauthorizedError") return assert.fail(`${error}`)
      assert.strictEqual(Option.getOrNull(error.tokenSource), source)
      assert.include(error.message, source)
    })
  )

  it.effect("is not blamed for a 401 of a server that it was not sent to", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(getStore("~my-store"))
      if (error._tag !== "UnauthorizedError") return assert.fail(`${error}`)
      assert.isNull(Option.getOrNull(error.tokenSource))
      assert.include(error.message, "carried no token")
    }).pipe(
      Effect.provide(
        layerRespond(() => Effect.succeed(new Response(null, { status: 401 })), {
          token,
          transformClient: HttpClient.mapRequest(HttpClientRequest.setUrl("https://proxy.example/v2"))
        })
      )
    )
  )

  it.effect("that is a word of Apify's changes no error's tag", () =>
    Effect.gen(function* () {
      const body = '{"error":{"type":"record-not-found","message":"Key-value Store was not found"}}'
      for (const word of ["record", "record-not-found", "not", "a"]) {
        const error = yield* getStore("~my-store").pipe(
          Effect.flip,
          Effect.provide(
            layerRespond(() => Effect.sync(() => new Response(body, { status: 404 })), { token: Redacted.make(word) })
          )
        )
        assert.strictEqual(error._tag, "StoreNotFoundError", word)
      }
    })
  )

  it.effect("that is too short to be one garbles no message", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(getStore("~my-store"))
      if (error._tag !== "ForbiddenError") return assert.fail(`${error}`)
      assert.strictEqual(Option.getOrNull(error.apifyMessage), "A token was not granted access")
    }).pipe(
      Effect.provide(
        layerRespond(
          () =>
            Effect.sync(() =>
              Response.json({ error: { type: "a", message: "A token was not granted access" } }, { status: 403 })
            ),
          { token: Redacted.make("a") }
        )
      )
    )
  )

  it.effect("that is missing is said to be, with a 401", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(getStore("~my-store"))
      if (error._tag !== "UnauthorizedError") return assert.fail(`${error}`)
      assert.isNull(Option.getOrNull(error.tokenSource))
      assert.include(error.message, "Set APIFY_TOKEN")
    }).pipe(Effect.provide(layerRespond(() => Effect.succeed(new Response(null, { status: 401 })))))
  )
})

describe("the User-Agent", () => {
  it.effect("names this library, and what the caller adds", () =>
    Effect.gen(function* () {
      assert.match((yield* sentBy(layer())).headers["user-agent"] ?? "", /^effect-apify\/\d+\.\d+\.\d+$/)
      const { headers } = yield* sentBy(layer({ userAgent: "my-actor/1.2 (nightly)" }))
      assert.match(headers["user-agent"] ?? "", /^effect-apify\/\d+\.\d+\.\d+ my-actor\/1\.2 \(nightly\)$/)
    })
  )
})

describe("the environment", () => {
  it.effect("gives base URL and token", () =>
    Effect.gen(function* () {
      const request = yield* sentBy(
        fromEnvironment([
          ["APIFY_TOKEN", TOKEN],
          ["APIFY_API_BASE_URL", "http://127.0.0.1:8080/base/"]
        ])
      )
      assert.strictEqual(request.url, "http://127.0.0.1:8080/base/v2/key-value-stores/janedoe~my-store")
      assert.strictEqual(request.headers.authorization, `Bearer ${TOKEN}`)
    })
  )

  it.effect.each([
    ["attempt", "APIFY_ATTEMPT_TIMEOUT"],
    ["call", "APIFY_CALL_TIMEOUT"]
  ] as const)("gives the time of the %s, which is kept to", ([phase, name]) =>
    Effect.gen(function* () {
      const layer = Layer.provide(
        fromEnvironment([
          [name, "3 seconds"],
          ["APIFY_RETRIES", "0"]
        ]),
        Layer.succeed(
          HttpClient.HttpClient,
          HttpClient.make(() => Effect.never)
        )
      )
      const { value: error } = yield* inSimulatedTime(Effect.provide(Effect.flip(getStore("~my-store")), layer))
      if (error._tag !== "TimeoutError") return assert.fail(`${error}`)
      assert.strictEqual(error.phase, phase)
      assert.strictEqual(Duration.toSeconds(error.limit), 3)
    })
  )

  it.effect("gives a number of retries that is kept to", () =>
    Effect.gen(function* () {
      const sent = yield* Ref.make(0)
      const broken = HttpClient.make((request) =>
        Effect.as(
          Ref.update(sent, (count) => count + 1),
          HttpClientResponse.fromWeb(request, new Response(null, { status: 503 }))
        )
      )
      const layer = Layer.provide(
        fromEnvironment([["APIFY_RETRIES", "0"]]),
        Layer.succeed(HttpClient.HttpClient, broken)
      )
      const error = yield* Effect.flip(Effect.provide(getStore("~my-store"), layer))
      assert.strictEqual(error._tag, "ServerError")
      assert.strictEqual(yield* Ref.get(sent), 1)
    })
  )
})

describe("the transport", () => {
  it.effect("may be changed, but not the token that goes with it", () =>
    Effect.gen(function* () {
      const request = yield* sentBy(
        layer({
          token,
          transformClient: HttpClient.mapRequest(
            HttpClientRequest.setHeaders({ "x-proxy": "yes", authorization: "Basic abc" })
          )
        })
      )
      assert.strictEqual(request.headers["x-proxy"], "yes")
      assert.strictEqual(request.headers.authorization, `Bearer ${TOKEN}`)
    })
  )

  it.effect.each([
    "https://evil.example",
    "https://api.apify.com.evil.example",
    "https://api.apify.com@evil.example",
    "https://api.apify.com:8443",
    "http://api.apify.com"
  ])("that was changed to send to %s sends no token there", (origin) =>
    Effect.gen(function* () {
      const request = yield* sentBy(
        layer({
          token,
          transformClient: HttpClient.mapRequest(HttpClientRequest.setUrl(`${origin}/v2/key-value-stores/x`))
        })
      )
      assert.notProperty(request.headers, "authorization")
    })
  )

  it.effect("that was changed to send elsewhere has a 401 that says where the token may go", () =>
    Effect.gen(function* () {
      const client = layerRespond(() => Effect.succeed(new Response(null, { status: 401 })), {
        token,
        transformClient: HttpClient.mapRequest(HttpClientRequest.setUrl("https://other.example/v2/key-value-stores/x"))
      })
      const error = yield* Effect.flip(Effect.provide(getStore("~my-store"), client))
      if (error._tag !== "UnauthorizedError") return assert.fail(`${error}`)
      assert.isTrue(error.tokenWithheld)
      assert.include(error.message, "Set baseUrl")
    })
  )

  it.effect("that was changed to follow redirects carries the token to no other origin", () =>
    Effect.gen(function* () {
      const strange = Response.redirect("https://evil.example/v2/key-value-stores/x", 302)
      const client = layerRespond(() => Effect.succeed(strange), {
        token,
        transformClient: HttpClient.followRedirects()
      })
      yield* Effect.gen(function* () {
        const error = yield* Effect.flip(getStore("~my-store"))
        assert.strictEqual(error._tag, "UnexpectedResponseError")
        assert.match(error.message, /responded with a redirect.*followed a redirect to another server/)
        assert.notMatch(error.message, /\b0\b/)
        const requests = yield* (yield* RecordedRequests).all
        assert.deepStrictEqual(
          requests.map(({ url }) => url),
          ["https://api.apify.com/v2/key-value-stores/~my-store"]
        )
      }).pipe(Effect.provide(client))
    })
  )

  it.effect.each(["HTTPS://API.apify.com", "https://api.apify.com:443", "https://api.apify.com:443/"])(
    "carries the token to %s, which is Apify by another spelling",
    (baseUrl) =>
      Effect.gen(function* () {
        const request = yield* sentBy(layer({ token, baseUrl }))
        assert.strictEqual(request.headers.authorization, `Bearer ${TOKEN}`)
        assert.isTrue(request.url.startsWith("https://api.apify.com/v2/"))
      })
  )

  it.effect("that fails by status is understood all the same", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(getStore("~my-store"))
      assert.strictEqual(error._tag, "ForbiddenError")
      assert.lengthOf(yield* (yield* RecordedRequests).all, 1)
    }).pipe(
      Effect.provide(
        layerRespond(() => Effect.sync(() => new Response(null, { status: 403 })), {
          transformClient: HttpClient.filterStatusOk
        })
      )
    )
  )

  describe("of a fetch whose bodies are no web streams", () => {
    const getBy = (response: object) => {
      let calls = 0
      const fetch: typeof globalThis.fetch = async () => {
        calls += 1
        const headers = new Headers({ "content-type": "application/json" })
        return Object.assign(Object.create(null), { status: 200, headers, ...response })
      }
      return Effect.map(
        Effect.either(getStore("~my-store")).pipe(
          Effect.provide(Layer.provide(layer(), FetchHttpClient.layer)),
          Effect.provideService(FetchHttpClient.Fetch, fetch)
        ),
        (result) => ({ calls, result })
      )
    }

    it.effect("reads them whole", () =>
      Effect.gen(function* () {
        const arrayBuffer = async () => new TextEncoder().encode(minimalBody).buffer
        const { result } = yield* getBy({ body: Readable.from([minimalBody]), arrayBuffer })
        assert.isTrue(Either.isRight(result), String(result))
      })
    )

    it.effect("says at once that it cannot, where they have no arrayBuffer()", () =>
      Effect.gen(function* () {
        const { calls, result } = yield* getBy({ body: Readable.from([minimalBody]) })
        if (Either.isRight(result)) return assert.fail("It was read")
        assert.include(result.left.message, "getReader is not a function")
        assert.strictEqual(calls, 1)
      })
    )
  })

  it.effect("of fetch follows no redirect, caches nothing, sends no cookies, and keeps the other options", () =>
    Effect.gen(function* () {
      const inits: Array<RequestInit | undefined> = []
      const recorded: typeof globalThis.fetch = (_, init) => {
        inits.push(init)
        return Promise.resolve(storeResponse())
      }
      const client = Layer.provide(layer({ token }), FetchHttpClient.layer).pipe(
        Layer.provide(
          Layer.succeed(FetchHttpClient.RequestInit, { redirect: "follow", keepalive: true, credentials: "include" })
        )
      )
      yield* getStore("~my-store").pipe(Effect.provide(client), Effect.provideService(FetchHttpClient.Fetch, recorded))
      const [init] = inits
      assert.deepInclude(init, { redirect: "manual", cache: "no-store", credentials: "omit", keepalive: true })
    })
  )
})
