import { readdirSync, readFileSync } from "node:fs"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import { DEMO_TOKEN, demoSeed, Emulator } from "@effect-apify/emulator"
import { FetchTransport, getStore, HttpClientTransport, RetryPolicy } from "@effect-apify/http"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { failures } from "../failures.js"
import { apify, apifyWith, localApify } from "../local.js"
import { bundled } from "./run.js"

const STORE = "WkzbQMuFYuamGv3YF"

/** The jobs of the README, except for that of browsers. */
const jobs = ["readOutput", "rememberSeen", "sharePicture", "migration", "walkKeys"] as const

const programs = [
  ...jobs,
  "getStore",
  "handleErrors",
  "manyStores",
  "otel",
  "ownRetryPolicy",
  "ownTransport",
  "records",
  "trace",
  "unpackRecords"
] as const

const times = {
  createdAt: "2026-11-01T08:00:00.000Z",
  modifiedAt: "2026-11-01T08:00:00.000Z",
  accessedAt: "2026-11-01T08:00:00.000Z"
}

const runWith = (id: string, defaultKeyValueStoreId: string) => ({
  id,
  owner: "janedoe",
  actor: { id: "Crawler0000000000", name: "crawler" },
  startedAt: times.createdAt,
  defaultKeyValueStoreId
})

/** A run without an output, and one with an output of another shape. */
const runsSeed = {
  users: demoSeed.users,
  stores: [
    { owner: "janedoe", store: { id: "EmptyStore0000000", ...times } },
    {
      owner: "janedoe",
      store: { id: "OtherStore0000000", ...times },
      records: [{ key: "OUTPUT", json: { pages: "many" } }]
    }
  ],
  runs: [runWith("EmptyRun000000000", "EmptyStore0000000"), runWith("OtherRun000000000", "OtherStore0000000")]
}

const run = bundled(...programs)

describe("getStore", () => {
  it.live("prints the store without its key", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* run("getStore")
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(stdout.split("\n"), [
        "d7b9MDYsbtX5L7XAj, last changed on 2019-12-13",
        "Read 9 times",
        "Signing key: <redacted>",
        ""
      ])
    })
  )

  it.live("uses the Apify that the environment names", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const { code, stderr, stdout } = yield* run("getStore", [], { APIFY_API_BASE_URL: url, APIFY_TOKEN: DEMO_TOKEN })
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.include(stdout, "Read 9 times")
    }).pipe(Effect.provide(Emulator.layer()))
  )
})

describe("records", () => {
  it.live("writes, reads, lists and deletes", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* run("records")
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(stdout.split("\n"), [
        "A new store",
        "3 pages; the first is <!DOCTYPE html>",
        "page-1.html: 15 bytes",
        "page-2.bin: 2048 bytes",
        "page-2.bin is gone",
        ""
      ])
    })
  )
})

describe("unpackRecords", () => {
  it.live("unpacks the archive into files", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* run("unpackRecords")
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(stdout.split("\n"), [
        "INPUT: 2 bytes",
        "page.html: 15 bytes",
        "page.html holds <!DOCTYPE html>",
        ""
      ])
    })
  )
})

describe("handleErrors", () => {
  it.live("does something about each error", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run("handleErrors")
      assert.deepStrictEqual([code, stderr], [0, ""])
      const reactions = Object.fromEntries([...stdout.matchAll(/^(\w+Error)\n {2}([^:\n]*)/gm)].map((m) => m.slice(1)))
      assert.deepStrictEqual(reactions, {
        InvalidStoreRefError: "tell the user",
        BadRequestError: "tell the user",
        UnauthorizedError: "tell the user",
        PaymentRequiredError: "tell the user",
        ForbiddenError: "tell the user",
        StoreNotFoundError: "do without",
        MethodNotAllowedError: "alert an operator",
        RateLimitedError: "try again in 30s",
        ServerError: "try again in 1m",
        UnexpectedResponseError: "alert an operator",
        MalformedResponseError: "alert an operator",
        TransportError: "try again in 1m",
        TimeoutError: "try again in 1m"
      })
      assert.hasAllKeys(reactions, Object.keys(failures))
      assert.notInclude(stdout, "undefined")
    })
  )
})

