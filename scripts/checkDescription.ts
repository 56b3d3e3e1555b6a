/**
 * Compares our restatement of Apify's API description with the description itself: its operations, parameters, bodies,
 * responses and schemas. The description is the file that the argument names: OpenAPI as JSON.
 */
import { readFileSync } from "node:fs"
import { isDeepStrictEqual } from "node:util"
import * as Predicate from "effect/Predicate"
import { openApiDocument } from "../packages/emulator/test/apiDescription.js"
import { fail, pass } from "./step.js"

/** What is words, or how it is written down, and not what the API does. */
const WORDS = new Set(["description", "example", "examples", "title", "style", "explode", "tags", "summary"])

/** What means the same as to say nothing. */
const DEFAULTS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["content", {}],
  ["deprecated", false],
  ["headers", {}],
  ["required", false]
])

const fieldOf = (value: unknown, name: string): unknown => (Predicate.isRecord(value) ? value[name] : undefined)
const at = (document: unknown, path: string): unknown => path.split("/").slice(1).reduce(fieldOf, document)

/** Parameters by place and name. */
const byName = (parameters: ReadonlyArray<unknown>): Record<string, unknown> =>
  Object.fromEntries(parameters.map((of) => [`${fieldOf(of, "in")} ${fieldOf(of, "name")}`, of]))

/** With references to all but schemas replaced by what they mean, without words, and lists of words without their order. */
const normal = (document: unknown, value: unknown, name = ""): unknown => {
  if (Array.isArray(value)) {
    const elements = value.map((element) => normal(document, element))
    if (name === "parameters") return byName(elements)
    return elements.every(Predicate.isString) ? elements.sort() : elements
  }
  if (!Predicate.isRecord(value)) return value
  const { $ref } = value
  if (typeof $ref === "string" && !$ref.includes("/schemas/")) return normal(document, at(document, $ref), name)
  return Object.fromEntries(
    Object.entries(value)
      // A property may be called like a word.
      .filter(([field]) => name === "properties" || !WORDS.has(field))
      .map(([field, of]): [string, unknown] => [field, normal(document, of, field)])
      .filter(([field, of]) => !(DEFAULTS.has(field) && isDeepStrictEqual(of, DEFAULTS.get(field))))
  )
}

/** Every value by its path. */
const leaves = (value: unknown, path = ""): ReadonlyArray<readonly [string, unknown]> =>
  Predicate.isRecord(value) && Object.keys(value).length > 0
    ? Object.entries(value).flatMap(([name, of]) => leaves(of, `${path} › ${name}`))
    : [[path, value]]

const compared = (document: unknown): ReadonlyMap<string, unknown> =>
  new Map(
    ["#/paths", "#/components/schemas", "#/components/securitySchemes", "#/security"].flatMap((path) =>
      leaves(normal(document, at(document, path)), path)
    )
  )

const file = process.argv[2] ?? fail("arguments", "Name the file of the description.")
const theirs = compared(JSON.parse(readFileSync(file, "utf8")))
const ours = compared(openApiDocument())

const ERROR_TYPES = "#/components/schemas › ErrorType › enum"
const isSubset = (some: unknown, all: unknown): boolean =>
  Array.isArray(some) && Array.isArray(all) && some.every((element) => all.includes(element))

const differences = [...new Set([...theirs.keys(), ...ours.keys()])].filter((path) => {
  const [their, our] = [theirs.get(path), ours.get(path)]
  return path === ERROR_TYPES ? !isSubset(our, their) : !isDeepStrictEqual(our, their)
})

if (differences.length === 0) pass(`${ours.size} values are those of the description`)
else {
  fail(
    "The description differs",
    differences
      .map(
        (path) => `${path}\n  theirs: ${JSON.stringify(theirs.get(path))}\n  ours:   ${JSON.stringify(ours.get(path))}`
      )
      .join("\n")
  )
}
