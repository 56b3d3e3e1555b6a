/**
 * Versions of a record: readers of an old one, uploads that are broken off, writers at once, and what the database keeps.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import * as Http from "node:http"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Supervisor from "effect/Supervisor"
import { vi } from "vitest"
import { databaseLayer } from "../src/Database.js"
import { Emulator } from "../src/index.js"
import { ClientLimits } from "../src/internal/ClientLimits.js"
import { yieldToEventLoop } from "../src/internal/eventLoop.js"
import { LockTimeout } from "../src/internal/LockTimeout.js"
import { CHUNK_BYTES } from "../src/Uploads.js"
import { CLOSED, get, OWNER, put, recordPath, seed, storeOf } from "./records.js"
import { request, storePath } from "./request.js"
import { scratch } from "./scratch.js"

const CHUNKS = 24

/** More than every buffer between the database and a client holds. */
const filled = (value: number): Buffer => Buffer.alloc(CHUNKS * CHUNK_BYTES, value)

const decodeCounts = Schema.decodeUnknown(
  Schema.NonEmptyArray(Schema.Struct({ records: Schema.Number, chunks: Schema.Number, discarded: Schema.Number }))
)

/** How many rows there are of each kind. */
const rowsIn = (database: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [counts] = yield* decodeCounts(
      yield* sql`
        SELECT (SELECT count(*) FROM records) AS records, (SELECT count(*) FROM chunks) AS chunks,
          (SELECT count(*) FROM discarded) AS discarded`
    )
    return counts
  }).pipe(Effect.provide(databaseLayer(database)))

/** Waits until that is so, and lets everything else go on meanwhile. */
const until = <E>(isSo: Effect.Effect<boolean, E>): Effect.Effect<void, E> =>
  Effect.asVoid(Effect.repeat(Effect.zipLeft(isSo, yieldToEventLoop), { until: (isSo) => isSo }))

/** Until the database has so many rows. */
const untilRows = (database: string, expected: Effect.Effect.Success<ReturnType<typeof rowsIn>>) =>
  until(Effect.map(rowsIn(database), (rows) => JSON.stringify(rows) === JSON.stringify(expected)))

/** The next request that a server of this process begins to handle. The handler runs right after that. */
const nextRequest = (): Promise<Http.IncomingMessage> =>
  new Promise((resolve) => {
    const onStart = (message: unknown): void => {
      if (!Predicate.hasProperty(message, "request") || !(message.request instanceof Http.IncomingMessage)) return
      unsubscribe("http.server.request.start", onStart)
      resolve(message.request)
    }
    subscribe("http.server.request.start", onStart)
  })

const started = Effect.fnUntraced(function* () {
  const database = `${yield* scratch}/apify.db`
  const context = yield* Layer.build(Emulator.layer({ seed, database }))
  return { database, url: Context.get(context, Emulator).url }
})

/** A request whose body is sent by hand, or whose response is read by hand. */
const begin = (url: string, key: string, method: string, headers: Record<string, string> = {}) => {
  const { hostname, port } = new URL(url)
  const path = recordPath(CLOSED, key)
  const outgoing = Http.request({
    hostname,
    port,
    path,
    method,
    headers: { authorization: `Bearer ${OWNER}`, ...headers }
  })
  outgoing.on("error", () => {})
  return outgoing
}

/** A response of which nothing was read yet. */
const reading = (url: string, path: string): Effect.Effect<Http.IncomingMessage> =>
  Effect.async((resume) => {
    const { hostname, port } = new URL(url)
    const headers = { authorization: `Bearer ${OWNER}` }
    const outgoing = Http.request({ hostname, port, path, headers })
    outgoing.on("error", () => {})
    outgoing.on("response", (response) => {
      response.pause()
      resume(Effect.succeed(response))
    })
    outgoing.end()
  })

