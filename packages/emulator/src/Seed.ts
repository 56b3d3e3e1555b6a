/**
 * What the emulator holds at first: users, their tokens, and stores, written as JSON.
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { GeneratedStoreId, Store, OwnerSetting, StoreName, Username } from "@effect-apify/domain"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { formatPath, Problem, problemsOf } from "./Problem.js"

/** A field that is misspelt must not pass for one that was left out. */
const strict = { parseOptions: { onExcessProperty: "error" } } as const

/**
 * What a token, or an explicit right, allows.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Scope = Schema.Literal("READ", "WRITE").annotations({ identifier: "Scope" })

/**
 * @since 0.1.0
 * @category models
 */
export type Scope = typeof Scope.Type

const tokenPattern = /^[!-~]+$/

const Token = Schema.String.pipe(Schema.pattern(tokenPattern)).annotations({
  identifier: "Token",
  description: "printable ASCII characters without spaces",
  arbitrary: () => (fc) => fc.stringMatching(tokenPattern)
})

/**
 * A token of a user's. It may write unless its scope says `READ`. The database keeps its hash alone.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SeedToken = Schema.Struct({
  token: Schema.Redacted(Token),
  scope: Schema.optionalWith(Scope, { default: () => "WRITE" as const })
}).annotations({ identifier: "SeedToken", ...strict })

const userIdPattern = /^[a-zA-Z0-9]{17}$/

const UserId = Schema.String.pipe(Schema.pattern(userIdPattern)).annotations({
  identifier: "UserId",
  description: "17 letters and digits",
  arbitrary: () => (fc) => fc.stringMatching(userIdPattern)
})

/**
 * A user. One without an id gets one that is always the same for the same username; `setting` is the account's general
 * access, `RESTRICTED` unless told.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SeedUser = Schema.Struct({
  id: Schema.optionalWith(UserId, { as: "Option" }),
  username: Username,
  setting: Schema.optionalWith(OwnerSetting, { default: () => "RESTRICTED" as const }),
  tokens: Schema.optionalWith(Schema.Array(SeedToken), { default: () => [] })
}).annotations({ identifier: "SeedUser", ...strict })

/**
 * Explicit rights of another user to a store.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SeedGrant = Schema.Struct({ user: Username, access: Scope }).annotations({
  identifier: "SeedGrant",
  ...strict
})

const isId = Schema.is(GeneratedStoreId)
const isName = Schema.is(StoreName)
const ANY_ORIGIN = "http://localhost"

const storeProblems = (store: Store): ReadonlyArray<Schema.FilterIssue> => {
  const links = { keysPublicUrl: store.keysPublicUrl, recordsPublicUrl: store.recordsPublicUrl }
  return [
    ...(isId(store.id) ? [] : [{ path: ["id"], message: "Expected 17 letters and digits" }]),
    ...(Option.isNone(store.name) || isName(store.name.value)
      ? []
      : [{ path: ["name"], message: "Expected 1 to 63 letters, digits and hyphens, with no hyphen at either end" }]),
    ...Object.entries(links).flatMap(([field, link]) =>
      Option.isNone(link) || URL.canParse(Redacted.value(link.value.href), ANY_ORIGIN)
        ? []
        : [{ path: [field], message: "Expected a URL" }]
    )
  ]
}

// Only stores that a request can name, with links that can be moved to the emulator.
const ServableStore = Store.annotations({ parseOptions: { onExcessProperty: "ignore" } }).pipe(
  Schema.filter(storeProblems, {
    identifier: "ServableStore",
    arbitrary: () => (fc) =>
      fc
        .tuple(
          Arbitrary.makeLazy(Store)(fc),
          Arbitrary.makeLazy(GeneratedStoreId)(fc),
          fc.option(Arbitrary.makeLazy(StoreName)(fc))
        )
        .map(
          ([store, id, name]) =>
            new Store({
              ...store,
              id,
              name: Option.fromNullable(name),
              userId: Option.none(),
              username: Option.none(),
              keysPublicUrl: Option.none(),
              recordsPublicUrl: Option.none()
            })
        )
  })
)

/**
 * A store in the wire form of `Store`, the username of its owner, and who else has rights to it. In answers
 * `userId` and `username` are the owner's, so they may be left out of `store`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SeedStore = Schema.Struct({
  owner: Username,
  grants: Schema.optionalWith(Schema.Array(SeedGrant), { default: () => [] }),
  store: ServableStore
}).annotations({ identifier: "SeedStore", ...strict })

interface SeedFields {
  readonly users: ReadonlyArray<typeof SeedUser.Type>
  readonly stores: ReadonlyArray<typeof SeedStore.Type>
}

interface Place {
  readonly path: ReadonlyArray<PropertyKey>
  readonly key: Option.Option<string>
}

const place = (path: ReadonlyArray<PropertyKey>, key: Option.Option<string>): Place => ({ path, key })

const repeated = (places: ReadonlyArray<Place>, message: string): ReadonlyArray<Schema.FilterIssue> => {
  const seen = new Set<string>()
  return places.flatMap(({ path, key }) => {
    if (Option.isNone(key)) return []
    if (seen.has(key.value)) return [{ path, message }]
    seen.add(key.value)
    return []
  })
}

const seedProblems = ({ users, stores }: SeedFields): ReadonlyArray<Schema.FilterIssue> => {
  const usersByName = new Map(users.map((user) => [user.username.toLowerCase(), user]))
  const unknownUser = (path: ReadonlyArray<PropertyKey>, username: string): ReadonlyArray<Schema.FilterIssue> =>
    usersByName.has(username.toLowerCase()) ? [] : [{ path, message: "Expected a username that stands under users" }]
  const differs = (path: ReadonlyArray<PropertyKey>, said: Option.Option<string>, owners: Option.Option<string>) =>
    Option.isSome(said) && Option.isSome(owners) && said.value.toLowerCase() !== owners.value.toLowerCase()
      ? [{ path, message: "Expected the owner's, or nothing" }]
      : []
  return [
    ...repeated(
      users.map(({ username }, i) => place(["users", i, "username"], Option.some(username.toLowerCase()))),
      "Another user has it (usernames are compared without case)"
    ),
    ...repeated(
      users.map(({ id }, i) => place(["users", i, "id"], id)),
      "Another user has it"
    ),
    ...repeated(
      users.flatMap(({ tokens }, i) =>
        tokens.map(({ token }, j) => place(["users", i, "tokens", j, "token"], Option.some(Redacted.value(token))))
      ),
      "Stands here twice"
    ),
    ...repeated(
      stores.map(({ store }, i) => place(["stores", i, "store", "id"], Option.some(store.id))),
      "Another store has it"
    ),
    ...repeated(
      stores.map(({ owner, store }, i) =>
        place(
          ["stores", i, "store", "name"],
          Option.map(store.name, (name) => `${owner}~${name}`.toLowerCase())
        )
      ),
      "Another store of its owner has it (names are compared without case)"
    ),
    ...stores.flatMap(({ owner, grants, store }, i) => [
      ...unknownUser(["stores", i, "owner"], owner),
      ...grants.flatMap(({ user }, j) => unknownUser(["stores", i, "grants", j, "user"], user)),
      ...repeated(
        grants.map(({ user }, j) => place(["stores", i, "grants", j, "user"], Option.some(user.toLowerCase()))),
        "Has rights to this store already"
      ),
      ...differs(["stores", i, "store", "username"], store.username, Option.some(owner)),
      ...differs(
        ["stores", i, "store", "userId"],
        store.userId,
        Option.flatMap(Option.fromNullable(usersByName.get(owner.toLowerCase())), ({ id }) => id)
      )
    ])
  ]
}

const seedArbitrary: Arbitrary.LazyArbitrary<SeedFields> = (fc) =>
  fc
    .uniqueArray(Arbitrary.makeLazy(SeedUser)(fc), {
      minLength: 1,
      maxLength: 3,
      selector: ({ username }) => username.toLowerCase()
    })
    .chain((users) =>
      fc.record({
        users: fc.constant(users),
        stores: fc.array(
          fc.record({
            owner: fc.constantFrom(...users.map(({ username }) => username)),
            grants: fc.uniqueArray(
              fc.record({
                user: fc.constantFrom(...users.map(({ username }) => username)),
                access: Arbitrary.makeLazy(Scope)(fc)
              }),
              { maxLength: 3, selector: ({ user }) => user.toLowerCase() }
            ),
            store: Arbitrary.makeLazy(ServableStore)(fc)
          }),
          { maxLength: 2 }
        )
      })
    )
    .filter((seed) => seedProblems(seed).length === 0)

/**
 * Users and stores that go together: no username, id, token or name stands twice, and whoever owns a store or has rights
 * to it stands under `users`.
 *
 * @example
 * ```ts
 * import { Emulator } from "@effect-apify/emulator"
 *
 * const layer = Emulator.layer({
 *   seed: {
 *     users: [{ username: "janedoe", tokens: [{ token: "apify_api_jane" }] }],
 *     stores: [
 *       {
 *         owner: "janedoe",
 *         store: {
 *           id: "WkzbQMuFYuamGv3YF",
 *           name: "my-store",
 *           createdAt: "2019-12-12T07:34:14.202Z",
 *           modifiedAt: "2019-12-13T08:36:13.202Z",
 *           accessedAt: "2019-12-14T08:36:13.202Z"
 *         }
 *       }
 *     ]
 *   }
 * })
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const Seed = Schema.Struct({
  users: Schema.Array(SeedUser),
  stores: Schema.optionalWith(Schema.Array(SeedStore), { default: () => [] })
})
  .annotations(strict)
  .pipe(Schema.filter(seedProblems, { identifier: "Seed", arbitrary: () => seedArbitrary }))

/**
 * @since 0.1.0
 * @category models
 */
