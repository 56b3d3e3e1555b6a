/**
 * State that is kept in a record: when it is loaded and saved, and what if it cannot be.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/TestClock"
import { persistedState } from "../src/Actor.js"
import { layerRespond } from "../src/testing.js"
import { inSimulatedTime, othersSettle } from "./simulatedTime.js"
import { StateServer } from "./stateServer.js"

const State = Schema.Struct({ done: Schema.Int })
const initial = { done: 0 }
const options = { key: "STATE", schema: State, initial }

const textOf = (done: number): string => `{"done":${done}}`

/** State in a scope of its own, which the test may end. The client lives longer. */
const started = (server: StateServer, interval?: Duration.DurationInput, callTimeout?: Duration.DurationInput) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(server.layer)
    const scope = yield* Scope.make()
    const state = yield* persistedState({ ...options, interval, callTimeout }).pipe(
      Scope.extend(scope),
      Effect.provide(context)
    )
    return {
      state,
      set: (done: number) => SubscriptionRef.set(state, { done }),
      /** What became of the scope: at once, or when a save is done. */
      end: Effect.exit(Scope.close(scope, Exit.void))
    }
  })

/** Saves go through an `HttpClient`, and what it does is done in a few rounds of the event loop. */
const passes = (time: Duration.DurationInput) => Effect.zipRight(TestClock.adjust(time), othersSettle)

describe("state that is loaded", () => {
  it.scoped("is the initial one where there is no record", () =>
    Effect.gen(function* () {
      const server = new StateServer()
      const { state } = yield* started(server)
      assert.deepStrictEqual(yield* state, initial)
    })
  )

  it.scoped("is what the record holds", () =>
    Effect.gen(function* () {
      const server = new StateServer()
      server.record = '{ "done": 7 }'
      const { end, state } = yield* started(server)
      assert.deepStrictEqual(yield* state, { done: 7 })
      yield* end
      assert.deepStrictEqual(server.puts, [])
    })
  )

  it.effect.each<readonly [record: string, kind: string]>([
    ["{", "Json"],
    ["", "Json"],
    ['{"done":"7"}', "Shape"]
  ])("from the record %j is an error, and the record stays", ([record, kind]) =>
    Effect.gen(function* () {
      const server = new StateServer()
      server.record = record
      const error = yield* Effect.flip(Effect.provide(Effect.scoped(persistedState(options)), server.layer))
      assert.strictEqual(error._tag === "MalformedRecordError" ? error.kind : error._tag, kind)
      assert.deepStrictEqual([server.record, server.puts], [record, []])
    })
  )

  it.effect("from a server that is silent is an error within a minute", () =>
    Effect.gen(function* () {
      const client = layerRespond(() => Effect.never, { retry: { retries: 100, baseDelay: "5 seconds" } })
      const layer = Layer.merge(new StateServer().layer, client)
      const load = Effect.timed(Effect.flip(Effect.provide(Effect.scoped(persistedState(options)), layer)))
      const [took, error] = (yield* inSimulatedTime(load)).value
      assert.strictEqual(error._tag, "TimeoutError")
      assert.isAtMost(Duration.toSeconds(took), 60)
    })
  )

  it.effect("for a key that is none is an error", () =>
    Effect.gen(function* () {
      const server = new StateServer()
      const error = yield* persistedState({ ...options, key: "a/b" }).pipe(
        Effect.scoped,
        Effect.flip,
        Effect.provide(server.layer)
      )
      assert.strictEqual(error._tag, "InvalidRecordKeyError")
    })
  )
})

