/**
 * Stores for tests of records, and requests about them.
 */
import * as Effect from "effect/Effect"
import type { SeedJson } from "../src/index.js"
import { type RequestOptions, request, storePath } from "./request.js"

export const AT = "2019-12-12T07:34:14.202Z"
export const SECRET = "urlSigningSecretKey"

/** The owner's token, and those of everybody else. */
export const OWNER = "owner"

export const CLOSED = "ClosedStore000000"
export const OPEN_BY_ID = "OpenByIdStore0000"
export const OPEN_BY_NAME = "OpenByNameStore00"
export const WITHOUT_SECRET = "NoSecretStore0000"
export const COLLECTIONS = "CollectionsStore0"

const times = { createdAt: AT, modifiedAt: AT, accessedAt: AT }

const grants = [
  { user: "writer", access: "WRITE" as const },
  { user: "reader", access: "READ" as const }
]

/** Who owns no store. */
export const others = [
  { username: "writer", tokens: [{ token: "writer" }, { token: "writer-read", scope: "READ" }] },
  { username: "reader", tokens: [{ token: "reader" }] },
  { username: "other", tokens: [{ token: "other" }] }
] as const

/** Every kind of caller, and what they may do by rights of their own. */
export const callers = [
  { who: "the owner", token: OWNER, right: "WRITE" },
  { who: "the owner's token that is scoped to reading", token: "owner-read", right: "READ" },
  { who: "somebody granted writing", token: "writer", right: "WRITE" },
  { who: "somebody granted writing, by a token scoped to reading", token: "writer-read", right: "READ" },
  { who: "somebody granted reading", token: "reader", right: "READ" },
  { who: "another user", token: "other", right: "NONE" },
  { who: "nobody", token: undefined, right: "NONE" }
] as const

/** The schema of the store `COLLECTIONS`. */
export const schema = {
  actorKeyValueStoreSchemaVersion: 1,
  title: "Results",
  collections: {
    images: { keyPrefix: "image-", contentTypes: ["image/png", "Image/JPEG"] },
    posts: {
      keyPrefix: "post-",
      contentTypes: ["application/json"],
      jsonSchema: { type: "object", properties: { id: { type: "integer" } }, required: ["id"] }
    },
    output: { key: "OUTPUT" }
  }
}

export const seed: SeedJson = {
  users: [
    {
      username: "owner",
      id: "OwnerOfStores0000",
      tokens: [{ token: OWNER }, { token: "owner-read", scope: "READ" }]
    },
    ...others
  ],
  stores: [
    {
      owner: "owner",
      grants,
      store: { id: CLOSED, name: "closed", ...times, urlSigningSecretKey: SECRET, generalAccess: "RESTRICTED" }
    },
    {
      owner: "owner",
      grants,
      store: { id: OPEN_BY_ID, ...times, urlSigningSecretKey: SECRET, generalAccess: "ANYONE_WITH_ID_CAN_READ" }
    },
    {
      owner: "owner",
      grants,
      store: {
        id: OPEN_BY_NAME,
        name: "by-name",
        ...times,
        urlSigningSecretKey: SECRET,
        generalAccess: "ANYONE_WITH_NAME_CAN_READ"
      }
    },
    { owner: "owner", store: { id: WITHOUT_SECRET, ...times, generalAccess: "RESTRICTED" } },
    { owner: "owner", store: { id: COLLECTIONS, ...times, schema, generalAccess: "RESTRICTED" } }
  ]
}

export const recordPath = (store: string, key: string): string => `${storePath(store)}/records/${key}`

export const put = (url: string, store: string, key: string, body: string | Uint8Array, options: RequestOptions = {}) =>
  request(url, recordPath(store, key), { method: "PUT", token: OWNER, body, ...options })

export const get = (url: string, store: string, key: string, options: RequestOptions = {}) =>
  request(url, recordPath(store, key), { token: OWNER, ...options })

/** A store as its owner sees it. */
export const storeOf = (url: string, store: string) =>
  Effect.map(request(url, storePath(store), { token: OWNER }), ({ text }) => JSON.parse(text).data)