export type Seed = typeof Seed.Type

/**
 * A seed as it stands in JSON.
 *
 * @since 0.1.0
 * @category models
 */
export type SeedJson = typeof Seed.Encoded

/**
 * The seed is not one, or does not go with what the database holds already. Nothing of it was loaded.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidSeedError extends Schema.TaggedError<InvalidSeedError>()("InvalidSeedError", {
  /** The file, where the seed came from one. */
  file: Schema.optionalWith(Schema.String, { as: "Option" }),
  problems: Schema.Array(Problem)
}) {
  override get message(): string {
    const seed = Option.match(this.file, { onNone: () => "The seed", onSome: (file) => `The seed file ${file}` })
    const problems = this.problems.map(({ path, problem }) => (path === "" ? problem : `${path}: ${problem}`))
    return [`${seed} cannot be used, and nothing of it was loaded. Correct this:`, ...problems].join("\n  ")
  }
}

const decode = Schema.decodeUnknown(Seed, { errors: "all" })

/**
 * Checks a seed and reports everything that is wrong with it, by field, never showing a value.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeSeed = (
  input: unknown,
  file: Option.Option<string> = Option.none()
): Effect.Effect<Seed, InvalidSeedError> =>
  Effect.mapError(decode(input), (error) => new InvalidSeedError({ file, problems: problemsOf(error) }))

// Only the position is kept of what the parser says: the rest quotes the file.
const syntaxProblem = (text: string, error: unknown): string => {
  const position = /position (\d+)/.exec(String(error))?.[1]
  return position === undefined
    ? "Expected JSON"
    : `Expected JSON: it breaks off in line ${text.slice(0, Number(position)).split("\n").length}`
}

/**
 * Reads a seed from a JSON file.
 *
 * @since 0.1.0
 * @category decoding
 */
