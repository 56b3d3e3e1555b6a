/**
 * References to stores as text. This does not import the schemas of `StoreRef`, which a program that only sends a
 * reference does not need.
 */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import { quote } from "../Redaction.js"
import type { RunId, RunOrigin, RunStatus } from "../RunId.js"
import type { GeneratedStoreId, StoreId } from "../StoreId.js"
import type { StoreName } from "../StoreName.js"
import type { Username } from "../Username.js"
import {
  actorPattern,
  idPattern,
  runOrigins,
  runStatuses,
  storeNamePattern,
  storeNameProblem,
  usernamePattern
} from "./patterns.js"

interface Conditions {
  readonly status?: RunStatus
  readonly origin?: RunOrigin
}

interface LastRun extends Conditions {
  readonly of: "Actor" | "Task"
  readonly id: string
}

/** The type of `StoreRef`. */
export type Ref =
  | { readonly _tag: "StoreById"; readonly id: StoreId }
  | { readonly _tag: "StoreByName"; readonly owner: Username; readonly name: StoreName }
  | { readonly _tag: "OwnStore"; readonly name: StoreName }
  | { readonly _tag: "StoreOfRun"; readonly run: RunId }
  | ({ readonly _tag: "StoreOfLastRun" } & LastRun)

export const collections = { Actor: "actors", Task: "actor-tasks" } as const

const conditionsText = ({ status, origin }: Conditions): string =>
  Object.entries({ status, origin })
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]))
    .join("&")

const lastRunText = (ref: LastRun): string => {
  const text = conditionsText(ref)
  return `${collections[ref.of]}/${ref.id}/runs/last${text === "" ? "" : `?${text}`}`
}

/** A reference as text. */
export const formatRef = (ref: Ref): string => {
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

const isId = (text: string): text is GeneratedStoreId => idPattern.test(text)
const isOwner = (text: string): text is Username => usernamePattern.test(text)
const isName = (text: string): text is StoreName => storeNamePattern.test(text)
const isRun = (text: string): text is RunId => idPattern.test(text)
const isStatus = (value: unknown): value is RunStatus => runStatuses.some((status) => status === value)
const isOrigin = (value: unknown): value is RunOrigin => runOrigins.some((origin) => origin === value)

const runPath = /^actor[a-z-]*\//
const ofRun = /^actor-runs\/([^/?]*)$/
const ofLastRun = /^(actors|actor-tasks)\/([^/?]*)\/runs\/last(?:\?(.*))?$/s
const conditions = /^(?:status=([^&]*))?&?(?:origin=([^&]*))?$/

/** The conditions in a query; `undefined` if it is invalid. */
const parseConditions = (query = ""): Conditions | undefined => {
  const [, status, origin] = conditions.exec(query) ?? []
  const found = { ...(isStatus(status) && { status }), ...(isOrigin(origin) && { origin }) }
  return conditionsText(found) === query ? found : undefined
}

/** Parses a reference to a run's store, or says what is wrong with it. */
const parseRunRef = (text: string): Either.Either<Ref, string> => {
  const run = ofRun.exec(text)?.[1]
  if (run !== undefined) {
    return isRun(run)
      ? Either.right({ _tag: "StoreOfRun", run })
      : Either.left("the part after actor-runs/ is not the ID of a run: 17 letters and digits")
  }
  const [, collection, id, query] = ofLastRun.exec(text) ?? []
  if (id === undefined)
    return Either.left("a run is actor-runs/ID, actors/ACTOR/runs/last or actor-tasks/TASK/runs/last")
  if (!actorPattern.test(id)) return Either.left("the Actor or task is not an ID, a name, or username~name")
  const found = parseConditions(query)
  return found === undefined
    ? Either.left('a status, then an origin may follow the "?": status=SUCCEEDED&origin=API')
    : Either.right({ _tag: "StoreOfLastRun", of: collection === "actors" ? "Actor" : "Task", id, ...found })
}

/** Parses a reference, or says what is wrong with it. */
export const parseRef = (segment: string): Either.Either<Ref, string> => {
  if (runPath.test(segment)) return parseRunRef(segment)
  const tilde = segment.indexOf("~")
  if (tilde === -1) {
    if (isId(segment)) return Either.right({ _tag: "StoreById", id: segment })
    return Either.left(
      isName(segment)
        ? `an ID is 17 letters and digits; for a store's name write ${quote(`~${segment}`)} or ${quote(`username~${segment}`)}`
        : segment === ""
          ? "it is empty"
          : segment.includes("/")
            ? "it is a URL or a path"
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
 * The text of a `StoreRef`; `undefined` for anything else that a caller without types may pass. The text has the form
 * of the reference: an ID with a `~` would name another store.
 */
export const formatUnknown = (ref: unknown): string | undefined => {
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
