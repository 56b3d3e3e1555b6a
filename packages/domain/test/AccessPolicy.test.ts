/**
 * Who may read a store: Apify's table, written out, and the laws behind it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import {
  type AccessDecision,
  AccessLevel,
  decideAccess,
  effectiveLevel,
  GeneralAccess,
  OwnerSetting,
  Requester,
  type StoreRef,
  UnknownAccessLevel
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
  /** May read, and sees the signing key. */
  write: { _tag: "AccessGranted", seesSigningKey: true },
  read: { _tag: "AccessGranted", seesSigningKey: false },
  403: { _tag: "AccessDenied", reason: "InsufficientPermissions" },
  401: { _tag: "AccessDenied", reason: "TokenNotProvided" }
} satisfies Record<string, AccessDecision>

type Form = StoreRef["_tag"]
type Row = readonly [
  level: keyof typeof levels,
  ownerSetting: OwnerSetting,
  reference: Form,
  owner: keyof typeof decisions,
  writer: keyof typeof decisions,
  reader: keyof typeof decisions,
  otherUser: keyof typeof decisions,
  nobody: keyof typeof decisions
]

// A store in the token's own account can't be asked for without a token, whatever its level.
// biome-ignore format: a table
const table: ReadonlyArray<Row> = [
  // level                      owner's setting            reference      Owner    Writer   Reader  Other   Nobody
  ["RESTRICTED",                "RESTRICTED",              "StoreById",   "write", "write", "read", 403,    401],
  ["RESTRICTED",                "RESTRICTED",              "StoreByName", "write", "write", "read", 403,    401],
  ["RESTRICTED",                "RESTRICTED",              "OwnStore",    "write", "write", "read", 403,    401],
  ["RESTRICTED",                "ANYONE_WITH_ID_CAN_READ", "StoreById",   "write", "write", "read", 403,    401],
  ["RESTRICTED",                "ANYONE_WITH_ID_CAN_READ", "StoreByName", "write", "write", "read", 403,    401],
  ["RESTRICTED",                "ANYONE_WITH_ID_CAN_READ", "OwnStore",    "write", "write", "read", 403,    401],

  ["ANYONE_WITH_ID_CAN_READ",   "RESTRICTED",              "StoreById",   "write", "write", "read", "read", "read"],
  ["ANYONE_WITH_ID_CAN_READ",   "RESTRICTED",              "StoreByName", "write", "write", "read", 403,    401],
  ["ANYONE_WITH_ID_CAN_READ",   "RESTRICTED",              "OwnStore",    "write", "write", "read", 403,    401],
  ["ANYONE_WITH_ID_CAN_READ",   "ANYONE_WITH_ID_CAN_READ", "StoreById",   "write", "write", "read", "read", "read"],
  ["ANYONE_WITH_ID_CAN_READ",   "ANYONE_WITH_ID_CAN_READ", "StoreByName", "write", "write", "read", 403,    401],
  ["ANYONE_WITH_ID_CAN_READ",   "ANYONE_WITH_ID_CAN_READ", "OwnStore",    "write", "write", "read", 403,    401],

  ["ANYONE_WITH_NAME_CAN_READ", "RESTRICTED",              "StoreById",   "write", "write", "read", "read", "read"],
  ["ANYONE_WITH_NAME_CAN_READ", "RESTRICTED",              "StoreByName", "write", "write", "read", "read", "read"],
  ["ANYONE_WITH_NAME_CAN_READ", "RESTRICTED",              "OwnStore",    "write", "write", "read", "read", 401],
  ["ANYONE_WITH_NAME_CAN_READ", "ANYONE_WITH_ID_CAN_READ", "StoreById",   "write", "write", "read", "read", "read"],
  ["ANYONE_WITH_NAME_CAN_READ", "ANYONE_WITH_ID_CAN_READ", "StoreByName", "write", "write", "read", "read", "read"],
  ["ANYONE_WITH_NAME_CAN_READ", "ANYONE_WITH_ID_CAN_READ", "OwnStore",    "write", "write", "read", "read", 401],

  ["FOLLOW_USER_SETTING",       "RESTRICTED",              "StoreById",   "write", "write", "read", 403,    401],
  ["FOLLOW_USER_SETTING",       "RESTRICTED",              "StoreByName", "write", "write", "read", 403,    401],
  ["FOLLOW_USER_SETTING",       "RESTRICTED",              "OwnStore",    "write", "write", "read", 403,    401],
  ["FOLLOW_USER_SETTING",       "ANYONE_WITH_ID_CAN_READ", "StoreById",   "write", "write", "read", "read", "read"],
  ["FOLLOW_USER_SETTING",       "ANYONE_WITH_ID_CAN_READ", "StoreByName", "write", "write", "read", 403,    401],
  ["FOLLOW_USER_SETTING",       "ANYONE_WITH_ID_CAN_READ", "OwnStore",    "write", "write", "read", 403,    401],

  ["absent",                    "RESTRICTED",              "StoreById",   "write", "write", "read", 403,    401],
  ["absent",                    "RESTRICTED",              "StoreByName", "write", "write", "read", 403,    401],
  ["absent",                    "RESTRICTED",              "OwnStore",    "write", "write", "read", 403,    401],
  ["absent",                    "ANYONE_WITH_ID_CAN_READ", "StoreById",   "write", "write", "read", "read", "read"],
  ["absent",                    "ANYONE_WITH_ID_CAN_READ", "StoreByName", "write", "write", "read", 403,    401],
  ["absent",                    "ANYONE_WITH_ID_CAN_READ", "OwnStore",    "write", "write", "read", 403,    401],

  ["unknown",                   "RESTRICTED",              "StoreById",   "write", "write", "read", 403,    401],
  ["unknown",                   "RESTRICTED",              "StoreByName", "write", "write", "read", 403,    401],
  ["unknown",                   "RESTRICTED",              "OwnStore",    "write", "write", "read", 403,    401],
  ["unknown",                   "ANYONE_WITH_ID_CAN_READ", "StoreById",   "write", "write", "read", 403,    401],
  ["unknown",                   "ANYONE_WITH_ID_CAN_READ", "StoreByName", "write", "write", "read", 403,    401],
  ["unknown",                   "ANYONE_WITH_ID_CAN_READ", "OwnStore",    "write", "write", "read", 403,    401]
]

