/**
 * Rows 61 to 100: writes, streams, lists, keys and links, by our client and by the official one.
 */
import { Readable } from "node:stream"
import { gzipSync } from "node:zlib"
import { Fault, FaultServer, type Origin, refusingOrigin } from "@effect-apify/fault-server"
import {
  type ApifyClient,
  type CallOptions,
  deleteStore,
  getOrCreateStore,
  getRecord,
  getRecordValue,
  keysPublicUrl,
  listKeys,
  putRecord,
  recordPublicUrl,
  streamRecord,
  updateStore
} from "@effect-apify/http"
import type { ApifyClient as OfficialClient } from "apify-client"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { closed, JSON_TYPE, patient, refusal, reset } from "../../../http/test/faults/cases.js"
import { store } from "../../../http/test/faults/operations.js"
import { keepExit, leaks, nothingShown, TOKEN, watched } from "../../../http/test/faults/secrets.js"
import type { Transport } from "../../../http/test/faults/transports.js"
import { nameOfError, officialClient } from "./official.js"

type Official = (client: OfficialClient) => Promise<string>

interface Exercise {
  readonly row: number
  readonly name: string
  /** `elsewhere` is another origin. */
  readonly plan: (elsewhere: string) => Fault.Plan
  /** In place of the plan's own words. */
  readonly planned?: string
  /** The outcome of our client. */
  readonly outcome: RegExp
  readonly ours: Effect.Effect<string, unknown, ApifyClient.ApifyClient>
  /** Or why it cannot be put to it. */
  readonly official: Official | string
  readonly limits?: CallOptions
  /** Where nothing listens. */
  readonly isRefused?: boolean
}

/** The id of a store, as the official client takes it. */
const STORE = store.id
const KEY = "OUTPUT"
const MEBIBYTE = 1024 * 1024
const BOUND = Duration.seconds(5)

/** What the path of a request for a new store ends in. */
const NEW = "key-value-stores"

const json = (name: string, value: unknown, status = 200): Fault.Fault =>
  Fault.respond(name, { status, headers: [JSON_TYPE], body: JSON.stringify(value) })

const stored = json("201", {}, 201)
const theStore = json("the store", { data: store })
const created = json("201, the store", { data: store }, 201)
const missingStore = json("404", { error: { type: "record-not-found", message: "Key-value Store was not found" } }, 404)
const missingRecord = json("404", { error: { type: "record-not-found", message: "Record was not found" } }, 404)

const record = (name: string, type: string, body: string | Uint8Array, more: ReadonlyArray<[string, string]> = []) =>
  Fault.respond(name, { headers: [["Content-Type", type], ...more], body })

const page = (keys: ReadonlyArray<unknown>, next: unknown, isTruncated = next !== null) =>
  json(`${keys.length} keys, then ${JSON.stringify(next)}`, {
    data: { items: keys, count: keys.length, limit: 1000, isTruncated, nextExclusiveStartKey: next }
  })

const item = (key: string) => ({ key, size: 1, recordPublicUrl: "https://api.apify.com/v2/x" })

const head = (framing: string): Fault.Step =>
  Fault.send(`HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n${framing}\r\n\r\n`)

const part = new Uint8Array(MEBIBYTE)
const framed = Buffer.concat([Buffer.from("100000\r\n"), part, Buffer.from("\r\n")])

// ---- Ours

const tagOf = (error: unknown): string => {
  const fields = new Map<string, unknown>(typeof error === "object" && error !== null ? Object.entries(error) : [])
  const detail = fields.get("reason") ?? fields.get("phase") ?? fields.get("kind")
  return [fields.get("_tag") ?? error, detail].filter((part) => part !== undefined).join(" ")
}

const done = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.as(effect, "success")

const read = <E, R>(parts: Stream.Stream<number, E, R>, unit: string) =>
  Effect.gen(function* () {
    let count = 0
    const end = yield* Stream.runForEach(parts, (amount) => Effect.sync(() => (count += amount))).pipe(
      Effect.match({ onFailure: (error) => `, then ${tagOf(error)}`, onSuccess: () => "" })
    )
    return `${count} ${unit}${end}`
  })

