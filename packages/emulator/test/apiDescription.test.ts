/**
 * The emulator against the public API description: every parameter of every operation is sent, in bounds and out of them,
 * alone and in any combination, and every response is one that the description has.
 */
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib"
import { assert, it, layer } from "@effect/vitest"
import { Ajv2020 } from "ajv/dist/2020.js"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import { Emulator } from "../src/index.js"
import { type JsonSchema, type Operation, operations, type Parameter, schemas } from "./apiDescription.js"
import {
  anyRequest,
  type DescribedRequest,
  plainRequest,
  records,
  refusalsOf,
  type Sendable,
  seedOf,
  singleRequests,
  type Target,
  targetOf,
  tokens,
  toSendable
} from "./describedRequests.js"
import { type Response, request } from "./request.js"

// ---- What is described -----------------------------------------------------------------------------------------------

/** Statuses that the description leaves out. */
const UNDESCRIBED: ReadonlyArray<{
  readonly operation: string
  readonly statuses: ReadonlyArray<number>
  readonly why: string
}> = [
  {
    operation: "keyValueStores_post",
    statuses: [413, 415],
    why: "The official clients send a body with the schema of the store, of which the description does not know."
  }
]

const formats = {
  "date-time": (text: string) =>
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text) && !Number.isNaN(Date.parse(text)),
  uri: (text: string) => URL.canParse(text),
  binary: true,
  int32: true,
  double: true
} as const

const validator = (coerceTypes: boolean) => {
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, coerceTypes, formats })
  ajv.addVocabulary(["components"])
  const compile = (schema: JsonSchema) =>
    ajv.compile({ components: { schemas }, type: "object", properties: { value: schema } })
  const compiled = new Map<JsonSchema, ReturnType<typeof compile>>()
  return (schema: JsonSchema, value: unknown): string => {
    const validate = compiled.get(schema) ?? compile(schema)
    compiled.set(schema, validate)
    return validate({ value }) ? "" : ajv.errorsText(validate.errors)
  }
}

/** What is wrong with a value. */
const problemsOf = validator(false)
const problemsOfText = validator(true)

const isInBounds = ({ schema }: Parameter, text: string): boolean => problemsOfText(schema, text) === ""

/** Whether any text at all is out of them. */
const hasBounds = ({ schema }: Parameter): boolean => schema.type !== "string" || schema.enum !== undefined

const decoders: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  gzip: gunzipSync,
  br: brotliDecompressSync,
  deflate: inflateSync
}

/** Fails for a response that the description does not have. */
const assertDescribed = (operation: Operation, { status, headers, bytes }: Response): void => {
  const isAdded = UNDESCRIBED.some((row) => row.operation === operation.id && row.statuses.includes(status))
  const response = operation.responses.get(isAdded ? 400 : status)
  if (response === undefined) throw new Error(`The status ${status} is not described`)
  const { content, hasLocation } = response
  if (hasLocation) assert.match(headers.location ?? "", /^http:\/\/127\.0\.0\.1:\d+\/v2\/key-value-stores\/\w+/)
  if (operation.method === "HEAD" || Object.keys(content).length === 0) {
    assert.strictEqual(bytes.length, 0)
    return
  }
  const [mediaType = ""] = (headers["content-type"] ?? "").split(";")
  const schema = content[mediaType] ?? content["*/*"]
  if (schema === undefined) throw new Error(`The media type ${mediaType} is not described`)
  if (mediaType === "application/zip") assert.strictEqual(Buffer.from(bytes.subarray(0, 2)).toString(), "PK")
  if (mediaType !== "application/json") return
  const decode = decoders[headers["content-encoding"] ?? ""]
  const text = Buffer.from(decode === undefined ? bytes : decode(bytes)).toString()
  assert.strictEqual(problemsOf(schema, JSON.parse(text)), "")
}

// ---- Requests --------------------------------------------------------------------------------------------------------

const everyone = ["owner", "owner in the query", "reader", "other", "unknown", "anonymous"] as const

type Who = (typeof everyone)[number]

const isReading = ({ method }: Operation): boolean => method === "GET" || method === "HEAD"
const isOfOneStore = ({ path }: Operation): boolean => path !== "/v2/key-value-stores"

/** Whether nothing but the request itself can be wrong. */
const hasRights = (operation: Operation, who: Who): boolean => {
  switch (who) {
    case "owner":
    case "owner in the query":
      return true
    case "reader":
      return isReading(operation)
    case "other":
      return !isOfOneStore(operation)
    case "unknown":
    case "anonymous":
      return false
  }
}

/** Fails for a success of a request that has a fault, and for a refusal that is not for one of its faults. */
const assertOutcome = (operation: Operation, described: DescribedRequest, who: Who, { status }: Response): void => {
  const refusals = refusalsOf(described)
  if (who === "unknown") assert.strictEqual(status, 401)
  else if (hasRights(operation, who)) {
    if (refusals.size === 0) assert.isBelow(status, 300)
    else assert.include([...refusals], status)
  }
  // Somebody who may not create stores gets those that are there.
  else if (operation.id !== "keyValueStores_post" || who === "anonymous") assert.isAtLeast(status, 400)
}

const send = (url: string, sendable: Sendable, who: Who, acceptEncoding = "identity") => {
  const { method, path, headers, body } = sendable
  const options = { method, body, headers: { ...headers, "accept-encoding": acceptEncoding } }
  switch (who) {
    case "anonymous":
      return request(url, path, options)
    case "owner in the query":
      return request(url, `${path}${path.includes("?") ? "&" : "?"}token=${tokens.owner}`, options)
    default:
      return request(url, path, { ...options, token: tokens[who] })
  }
}

