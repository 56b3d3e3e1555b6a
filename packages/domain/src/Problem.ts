/**
 * What is wrong with data from outside, without showing the data.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { Count } from "./Count.js"

/**
 * A problem: where it is, and what was expected there, but never the value that was found.
 *
 * `problem` is a predicate, to be read after the path: `is missing`, `is not a string`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Problem = Schema.Struct({
  /** The keys and indices that lead to the value; empty for the whole document. */
  path: Schema.Array(Schema.Union(Schema.String, Count)),
  problem: Schema.String
}).annotations({ identifier: "Problem" })

/**
 * The type of `Problem`.
 *
 * @since 0.1.0
 * @category models
 */
export type Problem = typeof Problem.Type

/**
 * A path as a program would write it, such as `users[0].tokens[1].scope` or `files["a.txt"]`; empty for the whole
 * document. Different paths have different texts.
 *
 * @example
 * ```ts
 * import { formatPath } from "@effect-apify/domain"
 *
 * formatPath(["users", 0, "username"]) // "users[0].username"
 * ```
 *
 * @since 0.1.0
 * @category formatting
 */
export const formatPath = (path: Problem["path"]): string =>
  path.reduce<string>((parent, key) => {
    if (!isIdentifier(key)) return `${parent}[${JSON.stringify(key)}]`
    return parent === "" ? key : `${parent}.${key}`
  }, "")

const isIdentifier = (key: string | number): key is string => /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(String(key))

/**
 * A problem as a part of a sentence; `it` is the whole document.
 *
 * @example
 * ```ts
 * import { formatProblem } from "@effect-apify/domain"
 *
 * formatProblem({ path: ["users", 0, "username"], problem: "is missing" }) // "users[0].username is missing"
 * ```
 *
 * @since 0.1.0
 * @category formatting
 */
export const formatProblem = ({ path, problem }: Problem): string =>
  `${path.length === 0 ? "it" : formatPath(path)} ${problem}`

/**
 * Every problem in a schema issue, in the order in which the schema lists them. A schema's `description` says what was
 * expected; a message from a filter or a transformation is used unchanged. For a union, only the problems of the member
 * that fits best are reported, or what was expected if none fits.
 *
 * @example
 * ```ts
 * import { problemsOf } from "@effect-apify/domain"
 * import * as Either from "effect/Either"
 * import * as ParseResult from "effect/ParseResult"
 * import * as Schema from "effect/Schema"
 *
 * const decode = ParseResult.decodeUnknownEither(Schema.Struct({ id: Schema.String }), { errors: "all" })
 * Either.mapLeft(decode({}), problemsOf) // Either.left([{ path: ["id"], problem: "is missing" }])
 * ```
 *
 * @since 0.1.0
 * @category formatting
 */
export const problemsOf = (issue: ParseResult.ParseIssue): ReadonlyArray<Problem> => problemsAt([], issue)

type Path = Problem["path"]

const problemsAt = (path: Path, issue: ParseResult.ParseIssue): ReadonlyArray<Problem> => {
  switch (issue._tag) {
    case "Pointer":
      return problemsAt([...path, ...keysOf(issue.path)], issue.issue)
    case "Composite": {
      const issues = Arr.ensure(issue.issues)
      if (!SchemaAST.isUnion(issue.ast)) return issues.flatMap((inner) => problemsAt(path, inner))
      // The member that was meant is the one that fits best: of the right type, and with the fewest problems inside.
      const members = issues.flatMap((inner) => {
        const problems = problemsAt(path, inner)
        const isType = hasMessage(inner) || problems.every((problem) => problem.path.length > path.length)
        return isType ? [problems] : []
      })
      return members.sort(byLength)[0] ?? mismatch(path, issue.ast)
    }
    case "Refinement":
      return issue.kind === "Predicate" && !hasMessage(issue.issue)
        ? mismatch(path, issue.ast)
        : problemsAt(path, issue.issue)
    case "Transformation":
      return problemsAt(path, issue.issue)
    case "Missing":
      return [{ path, problem: "is missing" }]
    case "Type":
      return issue.message === undefined ? mismatch(path, issue.ast) : [{ path, problem: issue.message }]
    case "Unexpected":
      return [{ path, problem: "is not a known field" }]
    case "Forbidden":
      return [{ path, problem: issue.message ?? "is not allowed" }]
  }
}

/** Whether a filter says itself what is wrong, and where. */
const hasMessage = (issue: ParseResult.ParseIssue): boolean => {
  switch (issue._tag) {
    case "Pointer":
      return hasMessage(issue.issue)
    case "Composite":
      return Arr.ensure(issue.issues).some(hasMessage)
    case "Refinement":
    case "Transformation":
      return hasMessage(issue.issue)
    case "Type":
      return issue.message !== undefined
    default:
      return false
  }
}

const byLength = (one: ReadonlyArray<Problem>, other: ReadonlyArray<Problem>): number => one.length - other.length

const keysOf = (path: ParseResult.Path): Path =>
  Arr.ensure(path).map((key) => (typeof key === "number" ? key : String(key)))

/** What was expected, leaving out what a reader of JSON cannot see: `undefined`, and what a value is decoded to. */
const describe = (ast: SchemaAST.AST): string =>
  Option.getOrElse(SchemaAST.getDescriptionAnnotation(ast), () => {
    if (SchemaAST.isUnion(ast)) {
      return ast.types
        .filter((type) => !SchemaAST.isUndefinedKeyword(type))
        .map(describe)
        .join(" or ")
    }
    if (SchemaAST.isTransformation(ast)) return describe(ast.from)
    return SchemaAST.isTypeLiteral(ast) ? "an object" : SchemaAST.isTupleType(ast) ? "an array" : String(ast)
  })

const mismatch = (path: Path, ast: SchemaAST.AST): ReadonlyArray<Problem> => [
  { path, problem: `is not ${describe(ast)}` }
]