describe("the table", () => {
  it("has a row for every level, setting and form of reference", () => {
    const rows = new Set(table.map(([level, ownerSetting, reference]) => `${level} ${ownerSetting} ${reference}`))
    assert.strictEqual(rows.size, table.length)
    assert.strictEqual(rows.size, 6 * 2 * 3)
    assert.includeMembers(Object.keys(levels), [...AccessLevel.literals])
    assert.lengthOf(OwnerSetting.literals, 2)
    assert.lengthOf(Requester.literals, 5)
  })

  it.each(table)("%s, owner %s, %s", (level, ownerSetting, reference, owner, writer, reader, otherUser, nobody) => {
    const decide = (requester: Requester) =>
      decideAccess({ requester, reference, generalAccess: levels[level], ownerSetting })
    assert.deepStrictEqual(
      {
        Owner: decide("Owner"),
        Writer: decide("Writer"),
        Reader: decide("Reader"),
        OtherUser: decide("OtherUser"),
        Nobody: decide("Nobody")
      },
      {
        Owner: decisions[owner],
        Writer: decisions[writer],
        Reader: decisions[reader],
        OtherUser: decisions[otherUser],
        Nobody: decisions[nobody]
      }
    )
  })
})

const Reference = Schema.Literal("StoreById", "StoreByName", "OwnStore")
const AnyLevel = Schema.typeSchema(Schema.Option(GeneralAccess))

const isGranted = (decision: AccessDecision): boolean => decision._tag === "AccessGranted"

