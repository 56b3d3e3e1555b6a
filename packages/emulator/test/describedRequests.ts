/**
 * Requests of the described operations: what each parameter and body can be, and what a request gets whose only fault it
 * is.
 */
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib"
import * as fc from "effect/FastCheck"
import { character } from "../../../vitest.text.js"
import type { SeedJson } from "../src/index.js"
import type { Operation, Parameter } from "./apiDescription.js"

/** A value as it stands on the wire, but for the fields of a target, which are in braces. */
export interface Value {
  readonly text: string
  /** The status that it is refused with, if it is. */
  readonly refused?: number
}

/** A body before it is encoded, with the fields of a target in braces. */
export interface Body {
  readonly content: string
  readonly headers: Readonly<Record<string, string>>
  readonly refused?: number
}

export interface DescribedRequest {
  /** What the request has of its operation's parameters, by name. */
  readonly values: ReadonlyMap<string, Value>
  readonly body: Body
}

// ---- The seed --------------------------------------------------------------------------------------------------------

/** A store with a run, by any of which operations name it. */
export interface Target {
  readonly storeId: string
  readonly storeName: string
  readonly runId: string
  readonly actorId: string
  readonly actorName: string
  readonly actorTaskId: string
  readonly taskName: string
}

const OWNER = "janedoe"
export const tokens = { owner: "jane-writes", reader: "jane-reads", other: "john", unknown: "nobody" } as const

export const targetOf = (index: number): Target => {
  const number = String(index).padStart(8, "0")
  return {
    storeId: `Store0000${number}`,
    storeName: `store-${index}`,
    runId: `Run000000${number}`,
    actorId: `Actor0000${number}`,
    actorName: `actor-${index}`,
    actorTaskId: `Task00000${number}`,
    taskName: `task-${index}`
  }
}

const then = "2026-01-01T12:00:00.000Z"

const schema = {
  actorKeyValueStoreSchemaVersion: 1,
  title: "Texts and images",
  collections: {
    texts: { title: "Texts", keyPrefix: "text-", contentTypes: ["text/plain"] },
    output: { title: "Output", key: "OUTPUT", contentTypes: ["application/json"], jsonSchema: { type: "object" } }
  }
}

/** Two users, and targets that belong to the first. */
export const seedOf = (count: number): SeedJson => {
  const targets = Array.from({ length: count }, (_, index) => targetOf(index))
  return {
    users: [
      {
        username: OWNER,
        id: "JaneDoe0000000001",
        tokens: [{ token: tokens.owner }, { token: tokens.reader, scope: "READ" }]
      },
      { username: "johndoe", tokens: [{ token: tokens.other }] }
    ],
    stores: targets.map(({ storeId, storeName }) => ({
      owner: OWNER,
      store: {
        id: storeId,
        name: storeName,
        createdAt: then,
        modifiedAt: then,
        accessedAt: then,
        schema,
        urlSigningSecretKey: "urlSigningSecretKey"
      }
    })),
    runs: targets.map(({ storeId, runId, actorId, actorName, actorTaskId, taskName }) => ({
      id: runId,
      owner: OWNER,
      actor: { id: actorId, name: actorName },
      task: { id: actorTaskId, name: taskName },
      startedAt: then,
      status: "SUCCEEDED",
      origin: "API",
      defaultKeyValueStoreId: storeId
    }))
  }
}

const RECORD = '{"a":[1,"b",null]}'

/** What the stores hold that are read. */
export const records = [
  {
    key: "OUTPUT",
    bytes: gzipSync(RECORD),
    headers: { "content-type": "application/json; charset=utf-8", "content-encoding": "gzip" }
  },
  {
    key: "text-a",
    bytes: brotliCompressSync("text"),
    headers: { "content-type": "text/plain", "content-encoding": "br" }
  },
  { key: "weird-key!'()", bytes: new Uint8Array([0, 255]), headers: {} }
]

// ---- Parameters ------------------------------------------------------------------------------------------------------

const accepted = (...texts: ReadonlyArray<string>): ReadonlyArray<Value> => texts.map((text) => ({ text }))
const refused = (status: number, ...texts: ReadonlyArray<string>): ReadonlyArray<Value> =>
  texts.map((text) => ({ text, refused: status }))

const MISSING = "Missing0000000000"
const invalidEscape = refused(400, "%zz")

const named = (id: string, name: string): ReadonlyArray<Value> => [
  ...accepted(id, `${OWNER}~${name}`, `~${name}`, `${OWNER.toUpperCase()}~${name}`, `${OWNER}%2F${name}`),
  ...refused(400, `${OWNER}~`),
  ...refused(404, MISSING, `nobody~${name}`),
  ...invalidEscape
]

const last = (one: string, ...others: ReadonlyArray<string>): ReadonlyArray<Value> => [
  ...accepted(one),
  // There is no such run.
  ...refused(404, ...others),
  ...refused(400, "", one.toLowerCase(), "NONE")
]

const isUpdate = ({ method, path }: Operation): boolean => method === "PUT" && !path.endsWith("{recordKey}")

