import { assert, describe, it } from "@effect/vitest"
import { Emulator, type SeedJson } from "@effect-apify/emulator"
import { Store } from "@effect-apify/http"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { bundled, type Ended, runSource, runUnread } from "./run.js"

const TOKEN = "apify_api_canaryToken0000000000"
const KEY = "canaryKey1111111111"
const SIGNATURE = "canarySignature2222222222"

/** No output may show these. */
const secrets = [TOKEN, KEY, SIGNATURE]

const id = "abcdefghijklmnopq"

const seed: SeedJson = {
  users: [{ username: "alice", tokens: [{ token: TOKEN }] }],
  stores: [
    {
      owner: "alice",
      store: {
        id,
        name: "hers",
        createdAt: "2024-01-02T03:04:05.006Z",
        modifiedAt: "2024-01-02T03:04:05.006Z",
        accessedAt: "2024-01-02T03:04:05.006Z",
        keysPublicUrl: `https://api.apify.com/v2/key-value-stores/${id}/keys?signature=${SIGNATURE}`,
        urlSigningSecretKey: KEY,
        stats: { storageBytes: 1_234_567 }
      }
    }
  ]
}

const showsNoSecret = ({ stderr, stdout }: Ended) => {
  for (const secret of secrets) assert.notInclude(stdout + stderr, secret)
}

const fails = (ended: Ended, code: number) => {
  assert.strictEqual(ended.code, code)
  assert.strictEqual(ended.stdout, "")
  assert.notInclude(ended.stderr, "    at ")
  showsNoSecret(ended)
}

/** Standard error without the line about the local Apify. */
const messageOf = ({ stderr }: Ended): string => stderr.replace(/^Using a local Apify at .*\n\n/, "")

const run = bundled("start")