const download = read(
  Stream.unwrapScoped(Effect.map(streamRecord(STORE, KEY), ({ bytes }) => bytes)).pipe(
    Stream.map(({ length }) => length / MEBIBYTE)
  ),
  "MiB"
)

const listing = read(
  Stream.map(listKeys(STORE), () => 1),
  "keys"
)

const endless = Stream.repeatEffect(Effect.sync(() => new Uint8Array(65_536)))

const textOf = Effect.flatMap(getRecord(STORE, KEY), ({ text }) => text)

// ---- The official client's

const its = (client: OfficialClient) => client.keyValueStore(STORE)

const putBy =
  (makeValue: () => Readable | Buffer | string): Official =>
  async (client) => {
    const record = { key: KEY, value: null }
    // Its types know of values alone.
    Object.assign(record, { value: makeValue(), contentType: "application/octet-stream" })
    await its(client).setRecord(record)
    return "success"
  }

const endlessReadable = () =>
  new Readable({
    read() {
      this.push(Buffer.alloc(65_536))
    }
  })

const downloadBy: Official = async (client) => {
  const record = await its(client).getRecord(KEY, { stream: true })
  let bytes = 0
  try {
    for await (const chunk of record?.value ?? []) bytes += chunk.length
    return `${bytes / MEBIBYTE} MiB`
  } catch (error) {
    return `${bytes / MEBIBYTE} MiB, then ${nameOfError(error)}`
  }
}

const listBy: Official = async (client) => {
  let keys = 0
  try {
    for await (const _ of its(client).listKeys()) {
      keys += 1
      // It would go on.
      if (keys === 100) return "100 keys, and more"
    }
    return `${keys} keys`
  } catch (error) {
    return `${keys} keys, then ${nameOfError(error)}`
  }
}

const getBy: Official = async (client) => {
  const record = await its(client).getRecord(KEY)
  if (record === undefined) return "undefined"
  const shown = JSON.stringify(record.value) ?? "undefined"
  return shown.includes("\ufffd") ? "text of other bytes" : `the value ${shown}`
}

const bytesBy: Official = async (client) => {
  const record = await its(client).getRecord(KEY, { buffer: true })
  return record?.value.equals(file) === true ? "its bytes" : "other bytes"
}

const file = gzipSync("a file")

const isFile = Effect.map(getRecord(STORE, KEY), ({ bytes }) => (file.equals(bytes) ? "its bytes" : "other bytes"))

const invalidKeys = ["", "a".repeat(257), ".", "..", "a/b", "%2e", "a\0", "a b", "\ud800", "ключ"]
const legalKey = "weird-key!'()._0"
const expiries = [0, -1, 0.5, Number.NaN]

const hurried = { ...patient, attemptTimeout: "1 second", retry: { retries: 0 } } as const

const tally = (outcomes: ReadonlyArray<string>): string =>
  [...new Set(outcomes)].map((one) => `${outcomes.filter((other) => other === one).length} × ${one}`).join(", ")

