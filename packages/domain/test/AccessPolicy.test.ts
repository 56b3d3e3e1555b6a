/**
 * Who may read a store, and what they see of it: Apify's table, written out, and the laws behind it.
 */
import { assert, describe, it } from "@effect/vitest"
import { assertEquals } from "@effect/vitest/utils"
import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import {
  AccessLevel,
  type AccessRequest,
  anonymousRefusal,
  decideAccess,
  decideWrite,
  effectiveLevel,
  GeneralAccess,
  insufficientPermissionsRefusal,
  OwnerSetting,
  PublicUrl,
  type ReferenceForm,
  type Refusal,
  Requester,
  Right,
  requesterOf,
  Store,
  tokenNotProvidedRefusal,
  UnknownAccessLevel,
  viewFor
} from "../src/index.js"

const levels = {
  RESTRICTED: Option.some<GeneralAccess>("RESTRICTED"),
  ANYONE_WITH_ID_CAN_READ: Option.some<GeneralAccess>("ANYONE_WITH_ID_CAN_READ"),
  ANYONE_WITH_NAME_CAN_READ: Option.some<GeneralAccess>("ANYONE_WITH_NAME_CAN_READ"),
  FOLLOW_USER_SETTING: Option.some<GeneralAccess>("FOLLOW_USER_SETTING"),
  absent: Option.none<GeneralAccess>(),
  unknown: Option.some<GeneralAccess>(new UnknownAccessLevel({ level: "FRIENDS_ONLY" }))
}

const decisions = {
  read: null,
  403: insufficientPermissionsRefusal,
  "no token": anonymousRefusal,
  /** The request does not say whose store it means. */
  "no account": tokenNotProvidedRefusal
} satisfies Record<string, Refusal | null>

type Row = readonly [
  level: keyof typeof levels,
  ownerSetting: OwnerSetting,
  reference: ReferenceForm,
  write: keyof typeof decisions,
  read: keyof typeof decisions,
  none: keyof typeof decisions,
  anonymous: keyof typeof decisions
]

// Without a token there is no account of its own, whatever the level of the store.
// biome-ignore format: a table
const table: ReadonlyArray<Row> = [
  // level                      owner's setting            reference      WRITE   READ    NONE    ANONYMOUS
  ["RESTRICTED",                "RESTRICTED",              "StoreById",   "read", "read", 403,    "no token"],
  ["RESTRICTED",                "RESTRICTED",              "StoreByName", "read", "read", 403,    "no token"],
  ["RESTRICTED",                "RESTRICTED",              "OwnStore",    "read", "read", 403,    "no account"],
  ["RESTRICTED",                "ANYONE_WITH_ID_CAN_READ", "StoreById",   "read", "read", 403,    "no token"],
  ["RESTRICTED",                "ANYONE_WITH_ID_CAN_READ", "StoreByName", "read", "read", 403,    "no token"],
  ["RESTRICTED",                "ANYONE_WITH_ID_CAN_READ", "OwnStore",    "read", "read", 403,    "no account"],

  ["ANYONE_WITH_ID_CAN_READ",   "RESTRICTED",              "StoreById",   "read", "read", "read", "read"],
  ["ANYONE_WITH_ID_CAN_READ",   "RESTRICTED",              "StoreByName", "read", "read", 403,    "no token"],
  ["ANYONE_WITH_ID_CAN_READ",   "RESTRICTED",              "OwnStore",    "read", "read", 403,    "no account"],
  ["ANYONE_WITH_ID_CAN_READ",   "ANYONE_WITH_ID_CAN_READ", "StoreById",   "read", "read", "read", "read"],
  ["ANYONE_WITH_ID_CAN_READ",   "ANYONE_WITH_ID_CAN_READ", "StoreByName", "read", "read", 403,    "no token"],
  ["ANYONE_WITH_ID_CAN_READ",   "ANYONE_WITH_ID_CAN_READ", "OwnStore",    "read", "read", 403,    "no account"],

  ["ANYONE_WITH_NAME_CAN_READ", "RESTRICTED",              "StoreById",   "read", "read", "read", "read"],
  ["ANYONE_WITH_NAME_CAN_READ", "RESTRICTED",              "StoreByName", "read", "read", "read", "read"],
  ["ANYONE_WITH_NAME_CAN_READ", "RESTRICTED",              "OwnStore",    "read", "read", "read", "no account"],
  ["ANYONE_WITH_NAME_CAN_READ", "ANYONE_WITH_ID_CAN_READ", "StoreById",   "read", "read", "read", "read"],
  ["ANYONE_WITH_NAME_CAN_READ", "ANYONE_WITH_ID_CAN_READ", "StoreByName", "read", "read", "read", "read"],
  ["ANYONE_WITH_NAME_CAN_READ", "ANYONE_WITH_ID_CAN_READ", "OwnStore",    "read", "read", "read", "no account"],

  ["FOLLOW_USER_SETTING",       "RESTRICTED",              "StoreById",   "read", "read", 403,    "no token"],
  ["FOLLOW_USER_SETTING",       "RESTRICTED",              "StoreByName", "read", "read", 403,    "no token"],
  ["FOLLOW_USER_SETTING",       "RESTRICTED",              "OwnStore",    "read", "read", 403,    "no account"],
  ["FOLLOW_USER_SETTING",       "ANYONE_WITH_ID_CAN_READ", "StoreById",   "read", "read", "read", "read"],
  ["FOLLOW_USER_SETTING",       "ANYONE_WITH_ID_CAN_READ", "StoreByName", "read", "read", 403,    "no token"],
  ["FOLLOW_USER_SETTING",       "ANYONE_WITH_ID_CAN_READ", "OwnStore",    "read", "read", 403,    "no account"],

  ["absent",                    "RESTRICTED",              "StoreById",   "read", "read", 403,    "no token"],
  ["absent",                    "RESTRICTED",              "StoreByName", "read", "read", 403,    "no token"],
  ["absent",                    "RESTRICTED",              "OwnStore",    "read", "read", 403,    "no account"],
  ["absent",                    "ANYONE_WITH_ID_CAN_READ", "StoreById",   "read", "read", "read", "read"],
  ["absent",                    "ANYONE_WITH_ID_CAN_READ", "StoreByName", "read", "read", 403,    "no token"],
  ["absent",                    "ANYONE_WITH_ID_CAN_READ", "OwnStore",    "read", "read", 403,    "no account"],

  ["unknown",                   "RESTRICTED",              "StoreById",   "read", "read", 403,    "no token"],
  ["unknown",                   "RESTRICTED",              "StoreByName", "read", "read", 403,    "no token"],
  ["unknown",                   "RESTRICTED",              "OwnStore",    "read", "read", 403,    "no account"],
  ["unknown",                   "ANYONE_WITH_ID_CAN_READ", "StoreById",   "read", "read", 403,    "no token"],
  ["unknown",                   "ANYONE_WITH_ID_CAN_READ", "StoreByName", "read", "read", 403,    "no token"],
  ["unknown",                   "ANYONE_WITH_ID_CAN_READ", "OwnStore",    "read", "read", 403,    "no account"]
]

