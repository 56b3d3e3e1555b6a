/**
 * References to stores: what is one, what is refused, and that none can reach another path.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { character } from "../../../vitest.text.js"
import {
  formatStoreRef,
  GeneratedStoreId,
  ownStore,
  parseStoreRef,
  quote,
  RunId,
  Store,
  StoreId,
  StoreName,
  StoreRef,
  StoreRefFromString,
  storeById,
  storeByName,
  storeLocation,
  storeOfLastRun,
  storeOfRun,
  Username
} from "../src/index.js"
import { anyJson, nearlyValid } from "./laws.js"

const LETTERS_AND_DIGITS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

const id = GeneratedStoreId.make("WkzbQMuFYuamGv3YF")
const janedoe = Username.make("janedoe")
const myStore = StoreName.make("my-store")

const refused = (input: string) =>
  Either.match(parseStoreRef(input), {
    onLeft: (error) => error,
    onRight: (ref) => assert.fail(`${JSON.stringify(input)} was read as ${JSON.stringify(ref)}`)
  })

describe("a reference", () => {
  it("is an id, a user's name and a store's, or ~ and a store's name", () => {
    assert.deepStrictEqual(parseStoreRef("WkzbQMuFYuamGv3YF"), Either.right(storeById(id)))
    assert.deepStrictEqual(parseStoreRef("janedoe~my-store"), Either.right(storeByName(janedoe, myStore)))
    assert.deepStrictEqual(parseStoreRef("~my-store"), Either.right(ownStore(myStore)))
  })

  it("may name the owner by user id", () => {
    assert.deepStrictEqual(
      parseStoreRef("BPWDBd7Z9c746JAnF~my-store"),
      Either.right(storeByName(Username.make("BPWDBd7Z9c746JAnF"), myStore))
    )
  })

  it.each([
    "a~b",
    "ab~b",
    `${"u".repeat(31)}~b`,
    "abc~",
    "~",
    "~-a",
    "~a-",
    "~-",
    `~${"n".repeat(64)}`,
    "WkzbQMuFYuamGv3Y",
    "WkzbQMuFYuamGv3YFx",
    "WkzbQMuFYuamGv3Y-",
    "actors/ab~a/runs/last",
    `actors/${"u".repeat(31)}~a/runs/last`,
    `actors/${"n".repeat(64)}/runs/last`,
    "actors/-a/runs/last",
    "actors/a-/runs/last"
  ])("is not %j, which is a character too short, too long or off", (input) => {
    refused(input)
  })

  it.each([
    "abc~b",
    `${"u".repeat(30)}~b`,
    "...~b",
    "~b",
    `~${"n".repeat(63)}`,
    "~a-b",
    "~a--b",
    "actors/abc~b/runs/last",
    `actors/${"u".repeat(30)}~${"n".repeat(63)}/runs/last`
  ])("is %j, at the edge of what is allowed", (input) => {
    assert.isTrue(Either.isRight(parseStoreRef(input)))
  })

  // Written out, as Apify documents them.
  const statuses = ["READY", "RUNNING", "SUCCEEDED", "FAILED", "TIMING-OUT", "TIMED-OUT", "ABORTING", "ABORTED"]
  const origins = [
    "DEVELOPMENT",
    "WEB",
    "API",
    "SCHEDULER",
    "TEST",
    "WEBHOOK",
    "ACTOR",
    "CLI",
    "STANDBY",
    "CI",
    "MCP",
    "APIFY_AI"
  ]

  it.each([...statuses.map((status) => `status=${status}`), ...origins.map((origin) => `origin=${origin}`)])(
    "may be to the last run with %s",
    (condition) => {
      const text = `actors/a/runs/last?${condition}`
      assert.deepStrictEqual(Either.map(parseStoreRef(text), formatStoreRef), Either.right(text))
    }
  )

  it("takes every legal character wherever it is legal", () => {
    for (const character of LETTERS_AND_DIGITS) {
      const refs = [character.repeat(17), `${character.repeat(3)}~${character}`, `~${character}`, `~x${character}x`]
      for (const ref of refs) assert.deepStrictEqual(Either.map(parseStoreRef(ref), formatStoreRef), Either.right(ref))
    }
    for (const character of "_.-") {
      const ref = `${character.repeat(3)}~a-b`
      assert.deepStrictEqual(Either.map(parseStoreRef(ref), formatStoreRef), Either.right(ref))
    }
  })

  it("takes no other ASCII character anywhere", () => {
    const others = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).filter(
      (character) => !`${LETTERS_AND_DIGITS}~_.-`.includes(character)
    )
    for (const character of others) {
      for (const ref of [
        `WkzbQMuFYuamGv3Y${character}`,
        `jane${character}doe~a`,
        `~a${character}b`,
        `~a${character}`
      ]) {
        refused(ref)
      }
    }
  })

  it("takes the marks of usernames in no name and no id, and hyphens in no id", () => {
    for (const mark of "_.") {
      for (const ref of [`~a${mark}`, `~${mark}a`, `~a${mark}b`, `WkzbQMuFYuamGv3Y${mark}`]) refused(ref)
    }
    refused("WkzbQMuFYuamGv3Y-")
  })
})

describe("what is refused", () => {
  it.each([undefined, null, 5, true, {}, ["~a"], Symbol("~a"), 1n])("is what is not text: %o", (value) => {
    const parsed: ReturnType<typeof parseStoreRef> = Reflect.apply(parseStoreRef, undefined, [value])
    assert.strictEqual(Either.isLeft(parsed) ? parsed.left.problem : "", "it is not text")
  })

  it.each([
    [".."],
    ["."],
    ["%2e%2e"],
    ["%2E%2E"],
    ["a/../b"],
    ["a/../../users/me"],
    ["../users/me"],
    ["janedoe~.."],
    ["~.."],
    ["..~.."],
    ["\\"],
    ["..\\"],
    ["?x"],
    ["WkzbQMuFYuamGv3YF?x"],
    ["#f"],
    ["WkzbQMuFYuamGv3YF#f"],
    ["WkzbQMuFYuamGv3YF/records"],
    ["\r\n"],
    ["WkzbQMuFYuamGv3YF\n"],
    ["WkzbQMuFYuamGv3YF\r\nX-Injected: 1"],
    ["\u0000"],
    ["WkzbQMuFYuamGv3Y\u0000"],
    ["@"],
    ["user@evil.example"],
    ["//evil.example"],
    ["https://evil.example"],
    [""],
    [" "],
    [" WkzbQMuFYuamGv3YF"],
    ["WkzbQMuFYuamGv3YF "],
    ["\ud800"],
    ["~\udc00"],
    ["~my-störe"],
    ["~ｍｙ"],
    ["a~b~c"],
    ["a".repeat(10_000)],
    [`janedoe~${"a".repeat(10_000)}`],
    ["~".repeat(10_000)]
  ])("%j", (input) => {
    const error = refused(input)
    assert.strictEqual(error._tag, "InvalidStoreRefError")
    assert.strictEqual(error.retryable, "Never")
    assert.isAtMost(error.message.length, 600)
    assert.notMatch(error.message, /[\p{C}\u2028\u2029]/u)
  })
})

describe("the advice", () => {
  it.each([
    ["my-store", /write "~my-store" or "username~my-store"/],
    ["x", /write "~x" or "username~x"/],
    ["", /it is empty/],
    ["my_store", /an ID is 17 letters and digits, and nothing else/],
    ["https://console.apify.com/storage/key-value-stores/WkzbQMuFYuamGv3YF", /it is a URL or a path/],
    ["../etc", /it is a URL or a path/],
    ["~a/b", /after the ~ is not a store name: the character "\/" \(U\+002F\) at position 2 is not allowed/],
    ["j~my-store", /before the ~ is not a username: 3 to 30/],
    ["janedoe~", /after the ~ is not a store name: it is empty/],
    ["janedoe~a~b", /after the ~ is not a store name: the character "~" \(U\+007E\) at position 2 is not allowed/],
    ["~-x", /it begins with a hyphen/],
    ["actor-runs/x", /after actor-runs\/ is not the ID of a run/],
    ["actors/janedoe~my-actor", /a run is actor-runs\/ID, actors\/ACTOR\/runs\/last/],
    ["actors/janedoe~../runs/last", /not an ID, a name, or username~name/],
    ["actor/x", /a run is actor-runs\/ID/],
    ["actor-runs/x?y", /a run is actor-runs\/ID/],
    ["actor-runs/x/y", /a run is actor-runs\/ID/],
    ["actors/a?b/runs/last", /a run is actor-runs\/ID/],
    ["https://api.apify.com/v2/actor-runs/x", /it is a URL or a path/],
    ["actors/a/runs/last?status=succeeded", /status=SUCCEEDED&origin=API/],
    ["actors/a/runs/last?origin=web", /status=SUCCEEDED&origin=API/],
    ["actors/a/runs/last?\n", /status=SUCCEEDED&origin=API/]
  ])("for %j says what to write", (input, advice) => {
    const { message, problem } = refused(input)
    assert.match(problem, advice)
    assert.match(message, advice)
    assert.include(message, '"username~store-name"')
    assert.include(message, '"~store-name"')
  })

  it("shows what was given, cut", () => {
    assert.include(refused("../etc").message, '"../etc"')
    assert.include(refused("b".repeat(10_000)).message, "bbb…")
  })
})

describe("a reference as text", () => {
  it.prop("is read back as the same reference", [StoreRef], ([ref]) => {
    assert.deepStrictEqual(parseStoreRef(formatStoreRef(ref)), Either.right(ref))
  })

  it.prop("is written back as the same text", [segment()], ([text]) => {
    Either.match(parseStoreRef(text), {
      onLeft: () => undefined,
      onRight: (ref) => assert.strictEqual(formatStoreRef(ref), text)
    })
  })

  it.prop("leads to one path, as it stands, to a URL parser", [segment()], ([text]) => {
    const location = storeLocation(text)
    if (Either.isLeft(location)) return
    const { path } = location.right
    const url = new URL(`https://api.apify.com${path}`)
    assert.strictEqual(url.href, `https://api.apify.com${path}`)
    assert.strictEqual(url.pathname, path)
    assert.match(path, /^\/v2\/(?:key-value-stores\/[^/]+|[^/]+\/[^/]+(?:\/runs\/last)?\/key-value-store)$/)
    assert.strictEqual(url.search, "")
    assert.strictEqual(url.hash, "")
    assert.strictEqual(url.host, "api.apify.com")
  })

  it.prop("is never anything but its unreserved characters", [segment()], ([text]) => {
    assert.isTrue(Either.isLeft(parseStoreRef(text)) || /^[a-zA-Z0-9_.~\-/?=&]{1,160}$/.test(text))
  })
})

describe("a StoreRef", () => {
  const text = <A, I>(schema: Schema.Schema<A, I>): fc.Arbitrary<unknown> => {
    const good = Arbitrary.make(schema)
    return fc.oneof(
      good,
      good.map((text) => `${text}/`),
      segment()
    )
  }

  it.prop(
    "has parts that can be sent, and no others",
    [text(GeneratedStoreId), text(Username), text(StoreName), text(RunId)],
    ([id, owner, name, run]) => {
      for (const ref of [
        { _tag: "StoreById", id },
        { _tag: "StoreByName", owner, name },
        { _tag: "OwnStore", name },
        { _tag: "StoreOfRun", run },
        { _tag: "StoreOfLastRun", of: "Actor", id: `${owner}~${name}` },
        { _tag: "StoreOfLastRun", of: "Task", id: name }
      ]) {
        assert.strictEqual(Schema.is(StoreRef)(ref), Either.isRight(untyped(storeLocation)(ref)), JSON.stringify(ref))
      }
      assert.strictEqual(Schema.is(GeneratedStoreId)(id), Schema.is(RunId)(id))
    }
  )

  it("is what storeOfLastRun makes, also of conditions that are undefined", () => {
    const ref = storeOfLastRun({ actor: "my-actor", status: undefined, origin: undefined })
    assert.isTrue(Schema.is(StoreRef)(ref))
    assert.deepStrictEqual(ref, storeOfLastRun({ actor: "my-actor" }))
  })

  it.prop("is decoded from text with the problem that parseStoreRef names", [segment()], ([text]) => {
    const decoded = Schema.decodeEither(StoreRefFromString)(text)
    if (Either.isRight(decoded)) assert.deepStrictEqual(parseStoreRef(text), Either.right(decoded.right))
    else assert.include(decoded.left.message, refused(text).problem)
  })
})

describe("two references", () => {
  const isSame = Schema.equivalence(StoreRef)
  const recased = (text: string) =>
    fc
      .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
      .map((flips) =>
        [...text].map((letter, at) => (flips[at] === true ? letter.toUpperCase() : letter.toLowerCase())).join("")
      )

  it.prop(
    "name the same store where names and usernames differ in case alone",
    [
      fc.tuple(Arbitrary.make(Username), Arbitrary.make(StoreName)).chain(([owner, name]) =>
        fc.record({
          owner: fc.constant(owner),
          name: fc.constant(name),
          otherOwner: recased(owner).map((text) => Username.make(text)),
          otherName: recased(name).map((text) => StoreName.make(text))
        })
      )
    ],
    ([{ owner, name, otherOwner, otherName }]) => {
      assert.isTrue(isSame(storeByName(owner, name), storeByName(otherOwner, otherName)))
      assert.isTrue(isSame(ownStore(name), ownStore(otherName)))
    }
  )

  it("do not where ids differ in case", () => {
    assert.isTrue(isSame(storeById(id), storeById(GeneratedStoreId.make("WkzbQMuFYuamGv3YF"))))
    assert.isFalse(isSame(storeById(id), storeById(GeneratedStoreId.make("wkzbQMuFYuamGv3YF"))))
  })

  it("do not where the forms differ, or the owners, or the names", () => {
    assert.isFalse(isSame(ownStore(myStore), storeByName(janedoe, myStore)))
    assert.isFalse(isSame(storeByName(Username.make("johndoe"), myStore), storeByName(janedoe, myStore)))
    assert.isFalse(isSame(ownStore(StoreName.make("other")), ownStore(myStore)))
  })
})

describe("where to send a request", () => {
  const legal =
    /^(?:[a-zA-Z0-9]{17}|(?:[a-zA-Z0-9_.-]{3,30})?~[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?|actor-runs\/[a-zA-Z0-9]{17}|actor(?:s|-tasks)\/(?:[a-zA-Z0-9_.-]{3,30}~)?[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\/runs\/last(?:\?(?:status=[A-Z-]+)?&?(?:origin=[A-Z_]+)?)?)$/

  const segmentFor = (ref: StoreRef | string) => Either.map(storeLocation(ref), ({ text }) => text)

  it("is a path below /v2, and the conditions of the last run", () => {
    const locations = [
      ["WkzbQMuFYuamGv3YF", "/v2/key-value-stores/WkzbQMuFYuamGv3YF", {}],
      ["janedoe~my-store", "/v2/key-value-stores/janedoe~my-store", {}],
      [storeOfRun(RunId.make("HG7ML7M8z78YcAPEB")), "/v2/actor-runs/HG7ML7M8z78YcAPEB/key-value-store", {}],
      [storeOfLastRun({ actor: "me-too~a" }), "/v2/actors/me-too~a/runs/last/key-value-store", {}],
      [
        storeOfLastRun({ task: "a", status: "TIMED-OUT", origin: "API" }),
        "/v2/actor-tasks/a/runs/last/key-value-store",
        { status: "TIMED-OUT", origin: "API" }
      ]
    ] as const
    for (const [ref, path, query] of locations) {
      const location = Either.getOrThrow(storeLocation(ref))
      assert.deepStrictEqual([location.path, location.query], [path, query])
    }
  })

  /** A value of any type, as a caller without types may pass it. */
  const segmentOf = (value: unknown) => untyped(segmentFor)(value)

  const isLegalOrRefused = (value: unknown): void =>
    Either.match(segmentOf(value), {
      onLeft: (error) => {
        assert.strictEqual(error._tag, "InvalidStoreRefError")
        assert.notMatch(error.message, /[\p{C}\u2028\u2029]/u)
      },
      onRight: (segment) => {
        assert.typeOf(segment, "string")
        assert.match(segment, legal)
      }
    })

  it.prop("of a reference is its text", [StoreRef], ([ref]) => {
    assert.deepStrictEqual(segmentFor(ref), Either.right(formatStoreRef(ref)))
    assert.deepStrictEqual(segmentFor(formatStoreRef(ref)), Either.right(formatStoreRef(ref)))
  })

  it("of a store that was fetched is its ID", () => {
    const store = Schema.decodeSync(Store)({
      id: "WkzbQMuFYuamGv3YF",
      createdAt: "2019-12-12T07:34:14.202Z",
      modifiedAt: "2019-12-13T08:36:13.202Z",
      accessedAt: "2019-12-14T08:36:13.202Z"
    })
    assert.deepStrictEqual(segmentFor(storeById(store.id)), Either.right("WkzbQMuFYuamGv3YF"))
  })

  it.prop("of any ID that Apify may return is that ID, or refused", [StoreId], ([id]) => {
    isLegalOrRefused(storeById(id))
    assert.strictEqual(Either.isRight(segmentFor(storeById(id))), /^[a-zA-Z0-9]{17}$/.test(id))
  })

  it.prop("of any text is that text, or refused", [segment()], ([text]) => {
    isLegalOrRefused(text)
    assert.deepStrictEqual(
      Either.getOrElse(segmentFor(text), () => text),
      text
    )
    const shown = Either.mapLeft(segmentFor(text), ({ ref }) => ref)
    if (Either.isLeft(shown)) assert.strictEqual(shown.left, quote(text))
  })

  it.prop("of any JSON is legal, or refused", [anyJson], ([json]) => isLegalOrRefused(json))

  it.prop("of a reference with any part changed is legal, or refused", [nearlyValid(StoreRef)], ([json]) =>
    isLegalOrRefused(json)
  )

  it.prop(
    "of a reference made of any texts is legal, or refused",
    [
      fc.record(
        {
          _tag: tag(),
          id: segment(),
          owner: segment(),
          name: segment(),
          run: segment(),
          of: fc.constantFrom("Actor", "Task", "actors"),
          status: fc.oneof(segment(), fc.constant("SUCCEEDED"))
        },
        { requiredKeys: [] }
      )
    ],
    ([json]) => isLegalOrRefused(json)
  )

  const changing = (values: ReadonlyArray<unknown>) => {
    const left = [...values]
    return () => (left.length > 1 ? left.shift() : left[0])
  }

  it.prop(
    "is that of what was checked, where a getter gives another value each time",
    [tag(), segment(), segment()],
    (texts) => {
      const [_tag, first, second] = texts
      const get = changing([first, second])
      const shifty = Object.defineProperty({ _tag, owner: "janedoe" }, "id", { get })
      isLegalOrRefused(Object.defineProperty(shifty, "name", { get }))
    }
  )

  it.each([
    ["a path as an ID", JSON.parse('{"_tag":"StoreById","id":"../users/me"}')],
    ["a path as a name", JSON.parse('{"_tag":"OwnStore","name":"../../users/me"}')],
    ["a path as an owner", JSON.parse('{"_tag":"StoreByName","owner":"../users","name":"me"}')],
    ["a query", { _tag: "StoreById", id: "WkzbQMuFYuamGv3YF?x=1" }],
    ["an encoded slash", { _tag: "OwnStore", name: "a%2Fb" }],
    ["a line break", { _tag: "StoreById", id: "WkzbQMuFYuamGv3YF\r\nX: 1" }],
    ["a name as an ID", { _tag: "StoreById", id: "janedoe~my-store" }],
    ["an own store's name as an ID", { _tag: "StoreById", id: "~my-store" }],
    ["a run's path as an ID", { _tag: "StoreById", id: "actor-runs/HG7ML7M8z78YcAPEB" }],
    [
      "a path of a last run as an owner and a name",
      { _tag: "StoreByName", owner: "actors/me-too", name: "a/runs/last" }
    ],
    ["a user's store without a name", { _tag: "StoreByName", owner: "janedoe" }],
    ["an own store without a name", { _tag: "OwnStore" }],
    ["an array as a run", { _tag: "StoreOfRun", run: ["HG7ML7M8z78YcAPEB"] }],
    ["a last run of nothing", { _tag: "StoreOfLastRun", of: "Actor" }],
    ["an array as a status", { _tag: "StoreOfLastRun", of: "Actor", id: "a", status: ["SUCCEEDED"] }],
    ["an array as an origin", { _tag: "StoreOfLastRun", of: "Actor", id: "a", origin: ["API"] }],
    ["a user's store without an owner", { _tag: "StoreByName", owner: "", name: "my-store" }],
    ["a store's ID as a name", { _tag: "OwnStore", name: "~WkzbQMuFYuamGv3YF" }],
    ["a number as an ID", { _tag: "StoreById", id: 12345678901234567n }],
    ["an array as an ID", { _tag: "StoreById", id: ["WkzbQMuFYuamGv3YF"] }],
    ["an object that is an ID by its toString", { _tag: "StoreById", id: { toString: () => "WkzbQMuFYuamGv3YF" } }],
    ["a String object as an ID", { _tag: "StoreById", id: Object("WkzbQMuFYuamGv3YF") }],
    ["a tag that is not text", { _tag: ["StoreById"], id: "WkzbQMuFYuamGv3YF" }],
    ["a tag of nothing", { _tag: "StoreByTitle", id: "WkzbQMuFYuamGv3YF", name: "my-store" }],
    ["a tag that every object has", { _tag: "constructor", id: "WkzbQMuFYuamGv3YF" }],
    ["no tag", { id: "WkzbQMuFYuamGv3YF" }],
    ["a prototype for a reference", JSON.parse('{"__proto__":{"_tag":"StoreById","id":"WkzbQMuFYuamGv3YF"}}')],
    ["an object that is a reference by its toString", { toString: () => "~my-store" }],
    ["a String object", Object("~my-store")],
    ["an array of a reference", ["~my-store"]],
    ["an array with a tag", Object.assign(["~my-store"], { _tag: "OwnStore", name: "my-store" })],
    ["a number", 12345678901234567n],
    ["a function", () => "~my-store"],
    ["a symbol", Symbol("~my-store")],
    ["null", null],
    ["undefined", undefined],
    ["true", true]
  ])("is none for %s", (_, value) => {
    assert.isTrue(Either.isLeft(segmentOf(value)))
  })
})