/** A request and its response, short enough to be read. */
const show = ({ method, path, headers, body }: Sendable, who: Who, { status, text }: Response): string =>
  [
    `${method} ${path} as ${who}, ${JSON.stringify(headers)}, ${JSON.stringify(`${body}`.slice(0, 200))}`,
    `${status} ${JSON.stringify(text.slice(0, 1000))}`
  ].join("\n")

// ---- Targets ---------------------------------------------------------------------------------------------------------

// Requests over sockets cost a hundred times what a pure case does.
const numRuns = Math.ceil((fc.readConfigureGlobal().numRuns ?? 100) / 4)

/** Whether a request that succeeds leaves nothing for the next. */
const isFinal = ({ method, path }: Operation): boolean => method === "DELETE" && !path.endsWith("{recordKey}")

/** Each operation has a target of its own, or one for each request. */
const targetsOf = (() => {
  let next = 0
  const targets = new Map(
    operations.map((operation) => {
      const count = isFinal(operation) ? everyone.length + singleRequests(operation).length + numRuns : 1
      return [operation, Arr.makeBy(count, () => targetOf(next++))]
    })
  )
  return targets
})()

const seed = seedOf(Arr.flatten(Arr.fromIterable(targetsOf.values())).length)

const putRecords = (url: string, { storeId }: Target) =>
  Effect.forEach(records, ({ key, bytes, headers }) =>
    request(url, `/v2/key-value-stores/${storeId}/records/${encodeURIComponent(key)}`, {
      method: "PUT",
      token: tokens.owner,
      headers: { ...headers },
      body: bytes
    })
  )

// ---- Tests -----------------------------------------------------------------------------------------------------------

const who = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Who>("owner") },
  { weight: 2, arbitrary: fc.constantFrom(...everyone) }
)

const acceptEncoding = fc.constantFrom("gzip, br", "gzip", "identity", "*", "")

it("the API description has 39 operations on 17 paths", () => {
  assert.lengthOf(operations, 39)
  assert.strictEqual(new Set(operations.map(({ path }) => path)).size, 17)
})

layer(Emulator.layer({ seed }))("the API description", (it) => {
  for (const [operation, targets] of targetsOf) {
    it.effect(`${operation.method} ${operation.path}: every parameter is taken, every response described`, () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        const left = targets.values()
        const [last = targetOf(0)] = targets
        if (!isFinal(operation)) yield* putRecords(url, last)

        const sent = new Set<string>()
        const check = Effect.fnUntraced(function* (described: DescribedRequest, who: Who, acceptEncoding?: string) {
          for (const parameter of operation.parameters) {
            const text = described.values.get(parameter.name)?.text
            if (text !== undefined)
              sent.add(`${parameter.name}: ${isInBounds(parameter, text) ? "in" : "out of"} bounds`)
          }
          const sendable = toSendable(operation, described, left.next().value ?? last)
          const response = yield* send(url, sendable, who, acceptEncoding)
          try {
            assertDescribed(operation, response)
            assertOutcome(operation, described, who, response)
          } catch (cause) {
            throw new Error(show(sendable, who, response), { cause })
          }
        })

        for (const who of everyone) yield* check(plainRequest(operation), who)
        for (const single of singleRequests(operation)) yield* check(single, "owner")
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(anyRequest(operation), who, acceptEncoding, (described, who, acceptEncoding) =>
              Effect.runPromise(check(described, who, acceptEncoding))
            ),
            // A smaller counterexample would need targets that are not used up.
            { numRuns, endOnFailure: isFinal(operation) }
          )
        )
        for (const parameter of operation.parameters) {
          assert.include([...sent], `${parameter.name}: in bounds`)
          if (hasBounds(parameter)) assert.include([...sent], `${parameter.name}: out of bounds`)
        }
      })
    )
  }

  const signed = operations.filter(
    ({ id, parameters }) => /^(keyValueStore|actorRun)_/.test(id) && parameters.some(({ name }) => name === "signature")
  )
  for (const operation of signed) {
    it.effect(`${operation.method} ${operation.path}: a signature stands for a token`, () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        const target = targetOf(0)
        yield* putRecords(url, target)
        const [linked, name] = operation.path.endsWith("{recordKey}")
          ? ["/keys?prefix=OUTPUT", "recordPublicUrl"]
          : ["", "keysPublicUrl"]
        const { text } = yield* request(url, `/v2/key-value-stores/${target.storeId}${linked}`, { token: tokens.owner })
        const signature = new RegExp(`"${name}": ".*signature=(.*)"`).exec(text)?.[1] ?? ""
        const plain = plainRequest(operation)
        const values = new Map(plain.values).set("signature", { text: signature })
        const response = yield* send(url, toSendable(operation, { ...plain, values }, target), "anonymous")
        assertDescribed(operation, response)
        assert.strictEqual(response.status, 200)
      })
    )
  }

  for (const [path, described] of Object.entries(Arr.groupBy(operations, ({ path }) => path))) {
    it.effect(`${path}: any other method gets a 405 as described`, () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        const response = yield* request(url, path, { method: "PATCH", token: tokens.owner })
        assert.strictEqual(response.status, 405)
        for (const operation of described) if (operation.method !== "HEAD") assertDescribed(operation, response)
      })
    )
  }
})
