/**
 * The server as a client's bare socket sees it.
 */
import * as Net from "node:net"
import * as Tls from "node:tls"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Fault, FaultServer, type Origin } from "../src/index.js"

/** What was received over a connection, and the code of the error that ended it, if one did. */
interface Exchanged {
  readonly text: string
  readonly error: string | undefined
}

const codeOf = (error: Error): string => ("code" in error ? String(error.code) : error.message)

/** Sends requests for stores over one connection, each after the response to the one before, and waits for its end. */
const exchange = (origin: Origin, authority: string, ...stores: ReadonlyArray<string>): Effect.Effect<Exchanged> =>
  Effect.async((resume) => {
    const { hostname, port, protocol } = new URL(origin.url)
    const socket =
      protocol === "https:"
        ? Tls.connect({ host: "127.0.0.1", port: Number(port), servername: hostname, ca: authority })
        : Net.connect(Number(port), hostname)
    const left = [...stores]
    const next = (): void => {
      const store = left.shift()
      if (store === undefined) socket.end()
      else socket.write(`GET /v2/key-value-stores/${store} HTTP/1.1\r\nHost: ${hostname}\r\nX: 1\r\nX: 2\r\n\r\n`)
    }
    let text = ""
    let error: string | undefined
    socket.once(protocol === "https:" ? "secureConnect" : "connect", next)
    socket.on("data", (data) => {
      text += data.toString("latin1")
      next()
    })
    socket.on("error", (thrown) => {
      error = codeOf(thrown)
    })
    socket.on("close", () => resume(Effect.succeed({ text, error })))
  })

const statusesOf = ({ text }: Exchanged): ReadonlyArray<string> => text.match(/(?<=HTTP\/1\.1 )\d{3}/g) ?? []

