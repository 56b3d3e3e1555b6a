/**
 * From a schema issue to what is wrong and where, without the value.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { character } from "../../../vitest.text.js"
import { formatPath, formatProblem, Problem, problemsOf, Store, StoreBody, StoreRefFromString } from "../src/index.js"
import { anyJson, nearlyValid } from "./laws.js"

/** What is wrong with the input, one line for each problem. */
const problems = <A, I>(schema: Schema.Schema<A, I>, input: unknown): ReadonlyArray<string> =>
  Either.match(ParseResult.decodeUnknownEither(schema, { errors: "all", onExcessProperty: "error" })(input), {
    onLeft: (issue) => problemsOf(issue).map(({ path, problem }) => `${formatPath(path)}: ${problem}`),
    onRight: () => []
  })

describe("of a struct", () => {
  const User = Schema.Struct({ id: Schema.String, age: Schema.Int, nick: Schema.optional(Schema.String) })

  it("every field that is wrong is named, in the order of the schema", () => {
    assert.deepStrictEqual(problems(User, { age: 1.5, nick: 3 }), [
      "id: is missing",
      "age: is not an integer",
      "nick: is not a string"
    ])
  })

  it("a missing field is distinguished from one that is undefined or null", () => {
    assert.deepStrictEqual(problems(User, { age: 1 }), ["id: is missing"])
    assert.deepStrictEqual(problems(User, { id: undefined, age: 1 }), ["id: is not a string"])
    assert.deepStrictEqual(problems(User, { id: null, age: 1 }), ["id: is not a string"])
  })

  it("an unknown field is named where none is allowed", () => {
    assert.deepStrictEqual(problems(User, { id: "a", age: 1, agee: 2 }), ["agee: is not a known field"])
  })

  it.each([[null], [[]], ["text"], [1]])("%j is not an object", (input) => {
    assert.deepStrictEqual(problems(User, input), [": is not an object"])
  })

  it("a description says what was expected", () => {
    const Described = Schema.Struct({ user: User.annotations({ description: "a user" }) })
    assert.deepStrictEqual(problems(Described, { user: 1 }), ["user: is not a user"])
  })

  it("a field that may be absent is not said to be possibly undefined", () => {
    const Optional = Schema.Struct({ nick: Schema.optionalWith(Schema.String, { as: "Option", nullable: true }) })
    assert.deepStrictEqual(problems(Optional, { nick: 1 }), ["nick: is not a string or null"])
    assert.deepStrictEqual(problems(Schema.Struct({ nick: Schema.optional(Schema.String) }), { nick: 1 }), [
      "nick: is not a string"
    ])
  })
})

describe("of arrays, tuples and records", () => {
  it("the index of an item is in the path, however deep", () => {
    const Grid = Schema.Struct({ rows: Schema.Array(Schema.Array(Schema.Number)) })
    assert.deepStrictEqual(problems(Grid, { rows: [[1], [2, "3", null]] }), [
      "rows[1][1]: is not a number",
      "rows[1][2]: is not a number"
    ])
  })

  it("a tuple's item is missing, of another type, or one too many", () => {
    const Pair = Schema.Tuple(Schema.String, Schema.Number)
    assert.deepStrictEqual(problems(Pair, ["a"]), ["[1]: is missing"])
    assert.deepStrictEqual(problems(Pair, [1, "a"]), ["[0]: is not a string", "[1]: is not a number"])
    assert.deepStrictEqual(problems(Pair, ["a", 1, 2]), ["[2]: is not a known field"])
    assert.deepStrictEqual(problems(Pair, { 0: "a" }), [": is not an array"])
  })

  it("a record's key is in the path", () => {
    const Ages = Schema.Record({ key: Schema.String, value: Schema.Number })
    assert.deepStrictEqual(problems(Ages, { ann: 1, "b.c": "2" }), ['["b.c"]: is not a number'])
  })
})