const readAll = (response: Http.IncomingMessage): Effect.Effect<Buffer, Error> =>
  Effect.async((resume) => {
    const chunks: Array<Buffer> = []
    response.on("data", (chunk: Buffer) => chunks.push(chunk))
    response.on("end", () => resume(Effect.succeed(Buffer.concat(chunks))))
    response.on("error", (error) => resume(Effect.fail(error)))
    response.resume()
  })

describe("a reader", () => {
  for (const [what, change] of [
    ["replaced", (url: string) => put(url, CLOSED, "large", "small")],
    ["deleted", (url: string) => get(url, CLOSED, "large", { method: "DELETE" })]
  ] as const) {
    it.scopedLive(`of a record that is ${what} meanwhile gets all of it, and then it is removed`, () =>
      Effect.gen(function* () {
        const { url, database } = yield* started()
        yield* put(url, CLOSED, "large", filled(1))
        const response = yield* reading(url, recordPath(CLOSED, "large"))
        yield* change(url)
        const { records } = yield* rowsIn(database)
        assert.deepStrictEqual(yield* rowsIn(database), { records, chunks: CHUNKS, discarded: 1 })
        assert.isTrue((yield* readAll(response)).equals(filled(1)))
        yield* untilRows(database, { records, chunks: 0, discarded: 0 })
      })
    )
  }

  for (const [what, path] of [
    ["a record", recordPath(CLOSED, "large")],
    ["the zip", `${storePath(CLOSED)}/records`]
  ] as const) {
    it.scopedLive(`of ${what} who leaves keeps nothing of a record that was replaced`, () =>
      Effect.gen(function* () {
        const { url, database } = yield* started()
        yield* put(url, CLOSED, "large", filled(1))
        const response = yield* reading(url, path)
        yield* put(url, CLOSED, "large", "small")
        assert.deepStrictEqual(yield* rowsIn(database), { records: 1, chunks: CHUNKS, discarded: 1 })
        response.destroy()
        yield* untilRows(database, { records: 1, chunks: 0, discarded: 0 })
      })
    )
  }

  it.scopedLive("of a record that was replaced gets all of it, although another one has left", () =>
    Effect.gen(function* () {
      const { url, database } = yield* started()
      for (const key of ["large", "other"]) yield* put(url, CLOSED, key, filled(1))
      const response = yield* reading(url, recordPath(CLOSED, "large"))
      const leaving = yield* reading(url, recordPath(CLOSED, "large"))
      const last = yield* reading(url, recordPath(CLOSED, "other"))
      for (const key of ["large", "other"]) yield* put(url, CLOSED, key, "small")
      leaving.destroy()
      yield* get(url, CLOSED, "large")
      // Nobody reads the other record any more: what was discarded is removed.
      last.destroy()
      yield* until(Effect.map(rowsIn(database), ({ discarded }) => discarded < 2))
      assert.isTrue((yield* readAll(response)).equals(filled(1)))
      yield* untilRows(database, { records: 2, chunks: 0, discarded: 0 })
    })
  )

  it.scopedLive("who reads nothing does not hold up others", () =>
    Effect.gen(function* () {
      const { url } = yield* started()
      yield* put(url, CLOSED, "large", filled(1))
      const response = yield* reading(url, recordPath(CLOSED, "large"))
      yield* put(url, CLOSED, "other", "1")
      assert.strictEqual((yield* get(url, CLOSED, "other")).text, "1")
      response.destroy()
    })
  )
})