describe("for any store", () => {
  it.prop(
    "the owner may read, and sees the signing key",
    [Reference, AnyLevel, OwnerSetting],
    ([reference, generalAccess, ownerSetting]) => {
      const decision = decideAccess({ requester: "Owner", reference, generalAccess, ownerSetting })
      assert.deepStrictEqual(decision, decisions.write)
    }
  )

  it.prop(
    "no level shows the signing key to those without rights",
    [Schema.Literal("OtherUser", "Nobody"), Reference, AnyLevel, OwnerSetting],
    ([requester, reference, generalAccess, ownerSetting]) => {
      const decision = decideAccess({ requester, reference, generalAccess, ownerSetting })
      assert.notDeepEqual(decision, decisions.write)
    }
  )

  it.prop(
    "levels change nothing for those with rights",
    [Schema.Literal("Owner", "Writer", "Reader"), Reference, AnyLevel, AnyLevel, OwnerSetting],
    ([requester, reference, one, other, ownerSetting]) => {
      assert.deepStrictEqual(
        decideAccess({ requester, reference, generalAccess: one, ownerSetting }),
        decideAccess({ requester, reference, generalAccess: other, ownerSetting })
      )
    }
  )

  it.prop(
    "nobody may read no more than another user",
    [Reference, AnyLevel, OwnerSetting],
    ([reference, generalAccess, ownerSetting]) => {
      const nobody = decideAccess({ requester: "Nobody", reference, generalAccess, ownerSetting })
      const otherUser = decideAccess({ requester: "OtherUser", reference, generalAccess, ownerSetting })
      assert.isTrue(!isGranted(nobody) || isGranted(otherUser))
    }
  )

  it.prop(
    "a name opens nothing that the id does not",
    [Requester, AnyLevel, OwnerSetting],
    ([requester, generalAccess, ownerSetting]) => {
      const byName = decideAccess({ requester, reference: "StoreByName", generalAccess, ownerSetting })
      const byId = decideAccess({ requester, reference: "StoreById", generalAccess, ownerSetting })
      assert.isTrue(!isGranted(byName) || isGranted(byId))
    }
  )

  it.prop(
    "raising the level takes access from no one",
    [Requester, Reference, OwnerSetting],
    ([requester, reference]) => {
      const raising = ["RESTRICTED", "ANYONE_WITH_ID_CAN_READ", "ANYONE_WITH_NAME_CAN_READ"] as const
      const granted = raising.map((level) =>
        isGranted(decideAccess({ requester, reference, generalAccess: Option.some(level), ownerSetting: "RESTRICTED" }))
      )
      assert.deepStrictEqual(granted, [...granted].sort())
    }
  )

  it.prop("raising the owner's setting takes access from no one", [Requester, Reference, AnyLevel], (request) => {
    const [requester, reference, generalAccess] = request
    const before = decideAccess({ requester, reference, generalAccess, ownerSetting: "RESTRICTED" })
    const after = decideAccess({ requester, reference, generalAccess, ownerSetting: "ANYONE_WITH_ID_CAN_READ" })
    assert.isTrue(!isGranted(before) || isGranted(after))
  })

  it.prop(
    "an unknown level opens what RESTRICTED opens",
    [Requester, Reference, UnknownAccessLevel, OwnerSetting],
    ([requester, reference, unknown, ownerSetting]) => {
      assert.deepStrictEqual(
        decideAccess({ requester, reference, generalAccess: Option.some(unknown), ownerSetting }),
        decideAccess({ requester, reference, generalAccess: levels.RESTRICTED, ownerSetting })
      )
    }
  )
})

describe("the level that holds", () => {
  it.prop("is the store's own, where that says anything", [AccessLevel, OwnerSetting], ([level, ownerSetting]) => {
    assert.strictEqual(
      effectiveLevel(Option.some(level), ownerSetting),
      level === "FOLLOW_USER_SETTING" ? ownerSetting : level
    )
  })

  it.prop("is the owner's setting, where the store has none", [OwnerSetting], ([ownerSetting]) => {
    assert.strictEqual(effectiveLevel(Option.none(), ownerSetting), ownerSetting)
  })

  it.prop("is the strictest, where the store's is unknown", [UnknownAccessLevel, OwnerSetting], ([level, setting]) => {
    assert.strictEqual(effectiveLevel(Option.some(level), setting), "RESTRICTED")
  })
})
