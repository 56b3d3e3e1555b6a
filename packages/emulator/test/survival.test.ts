/**
 * Bad clients: after each the emulator responds as before, has closed every socket, and holds no more memory.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { Socket } from "node:net"
import { afterAll, assert, beforeAll, describe, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import { heap } from "../../../vitest.heap.js"
import { scale } from "../../../vitest.scale.js"
import { character } from "../../../vitest.text.js"
import { DEMO_TOKEN, demoSeed, Emulator } from "../src/index.js"
import { ClientLimits } from "../src/internal/ClientLimits.js"
import { errorBody, request, storePath } from "./request.js"
import { closed, connected, exchange, statusesOf } from "./sockets.js"

const DEMO = storePath(demoSeed.stores[0]?.store.id ?? "")
const GET_DEMO = `GET ${DEMO}?token=${DEMO_TOKEN} HTTP/1.1\r\nHost: x\r\n`
const MEBIBYTE = 1024 * 1024

// ---- What is asserted after every attack -----------------------------------------------------------------------------

/** The sockets that the emulators of this process have accepted and not closed. */
const accepted = new Set<Socket>()
const onAccepted = (message: unknown): void => {
  if (!Predicate.hasProperty(message, "socket") || !(message.socket instanceof Socket)) return
  const { socket } = message
  accepted.add(socket)
  socket.once("close", () => accepted.delete(socket))
}

/** What would have ended the process of the command line. */
const uncaught: Array<unknown> = []
const onUncaught = (error: unknown): void => {
  uncaught.push(error)
}

beforeAll(() => {
  subscribe("net.server.socket", onAccepted)
  process.on("uncaughtExceptionMonitor", onUncaught)
})
afterAll(() => {
  unsubscribe("net.server.socket", onAccepted)
  process.off("uncaughtExceptionMonitor", onUncaught)
})

const allClosed: Effect.Effect<void> = Effect.async((resume) => {
  const look = () => {
    const [socket] = accepted
    if (socket === undefined) resume(Effect.void)
    else socket.once("close", look)
  }
  look()
})

const assertResponds = (url: string) =>
  Effect.map(request(url, DEMO, { token: DEMO_TOKEN }), ({ status, text }) => {
    assert.strictEqual(status, 200)
    assert.strictEqual(JSON.parse(text).data.name, demoSeed.stores[0]?.store.name)
  })

/** A response comes after every connection before it has been accepted. */
const assertSurvived = (url: string) =>
  Effect.gen(function* () {
    yield* assertResponds(url)
    yield* allClosed
    assert.deepStrictEqual(uncaught, [])
  })

/** A socket that is kept takes some kilobytes: in `soak` all of them would take tens of MiB. */
const DROPPED = scale({ test: 500, soak: 10_000 })

// ---- The attacks -----------------------------------------------------------------------------------------------------