describe("state that has changed", () => {
  it.scoped("is saved every 60 seconds, and not where it is the same", () =>
    Effect.gen(function* () {
      const server = new StateServer()
      const { set } = yield* started(server)
      yield* passes("10 minutes")
      assert.deepStrictEqual(server.puts, [])
      yield* set(1)
      yield* passes("59 seconds")
      assert.deepStrictEqual(server.puts, [])
      yield* passes("1 second")
      assert.deepStrictEqual(server.puts, [textOf(1)])
      yield* set(2)
      yield* set(1)
      yield* passes("10 minutes")
      assert.deepStrictEqual(server.puts, [textOf(1)])
    })
  )

  it.scoped("is saved as often as its interval says", () =>
    Effect.gen(function* () {
      const server = new StateServer()
      const { set } = yield* started(server, "1 second")
      for (const done of [1, 2]) {
        yield* set(done)
        yield* passes("1 second")
      }
      assert.deepStrictEqual(server.puts, [textOf(1), textOf(2)])
    })
  )

  it.scoped("is not saved before its scope ends where the interval is infinite", () =>
    Effect.gen(function* () {
      const server = new StateServer()
      const { end, set } = yield* started(server, Duration.infinity)
      yield* set(1)
      yield* passes("365 days")
      assert.deepStrictEqual(server.puts, [])
      yield* end
      assert.deepStrictEqual(server.puts, [textOf(1)])
    })
  )

  it.scoped.each([0, -1, Number.NaN])("cannot be saved every %d ms", (interval) =>
    Effect.gen(function* () {
      const server = new StateServer()
      const exit = yield* Effect.exit(started(server, interval))
      assert.isTrue(Exit.isFailure(exit) && Cause.isDieType(exit.cause))
    })
  )

  it.scoped.each(["migrating", "aborting", "persistState"])("is saved on %s", (name) =>
    Effect.gen(function* () {
      const server = new StateServer()
      const { set } = yield* started(server)
      yield* set(1)
      yield* server.tell(name)
      yield* othersSettle
      assert.deepStrictEqual(server.puts, [textOf(1)])
    })
  )

  it.scoped("is not saved on other events", () =>
    Effect.gen(function* () {
      const server = new StateServer()
      const { set } = yield* started(server)
      yield* set(1)
      yield* server.tell("systemInfo")
      yield* server.tell("cpuInfo")
      yield* othersSettle
      assert.deepStrictEqual(server.puts, [])
    })
  )

  it.scoped("is saved when its scope ends", () =>
    Effect.gen(function* () {
      const server = new StateServer()
      const { end, set } = yield* started(server)
      yield* set(1)
      assert.isTrue(Exit.isSuccess(yield* end))
      assert.deepStrictEqual(server.puts, [textOf(1)])
    })
  )

  it.scoped("is saved by whoever asks for it", () =>
    Effect.gen(function* () {
      const server = new StateServer()
      const { end, set, state } = yield* started(server)
      yield* set(1)
      yield* state.save
      yield* state.save
      yield* end
      assert.deepStrictEqual(server.puts, [textOf(1)])
    })
  )

  it.effect("in place is saved too", () =>
    Effect.gen(function* () {
      const server = new StateServer()
      const seen = new Set<string>()
      const schema = Schema.SetFromSelf(Schema.String).pipe((set) =>
        Schema.transform(Schema.Array(Schema.String), set, {
          decode: (items) => new Set(items),
          encode: (items) => [...items]
        })
      )
      yield* persistedState({ key: "SEEN", schema, initial: seen }).pipe(
        Effect.tap(() => Effect.sync(() => seen.add("a"))),
        Effect.scoped,
        Effect.provide(server.layer)
      )
      assert.deepStrictEqual(server.puts, ['["a"]'])
    })
  )
})

