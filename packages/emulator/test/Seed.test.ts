/**
 * Seeds: what is refused and what the errors say, and that loading is all or nothing and may be repeated.
 */
import { readFileSync } from "node:fs"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import { AccessLevel } from "@effect-apify/domain/GeneralAccess"
import { formatPath } from "@effect-apify/domain/Problem"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { character } from "../../../vitest.text.js"
import * as Callers from "../src/Callers.js"
import { databaseLayer, IN_MEMORY } from "../src/Database.js"
import { demoSeed } from "../src/demo.js"
import { syntaxErrorPosition } from "../src/internal/jsonSyntax.js"
import { loadSeed } from "../src/loadSeed.js"
import { decodeSeed, readSeedFile } from "../src/readSeed.js"
import * as Seeds from "../src/Seed.js"
import * as StoreRows from "../src/StoreRows.js"

const { InvalidSeedError, Seed } = Seeds

const CANARY = "canary_value_never_shown"
const dates = {
  createdAt: "2019-12-12T07:34:14.202Z",
  modifiedAt: "2019-12-13T08:36:13.202Z",
  accessedAt: "2019-12-14T08:36:13.202Z"
}
const user = { username: "janedoe", tokens: [{ token: "token-1" }] }
const store = { id: "WkzbQMuFYuamGv3YF", name: "my-store", ...dates }

const run = {
  id: "RunOfJane00000000",
  owner: "janedoe",
  actor: { id: "ActorOfJane000000", name: "my-actor" },
  startedAt: "2026-01-01T12:00:00.000Z",
  defaultKeyValueStoreId: store.id
}

const pathsOf = (input: unknown) =>
  Effect.map(Effect.flip(decodeSeed(input)), (error) => error.problems.map(({ path }) => formatPath(path)))

