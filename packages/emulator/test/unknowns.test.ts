/**
 * What is not known of Apify: the emulator as it is, and as it would be if Apify were different.
 */
import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { ApiError } from "@effect-apify/domain/ApiError"
import { tokenNotProvidedRefusal } from "@effect-apify/domain/Refusal"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { unzipSync } from "fflate"
import { Emulator } from "../src/index.js"
import { CurrentUnknowns, type Unknowns, unknowns } from "../src/Unknowns.js"
import { AT, CLOSED, COLLECTIONS, OPEN_BY_ID, OWNER, recordPath, SECRET, seed } from "./records.js"
import { type RequestOptions, type Response, request, storePath } from "./request.js"

const STORES = "/v2/key-value-stores"

type Send = (path: string, options?: RequestOptions) => Effect.Effect<Response, Error>

/** Requests of the owner's to an emulator with other unknowns; an empty token is none. */
const sending = <A>(others: Partial<Unknowns>, use: (send: Send) => Effect.Effect<A, Error>) =>
  Effect.flatMap(Emulator, ({ url }) =>
    use((path, { token = OWNER, ...options } = {}) =>
      request(url, path, { ...options, token: token === "" ? undefined : token })
    )
  ).pipe(
    Effect.provide(Layer.provide(Emulator.layer({ seed }), Layer.succeed(CurrentUnknowns, { ...unknowns, ...others }))),
    Effect.orDie
  )

interface Case {
  /** What is observed of an emulator. */
  readonly observe: (send: Send) => Effect.Effect<unknown, Error>
  /** What is observed of one that has the constant as it is. */
  readonly begun: unknown
  /** Another value, and what is observed then. */
  readonly other: readonly [change: Partial<Unknowns>, observed: unknown]
}

const TEAPOT = { status: 418, error: new ApiError({ type: "teapot", message: "I am a teapot" }) }

const refusalOf = ({ status, text }: Response) => [status, JSON.parse(text).error?.type]
const messageOf = ({ text }: Response): string => JSON.parse(text).error?.message
const dataOf = ({ text }: Response) => JSON.parse(text).data
const isSigned = (url: string): boolean => url.includes("signature=")

