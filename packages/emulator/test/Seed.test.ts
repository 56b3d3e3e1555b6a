/**
 * Seeds: what is refused and how that is told, and that loading is all or nothing and may be repeated.
 */

import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Emulator from "../src/index.js"
import { databaseLayer, decodeSeed, demoSeed, IN_MEMORY, InvalidSeedError, loadSeed, Seed } from "../src/index.js"

const CANARY = "canary_value_never_shown"
const dates = {
  createdAt: "2019-12-12T07:34:14.202Z",
  modifiedAt: "2019-12-13T08:36:13.202Z",
  accessedAt: "2019-12-14T08:36:13.202Z"
}
const user = { username: "janedoe", tokens: [{ token: "token-1" }] }
const store = { id: "WkzbQMuFYuamGv3YF", name: "my-store", ...dates }

const pathsOf = (input: unknown) =>
  Effect.map(Effect.flip(decodeSeed(input)), (error) => error.problems.map(({ path }) => path))

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

  it.effect("or taken, whatever JSON it is: never a defect", () =>
    Effect.sync(() =>
      FastCheck.assert(
        FastCheck.property(FastCheck.jsonValue(), (json) => {
          const result = Effect.runSync(Effect.either(decodeSeed(json)))
          assert.isTrue(result._tag === "Right" || result.left instanceof InvalidSeedError)
        })
      )
    )
  )
})

it.effect("a seed may leave out everything that has a default", () =>
  Effect.gen(function* () {
    const seed = yield* decodeSeed({
      users: [{ username: "janedoe", tokens: [{ token: "t" }] }, { username: "other" }]
    })
    assert.deepStrictEqual(
      seed.users.map(({ setting, tokens }) => [setting, tokens.map(({ scope }) => scope)]),
      [
        ["RESTRICTED", ["WRITE"]],
        ["RESTRICTED", []]
      ]
    )
    assert.deepStrictEqual(seed.stores, [])
  })
)

it.effect("a seed's store may have fields that are not known", () =>
  decodeSeed({ users: [user], stores: [{ owner: "janedoe", store: { ...store, newField: 1 } }] })
)

describe("loading", () => {
  const contents = Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return JSON.stringify(
      yield* Effect.all([
        sql`SELECT * FROM users ORDER BY id`,
        sql`SELECT * FROM tokens ORDER BY hash`,
        sql`SELECT * FROM stores ORDER BY id`,
        sql`SELECT * FROM grants ORDER BY store_id, user_id`
      ])
    )
  })
  const inMemory = Effect.provide(databaseLayer(IN_MEMORY))
  const load = (seed: unknown) => Effect.flatMap(decodeSeed(seed), loadSeed)

  it.effect("again changes nothing, for any seed", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(Arbitrary.make(Seed), (seed) =>
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
        { numRuns: Math.ceil((FastCheck.readConfigureGlobal().numRuns ?? 100) / 4) }
      )
    )
  )

  it.effect("is all or nothing: a seed that clashes with the database leaves it as it was", () =>
    Effect.gen(function* () {
      yield* load(demoSeed)
      const before = yield* contents
      const newcomer = { username: "newcomer", tokens: [{ token: "new" }] }
      const error = yield* load({
        users: [newcomer, { username: "JANEDOE", id: "AAAAAAAAAAAAAAAAA" }],
        stores: [{ owner: "newcomer", store }]
      }).pipe(Effect.flip)
      assert.deepStrictEqual(error._tag === "InvalidSeedError" && error.problems[0]?.path, "users[1].id")
      assert.strictEqual(yield* contents, before)
      const clash = yield* load({
        users: [newcomer, { username: "janedoe" }],
        stores: [
          { owner: "newcomer", store: { ...store, id: "BBBBBBBBBBBBBBBBB" } },
          { owner: "janedoe", store: { ...store, id: "CCCCCCCCCCCCCCCCC", name: "D7B9mdysbtx5l7xaj" } }
        ]
      }).pipe(Effect.flip)
      assert.deepStrictEqual(clash._tag === "InvalidSeedError" && clash.problems[0]?.path, "stores[1].store.name")
      assert.strictEqual(yield* contents, before)
    }).pipe(inMemory)
  )

  it.effect("replaces the tokens and rights of whom and what it names, and keeps the rest", () =>
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
  const schemas = Object.entries(Emulator).flatMap(([name, value]) =>
    Schema.isSchema(value) && isContextFree(value) ? [{ name, schema: value }] : []
  )

  it("is found", () =>
    assert.includeMembers(
      schemas.map(({ name }) => name),
      ["Seed", "SeedStore", "Caller", "StoredStore"]
    ))

  for (const { name, schema } of schemas) {
    it(`${name} comes back from JSON as it went in`, () => {
      const same = Schema.equivalence(schema)
      FastCheck.assert(
        FastCheck.property(Arbitrary.make(schema), (value) => {
          const json: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(schema)(value)))
          assert.isTrue(same(Schema.decodeUnknownSync(schema)(json), value))
        })
      )
    })
  }
})