layer(Emulator.layer())("an emulator survives", (it) => {
  const survives = <E>(name: string, attack: (url: string) => Effect.Effect<void, E>) =>
    it.effect(name, () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        yield* attack(url)
        yield* assertSurvived(url)
      })
    )

  describe("a malformed request:", () => {
    const requests: Record<string, readonly [bytes: string, response: RegExp]> = {
      "no HTTP at all": ["\0\x01\x02 nonsense\r\n\r\n", /^HTTP\/1\.1 400 /],
      "the greeting of TLS": ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", /^HTTP\/1\.1 400 /],
      "the preface of HTTP/2": ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", /^HTTP\/1\.1 400 /],
      "a method that is none": ["BREW / HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1\.1 400 /],
      "a method in lower case": ["get / HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1\.1 400 /],
      "a version that is none": ["GET / HTTP/9.9\r\nHost: x\r\n\r\n", /^HTTP\/1\.1 400 /],
      "no version": ["GET /\r\n\r\n", /^HTTP\/1\.1 40[04] /],
      "NUL in a header": ["GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", /^HTTP\/1\.1 400 /],
      "NUL in a header's name": ["GET / HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n", /^HTTP\/1\.1 400 /],
      "a space before a colon": ["GET / HTTP/1.1\r\nHost : x\r\n\r\n", /^HTTP\/1\.1 400 /],
      "bare line feeds": ["GET / HTTP/1.1\nHost: x\nConnection: close\n\n", /^HTTP\/1\.1 40[04] /],
      "two lengths": [
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        /^HTTP\/1\.1 400 /
      ],
      "a length that is none": ["GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", /^HTTP\/1\.1 400 /],
      "an endless length": [
        `GET / HTTP/1.1\r\nHost: x\r\nContent-Length: ${"9".repeat(40)}\r\n\r\n`,
        /^HTTP\/1\.1 400 /
      ],
      "a length and chunks": [
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        /^HTTP\/1\.1 400 /
      ],
      "a chunk of no length": [
        "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        /^HTTP\/1\.1 40[04] /
      ],
      "no host": ["GET / HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 400 /],
      "only a port": ["GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", /^HTTP\/1\.1 400 /],
      "a space in the target": ["GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1\.1 400 /],
      "the server as a proxy": ["CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", /^$/],
      "an expectation that is none": [
        "GET / HTTP/1.1\r\nHost: x\r\nExpect: gold\r\nConnection: close\r\n\r\n",
        /^HTTP\/1\.1 417 /
      ],
      "all of the server": ["OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", /^HTTP\/1\.1 404 /],
      "an echo": [`TRACE ${DEMO} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, /^HTTP\/1\.1 405 /],
      "HTTP/1.0, without a host": [`GET ${DEMO}?token=${DEMO_TOKEN} HTTP/1.0\r\n\r\n`, /^HTTP\/1\.1 200 /],
      "the whole URL": [
        `GET http://api.apify.com${DEMO}?token=${DEMO_TOKEN} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
        /^HTTP\/1\.1 200 /
      ],
      "the whole URL of a proxy's": [
        `GET ftp://api.apify.com${DEMO} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
        /^HTTP\/1\.1 404 /
      ],
      "a host that is none": [
        `${GET_DEMO.replace("Host: x", "Host: <x>/%00")}Connection: close\r\n\r\n`,
        /^HTTP\/1\.1 200 [\s\S]*http:\/\/127\.0\.0\.1:/
      ]
    }
    for (const [name, [bytes, response]] of Object.entries(requests)) {
      survives(name, (url) =>
        Effect.map(exchange(url, Buffer.from(bytes, "latin1")), (text) => assert.match(text, response))
      )
    }
  })

  // The connection may be reset before the response is read: it is still being written to.
  const tooLarge = /^$|^HTTP\/1\.1 431 /

  survives("a URL of 1 MB", (url) =>
    Effect.map(exchange(url, `GET /${"a".repeat(1_000_000)} HTTP/1.1\r\nHost: x\r\n\r\n`), (text) =>
      assert.match(text, tooLarge)
    )
  )

  survives("huge headers: one, and very many", (url) =>
    Effect.gen(function* () {
      for (const header of [`A: ${"a".repeat(1_000_000)}\r\n`, "A: b\r\n".repeat(200_000)]) {
        assert.match(yield* exchange(url, `GET / HTTP/1.1\r\nHost: x\r\n${header}\r\n`), tooLarge)
      }
    })
  )

  survives("a request cut off at any byte", (url) =>
    Effect.gen(function* () {
      const whole = `${GET_DEMO}Content-Length: 3\r\n\r\nabc`
      for (let length = 0; length < whole.length; length++) {
        yield* exchange(url, whole.slice(0, length), { ends: true })
        const socket = yield* connected(url, whole.slice(0, length))
        socket.resetAndDestroy()
      }
    })
  )

  survives("pipelined requests, with responses in their order", (url) =>
    Effect.gen(function* () {
      const count = 100
      const row = `${GET_DEMO}\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\nPOST ${DEMO} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(
        count
      )
      const responses = yield* exchange(url, `${row}${GET_DEMO}Connection: close\r\n\r\n`)
      const expected = [...Array.from({ length: count }, () => [200, 404, 405]).flat(), 200]
      assert.deepStrictEqual(statusesOf(responses), expected)
    })
  )

  describe("a request to upgrade", () => {
    const upgrade = (connection: string) =>
      `${GET_DEMO}Connection: ${connection}\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`

    survives("that gets the response of any other request", (url) =>
      Effect.map(exchange(url, upgrade("Upgrade, close")), (responses) =>
        assert.deepStrictEqual(statusesOf(responses), [200])
      )
    )

    survives("that is reset", (url) =>
      Effect.repeatN(
        Effect.map(connected(url, upgrade("Upgrade")), (socket) => {
          socket.resetAndDestroy()
        }),
        300
      )
    )
  })

  it.effect("any bytes", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const piece = fc.oneof(
        fc.constantFrom("GET ", "HEAD ", "OPTIONS ", "POST ", "CONNECT ", "/", "*", DEMO, "?token=", DEMO_TOKEN),
        fc.constantFrom(" HTTP/1.1", " HTTP/1.0", "\r\n", "\r\n\r\n", "\n", "\r", ":", ": ", " ", "\0", "%", "%ff"),
        fc.constantFrom("Host: x", "Content-Length: ", "Transfer-Encoding: chunked", "Connection: ", "Upgrade: "),
        fc.constantFrom("keep-alive", "close", "Upgrade", "websocket", "Expect: 100-continue", "0", "5", "ffffffff"),
        fc.string({ unit: character, maxLength: 5 })
      )
      const bytes = fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.array(piece, { maxLength: 40 }).map((pieces) => Buffer.from(pieces.join(""), "latin1")),
        fc.array(piece, { maxLength: 20 }).map((pieces) => Buffer.from(GET_DEMO + pieces.join(""), "latin1"))
      )
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(bytes, fc.boolean(), (bytes, resets) =>
            Effect.gen(function* () {
              if (resets) {
                const socket = yield* connected(url)
                socket.write(bytes)
                socket.resetAndDestroy()
              } else {
                yield* exchange(url, bytes, { ends: true })
              }
              yield* assertSurvived(url)
            }).pipe(Effect.runPromise)
          )
        )
      )
    })
  )

  it.effect(`${DROPPED} connections opened and dropped`, () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator
      const drop = (index: number) =>
        Effect.map(
          connected(url, ["", "GET ", "GET / HTTP/1.1\r\nHost: x\r\nA: ", `${GET_DEMO}\r\n`][index % 4]),
          (socket) => {
            if (index % 3 === 0) socket.end()
            else if (index % 3 === 1) socket.destroy()
            else socket.resetAndDestroy()
            return socket
          }
        ).pipe(Effect.flatMap(closed))
      const dropped = (count: number) =>
        Effect.forEach(
          Array.from({ length: count }, (_, index) => index),
          drop,
          { concurrency: 50, discard: true }
        ).pipe(Effect.zipRight(assertSurvived(url)), Effect.zipRight(heap))
      const before = yield* dropped(500)
      const after = yield* dropped(DROPPED)
      assert.isBelow(after - before, 10 * MEBIBYTE)
    })
  )

  describe("a body sent to a GET:", () => {
    const smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    const large = smuggled.repeat(Math.ceil((10 * MEBIBYTE) / smuggled.length))
    const sized = (body: string) => `Content-Length: ${body.length}\r\n\r\n${body}`
    const chunk = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n`
    const bodies = {
      small: sized(smuggled),
      "10 MB": sized(large),
      "in chunks": `Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(10_000)}0\r\n\r\n`
    }
    for (const [name, body] of Object.entries(bodies)) {
      survives(`${name}, which is not read as a request`, (url) =>
        Effect.map(
          exchange(url, `${GET_DEMO}${body}GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
          (responses) => assert.deepStrictEqual(statusesOf(responses), [200, 404])
        )
      )
    }

    it.effect("never finished, without keeping any of it in memory", () =>
      Effect.gen(function* () {
        const { url } = yield* Emulator
        const socket = yield* connected(url, `${GET_DEMO}Transfer-Encoding: chunked\r\n\r\n`)
        socket.resume()
        const bytes = Buffer.from(`${MEBIBYTE.toString(16)}\r\n${"a".repeat(MEBIBYTE)}\r\n`)
        const send = Effect.async<void>((resume) => {
          socket.write(bytes, () => resume(Effect.void))
        })
        yield* send
        const before = yield* heap
        yield* Effect.repeatN(send, 63)
        // Half of what was sent: some of it may lie in buffers that are about to go.
        assert.isBelow((yield* heap) - before, 32 * MEBIBYTE)
        yield* assertResponds(url)
        socket.destroy()
        yield* assertSurvived(url)
      })
    )
  })

  describe("an invalid percent escape:", () => {
    const invalid = [400, errorBody("invalid-request", "The URL has an invalid percent-encoding")] as const
    const missing = [404, errorBody("record-not-found", "Key-value Store was not found")] as const
    const noPage = [404, errorBody("page-not-found", "There is no API end-point at this URL")] as const
    const emptyName = [400, errorBody("invalid-request", "Resource name parameter cannot be empty")] as const
    const paths = {
      [storePath("%")]: invalid,
      [storePath("%zz")]: invalid,
      [storePath("%2")]: invalid,
      [storePath("%ff")]: invalid,
      [storePath("%c0%ae")]: invalid,
      [storePath("%ed%a0%80")]: invalid,
      "/%/key-value-stores/a": noPage,
      "/v2/key-value-stores/%2e%2e%2f": emptyName,
      "/v2/key-value-stores/%2e%2e%2fa": missing,
      "/v2/key-value-stores/%00": missing,
      "/v2/key-value-stores/%2e%2e/a": noPage
    }
    for (const [path, expected] of Object.entries(paths)) {
      survives(path, (url) =>
        Effect.map(request(url, path, { token: DEMO_TOKEN }), ({ status, text }) =>
          assert.deepStrictEqual([status, text], [...expected])
        )
      )
    }

    survives("in the query, where it is taken literally", (url) =>
      Effect.gen(function* () {
        for (const invalid of ["%", "%zz", "%ff"]) {
          const { status } = yield* request(url, `${DEMO}?token=${invalid}`)
          assert.strictEqual(status, 401)
        }
      })
    )
  })
})

