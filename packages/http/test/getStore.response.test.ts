/**
 * What a response means: right status with a good body, with any JSON, with no JSON, and every other status.
 */
import * as Headers from "@effect/platform/Headers"
import { assert, describe, it } from "@effect/vitest"
import { redact } from "@effect-apify/domain"
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { character } from "../../../vitest.text.js"
import { GeneratedStoreId, type GetStoreError, Store, type StoreRef, storeById } from "../src/index.js"
import { GetStore } from "../src/Stores.js"
import { bodyOf, minimalBody, store, words } from "./arbitraries.js"

const JSON_TYPE = "application/json; charset=utf-8"

interface Given {
  readonly status?: number
  readonly body?: string | Uint8Array
  readonly contentType?: string
  readonly headers?: { readonly [name: string]: string }
  readonly truncated?: boolean
}

const decode = (given: Given) => decodeFor("janedoe~my-store", given)

const decodeFor = (
  ref: StoreRef | string,
  { status = 200, body = minimalBody, contentType = JSON_TYPE, headers, truncated = false }: Given
) =>
  new GetStore(ref, false).decode(
    {
      status,
      headers: Headers.fromInput({ ...(contentType === "" ? {} : { "content-type": contentType }), ...headers }),
      body: typeof body === "string" ? new TextEncoder().encode(body) : body,
      isTruncated: truncated
    },
    {
      call: {
        operation: "getStore",
        method: "GET",
        url: "https://api.apify.com/v2/key-value-stores/janedoe~my-store",
        store: Option.some("janedoe~my-store"),
        attempts: 1,
        elapsed: Duration.millis(12)
      },
      now: Date.UTC(2026, 8, 30, 12),
      tokenSource: Option.some("APIFY_TOKEN"),
      maxBodyBytes: 1024 * 1024,
      redact
    }
  )

const refused = (given: Given): GetStoreError =>
  Either.match(decode(given), {
    onLeft: (error) => error,
    onRight: (store) => assert.fail(`A store was read: ${store}`)
  })

const malformed = (given: Given) => {
  const error = refused(given)
  return error._tag === "MalformedResponseError" ? error : assert.fail(`${error}`)
}

const unexpected = (given: Given) => {
  const error = refused(given)
  return error._tag === "UnexpectedResponseError" ? error : assert.fail(`${error}`)
}

const isSameStore = Schema.equivalence(Store)

describe("a 200 with a store", () => {
  it.prop("is that store", [store], ([store]) => {
    const read = Either.getOrThrow(decode({ body: bodyOf(store) }))
    assert.isTrue(isSameStore(read, store))
  })

  it.prop("is that store whatever else is there", [store, fc.jsonValue()], ([store, more]) => {
    const { data } = JSON.parse(bodyOf(store))
    const read = Either.getOrThrow(
      decode({ body: JSON.stringify({ data: { ...data, invented: more }, invented: more }) })
    )
    assert.isTrue(isSameStore(read, store))
  })

  it.prop("is that store after a byte order mark, and indented", [store], ([store]) => {
    const body = `\uFEFF${JSON.stringify(JSON.parse(bodyOf(store)), null, 2)}\r\n`
    assert.isTrue(isSameStore(Either.getOrThrow(decode({ body })), store))
  })

  it.each([
    "application/json",
    "Application/JSON",
    "application/json;charset=UTF-8",
    'application/json; charset="utf-8"',
    "application/json ; profile=x",
    "application/vnd.apify+json"
  ])("is a store as %s", (contentType) => {
    assert.isTrue(Either.isRight(decode({ contentType })))
  })
})

/** JSON in which every text, key and number can be recognized. */
const marked = fc.jsonValue().map((json) =>
  JSON.parse(JSON.stringify(json), (_, value: unknown) => {
    if (typeof value === "string") return `Canary${value}`
    if (typeof value === "number") return -9_173_645.5
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [`Canary${key}`, part]))
  })
)

/** A store with one field gone wrong. */
const spoiled = fc.tuple(store, fc.constantFrom(...Object.keys(Store.fields)), marked).map(([store, field, value]) => {
  const { data } = JSON.parse(bodyOf(store))
  return { data: { ...data, [field]: value } }
})

