/**
 * References to stores: what is one, what is refused, and that none can reach another path.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import {
  formatStoreRef,
  GeneratedStoreId,
  ownStore,
  parseStoreRef,
  StoreName,
  StoreRef,
  storeById,
  storeByName,
  Username
} from "../src/index.js"

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
    "WkzbQMuFYuamGv3Y-"
  ])("is not %j, which is a character too short, too long or off", (input) => {
    refused(input)
  })

  it.each(["abc~b", `${"u".repeat(30)}~b`, "...~b", "~b", `~${"n".repeat(63)}`, "~a-b", "~a--b"])(
    "is %j, at the edge of what is allowed",
    (input) => {
      assert.isTrue(Either.isRight(parseStoreRef(input)))
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
    ["a/b", /an id is 17 letters and digits, and nothing else/],
    ["j~my-store", /before the ~ is not a username: 3 to 30/],
    ["janedoe~", /after the ~ is not a store's name: 1 to 63/],
    ["janedoe~a~b", /after the ~ is not a store's name/],
    ["~-x", /no hyphen at either end/]
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

  it.prop("is one path segment to a URL parser, as it stands", [segment()], ([text]) => {
    if (Either.isLeft(parseStoreRef(text))) return
    const url = new URL(`https://api.apify.com/v2/key-value-stores/${text}`)
    assert.strictEqual(url.href, `https://api.apify.com/v2/key-value-stores/${text}`)
    assert.strictEqual(url.pathname, `/v2/key-value-stores/${text}`)
    assert.strictEqual(url.search, "")
    assert.strictEqual(url.hash, "")
    assert.strictEqual(url.host, "api.apify.com")
  })

  it.prop("is never anything but its unreserved characters", [segment()], ([text]) => {
    assert.isTrue(Either.isLeft(parseStoreRef(text)) || /^[a-zA-Z0-9_.~-]{1,94}$/.test(text))
  })
})

describe("two references", () => {
  const isSame = Schema.equivalence(StoreRef)
  const recased = (text: string) =>
    FastCheck.array(FastCheck.boolean(), { minLength: text.length, maxLength: text.length }).map((flips) =>
      [...text].map((letter, at) => (flips[at] === true ? letter.toUpperCase() : letter.toLowerCase())).join("")
    )

  it.prop(
    "name the same store where names and usernames differ in case alone",
    [
      FastCheck.tuple(Arbitrary.make(Username), Arbitrary.make(StoreName)).chain(([owner, name]) =>
        FastCheck.record({
          owner: FastCheck.constant(owner),
          name: FastCheck.constant(name),
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
      FastCheck.string({ unit: "binary", maxLength: 500 }),
      FastCheck.constantFrom(
        "apify_api_",
        "APIFY_API_",
        "apify_proxy_",
        "token=",
        "?token=",
        "&signature=",
        "token%3D"
      ),
      FastCheck.stringMatching(/^Canary[a-zA-Z0-9]{1,60}$/),
      FastCheck.string({ unit: "binary", maxLength: 500 })
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
function segment(): FastCheck.Arbitrary<string> {
  const valid = FastCheck.oneof(
    FastCheck.stringMatching(/^[a-zA-Z0-9]{17}$/),
    FastCheck.tuple(Arbitrary.make(Username), Arbitrary.make(StoreName)).map(([owner, name]) => `${owner}~${name}`),
    Arbitrary.make(StoreName).map((name) => `~${name}`)
  )
  const anything = FastCheck.oneof(FastCheck.string({ unit: "binary" }), FastCheck.constantFrom("/", "..", "%2e", "\n"))
  const nearly = FastCheck.tuple(valid, FastCheck.nat(), anything).map(
    ([text, at, extra]) => text.slice(0, at % text.length) + extra + text.slice(at % text.length)
  )
  return FastCheck.oneof(valid, nearly, anything, FastCheck.stringMatching(/^[a-zA-Z0-9_.~%/-]{1,30}$/))
}