describe("ownTransport", () => {
  it.live("gets the store by each transport", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run("ownTransport")
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.deepStrictEqual(stdout.split("\n"), [
        `${STORE} by fetch`,
        `${STORE} by undici`,
        `${STORE} by undici with options`,
        `${STORE} by an HttpClient`,
        `  GET /v2/key-value-stores/${STORE} for team search`,
        `${STORE} by an HttpClient with a header and a log`,
        ""
      ])
    })
  )
})

describe("ownRetryPolicy", () => {
  it.live("retries as each policy says", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run("ownRetryPolicy")
      assert.deepStrictEqual([code, stderr], [0, ""])
      const parts = stdout.trim().split("\n\n")
      assert.deepStrictEqual(
        parts.map((part) => [(part.match(/trying again|schedule got/g) ?? []).length, part.includes(`got ${STORE}`)]),
        [
          [2, true],
          [3, false],
          [0, false],
          [0, false],
          [2, true]
        ]
      )
    })
  )
})

describe("manyStores", () => {
  it.live("gets all stores, shows its progress, and prints a summary", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run("manyStores")
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(stderr.split("\n"), [
        "76 of 301 stores",
        "152 of 301 stores",
        "228 of 301 stores",
        "301 of 301 stores",
        ""
      ])
      assert.match(stdout, /^300 stores, 44\.9 MB in all\nFailed: .* There is no store ~crawl-gone\. .*\n$/)
    })
  )
})

describe("trace", () => {
  it.live("shows the call, and in it a failed attempt and a successful one", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run("trace")
      assert.deepStrictEqual([code, stderr], [0, ""])
      const spans = [...stdout.matchAll(/^\+[\d.]+ ms +(\S.*) \([\d.]+ ms\)$/gm)].map(([_, name]) => name)
      assert.deepStrictEqual(spans, ["my program", "ApifyClient.getStore", "GET", "GET"])
      assert.match(stdout, /status_code = 503[\s\S]*resend_count = 1[\s\S]*status_code = 200/)
      assert.notInclude(stdout, DEMO_TOKEN)
    })
  )
})

describe("readOutput", () => {
  it.live("prints what the run has found", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* run("readOutput")
      assert.deepStrictEqual([code, stdout], [0, "120 pages, finished on 2026-11-01\nFailed: /broken\n"])
    })
  )

  it.live("says that a run has no output, or another one", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const env = { APIFY_API_BASE_URL: url, APIFY_TOKEN: DEMO_TOKEN }
      const empty = yield* run("readOutput", ["EmptyRun000000000"], env)
      assert.deepStrictEqual([empty.code, empty.stdout], [0, "The run has no output\n"])
      const other = yield* run("readOutput", ["OtherRun000000000"], env)
      assert.strictEqual(other.code, 0)
      assert.match(other.stdout, /^The record OUTPUT is not what was expected: .*pages/)
    }).pipe(Effect.provide(Emulator.layer({ seed: runsSeed })))
  )
})

describe("rememberSeen", () => {
  it.live("finds new in the second run what the first has not seen", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* run("rememberSeen")
      assert.deepStrictEqual([code, stdout], [0, "2 new: rain, elections\n1 new: football\n"])
    })
  )

  it.live("remembers it after the program has ended", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const env = { APIFY_API_BASE_URL: url, APIFY_TOKEN: DEMO_TOKEN }
      yield* run("rememberSeen", [], env)
      assert.strictEqual((yield* run("rememberSeen", [], env)).stdout, "0 new: \n0 new: \n")
    }).pipe(Effect.provide(Emulator.layer()))
  )
})

