/**
 * The platform's events, from a WebSocket server on a real socket.
 */
import { Socket as NetSocket } from "node:net"
import * as Socket from "@effect/platform/Socket"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { freePort } from "../../../vitest.port.js"
import * as Actor from "../src/Actor.js"
import { eventOf, eventsServer } from "./eventsServer.js"
import { listening, urlOf } from "./realSockets.js"

const STORE = "WkzbQMuFYuamGv3YF"

const actorWith = (
  variables: Readonly<Record<string, string>>,
  webSocketConstructor = NodeSocket.layerWebSocketConstructor
) =>
  Actor.layer.pipe(
    Layer.provide(webSocketConstructor),
    Layer.provide(
      Layer.setConfigProvider(
        ConfigProvider.fromMap(new Map(Object.entries({ ACTOR_DEFAULT_KEY_VALUE_STORE_ID: STORE, ...variables })))
      )
    )
  )

/** The names of the next events, for which it is subscribed before it goes on. */
const nextNames = (count: number) =>
  Effect.gen(function* () {
    const { subscribe } = yield* Actor.Actor
    const events = yield* subscribe
    return Effect.map(Stream.runCollect(Stream.take(Stream.fromQueue(events), count)), (found) =>
      Chunk.toReadonlyArray(found).map(({ name }) => name)
    )
  })

