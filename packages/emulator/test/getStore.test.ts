/**
 * Get store over real sockets: who may read what, how a store is named, and every refusal.
 */
import { assert, describe, layer } from "@effect/vitest"
import { assertEquals } from "@effect/vitest/utils"
import { StoreBody } from "@effect-apify/domain/Store"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { character } from "../../../vitest.text.js"
import { DEMO_TOKEN, demoSeed, Emulator, type SeedJson } from "../src/index.js"
import { callers, others } from "./records.js"
import { errorBody, type Response, request, storePath } from "./request.js"

const decodeBody = Schema.decodeUnknown(Schema.parseJson(StoreBody))

const refusals = {
  emptyName: [400, errorBody("invalid-request", "Resource name parameter cannot be empty")],
  noToken: [401, errorBody("token-not-provided", "Authentication token was not provided")],
  unknownToken: [401, errorBody("user-or-token-not-found", "User was not found or authentication token is not valid")],
  noRights: [
    403,
    errorBody(
      "insufficient-permissions",
      "Insufficient permissions for the key-value store. Make sure you're passing a correct API token and that it has the required permissions."
    )
  ],
  missing: [404, errorBody("record-not-found", "Key-value Store was not found")],
  noPage: [404, errorBody("page-not-found", "There is no API end-point at this URL")],
  method: [
    405,
    errorBody(
      "method-not-allowed",
      "This API end-point can only be accessed using the following HTTP methods: OPTIONS,GET,PUT,DELETE"
    )
  ]
} as const

const assertRefused = (response: Response, refusal: keyof typeof refusals) => {
  assert.deepStrictEqual([response.status, response.text], [...refusals[refusal]])
  assert.strictEqual(response.headers["content-type"], "application/json; charset=utf-8")
  assert.strictEqual(response.headers["x-ratelimit-limit"], "60")
}

// ---- The access table ------------------------------------------------------------------------------------------------

const owners = [
  { username: "strict-owner", id: "StrictOwner000000", setting: "RESTRICTED" },
  { username: "open-owner", id: "OpenOwner00000000", setting: "ANYONE_WITH_ID_CAN_READ" }
] as const

const levels = [
  "RESTRICTED",
  "ANYONE_WITH_ID_CAN_READ",
  "ANYONE_WITH_NAME_CAN_READ",
  "FOLLOW_USER_SETTING",
  "FRIENDS_ONLY",
  null,
  undefined
] as const

type Openness = "Closed" | "ById" | "ByIdAndName"

/** The table of facts.md, read off by hand. */
const openness = (level: (typeof levels)[number], setting: (typeof owners)[number]["setting"]): Openness => {
  switch (level) {
    case "RESTRICTED":
    case "FRIENDS_ONLY":
      return "Closed"
    case "ANYONE_WITH_ID_CAN_READ":
      return "ById"
    case "ANYONE_WITH_NAME_CAN_READ":
      return "ByIdAndName"
    default:
      return setting === "RESTRICTED" ? "Closed" : "ById"
  }
}

const stores = owners.flatMap((owner, o) =>
  levels.map((level, l) => ({ owner, level, id: `Store0000000000${o}${l}`, name: `Store-${l}` }))
)

const tableSeed: SeedJson = {
  users: [
    ...owners.map(({ id, username, setting }) => ({
      id,
      username,
      setting,
      tokens: [{ token: username }, { token: `${username}-read`, scope: "READ" as const }]
    })),
    ...others
  ],
  stores: stores.map(({ owner, level, id, name }) => ({
    owner: owner.username,
    grants: [
      { user: "writer", access: "WRITE" },
      { user: "READER", access: "READ" }
    ],
    store: {
      id,
      name,
      createdAt: "2019-12-12T07:34:14.202Z",
      modifiedAt: "2019-12-13T08:36:13.202Z",
      accessedAt: "2019-12-14T08:36:13.202Z",
      keysPublicUrl: `https://api.apify.com/v2/key-value-stores/${id}/keys?prefix=a%20b+c'%2F&signature=canary&limit=5`,
      recordsPublicUrl: `https://api.apify.com/v2/key-value-stores/${id}/records?signature=canary`,
      urlSigningSecretKey: "canary-key",
      ...(level === undefined ? {} : { generalAccess: level })
    }
  }))
}