const id = Arbitrary.make(GeneratedStoreId)

describe("a 200 with a store that was requested by its ID", () => {
  it.prop("is that store", [store, id], ([store, id]) => {
    const found = new Store({ ...store, id })
    assert.strictEqual(Either.getOrThrow(decodeFor(storeById(found.id), { body: bodyOf(found) })).id, id)
  })

  it.prop("is a MalformedResponseError if it has another ID", [store, id], ([store, id]) => {
    fc.pre(store.id !== id)
    const decoded = decodeFor(storeById(id), { body: bodyOf(store) })
    if (Either.isRight(decoded) || decoded.left._tag !== "MalformedResponseError") return assert.fail(`${decoded}`)
    assert.deepStrictEqual(decoded.left.problems, [
      { path: ["data", "id"], problem: "is not the ID that was requested" }
    ])
    assert.strictEqual(decoded.left.retryable, "Never")
  })
})

describe("a 200 with any JSON", () => {
  it.prop(
    "is a store or a MalformedResponseError that says where, and never what",
    [fc.oneof(marked, spoiled, fc.record({ data: marked }))],
    ([json]) =>
      Either.match(decode({ body: JSON.stringify(json) }), {
        onRight: (store) => assert.isTrue(Schema.is(Store)(store)),
        onLeft: (error) => {
          if (error._tag !== "MalformedResponseError") return assert.fail(`${error}`)
          assert.strictEqual(error.kind, "Shape")
          assert.strictEqual(error.retryable, "Never")
          assert.isNotEmpty(error.problems)
          assert.notMatch(`${error.message} ${JSON.stringify(error)}`, /Canary|9173645/)
        }
      })
  )

  it.each([
    ["null", "it is not an object"],
    ["[]", "it is not an object"],
    ['"x"', "it is not an object"],
    ["{}", "data is missing"],
    ['{"data":null}', "data is not an object"],
    ['{"data":{"id":42}}', "data.id is not a string"],
    ['{"data":{"id":""}}', "data.id is not a non-empty string"],
    ['{"data":{}}', "data.createdAt is missing"]
  ])("such as %s says that %s", (body, problem) => {
    assert.include(malformed({ body }).message, problem)
  })

  it.each([
    ["createdAt", '"yesterday"', "is not an ISO 8601 date and time with a time zone"],
    ["createdAt", '"2019-12-12T07:34:14.202"', "is not an ISO 8601 date and time with a time zone"],
    ["modifiedAt", '"+010000-01-01T00:00:00Z"', "is not an ISO 8601 date and time with a time zone"],
    ["accessedAt", "null", "is not an ISO 8601 date and time with a time zone"],
    ["name", "[]", "is not a string"],
    ["urlSigningSecretKey", "7", "is not a string"],
    ["generalAccess", "true", "is not a level of access"],
    ["schema", '"{}"', "is not a JSON object, at most 256 levels deep"],
    ["schema", `${"[".repeat(300)}${"]".repeat(300)}`, "is not a JSON object, at most 256 levels deep"],
    ["stats", "[7]", "is not an object"]
  ])("a store whose %s is %s says that it %s", (field, value, problem) => {
    const body = minimalBody.replace(/}}$/, `,"${field}":${value}}}`)
    assert.include(malformed({ body }).message, `data.${field} ${problem}`)
  })

  it.each(["-1", "1.5", "9007199254740992", '"3"'])("a count of %s is refused, not rounded", (count) => {
    const body = minimalBody.replace(/}}$/, `,"stats":{"readCount":${count}}}}`)
    assert.include(malformed({ body }).message, "data.stats.readCount is not an integer from 0 to 2^53 - 1")
  })

  it("lists every problem", () => {
    const body = '{"data":{"id":42,"createdAt":"x","stats":{"readCount":-1,"writeCount":"2"}}}'
    assert.sameDeepMembers(
      malformed({ body }).problems.map(({ path }) => path.join(".")),
      ["createdAt", "modifiedAt", "accessedAt", "id", "stats.readCount", "stats.writeCount"].map((at) => `data.${at}`)
    )
  })

  it.each([
    ["in the schema", '{"data":{"schema":', "}}"],
    ["in a field that nobody knows", '{"data":{"invented":', "}}"],
    ["all over", "", ""]
  ])("nested 100,000 deep %s is a MalformedResponseError", (_, before, after) => {
    malformed({ body: `${before}${"[".repeat(100_000)}${"]".repeat(100_000)}${after}` })
  })

  it("with duplicate keys counts the last, and with unsafe keys changes no object", () => {
    const body = minimalBody.replace(
      /}}$/,
      ',"name":"first","name":"last","schema":{"__proto__":{"polluted":true},"constructor":{}},"__proto__":{"title":"x"}}}'
    )
    const read = Either.getOrThrow(decode({ body }))
    assert.strictEqual(Option.getOrNull(read.name), "last")
    assert.isNull(Option.getOrNull(read.title))
    assert.deepStrictEqual(Option.getOrNull(read.schema), {})
    assert.notProperty({}, "polluted")
  })
})

