/**
 * Stores that are named by a run.
 */
import { assert, describe, layer } from "@effect/vitest"
import { insufficientPermissionsRefusal, taskNotFoundRefusal } from "@effect-apify/domain/Refusal"
import { RunOrigin, RunStatus } from "@effect-apify/domain/RunId"
import * as Effect from "effect/Effect"
import { Emulator, type SeedJson } from "../src/index.js"
import { errorBody, type RequestOptions, type Response, request, storePath } from "./request.js"

const at = (day: number): string => `2026-01-0${day}T12:00:00.000Z`

const storeOf = (id: string, fields: Readonly<Record<string, unknown>> = {}) => ({
  id,
  createdAt: at(1),
  modifiedAt: at(1),
  accessedAt: at(1),
  ...fields
})

const ACTOR = { id: "JanesActor0000000", name: "My-Actor" }
const SCRAPER = { id: "ApifysScraper0000", name: "web-scraper", owner: "apify" }
const TASK = { id: "JanesTask00000000", name: "My-Task" }

const seed: SeedJson = {
  users: [
    {
      username: "janedoe",
      id: "JaneDoe0000000000",
      tokens: [{ token: "jane" }, { token: "jane-reads", scope: "READ" }]
    },
    { username: "johndoe", id: "JohnDoe0000000000", tokens: [{ token: "john" }] }
  ],
  stores: [
    { owner: "janedoe", store: storeOf("Store000000000001", { urlSigningSecretKey: "canary" }) },
    { owner: "janedoe", store: storeOf("Store000000000002") },
    { owner: "janedoe", store: storeOf("Store000000000003") },
    { owner: "janedoe", store: storeOf("Store000000000004") },
    { owner: "janedoe", store: storeOf("StoreToDelete0000") },
    { owner: "johndoe", store: storeOf("JohnsStore0000000", { generalAccess: "ANYONE_WITH_ID_CAN_READ" }) }
  ],
  runs: [
    // Not in the order of their starts.
    {
      id: "Run00000000000002",
      owner: "janedoe",
      actor: ACTOR,
      startedAt: at(2),
      defaultKeyValueStoreId: "Store000000000002"
    },
    {
      id: "Run00000000000001",
      owner: "janedoe",
      actor: ACTOR,
      startedAt: at(1),
      status: "FAILED",
      origin: "WEB",
      defaultKeyValueStoreId: "Store000000000001"
    },
    {
      id: "Run00000000000003",
      owner: "janedoe",
      actor: SCRAPER,
      task: TASK,
      startedAt: at(3),
      status: "TIMED-OUT",
      defaultKeyValueStoreId: "Store000000000003"
    },
    {
      id: "Run00000000000004",
      owner: "janedoe",
      actor: SCRAPER,
      startedAt: at(4),
      defaultKeyValueStoreId: "Store000000000004"
    },
    {
      id: "RunOfTheDeleted00",
      owner: "janedoe",
      actor: { id: "ActorOfTheDeleted", name: "deleted" },
      startedAt: at(5),
      defaultKeyValueStoreId: "StoreToDelete0000"
    },
    {
      id: "JohnsRun000000000",
      owner: "johndoe",
      actor: SCRAPER,
      startedAt: at(9),
      defaultKeyValueStoreId: "JohnsStore0000000"
    }
  ]
}

const RUN = "Actor run was not found"
const ACTOR_MISSING = "Actor was not found or access denied"
const STORE_MISSING = "Key-value Store was not found"

const assertRefused = ({ status, text }: Response, expected: number, type: string, message: string) =>
  assert.deepStrictEqual([status, text], [expected, errorBody(type, message)])

