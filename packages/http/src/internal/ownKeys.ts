/**
 * The keys of a `KeyValueStore` as keys of records: below a prefix, strict or escaped.
 */

import type { InvalidRecordKeyError } from "@effect-apify/domain/RecordErrors"
import { escapeRecordKey, parseRecordKey, unescapeRecordKey, type ValidRecordKey } from "@effect-apify/domain/RecordKey"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"

export class OwnKeys {
  constructor(
    private readonly prefix: string,
    readonly areEscaped: boolean
  ) {}

  recordKey(key: string): Either.Either<ValidRecordKey, InvalidRecordKeyError> {
    // Callers without types may pass anything.
    const text = Predicate.isString(key) ? this.prefix + key : key
    return this.areEscaped ? escapeRecordKey(text) : parseRecordKey(text)
  }

  /** What the records of the keys that begin with a text begin with. */
  recordPrefix(start: string): Either.Either<string | undefined, InvalidRecordKeyError> {
    if (!Predicate.isString(start)) return this.recordKey(start)
    const text = this.prefix + start
    if (text === "") return Either.right(undefined)
    // Not keys, but keys may begin with them.
    return !this.areEscaped && (text === "." || text === "..") ? Either.right(text) : this.recordKey(start)
  }

  /** The key of a record; `None` for a record that no key stands for. */
  key(recordKey: string): Option.Option<string> {
    const text = this.areEscaped ? unescapeRecordKey(recordKey) : Either.getRight(parseRecordKey(recordKey))
    return Option.flatMap(text, (text) =>
      text.startsWith(this.prefix) ? Option.some(text.slice(this.prefix.length)) : Option.none()
    )
  }
}
