/**
 * What holds for every endpoint: its methods, `?method=`, CORS, and the order in which a request is checked.
 */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import { Emulator, type SeedJson } from "../src/index.js"
import { AT, CLOSED, COLLECTIONS, OWNER, seed as storesSeed } from "./records.js"
import { errorBody, type RequestOptions, request, storePath } from "./request.js"

const STORES = "/v2/key-value-stores"

/** The paths of a store, which has an ID, a name, and a run, an Actor and a task of the same ID. */
const NAMED = {
  "by its ID": storePath,
  "by its name": (_: string, name: string) => storePath(`owner~${name}`),
  "by its run": (id: string) => `/v2/actor-runs/${id}/key-value-store`,
  "by an Actor's last run": (id: string) => `/v2/actors/${id}/runs/last/key-value-store`,
  "by an Actor's last run, as it was": (id: string) => `/v2/acts/${id}/runs/last/key-value-store`,
  "by a task's last run": (id: string) => `/v2/actor-tasks/${id}/runs/last/key-value-store`
}

interface Method {
  readonly method: string
  readonly status: number
  readonly body?: string
}

/** Below the path of a store, with what each method responds with to its owner. The store is deleted in the end. */
const BELOW: ReadonlyArray<readonly [below: string, methods: ReadonlyArray<Method>]> = [
  [
    "/records/a",
    [
      { method: "PUT", status: 201, body: "put" },
      { method: "POST", status: 201, body: "posted" },
      { method: "GET", status: 200 },
      { method: "HEAD", status: 200 },
      { method: "DELETE", status: 204 }
    ]
  ],
  ["/records", [{ method: "GET", status: 200 }]],
  ["/keys", [{ method: "GET", status: 200 }]],
  [
    "",
    [
      { method: "GET", status: 200 },
      { method: "PUT", status: 200, body: "{}" },
      { method: "DELETE", status: 204 }
    ]
  ]
]

/** Each way to name a store has one that is requested by methods, and one that is requested by `?method=`. */
const named = Object.entries(NAMED).flatMap(([how, pathOf], index) =>
  ["plain", "override"].map((kind) => {
    const id = `Store${index}${kind}`.padEnd(17, "0")
    const name = `store-${index}-${kind}`
    return { how, kind, id, name, path: pathOf(id, name) }
  })
)

const seed: SeedJson = {
  users: [{ username: "owner", id: "OwnerOfStores0000", tokens: [{ token: OWNER }] }],
  stores: named.map(({ id, name }) => ({
    owner: "owner",
    store: { id, name, createdAt: AT, modifiedAt: AT, accessedAt: AT }
  })),
  runs: named.map(({ id }) => ({
    id,
    owner: "owner",
    actor: { id, owner: "owner", name: id.toLowerCase() },
    task: { id, name: id.toLowerCase() },
    startedAt: AT,
    defaultKeyValueStoreId: id
  }))
}

const paths = [
  { how: "all stores", path: STORES, methods: ["GET", "POST"] },
  ...named
    .filter(({ kind }) => kind === "plain")
    .flatMap(({ how, path }) =>
      [
        ["", ["GET", "PUT", "DELETE"]],
        ["/keys", ["GET"]],
        ["/records", ["GET"]],
        ["/records/a", ["GET", "HEAD", "PUT", "POST", "DELETE"]]
      ].map(([below, methods]) => ({
        how: `a store ${how}${below === "" ? "" : `, ${below}`}`,
        path: `${path}${below}`,
        methods: [...(methods ?? [])]
      }))
    )
]

const send = (path: string, options: RequestOptions = {}) =>
  Effect.flatMap(Emulator, ({ url }) => request(url, path, options))

layer(Emulator.layer({ seed }))("every path:", (it) => {
  for (const { how, path, methods } of paths) {
    // HEAD is allowed wherever GET is.
    const others = methods.filter((method) => method !== "HEAD")
    const allowed = [...others.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])), "OPTIONS"].join(
      ", "
    )

    it.effect(`${how} tells its methods to any other`, () =>
      Effect.gen(function* () {
        const all = ["GET", "HEAD", "PUT", "POST", "DELETE"]
        for (const method of [...all.filter((method) => !allowed.includes(method)), "PATCH", "TRACE", "BREW"]) {
          for (const [target, options] of [
            [path, { method }],
            [`${path}?method=${method.toLowerCase()}`, {}]
          ] as const) {
            // Node sends no method that is none.
            if (method === "BREW" && target === path) continue
            const { status, headers, text } = yield* send(target, options)
            const list = ["OPTIONS", ...methods].join(",")
            const message = `This API end-point can only be accessed using the following HTTP methods: ${list}`
            assert.deepStrictEqual([status, text], [405, errorBody("method-not-allowed", message)])
            assert.deepStrictEqual([headers.allow, headers["x-ratelimit-limit"]], [allowed, "60"])
          }
        }
      })
    )

    it.effect(`${how} lets every page request it, with every header`, () =>
      Effect.gen(function* () {
        for (const [target, options] of [
          [path, { method: "OPTIONS" }],
          [path, { method: "OPTIONS", token: "unknown" }],
          // A browser asks before it sends such a request, and at the same address.
          ...[...methods, "PATCH"].map((method) => [`${path}?method=${method}`, { method: "OPTIONS" }] as const),
          [`${path}?method=options`, {}]
        ] as const) {
          const { status, headers, text } = yield* send(target, options)
          assert.deepStrictEqual([status, text], [204, ""])
          assert.deepStrictEqual([headers.allow, headers["access-control-allow-methods"]], [allowed, allowed])
          assert.strictEqual(headers["access-control-allow-headers"], "User-Agent, Authorization, *")
          assert.strictEqual(headers["access-control-allow-origin"], "*")
        }
        const { headers } = yield* send(path)
        assert.strictEqual(headers["access-control-allow-origin"], "*")
        assert.strictEqual(headers["access-control-expose-headers"], "Location, Content-Disposition, X-RateLimit-Limit")
      })
    )
  }
})