describe("actorEvents", () => {
  it.scopedLive("are those that the platform sends, in their order, with their data", () =>
    Effect.gen(function* () {
      const { connections, url } = yield* eventsServer()
      yield* Effect.gen(function* () {
        const { send } = yield* connections.take
        const isSubscribed = yield* Deferred.make<void>()
        const found = yield* Effect.fork(
          Stream.runCollect(
            Stream.take(Stream.onStart(Actor.actorEvents, Deferred.succeed(isSubscribed, undefined)), 3)
          )
        )
        yield* Deferred.await(isSubscribed)
        // Sent until it is received: a stream does not say when it is subscribed.
        yield* Effect.forkScoped(
          Effect.forever(
            Effect.zipRight(send(eventOf("persistState", { isMigrating: true })), Effect.sleep("5 millis"))
          )
        )
        assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Fiber.join(found)), [
          { name: "persistState", data: { isMigrating: true } },
          { name: "persistState", data: { isMigrating: true } },
          { name: "persistState", data: { isMigrating: true } }
        ])
      }).pipe(Effect.provide(actorWith({ ACTOR_EVENTS_WEBSOCKET_URL: url })))
    })
  )

  it.scopedLive("go to each subscriber, and what is no event is left out", () =>
    Effect.gen(function* () {
      const { connections, url } = yield* eventsServer()
      yield* Effect.gen(function* () {
        const [one, other] = yield* Effect.all([nextNames(3), nextNames(3)])
        const { send } = yield* connections.take
        const messages = [
          "not JSON",
          "null",
          "[]",
          '{"name":1}',
          eventOf("systemInfo"),
          "",
          new TextEncoder().encode(eventOf("migrating")),
          new Uint8Array([0xff]),
          eventOf("aborting")
        ]
        yield* Effect.forEach(messages, send)
        assert.deepStrictEqual(yield* one, ["systemInfo", "migrating", "aborting"])
        assert.deepStrictEqual(yield* other, ["systemInfo", "migrating", "aborting"])
      }).pipe(Effect.provide(actorWith({ APIFY_ACTOR_EVENTS_WS_URL: url, ACTOR_EVENTS_WEBSOCKET_URL: "" })))
    })
  )

  it.scopedLive("are not lost where the connection ends right after them, and go on after it", () =>
    Effect.gen(function* () {
      const { connections, url } = yield* eventsServer()
      yield* Effect.gen(function* () {
        const names = yield* nextNames(4)
        for (const [index, code] of [1000, 1001, 1011].entries()) {
          const { close, send } = yield* connections.take
          yield* send(eventOf(`event ${index}`))
          yield* close(code)
        }
        const { send } = yield* connections.take
        yield* send(eventOf("event 3"))
        assert.deepStrictEqual(yield* names, ["event 0", "event 1", "event 2", "event 3"])
      }).pipe(Effect.provide(actorWith({ ACTOR_EVENTS_WEBSOCKET_URL: url })))
    })
  )

  it.scopedLive("come once there is a server, and nothing that is logged shows its URL", () =>
    Effect.gen(function* () {
      const port = yield* freePort
      const { url } = yield* Effect.scoped(eventsServer(port))
      const logged: Array<string> = []
      const failed = yield* Deferred.make<void>()
      const log = Logger.make(({ message }) => {
        logged.push(String(message))
        Deferred.unsafeDone(failed, Effect.void)
      })
      yield* Effect.gen(function* () {
        const names = yield* nextNames(1)
        yield* Deferred.await(failed)
        const { connections } = yield* eventsServer(port)
        const { send } = yield* connections.take
        yield* send(eventOf("migrating"))
        assert.deepStrictEqual(yield* names, ["migrating"])
      }).pipe(
        Effect.provide(actorWith({ ACTOR_EVENTS_WEBSOCKET_URL: url })),
        Effect.provide(Logger.replace(Logger.defaultLogger, log))
      )
      assert.strictEqual(logged[0], "No connection to the platform's events: Open failed. Trying again.")
      assert.notInclude(logged.join("\n"), "secret-path")
    })
  )

  it.scopedLive("are waited for where the runtime has no WebSocket", () =>
    Effect.gen(function* () {
      const { connections, url } = yield* eventsServer()
      let isMissing = true
      const constructorOnceMissing = Layer.map(NodeSocket.layerWebSocketConstructor, (context) => {
        const connect = Context.get(context, Socket.WebSocketConstructor)
        return Context.make(Socket.WebSocketConstructor, (url, protocols) => {
          if (!isMissing) return connect(url, protocols)
          isMissing = false
          throw new ReferenceError("WebSocket is not defined")
        })
      })
      yield* Effect.gen(function* () {
        const names = yield* nextNames(1)
        const { send } = yield* connections.take
        yield* send(eventOf("migrating"))
        assert.deepStrictEqual(yield* names, ["migrating"])
      }).pipe(Effect.provide(actorWith({ ACTOR_EVENTS_WEBSOCKET_URL: url }, constructorOnceMissing)))
      assert.isFalse(isMissing)
    })
  )

  it.scoped("are connected to soon after a connection that was open, however long it took to open it", () =>
    Effect.gen(function* () {
      const { connections, url } = yield* eventsServer()
      const FAILURES = 5
      let attempts = 0
      const constructorMissingAtFirst = Layer.map(NodeSocket.layerWebSocketConstructor, (context) => {
        const connect = Context.get(context, Socket.WebSocketConstructor)
        return Context.make(Socket.WebSocketConstructor, (url, protocols) => {
          attempts += 1
          if (attempts > FAILURES) return connect(url, protocols)
          throw new ReferenceError("WebSocket is not defined")
        })
      })
      const isClosed = yield* Deferred.make<void>()
      const log = Logger.make(({ message }) => {
        if (String(message).includes("it was closed")) Deferred.unsafeDone(isClosed, Effect.void)
      })
      yield* Effect.gen(function* () {
        // In short steps: the time to open a connection is limited too.
        yield* Effect.repeat(TestClock.adjust("500 millis"), { until: () => attempts > FAILURES })
        const { close } = yield* connections.take
        yield* close(1000)
        yield* Deferred.await(isClosed)
        assert.strictEqual(attempts, FAILURES + 1)
        yield* TestClock.adjust("1 second")
        assert.strictEqual(attempts, FAILURES + 2)
      }).pipe(
        Effect.provide(actorWith({ ACTOR_EVENTS_WEBSOCKET_URL: url }, constructorMissingAtFirst)),
        Effect.provide(Logger.replace(Logger.defaultLogger, log))
      )
    })
  )

  it.scopedLive("that nobody takes are left out, the oldest first", () =>
    Effect.gen(function* () {
      const { connections, url } = yield* eventsServer()
      yield* Effect.gen(function* () {
        const { subscribe } = yield* Actor.Actor
        const [reader, idler] = yield* Effect.all([subscribe, subscribe])
        const { send } = yield* connections.take
        yield* Effect.repeatN(send(eventOf("systemInfo")), 2_000)
        yield* send(eventOf("migrating"))
        yield* Effect.repeat(reader.take, { until: ({ name }) => name === "migrating" })
        const left = Chunk.toReadonlyArray(yield* idler.takeAll)
        assert.isAtMost(left.length, 1024)
        assert.strictEqual(left.at(-1)?.name, "migrating")
      }).pipe(Effect.provide(actorWith({ ACTOR_EVENTS_WEBSOCKET_URL: url })))
    })
  )

  it.scopedLive("hold nothing up that ends while it connects", () =>
    Effect.gen(function* () {
      // It accepts connections, and says nothing.
      const sockets: Array<NetSocket> = []
      const connected = yield* Deferred.make<void>()
      const server = yield* listening(() => {})
      server.on("upgrade", (_, socket) => {
        if (socket instanceof NetSocket) sockets.push(socket)
        Deferred.unsafeDone(connected, Effect.void)
      })
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          for (const socket of sockets) socket.destroy()
        })
      )
      yield* Deferred.await(connected).pipe(
        Effect.provide(actorWith({ ACTOR_EVENTS_WEBSOCKET_URL: urlOf(server).replace("http", "ws") }))
      )
      assert.lengthOf(sockets, 1)
    })
  )

  it.scopedLive("that come after the layer has ended, while the connection is being closed, do no harm", () =>
    Effect.gen(function* () {
      const { connections, url } = yield* eventsServer()
      const received = yield* Deferred.make<void>()
      let closeNow = () => {}
      const constructorThatClosesLate = Layer.map(NodeSocket.layerWebSocketConstructor, (context) => {
        const connect = Context.get(context, Socket.WebSocketConstructor)
        return Context.make(Socket.WebSocketConstructor, (url, protocols) => {
          const socket = connect(url, protocols)
          closeNow = socket.close.bind(socket)
          socket.close = () => {}
          socket.addEventListener("message", () => Deferred.unsafeDone(received, Effect.void))
          return socket
        })
      })
      const { send } = yield* Effect.provide(
        connections.take,
        actorWith({ ACTOR_EVENTS_WEBSOCKET_URL: url }, constructorThatClosesLate)
      )
      yield* send(eventOf("aborting"))
      // What a listener throws is an uncaught exception, which fails the run of the tests.
      yield* Effect.ensuring(
        Deferred.await(received),
        Effect.sync(() => closeNow())
      )
    })
  )

  it.scopedLive("are none without a variable", () =>
    Effect.gen(function* () {
      const { subscribe } = yield* Actor.Actor
      const events = yield* subscribe
      assert.isTrue(yield* events.isEmpty)
    }).pipe(Effect.provide(actorWith({ ACTOR_EVENTS_WEBSOCKET_URL: " " })))
  )

  it.effect("end with the layer", () =>
    Effect.gen(function* () {
      const found = yield* Effect.scoped(
        Effect.gen(function* () {
          const context = yield* Layer.build(actorWith({}))
          return yield* Effect.fork(Effect.provide(Stream.runCollect(Actor.actorEvents), context))
        })
      )
      yield* Fiber.await(found)
    })
  )

  it.effect.prop(
    "are not listened to at a URL that is none of a WebSocket, which is not shown",
    [
      fc.constantFrom("ACTOR_EVENTS_WEBSOCKET_URL", "APIFY_ACTOR_EVENTS_WS_URL"),
      fc.constantFrom("http://127.0.0.1/secret", "secret", "ws://", "ws:secret", "file:///secret")
    ],
    ([name, url]) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Effect.scoped(Layer.build(actorWith({ [name]: url }))))
        assert.strictEqual(String(error), `(Invalid data at ${name}: "must be a URL with the protocol ws: or wss:")`)
      })
  )
})
