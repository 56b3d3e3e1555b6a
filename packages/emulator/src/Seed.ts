/**
 * The emulator's initial data: users, their tokens, stores and runs, written as JSON.
 *
 * @since 0.1.0
 */
import { OwnerSetting, Right } from "@effect-apify/domain/AccessPolicy"
import { formatProblem, Problem } from "@effect-apify/domain/Problem"
import { RunId, RunOrigin, RunStatus } from "@effect-apify/domain/RunId"
import { Store } from "@effect-apify/domain/Store"
import { GeneratedStoreId } from "@effect-apify/domain/StoreId"
import { StoreName } from "@effect-apify/domain/StoreName"
import { Timestamp } from "@effect-apify/domain/Timestamp"
import { Username } from "@effect-apify/domain/Username"
import * as Arbitrary from "effect/Arbitrary"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { strict } from "./internal/strict.js"
import { SeedRecord } from "./SeedRecord.js"

const tokenPattern = /^[!-~]+$/

const Token = Schema.String.pipe(Schema.pattern(tokenPattern)).annotations({
  identifier: "Token",
  description: "printable ASCII characters without spaces",
  arbitrary: () => (fc) => fc.stringMatching(tokenPattern)
})

const idPattern = /^[a-zA-Z0-9]{17}$/

const Id = Schema.String.pipe(Schema.pattern(idPattern)).annotations({
  identifier: "Id",
  description: "17 letters and digits",
  arbitrary: () => (fc) => fc.stringMatching(idPattern)
})

/**
 * A token of a user, and what it may do: `scope` with every store that the user may reach, `stores` with single ones, by
 * ID. `scope` defaults to `WRITE`, or to nothing if there are `stores`. `create`, whether it may make stores, defaults to
 * whether it may write with `scope`. The database holds only a hash of the token.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SeedToken = Schema.Struct({
  token: Schema.Redacted(Token),
  scope: Schema.optionalWith(Right, { as: "Option" }),
  stores: Schema.optionalWith(Schema.Record({ key: Id, value: Right }), { as: "Option" }),
  create: Schema.optionalWith(Schema.Boolean, { as: "Option" })
}).annotations({ identifier: "SeedToken", ...strict })

/**
 * The decoded `SeedToken`.
 *
 * @since 0.1.0
 * @category models
 */
export type SeedToken = typeof SeedToken.Type

/**
 * A user. The default of `id` is derived from the username; `setting`, the account's general access, defaults to
 * `RESTRICTED`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SeedUser = Schema.Struct({
  id: Schema.optionalWith(Id, { as: "Option" }),
  username: Username,
  setting: Schema.optionalWith(OwnerSetting, { default: () => "RESTRICTED" as const }),
  tokens: Schema.optionalWith(Schema.Array(SeedToken), { default: () => [] })
}).annotations({ identifier: "SeedUser", ...strict })

/**
 * A right that the owner of a store granted to another user.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SeedGrant = Schema.Struct({ user: Username, access: Right }).annotations({
  identifier: "SeedGrant",
  ...strict
})

const isId = Schema.is(GeneratedStoreId)
const isName = Schema.is(StoreName)
const ANY_ORIGIN = "http://localhost"

const storeProblems = (store: Store): ReadonlyArray<Schema.FilterIssue> => {
  const links = { keysPublicUrl: store.keysPublicUrl, recordsPublicUrl: store.recordsPublicUrl }
  return [
    ...(isId(store.id) ? [] : [{ path: ["id"], message: "is not 17 letters and digits" }]),
    ...(Option.isNone(store.name) || isName(store.name.value)
      ? []
      : [{ path: ["name"], message: "is not 1 to 63 letters, digits and hyphens, with no hyphen at either end" }]),
    ...Object.entries(links).flatMap(([field, link]) =>
      Option.isNone(link) || URL.canParse(Redacted.value(link.value.href), ANY_ORIGIN)
        ? []
        : [{ path: [field], message: "is not a URL" }]
    )
  ]
}

// Only stores that a request can name, with links that can lead to the emulator.
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
 * A store as Get store returns it, the username of its owner, the rights of others to it, and records. `userId` and
 * `username` may be left out of `store`: responses have the owner's. So may `storageBytes`, the size of all records.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SeedStore = Schema.Struct({
  owner: Username,
  grants: Schema.optionalWith(Schema.Array(SeedGrant), { default: () => [] }),
  store: ServableStore,
  records: Schema.optionalWith(Schema.Array(SeedRecord), { default: () => [] })
}).annotations({ identifier: "SeedStore", ...strict })

/**
 * A run of an Actor, which may be the run of a task: the paths that name a store by a run lead to its default store. The
 * Actor's `owner` defaults to the run's. `status` defaults to `SUCCEEDED`, and `origin` to `API`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SeedRun = Schema.Struct({
  id: RunId,
  owner: Username,
  actor: Schema.Struct({
    id: Id,
    name: StoreName,
    owner: Schema.optionalWith(Username, { as: "Option" })
  }).annotations(strict),
  task: Schema.optionalWith(Schema.Struct({ id: Id, name: StoreName }).annotations(strict), { as: "Option" }),
  startedAt: Timestamp,
  status: Schema.optionalWith(RunStatus, { default: () => "SUCCEEDED" as const }),
  origin: Schema.optionalWith(RunOrigin, { default: () => "API" as const }),
  defaultKeyValueStoreId: Id
}).annotations({ identifier: "SeedRun", ...strict })

/** @internal */
export interface SeedFields {
  readonly users: ReadonlyArray<typeof SeedUser.Type>
  readonly stores: ReadonlyArray<typeof SeedStore.Type>
  readonly runs: ReadonlyArray<typeof SeedRun.Type>
}