describe("a seed is refused", () => {
  const refused: ReadonlyArray<readonly [string, unknown, ReadonlyArray<string>]> = [
    ["that is no object", CANARY, [""]],
    ["without users", {}, ["users"]],
    ["with a field that is not known", { users: [], shops: [] }, ["shops"]],
    ["with a misspelt setting", { users: [{ ...user, settings: "RESTRICTED" }] }, ["users[0].settings"]],
    [
      "with a scope that is none",
      { users: [{ ...user, tokens: [{ token: CANARY, scope: CANARY }] }] },
      ["users[0].tokens[0].scope"]
    ],
    [
      "with a token that no header can carry",
      { users: [{ ...user, tokens: [{ token: `${CANARY} ` }] }] },
      ["users[0].tokens[0].token"]
    ],
    [
      "with a token that is no string",
      { users: [{ ...user, tokens: [{ token: [CANARY] }] }] },
      ["users[0].tokens[0].token"]
    ],
    ["with a username that is none", { users: [{ username: "a b" }] }, ["users[0].username"]],
    ["with a username twice", { users: [user, { username: "JaneDoe" }] }, ["users[1].username"]],
    ["with a token twice", { users: [user, { username: "other", tokens: user.tokens }] }, ["users[1].tokens[0].token"]],
    ["with an owner who is not there", { users: [user], stores: [{ owner: "other", store }] }, ["stores[0].owner"]],
    [
      "with rights of somebody who is not there",
      { users: [user], stores: [{ owner: "janedoe", grants: [{ user: "other", access: "READ" }], store }] },
      ["stores[0].grants[0].user"]
    ],
    [
      "with a store id twice",
      {
        users: [user],
        stores: [
          { owner: "janedoe", store },
          { owner: "janedoe", store: { ...store, name: "other" } }
        ]
      },
      ["stores[1].store.id"]
    ],
    [
      "with a name twice",
      {
        users: [user],
        stores: [
          { owner: "janedoe", store },
          { owner: "JANEDOE", store: { ...store, id: "AkzbQMuFYuamGv3YF", name: "MY-STORE" } }
        ]
      },
      ["stores[1].store.name"]
    ],
    [
      "with another owner inside the store",
      { users: [user], stores: [{ owner: "janedoe", store: { ...store, username: "other" } }] },
      ["stores[0].store.username"]
    ],
    [
      "with an id that is none",
      { users: [user], stores: [{ owner: "janedoe", store: { ...store, id: "a~b" } }] },
      ["stores[0].store.id"]
    ],
    [
      "with a link that is none",
      { users: [user], stores: [{ owner: "janedoe", store: { ...store, keysPublicUrl: `http://[${CANARY}` } }] },
      ["stores[0].store.keysPublicUrl"]
    ],
    [
      "with a token for a store whose ID is none",
      { users: [{ ...user, tokens: [{ token: "t", stores: { "a~b": "READ" } }] }] },
      ['users[0].tokens[0].stores["a~b"]']
    ],
    [
      "with a run of somebody who is not there, twice",
      {
        users: [user],
        runs: [
          { ...run, owner: "other" },
          { ...run, startedAt: "2026-01-02T12:00:00.000Z" }
        ]
      },
      ["runs[0].owner", "runs[1].id"]
    ],
    [
      "with a run of no status, of no origin, of an Actor that is none",
      { users: [user], runs: [{ ...run, status: "DONE", origin: "HOME", actor: { id: CANARY } }] },
      ["runs[0].actor.id", "runs[0].actor.name", "runs[0].status", "runs[0].origin"]
    ],
    [
      "with every problem at once",
      { users: [{}, { username: 1 }], stores: [{ owner: "janedoe", store: {} }] },
      [
        "users[0].username",
        "users[1].username",
        "stores[0].store.id",
        "stores[0].store.createdAt",
        "stores[0].store.modifiedAt",
        "stores[0].store.accessedAt"
      ]
    ]
  ]
  for (const [name, input, paths] of refused) {
    it.effect(`${name}: ${paths.join(", ") || "the whole of it"}`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* pathsOf(input), paths)
        const error = yield* Effect.flip(decodeSeed(input, Option.some("seed.json")))
        for (const path of paths) assert.include(error.message, path)
        assert.include(error.message, "seed.json")
        assert.notInclude(`${error.message} ${error.stack} ${JSON.stringify(error)}`, CANARY)
      })
    )
  }

  it.effect("or accepted, for any JSON, and never a defect", () =>
    Effect.sync(() =>
      fc.assert(
        fc.property(fc.jsonValue(), (json) => {
          const result = Effect.runSync(Effect.either(decodeSeed(json)))
          assert.isTrue(result._tag === "Right" || result.left instanceof InvalidSeedError)
        })
      )
    )
  )
})

describe("a problem of a seed reads as a sentence:", () => {
  const messages: ReadonlyArray<readonly [name: string, input: unknown, line: string]> = [
    ["what is missing", { users: [{}] }, "users[0].username is missing"],
    [
      "a date that is none",
      { users: [user], stores: [{ owner: "janedoe", store: { ...store, createdAt: "yesterday" } }] },
      "stores[0].store.createdAt is not an ISO 8601 date and time with a time zone"
    ],
    [
      "a date without a time zone",
      { users: [user], stores: [{ owner: "janedoe", store: { ...store, modifiedAt: "2019-12-12T07:34:14.202" } }] },
      "stores[0].store.modifiedAt is not an ISO 8601 date and time with a time zone"
    ],
    [
      "a scope",
      { users: [{ ...user, tokens: [{ token: "t", scope: "ALL" }] }] },
      'users[0].tokens[0].scope is not "READ" or "WRITE"'
    ],
    ["a seed that is no object", [], "it is not an object"],
    ["a misspelt field", { users: [], store: [] }, "store is not a known field"]
  ]
  for (const [name, input, line] of messages) {
    it.effect(name, () =>
      Effect.map(Effect.flip(decodeSeed(input)), (error) =>
        assert.deepStrictEqual(error.message.split("\n  ").slice(1), [line])
      )
    )
  }
})