layer(Emulator.layer({ seed: tableSeed }))("access", (it) => {
  for (const { owner, level, id, name } of stores) {
    const open = openness(level, owner.setting)
    for (const { who, token, right } of callers) {
      const ownToken = token?.replace("owner", owner.username)
      const forms = [
        { form: "by id", segment: id, isOpen: open !== "Closed" },
        { form: "by username~name", segment: `${owner.username}~${name}`, isOpen: open === "ByIdAndName" },
        { form: "by userId~name", segment: `${owner.id}~${name}`, isOpen: open === "ByIdAndName" }
      ]
      for (const { form, segment, isOpen } of forms) {
        it.effect(`${level} of ${owner.username} (${owner.setting}), ${form}, by ${who}`, () =>
          Effect.gen(function* () {
            const { url } = yield* Emulator
            const response = yield* request(url, storePath(segment), { token: ownToken })
            if (right === "NONE" && !isOpen) {
              assertRefused(response, "noRights")
              assert.notInclude(response.text, "canary")
              return
            }
            assert.strictEqual(response.status, 200)
            const { data } = yield* decodeBody(response.text)
            assert.strictEqual(data.id, id)
            assertEquals(data.username, Option.some(owner.username))
            assertEquals(data.userId, Option.some(owner.id))
            assert.strictEqual(Option.isSome(data.urlSigningSecretKey), right === "WRITE")
            const isSigned = open === "Closed" && right === "WRITE"
            assertEquals(
              Option.map(data.keysPublicUrl, ({ href }) => Redacted.value(href)),
              Option.some(
                `${url}/v2/key-value-stores/${id}/keys?prefix=a%20b+c'%2F&${isSigned ? "signature=canary&" : ""}limit=5`
              )
            )
            assertEquals(
              Option.map(data.recordsPublicUrl, ({ href }) => Redacted.value(href)),
              Option.some(`${url}/v2/key-value-stores/${id}/records${isSigned ? "?signature=canary" : ""}`)
            )
          })
        )
      }
      it.effect(`an unknown token is refused at ${level} of ${owner.username} in place of ${who}'s`, () =>
        Effect.gen(function* () {
          const { url } = yield* Emulator
          assertRefused(yield* request(url, storePath(id), { token: `${ownToken ?? ""}x` }), "unknownToken")
        })
      )
    }
  }
})

// ---- The demo --------------------------------------------------------------------------------------------------------

const DEMO_ID = "WkzbQMuFYuamGv3YF"
const DEMO_NAME = "d7b9MDYsbtX5L7XAj"

