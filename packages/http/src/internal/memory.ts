/**
 * Stores in memory: what is in them, who may do what with them, and what counts as a use of them. Their records may be elsewhere.
 */
import type { PlatformError } from "@effect/platform/Error"
import {
  decideAccess,
  decideWrite,
  effectiveLevel,
  type OwnerSetting,
  type ReferenceForm,
  type Requester,
  type Right,
  requesterOf
} from "@effect-apify/domain/AccessPolicy"
import type { Json } from "@effect-apify/domain/Json"
import { formatProblem } from "@effect-apify/domain/Problem"
import { parseRecordKey } from "@effect-apify/domain/RecordKey"
import {
  actorNotFoundRefusal,
  type Refusal,
  recordNotFoundRefusal,
  runNotFoundRefusal,
  storeNotFoundRefusal,
  taskNotFoundRefusal,
  tokenNotProvidedRefusal
} from "@effect-apify/domain/Refusal"
import { RunId, type RunOrigin, type RunStatus } from "@effect-apify/domain/RunId"
import { StorageSignatureFromString, storageSignatureText } from "@effect-apify/domain/Signature"
import { Store } from "@effect-apify/domain/Store"
import { GeneratedStoreId, StoreId } from "@effect-apify/domain/StoreId"
import { StoreName } from "@effect-apify/domain/StoreName"
import {
  type OwnStore,
  parseStoreRef,
  type StoreById,
  type StoreByName,
  type StoreOfLastRun,
  type StoreOfRun,
  type StoreRef
} from "@effect-apify/domain/StoreRef"
import { StoreStats } from "@effect-apify/domain/StoreStats"
import { Username } from "@effect-apify/domain/Username"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { BINARY, isBytes, JSON_TYPE, jsonOf, TEXT } from "./recordContent.js"
import { checkObject } from "./settings.js"
import { signerOf } from "./signer.js"

/**
 * A record with its content type.
 *
 * @since 0.1.0
 * @category options
 */
export interface SeedRecordContent {
  /** Parameters included, such as `text/html; charset=utf-8`. */
  readonly contentType: string
  /** Text is stored in UTF-8. */
  readonly body: string | Uint8Array
}

/**
 * A record that a test client begins with: text, bytes, any other value for JSON, or a `SeedRecordContent` for another content
 * type. The content types are those of `putRecord`. To store JSON that is a string, or that looks like a `SeedRecordContent`,
 * pass it as the body of a `SeedRecordContent`.
 *
 * @since 0.1.0
 * @category options
 */
export type SeedRecord = string | Uint8Array | SeedRecordContent | Json

/**
 * A store that a test client begins with: any fields of a store as in Apify's JSON, and its records by their keys. By default
 * it gets an ID, its `username` is the caller's, and all other fields are those of a new store.
 *
 * @since 0.1.0
 * @category options
 */
export interface SeedStore extends Partial<typeof Store.Encoded> {
  readonly records?: { readonly [key: string]: SeedRecord } | undefined
}

/**
 * A run of the caller's, by which `storeOfRun` and `storeOfLastRun` find its default store.
 *
 * @since 0.1.0
 * @category options
 */
export interface SeedRun {
  /** 17 letters and digits. */
  readonly id: string
  /** Its default store, by the text of a reference: an ID, or a name such as `~my-store`. */
  readonly store: string
  /** The Actor, as calls name it. */
  readonly actor?: string | undefined
  /** The task, as calls name it. */
  readonly task?: string | undefined
  /** Default: `SUCCEEDED`. */
  readonly status?: RunStatus | undefined
  /** Default: `API`. */
  readonly origin?: RunOrigin | undefined
}

/** What the memory begins with, and who uses it. */
export interface MemoryOptions {
  readonly stores: ReadonlyArray<Store | SeedStore>
  readonly caller?: string | undefined
  readonly rights?: { readonly [storeId: string]: Right } | undefined
  readonly ownerSetting?: OwnerSetting | undefined
  readonly runs?: ReadonlyArray<SeedRun> | undefined
  /** Where the records of a store are. Default: in memory. */
  readonly recordsOf?: ((store: Store) => Records) | undefined
  /** What other programs have changed. Default: nothing. */
  readonly changes?: ((known: ReadonlyArray<Store>) => Effect.Effect<StoreChanges, PlatformError>) | undefined
}

/** What other programs have changed. A store that they have renamed is gone, and made with its ID. */
export interface StoreChanges {
  readonly gone: ReadonlyArray<Store>
  readonly made: ReadonlyArray<SeedStore>
}

