/**
 * References to stores: by ID, by owner and name, by name alone in the token's own account, or by a run whose default
 * store is meant.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { quote } from "./Redaction.js"
import { RunId, RunOrigin, RunStatus } from "./RunId.js"
import { InvalidStoreRefError } from "./StoreErrors.js"
import { GeneratedStoreId, idPattern, StoreId } from "./StoreId.js"
import { StoreName, storeNameProblem } from "./StoreName.js"
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

const actorPattern = /^(?:[a-zA-Z0-9_.-]{3,30}~)?[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/

const ActorName = Schema.String.pipe(Schema.pattern(actorPattern)).annotations({
  identifier: "ActorName",
  description: "the ID of an Actor or task, its name, or username~name",
  arbitrary: () => (fc) => fc.stringMatching(actorPattern)
})

/**
 * The default store of the caller's newest run of an Actor or task, with a status or an origin if they are given:
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
 * Which last run is meant: of an Actor or of a task, by its ID, its name, or `username~name`.
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

const collections = { Actor: "actors", Task: "actor-tasks" } as const

const conditionsText = ({ status, origin }: Pick<StoreOfLastRun, "status" | "origin">): string =>
  Object.entries({ status, origin })
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]))
    .join("&")

const lastRunText = (ref: Omit<StoreOfLastRun, "_tag">): string => {
  const text = conditionsText(ref)
  return `${collections[ref.of]}/${ref.id}/runs/last${text === "" ? "" : `?${text}`}`
}

const textOf = (ref: StoreRef): string => {
  switch (ref._tag) {
    case "StoreById":
      return ref.id
    case "StoreByName":
      return `${ref.owner}~${ref.name}`
    case "OwnStore":
      return `~${ref.name}`
    case "StoreOfRun":
      return `actor-runs/${ref.run}`
    case "StoreOfLastRun":
      return lastRunText(ref)
  }
}

const isId = Schema.is(GeneratedStoreId)
const isOwner = Schema.is(Username)
const isName = Schema.is(StoreName)
const isRun = Schema.is(RunId)
const isActor = Schema.is(ActorName)
const isStatus = Schema.is(RunStatus)
const isOrigin = Schema.is(RunOrigin)

const ofRun = /^actor-runs\/([^/?]*)$/
const ofLastRun = /^(actors|actor-tasks)\/([^/?]*)\/runs\/last(?:\?(.*))?$/s
const conditions = /^(?:status=([^&]*))?&?(?:origin=([^&]*))?$/s

/** The conditions that the text of a query is, or `undefined`. */
const parseConditions = (query = ""): Pick<StoreOfLastRun, "status" | "origin"> | undefined => {
  const [, status, origin] = conditions.exec(query) ?? []
  const found = { ...(isStatus(status) && { status }), ...(isOrigin(origin) && { origin }) }
  return conditionsText(found) === query ? found : undefined
}

/** The reference to a run's store that a text is, or what is wrong with the text. */
const parseRunRef = (text: string): Either.Either<StoreRef, string> => {
  const run = ofRun.exec(text)?.[1]
  if (run !== undefined) {
    return isRun(run)
      ? Either.right({ _tag: "StoreOfRun", run })
      : Either.left("the part after actor-runs/ is not the ID of a run: 17 letters and digits")
  }
  const [, collection, id, query] = ofLastRun.exec(text) ?? []
  if (id === undefined) return Either.left("an ID is 17 letters and digits, and nothing else")
  if (!isActor(id)) return Either.left("the Actor or task is not an ID, a name, or username~name")
  const found = parseConditions(query)
  return found === undefined
    ? Either.left('after the "?" may stand a status and then an origin of runs, such as status=SUCCEEDED&origin=API')
    : Either.right({ _tag: "StoreOfLastRun", of: collection === "actors" ? "Actor" : "Task", id, ...found })
}

