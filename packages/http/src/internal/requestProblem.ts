/**
 * What is wrong with a request that an operation made, if anything is: the last check before it is sent.
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { OperationRequest } from "../Operation.js"

/** What is wrong with a request, as a sentence without its full stop. */
export const requestProblem = ({ headers = {}, path, query = {} }: OperationRequest<unknown>): string | undefined => {
  if (!isSafePath(path)) return "The path of the operation can be read in more than one way"
  // Callers without types may give anything, of which `String` would make a text.
  const parameter = Object.entries(query).find(([, value]) => value !== undefined && !Predicate.isString(value))
  if (parameter !== undefined) return `The parameter ${parameter[0]} is not text`
  const wrong = Object.entries(headers).find(
    ([name, value]) => !isHeaderName.test(name) || !Predicate.isString(value) || !isHeaderValue.test(value)
  )
  if (wrong === undefined) return undefined
  const [name] = wrong
  return isHeaderName.test(name)
    ? `The header ${name} must consist of visible ASCII characters and single spaces`
    : "A header has a name that HTTP does not allow"
}

const isHeaderName = /^[\w!#$%&'*+.^`|~-]+$/

const isHeaderValue = /^(?:[\x21-\x7e]+(?: [\x21-\x7e]+)*)?$/

/**
 * A path that starts at the root, and that parsers, proxies and servers take for the same: no `.` and `..`, no backslashes, no
 * empty segments, no query, no white space or control characters, not even percent-encoded.
 */
const isSafePath = (path: string): boolean =>
  isPath.test(path) && (!path.includes("%") || Option.exists(decoded(path), (path) => isDecodedPath.test(path)))

const isPath = /^(?:\/(?!\.{1,2}(?:\/|$))[\w!$&'()*+,.:;=@~%-]+)+$/

const isDecodedPath = /^(?:\/(?!\.{1,2}(?:\/|$))[^\s\p{C}/\\]+)+$/u

const decoded = Option.liftThrowable((path: string) => decodeURIComponent(path))