layer(Emulator.layer({ seed }))("a store of a run", (it) => {
  const send = (path: string, options: RequestOptions = {}) =>
    Effect.flatMap(Emulator, ({ url }) => request(url, path, { token: "jane", ...options }))
  const idAt = (path: string, options: RequestOptions = {}) =>
    Effect.map(send(path, options), ({ status, text }) => {
      assert.strictEqual(status, 200, text)
      return JSON.parse(text).data.id
    })

  const run = (id: string) => `/v2/actor-runs/${id}/key-value-store`
  const actor = (id: string, query = "") => `/v2/actors/${id}/runs/last/key-value-store${query}`
  const task = (id: string, query = "") => `/v2/actor-tasks/${id}/runs/last/key-value-store${query}`

  describe("is found", () => {
    const found: ReadonlyArray<readonly [string, string, string]> = [
      ["by the run", run("Run00000000000001"), "Store000000000001"],
      ["by the run, escaped", run("%52un00000000000001"), "Store000000000001"],
      ["by another's run whose store is open", run("JohnsRun000000000"), "JohnsStore0000000"],
      ["by the Actor, of the run that started last", actor(ACTOR.id), "Store000000000002"],
      ["by the old name of Actors", `/v2/acts/${ACTOR.id}/runs/last/key-value-store`, "Store000000000002"],
      ["by the Actor's name in the caller's account, whatever the case", actor("my-ACTOR"), "Store000000000002"],
      ["by the Actor's name after a tilde", actor("~my-actor"), "Store000000000002"],
      ["by the Actor's owner and name", actor("JaneDoe~my-actor"), "Store000000000002"],
      ["by the Actor's owner and name with a slash", actor("janedoe%2Fmy-actor"), "Store000000000002"],
      ["by the ID of the Actor's owner", actor("JaneDoe0000000000~my-actor"), "Store000000000002"],
      ["by another's Actor, of the caller's own last run", actor("apify~Web-Scraper"), "Store000000000004"],
      ["by the task", task(TASK.id), "Store000000000003"],
      ["by the task's name", task("my-task"), "Store000000000003"],
      ["by the task's owner and name", task("JANEDOE~my-task"), "Store000000000003"],
      ["by the Actor and a status", actor(ACTOR.id, "?status=FAILED"), "Store000000000001"],
      ["by the Actor and an origin", actor(ACTOR.id, "?origin=WEB"), "Store000000000001"],
      ["by the Actor, a status and an origin", actor(ACTOR.id, "?origin=API&status=SUCCEEDED"), "Store000000000002"],
      ["by the task and a status", task(TASK.id, "?status=TIMED-OUT"), "Store000000000003"],
      ["by the run, for which a status means nothing", `${run("Run00000000000002")}?status=no`, "Store000000000002"]
    ]
    for (const [name, path, id] of found) {
      it.effect(name, () => Effect.map(idAt(path), (found) => assert.strictEqual(found, id)))
    }
    it.effect("in each account by itself", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* idAt(actor("apify~web-scraper"), { token: "john" }), "JohnsStore0000000")
      })
    )
  })

  describe("is not found", () => {
    const missing: ReadonlyArray<readonly [string, string, string, string]> = [
      ["by a run that is not there", run("Run00000000000009"), "record-not-found", RUN],
      ["by an ID in another case", run("run00000000000001"), "record-not-found", RUN],
      ["by an Actor that is not there", actor("nobody~nothing"), "record-or-token-not-found", ACTOR_MISSING],
      ["by another's Actor without its owner", actor("web-scraper"), "record-or-token-not-found", ACTOR_MISSING],
      ["by an Actor's ID after a tilde", actor(`~${ACTOR.id}`), "record-or-token-not-found", ACTOR_MISSING],
      ["by an Actor that has no run of the status", actor(ACTOR.id, "?status=ABORTED"), "record-not-found", RUN],
      ["by an Actor that has no run of the origin", actor(ACTOR.id, "?origin=CLI"), "record-not-found", RUN],
      [
        "by a task that is not there",
        task("missing"),
        taskNotFoundRefusal.error.type,
        taskNotFoundRefusal.error.message
      ],
      ["by a task that has no run of the status", task(TASK.id, "?status=READY"), "record-not-found", RUN]
    ]
    for (const [name, path, type, message] of missing) {
      it.effect(name, () => Effect.map(send(path), (response) => assertRefused(response, 404, type, message)))
    }
    it.effect("as the last without a token, which says whose runs they are", () =>
      Effect.forEach([actor(ACTOR.id), task(TASK.id)], (path) =>
        Effect.map(send(path, { token: undefined }), (response) =>
          assertRefused(response, 401, "token-not-provided", "Authentication token was not provided")
        )
      )
    )
    it.effect("at paths that only look like it", () =>
      Effect.forEach(
        [
          "/v2/actor-runs/Run00000000000001",
          "/v2/actor-runs//key-value-store",
          "/v2/actor-runs/Run00000000000001/key-value-store/",
          "/v2/actor-runs/Run00000000000001/key-value-stores",
          "/v2/actor-runs/Run00000000000001/key-value-store/values",
          "/v2/actor-runs/last/runs/last/key-value-store",
          "/v2/Actors/a/runs/last/key-value-store",
          "/v2/actors/a/runs/Run00000000000001/key-value-store",
          "/v1/actor-runs/Run00000000000001/key-value-store"
        ],
        (path) =>
          Effect.map(send(path), ({ status, text }) =>
            assert.deepStrictEqual([status, JSON.parse(text).error.type], [404, "page-not-found"])
          )
      )
    )
  })

  describe("refuses", () => {
    const bad = ["FAIL", "failed", "", "FAILED,READY", "FAILED&status=FAILED"]
    for (const status of bad) {
      it.effect(`the status ${JSON.stringify(status)}, before the Actor is looked up`, () =>
        Effect.forEach([actor("nobody~nothing"), task("missing")], (path) =>
          Effect.map(send(`${path}?status=${status}`), (response) =>
            assertRefused(response, 400, "invalid-request", "Status parameter has an invalid value")
          )
        )
      )
    }
    it.effect("other origins", () =>
      Effect.map(send(actor(ACTOR.id, "?origin=web")), (response) =>
        assertRefused(response, 400, "invalid-request", "Origin parameter has an invalid value")
      )
    )
    it.effect("an empty name", () =>
      Effect.map(send(actor("apify~")), (response) =>
        assertRefused(response, 400, "invalid-request", "Resource name parameter cannot be empty")
      )
    )
    it.effect("methods that the path of the store does not have, before the token", () =>
      Effect.gen(function* () {
        const response = yield* send(actor("missing"), { method: "POST", token: "unknown" })
        const methods =
          "This API end-point can only be accessed using the following HTTP methods: OPTIONS,GET,PUT,DELETE"
        assertRefused(response, 405, "method-not-allowed", methods)
        assert.strictEqual((yield* send(actor("missing"), { method: "OPTIONS", token: undefined })).status, 204)
      })
    )
    it.effect("an unknown token before anything of the path", () =>
      Effect.map(send(actor("%zz", "?status=x"), { token: "unknown" }), ({ status }) => assert.strictEqual(status, 401))
    )
    it.effect("escapes that are none", () =>
      Effect.map(send(run("%zz")), ({ status }) => assert.strictEqual(status, 400))
    )
  })

  it.effect("knows every status and origin of a run", () =>
    Effect.gen(function* () {
      for (const status of RunStatus.literals) {
        assert.include([200, 404], (yield* send(actor(ACTOR.id, `?status=${status}`))).status)
      }
      for (const origin of RunOrigin.literals) {
        assert.include([200, 404], (yield* send(actor(ACTOR.id, `?origin=${origin}`))).status)
      }
    })
  )

  it.effect("is got as it is by its ID, for whoever may read it and as far as they may", () =>
    Effect.gen(function* () {
      for (const token of ["jane", "jane-reads"]) {
        const [byRun, byId] = yield* Effect.all([
          send(run("Run00000000000001"), { token }),
          send(storePath("Store000000000001"), { token })
        ])
        const strip = (text: string) => text.replaceAll(/signature=[^"]*/g, "").replaceAll(/"accessedAt": "[^"]*"/g, "")
        assert.strictEqual(strip(byRun.text), strip(byId.text))
        assert.strictEqual(byRun.text.includes("canary"), token === "jane")
        assert.include(byRun.text, "/v2/key-value-stores/Store000000000001/keys")
      }
    })
  )
  it.effect("is closed to whoever knows the run and has no right to the store", () =>
    Effect.forEach(["john", undefined], (token) =>
      Effect.gen(function* () {
        const { status, error } = insufficientPermissionsRefusal
        const byRun = yield* send(run("Run00000000000001"), { token })
        assertRefused(byRun, status, error.type, error.message)
        assert.strictEqual(yield* idAt(run("JohnsRun000000000"), { token }), "JohnsStore0000000")
      })
    )
  )

  it.effect("is changed and deleted, and the run is there afterwards without it", () =>
    Effect.gen(function* () {
      const path = run("RunOfTheDeleted00")
      const put = yield* send(path, { method: "PUT", body: '{"title":"A title"}' })
      assert.deepStrictEqual([put.status, JSON.parse(put.text).data.title], [200, "A title"])
      const refused = yield* send(path, { method: "DELETE", token: "jane-reads" })
      assert.strictEqual(refused.status, 403)
      assert.strictEqual((yield* send(actor("deleted"), { method: "DELETE" })).status, 204)
      assertRefused(yield* send(path), 404, "record-not-found", STORE_MISSING)
      assertRefused(yield* send(storePath("StoreToDelete0000")), 404, "record-not-found", STORE_MISSING)
    })
  )
  it.effect("answers HEAD as GET, without the body", () =>
    Effect.map(send(run("Run00000000000001"), { method: "HEAD" }), ({ status, text }) =>
      assert.deepStrictEqual([status, text], [200, ""])
    )
  )
})