const exercises: ReadonlyArray<Exercise> = [
  {
    row: 61,
    name: "put: reset while a stream is being sent",
    plan: () => Fault.forever(reset),
    outcome: /^TransportError reset \(1\)$/,
    ours: done(putRecord(STORE, KEY, endless)),
    official: putBy(endlessReadable)
  },
  ...(
    [
      [401, "user-or-token-not-found", "UnauthorizedError"],
      [413, "record-too-large", "RecordTooLargeError"],
      [415, "unsupported-media-type", "UnexpectedResponseError"]
    ] as const
  ).map(
    ([status, type, tag]): Exercise => ({
      row: 62,
      name: `put: ${status} while an endless stream is being sent`,
      plan: () => Fault.forever(refusal(status, type)),
      outcome: new RegExp(`^${tag} \\(1\\)$`),
      ours: done(putRecord(STORE, KEY, endless)),
      official: putBy(endlessReadable)
    })
  ),
  {
    row: 64,
    name: "put: the caller's stream fails",
    plan: () => Fault.forever(Fault.fault("silence", Fault.hang)),
    outcome: /^its own \(\d\)$/,
    ours: done(putRecord(STORE, KEY, Stream.concat(Stream.make(part), Stream.fail("its own")))),
    official: putBy(() =>
      Readable.from(
        (async function* () {
          yield Buffer.from(part)
          throw new Error("its own")
        })()
      )
    )
  },
  {
    row: 66,
    name: "put: fewer bytes than the declared length",
    plan: () => Fault.forever(stored),
    outcome: /^TransportError request \(\d\)$/,
    ours: done(putRecord(STORE, KEY, Stream.make(part.subarray(0, 10)), { length: 20 })),
    official: "not comparable: takes no length"
  },
  {
    row: 67,
    name: "put: the response is lost",
    plan: () => Fault.sequence(closed, stored),
    outcome: /^success \(2\)$/,
    ours: done(putRecord(STORE, KEY, "text")),
    official: putBy(() => "text")
  },
  {
    row: 68,
    name: "create without a name: the response is lost",
    plan: () => Fault.sequence(closed, Fault.forever(created)),
    outcome: /^TransportError reset, the store may exist \(1\)$/,
    ours: done(getOrCreateStore()).pipe(
      Effect.mapError((error) => `${tagOf(error)}${/may exist/.test(error.message) ? ", the store may exist" : ""}`)
    ),
    official: async (client) => {
      await client.keyValueStores().getOrCreate()
      return "success"
    }
  },
  {
    row: 69,
    name: "create without a name: connection refused",
    plan: () => [],
    outcome: /^TransportError connect, 3 attempts \(0\)$/,
    ours: done(getOrCreateStore()).pipe(
      Effect.mapError((error) => `${tagOf(error)}, ${"attempts" in error ? error.attempts : 0} attempts`)
    ),
    official: async (client) => {
      await client.keyValueStores().getOrCreate()
      return "success"
    },
    isRefused: true
  },
  {
    row: 70,
    name: "get or create with a name: the response is lost",
    plan: () => Fault.sequence(closed, Fault.forever(theStore)),
    outcome: /^success \(2\)$/,
    ours: done(getOrCreateStore({ name: "my-store" })),
    official: async (client) => {
      await client.keyValueStores().getOrCreate("my-store")
      return "success"
    }
  },
  {
    row: 71,
    name: "delete: the response is lost, then 404",
    plan: () => Fault.sequence(closed, Fault.forever(missingStore)),
    outcome: /^success \(2\)$/,
    ours: done(deleteStore(STORE)),
    official: async (client) => {
      await its(client).delete()
      return "success"
    }
  },
  {
    row: 72,
    name: "update: the response is lost",
    plan: () => Fault.sequence(closed, Fault.forever(theStore)),
    outcome: /^success \(2\)$/,
    ours: done(updateStore(STORE, { title: "Pages" })),
    official: async (client) => {
      await its(client).update({ title: "Pages" })
      return "success"
    }
  },
  {
    row: 73,
    name: "update to a name that is taken",
    plan: () => Fault.forever(json("400", { error: { type: "name-not-unique", message: "Taken" } }, 400)),
    outcome: /^StoreNameTakenError \(1\)$/,
    ours: done(updateStore(STORE, { name: "taken" })),
    official: async (client) => {
      await its(client).update({ name: "taken" })
      return "success"
    }
  },
  ...([200, 204] as const).map(
    (status): Exercise => ({
      row: 74,
      name: `put: ${status} in place of 201`,
      plan: () => Fault.forever(Fault.status(status)),
      outcome: /^UnexpectedResponseError \(1\)$/,
      ours: done(putRecord(STORE, KEY, "text")),
      official: putBy(() => "text")
    })
  ),
  {
    row: 75,
    name: "download: cut after 64 MiB of a declared 65",
    plan: () =>
      Fault.forever(
        Fault.fault("64 MiB, close", head(`Content-Length: ${65 * MEBIBYTE}`), Fault.flood(part, 64), Fault.close)
      ),
    outcome: /^64 MiB, then TransportError reset \(1\)$/,
    ours: download,
    official: downloadBy
  },
  {
    row: 75,
    name: "download: cut after 64 MiB in chunks",
    plan: () =>
      Fault.forever(
        Fault.fault("64 MiB in chunks, close", head("Transfer-Encoding: chunked"), Fault.flood(framed, 64), Fault.close)
      ),
    outcome: /^64 MiB, then TransportError reset \(1\)$/,
    ours: download,
    official: downloadBy
  },
  {
    row: 76,
    name: "download: stalls after 1 MiB, with a second for an attempt",
    plan: () =>
      Fault.forever(
        Fault.fault("1 MiB, stall", head(`Content-Length: ${2 * MEBIBYTE}`), Fault.flood(part, 1), Fault.hang)
      ),
    outcome: /^1 MiB, then TimeoutError attempt \(1\)$/,
    ours: download,
    official: downloadBy,
    limits: hurried
  },
  {
    row: 79,
    name: "download: left after its start",
    plan: () =>
      Fault.forever(Fault.fault("100 MiB", head(`Content-Length: ${100 * MEBIBYTE}`), Fault.flood(part, 100))),
    outcome: /^left \(1\)$/,
    ours: Effect.as(
      Stream.runDrain(Stream.take(Stream.unwrapScoped(Effect.map(streamRecord(STORE, KEY), ({ bytes }) => bytes)), 1)),
      "left"
    ),
    official: async (client) => {
      const record = await its(client).getRecord(KEY, { stream: true })
      for await (const _ of record?.value ?? []) break
      return "left"
    }
  },
  {
    row: 80,
    name: "a whole read of 64 MiB",
    plan: () => Fault.forever(Fault.largeBody(64, "declared")),
    outcome: /^RecordTooLargeError \(1\)$/,
    ours: done(getRecord(STORE, KEY)),
    official: async (client) => {
      const record = await its(client).getRecord(KEY, { buffer: true })
      return `${(record?.value.length ?? 0) / MEBIBYTE} MiB`
    }
  },
  {
    row: 81,
    name: "a record in gzip",
    plan: () => Fault.forever(record("gzip", "text/plain", gzipSync("text"), [["Content-Encoding", "gzip"]])),
    outcome: /^the value "text" \(1\)$/,
    ours: Effect.map(textOf, (text) => `the value ${JSON.stringify(text)}`),
    official: getBy
  },
  ...(
    [
      ["gzip twice", "gzip, gzip", gzipSync(gzipSync("text"))],
      ["an unknown encoding", "rot13", Buffer.from("grkg")],
      ["corrupt gzip", "gzip", Buffer.from(gzipSync("text ".repeat(100))).fill(0xff, 12, 20)]
    ] as const
  ).map(
    ([name, encoding, body]): Exercise => ({
      row: 81,
      name: `a record in ${name}`,
      plan: () => Fault.forever(record(encoding, "text/plain", body, [["Content-Encoding", encoding]])),
      outcome: /^(MalformedRecordError Encoding|UnexpectedResponseError) \(1\)$/,
      ours: Effect.map(textOf, (text) => `the value ${JSON.stringify(text)}`),
      official: getBy
    })
  ),
  {
    row: 82,
    name: "a record that is a .gz file, in chunks",
    plan: () =>
      Fault.forever(
        Fault.fault(
          "a .gz file in chunks",
          head("Transfer-Encoding: chunked"),
          Fault.send(
            Buffer.concat([Buffer.from(`${file.length.toString(16)}\r\n`), file, Buffer.from("\r\n0\r\n\r\n")])
          )
        )
      ),
    outcome: /^its bytes \(1\)$/,
    ours: isFile,
    official: bytesBy
  },
  ...(
    [
      ["an empty record", record("empty", "application/json", ""), /^0 bytes \(1\)$/],
      ["a record of null", record("null", "application/json", "null"), /^4 bytes \(1\)$/],
      ["a missing record", missingRecord, /^RecordNotFoundError \(1\)$/]
    ] as const
  ).map(
    ([name, fault, outcome]): Exercise => ({
      row: 83,
      name,
      plan: () => Fault.forever(fault),
      outcome,
      ours: Effect.map(getRecord(STORE, KEY), ({ bytes }) => `${bytes.length} bytes`),
      official: getBy
    })
  ),
  ...(
    [
      ["is not JSON", "{", "Json"],
      ["is not what its schema says", '{"a":"text"}', "Shape"]
    ] as const
  ).map(
    ([what, body, kind]): Exercise => ({
      row: 84,
      name: `a JSON record that ${what}`,
      plan: () => Fault.forever(record("JSON", "application/json", body)),
      outcome: new RegExp(`^MalformedRecordError ${kind} \\(1\\)$`),
      ours: done(getRecordValue(STORE, KEY, Schema.Struct({ a: Schema.Number }))),
      official: getBy
    })
  ),
  {
    row: 85,
    name: "text in iso-8859-1",
    plan: () => Fault.forever(record("latin1", "text/plain; charset=iso-8859-1", Buffer.from("é", "latin1"))),
    outcome: /^the value "é" \(1\)$/,
    ours: Effect.map(textOf, (text) => `the value ${JSON.stringify(text)}`),
    official: getBy
  },
  {
    row: 85,
    name: "text in a charset that is none",
    plan: () => Fault.forever(record("x-none", "text/plain; charset=x-none", Buffer.from("é", "latin1"))),
    outcome: /^MalformedRecordError Charset \(1\)$/,
    ours: Effect.map(textOf, (text) => `the value ${JSON.stringify(text)}`),
    official: getBy
  },
  {
    row: 86,
    name: "a redirect of a record to another host",
    plan: (elsewhere) => Fault.forever(Fault.redirect(302, `${elsewhere}/file`)),
    planned: "302 to another origin",
    outcome: /^the value "elsewhere" \(2\)$/,
    ours: Effect.map(textOf, (text) => `the value ${JSON.stringify(text)}`),
    official: getBy
  },
  {
    row: 87,
    name: "a redirect of a put to another host",
    plan: (elsewhere) => Fault.forever(Fault.redirect(307, `${elsewhere}/file`)),
    planned: "307 to another origin",
    outcome: /^UnexpectedResponseError \(1\)$/,
    ours: done(putRecord(STORE, KEY, "text")),
    official: putBy(() => "text")
  },
  {
    row: 88,
    name: "the next key is the last one again",
    plan: () => Fault.sequence(page([item("a"), item("b")], "b"), Fault.forever(page([item("c")], "b"))),
    outcome: /^3 keys, then MalformedResponseError Shape \(2\)$/,
    ours: listing,
    official: listBy
  },
  {
    row: 88,
    name: "the next key sorts before the last one",
    plan: () => Fault.sequence(page([item("a"), item("b")], "b"), Fault.forever(page([item("c")], "a"))),
    outcome: /^3 keys, then MalformedResponseError Shape \(2\)$/,
    ours: listing,
    official: listBy
  },
  ...[null, ""].map(
    (next): Exercise => ({
      row: 89,
      name: `the next key is ${JSON.stringify(next)}`,
      plan: () => Fault.forever(page([item("a"), item("b")], next, true)),
      outcome: /^2 keys \(1\)$/,
      ours: listing,
      official: listBy
    })
  ),
  {
    row: 90,
    name: "no items, although more are to follow",
    plan: () => Fault.forever(page([], "b")),
    outcome: /^0 keys, then MalformedResponseError Shape \(1\)$/,
    ours: listing,
    official: listBy
  },
  {
    row: 91,
    name: "a bad item among good ones",
    plan: () => Fault.forever(page([item("a"), { key: 42, size: "nine" }, item("c")], null)),
    outcome: /^1 keys, then MalformedResponseError Shape \(1\)$/,
    ours: listing,
    official: listBy
  },
  {
    row: 92,
    name: "the second page fails with 503, then works",
    plan: () => Fault.sequence(page([item("a")], "a"), refusal(503), Fault.forever(page([item("b")], null))),
    outcome: /^2 keys \(3\)$/,
    ours: listing,
    official: listBy
  },
  {
    row: 93,
    name: "pages of one key, although a thousand were requested",
    plan: () => Fault.sequence(page([item("a")], "a"), page([item("b")], "b"), Fault.forever(page([item("c")], null))),
    outcome: /^3 keys \(3\)$/,
    ours: listing,
    official: listBy
  },
  {
    row: 96,
    name: "a listing left after its first key",
    plan: () => Fault.forever(page([item("a"), item("b")], "b")),
    outcome: /^1 keys \(1\)$/,
    ours: read(
      Stream.map(Stream.take(listKeys(STORE), 1), () => 1),
      "keys"
    ),
    official: async (client) => {
      for await (const _ of its(client).listKeys()) break
      return "1 keys"
    }
  },
  {
    row: 98,
    name: `${invalidKeys.length} keys that are none`,
    plan: () => Fault.forever(missingRecord),
    outcome: /^10 × InvalidRecordKeyError \(0\)$/,
    ours: Effect.map(
      Effect.forEach(invalidKeys, (key) => Effect.merge(Effect.mapError(done(getRecord(STORE, key)), tagOf))),
      tally
    ),
    official: async (client) => {
      const outcomes: Array<string> = []
      for (const key of invalidKeys) {
        outcomes.push(
          await its(client)
            .getRecord(key)
            .then((value) => `${value}`, nameOfError)
        )
      }
      return tally(outcomes)
    }
  },
  {
    row: 99,
    name: `the key ${legalKey}`,
    plan: () =>
      Fault.forever({
        name: "the path, as it arrived",
        steps: ({ path }) => [
          Fault.send(
            Fault.responseBytes({
              headers: [["Content-Type", "text/plain"]],
              body: decodeURIComponent(path.replace(/^.*\/|\?.*$/g, ""))
            })
          )
        ]
      }),
    outcome: new RegExp(`^the value "${legalKey.replace(/[.()]/g, "\\$&")}" \\(1\\)$`),
    ours: Effect.flatMap(getRecord(STORE, legalKey), ({ text }) =>
      Effect.map(text, (text) => `the value ${JSON.stringify(text)}`)
    ),
    official: async (client) => `the value ${JSON.stringify((await its(client).getRecord(legalKey))?.value)}`
  },
  {
    row: 100,
    name: "a link, where the signing key may not be seen",
    plan: () => Fault.forever(json("the store, without its key", { data: { ...store, urlSigningSecretKey: null } })),
    outcome: /^unsigned, and says so \(1\)$/,
    ours: Effect.map(recordPublicUrl(STORE, KEY), ({ isSigned, url }) =>
      isSigned || Redacted.value(url.href).includes("signature=") ? "signed" : "unsigned, and says so"
    ),
    official: async (client) =>
      (await its(client).getRecordPublicUrl(KEY)).includes("signature=") ? "signed" : "unsigned"
  },
  {
    row: 100,
    name: "links with an expiry of 0, -1, 0.5 and NaN",
    plan: () => Fault.forever(theStore),
    outcome: /^4 × InvalidExpiryError \(\d\)$/,
    ours: Effect.map(
      Effect.forEach(expiries, (expiresIn) =>
        Effect.merge(Effect.mapError(done(keysPublicUrl(STORE, { expiresIn })), tagOf))
      ),
      tally
    ),
    official: async (client) => {
      const outcomes: Array<string> = []
      for (const expiresInSecs of expiries) {
        outcomes.push(
          await its(client)
            .createKeysPublicUrl({ expiresInSecs })
            .then(() => "a link", nameOfError)
        )
      }
      return tally(outcomes)
    }
  }
]

