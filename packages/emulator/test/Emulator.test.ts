/**
 * The emulator as a layer: it starts, keeps its data, fails with messages that say what to do, and stops.
 */
import { writeFileSync } from "node:fs"
import * as Http from "node:http"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { freePort } from "../../../vitest.port.js"
import { databaseLayer } from "../src/Database.js"
import { DEMO_TOKEN, Emulator, type EmulatorOptions, type SeedJson } from "../src/index.js"
import { errorBody, request, storePath } from "./request.js"
import { closed, connected } from "./sockets.js"

const DEMO = storePath("WkzbQMuFYuamGv3YF")

const start = (options?: EmulatorOptions) =>
  Effect.map(Layer.build(Emulator.layer(options)), (context) => Context.get(context, Emulator))

const demoStatus = (url: string) => Effect.map(request(url, DEMO, { token: DEMO_TOKEN }), ({ status }) => status)

const scratch = Effect.gen(function* () {
  const fileSystem = yield* FileSystem.FileSystem
  return yield* fileSystem.makeTempDirectoryScoped()
}).pipe(Effect.provide(NodeFileSystem.layer))

const otherSeed: SeedJson = { users: [{ username: "other", tokens: [{ token: "other" }] }] }

describe("an emulator", () => {
  it.scoped("listens on the loopback address and a free port by default", () =>
    Effect.gen(function* () {
      const [one, two] = yield* Effect.all([start(), start()])
      assert.match(one.url, /^http:\/\/127\.0\.0\.1:\d+$/)
      assert.notStrictEqual(one.url, two.url)
      assert.isTrue(one.isDemo)
    })
  )

  it.scoped("shares no data in memory with another emulator", () =>
    Effect.gen(function* () {
      const [demo, other] = yield* Effect.all([start(), start({ seed: otherSeed })])
      assert.deepStrictEqual([yield* demoStatus(demo.url), yield* demoStatus(other.url)], [200, 401])
    })
  )

  it.scoped("listens on an IPv6 address", () =>
    Effect.gen(function* () {
      const { url } = yield* start({ host: "::1" })
      assert.match(url, /^http:\/\/\[::1\]:\d+$/)
      assert.strictEqual(yield* demoStatus(url), 200)
    })
  )

  for (const host of ["0.0.0.0", "::", "0", "::0", "localhost", "127.1", "0x7f.1"]) {
    it.scoped(`has a URL that works when it listens on ${host}`, () =>
      Effect.gen(function* () {
        const { url } = yield* start({ host })
        assert.strictEqual(yield* demoStatus(url), 200)
      })
    )
  }

  it.scoped("keeps its data in its file, and adds no demo to a file with data", () =>
    Effect.gen(function* () {
      const database = `${yield* scratch}/a b%20ü?.db`
      yield* Effect.scoped(start({ database, seed: otherSeed }))
      const { url, isDemo } = yield* start({ database })
      const asOther = yield* request(url, DEMO, { token: "other" })
      assert.deepStrictEqual([isDemo, yield* demoStatus(url), asOther.status], [false, 401, 404])
    })
  )

  it.scoped("adds a seed to the data of its file", () =>
    Effect.gen(function* () {
      const database = `${yield* scratch}/apify.db`
      yield* Effect.scoped(start({ database }))
      const { url } = yield* start({ database, seed: otherSeed })
      const asOther = yield* request(url, DEMO, { token: "other" })
      assert.deepStrictEqual([yield* demoStatus(url), asOther.status], [200, 403])
    })
  )
})

