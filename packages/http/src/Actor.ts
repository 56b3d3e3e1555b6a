/**
 * Programs that are Actors: their input and output, the platform's events, and state that survives a migration.
 *
 * @since 0.1.0
 */

import type * as Socket from "@effect/platform/Socket"
import { parseStoreName } from "@effect-apify/domain/StoreName"
import { parseStoreRef, type StoreRef, storeById } from "@effect-apify/domain/StoreRef"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import type * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { ActorEvent } from "./ActorEvent.js"
import type { ApifyClient } from "./ApifyClient.js"
import { type CallOptions, defaultLimits } from "./CallOptions.js"
import { listenTo } from "./internal/actorEvents.js"
import { secretVariable, variable } from "./internal/environment.js"
import { makeSaving, nextSaveEvent } from "./internal/persistedState.js"
import { checkObject, checkSchema } from "./internal/settings.js"
import type { PutRecordOptions } from "./RecordContent.js"
import {
  type GetRecordError,
  getRecordValue,
  type PutRecordError,
  putRecord,
  type ReadRecordOptions
} from "./Records.js"
import { type GetOrCreateStoreError, getOrCreateStore } from "./StoreChanges.js"

export type { ActorEvent }

/**
 * What a program knows about its own run.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The run's own store, which holds its input and its output. */
  readonly store: StoreRef
  /** The key of the input, by default `INPUT`. */
  readonly inputKey: string
  /** The platform's events from now on. A slow subscriber misses the oldest. */
  readonly subscribe: Effect.Effect<Queue.Dequeue<ActorEvent>, never, Scope.Scope>
}

/**
 * The program's own run, which `getInput`, `setOutput`, `actorEvents` and `persistedState` need.
 *
 * @example
 * ```ts
 * import { listKeys } from "@effect-apify/http"
 * import { Actor } from "@effect-apify/http/Actor"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * const own = Stream.unwrap(Effect.map(Actor, ({ store }) => listKeys(store)))
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class Actor extends Context.Tag("@effect-apify/http/Actor")<Actor, Service>() {}

/**
 * How to run a program that is not a run of an Actor.
 *
 * @since 0.1.0
 * @category options
 */
export interface LocalOptions {
  /**
   * The name of the store that takes the place of a run's own where no variable names one. It is in the token's account, or in the
   * folder of a `FolderTransport`, where that of `apify run` is `default`. It is made if it does not exist.
   */
  readonly localStore: string
}

/**
 * The run that the variables of Apify's platform describe, read through Effect's `Config`:
 * `ACTOR_DEFAULT_KEY_VALUE_STORE_ID`, `ACTOR_INPUT_KEY` and `ACTOR_EVENTS_WEBSOCKET_URL`, or else their older names
 * `APIFY_DEFAULT_KEY_VALUE_STORE_ID`, `APIFY_INPUT_KEY` and `APIFY_ACTOR_EVENTS_WS_URL`. A blank variable counts as unset.
 * Without the URL there are no events; without the store it is a `ConfigError`.
 *
 * It is connected to the platform's events for as long as the layer lives. A lost connection is made again after 1 to 30
 * seconds. The client with the platform's URLs and token is `ApifyClient.layerConfig`.
 *
 * @example
 * ```ts
 * import * as Socket from "@effect/platform/Socket"
 * import { ApifyClient, FetchTransport } from "@effect-apify/http"
 * import * as Actor from "@effect-apify/http/Actor"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Schema from "effect/Schema"
 *
 * const Input = Schema.Struct({ urls: Schema.Array(Schema.String) })
 *
 * const program = Effect.gen(function* () {
 *   const { urls } = yield* Actor.getInput(Input)
 *   yield* Actor.setOutput(Schema.Number, urls.length)
 * })
 *
 * const run = Layer.merge(
 *   Layer.provide(ApifyClient.layerConfig, FetchTransport.layer),
 *   // On Node 20: NodeSocket.layerWebSocketConstructor of @effect/platform-node.
 *   Layer.provide(Actor.layer, Socket.layerWebSocketConstructorGlobal)
 * )
 *
 * Effect.runPromise(Effect.provide(program, run))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Actor, ConfigError.ConfigError, Socket.WebSocketConstructor> =
  /* @__PURE__ */ Layer.scoped(
    Actor,
    /* @__PURE__ */ Effect.suspend(() =>
      make(
        Effect.fail(
          ConfigError.MissingData(
            [STORE[0]],
            "is not set, so this is not a run of an Actor. To run elsewhere, use layerWith({ localStore: … })"
          )
        )
      )
    )
  )

