/**
 * A store as text and as JSON. Neither shows the signing key or a signature.
 */
import { excerpt, REDACTED } from "@effect-apify/domain"
import { type AccessLevel, type GeneralAccess, Store } from "@effect-apify/http"
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const date = (time: DateTime.Utc): string =>
  `${DateTime.format(time, { locale: "en-GB", timeZone: "UTC", dateStyle: "medium", timeStyle: "medium" })} UTC`

const units = ["kB", "MB", "GB", "TB", "PB"] as const

/** From here on, the amount would be rounded to 1000.0: use the next unit. */
const NEXT_UNIT = 999.95

/** Bytes in decimal units, as Apify Console shows them. */
export const formatBytes = (bytes: number): string => {
  if (bytes < 1000) return `${bytes} B`
  const [unit, amount] = units.reduce<readonly [unit: string, amount: number]>(
    ([unit, amount], next) => (amount < NEXT_UNIT ? [unit, amount] : [next, amount / 1000]),
    ["B", bytes]
  )
  return `${amount.toFixed(1)} ${unit}`
}

const access: Record<AccessLevel, string> = {
  RESTRICTED: "users with granted access",
  ANYONE_WITH_ID_CAN_READ: "anyone with its ID",
  ANYONE_WITH_NAME_CAN_READ: "anyone with its ID or name",
  FOLLOW_USER_SETTING: "set by the owner's account"
}

const formatAccess = (level: GeneralAccess): string =>
  typeof level === "string" ? access[level] : `${level.level} (unknown to this version)`

const count = (noun: string) => (count: number) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`

/** On one line, and without control characters, which a terminal would execute. */
const printable = (text: string): string => excerpt(text, Number.POSITIVE_INFINITY)

/** The store in aligned lines. A field that Apify left out has no line. */
export const formatStore = (store: Store): string => {
  const { stats } = store
  const statistic = (name: "readCount" | "writeCount" | "deleteCount" | "listCount", noun: string) =>
    Option.map(
      Option.flatMap(stats, (stats) => stats[name]),
      count(noun)
    )
  const bytes = Option.flatMap(stats, ({ s3StorageBytes, storageBytes }) =>
    Option.orElse(storageBytes, () => s3StorageBytes)
  )
  const counts = Option.reduceCompact(
    [
      statistic("readCount", "read"),
      statistic("writeCount", "write"),
      statistic("deleteCount", "delete"),
      statistic("listCount", "listing")
    ],
    "",
    (line, count) => (line === "" ? count : `${line}, ${count}`)
  )
  const lines: ReadonlyArray<readonly [label: string, value: Option.Option<string>]> = [
    ["ID", Option.some(store.id)],
    ["Name", store.name],
    ["Title", store.title],
    ["Owner", store.username],
    ["Owner's ID", store.userId],
    ["Created", Option.some(date(store.createdAt))],
    ["Modified", Option.some(date(store.modifiedAt))],
    ["Accessed", Option.some(date(store.accessedAt))],
    ["Actor", store.actId],
    ["Run", store.actRunId],
    ["Readable by", Option.map(store.generalAccess, formatAccess)],
    ["Size", Option.map(bytes, formatBytes)],
    ["Used", Option.liftPredicate(counts, (counts) => counts !== "")],
    ["Console", store.consoleUrl],
    ["Keys", Option.map(store.keysPublicUrl, String)],
    ["Records", Option.map(store.recordsPublicUrl, String)],
    ["Signing key", Option.as(store.urlSigningSecretKey, "hidden")]
  ]
  return lines
    .flatMap(([label, value]) => (Option.isSome(value) ? [`${label.padEnd(12)} ${printable(value.value)}`] : []))
    .join("\n")
}

const encode = Schema.encodeSync(Store)

/** The store as JSON in Apify's format, with its secrets hidden. */
export const formatJson = (store: Store): string => {
  const hidden = { keysPublicUrl: store.keysPublicUrl, recordsPublicUrl: store.recordsPublicUrl }
  return JSON.stringify(
    {
      ...encode(store),
      ...(Option.isSome(store.urlSigningSecretKey) ? { urlSigningSecretKey: REDACTED } : {}),
      ...(Option.isSome(hidden.keysPublicUrl) ? { keysPublicUrl: hidden.keysPublicUrl.value } : {}),
      ...(Option.isSome(hidden.recordsPublicUrl) ? { recordsPublicUrl: hidden.recordsPublicUrl.value } : {})
    },
    null,
    2
  )
}