/** A request is refused. */
export class Refused {
  readonly _tag = "Refused"
  constructor(readonly refusal: Refusal) {}
}

/** A record as it was put. */
export interface MemoryRecord {
  readonly contentType: string
  readonly contentEncoding: string | undefined
  readonly bytes: Uint8Array
}

/** The records of a store. */
export interface Records {
  /** The keys and sizes of the first that are selected, in the order of the keys. */
  readonly list: (
    isSelected: (key: string) => boolean,
    limit: number
  ) => Effect.Effect<ReadonlyArray<{ readonly key: string; readonly size: number }>, Refused | PlatformError>
  readonly get: (key: string) => Effect.Effect<Option.Option<MemoryRecord>, Refused | PlatformError>
  /** What is said of a record that does not exist. */
  readonly notFound: (key: string) => Refusal
  readonly put: (key: string, record: MemoryRecord) => Effect.Effect<void, Refused | PlatformError>
  /** Says whether there was one. */
  readonly delete: (key: string) => Effect.Effect<boolean, Refused | PlatformError>
  /** The size of all together, where that is known without a look at each. */
  readonly size: Effect.Effect<Option.Option<number>>
  /** Makes the store, unless another program was first. Says whether it is made. */
  readonly make: Effect.Effect<boolean, Refused | PlatformError>
  /** The store has changed. */
  readonly keepAs: (store: Store) => Effect.Effect<void, Refused | PlatformError>
  /** The store is deleted. */
  readonly drop: Effect.Effect<void, PlatformError>
}

/** A store as it is now. */
interface MemoryStore {
  store: Store
  readonly records: Records
}

/** A store that a request is about, and what its caller is to it. */
export interface Found {
  readonly stored: MemoryStore
  readonly requester: Requester
  readonly reference: ReferenceForm
  readonly ownerSetting: OwnerSetting
}

/** What a request says of its caller. */
export interface CallerAndQuery {
  /** The username; `undefined` without a token. */
  readonly caller: string | undefined
  readonly query: URLSearchParams
}

type PlainRef = StoreById | StoreByName | OwnStore

/** The failure of a request that is refused. */
export const refuse = (refusal: Refusal): Refused => new Refused(refusal)

const trusted = { disableValidation: true }

// ---- What it begins with ---------------------------------------------------------------------------------------------------

const utf8 = new TextEncoder()

const isContent = (seed: SeedRecord): seed is SeedRecordContent =>
  Predicate.isRecord(seed) &&
  Predicate.isString(seed.contentType) &&
  (Predicate.isString(seed.body) || isBytes(seed.body))

const contentOf = (key: string, seed: SeedRecord): SeedRecordContent => {
  if (Predicate.isString(seed)) return { contentType: TEXT["content-type"], body: seed }
  if (isBytes(seed)) return { contentType: BINARY["content-type"], body: seed }
  if (isContent(seed)) return seed
  const body = Either.getOrThrowWith(
    jsonOf(seed),
    (problem) =>
      new Cause.IllegalArgumentException(`The record ${key} must be text, bytes or JSON: ${formatProblem(problem)}`)
  )
  return { contentType: JSON_TYPE["content-type"], body }
}

const recordOf = (key: string, seed: SeedRecord): MemoryRecord => {
  const { body, contentType } = contentOf(key, seed)
  return { contentType, contentEncoding: undefined, bytes: Predicate.isString(body) ? utf8.encode(body) : body }
}

const ID_LENGTH = 17
const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

const byKey = Order.mapInput(Order.string, ({ key }: { readonly key: string }) => key)

const recordsInMemory = (): Records => {
  const records = new Map<string, MemoryRecord>()
  return {
    list: (isSelected, limit) =>
      Effect.sync(() =>
        Array.from(records, ([key, { bytes }]) => ({ key, size: bytes.length }))
          .filter(({ key }) => isSelected(key))
          .sort(byKey)
          .slice(0, limit)
      ),
    get: (key) => Effect.sync(() => Option.fromNullable(records.get(key))),
    notFound: () => recordNotFoundRefusal,
    put: (key, record) => Effect.sync(() => records.set(key, record)),
    delete: (key) => Effect.sync(() => records.delete(key)),
    size: Effect.sync(() =>
      Option.some(Array.from(records.values()).reduce((size, { bytes }) => size + bytes.length, 0))
    ),
    make: Effect.succeed(true),
    keepAs: () => Effect.void,
    drop: Effect.void
  }
}

