/**
 * What is wrong with a request that an operation made, if anything is: the last check before it is sent.
 */
import * as Option from "effect/Option"
import type { OperationRequest } from "../Operation.js"

/** What is wrong with a request, as a sentence without its full stop. */
export const requestProblem = ({ headers = {}, path }: OperationRequest<unknown>): string | undefined => {
  if (!isSafePath(path)) return "The path of the operation is not one that can only be read in one way"
  const wrong = Object.entries(headers).find(([name, value]) => !isHeaderName.test(name) || !isHeaderValue.test(value))
  if (wrong === undefined) return undefined
  const [name] = wrong
  return isHeaderName.test(name)
    ? `The header ${name} is not visible ASCII characters and single spaces`
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