describe("the seeds that are shown to users are seeds:", () => {
  const root = `${import.meta.dirname}/../../..`
  const example = readFileSync(`${root}/packages/emulator/seed.example.json`, "utf8")
  const documented = Array.from(
    readFileSync(`${root}/docs/seed.md`, "utf8").matchAll(/```json\n([\s\S]*?)```/g),
    ([, json]) => json ?? ""
  )

  it.effect("the example, with a token and a store of every kind", () =>
    Effect.gen(function* () {
      const { users, stores, runs } = yield* decodeSeed(JSON.parse(example))
      const tokens = users.flatMap(({ tokens }) => tokens)
      assert.includeMembers(
        tokens.map(({ scope }) => Option.getOrNull(scope)),
        ["READ", null]
      )
      assert.isTrue(tokens.some(({ stores }) => Option.isSome(stores)))
      assert.isTrue(runs.some(({ task }) => Option.isSome(task)))
      assert.includeMembers(
        stores.map(({ store }) => Option.getOrNull(store.generalAccess)),
        [...AccessLevel.literals]
      )
      assert.includeMembers(
        stores.flatMap(({ grants }) => grants.map(({ access }) => access)),
        ["READ", "WRITE"]
      )
    })
  )

  it.effect("the documentation's", () =>
    Effect.gen(function* () {
      assert.lengthOf(documented, 1)
      for (const json of documented) yield* decodeSeed(JSON.parse(json))
    })
  )
})

describe("a seed file", () => {
  const reading = (content: string | Uint8Array) =>
    Effect.scoped(
      Effect.gen(function* () {
        const fileSystem = yield* FileSystem.FileSystem
        const file = yield* fileSystem.makeTempFileScoped()
        yield* fileSystem.writeFile(file, typeof content === "string" ? Buffer.from(content) : content)
        return yield* readSeedFile(file)
      })
    ).pipe(Effect.provide(NodeFileSystem.layer))
  const problemOf = (content: string | Uint8Array) =>
    Effect.map(Effect.flip(reading(content)), (error) =>
      error._tag === "InvalidSeedError" ? error.problems.map(({ problem }) => problem) : error._tag
    )

  it.effect("that is not JSON is refused with line and column", () =>
    Effect.gen(function* () {
      const broken: ReadonlyArray<readonly [string, string]> = [
        ["", "line 1, column 1"],
        ['{\n  "users": [\n    { "username": jane }', "line 3, column 19"],
        ['{"users": [], }', "line 1, column 15"],
        ['{"users": []}\n}', "line 2, column 1"],
        ['{"users": "a\nb"}', "line 1, column 13"],
        ["{'users': []}", "line 1, column 2"]
      ]
      for (const [text, place] of broken) assert.deepStrictEqual(yield* problemOf(text), [`is not JSON: see ${place}`])
    })
  )

  it.effect("that is not UTF-8 is refused with the offset of the first wrong byte", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.string({ unit: character }).map((text) => Buffer.from(`\ufffd${text}`)),
          fc.constantFrom([0xff], [0xc3, 0x28], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf0, 0x9f]),
          fc.string(),
          (before, wrong, after) =>
            Effect.runPromise(
              Effect.map(problemOf(Buffer.concat([before, Buffer.from(wrong), Buffer.from(`.${after}`)])), (problems) =>
                assert.deepStrictEqual(problems, [
                  `is not UTF-8: the byte at offset ${before.length} is not part of a character`
                ])
              )
            )
        ),
        { numRuns: 50 }
      )
    )
  )

  it.effect("may begin with a byte order mark", () => reading('\ufeff{"users": []}'))
})

it("a syntax error is found exactly where JSON.parse fails, after a valid beginning", () => {
  const text = fc.oneof(
    fc.json(),
    fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom("", '"', "{", "]", ",", ":", "x", "\\", "1", "\n", "tru"))
      .map(([json, at, inserted]) => {
        const position = at % (json.length + 1)
        return json.slice(0, position) + inserted + json.slice(position + (at % 2))
      })
  )
  const fails = (text: string): boolean => {
    try {
      JSON.parse(text)
      return false
    } catch {
      return true
    }
  }
  fc.assert(
    fc.property(text, (text) => {
      const position = syntaxErrorPosition(text)
      assert.strictEqual(position !== undefined, fails(text))
      if (position === undefined) return
      const lines = text.split("\n").slice(0, position.line)
      lines[position.line - 1] = lines[position.line - 1]?.slice(0, position.column - 1) ?? ""
      // What stands before is JSON, or ends too early.
      const again = syntaxErrorPosition(lines.join("\n"))
      if (again !== undefined) assert.deepStrictEqual(again, position)
    })
  )
})