const randomId = Effect.map(Effect.replicateEffect(Random.nextIntBetween(0, DIGITS.length), ID_LENGTH), (digits) =>
  digits.map((digit) => DIGITS.charAt(digit)).join("")
)

/** A store that was just made. */
const newStore = (fields: Partial<Store>): Effect.Effect<Store> =>
  Effect.map(Effect.all([randomId, randomId, DateTime.now]), ([id, secret, now]) => {
    const times = { createdAt: now, modifiedAt: now, accessedAt: now }
    const urlSigningSecretKey = Option.some(Redacted.make(secret))
    const generalAccess = Option.some("FOLLOW_USER_SETTING" as const)
    const stats = Option.some(new StoreStats({}))
    return new Store({ id: StoreId.make(id), ...times, urlSigningSecretKey, generalAccess, stats, ...fields })
  })

const encodeStore = Schema.encodeSync(Store)
const decodeStore = Schema.decodeUnknown(Store, { errors: "all" })

/** Calls name stores, runs and users by these alone. */
const decodeNames = Schema.decodeUnknown(
  Schema.Struct({ id: Schema.optional(GeneratedStoreId), name: Schema.NullishOr(StoreName) }),
  { errors: "all" }
)
const decodeCaller = Schema.decodeUnknown(Schema.Struct({ caller: Schema.optional(Username) }))
const decodeRun = Schema.decodeUnknown(Schema.Struct({ id: RunId }))

const storedOf = (
  seedStore: SeedStore,
  { caller, recordsOf = recordsInMemory }: MemoryOptions
): Effect.Effect<MemoryStore> =>
  Effect.gen(function* () {
    checkObject("a store", seedStore, "{ name: 'my-store' }")
    const { records: seeds = {}, ...seed } = seedStore
    checkObject("records", seeds, "{ INPUT: 'Some text' }")
    yield* decodeNames(seed)
    const encoded = encodeStore(yield* newStore({ username: Option.fromNullable(caller) }))
    const records = recordsOf(yield* decodeStore({ ...encoded, ...seed }))
    for (const [key, record] of Object.entries(seeds))
      yield* records.put(yield* parseRecordKey(key), recordOf(key, record))
    const size = Object.keys(seeds).length === 0 ? Option.none() : yield* records.size
    const stats = { ...(Option.isSome(size) ? { storageBytes: size.value } : {}), ...seed.stats }
    return { store: yield* decodeStore({ ...encoded, ...seed, stats }), records }
  }).pipe(Effect.orDie)

// ---- Look-ups --------------------------------------------------------------------------------------------------------------

/** Names are case-insensitive. */
export const isSame = (one: string, other: string | undefined): boolean => one.toLowerCase() === other?.toLowerCase()

const isOwnedBy = ({ username }: Store, owner: string | undefined): boolean =>
  Option.exists(username, (name) => isSame(name, owner))

const isPlain = (ref: StoreRef): ref is PlainRef => ref._tag !== "StoreOfRun" && ref._tag !== "StoreOfLastRun"

const isNamed = (store: Store, ref: PlainRef, caller: string | undefined): boolean => {
  if (ref._tag === "StoreById") return store.id === ref.id
  if (!Option.exists(store.name, (name) => isSame(name, ref.name))) return false
  return ref._tag === "OwnStore"
    ? isOwnedBy(store, caller)
    : isOwnedBy(store, ref.owner) || Option.exists(store.userId, (id) => isSame(id, ref.owner))
}

const isOfRun = (
  ref: StoreOfRun | StoreOfLastRun,
  { id, origin = "API", status = "SUCCEEDED" }: SeedRun,
  query: URLSearchParams
): boolean =>
  ref._tag === "StoreOfRun"
    ? id === ref.run
    : status === (query.get("status") ?? status) && origin === (query.get("origin") ?? origin)

const isSigned = (store: Store, text: string, hmac: string): Effect.Effect<boolean> =>
  Effect.flatMap(signerOf(store.urlSigningSecretKey), (signer) =>
    Option.match(signer, {
      onNone: () => Effect.succeed(false),
      onSome: (sign) => Effect.map(sign(text), (expected) => expected === hmac)
    })
  )

const decodeSignature = Schema.decodeOption(StorageSignatureFromString)