describe("the table", () => {
  it("has a row for every level, setting and form of reference", () => {
    const rows = new Set(table.map(([level, ownerSetting, reference]) => `${level} ${ownerSetting} ${reference}`))
    assert.strictEqual(rows.size, table.length)
    assert.strictEqual(rows.size, 6 * 2 * 3)
    assert.includeMembers(Object.keys(levels), [...AccessLevel.literals])
    assert.lengthOf(OwnerSetting.literals, 2)
    assert.lengthOf(Requester.literals, 4)
  })

  it.each(table)("%s, owner %s, %s", (level, ownerSetting, reference, write, read, none, anonymous) => {
    const decide = (requester: Requester) =>
      Option.getOrNull(decideAccess({ requester, reference, generalAccess: levels[level], ownerSetting }))
    assert.deepStrictEqual(
      { WRITE: decide("WRITE"), READ: decide("READ"), NONE: decide("NONE"), ANONYMOUS: decide("ANONYMOUS") },
      {
        WRITE: decisions[write],
        READ: decisions[read],
        NONE: decisions[none],
        ANONYMOUS: decisions[anonymous]
      }
    )
  })
})

const Reference = Schema.Literal("StoreById", "StoreByName", "OwnStore")
const AnyLevel = Schema.typeSchema(Schema.Option(GeneralAccess))

const mayRead = (request: AccessRequest): boolean => Option.isNone(decideAccess(request))