/**
 * The run that the variables of Apify's platform describe, or a store in place of a run's own: on Apify, on the emulator, which
 * keeps it in a file if it has a `database`, or in the folder of a `FolderTransport`.
 *
 * @example
 * ```ts
 * import * as Socket from "@effect/platform/Socket"
 * import * as Actor from "@effect-apify/http/Actor"
 * import * as Layer from "effect/Layer"
 *
 * const run = Layer.provide(Actor.layerWith({ localStore: "my-actor" }), Socket.layerWebSocketConstructorGlobal)
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (
  options: LocalOptions
): Layer.Layer<Actor, ConfigError.ConfigError | GetOrCreateStoreError, ApifyClient | Socket.WebSocketConstructor> =>
  Layer.scoped(
    Actor,
    make(
      Effect.suspend(() => {
        checkObject("options", options, "{ localStore: 'my-actor' }")
        // Without a name, it would be a new store each time.
        return Effect.flatMap(parseStoreName(options.localStore), (name) =>
          Effect.map(getOrCreateStore({ name }), ({ store }): StoreRef => storeById(store.id))
        )
      })
    )
  )

const STORE = ["ACTOR_DEFAULT_KEY_VALUE_STORE_ID", "APIFY_DEFAULT_KEY_VALUE_STORE_ID"] as const
const INPUT_KEY = ["ACTOR_INPUT_KEY", "APIFY_INPUT_KEY"] as const
const EVENTS_URL = ["ACTOR_EVENTS_WEBSOCKET_URL", "APIFY_ACTOR_EVENTS_WS_URL"] as const

/** What is set, and by which name. */
interface Found<A> {
  readonly name: string
  readonly value: A
}

const firstSet = <A>(
  variable: (name: string) => Config.Config<Option.Option<A>>,
  names: ReadonlyArray<string>
): Config.Config<Option.Option<Found<A>>> =>
  Config.map(
    Config.all(
      names.map((name) =>
        Config.map(
          variable(name),
          Option.map((value) => ({ name, value }))
        )
      )
    ),
    Option.firstSomeOf
  )

const variables = Config.all({
  store: firstSet(variable, STORE),
  inputKey: firstSet(variable, INPUT_KEY),
  eventsUrl: firstSet(secretVariable, EVENTS_URL)
})

/** How many events wait for a subscriber; the oldest are left out. */
const CAPACITY = 1024

const make = <E, R>(
  otherwise: Effect.Effect<StoreRef, E, R>
): Effect.Effect<Service, ConfigError.ConfigError | E, R | Scope.Scope | Socket.WebSocketConstructor> =>
  Effect.gen(function* () {
    const { eventsUrl, inputKey, store } = yield* variables
    const events = yield* Effect.acquireRelease(PubSub.sliding<ActorEvent>(CAPACITY), PubSub.shutdown)
    const service: Service = {
      store: yield* Option.match(store, { onNone: () => otherwise, onSome: checkStore }),
      inputKey: Option.match(inputKey, { onNone: () => "INPUT", onSome: ({ value }) => value }),
      subscribe: PubSub.subscribe(events)
    }
    if (Option.isSome(eventsUrl)) {
      yield* Effect.forkScoped(listenTo(yield* checkEventsUrl(eventsUrl.value), events))
    }
    return service
  })

const checkStore = ({ name, value }: Found<string>): Effect.Effect<StoreRef, ConfigError.ConfigError> =>
  Effect.mapError(parseStoreRef(value), ({ message }) => ConfigError.InvalidData([name], message))

/** The URL itself is not shown. */
const checkEventsUrl = ({
  name,
  value
}: Found<Redacted.Redacted>): Effect.Effect<Redacted.Redacted, ConfigError.ConfigError> =>
  /^wss?:\/\//i.test(Redacted.value(value)) && URL.canParse(Redacted.value(value))
    ? Effect.succeed(value)
    : Effect.fail(ConfigError.InvalidData([name], "must be a URL with the protocol ws: or wss:"))