describe("secrets in what was given", () => {
  it("are in no part of the error", () => {
    const error = refused("WkzbQMuFYuamGv3YF?token=apify_api_Canary0123456789")
    for (const text of [error.message, error.ref, String(error), error.stack ?? "", JSON.stringify(error)]) {
      assert.notInclude(text, "Canary")
      assert.include(text, "<redacted>")
    }
  })

  it.prop(
    "are in no part of the error, wherever they stand",
    [
      fc.string({ unit: character, maxLength: 500 }),
      fc.constantFrom("apify_api_", "APIFY_API_", "apify_proxy_", "token=", "?token=", "&signature=", "token%3D"),
      fc.stringMatching(/^Canary[a-zA-Z0-9]{1,60}$/),
      fc.string({ unit: character, maxLength: 500 })
    ],
    ([before, marker, secret, after]) => {
      const error = refused(`${before}${marker}${secret}/${after}`)
      for (const text of [error.message, String(error), error.stack ?? "", JSON.stringify(error)]) {
        assert.notInclude(text, secret.slice(0, "Canary".length))
      }
    }
  )
})

/** What is a reference, what nearly is, and what is not. */
function segment(): fc.Arbitrary<string> {
  const valid = fc.oneof(
    fc.stringMatching(/^[a-zA-Z0-9]{17}$/),
    fc.tuple(Arbitrary.make(Username), Arbitrary.make(StoreName)).map(([owner, name]) => `${owner}~${name}`),
    Arbitrary.make(StoreName).map((name) => `~${name}`),
    Arbitrary.make(StoreRef).map(formatStoreRef)
  )
  const anything = fc.oneof(fc.string({ unit: character }), fc.constantFrom("/", "..", "%2e", "\n"))
  const nearly = fc
    .tuple(valid, fc.nat(), anything)
    .map(([text, at, extra]) => text.slice(0, at % text.length) + extra + text.slice(at % text.length))
  return fc.oneof(valid, nearly, anything, fc.stringMatching(/^[a-zA-Z0-9_.~%/-]{1,30}$/))
}

/** The tags of references. */
function tag(): fc.Arbitrary<StoreRef["_tag"]> {
  return fc.constantFrom("StoreById", "StoreByName", "OwnStore", "StoreOfRun", "StoreOfLastRun")
}

/** The function as a program without types sees it. */
function untyped<A>(f: (value: never) => A): (value: unknown) => A {
  return (value) => Reflect.apply(f, undefined, [value])
}
