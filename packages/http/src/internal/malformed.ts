/**
 * What is wrong with a body that is not a store: where, and what was expected there. Never what was found.
 */
import type { MalformedStoreProblem } from "@effect-apify/domain/GetStoreError"
import * as Arr from "effect/Array"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as SchemaAST from "effect/SchemaAST"

type Path = MalformedStoreProblem["path"]

const segments = (path: ParseResult.Path): Path =>
  Arr.ensure(path).map((key) => (typeof key === "number" ? key : String(key)))

/** What should have been there, without what a person who reads JSON cannot know: absence, and what it is decoded to. */
const describe = (ast: SchemaAST.AST): string =>
  Option.getOrElse(SchemaAST.getDescriptionAnnotation(ast), () => {
    if (SchemaAST.isUnion(ast)) {
      return ast.types
        .filter((type) => !SchemaAST.isUndefinedKeyword(type))
        .map(describe)
        .join(" or ")
    }
    if (SchemaAST.isTransformation(ast)) return describe(ast.from)
    return SchemaAST.isTypeLiteral(ast) ? "an object" : String(ast)
  })

const mismatch = (path: Path, ast: SchemaAST.AST): ReadonlyArray<MalformedStoreProblem> => [
  { path, problem: `is not ${describe(ast)}` }
]

/** Every problem that an issue is made of. */
export const problemsOf = (issue: ParseResult.ParseIssue, path: Path = []): ReadonlyArray<MalformedStoreProblem> => {
  switch (issue._tag) {
    case "Pointer":
      return problemsOf(issue.issue, [...path, ...segments(issue.path)])
    case "Composite": {
      const problems = Arr.ensure(issue.issues).flatMap((inner) => problemsOf(inner, path))
      if (!SchemaAST.isUnion(issue.ast)) return problems
      // Of a union, the member that got furthest is the one that was meant; where none got in, none is.
      const inside = problems.filter((problem) => problem.path.length > path.length)
      return inside.length > 0 ? inside : mismatch(path, issue.ast)
    }
    case "Refinement":
      return issue.kind === "Predicate" ? mismatch(path, issue.ast) : problemsOf(issue.issue, path)
    case "Transformation":
      return problemsOf(issue.issue, path)
    case "Missing":
      return [{ path, problem: "is missing" }]
    case "Type":
      return mismatch(path, issue.ast)
    case "Unexpected":
    case "Forbidden":
      return [{ path, problem: "is not allowed" }]
  }
}