describe("an upload", () => {
  it.scopedLive("that replaces a large record leaves one version", () =>
    Effect.gen(function* () {
      const { url, database } = yield* started()
      yield* put(url, CLOSED, "large", filled(1))
      yield* put(url, CLOSED, "large", filled(2))
      assert.isTrue((yield* get(url, CLOSED, "large")).bytes.equals(filled(2)))
      assert.deepStrictEqual(yield* rowsIn(database), { records: 1, chunks: CHUNKS, discarded: 0 })
    })
  )

  for (const headers of [{ "content-length": String(CHUNKS * CHUNK_BYTES) }, { "transfer-encoding": "chunked" }]) {
    const how = "content-length" in headers ? "with a length" : "without a length"
    it.scopedLive(`${how} that is broken off leaves the record as it was, and nothing else`, () =>
      Effect.gen(function* () {
        const { url, database } = yield* started()
        for (const before of [undefined, "small"]) {
          if (before !== undefined) yield* put(url, CLOSED, "large", before)
          const records = before === undefined ? 0 : 1
          const outgoing = begin(url, "large", "PUT", headers)
          outgoing.write(filled(1).subarray(0, 10 * CHUNK_BYTES + 5))
          yield* untilRows(database, { records, chunks: 10, discarded: 1 })
          const meanwhile = yield* get(url, CLOSED, "large")
          assert.deepStrictEqual(
            [meanwhile.status, meanwhile.text === before],
            [before === undefined ? 404 : 200, before !== undefined]
          )
          outgoing.destroy()
          yield* untilRows(database, { records, chunks: 0, discarded: 0 })
          assert.strictEqual((yield* get(url, CLOSED, "large")).status, before === undefined ? 404 : 200)
        }
        const { stats } = yield* storeOf(url, CLOSED)
        assert.deepStrictEqual([stats.writeCount, stats.storageBytes], [1, 5])
      })
    )
  }

  it.scopedLive("whose chunks another process removed is refused, and leaves nothing", () =>
    Effect.gen(function* () {
      const { url, database } = yield* started()
      const outgoing = begin(url, "large", "PUT", { "content-length": String(CHUNKS * CHUNK_BYTES) })
      const answered = new Promise<number | undefined>((resolve) => {
        outgoing.once("response", (response) => resolve(response.resume().statusCode))
      })
      outgoing.write(filled(1).subarray(0, 10 * CHUNK_BYTES + 5))
      yield* untilRows(database, { records: 0, chunks: 10, discarded: 1 })
      yield* Effect.flatMap(SqlClient.SqlClient, (sql) =>
        sql.withTransaction(Effect.zipRight(sql`DELETE FROM chunks`, sql`DELETE FROM discarded`))
      ).pipe(Effect.provide(databaseLayer(database)))
      outgoing.end(filled(1).subarray(10 * CHUNK_BYTES + 5))
      assert.strictEqual(yield* Effect.promise(() => answered), 500)
      yield* untilRows(database, { records: 0, chunks: 0, discarded: 0 })
    })
  )

  it.scopedLive("of a few bytes that is broken off before it is read leaves the record as it was", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor.track
      const { url, database } = yield* started().pipe(
        Effect.provideService(LockTimeout, Duration.hours(1)),
        Effect.supervised(supervisor)
      )
      yield* put(url, CLOSED, "small", "before")
      const services = yield* Layer.build(databaseLayer(database))
      const sql = Context.get(services, SqlClient.SqlClient)
      // Another process holds the file while the client leaves.
      yield* sql`BEGIN EXCLUSIVE`
      const next = nextRequest()
      const outgoing = begin(url, "small", "PUT", { "content-length": "100" })
      outgoing.write("some")
      const { socket } = yield* Effect.promise(() => next)
      const handlers = yield* supervisor.value
      assert.isAbove(handlers.length, 0)
      const hasLeft = new Promise((resolve) => socket.once("end", resolve))
      outgoing.destroy()
      yield* Effect.promise(() => hasLeft)
      yield* sql`COMMIT`
      yield* Fiber.awaitAll(handlers)
      assert.strictEqual((yield* get(url, CLOSED, "small")).text, "before")
      assert.strictEqual((yield* storeOf(url, CLOSED)).stats.writeCount, 1)
    })
  )

  it.scopedLive("may take any time while it moves, and is dropped when it stops", () =>
    Effect.gen(function* () {
      const { url } = yield* started()
      const { bodyTimeout } = yield* ClientLimits
      // The emulator looks by this timer whether a body moves.
      yield* Effect.acquireRelease(
        Effect.sync(() => vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] })),
        () => Effect.sync(() => vi.useRealTimers())
      )
      const upload = Effect.fnUntraced(function* (key: string) {
        const next = nextRequest()
        const outgoing = begin(url, key, "PUT", { "transfer-encoding": "chunked" })
        outgoing.flushHeaders()
        const { socket } = yield* Effect.promise(() => next)
        const send = (text: string) =>
          Effect.suspend(() => {
            const before = socket.bytesRead
            outgoing.write(text)
            return until(Effect.sync(() => socket.bytesRead > before))
          })
        return { outgoing, send }
      })
      const moving = yield* upload("moving")
      const stopping = yield* upload("stopping")
      const isDropped = new Promise((resolve) => stopping.outgoing.once("close", resolve))
      const response = new Promise<Http.IncomingMessage>((resolve) => moving.outgoing.once("response", resolve))
      yield* stopping.send("some")
      for (let step = 0; step < 50; step++) {
        yield* moving.send("x")
        vi.advanceTimersByTime(bodyTimeout)
      }
      moving.outgoing.end()
      assert.strictEqual((yield* Effect.promise(() => response)).statusCode, 201)
      yield* Effect.promise(() => isDropped)
      assert.strictEqual((yield* get(url, CLOSED, "moving")).text, "x".repeat(50))
      assert.strictEqual((yield* get(url, CLOSED, "stopping")).status, 404)
    })
  )

  it.scopedLive("of somebody else at the same time is the one or the other, whole", () =>
    Effect.gen(function* () {
      const { url, database } = yield* started()
      const values = [1, 2, 3, 4]
      yield* Effect.forEach(values, (value) => put(url, CLOSED, "large", filled(value)), { concurrency: "unbounded" })
      const { bytes } = yield* get(url, CLOSED, "large")
      assert.isTrue(values.some((value) => bytes.equals(filled(value))))
      assert.deepStrictEqual(yield* rowsIn(database), { records: 1, chunks: CHUNKS, discarded: 0 })
      const { stats } = yield* storeOf(url, CLOSED)
      assert.deepStrictEqual([stats.writeCount, stats.storageBytes], [4, CHUNKS * CHUNK_BYTES])
    })
  )

  it.scopedLive("that an emulator did not live to finish is removed by the next one", () =>
    Effect.gen(function* () {
      const database = `${yield* scratch}/apify.db`
      yield* Effect.scoped(Layer.build(Emulator.layer({ seed, database })))
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`INSERT INTO discarded (upload_id) VALUES ('unfinished')`
        for (let number = 0; number < 40; number++) {
          yield* sql`INSERT INTO chunks (upload_id, number, bytes) VALUES ('unfinished', ${number}, ${Buffer.from("x")})`
        }
      }).pipe(Effect.provide(databaseLayer(database)))
      yield* Effect.scoped(Layer.build(Emulator.layer({ seed, database })))
      assert.deepStrictEqual(yield* rowsIn(database), { records: 0, chunks: 0, discarded: 0 })
    })
  )

  it.scopedLive("of a store that is deleted meanwhile is a 404, and leaves nothing", () =>
    Effect.gen(function* () {
      const { url, database } = yield* started()
      yield* put(url, CLOSED, "old", filled(1))
      const outgoing = begin(url, "large", "PUT", { "transfer-encoding": "chunked" })
      const status = Effect.async<number | undefined>((resume) => {
        outgoing.on("response", (response) => {
          response.resume()
          resume(Effect.succeed(response.statusCode))
        })
      })
      outgoing.write(filled(1).subarray(0, 2 * CHUNK_BYTES))
      yield* untilRows(database, { records: 1, chunks: CHUNKS + 1, discarded: 1 })
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`DELETE FROM grants WHERE store_id = ${CLOSED}`
        yield* sql`DELETE FROM stores WHERE id = ${CLOSED}`
      }).pipe(Effect.provide(databaseLayer(database)))
      outgoing.end("end")
      assert.strictEqual(yield* status, 404)
      yield* untilRows(database, { records: 0, chunks: 0, discarded: 0 })
      assert.strictEqual((yield* request(url, storePath(CLOSED), { token: OWNER })).status, 404)
    })
  )
})
