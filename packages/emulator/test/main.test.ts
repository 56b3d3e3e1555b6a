/**
 * The command line, run as a process of its own.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as Http from "node:http"
import { tmpdir } from "node:os"
import type { Readable } from "node:stream"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Scope } from "effect/Scope"
import Libsql from "libsql"
import { bundle } from "../../../vitest.bundle.js"
import { freePort } from "../../../vitest.port.js"
import { hashToken } from "../src/Callers.js"
import { databaseLayer } from "../src/Database.js"
import { DEMO_TOKEN, demoSeed, type SeedJson } from "../src/index.js"
import { loadSeed } from "../src/loadSeed.js"
import { decodeSeed } from "../src/readSeed.js"
import { request, storePath } from "./request.js"

interface Emulator {
  readonly process: ChildProcessByStdio<null, Readable, Readable>
  /** What it has written so far. */
  readonly output: { stdout: string; stderr: string }
  readonly exit: Effect.Effect<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>
}

const folder = mkdtempSync(`${tmpdir()}/emulator-`)
const program = `${folder}/main.mjs`

beforeAll(() => bundle(folder, `${import.meta.dirname}/../src/main.ts`))
afterAll(() => rmSync(folder, { recursive: true }))

const run = (...args: ReadonlyArray<string>): Effect.Effect<Emulator, never, Scope> =>
  spawning(process.execPath, [program, ...args])

const spawning = (
  program: string,
  args: ReadonlyArray<string>,
  options: { readonly uid?: number } = {}
): Effect.Effect<Emulator, never, Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...options })),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    ),
    (child) => {
      const output = { stdout: "", stderr: "" }
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        output.stdout += text
      })
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        output.stderr += text
      })
      const exited = new Promise<number | null>((resolve) => child.once("close", resolve))
      return {
        process: child,
        output,
        exit: Effect.map(
          Effect.promise(() => exited),
          (code) => ({ code, ...output })
        )
      }
    }
  )

/** The URL of the ready line. */
const ready = ({ process, output }: Emulator): Effect.Effect<string, Error> =>
  Effect.async((resume) => {
    const look = () => {
      const url = /ready at (\S+)\n[\s\S]*Ctrl\+C\n/.exec(output.stdout)?.[1]
      if (url !== undefined) resume(Effect.succeed(url))
    }
    process.stdout.on("data", look)
    process.once("close", () => resume(Effect.fail(new Error(`It ended before it was ready: ${output.stderr}`))))
    look()
  })

const scratch = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(`${tmpdir()}/emulator-`)),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

/** The most that the process may write to one file, in blocks of 512 bytes or of 1 KiB. */
const runLimited = (blocks: number, ...args: ReadonlyArray<string>): Effect.Effect<Emulator, never, Scope> =>
  spawning("sh", ["-c", `ulimit -f ${blocks}; exec "$@"`, "sh", process.execPath, program, ...args])

const largeSeed = (stores: number): SeedJson => ({
  users: [{ username: "jane", tokens: [{ token: "t1" }] }],
  stores: Array.from({ length: stores }, (_, index) => ({
    owner: "jane",
    store: {
      id: `Store${String(index).padStart(12, "0")}`,
      name: `store-${index}`,
      title: "x".repeat(5_000),
      createdAt: "2019-12-12T07:34:14.202Z",
      modifiedAt: "2019-12-13T08:36:13.202Z",
      accessedAt: "2019-12-14T08:36:13.202Z"
    }
  }))
})