describe("start", () => {
  it.live(
    "gets the documentation's store from a local Apify, and prints it in aligned lines, with its key hidden",
    () =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* runSource("start")
        assert.strictEqual(code, 0)
        assert.match(
          stderr,
          /^Using a local Apify at http:\/\/127\.0\.0\.1:\d+\. Set APIFY_TOKEN to use your account\.\n\n$/
        )
        assert.deepStrictEqual(stdout.replace(/127\.0\.0\.1:\d+/, "HOST").split("\n"), [
          "ID           WkzbQMuFYuamGv3YF",
          "Name         d7b9MDYsbtX5L7XAj",
          "Owner        janedoe",
          "Owner's ID   BPWDBd7Z9c746JAnF",
          "Created      12 Dec 2019, 07:34:14 UTC",
          "Modified     13 Dec 2019, 08:36:13 UTC",
          "Accessed     14 Dec 2019, 08:36:13 UTC",
          "Readable by  users with granted access",
          "Size         18 B",
          "Used         9 reads, 3 writes, 6 deletes, 2 listings",
          "Console      https://console.apify.com/storage/key-value-stores/27TmTznX9YPeAYhkC",
          "Keys         http://HOST/v2/key-value-stores/WkzbQMuFYuamGv3YF/keys?signature=<redacted>",
          "Signing key  hidden",
          ""
        ])
      })
  )

  it.live("ends without a stack trace if nobody reads what it prints", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* runUnread("start")
      assert.strictEqual(code, 0)
      assert.match(stderr, /^Using a local Apify at .*\n\n$/)
    })
  )

  for (const ref of ["~d7b9MDYsbtX5L7XAj", "janedoe~D7B9MDYSBTX5L7XAJ"]) {
    it.live(`gets a store by its name, ${ref}`, () =>
      Effect.gen(function* () {
        const { code, stdout } = yield* run("start", [ref])
        assert.strictEqual(code, 0)
        assert.match(stdout, /^ID {11}WkzbQMuFYuamGv3YF\n/)
      })
    )
  }

  it.live("prints Apify's JSON with --json, and nothing else to stdout", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* run("start", ["--json"])
      assert.strictEqual(code, 0)
      const json: unknown = JSON.parse(stdout)
      assert.deepInclude(json, {
        id: "WkzbQMuFYuamGv3YF",
        actId: null,
        urlSigningSecretKey: "<redacted>",
        stats: { readCount: 9, writeCount: 3, deleteCount: 6, listCount: 2, s3StorageBytes: 18 }
      })
      assert.notInclude(stdout, "abc123")
      assert.strictEqual(Schema.decodeUnknownSync(Store)(json).id, "WkzbQMuFYuamGv3YF")
    })
  )

  it.live("says what to do if the store does not exist", () =>
    Effect.gen(function* () {
      const ended = yield* run("start", ["~missing", "--json"])
      fails(ended, 1)
      assert.match(
        messageOf(ended),
        /^Apify responded with 404 record-not-found: .*There is no store ~missing\. Check the name and the token\.\n$/
      )
    })
  )

  it.live("says how to refer to a store if the argument is not a reference", () =>
    Effect.gen(function* () {
      const ended = yield* run("start", ["my store\u001b[2J"])
      fails(ended, 1)
      assert.match(
        messageOf(ended),
        /^"my store\\u\{1b\}\[2J" is not a reference to a store: .*"username~store-name".*\n$/
      )
    })
  )

  for (const args of [["one", "two"], ["--unknown"], ["--json=yes"]]) {
    it.live(`exits with 2 and the usage for ${args.join(" ")}`, () =>
      Effect.gen(function* () {
        const ended = yield* run("start", args)
        fails(ended, 2)
        assert.include(ended.stderr, "Usage: npx pnpm@12 start [REF] [--json]")
      })
    )
  }

  it.live("prints its usage with --help", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run("start", ["--help"])
      assert.deepStrictEqual([code, stderr], [0, ""])
      for (const word of ["REF", "--json", "APIFY_TOKEN", "APIFY_API_BASE_URL"]) assert.include(stdout, word)
    })
  )

  it.live("refuses a token with a line break without showing it", () =>
    Effect.gen(function* () {
      const ended = yield* run("start", [], { APIFY_TOKEN: `${TOKEN}\nrest` })
      fails(ended, 1)
      assert.match(ended.stderr, /^APIFY_TOKEN must be visible ASCII .*line break.*\n$/)
    })
  )

  for (const [setting, value] of [
    ["APIFY_API_BASE_URL", "apify.example"],
    ["APIFY_API_BASE_URL", `https://alice:${KEY}@apify.example`],
    ["APIFY_RETRIES", "many"]
  ] as const) {
    it.live(`says that ${setting}=${value.replace(KEY, "…")} cannot be used`, () =>
      Effect.gen(function* () {
        const ended = yield* run("start", [], { APIFY_TOKEN: TOKEN, [setting]: value })
        fails(ended, 1)
        assert.match(ended.stderr, new RegExp(`^${setting} .+\\n$`))
      })
    )
  }

  describe("with APIFY_API_BASE_URL set", () => {
    it.live("uses that server, starts none of its own, and shows no secret", () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        for (const args of [[id], ["~hers", "--json"]]) {
          const ended = yield* run("start", args, { APIFY_API_BASE_URL: url, APIFY_TOKEN: TOKEN })
          assert.deepStrictEqual([ended.code, ended.stderr], [0, ""])
          assert.include(ended.stdout, `${url}/v2/key-value-stores/${id}/keys?signature=<redacted>`)
          showsNoSecret(ended)
        }
      }).pipe(Effect.provide(Emulator.layer({ seed })))
    )

    it.live("says where an unknown token was read from", () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        const wrong = `${TOKEN}0`
        const ended = yield* run("start", [id], { APIFY_API_BASE_URL: url, APIFY_TOKEN: wrong })
        fails(ended, 1)
        assert.match(ended.stderr, /^Apify responded with 401 .*The token was read from APIFY_TOKEN\. Check .*\n$/)
      }).pipe(Effect.provide(Emulator.layer({ seed })))
    )

    it.live("says how to set a token if there is none", () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        const ended = yield* run("start", [id], { APIFY_API_BASE_URL: url })
        fails(ended, 1)
        assert.match(ended.stderr, /^Apify responded with 403 .*The request carried no token: set APIFY_TOKEN.*\n$/)
      }).pipe(Effect.provide(Emulator.layer({ seed })))
    )
  })
})
