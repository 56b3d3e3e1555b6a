/**
 * References to stores: by ID, by owner and name, by name in the token's own account, or by a run, for its default
 * store.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { actorPattern, idPattern } from "./internal/patterns.js"
import { formatRef, parseRef } from "./internal/refText.js"
import { quote } from "./Redaction.js"
import { RunId, RunOrigin, RunStatus } from "./RunId.js"
import { InvalidStoreRefError } from "./StoreErrors.js"
import { StoreId } from "./StoreId.js"
import { StoreName } from "./StoreName.js"
import { Username } from "./Username.js"

const SentStoreId = StoreId.pipe(Schema.pattern(idPattern)).annotations({
  identifier: "SentStoreId",
  description: "17 letters and digits",
  arbitrary: () => (fc) => fc.stringMatching(idPattern).map((id) => StoreId.make(id))
})

/**
 * A store referred to by its ID: `WkzbQMuFYuamGv3YF` in a path.
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoreById = Schema.TaggedStruct("StoreById", { id: SentStoreId })

/**
 * The type of `StoreById`.
 *
 * @since 0.1.0
 * @category models
 */
export type StoreById = typeof StoreById.Type

/**
 * A user's store, referred to by its owner (username or user ID) and its name: `janedoe~my-store` in a path.
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoreByName = Schema.TaggedStruct("StoreByName", { owner: Username, name: StoreName })

/**
 * The type of `StoreByName`.
 *
 * @since 0.1.0
 * @category models
 */
export type StoreByName = typeof StoreByName.Type

/**
 * A store of the token's own account, referred to by its name: `~my-store` in a path.
 *
 * @since 0.1.0
 * @category schemas
 */
export const OwnStore = Schema.TaggedStruct("OwnStore", { name: StoreName })

/**
 * The type of `OwnStore`.
 *
 * @since 0.1.0
 * @category models
 */
export type OwnStore = typeof OwnStore.Type

/**
 * The default store of a run: `actor-runs/HG7ML7M8z78YcAPEB`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoreOfRun = Schema.TaggedStruct("StoreOfRun", { run: RunId })

/**
 * The type of `StoreOfRun`.
 *
 * @since 0.1.0
 * @category models
 */
export type StoreOfRun = typeof StoreOfRun.Type

const ActorName = Schema.String.pipe(Schema.pattern(actorPattern)).annotations({
  identifier: "ActorName",
  description: "the ID of an Actor or task, its name, or username~name",
  arbitrary: () => (fc) => fc.stringMatching(actorPattern)
})

/**
 * The default store of the caller's newest run of an Actor or task, optionally with a status or an origin:
 * `actors/janedoe~my-actor/runs/last?status=SUCCEEDED`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoreOfLastRun = Schema.TaggedStruct("StoreOfLastRun", {
  of: Schema.Literal("Actor", "Task"),
  /** The ID of the Actor or task, its name, or `username~name`. */
  id: ActorName,
  status: Schema.optionalWith(RunStatus, { exact: true }),
  origin: Schema.optionalWith(RunOrigin, { exact: true })
})

/**
 * The type of `StoreOfLastRun`.
 *
 * @since 0.1.0
 * @category models
 */
export type StoreOfLastRun = typeof StoreOfLastRun.Type

/**
 * A reference to a store: `StoreById`, `StoreByName`, `OwnStore`, `StoreOfRun` or `StoreOfLastRun`.
 *
 * `Schema.equivalence(StoreRef)` compares two references: it ignores case in names and usernames, but not in IDs.
 *
 * @example
 * ```ts
 * import { StoreId, StoreName, type StoreRef, Username } from "@effect-apify/domain"
 *
 * const refs: ReadonlyArray<StoreRef> = [
 *   { _tag: "StoreById", id: StoreId.make("WkzbQMuFYuamGv3YF") },
 *   { _tag: "StoreByName", owner: Username.make("janedoe"), name: StoreName.make("my-store") },
 *   { _tag: "OwnStore", name: StoreName.make("my-store") }
 * ]
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoreRef = Schema.Union(StoreById, StoreByName, OwnStore, StoreOfRun, StoreOfLastRun).annotations({
  identifier: "StoreRef"
})

/**
 * The type of `StoreRef`.
 *
 * @since 0.1.0
 * @category models
 */
export type StoreRef = typeof StoreRef.Type