const keys = ({ method }: Operation): ReadonlyArray<Value> => [
  ...accepted(...records.map(({ key }) => encodeURIComponent(key)), "weird-key%21%27%28%29"),
  ...(method === "GET" || method === "HEAD" ? refused(404, "missing", "..") : accepted("new", "..", "x".repeat(256))),
  ...refused(400, "a%20b", "a%2Fb", "%C3%A9", "x".repeat(257)),
  ...invalidEscape
]

const booleans = accepted("true", "false", "1", "0", "", "yes")
// Too high a limit is lowered, and zero means that there is none.
const numbers = [...accepted("1", "2", "1000", "0", "1001"), ...refused(400, "-1", "1.5", "one", "")]

const values: Readonly<Record<string, (operation: Operation) => ReadonlyArray<Value>>> = {
  // An update may take the name away.
  storeId: (operation) =>
    isUpdate(operation)
      ? [...accepted("{storeId}"), ...refused(404, MISSING)]
      : [...named("{storeId}", "{storeName}"), ...refused(404, "{storeName}")],
  runId: () => [...accepted("{runId}"), ...refused(404, MISSING), ...invalidEscape],
  actorId: () => [...named("{actorId}", "{actorName}"), ...accepted("{actorName}")],
  actorTaskId: () => [...named("{actorTaskId}", "{taskName}"), ...accepted("{taskName}")],
  status: () => last("SUCCEEDED", "READY", "TIMED-OUT"),
  origin: () => last("API", "WEB", "MCP"),
  recordKey: keys,
  attachment: () => booleans,
  desc: () => booleans,
  unnamed: () => booleans,
  // To the owner, a signature that does not fit is as good as none.
  signature: () => accepted("wrong", "", "x".repeat(5000)),
  limit: () => numbers,
  offset: () => numbers,
  ownership: () => [...accepted("ownedByMe", "sharedWithMe"), ...refused(400, "OWNEDBYME", "")],
  exclusiveStartKey: () => accepted("OUTPUT", "zzz", "not a key", ""),
  prefix: () => accepted("text-", "t", "nothing", "not a key", ""),
  collection: () => [...accepted("texts", "output"), ...refused(400, "none", "__proto__", "")],
  name: () => [
    ...accepted("{storeName}", "STORE-0", "new", "x".repeat(63)),
    ...refused(400, "", "-a", "a_b", "x".repeat(64))
  ],
  "Content-Encoding": () => [
    ...accepted("br", "gzip", "deflate", "identity", "GZIP"),
    ...refused(415, "zstd", "gzip, br")
  ]
}

const texts: Readonly<Record<string, fc.Arbitrary<string>>> = {
  exclusiveStartKey: fc.string({ unit: character }),
  prefix: fc.string({ unit: character }),
  signature: fc.string({ unit: character }),
  name: fc.stringMatching(/^[a-z]{1,2}$/)
}

/** What a parameter can be. It fails for one that it does not know. */
const valuesOf = (parameter: Parameter, operation: Operation): ReadonlyArray<Value> => {
  const of = values[parameter.name]
  if (of === undefined) throw new Error(`No values for ${parameter.in} ${parameter.name}`)
  return of(operation)
}

// ---- Bodies ----------------------------------------------------------------------------------------------------------

const json = (body: unknown, refused?: number): Body => ({
  content: typeof body === "string" ? body : JSON.stringify(body),
  headers: { "content-type": "application/json" },
  ...(refused === undefined ? {} : { refused })
})

const jsonObjects = [
  json("not JSON", 400),
  json([], 400),
  json({ padding: "x".repeat(9_437_184) }, 413),
  { ...json({}, 415), headers: { "content-type": "application/json", "content-encoding": "zstd" } }
]

const levels = ["ANYONE_WITH_ID_CAN_READ", "ANYONE_WITH_NAME_CAN_READ", "FOLLOW_USER_SETTING", "RESTRICTED"]

const updates: ReadonlyArray<Body> = [
  json({}),
  json({ name: null }),
  json({ name: "{storeName}-renamed" }),
  ...levels.map((generalAccess) => json({ generalAccess })),
  json({ generalAccess: null, title: "Title", unknown: 1 }),
  json({ name: "-" }, 400),
  json({ name: "" }, 400),
  json({ name: 1 }, 400),
  json({ name: "STORE-0" }, 400),
  json({ generalAccess: "NOBODY" }, 400),
  json("", 400),
  ...jsonObjects
]

const NO_BODY: Body = { content: "", headers: {} }

const creations: ReadonlyArray<Body> = [
  NO_BODY,
  json({}),
  json({ schema }),
  json({ schema: null }),
  json({ schema: { title: 1 } }, 400),
  ...jsonObjects
]

/** In a collection, a record is what the collection demands. JSON is an object, as the description has it. */
const recordsAt = (key: string): ReadonlyArray<Body> => {
  const text = { content: "text", headers: { "content-type": "text/plain; charset=utf-8" } }
  const image = { content: "GIF89a", headers: { "content-type": "image/gif" } }
  const untyped = { content: "text", headers: { "content-type": "no media type" }, refused: 400 }
  if (key === "OUTPUT")
    return [json(RECORD), json({}), json("[]", 400), json("{", 400), { ...text, refused: 400 }, untyped]
  const empty = { ...text, content: "" }
  if (key.startsWith("text-")) return [text, empty, { ...image, refused: 400 }, untyped]
  return [json(RECORD), text, empty, image, { content: "bytes", headers: {} }, untyped]
}