/** Changes a database in ways that the emulator does not. */
const damaged = (file: string, ...statements: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.acquireUseRelease(
    Effect.sync(() => new Libsql(file)),
    (database) =>
      Effect.sync(() => {
        for (const statement of statements) database.exec(statement)
      }),
    (database) => Effect.sync(() => database.close())
  )

const usersIn = (file: string): Effect.Effect<number> =>
  Effect.acquireUseRelease(
    Effect.sync(() => new Libsql(file)),
    (database) =>
      Effect.sync(() => {
        const isThere = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'users'").all().length > 0
        return isThere ? database.prepare("SELECT 1 FROM users").all().length : 0
      }),
    (database) => Effect.sync(() => database.close())
  )

describe("the command line", () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it.scopedLive(`starts, responds, and exits with 0 on ${signal} while a connection is kept alive`, () =>
      Effect.gen(function* () {
        const emulator = yield* run("--port", "0")
        const url = yield* ready(emulator)
        assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/)
        assert.include(emulator.output.stdout, DEMO_TOKEN)
        const agent = new Http.Agent({ keepAlive: true })
        const response = yield* request(url, storePath("WkzbQMuFYuamGv3YF"), { token: DEMO_TOKEN, agent })
        assert.strictEqual(response.status, 200)
        emulator.process.kill(signal)
        const { code, stderr } = yield* emulator.exit
        agent.destroy()
        assert.deepStrictEqual([code, stderr], [0, ""])
      })
    )
  }

  it.scopedLive("keeps a seed in the database file for the next start", () =>
    Effect.gen(function* () {
      const folder = yield* scratch
      writeFileSync(`${folder}/seed.json`, JSON.stringify({ users: [{ username: "jane", tokens: [{ token: "t1" }] }] }))
      for (const seed of [["--seed", `${folder}/seed.json`], []]) {
        const emulator = yield* run("--port", "0", "--database", `${folder}/apify.db`, ...seed)
        const response = yield* request(yield* ready(emulator), storePath("~missing"), { token: "t1" })
        assert.strictEqual(response.status, 404)
        assert.notInclude(emulator.output.stdout, DEMO_TOKEN)
        emulator.process.kill("SIGTERM")
        assert.strictEqual((yield* emulator.exit).code, 0)
      }
    })
  )

  it.scopedLive("--rate-limits refuses what is too much", () =>
    Effect.gen(function* () {
      const url = yield* ready(yield* run("--port", "0", "--rate-limits"))
      const get = request(url, storePath("WkzbQMuFYuamGv3YF"), { token: DEMO_TOKEN })
      const many = Effect.all(
        Array.from({ length: 100 }, () => get),
        { concurrency: 10 }
      )
      // However slow the machine is, it sends more than 60 in some second.
      let statuses: Array<number> = []
      while (!statuses.includes(429)) statuses = (yield* many).map(({ status }) => status)
      assert.includeMembers([200, 429], statuses)
    })
  )

  it.scopedLive("--maximum-record-bytes refuses larger records", () =>
    Effect.gen(function* () {
      const url = yield* ready(yield* run("--port", "0", "--maximum-record-bytes", "5"))
      const put = (body: string) =>
        Effect.map(
          request(url, `${storePath("WkzbQMuFYuamGv3YF")}/records/a`, { method: "PUT", token: DEMO_TOKEN, body }),
          ({ status }) => status
        )
      assert.deepStrictEqual([yield* put("12345"), yield* put("123456")], [201, 400])
    })
  )

  it.scopedLive("--help lists every option", () =>
    Effect.gen(function* () {
      const { code, stdout, stderr } = yield* (yield* run("--help")).exit
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.include(stdout, "$ effect-apify-emulator")
      const options = ["--port", "--host", "--database", "--seed", "--maximum-record-bytes", "--rate-limits"]
      for (const option of options) assert.include(stdout, option)
    })
  )

  it.scopedLive("serves on if nobody reads what it prints", () =>
    Effect.gen(function* () {
      const port = yield* freePort
      // As the README runs it: only then does Node report what it cannot write.
      const source = ["--import", "tsx", `${import.meta.dirname}/../src/main.ts`]
      const emulator = yield* spawning(process.execPath, [...source, "--port", String(port)])
      emulator.process.stdout.destroy()
      const served = Effect.eventually(request(`http://127.0.0.1:${port}`, storePath("any")))
      yield* Effect.raceFirst(served, emulator.exit)
      emulator.process.kill("SIGINT")
      assert.deepStrictEqual(yield* emulator.exit, { code: 0, stdout: "", stderr: "" })
    })
  )

  it.scopedLive("--version is the version of the package", () =>
    Effect.gen(function* () {
      const { version } = JSON.parse(readFileSync(`${import.meta.dirname}/../package.json`, "utf8"))
      const { code, stdout, stderr } = yield* (yield* run("--version")).exit
      assert.deepStrictEqual([code, stdout.trim(), stderr], [0, version, ""])
    })
  )

  it.scopedLive("output that is not a terminal has no colors", () =>
    Effect.gen(function* () {
      const help = yield* (yield* run("--help")).exit
      const mistake = yield* (yield* run("--port", "http")).exit
      assert.notInclude(help.stdout + mistake.stderr, "\u001b")
    })
  )

  describe("exits with 2 and a message", () => {
    const commands: ReadonlyArray<readonly [args: ReadonlyArray<string>, message: string]> = [
      [["--port", "http"], "--port must be a number from 0 to 65535"],
      [["--port", "65536"], "--port must be a number from 0 to 65535"],
      [["--port", "-1"], "--port must be a number from 0 to 65535"],
      [["--port", "1.5"], "--port must be a number from 0 to 65535"],
      [["--port", "0x10"], "--port must be a number from 0 to 65535"],
      [["--port"], "--port needs a value: a number from 0 to 65535."],
      [["--port", "--host", "127.0.0.1"], "--port needs a value"],
      [["--seed"], "--seed needs a value: the name of a JSON file."],
      [["--database="], "--database needs a value: the name of a file."],
      [["--host", ""], "--host must not be blank. Give an address, such as 127.0.0.1"],
      [["--host", " "], "--host must not be blank"],
      [["--database", ""], "--database must not be blank"],
      [["--seed", ""], "--seed must not be blank"],
      [["--unknown"], "--unknown"],
      [["extra"], "extra"]
    ]
    for (const [args, message] of commands) {
      it.scopedLive(`for ${JSON.stringify(args)}`, () =>
        Effect.gen(function* () {
          const { code, stdout, stderr } = yield* (yield* run(...args)).exit
          assert.deepStrictEqual([code, stdout], [2, ""])
          assert.include(stderr, message)
        })
      )
    }
  })

  describe("exits with 1 and one message", () => {
    it.scopedLive("for a port in use", () =>
      Effect.gen(function* () {
        const { port } = new URL(yield* ready(yield* run("--port", "0")))
        const { code, stdout, stderr } = yield* (yield* run("--port", port)).exit
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.match(stderr, /^Cannot listen on 127\.0\.0\.1:\d+: it is in use\. .*\n$/)
      })
    )

    it.scopedLive("for an invalid seed, with the field and without the token", () =>
      Effect.gen(function* () {
        const file = `${yield* scratch}/seed.json`
        writeFileSync(file, JSON.stringify({ users: [{ username: "jane", tokens: [{ token: "a canary" }] }] }))
        const { code, stdout, stderr } = yield* (yield* run("--port", "0", "--seed", file)).exit
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.include(stderr, "users[0].tokens[0].token is not printable ASCII characters without spaces")
        assert.notInclude(stderr, "canary")
      })
    )

    it.scopedLive("for a disk that fills up during the load of a seed, which is rolled back", () =>
      Effect.gen(function* () {
        const folder = yield* scratch
        writeFileSync(`${folder}/seed.json`, JSON.stringify(largeSeed(1_000)))
        const args = ["--port", "0", "--database", `${folder}/apify.db`]
        const { code, stdout, stderr } = yield* (yield* runLimited(2_000, ...args, "--seed", `${folder}/seed.json`))
          .exit
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.match(stderr, /^Cannot use the database .*: (?:the disk is full|reading or writing it failed)\. .*\n$/)
        assert.strictEqual(yield* usersIn(`${folder}/apify.db`), 0)
      })
    )

    it.scopedLive("for another program's database", () =>
      Effect.gen(function* () {
        const file = `${yield* scratch}/notes.db`
        yield* damaged(file, "CREATE TABLE notes (text TEXT)")
        const { code, stdout, stderr } = yield* (yield* run("--port", "0", "--database", file)).exit
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.match(stderr, /^Cannot use the database .*: it belongs to another program\. .*\n$/)
      })
    )

    it.scopedLive("for a seed file that does not exist or is a folder", () =>
      Effect.gen(function* () {
        const folder = yield* scratch
        const problems = {
          [`${folder}/missing/seed.json`]: "it does not exist",
          [folder]: "it cannot be read. Check that it is a file and that you have permission"
        }
        for (const [file, problem] of Object.entries(problems)) {
          const { code, stdout, stderr } = yield* (yield* run("--port", "0", "--seed", file)).exit
          assert.deepStrictEqual([code, stdout], [1, ""])
          assert.strictEqual(stderr, `The seed file ${file} is invalid. Nothing was loaded:\n  ${problem}\n`)
        }
      })
    )

    it.scopedLive("for a database that is read-only, or its lock", () =>
      Effect.gen(function* () {
        const data = yield* scratch
        const database = `${data}/apify.db`
        yield* Effect.scoped(Effect.flatMap(run("--port", "0", "--database", database), ready))
        // Nothing is read-only to root.
        const uid = process.getuid?.() === 0 ? { uid: 65_534 } : {}
        for (const open of [folder, data]) chmodSync(open, 0o777)
        const start = spawning(process.execPath, [program, "--port", "0", "--database", database], uid)
        const problems = { "apify.db-lock": `the file that locks it, ${database}-lock, is`, "apify.db": "it is" }
        for (const [name, problem] of Object.entries(problems)) {
          for (const file of readdirSync(data)) chmodSync(`${data}/${file}`, file === name ? 0o444 : 0o666)
          const { code, stdout, stderr } = yield* Effect.flatMap(start, ({ exit }) => exit)
          assert.deepStrictEqual([code, stdout], [1, ""])
          const advice = "Check the permissions of the file and of its folder."
          assert.strictEqual(stderr, `Cannot use the database ${database}: ${problem} read-only. ${advice}\n`)
        }
      })
    )

    it.scopedLive("for a database in a folder that does not exist, or that is a folder", () =>
      Effect.gen(function* () {
        const folder = yield* scratch
        mkdirSync(`${folder}/data`)
        writeFileSync(`${folder}/file`, "")
        const problems = {
          missing: `the folder ${folder}/missing does not exist. Create that folder, or choose a file in another one.`,
          file: `${folder}/file is not a folder. Choose a file in a folder that exists.`
        }
        for (const [parent, problem] of Object.entries(problems)) {
          const file = `${folder}/${parent}/apify.db`
          const { code, stdout, stderr } = yield* (yield* run("--port", "0", "--database", file)).exit
          assert.deepStrictEqual([code, stdout], [1, ""])
          assert.strictEqual(stderr, `Cannot use the database ${file}: ${problem}\n`)
        }
        const { code, stdout, stderr } = yield* (yield* run("--port", "0", "--database", `${folder}/data`)).exit
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.strictEqual(
          stderr,
          `Cannot use the database ${folder}/data: it is a folder. Name a file in it, such as ${folder}/data/apify.db.\n`
        )
      })
    )
  })
})

