/**
 * The public description of Apify's key-value stores, restated as data: every operation with its parameters, bodies and
 * responses. `scripts/checkDescription.ts` compares it with the description itself.
 *
 * Source: API version v2-2026-08-05T133145Z.
 */

/** A JSON Schema of draft 2020-12, as OpenAPI 3.1 has it. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** Schemas by media type. */
export type Content = Readonly<Record<string, JsonSchema>>

export interface Parameter {
  readonly name: string
  readonly in: "path" | "query" | "header"
  readonly schema: JsonSchema
}

export interface ResponseOf {
  /** Nothing for a response without a body. */
  readonly content: Content
  readonly hasLocation: boolean
}

export interface Operation {
  readonly id: string
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE"
  /** With each parameter in braces. */
  readonly path: string
  readonly parameters: ReadonlyArray<Parameter>
  /** Nothing for a request without a body; required otherwise. */
  readonly body: Content
  readonly responses: ReadonlyMap<number, ResponseOf>
}

// ---- Schemas ---------------------------------------------------------------------------------------------------------

const string = { type: "string" }
const integer = { type: "integer" }
const natural = { type: "integer", minimum: 0 }
const boolean = { type: "boolean" }
const text = { type: ["string", "null"] }
const instant = { type: "string", format: "date-time" }
const url = { type: "string", format: "uri" }
const anyObject = { type: "object", additionalProperties: true }
const anything = {}
const literals = (...values: ReadonlyArray<string>) => ({ type: "string", enum: values })

/** An object whose fields in `required` must be there; others may be, and so may fields that are not described. */
const object = (properties: Readonly<Record<string, JsonSchema>>, ...required: ReadonlyArray<string>): JsonSchema => ({
  type: "object",
  properties,
  ...(required.length === 0 ? {} : { required })
})