/** One of our transports, or the official client. */
export type Who = Transport | "official"

export interface RecordScenario {
  readonly row: number
  readonly name: string
  readonly plan: string
  readonly outcome: RegExp
  readonly play: (who: Who) => Effect.Effect<string, never, FaultServer | Scope.Scope>
}

const oursBy = ({ limits = patient, ours }: Exercise, transport: Transport, baseUrl: string) =>
  Effect.gen(function* () {
    const kept = nothingShown()
    const outcome = yield* ours.pipe(
      keepExit(kept),
      Effect.match({ onFailure: tagOf, onSuccess: (outcome) => outcome }),
      watched(kept),
      Effect.provide(transport.client({ token: Redacted.make(TOKEN), baseUrl, ...limits })),
      Effect.orDie
    )
    return (yield* leaks(kept)).length === 0 ? outcome : `${outcome}, secrets shown`
  })

const officialBy = (official: Official, { limits = patient }: Exercise, baseUrl: string) =>
  Effect.tryPromise({
    try: () => official(officialClient({ baseUrl, token: TOKEN, limits: { ...limits, attemptTimeout: "1 second" } })),
    catch: nameOfError
  }).pipe(
    Effect.merge,
    Effect.timeoutTo({
      duration: BOUND,
      onSuccess: (outcome) => outcome,
      onTimeout: () => `not ended after ${Duration.format(BOUND)}`
    })
  )