layer(Emulator.layer({ seed }))("every method", (it) => {
  for (const { how, kind, path } of named) {
    const isOverride = kind === "override"
    it.effect(`of a store ${how} works${isOverride ? " with ?method=" : ""}`, () =>
      Effect.gen(function* () {
        for (const [below, methods] of BELOW) {
          for (const { method, status, body } of methods) {
            const mixed = `${method.slice(0, 1)}${method.slice(1).toLowerCase()}`
            const got = yield* isOverride
              ? send(`${path}${below}?method=${mixed}`, {
                  token: OWNER,
                  // Who can only send GET can do what takes no body.
                  ...(body === undefined ? {} : { method: "POST", body })
                })
              : send(`${path}${below}`, { token: OWNER, method, ...(body === undefined ? {} : { body }) })
            assert.deepStrictEqual([method, below, got.status], [method, below, status])
            assert.strictEqual(got.bytes.length === 0, method === "HEAD" || status === 204)
            if (method === "GET" && below === "/records/a") assert.strictEqual(got.text, "posted")
          }
        }
        assert.strictEqual((yield* send(path, { token: OWNER })).status, 404)
      })
    )
  }
  it.effect("of all stores works, with ?method= too", () =>
    Effect.gen(function* () {
      const options = { token: OWNER }
      const statuses = yield* Effect.all([
        send(STORES, options),
        send(`${STORES}?method=get`, { ...options, method: "POST" }),
        send(STORES, { ...options, method: "POST" }),
        send(`${STORES}?method=pOST`, options)
      ])
      assert.deepStrictEqual(
        statuses.map(({ status }) => status),
        [200, 200, 201, 201]
      )
    })
  )
})

// ---- The order of checks -----------------------------------------------------------------------------------------------

/** What can be wrong with a request, in the order in which it is checked. */
const FAULTS = ["route", "method", "token", "path", "store", "rights", "input", "work"] as const
type Fault = (typeof FAULTS)[number]

/** Of a path that names a store by a run, the run is found first. */
const FAULTS_OF_RUNS: ReadonlyArray<Fault> = ["route", "method", "token", "store", "path", "rights", "input", "work"]

/** The stores of the tests, each with a run whose ID is the store's. */
const seedWithRuns: SeedJson = {
  ...storesSeed,
  runs: [CLOSED, COLLECTIONS].map((id) => ({
    id,
    owner: "owner",
    actor: { id, name: "actor" },
    startedAt: AT,
    defaultKeyValueStoreId: id
  }))
}