describe("sharePicture", () => {
  it.live("prints a link by which anyone gets the picture, and logs it without its signature", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* run("sharePicture")
      assert.strictEqual(code, 0)
      const [logged, shared, got] = stdout.split("\n")
      assert.match(logged ?? "", /^Logged: http\S+\/records\/pixel\.png\?signature=<redacted>$/)
      assert.match(shared ?? "", /^Shared: http\S+\/records\/pixel\.png\?signature=\w+$/)
      assert.strictEqual(got, "Anyone gets 70 bytes of image/png")
    })
  )
})

describe("migration", () => {
  it.live("goes on where it was stopped", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* run("migration")
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(stdout.split("\n"), [
        "Page 1",
        "Page 2",
        "Page 3",
        "The run moves to another server, and starts again",
        "Page 4",
        "Page 5",
        "Page 6",
        "Done",
        ""
      ])
    })
  )
})

describe("walkKeys", () => {
  it.live("counts the keys with the prefix, and shows its progress", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run("walkKeys")
      assert.deepStrictEqual([code, stderr, stdout], [0, "1000 keys\n1500 keys\n", "1500 images, 18.0 kB in all\n"])
    })
  )
})

describe("otel", () => {
  it.live("prints the spans and metrics that it exports", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run("otel")
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.sameMembers(
        [...stdout.matchAll(/^ {2}name: '(.*)',$/gm)].map(([_, name]) => name),
        ["my program", "ApifyClient.getStore", "GET", "GET"]
      )
      assert.match(stdout, /apify_calls/)
      assert.match(stdout, /http\.client\.request\.duration/)
      assert.notInclude(stdout, DEMO_TOKEN)
    })
  )
})

describe("the clients of the examples", () => {
  it.effect("have the options that they are given", () =>
    Effect.gen(function* () {
      const options = { retry: RetryPolicy.none, userAgent: "examples/1.0" }
      for (const client of [localApify(options), apifyWith(options)]) {
        const requests = yield* Ref.make<ReadonlyArray<HttpClientRequest.HttpClientRequest>>([])
        const transport = HttpClientTransport.layerWith({
          transformClient: HttpClient.transform((_, request) =>
            Effect.as(
              Ref.update(requests, (sent) => [...sent, request]),
              HttpClientResponse.fromWeb(request, new Response("busy", { status: 503 }))
            )
          )
        }).pipe(Layer.provide(FetchHttpClient.layer))
        yield* getStore(STORE).pipe(Effect.flip, Effect.provide(Layer.provide(client, transport)))
        const agents = (yield* Ref.get(requests)).map(({ headers }) => headers["user-agent"])
        assert.strictEqual(agents.length, 1)
        assert.match(agents[0] ?? "", / examples\/1\.0$/)
      }
    }).pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map())))
  )

  it.effect("take a blank variable for one that is not set", () =>
    getStore(STORE).pipe(
      Effect.provide(Layer.provide(apify, FetchTransport.layer)),
      Effect.withConfigProvider(
        ConfigProvider.fromMap(
          new Map([
            ["APIFY_TOKEN", " "],
            ["APIFY_API_BASE_URL", ""]
          ])
        )
      )
    )
  )
})

describe("the jobs of the README", () => {
  it.each([...jobs, "browser"])("%s has at most forty lines", (name) => {
    const source = readFileSync(`${import.meta.dirname}/../${name}.ts`, "utf8")
    assert.isAtMost(source.trimEnd().split("\n").length, 40)
  })
})

describe("the examples", () => {
  const folder = `${import.meta.dirname}/..`
  const modules = readdirSync(folder).filter((file) => file.endsWith(".ts"))

  it("are all run by a test", () => {
    const parts = [
      "busyServer.ts",
      "countWords.ts",
      "failures.ts",
      "findUnused.ts",
      "local.ts",
      "progress.ts",
      "storeCopy.ts",
      "storeSummary.ts"
    ]
    const tested = ["browser.ts", "copyStore.ts", "start.ts", "unitTest.ts"]
    assert.sameMembers(modules, [...parts, ...tested, ...programs.map((name) => `${name}.ts`)])
  })
})