/** Whether a signature opens a record, or else the keys of the store and its records as a whole. */
const isSignatureOf = (store: Store, signature: string, key: string | undefined): Effect.Effect<boolean> =>
  key === undefined
    ? Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Option.match(
          Option.filter(decodeSignature(signature), ({ expiresAt }) => expiresAt === 0 || expiresAt >= now),
          {
            onNone: () => Effect.succeed(false),
            onSome: ({ expiresAt, hmac }) => isSigned(store, storageSignatureText(expiresAt, store.id), hmac)
          }
        )
      )
    : isSigned(store, key, signature)

/** Whether the store's links need a signature, and the caller may have one. */
export const needsSignature = ({ ownerSetting, requester, stored }: Found): boolean =>
  requester === "WRITE" && effectiveLevel(stored.store.generalAccess, ownerSetting) === "RESTRICTED"

/** How a request uses a store. */
interface Use {
  readonly counts?: "readCount" | "writeCount" | "listCount" | "deleteCount" | undefined
  /** Whether the store is another one after it. */
  readonly changes?: boolean | undefined
}

/** Stores in memory. */
export class Memory {
  private readonly stores = new Map<string, MemoryStore>()
  /** Runs requests about stores one at a time: a store's records may take time to follow. */
  readonly exclusively = Effect.unsafeMakeSemaphore(1).withPermits(1)

  private constructor(private readonly options: MemoryOptions) {}

  static make(options: MemoryOptions): Effect.Effect<Memory> {
    const { caller, recordsOf = recordsInMemory, runs = [] } = options
    return Effect.gen(function* () {
      yield* decodeCaller({ caller })
      yield* Effect.forEach(runs, (run) => decodeRun(run))
      const memory = new Memory(options)
      for (const seed of options.stores) {
        const stored =
          seed instanceof Store ? { store: seed, records: recordsOf(seed) } : yield* storedOf(seed, options)
        memory.stores.set(stored.store.id, stored)
      }
      return memory
    }).pipe(Effect.orDie)
  }

  /**
   * Learns what other programs have changed. Run it within `exclusively`: a store that is being made here would look like another
   * program's.
   */
  readonly learn: Effect.Effect<void, PlatformError> = Effect.gen(this, function* () {
    const { changes } = this.options
    if (changes === undefined) return
    const { gone, made } = yield* changes(Array.from(this.stores.values(), ({ store }) => store))
    const learnt = yield* Effect.forEach(made, (seed) => storedOf(seed, this.options))
    for (const { id } of gone) this.stores.delete(id)
    for (const stored of learnt) this.stores.set(stored.store.id, stored)
  })

  private foundBy(stored: MemoryStore, caller: string | undefined, reference: ReferenceForm): Found {
    const { ownerSetting = "RESTRICTED", rights } = this.options
    const { store } = stored
    const requester =
      caller === undefined
        ? "ANONYMOUS"
        : requesterOf({
            scope: "WRITE",
            isOwner: isOwnedBy(store, caller),
            granted: Option.fromNullable(rights?.[store.id])
          })
    return { stored, requester, reference, ownerSetting }
  }

  private findPlain(ref: PlainRef, caller: string | undefined): Either.Either<Found, Refused> {
    if (ref._tag === "OwnStore" && caller === undefined) return Either.left(refuse(tokenNotProvidedRefusal))
    const stored = Array.from(this.stores.values()).find(({ store }) => isNamed(store, ref, caller))
    return stored === undefined
      ? Either.left(refuse(storeNotFoundRefusal))
      : Either.right(this.foundBy(stored, caller, ref._tag))
  }

  private findOfRun(
    ref: StoreOfRun | StoreOfLastRun,
    { caller, query }: CallerAndQuery
  ): Either.Either<Found, Refused> {
    const isLast = ref._tag === "StoreOfLastRun"
    if (isLast && caller === undefined) return Either.left(refuse(tokenNotProvidedRefusal))
    const { runs = [] } = this.options
    const known = isLast ? runs.filter(({ actor, task }) => isSame(ref.id, ref.of === "Actor" ? actor : task)) : runs
    if (isLast && known.length === 0)
      return Either.left(refuse(ref.of === "Actor" ? actorNotFoundRefusal : taskNotFoundRefusal))
    const run = known.filter((run) => isOfRun(ref, run, query)).at(-1)
    if (run === undefined) return Either.left(refuse(runNotFoundRefusal))
    return Either.map(this.find(run.store, { caller, query }), (found) => ({ ...found, reference: "StoreById" }))
  }

