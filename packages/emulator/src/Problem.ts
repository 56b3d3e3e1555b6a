/**
 * What is wrong with data from outside, told without showing the data.
 *
 * @since 0.1.0
 */
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

/**
 * One thing that is wrong: where, and what. Never the value that stands there.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Problem = Schema.Struct({
  /** The field, as in `users[0].tokens[1].scope`; empty for the whole. */
  path: Schema.String,
  problem: Schema.String
}).annotations({ identifier: "Problem" })

/**
 * @since 0.1.0
 * @category models
 */
export type Problem = typeof Problem.Type

/**
 * @since 0.1.0
 * @category formatting
 */
export const formatPath = (path: ReadonlyArray<PropertyKey>): string =>
  path.reduce<string>(
    (parent, key) =>
      typeof key === "number" ? `${parent}[${key}]` : parent === "" ? String(key) : `${parent}.${String(key)}`,
    ""
  )

// Effect's messages end in the value ("Expected a number, actual …"), which may be a token.
const withoutValue = (message: string): string =>
  (message.split(/,? actual /)[0] ?? message).replace(/\w+ \(Encoded side\)/, "an object")

const problemOf = (issue: ParseResult.ArrayFormatterIssue): string => {
  switch (issue._tag) {
    case "Missing":
      return "is missing"
    case "Unexpected":
      return "is not a field that is known here"
    default:
      return withoutValue(issue.message)
  }
}

// A field with several possible types fails once for each; one that may be left out is `undefined` in one of them.
const OPTIONAL = "Expected undefined"

/**
 * Every problem of a failed decode, one for each field.
 *
 * @since 0.1.0
 * @category formatting
 */
export const problemsOf = (error: ParseResult.ParseError): ReadonlyArray<Problem> => {
  const problems = new Map<string, Set<string>>()
  for (const issue of ParseResult.ArrayFormatter.formatErrorSync(error)) {
    const path = formatPath(issue.path)
    const problem = problemOf(issue)
    if (problem !== OPTIONAL) problems.set(path, (problems.get(path) ?? new Set()).add(problem))
  }
  const isWithin = (path: string) => (other: string) => other.startsWith(`${path}.`) || other.startsWith(`${path}[`)
  return [...problems].flatMap(([path, alternatives]) =>
    // What is wrong within a field says more than that the field is wrong.
    [...problems.keys()].some(isWithin(path))
      ? []
      : [{ path, problem: [...alternatives].join(" or ").replaceAll(" or Expected ", " or ") }]
  )
}