describe("of a union", () => {
  const Shape = Schema.Union(
    Schema.Struct({ kind: Schema.Literal("circle"), radius: Schema.Number }),
    Schema.Struct({ kind: Schema.Literal("square"), side: Schema.Number })
  )

  it("the member with the right tag says what is wrong", () => {
    assert.deepStrictEqual(problems(Shape, { kind: "circle", radius: "1" }), ["radius: is not a number"])
  })

  it("the tag is wrong if it is no member's", () => {
    assert.deepStrictEqual(problems(Shape, { kind: "star" }), ['kind: is not "circle" or "square"'])
    assert.deepStrictEqual(problems(Shape, {}), ["kind: is missing"])
  })

  it("what is inside counts, not that it is of no other type either", () => {
    const Field = Schema.Struct({ field: Schema.Union(Schema.String, Schema.Struct({ id: Schema.String })) })
    assert.deepStrictEqual(problems(Field, { field: { id: 1 } }), ["field.id: is not a string"])
  })

  it("every member is named if the value is of none", () => {
    const Field = Schema.Struct({ field: Schema.Union(Schema.String, Schema.Number, Schema.Null) })
    assert.deepStrictEqual(problems(Field, { field: true }), ["field: is not a string or a number or null"])
  })

  it("literals are quoted", () => {
    assert.deepStrictEqual(problems(Schema.Literal("a", "b"), "c"), [': is not "a" or "b"'])
  })

  it("the member with the fewest problems is the one that was meant", () => {
    const [One, Other] = [Schema.Struct({ a: Schema.String }), Schema.Struct({ a: Schema.String, b: Schema.Int })]
    assert.deepStrictEqual(problems(Schema.Union(One, Other), { a: 1, b: 2 }), ["a: is not a string"])
    assert.deepStrictEqual(problems(Schema.Union(Other, One), { a: 1 }), ["a: is not a string"])
  })

  it("a member's own message is kept", () => {
    const Field = Schema.Struct({ ref: Schema.NullOr(StoreRefFromString) })
    assert.deepStrictEqual(problems(Field, { ref: "" }), ["ref: it is empty"])
    const Short = Schema.String.pipe(Schema.filter((text) => (text.length < 3 ? undefined : "is too long")))
    assert.deepStrictEqual(problems(Schema.Struct({ text: Schema.optional(Short) }), { text: "long" }), [
      "text: is too long"
    ])
  })
})

describe("of a filter", () => {
  it("the description says what was expected", () => {
    const Short = Schema.String.pipe(Schema.filter((text) => text.length < 3)).annotations({
      description: "short text"
    })
    assert.deepStrictEqual(problems(Short, "long text"), [": is not short text"])
  })

  it("its own message is taken as it is", () => {
    const Short = Schema.String.pipe(Schema.filter((text) => (text.length < 3 ? undefined : "is too long")))
    assert.deepStrictEqual(problems(Schema.Struct({ text: Short }), { text: "long text" }), ["text: is too long"])
  })

  it("it may say where", () => {
    const Range = Schema.Struct({ from: Schema.Number, to: Schema.Number }).pipe(
      Schema.filter(({ from, to }) => (from <= to ? [] : [{ path: ["to"], message: "is before `from`" }]))
    )
    assert.deepStrictEqual(problems(Schema.Struct({ range: Range }), { range: { from: 2, to: 1 } }), [
      "range.to: is before `from`"
    ])
  })

  it("it may name several places, with indices", () => {
    const Unique = Schema.Array(Schema.String).pipe(
      Schema.filter((texts) =>
        texts.flatMap((text, at) => (texts.indexOf(text) < at ? [{ path: [at], message: "is not unique" }] : []))
      )
    )
    assert.deepStrictEqual(problems(Schema.Struct({ names: Unique }), { names: ["a", "b", "a", "b"] }), [
      "names[2]: is not unique",
      "names[3]: is not unique"
    ])
  })

  it("what it filters is checked first", () => {
    const Short = Schema.String.pipe(Schema.maxLength(3))
    assert.deepStrictEqual(problems(Short, 1), [": is not a string"])
    assert.deepStrictEqual(problems(Short, "long"), [": is not a string at most 3 character(s) long"])
  })
})

describe("of a transformation", () => {
  it("its message is taken, or what it expected", () => {
    assert.deepStrictEqual(problems(StoreRefFromString, ""), [": it is empty"])
    assert.deepStrictEqual(problems(StoreRefFromString, 1), [": is not a string"])
  })

  it("what it decodes from is described, and not what it decodes to", () => {
    const Field = Schema.Struct({ field: Schema.Union(Schema.Redacted(Schema.String), Schema.Null) })
    assert.deepStrictEqual(problems(Field, { field: 1 }), ["field: is not a string or null"])
  })

  it("that forbids says so", () => {
    const Forbidden = Schema.transformOrFail(Schema.String, Schema.String, {
      strict: true,
      decode: (text, _, ast) => ParseResult.fail(new ParseResult.Forbidden(ast, text)),
      encode: ParseResult.succeed
    })
    assert.deepStrictEqual(problems(Forbidden, "a"), [": is not allowed"])
    const Locked = Schema.transformOrFail(Schema.String, Schema.String, {
      strict: true,
      decode: (text, _, ast) => ParseResult.fail(new ParseResult.Forbidden(ast, text, "is locked")),
      encode: ParseResult.succeed
    })
    assert.deepStrictEqual(problems(Locked, "a"), [": is locked"])
  })
})