/** The reference that a text is, or what is wrong with the text. */
const parseText = (segment: string): Either.Either<StoreRef, string> => {
  if (segment.includes("/")) return parseRunRef(segment)
  const tilde = segment.indexOf("~")
  if (tilde === -1) {
    if (isId(segment)) return Either.right({ _tag: "StoreById", id: segment })
    return Either.left(
      isName(segment)
        ? `an ID is 17 letters and digits; for a store's name write ${quote(`~${segment}`)} or ${quote(`username~${segment}`)}`
        : segment === ""
          ? "it is empty"
          : "an ID is 17 letters and digits, and nothing else"
    )
  }
  const owner = segment.slice(0, tilde)
  const name = segment.slice(tilde + 1)
  if (owner !== "" && !isOwner(owner)) {
    return Either.left(
      "the part before the ~ is not a username: 3 to 30 letters, digits, underscores, dots and hyphens"
    )
  }
  if (!isName(name)) {
    return Either.left(`the part after the ~ is not a store name: ${storeNameProblem(name)}`)
  }
  return Either.right(owner === "" ? { _tag: "OwnStore", name } : { _tag: "StoreByName", owner, name })
}

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
  decode: (text, _, ast) => Either.mapLeft(parseText(text), (problem) => new ParseResult.Type(ast, text, problem)),
  encode: (ref) => ParseResult.succeed(textOf(ref))
}).annotations({ identifier: "StoreRefFromString" })

/**
 * A reference as a person writes it: the path segment that names the store, or the path of the run.
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
export const formatStoreRef: (ref: StoreRef) => string = textOf

/**
 * Parses a reference as a person writes it, or says what is wrong with it.
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
  Either.mapLeft(parseText(input), (problem) => new InvalidStoreRefError({ ref: quote(input), problem }))

/**
 * Where Apify has the store that a reference names. Below `path` are `/keys`, `/records` and `/records/:key`.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoreLocation {
  /** The reference as text, as `formatStoreRef` writes it. */
  readonly text: string
  /** The path from `/v2` on. */
  readonly path: string
  /** The parameters of every request to it. */
  readonly query: { readonly status?: RunStatus; readonly origin?: RunOrigin }
}

const noQuery = {}

const locationOf = (ref: StoreRef): StoreLocation => {
  const text = textOf(ref)
  switch (ref._tag) {
    case "StoreOfRun":
      return { text, path: `/v2/${text}/key-value-store`, query: noQuery }
    case "StoreOfLastRun": {
      const { _tag, of, id, ...query } = ref
      return { text, path: `/v2/${collections[of]}/${id}/runs/last/key-value-store`, query }
    }
    default:
      return { text, path: `/v2/key-value-stores/${text}`, query: noQuery }
  }
}

/**
 * Where to send a request about a store. Whatever the reference was made from, only a path that names a store is
 * returned: a reference from JSON or from untyped code is checked like text. Every character of it is unreserved in a URL,
 * so the path needs no percent-encoding and can reach nothing else.
 *
 * @example
 * ```ts
 * import { ownStore, StoreName, storeLocation } from "@effect-apify/domain"
 *
 * storeLocation(ownStore(StoreName.make("my-store"))) // Either.right({ path: "/v2/key-value-stores/~my-store", … })
 * storeLocation("../users/me") // Either.left(InvalidStoreRefError: …)
 * ```
 *
 * @since 0.1.0
 * @category encoding
 */
export const storeLocation = (ref: StoreRef | string): Either.Either<StoreLocation, InvalidStoreRefError> => {
  const text = typeof ref === "string" ? ref : textOfUnknown(ref)
  return text === undefined
    ? Either.left(new InvalidStoreRefError({ ref: "The value", problem: "it is neither text nor a StoreRef" }))
    : Either.map(parseStoreRef(text), locationOf)
}

/**
 * The types say that it is a `StoreRef`; callers without types may pass anything. Each form gives a text of its own form:
 * an ID with a `~` would name another store.
 */
const textOfUnknown = (ref: unknown): string | undefined => {
  if (!Predicate.isRecord(ref)) return undefined
  const { _tag, id, name, owner, run, of, status, origin } = ref
  switch (_tag) {
    case "StoreById":
      return Predicate.isString(id) && !/[~/]/.test(id) ? id : undefined
    case "StoreByName":
      return Predicate.isString(owner) && owner !== "" && !owner.includes("/") && Predicate.isString(name)
        ? `${owner}~${name}`
        : undefined
    case "OwnStore":
      return Predicate.isString(name) ? `~${name}` : undefined
    case "StoreOfRun":
      return Predicate.isString(run) ? `actor-runs/${run}` : undefined
    case "StoreOfLastRun":
      return (of === "Actor" || of === "Task") &&
        Predicate.isString(id) &&
        (status === undefined || isStatus(status)) &&
        (origin === undefined || isOrigin(origin))
        ? lastRunText({ of, id, ...(status && { status }), ...(origin && { origin }) })
        : undefined
    default:
      return undefined
  }
}