const put = (send: Send, key: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  send(recordPath(CLOSED, key), { method: "PUT", body, headers })
const update = (send: Send, body: unknown, options: RequestOptions = {}) =>
  send(storePath(CLOSED), { method: "PUT", body: JSON.stringify(body), ...options })

const refused =
  (path: string, options: RequestOptions = {}) =>
  (send: Send) =>
    Effect.map(send(path, options), refusalOf)

const zipOf = (send: Send) =>
  Effect.map(send(`${storePath(CLOSED)}/records`), ({ headers, bytes }) => ({
    disposition: headers["content-disposition"],
    files: Object.entries(unzipSync(bytes)).map(([name, file]) => [name, Buffer.from(file).toString("latin1")])
  }))

const HTML = "<!doctype html><p>Hi</p>"
const htmlOf = (send: Send) =>
  Effect.gen(function* () {
    yield* put(send, "page", HTML, { "content-type": "text/html; charset=utf-8" })
    yield* put(send, "zipped", gzipSync(HTML), { "content-type": "text/html", "content-encoding": "gzip" })
    yield* put(send, "text", HTML, { "content-type": "text/plain" })
    const read = (path: string) =>
      Effect.map(send(recordPath(CLOSED, path), { headers: { "accept-encoding": "gzip" } }), ({ text, headers }) =>
        headers["content-encoding"] === undefined ? [text, headers["content-length"]] : headers["content-encoding"]
      )
    return yield* Effect.forEach(["page", "zipped", "page?attachment=1", "text"], read)
  })

const cases: { readonly [Name in keyof Unknowns]: Case } = {
  ANONYMOUS_REFUSAL: {
    observe: (send) =>
      Effect.forEach(["", "/keys", "/records", "/records/a"], (below) =>
        Effect.map(send(`${storePath(CLOSED)}${below}`, { token: "" }), refusalOf)
      ),
    begun: Array.from({ length: 4 }, () => [403, "insufficient-permissions"]),
    other: [
      { ANONYMOUS_REFUSAL: tokenNotProvidedRefusal },
      Array.from({ length: 4 }, () => [401, "token-not-provided"])
    ]
  },
  BAD_SIGNATURE_REFUSAL: {
    observe: (send) =>
      Effect.all([
        Effect.map(send(`${storePath(CLOSED)}/keys?signature=wrong`, { token: "" }), refusalOf),
        Effect.map(send(`${storePath(CLOSED)}/keys`, { token: "" }), refusalOf),
        Effect.map(send(`${storePath(OPEN_BY_ID)}/keys?signature=wrong`, { token: "" }), refusalOf)
      ]),
    begun: [
      [403, "insufficient-permissions"],
      [403, "insufficient-permissions"],
      [200, undefined]
    ],
    other: [
      { BAD_SIGNATURE_REFUSAL: Option.some(TEAPOT) },
      [
        [418, "teapot"],
        [403, "insufficient-permissions"],
        [200, undefined]
      ]
    ]
  },
  BAD_NUMBER_REFUSAL: {
    observe: (send) =>
      Effect.forEach([`${storePath(CLOSED)}/keys?limit=-1`, `${STORES}?limit=x`, `${STORES}?offset=0.5`], (path) =>
        Effect.map(send(path), refusalOf)
      ),
    begun: Array.from({ length: 3 }, () => [400, "invalid-value"]),
    other: [{ BAD_NUMBER_REFUSAL: () => TEAPOT }, Array.from({ length: 3 }, () => [418, "teapot"])]
  },
  MAXIMUM_JSON_BYTES: {
    observe: (send) => Effect.map(update(send, { title: "a title" }), refusalOf),
    begun: [200, undefined],
    other: [{ MAXIMUM_JSON_BYTES: 10 }, [413, "request-too-large"]]
  },
  CORS_EXPOSED: {
    observe: (send) => Effect.map(send("/"), ({ headers }) => headers["access-control-expose-headers"]),
    begun: "Location, Content-Disposition, X-RateLimit-Limit",
    other: [{ CORS_EXPOSED: ["ETag"] }, "ETag"]
  },
  STORES_LIMIT_ABOVE_MAXIMUM: {
    observe: (send) => Effect.map(send(`${STORES}?limit=1001`), (got) => [...refusalOf(got), dataOf(got)?.limit]),
    begun: [200, undefined, 1000],
    other: [{ STORES_LIMIT_ABOVE_MAXIMUM: "refuse" }, [400, "invalid-value", undefined]]
  },
  BAD_OWNERSHIP_REFUSAL: {
    observe: refused(`${STORES}?ownership=nobody`),
    begun: [400, "invalid-value"],
    other: [{ BAD_OWNERSHIP_REFUSAL: TEAPOT }, [418, "teapot"]]
  },
  LIST_ITEMS_HAVE_SECRET: {
    observe: (send) =>
      Effect.map(send(STORES), (got) => {
        const { urlSigningSecretKey, keysPublicUrl } = dataOf(got).items.find(({ id }: { id: string }) => id === CLOSED)
        return [urlSigningSecretKey, isSigned(keysPublicUrl)]
      }),
    begun: [SECRET, true],
    other: [{ LIST_ITEMS_HAVE_SECRET: false }, [null, false]]
  },
  UNNAMED_LEAVES_OUT_EMPTY: {
    observe: (send) =>
      Effect.gen(function* () {
        yield* send(recordPath(OPEN_BY_ID, "a"), { method: "PUT", body: "a" })
        const { items } = dataOf(yield* send(`${STORES}?unnamed=1`))
        return [OPEN_BY_ID, COLLECTIONS, CLOSED].map((id) => items.some((item: { id: string }) => item.id === id))
      }),
    begun: [true, true, true],
    other: [{ UNNAMED_LEAVES_OUT_EMPTY: true }, [true, false, true]]
  },
  NAME_CONFLICT_MESSAGE: {
    observe: (send) =>
      Effect.map(update(send, { name: "by-name" }), (got) => [
        ...refusalOf(got),
        messageOf(got) === unknowns.NAME_CONFLICT_MESSAGE
      ]),
    begun: [400, "name-not-unique", true],
    other: [{ NAME_CONFLICT_MESSAGE: "taken" }, [400, "name-not-unique", false]]
  },
  SCHEMA_INVALID_MESSAGE: {
    observe: (send) =>
      Effect.map(send(STORES, { method: "POST", body: `{"schema":{}}` }), (got) => [
        ...refusalOf(got),
        messageOf(got).startsWith("The schema of the store is not valid: ")
      ]),
    begun: [400, "store-schema-invalid", true],
    other: [{ SCHEMA_INVALID_MESSAGE: () => "no schema" }, [400, "store-schema-invalid", false]]
  },
  UPDATE_ACCESS_RIGHT: {
    observe: (send) => Effect.map(update(send, { generalAccess: "RESTRICTED" }, { token: "writer" }), refusalOf),
    begun: [200, undefined],
    other: [{ UPDATE_ACCESS_RIGHT: "OWNER" }, [403, "insufficient-permissions"]]
  },
  UPDATE_UNKNOWN_FIELDS: {
    observe: (send) => Effect.map(update(send, { color: "red" }), refusalOf),
    begun: [200, undefined],
    other: [{ UPDATE_UNKNOWN_FIELDS: "refuse" }, [400, "invalid-value"]]
  },
  GET_OR_CREATE_TOUCHES: {
    observe: (send) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(Date.parse(AT) + 1000)
        yield* send(`${STORES}?name=closed`, { method: "POST" })
        return dataOf(yield* send(storePath(CLOSED))).accessedAt !== AT
      }),
    begun: false,
    other: [{ GET_OR_CREATE_TOUCHES: true }, true]
  },
  SIGNING_KEY_FORM: {
    observe: (send) =>
      Effect.map(send(STORES, { method: "POST" }), (got) =>
        String(dataOf(got).urlSigningSecretKey).replace(/^[a-zA-Z0-9]{17}$/, "17")
      ),
    begun: "17",
    other: [{ SIGNING_KEY_FORM: () => "as opaque" }, "as opaque"]
  },
  DELETED_NAME_FREE_AT_ONCE: {
    observe: (send) =>
      Effect.gen(function* () {
        yield* send(storePath(CLOSED), { method: "DELETE" })
        return (yield* send(`${STORES}?name=Closed`, { method: "POST" })).status
      }),
    begun: 201,
    other: [{ DELETED_NAME_FREE_AT_ONCE: false }, 400]
  },
  KEYS_PUBLIC_URL_VALIDITY: {
    observe: (send) =>
      Effect.gen(function* () {
        const { keysPublicUrl } = dataOf(yield* send(storePath(CLOSED)))
        const { pathname, search } = new URL(keysPublicUrl)
        const read = Effect.map(send(`${pathname}${search}`, { token: "" }), ({ status }) => status)
        yield* TestClock.adjust("13 days")
        const early = yield* read
        yield* TestClock.adjust("2 days")
        return [early, yield* read]
      }),
    begun: [200, 403],
    other: [{ KEYS_PUBLIC_URL_VALIDITY: 30 * 24 * 60 * 60 * 1000 }, [200, 200]]
  },
  SIGNED_ONLY_WHEN_RESTRICTED: {
    observe: (send) =>
      Effect.gen(function* () {
        yield* send(recordPath(OPEN_BY_ID, "a"), { method: "PUT", body: "a" })
        const store = dataOf(yield* send(storePath(OPEN_BY_ID)))
        const { items } = dataOf(yield* send(`${storePath(OPEN_BY_ID)}/keys`))
        return [store.keysPublicUrl, items[0].recordPublicUrl].map(isSigned)
      }),
    begun: [false, false],
    other: [{ SIGNED_ONLY_WHEN_RESTRICTED: false }, [true, true]]
  },
  DEFAULT_CONTENT_TYPE: {
    observe: (send) =>
      Effect.zipRight(
        put(send, "a", "a"),
        Effect.map(send(recordPath(CLOSED, "a")), ({ headers }) => headers["content-type"])
      ),
    begun: "application/octet-stream",
    other: [{ DEFAULT_CONTENT_TYPE: "text/plain" }, "text/plain"]
  },
  MAXIMUM_RECORD_BYTES: {
    observe: (send) => Effect.map(put(send, "a", "12345"), refusalOf),
    begun: [201, undefined],
    other: [{ MAXIMUM_RECORD_BYTES: 4 }, [400, "record-too-large"]]
  },
  RECORD_REJECTED_TYPE: {
    observe: refused(recordPath(COLLECTIONS, "image-a"), { method: "PUT", body: "a" }),
    begun: [400, "schema-validation-failed"],
    other: [{ RECORD_REJECTED_TYPE: "invalid-value" }, [400, "invalid-value"]]
  },
  RECORD_REJECTED_MESSAGE: {
    observe: (send) =>
      Effect.map(send(recordPath(COLLECTIONS, "image-a"), { method: "PUT", body: "a" }), (got) =>
        messageOf(got).startsWith("The record does not fit the schema of the store: ")
      ),
    begun: true,
    other: [{ RECORD_REJECTED_MESSAGE: () => "rejected" }, false]
  },
  ATTACHMENT_FILENAME: {
    observe: (send) =>
      Effect.zipRight(
        put(send, "a.txt", "a"),
        Effect.map(send(`${recordPath(CLOSED, "a.txt")}?attachment=1`), ({ headers }) => headers["content-disposition"])
      ),
    begun: "attachment",
    other: [{ ATTACHMENT_FILENAME: Option.some }, 'attachment; filename="a.txt"']
  },
  HTML_SNIPPET: {
    observe: htmlOf,
    begun: [[HTML, "24"], "gzip", [HTML, "24"], [HTML, "24"]],
    other: [
      { HTML_SNIPPET: "<script></script>" },
      [
        [`<script></script>${HTML}`, "41"],
        [`<script></script>${HTML}`, "41"],
        [HTML, "24"],
        [HTML, "24"]
      ]
    ]
  },
  RECORD_CACHE_HEADERS: {
    observe: (send) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(Date.parse(AT))
        yield* put(send, "a", "12345")
        return yield* Effect.forEach(["GET", "HEAD"], (method) =>
          Effect.map(send(recordPath(CLOSED, "a"), { method }), ({ headers }) => [
            headers.etag,
            headers["last-modified"],
            headers["cache-control"],
            headers["accept-ranges"]
          ])
        )
      }),
    begun: Array.from({ length: 2 }, () => Array.from({ length: 4 }, () => undefined)),
    other: [
      {
        RECORD_CACHE_HEADERS: ({ size, modifiedAt }) => ({
          etag: `"${size}"`,
          "last-modified": modifiedAt.toUTCString(),
          "cache-control": "no-cache",
          "accept-ranges": "none"
        })
      },
      Array.from({ length: 2 }, () => ['"5"', "Thu, 12 Dec 2019 07:34:14 GMT", "no-cache", "none"])
    ]
  },
  RECORD_REDIRECT: {
    observe: (send) =>
      Effect.gen(function* () {
        yield* put(send, "a", "a")
        const paths = [recordPath(CLOSED, "a"), recordPath(CLOSED, "b"), `${storePath(CLOSED)}/records`]
        return yield* Effect.forEach(paths, (path) =>
          Effect.map(send(path), ({ status, headers }) => [status, headers.location])
        )
      }),
    begun: [
      [200, undefined],
      [404, undefined],
      [200, undefined]
    ],
    other: [
      { RECORD_REDIRECT: (storeId, key) => Option.some(`https://storage.example/${storeId}/${key}`) },
      [
        [302, `https://storage.example/${CLOSED}/a`],
        [404, undefined],
        [200, undefined]
      ]
    ]
  },
  HEAD_RATE: {
    observe: (send) =>
      Effect.map(send(recordPath(CLOSED, "a"), { method: "HEAD" }), ({ headers }) => headers["x-ratelimit-limit"]),
    begun: "200",
    other: [{ HEAD_RATE: 60 }, "60"]
  },
  KEYS_LIMIT_ABOVE_MAXIMUM: {
    observe: (send) =>
      Effect.map(send(`${storePath(CLOSED)}/keys?limit=1001`), (got) => [...refusalOf(got), dataOf(got)?.limit]),
    begun: [200, undefined, 1000],
    other: [{ KEYS_LIMIT_ABOVE_MAXIMUM: "refuse" }, [400, "invalid-value", undefined]]
  },
  KEY_SIZE_IS_STORED_SIZE: {
    observe: (send) =>
      Effect.gen(function* () {
        const zipped = gzipSync("a".repeat(1000))
        const headers = { "content-encoding": "gzip" }
        yield* put(send, "encoded", zipped, headers)
        yield* put(send, "plain", "12345")
        yield* put(send, "wrong", "no gzip", headers)
        const { items } = dataOf(yield* send(`${storePath(CLOSED)}/keys`))
        return items.map(({ size }: { size: number }) => (size === zipped.length ? "stored" : size))
      }),
    begun: ["stored", 5, 7],
    other: [{ KEY_SIZE_IS_STORED_SIZE: false }, [1000, 5, 7]]
  },
  UNKNOWN_COLLECTION_REFUSAL: {
    observe: (send) =>
      Effect.forEach(["keys", "records"], (below) =>
        Effect.map(send(`${storePath(COLLECTIONS)}/${below}?collection=none`), refusalOf)
      ),
    begun: Array.from({ length: 2 }, () => [400, "invalid-value"]),
    other: [{ UNKNOWN_COLLECTION_REFUSAL: TEAPOT }, Array.from({ length: 2 }, () => [418, "teapot"])]
  },
  ZIP_ORDER: {
    observe: (send) =>
      Effect.gen(function* () {
        for (const key of ["b", "a", "B", "-"]) {
          yield* TestClock.adjust("1 second")
          yield* put(send, key, key)
        }
        return (yield* zipOf(send)).files.map(([name]) => name)
      }),
    begun: ["-", "B", "a", "b"],
    other: [{ ZIP_ORDER: "modifiedAt" }, ["b", "a", "B", "-"]]
  },
  ZIP_FILENAME: {
    observe: (send) => Effect.map(zipOf(send), ({ disposition }) => disposition),
    begun: 'attachment; filename="closed.zip"',
    other: [{ ZIP_FILENAME: () => "records.zip" }, 'attachment; filename="records.zip"']
  },
  ZIP_DECODES: {
    observe: (send) =>
      Effect.gen(function* () {
        const zipped = gzipSync("decoded")
        yield* put(send, "a", zipped, { "content-encoding": "gzip" })
        return (yield* zipOf(send)).files.map(([, file]) => (file === zipped.toString("latin1") ? "stored" : file))
      }),
    begun: ["decoded"],
    other: [{ ZIP_DECODES: false }, ["stored"]]
  },
  ZIP_COUNTS_AS: {
    observe: (send) =>
      Effect.gen(function* () {
        yield* zipOf(send)
        const { listCount, readCount } = dataOf(yield* send(storePath(CLOSED))).stats
        return { listCount, readCount }
      }),
    begun: { listCount: 1, readCount: undefined },
    other: [{ ZIP_COUNTS_AS: "readCount" }, { listCount: undefined, readCount: 1 }]
  }
}

describe("what is not known of Apify", () => {
  for (const [name, { observe, begun, other }] of Object.entries(cases)) {
    it.effect(`${name} is as the emulator has it`, () =>
      Effect.map(sending({}, observe), (observed) => assert.deepStrictEqual(observed, begun))
    )
    const [change, expected] = other
    it.effect(`${name} can be different`, () =>
      Effect.map(sending(change, observe), (observed) => assert.deepStrictEqual(observed, expected))
    )
  }
})