describe("of a store", () => {
  it("every problem is named", () => {
    const body = { data: { id: "", createdAt: "yesterday", accessedAt: null, stats: { readCount: -1 }, name: 1 } }
    assert.deepStrictEqual(problems(StoreBody, body), [
      "data.id: is not a non-empty string",
      "data.name: is not a string or null",
      "data.createdAt: is not an ISO 8601 date and time with a time zone",
      "data.modifiedAt: is missing",
      "data.accessedAt: is not an ISO 8601 date and time with a time zone",
      "data.stats.readCount: is not an integer from 0 to 2^53 - 1 or null"
    ])
  })

  it.each([[null], [1], ["text"]])("%j has one", (json) => {
    assert.deepStrictEqual(problems(StoreBody, json), [': is not an object with a store under "data"'])
  })
})

describe("for any JSON that is not a store", () => {
  const decode = ParseResult.decodeUnknownEither(StoreBody, { errors: "all" })
  const json = fc.oneof(
    anyJson,
    nearlyValid(Store).map((data) => ({ data }))
  )

  it.prop("there is a problem, and each is one that can be sent as JSON", [json], ([json]) => {
    Either.match(decode(json), {
      onLeft: (issue) => {
        const problems = problemsOf(issue)
        assert.isNotEmpty(problems)
        for (const problem of problems) {
          assert.isTrue(Schema.is(Problem)(problem))
          assert.match(problem.problem, /^is (?:missing|not )/)
        }
      },
      onRight: () => undefined
    })
  })

  it.prop("each problem is where Effect finds one too", [json], ([json]) => {
    Either.match(decode(json), {
      onLeft: (issue) => {
        const found = ParseResult.ArrayFormatter.formatIssueSync(issue).map(({ path }) => JSON.stringify(path))
        for (const { path } of problemsOf(issue)) assert.include(found, JSON.stringify(path))
      },
      onRight: () => undefined
    })
  })

  it.prop(
    "no problem shows the value",
    [fc.constantFrom(...Object.keys(Store.fields)), fc.constantFrom("Canary", ["Canary"], { Canary: "Canary" })],
    ([field, value]) => {
      Either.match(decode({ data: { [field]: value } }), {
        onLeft: (issue) => assert.notInclude(JSON.stringify(problemsOf(issue)), "Canary"),
        onRight: () => assert.fail("a store without dates")
      })
    }
  )
})

describe("a problem as text", () => {
  it("begins with where it is, or with what is the whole", () => {
    assert.strictEqual(formatProblem({ path: ["data", 0, "id"], problem: "is missing" }), "data[0].id is missing")
    assert.strictEqual(formatProblem({ path: [], problem: "is not JSON" }), "it is not JSON")
  })
})

describe("a path as text", () => {
  it.each([
    [[], ""],
    [["data"], "data"],
    [["step2", "größe"], "step2.größe"],
    [["users", 0, "tokens", 1, "scope"], "users[0].tokens[1].scope"],
    [[0, "a"], "[0].a"],
    [["files", "a.txt", "size"], 'files["a.txt"].size'],
    [["headers", "content-type"], 'headers["content-type"]'],
    [["0"], '["0"]'],
    [["", ""], '[""][""]'],
    [["a]\n"], '["a]\\n"]'],
    [["$ref", "_id", "naïve"], "$ref._id.naïve"]
  ])("%j is %s", (path, text) => {
    assert.strictEqual(formatPath(path), text)
  })

  const key = fc.oneof(
    fc.nat(20),
    fc.constantFrom("a", "b", "0", "a.b", "a[0]", '"', "]", "."),
    fc.string({ unit: character, maxLength: 4 })
  )

  it.prop(
    "writes any two paths differently",
    [fc.array(key, { maxLength: 4 }), fc.array(key, { maxLength: 4 })],
    (paths) => {
      const [one, other] = paths
      assert.strictEqual(formatPath(one) === formatPath(other), JSON.stringify(one) === JSON.stringify(other))
    }
  )
})