describe("for any store", () => {
  it.prop(
    "those with a right may read, whatever the level",
    [Right, Reference, AnyLevel, OwnerSetting],
    ([requester, reference, generalAccess, ownerSetting]) => {
      assert.isTrue(mayRead({ requester, reference, generalAccess, ownerSetting }))
    }
  )

  it.prop(
    "a caller without a right is refused with 403, or with 401 where the account is unknown",
    [Schema.Literal("NONE", "ANONYMOUS"), Reference, AnyLevel, OwnerSetting],
    ([requester, reference, generalAccess, ownerSetting]) => {
      const refusal = decideAccess({ requester, reference, generalAccess, ownerSetting })
      const status = requester === "ANONYMOUS" && reference === "OwnStore" ? 401 : 403
      if (Option.isSome(refusal)) assert.strictEqual(refusal.value.status, status)
    }
  )

  it.prop(
    "a valid signature opens it to whoever says which store is meant",
    [Requester, Reference, AnyLevel, OwnerSetting],
    ([requester, reference, generalAccess, ownerSetting]) => {
      const isUnclear = requester === "ANONYMOUS" && reference === "OwnStore"
      assert.strictEqual(mayRead({ requester, reference, generalAccess, ownerSetting, isSigned: true }), !isUnclear)
    }
  )

  it("only a caller with the right to write may write", () => {
    assert.deepStrictEqual(
      Requester.literals.map((requester) => Option.getOrNull(decideWrite(requester))),
      [insufficientPermissionsRefusal, null, insufficientPermissionsRefusal, tokenNotProvidedRefusal]
    )
  })

  it.prop(
    "a request without a token reads no more than a user without a right",
    [Reference, AnyLevel, OwnerSetting],
    ([reference, generalAccess, ownerSetting]) => {
      const anonymous = mayRead({ requester: "ANONYMOUS", reference, generalAccess, ownerSetting })
      assert.isTrue(!anonymous || mayRead({ requester: "NONE", reference, generalAccess, ownerSetting }))
    }
  )

  it.prop(
    "the name opens nothing that the ID does not",
    [Requester, AnyLevel, OwnerSetting],
    ([requester, generalAccess, ownerSetting]) => {
      const byName = mayRead({ requester, reference: "StoreByName", generalAccess, ownerSetting })
      assert.isTrue(!byName || mayRead({ requester, reference: "StoreById", generalAccess, ownerSetting }))
    }
  )

  it.prop(
    "raising the level takes access from no one",
    [Requester, Reference, OwnerSetting],
    ([requester, reference, ownerSetting]) => {
      const rising = ["RESTRICTED", "ANYONE_WITH_ID_CAN_READ", "ANYONE_WITH_NAME_CAN_READ"] as const
      const granted = rising.map((level) =>
        mayRead({ requester, reference, generalAccess: Option.some(level), ownerSetting })
      )
      assert.deepStrictEqual(granted, [...granted].sort())
    }
  )

  it.prop("raising the owner's setting takes access from no one", [Requester, Reference, AnyLevel], (request) => {
    const [requester, reference, generalAccess] = request
    const before = mayRead({ requester, reference, generalAccess, ownerSetting: "RESTRICTED" })
    assert.isTrue(!before || mayRead({ requester, reference, generalAccess, ownerSetting: "ANYONE_WITH_ID_CAN_READ" }))
  })

  it.prop(
    "an unknown level opens what RESTRICTED opens",
    [Requester, Reference, UnknownAccessLevel, OwnerSetting],
    ([requester, reference, unknown, ownerSetting]) => {
      assertEquals(
        decideAccess({ requester, reference, generalAccess: Option.some(unknown), ownerSetting }),
        decideAccess({ requester, reference, generalAccess: levels.RESTRICTED, ownerSetting })
      )
    }
  )
})

describe("the holder of a token", () => {
  const WRITE = Option.some<Right>("WRITE")
  const READ = Option.some<Right>("READ")
  const NONE = Option.none<Right>()

  // biome-ignore format: a table
  const requesters: ReadonlyArray<readonly [who: string, isOwner: boolean, granted: Option.Option<Right>, scope: Right, Requester]> = [
    ["the owner",                     true,  NONE,  "WRITE", "WRITE"],
    ["the owner, also granted READ",  true,  READ,  "WRITE", "WRITE"],
    ["the owner, also granted WRITE", true,  WRITE, "WRITE", "WRITE"],
    ["a user granted WRITE",          false, WRITE, "WRITE", "WRITE"],
    ["a user granted READ",           false, READ,  "WRITE", "READ"],
    ["a user without a right",        false, NONE,  "WRITE", "NONE"],
    ["the owner",                     true,  NONE,  "READ",  "READ"],
    ["the owner, also granted READ",  true,  READ,  "READ",  "READ"],
    ["the owner, also granted WRITE", true,  WRITE, "READ",  "READ"],
    ["a user granted WRITE",          false, WRITE, "READ",  "READ"],
    ["a user granted READ",           false, READ,  "READ",  "READ"],
    ["a user without a right",        false, NONE,  "READ",  "NONE"]
  ]

  it.each(requesters)("%s (%s, %o), with a token scoped to %s, is %s", (_, isOwner, granted, scope, requester) => {
    assert.strictEqual(requesterOf({ isOwner, granted, scope }), requester)
  })
})