export const schemaRef = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` })

/** The ID of the store in examples. */
export const EXAMPLE_ID = "WkzbQMuFYuamGv3YF"

/** The types of errors that the operations have. The description has some 380, most of them of other resources. */
export const ERROR_TYPES: ReadonlyArray<string> = [
  "concurrent-update-detected",
  "content-encoding-forbidden-for-html",
  "insufficient-permissions",
  "internal-server-error",
  "invalid-content-type-header",
  "invalid-id",
  "invalid-input",
  "invalid-record-key",
  "invalid-request",
  "invalid-token",
  "invalid-value",
  "limit-reached",
  "method-not-allowed",
  "name-not-unique",
  "not-implemented",
  "operation-timed-out",
  "page-not-found",
  "parameter-required",
  "rate-limit-exceeded",
  "record-not-found",
  "record-not-public",
  "record-or-token-not-found",
  "record-too-large",
  "request-aborted-prematurely",
  "request-too-large",
  "schema-validation-failed",
  "service-worker-registration-not-allowed",
  "store-schema-invalid",
  "token-not-provided",
  "too-many-requests",
  "unsupported-content-encoding",
  "unsupported-permission",
  "user-or-token-not-found",
  "x402-payment-required"
]

export const schemas: Readonly<Record<string, JsonSchema>> = {
  ErrorType: literals(...ERROR_TYPES),
  ErrorDetail: object({ type: schemaRef("ErrorType"), message: string }),
  ErrorResponse: object({ error: schemaRef("ErrorDetail") }, "error"),
  GeneralAccess: literals("ANYONE_WITH_ID_CAN_READ", "ANYONE_WITH_NAME_CAN_READ", "FOLLOW_USER_SETTING", "RESTRICTED"),
  KeyValueStoreStats: object({
    readCount: integer,
    writeCount: integer,
    deleteCount: integer,
    listCount: integer,
    s3StorageBytes: integer,
    storageBytes: integer
  }),
  KeyValueStore: object(
    {
      id: { ...string, examples: [EXAMPLE_ID] },
      name: text,
      userId: text,
      username: text,
      createdAt: instant,
      modifiedAt: instant,
      accessedAt: instant,
      actId: text,
      actRunId: text,
      consoleUrl: url,
      keysPublicUrl: url,
      recordsPublicUrl: url,
      schema: { type: ["object", "null"] },
      urlSigningSecretKey: text,
      generalAccess: schemaRef("GeneralAccess"),
      stats: schemaRef("KeyValueStoreStats")
    },
    "id",
    "createdAt",
    "modifiedAt",
    "accessedAt"
  ),
  KeyValueStoreResponse: object({ data: schemaRef("KeyValueStore") }, "data"),
  PaginationResponse: object(
    { total: natural, offset: natural, limit: { type: "integer", minimum: 1 }, desc: boolean, count: natural },
    "total",
    "offset",
    "limit",
    "desc",
    "count"
  ),
  ListOfKeyValueStores: {
    allOf: [
      schemaRef("PaginationResponse"),
      object({ unnamed: boolean, items: { type: "array", items: schemaRef("KeyValueStore") } }, "items")
    ]
  },
  ListOfKeyValueStoresResponse: object({ data: schemaRef("ListOfKeyValueStores") }, "data"),
  KeyValueStoreKey: object({ key: string, size: integer, recordPublicUrl: url }, "key", "size", "recordPublicUrl"),
  ListOfKeys: object(
    {
      items: { type: "array", items: schemaRef("KeyValueStoreKey") },
      count: integer,
      limit: integer,
      exclusiveStartKey: text,
      // The last page: made examples would be of a list that never ends.
      isTruncated: { ...boolean, examples: [false] },
      nextExclusiveStartKey: { ...text, examples: [null] }
    },
    "items",
    "count",
    "limit",
    "isTruncated"
  ),
  ListOfKeysResponse: object({ data: schemaRef("ListOfKeys") }, "data"),
  UpdateStoreRequest: object({ name: text, generalAccess: schemaRef("GeneralAccess") }),
  RecordResponse: anyObject,
  PutRecordRequest: anyObject,
  StorageOwnership: literals("ownedByMe", "sharedWithMe"),
  RunOrigin: literals(
    "DEVELOPMENT",
    "WEB",
    "API",
    "SCHEDULER",
    "TEST",
    "WEBHOOK",
    "ACTOR",
    "CLI",
    "CI",
    "STANDBY",
    "MCP"
  )
}

// ---- Parameters ------------------------------------------------------------------------------------------------------

const inPath = (name: string): Parameter => ({ name, in: "path", schema: string })
const inQuery = (name: string, schema: JsonSchema): Parameter => ({ name, in: "query", schema })

const recordKey = inPath("recordKey")
const signature = inQuery("signature", string)
const attachment = inQuery("attachment", boolean)
const number = { type: "number", format: "double" }
const selection = [inQuery("collection", string), inQuery("prefix", string), signature]
const contentEncoding: Parameter = {
  name: "Content-Encoding",
  in: "header",
  schema: literals("br", "gzip", "deflate", "identity")
}

// ---- Responses -------------------------------------------------------------------------------------------------------

const json = (name: string): Content => ({ "application/json": schemaRef(name) })

const empty: ResponseOf = { content: {}, hasLocation: false }
const withBody = (content: Content): ResponseOf => ({ content, hasLocation: false })
const located = (content: Content): ResponseOf => ({ content, hasLocation: true })

/** The responses of a success, and the refusals beside those that every operation has. */
const responses = (
  successes: ReadonlyArray<readonly [number, ResponseOf]>,
  ...refusals: ReadonlyArray<number>
): ReadonlyMap<number, ResponseOf> =>
  new Map([
    ...successes,
    ...[400, 401, 403, 405, 429, ...refusals].map((status) => [status, withBody(json("ErrorResponse"))] as const)
  ])

const PAYMENT_REQUIRED = 402
const NOT_FOUND = 404
const TOO_LARGE = 413
const UNSUPPORTED_MEDIA_TYPE = 415

const store = withBody(json("KeyValueStoreResponse"))

// ---- Operations ------------------------------------------------------------------------------------------------------

/** Where stores are mounted: by their own IDs and names, and by the runs whose default stores they are. */
const mounts = [
  { id: "keyValueStore", path: "/v2/key-value-stores/{storeId}", parameters: [inPath("storeId")] },
  { id: "actorRun_keyValueStore", path: "/v2/actor-runs/{runId}/key-value-store", parameters: [inPath("runId")] },
  ...[
    { id: "actor", path: "actors", name: "actorId" },
    { id: "actorTask", path: "actor-tasks", name: "actorTaskId" }
  ].map(({ id, path, name }) => ({
    id: `${id}_runs_last_keyValueStore`,
    path: `/v2/${path}/{${name}}/runs/last/key-value-store`,
    parameters: [inPath(name), inQuery("status", string), inQuery("origin", schemaRef("RunOrigin"))]
  }))
]

type Mounted = Omit<Operation, "id" | "path">

const operationsOnStore: Readonly<Record<string, Mounted>> = {
  get: {
    method: "GET",
    parameters: [],
    body: {},
    responses: responses([[200, store]], PAYMENT_REQUIRED, NOT_FOUND)
  },
  put: {
    method: "PUT",
    parameters: [],
    body: json("UpdateStoreRequest"),
    responses: responses([[200, store]], NOT_FOUND, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE)
  },
  delete: { method: "DELETE", parameters: [], body: {}, responses: responses([[204, empty]], NOT_FOUND) }
}

const listKeys: Mounted = {
  method: "GET",
  parameters: [
    inQuery("exclusiveStartKey", string),
    inQuery("limit", { type: "number", format: "int32", minimum: 1, maximum: 1000, default: 1000 }),
    ...selection
  ],
  body: {},
  responses: responses([[200, withBody(json("ListOfKeysResponse"))]], PAYMENT_REQUIRED, NOT_FOUND)
}

const downloadRecords: Mounted = {
  method: "GET",
  parameters: selection,
  body: {},
  responses: responses([[200, withBody({ "application/zip": { type: "string", format: "binary" } })]], NOT_FOUND)
}

const putRecord: Mounted = {
  method: "PUT",
  parameters: [recordKey, contentEncoding],
  body: { ...json("PutRecordRequest"), "*/*": anything },
  responses: responses(
    [[201, located({ "application/json": { type: "object" } })]],
    NOT_FOUND,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE
  )
}

const operationsOnRecord: Readonly<Record<string, Mounted>> = {
  get: {
    method: "GET",
    parameters: [recordKey, signature, attachment],
    body: {},
    responses: responses(
      [
        [200, withBody({ ...json("RecordResponse"), "*/*": anything })],
        [302, { content: {}, hasLocation: true }]
      ],
      PAYMENT_REQUIRED,
      NOT_FOUND
    )
  },
  put: putRecord,
  post: { ...putRecord, method: "POST" },
  delete: { method: "DELETE", parameters: [recordKey], body: {}, responses: responses([[204, empty]], NOT_FOUND) }
}

export const operations: ReadonlyArray<Operation> = [
  {
    id: "keyValueStores_get",
    method: "GET",
    path: "/v2/key-value-stores",
    parameters: [
      inQuery("offset", number),
      inQuery("limit", number),
      inQuery("desc", boolean),
      inQuery("unnamed", boolean),
      inQuery("ownership", schemaRef("StorageOwnership"))
    ],
    body: {},
    responses: responses([[200, withBody(json("ListOfKeyValueStoresResponse"))]])
  },
  {
    id: "keyValueStores_post",
    method: "POST",
    path: "/v2/key-value-stores",
    parameters: [inQuery("name", string)],
    body: {},
    responses: responses([
      [200, store],
      [201, located(json("KeyValueStoreResponse"))]
    ])
  },
  ...mounts.flatMap((mount) =>
    [
      ...Object.entries(operationsOnStore).map(([id, operation]) => ({ id, path: "", operation })),
      { id: "keys_get", path: "/keys", operation: listKeys },
      { id: "records_get", path: "/records", operation: downloadRecords },
      ...Object.entries(operationsOnRecord).map(([id, operation]) => ({
        id: `record_${id}`,
        path: "/records/{recordKey}",
        operation
      }))
    ].map(({ id, path, operation }) => ({
      ...operation,
      id: `${mount.id}_${id}`,
      path: `${mount.path}${path}`,
      parameters: [...mount.parameters, ...operation.parameters]
    }))
  ),
  {
    id: "keyValueStore_record_head",
    method: "HEAD",
    path: "/v2/key-value-stores/{storeId}/records/{recordKey}",
    parameters: [inPath("storeId"), recordKey],
    body: {},
    // Refusals have a body in the description, which no response to HEAD can have.
    responses: responses([[200, empty]], NOT_FOUND)
  }
]

/** The ways to send a token. */
const securitySchemes = {
  httpBearer: { type: "http", scheme: "bearer" },
  apiKey: { type: "apiKey", name: "token", in: "query" }
}

// ---- As a document ---------------------------------------------------------------------------------------------------

const contentOf = (content: Content) =>
  Object.keys(content).length === 0
    ? {}
    : { content: Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }])) }

const locationHeader = { headers: { Location: { content: { "text/plain": { schema: string } } } } }

/** The same as a document of OpenAPI 3.1, for tools that read those. */
export const openApiDocument = () => {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const { id, method, path, parameters, body, responses } of operations) {
    const operation = {
      operationId: id,
      parameters: parameters.map((parameter) => ({ ...parameter, required: parameter.in === "path" })),
      ...(Object.keys(body).length === 0 ? {} : { requestBody: { ...contentOf(body), required: true } }),
      responses: Object.fromEntries(
        Array.from(responses, ([status, { content, hasLocation }]) => [
          status,
          { description: String(status), ...(hasLocation ? locationHeader : {}), ...contentOf(content) }
        ])
      )
    }
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation }
  }
  return {
    openapi: "3.1.0",
    info: { title: "Key-value stores", version: "2" },
    servers: [{ url: "https://api.apify.com" }],
    paths,
    components: { schemas, securitySchemes },
    security: Object.keys(securitySchemes).map((name) => ({ [name]: [] }))
  }
}