it.scopedLive("slow clients are dropped, and the emulator responds to others", () =>
  Effect.gen(function* () {
    const limits = { headersTimeout: 2_000, bodyTimeout: 1_000, connectionsCheckingInterval: 100 }
    const context = yield* Effect.provideService(Layer.build(Emulator.layer()), ClientLimits, limits)
    const { url } = Context.get(context, Emulator)

    // What they send at first, what they send now and then, and the statuses of the responses to them.
    const kinds: ReadonlyArray<readonly [first: string, then: string, statuses: ReadonlyArray<number>]> = [
      ["", "", [408]],
      ["GET /", "a", [408]],
      ["GET / HTTP/1.1\r\nHost: x\r\n", "A: b\r\n", [408]],
      ["GET / HTTP/1.1\r\nHost: x\r\nA: ", "b", [408]],
      [`${GET_DEMO}\r\nGET /`, "a", [200, 408]],
      [`${GET_DEMO}Content-Length: 1000000\r\n\r\n`, "a", [200, 408]],
      [`${GET_DEMO}Transfer-Encoding: chunked\r\n\r\n`, "1\r\na\r\n", [200, 408]]
    ]
    const clients = yield* Effect.forEach(
      kinds.flatMap((kind) => Array.from({ length: 50 }, () => kind)),
      ([first, then, statuses]) =>
        Effect.map(connected(url, first), (socket) => {
          const chunks: Array<string> = []
          socket.setEncoding("latin1").on("data", (chunk: string) => chunks.push(chunk))
          return { socket, then, statuses, chunks }
        })
    )
    while (clients.some(({ socket }) => !socket.closed)) {
      // This process is the server too: when it stalls, its own request is a slow one.
      const status = yield* Effect.map(request(url, DEMO, { token: DEMO_TOKEN }), ({ status }) => status).pipe(
        Effect.catchAll(() => Effect.succeed("reset"))
      )
      assert.include([200, 408, "reset"], status)
      for (const { socket, then } of clients) if (socket.writable && then !== "") socket.write(then)
      yield* Effect.sleep("50 millis")
    }
    for (const { chunks, statuses } of clients) {
      // Of a response to what is still being written nothing may arrive; and on a busy machine every client may be a slow one.
      const got = statusesOf(chunks.join(""))
      assert.deepInclude([statuses.slice(0, got.length), [408]], got)
    }
    yield* assertSurvived(url)
  })
)