type Path = Problem["path"]

/** Reports a problem for each key that was seen before; `None` is no key. */
const repetitions = () => {
  const seen = new Set<string>()
  return (path: Path, key: Option.Option<string>, problem: string): ReadonlyArray<Problem> => {
    if (Option.isNone(key)) return []
    const isRepeated = seen.has(key.value)
    seen.add(key.value)
    return isRepeated ? [{ path, problem }] : []
  }
}

/**
 * What is wrong between the parts of a seed: the problems of one user, store or run at a time.
 *
 * @internal
 */
export function* checks({ users, stores, runs }: SeedFields): Generator<ReadonlyArray<Problem>> {
  const usernames = repetitions()
  const userIds = repetitions()
  const tokens = repetitions()
  for (const [index, user] of users.entries()) {
    const path = ["users", index]
    yield [
      ...usernames(
        [...path, "username"],
        Option.some(user.username.toLowerCase()),
        "is the username of another user (usernames are case-insensitive)"
      ),
      ...userIds([...path, "id"], user.id, "is the ID of another user"),
      ...user.tokens.flatMap(({ token }, i) =>
        tokens([...path, "tokens", i, "token"], Option.some(Redacted.value(token)), "is listed twice")
      )
    ]
  }

  const usersByName = new Map(users.map((user) => [user.username.toLowerCase(), user]))
  const unknownUser = (path: Path, username: string): ReadonlyArray<Problem> =>
    usersByName.has(username.toLowerCase()) ? [] : [{ path, problem: "is not the username of one of the users" }]
  const isOther = (path: Path, given: Option.Option<string>, owners: Option.Option<string>): ReadonlyArray<Problem> =>
    Option.isSome(given) && Option.isSome(owners) && given.value.toLowerCase() !== owners.value.toLowerCase()
      ? [{ path, problem: "is not the owner's; it may be left out" }]
      : []
  const storeIds = repetitions()
  const names = repetitions()
  for (const [index, { owner, grants, store, records }] of stores.entries()) {
    const path = ["stores", index]
    const ownerId = Option.flatMap(Option.fromNullable(usersByName.get(owner.toLowerCase())), ({ id }) => id)
    const granted = repetitions()
    const keys = repetitions()
    yield [
      ...storeIds([...path, "store", "id"], Option.some(store.id), "is the ID of another store"),
      ...names(
        [...path, "store", "name"],
        Option.map(store.name, (name) => `${owner}~${name}`.toLowerCase()),
        "is the name of another store of the same owner (names are case-insensitive)"
      ),
      ...unknownUser([...path, "owner"], owner),
      ...grants.flatMap(({ user }, i) => [
        ...unknownUser([...path, "grants", i, "user"], user),
        ...granted(
          [...path, "grants", i, "user"],
          Option.some(user.toLowerCase()),
          "has a grant for this store already"
        )
      ]),
      ...records.flatMap(({ key }, i) =>
        keys([...path, "records", i, "key"], Option.some(key), "is the key of another record of this store")
      ),
      ...isOther([...path, "store", "username"], store.username, Option.some(owner)),
      ...isOther([...path, "store", "userId"], store.userId, ownerId)
    ]
  }

  const runIds = repetitions()
  for (const [index, { id, owner }] of runs.entries()) {
    const path = ["runs", index]
    yield [
      ...runIds([...path, "id"], Option.some(id), "is the ID of another run"),
      ...unknownUser([...path, "owner"], owner)
    ]
  }
}

