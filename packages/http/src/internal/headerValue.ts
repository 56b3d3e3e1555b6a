/**
 * The values of headers, read as RFC 9110 defines them: optional white space is trimmed, and values that were sent in several
 * lines are joined by commas. What is not valid counts as not sent.
 */
import type * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { parseRetryAfter } from "../RetryAfter.js"
import { parseHttpDate } from "./httpDate.js"

/** Headers by their names in lower case. */
interface HeaderValues {
  readonly [name: string]: string
}

/** A media type, in lower case, and the charset that it names, if any. */
interface ContentType {
  readonly type: string
  readonly charset: Option.Option<string>
}

/** `Content-Type`. One that was sent twice has to be the same both times. */
export const contentType = (headers: HeaderValues): Option.Option<ContentType> =>
  Option.flatMap(same(itemsIn(headers, "content-type")), (value) => {
    const [type = "", ...parameters] = split(value, ";")
    return mediaType.test(type)
      ? Option.some({
          type: type.toLowerCase(),
          charset: Option.map(charsetIn(parameters), (name) => name.toLowerCase())
        })
      : Option.none()
  })

/** The charset that a content type names, in lower case. */
export const charsetOf = (type: string): Option.Option<string> =>
  Option.flatMap(contentType({ "content-type": type }), ({ charset }) => charset)

/** Whether a charset is UTF-8. The second is not a registered name, but some servers send it. */
export const isUtf8 = (charset: string): boolean => charset === "utf-8" || charset === "utf8"

/** `Content-Encoding`, in lower case and in the order in which they were applied. `identity` encodes nothing. */
export const contentEncodings = (headers: HeaderValues): ReadonlyArray<string> =>
  itemsIn(headers, "content-encoding")
    .map((encoding) => encoding.toLowerCase())
    .filter((encoding) => encoding !== "identity")
    .map((encoding) => encodingAliases.get(encoding) ?? encoding)

/** `Content-Length`. One that was sent twice has to be the same both times. What no number can hold is `Infinity`. */
export const contentLength = (headers: HeaderValues): Option.Option<number> =>
  Option.map(
    Option.filter(same(itemsIn(headers, "content-length").map(withoutLeadingZeros)), (value) => /^\d+$/.test(value)),
    Number
  )

/**
 * `Retry-After`, which is ignored where it was sent twice. A date is counted from the response's own `Date`, so that a wrong
 * clock, here or there, does no harm.
 *
 * @param now the time by the wall clock, in milliseconds since 1970: counted from where the response has no valid `Date`
 */
export const retryAfter = (headers: HeaderValues, now: number): Option.Option<Duration.Duration> =>
  Option.flatMap(valueIn(headers, "retry-after"), (value) => parseRetryAfter(value, responseTime(headers, now)))

/** `X-RateLimit-Limit` of Apify, in requests a second: 1 or more. */
export const rateLimit = (headers: HeaderValues): Option.Option<number> =>
  Option.map(
    Option.filter(same(itemsIn(headers, "x-ratelimit-limit").map(withoutLeadingZeros)), (value) =>
      /^[1-9]\d{0,8}$/.test(value)
    ),
    Number
  )

/** When the response was made, as the server has it. */
const responseTime = (headers: HeaderValues, now: number): number =>
  Option.getOrElse(
    Option.flatMap(valueIn(headers, "date"), (value) => parseHttpDate(once(value), now)),
    () => now
  )

const valueIn = (headers: HeaderValues, name: string): Option.Option<string> =>
  Option.map(Option.fromNullable(headers[name]), trim)

/** The members of a list, of which empty ones do not count. */
const itemsIn = (headers: HeaderValues, name: string): ReadonlyArray<string> =>
  Option.match(valueIn(headers, name), {
    onNone: () => [],
    onSome: (value) => split(value, ",").filter((item) => item !== "")
  })

/** What all the members of a list are. */
const same = ([first, ...others]: ReadonlyArray<string>): Option.Option<string> =>
  first !== undefined && others.every((other) => other === first) ? Option.some(first) : Option.none()

/** A date has a comma in it, so that it is no list. Sent twice, it is still one date. */
const once = (value: string): string => {
  const middle = (value.length - ", ".length) / 2
  const first = value.slice(0, Math.max(0, middle))
  return value === `${first}, ${first}` ? first : value
}

const token = "[\\w!#$%&'*+.^`|~-]+"
const mediaType = new RegExp(`^${token}/${token}$`)
const parameter = new RegExp(`^(${token})[ \\t]*=[ \\t]*(?:(${token})|"((?:[^"\\\\]|\\\\.)*)"?)$`)

/** The first one counts. What is no parameter is skipped. */
const charsetIn = (parameters: ReadonlyArray<string>): Option.Option<string> => {
  for (const text of parameters) {
    const [, name, plain, quoted] = parameter.exec(text) ?? []
    if (name?.toLowerCase() === "charset") return Option.some(plain ?? (quoted ?? "").replace(/\\(.)/g, "$1"))
  }
  return Option.none()
}

/** RFC 9110, section 8.4.1. */
const encodingAliases: ReadonlyMap<string, string> = new Map([
  ["x-gzip", "gzip"],
  ["x-compress", "compress"]
])

const withoutLeadingZeros = (value: string): string => value.replace(/^0+(?=\d)/, "")

/** Optional white space is spaces and tabs. */
const trim = (value: string): string => {
  let start = 0
  let end = value.length
  while (start < end && isSpace(value[start])) start++
  while (end > start && isSpace(value[end - 1])) end--
  return value.slice(start, end)
}

const isSpace = (character: string | undefined): boolean => character === " " || character === "\t"

/** The parts between separators, trimmed. Within a quoted string there are none. */
const split = (value: string, separator: "," | ";"): ReadonlyArray<string> => {
  if (!value.includes(separator)) return [trim(value)]
  const parts: Array<string> = []
  let start = 0
  let isQuoted = false
  for (let index = 0; index < value.length; index++) {
    const character = value[index]
    if (character === '"') isQuoted = !isQuoted
    else if (isQuoted && character === "\\") index++
    else if (!isQuoted && character === separator) {
      parts.push(trim(value.slice(start, index)))
      start = index + 1
    }
  }
  return [...parts, trim(value.slice(start))]
}