/** What a fault does to a request, and what it is refused with. */
interface Faulty {
  readonly refused: readonly [status: number, type: string]
  readonly key?: string
  readonly query?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

interface Endpoint {
  readonly method: string
  readonly store?: string
  readonly below?: string
  readonly key?: boolean
  readonly body?: string
  readonly stranger?: readonly [token: string, status: number, type: string]
  readonly input?: Faulty
  readonly work?: Faulty
}

const BAD_LIMIT: Faulty = { query: "limit=-1", refused: [400, "invalid-value"] }
const BAD_COLLECTION: Faulty = { query: "collection=none", refused: [400, "invalid-value"] }
const BAD_TYPE: Faulty = { headers: { "content-type": "none" }, refused: [400, "invalid-content-type-header"] }
const NO_OBJECT: Faulty = { body: "[1]", refused: [400, "invalid-request"] }
const WORKER: Faulty = {
  headers: { "service-worker": "script" },
  refused: [403, "service-worker-registration-not-allowed"]
}
const NO_RECORD: Faulty = { key: "none", refused: [404, "record-not-found"] }
const TAKEN: Faulty = { body: '{"name":"by-name"}', refused: [400, "name-not-unique"] }
const REJECTED: Faulty = { key: "image-a", refused: [400, "schema-validation-failed"] }

const endpoints: ReadonlyArray<Endpoint> = [
  { method: "GET", store: "", stranger: ["", 401, "token-not-provided"], input: BAD_LIMIT },
  { method: "POST", store: "", body: "", stranger: ["owner-read", 403, "insufficient-permissions"], input: NO_OBJECT },
  { method: "GET" },
  { method: "PUT", body: "{}", input: NO_OBJECT, work: TAKEN },
  { method: "DELETE" },
  { method: "GET", below: "/keys", input: BAD_LIMIT },
  { method: "GET", below: "/records", input: BAD_COLLECTION },
  { method: "GET", below: "/records/", key: true, input: WORKER, work: NO_RECORD },
  { method: "HEAD", below: "/records/", key: true, input: WORKER, work: NO_RECORD },
  { method: "PUT", store: COLLECTIONS, below: "/records/", key: true, body: "x", input: BAD_TYPE, work: REJECTED },
  { method: "POST", store: COLLECTIONS, below: "/records/", key: true, body: "x", input: BAD_TYPE, work: REJECTED },
  { method: "DELETE", below: "/records/", key: true }
]

/** The faults that a request to an endpoint can have. */
const faultsOf = ({ store, key = false, input, work }: Endpoint, byRun: boolean): ReadonlyArray<Fault> =>
  (byRun ? FAULTS_OF_RUNS : FAULTS).filter(
    (fault) =>
      !(fault === "path" && byRun && !key) &&
      !(fault === "input" && input === undefined) &&
      !(fault === "work" && work === undefined) &&
      !((fault === "path" || fault === "store") && store === "")
  )

const refusedWith = (fault: Fault, { key = false, stranger, input, work }: Endpoint): Faulty["refused"] => {
  switch (fault) {
    case "route":
      return [404, "page-not-found"]
    case "method":
      return [405, "method-not-allowed"]
    case "token":
      return [401, "user-or-token-not-found"]
    case "path":
      return key ? [400, "invalid-record-key"] : [400, "invalid-request"]
    case "store":
      return [404, "record-not-found"]
    case "rights":
      return stranger === undefined ? [403, "insufficient-permissions"] : [stranger[1], stranger[2]]
    case "input":
      return input?.refused ?? [0, ""]
    case "work":
      return work?.refused ?? [0, ""]
  }
}

interface Form {
  /** Whether the method is sent as `?method=`. */
  readonly overrides: boolean
  /** Whether the store is named by its run. */
  readonly byRun: boolean
}

/** A request with faults. */
const requestOf = (endpoint: Endpoint, faults: ReadonlySet<Fault>, { overrides, byRun }: Form) => {
  const { store = CLOSED, below = "", key = false, stranger = ["other"] } = endpoint
  const parts = (["work", "input"] as const).flatMap((fault) => (faults.has(fault) ? [endpoint[fault] ?? {}] : []))
  const {
    key: recordKey = "a",
    query,
    headers = {},
    body = endpoint.body
  }: Partial<Faulty> = Object.assign({}, ...parts)
  const segment = faults.has("store") ? "NoSuchStore000000" : store
  const named = faults.has("path") && !key ? "owner~" : segment
  const path = [
    byRun ? `/v2/actor-runs/${segment}/key-value-store` : store === "" ? STORES : storePath(named),
    below,
    key ? (faults.has("path") ? "a%20b" : recordKey) : "",
    faults.has("route") ? "/no/such/route" : ""
  ].join("")
  const method = faults.has("method") ? "PATCH" : endpoint.method
  const token = faults.has("token") ? "unknown" : faults.has("rights") ? stranger[0] : OWNER
  const queries = [...(overrides ? [`method=${method}`] : []), ...(query === undefined ? [] : [query])].join("&")
  const options: RequestOptions = {
    method: overrides ? "POST" : method,
    token: token === "" ? undefined : token,
    headers,
    ...(body === undefined ? {} : { body })
  }
  return { target: `${path}${queries === "" ? "" : `?${queries}`}`, options }
}

const typeOf = (text: string): unknown => (text === "" ? "" : JSON.parse(text).error?.type)

describe("a request with several faults gets the refusal of the first:", () => {
  layer(Emulator.layer({ seed: seedWithRuns }))((it) => {
    for (const endpoint of endpoints) {
      const { method, store = "/:store", below = "", key = false } = endpoint
      it.effect(`${method} ${STORES}${store === "" ? "" : "/:store"}${below}${key ? ":key" : ""}`, () =>
        Effect.gen(function* () {
          const { url } = yield* Emulator
          yield* request(url, `${storePath(CLOSED)}/records/a`, { method: "PUT", token: OWNER, body: "a" })
          const requests = fc
            .record({ overrides: fc.boolean(), byRun: store === "" ? fc.constant(false) : fc.boolean() })
            .chain((form) =>
              fc.record({
                form: fc.constant(form),
                // In their order.
                faults: fc.subarray([...faultsOf(endpoint, form.byRun)], { minLength: 1 })
              })
            )
          yield* Effect.promise(() =>
            fc.assert(
              fc.asyncProperty(requests, ({ form, faults }) =>
                Effect.gen(function* () {
                  const { target, options } = requestOf(endpoint, new Set(faults), form)
                  const { status, text } = yield* request(url, target, options)
                  const [first] = faults.map((fault) => refusedWith(fault, endpoint))
                  assert.deepStrictEqual([status, text === "" ? first?.[1] : typeOf(text)], [...(first ?? [])])
                }).pipe(Effect.runPromise)
              )
            )
          )
        })
      )
    }
  })
})