const isJson = (text: string) => Either.isRight(Either.try(() => JSON.parse(text)))

describe("a 200 with no JSON", () => {
  it.prop(
    "is a MalformedResponseError of the kind that is worth one more attempt",
    [fc.string({ unit: character }).filter((text) => !isJson(text))],
    ([body]) => {
      const error = malformed({ body })
      assert.strictEqual(error.kind, "Json")
      assert.strictEqual(error.retryable, "Once")
      assert.lengthOf(error.problems, 1)
      if (body.trim().length > 20) assert.notInclude(JSON.stringify(error), JSON.stringify(body.trim()).slice(1, -1))
    }
  )

  it.prop("but a store cut short, likewise", [store, fc.nat()], ([store, at]) => {
    const characters = [...bodyOf(store)]
    const body = characters.slice(0, at % characters.length).join("")
    assert.strictEqual(malformed({ body }).kind, "Json")
  })

  it("and nothing at all, likewise", () => {
    assert.strictEqual(malformed({ body: "" }).kind, "Json")
    assert.strictEqual(malformed({ body: "", contentType: "" }).kind, "Json")
    assert.strictEqual(malformed({ body: "\uFEFF" }).kind, "Json")
  })
})

describe("a 200 that cannot be read", () => {
  it.each(["", "text/plain", "text/html; charset=utf-8", "application/octet-stream", "application/jsonp", "text/json"])(
    "for its content type, %j, is an UnexpectedResponseError without the store's values",
    (contentType) => {
      const error = unexpected({ contentType })
      assert.include(error.problem, contentType === "" ? "missing" : contentType.replace(/;.*/, ""))
      assert.isNull(Option.getOrNull(error.snippet))
    }
  )

  it.each(["text/zQ8vN2mLx7Rt4Wp9", "text/8f14e45f-ceea-167a", "zqvnmlxrtw/plain", "text/a1.b2.c3"])(
    "does not show a content type that could be a secret, %s",
    (contentType) => {
      const expected = "The content type is not application/json, and not one that can be shown"
      assert.strictEqual(unexpected({ contentType }).problem, expected)
    }
  )

  it.each([
    "application/json, text/plain",
    "json",
    "application/json; charset=utf-8, application/json; charset=utf-16"
  ])("says that a content type is not valid, or was sent twice: %s", (contentType) => {
    const expected = "The content type is not valid, or was sent twice with different values"
    assert.strictEqual(unexpected({ contentType }).problem, expected)
  })

  it("does not show a content encoding that could be a secret", () => {
    const expected = "The content encoding could not be decoded, and is not one that can be shown"
    assert.strictEqual(
      unexpected({ body: Uint8Array.of(31, 157, 255), headers: { "content-encoding": "zQ8vN2mLx7Rt4Wp9" } }).problem,
      expected
    )
    assert.include(
      unexpected({ body: Uint8Array.of(31, 157, 255), headers: { "content-encoding": "x-compress" } }).problem,
      "compress"
    )
  })

  it.each(["application/vnd.openxmlformats-officedocument.wordprocessingml.document", "image/svg+xml", "video/3gpp2"])(
    "shows a content type of plain words, %s",
    (contentType) => {
      assert.include(unexpected({ contentType }).problem, contentType)
    }
  )

  it.each(["utf-16", "iso-8859-1", '"windows-1252"'])("for its charset, %s, is an UnexpectedResponseError", (name) => {
    assert.include(unexpected({ contentType: `application/json; charset=${name}` }).problem, "charset")
  })

  it.prop(
    "for bytes that are no UTF-8 is an UnexpectedResponseError",
    [fc.constantFrom([0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80]), fc.nat()],
    ([bytes, at]) => {
      const body = [...new TextEncoder().encode(minimalBody)]
      body.splice(at % body.length, 0, ...bytes)
      assert.include(unexpected({ body: Uint8Array.from(body) }).problem, "UTF-8")
    }
  )

  it("for an encoding that the transport leaves alone is an UnexpectedResponseError that names it", () => {
    const error = unexpected({ body: Uint8Array.of(0x1f, 0x8b, 0x08), headers: { "content-encoding": "zstd" } })
    assert.include(error.problem, "zstd")
  })

  it.each(["gzip, gzip", "rot13"])(
    "for an encoding that no transport decodes is not taken for JSON: %s",
    (encoding) => {
      assert.include(unexpected({ headers: { "content-encoding": encoding } }).problem, encoding)
    }
  )

  it("because it ends within a character is not taken for what came before", () => {
    const body = Buffer.concat([Buffer.from(minimalBody), Buffer.from("ž").subarray(0, 1)])
    assert.include(unexpected({ body }).problem, "UTF-8")
  })

  it.each(["[", " {"])("for its content type shows nothing of a result that begins with %j", (start) => {
    const error = unexpected({ contentType: "text/plain", body: `${start}"private"` })
    assert.notInclude(JSON.stringify([error, error.message]), "private")
  })

  it("for its size is an UnexpectedResponseError", () => {
    assert.include(unexpected({ truncated: true }).problem, "maxBodyBytes")
  })

  it("but is HTML shows the start of it, escaped", () => {
    const error = unexpected({
      contentType: "text/html",
      body: `<title>Log\u0000in</title>\r\n\u202E${"xxx ".repeat(1000)}`
    })
    const snippet = Option.getOrThrow(error.snippet)
    assert.include(snippet, "<title>Log\\u{0}in</title>\\r\\n\\u{202e}xxx")
    assert.isAtMost(snippet.length, 201)
    assert.isAtMost(error.message.length, 600)
  })
})

