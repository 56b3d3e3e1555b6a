import { assert, describe, it } from "@effect/vitest"
import { Store } from "@effect-apify/domain"
import { Emulator, type SeedJson } from "@effect-apify/emulator"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Ended, run } from "./run.js"

const TOKEN = "apify_api_canaryToken0000000000"
const KEY = "canaryKey1111111111"
const SIGNATURE = "canarySignature2222222222"

/** What no output may show. */
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

/** The text without the line that tells of the local Apify. */
const messageOf = ({ stderr }: Ended): string => stderr.replace(/^Asking a local Apify at .*\n\n/, "")

describe("start", () => {
  it.live("gets the documentation's store from a local Apify, and shows it aligned, with the key hidden", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run("start")
      assert.strictEqual(code, 0)
      assert.match(
        stderr,
        /^Asking a local Apify at http:\/\/127\.0\.0\.1:\d+\. Set APIFY_TOKEN to ask the real one\.\n\n$/
      )
      assert.deepStrictEqual(stdout.replace(/127\.0\.0\.1:\d+/, "HOST").split("\n"), [
        "ID           WkzbQMuFYuamGv3YF",
        "Name         d7b9MDYsbtX5L7XAj",
        "Owner        janedoe",
        "Owner's id   BPWDBd7Z9c746JAnF",
        "Created      12 Dec 2019, 07:34:14 UTC",
        "Modified     13 Dec 2019, 08:36:13 UTC",
        "Accessed     14 Dec 2019, 08:36:13 UTC",
        "Readable by  only those who were given rights",
        "Size         18 B",
        "Used         9 reads, 3 writes, 6 deletes, 2 listings",
        "Console      https://console.apify.com/storage/key-value-stores/27TmTznX9YPeAYhkC",
        "Keys         http://HOST/v2/key-value-stores/WkzbQMuFYuamGv3YF/keys?signature=<redacted>",
        "Signing key  hidden",
        ""
      ])
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

  it.live("prints the wire form with --json, and nothing else to stdout", () =>
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

  it.live("says what to do about a store that does not exist", () =>
    Effect.gen(function* () {
      const ended = yield* run("start", ["~missing", "--json"])
      fails(ended, 1)
      assert.match(messageOf(ended), /^Apify answered 404 record-not-found: .*no store ~missing: check the id, .*\n$/)
    })
  )

  it.live("says how a store is named, given what is no reference", () =>
    Effect.gen(function* () {
      const ended = yield* run("start", ["my store\u001b[2J"])
      fails(ended, 1)
      assert.match(messageOf(ended), /^"my store\\u\{1b\}\[2J" does not name a store: .*"username~store-name".*\n$/)
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

  it.live("explains itself with --help", () =>
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
      assert.match(ended.stderr, /^APIFY_TOKEN must be visible ASCII characters alone: .*line break.*\n$/)
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
    it.live("asks there, starts no Apify of its own, and shows no secret", () =>
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

    it.live("says where a token came from that the server does not know", () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        const wrong = `${TOKEN}0`
        const ended = yield* run("start", [id], { APIFY_API_BASE_URL: url, APIFY_TOKEN: wrong })
        fails(ended, 1)
        assert.match(ended.stderr, /^Apify answered 401 .*The token came from APIFY_TOKEN: check .*\n$/)
      }).pipe(Effect.provide(Emulator.layer({ seed })))
    )

    it.live("says how to give a token where none was", () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        const ended = yield* run("start", [id], { APIFY_API_BASE_URL: url })
        fails(ended, 1)
        assert.match(ended.stderr, /^Apify answered 401 .*No token was sent: set APIFY_TOKEN.*\n$/)
      }).pipe(Effect.provide(Emulator.layer({ seed })))
    )
  })
})