const playOn = (exercise: Exercise, who: Who, { url }: Pick<Origin, "url">) =>
  Effect.gen(function* () {
    if (who !== "official") return yield* oursBy(exercise, who, url)
    return typeof exercise.official === "string"
      ? exercise.official
      : yield* officialBy(exercise.official, exercise, url)
  })

export const recordScenarios: ReadonlyArray<RecordScenario> = exercises.map((exercise) => ({
  row: exercise.row,
  name: exercise.name,
  plan: exercise.planned ?? (Fault.describePlan(exercise.plan("")) || "–"),
  outcome: exercise.outcome,
  play: (who) =>
    Effect.gen(function* () {
      const server = yield* FaultServer
      const elsewhere = yield* server.listen()
      const origin = exercise.isRefused === true ? { url: refusingOrigin } : yield* server.listen()
      yield* server.forget
      yield* server.plan("file", Fault.forever(record("elsewhere", "text/plain", "elsewhere")))
      for (const place of [STORE, NEW]) yield* server.plan(place, exercise.plan(elsewhere.url))
      const outcome = yield* playOn(exercise, who, origin)
      const token = (yield* server.requests).filter(({ path, headers }) => path === "/file" && headers.authorization)
      return `${outcome}${token.length === 0 ? "" : ", with the token"} (${(yield* server.requests).length})`
    })
}))

/** The rows that take more than an exchange with the server to tell, and the tests that hold ours to them. */
export const recordsElsewhere: ReadonlyArray<{ readonly row: number; readonly name: string; readonly ours: string }> = [
  {
    row: 63,
    name: "put: the server reads nothing",
    ours: "TimeoutError attempt, the source held back: `streams.test.ts`"
  },
  {
    row: 65,
    name: "put: the caller's stream never ends, or drips",
    ours: "goes on while it moves, until `callTimeout`: `recordStreams.test.ts`"
  },
  {
    row: 77,
    name: "download: a reader slower than the server",
    ours: "held back, memory flat, no time-out: `streams.test.ts`, `recordMemory.test.ts`"
  },
  {
    row: 78,
    name: "download: interrupted, or its scope closed",
    ours: "socket freed: `streams.test.ts`, `recordStreams.test.ts`"
  },
  {
    row: 94,
    name: "keys added and deleted while it lists",
    ours: "no key twice, what stayed is there: `cursorPages.test.ts`, `listStores.test.ts`"
  },
  { row: 95, name: "a total that does not match", ours: "ignored: `listStores.test.ts`" },
  { row: 97, name: "a million keys", ours: "memory flat: `recordMemory.test.ts`" }
]