it.effect("a seed may leave out everything that has a default", () =>
  Effect.gen(function* () {
    const seed = yield* decodeSeed({
      users: [{ username: "janedoe", tokens: [{ token: "t" }] }, { username: "other" }]
    })
    assert.deepStrictEqual(
      seed.users.map(({ setting, tokens }) => [setting, tokens.length]),
      [
        ["RESTRICTED", 1],
        ["RESTRICTED", 0]
      ]
    )
    assert.deepStrictEqual([seed.stores, seed.runs], [[], []])
  })
)

it.effect("a store of a seed may have unknown fields", () =>
  decodeSeed({ users: [user], stores: [{ owner: "janedoe", store: { ...store, newField: 1 } }] })
)

it.effect("a token of a seed may do what it says, and by default everything", () =>
  Effect.gen(function* () {
    const cases: ReadonlyArray<readonly [object, Readonly<Record<string, unknown>>]> = [
      [{}, { scope: "WRITE", canCreate: true }],
      [{ scope: "READ" }, { scope: "READ", canCreate: false }],
      [{ stores: {} }, { scope: "NONE", canCreate: false }],
      [
        { scope: "READ", stores: {}, create: true },
        { scope: "READ", canCreate: true }
      ],
      [{ create: false }, { scope: "WRITE", canCreate: false }]
    ]
    for (const [given, expected] of cases) {
      const seed = yield* decodeSeed({ users: [{ username: "janedoe", tokens: [{ token: "t", ...given }] }] })
      const caller = yield* Effect.provide(
        Effect.zipRight(loadSeed(seed), Callers.authenticate(Redacted.make("t"))),
        databaseLayer(IN_MEMORY)
      )
      assert.deepInclude(Option.getOrThrow(caller), expected)
    }
  })
)