describe("an emulator cannot start", () => {
  const failure = (options: EmulatorOptions) => Effect.flip(Effect.scoped(start(options)))

  it.scoped("on a port in use", () =>
    Effect.gen(function* () {
      const port = Number(new URL((yield* start()).url).port)
      const error = yield* failure({ port })
      assert.strictEqual(error._tag, "ListenError")
      assert.include(error.message, `Cannot listen on 127.0.0.1:${port}: it is in use`)
    })
  )

  it.scoped("on a blank host or an invalid port, and then creates no database", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const database = `${yield* scratch}/apify.db`
      const wrong: ReadonlyArray<EmulatorOptions> = [
        { host: "" },
        { host: " \t" },
        { port: -1 },
        { port: 65_536 },
        { port: 1.5 },
        { port: Number.NaN }
      ]
      for (const options of wrong) {
        const error = yield* failure({ ...options, database })
        assert.strictEqual(error._tag, "ListenError")
        assert.include(error.message, options.port === undefined ? "a blank host" : "an integer from 0 to 65535")
        assert.isFalse(yield* fileSystem.exists(database))
      }
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scoped("on an address that this machine does not have", () =>
    Effect.gen(function* () {
      const error = yield* failure({ host: "192.0.2.1" })
      assert.strictEqual(error._tag, "ListenError")
      assert.include(error.message, "no such address")
    })
  )

  it.scoped("on a file that is not a database, in a folder that does not exist, or on a folder", () =>
    Effect.gen(function* () {
      const folder = yield* scratch
      writeFileSync(`${folder}/text.db`, "This is a text, and a text is no database. ".repeat(100))
      for (const database of [`${folder}/text.db`, `${folder}/missing/apify.db`, folder]) {
        const error = yield* failure({ database })
        assert.strictEqual(error._tag, "DatabaseError")
        assert.include(error.message, database)
      }
    })
  )

  it.scoped("from a seed file that is missing, not JSON or not a seed, and then creates no database", () =>
    Effect.gen(function* () {
      const folder = yield* scratch
      writeFileSync(`${folder}/broken.json`, '{\n  "users": [\n    { "username": apify_api_canary }\n')
      writeFileSync(`${folder}/wrong.json`, '{ "users": [{ "username": "a", "tokens": ["apify_api_canary"] }] }')
      const problems: Record<string, string> = {
        "missing.json": "it does not exist",
        "broken.json": "it is not JSON: see line 3, column 19",
        "wrong.json": "users[0].username"
      }
      for (const [file, problem] of Object.entries(problems)) {
        const error = yield* failure({ seed: `${folder}/${file}`, database: `${folder}/apify.db` })
        assert.strictEqual(error._tag, "InvalidSeedError")
        assert.include(error.message, file)
        assert.include(error.message, problem)
        assert.notInclude(error.message, "canary")
      }
      const fileSystem = yield* FileSystem.FileSystem
      assert.isFalse(yield* fileSystem.exists(`${folder}/apify.db`))
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )
})

describe("an emulator stops", () => {
  it.effect("at once with connections open, and frees its port", () =>
    Effect.gen(function* () {
      const agent = new Http.Agent({ keepAlive: true })
      const port = yield* freePort
      const sockets = yield* Effect.scoped(
        Effect.gen(function* () {
          const { url } = yield* start({ port })
          yield* request(url, DEMO, { token: DEMO_TOKEN, agent })
          const open = yield* Effect.all([
            connected(url),
            connected(url, "GET /v2/key-value-st"),
            connected(url, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"),
            connected(url, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
          ])
          // A response comes after the connections before it have been accepted.
          yield* demoStatus(url)
          return open
        })
      )
      yield* Effect.forEach(sockets, closed)
      agent.destroy()
      const again = yield* Effect.scoped(Effect.flatMap(start({ port }), ({ url }) => demoStatus(url)))
      assert.strictEqual(again, 200)
    })
  )
})

it.effect("no log message contains a token", () =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const logger = Logger.make(({ message, cause, annotations }) => {
      lines.push(JSON.stringify([message, cause, [...annotations]]))
    })
    const database = `${yield* scratch}/apify.db`
    const token = "plain-canary"
    yield* Effect.scoped(
      Effect.gen(function* () {
        const { url } = yield* start({ database, seed: { users: [{ username: "jane", tokens: [{ token }] }] } })
        yield* request(url, DEMO, { token })
        yield* request(url, `${DEMO}?token=${token}`)
      })
    ).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)), Logger.withMinimumLogLevel(LogLevel.All))
    assert.notInclude(lines.join("\n"), token)
  }).pipe(Effect.scoped)
)

it.scoped(
  "a row that cannot be read is a 500 with Apify's error body, and the log has the field without its value",
  () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => {
        lines.push(String(message))
      })
      const database = `${yield* scratch}/apify.db`
      const { url } = yield* start({ database }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
      yield* Effect.flatMap(SqlClient.SqlClient, (sql) => sql`UPDATE stores SET created_at = 'canary'`).pipe(
        Effect.provide(databaseLayer(database))
      )
      const { status, text } = yield* request(url, DEMO, { token: DEMO_TOKEN })
      assert.deepStrictEqual([status, text], [500, errorBody("internal-server-error", "Internal server error")])
      assert.lengthOf(lines, 1)
      assert.include(lines[0], "createdAt")
      assert.notInclude(lines[0], "canary")
    })
)
