/**
 * Seeds as they are given: decoded, or read from a file, with everything that is wrong with them.
 *
 * @since 0.1.0
 */
import { isUtf8 } from "node:buffer"
import * as FileSystem from "@effect/platform/FileSystem"
import { type Problem, problemsOf } from "@effect-apify/domain/Problem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { forEachYielding, yieldToEventLoop } from "./internal/eventLoop.js"
import { syntaxErrorPosition } from "./internal/jsonSyntax.js"
import { strict } from "./internal/strict.js"
import { checks, InvalidSeedError, type Seed, SeedRun, SeedStore, SeedUser } from "./Seed.js"

/** How many users, stores or runs are decoded before the event loop runs. */
const BATCH = 100

const options = { errors: "all" } as const

const decodeOutline = ParseResult.decodeUnknownEither(
  Schema.Struct({
    users: Schema.Array(Schema.Unknown),
    stores: Schema.optionalWith(Schema.Array(Schema.Unknown), { default: () => [] }),
    runs: Schema.optionalWith(Schema.Array(Schema.Unknown), { default: () => [] })
  }).annotations({ ...strict, description: "an object" }),
  options
)

interface Decoded<A> {
  readonly elements: ReadonlyArray<A>
  readonly problems: ReadonlyArray<Problem>
}

const decodeElements = <A, I>(
  field: string,
  schema: Schema.Schema<A, I>,
  input: unknown
): Effect.Effect<Decoded<A>> => {
  const decode = ParseResult.decodeUnknownEither(schema, options)
  const elements: Array<A> = []
  const problems: Array<Problem> = []
  return forEachYielding(Array.isArray(input) ? input : [], BATCH, (element, index) =>
    Effect.sync(() => {
      const decoded = decode(element)
      if (Either.isRight(decoded)) elements.push(decoded.right)
      else
        for (const { path, problem } of problemsOf(decoded.left))
          problems.push({ path: [field, index, ...path], problem })
    })
  ).pipe(Effect.as({ elements, problems }))
}

/**
 * Checks a seed and reports everything that is wrong with it, by field and without the values. A large seed is checked
 * in steps, so that signals are handled meanwhile.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeSeed: (input: unknown, file?: Option.Option<string>) => Effect.Effect<Seed, InvalidSeedError> =
  Effect.fnUntraced(function* (input, file = Option.none()) {
    const outline = decodeOutline(input)
    const fields = Predicate.isRecord(input) ? input : {}
    const users = yield* decodeElements("users", SeedUser, fields.users)
    const stores = yield* decodeElements("stores", SeedStore, fields.stores)
    const runs = yield* decodeElements("runs", SeedRun, fields.runs)
    const problems = [
      ...(Either.isLeft(outline) ? problemsOf(outline.left) : []),
      ...users.problems,
      ...stores.problems,
      ...runs.problems
    ]
    const seed = { users: users.elements, stores: stores.elements, runs: runs.elements }
    if (problems.length === 0) {
      let checked = 0
      for (const found of checks(seed)) {
        problems.push(...found)
        checked += 1
        if (checked % BATCH === 0) yield* yieldToEventLoop
      }
    }
    return problems.length === 0 ? seed : yield* new InvalidSeedError({ file, problems })
  })

const REPLACEMENT = Buffer.from("\ufffd")

/** The offset of the first byte that is not part of a character in UTF-8. */
const invalidOffset = (bytes: Buffer): number => {
  // Decoding replaces what is invalid; what the file itself has of the replacement character is valid.
  const text = bytes.toString("utf8")
  let [offset, start] = [0, 0]
  while (true) {
    const end = text.indexOf("\ufffd", start)
    if (end === -1) return bytes.length
    offset += Buffer.byteLength(text.slice(start, end))
    if (!bytes.subarray(offset, offset + REPLACEMENT.length).equals(REPLACEMENT)) return offset
    offset += REPLACEMENT.length
    start = end + 1
  }
}

const parseJson = (text: string): Either.Either<unknown, string> =>
  Either.try({
    try: (): unknown => JSON.parse(text),
    catch: () => {
      const position = syntaxErrorPosition(text)
      return position === undefined
        ? "is not JSON"
        : `is not JSON: see line ${position.line}, column ${position.column}`
    }
  })

/**
 * Reads a seed from a JSON file in UTF-8.
 *
 * @since 0.1.0
 * @category decoding
 */
export const readSeedFile: (path: string) => Effect.Effect<Seed, InvalidSeedError, FileSystem.FileSystem> =
  Effect.fnUntraced(function* (path) {
    const file = Option.some(path)
    const invalid = (problem: string) => new InvalidSeedError({ file, problems: [{ path: [], problem }] })
    const fileSystem = yield* FileSystem.FileSystem
    const content = yield* Effect.mapError(fileSystem.readFile(path), (error) =>
      invalid(
        error._tag === "SystemError" && error.reason === "NotFound"
          ? "does not exist"
          : "cannot be read. Check that it is a file and that you have permission"
      )
    )
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
    if (!isUtf8(bytes)) {
      return yield* invalid(`is not UTF-8: the byte at offset ${invalidOffset(bytes)} is not part of a character`)
    }
    const json = yield* Either.mapLeft(parseJson(bytes.toString("utf8").replace(/^\ufeff/, "")), invalid)
    return yield* decodeSeed(json, file)
  })