/** Which error each status is, if its body carries Apify's own words. */
const tags: ReadonlyArray<readonly [first: number, last: number, tag: GetStoreError["_tag"]]> = [
  [100, 199, "UnexpectedResponseError"],
  [200, 200, "MalformedResponseError"],
  [201, 399, "UnexpectedResponseError"],
  [400, 400, "BadRequestError"],
  [401, 401, "UnauthorizedError"],
  [402, 402, "PaymentRequiredError"],
  [403, 403, "ForbiddenError"],
  [404, 404, "UnexpectedResponseError"],
  [405, 405, "MethodNotAllowedError"],
  [406, 428, "UnexpectedResponseError"],
  [429, 429, "RateLimitedError"],
  [430, 499, "UnexpectedResponseError"],
  [500, 500, "ServerError"],
  [501, 501, "UnexpectedResponseError"],
  [502, 504, "ServerError"],
  [505, 505, "UnexpectedResponseError"],
  [506, 510, "ServerError"],
  [511, 511, "UnexpectedResponseError"],
  [512, 599, "ServerError"],
  [600, 999, "UnexpectedResponseError"]
]

const apifyError = (type: string, message: string) => JSON.stringify({ error: { type, message } })

describe("a status", () => {
  const statuses = tags.flatMap(([first, last, tag]) =>
    Array.from({ length: last - first + 1 }, (_, index) => ({ status: first + index, tag }))
  )

  it("lands in the one tag that is its own", () => {
    for (const { status, tag } of statuses) {
      assert.strictEqual(refused({ status, body: apifyError("any-type", "Any message") })._tag, tag, `${status}`)
    }
    assert.strictEqual(refused({ status: 0, body: "", contentType: "" })._tag, "UnexpectedResponseError")
  })

  it.prop(
    "lands there whatever the body is, and is retried only where it may pass",
    [
      fc.constantFrom(...statuses.filter(({ status }) => status !== 200)),
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((json) => new TextEncoder().encode(json))
      ),
      fc.constantFrom("", JSON_TYPE, "text/html", "application/problem+json"),
      fc.boolean()
    ],
    ([{ status, tag }, body, contentType, truncated]) => {
      const error = refused({ status, body, contentType, truncated })
      assert.strictEqual(error._tag, tag)
      const passes = tag === "ServerError" || tag === "RateLimitedError" || status === 408
      assert.strictEqual(error.retryable, passes ? "ByPolicy" : "Never")
      assert.isAtMost(error.message.length, 2000)
      assert.notMatch(error.message, /[\p{Cc}\u2028\u2029]/u)
    }
  )

  it.prop(
    "carries Apify's type and message, under any JSON content type or none",
    [
      fc.constantFrom(...statuses.filter(({ status }) => status !== 200)),
      fc.stringMatching(/^[a-z]+(-[a-z]+){0,4}$/),
      words,
      fc.constantFrom("", JSON_TYPE, "application/problem+json")
    ],
    ([{ status }, type, message, contentType]) => {
      const error = refused({ status, body: apifyError(type, message), contentType })
      if (!("apifyType" in error)) return assert.fail(`${error}`)
      assert.strictEqual(Option.getOrNull(error.apifyType), type)
      assert.strictEqual(Option.getOrNull(error.apifyMessage), message)
      assert.isNull(Option.getOrNull(error.snippet))
      assert.strictEqual(error.status, status)
      assert.include(error.message, message)
    }
  )
})

