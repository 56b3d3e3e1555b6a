/**
 * Keys of the records that persist entries: the store's name, a separator, the entry's key. Both are escaped, so neither has
 * the separator, and no two entries share a record.
 */

import { escapeRecordKey } from "@effect-apify/domain/RecordKey"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { checkText } from "./settings.js"
import { sha256 } from "./sha256.js"

/** Not in escaped text. */
const SEPARATOR = "'"

/** Begins a hash. Not in escaped text either. */
const HASHED = ")"

const HASH_LENGTH = 64

const MAX_LENGTH = 256

/** What the keys of a store's records begin with. It leaves room for the hash of any key. */
export const entryPrefix = (storeId: string): Effect.Effect<string> =>
  Effect.map(
    escapedOrHashed("storeId", storeId, MAX_LENGTH - SEPARATOR.length - HASHED.length - HASH_LENGTH),
    (store) => store + SEPARATOR
  )

/** The key of an entry's record, in the store with that prefix. */
export const entryKey = (prefix: string, key: string): Effect.Effect<string> =>
  Effect.map(escapedOrHashed("The key of an entry", key, MAX_LENGTH - prefix.length), (key) => prefix + key)

const escapedOrHashed = (name: string, text: string, maxLength: number): Effect.Effect<string> =>
  Effect.suspend(() => {
    checkText(name, text)
    return Option.match(
      Option.filter(Either.getRight(escapeRecordKey(text)), ({ length }) => length <= maxLength),
      { onNone: () => hashed(text), onSome: Effect.succeed }
    )
  })

/** As JSON, which writes lone surrogates apart. */
const hashed = (text: string): Effect.Effect<string> =>
  Effect.map(sha256(JSON.stringify(text)), (hash) => HASHED + hash)
