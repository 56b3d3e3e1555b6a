import { assert, describe, it } from "@effect/vitest"
import { PublicUrl, Store, StoreId, StoreStats, UnknownAccessLevel } from "@effect-apify/http"
import * as Arbitrary from "effect/Arbitrary"
import * as DateTime from "effect/DateTime"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { formatBytes, formatJson, formatStore } from "../storeSummary.js"

const KEY = "canaryKey1111111111"
const SIGNATURE = "canarySignature2222222222"

const then = DateTime.unsafeMake("2024-02-29T23:59:59.999Z")
const bare = {
  id: StoreId.make("abcdefghijklmnopq"),
  createdAt: then,
  modifiedAt: then,
  accessedAt: then
}

describe("formatBytes", () => {
  for (const [bytes, text] of [
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.0 kB"],
    [1_949, "1.9 kB"],
    [999_949, "999.9 kB"],
    [999_950, "1.0 MB"],
    [1_000_000, "1.0 MB"],
    [999_949_999, "999.9 MB"],
    [999_950_000, "1.0 GB"],
    [2_500_000_000_000, "2.5 TB"],
    [Number.MAX_SAFE_INTEGER, "9.0 PB"]
  ] as const) {
    it(`writes ${bytes} as ${text}`, () => {
      assert.strictEqual(formatBytes(bytes), text)
    })
  }

  it.prop(
    "writes at most three digits before the point, and is off by at most half of the last digit",
    [fc.maxSafeNat()],
    ([bytes]) => {
      const [amount = "", unit = ""] = formatBytes(bytes).split(" ")
      assert.match(amount, /^\d{1,3}(\.\d)?$/)
      const factor = 1000 ** ["B", "kB", "MB", "GB", "TB", "PB"].indexOf(unit)
      assert.isAtMost(Math.abs(Number(amount) * factor - bytes), 0.0501 * factor)
    }
  )
})

describe("formatStore", () => {
  it("has no line for a field that Apify left out", () => {
    assert.strictEqual(
      formatStore(new Store(bare)),
      [
        "ID           abcdefghijklmnopq",
        "Created      29 Feb 2024, 23:59:59 UTC",
        "Modified     29 Feb 2024, 23:59:59 UTC",
        "Accessed     29 Feb 2024, 23:59:59 UTC"
      ].join("\n")
    )
  })

  it("marks an unknown level, writes one read in the singular, and prefers the newer size", () => {
    const store = new Store({
      ...bare,
      generalAccess: Option.some(new UnknownAccessLevel({ level: "FRIENDS_ONLY" })),
      stats: Option.some(
        new StoreStats({ readCount: Option.some(1), storageBytes: Option.some(2_000), s3StorageBytes: Option.some(1) })
      )
    })
    const lines = formatStore(store).split("\n").slice(4)
    assert.deepStrictEqual(lines, [
      "Readable by  FRIENDS_ONLY (unknown to this version)",
      "Size         2.0 kB",
      "Used         1 read"
    ])
  })

  it.prop(
    "is aligned and free of control characters, whatever the store's texts are",
    [Store, fc.string({ unit: fc.constantFrom("a", " ", "\n", "\r", "\u001b", "\u202e", "é") })],
    ([store, text]) => {
      const value = Option.some(text)
      const hostile = new Store({ ...store, name: value, title: value, username: value, consoleUrl: value })
      for (const line of formatStore(hostile).split("\n")) assert.match(line, /^[A-Z][A-Za-z' ]{12}[^\p{C}]*$/u)
    }
  )
})

/** Stores whose key and links contain the canaries. */
const storesWithSecrets = fc
  .tuple(Arbitrary.make(Store), fc.webUrl({ withQueryParameters: true }), fc.constantFrom("", "&limit=1", "#top"))
  .map(([store, url, rest]) => {
    const signed = `${url}${url.includes("?") ? "&" : "?"}signature=${SIGNATURE}${rest}`
    const link = Option.some(new PublicUrl(signed))
    return new Store({
      ...store,
      keysPublicUrl: link,
      recordsPublicUrl: link,
      urlSigningSecretKey: Option.some(Redacted.make(KEY))
    })
  })

describe("neither form", () => {
  it.prop("shows the signing key or a signature", [storesWithSecrets], ([store]) => {
    const shown = formatStore(store) + formatJson(store)
    assert.notInclude(shown, KEY)
    assert.notInclude(shown, SIGNATURE)
  })
})

describe("formatJson", () => {
  it.prop("decodes to the same store, apart from its secrets", [Store], ([store]) => {
    const read = Schema.decodeUnknownSync(Store)(JSON.parse(formatJson(store)))
    const withoutSecrets = (store: Store) =>
      new Store({
        ...store,
        keysPublicUrl: Option.none(),
        recordsPublicUrl: Option.none(),
        urlSigningSecretKey: Option.none()
      })
    assert.isTrue(Schema.equivalence(Store)(withoutSecrets(read), withoutSecrets(store)))
    for (const field of ["keysPublicUrl", "recordsPublicUrl", "urlSigningSecretKey"] as const) {
      assert.strictEqual(read[field]._tag, store[field]._tag)
    }
  })
})