describe("a save", () => {
  it.scoped("that fails is reported, and tried again at the next moment, with the newest state", () =>
    Effect.gen(function* () {
      const server = new StateServer()
      const { set, state } = yield* started(server)
      assert.isTrue(Option.isNone(yield* state.lastFailure))
      server.onPut = "refuse"
      yield* set(1)
      yield* passes("60 seconds")
      const failure = yield* state.lastFailure
      assert.deepStrictEqual(
        Option.map(failure, ({ _tag }) => _tag),
        Option.some("ForbiddenError")
      )
      server.onPut = "store"
      yield* set(2)
      yield* passes("60 seconds")
      assert.deepStrictEqual(server.puts, [textOf(1), textOf(2)])
      assert.isTrue(Option.isNone(yield* state.lastFailure))
    })
  )

  it.scoped("that fails is logged with its reason", () =>
    Effect.gen(function* () {
      const logged: Array<string> = []
      const log = Logger.make(({ logLevel, message }) => logged.push(`${logLevel.label} ${message}`))
      yield* Effect.gen(function* () {
        const server = new StateServer()
        const { set } = yield* started(server)
        server.onPut = "refuse"
        yield* set(1)
        yield* passes("60 seconds")
      }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, log)))
      assert.lengthOf(logged, 1)
      assert.match(logged[0] ?? "", /^WARN The state STATE could not be saved and will be retried: .*As planned/)
    })
  )

  it.scoped("that fails is an error for whoever asked for it", () =>
    Effect.gen(function* () {
      const server = new StateServer()
      const { set, state } = yield* started(server)
      server.onPut = "refuse"
      yield* set(1)
      assert.strictEqual((yield* Effect.flip(state.save))._tag, "ForbiddenError")
    })
  )

  it.scoped("that fails at the scope's end is a defect", () =>
    Effect.gen(function* () {
      const server = new StateServer()
      const { end, set } = yield* started(server)
      server.onPut = "refuse"
      yield* set(1)
      const exit = yield* end
      assert.match(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", /ForbiddenError/)
      assert.isTrue(Exit.isFailure(exit) && Cause.isDieType(exit.cause))
    })
  )

  // What an interrupted program fails with is shown by nobody: `runMain` ends with 1, and says nothing.
  it.scoped("that fails at the end of an interrupted program is logged", () =>
    Effect.gen(function* () {
      const logged: Array<string> = []
      const log = Logger.make(({ logLevel, message }) => logged.push(`${logLevel.label} ${message}`))
      const server = new StateServer()
      server.onPut = "refuse"
      const fiber = yield* Effect.fork(
        persistedState(options).pipe(
          Effect.tap((state) => SubscriptionRef.set(state, { done: 1 })),
          Effect.zipRight(Effect.never),
          Effect.scoped,
          Effect.provide(server.layer),
          Effect.provide(Logger.replace(Logger.defaultLogger, log))
        )
      )
      yield* othersSettle
      const exit = yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
      assert.lengthOf(logged, 1)
      assert.match(logged[0] ?? "", /^ERROR The state STATE could not be saved: .*As planned/)
    })
  )

  it.scoped.each<readonly [limit: string, callTimeout: Duration.DurationInput | undefined, seconds: number]>([
    ["10 seconds", undefined, 10],
    ["as long as its callTimeout says", "3 seconds", 3]
  ])("at the scope's end is given up after %s, where the server is gone", ([_, callTimeout, seconds]) =>
    Effect.gen(function* () {
      const logged: Array<string> = []
      const log = Logger.make(({ logLevel, message }) => logged.push(`${logLevel.label} ${message}`))
      const server = new StateServer()
      const { end, set } = yield* started(server, undefined, callTimeout).pipe(
        Effect.provide(Logger.replace(Logger.defaultLogger, log))
      )
      server.onPut = Duration.infinity
      yield* set(1)
      const ended = yield* Effect.fork(end)
      yield* passes(Duration.seconds(seconds - 0.001))
      assert.isTrue(Option.isNone(yield* Fiber.poll(ended)))
      yield* passes("1 millis")
      assert.isTrue(Exit.isFailure(yield* Fiber.join(ended)))
      assert.match(logged.join(), new RegExp(`^ERROR The state STATE could not be saved: .* within ${seconds}s`))
    })
  )

  it.scoped("at the scope's end waits no longer than 10 seconds for one that is under way", () =>
    Effect.gen(function* () {
      const server = new StateServer()
      const { end, set } = yield* started(server)
      server.onPut = Duration.infinity
      yield* set(1)
      yield* server.tell("aborting")
      yield* othersSettle
      const ended = yield* Effect.fork(end)
      yield* passes("10 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.poll(ended)))
      yield* passes("10 seconds")
      assert.isTrue(Exit.isFailure(yield* Fiber.join(ended)))
    })
  )

  it.scoped("of what its schema does not allow is an error, and nothing is sent", () =>
    Effect.gen(function* () {
      const server = new StateServer()
      const { set, state } = yield* started(server)
      yield* set(0.5)
      const error = yield* Effect.flip(state.save)
      assert.strictEqual(error._tag, "MalformedRecordError")
      assert.deepStrictEqual(server.puts, [])
      yield* set(0)
    })
  )

  it.scoped("whose schema throws is logged, and tried again at the next moment", () =>
    Effect.gen(function* () {
      const logged: Array<string> = []
      const log = Logger.make(({ cause, logLevel, message }) =>
        logged.push(`${logLevel.label} ${message} ${Cause.pretty(cause)}`)
      )
      const schema = Schema.transform(Schema.Number, Schema.Number, {
        decode: (count) => count,
        encode: (count) => {
          if (count === 13) throw new Error("a bug")
          return count
        }
      })
      const server = new StateServer()
      yield* Effect.gen(function* () {
        const state = yield* persistedState({ key: "COUNT", schema, initial: 0 })
        yield* SubscriptionRef.set(state, 13)
        yield* passes("60 seconds")
        yield* SubscriptionRef.set(state, 14)
        yield* passes("60 seconds")
        assert.deepStrictEqual(server.puts, ["14"])
        yield* SubscriptionRef.set(state, 15)
        yield* server.tell("migrating")
        yield* othersSettle
        assert.deepStrictEqual(server.puts, ["14", "15"])
        yield* SubscriptionRef.set(state, 13)
      }).pipe(
        Effect.scoped,
        Effect.provide(server.layer),
        Effect.provide(Logger.replace(Logger.defaultLogger, log)),
        Effect.exit
      )
      assert.lengthOf(logged, 2)
      assert.match(logged[0] ?? "", /^WARN The state COUNT could not be saved and will be retried.*a bug/s)
      assert.match(logged[1] ?? "", /^ERROR The state COUNT could not be saved .*a bug/s)
    })
  )

  it.scoped("waits for one that is under way, and saves what is newer than it", () =>
    Effect.gen(function* () {
      const server = new StateServer()
      const { set, state } = yield* started(server)
      server.onPut = Duration.seconds(2)
      yield* set(1)
      const first = yield* Effect.fork(state.save)
      yield* othersSettle
      yield* set(2)
      yield* server.tell("migrating")
      const second = yield* Effect.fork(state.save)
      yield* passes("2 seconds")
      assert.deepStrictEqual(server.puts, [textOf(1), textOf(2)])
      yield* passes("2 seconds")
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      assert.deepStrictEqual([server.puts.length, server.mostPuts, server.record], [2, 1, textOf(2)])
    })
  )

  it.scoped("that is under way when the scope ends is finished first", () =>
    Effect.gen(function* () {
      const server = new StateServer()
      const { end, set } = yield* started(server)
      server.onPut = Duration.seconds(2)
      yield* set(1)
      yield* server.tell("persistState")
      yield* othersSettle
      yield* set(2)
      const ended = yield* Effect.fork(end)
      yield* passes("1999 millis")
      assert.deepStrictEqual(server.puts, [textOf(1)])
      yield* passes("1 millis")
      yield* passes("2 seconds")
      assert.isTrue(Exit.isSuccess(yield* Fiber.join(ended)))
      assert.deepStrictEqual([server.puts, server.mostPuts], [[textOf(1), textOf(2)], 1])
    })
  )

  it.scoped("whose response does not come is ended after 5 seconds, and sent again", () =>
    Effect.gen(function* () {
      const server = new StateServer()
      const { set, state } = yield* started(server)
      server.onPut = Duration.infinity
      yield* set(1)
      const saving = yield* Effect.fork(state.save)
      yield* passes("4 seconds")
      server.onPut = "store"
      yield* passes("1 second")
      yield* passes("1 second")
      yield* Fiber.join(saving)
      assert.deepStrictEqual(server.puts, [textOf(1), textOf(1)])
    })
  )
})