const problemsBetween = (seed: SeedFields): ReadonlyArray<Problem> => Array.from(checks(seed)).flat()

const seedArbitrary: Arbitrary.LazyArbitrary<SeedFields> = (fc) => {
  // Made once, and not for each seed: what follows an ID or a name by its pattern takes milliseconds to make.
  const user = Arbitrary.makeLazy(SeedUser)(fc)
  const access = Arbitrary.makeLazy(Right)(fc)
  const store = Arbitrary.makeLazy(ServableStore)(fc)
  const record = Arbitrary.makeLazy(SeedRecord)(fc)
  const run = Arbitrary.makeLazy(SeedRun)(fc)

  const runOf = ({ users, stores }: Omit<SeedFields, "runs">) =>
    fc
      .tuple(
        run,
        fc.constantFrom(...users.map(({ username }) => username)),
        fc.constantFrom(...stores.map(({ store }) => store.id))
      )
      .map(([run, owner, defaultKeyValueStoreId]) => ({ ...run, owner, defaultKeyValueStoreId }))

  return fc
    .uniqueArray(user, { minLength: 1, maxLength: 3, selector: ({ username }) => username.toLowerCase() })
    .chain((users) =>
      fc.record({
        users: fc.constant(users),
        stores: fc.array(
          fc.record({
            owner: fc.constantFrom(...users.map(({ username }) => username)),
            grants: fc.uniqueArray(
              fc.record({ user: fc.constantFrom(...users.map(({ username }) => username)), access }),
              { maxLength: 3, selector: ({ user }) => user.toLowerCase() }
            ),
            store,
            records: fc.uniqueArray(record, { maxLength: 3, selector: ({ key }) => key })
          }),
          { maxLength: 2 }
        )
      })
    )
    .chain((accounts) =>
      fc.record({
        users: fc.constant(accounts.users),
        stores: fc.constant(accounts.stores),
        runs: accounts.stores.length === 0 ? fc.constant([]) : fc.array(runOf(accounts), { maxLength: 2 })
      })
    )
    .filter((seed) => problemsBetween(seed).length === 0)
}

/**
 * Users, stores and runs. No username, ID, token or name is repeated, and whoever owns a store or a run, or has rights to
 * a store, is one of the users.
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
  stores: Schema.optionalWith(Schema.Array(SeedStore), { default: () => [] }),
  runs: Schema.optionalWith(Schema.Array(SeedRun), { default: () => [] })
})
  .annotations(strict)
  .pipe(
    Schema.filter((seed) => problemsBetween(seed).map(({ path, problem }) => ({ path, message: problem })), {
      identifier: "Seed",
      arbitrary: () => seedArbitrary
    })
  )

/**
 * A seed as it is loaded: decoded, with its defaults filled in.
 *
 * @since 0.1.0
 * @category models
 */
export type Seed = typeof Seed.Type

/**
 * A seed as JSON.
 *
 * @since 0.1.0
 * @category models
 */
export type SeedJson = typeof Seed.Encoded

/**
 * The seed has errors, or contradicts what the database holds already. Nothing of it was loaded.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidSeedError extends Schema.TaggedError<InvalidSeedError>()("InvalidSeedError", {
  /** The file that the seed was read from, if any. */
  file: Schema.optionalWith(Schema.String, { as: "Option" }),
  problems: Schema.Array(Problem)
}) {
  override get message(): string {
    const seed = Option.match(this.file, { onNone: () => "The seed", onSome: (file) => `The seed file ${file}` })
    return [`${seed} is invalid. Nothing was loaded:`, ...this.problems.map(formatProblem)].join("\n  ")
  }
}

/**
 * An error with one problem.
 *
 * @since 0.1.0
 * @category errors
 */
export const seedProblem = (path: Problem["path"], problem: string): InvalidSeedError =>
  new InvalidSeedError({ file: Option.none(), problems: [{ path, problem }] })