/**
 * Gets the input of the run: the record that `ACTOR_INPUT_KEY` names, by default `INPUT`. If there is no input, it fails with a
 * `RecordNotFoundError`. In the folder of a `FolderTransport`, its message names the missing file.
 *
 * @example
 * ```ts
 * import { getInput } from "@effect-apify/http/Actor"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * const Input = Schema.Struct({ urls: Schema.Array(Schema.String) })
 *
 * const input = getInput(Input).pipe(Effect.catchTag("RecordNotFoundError", () => Effect.succeed({ urls: [] })))
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const getInput = <A, I, R>(
  schema: Schema.Schema<A, I, R>,
  options?: ReadRecordOptions
): Effect.Effect<A, GetRecordError, Actor | ApifyClient | R> =>
  Effect.flatMap(Actor, ({ inputKey, store }) => getRecordValue(store, inputKey, schema, options))

/**
 * Sets the output of the run: the record `OUTPUT`, as JSON.
 *
 * @example
 * ```ts
 * import { setOutput } from "@effect-apify/http/Actor"
 * import * as Schema from "effect/Schema"
 *
 * const program = setOutput(Schema.Struct({ finishedAt: Schema.Date }), { finishedAt: new Date() })
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const setOutput = <A, I, R>(
  schema: Schema.Schema<A, I, R>,
  value: A,
  options?: PutRecordOptions
): Effect.Effect<void, PutRecordError, Actor | ApifyClient | R> =>
  Effect.flatMap(Actor, ({ store }) => putRecord(store, "OUTPUT", { schema, value }, options))

/**
 * The platform's events from the time when the stream is run. It ends with the layer of `Actor`. Outside the platform there are
 * no events.
 *
 * @example
 * ```ts
 * import { actorEvents } from "@effect-apify/http/Actor"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * // Done as soon as the run is about to be moved or stopped.
 * const isEnding = actorEvents.pipe(
 *   Stream.filter(({ name }) => name === "migrating" || name === "aborting"),
 *   Stream.runHead
 * )
 * const program = Effect.raceFirst(Effect.forever(Effect.sleep("1 second")), isEnding)
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const actorEvents: Stream.Stream<ActorEvent, never, Actor> = /* @__PURE__ */ Stream.unwrapScoped(
  /* @__PURE__ */ Effect.flatMap(Actor, ({ subscribe }) => Effect.map(subscribe, (events) => Stream.fromQueue(events)))
)

/**
 * Where state is kept, and how often it is saved. The limits are those of each call, where they differ from the usual ones, which
 * are those of small requests (`defaultLimits`), but for the `callTimeout` of a save: 10 seconds. At the end of a program, a save
 * may be under way, and the last one follows it: its end waits for twice that at most, where Apify gives a run that is aborted
 * gracefully 30 seconds. Where a program has less, as in a container that Docker stops, choose a smaller `callTimeout`.
 *
 * @since 0.1.0
 * @category options
 */
export interface PersistedStateOptions<A, I, R> extends CallOptions {
  /** The key of the record, in the run's own store. Two states with one key would overwrite each other. */
  readonly key: string
  readonly schema: Schema.Schema<A, I, R>
  /** The state if there is no record. */
  readonly initial: A
  /** The longest time without a save: greater than 0, and may be infinite. Default: 60 seconds. */
  readonly interval?: Duration.DurationInput | undefined
}

/**
 * What `persistedState` can fail with while it loads the state.
 *
 * @since 0.1.0
 * @category errors
 */
export type LoadStateError = Exclude<GetRecordError, { readonly _tag: "RecordNotFoundError" }>

/**
 * State that is kept in a record: a `SubscriptionRef`, with ways to save it.
 *
 * @since 0.1.0
 * @category models
 */
export interface PersistedState<A> extends SubscriptionRef.SubscriptionRef<A> {
  /**
   * Saves the state now, if it has changed. It waits for a save that is under way, and cannot be interrupted once it has begun.
   */
  readonly save: Effect.Effect<void, PutRecordError>
  /** Why the last save failed; `None` if it did not. */
  readonly lastFailure: Effect.Effect<Option.Option<PutRecordError>>
}