describe("a 404", () => {
  it.each(["record-not-found", "record-or-token-not-found"])("of Apify's type %s is a missing store", (type) => {
    const error = refused({ status: 404, body: apifyError(type, "Key-value Store was not found") })
    assert.strictEqual(error._tag, "StoreNotFoundError")
    assert.match(error.message, /Check the name and the owner/)
  })

  it.each([
    ["of another type", apifyError("page-not-found", "There is no such page")],
    ["of HTML", "<h1>Not found</h1>"],
    ["of no body", ""],
    ["of other JSON", '{"type":"record-not-found"}']
  ])("%s is not", (_, body) => {
    assert.include(unexpected({ status: 404, body }).problem, "not how Apify reports a missing store")
  })
})

describe("what an error carries", () => {
  it("is the start of a body that was cut off within a character", () => {
    const body = Buffer.from(`Not now ž`).subarray(0, -1)
    const error = unexpected({ status: 418, contentType: "text/plain", body, truncated: true })
    assert.include(Option.getOrNull(error.snippet), "Not now")
  })

  it("is the source of the token, for a 401", () => {
    assert.include(refused({ status: 401, body: "" }).message, "The token was read from APIFY_TOKEN")
  })

  it("is the limit and the wait, for a 429", () => {
    const error = refused({ status: 429, headers: { "x-ratelimit-limit": "60", "retry-after": "90" } })
    if (error._tag !== "RateLimitedError") return assert.fail(`${error}`)
    assert.strictEqual(Option.getOrNull(error.limit), 60)
    assert.strictEqual(Duration.toMillis(Option.getOrThrow(error.retryAfter)), 90_000)
    assert.include(error.message, "60 requests a second")
    assert.include(error.message, "wait 1m 30s")
  })

  it.each(["", "-1", "1.5", "many", "1e3", "9".repeat(400)])("is no limit where the header says %j", (limit) => {
    const error = refused({ status: 429, headers: { "x-ratelimit-limit": limit, "retry-after": limit } })
    if (error._tag !== "RateLimitedError") return assert.fail(`${error}`)
    assert.isNull(Option.getOrNull(error.limit))
    assert.isNull(Option.getOrNull(error.retryAfter))
  })

  it("is where a redirect points", () => {
    const error = unexpected({ status: 302, body: "", headers: { location: "https://evil.example/?token=abc" } })
    assert.strictEqual(Option.getOrNull(error.location), "https://evil.example/")
  })
})