  /** The store that a text names, whatever the caller may do with it. */
  find(text: string, request: CallerAndQuery): Either.Either<Found, Refused> {
    return Either.flatMap(
      Either.mapLeft(parseStoreRef(text), () => refuse(storeNotFoundRefusal)),
      (ref) => (isPlain(ref) ? this.findPlain(ref, request.caller) : this.findOfRun(ref, request))
    )
  }

  /** The store that a text names, for callers who may read a record of it, or its keys; a right signature opens those. */
  findReadable(text: string, request: CallerAndQuery, key?: string): Effect.Effect<Found, Refused> {
    return Effect.flatMap(this.find(text, request), (found) => {
      const { store } = found.stored
      const signature = request.query.get("signature")
      const isSigned = signature === null ? Effect.succeed(false) : isSignatureOf(store, signature, key)
      return Effect.flatMap(isSigned, (isSigned) =>
        Option.match(decideAccess({ ...found, generalAccess: store.generalAccess, isSigned }), {
          onNone: () => Effect.succeed(found),
          onSome: (refusal) => Effect.fail(refuse(refusal))
        })
      )
    })
  }

  /** The store that a text names, for callers who may change it. */
  findWritable(text: string, request: CallerAndQuery): Either.Either<Found, Refused> {
    return Either.flatMap(this.find(text, request), (found) =>
      Option.match(decideWrite(found.requester), {
        onNone: () => Either.right(found),
        onSome: (refusal) => Either.left(refuse(refusal))
      })
    )
  }

  /** The stores that a caller has a right to. */
  within(caller: string): ReadonlyArray<Found & { readonly isOwn: boolean }> {
    return Array.from(this.stores.values(), (stored) => ({
      ...this.foundBy(stored, caller, "StoreById"),
      isOwn: isOwnedBy(stored.store, caller)
    })).filter(({ requester }) => requester !== "NONE")
  }

  /** Another store of the same owner that has the name. */
  hasOther(store: Store, name: string): boolean {
    const owner = Option.getOrUndefined(store.username)
    return Array.from(this.stores.values()).some(
      ({ store: other }) =>
        other.id !== store.id && isOwnedBy(other, owner) && Option.exists(other.name, (taken) => isSame(taken, name))
    )
  }

  /** None if another program was first: its store is known then. */
  create(caller: string, fields: Partial<Store>): Effect.Effect<Option.Option<Found>, Refused | PlatformError> {
    const { recordsOf = recordsInMemory } = this.options
    return Effect.gen(this, function* () {
      const store = yield* newStore({ ...fields, username: Option.some(caller) })
      const stored = { store, records: recordsOf(store) }
      if (!(yield* stored.records.make)) {
        yield* this.learn
        return Option.none()
      }
      this.stores.set(store.id, stored)
      return Option.some(this.foundBy(stored, caller, "OwnStore"))
    }).pipe(Effect.uninterruptible)
  }

  change({ stored }: Found, store: Store): Effect.Effect<void, Refused | PlatformError> {
    return Effect.uninterruptible(
      Effect.map(stored.records.keepAs(store), () => {
        stored.store = store
      })
    )
  }

  delete({ stored: { records, store } }: Found): Effect.Effect<void, PlatformError> {
    return Effect.uninterruptible(Effect.map(records.drop, () => this.stores.delete(store.id)))
  }

  /** Notes that a store was used. */
  use({ stored }: Found, { changes = false, counts }: Use = {}): Effect.Effect<void> {
    const size =
      counts === "writeCount" || counts === "deleteCount" ? Effect.asSome(stored.records.size) : Effect.succeedNone
    return Effect.map(Effect.all([DateTime.now, size]), ([now, size]) => {
      const { store } = stored
      const modifiedAt = changes ? now : store.modifiedAt
      const stats = counts === undefined ? store.stats : Option.some(counted(store.stats, counts, size))
      stored.store = new Store({ ...store, accessedAt: now, modifiedAt, stats }, trusted)
    })
  }
}

/** One more use of a store, and its size if that may be another one. */
const counted = (
  known: Option.Option<StoreStats>,
  name: NonNullable<Use["counts"]>,
  size: Option.Option<StoreStats["storageBytes"]>
): StoreStats => {
  const stats = Option.getOrElse(known, () => new StoreStats({}))
  const count = Option.some(Option.getOrElse(stats[name], () => 0) + 1)
  const storageBytes = Option.getOrElse(size, () => stats.storageBytes)
  return new StoreStats({ ...stats, storageBytes, [name]: count }, trusted)
}
