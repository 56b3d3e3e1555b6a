/**
 * The operations that are put to the faults of `cases.ts`. One more takes an entry here.
 */
import { Fault } from "@effect-apify/fault-server"
import {
  type ApifyClient,
  CallError,
  downloadRecords,
  getRecord,
  getStore,
  listKeysPage,
  putRecord,
  RecordInfoPage,
  Store,
  StoredRecord,
  StoreError,
  streamRecord,
  updateStore
} from "@effect-apify/http"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type Case, EARLY_HINTS, okWith, problemAt, single, wrongShape } from "./cases.js"
import { SIGNATURE, SIGNING_KEY } from "./secrets.js"

/** An operation, as the tests need to know it. */
export interface Operation {
  readonly name: string
  /** One call for a store. */
  readonly call: (store: string) => Effect.Effect<unknown, unknown, ApifyClient.ApifyClient>
  /** An error as data. */
  readonly encodeError: (error: unknown) => unknown
  readonly isSuccess: (value: unknown) => boolean
  /** The request that the server reads. */
  readonly method: string
  readonly path: (store: string) => string
  /** A success as Apify sends it. */
  readonly success: Required<Pick<Fault.ResponseOptions, "status">> & { readonly body: string } & Pick<
      Fault.ResponseOptions,
      "headers"
    >
  /** Whether a success is read as it arrives: then it is not asked for again once it has begun, and time is for what stalls. */
  readonly isStreamed: boolean
  /** Whether a success is a 200 and JSON. */
  readonly isJson: boolean
  /** Whether a redirect to another server is followed. */
  readonly isFollowed: boolean
  /** The tag of what Apify's 404 means. */
  readonly notFound: string
  /** Its faults beyond those of every operation. */
  readonly cases: ReadonlyArray<Case>
}

// ---- Get store

/** A store with every secret that it can hold. */
export const store = {
  id: "WkzbQMuFYuamGv3YF",
  name: "my-store",
  userId: "BPWDBd7Z9c746JAnF",
  username: "janedoe",
  createdAt: "2019-12-12T07:34:14.202Z",
  modifiedAt: "2019-12-13T08:36:13.202Z",
  accessedAt: "2019-12-14T08:36:13.202Z",
  keysPublicUrl: `https://api.apify.com/v2/key-value-stores/WkzbQMuFYuamGv3YF/keys?signature=${SIGNATURE}`,
  urlSigningSecretKey: SIGNING_KEY,
  generalAccess: "RESTRICTED",
  stats: { readCount: 9, writeCount: 3, deleteCount: 6, listCount: 2, s3StorageBytes: 18 }
}

const bodyWith = (fields: object): string => JSON.stringify({ data: { ...store, ...fields } })

/** With a field of 100,000 objects in one another, for which JSON.stringify has no stack. */
const bodyNested = (field: string): string =>
  `{"data":${JSON.stringify(store).slice(0, -1)},"${field}":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}}`

/** Holds none of the values that row 33 sends. */
const valueless = /^(?!.*(424242|nine|canary)).+$/s

const bodies: ReadonlyArray<Case> = [
  single(
    16,
    "103 before a 200 of 20 KiB",
    Fault.fault(
      "103, 200 of 20 KiB",
      Fault.send(EARLY_HINTS),
      Fault.send(Fault.responseBytes({ body: bodyWith({ title: "x".repeat(20 * 1024) }) }))
    ),
    "success"
  ),
  ...["null", "[]", '"x"', "{}"].map((body) => single(32, `the body ${body}`, okWith(body, body), wrongShape())),
  single(32, 'the body {"data":null}', okWith("data null", '{"data":null}'), problemAt("data")),
  single(
    33,
    "wrong types, and a field missing",
    okWith(
      "wrong types",
      bodyWith({ id: 424242, createdAt: undefined, stats: { readCount: "nine" }, urlSigningSecretKey: [SIGNING_KEY] })
    ),
    wrongShape({
      // In the order of the fields, these and no other, without the values.
      problems: [
        { path: ["data", "id"], problem: valueless },
        { path: ["data", "createdAt"], problem: "is missing" },
        { path: ["data", "urlSigningSecretKey"], problem: valueless },
        { path: ["data", "stats", "readCount"], problem: valueless }
      ]
    })
  ),
  single(34, "unknown fields", okWith("unknown fields", bodyWith({ brandNew: { a: [1] } })), "success"),
  ...["2019-13-45T00:00:00Z", "+010000-01-01T00:00:00.000Z", "2019-12-12T07:34:14.202"].map((createdAt) =>
    single(35, `the date ${createdAt}`, okWith(createdAt, bodyWith({ createdAt })), problemAt("data", "createdAt"))
  ),
  single(
    36,
    "fields named __proto__ and constructor",
    okWith(
      "__proto__",
      `{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"data":${JSON.stringify(store).slice(0, -1)},"schema":{"__proto__":{"polluted":1},"constructor":1,"kept":{"__proto__":{"polluted":1}}},"__proto__":{"polluted":1}}}`
    ),
    "success"
  ),
  single(
    37,
    "a schema nested 100,000 deep",
    okWith("nested schema", bodyNested("schema")),
    wrongShape({ problems: [{ path: ["data", "schema"] }] })
  ),
  // A success, because what is unknown is dropped, however deep.
  single(37, "an unknown field nested 100,000 deep", okWith("nested", bodyNested("brandNew")), "success"),
  single(38, "duplicate keys", okWith("duplicates", `{"data":null,"data":${JSON.stringify(store)}}`), "success"),
  single(
    38,
    "an integer over 2^53",
    okWith("2^53 + 1", bodyWith({}).replace('"readCount":9', '"readCount":9007199254740993')),
    problemAt("data", "stats", "readCount")
  )
]