/**
 * State that survives the end of its program. It is loaded from a record of the run's own store, or begins as `initial`.
 *
 * It is saved if it has changed
 *
 * - when the platform says that the run migrates or is aborted, or that state is to be saved (`persistState`),
 * - when the interval has passed without such an event,
 * - when its scope ends: at the end of the program, and at a SIGTERM, at which `NodeRuntime.runMain` interrupts the program.
 *
 * Saves never overlap, and each saves the newest state.
 *
 * A save is retried like any call. If it still fails, the failure is logged as a warning and kept as `lastFailure`, and the
 * state is saved at the next of these times. If the last save, at the end of the scope, fails, the failure is logged as an error
 * and is a defect, so the program does not appear to have kept its state. To handle that failure, run `save` before the scope
 * ends. The scope must end before the client does.
 *
 * @example
 * ```ts
 * import { persistedState } from "@effect-apify/http/Actor"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as SubscriptionRef from "effect/SubscriptionRef"
 *
 * const program = Effect.gen(function* () {
 *   const page = yield* persistedState({ key: "PAGE", schema: Schema.Int, initial: 1 })
 *   while ((yield* page) <= 1_000) {
 *     yield* Effect.log(`Page ${yield* page}`)
 *     yield* SubscriptionRef.update(page, (page) => page + 1)
 *   }
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const persistedState = <A, I, R>(
  options: PersistedStateOptions<A, I, R>
): Effect.Effect<PersistedState<A>, LoadStateError, Actor | ApifyClient | Scope.Scope | R> =>
  Effect.gen(function* () {
    checkObject("options", options, "{ key: 'STATE', schema: Schema.Int, initial: 0 }")
    const { attemptTimeout = defaultLimits.attemptTimeout, maxBodyBytes, retry } = options
    const { initial, interval = "60 seconds", key, schema } = options
    checkSchema(schema)
    const wait = yield* checkInterval(interval)
    const limits = { attemptTimeout, maxBodyBytes, retry }
    const { callTimeout: loadTime = defaultLimits.callTimeout } = options
    const { callTimeout: saveTime = SAVE_TIME } = options
    const { store, subscribe } = yield* Actor
    const context = yield* Effect.context<ApifyClient | R>()
    const events = yield* subscribe
    const loaded = getRecordValue(store, key, schema, { ...limits, callTimeout: loadTime })
    const ref = yield* SubscriptionRef.make(
      yield* Effect.catchTag(loaded, "RecordNotFoundError", () => Effect.succeed(initial))
    )
    const encode = Schema.encode(Schema.parseJson(schema))
    const { lastFailure, save } = yield* makeSaving(
      ref,
      (value) => Effect.provide(Effect.option(encode(value)), context),
      (value) => Effect.provide(putRecord(store, key, { schema, value }, { ...limits, callTimeout: saveTime }), context)
    )
    const notSaved = `The state ${key} could not be saved`
    // Logged, because `runMain` prints no defect of a program that was interrupted.
    const lastSave = save.pipe(
      Effect.tapError(({ message }) => Effect.logError(`${notSaved}: ${message}`)),
      Effect.tapDefect((defect) => Effect.logError(notSaved, defect))
    )
    yield* Effect.addFinalizer(() => Effect.orDie(lastSave))
    const saveOrReport = save.pipe(
      Effect.catchAll(({ message }) => Effect.logWarning(`${notSaved} and will be retried: ${message}`)),
      // Such as of a schema that throws: without this it would be the last save before the scope's end.
      Effect.catchAllDefect((defect) => Effect.logWarning(`${notSaved} and will be retried`, Cause.die(defect)))
    )
    const moment = Effect.raceFirst(Effect.sleep(wait), nextSaveEvent(events))
    yield* Effect.forkScoped(Effect.forever(Effect.zipRight(moment, saveOrReport)))
    return Object.assign(ref, { save, lastFailure })
  })

/** At its end, a program may have 30 seconds for two saves and for everything else: docs/decisions/0021. */
const SAVE_TIME = Duration.seconds(10)

const checkInterval = (interval: Duration.DurationInput): Effect.Effect<Duration.Duration> =>
  Option.match(Option.filter(Duration.decodeUnknown(interval), Duration.greaterThan(Duration.zero)), {
    onNone: () => Effect.die(new Cause.IllegalArgumentException("interval must be a duration greater than 0")),
    onSome: Effect.succeed
  })