describe("loading", () => {
  const contents = Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return JSON.stringify(
      yield* Effect.all([
        sql`SELECT * FROM users ORDER BY id`,
        sql`SELECT * FROM tokens ORDER BY hash`,
        sql`SELECT * FROM token_stores ORDER BY hash, store_id`,
        sql`SELECT * FROM runs ORDER BY id`,
        sql`SELECT * FROM stores ORDER BY id`,
        sql`SELECT * FROM grants ORDER BY store_id, user_id`
      ])
    )
  })
  const inMemory = Effect.provide(databaseLayer(IN_MEMORY))
  const load = (seed: unknown) => Effect.flatMap(decodeSeed(seed), loadSeed)

  it.effect("again changes nothing, for any seed", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(Arbitrary.make(Seed), (seed) =>
          Effect.runPromise(
            Effect.gen(function* () {
              yield* loadSeed(seed)
              const once = yield* contents
              yield* loadSeed(seed)
              assert.strictEqual(yield* contents, once)
            }).pipe(inMemory)
          )
        ),
        // Each case opens a database.
        { numRuns: Math.ceil((fc.readConfigureGlobal().numRuns ?? 100) / 4) }
      )
    )
  )

  it.effect("a seed that conflicts with the database changes nothing", () =>
    Effect.gen(function* () {
      yield* load(demoSeed)
      const before = yield* contents
      const newcomer = { username: "newcomer", tokens: [{ token: "new" }] }
      const error = yield* load({
        users: [newcomer, { username: "JANEDOE", id: "AAAAAAAAAAAAAAAAA" }],
        stores: [{ owner: "newcomer", store }]
      }).pipe(Effect.flip)
      assert.deepStrictEqual(error._tag === "InvalidSeedError" && error.problems[0]?.path, ["users", 1, "id"])
      assert.strictEqual(yield* contents, before)
      const clash = yield* load({
        users: [newcomer, { username: "janedoe" }],
        stores: [
          { owner: "newcomer", store: { ...store, id: "BBBBBBBBBBBBBBBBB" } },
          { owner: "janedoe", store: { ...store, id: "CCCCCCCCCCCCCCCCC", name: "D7B9mdysbtx5l7xaj" } }
        ]
      }).pipe(Effect.flip)
      assert.deepStrictEqual(clash._tag === "InvalidSeedError" && clash.problems[0]?.path, [
        "stores",
        1,
        "store",
        "name"
      ])
      assert.strictEqual(yield* contents, before)
      const lost = yield* load({ users: [user], runs: [{ ...run, defaultKeyValueStoreId: "DDDDDDDDDDDDDDDDD" }] }).pipe(
        Effect.flip
      )
      assert.deepStrictEqual(lost._tag === "InvalidSeedError" && lost.problems[0]?.path, [
        "runs",
        0,
        "defaultKeyValueStoreId"
      ])
      assert.strictEqual(yield* contents, before)
    }).pipe(inMemory)
  )

  it.effect("replaces the tokens and grants of the users and stores it lists, and keeps the others", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const bystander = { username: "bystander", tokens: [{ token: "bystander" }] }
      const grants = [{ user: "bystander", access: "WRITE" }]
      yield* load({ users: [user, bystander], stores: [{ owner: "janedoe", grants, store }] })
      yield* load({ users: [{ ...user, tokens: [{ token: "token-2" }] }], stores: [{ owner: "janedoe", store }] })
      assert.strictEqual((yield* sql`SELECT * FROM tokens`).length, 2)
      assert.strictEqual((yield* sql`SELECT * FROM grants`).length, 0)
      assert.strictEqual((yield* sql`SELECT * FROM users`).length, 2)
    }).pipe(inMemory)
  )

  it.effect("replaces what a token may do with single stores, and the runs it lists, and keeps the others", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const scopedTo = (id: string) => ({ ...user, tokens: [{ token: "t", stores: { [id]: "READ" } }] })
      const stores = [{ owner: "janedoe", store }]
      const other = { ...run, id: "RunOfJane00000001" }
      yield* load({ users: [scopedTo("AAAAAAAAAAAAAAAAA")], stores, runs: [run, other] })
      yield* load({ users: [scopedTo("BBBBBBBBBBBBBBBBB")], runs: [{ ...run, status: "FAILED" }] })
      assert.deepStrictEqual(yield* sql`SELECT store_id, access FROM token_stores`, [
        { store_id: "BBBBBBBBBBBBBBBBB", access: "READ" }
      ])
      assert.deepStrictEqual(yield* sql`SELECT id, status FROM runs ORDER BY id`, [
        { id: run.id, status: "FAILED" },
        { id: other.id, status: "SUCCEEDED" }
      ])
    }).pipe(inMemory)
  )

  it.effect("keeps no token, only its hash", () =>
    Effect.gen(function* () {
      yield* load({ users: [{ ...user, tokens: [{ token: CANARY }] }] })
      assert.notInclude(yield* contents, CANARY)
    }).pipe(inMemory)
  )
})

describe("every exported schema", () => {
  const isContextFree = (schema: Schema.Schema.All): schema is Schema.Schema<unknown, unknown> =>
    Schema.isSchema(schema)
  const schemas = Object.entries({ ...Seeds, ...Callers, ...StoreRows }).flatMap(([name, value]) =>
    Schema.isSchema(value) && isContextFree(value) ? [{ name, schema: value }] : []
  )

  it("is found", () =>
    assert.includeMembers(
      schemas.map(({ name }) => name),
      ["Seed", "SeedStore", "Caller", "StoredStore"]
    ))

  for (const { name, schema } of schemas) {
    it(`${name} is the same after encoding and decoding`, () => {
      const same = Schema.equivalence(schema)
      fc.assert(
        fc.property(Arbitrary.make(schema), (value) => {
          const json: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(schema)(value)))
          assert.isTrue(same(Schema.decodeUnknownSync(schema)(json), value))
        })
      )
    })
  }
})