layer(FaultServer.layer, { excludeTestServices: true })("the fault server", (it) => {
  it.scoped("does to the requests for a store what is planned for it, in order, and says what it saw", () =>
    Effect.gen(function* () {
      const server = yield* FaultServer
      const origin = yield* server.listen()
      yield* server.plan("a", Fault.sequence(Fault.times(2, Fault.status(503)), Fault.status(404)))
      yield* server.plan("b", Fault.forever(Fault.status(429)))
      const exchanged = yield* exchange(origin, server.authority, "a", "b", "a", "b", "a")
      assert.deepStrictEqual(statusesOf(exchanged), ["503", "429", "503", "429", "404"])
      const { bytesSent, requests, unplanned, unused } = yield* server.report("a")
      assert.deepStrictEqual({ unplanned, unused }, { unplanned: 0, unused: 0 })
      assert.isAbove(bytesSent, 0)
      assert.deepStrictEqual(
        requests.map(({ headers, method, path }) => [method, path, headers.x]),
        Array.from({ length: 3 }, () => ["GET", "/v2/key-value-stores/a", "1, 2"])
      )
      assert.strictEqual(new Set(requests.map(({ connection }) => connection)).size, 1)
      assert.strictEqual((yield* server.report("b")).requests.length, 2)
      yield* server.forget
      assert.isEmpty((yield* server.report("a")).requests)
    })
  )

  it.scoped("reads the body of a request to its end before it does anything", () =>
    Effect.gen(function* () {
      const server = yield* FaultServer
      const origin = yield* server.listen()
      yield* server.plan("a", Fault.forever(Fault.status(404)))
      const put = "PUT /v2/key-value-stores/a HTTP/1.1\r\nContent-Length: 4\r\n\r\n"
      yield* Effect.async<void>((resume) => {
        const socket = Net.connect(Number(new URL(origin.url).port), "127.0.0.1")
        socket.write(`${put}{"a"`)
        socket.once("data", () => {
          socket.write(`${put}:1`)
          setImmediate(() => socket.write("}\n"))
          socket.once("data", () => socket.destroy())
        })
        socket.on("close", () => resume(Effect.void))
      })
      const { requests, unplanned } = yield* server.report("a")
      assert.strictEqual(unplanned, 0)
      assert.deepStrictEqual(
        requests.map(({ method }) => method),
        ["PUT", "PUT"]
      )
    })
  )

  it.scoped("reports faults that no request met, and requests beyond the plan", () =>
    Effect.gen(function* () {
      const server = yield* FaultServer
      const origin = yield* server.listen()
      yield* server.plan("early", Fault.sequence(Fault.times(2, Fault.status(503)), Fault.forever(Fault.status(404))))
      assert.strictEqual((yield* server.report("early")).unused, 2)
      yield* exchange(origin, server.authority, "early")
      assert.strictEqual((yield* server.report("early")).unused, 2, "met once, of twice")
      yield* exchange(origin, server.authority, "early", "early")
      assert.strictEqual((yield* server.report("early")).unused, 0)
      yield* server.plan("late", Fault.times(1, Fault.status(404)))
      assert.deepStrictEqual(statusesOf(yield* exchange(origin, server.authority, "late", "late")), ["404", "500"])
      assert.strictEqual((yield* server.report("late")).unplanned, 1)
    })
  )

  for (const certificate of [undefined, "valid"] as const) {
    const over = certificate === undefined ? "TCP" : "TLS"
    const listening = Effect.flatMap(FaultServer, (server) =>
      server.listen(certificate === undefined ? {} : { certificate })
    )

    it.scoped(`resets a connection over ${over}, and ends one in order`, () =>
      Effect.gen(function* () {
        const server = yield* FaultServer
        const origin = yield* listening
        yield* server.plan("reset", Fault.forever(Fault.fault("reset", Fault.reset)))
        yield* server.plan("close", Fault.forever(Fault.fault("close", Fault.close)))
        assert.deepStrictEqual(yield* exchange(origin, server.authority, "reset"), { text: "", error: "ECONNRESET" })
        assert.deepStrictEqual(yield* exchange(origin, server.authority, "close"), { text: "", error: undefined })
        assert.lengthOf((yield* server.report("reset")).requests, 1)
      })
    )

    it.scoped(`counts the connections over ${over} that are open, busy and unused`, () =>
      Effect.gen(function* () {
        const server = yield* FaultServer
        const origin = yield* listening
        yield* server.plan("silent", Fault.forever(Fault.fault("silence", Fault.hang)))
        const until = (expected: object) =>
          Effect.repeat(Effect.delay(origin.sockets, "2 millis"), {
            until: (sockets) => JSON.stringify(sockets) === JSON.stringify(expected),
            times: 30_000
          })
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* Effect.forkScoped(exchange(origin, server.authority, "silent"))
            const { port } = new URL(origin.url)
            yield* Effect.acquireRelease(
              Effect.sync(() => Net.connect(Number(port), "127.0.0.1")),
              (socket) => Effect.sync(() => socket.destroy())
            )
            const both = { open: 2, busy: 1, unused: 1, ever: 2 }
            assert.deepStrictEqual(yield* until(both), both)
          })
        )
      })
    )
  }

  it.scoped("has certificates that fail as they are named", () =>
    Effect.gen(function* () {
      const server = yield* FaultServer
      const errorOf = (certificate: "valid" | "selfSigned" | "expired" | "otherHost") =>
        Effect.gen(function* () {
          const origin = yield* server.listen({ certificate })
          yield* server.plan("any", Fault.forever(Fault.status(404)))
          return (yield* exchange(origin, server.authority, "any")).error
        })
      assert.isUndefined(yield* errorOf("valid"))
      assert.strictEqual(yield* errorOf("selfSigned"), "DEPTH_ZERO_SELF_SIGNED_CERT")
      assert.strictEqual(yield* errorOf("expired"), "CERT_HAS_EXPIRED")
      assert.strictEqual(yield* errorOf("otherHost"), "ERR_TLS_CERT_ALTNAME_INVALID")
    })
  )

  it.scoped("dies at its report of what went wrong in itself", () =>
    Effect.gen(function* () {
      const server = yield* FaultServer
      const origin = yield* server.listen()
      const broken: Fault.Fault = {
        name: "broken",
        steps: () => {
          throw new Error("no such steps")
        }
      }
      yield* server.plan("broken", Fault.forever(broken))
      yield* exchange(origin, server.authority, "broken")
      const cause = yield* Effect.flip(Effect.sandbox(server.report("any other")))
      assert.strictEqual(cause._tag, "Die")
    }).pipe(Effect.provide(FaultServer.layer))
  )
})