// ---- Signals -----------------------------------------------------------------------------------------------------------

it.scopedLive("a signal during the load of a seed ends the process with a message, and rolls the load back", () =>
  Effect.gen(function* () {
    const folder = yield* scratch
    const program = `${folder}/signalledMain.mjs`
    yield* Effect.promise(() => bundle(folder, `${import.meta.dirname}/signalledMain.ts`))
    writeFileSync(`${folder}/seed.json`, JSON.stringify(largeSeed(2_000)))
    const database = `${folder}/apify.db`
    const args = ["--port", "0", "--database", database, "--seed", `${folder}/seed.json`]
    const { code, stdout, stderr } = yield* (yield* spawning(process.execPath, [program, ...args])).exit
    assert.deepStrictEqual([code, stdout], [1, ""])
    assert.strictEqual(stderr, "Stopped before the emulator was ready. A seed is loaded whole or not at all.\n")
    assert.strictEqual(yield* usersIn(database), 0)
  })
)

// ---- Damage ------------------------------------------------------------------------------------------------------------

it.scopedLive("a row that is not UTF-8 makes its own requests fail with 500, and no others", () =>
  Effect.gen(function* () {
    const database = `${yield* scratch}/apify.db`
    const [demo] = demoSeed.stores
    const columns = [
      "name",
      "title",
      "created_at",
      "act_id",
      "console_url",
      "keys_public_url",
      "general_access",
      "schema"
    ]
    const idOf = (index: number) => `Store${String(index).padStart(12, "0")}`
    const seed = yield* decodeSeed({
      users: [
        ...demoSeed.users,
        { username: "damaged", tokens: [{ token: "damaged-user" }] },
        { username: "other", tokens: [{ token: "damaged-token" }] }
      ],
      stores: [
        ...demoSeed.stores,
        ...columns.map((_, index) => ({
          owner: "janedoe",
          store: { ...demo?.store, id: idOf(index), name: `store-${index}`, schema: { a: "b" } }
        })),
        { owner: "damaged", store: { ...demo?.store, id: idOf(90), userId: null, username: null } },
        {
          owner: "janedoe",
          grants: [{ user: "other", access: "READ" }],
          store: { ...demo?.store, id: idOf(91), name: "granted" }
        }
      ]
    })
    yield* Effect.provide(loadSeed(seed), databaseLayer(database))
    const wrong = "CAST(X'61ff62' AS TEXT)"
    yield* damaged(
      database,
      ...columns.map((column, index) => `UPDATE stores SET ${column} = ${wrong} WHERE id = '${idOf(index)}'`),
      `UPDATE users SET username = ${wrong} WHERE username = 'damaged'`,
      `UPDATE tokens SET scope = ${wrong} WHERE hash = '${hashToken(Redacted.make("damaged-token"))}'`,
      `UPDATE grants SET access = ${wrong}`
    )
    const url = yield* ready(yield* run("--port", "0", "--database", database))
    const statusOf = (id: string, token: string) =>
      Effect.map(request(url, storePath(id), { token }), ({ status }) => status)
    for (const [index, column] of columns.entries()) {
      assert.strictEqual(yield* statusOf(idOf(index), DEMO_TOKEN), 500, column)
    }
    assert.strictEqual(yield* statusOf(idOf(90), "damaged-user"), 500)
    assert.strictEqual(yield* statusOf(demo?.store.id ?? "", "damaged-token"), 500)
    assert.strictEqual(yield* statusOf(demo?.store.id ?? "", DEMO_TOKEN), 200)
  })
)