/**
 * Refers to a store by its ID, such as the `id` of a store that was just fetched. An ID that is not 17 letters and
 * digits is refused when it is used.
 *
 * @example
 * ```ts
 * import { storeById, StoreId } from "@effect-apify/domain"
 *
 * storeById(StoreId.make("WkzbQMuFYuamGv3YF")) // WkzbQMuFYuamGv3YF
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const storeById = (id: StoreId): StoreById => ({ _tag: "StoreById", id })

/**
 * Refers to a user's store by name.
 *
 * @example
 * ```ts
 * import { storeByName, StoreName, Username } from "@effect-apify/domain"
 *
 * storeByName(Username.make("janedoe"), StoreName.make("my-store")) // janedoe~my-store
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const storeByName = (owner: Username, name: StoreName): StoreByName => ({ _tag: "StoreByName", owner, name })

/**
 * Refers to a store of the token's own account by name.
 *
 * @example
 * ```ts
 * import { ownStore, StoreName } from "@effect-apify/domain"
 *
 * ownStore(StoreName.make("my-store")) // ~my-store
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const ownStore = (name: StoreName): OwnStore => ({ _tag: "OwnStore", name })

/**
 * Refers to the default store of a run.
 *
 * @example
 * ```ts
 * import { RunId, storeOfRun } from "@effect-apify/domain"
 *
 * storeOfRun(RunId.make("HG7ML7M8z78YcAPEB")) // actor-runs/HG7ML7M8z78YcAPEB
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const storeOfRun = (run: RunId): StoreOfRun => ({ _tag: "StoreOfRun", run })

/**
 * Selects the last run of an Actor or a task, given as its ID, its name, or `username~name`.
 *
 * @since 0.1.0
 * @category models
 */
export type LastRun = ({ readonly actor: string } | { readonly task: string }) & {
  readonly status?: RunStatus | undefined
  readonly origin?: RunOrigin | undefined
}

/**
 * Refers to the default store of the caller's newest run of an Actor or task.
 *
 * @example
 * ```ts
 * import { storeOfLastRun } from "@effect-apify/domain"
 *
 * storeOfLastRun({ actor: "janedoe~my-actor", status: "SUCCEEDED" })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const storeOfLastRun = ({ status, origin, ...run }: LastRun): StoreOfLastRun => ({
  _tag: "StoreOfLastRun",
  ...("actor" in run ? { of: "Actor", id: run.actor } : { of: "Task", id: run.task }),
  ...(status === undefined ? {} : { status }),
  ...(origin === undefined ? {} : { origin })
})

/**
 * The codec between a `StoreRef` and its text: the path segment that names the store, or the path of the run.
 *
 * @example
 * ```ts
 * import { StoreRefFromString } from "@effect-apify/domain"
 * import * as Schema from "effect/Schema"
 *
 * Schema.decodeSync(StoreRefFromString)("janedoe~my-store")
 * // { _tag: "StoreByName", owner: "janedoe", name: "my-store" }
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const StoreRefFromString = Schema.transformOrFail(Schema.String, Schema.typeSchema(StoreRef), {
  strict: true,
  decode: (text, _, ast) => Either.mapLeft(parseRef(text), (problem) => new ParseResult.Type(ast, text, problem)),
  encode: (ref) => ParseResult.succeed(formatRef(ref))
}).annotations({ identifier: "StoreRefFromString" })

/**
 * Formats a reference as text: the path segment that names the store, or the path of the run.
 *
 * @example
 * ```ts
 * import { formatStoreRef, ownStore, StoreName } from "@effect-apify/domain"
 *
 * formatStoreRef(ownStore(StoreName.make("my-store"))) // "~my-store"
 * ```
 *
 * @since 0.1.0
 * @category encoding
 */
export const formatStoreRef: (ref: StoreRef) => string = formatRef

/**
 * Parses the text of a reference, or says what is wrong with it.
 *
 * @example
 * ```ts
 * import { parseStoreRef } from "@effect-apify/domain"
 *
 * parseStoreRef("janedoe~my-store") // Either.right({ _tag: "StoreByName", … })
 * parseStoreRef("my-store") // Either.left(InvalidStoreRefError: … write "~my-store" or "username~my-store" …)
 * ```
 *
 * @since 0.1.0
 * @category decoding
 */
export const parseStoreRef = (input: string): Either.Either<StoreRef, InvalidStoreRefError> =>
  // Callers without types may pass anything.
  typeof input === "string"
    ? Either.mapLeft(parseRef(input), (problem) => new InvalidStoreRefError({ ref: quote(input), problem }))
    : Either.left(new InvalidStoreRefError({ ref: "The value", problem: "it is not text" }))