type Step =
  | { readonly set: number }
  | { readonly wait: number }
  | { readonly event: string }
  | { readonly puts: OnPuts }
type OnPuts = "store" | "refuse" | number

const steps = fc.array(
  fc.oneof(
    fc.record({ set: fc.nat({ max: 3 }) }),
    fc.record({ wait: fc.nat({ max: 70 }) }),
    fc.record({ event: fc.constantFrom("migrating", "aborting", "persistState", "systemInfo") }),
    fc.record({ puts: fc.oneof(fc.constantFrom("store" as const, "refuse" as const), fc.nat({ max: 3 })) })
  ),
  { maxLength: 20 }
)

it.effect.prop(
  "whatever happens, saves never overlap, none repeats what is saved, and the last one has the last state",
  [fc.array(steps, { minLength: 1, maxLength: 3 })],
  ([runs]) =>
    Effect.gen(function* () {
      const server = new StateServer()
      let last = initial.done
      for (const steps of runs) {
        const { end, set, state } = yield* started(server)
        assert.deepStrictEqual(yield* state, { done: last })
        for (const step of steps) yield* perform(server, set, step)
        last = (yield* state).done
        server.onPut = "store"
        const ended = yield* Effect.fork(end)
        yield* passes("1 minute")
        assert.isTrue(Exit.isSuccess(yield* Fiber.join(ended)))
        if (last !== initial.done || server.record !== undefined) assert.strictEqual(server.record, textOf(last))
        assert.isAtMost(server.mostPuts, 1)
        assert.strictEqual(server.repetitions, 0)
      }
    }).pipe(Effect.scoped)
)

const perform = (server: StateServer, set: (done: number) => Effect.Effect<void>, step: Step) =>
  Effect.suspend(() => {
    if ("set" in step) return set(step.set)
    if ("wait" in step) return passes(Duration.seconds(step.wait))
    if ("event" in step) return Effect.zipRight(server.tell(step.event), othersSettle)
    server.onPut = typeof step.puts === "number" ? Duration.seconds(step.puts) : step.puts
    return Effect.void
  })