layer(Emulator.layer())("the demo", (it) => {
  const get = (segment: string, options: Parameters<typeof request>[2] = { token: DEMO_TOKEN }) =>
    Effect.flatMap(Emulator, ({ url }) => request(url, storePath(segment), options))

  it.effect("holds every value of the endpoint's page, with links that lead to the emulator", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const { text } = yield* get(DEMO_ID)
      assert.deepStrictEqual(JSON.parse(text), {
        data: {
          ...demoSeed.stores[0]?.store,
          keysPublicUrl: `${url}/v2/key-value-stores/${DEMO_ID}/keys?signature=abc123`
        }
      })
    })
  )

  describe("is named", () => {
    for (const segment of [
      DEMO_ID,
      `janedoe~${DEMO_NAME}`,
      `JaneDoe~${DEMO_NAME.toLowerCase()}`,
      `BPWDBd7Z9c746JAnF~${DEMO_NAME}`,
      `~${DEMO_NAME}`,
      `~${DEMO_NAME.toUpperCase()}`,
      `janedoe%7E${DEMO_NAME}`,
      `janedoe%2F${DEMO_NAME}`,
      `JANEDOE%2f${DEMO_NAME.toLowerCase()}`,
      `BPWDBd7Z9c746JAnF%2F${DEMO_NAME}`,
      `%2F${DEMO_NAME}`,
      `%57kzbQMuFYuamGv3YF`
    ]) {
      it.effect(segment, () =>
        Effect.gen(function* () {
          const { data } = yield* decodeBody((yield* get(segment)).text)
          assert.strictEqual(data.id, DEMO_ID)
        })
      )
    }
  })

  describe("refuses", () => {
    const anything: ReadonlyArray<readonly [string, keyof typeof refusals]> = [
      [DEMO_NAME, "missing"],
      [DEMO_ID.toLowerCase(), "missing"],
      [`${DEMO_ID}%00`, "missing"],
      [`janedoe~${DEMO_NAME}~`, "missing"],
      [`nobody~${DEMO_NAME}`, "missing"],
      [`bpwdbd7z9c746janf~${DEMO_NAME}`, "missing"],
      ["~missing", "missing"],
      ["..", "missing"],
      ["%2e%2e", "missing"],
      ["a%2F..%2Fb", "missing"],
      ["%27%20OR%201=1--", "missing"],
      // A slash wins over a tilde, and the first of several tildes separates.
      [`janedoe~x%2F${DEMO_NAME}`, "missing"],
      [`janedoe%2F${DEMO_NAME}~x`, "missing"],
      [`janedoe~${DEMO_NAME}~x`, "missing"],
      [`janedoe%2F${DEMO_NAME}%2F`, "missing"],
      [`janedoe%252F${DEMO_NAME}`, "missing"],
      ["~", "emptyName"],
      ["%2F", "emptyName"],
      ["janedoe%2F", "emptyName"],
      ["janedoe~", "emptyName"],
      ["janedoe%7e", "emptyName"],
      ["", "noPage"],
      [`${DEMO_ID}/`, "noPage"],
      [`${DEMO_ID}/values`, "noPage"],
      [`janedoe/${DEMO_NAME}`, "noPage"],
      [`/${DEMO_ID}`, "noPage"],
      [`../key-value-stores/${DEMO_ID}`, "noPage"],
      ["../../v2/users/me", "noPage"]
    ]
    for (const [segment, refusal] of anything) {
      it.effect(`${JSON.stringify(segment)}: ${refusal}`, () =>
        Effect.map(get(segment), (response) => assertRefused(response, refusal))
      )
    }

    it.effect("a name in nobody's account, without a token", () =>
      Effect.map(get("~missing", {}), (response) => assertRefused(response, "noToken"))
    )
    it.effect("a restricted store to a caller with its signature", () =>
      Effect.map(get(`${DEMO_ID}?signature=abc123`, {}), (response) => assertRefused(response, "noRights"))
    )
    it.effect("an unknown token, even for an empty name or a missing store", () =>
      Effect.gen(function* () {
        assertRefused(yield* get("~", { token: "unknown" }), "unknownToken")
        assertRefused(yield* get("missing", { token: "unknown" }), "unknownToken")
      })
    )
    it.effect("every other method, with a list of the allowed ones", () =>
      Effect.forEach(["POST", "PATCH", "PROPFIND"], (method) =>
        Effect.map(get(DEMO_ID, { method }), (response) => {
          assertRefused(response, "method")
          assert.strictEqual(response.headers.allow, "GET, HEAD, PUT, DELETE, OPTIONS")
        })
      )
    )
    it.effect("other paths, whatever the method", () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        for (const path of [
          "/",
          "/v2",
          "/v1/key-value-stores/x",
          "/v2//x",
          "/V2/key-value-stores/x",
          "/v2/Key-value-stores/x",
          "/v2/key%2Dvalue-stores/x",
          "//v2/key-value-stores/x",
          "*"
        ]) {
          assertRefused(yield* request(url, path, { method: "OPTIONS" }), "noPage")
        }
      })
    )
    it.effect("invalid percent escapes", () =>
      Effect.forEach(["%", "%zz", "%C3", "%E0%A4%A"], (segment) =>
        Effect.map(get(segment), (response) =>
          assert.deepStrictEqual(
            [response.status, response.text],
            [400, errorBody("invalid-request", "The URL has an invalid percent-encoding")]
          )
        )
      )
    )
  })

  describe("takes a token", () => {
    const ways: ReadonlyArray<readonly [string, string, Record<string, string>, number]> = [
      ["in any spelling of Bearer", "", { authorization: `bEARER ${DEMO_TOKEN}` }, 200],
      ["in the query", `?token=${DEMO_TOKEN}`, {}, 200],
      ["in the query, escaped", "?limit=1&token=apify%5Fapi%5Fdemo", {}, 200],
      ["in the header before one in the query", "?token=unknown", { authorization: `Bearer ${DEMO_TOKEN}` }, 200],
      ["not by another scheme", "", { authorization: `Basic ${DEMO_TOKEN}` }, 403],
      ["not when it is empty", "?token=", { authorization: "Bearer " }, 403]
    ]
    for (const [name, query, headers, status] of ways) {
      it.effect(name, () =>
        Effect.map(get(`${DEMO_ID}${query}`, { headers }), (response) => assert.strictEqual(response.status, status))
      )
    }
  })

  describe("lets ?method= stand for the method,", () => {
    const target = (query: string) => `${DEMO_ID}${query}`

    it.effect("ignoring case, before the method is checked", () =>
      Effect.forEach(["get", "GeT", "GET"], (method) =>
        Effect.map(get(target(`?method=${method}`), { method: "POST", token: DEMO_TOKEN }), ({ status }) =>
          assert.strictEqual(status, 200)
        )
      )
    )
    it.effect("for methods that the path does not have, and for invalid ones", () =>
      Effect.forEach(["PATCH", "brew", "PoSt", "BREW", "%20get", "%ff", "get,get"], (method) =>
        Effect.map(get(target(`?method=${method}`)), (response) => assertRefused(response, "method"))
      )
    )
    it.effect("for OPTIONS", () =>
      Effect.map(get(target("?method=options")), ({ status }) => assert.strictEqual(status, 204))
    )
    it.effect("for HEAD, without a body", () =>
      Effect.map(get(target("?method=head")), ({ status, text }) => assert.deepStrictEqual([status, text], [200, ""]))
    )
    it.effect("unless it is empty", () =>
      Effect.map(get(target("?method=")), ({ status }) => assert.strictEqual(status, 200))
    )
    it.effect("but not for a path that no route has", () =>
      Effect.map(get(`${DEMO_ID}/x?method=brew`), (response) => assertRefused(response, "noPage"))
    )
  })

  describe("checks", () => {
    it.effect("the method before the token", () =>
      Effect.map(get(DEMO_ID, { method: "POST", token: "unknown" }), (response) => assertRefused(response, "method"))
    )
    it.effect("the token before the parameters of the path", () =>
      Effect.map(get("%zz", { token: "unknown" }), (response) => assertRefused(response, "unknownToken"))
    )
    it.effect("the parameters of the path before the store", () =>
      Effect.map(get("nobody~", {}), (response) => assertRefused(response, "emptyName"))
    )
    it.effect("the store before the rights to it", () =>
      Effect.map(get("missing", {}), (response) => assertRefused(response, "missing"))
    )
  })

  it.effect("responds to HEAD as to GET, without the body", () =>
    Effect.gen(function* () {
      const { headers } = yield* get(DEMO_ID)
      const head = yield* get(DEMO_ID, { method: "HEAD", token: DEMO_TOKEN })
      assert.deepStrictEqual([head.status, head.text], [200, ""])
      assert.strictEqual(head.headers["content-length"], headers["content-length"])
    })
  )

  it.effect("responds to OPTIONS with what is allowed, without a token", () =>
    Effect.gen(function* () {
      const { status, headers, text } = yield* get(DEMO_ID, { method: "OPTIONS" })
      assert.deepStrictEqual([status, text, headers.allow], [204, "", "GET, HEAD, PUT, DELETE, OPTIONS"])
      assert.strictEqual(headers["access-control-allow-origin"], "*")
      assert.strictEqual(headers["access-control-allow-methods"], "GET, HEAD, PUT, DELETE, OPTIONS")
      assert.strictEqual(headers["access-control-allow-headers"], "User-Agent, Authorization, *")
    })
  )

  it.effect("lets every page read responses and refusals, and the headers that Apify exposes", () =>
    Effect.gen(function* () {
      for (const segment of [DEMO_ID, "~", "missing", `${DEMO_ID}/x`, "%"]) {
        const { headers } = yield* get(segment)
        assert.strictEqual(headers["access-control-allow-origin"], "*")
        assert.strictEqual(headers["access-control-expose-headers"], "Location, Content-Disposition, X-RateLimit-Limit")
        assert.strictEqual(headers["x-ratelimit-limit"], "60")
      }
    })
  )

  it.effect("ignores a body sent with GET", () =>
    Effect.map(
      get(DEMO_ID, { token: DEMO_TOKEN, headers: { "content-length": "100000" }, body: "x".repeat(100_000) }),
      ({ status }) => assert.strictEqual(status, 200)
    )
  )

  it.effect("links to the host of the request, unless it is invalid", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const linkFor = (host: string, proto?: string) =>
        get(DEMO_ID, {
          token: DEMO_TOKEN,
          headers: { host, ...(proto === undefined ? {} : { "x-forwarded-proto": proto }) }
        }).pipe(
          Effect.flatMap(({ text }) => decodeBody(text)),
          Effect.map(({ data }) => Option.map(data.keysPublicUrl, ({ href }) => new URL(Redacted.value(href)).origin))
        )
      assertEquals(yield* linkFor("apify.test:8080"), Option.some("http://apify.test:8080"))
      assertEquals(yield* linkFor("evil.test/path?"), Option.some(url))
      for (const proto of ["https", "HTTPS", " https ", "https, http"]) {
        assertEquals(yield* linkFor("apify.test", proto), Option.some("https://apify.test"))
      }
      for (const proto of ["http", "ftp", "", "https:", "https http", "javascript", "ht tps"]) {
        assertEquals(yield* linkFor("apify.test", proto), Option.some("http://apify.test"))
      }
      assertEquals(yield* linkFor("user@evil.test"), Option.some(url))
    })
  )

  it.effect("responds the same to every repetition", () =>
    Effect.gen(function* () {
      const responses = yield* Effect.all([get(DEMO_ID), get(DEMO_ID), get(DEMO_ID)], { concurrency: "unbounded" })
      assert.strictEqual(new Set(responses.map(({ text }) => text)).size, 1)
    })
  )

  // Requests over sockets cost a hundred times what a pure case does.
  const numRuns = Math.ceil((fc.readConfigureGlobal().numRuns ?? 100) / 4)

  it.effect("responds to any path with a refusal, and keeps running", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(
            fc.oneof(
              fc.webPath(),
              fc.stringMatching(/^[!-~]{0,40}$/).map((segment) => storePath(segment.replace(/#/g, ""))),
              fc.string({ unit: character }).map((segment) => storePath(encodeURIComponent(segment)))
            ),
            async (path) => {
              const { status, text } = await Effect.runPromise(
                request(url, path === "" ? "/" : path, { token: DEMO_TOKEN })
              )
              assert.include([400, 404], status)
              assert.hasAllKeys(JSON.parse(text).error, ["type", "message"])
            }
          ),
          { numRuns }
        )
      )
    })
  )
})