const bodiesOf = (operation: Operation, key: string): ReadonlyArray<Body> => {
  if (operation.id === "keyValueStores_post") return creations
  if (Object.keys(operation.body).length === 0) return [NO_BODY]
  return isUpdate(operation) ? updates : recordsAt(key)
}

const encoders: Readonly<Record<string, (content: string) => Uint8Array>> = {
  gzip: gzipSync,
  br: brotliCompressSync,
  deflate: deflateSync
}

// ---- Requests --------------------------------------------------------------------------------------------------------

type Values = ReadonlyMap<string, Value>

const bodiesFor = (operation: Operation, values: Values): ReadonlyArray<Body> => {
  const key = values.get("recordKey")
  return bodiesOf(operation, key === undefined || key.refused !== undefined ? "" : decodeURIComponent(key.text))
}

/** A request with the body that comes first. */
const withFirstBody = (operation: Operation, values: Values): DescribedRequest => {
  const [body = NO_BODY] = bodiesFor(operation, values)
  return { values, body }
}

/** A request with nothing that it could do without, and with nothing that is refused. */
export const plainRequest = (operation: Operation): DescribedRequest => {
  const inPath = operation.parameters.filter((parameter) => parameter.in === "path")
  const values = inPath.flatMap((parameter) =>
    valuesOf(parameter, operation)
      .slice(0, 1)
      .map((value) => [parameter.name, value] as const)
  )
  return withFirstBody(operation, new Map(values))
}

/** For each value of each parameter, and for each body, the plain request with that. */
export const singleRequests = (operation: Operation): ReadonlyArray<DescribedRequest> => {
  const plain = plainRequest(operation)
  return [
    ...operation.parameters.flatMap((parameter) =>
      valuesOf(parameter, operation).map((value) =>
        withFirstBody(operation, new Map(plain.values).set(parameter.name, value))
      )
    ),
    ...bodiesFor(operation, plain.values).map((body) => ({ ...plain, body }))
  ]
}

/** Most values are accepted: one that is refused hides all others. */
const valueArbitrary = (parameter: Parameter, operation: Operation): fc.Arbitrary<Value> => {
  const all = valuesOf(parameter, operation)
  const good = all.filter(({ refused }) => refused === undefined)
  const text = texts[parameter.name]
  return fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: fc.constantFrom(...all) },
    ...(text === undefined ? [] : [{ weight: 4, arbitrary: text.map((text) => ({ text })) }])
  )
}

const entryArbitrary = (parameter: Parameter, operation: Operation) => {
  const entry = valueArbitrary(parameter, operation).map((value) => [[parameter.name, value] as const])
  return parameter.in === "path" ? entry : fc.oneof(entry, fc.constant([]))
}

/** Any combination of parameters and a body. */
export const anyRequest = (operation: Operation): fc.Arbitrary<DescribedRequest> =>
  fc.tuple(...operation.parameters.map((parameter) => entryArbitrary(parameter, operation))).chain((entries) => {
    const values = new Map(entries.flat())
    // What is large is sent once, alone.
    const bodies = bodiesFor(operation, values).filter(({ refused }) => refused !== 413)
    return fc.constantFrom(...bodies).map((body) => ({ values, body }))
  })

const fill = (text: string, target: Target): string =>
  Object.entries(target).reduce((text, [field, value]) => text.replaceAll(`{${field}}`, value), text)

/** A request as it is sent. */
export interface Sendable {
  readonly method: Operation["method"]
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: string | Uint8Array
}

/** The request that asks a target. The body has the encoding that the request says. */
export const toSendable = (operation: Operation, { values, body }: DescribedRequest, target: Target): Sendable => {
  const sent = operation.parameters.flatMap(({ in: place, name }) => {
    const value = values.get(name)
    return value === undefined ? [] : [{ place, name, text: fill(value.text, target) }]
  })
  const inPlace = (place: Parameter["in"]) => sent.filter((parameter) => parameter.place === place)
  const path = inPlace("path").reduce((path, { name, text }) => path.replace(`{${name}}`, () => text), operation.path)
  const query = inPlace("query").map(({ name, text }) => `${name}=${encodeURIComponent(text)}`)
  const content = fill(body.content, target)
  const encode = encoders[values.get("Content-Encoding")?.text.toLowerCase() ?? ""]
  return {
    method: operation.method,
    path: [path, ...(query.length === 0 ? [] : [query.join("&")])].join("?"),
    headers: { ...body.headers, ...Object.fromEntries(inPlace("header").map(({ name, text }) => [name, text])) },
    body: encode === undefined ? content : encode(content)
  }
}

/** The statuses that the values and the body are refused with. */
export const refusalsOf = ({ values, body }: DescribedRequest): ReadonlySet<number> =>
  new Set([...values.values(), body].flatMap(({ refused }) => (refused === undefined ? [] : [refused])))
