/**
 * Calls that a client should do on every runtime. They are bundled as one file, which is the same for all of them.
 */
import {
  ApifyClient,
  deleteRecord,
  downloadRecords,
  FetchTransport,
  getOrCreateStore,
  getRecord,
  getRecordValue,
  getStore,
  headRecord,
  isApifyError,
  listKeys,
  listRecords,
  publicUrls,
  putRecord,
  type StoreRef,
  storeById,
  streamRecord,
  updateStore
} from "@effect-apify/http"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import type { ConfigError } from "effect/ConfigError"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

/** Where the servers are. */
export interface Servers {
  /** The emulator, with a token of its demo. */
  readonly emulator: string
  readonly token: string
  /** The server of `faulty.ts`. */
  readonly faulty: string
}

/** What became of a call: `yes`, or what went wrong. */
export interface Outcome {
  readonly call: string
  readonly outcome: string
}

const Output = Schema.Struct({ pages: Schema.Int, finishedAt: Schema.DateTimeUtc })

const CHUNK_BYTES = 64 * 1024
const CHUNKS = 80

const output = Output.make({ pages: 3, finishedAt: DateTime.unsafeMake("2026-01-01T12:00:00Z") })

const text = "Žluťoučký kůň 🐎"

class Unexpected extends Schema.TaggedError<Unexpected>()("Unexpected", { found: Schema.String }) {}

const expect = (found: unknown, expected: unknown): Effect.Effect<void, Unexpected> =>
  Equal.equals(found, expected) ? Effect.void : new Unexpected({ found: String(found) })

const ofChunks = Stream.repeatValue(new Uint8Array(CHUNK_BYTES).fill(7)).pipe(Stream.take(CHUNKS))

const sizeOf = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>) =>
  Stream.runFold(bytes, 0, (size, chunk) => size + chunk.length)

/** The tag of a call's error, with the reason of a `TransportError`. */
const tagOf = <A, E extends { readonly _tag: string }, R>(
  call: Effect.Effect<A, E, R>
): Effect.Effect<string, never, R> => Effect.match(call, { onSuccess: () => "no error", onFailure: ({ _tag }) => _tag })

type Client = Layer.Layer<ApifyClient.ApifyClient, ConfigError>

const clientOf = (options: ApifyClient.Options): Client =>
  Layer.provide(ApifyClient.layer({ retry: { baseDelay: "10 millis" }, ...options }), FetchTransport.layer)

const callsOfRecords = (ref: StoreRef, anonymous: Client) => ({
  "put and get text": Effect.gen(function* () {
    yield* putRecord(ref, "text.txt", text)
    const record = yield* getRecord(ref, "text.txt")
    yield* expect(yield* record.text, text)
    yield* expect(Option.getOrNull(record.contentType), "text/plain; charset=utf-8")
  }),
  "put and get a value by a schema": Effect.gen(function* () {
    yield* putRecord(ref, "OUTPUT", { schema: Output, value: output })
    const found = yield* getRecordValue(ref, "OUTPUT", Output)
    yield* expect(DateTime.formatIso(found.finishedAt), DateTime.formatIso(output.finishedAt))
  }),
  "put bytes, compressed": putRecord(ref, "zeros", new Uint8Array(100_000), { gzip: true }).pipe(
    Effect.zipRight(getRecord(ref, "zeros")),
    Effect.flatMap(({ bytes }) => expect(bytes.length, 100_000))
  ),
  "put a stream of 5 MiB": putRecord(ref, "streamed", ofChunks),
  "stream a record of 5 MiB": Effect.gen(function* () {
    yield* putRecord(ref, "large", new Uint8Array(CHUNK_BYTES * CHUNKS))
    const { bytes } = yield* streamRecord(ref, "large")
    yield* expect(yield* sizeOf(bytes), CHUNK_BYTES * CHUNKS)
  }).pipe(Effect.scoped),
  "head a record": Effect.flatMap(headRecord(ref, "text.txt"), (head) => expect(Option.isSome(head), true)),
  "list keys, page by page": Effect.gen(function* () {
    yield* Effect.forEach(["page-1", "page-2", "page-3"], (key) => putRecord(ref, key, key))
    const keys = yield* Stream.runCollect(listKeys(ref, { prefix: "page-", pageSize: 1 }))
    yield* expect(Chunk.map(keys, ({ key }) => key).pipe(Chunk.join(" ")), "page-1 page-2 page-3")
  }),
  "read many records": Effect.flatMap(Stream.runCount(listRecords(ref, { prefix: "page-" })), (count) =>
    expect(count, 3)
  ),
  "download all as a zip archive": Effect.flatMap(sizeOf(downloadRecords(ref)), (size) => expect(size > 0, true)),
  "delete a record": Effect.gen(function* () {
    yield* deleteRecord(ref, "page-1")
    yield* expect(yield* tagOf(getRecord(ref, "page-1")), "RecordNotFoundError")
  }),
  "read a public record without a token": Effect.gen(function* () {
    yield* updateStore(ref, { generalAccess: "ANYONE_WITH_NAME_CAN_READ" })
    const found = yield* Effect.provide(getRecordValue(ref, "OUTPUT", Output), anonymous)
    yield* expect(found.pages, output.pages)
  }),
  "open a signed link without a token": Effect.gen(function* () {
    const { url } = yield* (yield* publicUrls(yield* getStore(ref))).record("text.txt")
    const found = yield* Effect.promise(() => fetch(Redacted.value(url.href)).then((response) => response.text()))
    yield* expect(found, text)
  })
})