export const readSeedFile: (path: string) => Effect.Effect<Seed, InvalidSeedError, FileSystem.FileSystem> =
  Effect.fnUntraced(function* (path) {
    const file = Option.some(path)
    const invalid = (problem: string) => new InvalidSeedError({ file, problems: [{ path: "", problem }] })
    const fileSystem = yield* FileSystem.FileSystem
    const text = yield* Effect.mapError(fileSystem.readFileString(path), (error) =>
      invalid(
        error._tag === "SystemError" && error.reason === "NotFound"
          ? "There is no such file"
          : "The file cannot be read: it must be a file, and you must have the right to read it"
      )
    )
    const json = yield* Effect.try({
      try: (): unknown => JSON.parse(text),
      catch: (error) => invalid(syntaxProblem(text, error))
    })
    return yield* decodeSeed(json, file)
  })

/**
 * A problem at one place of a seed.
 *
 * @since 0.1.0
 * @category errors
 */
export const seedProblem = (path: ReadonlyArray<PropertyKey>, problem: string): InvalidSeedError =>
  new InvalidSeedError({ file: Option.none(), problems: [{ path: formatPath(path), problem }] })

/**
 * The demo's token; it may write.
 *
 * @since 0.1.0
 * @category constants
 */
export const DEMO_TOKEN = "apify_api_demo"

/**
 * The demo: the user `janedoe` with a token that may write, and the example store of the endpoint's page.
 *
 * @since 0.1.0
 * @category constants
 */
export const demoSeed = {
  users: [
    {
      id: "BPWDBd7Z9c746JAnF",
      username: "janedoe",
      setting: "RESTRICTED",
      tokens: [{ token: DEMO_TOKEN, scope: "WRITE" }]
    }
  ],
  stores: [
    {
      owner: "janedoe",
      store: {
        id: "WkzbQMuFYuamGv3YF",
        name: "d7b9MDYsbtX5L7XAj",
        userId: "BPWDBd7Z9c746JAnF",
        username: "janedoe",
        createdAt: "2019-12-12T07:34:14.202Z",
        modifiedAt: "2019-12-13T08:36:13.202Z",
        accessedAt: "2019-12-14T08:36:13.202Z",
        actId: null,
        actRunId: null,
        consoleUrl: "https://console.apify.com/storage/key-value-stores/27TmTznX9YPeAYhkC",
        keysPublicUrl: "https://api.apify.com/v2/key-value-stores/WkzbQMuFYuamGv3YF/keys?signature=abc123",
        urlSigningSecretKey: "string",
        generalAccess: "RESTRICTED",
        stats: { readCount: 9, writeCount: 3, deleteCount: 6, listCount: 2, s3StorageBytes: 18 }
      }
    }
  ]
} satisfies SeedJson