export const getStoreOperation: Operation = {
  name: "getStore",
  call: getStore,
  encodeError: Schema.encodeUnknownSync(Schema.Union(...CallError.members, ...StoreError.members)),
  isSuccess: (value) => value instanceof Store && value.id === store.id && !("polluted" in {}),
  method: "GET",
  path: (name) => `/v2/key-value-stores/${name}`,
  success: { status: 200, body: bodyWith({}) },
  isJson: true,
  isFollowed: false,
  isStreamed: false,
  notFound: "StoreNotFoundError",
  cases: bodies
}

// ---- Update store

const updateStoreOperation: Operation = {
  ...getStoreOperation,
  name: "updateStore",
  call: (ref) => updateStore(ref, { title: "Pages" }),
  method: "PUT"
}

// ---- List keys

const page = {
  limit: 1000,
  count: 1,
  isTruncated: false,
  exclusiveStartKey: null,
  nextExclusiveStartKey: null,
  items: [
    {
      key: "OUTPUT",
      size: 36,
      recordPublicUrl: `https://api.apify.com/v2/key-value-stores/WkzbQMuFYuamGv3YF/records/OUTPUT?signature=${SIGNATURE}`
    }
  ]
}

const listKeysOperation: Operation = {
  ...getStoreOperation,
  name: "listKeys",
  call: listKeysPage,
  isSuccess: (value) => Schema.is(RecordInfoPage)(value) && value.items[0]?.key === "OUTPUT",
  path: (name) => `/v2/key-value-stores/${name}/keys?limit=1000`,
  success: { status: 200, body: JSON.stringify({ data: page }) },
  cases: [
    single(
      34,
      "unknown fields",
      okWith("unknown fields", JSON.stringify({ data: { ...page, brandNew: 1 } })),
      "success"
    ),
    single(
      33,
      "wrong types",
      okWith("wrong types", JSON.stringify({ data: { ...page, limit: "nine", items: null } })),
      wrongShape({ problems: [{ path: ["data", "limit"] }, { path: ["data", "items"] }] })
    ),
    single(
      91,
      "a bad item",
      okWith("bad item", JSON.stringify({ data: { ...page, items: [...page.items, { key: 424242, size: "nine" }] } })),
      wrongShape({
        problems: [
          { path: ["data", "items", 1, "key"], problem: valueless },
          { path: ["data", "items", 1, "size"], problem: valueless }
        ]
      })
    )
  ]
}

// ---- Get and put record

/** Long enough to be cut and to drip. */
const BYTES = "record ".repeat(60)

const getRecordOperation: Operation = {
  ...getStoreOperation,
  name: "getRecord",
  call: (ref) => getRecord(ref, "OUTPUT"),
  isSuccess: (value) => value instanceof StoredRecord && Buffer.from(BYTES).equals(value.bytes),
  path: (name) => `/v2/key-value-stores/${name}/records/OUTPUT?attachment=true`,
  success: { status: 200, body: BYTES },
  isJson: false,
  isFollowed: true,
  cases: []
}

const putRecordOperation: Operation = {
  ...getStoreOperation,
  name: "putRecord",
  call: (ref) => putRecord(ref, "OUTPUT", "text"),
  isSuccess: (value) => value === undefined,
  method: "PUT",
  path: (name) => `/v2/key-value-stores/${name}/records/OUTPUT`,
  success: { status: 201, body: "{}".padEnd(400) },
  isJson: false,
  cases: []
}

export const operations: ReadonlyArray<Operation> = [
  getStoreOperation,
  updateStoreOperation,
  listKeysOperation,
  getRecordOperation,
  putRecordOperation
]

// ---- Streams

const isBytes = (value: unknown): boolean => Buffer.isBuffer(value) && value.equals(Buffer.from(BYTES))

const collected = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>) =>
  Effect.map(Stream.runCollect(bytes), (chunks) => Buffer.concat([...chunks]))

const streamRecordOperation: Operation = {
  ...getRecordOperation,
  name: "streamRecord",
  call: (ref) => collected(Stream.unwrapScoped(Effect.map(streamRecord(ref, "OUTPUT"), ({ bytes }) => bytes))),
  isSuccess: isBytes,
  isStreamed: true
}

const downloadRecordsOperation: Operation = {
  ...streamRecordOperation,
  name: "downloadRecords",
  call: (ref) => collected(downloadRecords(ref)),
  path: (name) => `/v2/key-value-stores/${name}/records`,
  success: { status: 200, headers: [["Content-Type", "application/zip"]], body: BYTES },
  isFollowed: false
}

/** Operations that are read as streams. */
export const streamedOperations: ReadonlyArray<Operation> = [streamRecordOperation, downloadRecordsOperation]