/** Waits until so many requests are open at the server that does not respond. */
const untilOpen = (faulty: string, count: number) =>
  Effect.promise(() => fetch(`${faulty}/open`).then((response) => response.text())).pipe(
    Effect.repeat({ until: (open) => open === String(count), schedule: Schedule.spaced("20 millis") }),
    Effect.timeoutFail({
      duration: "5 seconds",
      onTimeout: () => new Unexpected({ found: `not ${count} requests open` })
    })
  )

const callsOfFaults = (faulty: string) => ({
  "end by a timeout, and close the connection": Effect.gen(function* () {
    yield* expect(
      yield* tagOf(getStore("janedoe~hang", { attemptTimeout: "200 millis", retry: { retries: 0 } })),
      "TimeoutError"
    )
    yield* untilOpen(faulty, 0)
  }),
  "be interrupted, and close the connection": Effect.gen(function* () {
    const call = yield* Effect.fork(getStore("janedoe~hang"))
    yield* untilOpen(faulty, 1)
    yield* Fiber.interrupt(call)
    yield* untilOpen(faulty, 0)
  }),
  "retry after a 503": getStore("janedoe~busy"),
  "refuse a body that is cut off": Effect.flatMap(tagOf(getStore("janedoe~cut", { retry: { retries: 0 } })), (tag) =>
    expect(tag, "TransportError")
  )
})

const outcomeOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "yes"
  const error = Cause.squash(exit.cause)
  if (error instanceof Unexpected) return `found ${error.found}`
  return isApifyError(error) ? error.message : String(error)
}

const play = <R>(calls: Readonly<Record<string, Effect.Effect<unknown, unknown, R>>>) =>
  Effect.forEach(Object.entries(calls), ([call, effect]) =>
    Effect.map(
      Effect.exit(Effect.timeout(effect, "20 seconds")),
      (exit): Outcome => ({ call, outcome: outcomeOf(exit) })
    )
  )

/** Does all calls, one after the other. It leaves a public store of this name, with an output of 3 pages. */
export const playAll = ({ emulator, faulty, token }: Servers, name: string): Promise<ReadonlyArray<Outcome>> =>
  Effect.gen(function* () {
    const { store } = yield* getOrCreateStore({ name })
    const anonymous = clientOf({ baseUrl: emulator })
    const stores = {
      "create a store, and find it": Effect.flatMap(getOrCreateStore({ name }), ({ isNew }) => expect(isNew, false)),
      "get a store": Effect.flatMap(getStore(storeById(store.id)), ({ id }) => expect(id, store.id)),
      "be refused without a token": Effect.flatMap(
        tagOf(Effect.provide(getStore(storeById(store.id)), anonymous)),
        (tag) => expect(tag, "ForbiddenError")
      )
    }
    const records = yield* play({ ...stores, ...callsOfRecords(storeById(store.id), anonymous) })
    const faults = yield* Effect.provide(play(callsOfFaults(faulty)), clientOf({ baseUrl: faulty }))
    return [...records, ...faults]
  }).pipe(Effect.provide(clientOf({ baseUrl: emulator, token: Redacted.make(token) })), Effect.runPromise)
