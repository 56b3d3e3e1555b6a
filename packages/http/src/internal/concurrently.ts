/**
 * Runs an effect for each item of a source, several at a time, and streams the results in the order of the items or as
 * they are ready.
 *
 * Not by `Stream.mapEffect`, which makes a scope, a fiber and a chunk for each item: that costs more than the calls.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { checkWhole } from "./settings.js"

/** How many items to work on at once, where nobody says. */
export const CONCURRENCY = 16

/** How many items to work on at once, and in which order to give the results. */
interface ConcurrentOptions {
  readonly concurrency?: number | undefined
  readonly unordered?: boolean | undefined
}

/**
 * No more items are taken from the source than are worked on. If the source fails, what was taken from it is finished
 * first.
 */
export const mapConcurrently = <A, B, E = never, R = never, R2 = never>(
  items: Iterable<A> | Stream.Stream<A, E, R>,
  { concurrency = CONCURRENCY, unordered = false }: ConcurrentOptions,
  work: (item: A) => Effect.Effect<B, never, R2>
): Stream.Stream<B, E, R | R2> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      checkWhole("concurrency", concurrency, 1)
      const results = yield* Mailbox.make<B, E>(concurrency)
      const source = yield* makeSource(isStream(items) ? items : fromIterable(items, concurrency))
      const worker = Effect.gen(function* () {
        for (;;) {
          const next = yield* source.take
          if (Option.isNone(next)) return
          const { delivered, item, previousDelivered } = next.value
          const result = yield* work(item)
          if (!unordered) yield* Deferred.await(previousDelivered)
          yield* results.offer(result)
          Deferred.unsafeDone(delivered, Effect.void)
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

/** Unlike `Stream.fromIterable`, it takes few items ahead, and closes a generator that is not run to its end. */
const fromIterable = <A>(items: Iterable<A>, ahead: number): Stream.Stream<A> =>
  Stream.unwrapScoped(
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => items[Symbol.iterator]()),
        (iterator) => Effect.sync(() => iterator.return?.())
      ),
      (iterator) => Stream.fromIteratorSucceed(asIterable(iterator), ahead)
    )
  )

/** Not a generator, which would close the iterator as well, and sooner. */
const asIterable = <A>(iterator: Iterator<A>): IterableIterator<A> => {
  const iterable: IterableIterator<A> = { next: () => iterator.next(), [Symbol.iterator]: () => iterable }
  return iterable
}

interface Taken<A> {
  readonly item: A
  /** Done once the result of the item before was delivered. */
  readonly previousDelivered: Deferred.Deferred<void>
  readonly delivered: Deferred.Deferred<void>
}

interface Source<A, E, R> {
  /** The next item, for whichever worker asks first; `None` at the end. */
  readonly take: Effect.Effect<Option.Option<Taken<A>>, never, R>
  /** What the source ended with. */
  readonly end: Effect.Effect<void, E>
}

const makeSource = <A, E, R>(stream: Stream.Stream<A, E, R>): Effect.Effect<Source<A, E, R>, never, R | Scope.Scope> =>
  Effect.map(Stream.toPull(stream), (pull) => {
    const pulling = Effect.unsafeMakeSemaphore(1)
    let end: Option.Option<Exit.Exit<void, E>> = Option.none()
    let pulled: Iterator<A> = [][Symbol.iterator]()
    let lastDelivered = Deferred.unsafeMake<void>(FiberId.none)
    Deferred.unsafeDone(lastDelivered, Effect.void)

    const takePulled = (): Option.Option<Taken<A>> => {
      const next = pulled.next()
      if (next.done === true) return Option.none()
      const delivered = Deferred.unsafeMake<void>(FiberId.none)
      const taken = { item: next.value, previousDelivered: lastDelivered, delivered }
      lastDelivered = delivered
      return Option.some(taken)
    }

    const pullMore: Effect.Effect<Option.Option<Taken<A>>, never, R> = Effect.suspend(() => {
      const taken = takePulled()
      if (Option.isSome(taken) || Option.isSome(end)) return Effect.succeed(taken)
      return Effect.matchEffect(pull, {
        onFailure: (failure) => {
          end = Option.some(Option.match(failure, { onNone: () => Exit.void, onSome: Exit.fail }))
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
        return Option.isSome(taken) ? Effect.succeed(taken) : pulling.withPermits(1)(pullMore)
      }),
      end: Effect.suspend(() => Option.getOrElse(end, () => Exit.void))
    }
  })

/** Throws, which is a defect of the stream, if a caller without types gave what has no items. */
export const checkItems = (name: string, value: unknown): void => {
  if (isStream(value) || Predicate.isIterable(value)) return
  throw new Cause.IllegalArgumentException(`${name} must be an Iterable or a Stream`)
}

/** Whether a value is a stream. */
export const isStream = (value: unknown): value is Stream.Stream<unknown, unknown, unknown> =>
  Predicate.hasProperty(value, Stream.StreamTypeId)
