/**
 * Tokens for single stores, and tokens that may or may not make stores.
 */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { DEMO_SECOND_TOKEN, DEMO_TOKEN, Emulator, type SeedJson } from "../src/index.js"
import { type RequestOptions, request, storePath } from "./request.js"

const STORES = "/v2/key-value-stores"

const date = "2026-01-01T12:00:00.000Z"
const storeOf = (id: string) => ({
  id,
  name: id,
  createdAt: date,
  modifiedAt: date,
  accessedAt: date,
  urlSigningSecretKey: "canary"
})

const OWN = "JaneOwn0000000000"
const OTHER = "JaneOther00000000"
const SHARED = "JohnShared0000000"
const FOREIGN = "JohnForeign000000"

const seed: SeedJson = {
  users: [
    {
      username: "janedoe",
      tokens: [
        { token: "all" },
        { token: "all-but-create", create: false },
        { token: "reads", scope: "READ" },
        { token: "reads-and-creates", scope: "READ", create: true },
        { token: "reads-all-writes-one", scope: "READ", stores: { [OWN]: "WRITE" } },
        { token: "reads-one", stores: { [OWN]: "READ" } },
        { token: "writes-one", stores: { [OWN]: "WRITE" } },
        { token: "writes-shared", stores: { [SHARED]: "WRITE", [FOREIGN]: "WRITE" } },
        { token: "creates", stores: {}, create: true },
        { token: "nothing", stores: {} }
      ]
    },
    { username: "johndoe", tokens: [{ token: "john" }] }
  ],
  stores: [
    { owner: "janedoe", store: storeOf(OWN) },
    { owner: "janedoe", store: storeOf(OTHER) },
    { owner: "johndoe", grants: [{ user: "janedoe", access: "READ" }], store: storeOf(SHARED) },
    { owner: "johndoe", store: storeOf(FOREIGN) }
  ]
}

const send = (path: string, options: RequestOptions) =>
  Effect.flatMap(Emulator, ({ url }) => request(url, path, options))

const NO_RIGHTS = "insufficient-permissions"

layer(Emulator.layer({ seed }))("a token", (it) => {
  describe("may do with a store what both it and its user may:", () => {
    const rights: ReadonlyArray<readonly [string, Readonly<Record<string, "WRITE" | "READ" | "NONE">>]> = [
      ["all", { [OWN]: "WRITE", [OTHER]: "WRITE", [SHARED]: "READ", [FOREIGN]: "NONE" }],
      ["all-but-create", { [OWN]: "WRITE", [OTHER]: "WRITE", [SHARED]: "READ", [FOREIGN]: "NONE" }],
      ["reads", { [OWN]: "READ", [OTHER]: "READ", [SHARED]: "READ", [FOREIGN]: "NONE" }],
      ["reads-all-writes-one", { [OWN]: "WRITE", [OTHER]: "READ", [SHARED]: "READ", [FOREIGN]: "NONE" }],
      ["reads-one", { [OWN]: "READ", [OTHER]: "NONE", [SHARED]: "NONE", [FOREIGN]: "NONE" }],
      ["writes-one", { [OWN]: "WRITE", [OTHER]: "NONE", [SHARED]: "NONE", [FOREIGN]: "NONE" }],
      ["writes-shared", { [OWN]: "NONE", [OTHER]: "NONE", [SHARED]: "READ", [FOREIGN]: "NONE" }],
      ["nothing", { [OWN]: "NONE", [OTHER]: "NONE", [SHARED]: "NONE", [FOREIGN]: "NONE" }]
    ]
    for (const [token, stores] of rights) {
      for (const [id, right] of Object.entries(stores)) {
        it.effect(`${token} on ${id}: ${right}`, () =>
          Effect.gen(function* () {
            const get = yield* send(storePath(id), { token })
            assert.strictEqual(get.status, right === "NONE" ? 403 : 200)
            assert.strictEqual(get.text.includes("canary"), right === "WRITE")
            const put = yield* send(storePath(id), { token, method: "PUT", body: "{}" })
            assert.strictEqual(put.status, right === "WRITE" ? 200 : 403)
          })
        )
      }
      it.effect(`${token} lists those that it reaches`, () =>
        Effect.map(send(STORES, { token }), ({ text }) => {
          for (const [id, right] of Object.entries(stores)) {
            assert.strictEqual(text.includes(`"${id}"`), right !== "NONE")
          }
        })
      )
    }
  })

  it.effect(
    "that may create, and nothing else, has every right to what it made, and others of the user's have none",
    () =>
      Effect.gen(function* () {
        const made = yield* send(`${STORES}?name=made`, { token: "creates", method: "POST" })
        assert.strictEqual(made.status, 201)
        const { id } = JSON.parse(made.text).data
        const put = (token: string) => send(storePath(id), { token, method: "PUT", body: "{}" })
        assert.strictEqual((yield* put("creates")).status, 200)
        assert.strictEqual((yield* send(`${STORES}?name=made`, { token: "creates", method: "POST" })).status, 200)
        assert.include((yield* send(STORES, { token: "creates" })).text, id)
        assert.strictEqual((yield* put("nothing")).status, 403)
        assert.strictEqual((yield* put("all")).status, 200)
        assert.strictEqual((yield* send(storePath(id), { token: "creates", method: "DELETE" })).status, 204)
      })
  )
  it.effect("that reads and may create, writes to what it made", () =>
    Effect.gen(function* () {
      const { text } = yield* send(STORES, { token: "reads-and-creates", method: "POST" })
      const { id } = JSON.parse(text).data
      const rename = { method: "PUT", token: "reads-and-creates", body: '{"title":"mine"}' }
      assert.strictEqual((yield* send(storePath(id), rename)).status, 200)
      assert.strictEqual((yield* send(storePath(OWN), rename)).status, 403)
    })
  )
  it.effect("that may not create gets stores that are there, if it may read them, and makes none", () =>
    Effect.gen(function* () {
      const post = (token: string, name: string) => send(`${STORES}${name}`, { token, method: "POST" })
      for (const token of ["all-but-create", "reads", "reads-one", "writes-one", "nothing"]) {
        for (const name of ["", "?name=not-there"]) {
          const { status, text } = yield* post(token, name)
          assert.deepStrictEqual([status, JSON.parse(text).error.type], [403, NO_RIGHTS])
        }
        assert.strictEqual((yield* post(token, `?name=${OWN}`)).status, token === "nothing" ? 403 : 200)
      }
    })
  )
})

layer(Emulator.layer())("the demo", (it) => {
  it.effect("has two users, who have no right to each other's stores", () =>
    Effect.gen(function* () {
      const mine = yield* send(`${STORES}?name=mine`, { token: DEMO_SECOND_TOKEN, method: "POST" })
      const { id, username } = JSON.parse(mine.text).data
      assert.deepStrictEqual([mine.status, username], [201, "johndoe"])
      assert.strictEqual((yield* send(storePath(id), { token: DEMO_TOKEN })).status, 403)
      assert.strictEqual((yield* send(storePath("WkzbQMuFYuamGv3YF"), { token: DEMO_SECOND_TOKEN })).status, 403)
      assert.strictEqual((yield* send(storePath("janedoe~mine"), { token: DEMO_SECOND_TOKEN })).status, 404)
    })
  )
})
