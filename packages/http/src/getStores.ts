/**
 * Get store for many stores at once.
 *
 * @since 0.1.0
 */
import type { GetStoreError } from "@effect-apify/domain/GetStoreError"
import type { Store } from "@effect-apify/domain/Store"
import { formatStoreRef, parseStoreRef, type StoreRef } from "@effect-apify/domain/StoreRef"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ApifyClient } from "./ApifyClient.js"
import type { CallOptions } from "./CallOptions.js"
import { getStoreSpaced } from "./getStore.js"

/**
 * What came of asking for one store.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoreResult {
  /** The reference as it was given. */
  readonly ref: StoreRef | string
  readonly result: Either.Either<Store, GetStoreError>
}

/**
 * How to ask for many stores; the limits are those of each call.
 *
 * @since 0.1.0
 * @category options
 */
export interface GetStoresOptions extends CallOptions {
  /** How many references are at work at once, at the most, a whole number from 1 on. 16 unless told. */
  readonly concurrency?: number | undefined
  /** Whether results come as the answers do. In the order of the references unless told. */
  readonly unordered?: boolean | undefined
}

/** Two references to one store have the same key: names are compared without case, ids with it. */
const keyOf = (ref: StoreRef): string => (ref._tag === "StoreById" ? ref.id : formatStoreRef(ref).toLowerCase())

/**
 * Gets many stores, each of them or its error. References are taken as there is room for them, `concurrency` at a time.
 *
 * References that name the same store while it is being asked for share one request, and its error if that is what it comes
 * to. Requests for one store, retries included, go out no more often than 60 times a second, which is what Apify allows, over
 * all such streams of a client. A store is known by its reference: by its id and by its name it is two.
 *
 * Where a stream of references fails, what was taken from it is finished first. A concurrency that is none is a defect.
 *
 * @example
 * ```ts
 * import { getStores } from "@effect-apify/http"
 * import * as Console from "effect/Console"
 * import * as Either from "effect/Either"
 * import * as Stream from "effect/Stream"
 *
 * const program = getStores(["~one", "~two", "~three"], { concurrency: 2 }).pipe(
 *   Stream.runForEach(({ ref, result }) =>
 *     Either.match(result, {
 *       onLeft: (error) => Console.error(error.message),
 *       onRight: (store) => Console.log(ref, store.id)
 *     })
 *   )
 * )
 * ```
 *
 * @since 0.1.0
 * @category operations
 */
export const getStores = <E = never, R = never>(
  refs: Iterable<StoreRef | string> | Stream.Stream<StoreRef | string, E, R>,
  { concurrency = 16, unordered = false, ...options }: GetStoresOptions = {}
): Stream.Stream<StoreResult, E, ApifyClient | R> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
        return yield* Effect.die(new Cause.IllegalArgumentException("concurrency must be a whole number from 1 on"))
      }
      const results = yield* Mailbox.make<StoreResult, E>(concurrency)
      const source = yield* makeSource(isStream(refs) ? refs : Stream.fromIteratorSucceed(each(refs), concurrency))
      const ask = makeAsk(options)
      // Not `Stream.mapEffect`, which makes a scope, a fiber and a chunk for each element: it costs more than the calls.
      const worker = Effect.gen(function* () {
        for (;;) {
          const next = yield* source.take
          if (Option.isNone(next)) return
          const { before, ref, turn } = next.value
          const result = yield* Effect.either(
            Effect.flatMap(Predicate.isString(ref) ? parseStoreRef(ref) : Either.right(ref), ask)
          )
          if (!unordered) yield* Deferred.await(before)
          yield* results.offer({ ref, result })
          Deferred.unsafeDone(turn, Effect.void)
        }
      })
      const workers = Effect.all(
        Arr.makeBy(concurrency, () => worker),
        { concurrency: "unbounded", discard: true }
      )
      yield* Effect.forkScoped(Mailbox.into(Effect.zipRight(workers, source.end), results))
      return Mailbox.toStream(results)
    })
  )

const isStream = <A, E, R>(refs: Iterable<A> | Stream.Stream<A, E, R>): refs is Stream.Stream<A, E, R> =>
  Predicate.hasProperty(refs, Stream.StreamTypeId)

/**
 * For a stream that takes as many ahead as it is told: `Stream.fromIterable` takes thousands. A lone string is a reference, though
 * its characters could be iterated.
 */
function* each(refs: Iterable<StoreRef | string>): Generator<StoreRef | string> {
  if (Predicate.isString(refs)) yield refs
  else yield* refs
}

/** A reference, and its turn among the others: done once its result was given, which waits for the turn before. */
interface Taken {
  readonly ref: StoreRef | string
  readonly before: Deferred.Deferred<void>
  readonly turn: Deferred.Deferred<void>
}

interface Source<E, R> {
  /** The next reference, for whoever asks first; none once they are over. */
  readonly take: Effect.Effect<Option.Option<Taken>, never, R>
  /** What the references ended in. */
  readonly end: Effect.Effect<void, E>
}

const makeSource = <E, R>(
  refs: Stream.Stream<StoreRef | string, E, R>
): Effect.Effect<Source<E, R>, never, R | Scope.Scope> =>
  Effect.map(Stream.toPull(refs), (pull) => {
    const line = Effect.unsafeMakeSemaphore(1)
    let end: Option.Option<Exit.Exit<void, E>> = Option.none()
    let pulled: Iterator<StoreRef | string> = each([])
    let before = Deferred.unsafeMake<void>(FiberId.none)
    Deferred.unsafeDone(before, Effect.void)

    const takePulled = (): Option.Option<Taken> => {
      const next = pulled.next()
      if (next.done === true) return Option.none()
      const taken = { ref: next.value, before, turn: Deferred.unsafeMake<void>(FiberId.none) }
      before = taken.turn
      return Option.some(taken)
    }

    const pullMore: Effect.Effect<Option.Option<Taken>, never, R> = Effect.suspend(() => {
      const taken = takePulled()
      if (Option.isSome(taken) || Option.isSome(end)) return Effect.succeed(taken)
      return Effect.matchEffect(pull, {
        onFailure: (cause) => {
          end = Option.some(Option.match(cause, { onNone: () => Exit.void, onSome: Exit.fail }))
          return Effect.succeedNone
        },
        onSuccess: (chunk) => {
          pulled = chunk[Symbol.iterator]()
          return pullMore
        }
      })
    })

    return {
      take: Effect.suspend(() => {
        const taken = takePulled()
        return Option.isSome(taken) ? Effect.succeed(taken) : line.withPermits(1)(pullMore)
      }),
      end: Effect.suspend(() => Option.getOrElse(end, () => Exit.void))
    }
  })

/** Asks for stores, once for those who ask for one at the same time. */
const makeAsk = (options: CallOptions) => {
  const inFlight = new Map<string, Deferred.Deferred<Store, GetStoreError>>()

  return (ref: StoreRef): Effect.Effect<Store, GetStoreError, ApifyClient> =>
    Effect.suspend(() => {
      const key = keyOf(ref)
      const asked = inFlight.get(key)
      if (asked !== undefined) return Deferred.await(asked)
      const answer = Deferred.unsafeMake<Store, GetStoreError>(FiberId.none)
      inFlight.set(key, answer)
      return Effect.onExit(getStoreSpaced(ref, options), (exit) => {
        inFlight.delete(key)
        return Deferred.done(answer, exit)
      })
    })
}