describe("the level in force", () => {
  it.prop(
    "is the store's own, unless it follows the owner's setting",
    [AccessLevel, OwnerSetting],
    ([level, ownerSetting]) => {
      assert.strictEqual(
        effectiveLevel(Option.some(level), ownerSetting),
        level === "FOLLOW_USER_SETTING" ? ownerSetting : level
      )
    }
  )

  it.prop("is the owner's setting, if the store has none", [OwnerSetting], ([ownerSetting]) => {
    assert.strictEqual(effectiveLevel(Option.none(), ownerSetting), ownerSetting)
  })

  it.prop("is RESTRICTED, if the store's is unknown", [UnknownAccessLevel, OwnerSetting], ([level, setting]) => {
    assert.strictEqual(effectiveLevel(Option.some(level), setting), "RESTRICTED")
  })
})

describe("the view of a store", () => {
  const encode = Schema.encodeSync(Store)
  const hrefs = ({ keysPublicUrl, recordsPublicUrl }: Store) =>
    [keysPublicUrl, recordsPublicUrl].map((link) =>
      Option.getOrNull(Option.map(link, ({ href }) => Redacted.value(href)))
    )

  /** Stores whose secrets are all there, of any level. */
  const signed = fc.tuple(Arbitrary.make(Store), Arbitrary.make(AnyLevel)).map(([store, generalAccess]) => {
    const link = (text: string) => Option.some(new PublicUrl(`https://api.apify.com/${text}`))
    return new Store({
      ...store,
      generalAccess,
      keysPublicUrl: link("keys?limit=1&signature=Canary"),
      recordsPublicUrl: link("records?signature=Canary&prefix=a%20b+c"),
      urlSigningSecretKey: Option.some(Redacted.make("Canary"))
    })
  })

  it.prop("is refused exactly as decideAccess refuses", [Store, Requester, Reference, OwnerSetting], (values) => {
    const [store, requester, reference, ownerSetting] = values
    assertEquals(
      Either.getLeft(viewFor(store, { requester, reference, ownerSetting })),
      decideAccess({ requester, reference, ownerSetting, generalAccess: store.generalAccess })
    )
  })

  it.prop(
    "has the signing key only for those who may write",
    [signed, Requester, Reference, OwnerSetting],
    (values) => {
      const [store, requester, reference, ownerSetting] = values
      Either.map(viewFor(store, { requester, reference, ownerSetting }), (view) => {
        assertEquals(view.urlSigningSecretKey, requester === "WRITE" ? store.urlSigningSecretKey : Option.none())
      })
    }
  )

  it.prop(
    "has signed links only for those who may write, and only while the store is restricted",
    [signed, Requester, Reference, OwnerSetting],
    ([store, requester, reference, ownerSetting]) => {
      const isRestricted = effectiveLevel(store.generalAccess, ownerSetting) === "RESTRICTED"
      const expected =
        requester === "WRITE" && isRestricted
          ? hrefs(store)
          : ["https://api.apify.com/keys?limit=1", "https://api.apify.com/records?prefix=a%20b+c"]
      Either.map(viewFor(store, { requester, reference, ownerSetting }), (view) => {
        assert.deepStrictEqual(hrefs(view), expected)
      })
    }
  )

  it.prop(
    "holds no secret at all for those who may not write",
    [signed, Schema.Literal("READ", "NONE", "ANONYMOUS"), Reference, OwnerSetting],
    ([store, requester, reference, ownerSetting]) => {
      Either.map(viewFor(store, { requester, reference, ownerSetting }), (view) => {
        assert.notInclude(JSON.stringify(encode(view)), "Canary")
      })
    }
  )

  it.prop("is the store in everything else", [signed, Requester, Reference, OwnerSetting], (values) => {
    const [store, requester, reference, ownerSetting] = values
    const rest = (of: Store) => {
      const { urlSigningSecretKey, keysPublicUrl, recordsPublicUrl, ...others } = encode(of)
      return others
    }
    Either.map(viewFor(store, { requester, reference, ownerSetting }), (view) => {
      assert.instanceOf(view, Store)
      assert.isTrue(Schema.is(Store)(view))
      assert.deepStrictEqual(rest(view), rest(store))
    })
  })

  it.prop("of a view is that view", [signed, Requester, Reference, OwnerSetting], (values) => {
    const [store, requester, reference, ownerSetting] = values
    const once = viewFor(store, { requester, reference, ownerSetting })
    const twice = Either.flatMap(once, (view) => viewFor(view, { requester, reference, ownerSetting }))
    assert.deepStrictEqual(Either.map(twice, encode), Either.map(once, encode))
  })

  it.prop("leaves the store that it was made of as it was", [signed, Requester, Reference, OwnerSetting], (values) => {
    const [store, requester, reference, ownerSetting] = values
    const before = encode(store)
    viewFor(store, { requester, reference, ownerSetting })
    assert.deepStrictEqual(encode(store), before)
  })
})
